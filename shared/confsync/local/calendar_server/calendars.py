"""Users, calendars, sharing, and the calendar list. Pure."""

from .errors import ApiError, Json, full_sync_required, not_found, required
from .params import Params, text
from .records import Calendar, Role, Tombstone, User
from .state import Operation, State
from .times import zone
from .tokens import SyncToken, decode_sync, encode

_LIST_ID = "calendarList"


def add_user(state: State, email: str, time_zone: str) -> User:
    """Create a user with a primary calendar; a known user is left as is."""
    email = email.lower()
    if email not in state.users:
        state.users[email] = User(email)
        add_calendar(state, Calendar(email, email, time_zone, primary=True, owner=email, roles={email: "owner"}))
        state.mark("user", email)
    return state.users[email]


def add_calendar(state: State, calendar: Calendar) -> Calendar:
    """Create a calendar.

    Raises:
        ApiError: 409 when the id is taken.
    """
    if calendar.id in state.calendars:
        raise ApiError(409, "duplicate", f"Calendar {calendar.id} exists already.")
    calendar.updated_us = state.next_stamp_us()
    state.calendars[calendar.id] = calendar
    state.touch_list(calendar)
    return calendar


def suspend(state: State, email: str, *, suspended: bool) -> None:
    """Suspend a user or end the suspension.

    Raises:
        ApiError: 404 for an unknown user.
    """
    user = state.users.get(email.lower())
    if user is None:
        raise not_found()
    user.suspended = suspended
    state.mark("user", user.email)


def share(state: State, calendar: Calendar, roles: dict[str, Role]) -> None:
    """Set roles; `none` withdraws access. Sync tokens of users whose role changes expire."""
    for email in roles:
        if calendar.primary and email == calendar.id:
            raise ApiError(400, "cannotChangeOwnPrimary", f"{email} always owns the primary calendar.")
    before = set(calendar.roles)
    calendar.roles |= roles
    state.touch_list(calendar)
    for email in before - set(calendar.roles):
        state.mark("user", email)


def insert_calendar(state: State, email: str, body: Json) -> Calendar:
    """Create a secondary calendar that a user owns.

    Raises:
        ApiError: 400 without a summary.
    """
    summary = text(body, "summary")
    if summary is None:
        raise required("Missing summary.")
    zone_name = text(body, "timeZone") or state.calendars[email].time_zone
    zone(zone_name)
    calendar = Calendar(f"c_{state.new_id()}@group.calendar.google.com", summary, zone_name, owner=email)
    calendar.roles = {email: "owner"}
    calendar.description = text(body, "description") or ""
    return add_calendar(state, calendar)


def delete_calendar(state: State, calendar: Calendar) -> None:
    """Delete a secondary calendar: from now on it is not found.

    Raises:
        ApiError: 403 for a primary calendar.
    """
    if calendar.primary:
        raise ApiError(403, "cannotDeletePrimary", "Cannot delete a primary calendar.", domain="calendar")
    calendar.deleted = True
    state.touch_list(calendar)


def clear_calendar(op: Operation, calendar: Calendar) -> list[str]:
    """Return the ids of all live events, masters and singles, that a clear must delete."""
    return [
        event_id
        for event_id in sorted(calendar.entries)
        if (version := op.read(calendar, event_id)) is not None
        and not version.cancelled
        and version.tombstone is not Tombstone.ORPHAN
        and version.master_id is None
    ]


def calendar_json(calendar: Calendar) -> Json:
    """Return the resource of calendars.get."""
    out: Json = {
        "kind": "calendar#calendar",
        "etag": f'"{calendar.updated_us * 2}"',
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    return out | ({"description": calendar.description} if calendar.description else {})


def list_entry(calendar: Calendar, email: str) -> Json:
    """Return a calendar as an entry of a user's calendar list; one out of reach only says that it is deleted."""
    entry: Json = {
        "kind": "calendar#calendarListEntry",
        "etag": f'"{calendar.updated_us * 2}"',
        "id": calendar.id,
    }
    role = calendar.role_of(email)
    if role == "none":
        return entry | {"deleted": True, "defaultReminders": []}
    entry |= {"summary": calendar.summary, "timeZone": calendar.time_zone, "colorId": "14", "selected": True}
    entry |= {"accessRole": role, "defaultReminders": []}
    entry |= {"conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]}}
    return entry | ({"primary": True} if calendar.id == email else {})


def calendar_list(state: State, email: str, params: Params) -> Json:
    """Return a user's calendar list, whole or, with a sync token, when anything in it has changed."""
    user = state.users[email]
    sync_token = text(params, "syncToken")
    entries = [c for c in state.calendars.values() if email in c.roles]
    if sync_token is None:
        items = [list_entry(c, email) for c in entries if c.role_of(email) != "none"]
    else:
        token = decode_sync(state.secret, sync_token)
        if token.calendar_id != _LIST_ID or token.fingerprint != email:
            raise not_found()
        if token.upto > user.list_change:
            raise full_sync_required()
        items = [list_entry(c, email) for c in entries] if token.upto < user.list_change else []
    fresh = SyncToken(_LIST_ID, 0, user.list_change, email, "", state.now_us())
    return {
        "kind": "calendar#calendarList",
        "etag": f'"p{user.list_change:x}o"',
        "nextSyncToken": encode(state.secret, fresh),
        "items": items,
    }
