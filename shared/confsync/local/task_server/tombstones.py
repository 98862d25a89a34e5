"""Names that stay blocked for a while after their owner is gone. Pure.

It must never grow for ever: names are released in the order in which they expire, each in constant time.
"""

import heapq
from datetime import datetime, timedelta


class Tombstones:
    """Blocked names, each until its time."""

    def __init__(self, ttl_s: float) -> None:
        """Block each name for `ttl_s` seconds."""
        self._ttl = timedelta(seconds=ttl_s)
        self._until: dict[str, datetime] = {}
        self._order: list[tuple[datetime, str]] = []

    def __len__(self) -> int:
        """Count the names that are held, expired ones included until the next `release`."""
        return len(self._until)

    def add(self, name: str, now: datetime) -> datetime:
        """Block the name from now on; return until when."""
        return self.restore(name, now + self._ttl)

    def restore(self, name: str, until: datetime) -> datetime:
        """Block the name until the given time."""
        self._until[name] = until
        heapq.heappush(self._order, (until, name))
        return until

    def blocks(self, name: str, now: datetime) -> bool:
        """Tell whether the name is blocked."""
        until = self._until.get(name)
        return until is not None and now < until

    def release(self, now: datetime) -> int:
        """Forget the names whose time is over; return how many."""
        released = 0
        while self._order and self._order[0][0] <= now:
            until, name = heapq.heappop(self._order)
            if self._until.get(name) == until:
                del self._until[name]
                released += 1
        return released
