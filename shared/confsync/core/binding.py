"""What one event means for the one conference it is tied to: rows of the scenario table, top to bottom.

Nothing here decides about a conference as a whole; `judging` does. No I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from confsync.core.conference import Conference, Referent, Role
from confsync.core.events import Event
from confsync.core.identity import is_same, may_be_same, organizer_key
from confsync.core.projection import times_of
from confsync.core.records import EventRef, Link
from confsync.core.rules import Claims
from confsync.core.sight import Seen

Verdict = Literal["ignore", "confirm", "bind", "gone", "orphaned"]
"""What an event says: nothing; read it again first; it has this conference; it has it no more; it moved away."""


@dataclass(frozen=True)
class Tie:
    """What is recorded of one event."""

    link: Link | None
    referent: Referent | None
    """As the link's conference holds it."""
    continuation: Referent | None = None
    """Where the event went on from here, as far as was known, unless it is gone from there too."""

    @property
    def is_live_owner(self) -> bool:
        """Whether the conference hangs on this event."""
        return self.referent is not None and self.referent.role == "owner" and self.referent.state == "live"

    def shows_return(self, event: Event) -> bool:
        """Whether the event, as it is shown here, came back from where it had gone on."""
        away = self.continuation
        return away is not None and _is_newer(event, away)

    @property
    def was_lost(self) -> bool:
        """Whether the event owned the conference and was lost for good, as far as was known."""
        lost = self.referent is not None and (self.referent.role, self.referent.state) == ("owner", "gone")
        return lost and self.referent is not None and self.referent.continues_in is None


def verdict(seen: Seen, tie: Tie, claimed_key: str | None) -> Verdict:  # noqa: PLR0911 - one row of the table each
    """Return what the event says, judged by what is recorded of it.

    Args:
        claimed_key: key of the conference of ours that the event names; None when it names none.

    """
    event = seen.event
    if seen.says_nothing:
        return "ignore"
    if event is None:
        return _unknown_to_calendar(seen, tie)
    if tie.link is not None and is_older(event, tie.link):
        return "ignore"
    if tie.link is not None and event.updated is None and not seen.confirmed:
        return "confirm"
    if event.is_cancelled:
        return _lost_here(event, seen, tie) if is_deleted_here(event) else _moved_away(event, seen, tie)
    if not (seen.as_writer and event.is_readable):
        return "ignore"
    if not event.is_organizers_copy:
        return _moved_away(event, seen, tie)
    if claimed_key is None:
        return _without_conference(event, seen, tie)
    return _with_conference(seen, tie, claimed_key)


def is_older(event: Event, known: Link | Event) -> bool:
    """Whether more is known already than this event shows: observations never go backwards (rule R13).

    A tombstone may show when the event changed last, and no sequence.
    """
    if event.updated is None or known.updated is None:
        return False
    if event.is_cancelled and not event.sequence:
        return event.updated < known.updated
    return (event.updated, event.sequence) < (known.updated, known.sequence)


def _unknown_to_calendar(seen: Seen, tie: Tie) -> Verdict:
    """Only a complete listing without it makes a live event gone; one that moved away stays moved."""
    if tie.referent is None or tie.referent.state != "live" or not seen.confirmed:
        return "ignore"
    is_missing = seen.missing_from_list and not tie.referent.seen_elsewhere
    return "gone" if is_missing or tie.referent.role == "claimed" else "orphaned"


def _moved_away(event: Event, seen: Seen, tie: Tie) -> Verdict:
    """Where another organizes what was lost here, it may have got the conference back before anybody looked."""
    has_another_organizer = event.organizer is not None and not event.organizer.is_self
    if has_another_organizer and tie.was_lost:
        return "orphaned" if seen.confirmed else "confirm"
    return _confirmed(seen, tie, "orphaned")


def is_deleted_here(event: Event) -> bool:
    """Whether the event is a tombstone that proves a deletion: it still names its calendar as organizer."""
    return event.is_cancelled and event.organizer is not None and event.organizer.is_self


def deletes_also(event: Event, lost: Referent, other: Referent) -> bool:
    """Whether a tombstone that one view of a calendar shows tells of another view of the same event too.

    A deletion is newer than all that it deletes; a move leaves a tombstone as old as the copy that it made.
    """
    return is_deleted_here(event) and _is_newer(event, other) and is_same(lost, other)


def _is_newer(event: Event, bound: Referent) -> bool:
    """Whether the event changed after it was bound elsewhere."""
    return event.updated is not None and bound.bound_at is not None and event.updated > bound.bound_at


def _without_conference(event: Event, seen: Seen, tie: Tie) -> Verdict:
    """Absence counts only when it is positive: a conference may still be in the making."""
    if event.conference_data is not None and event.conference_data.is_pending:
        return "ignore"
    return _lost_here(event, seen, tie)


