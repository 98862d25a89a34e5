"""Record what Calendar shows: plan, read what the plan asks for, plan again, store; all or nothing.

Used by every sync. It must never store a plan that still asks for a reading, and never without the calendar's fence.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from confsync.core import brake, calendar_states, effects, leases, rereading, tasks
from confsync.core.binding import is_older
from confsync.core.channels import sync_at_once
from confsync.core.conference import Conference
from confsync.core.planning import Plan, Recorded, conference_keys, link_keys, plan, series_keys
from confsync.core.records import Calendar, EventRef, Failure, Link, key_of
from confsync.core.sight import Reading, Seen, Sight
from confsync.core.terms import Terms
from confsync.errors import (
    CalendarAccessLost,
    CalendarQuotaExceeded,
    CalendarRateLimited,
    CalendarUnavailable,
)
from confsync.hold_end import count_ends
from confsync.ports import Outside, Transaction
from confsync.reading import address_of, is_doubtful, read_event, shows_in_full

MAX_ROUNDS = 6
"""Readings ask for at most: confirm, whole series, another driver, its whole series; the rest is slack for races."""


@dataclass(frozen=True)
class Observed:
    """What one transaction is to record."""

    sight: Sight
    failures: tuple[Failure, ...] = ()
    listing: int = 0
    """Number of the full listing that it belongs to; 0 for an incremental one."""
    is_part: bool = False
    """Whether the same listing shows more events after these."""
    is_sweep: bool = False
    """Whether that listing is complete: what it did not show is missing from it."""


Advance = Callable[[Calendar], Calendar]
"""How the stored calendar moves on together with the observations: checkpoint, sync token, lease."""


class Observer:
    """Reads and records observations of one leased calendar."""

    def __init__(self, leased: Calendar, outside: Outside, terms: Terms) -> None:
        """Keep the calendar as this worker claimed it: its fence is checked with every write."""
        self._leased, self._outside, self._terms = leased, outside, terms
        self._extended_at = leases.extended_at(leased, terms.rules)

    def record(self, observed: Observed, advance: Advance) -> tuple[Calendar, Plan]:
        """Record observations and progress in one transaction; return the stored calendar and what else changed.

        Raises:
            FenceLost: nothing was written; another worker owns the calendar.
            CalendarUnavailable: the events changed faster than they could be read.

        """
        for _ in range(MAX_ROUNDS):
            calendar, found = self._attempt(observed, advance)
            if not found.readings:
                self._extended_at = leases.extended_at(calendar, self._terms.rules)
                return calendar, found
            observed = self._with(self.read(found.readings, calendar.sync_token), observed)
        raise CalendarUnavailable(f"calendar {self._leased.key}: its events changed faster than they could be read")

    def _with(self, sight: Sight, observed: Observed) -> Observed:
        """A reading may lag behind the listing that asked for it: then the listing stands, to be read again."""
        known = observed.sight
        newer = {ref: seen for ref, seen in sight.items() if not _lags(seen, known.get(ref))}
        read = {ref: replace(seen, listed=ref in known and known[ref].listed) for ref, seen in newer.items()}
        failures = (*observed.failures, *self.failures_of(sight))
        return replace(observed, sight={**known, **read}, failures=failures)

    def read(self, readings: Iterable[Reading], sync_token: str | None) -> dict[EventRef, Seen]:
        """Read events, or their whole series, each in its own calendar, while the lease is kept.

        Args:
            sync_token: one that is accepted now, to prove that a 404 speaks of the event; None: there is none yet.

        Raises:
            CalendarAccessLost: an event is unknown or shown in part, and so would be every other.

        """
        wanted = {reading.ref: reading for reading in sorted(readings, key=lambda reading: reading.ref)}
        found = self._read_each(wanted.values())
        doubtful = {
            ref: seen for ref, seen in found.items() if ref.calendar_key == self._leased.key and is_doubtful(seen)
        }
        if doubtful and sync_token is None:
            return found | {ref: replace(seen, unproven=True) for ref, seen in doubtful.items()}
        if doubtful and not shows_in_full(self._leased, sync_token, self._outside):
            raise CalendarAccessLost("events are not shown in full any more", reason="accessRole")
        return found | self._read_each(wanted[ref] for ref in doubtful)  # access may have been lost for a moment

    def _read_each(self, readings: Iterable[Reading]) -> dict[EventRef, Seen]:
        found: dict[EventRef, Seen] = {}
        for reading in readings:
            self._keep_lease()
            found[reading.ref] = self._read(reading)
        return found

    def _keep_lease(self) -> None:
        rules, now = self._terms.rules, self._outside.now()
        if self._extended_at is not None and now - self._extended_at < timedelta(seconds=rules.extend_every_s):
            return

        def body(tx: Transaction) -> None:
            calendar = leases.check_fence(tx.get(Calendar, self._leased.key), self._leased.fence)
            tx.put(leases.extend(calendar, now, rules))

        self._outside.store.transact(body)
        self._extended_at = now

    def _read(self, reading: Reading) -> Seen:
        """What one event or another user's calendar answers must not hold up this calendar."""
        if reading.ref.calendar_key == self._leased.key:
            return read_event(reading, address_of(self._leased), self._outside)
        other = self._outside.store.get(Calendar, reading.ref.calendar_key)
        if other is None or not calendar_states.is_synced(other):
            return Seen(None, unreadable=True)
        try:
            return read_event(reading, address_of(other), self._outside)
        except (CalendarAccessLost, CalendarQuotaExceeded, CalendarRateLimited):
            return Seen(None, unreadable=True)

    def failures_of(self, sight: Sight) -> list[Failure]:
        """Return a failure for each event that could not be read."""
        now, reason = self._outside.now(), "Calendar's answer cannot be read"
        unread = [ref for ref, seen in sight.items() if seen.unreadable]
        return [event_failure(self._leased.tenant, ref, reason, now) for ref in unread]

    def _attempt(self, observed: Observed, advance: Advance) -> tuple[Calendar, Plan]:
        def body(tx: Transaction) -> tuple[Calendar, Plan]:
            calendar = leases.check_fence(tx.get(Calendar, self._leased.key), self._leased.fence)
            recorded = self._recorded(tx, observed.sight)
            found = self._plan(recorded, observed)
            known = tx.get_many(Failure, [failure.key for failure in observed.failures])
            if found.readings:
                return calendar, found
            others = tx.get_many(Calendar, self._unread_elsewhere(observed.sight))
            decided = brake.newly_decided(recorded.conferences, found.conferences)
            brakes = count_ends(tx, self._leased.tenant, decided, now=self._outside.now(), rules=self._terms.rules)
            advanced = self._to_be_read_again(advance(calendar), observed.sight)
            if advanced.lease is None:
                found = self._announced(found)
            failures = [failure.after(known.get(failure.key)) for failure in observed.failures]
            asked = [self._asked(other, observed.sight) for other in others.values()]
            for changed in (*found.links, *found.conferences, *failures, *asked, *brakes, advanced):
                tx.put(changed)
            return advanced, found

        return self._outside.store.transact(body)

    def _announced(self, found: Plan) -> Plan:
        """Whoever gives back the lease calls at once: the first call is announced here, which saves a transaction."""
        now, rules = self._outside.now(), self._terms.rules
        first = effects.first_to_tell(found.conferences, now) if rules.mode == "act" else None
        if first is None:
            return found
        opened = effects.open_intent(first, now, rules)
        conferences = tuple(opened if each is first else each for each in found.conferences)
        return replace(found, conferences=conferences, announced=first.key)

    def _to_be_read_again(self, calendar: Calendar, sight: Sight) -> Calendar:
        """What nobody can prove without a sync token is read as soon as there is one; what is refused, days later."""
        own = {ref.event_id: seen for ref, seen in sight.items() if ref.calendar_key == calendar.key}
        unproven = [event_id for event_id, seen in own.items() if seen.unproven]
        refused = [event_id for event_id, seen in own.items() if seen.unreadable]
        shown = {event_id for event_id, seen in own.items() if seen.confirmed and not seen.says_nothing}
        noted = rereading.noted(calendar, refused, shown, self._outside.now(), self._terms.rules)
        return noted.model_copy(update={"to_observe": _added(noted.to_observe, unproven)}) if unproven else noted

    def _unread_elsewhere(self, sight: Sight) -> set[str]:
        """Other calendars with an event that matters here, but that could not be read: their own syncs read it."""
        unread = {ref.calendar_key for ref, seen in sight.items() if seen.unreadable}
        return unread - {self._leased.key}

    def _asked(self, other: Calendar, sight: Sight) -> Calendar:
        unread = [ref.event_id for ref, seen in sight.items() if seen.unreadable and ref.calendar_key == other.key]
        return asked_to_observe(other, unread, self._outside.now())

    def _recorded(self, tx: Transaction, sight: Sight) -> Recorded:
        links = tx.get_many(Link, link_keys(sight, self._leased.key))
        if of_series := series_keys(links):
            links |= tx.get_many(Link, of_series)
        return Recorded(links, tx.get_many(Conference, conference_keys(sight, links, self._terms)))

    def _plan(self, recorded: Recorded, observed: Observed) -> Plan:
        return plan(
            self._leased.key,
            observed.sight,
            recorded,
            self._terms,
            now=self._outside.now(),
            listing=observed.listing,
            is_part=observed.is_part,
            is_sweep=observed.is_sweep,
        )


