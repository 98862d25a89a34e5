"""Look for events that moved out of sight: in the calendars that what is left of them names.

It must never take for lost what the calendar that organizes the event now does not show as lost.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from confsync.core import leases
from confsync.core.binding import is_deleted_here
from confsync.core.conference import Conference, Referent
from confsync.core.ending import shows_another
from confsync.core.identity import may_be_same, organizer_key
from confsync.core.records import Calendar, EventRef, Link
from confsync.core.reviewing import NewHome
from confsync.core.sight import Reading
from confsync.core.terms import Terms, holds
from confsync.errors import CalendarError
from confsync.ports import Outside
from confsync.reading import address_of, read_event, shows_in_full

CALENDARS_AT_MOST = 50
"""Of one user, in which an event is looked for that moved out of sight."""


@dataclass(frozen=True)
class _Search:
    """Where an event that moved out of sight may be."""

    orphan_key: str
    orphan: Referent
    calendar: Calendar

    @property
    def ref(self) -> EventRef:
        return EventRef(self.calendar.key, self.orphan.event_id)


def search_for(
    orphans: Iterable[str], conference: Conference, outside: Outside, terms: Terms
) -> tuple[list[NewHome], list[EventRef]]:
    """Return where events of the conference were lost, and which others a sync has to read, since they may be there.

    Args:
        orphans: link keys of the events that moved out of sight.

    """
    searches = [search for key in orphans for search in _searches(key, conference, outside, terms)]
    looks = [(search, _lost_home(search, conference, outside, terms)) for search in searches]
    lost = [home for _, home in looks if home is not None]
    return lost, [search.ref for search, home in looks if home is None]


def _searches(orphan_key: str, conference: Conference, outside: Outside, terms: Terms) -> list[_Search]:
    """Return where to look: in the calendar of the organizer that the tombstone names, else in all of the same user.

    What was only looked at there, or seen with another conference since, may be back, or have gone further: no sync
    would tell.
    """
    orphan = conference.referents[orphan_key]
    left, link = outside.store.get(Calendar, orphan.calendar_key), outside.store.get(Link, orphan_key)
    if left is None:
        return []
    found = outside.store.calendars_of(terms.tenant, left.subject, CALENDARS_AT_MOST)
    is_heard_of = link is not None and link.conference_key == conference.key
    moved_to = (orphan.moved_to if is_heard_of else None) or _named_there(orphan, left, outside) or orphan.moved_to
    if moved_to is not None:
        own = Calendar.key_for(terms.tenant, moved_to, moved_to)
        found = [c for c in found if c.calendar_id == moved_to] or list(
            outside.store.get_many(Calendar, [own]).values()
        )
    places = [c for c in found if c.key != left.key]
    if not is_heard_of:
        places.append(left)
    return [_Search(orphan_key, orphan, place) for place in places if place.state in ("active", "poll_only")]


def _named_there(orphan: Referent, left: Calendar, outside: Outside) -> str | None:
    """Return which other organizer what is left of the event names now."""
    if not leases.is_synced(left):
        return None
    try:
        event = read_event(Reading(orphan.ref), address_of(left), outside).event
    except CalendarError:
        return None
    return event.organizer_elsewhere if event is not None else None


def _lost_home(search: _Search, conference: Conference, outside: Outside, terms: Terms) -> NewHome | None:
    """Return where the event is shown to be lost; None: not there.

    Only the calendar that organizes the event now proves that it was deleted, or holds another conference. That it
    holds none there proves nothing, the move itself may have dropped it; but where it had lost it before, that it was
    not put back.
    """
    try:
        event = read_event(Reading(search.ref), address_of(search.calendar), outside).event
        if event is None or not may_be_same(search.orphan, event):
            return None
        if not shows_in_full(search.calendar, search.calendar.sync_token, outside):
            return None
    except CalendarError:
        return None
    has_one = event.conference_data is not None and event.conference_data.conference_id is not None
    if not (
        is_deleted_here(event)
        or ((has_one or search.orphan.was_lost) and shows_another(event, conference, terms.solutions))
    ):
        return None
    return NewHome(
        search.orphan_key,
        search.ref.link_key,
        search.calendar.key,
        organizer_key(event, terms.tenant),
        changed_at=event.updated,
        held=holds(event, conference, terms.solutions),
    )
