"""What is left of a conference when the events of a removed calendar are forgotten.

No I/O. It must never decide that a conference ends, nor leave one to an event that nobody reads any more.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from confsync.core.conference import Conference, Referent
from confsync.core.desires import is_pending, keep
from confsync.core.identity import is_same
from confsync.core.judging import draft_time
from confsync.core.owners import was_bound_later, was_owned
from confsync.core.reviewing import reviewed
from confsync.core.rules import Rules


def calendars_of(conference: Conference) -> set[str]:
    """Return the keys of all calendars whose events the conference knows."""
    held = {each.calendar_key for each in conference.referents.values()}
    return held | {each.calendar_key for each in conference.registered.values()}


def without_calendar(conference: Conference, calendar_key: str, now: datetime, rules: Rules) -> Conference | None:
    """Return the conference without the events of a calendar; None when no other event is known of.

    What is left is looked at at once, since another event may have to drive it, or one that moved to that calendar has
    to be looked for. An event that was vouched for and was not seen yet keeps its time to appear.
    """
    if calendar_key not in calendars_of(conference):
        return conference
    known = conference.referents
    left_in = {key: each for key, each in known.items() if each.calendar_key != calendar_key}
    referents = {key: _out_of_sight(each, known, left_in, now) for key, each in left_in.items()}
    registered = {key: each for key, each in conference.registered.items() if each.calendar_key != calendar_key}
    if not referents and not registered:
        return None
    driver = conference.driver if conference.driver in referents else None
    changed = conference.model_copy(update={"referents": referents, "registered": registered, "driver": driver})
    left = _without_unproven_end(changed, now)
    waits = registered and not was_owned(left)
    return reviewed(left, max(now, draft_time(left, rules)) if waits else now)


def _out_of_sight(referent: Referent, known: Mapping[str, Referent], left: Collection[str], now: datetime) -> Referent:
    """An event that moved on is followed past what is forgotten.

    Where that is its last place, nobody knows where it is, unless it was lost there. One that nobody saw leave may be
    here again: it stays until somebody looks.
    """
    place = referent.continues_in or _seen_later_in(referent, known)
    there = known.get(place or "")
    if there is None or place in left:
        return referent
    if there.continues_in in left:
        return referent.model_copy(update={"continues_in": there.continues_in})
    if there.state == "gone":
        return referent
    if referent.state == "live":
        return referent.model_copy(update={"seen_elsewhere": True})
    return referent.model_copy(update={"state": "orphaned", "since": now, "continues_in": None})


def _seen_later_in(referent: Referent, known: Mapping[str, Referent]) -> str | None:
    """Return where else the event was seen last, if that was later than here, and it is not known to be lost there."""
    later = {key: other for key, other in known.items() if _lived_later(other, referent)}
    last = (key for key, one in later.items() if not any(was_bound_later(other, one) for other in later.values()))
    return next(last, None)


def _lived_later(other: Referent, referent: Referent) -> bool:
    """Whether that is the same event, later and in another calendar, not only in another person's view of this one."""
    if (referent.role, other.role) != ("owner", "owner") or other.state == "gone":
        return False
    return other.organizer != referent.organizer and was_bound_later(other, referent) and is_same(referent, other)


def _without_unproven_end(conference: Conference, now: datetime) -> Conference:
    """An end that is not told yet needs an event that lost the conference, to be looked at once more before that.

    One that went on to what is forgotten now was lost there, and may have got the conference back there.
    """
    owners = [known for known in conference.referents.values() if known.role == "owner"]
    is_draft = bool(conference.registered) and not owners
    is_proven = is_draft or (bool(owners) and all(_shows_loss(owner, conference) for owner in owners))
    wanted = conference.desired is not None and conference.desired.ended and is_pending(conference)
    is_to_end = wanted or conference.end_after is not None or conference.brake == "held"
    return (
        keep(conference, "kept: the calendar of its event was removed", now)
        if is_to_end and not is_proven
        else conference
    )


def _shows_loss(owner: Referent, conference: Conference) -> bool:
    """Whether the event lost the conference, and where it was lost can be looked at once more."""
    place = owner.continues_in
    return owner.state == "gone" and (place is None or place in conference.referents)
