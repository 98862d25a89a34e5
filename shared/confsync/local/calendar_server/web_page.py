"""What Calendar's web page can do that no API call can, in the form in which recordings show the results. Pure.

"This and following" cuts the series: the old master gets an UNTIL, the new part carries the same conference; changed
occurrences behind the cut are given up.
"""

from .bodies import checked, writable
from .conferences import keep_conference, settle
from .copies import is_organizer, spread
from .errors import ApiError, Json, invalid, organizer_needed
from .organizers import write_as_organizer
from .records import Calendar, Tombstone, Version
from .recurrence import continued, end_json, part_id, root_of, start_json, start_of, trimmed
from .rendering import without_conference
from .series import resolve, series_deleted
from .state import Operation
from .writing import meet_code, new_body


def edit_this_and_following(op: Operation, calendar: Calendar, instance_id: str, changes: Json) -> str:
    """Cut a series at an occurrence, apply changes to what follows, and return the id of the new part.

    Without a change of time the part is `<root>_R<UTC stamp>`; with one it has an unrelated id and iCalUID.
    """
    instance, master_id, master = _cut_at(op, calendar, instance_id)
    fields = checked_changes(calendar, changes)
    if _is_first(instance, master):
        _edit_one(op, calendar, master_id, fields)
        return master_id
    start = start_of(instance.body["originalStartTime"])
    moved = "start" in fields or "end" in fields
    new_id = op.state.new_id() if moved else part_id(master_id, start)
    kept = master.body if op.state.options.split_keeps_conference else without_conference(master.body)
    body: Json = {
        **kept,
        "start": start_json(master.body, start),
        "end": end_json(master.body, start),
        "recurrence": continued(master.body, start),
        "iCalUID": f"{new_id}@google.com",
    }
    _trim(op, calendar, master_id, master, instance)
    body = checked({**body, **fields})
    op.write(calendar, new_id, body)
    spread(op, new_id, None, body)
    return new_id


def delete_this_and_following(op: Operation, calendar: Calendar, instance_id: str) -> str:
    """End a series before an occurrence and return the master's id.

    Raises:
        ApiError: 400 at the first occurrence, where the web page deletes the whole series.
    """
    instance, master_id, master = _cut_at(op, calendar, instance_id)
    if _is_first(instance, master):
        raise invalid(f"{instance_id} is the first occurrence: delete the series {master_id} instead")
    _trim(op, calendar, master_id, master, instance)
    return master_id


def _cut_at(op: Operation, calendar: Calendar, instance_id: str) -> tuple[Version, str, Version]:
    instance = resolve(op, calendar, instance_id)
    if instance.master_id is None:
        raise invalid(f"{instance_id} is not an occurrence of a series")
    master = resolve(op, calendar, instance.master_id)
    if not is_organizer(calendar, master.body):
        raise organizer_needed("Only the organizer can split a series.")
    return instance, instance.master_id, master


def _is_first(instance: Version, master: Version) -> bool:
    return bool(instance.body["originalStartTime"] == master.body["start"])


def _trim(op: Operation, calendar: Calendar, master_id: str, master: Version, at: Version) -> None:
    start = start_of(at.body["originalStartTime"])
    body = {**master.body, "recurrence": trimmed(master.body, start)}
    # Cutting a series does not raise its sequence, as recordings show.
    op.write(calendar, master_id, body)
    spread(op, master_id, master, body)
    for event_id in sorted(calendar.exceptions.get(master_id, ())):
        exception = resolve(op, calendar, event_id)
        if exception.tombstone is Tombstone.ORPHAN:
            continue
        original = start_of(exception.body["originalStartTime"])
        if type(original) is type(start) and original >= start:
            op.write(calendar, event_id, exception.body, Tombstone.ORPHAN)
            spread(op, event_id, exception, exception.body, Tombstone.ORPHAN)


def edit_all(op: Operation, calendar: Calendar, master_id: str, changes: Json) -> list[str]:
    """Change a series and all parts that were split off it; return the masters' ids."""
    fields = checked_changes(calendar, changes)
    changed = []
    for part in sorted(calendar.families.get(root_of(master_id), {master_id})):
        version = op.read(calendar, part)
        if version is not None and not version.cancelled and (part == master_id or not _moves(fields)):
            _edit_one(op, calendar, part, fields)
            changed.append(part)
    return changed


def _moves(fields: Json) -> bool:
    return any(name in fields for name in ("start", "end", "recurrence"))


def _edit_one(op: Operation, calendar: Calendar, master_id: str, fields: Json) -> None:
    master = resolve(op, calendar, master_id)
    if not is_organizer(calendar, master.body):
        raise organizer_needed("Only the organizer can edit a series as a whole.")
    wanted = checked({**master.body, **fields})
    if wanted != master.body:
        write_as_organizer(op, calendar, master_id, master, wanted)


def checked_changes(calendar: Calendar, changes: Json) -> Json:
    """Bring changes into the stored form; conferenceData may be among them."""
    fields = writable(changes, calendar.time_zone)
    if "conferenceData" in changes:
        fields |= {"conferenceData": changes["conferenceData"], "hangoutLink": None}
    return fields


_DUPLICATED = (
    "summary", "description", "location", "start", "end", "recurrence", "attendees", "visibility", "transparency",
    "reminders", "colorId", "guestsCanModify", "guestsCanInviteOthers", "guestsCanSeeOtherGuests",
)  # fmt: skip


def duplicate(op: Operation, user: str, calendar: Calendar, event_id: str) -> str:
    """Copy an event into the same calendar, which organizes the copy, and return the copy's id.

    Raises:
        ApiError: 400 for a cancelled event.
    """
    source = resolve(op, calendar, event_id)
    if source.tombstone is not None or series_deleted(op, calendar, source):
        raise invalid(f"{event_id} is cancelled: restore it first")
    copied = {name: source.body[name] for name in _DUPLICATED if name in source.body}
    if "attendees" in copied:
        copied["attendees"] = [_invited_anew(calendar, guest) for guest in copied["attendees"]]
    new_id = op.state.new_id()
    body = new_body(op, user, calendar, copied, new_id)
    if op.state.options.duplicate_keeps_conference:
        keep_conference(body, source.body)
    op.write(calendar, new_id, body)
    spread(op, new_id, None, body)
    return new_id


def _invited_anew(calendar: Calendar, guest: Json) -> Json:
    kept = {name: value for name, value in guest.items() if name != "comment"}
    return {**kept, "responseStatus": "accepted" if guest["email"] == calendar.id else "needsAction"}


def delete_forever(op: Operation, calendar: Calendar, event_id: str) -> None:
    """Empty one event out of the trash: only a scrubbed tombstone stays.

    Raises:
        ApiError: 400 unless the event is deleted already.
    """
    current = resolve(op, calendar, event_id)
    if current.tombstone not in (Tombstone.DELETED, Tombstone.REMOVED):
        raise ApiError(400, "invalid", f"{event_id} is not in the trash: delete it first")
    op.write(calendar, event_id, current.body, Tombstone.SCRUBBED)


def settle_conferences(op: Operation, calendar: Calendar, outcome: str) -> int:
    """Finish the pending Meet requests of events that a calendar organizes and return how many there were."""
    settled = 0
    for event_id, entry in list(calendar.entries.items()):
        version = entry.newest
        if version.cancelled or not is_organizer(calendar, version.body):
            continue
        body = settle(version.body, meet_code(op), "failure" if outcome == "failure" else "success")
        if body is not None:
            op.write(calendar, event_id, body)
            spread(op, event_id, version, body)
            settled += 1
    return settled
