"""Which events own a conference: claims that become owners, owners that moved, owners of the past.

An event that moved stands in the former calendar and in the new one for a while; it must never count twice, nor be lost
between the two. No I/O.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from confsync.core.binding import is_free, is_vouched_for
from confsync.core.conference import Conference, Referent
from confsync.core.driving import over_at
from confsync.core.identity import is_same, may_be_same, person_key
from confsync.core.records import EventRef
from confsync.core.rules import Claims
from confsync.core.sight import Reading, Seen, Sight

PAST_OWNERS = 10
"""Owners that are over or gone, and are remembered beside those that are not."""


def owners_of(conference: Conference, state: str) -> dict[str, Referent]:
    """Return the owners that are in a state, by link key."""
    return {k: r for k, r in conference.referents.items() if r.role == "owner" and r.state == state}


def new_owners(before: Conference, after: Conference) -> list[EventRef]:
    """Return the events that own the conference only since a change, and live."""
    known = owners_of(before, "live")
    return [owner.ref for key, owner in owners_of(after, "live").items() if key not in known]


def was_owned(conference: Conference) -> bool:
    """Whether any event ever owned the conference; a claim or two say nothing of that."""
    return any(referent.role == "owner" for referent in conference.referents.values())


def is_deserted(conference: Conference) -> bool:
    """Whether every event that ever held the conference is gone."""
    return bool(conference.referents) and all(known.state == "gone" for known in conference.referents.values())


def promote_claims(conference: Conference, claims: Claims) -> Conference:
    """Let claims become owners before anyone says that no owner is left, in whatever order they were seen.

    That is a claim in a calendar whose events may own it, one that may be an owner that was lost or certainly is one
    that lives elsewhere, or (policy `matching`) any when nobody else holds the conference. One that becomes an owner
    speaks for others at once: whoever would own a moment later is not to be taken for a claim until then.
    """
    found = _with_next_owners(conference, claims)
    return found if found is conference else promote_claims(found, claims)


def _with_next_owners(conference: Conference, claims: Claims) -> Conference:
    """Return the conference with those claims as owners that its owners, or the add-on, speak for by now."""
    waiting = {k: r for k, r in conference.referents.items() if (r.role, r.state) == ("claimed", "live")}
    if not waiting:
        return conference
    owners = [referent for referent in conference.referents.values() if referent.role == "owner"]
    free = is_free(conference, claims)
    promoted = {
        key: referent.model_copy(update={"role": "owner"})
        for key, referent in waiting.items()
        if free
        or is_vouched_for(conference, referent.calendar_key, referent.organizer)
        or any(_stands_for(referent, owner) for owner in owners)
    }
    return _referring(conference, {**conference.referents, **promoted})


def _stands_for(claim: Referent, owner: Referent) -> bool:
    return is_same(owner, claim) if owner.state == "live" else may_be_same(owner, claim)


def without_moved(conference: Conference, sight: Sight, now: datetime) -> Conference:
    """An event that moved is in sight again where a live owner is the same event: it counts only there."""
    known = conference.referents
    left = {key: home for key, home in _homes(conference).items() if _went_on(known[key], known[home], sight)}
    return _continuing(conference, left, now)


def without_lost(conference: Conference, now: datetime) -> Conference:
    """An event that moved out of sight is gone where its newer copy was lost in another calendar: that one counts."""
    known = conference.referents
    lost = {key: owner for key, owner in owners_of(conference, "gone").items() if _is_lost_where_it_went(owner, known)}
    left = {
        key: other
        for key, orphan in owners_of(conference, "orphaned").items()
        for other, home in lost.items()
        if _was_followed_to(orphan, home, conference.tenant)
    }
    return _continuing(conference, left, now)


def _is_lost_where_it_went(owner: Referent, known: Mapping[str, Referent]) -> bool:
    """Whether the last place to which the event was followed lost it."""
    last: Referent | None = owner
    for _ in known:
        if last is not None and last.continues_in is not None:
            last = known.get(last.continues_in)
    return last is not None and last.state == "gone"


def _was_followed_to(orphan: Referent, home: Referent, tenant: str) -> bool:
    """Whether the event was met as an owner where it went after it was met here, and did not come back since."""
    if orphan.moved_to is not None and person_key(orphan.moved_to, tenant) != home.organizer:
        return False
    return home.calendar_key != orphan.calendar_key and was_bound_later(home, orphan) and is_same(orphan, home)


def _continuing(conference: Conference, homes: dict[str, str], now: datetime) -> Conference:
    """Return the conference with these owners gone, each of which goes on under another link key."""
    left = {
        key: conference.referents[key].model_copy(update={"state": "gone", "since": now, "continues_in": home})
        for key, home in homes.items()
    }
    return _referring(conference, {**conference.referents, **left}) if left else conference


def unread_former_places(conference: Conference, sight: Sight) -> tuple[Reading, ...]:
    """Return the places of an event that a newer copy showed elsewhere: only a look says whether it left them."""
    known = conference.referents
    former = (_former_place(known[key], known[home]) for key, home in _homes(conference).items())
    return tuple(Reading(place.ref) for place in former if place is not None and place.ref not in sight)


def _former_place(owner: Referent, home: Referent) -> Referent | None:
    """Return the one of two places of an event that is recorded as live, though it is older than the other."""
    if owner.state == "live":
        return owner
    return home if was_bound_later(owner, home) else None


def _went_on(owner: Referent, home: Referent, sight: Sight) -> bool:
    """Whether the event left an owner for its home: whoever moved out of sight may have come back to an older place."""
    seen = sight.get(home.ref if owner.state == "orphaned" else owner.ref)
    if owner.state == "orphaned":
        return _former_place(owner, home) is None or (seen is not None and _is_at_home(seen))
    return seen is None or not (seen.says_nothing or _is_at_home(seen))


def _is_at_home(seen: Seen) -> bool:
    """Whether a calendar shows the organizer's copy of the event."""
    return seen.event is not None and seen.event.is_organizers_copy and not seen.event.is_cancelled


