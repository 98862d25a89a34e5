"""events.insert, update, patch, delete and import. Pure; nothing is visible before the operation is committed.

Source: https://developers.google.com/workspace/calendar/api/v3/reference/events
"""

import hashlib
from base64 import b32hexencode

from .bodies import check_client_id, checked, cleaned, require_zone, writable
from .conferences import keep_conference, set_conference
from .copies import is_organizer, spread
from .errors import ApiError, Json, already_deleted, condition_not_met, invalid, required
from .guests import decline, restore_copy, write_as_guest
from .organizers import delete_as_organizer, drop_conferences_of_exceptions, write_as_organizer
from .params import Params, conference_version
from .records import Calendar, Tombstone, Version
from .rendering import without_conference
from .series import resolve, series_deleted
from .state import Operation
from .times import rfc3339_s

_RESTORABLE = (Tombstone.DELETED, Tombstone.REMOVED, Tombstone.EXCEPTION)


def insert(op: Operation, user: str, calendar: Calendar, request: Json, params: Params) -> str:
    """Create an event and return its id."""
    require_zone(request)
    event_id = check_client_id(request["id"]) if request.get("id") else op.state.new_id()
    if event_id in calendar.entries:
        raise ApiError(409, "duplicate", "The requested identifier already exists.")
    body = new_body(op, user, calendar, request, event_id)
    if conference_version(params):
        _set_conference(op, body, request.get("conferenceData"), None)
    op.write(calendar, event_id, body)
    spread(op, event_id, None, body)
    return event_id


def new_body(op: Operation, user: str, calendar: Calendar, request: Json, event_id: str) -> Json:
    """Build the stored body of a new event whose organizer is the calendar."""
    fields = writable(request, calendar.time_zone)
    fields["status"] = fields.get("status") if fields.get("status") == "tentative" else "confirmed"
    fields.pop("originalStartTime", None)
    private = {"privateCopy": True} if request.get("privateCopy") is True else {}
    return (
        checked(fields)
        | private
        | {
            "created": rfc3339_s(op.stamp_us),
            "creator": {"email": user},
            "organizer": organizer_of(calendar),
            "iCalUID": request.get("iCalUID") or f"{event_id}@google.com",
            "sequence": int(request.get("sequence") or 0),
        }
    )


def organizer_of(calendar: Calendar) -> Json:
    """Return the organizer field of events that belong to a calendar."""
    if calendar.primary:
        return {"email": calendar.id}
    return {"email": calendar.id, "displayName": calendar.summary}


def import_event(op: Operation, user: str, calendar: Calendar, request: Json, params: Params) -> str:
    """Add a private copy of an event that exists elsewhere, or bring it up to date; return its id."""
    if not request.get("iCalUID"):
        raise required("Missing iCalUID.")
    event_id = "_" + b32hexencode(request["iCalUID"].encode()).decode().lower().rstrip("=")
    body = new_body(op, user, calendar, request, event_id)
    before = op.read(calendar, event_id)
    organizer = request.get("organizer")
    if organizer:
        body["organizer"] = {name: value for name, value in organizer.items() if name != "self"}
    if before is not None:
        body["created"] = before.body.get("created", body["created"])
    if conference_version(params):
        _set_conference(op, body, request.get("conferenceData"), None)
    op.write(calendar, event_id, body)
    return event_id


def change(
    op: Operation,
    calendar: Calendar,
    event_id: str,
    request: Json,
    params: Params,
    *,
    if_match: str | None,
    merge: bool,
) -> None:
    """Carry out update (the body replaces the event) or patch (`merge`: it is laid over the event)."""
    current = resolve(op, calendar, event_id)
    check_condition(current, if_match)
    if _is_dead(op, calendar, current):
        if request.get("status") in ("confirmed", "tentative") and current.tombstone in _RESTORABLE:
            _restore(op, calendar, event_id, current, request=request, params=params, merge=merge)
        return
    if request.get("status") == "cancelled":
        remove(op, calendar, event_id, if_match=None)
        return
    wanted = _wanted(op, calendar, current.body, request, params, merge=merge)
    if wanted == current.body:
        return
    if is_organizer(calendar, current.body):
        write_as_organizer(op, calendar, event_id, current, wanted)
    else:
        write_as_guest(op, calendar, event_id, current, wanted)


def _is_dead(op: Operation, calendar: Calendar, current: Version) -> bool:
    return current.tombstone is not None or series_deleted(op, calendar, current)


