"""A virtual clock, and tasks (greenlets) that wait on it: whoever is due next goes on, one at a time.

What is due at once happens in an order that a hash of the seed decides, never the order in which it was asked for. It
must never know what its tasks do, and never sleep.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from zlib import crc32

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]  # it ships no types

MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
"""In the clock's unit, a microsecond."""


def mixed(bits: int) -> int:
    """Return 32 bits of which each depends on all bits given: a checksum alone gives most seeds the same order.

    Source: the finalizer of MurmurHash3.
    """
    bits &= 0xFFFFFFFF
    bits = ((bits ^ bits >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    bits = ((bits ^ bits >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    return bits ^ bits >> 16


class Task:
    """Something that runs, waits and goes on."""

    def __init__(self, name: str) -> None:
        """Give it a name that is its own: its place in the order of the day depends on it."""
        self.name = name
        self.waits = 0
        self.greenlet: greenlet | None = None
        """None once it is over."""


class Scheduler:
    """The clock, and everything that is due on it."""

    def __init__(self, seed: int, start: datetime) -> None:
        """Begin at `start`."""
        self._start, self._salt = start, mixed(seed)
        self._hub = getcurrent()
        self._due: list[tuple[int, int, int, Callable[[], object]]] = []
        self._nth: Counter[str] = Counter()
        self._pushed = 0
        self._until = 0
        self._alive: dict[str, Task] = {}
        self._now: tuple[int, datetime] = (0, start)
        self.us = 0
        """Microseconds since the start."""
        self.running: Task | None = None
        """The task whose turn it is; None while the clock itself acts."""

    @property
    def now(self) -> datetime:
        """The true time."""
        if self._now[0] != self.us:
            self._now = (self.us, self._start + self.us * MICROSECOND)
        return self._now[1]

    def at(self, moment: datetime, name: str, act: Callable[[], object]) -> None:
        """Do something at a time, now at the earliest; it must not wait."""
        self._nth[name] += 1
        self._push(max((moment - self._start) // MICROSECOND, self.us), self._tie(name, self._nth[name]), act)

    def after(self, seconds: float, name: str, act: Callable[[], object]) -> None:
        """Do something some time from now; it must not wait."""
        self.at(self.now + timedelta(seconds=seconds), name, act)

    def _tie(self, name: str, nth: int) -> int:
        return mixed(crc32(f"{name} {nth}".encode()) ^ self._salt)

    def _push(self, at_us: int, tie: int, act: Callable[[], object]) -> None:
        self._pushed += 1
        heapq.heappush(self._due, (at_us, tie, self._pushed, act))

    def begin(self, task: Task, work: Callable[[], object]) -> None:
        """Let a task run until it waits for the first time, or to its end."""
        task.greenlet = greenlet(lambda: self._live(task, work), parent=self._hub)
        self._alive[task.name] = task
        self._turn(task)

    def _live(self, task: Task, work: Callable[[], object]) -> None:
        try:
            work()
        finally:
            task.greenlet = None
            self._alive.pop(task.name, None)

    def _turn(self, task: Task) -> None:
        if task.greenlet is not None:
            self.running = task
            task.greenlet.switch()
            self.running = None

    def wait(self, us: int) -> None:
        """Let the running task wait; others go on meanwhile, also where the wait is 0.

        Nothing is switched where nobody else is due before.
        """
        wake, task = self.us + us, self.running
        if task is None:
            raise RuntimeError("only a task may wait: the clock itself never does")
        if wake <= self._until and (not self._due or wake < self._due[0][0]):
            self.us = wake
            return
        task.waits += 1
        self._push(wake, self._tie(task.name, task.waits), lambda: self._turn(task))
        self._hub.switch()

    def run(self, seconds: float, is_over: Callable[[], bool]) -> None:
        """Let time pass, with everything that is due meanwhile, or until `is_over`."""
        self._until = self.us + int(seconds * SECOND)
        while self._due and self._due[0][0] <= self._until and not is_over():
            at_us, _, _, act = heapq.heappop(self._due)
            self.us = max(self.us, at_us)
            act()
        self.us = max(self.us, self._until) if not is_over() else self.us

    def leap(self, to: datetime) -> None:
        """Let time pass in which nothing runs: what is due meanwhile happens late."""
        self.us = max(self.us, (to - self._start) // MICROSECOND)

    def close(self, end: Callable[[Task], BaseException]) -> None:
        """Throw into every task that still waits what `end` makes for it; it must not wait again."""
        self._due.clear()
        for task in list(self._alive.values()):
            if task.greenlet is not None:
                self.running = task
                task.greenlet.throw(end(task))
                self.running = None