def ask_to_observe(refs: Iterable[EventRef], outside: Outside) -> None:
    """Have each calendar read these events of its own at once."""
    by_calendar: dict[str, list[str]] = {}
    for ref in refs:
        by_calendar.setdefault(ref.calendar_key, []).append(ref.event_id)
    for calendar_key, event_ids in by_calendar.items():
        _ask_calendar(calendar_key, event_ids, outside)
        outside.task_queue.create(tasks.asked_sync(calendar_key, outside.now()))


def _ask_calendar(calendar_key: str, event_ids: list[str], outside: Outside) -> None:
    def body(tx: Transaction) -> None:
        calendar = tx.get(Calendar, calendar_key)
        if calendar is not None:
            tx.put(asked_to_observe(calendar, event_ids, outside.now()))

    outside.store.transact(body)


def asked_to_observe(calendar: Calendar, event_ids: Iterable[str], now: datetime) -> Calendar:
    """Return the calendar with these events to be read by its next sync, at once unless access is lost or it waits.

    A removed one reads nothing any more.
    """
    if calendar.state == "removed":
        return calendar
    asked = calendar.model_copy(update={"to_observe": _added(calendar.to_observe, event_ids)})
    return asked if calendar.state in ("frozen", "paused") else sync_at_once(asked, now)


def _added(known: tuple[str, ...], event_ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *event_ids)))


def _lags(seen: Seen, listed: Seen | None) -> bool:
    if listed is None or listed.event is None or seen.event is None:
        return False
    return is_older(seen.event, listed.event)


def event_failure(tenant: str, ref: EventRef, reason: str, now: datetime) -> Failure:
    """Return the failure of one event of a calendar; the same event has one failure, however often it fails."""
    return Failure(
        key=key_of("failure", ref.calendar_key, ref.event_id),
        tenant=tenant,
        calendar_key=ref.calendar_key,
        event_id=ref.event_id,
        reason=reason,
        first_at=now,
        last_at=now,
    )
