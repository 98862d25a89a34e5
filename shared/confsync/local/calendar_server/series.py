"""Finding events and occurrences by id, and keeping exceptions in step with their series. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .bodies import from_recorded
from .errors import Json, not_found
from .records import Calendar, Tombstone, Version
from .recurrence import (
    Start,
    instance_body,
    is_occurrence,
    parse_instance_id,
    start_of,
)
from .state import Operation

_NOT_INHERITED = frozenset({
    "start", "end", "recurrence", "id", "created", "iCalUID", "sequence", "status", "recurringEventId",
    "originalStartTime", "creator",
})  # fmt: skip


def find(op: Operation, calendar: Calendar, event_id: str) -> Version | None:
    """Return an event or an occurrence of a series, stored or not; None when the calendar never had it."""
    stored = op.read(calendar, event_id)
    if stored is not None and stored.tombstone is not Tombstone.ORPHAN:
        return _changeable(stored, calendar)
    return find_unstored(op, calendar, event_id) or stored


def resolve(op: Operation, calendar: Calendar, event_id: str) -> Version:
    """Do as `find`.

    Raises:
        ApiError: 404 when there is no such event.
    """
    version = find(op, calendar, event_id)
    if version is None:
        raise not_found()
    return version


def find_unstored(op: Operation, calendar: Calendar, event_id: str) -> Version | None:
    """Return the occurrence that an instance id names, made from its master, or None."""
    parsed = parse_instance_id(event_id)
    if parsed is None:
        return None
    root, start = parsed
    stored = {part: op.read(calendar, part) for part in calendar.families.get(root, ())}
    parts = {part: _changeable(version, calendar) for part, version in stored.items() if version}
    master_id = part_with(parts, start)
    if master_id is None:
        return None
    series = parts[master_id]
    body = {**instance_body(series.body, start), "recurringEventId": master_id}
    dead = Tombstone.EXCEPTION if series.tombstone else None
    return replace(series, body=body, tombstone=dead, verbatim=False)


def part_with(parts: Mapping[str, Version], start: Start) -> str | None:
    """Return the part of a series that an occurrence belongs to: a living one before a deleted one, a later before an
    earlier one; None when no part has it.
    """
    having = [
        (version.tombstone is None, part) for part, version in parts.items() if is_occurrence(version.body, start)
    ]
    return max(having)[1] if having else None


def _changeable(version: Version, calendar: Calendar) -> Version:
    if not version.verbatim:
        return version
    tombstone = Tombstone.DELETED if version.cancelled else None
    if tombstone and "start" not in version.body:
        tombstone = Tombstone.ID_ONLY
    body = from_recorded(version.body, calendar.time_zone)
    return replace(version, body=body, tombstone=tombstone, verbatim=False)


def series_tombstone(op: Operation, calendar: Calendar, version: Version) -> Tombstone | None:
    """Return the tombstone of an exception's series in this calendar; None while it lives or is unknown."""
    master = op.read(calendar, version.master_id) if version.master_id else None
    return master.tombstone if master is not None else None


def series_deleted(op: Operation, calendar: Calendar, version: Version) -> bool:
    """Tell whether an exception's series is deleted in this calendar."""
    return series_tombstone(op, calendar, version) is not None


def exceptions_of(op: Operation, calendar: Calendar, master_id: str) -> dict[str, Version]:
    """Return the stored exceptions of a series that still mean something, by id; some may be another series' by now."""
    found = {}
    for event_id in sorted(calendar.exceptions.get(master_id, ())):
        version = op.read(calendar, event_id)
        if version is not None and version.master_id == master_id and version.tombstone is not Tombstone.ORPHAN:
            found[event_id] = _changeable(version, calendar)
    return found


def orphaned(master: Json, exception: Json) -> bool:
    """Tell whether a series no longer has the occurrence that an exception stands for."""
    return not is_occurrence(master, start_of(exception["originalStartTime"]))


def inherited(before: Json, after: Json, exception: Json) -> Json:
    """Return an exception's body after its series changed: what it did not override follows the series."""
    out = dict(exception)
    for name in (before.keys() | after.keys()) - _NOT_INHERITED:
        if before.get(name) != after.get(name) and exception.get(name) == before.get(name):
            out.pop(name, None)
            if name in after:
                out[name] = after[name]
    return out


@dataclass(frozen=True, slots=True)
class Carried:
    """What a change of a series made of one of its exceptions."""

    event_id: str
    before: Version
    body: Json
    tombstone: Tombstone | None


def carry_to_exceptions(op: Operation, calendar: Calendar, master_id: str, before: Json, after: Json) -> list[Carried]:
    """Let exceptions inherit what they did not override, and give up those whose occurrence is gone.

    Returns:
        All exceptions of the series in this calendar, changed or not.
    """
    carried = []
    for event_id, exception in exceptions_of(op, calendar, master_id).items():
        gone = orphaned(after, exception.body)
        body = exception.body if gone else inherited(before, after, exception.body)
        tombstone = Tombstone.ORPHAN if gone else exception.tombstone
        if gone or body != exception.body:
            op.write(calendar, event_id, body, tombstone)
        carried.append(Carried(event_id, exception, body, tombstone))
    return carried
