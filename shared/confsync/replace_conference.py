"""Give events another conference: where theirs cannot come back, or where a duplicate is to have its own.

    reserved -> made and registered (`make_replacement`) -> written into each event that still names the old one
    (`relink_event`)

It must never ask for what a record says is not due, or repeat what the back end refused for good.
"""

from datetime import timedelta

from confsync.call_back_end import not_configured
from confsync.core import replacing
from confsync.core.conference import Conference
from confsync.core.records import Failure, key_of
from confsync.core.terms import Terms
from confsync.errors import OutcomeUnknown, ProviderBusy, ProviderError, ProviderRefusesUs
from confsync.make_replacement import make_replacement
from confsync.ports import Outside, Transaction
from confsync.relink_event import relink_event
from confsync.stored_replacement import StoredReplacement


def replace_conference(conference_key: str, outside: Outside, terms: Terms) -> str:
    """Go on with each replacement that is due; return why an operator has to act, empty where nobody has to."""
    conference = outside.store.get(Conference, conference_key)
    if conference is None:
        return ""
    due = [each for each in conference.replacements if each.due_at is not None and each.due_at <= outside.now()]
    if due and (reason := not_configured(conference, outside)):
        _pause(conference, outside, terms)
        return reason
    return "; ".join(filter(None, [_go_on(StoredReplacement(conference, each, outside, terms)) for each in due]))


def _pause(conference: Conference, outside: Outside, terms: Terms) -> None:
    """Nobody can be asked: what is due again and again must not keep others waiting."""
    until = outside.now() + timedelta(seconds=terms.rules.refused_pause_s)

    def body(tx: Transaction) -> None:
        stored = tx.get(Conference, conference.key)
        if stored is not None:
            tx.put(replacing.paused(stored, until))

    outside.store.transact(body)


def _go_on(due: StoredReplacement) -> str:
    """Go as far as possible now, the record says when to go on; return why an operator has to act, if so."""
    try:
        made = due if due.replacement.conference_id is not None else make_replacement(due)
    except ProviderError as error:
        return _not_made(error, due)
    if made is None:
        return ""
    wait_s = max((relink_event(link_key, made) for link_key in made.replacement.links), default=0.0)
    if wait_s:
        made.go_on_in(timedelta(seconds=wait_s))
    else:
        made.finish()
    return ""


def _not_made(error: ProviderError, due: StoredReplacement) -> str:
    """Say when the same operation goes out again, if ever; return why an operator has to act, if so."""
    rules, reserved = due.terms.rules, due.replacement
    known_before, begun = reserved.perhaps_made, reserved.attempts + 1
    backoff = timedelta(seconds=rules.backoff_s(reserved.attempts))
    match error:
        case ProviderBusy():
            wait = timedelta(seconds=error.retry_after_s) if error.retry_after_s else backoff
            due.go_on_in(wait, begun, perhaps_made=known_before)
            return ""
        case OutcomeUnknown():
            due.go_on_in(max(backoff, timedelta(seconds=rules.intent_s)), begun)
            return ""
        case ProviderRefusesUs():
            due.go_on_in(timedelta(seconds=rules.refused_pause_s), begun, perhaps_made=known_before)
        case _:
            _give_up(str(error), begun, due)
    return str(error)


def _give_up(reason: str, begun: int, due: StoredReplacement) -> None:
    """Leave the events as they are, and keep a failure for an operator."""
    old, now = due.old, due.outside.now()
    if due.replacement.perhaps_made:
        operation = replacing.operation_id(old, due.replacement)
        reason += f"; an earlier attempt was not answered: end what operation {operation} made, if it made any"
    key = key_of("failure", old.key, "replacement", str(due.replacement.number))
    failure = Failure(key=key, tenant=old.tenant, conference_key=old.key, reason=reason, first_at=now, last_at=now)
    due.give_up(begun, failure)
