"""What a guest's change does: to the own copy, to the guest list, or, where guests may edit, to everyone. Pure."""

from .copies import OWN_FIELDS, is_organizer, new_copy, organizer_calendar, response_of
from .errors import Json, organizer_needed
from .organizers import write_as_organizer
from .records import Calendar, Tombstone, Version
from .series import carry_to_exceptions, find
from .state import Operation

_ORGANIZERS_ONLY = (
    "guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests", "anyoneCanAddSelf", "conferenceData",
    "recurrence",
)  # fmt: skip

_SHARED_ONLY = "Shared properties can only be changed by the organizer of the event."


def write_as_guest(op: Operation, calendar: Calendar, event_id: str, before: Version, wanted: Json) -> None:
    """Store a guest's change of the own copy and pass on what concerns others.

    Raises:
        ApiError: 403 forbiddenForNonOrganizer for what only the organizer may change.
    """
    may_edit = bool(before.body.get("guestsCanModify"))
    _check_rights(calendar, before.body, wanted, may_edit=may_edit)
    op.write(calendar, event_id, wanted, quiet=_only_reminders(before.body, wanted))
    carry_to_exceptions(op, calendar, event_id, before.body, wanted)
    owner, main = _main_copy(op, event_id, before.body)
    if owner is None or main is None:
        return
    changed = _passed_on(main.body, before.body, wanted, may_edit=may_edit)
    if changed != main.body:
        write_as_organizer(op, owner, event_id, main, changed)


def _main_copy(op: Operation, event_id: str, body: Json) -> tuple[Calendar | None, Version | None]:
    """Return the organizer's calendar and living copy, where this server has them."""
    owner = organizer_calendar(op, body)
    main = find(op, owner, event_id) if owner else None
    if owner is None or main is None or main.tombstone is not None or not is_organizer(owner, main.body):
        return None, None
    return owner, main


def _check_rights(calendar: Calendar, before: Json, wanted: Json, *, may_edit: bool) -> None:
    if _shared(before) != _shared(wanted):
        raise organizer_needed(_SHARED_ONLY)
    if may_edit:
        return
    if any(before.get(name) != wanted.get(name) for name in _ORGANIZERS_ONLY):
        raise organizer_needed(_SHARED_ONLY)
    had, has = _by_email(before), _by_email(wanted)
    others_changed = any(has.get(email) != had[email] for email in had.keys() - {calendar.id})
    added = has.keys() - had.keys()
    if others_changed or (added and before.get("guestsCanInviteOthers") is False):
        raise organizer_needed(_SHARED_ONLY)


def _shared(body: Json) -> Json:
    shared: Json = body.get("extendedProperties", {}).get("shared", {})
    return shared


def _by_email(body: Json) -> dict[str, Json]:
    return {attendee["email"]: attendee for attendee in body.get("attendees", ())}


def _only_reminders(before: Json, after: Json) -> bool:
    names = before.keys() | after.keys()
    return all(before.get(name) == after.get(name) for name in names if name != "reminders")


def _passed_on(main: Json, before: Json, wanted: Json, *, may_edit: bool) -> Json:
    """Lay a guest's changes over the main copy: the guest list always, the rest only with the right to edit."""
    out = dict(main)
    names = (before.keys() | wanted.keys()) - OWN_FIELDS if may_edit else {"attendees"}
    for name in names - {"attendees", "extendedProperties"}:
        if before.get(name) != wanted.get(name):
            out.pop(name, None)
            if name in wanted:
                out[name] = wanted[name]
    attendees = _merged_attendees(_by_email(main), _by_email(before), _by_email(wanted))
    if attendees != main.get("attendees", []):
        out["attendees"] = attendees
    return out


def _merged_attendees(main: dict[str, Json], before: dict[str, Json], wanted: dict[str, Json]) -> list[Json]:
    changed = {email: guest for email, guest in wanted.items() if before.get(email) != guest}
    removed = before.keys() - wanted.keys()
    kept = {email: guest for email, guest in main.items() if email not in removed}
    return list((kept | changed).values())


def restore_copy(op: Operation, calendar: Calendar, event_id: str, current: Version, wanted: Json) -> None:
    """Bring back a copy that its guest had removed: as the organizer's is now, or not at all when that is cancelled."""
    owner = organizer_calendar(op, current.body)
    if owner is None:
        op.write(calendar, event_id, wanted)
        return
    _, main = _main_copy(op, event_id, current.body)
    if main is not None and response_of(main.body, calendar.id) is not None:
        op.write(calendar, event_id, new_copy(main.body))


def decline(op: Operation, calendar: Calendar, event_id: str, current: Version) -> None:
    """Drop a guest's own copy, which the organizer sees as a refusal."""
    tombstone = Tombstone.EXCEPTION if current.master_id in calendar.entries else Tombstone.REMOVED
    body = _declined(current.body, calendar.id)
    op.write(calendar, event_id, body, tombstone)
    owner, main = _main_copy(op, event_id, current.body)
    if owner is None or main is None:
        return
    refused = _declined(main.body, calendar.id)
    if refused != main.body:
        write_as_organizer(op, owner, event_id, main, refused)


def _declined(body: Json, email: str) -> Json:
    attendees = [
        {**guest, "responseStatus": "declined"} if guest["email"] == email else guest
        for guest in body.get("attendees", ())
    ]
    return {**body, "attendees": attendees} if attendees else body
