"""A plan in the making: what is recorded, changed step by step, and what has to be read before it is done.

Events are taken one by one (`taking`, `series`), then each conference that they touched is judged (`touched`). It must
never change the records that it was given, only its own copies of the mappings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from confsync.core.binding import Tie, deletes_also, is_older, role_of, tie_of
from confsync.core.conference import Conference, Referent, ReferentState, Role
from confsync.core.events import Event
from confsync.core.history import note_promoted, note_referent
from confsync.core.owners import promote_claims
from confsync.core.records import EventRef, Link
from confsync.core.sight import Reading, Seen, Sight
from confsync.core.terms import Terms, claimed_key, holds


@dataclass
class Draft:
    """A plan in the making: what is recorded, changed step by step, and what has to be read first."""

    calendar_key: str
    sight: Sight
    terms: Terms
    now: datetime
    links: dict[str, Link]
    conferences: dict[str, Conference]
    is_part: bool = False
    """Whether the same listing shows more events after these."""
    readings: set[Reading] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    half_shown: set[str] = field(default_factory=set)
    """Keys of the links of series that may have exceptions which are not shown."""
    claims: set[EventRef] = field(default_factory=set)
    """Events that claim a conference for which nobody vouched, seen for the first time."""
    unheard: set[EventRef] = field(default_factory=set)
    """Live owners whose event, as it is shown now, says nothing."""
    waiting: dict[EventRef, Seen] = field(default_factory=dict)
    """Instances that nobody can understand while their series says nothing, which is how that is seen."""

    def role_of(self, ref: EventRef, event: Event, conference: Conference) -> Role:
        """Return whether the event may drive the conference."""
        return role_of(ref, event, conference, self.terms.rules.claims)

    def tie_of(self, ref: EventRef) -> Tie:
        """Return what is recorded of an event by now."""
        return tie_of(ref, self.links, self.conferences)

    def is_live_owner(self, link: Link) -> bool:
        """Whether a conference hangs on the link's event by now."""
        return self.tie_of(link.ref).is_live_owner

    def named_by(self, ref: EventRef, event: Event) -> str | None:
        """Return the key of the conference that the event names; what it is tied to counts under any name."""
        tied_to = self.links[ref.link_key].conference_key if ref.link_key in self.links else ""
        conference = self.conferences.get(tied_to)
        is_tied = conference is not None and holds(event, conference, self.terms.solutions)
        return tied_to if is_tied else claimed_key(event, self.terms)

    def refer(self, conference_key: str, link_key: str, referent: Referent) -> None:
        """Record what an event is to its conference; a claim that owns from now on may be a series to be read whole."""
        conference = self.conferences[conference_key]
        referents = {**conference.referents, link_key: referent}
        referring = self._noted(conference.model_copy(update={"referents": referents}), conference, link_key)
        promoted = promote_claims(referring, self.terms.rules.claims)
        self.conferences[conference_key] = note_promoted(promoted, referring.referents, self.now)
        self.touched.add(conference_key)

    def _noted(self, conference: Conference, known: Conference, link_key: str) -> Conference:
        """Say in the history what was seen of the event, if that is new."""
        before, after = known.referents.get(link_key), conference.referents[link_key]
        if before is not None and _is_known(before, after):
            return conference
        seen = self.sight.get(after.ref)
        event = seen.event if seen is not None else None
        shares = event is not None and holds(event, conference, self.terms.solutions)
        return note_referent(conference, before, after, seen, shares=shares, now=self.now)

    def lose(self, ref: EventRef, tie: Tie, state: ReferentState, event: Event | None) -> None:
        """Record that the event has its conference no more, or moved away with it."""
        if tie.link is None or tie.referent is None:
            return
        known = tie.referent
        organizer = event.organizer if event is not None and state == "orphaned" else None
        moved_to = organizer.email if organizer is not None else None
        came_back = event is not None and tie.shows_return(event)
        is_news = came_back or (known.state, known.moved_to) != (state, moved_to)
        lost: dict[str, object] = {"state": state, "moved_to": moved_to, "since": self.now if is_news else known.since}
        lost["was_lost"] = known.state == "gone" or known.was_lost
        if event is not None and came_back:
            lost |= {"continues_in": None, "bound_at": event.updated}
        self.refer(tie.link.conference_key, ref.link_key, known.model_copy(update=lost))
        if state == "gone" and event is not None:
            self._lose_other_views(tie.link.conference_key, known, event)
        if event is not None and event.updated is not None and not is_older(event, tie.link):
            newer = {"etag": event.etag, "updated": event.updated, "sequence": event.sequence}
            self.links[ref.link_key] = tie.link.model_copy(update=newer)

    def _lose_other_views(self, conference_key: str, lost: Referent, tombstone: Event) -> None:
        """Another person's view of its calendar may never tell that the event was deleted."""
        referents = self.conferences[conference_key].referents
        for key, other in referents.items():
            if other.state == "live" and deletes_also(tombstone, lost, other):
                self.refer(conference_key, key, other.model_copy(update={"state": "gone", "since": self.now}))

    def shares(self, exception: Event, conference_key: str) -> bool:
        """Whether an exception of a series tells of the series' conference: it has it, or is cancelled.

        A tombstone that names another organizer tells of a move: its series came back without it.
        """
        if exception.is_cancelled:
            return exception.organizer is None or exception.organizer.is_self
        return holds(exception, self.conferences[conference_key], self.terms.solutions)

    def mark_seen(self, own: Sequence[EventRef], listing: int) -> None:
        """Note which links a full listing contained; the sweep reads the others."""
        for ref in own:
            link = self.links.get(ref.link_key)
            if link is not None and not self.sight[ref].missing_from_list:
                self.links[link.key] = link.model_copy(update={"seen_in": listing})

    def readings_once(self) -> set[Reading]:
        """A series that is read whole is not read alone too."""
        whole = {reading.ref for reading in self.readings if reading.series_uid is not None}
        return {r for r in self.readings if r.series_uid is not None or r.ref not in whole}


def _is_known(before: Referent, after: Referent) -> bool:
    return (before.state, before.role, before.continues_in) == (after.state, after.role, after.continues_in)
