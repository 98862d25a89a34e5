"""Calendar events, as far as a conference depends on them.

The wire names are aliases, checked against Google's discovery document by a test. Unknown fields are ignored. It must
never guess: what Google leaves out stays None.

https://developers.google.com/workspace/calendar/api/v3/reference/events
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import from_json

from confsync.core.state import Moment


def _or_none_before_year_one(value: Any) -> Any:
    """Calendar has events whose time stamps lie in the year zero, which Python cannot hold."""
    return None if isinstance(value, str) and value.startswith("0000-") else value


Timestamp = Annotated[datetime | None, BeforeValidator(_or_none_before_year_one)]


class Wire(BaseModel):
    """A part of a Calendar resource: frozen, explicit aliases, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore")


class EventTime(Wire):
    """Start, end or original start of an event."""

    day: date | None = Field(None, alias="date")
    date_time: datetime | None = Field(None, alias="dateTime")
    """Its offset follows the calendar's zone, not `time_zone`: compare instants."""
    time_zone: str | None = Field(None, alias="timeZone")

    def moment(self) -> Moment:
        """Return the same point in time as a UTC instant, or the same day."""
        if self.date_time is None:
            return Moment(day=self.day)
        local = self.date_time
        if local.tzinfo is None:
            local = local.replace(tzinfo=zone_named(self.time_zone))
        return Moment(instant=_in_utc(local))


def _in_utc(local: datetime) -> datetime:
    """The first and last day that Python can hold have no UTC in some zones: their wall clock must do."""
    try:
        return local.astimezone(UTC)
    except OverflowError:
        return local.replace(tzinfo=UTC)


def zone_named(name: str | None) -> ZoneInfo:
    """Return the IANA zone, UTC where the name is missing or unknown."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


class Person(Wire):
    """Organizer or attendee."""

    email: str | None = None
    is_self: bool = Field(False, alias="self")
    """Google leaves it out rather than sending false."""


class SolutionKey(Wire):
    """Which kind of conference it is."""

    type: str | None = None
    """`addOn` for third parties, `hangoutsMeet` for Meet."""


class ConferenceSolution(Wire):
    """The conferencing product, as the add-on declared it."""

    key: SolutionKey = SolutionKey()
    name: str | None = None


class EntryPoint(Wire):
    """One way into a conference."""

    type: str | None = Field(None, alias="entryPointType")
    uri: str | None = None


class CreateStatus(Wire):
    """How far a request to create a conference has come."""

    code: str | None = Field(None, alias="statusCode")
    """`pending`, `success` or `failure`."""


class CreateRequest(Wire):
    """A request to create a conference together with the event."""

    status: CreateStatus = CreateStatus()


class ConferenceData(Wire):
    """The conference attached to an event."""

    conference_id: str | None = Field(None, alias="conferenceId")
    solution: ConferenceSolution = Field(ConferenceSolution(), alias="conferenceSolution")
    entry_points: tuple[EntryPoint, ...] = Field((), alias="entryPoints")
    create_request: CreateRequest | None = Field(None, alias="createRequest")

    @property
    def is_pending(self) -> bool:
        """Whether a conference is still being created: its absence means nothing yet."""
        return self.create_request is not None and self.create_request.status.code == "pending"


class Event(Wire):
    """One event, recurring event or exception, as one calendar shows it to one user."""

    id: str = Field(min_length=1)
    """Opaque, unique within its calendar only."""
    status: str = "confirmed"
    etag: str = ""
    ical_uid: str | None = Field(None, alias="iCalUID")
    """The same in every calendar and for every instance of a series."""
    recurring_event_id: str | None = Field(None, alias="recurringEventId")
    original_start_time: EventTime | None = Field(None, alias="originalStartTime")
    organizer: Person | None = None
    summary: str | None = None
    description: str | None = None
    location: str | None = None
    visibility: str | None = None
    start: EventTime | None = None
    end: EventTime | None = None
    recurrence: tuple[str, ...] = ()
    attendees: tuple[Person, ...] = ()
    attendees_omitted: bool = Field(False, alias="attendeesOmitted")
    conference_data: ConferenceData | None = Field(None, alias="conferenceData")
    sequence: int = 0
    updated: Timestamp = None
    """Last change of the main data; reminder edits do not move it."""
    event_type: str = Field("default", alias="eventType")
    locked: bool = False
    created: Timestamp = None
    """All parts of a split series have the original's; a duplicate has its own."""

    @property
    def is_cancelled(self) -> bool:
        """Whether this is a tombstone: a deleted event, or a cancelled instance of a live series."""
        return self.status == "cancelled"

    @property
    def is_readable(self) -> bool:
        """Whether more than free/busy is shown; a redacted event says nothing about its conference."""
        return self.organizer is not None

    @property
    def is_organizers_copy(self) -> bool:
        """Whether this calendar holds the main copy, the only one that drives a conference."""
        return self.organizer is not None and self.organizer.is_self and not self.locked

    @property
    def organizer_elsewhere(self) -> str | None:
        """The organizer's address, where the event names one that is not this calendar."""
        return self.organizer.email if self.organizer is not None and not self.organizer.is_self else None


class EventPage(Wire):
    """One page of a listing; its items are validated one by one, so that a malformed one harms no other."""

    items: list[Any] = Field(default_factory=list)
    next_page_token: str | None = Field(None, alias="nextPageToken")
    next_sync_token: str | None = Field(None, alias="nextSyncToken")
    """On the last page only."""
    access_role: str | None = Field(None, alias="accessRole")

    @property
    def read_as_writer(self) -> bool:
        """Whether events were shown in full; with less access a missing conference proves nothing."""
        return self.access_role in ("owner", "writer")


@dataclass(frozen=True)
class Window:
    """Which events a listing without a sync token covers; unbounded by default."""

    time_min: datetime | None = None
    """Only events that end after this."""
    updated_min: datetime | None = None
    """Only events changed since this."""


def parse_page(content: bytes) -> EventPage:
    """Return the page in `content`, a JSON answer of events.list; raises pydantic's `ValidationError`."""
    try:
        page = from_json(content)  # twice as fast as to let the model read the JSON
    except ValueError:
        return EventPage.model_validate_json(content)  # it refuses, and says where the answer is cut off
    return EventPage.model_validate(page)


def parse_event(item: Mapping[str, Any] | bytes) -> Event:
    """Return one event; raises pydantic's `ValidationError` when it is malformed."""
    if isinstance(item, bytes):
        return Event.model_validate_json(item)
    return Event.model_validate(item)


PAGE_FIELDS = "accessRole,nextPageToken,nextSyncToken,items"
EVENT_FIELDS = (
    "id,status,etag,iCalUID,recurringEventId,originalStartTime,organizer(email,self),summary,description,location,"
    "visibility,start,end,recurrence,attendees(email,self),attendeesOmitted,sequence,created,updated,eventType,locked,"
    "conferenceData(conferenceId,conferenceSolution(key,name),entryPoints(entryPointType,uri),createRequest/status)"
)
LIST_FIELDS = f"{PAGE_FIELDS}({EVENT_FIELDS})"
"""The `fields` mask of every listing: part of its parameters, so a change of it costs a full listing."""

LIST_PARAMETERS_VERSION = 2
"""Raised with any change of the listings' parameters: part of `Terms.listing_version`."""