def _lost_here(event: Event, seen: Seen, tie: Tie) -> Verdict:
    """Also where the event had gone on, and came back before that."""
    if tie.shows_return(event):
        return "gone" if seen.confirmed else "confirm"
    return _confirmed(seen, tie, "gone")


def _with_conference(seen: Seen, tie: Tie, claimed_key: str) -> Verdict:
    """Binding to one conference takes the event away from another, which must be known, not only listed."""
    replaces = tie.link is not None and tie.link.conference_key != claimed_key
    owns = tie.referent is not None and tie.referent.role == "owner" and tie.referent.state != "gone"
    return "confirm" if replaces and owns and not seen.confirmed else "bind"


def _confirmed(seen: Seen, tie: Tie, found: Verdict) -> Verdict:
    """Take a live owner away only on an event that was read on its own; what is not recorded says nothing."""
    if tie.referent is None or tie.referent.state == "gone":
        return "ignore"
    if tie.referent.role == "owner" and not seen.confirmed:
        return "confirm"
    return found if tie.referent.role == "owner" else "gone"


def role_of(ref: EventRef, event: Event, conference: Conference, claims: Claims) -> Role:
    """Return whether the event may drive the conference (rule R11).

    It may when somebody vouches for its calendar; when it may be an owner that moved out of sight; or, under the policy
    `matching`, when no other event holds the conference.
    """
    owners = [referent for referent in conference.referents.values() if referent.role == "owner"]
    vouched = is_vouched_for(conference, ref.calendar_key, organizer_key(event, conference.tenant))
    moved_here = any(owner.state == "orphaned" and may_be_same(owner, event) for owner in owners)
    return "owner" if vouched or moved_here or is_free(conference, claims) else "claimed"


def is_free(conference: Conference, claims: Claims) -> bool:
    """Whether any event may own the conference: the policy says so, nobody holds it, and nobody is expected to."""
    owners = [referent for referent in conference.referents.values() if referent.role == "owner"]
    is_expected = bool(conference.registered) and not owners
    return claims == "matching" and not is_expected and all(owner.state == "gone" for owner in owners)


def is_vouched_for(conference: Conference, calendar_key: str, organizer: str) -> bool:
    """Whether an organizer's copy in this calendar may own the conference, since the add-on or an owner vouches for it.

    The add-on vouches for the calendar in which it was used, and where that was a guest's, for the organizer's. An
    owner vouches for its calendar, whose writers control the conference anyway (splits and duplicates); not where it
    came without the conference, so that its writers never did.
    """
    owners = (known for known in conference.referents.values() if known.role == "owner" and not known.never_held)
    vouching = {owner.calendar_key for owner in owners}
    return calendar_key in vouching or is_covered(conference, calendar_key, organizer)


def is_covered(conference: Conference, calendar_key: str, organizer: str) -> bool:
    """Whether the add-on's word covers an organizer's copy in this calendar."""
    words = conference.registered.values()
    organizers = {word.organizer for word in words if word.organizer}
    return organizer in organizers or any(word.calendar_key == calendar_key for word in words)


def bound_link(ref: EventRef, event: Event, conference_key: str, previous: Link | None) -> Link:
    """Return the link that records this event's tie to the conference."""
    same = previous is not None and previous.conference_key == conference_key
    return Link(
        key=ref.link_key,
        calendar_key=ref.calendar_key,
        event_id=ref.event_id,
        conference_key=conference_key,
        ical_uid=event.ical_uid,
        own_instances=previous.own_instances if previous else (),
        has_exceptions=bool(same and previous and previous.has_exceptions),
        etag=event.etag,
        updated=event.updated,
        sequence=event.sequence,
        seen_in=previous.seen_in if previous else 0,
    )


def bound_referent(ref: EventRef, event: Event, conference: Conference, claims: Claims) -> Referent | None:
    """Return the live referent that this event gives the conference; None for an event without times."""
    times = times_of(event)
    if times is None:
        return None
    known = conference.referents.get(ref.link_key)
    was_live = known is not None and known.state == "live"
    role = "owner" if known is not None and known.role == "owner" else role_of(ref, event, conference, claims)
    return Referent(
        calendar_key=ref.calendar_key,
        event_id=ref.event_id,
        ical_uid=event.ical_uid,
        organizer=organizer_key(event, conference.tenant),
        role=role,
        state="live",
        times=times,
        until=known.until if known else None,
        created=event.created,
        bound_at=known.bound_at if known and was_live else event.updated,
    )


def tie_of(ref: EventRef, links: Mapping[str, Link], conferences: Mapping[str, Conference]) -> Tie:
    """Return what is recorded of an event."""
    link = links.get(ref.link_key)
    conference = conferences.get(link.conference_key) if link else None
    referent = conference.referents.get(ref.link_key) if conference else None
    if conference is None or referent is None or referent.continues_in is None:
        return Tie(link, referent)
    continuation = conference.referents.get(referent.continues_in)
    return Tie(link, referent, continuation if continuation and continuation.state != "gone" else None)
