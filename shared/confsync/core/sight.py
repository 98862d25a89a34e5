"""What is known of events at this moment, and what has to be read before a decision can be made.

Values only, passed between the planner and the use case that asks Calendar.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from confsync.core.events import Event
from confsync.core.records import EventRef


@dataclass(frozen=True)
class Seen:
    """One event as Calendar shows it now."""

    event: Event | None
    """None: Calendar does not know it."""
    confirmed: bool = False
    """Whether it was read on its own just now; a listed item alone never ends anything."""
    exceptions: tuple[Event, ...] | None = None
    """All exceptions of a series; None unless the series was read whole."""
    listed: bool = False
    """Whether the page of a listing that is recorded now contains it, whatever a reading on its own showed since."""
    missing_from_list: bool = False
    """Whether a complete listing as writer did not contain it."""
    unreadable: bool = False
    """Whether it was asked for, but what Calendar answered cannot be read; nothing follows from it."""
    unproven: bool = False
    """Whether Calendar does not know it, but may not show it either; nothing follows from it."""
    as_writer: bool = True
    """Whether the calendar shows its events in full."""

    @property
    def says_nothing(self) -> bool:
        """Whether the event was asked for in vain."""
        return self.unreadable or self.unproven


@dataclass(frozen=True)
class Reading:
    """An event that has to be read before the planner can decide."""

    ref: EventRef
    series_uid: str | None = None
    """iCalUID, when the series has to be read whole."""


Sight = Mapping[EventRef, Seen]
