"""The cells of the simulation's coverage: what is recorded of an event, and what Calendar shows of it to the planner.

They are counted by looking at what the planner is given. It must never decide anything, and never change what it sees.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from confsync.core.binding import is_deleted_here, is_older
from confsync.core.conference import Conference, Referent
from confsync.core.events import Event
from confsync.core.planning import Recorded
from confsync.core.records import EventRef, Link
from confsync.core.sight import Seen
from confsync.core.terms import Terms, claimed_key, holds

Cell = tuple[str, str]
"""What is recorded of an event, and what is shown of it."""

STATES = {
    "nothing": "no link",
    "instance": "an exception of a series that has a conference, or a series of which only an instance has one",
    "claim": "it names a conference for which nobody vouched",
    "claim gone": "it did",
    "untold": "a live owner; the back end has to be told something",
    "called": "a live owner; a call is under way, or its outcome is unknown",
    "told": "a live owner; there is nothing to tell",
    "gone for good": "a live owner; the back end does not know the conference any more",
    "in grace": "it lost the conference, whose end is decided: in its grace period, or held",
    "ending": "it lost the conference, whose end has to be told",
    "ended": "it lost the conference, which ended",
    "kept": "it lost the conference, which lives on: another event has it, or it was held",
    "orphan": "it moved out of sight",
}
"""What is recorded of an event and of the conference that it is tied to."""

SHAPES = {
    "unknown": "Calendar does not know it, or a full listing did not contain it",
    "silent": "unreadable, unproven or redacted: it says nothing",
    "id only": "a tombstone that names no organizer",
    "deleted": "a tombstone that names its calendar as organizer",
    "away": "another calendar organizes it: a guest's copy, or a tombstone with another organizer",
    "older": "less new than what is recorded of it",
    "as known": "with the conference that it is tied to, and as it was recorded",
    "changed": "with the conference that it is tied to, or the first that it names, and newer",
    "another": "with another conference of ours",
    "without": "with no conference of ours",
    "pending": "with a conference in the making",
}
"""What is shown of it."""

IGNORED = ("silent", "older", "pending")
"""Shapes that the planner puts aside before it looks at the conference."""
HELD = ("nothing", "instance", "claim", "untold", "called", "told", "gone for good")
"""States in which it matters that Calendar does not know the event any more."""
AGEING = ("nothing", "claim", "untold", "called", "told", "gone for good")
"""States in which an event may be shown again just as it was recorded."""
ALIKE: Mapping[Cell, str] = {
    (state, shape): "told" if shape in IGNORED else "ended"
    for state, shape in product(STATES, (*IGNORED, "unknown"))
    if (shape in IGNORED and state not in ("nothing", "instance", "told")) or state not in (*HELD, "ended")
}
"""Where what is shown says nothing, whatever is recorded: under which state it is counted."""

_NEVER_TIED = "what is not recorded is neither older, nor known, nor tied to another conference"
_OF_SERIES = "an exception is read with its series, whatever its age: counted as changed"
_CAME_BACK = "what was lost and is shown with the conference came back, whatever its age: counted as changed"


def _impossible() -> Iterator[tuple[Cell, str]]:
    yield from ((("nothing", shape), _NEVER_TIED) for shape in ("older", "as known", "another"))
    yield from ((("instance", shape), _OF_SERIES) for shape in ("older", "as known"))
    yield from (((state, "as known"), _CAME_BACK) for state in STATES if state not in (*AGEING, "instance"))
    yield from ((cell, f"it says nothing then: counted as {counted}") for cell, counted in ALIKE.items())


IMPOSSIBLE: Mapping[Cell, str] = dict(_impossible())
"""Cells that cannot be, and why."""

_NEVER_ASKED = "an exception that its series stands for is never read alone"
OPTIONAL: Mapping[Cell, str] = {
    ("nothing", "silent"): "events without a record are read when the calendar's access was just proven",
    ("instance", "silent"): _NEVER_ASKED + ", but by accident",
    ("instance", "unknown"): _NEVER_ASKED + ", but by accident",
    (
        "gone for good",
        "unknown",
    ): "of a conference that is gone, the event would have to be deleted and forgotten unseen",
}
"""Cells that may be, and that no run has to hit, and why."""


def cells() -> Iterator[Cell]:
    """Return every cell that a long run has to hit."""
    return (cell for cell in product(STATES, SHAPES) if cell not in IMPOSSIBLE and cell not in OPTIONAL)


def cell_of(ref: EventRef, seen: Seen, recorded: Recorded, terms: Terms) -> Cell:
    """Return the cell of one event that the planner is shown."""
    link = recorded.links.get(ref.link_key)
    conference = recorded.conferences.get(link.conference_key) if link else None
    return _counted(_state(link, conference), _shape(seen, link, conference, terms))


def _counted(state: str, shape: str) -> Cell:
    """What means the same whatever exactly is recorded is one cell."""
    if (shape == "as known" and state not in AGEING) or (shape == "older" and state == "instance"):
        shape = "changed"
    return ALIKE.get((state, shape), state), shape


def _state(link: Link | None, conference: Conference | None) -> str:
    referent = conference.referents.get(link.key) if link and conference else None
    if link is None:
        return "nothing"
    if conference is None or referent is None:
        return "instance"
    if referent.role == "claimed":
        return "claim" if referent.state == "live" else "claim gone"
    if referent.state == "orphaned":
        return "orphan"
    return _of_live(conference) if referent.state == "live" else _of_lost(conference)


def _of_live(conference: Conference) -> str:
    if conference.gone:
        return "gone for good"
    if conference.intent is not None:
        return "called"
    told = conference.applied.generation if conference.applied else 0
    wanted = conference.desired.generation if conference.desired else 1
    return "untold" if wanted > told else "told"


def _of_lost(conference: Conference) -> str:
    if conference.end_after is not None or conference.brake == "held":
        return "in grace"
    if conference.gone:
        return "ended"
    if conference.desired is None or not conference.desired.ended or _has_live_owner(conference.referents.values()):
        return "kept"
    told = conference.applied is not None and conference.applied.generation >= conference.desired.generation
    return "ended" if told else "ending"


def _has_live_owner(referents: Iterable[Referent]) -> bool:
    return any((known.role, known.state) == ("owner", "live") for known in referents)


def _shape(seen: Seen, link: Link | None, conference: Conference | None, terms: Terms) -> str:
    event = seen.event
    if event is None:
        return "silent" if seen.says_nothing else "unknown"
    if link is not None and is_older(event, link):
        return "older"
    if event.is_cancelled:
        return _of_tombstone(event)
    if not (seen.as_writer and event.is_readable):
        return "silent"
    if not event.is_organizers_copy:
        return "away"
    return _of_own(event, link, conference, terms)


def _of_tombstone(event: Event) -> str:
    if is_deleted_here(event):
        return "deleted"
    return "id only" if event.organizer is None else "away"


def _of_own(event: Event, link: Link | None, conference: Conference | None, terms: Terms) -> str:
    if conference is not None and link is not None and holds(event, conference, terms.solutions):
        return "as known" if event.updated == link.updated else "changed"
    if claimed_key(event, terms) is not None:
        return "another" if link is not None else "changed"
    is_pending = event.conference_data is not None and event.conference_data.is_pending
    return "pending" if is_pending else "without"
