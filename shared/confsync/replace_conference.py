"""Give events another conference: where theirs cannot come back, or where a duplicate is to have its own.

    reserved -> create (the same operation id for every attempt) -> store and register it -> write it into each event
    that still names the old one, if the event did not change since it was read

It must never create without a stored reservation, write an event that names anything else, or notify a guest.
"""

import json
from collections.abc import Callable
from datetime import timedelta

from confsync.core import calendar_states, replacing, reviewing
from confsync.core.conference import Applied, Conference, Desired, Referent, Registration, Replacement
from confsync.core.events import ConferenceData, Event
from confsync.core.owners import owners_of
from confsync.core.projection import fingerprint
from confsync.core.records import Calendar, EventRef, Failure, key_of
from confsync.core.solutions import Claim, claim_in
from confsync.core.state import ConferenceState
from confsync.core.terms import Terms, claimed_key
from confsync.errors import (
    CalendarAccessLost,
    CalendarError,
    CalendarQuotaExceeded,
    CalendarRequestRejected,
    OutcomeUnknown,
    ProviderBusy,
    ProviderError,
    ProviderRefusesUs,
    ProviderRejected,
)
from confsync.observe import ask_to_observe
from confsync.ports import CreateCall, CreatedConference, Outside, Transaction
from confsync.reading import address_of


def replace_conference(conference_key: str, outside: Outside, terms: Terms) -> str:
    """Go on with each replacement that is due; return why an operator has to act, empty where nobody has to."""
    conference = outside.store.get(Conference, conference_key)
    if conference is None:
        return ""
    due = [each for each in conference.replacements if each.due_at is not None and each.due_at <= outside.now()]
    if due and conference.provider not in outside.providers:
        return _pause(conference, outside, terms)
    return "; ".join(filter(None, [_Replacing(conference, each, outside, terms).go_on() for each in due]))


def _pause(conference: Conference, outside: Outside, terms: Terms) -> str:
    """Nobody can be asked: what is due again and again must not keep others waiting."""
    until = outside.now() + timedelta(seconds=terms.rules.refused_pause_s)

    def body(tx: Transaction) -> None:
        stored = tx.get(Conference, conference.key)
        if stored is not None:
            tx.put(replacing.paused(stored, until))

    outside.store.transact(body)
    return f"no provider named {conference.provider} in CONFERENCE_SOLUTIONS"


Change = Callable[[Conference, Replacement], Conference]


