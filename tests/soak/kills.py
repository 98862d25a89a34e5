"""SIGKILL for workers, again and again: what a frozen, moved or crashed instance looks like from outside.

It must never kill a process that is no worker of the stack's own servers.
"""

import contextlib
import os
import random
import signal
import threading
from pathlib import Path

from confsync.local.stack import Stack


class Kills:
    """A thread that kills one worker process of a part every few seconds; use it in a `with` block."""

    def __init__(self, stack: Stack, parts: tuple[str, ...], every_s: float, dice: random.Random) -> None:
        """Kill nobody yet."""
        self._stack, self._parts, self._every_s, self._dice = stack, parts, every_s, dice
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kills")
        self.count = 0

    def __enter__(self) -> "Kills":
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Kill nobody any more."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._every_s * (0.5 + self._dice.random())):
            workers = [worker for part in self._parts for worker in children_of(self._stack.pids[part])]
            if workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._dice.choice(workers), signal.SIGKILL)
                    self.count += 1


def children_of(pid: int) -> list[int]:
    """Return the worker processes of a server, which starts another for each that ends."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
