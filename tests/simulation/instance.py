"""One run of one function: its clock, its ids, how long its calls take, and that a dead process does nothing.

All of it comes from the seed and the instance's own name and count of calls, so that leaving out one part of a day
leaves the rest as it was. It must never look at another instance.
"""

from datetime import datetime, timedelta
from zlib import crc32

from tests.simulation.scheduler import SECOND, Scheduler, Task, mixed
from tests.simulation.tapes import Latency, Setting
from tests.world import Crash

_SHARE = {"store": 4, "transaction": 8, "queue": 4}
"""By which part of the day's usual latency these ports answer."""


class Instance(Task):
    """One run of one function, from its request to its answer."""

    def __init__(self, name: str, seed: int, setting: Setting, clock: Scheduler) -> None:
        """Begin now."""
        super().__init__(name)
        self._clock, self._latency = clock, setting.latency
        self._base = mixed(crc32(name.encode()) ^ mixed(seed))
        self.calls = 0
        self._ids = 0
        self.is_dead = False
        self.since = clock.now
        """The true time at which it began."""
        self.read_at = clock.now
        """The true time at which the transaction began that it committed last."""
        self.fences: dict[str, int] = {}
        """By calendar key: the fence under which it claimed the calendar."""
        self.notes: dict[str, datetime] = {}
        """What it met on its way, and when, for the counters of `sometimes`."""
        skew_ms = setting.skew_ms
        self._skew = timedelta(milliseconds=self._base % (2 * skew_ms + 1) - skew_ms) if skew_ms else None

    def now(self) -> datetime:
        """Return the time by its own clock."""
        return self._clock.now + self._skew if self._skew else self._clock.now

    def new_id(self) -> str:
        """Return an id that no other instance makes."""
        self._ids += 1
        return f"i{self._base:08x}{self._ids:04x}"

    def die(self) -> Crash:
        """Be dead from now on."""
        self.is_dead = True
        return Crash()

    def go_on(self) -> None:
        """Refuse whatever a dead process would do; raises Crash."""
        if self.is_dead:
            raise Crash

    def draw(self) -> int:
        """Return 32 bits for the next call."""
        self.calls += 1
        return mixed(self._base + self.calls * 0x9E3779B1)

    def half_us(self, port: str) -> int:
        """Return how long half of the next call takes: the way there, or the way back."""
        if self._latency == "none":
            return 0
        bits = self.draw()
        return latency_us(self._latency, bits, far=port == "provider") // _SHARE.get(port, 1)


def latency_us(latency: Latency, bits: int, *, far: bool) -> int:
    """Return a time for half a call from 32 random bits; a far port is slow more often."""
    part = bits & 0xFFFF
    if latency == "quick":
        return 500 + part // 32
    if latency == "slow":
        return 10_000 + part * part // 20_000
    rare = bits >> 16
    if rare < (3000 if far else 300):
        return 10 * SECOND + part * 400  # up to 36 s: some calls to a conferencing system time out and land later
    return SECOND // 2 + part * 60 if rare < 4000 else 2_000 + part
