"""A running server: run a call on the model, store what changed, then announce it. One event loop, so no locks."""

import secrets
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import httpx

from .errors import Json
from .faults import Faults
from .model import CalendarModel
from .pushes import Counts, Pushes
from .records import Options
from .storage import Storage

_T = TypeVar("_T")
_PUSH_TIMEOUT_S = 30.0


@dataclass(slots=True)
class MethodCount:
    """How one method was used."""

    calls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    total_ms: float = 0.0
    longest_ms: float = 0.0


@dataclass(slots=True)
class RequestLog:
    """How often each method was called, with what outcome, and how long it took."""

    by_method: dict[str, MethodCount] = field(default_factory=dict)
    by_quota_user: Counter[str] = field(default_factory=Counter)

    def add(self, method: str, status: int, started: float, quota_user: str | None) -> None:
        """Count one request that began at `started` (time.perf_counter)."""
        count = self.by_method.setdefault(method, MethodCount())
        elapsed_ms = (time.perf_counter() - started) * 1000
        count.calls += 1
        count.statuses[status] += 1
        count.total_ms += elapsed_ms
        count.longest_ms = max(count.longest_ms, elapsed_ms)
        if quota_user:
            self.by_quota_user[quota_user] += 1

    def to_json(self) -> Json:
        """Return all counters."""
        methods = {
            name: {
                "calls": count.calls,
                "statuses": {str(status): n for status, n in sorted(count.statuses.items())},
                "mean_ms": round(count.total_ms / count.calls, 3),
                "longest_ms": round(count.longest_ms, 3),
            }
            for name, count in sorted(self.by_method.items())
        }
        return {"methods": methods, "quota_users": dict(self.by_quota_user)}


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Return the context for https receivers; reading all authorities takes longer than starting the server."""
    return httpx.create_ssl_context(trust_env=False)


def new_event_id() -> str:
    """Return 26 random base32hex letters, as Google's ids are."""
    number = secrets.randbits(130)
    return "".join("0123456789abcdefghijklmnopqrstuv"[(number >> shift) & 31] for shift in range(0, 130, 5))


class CalendarService:
    """A model with storage, faults and pushes.

    Args:
        data: the file to keep everything in; None keeps it in memory.

    Raises:
        StorageError: the file cannot be used.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = new_event_id,
    ) -> None:
        self.storage = Storage(data) if data is not None else None
        fresh = secrets.token_hex(16)
        secret = self.storage.secret(fresh) if self.storage else fresh
        self._changed: list[str] = []
        self.model = CalendarModel(now, new_id, secret=secret, options=Options(), on_change=self._changed.append)
        if self.storage:
            self.storage.load(self.model.state)
        self.faults = Faults(self.model.options)
        self.requests = RequestLog()
        self._pushes: Pushes | None = None

    @property
    def pushes(self) -> Pushes:
        """Return the sender of pushes; only between `start` and `stop`."""
        if self._pushes is None:
            raise RuntimeError("CalendarService has no pushes before start(): run it under an event loop")
        return self._pushes

    def start(self) -> None:
        """Begin sending pushes on the running event loop."""
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
        client = httpx.AsyncClient(timeout=_PUSH_TIMEOUT_S, limits=limits, trust_env=False, verify=_tls())
        self._pushes = Pushes(self.model.state, self.faults, client, self.keep)

    async def stop(self) -> None:
        """Drop pushes under way and close the file."""
        await self.pushes.close()
        self.keep()
        if self.storage:
            self.storage.close()

    async def reset(self) -> None:
        """Forget everything: people, calendars, channels, faults, counters; in the file too."""
        await self.pushes.drop()
        self.pushes.counts = Counts()
        self.requests = RequestLog()
        self.faults.clear()
        self.model.state.clear()
        if self.storage:
            self.storage.clear()

    def keep(self) -> None:
        """Store what has changed."""
        if self.storage:
            self.storage.save(self.model.state)
        else:
            self.model.state.dirty.clear()

    def run(self, call: Callable[[CalendarModel], _T]) -> _T:
        """Run a call on the model, store its changes, and announce them."""
        self._changed.clear()
        answer = call(self.model)
        self.keep()
        for calendar_id in dict.fromkeys(self._changed):
            self.pushes.announce(calendar_id)
        return answer
