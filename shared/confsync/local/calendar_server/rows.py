"""The rows of a list in a fixed order, each with the version that the list may show. Pure.

A full list goes through the events by id; an incremental one through the changes in their order. What changes while a
caller pages has a position behind the pinned end, so the next incremental list has it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from .queries import ListQuery
from .records import Calendar, Entry, Tombstone, Version
from .recurrence import Start, bounded_starts, instance_body, instance_id, is_occurrence, root_of, start_of
from .series import part_with
from .state import State
from .times import time_us
from .tokens import Cursor


@dataclass(frozen=True, slots=True)
class Position:
    """Where a listing stands."""

    after: int
    """Changes up to here are known to the caller; -1 in a full list."""
    upto: int
    """The pinned end."""
    cursor: Cursor
    """The key of the last row that was shown; empty at the beginning."""
    incremental: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One event or occurrence of a list."""

    key: Cursor
    event_id: str
    version: Version


def visible_change(state: State, calendar: Calendar) -> int:
    """Return the last change that lists may show: all of them, unless lists lag behind."""
    if not state.options.list_lag_ms:
        return calendar.change
    limit_us = state.now_us() - state.options.list_lag_ms * 1000
    upto = calendar.change
    for entry in reversed(calendar.entries.values()):
        if entry.newest.stamp_us <= limit_us:
            break
        hidden = [v.change for v in (*entry.older, entry.newest) if v.stamp_us > limit_us]
        upto = min(upto, min(hidden) - 1)
    return upto


def rows(calendar: Calendar, query: ListQuery, position: Position) -> Iterator[Row]:
    """Yield the rows behind the cursor, earliest key first."""
    if query.order_by is None:
        return _unordered(calendar, query, position)
    zone_name = query.time_zone or calendar.time_zone
    everything = _unordered(calendar, query, replace(position, cursor=[]))
    ordered = [replace(row, key=[_order_key(query, row.version, zone_name), row.event_id]) for row in everything]
    return iter(sorted((row for row in ordered if row.key > position.cursor), key=lambda row: row.key))


def _order_key(query: ListQuery, version: Version, zone_name: str) -> int:
    if query.order_by == "updated" or "start" not in version.body:
        return version.updated_us
    return time_us(version.body["start"], zone_name)


def _unordered(calendar: Calendar, query: ListQuery, position: Position) -> Iterator[Row]:
    for event_id, version in _shown(calendar, position):
        first: int | str = version.change if position.incremental else event_id
        for index, (row_id, row_version) in enumerate(_unfolded(calendar, query, event_id, version)):
            key: Cursor = [first, index]
            if key > position.cursor:
                yield Row(key, row_id, row_version)


def _shown(calendar: Calendar, position: Position) -> Iterable[tuple[str, Version]]:
    """Return the events of a list, each with the version that it shows, in the order of the rows' keys."""
    versions = ((event_id, _version_at(calendar.entries[event_id], position)) for event_id in _ids(calendar, position))
    shown = ((event_id, version) for event_id, version in versions if version is not None)
    # While lists lag, an event is not where its newest change would put it.
    return sorted(shown, key=lambda pair: pair[1].change) if position.incremental else shown


def _ids(calendar: Calendar, position: Position) -> list[str]:
    if not position.incremental:
        ids = sorted(calendar.entries)
        return ids[bisect_left(ids, str(position.cursor[0])) :] if position.cursor else ids
    ids = []
    for event_id in reversed(calendar.entries):
        if calendar.entries[event_id].newest.change <= position.after:
            break
        ids.append(event_id)
    return ids[::-1]


def _version_at(entry: Entry, position: Position) -> Version | None:
    """Return the version that a pinned list shows, or None when it shows none.

    A full list shows a later version rather than leave an event out that was there when the list began.
    """
    versions = (*entry.older, entry.newest)
    shown = next((v for v in reversed(versions) if v.change <= position.upto), None)
    if position.incremental:
        return shown if shown is not None and shown.listed_change > position.after else None
    return shown or (versions[0] if entry.first_change <= position.upto else None)


def _unfolded(calendar: Calendar, query: ListQuery, event_id: str, version: Version) -> Iterator[tuple[str, Version]]:
    """Yield an event, or in place of a series its occurrences when single events are wanted."""
    if not query.single_events or version.verbatim:
        yield event_id, version
        return
    incremental = query.sync_token is not None
    recurs = bool(version.body.get("recurrence"))
    if incremental and recurs and any("recurrence" not in rules for rules in version.former):
        # It was a single event before, which whoever lists single events must forget first.
        yield event_id, replace(version, tombstone=Tombstone.ID_ONLY, former=())
    if recurs:
        yield from occurrences(calendar, event_id, version)
    elif not _came_back(calendar, version):
        yield event_id, version
    if incremental:
        yield from _vanished(calendar, event_id, version)


def occurrences(calendar: Calendar, master_id: str, master: Version) -> Iterator[tuple[str, Version]]:
    """Yield the occurrences of a series that are not stored as exceptions; those of a deleted one are cancelled."""
    tombstone = Tombstone.EXCEPTION if master.tombstone else None
    for start in bounded_starts(master.body):
        event_id = instance_id(master_id, start)
        if not _stored(calendar, event_id) and _part_with(calendar, master_id, start) == master_id:
            body = {**instance_body(master.body, start), "recurringEventId": master_id}
            yield event_id, replace(master, body=body, tombstone=tombstone, former=())


def _came_back(calendar: Calendar, version: Version) -> bool:
    """Tell whether an occurrence exists again whose exception was given up."""
    if version.tombstone is not Tombstone.ORPHAN or version.master_id is None:
        return False
    return _part_with(calendar, version.master_id, start_of(version.body["originalStartTime"])) is not None


def _vanished(calendar: Calendar, master_id: str, master: Version) -> Iterator[tuple[str, Version]]:
    """Yield, as cancelled, the occurrences that a series had under former rules only."""
    for rules in master.former:
        if "recurrence" not in rules:
            continue
        body = {name: value for name, value in master.body.items() if name != "recurrence"} | rules
        for start in bounded_starts(body):
            event_id = instance_id(master_id, start)
            if not _stored(calendar, event_id) and _part_with(calendar, master_id, start) is None:
                gone = {**instance_body(body, start), "recurringEventId": master_id}
                yield event_id, replace(master, body=gone, tombstone=Tombstone.EXCEPTION, former=())


def _part_with(calendar: Calendar, master_id: str, start: Start) -> str | None:
    """Return the part of a split series that has an occurrence."""
    family = calendar.families.get(root_of(master_id), {master_id})
    if len(family) == 1:
        return master_id if is_occurrence(calendar.entries[master_id].newest.body, start) else None
    parts = {part: calendar.entries[part].newest for part in family}
    return part_with({part: version for part, version in parts.items() if not version.verbatim}, start)


def _stored(calendar: Calendar, event_id: str) -> bool:
    entry = calendar.entries.get(event_id)
    return entry is not None and entry.newest.tombstone is not Tombstone.ORPHAN
