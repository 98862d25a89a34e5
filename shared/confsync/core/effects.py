"""One call to a conferencing system, from intent to answer: transitions of the `Conference` record.

    (none) --a--> open --b--> (none)        a  the intent is stored before the request leaves
                   |                        b  a known answer: applied, busy, stale, refused
                   `----c----> open         c  outcome unknown: nobody calls before the deadline,
                                               then the newest state goes out under a new generation

Each transition runs inside one transaction. A late answer to an intent that is no longer stored changes nothing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from confsync.core import replacing
from confsync.core.capabilities import Capabilities
from confsync.core.conference import UNKNOWN, Applied, Conference, Desired, Intent, Verb
from confsync.core.desires import is_pending, next_generation, timed, without_difference, without_end
from confsync.core.history import with_note
from confsync.core.owners import owners_of
from confsync.core.records import key_of
from confsync.core.rules import Rules


def has_open_intent(conference: Conference, now: datetime) -> bool:
    """Whether a call may be under way, or may still land."""
    return conference.intent is not None and conference.intent.deadline > now


def open_intent(conference: Conference, now: datetime, rules: Rules) -> Conference:
    """Return the conference with a call announced (arrow a); the caller saw that it is pending and none is open.

    An intent whose deadline has passed had an unknown outcome: the state goes out as a new generation, and until an
    answer comes nobody knows what the back end holds.
    """
    desired, told = _desired(conference), conference.applied
    if conference.intent is not None:
        desired = desired.model_copy(update={"generation": next_generation(conference)})
        told = told.model_copy(update={"fingerprint": UNKNOWN}) if told else None
    deadline = now + timedelta(seconds=rules.intent_s)
    verb: Verb = "end" if desired.ended else "update"
    intent = Intent(generation=desired.generation, verb=verb, deadline=deadline, field_hashes=desired.field_hashes)
    announced = {"desired": desired, "applied": told, "intent": intent, "call_at": deadline}
    return timed(conference.model_copy(update=announced))


def may_be_told(conference: Conference, now: datetime) -> bool:
    """Whether something is to be told, and a call may leave now."""
    waits = conference.call_at is not None and conference.call_at > now
    return is_pending(conference) and not waits and not has_open_intent(conference, now)


def first_to_tell(conferences: Iterable[Conference], now: datetime) -> Conference | None:
    """Return the first that may simply be updated now: no end is decided, and no review is due before."""
    return next((each for each in conferences if may_be_told(each, now) and _is_plain(each, now)), None)


def _is_plain(conference: Conference, now: datetime) -> bool:
    is_due = conference.review_at is not None and conference.review_at <= now
    return conference.end_after is None and not _desired(conference).ended and not is_due


def _desired(conference: Conference) -> Desired:
    if conference.desired is None:
        raise ValueError(f"conference {conference.key} has nothing to apply")
    return conference.desired


def operation_id(conference_key: str, intent: Intent) -> str:
    """Return the id that every attempt at this call carries."""
    return "op_" + key_of("operation", conference_key, str(intent.generation), intent.verb)


def is_answer_to(conference: Conference, intent: Intent) -> bool:
    """Whether this very intent is still the one that is stored."""
    return conference.intent is not None and conference.intent.generation == intent.generation


def without_expired(conference: Conference) -> Conference:
    """Return the conference without a call whose outcome nobody waits for: what it was for is not wanted any more."""
    return timed(_closed(conference).model_copy(update={"call_at": None}))


def applied(conference: Conference, intent: Intent, fingerprint: str, now: datetime) -> Conference:
    """Return the conference with the call confirmed; what it was told need not be kept any longer."""
    told = Applied(generation=intent.generation, fingerprint=fingerprint, field_hashes=intent.field_hashes, at=now)
    closed = _closed(conference).model_copy(update={"applied": told, "adopted": False, "attempts": 0})
    noted = with_note(closed, f"{intent.verb} applied (generation {intent.generation})", now, "done")
    done = without_difference(noted)
    if is_pending(done):
        return timed(done.model_copy(update={"call_at": now}))
    return _without_state(done)


def busy(conference: Conference, retry_at: datetime, error: str) -> Conference:
    """Return the conference with the call known not to be applied; nothing is sent before `retry_at`.

    Nor then, where an end that is wanted by now is held: an operator says when.
    """
    call_at = retry_at if is_pending(conference) else None
    waiting = {"call_at": call_at, "wait_until": retry_at, "attempts": conference.attempts + 1, "last_error": error}
    return without_difference(timed(_closed(conference).model_copy(update=waiting)))


def unknown(conference: Conference, retry_at: datetime, error: str, now: datetime) -> Conference:
    """Return the conference with the intent left open until `retry_at` (arrow c)."""
    intent = conference.intent.model_copy(update={"deadline": retry_at}) if conference.intent else None
    waiting = {"intent": intent, "call_at": retry_at, "attempts": conference.attempts + 1, "last_error": error}
    left_open = timed(conference.model_copy(update=waiting))
    what = f"outcome of {intent.verb} unknown (generation {intent.generation})" if intent else "outcome unknown"
    return with_note(left_open, what, now, "done")


def stale(conference: Conference, stored_generation: int, now: datetime, rules: Rules) -> Conference:
    """Return the conference with its generation raised above the back end's: sent at once, then ever more slowly.

    The back end holds something that we did not tell it. What is not wanted any more is not sent.
    """
    if not is_pending(conference):
        return without_difference(with_note(_closed(conference), "told stale: nothing is left to tell", now, "done"))
    pause_s = rules.backoff_s(conference.attempts) if conference.attempts else 0
    at, attempts = now + timedelta(seconds=pause_s), conference.attempts + 1
    generation = max(next_generation(conference), stored_generation + 1)
    desired = _desired(conference).model_copy(update={"generation": generation})
    held = Applied(generation=stored_generation, fingerprint=UNKNOWN)
    raised = _closed(conference).model_copy(
        update={"desired": desired, "applied": held, "call_at": at, "wait_until": at, "attempts": attempts}
    )
    why = f"told stale: the back end held generation {stored_generation}; raised to {generation}"
    return with_note(timed(raised), why, now, "done")


def refused(conference: Conference, intent: Intent, error: str, now: datetime) -> Conference:
    """Return the conference with this generation given up; a newer state will be sent again."""
    closed = _closed(conference).model_copy(update={"refused": intent.generation, "last_error": error})
    why = f"{intent.verb} refused for good (generation {intent.generation})"
    noted = without_difference(with_note(closed, why, now, "done"))
    return timed(noted.model_copy(update={"call_at": now})) if is_pending(noted) else _without_state(noted)


def given_up(
    conference: Conference, intent: Intent, capabilities: Capabilities, error: str, now: datetime
) -> Conference:
    """Return the conference as one that can never come back, with a successor reserved for the events that hold it."""
    refused = _desired(conference).generation  # also what was wanted since the call left
    closed = _closed(conference).model_copy(update={"refused": refused, "last_error": error})
    noted = with_note(closed, f"generation {intent.generation}: the back end says that it ended for good", now, "done")
    owners, state = owners_of(conference, "live"), _desired(conference).state
    if not owners or state is None:
        gone = noted.model_copy(update={"gone": True})
        return _without_state(without_end(gone))  # there is none to end
    return _without_state(replacing.succeed(noted, owners, state, capabilities, now))


def _closed(conference: Conference) -> Conference:
    return conference.model_copy(update={"intent": None, "last_error": "", "wait_until": None})


def _without_state(conference: Conference) -> Conference:
    """Titles and attendees are forgotten once they are told; an end that waits stays due."""
    desired = _desired(conference).model_copy(update={"state": None})
    return timed(conference.model_copy(update={"desired": desired, "call_at": None}))
