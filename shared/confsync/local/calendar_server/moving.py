"""events.move: an event gets another organizer, keeps id and iCalUID, and leaves a cancelled stub behind. Pure.

Source: https://developers.google.com/workspace/calendar/api/v3/reference/events/move
"""

from .copies import is_organizer, response_of, spread
from .errors import ApiError, Json, organizer_needed
from .records import Calendar, Tombstone, Version
from .rendering import without_conference
from .series import exceptions_of, resolve, series_deleted
from .state import Operation
from .writing import organizer_of


def move(op: Operation, source: Calendar, event_id: str, destination: Calendar) -> None:
    """Move an event with all its exceptions.

    Raises:
        ApiError: 400 for what cannot be moved, 403 unless `source` is the organizer's calendar, 409 when the
            destination has another event under this id.
    """
    current = resolve(op, source, event_id)
    _check_movable(op, source, event_id, current, destination)
    _move_one(op, source, event_id, current, destination)
    for exception_id, exception in exceptions_of(op, source, event_id).items():
        _move_one(op, source, exception_id, exception, destination)


def _check_movable(op: Operation, source: Calendar, event_id: str, current: Version, destination: Calendar) -> None:
    if current.tombstone is not None or series_deleted(op, source, current):
        raise ApiError(400, "invalid", "Cannot move a cancelled event.")
    if current.master_id is not None:
        raise ApiError(
            400,
            "cannotChangeOrganizerOfInstance",
            "Cannot change the organizer of an instance.",
            domain="calendar",
        )
    if current.body.get("eventType", "default") != "default":
        raise ApiError(400, "eventTypeRestriction", "Events of this type cannot be moved.", domain="calendar")
    if not is_organizer(source, current.body):
        raise organizer_needed("Cannot change the organizer of an event that belongs to another calendar.")
    there = op.read(destination, event_id)
    if there is not None and there.tombstone is None and is_organizer(destination, there.body):
        raise ApiError(409, "duplicate", "The requested identifier already exists.")


def _move_one(op: Operation, source: Calendar, event_id: str, current: Version, destination: Calendar) -> None:
    kept = current.body if op.state.options.move_keeps_conference else without_conference(current.body)
    body: Json = {**kept, "organizer": organizer_of(destination)}
    op.write(destination, event_id, body, current.tombstone)
    stays_guest = response_of(body, source.id) is not None
    op.write(source, event_id, body, Tombstone.MOVED if stays_guest else Tombstone.ID_ONLY)
    if current.tombstone is None:
        spread(op, event_id, current, body, skip=(source.id, destination.id))
