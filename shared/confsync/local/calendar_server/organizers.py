"""What follows when the main copy of an event changes: its exceptions and the guests' copies. Pure."""

from .copies import spread
from .errors import Json
from .records import Calendar, Tombstone, Version
from .rendering import without_conference
from .series import carry_to_exceptions, exceptions_of
from .state import Operation

_TIMES = ("start", "end", "recurrence")


def write_as_organizer(op: Operation, calendar: Calendar, event_id: str, before: Version, wanted: Json) -> None:
    """Store a new state of the main copy (which also revives it) and carry it to exceptions and guests."""
    body = _raised(before, wanted)
    quiet = before.tombstone is None and _only_reminders(before.body, body)
    op.write(calendar, event_id, body, quiet=quiet)
    spread(op, event_id, before, body)
    if "recurringEventId" not in body:
        _carry(op, calendar, event_id, before, body)


def _raised(before: Version, wanted: Json) -> Json:
    """Raise the sequence when times change; a client's larger sequence was taken over before."""
    moved = any(before.body.get(name) != wanted.get(name) for name in _TIMES)
    sequence = max(before.body.get("sequence", 0) + int(moved), wanted.get("sequence", 0))
    return {**wanted, "sequence": sequence}


def _only_reminders(before: Json, after: Json) -> bool:
    names = before.keys() | after.keys()
    return all(before.get(name) == after.get(name) for name in names if name != "reminders")


def _carry(op: Operation, calendar: Calendar, master_id: str, before: Version, body: Json) -> None:
    for carried in carry_to_exceptions(op, calendar, master_id, before.body, body):
        changed = carried.body != carried.before.body or before.tombstone is not None
        if carried.tombstone is Tombstone.ORPHAN or (carried.tombstone is None and changed):
            spread(op, carried.event_id, carried.before, carried.body, carried.tombstone)


def delete_as_organizer(op: Operation, calendar: Calendar, event_id: str, current: Version) -> None:
    """Delete the main copy: a cancelled exception of a live series, or a tombstone that keeps its details."""
    tombstone = Tombstone.EXCEPTION if current.master_id else Tombstone.DELETED
    body = {**current.body, "sequence": current.body.get("sequence", 0) + 1}
    op.write(calendar, event_id, body, tombstone)
    spread(op, event_id, current, body, tombstone)
    for exception_id, exception in exceptions_of(op, calendar, event_id).items():
        if exception.tombstone is None:
            spread(op, exception_id, exception, exception.body, Tombstone.DELETED)


def drop_conferences_of_exceptions(op: Operation, calendar: Calendar, master_id: str) -> None:
    """Take the conferences from the changed occurrences of a series, also those that have one of their own."""
    for exception_id, exception in exceptions_of(op, calendar, master_id).items():
        body = without_conference(exception.body)
        if exception.tombstone is None and body != exception.body:
            op.write(calendar, exception_id, body)
            spread(op, exception_id, exception, body)