class _Replacing:
    """One replacement on its way: from the reservation to the last event that holds the new conference."""

    def __init__(self, conference: Conference, reserved: Replacement, outside: Outside, terms: Terms) -> None:
        self._old, self._reserved = conference, reserved
        self._outside, self._terms = outside, terms

    def go_on(self) -> str:
        """Go as far as possible now, the record says when to go on; return why an operator has to act, if so."""
        try:
            made = self._reserved if self._reserved.conference_id is not None else self._create()
        except ProviderError as error:
            return self._not_made(error)
        if made is None:
            return ""
        wait_s = max((self._relink(link_key, made) for link_key in made.links), default=0.0)
        if wait_s:
            self._go_on_in(timedelta(seconds=wait_s))
        else:
            self._store(lambda stored, known: replacing.done(stored, known, made.links))
        return ""

    def _store(self, change: Change, begun: int | None = None) -> bool:
        """Change the stored replacement, if it is still there; whether it is.

        Args:
            begun: how many attempts this worker knows of; where there were more, it knows less, and changes nothing.

        """

        def body(tx: Transaction) -> bool:
            stored = tx.get(Conference, self._old.key)
            replacements = stored.replacements if stored else ()
            known = next((each for each in replacements if each.number == self._reserved.number), None)
            if stored is None or known is None or begun not in (None, known.attempts):
                return False
            tx.put(change(stored, known))
            return True

        return self._outside.store.transact(body)

    def _go_on_in(self, wait: timedelta, begun: int | None = None, *, perhaps_made: bool = True) -> None:
        due_at = self._outside.now() + wait
        self._store(lambda stored, known: replacing.waiting(stored, known, due_at, perhaps_made=perhaps_made), begun)

    def _create(self) -> Replacement | None:
        """Return the replacement with its conference made and registered; None when nobody needs it any more.

        Raises:
            ProviderError: as the back end answered.

        """
        state, begun = self._reserved.state, self._reserved.attempts
        is_needed = not owners_of(self._old, "live").keys().isdisjoint(self._reserved.links)
        if state is None or not (is_needed or self._reserved.perhaps_made):
            self._store(replacing.cancelled, begun)
            return None
        open_until = self._outside.now() + timedelta(seconds=self._terms.rules.intent_s)
        if not self._store(lambda stored, known: replacing.announced(stored, known, open_until), begun):
            return None
        operation_id = replacing.operation_id(self._old, self._reserved)
        provider = self._outside.providers[self._old.provider]
        created = provider.create(CreateCall(operation_id, self._old.conference_id, state))
        self._check(created)
        return self._register(created, state)

    def _check(self, created: CreatedConference) -> None:
        """An event must not get conference data that nobody would know again as ours."""
        data = ConferenceData.model_validate(created.conference_data)
        made = Claim(provider=self._old.provider, conference_id=created.conference_id)
        if claim_in(data, self._terms.solutions) != made:
            raise ProviderRejected(
                f"the back end made conference {made.conference_id}, but its conference data (solution "
                f"{data.solution.name!r}) matches no entry of CONFERENCE_SOLUTIONS for {made.provider}: "
                "end it by hand, and correct one of them"
            )

    def _not_made(self, error: ProviderError) -> str:
        """Say when the same operation goes out again, if ever; return why an operator has to act, if so."""
        rules, known_before, begun = self._terms.rules, self._reserved.perhaps_made, self._reserved.attempts + 1
        backoff = timedelta(seconds=rules.backoff_s(self._reserved.attempts))
        match error:
            case ProviderBusy():
                wait = timedelta(seconds=error.retry_after_s) if error.retry_after_s else backoff
                self._go_on_in(wait, begun, perhaps_made=known_before)
                return ""
            case OutcomeUnknown():
                self._go_on_in(max(backoff, timedelta(seconds=rules.intent_s)), begun)
                return ""
            case ProviderRefusesUs():
                self._go_on_in(timedelta(seconds=rules.refused_pause_s), begun, perhaps_made=known_before)
            case _:
                self._give_up(str(error), begun)
        return str(error)

    def _give_up(self, reason: str, begun: int) -> None:
        """Leave the events as they are, and keep a failure for an operator."""
        old, now = self._old, self._outside.now()
        key = key_of("failure", old.key, "replacement", str(self._reserved.number))
        failure = Failure(key=key, tenant=old.tenant, conference_key=old.key, reason=reason, first_at=now, last_at=now)
        self._store(replacing.given_up, begun)
        self._outside.store.transact(lambda tx: tx.put(failure))

    def _register(self, created: CreatedConference, state: ConferenceState) -> Replacement | None:
        """Store the new conference as told and vouched for, so that it binds as soon as an event shows it."""
        told = {"conference_id": created.conference_id, "conference_data": json.dumps(created.conference_data)}
        made = self._reserved.model_copy(update={**told, "state": None, "due_at": self._outside.now()})
        successor = self._successor(created.conference_id, state)

        def body(tx: Transaction) -> tuple[Conference, Replacement] | None:
            stored, known = tx.get(Conference, self._old.key), tx.get(Conference, successor.key)
            if stored is None:
                return None
            if known is None:
                tx.put(successor)
            for_all = replacing.with_links_of(stored, made)
            tx.put(replacing.stored(stored, for_all))
            return stored, for_all

        registered = self._outside.store.transact(body)
        if registered is None:
            return None
        self._old, for_all = registered  # a sync may have added events to it while it was made
        return for_all

    def _successor(self, conference_id: str, state: ConferenceState) -> Conference:
        old, now, told = self._old, self._outside.now(), fingerprint(state)
        events = {key: old.referents[key] for key in self._reserved.links if key in old.referents}
        vouched = {
            key: Registration(calendar_key=event.calendar_key, event_id=event.event_id, at=now, unwritten=True)
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
        if not calendar_states.is_synced(calendar):
            return rules.frozen_retry_s
        try:
            if not self._write(link_key, referent, calendar, made):
                return self._begin_anew(EventRef(calendar.key, referent.event_id))
        except (CalendarAccessLost, CalendarQuotaExceeded, CalendarRequestRejected) as error:
            return error.retry_after_s or rules.frozen_retry_s
        except CalendarError as error:
            return error.retry_after_s or rules.backoff_s(made.attempts + 1)
        return 0.0

    def _begin_anew(self, ref: EventRef) -> float:
        """The new conference ended and was forgotten, long ago: what its event needs is planned again."""
        self._store(replacing.cancelled)
        ask_to_observe([ref], self._outside)
        return 0.0

    def _vouch(self, link_key: str, referent: Referent, made: Replacement) -> bool:
        """Before each attempt the new conference expects its event anew, wherever that is now; False: it is unknown."""
        key = Conference.key_for(self._old.tenant, self._old.provider, str(made.conference_id))
        now, rules = self._outside.now(), self._terms.rules
        word = Registration(calendar_key=referent.calendar_key, event_id=referent.event_id, at=now)

        def body(tx: Transaction) -> bool:
            successor = tx.get(Conference, key)
            if successor is not None:
                tx.put(reviewing.expecting(successor, {link_key: word}, rules))
            return successor is not None

        return self._outside.store.transact(body)

    def _write(self, link_key: str, referent: Referent, calendar: Calendar, made: Replacement) -> bool:
        """Write into the event as it is now, if it still names the old conference; raise where it changes meanwhile.

        False: the new conference is unknown.
        """
        at, event_id, api = address_of(calendar), referent.event_id, self._outside.calendar_api
        event = api.get_event(at, event_id)
        if event is None or not self._is_named_by(event):
            return True
        if not self._vouch(link_key, referent, made):
            return False
        api.write_conference_data(at, event_id, event.etag, json.loads(made.conference_data or "null"))
        ask_to_observe([EventRef(calendar.key, event_id)], self._outside)  # the push of our own write may be lost
        return True

    def _is_named_by(self, event: Event) -> bool:
        shown = event.is_organizers_copy and not event.is_cancelled
        return shown and claimed_key(event, self._terms) == self._old.key