def _homes(conference: Conference) -> dict[str, str]:
    """Return, by the link key of an owner that may have moved, the link key of the owner that is the same event."""
    live = owners_of(conference, "live")
    if len(live) + len(owners_of(conference, "orphaned")) < 2:
        return {}
    owners = {key: owner for key, owner in conference.referents.items() if owner.role == "owner"}
    found = {
        key: {other: home for other, home in live.items() if _may_have_moved_to(owner, home)}
        for key, owner in owners.items()
        if owner.state != "gone"
    }
    return {key: _newest(homes) for key, homes in found.items() if homes}


def _newest(homes: Mapping[str, Referent]) -> str:
    """Return the key of the one that was bound last."""
    return max(homes, key=lambda key: homes[key].bound_at or datetime.min.replace(tzinfo=UTC))


def _may_have_moved_to(owner: Referent, home: Referent) -> bool:
    """Of two live copies of one event in two calendars, the one that changed last is the organizer's."""
    if owner.calendar_key == home.calendar_key:
        return False
    if owner.state == "orphaned":
        return may_be_same(owner, home)
    return was_bound_later(home, owner) and is_same(owner, home)


def was_bound_later(one: Referent, other: Referent) -> bool:
    """Whether the event had changed since the other was bound, when it was bound itself; False where nobody knows."""
    return one.bound_at is not None and other.bound_at is not None and one.bound_at > other.bound_at


def without_past(conference: Conference, now: datetime) -> Conference:
    """Forget the owners that are gone or over, but the newest few: a conference is one record, and must not grow.

    One that is out of sight may hold it still.
    """
    owners = {key: r for key, r in conference.referents.items() if r.role == "owner"}
    past = sorted((over_at(r), key) for key, r in owners.items() if r.state == "gone" or over_at(r) <= now)
    is_held = any(r.state == "live" and over_at(r) > now for r in owners.values())
    forgotten = {key for _, key in past[:-PAST_OWNERS]} if is_held else set()
    kept = {key: r for key, r in conference.referents.items() if key not in forgotten}
    return _referring(conference, kept)


def _referring(conference: Conference, referents: dict[str, Referent]) -> Conference:
    """Return the conference with these referents; itself when they are the same, since copies are half of a plan."""
    same = referents == conference.referents
    return conference if same else conference.model_copy(update={"referents": referents})