def check_condition(current: Version, if_match: str | None) -> None:
    """Refuse a write that names another version.

    Raises:
        ApiError: 412.
    """
    if if_match and if_match not in ("*", current.etag):
        raise condition_not_met()


def _wanted(op: Operation, calendar: Calendar, stored: Json, request: Json, params: Params, *, merge: bool) -> Json:
    _check_sequence(stored, request)
    fields = writable(_with_zones(stored, request), calendar.time_zone)
    if merge:
        kept, fields = dict(stored), _merge(stored, fields)
    else:
        kept = {name: value for name, value in stored.items() if name in _KEPT_BY_UPDATE}
        fields = {name: value for name, value in fields.items() if name not in ("eventType", "originalStartTime")}
    wanted = checked({**kept, **fields})
    if conference_version(params) and ("conferenceData" in request or not merge):
        _set_conference(op, wanted, request.get("conferenceData"), stored.get("conferenceData"))
    else:
        keep_conference(wanted, stored)
    return wanted


_KEPT_BY_UPDATE = frozenset({
    "created", "creator", "organizer", "iCalUID", "sequence", "recurringEventId", "originalStartTime",
    "eventType", "privateCopy", "locked",
})  # fmt: skip


def _check_sequence(stored: Json, request: Json) -> None:
    if "sequence" in request and int(request["sequence"] or 0) < stored.get("sequence", 0):
        raise invalid(
            "Invalid sequence value. The specified sequence number is below the current sequence number of "
            "the resource. Re-fetch the resource and use its sequence number on the following request."
        )


def _with_zones(stored: Json, request: Json) -> Json:
    """Let times without a zone of their own keep the event's, so that a series' rule keeps its meaning."""
    out = dict(request)
    for name in ("start", "end"):
        wanted, had = out.get(name) or {}, stored.get(name, {})
        if wanted.get("dateTime") and not wanted.get("timeZone") and had.get("timeZone"):
            out[name] = {**wanted, "timeZone": had["timeZone"]}
    return out


def _merge(stored: Json, fields: Json) -> Json:
    """Lay a patch over an event: objects are merged, arrays and times replaced, None clears."""
    out = dict(fields)
    for name in ("extendedProperties", "reminders", "source"):
        if isinstance(out.get(name), dict) and isinstance(stored.get(name), dict):
            out[name] = _merged_object(stored[name], out[name])
    return out


def _merged_object(stored: Json, patch: Json) -> Json:
    out = dict(stored)
    for name, value in patch.items():
        if isinstance(value, dict) and isinstance(out.get(name), dict):
            out[name] = _merged_object(out[name], value)
        else:
            out[name] = value
    return cleaned(out)


def _set_conference(op: Operation, body: Json, wanted: Json | None, stored: Json | None) -> None:
    set_conference(body, wanted, stored, meet_code(op), op.state.options.meet)


def meet_code(op: Operation) -> str:
    """Return ten letters for a Meet code."""
    digest = hashlib.sha256(op.state.new_id().encode()).digest()
    return "".join(chr(97 + byte % 26) for byte in digest[:10])


def _restore(
    op: Operation,
    calendar: Calendar,
    event_id: str,
    current: Version,
    *,
    request: Json,
    params: Params,
    merge: bool,
) -> None:
    if current.tombstone is Tombstone.EXCEPTION and series_deleted(op, calendar, current):
        return
    left = current.body if op.state.options.restore_keeps_conference else without_conference(current.body)
    wanted = _wanted(op, calendar, left, request, params, merge=merge)
    wanted["sequence"] = current.body.get("sequence", 0) + 1
    if is_organizer(calendar, current.body):
        write_as_organizer(op, calendar, event_id, current, wanted)
        if left is not current.body:
            drop_conferences_of_exceptions(op, calendar, event_id)
    else:
        restore_copy(op, calendar, event_id, current, wanted)


def remove(op: Operation, calendar: Calendar, event_id: str, *, if_match: str | None) -> None:
    """Delete an event; for a guest that means to decline it and drop the own copy.

    Raises:
        ApiError: 410 `deleted` when it is deleted already.
    """
    current = resolve(op, calendar, event_id)
    check_condition(current, if_match)
    if _is_dead(op, calendar, current):
        raise already_deleted()
    if is_organizer(calendar, current.body):
        delete_as_organizer(op, calendar, event_id, current)
    else:
        decline(op, calendar, event_id, current)
