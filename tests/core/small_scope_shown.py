"""Small scope: what a calendar may show of one event, in words, and what that looks like.

The words come from the table of Calendar changes. They know nothing of the planner.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Literal, get_args

from confsync.core.events import Event
from confsync.core.sight import Seen
from tests.core.story import HOUR, NOW, event, instance, pending, series, stub, timeless, tombstone

Kind = Literal["upcoming", "over", "series", "series with an exception"]
"""When the event takes place."""
Age = Literal["newest", "newer", "same", "older", "unstamped"]
"""Compared with what is recorded of it; `newest` is newer than the list that asked for the reading."""
Shape = Literal[
    "unknown",
    "missing from a full listing",
    "unreadable",
    "unproven",
    "id only",
    "deleted",
    "deleted, another organizer",
    "guest copy",
    "guest copy without",
    "locked",
    "redacted",
    "ours",
    "ours renamed",
    "ours at another time",
    "another of ours",
    "ours under a strange name",
    "somebody else's",
    "without",
    "pending",
    "timeless",
]
UNKNOWN: frozenset[Shape] = frozenset({"unknown", "missing from a full listing", "unreadable", "unproven"})
"""Calendar answers nothing that can be used."""
TOMBSTONES: frozenset[Shape] = frozenset({"id only", "deleted", "deleted, another organizer"})
LISTED: tuple[Shape, ...] = tuple(shape for shape in get_args(Shape) if shape not in UNKNOWN)
UPDATED: dict[Age, float | None] = {"newest": 9, "newer": 5, "same": 0, "older": -5, "unstamped": None}
BOB = {"email": "bob@example.com"}


def starts(kind: Kind) -> timedelta:
    """Return how long after `NOW` the event begins."""
    return -3 * HOUR if kind == "over" else HOUR


def base(kind: Kind, event_id: str = "e1", **fields: Any) -> Event:
    """Return the event as it was recorded."""
    make = series if kind.startswith("series") else event
    return make(event_id, fields.pop("conference", "c1"), starts=NOW + fields.pop("after", starts(kind)), **fields)


def exceptions(kind: Kind, event_id: str = "e1") -> tuple[Event, ...]:
    """Return the exceptions of the series, as they always were."""
    return (instance(base(kind, event_id), 1),) if kind == "series with an exception" else ()


def _moved(kind: Kind, event_id: str, **fields: Any) -> Event:
    return base(kind, event_id, after=HOUR if kind == "over" else -5 * HOUR, **fields)


Maker = Callable[..., Event]
MAKERS: dict[Shape, Maker] = {
    "id only": lambda _, event_id, **__: stub(event_id),
    "deleted": lambda _, event_id, **fields: tombstone(event_id, **fields),
    "deleted, another organizer": lambda _, event_id, **fields: tombstone(event_id, organizer=BOB, **fields),
    "guest copy": lambda kind, event_id, **fields: base(kind, event_id, own=False, **fields),
    "guest copy without": lambda kind, event_id, **fields: base(kind, event_id, own=False, conference=None, **fields),
    "locked": lambda kind, event_id, **fields: base(kind, event_id, locked=True, **fields),
    "redacted": lambda kind, event_id, **fields: base(kind, event_id, organizer=None, conference=None, **fields),
    "ours": base,
    "ours renamed": lambda kind, event_id, **fields: base(kind, event_id, summary="Renamed", **fields),
    "ours at another time": _moved,
    "another of ours": lambda kind, event_id, **fields: base(kind, event_id, conference="c2", **fields),
    "ours under a strange name": lambda kind, event_id, **fields: base(
        kind, event_id, conference=None, conferenceData={"conferenceId": "c1"}, **fields
    ),
    "somebody else's": lambda kind, event_id, **fields: base(
        kind, event_id, conference=None, conferenceData={"conferenceId": "x9"}, **fields
    ),
    "without": lambda kind, event_id, **fields: base(kind, event_id, conference=None, **fields),
    "pending": lambda _, event_id, **fields: pending(event_id, updated=fields["updated"]),
    "timeless": lambda _, event_id, **fields: timeless(event_id, updated=fields["updated"]),
}


@dataclass(frozen=True)
class Look:
    """One look at an event: what it shows, whether it is newer than what is recorded, and how it came about."""

    shape: Shape
    age: Age = "newer"
    read: bool = True
    """Whether it was read on its own just now; else it stands in a list."""
    as_writer: bool = True

    def __str__(self) -> str:
        """Say it in words."""
        how = "read" if self.read else "listed"
        return f"{how}: {self.shape}, {self.age}" + ("" if self.as_writer else ", as a reader of the calendar")

    @property
    def is_stamped(self) -> bool:
        """Whether it says when the event was changed."""
        return self.age != "unstamped" and self.shape != "id only" and self.shape not in UNKNOWN


@cache
def seen_of(look: Look, kind: Kind, event_id: str = "e1") -> Seen:
    """Return what the planner is shown."""
    if look.shape in UNKNOWN:
        return Seen(
            None,
            confirmed=look.shape != "unreadable",
            missing_from_list=look.shape == "missing from a full listing",
            unreadable=look.shape == "unreadable",
            unproven=look.shape == "unproven",
        )
    shown = MAKERS[look.shape](kind, event_id, updated=UPDATED[look.age])
    return Seen(shown, confirmed=look.read, as_writer=look.as_writer)


def ages(shape: Shape) -> tuple[Age, ...]:
    """Return which ages make a difference for a shape."""
    if shape in UNKNOWN or shape == "id only":
        return ("newer",)
    return ("newer",) if shape in {"pending", "timeless"} else ("newer", "same", "older", "unstamped")


def readings() -> Iterator[Look]:
    """Return every look at an event that was read on its own."""
    return (Look(shape, age) for shape in get_args(Shape) for age in ages(shape))


ANSWERS: tuple[Shape, ...] = (
    "unknown",
    "unreadable",
    "unproven",
    "id only",
    "deleted",
    "deleted, another organizer",
    "guest copy",
    "redacted",
    "ours",
    "ours renamed",
    "another of ours",
    "without",
    "pending",
    "timeless",
)
"""What a list item may turn out to be when it is read."""


def listings() -> Iterator[tuple[Look, Look]]:
    """Return every list item, with each answer that a reading of it may give."""
    for shape in LISTED:
        for age in ages(shape):
            for answer in ANSWERS:
                yield Look(shape, age, read=False), Look(answer, "newest")
        yield Look(shape, read=False, as_writer=False), Look("deleted" if shape in TOMBSTONES else shape, "newest")
        yield Look(shape, read=False), Look("deleted", "older")
