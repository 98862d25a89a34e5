"""What a conference should be, and when something has to be done about it: transitions of the `Conference` record.

`judging` decides, `effects` tells the back end; both record what follows through these. No I/O. It must never let a
generation fall.
"""

from datetime import datetime, timedelta

from confsync.core.conference import UNKNOWN, Applied, Conference, Desired
from confsync.core.history import field_hashes, note_held, note_wanted, with_note


def desire(conference: Conference, wanted: Desired, now: datetime) -> Conference:
    """Record a new desired state under a new generation; none where nothing differs (rule R12)."""
    desired, applied = conference.desired, conference.applied
    if desired is None and applied is None and not conference.registered:
        return _adopted(conference, wanted, now)
    if desired is not None and desired.fingerprint == wanted.fingerprint:
        return conference
    if applied is not None and conference.intent is None and applied.fingerprint == wanted.fingerprint:
        return _as_applied(conference, applied)
    hashes = field_hashes(wanted.state, conference.key)
    marks = {"generation": next_generation(conference), "field_hashes": hashes, "since": _since(conference, now)}
    new = wanted.model_copy(update=marks)
    update = {"desired": new, "call_at": _call_time(conference, now)}
    changed = timed(conference.model_copy(update=update))
    return note_wanted(changed, desired, now)


def _since(conference: Conference, now: datetime) -> datetime:
    """What waits to be told, and changes once more, has waited since the first change."""
    return (conference.desired.since if conference.desired and is_pending(conference) else None) or now


def _adopted(conference: Conference, found: Desired, now: datetime) -> Conference:
    """A conference that nobody registered is recorded as its event shows it, and told only what changes after that."""
    hashes = field_hashes(found.state, conference.key)
    known = Applied(generation=1, fingerprint=found.fingerprint, field_hashes=hashes, at=now)
    unchanged = Desired(generation=1, fingerprint=found.fingerprint, field_hashes=hashes)
    adopted = conference.model_copy(update={"desired": unchanged, "applied": known, "adopted": True})
    return with_note(adopted, "adopted as its event shows it: nothing to tell", now)


def _as_applied(conference: Conference, applied: Applied) -> Conference:
    """Nothing is left to tell; the generation stays where it is, since it never falls."""
    generation = next_generation(conference) - 1
    unchanged = Desired(generation=generation, fingerprint=applied.fingerprint, field_hashes=applied.field_hashes)
    known = applied.model_copy(update={"generation": generation})
    return timed(conference.model_copy(update={"desired": unchanged, "applied": known, "call_at": None}))


def without_difference(conference: Conference) -> Conference:
    """Return the conference with nothing to tell where its back end is known to hold what is wanted (rule R12).

    The caller has just closed a call. What was wanted while that was under way may be what the back end held before,
    or what it was told just now; or the call was for what is not wanted any more.
    """
    wanted, told = conference.desired, conference.applied
    if wanted is None or told is None or told.fingerprint != wanted.fingerprint:
        return conference
    return _as_applied(conference, told)


def _call_time(conference: Conference, now: datetime) -> datetime:
    """A call under way is waited for, and so is the time that the back end asked for."""
    asked = [conference.intent.deadline if conference.intent else now, conference.wait_until or now]
    return max(now, *asked)


def next_generation(conference: Conference) -> int:
    """Return a generation above all that were ever used for this conference."""
    used = [part.generation for part in (conference.desired, conference.applied, conference.intent) if part]
    return max(used, default=0) + 1


def desire_end(conference: Conference, now: datetime) -> Conference:
    """Return the conference with its end wanted; the caller has just confirmed that every referent is gone."""
    due = without_end(conference).model_copy(update={"brake": conference.brake})  # what an operator approved stays so
    return desire(due, Desired(generation=0, fingerprint="ended"), now)


def schedule_end(conference: Conference, grace_s: float, why: str, now: datetime) -> Conference:
    """Return the conference with its end decided now, and its grace period begun."""
    return postpone_end(conference.model_copy(update={"decided_at": now}), grace_s, why, now)


def postpone_end(conference: Conference, wait_s: float, why: str, now: datetime) -> Conference:
    """Return the conference with its end not before `wait_s` from now; an update that waits still comes first."""
    end_after = now + timedelta(seconds=wait_s)
    return with_note(timed(conference.model_copy(update={"end_after": end_after})), why, now)


def keep(conference: Conference, why: str, now: datetime) -> Conference:
    """Return the conference without the end that was decided; an operator's refusal of it stands."""
    brake = "rejected" if conference.brake == "rejected" else "none"
    return with_note(without_wanted_end(without_end(conference)).model_copy(update={"brake": brake}), why, now)


def without_wanted_end(conference: Conference) -> Conference:
    """Take back an end that is wanted but not known to be told."""
    is_wanted = conference.desired is not None and conference.desired.ended and is_pending(conference)
    return as_told(conference) if is_wanted else conference


def as_told(conference: Conference) -> Conference:
    """Return the conference wanted as it was told last; what nobody knows is told anew with the next state.

    The generation stays where it is, since it never falls.
    """
    known = conference.applied or Applied(generation=0, fingerprint=UNKNOWN)
    mark = UNKNOWN if conference.intent else known.fingerprint
    generation = next_generation(conference) - 1
    told = known.model_copy(update={"generation": generation, "fingerprint": mark})
    wanted = Desired(generation=generation, fingerprint=mark, field_hashes=told.field_hashes)
    call_at = conference.intent.deadline if conference.intent else None
    return timed(conference.model_copy(update={"desired": wanted, "applied": told, "call_at": call_at}))


def cancel_end(conference: Conference, event_id: str, now: datetime) -> Conference:
    """Return the conference without the end that was decided, since an event holds it after all."""
    freed, was_decided = without_end(conference), conference.end_after is not None or conference.brake == "held"
    return note_held(freed, event_id, now) if was_decided else freed


def without_end(conference: Conference) -> Conference:
    """Cancel a decided end that nobody carried out yet, and what the brake and an operator said of it."""
    if conference.end_after is None and conference.brake == "none":
        return conference
    return timed(conference.model_copy(update={"end_after": None, "brake": "none", "hold": None}))


def timed(conference: Conference) -> Conference:
    """Return the conference with `due_at` the earliest time at which something has to be done."""
    waits = (conference.call_at, conference.end_after, conference.review_at)
    replacements = (replacement.due_at for replacement in conference.replacements)
    due_at = min((at for at in (*waits, *replacements) if at is not None), default=None)
    return conference if due_at == conference.due_at else conference.model_copy(update={"due_at": due_at})


def is_pending(conference: Conference) -> bool:
    """Whether the desired state still has to reach the back end; an end that the brake holds has to wait."""
    if conference.gone or (conference.brake == "held" and conference.desired is not None and conference.desired.ended):
        return False
    told = max(conference.applied.generation if conference.applied else 0, conference.refused)
    return conference.desired is not None and conference.desired.generation > told
