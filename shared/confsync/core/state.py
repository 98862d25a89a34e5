"""The state of a conference as a conferencing system is told it.

Plain values, whole every time: any single delivered state makes the back end right. It must never hold what a
conference does not need.
"""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Field = Literal[
    "title",
    "description",
    "location",
    "time",
    "time_zone",
    "recurrence",
    "occurrences",
    "organizer",
    "attendees",
    "visibility",
]
"""What a back end can carry; `time` is start and end together."""


class Moment(BaseModel):
    """A point in time, or a whole day: exactly one of `instant` and `day` is set."""

    model_config = ConfigDict(frozen=True)

    instant: datetime | None = None
    """In UTC."""
    day: date | None = None
    """For all-day events; the end day is exclusive, as in Calendar."""

    @property
    def sort_key(self) -> str:
        """An ISO string that orders moments in time, days at their midnight in UTC."""
        if self.instant is not None:
            return self.instant.isoformat()
        return f"{self.day}T00:00:00+00:00"


class Occurrence(BaseModel):
    """One instance of a series that differs from its series."""

    model_config = ConfigDict(frozen=True)

    original_start: Moment
    """Identifies the instance; event ids of instances are opaque."""
    cancelled: bool = False
    start: Moment | None = None
    end: Moment | None = None
    title: str | None = None


class ConferenceState(BaseModel):
    """What a conference should be; a field that the back end cannot carry is left at its default."""

    model_config = ConfigDict(frozen=True)

    title: str | None = None
    description: str | None = None
    location: str | None = None
    start: Moment | None = None
    end: Moment | None = None
    time_zone: str | None = None
    """IANA name in which a series is expanded."""
    recurrence: tuple[str, ...] = ()
    """RRULE, EXDATE and RDATE lines of RFC 5545."""
    occurrences: tuple[Occurrence, ...] = ()
    """Moved, renamed and cancelled instances, in the order of their original start."""
    organizer: str | None = None
    attendees: tuple[str, ...] | None = None
    """E-mail addresses in alphabetical order; None also where Calendar left some out: that is no removal."""
    visibility: str | None = None
