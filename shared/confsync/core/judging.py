"""What a conference should be, given the events that refer to it: which one drives, and whether it may end.

Several events may hold one conference: the parts of a split series, duplicates, a copy in another calendar. It ends
only when no owner is left, none moved out of sight, and it has not been held already. No I/O.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from confsync.core.capabilities import Capabilities
from confsync.core.projection import clamped, fingerprint, project
from confsync.core.records import Applied, Conference, Desired, Note, Referent
from confsync.core.recurrence import last_end, next_start
from confsync.core.rules import Rules
from confsync.core.sight import EventRef, Reading, Seen, Sight

HISTORY_LENGTH = 20
PAST_OWNERS = 10


@dataclass(frozen=True)
class Judgement:
    """A conference as it should be recorded, or what has to be read before that can be said."""

    conference: Conference
    reading: Reading | None = None


def judge(conference: Conference, sight: Sight, capabilities: Capabilities, now: datetime, rules: Rules) -> Judgement:
    """Return what the conference should be now that its referents are up to date."""
    conference = _without_found_again(promote_claims(conference))
    owners = _owners(conference, "live")
    if owners:
        conference = _without_past(conference, now)
        return _follow_driver(conference, _driver_of(owners, now), sight, capabilities, now)
    if _owners(conference, "orphaned"):
        return Judgement(keep(conference, "kept: its event moved out of sight", now))
    gone = _owners(conference, "gone")
    if not gone or (conference.desired is not None and conference.desired.ended):
        return Judgement(conference)
    if was_held(conference, now):
        return Judgement(keep(conference, "kept: it was held already", now))
    return Judgement(_begin_grace(conference, now, rules))


def was_held(conference: Conference, now: datetime) -> bool:
    """Whether the last of its events is over: what was held is kept, with its reports and recordings."""
    owners = [referent for referent in conference.referents.values() if referent.role == "owner"]
    return all(last_end(referent.times) <= now for referent in owners)


def promote_claims(conference: Conference) -> Conference:
    """Let claims become owners before anyone says that no owner is left, in whatever order they were seen.

    That is a claim in the calendar of an owner, or one with the iCalUID of an owner that was lost.
    """
    owners = [referent for referent in conference.referents.values() if referent.role == "owner"]
    calendars = {owner.calendar_key for owner in owners}
    lost = {owner.ical_uid for owner in owners if owner.state != "live" and owner.ical_uid is not None}
    promoted = {
        key: referent.model_copy(update={"role": "owner"})
        for key, referent in conference.referents.items()
        if referent.role == "claimed"
        and referent.state == "live"
        and (referent.calendar_key in calendars or referent.ical_uid in lost)
    }
    return _referring(conference, {**conference.referents, **promoted})


def _without_found_again(conference: Conference) -> Conference:
    """An event that moved out of sight is in sight again once a live owner has its iCalUID: it counts only there."""
    live = {owner.ical_uid for owner in _owners(conference, "live").values() if owner.ical_uid is not None}
    found = {
        key: owner.model_copy(update={"state": "gone"})
        for key, owner in _owners(conference, "orphaned").items()
        if owner.ical_uid in live
    }
    return _referring(conference, {**conference.referents, **found})


def _without_past(conference: Conference, now: datetime) -> Conference:
    """Forget the owners that are gone or over, but the newest few: a conference is one record, and must not grow."""
    owners = [(last_end(r.times), key) for key, r in conference.referents.items() if r.role == "owner"]
    current = {key for key, r in _owners(conference, "live").items() if last_end(r.times) > now}
    past = sorted((end, key) for end, key in owners if key not in current)
    forgotten = {key for _, key in past[:-PAST_OWNERS]} if current else set()
    kept = {key: r for key, r in conference.referents.items() if key not in forgotten}
    return _referring(conference, kept)


def _referring(conference: Conference, referents: dict[str, Referent]) -> Conference:
    """Return the conference with these referents; itself when they are the same, since copies are half of a plan."""
    same = referents == conference.referents
    return conference if same else conference.model_copy(update={"referents": referents})


def _owners(conference: Conference, state: str) -> dict[str, Referent]:
    return {k: r for k, r in conference.referents.items() if r.role == "owner" and r.state == state}


def _driver_of(owners: dict[str, Referent], now: datetime) -> str:
    """The owner with the earliest next occurrence, else the one that ended last; by key where they are equal."""
    if len(owners) == 1:
        return next(iter(owners))
    upcoming = {key: start for key in owners if (start := next_start(owners[key].times, now)) is not None}
    if upcoming:
        return min(upcoming, key=lambda key: (upcoming[key], key))
    return max(owners, key=lambda key: (last_end(owners[key].times), key))


def _follow_driver(
    conference: Conference, driver: str, sight: Sight, capabilities: Capabilities, now: datetime
) -> Judgement:
    referent = conference.referents[driver]
    ref = EventRef(referent.calendar_key, referent.event_id)
    seen = sight.get(ref)
    conference = _without_end(conference)
    if last_end(referent.times) <= now:
        return Judgement(conference.model_copy(update={"driver": driver}))
    if seen is None:
        undecided = conference.driver != driver or conference.desired is None or conference.desired.ended
        return Judgement(conference, Reading(ref) if undecided else None)
    if seen.event is None or seen.event.is_cancelled or not seen.event.is_organizers_copy:
        return Judgement(conference.model_copy(update={"driver": driver}))  # whoever drives after it is read anew
    if _needs_whole_series(seen, capabilities) and seen.exceptions is None:
        return Judgement(conference, Reading(ref, seen.event.ical_uid))
    state = clamped(project(seen.event, seen.exceptions or (), capabilities.carries), capabilities)
    following = conference.model_copy(update={"driver": driver})
    return Judgement(_desire(following, Desired(generation=0, fingerprint=fingerprint(state), state=state), now))


def _needs_whole_series(seen: Seen, capabilities: Capabilities) -> bool:
    """A master read alone says nothing of its exceptions."""
    recurring = seen.event is not None and bool(seen.event.recurrence) and seen.event.ical_uid is not None
    return recurring and seen.confirmed and "occurrences" in capabilities.carries


def _desire(conference: Conference, wanted: Desired, now: datetime) -> Conference:
    """Record a new desired state under a new generation; none where nothing differs (rule R12)."""
    desired, applied = conference.desired, conference.applied
    if desired is not None and desired.fingerprint == wanted.fingerprint:
        return conference
    if applied is not None and conference.intent is None and applied.fingerprint == wanted.fingerprint:
        return _as_applied(conference, applied)
    new = wanted.model_copy(update={"generation": next_generation(conference)})
    changed = timed(conference.model_copy(update={"desired": new, "call_at": _call_time(conference, now)}))
    return with_note(changed, f"generation {new.generation}: {'end' if new.ended else 'state'} wanted", now)


def _as_applied(conference: Conference, applied: Applied) -> Conference:
    """Nothing is left to tell; the generation stays where it is, since it never falls."""
    generation = next_generation(conference) - 1
    unchanged = Desired(generation=generation, fingerprint=applied.fingerprint)
    known = applied.model_copy(update={"generation": generation})
    return timed(conference.model_copy(update={"desired": unchanged, "applied": known, "call_at": None}))


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
    return _desire(_without_end(conference), Desired(generation=0, fingerprint="ended"), now)


def _begin_grace(conference: Conference, now: datetime, rules: Rules) -> Conference:
    if conference.end_after is not None:
        return conference
    return postpone_end(conference, rules.grace_s, "no owner left: grace", now)


def postpone_end(conference: Conference, wait_s: float, why: str, now: datetime) -> Conference:
    """Return the conference with its end not before `wait_s` from now; an update that waits still comes first."""
    end_after = now + timedelta(seconds=wait_s)
    return with_note(timed(conference.model_copy(update={"end_after": end_after})), why, now)


def keep(conference: Conference, why: str, now: datetime) -> Conference:
    """Return the conference without the end that was decided."""
    return with_note(_without_end(conference), why, now)


def _without_end(conference: Conference) -> Conference:
    """Cancel a decided end that nobody carried out yet."""
    if conference.end_after is None:
        return conference
    return timed(conference.model_copy(update={"end_after": None}))


def timed(conference: Conference) -> Conference:
    """Return the conference with `due_at` the earliest time at which something has to be done."""
    waits = (conference.call_at, conference.end_after, conference.review_at)
    replacements = (replacement.due_at for replacement in conference.replacements.values())
    due_at = min((at for at in (*waits, *replacements) if at is not None), default=None)
    return conference if due_at == conference.due_at else conference.model_copy(update={"due_at": due_at})


def is_pending(conference: Conference) -> bool:
    """Whether the desired state still has to reach the back end."""
    told = max(conference.applied.generation if conference.applied else 0, conference.refused)
    return conference.desired is not None and conference.desired.generation > told


def with_note(conference: Conference, what: str, now: datetime) -> Conference:
    """Return the conference with one more line of history; a repeated line is kept once."""
    if conference.history and conference.history[-1].what == what:
        return conference
    history = (*conference.history, Note(at=now, what=what))[-HISTORY_LENGTH:]
    return conference.model_copy(update={"history": history})
