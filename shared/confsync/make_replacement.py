"""Have a reserved conference made, and register it for the events that are to get it.

    announced -> create (the same operation id for every attempt) -> store and register it

It must never create without a stored reservation, or take a conference whose data nobody would know again as ours.
"""

import json
from dataclasses import replace
from datetime import timedelta

from confsync.core import replacing, reviewing
from confsync.core.conference import Applied, Conference, Desired, Registration, Replacement
from confsync.core.events import ConferenceData
from confsync.core.owners import owners_of
from confsync.core.projection import fingerprint
from confsync.core.solutions import Claim, claim_in
from confsync.core.state import ConferenceState
from confsync.errors import ProviderBusy, ProviderRejected
from confsync.ports import CreateCall, CreatedConference, Transaction
from confsync.stored_replacement import StoredReplacement


def make_replacement(reserved: StoredReplacement) -> StoredReplacement | None:
    """Return the replacement with its conference made and registered; None when nobody needs it any more.

    Raises:
        ProviderError: as the back end answered; `ProviderBusy` also where the call would leave too late.

    """
    old, state, begun = reserved.old, reserved.replacement.state, reserved.replacement.attempts
    is_needed = not owners_of(old, "live").keys().isdisjoint(reserved.replacement.links)
    if state is None or not (is_needed or reserved.replacement.perhaps_made):
        reserved.cancel(begun)
        return None
    rules = reserved.terms.rules
    open_until = reserved.outside.now() + timedelta(seconds=rules.intent_s)
    if not reserved.change(lambda stored, known: replacing.announced(stored, known, open_until), begun):
        return None
    if reserved.outside.now() > rules.may_leave_until(open_until):
        raise ProviderBusy("the call left too late")
    operation_id = replacing.operation_id(old, reserved.replacement)
    created = reserved.outside.providers[old.provider].create(CreateCall(operation_id, old.conference_id, state))
    _check(created, reserved)
    return _registered(created, state, reserved)


def _check(created: CreatedConference, reserved: StoredReplacement) -> None:
    """An event must not get conference data that nobody would know again as ours."""
    data = ConferenceData.model_validate(created.conference_data)
    made = Claim(provider=reserved.old.provider, conference_id=created.conference_id)
    if claim_in(data, reserved.terms.solutions) != made:
        raise ProviderRejected(
            f"the back end made conference {made.conference_id}, but its conference data (solution "
            f"{data.solution.name!r}) matches no entry of CONFERENCE_SOLUTIONS for {made.provider}: "
            "end it by hand, and correct one of them"
        )


def _registered(
    created: CreatedConference, state: ConferenceState, reserved: StoredReplacement
) -> StoredReplacement | None:
    """Store the new conference as told and vouched for, so that it binds as soon as an event shows it."""
    told = {"conference_id": created.conference_id, "conference_data": json.dumps(created.conference_data)}
    made = reserved.replacement.model_copy(update={**told, "state": None, "due_at": reserved.outside.now()})
    key = Conference.key_for(reserved.old.tenant, reserved.old.provider, created.conference_id)

    def body(tx: Transaction) -> tuple[Conference, Replacement] | None:
        stored, known = tx.get(Conference, reserved.old.key), tx.get(Conference, key)
        if stored is None:
            return None
        if known is None:
            tx.put(_successor(created.conference_id, state, stored, reserved))
        for_all = replacing.with_links_of(stored, made)
        tx.put(replacing.stored(stored, for_all))
        return stored, for_all

    registered = reserved.outside.store.transact(body)
    if registered is None:
        return None
    old, for_all = registered  # a sync may have added events to it while it was made
    return replace(reserved, old=old, replacement=for_all)


def _successor(conference_id: str, state: ConferenceState, old: Conference, reserved: StoredReplacement) -> Conference:
    """Return it vouched for in what its predecessor knows by now: a calendar may have been forgotten meanwhile."""
    now, told = reserved.outside.now(), fingerprint(state)
    events = {key: old.referents[key] for key in reserved.replacement.links if key in old.referents}
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
    rules = reserved.terms.rules
    if not vouched:  # all of them were forgotten with their calendars while it was made
        return reviewing.reviewed(made, now + timedelta(seconds=rules.draft_s))
    return reviewing.registered(made, vouched, rules)
