"""Event bodies as callers send them, brought into the stored form. Pure; refuses what Google refuses.

Stored bodies hold no defaults, no read-only keys of the answer, and no `self`.
"""

import re
from typing import Any

from .errors import ApiError, Json, invalid, required
from .recurrence import check_recurrence
from .rendering import copy_json
from .times import canonical_time, is_all_day, time_us

WRITABLE = frozenset({
    "summary", "description", "location", "colorId", "start", "end", "endTimeUnspecified", "recurrence",
    "transparency", "visibility", "attendees", "extendedProperties", "gadget", "anyoneCanAddSelf",
    "guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests", "reminders", "source",
    "attachments", "eventType", "status", "originalStartTime", "outOfOfficeProperties",
    "focusTimeProperties", "workingLocationProperties", "birthdayProperties",
})  # fmt: skip

_DEFAULTS: Json = {
    "transparency": "opaque",
    "visibility": "default",
    "guestsCanModify": False,
    "guestsCanInviteOthers": True,
    "guestsCanSeeOtherGuests": True,
    "anyoneCanAddSelf": False,
    "endTimeUnspecified": False,
}

_ABSENT = object()
_STATUSES = ("confirmed", "tentative", "cancelled")
_RESPONSES = ("needsAction", "declined", "tentative", "accepted")
_EVENT_TYPES = ("birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation")
_CLIENT_ID = re.compile(r"[a-v0-9]{5,1024}")
_READ_ONLY = ("kind", "etag", "htmlLink", "updated")


def check_client_id(event_id: Any) -> str:
    """Return an id that a caller chose.

    Raises:
        ApiError: 400 unless it is base32hex of 5 to 1024 characters.
    """
    if not isinstance(event_id, str) or not _CLIENT_ID.fullmatch(event_id):
        raise invalid("Invalid resource id value.")
    return event_id


def writable(body: Json, zone_name: str) -> Json:
    """Return the writable fields of a request body in the stored form; None stays, for it clears a field."""
    out = {name: copy_json(value) for name, value in body.items() if name in WRITABLE}
    for name in ("start", "end", "originalStartTime"):
        if out.get(name):
            out[name] = canonical_time(out[name], zone_name, name)
    if out.get("attendees"):
        out["attendees"] = _attendees(out["attendees"])
    return out


def _attendees(attendees: list[Json]) -> list[Json]:
    by_email: dict[str, Json] = {}
    for attendee in attendees:
        email = str(attendee.get("email") or "").lower()
        if not email:
            raise required("Missing attendee email.")
        response = attendee.get("responseStatus") or "needsAction"
        if response not in _RESPONSES:
            raise invalid(f"Invalid attendee responseStatus: {response!r}")
        kept = {name: value for name, value in attendee.items() if name not in ("self", "organizer")}
        by_email[email] = {**kept, "email": email, "responseStatus": response}
    return list(by_email.values())


def cleaned(body: Json) -> Json:
    """Drop what is empty or the default."""
    return {
        name: value
        for name, value in body.items()
        if value is not None and value not in ("", [], {}) and _DEFAULTS.get(name, _ABSENT) != value
    }


def checked(body: Json) -> Json:
    """Return a complete body without empty fields.

    Raises:
        ApiError: 400 for missing or reversed times, unreadable rules and unknown values.
    """
    out = cleaned(body)
    _check_times(out)
    if out.get("recurrence"):
        _check_series(out)
    if out.setdefault("status", "confirmed") not in _STATUSES:
        raise invalid(f"Invalid status: {out['status']!r}")
    if out.setdefault("eventType", "default") not in _EVENT_TYPES:
        raise invalid(f"Invalid eventType: {out['eventType']!r}")
    out.setdefault("reminders", {"useDefault": not is_all_day(out)})
    return out


def _check_times(body: Json) -> None:
    for name in ("start", "end"):
        if name not in body:
            raise required(f"Missing {name} time.")
    if ("date" in body["start"]) != ("date" in body["end"]):
        raise invalid("Start and end times must either both be date or both be dateTime.")
    if time_us(body["end"], "UTC") < time_us(body["start"], "UTC"):
        raise ApiError(
            400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar", location="timeMax"
        )


def _check_series(body: Json) -> None:
    if not isinstance(body["recurrence"], list):
        raise invalid(f"Invalid recurrence: {body['recurrence']!r} is not a list")
    check_recurrence(body)


def require_zone(body: Json) -> None:
    """Refuse a recurring event without a time zone of its own.

    Raises:
        ApiError: 400.
    """
    start = body.get("start") or {}
    if body.get("recurrence") and start.get("dateTime") and not start.get("timeZone"):
        raise required("Missing time zone definition for start time.")


def from_recorded(payload: Json, zone_name: str) -> Json:
    """Bring a recorded payload into the stored form, so that it can be changed."""
    out = {name: copy_json(value) for name, value in payload.items() if name not in _READ_ONLY}
    out |= writable(out, zone_name)
    for name in ("creator", "organizer"):
        out.get(name, {}).pop("self", None)
    out.pop("id", None)
    return out
