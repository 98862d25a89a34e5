"""How a stored event looks to a reader: `self` flags, offsets, tombstone shapes, redaction. Never changes it.

The shapes follow recorded answers of Google Calendar.
"""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from .errors import Json
from .records import Calendar, Role, Tombstone, Version
from .times import render_time, rfc3339_ms

# The order of keys in Google's answers.
_ORDER = (
    "created", "updated", "summary", "description", "location", "colorId", "creator", "organizer",
    "start", "end", "endTimeUnspecified", "recurrence", "recurringEventId", "originalStartTime",
    "transparency", "visibility", "iCalUID", "sequence", "attendees", "attendeesOmitted",
    "extendedProperties", "hangoutLink", "conferenceData",
)  # fmt: skip

CONFERENCE_FIELDS = ("hangoutLink", "conferenceData")

_TIMES = ("start", "end", "originalStartTime")

_REDACTED = (
    "kind", "etag", "id", "status", "htmlLink", "updated", "start", "end", "iCalUID", "recurringEventId",
    "originalStartTime",
)  # fmt: skip

_SCRUBBED_START = {"dateTime": "2000-01-01T00:00:00Z", "timeZone": "UTC"}
_SCRUBBED_END = {"dateTime": "2000-01-02T00:00:00Z", "timeZone": "UTC"}


@dataclass(frozen=True, slots=True)
class View:
    """Who looks at a calendar, and how."""

    calendar: Calendar
    role: Role
    zone_name: str
    max_attendees: int | None = None
    details: bool = True
    """False where cancelled events show nothing but their ids."""
    tombstone_conference: bool = True
    """False where cancelled events with details show no conference."""


def copy_json(value: Any) -> Any:
    """Copy lists and dicts so that a caller cannot change what is stored."""
    if isinstance(value, dict):
        return {key: copy_json(item) for key, item in value.items()}
    return [copy_json(item) for item in value] if isinstance(value, list) else value


def without_conference(body: Json) -> Json:
    """Return a body as it is without its conference."""
    return {name: value for name, value in body.items() if name not in CONFERENCE_FIELDS}


def render(view: View, event_id: str, version: Version, *, series_deleted: bool = False) -> Json:
    """Return an event as a reader sees it.

    Args:
        series_deleted: True for an exception whose series is deleted.
    """
    if version.verbatim:
        return _redacted(view, copy_json(version.body))
    if version.tombstone is None and not series_deleted:
        return _redacted(view, _full(view, event_id, version, version.body.get("status", "confirmed")))
    return _render_tombstone(view, event_id, version, series_deleted=series_deleted)


def _render_tombstone(view: View, event_id: str, version: Version, *, series_deleted: bool) -> Json:
    bare = {"kind": "calendar#event", "etag": version.etag, "id": event_id, "status": "cancelled"}
    tombstone = version.tombstone
    if tombstone in (Tombstone.ID_ONLY, Tombstone.ORPHAN):
        return bare
    if tombstone is Tombstone.EXCEPTION and not series_deleted:
        original = render_time(version.body["originalStartTime"], view.zone_name)
        return bare | {"recurringEventId": version.master_id, "originalStartTime": original}
    if not view.details or view.role == "freeBusyReader":
        return bare
    if tombstone is Tombstone.SCRUBBED:
        return _scrubbed(view, event_id, version, bare)
    return _redacted(view, _full(view, event_id, version, "cancelled"))


def render_cancelled_in_full(view: View, event_id: str, version: Version) -> Json:
    """Return a cancelled event with all details that are left, as `get` and `move` do."""
    if version.verbatim or version.tombstone in (
        Tombstone.ID_ONLY,
        Tombstone.ORPHAN,
        Tombstone.SCRUBBED,
    ):
        return render(view, event_id, version)
    return _redacted(view, _full(view, event_id, version, "cancelled"))


def _full(view: View, event_id: str, version: Version, status: str) -> Json:
    body, calendar_id = version.body, view.calendar.id
    if status == "cancelled" and not view.tombstone_conference:
        body = without_conference(body)
    out: Json = {
        "kind": "calendar#event",
        "etag": version.etag,
        "id": event_id,
        "status": status,
        "htmlLink": _html_link(event_id, calendar_id),
    }
    for name in _ORDER:
        if name == "updated":
            out[name] = rfc3339_ms(version.updated_us)
        elif name in body:
            out[name] = copy_json(body[name])
    out |= {name: copy_json(value) for name, value in body.items() if name not in out}
    for name in _TIMES:
        if name in out:
            out[name] = render_time(out[name], view.zone_name)
    _mark_self(out, view)
    return out


def _mark_self(out: Json, view: View) -> None:
    calendar_id = view.calendar.id
    for name in ("creator", "organizer"):
        if out.get(name, {}).get("email") == calendar_id:
            out[name]["self"] = True
    attendees = out.get("attendees")
    if attendees is None:
        return
    organizer = out.get("organizer", {}).get("email")
    for attendee in attendees:
        if attendee["email"] == organizer:
            attendee["organizer"] = True
        if attendee["email"] == calendar_id:
            attendee["self"] = True
    if view.max_attendees is not None and len(attendees) > view.max_attendees:
        out["attendees"] = [attendee for attendee in attendees if attendee.get("self")]
        out["attendeesOmitted"] = True


def _redacted(view: View, out: Json) -> Json:
    hidden = out.get("visibility") in ("private", "confidential")
    if view.role in ("owner", "writer") or (view.role == "reader" and not hidden):
        return out
    return {name: out[name] for name in _REDACTED if name in out} | {"visibility": "private"}


def _scrubbed(view: View, event_id: str, version: Version, bare: Json) -> Json:
    return bare | {
        "htmlLink": _html_link(event_id, view.calendar.id),
        "updated": rfc3339_ms(version.updated_us),
        "start": render_time(_SCRUBBED_START, view.zone_name),
        "end": render_time(_SCRUBBED_END, view.zone_name),
        "transparency": "transparent",
        "iCalUID": version.body["iCalUID"],
    }


def _html_link(event_id: str, calendar_id: str) -> str:
    eid = b64encode(f"{event_id} {calendar_id}".encode()).decode().rstrip("=")
    return f"https://www.google.com/calendar/event?eid={eid}"
