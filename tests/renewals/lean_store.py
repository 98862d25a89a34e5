"""A store of calendars alone that holds frozen records as they are: a million of them, millions of times.

It must never copy a record, serialize one, or look at a calendar that is not due.
"""

import heapq
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from confsync.core.records import Calendar, Record
from confsync.core.unreadable import Due

R = TypeVar("R", bound=Record)
T = TypeVar("T")


class LeanStore:
    """Store and transaction in one, for a single thread: what is put is there at once."""

    def __init__(self) -> None:
        """Start empty."""
        self.calendars: dict[str, Calendar] = {}
        self.looked_at = 0
        """Records that queries returned, all in all."""
        self._due: list[tuple[datetime, str]] = []
        """A heap of times and keys; an entry whose calendar has another `renew_at` by now is out of date."""

    def next_due(self) -> datetime | None:
        """Return when the next channel is due, None when none ever is."""
        while self._due and not self._is_current(*self._due[0]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def channels_due(
        self,
        tenant: str,  # noqa: ARG002 - there is one
        before: datetime,
        limit: int,
        after: Due[Calendar] | None = None,
    ) -> list[Due[Calendar]]:
        """Return up to `limit` calendars with `renew_at` at or before `before`, the oldest first."""
        found: dict[str, Calendar] = {}
        behind = self._passed(after)
        while self._due and self._due[0][0] <= before and len(found) < limit:
            at, key = heapq.heappop(self._due)
            if self._is_current(at, key):
                found[key] = self.calendars[key]
        for calendar in (*behind, *found.values()):
            self._remember(calendar)
        self.looked_at += len(found)
        return list(found.values())

    def _passed(self, after: Due[Calendar] | None) -> list[Calendar]:
        """Take what is not behind `after` from the heap."""
        passed: dict[str, Calendar] = {}
        last = (after.renew_at, after.key) if isinstance(after, Calendar) and after.renew_at else None
        while last and self._due and self._due[0] <= last:
            at, key = heapq.heappop(self._due)
            if self._is_current(at, key):
                passed[key] = self.calendars[key]
        return list(passed.values())

    def _is_current(self, at: datetime, key: str) -> bool:
        return self.calendars[key].renew_at == at

    def _remember(self, calendar: Calendar) -> None:
        if calendar.renew_at is not None:
            heapq.heappush(self._due, (calendar.renew_at, calendar.key))

    def transact(self, body: Callable[[Any], T]) -> T:
        """Run `body` once: nobody else is there."""
        return body(self)

    def get(self, kind: type[R], key: str) -> R | None:
        """Return the calendar, None when there is none."""
        found = self.calendars.get(key)
        return found if isinstance(found, kind) else None

    def get_many(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Return the calendars that exist, by key."""
        found = ((key, self.get(kind, key)) for key in keys)
        return {key: record for key, record in found if record is not None}

    def put(self, record: Record) -> None:
        """Keep the calendar."""
        if not isinstance(record, Calendar):
            raise TypeError(f"this store keeps calendars only, not a {record.kind}")
        before = self.calendars.get(record.key)
        self.calendars[record.key] = record
        if before is None or before.renew_at != record.renew_at:
            self._remember(record)

    def delete(self, kind: type[Record], key: str) -> None:
        """Refuse: no calendar is forgotten in this month."""
        raise NotImplementedError(f"nothing deletes {kind.kind} {key} here")

    def calendars_due(
        self,
        tenant: str,  # noqa: ARG002 - a port's method
        before: datetime,  # noqa: ARG002
        limit: int,  # noqa: ARG002
        after: Due[Calendar] | None = None,  # noqa: ARG002
    ) -> list[Due[Calendar]]:
        """Return nothing: the syncs of the month are counted by a model of their own."""
        return []

    def conferences_due(
        self,
        tenant: str,  # noqa: ARG002 - a port's method
        before: datetime,  # noqa: ARG002
        limit: int,  # noqa: ARG002
        after: Any = None,  # noqa: ARG002
    ) -> list[Any]:
        """Return nothing: there are no conferences."""
        return []

    def calendars_of(self, tenant: str, subject: str, limit: int) -> list[Calendar]:
        """Refuse: no renewal asks for it."""
        raise NotImplementedError(f"a renewal asked for {limit} calendars of {subject} of {tenant}")

    def links_of(self, calendar_key: str, *, after: str, limit: int) -> list[Any]:
        """Refuse: no renewal asks for it."""
        raise NotImplementedError(f"a renewal asked for {limit} links of {calendar_key} after {after}")

    def conferences_of(self, calendar_key: str, *, after: str, limit: int) -> list[Any]:
        """Refuse: no renewal asks for it."""
        raise NotImplementedError(f"a renewal asked for {limit} conferences of {calendar_key} after {after}")

    def all_of(self, kind: type[R], *, after: str, limit: int) -> list[R]:
        """Refuse: a run that reads everything is not bounded."""
        raise NotImplementedError(f"a renewal asked for {limit} of all {kind.kind} records after {after}")
