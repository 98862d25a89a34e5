"""Give events another conference: where theirs cannot come back, or where a duplicate is to have its own.

    reserved -> create (the same operation id for every attempt) -> store and register it -> write it into each event
    that still names the old one, if the event did not change since it was read

It must never create without a stored reservation, write an event that names anything else, or notify a guest.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from confsync.core import replacing, reviewing
from confsync.core.events import ConferenceData, Event
from confsync.core.judging import owners_of
from confsync.core.projection import fingerprint
from confsync.core.records import Applied, Calendar, Conference, Desired, Failure, Registration, Replacement, key_of
from confsync.core.sight import EventRef
from confsync.core.solutions import Claim, claim_in
from confsync.core.state import ConferenceState
from confsync.core.terms import Terms, claimed_key
from confsync.errors import (
    CalendarAccessLost,
    CalendarError,
    CalendarQuotaExceeded,
    CalendarRequestRejected,
    OutcomeUnknown,
    PreconditionFailed,
    ProviderBusy,
    ProviderError,
    ProviderRefusesUs,
    ProviderRejected,
)
from confsync.observe import address_of, ask_to_observe
from confsync.ports import CreateCall, CreatedConference, Outside, Transaction

MAX_READS = 3
"""Times that an event which keeps changing is read before it is left for later."""


def replace_conference(conference_key: str, outside: Outside, terms: Terms) -> None:
    """Go on with each replacement that is due."""
    conference = outside.store.get(Conference, conference_key)
    if conference is None or conference.provider not in outside.providers:
        return
    for reserved in conference.replacements:
        if reserved.due_at is not None and reserved.due_at <= outside.now():
            _Replacing(conference, reserved, outside, terms).go_on()


Change = Callable[[Conference, Replacement], Conference]


class _Replacing:
    """One replacement on its way: from the reservation to the last event that holds the new conference."""

    def __init__(self, conference: Conference, reserved: Replacement, outside: Outside, terms: Terms) -> None:
        self._old, self._reserved = conference, reserved
        self._outside, self._terms = outside, terms

    def go_on(self) -> None:
        """Go as far as possible now; the record says when to go on."""
        made = self._reserved if self._reserved.conference_id is not None else self._create()
        if made is None:
            return
        wait_s = max((self._relink(link_key, made) for link_key in made.links), default=0.0)
        if wait_s:
            self._wait_until(self._outside.now() + timedelta(seconds=wait_s))
        else:
            self._store(replacing.done)

    def _store(self, change: Change) -> bool:
        """Change the stored replacement, if it is still there; whether it is."""

        def body(tx: Transaction) -> bool:
            stored = tx.get(Conference, self._old.key)
            replacements = stored.replacements if stored else ()
            known = next((each for each in replacements if each.number == self._reserved.number), None)
            if stored is None or known is None:
                return False
            tx.put(change(stored, known))
            return True

        return self._outside.store.transact(body)

    def _wait_until(self, due_at: datetime | None) -> bool:
        return self._store(lambda stored, known: replacing.waiting(stored, known, due_at))

    def _create(self) -> Replacement | None:
        """Return the replacement with its conference made and registered; None when that waits, or cannot be."""
        state, now = self._reserved.state, self._outside.now()
        if state is None or not self._wait_until(now + timedelta(seconds=self._terms.rules.intent_s)):
            return None
        operation_id = replacing.operation_id(self._old, self._reserved)
        try:
            provider = self._outside.providers[self._old.provider]
            created = provider.create(CreateCall(operation_id, self._old.conference_id, state))
            self._check(created)
        except ProviderError as error:
            due_at = self._next_try(error)
            if due_at is None:
                self._give_up(str(error))
            else:
                self._wait_until(due_at)
            return None
        return self._register(created, state)

    def _check(self, created: CreatedConference) -> None:
        """An event must not get conference data that nobody would know again as ours."""
        data = ConferenceData.model_validate(created.conference_data)
        if claim_in(data, self._terms.solutions) != Claim(
            provider=self._old.provider, conference_id=created.conference_id
        ):
            name = data.solution.name
            raise ProviderRejected(
                f"the back end made conference {created.conference_id}, but its conference data (solution {name!r}) "
                f"matches no entry of CONFERENCE_SOLUTIONS for {self._old.provider}: end it by hand, and correct either"
            )

    def _give_up(self, reason: str) -> None:
        """Leave the events as they are, and tell an operator."""
        old, now = self._old, self._outside.now()
        key = key_of("failure", old.key, "replacement", str(self._reserved.number))
        failure = Failure(key=key, tenant=old.tenant, conference_key=old.key, reason=reason, first_at=now, last_at=now)
        self._wait_until(None)
        self._outside.store.transact(lambda tx: tx.put(failure))

    def _next_try(self, error: ProviderError) -> datetime | None:
        """Return when the same operation goes out again; None when it never will."""
        now, rules = self._outside.now(), self._terms.rules
        backoff = timedelta(seconds=rules.backoff_s(self._reserved.attempts))
        match error:
            case ProviderBusy():
                return now + (timedelta(seconds=error.retry_after_s) if error.retry_after_s else backoff)
            case OutcomeUnknown():
                return now + max(backoff, timedelta(seconds=rules.intent_s))
            case ProviderRefusesUs():
                return now + timedelta(seconds=rules.refused_pause_s)
            case _:
                return None

    def _register(self, created: CreatedConference, state: ConferenceState) -> Replacement | None:
        """Store the new conference as told and vouched for, so that it binds as soon as an event shows it."""
        told = {"conference_id": created.conference_id, "conference_data": json.dumps(created.conference_data)}
        made = self._reserved.model_copy(update={**told, "state": None, "due_at": self._outside.now()})
        successor = self._successor(created.conference_id, state)

        def body(tx: Transaction) -> Replacement | None:
            stored, known = tx.get(Conference, self._old.key), tx.get(Conference, successor.key)
            if stored is None:
                return None
            if known is None:
                tx.put(successor)
            tx.put(replacing.stored(stored, made))
            return made

        return self._outside.store.transact(body)

    def _successor(self, conference_id: str, state: ConferenceState) -> Conference:
        old, now, told = self._old, self._outside.now(), fingerprint(state)
        events = {key: old.referents[key] for key in self._reserved.links if key in old.referents}
        vouched = {
            key: Registration(calendar_key=event.calendar_key, event_id=event.event_id, at=now)
            for key, event in events.items()
        }
        made = Conference(
            key=Conference.key_for(old.tenant, old.provider, conference_id),
            tenant=old.tenant,
            provider=old.provider,
            conference_id=conference_id,
            desired=Desired(generation=1, fingerprint=told),
            applied=Applied(generation=1, fingerprint=told),
        )
        return reviewing.registered(made, vouched, self._terms.rules)

    def _relink(self, link_key: str, made: Replacement) -> float:
        """Write the new conference into one event; return 0, or in how many seconds to try again."""
        referent = owners_of(self._old, "live").get(link_key)
        calendar = self._outside.store.get(Calendar, referent.calendar_key) if referent else None
        if referent is None or calendar is None:
            return 0.0
        rules = self._terms.rules
        try:
            self._write(referent.event_id, calendar, made)
        except (CalendarAccessLost, CalendarQuotaExceeded, CalendarRequestRejected) as error:
            return error.retry_after_s or rules.frozen_retry_s
        except CalendarError as error:
            return error.retry_after_s or rules.backoff_s(made.attempts)
        return 0.0

    def _write(self, event_id: str, calendar: Calendar, made: Replacement) -> None:
        """Write into the event as it is now, if it still names the old conference."""
        at, api = address_of(calendar), self._outside.calendar_api
        for _ in range(MAX_READS):
            event = api.get_event(at, event_id)
            if event is None or not self._is_named_by(event):
                return
            try:
                api.write_conference_data(at, event_id, event.etag, json.loads(made.conference_data or "null"))
            except PreconditionFailed:
                continue
            ask_to_observe([EventRef(calendar.key, event_id)], self._outside)  # the push of our own write may be lost
            return
        raise PreconditionFailed(f"event {event_id} changed faster than it could be written")

    def _is_named_by(self, event: Event) -> bool:
        shown = event.is_organizers_copy and not event.is_cancelled
        return shown and claimed_key(event, self._terms) == self._old.key
