"""The rate of one queue: a token bucket that shrinks while the worker says that it is overloaded. Pure.

It must never hold a queue for ever: a success speeds it up again, and Retry-After is capped.
Google does not publish by how much 429 and 503 slow a queue down; here each one halves rate and burst, each success
doubles them up to what is configured.
"""

import math
from datetime import datetime, timedelta

from confsync.local.task_server.limits import LONGEST_RETRY_AFTER_S, RateLimits

_SLOWEST = 10
_ALMOST_ONE = 1 - 1e-9


class Flow:
    """When the next task of a queue may leave."""

    def __init__(self, limits: RateLimits, now: datetime) -> None:
        """Start with a full bucket."""
        self._limits = limits
        self._tokens = float(limits.burst)
        self._filled_at = now
        self._held_until: datetime | None = None
        self.slowed = 0
        """How many times rate and burst are halved."""

    def configure(self, limits: RateLimits, now: datetime) -> None:
        """Go on under other limits."""
        self._fill(now)
        self._limits = limits
        self._tokens = min(self._tokens, self._burst)

    def take(self, now: datetime) -> bool:
        """Take one token, if there is one and nobody asked to wait."""
        self._fill(now)
        if self._tokens < _ALMOST_ONE or now < (self._held_until or now):
            return False
        self._tokens -= 1
        return True

    def open_at(self, now: datetime) -> datetime:
        """Return when `take` can succeed, `now` at the earliest."""
        self._fill(now)
        missing = max(0.0, 1 - self._tokens)
        wait_us = math.ceil(missing / self._rate * 1_000_000)
        return max(now + timedelta(microseconds=wait_us), self._held_until or now)

    def slow_down(self, now: datetime, retry_after_s: float | None) -> None:
        """Halve rate and burst, and wait as long as the worker asked."""
        self._fill(now)
        self.slowed = min(self.slowed + 1, _SLOWEST)
        self._tokens = min(self._tokens, self._burst)
        if retry_after_s is not None:
            until = now + timedelta(seconds=min(retry_after_s, LONGEST_RETRY_AFTER_S))
            self._held_until = max(self._held_until or until, until)

    def speed_up(self, now: datetime) -> None:
        """Take back one halving."""
        self._fill(now)
        self.slowed = max(0, self.slowed - 1)

    @property
    def _rate(self) -> float:
        return self._limits.max_dispatches_per_second / 2.0**self.slowed

    @property
    def _burst(self) -> float:
        return max(1.0, self._limits.burst / 2.0**self.slowed)

    def _fill(self, now: datetime) -> None:
        passed_s = (now - self._filled_at).total_seconds()
        if passed_s > 0:
            self._tokens = min(self._burst, self._tokens + passed_s * self._rate)
        self._filled_at = now
