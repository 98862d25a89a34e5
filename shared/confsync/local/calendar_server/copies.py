"""Guests' copies: every known guest's calendar holds a copy of the event that follows the organizer's. Pure.

Source: https://developers.google.com/workspace/calendar/api/concepts/sharing
"""

from collections.abc import Iterable

from .errors import Json
from .records import Calendar, Tombstone, Version
from .series import carry_to_exceptions, find
from .state import Operation

OWN_FIELDS = frozenset({"reminders", "colorId", "transparency"})
"""What each copy has for itself."""


def is_organizer(calendar: Calendar, body: Json) -> bool:
    """Tell whether a calendar holds the main copy of an event."""
    return bool(body.get("organizer", {}).get("email") == calendar.id)


def organizer_calendar(op: Operation, body: Json) -> Calendar | None:
    """Return the calendar that holds the main copy, or None when it is not on this server."""
    return op.state.live_calendar(body.get("organizer", {}).get("email", ""))


def guests(op: Operation, body: Json) -> dict[str, Calendar]:
    """Return the calendars of all guests that this server knows, without the organizer's; a private copy has none."""
    if body.get("privateCopy"):
        return {}
    organizer = body.get("organizer", {}).get("email")
    found = {}
    for attendee in body.get("attendees", ()):
        calendar = op.state.live_calendar(attendee["email"])
        if calendar is not None and calendar.id != organizer:
            found[calendar.id] = calendar
    return found


def response_of(body: Json, email: str) -> str | None:
    """Return a guest's response, or None when there is no such guest."""
    return next((a["responseStatus"] for a in body.get("attendees", ()) if a["email"] == email), None)


def spread(
    op: Operation,
    event_id: str,
    before: Version | None,
    body: Json,
    tombstone: Tombstone | None = None,
    *,
    skip: Iterable[str] = (),
) -> None:
    """Bring the guests' copies in line with what the organizer's copy has become.

    Args:
        before: the organizer's copy before the change, None for a new event.
        skip: calendars that are dealt with elsewhere.
    """
    invited = {} if tombstone else guests(op, body)
    known = guests(op, before.body) if before else {}
    for calendar in invited.values():
        if calendar.id not in skip:
            _follow(op, calendar, event_id, before.body if before else {}, body)
    for calendar in known.values():
        if calendar.id not in invited and calendar.id not in skip:
            _withdraw(op, calendar, event_id, tombstone)


def _follow(op: Operation, calendar: Calendar, event_id: str, before: Json, after: Json) -> None:
    copy = find(op, calendar, event_id)
    if copy is None:
        if not _refused_before(calendar, before, after):
            op.write(calendar, event_id, new_copy(after))
    elif copy.tombstone is None:
        followed = _merged(copy.body, before, after)
        if followed != copy.body and not is_organizer(calendar, copy.body):
            op.write(calendar, event_id, followed)
            carry_to_exceptions(op, calendar, event_id, copy.body, followed)
    elif copy.tombstone in _REVIVABLE and not _stays_away(calendar, copy, after):
        op.write(calendar, event_id, new_copy(after))


def _refused_before(calendar: Calendar, before: Json, after: Json) -> bool:
    """Tell whether a guest's removed copy was forgotten with the trash: it does not come back by itself."""
    return response_of(before, calendar.id) == response_of(after, calendar.id) == "declined"


_REVIVABLE = (Tombstone.ID_ONLY, Tombstone.EXCEPTION, Tombstone.ORPHAN, Tombstone.REMOVED)


def _stays_away(calendar: Calendar, copy: Version, after: Json) -> bool:
    """A guest who removed the own copy gets it back only when no longer counted as declining."""
    removed = copy.tombstone in (Tombstone.REMOVED, Tombstone.EXCEPTION)
    return removed and response_of(after, calendar.id) == "declined"


def _withdraw(op: Operation, calendar: Calendar, event_id: str, tombstone: Tombstone | None) -> None:
    copy = find(op, calendar, event_id)
    # Ids are unique per calendar only: the guest may have another event of the same id.
    if copy is None or copy.tombstone is not None or is_organizer(calendar, copy.body):
        return
    master_id = copy.master_id
    master = op.read(calendar, master_id) if master_id else None
    if tombstone is Tombstone.ORPHAN:
        if event_id in calendar.entries:
            op.write(calendar, event_id, copy.body, Tombstone.ORPHAN)
    elif master is not None:
        if master.tombstone is None:
            op.write(calendar, event_id, copy.body, Tombstone.EXCEPTION)
    else:
        op.write(calendar, event_id, copy.body, Tombstone.ID_ONLY)


def _merged(copy: Json, before: Json, after: Json) -> Json:
    """Carry over what the organizer changed and leave the rest of the copy as it is."""
    out = dict(copy)
    for name in (before.keys() | after.keys()) - OWN_FIELDS:
        if before.get(name) == after.get(name):
            continue
        value = _shared_properties(copy, after) if name == "extendedProperties" else after.get(name)
        out.pop(name, None)
        if value:
            out[name] = value
        elif name in after:
            out[name] = after[name]
    return out


def new_copy(body: Json) -> Json:
    """Build the copy of a guest who had none."""
    copy = {name: value for name, value in body.items() if name not in OWN_FIELDS}
    copy["reminders"] = {"useDefault": "dateTime" in body["start"]}
    copy.pop("extendedProperties", None)
    shared = _shared_properties({}, body)
    return copy | ({"extendedProperties": shared} if shared else {})


def _shared_properties(copy: Json, after: Json) -> Json:
    """Take `shared` from the organizer and keep the copy's own `private`."""
    private = copy.get("extendedProperties", {}).get("private")
    shared = after.get("extendedProperties", {}).get("shared")
    pairs = {"private": private, "shared": shared}
    return {name: value for name, value in pairs.items() if value}
