"""Read events on behalf of a leased calendar, and keep the lease meanwhile.

It must never let what another calendar answers hold up this one, or take for gone what nobody is shown.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from confsync.core import leases
from confsync.core.records import Calendar, EventRef, Failure, key_of
from confsync.core.rules import Rules
from confsync.core.sight import Reading, Seen, Sight
from confsync.errors import CalendarAccessLost, CalendarQuotaExceeded, CalendarRateLimited
from confsync.ports import Outside, Transaction
from confsync.reading import address_of, is_doubtful, read_event, shows_in_full


class LeasedReader:
    """Reads events for one leased calendar."""

    def __init__(self, leased: Calendar, outside: Outside, rules: Rules) -> None:
        """Keep the calendar as this worker claimed it: its fence is checked whenever the lease is extended."""
        self._leased, self._outside, self._rules = leased, outside, rules
        self._extended_at = leases.extended_at(leased, rules)
        self._has_full_access = False

    def note_full_access(self) -> None:
        """Take over that a page of the calendar was just shown in full, as only to a writer."""
        self._has_full_access = True

    def note_extension(self, stored: Calendar) -> None:
        """Take over when the lease was extended otherwise."""
        self._extended_at = leases.extended_at(stored, self._rules)

    def read(self, readings: Iterable[Reading], sync_token: str | None) -> dict[EventRef, Seen]:
        """Read events, or their whole series, each in its own calendar, while the lease is kept.

        Args:
            sync_token: one that is accepted now, to prove that a 404 speaks of the event; None: there is none yet.

        Raises:
            CalendarAccessLost: an event is unknown or shown in part, and so would be every other; or nothing proved
                before that the calendar is read as writer, and it is not.

        """
        wanted = {reading.ref: reading for reading in sorted(readings, key=lambda reading: reading.ref)}
        if not self._has_full_access and any(ref.calendar_key == self._leased.key for ref in wanted):
            self._prove_full_access(sync_token)
        found = self._read_each(wanted.values())
        doubtful = {
            ref: seen for ref, seen in found.items() if ref.calendar_key == self._leased.key and is_doubtful(seen)
        }
        if doubtful and sync_token is None:
            return found | {ref: replace(seen, unproven=True) for ref, seen in doubtful.items()}
        if doubtful:
            self._prove_full_access(sync_token)
        return found | self._read_each(wanted[ref] for ref in doubtful)  # access may have been lost for a moment

    def _prove_full_access(self, sync_token: str | None) -> None:
        """What a mere reader is shown proves nothing: not even that an event was deleted."""
        if not shows_in_full(self._leased, sync_token, self._outside):
            raise CalendarAccessLost("events are not shown in full any more", reason="accessRole")
        self._has_full_access = True

    def failures_of(self, sight: Sight) -> list[Failure]:
        """Return a failure for each event that could not be read."""
        now, reason = self._outside.now(), "Calendar's answer cannot be read"
        unread = [ref for ref, seen in sight.items() if seen.unreadable]
        return [event_failure(self._leased.tenant, ref, reason, now) for ref in unread]

    def _read_each(self, readings: Iterable[Reading]) -> dict[EventRef, Seen]:
        found: dict[EventRef, Seen] = {}
        for reading in readings:
            calendar = self._calendar_of(reading)
            self._keep_lease()
            found[reading.ref] = self._read(reading, calendar)
        return found

    def _calendar_of(self, reading: Reading) -> Calendar | None:
        if reading.ref.calendar_key == self._leased.key:
            return self._leased
        return self._outside.store.get(Calendar, reading.ref.calendar_key)

    def _keep_lease(self) -> None:
        """Extend the lease if it was not lately; once more where that took so long that it is due again."""
        while self._is_due(now := self._outside.now()):
            self._extend(now)

    def _is_due(self, now: datetime) -> bool:
        return self._extended_at is None or now - self._extended_at >= timedelta(seconds=self._rules.extend_every_s)

    def _extend(self, now: datetime) -> None:
        def body(tx: Transaction) -> None:
            calendar = leases.check_fence(tx.get(Calendar, self._leased.key), self._leased.fence)
            tx.put(leases.extend(calendar, now, self._rules))

        self._outside.store.transact(body)
        self._extended_at = now

    def _read(self, reading: Reading, calendar: Calendar | None) -> Seen:
        """What one event or another calendar answers must not hold up this one; what it does not show says nothing."""
        if calendar is self._leased:
            return read_event(reading, address_of(self._leased), self._outside)
        if calendar is None or not leases.is_synced(calendar):
            return Seen(None, unreadable=True)
        try:
            seen = read_event(reading, address_of(calendar), self._outside)
        except (CalendarAccessLost, CalendarQuotaExceeded, CalendarRateLimited):
            return Seen(None, unreadable=True)
        return replace(seen, unproven=True) if is_doubtful(seen) else seen


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
