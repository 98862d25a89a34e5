"""Record what Calendar shows: plan, read what the plan asks for, plan again, store; all or nothing.

Used by every sync. It must never store a plan that still asks for a reading, and never without the calendar's fence.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from confsync.ask_to_observe import asked_to_observe, with_more_to_observe
from confsync.core import brake, effects, leases, rereading
from confsync.core.binding import is_older
from confsync.core.conference import Conference
from confsync.core.planning import Plan, Recorded, conference_keys, link_keys, plan, series_keys
from confsync.core.records import Calendar, Failure, Link
from confsync.core.sight import Seen, Sight
from confsync.core.terms import Terms
from confsync.errors import CalendarUnavailable
from confsync.hold_end import count_ends
from confsync.leased_reader import LeasedReader
from confsync.ports import Outside, Transaction

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
    """Records observations of one leased calendar."""

    def __init__(self, leased: Calendar, reader: LeasedReader, outside: Outside, terms: Terms) -> None:
        """Keep the calendar as this worker claimed it: its fence is checked with every write."""
        self._leased, self._reader = leased, reader
        self._outside, self._terms = outside, terms

    def record(self, observed: Observed, advance: Advance) -> tuple[Calendar, Plan]:
        """Record observations and progress in one transaction; return the stored calendar and what else changed.

        Raises:
            FenceLost: nothing was written; another worker owns the calendar.
            CalendarUnavailable: the events changed faster than they could be read.

        """
        for _ in range(MAX_ROUNDS):
            calendar, found = self._attempt(observed, advance)
            if not found.readings:
                self._reader.note_extension(calendar)
                return calendar, found
            observed = self._with(self._reader.read(found.readings, calendar.sync_token), observed)
        raise CalendarUnavailable(f"calendar {self._leased.key}: its events changed faster than they could be read")

    def _with(self, sight: Sight, observed: Observed) -> Observed:
        """A reading may lag behind the listing that asked for it: then the listing stands, to be read again."""
        known = observed.sight
        newer = {ref: seen for ref, seen in sight.items() if not _lags(seen, known.get(ref))}
        read = {ref: replace(seen, listed=ref in known and known[ref].listed) for ref, seen in newer.items()}
        failures = (*observed.failures, *self._reader.failures_of(sight))
        return replace(observed, sight={**known, **read}, failures=failures)

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
            advanced = self._to_be_read_again(advance(calendar), {**observed.sight, **found.waiting})
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
        return with_more_to_observe(noted, unproven) if unproven else noted

    def _unread_elsewhere(self, sight: Sight) -> set[str]:
        """Other calendars with an event that matters here, but that says nothing: their own syncs read it."""
        unread = {ref.calendar_key for ref, seen in sight.items() if seen.says_nothing}
        return unread - {self._leased.key}

    def _asked(self, other: Calendar, sight: Sight) -> Calendar:
        unread = [ref.event_id for ref, seen in sight.items() if seen.says_nothing and ref.calendar_key == other.key]
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


def _lags(seen: Seen, listed: Seen | None) -> bool:
    if listed is None or listed.event is None or seen.event is None:
        return False
    return is_older(seen.event, listed.event)
