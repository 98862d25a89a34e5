"""Record what Calendar shows: plan, read what the plan asks for, plan again, store; all or nothing.

Used by every sync. It must never store a plan that still asks for a reading, and never without the calendar's fence.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from confsync.core import leases
from confsync.core.planning import Plan, Recorded, Terms, conference_keys, link_keys, plan
from confsync.core.records import Calendar, Conference, Failure, Link, key_of
from confsync.core.sight import EventRef, Reading, Seen, Sight
from confsync.errors import CalendarAccessLost, CalendarRequestRejected, CalendarUnavailable
from confsync.ports import Address, Outside, Transaction

MAX_ROUNDS = 6
"""Readings ask for at most: confirm, whole series, another driver, its whole series; the rest is slack for races."""


@dataclass(frozen=True)
class Observed:
    """What one transaction is to record."""

    sight: Sight
    failures: tuple[Failure, ...] = ()
    listing: int = 0
    """Number of the full listing that it belongs to; 0 for an incremental one."""


Advance = Callable[[Calendar], Calendar]
"""How the stored calendar moves on together with the observations: checkpoint, sync token, lease."""


@dataclass(frozen=True)
class Observer:
    """Records observations of one leased calendar."""

    leased: Calendar
    """As this worker claimed it: its fence is checked with every write."""
    outside: Outside
    terms: Terms

    def record(self, observed: Observed, advance: Advance) -> tuple[Calendar, Plan]:
        """Record observations and progress in one transaction; return the stored calendar and what else changed.

        Raises:
            FenceLost: nothing was written; another worker owns the calendar.
            CalendarUnavailable: the events changed faster than they could be read.

        """
        for _ in range(MAX_ROUNDS):
            calendar, found = self._attempt(observed, advance)
            if not found.readings:
                return calendar, found
            sight = read(found.readings, self.leased, self.outside)
            failures = (*observed.failures, *self._unreadable(sight))
            observed = replace(observed, sight={**observed.sight, **sight}, failures=failures)
        raise CalendarUnavailable(f"calendar {self.leased.key}: its events changed faster than they could be read")

    def _attempt(self, observed: Observed, advance: Advance) -> tuple[Calendar, Plan]:
        def body(tx: Transaction) -> tuple[Calendar, Plan]:
            calendar = leases.check_fence(tx.get(Calendar, self.leased.key), self.leased.fence)
            found = self._plan(tx, observed)
            known = tx.get_many(Failure, [failure.key for failure in observed.failures])
            if found.readings:
                return calendar, found
            advanced = advance(calendar)
            failures = [_again(known.get(failure.key), failure) for failure in observed.failures]
            for changed in (*found.links, *found.conferences, *failures, advanced):
                tx.put(changed)
            return advanced, found

        return self.outside.store.transact(body)

    def _unreadable(self, sight: Sight) -> list[Failure]:
        now, reason = self.outside.now(), "Calendar's answer cannot be read"
        return [event_failure(self.leased, ref.event_id, reason, now) for ref, seen in sight.items() if seen.unreadable]

    def _plan(self, tx: Transaction, observed: Observed) -> Plan:
        sight, calendar_key = observed.sight, self.leased.key
        links = tx.get_many(Link, link_keys(sight, calendar_key))
        conferences = tx.get_many(Conference, conference_keys(sight, links, self.terms))
        recorded = Recorded(links, conferences)
        return plan(calendar_key, sight, recorded, self.terms, now=self.outside.now(), listing=observed.listing)


def _again(known: Failure | None, failure: Failure) -> Failure:
    """A failure that comes back is counted, not piled up."""
    if known is None:
        return failure
    return failure.model_copy(update={"count": known.count + 1, "first_at": known.first_at})


def read(readings: Iterable[Reading], leased: Calendar, outside: Outside) -> dict[EventRef, Seen]:
    """Read events one by one, or their whole series, each in its own calendar."""
    found: dict[EventRef, Seen] = {}
    for reading in readings:
        found[reading.ref] = _read(reading, leased, outside)
    return found


def _read(reading: Reading, leased: Calendar, outside: Outside) -> Seen:
    if reading.ref.calendar_key == leased.key:
        return read_event(reading, address_of(leased), outside)
    other = outside.store.get(Calendar, reading.ref.calendar_key)
    if other is None:
        return Seen(None, unreadable=True)
    try:
        return read_event(reading, address_of(other), outside)
    except CalendarAccessLost:
        return Seen(None, unreadable=True)  # its own sync freezes it


def read_event(reading: Reading, at: Address, outside: Outside) -> Seen:
    """Return the event as Calendar shows it now, with all its exceptions when the reading names a series."""
    try:
        return _answer(reading, at, outside)
    except CalendarRequestRejected:
        return Seen(None, unreadable=True)  # one event must not block its calendar


def _answer(reading: Reading, at: Address, outside: Outside) -> Seen:
    api, event_id = outside.calendar_api, reading.ref.event_id
    if reading.series_uid is None:
        return Seen(api.get_event(at, event_id), confirmed=True)
    parts = api.list_series(at, reading.series_uid)
    master = next((event for event in parts if event.id == event_id), None) or api.get_event(at, event_id)
    exceptions = tuple(event for event in parts if event.recurring_event_id == event_id)
    return Seen(master, confirmed=True, exceptions=exceptions)


def event_failure(calendar: Calendar, event_id: str, reason: str, now: datetime) -> Failure:
    """Return the failure of one event of a calendar; the same event has one failure, however often it fails."""
    return Failure(
        key=key_of("failure", calendar.key, event_id),
        tenant=calendar.tenant,
        calendar_key=calendar.key,
        event_id=event_id,
        reason=reason,
        first_at=now,
        last_at=now,
    )


def address_of(calendar: Calendar) -> Address:
    """Return how to reach the calendar."""
    return Address(calendar.calendar_id, calendar.subject)
