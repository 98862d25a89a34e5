"""One SQLite file that holds everything, written before each answer, so that a killed process loses nothing.

Opening never overwrites what it cannot read: a foreign or damaged file is an error.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .records import Calendar, Channel, Entry, Tombstone, User, Version
from .state import State

_APPLICATION_ID = 0x63_61_6C_73  # "cals"
_SCHEMA = """
create table meta (name text primary key, value text not null) strict;
create table users (email text primary key, json text not null) strict;
create table calendars (id text primary key, json text not null) strict;
create table events (calendar_id text, id text, change integer not null, json text not null,
                     primary key (calendar_id, id)) strict, without rowid;
create table channels (id text primary key, json text not null) strict;
"""


class StorageError(Exception):
    """Say that a file cannot be used; the message names the file and the way out."""


class Storage:
    """A file of calendars, open until `close`."""

    def __init__(self, path: Path) -> None:
        """Open a file or create it.

        Raises:
            StorageError: the folder is not writable, or the file is damaged or another program's.
        """
        self._path = path
        self._connection = _opened(path)

    def secret(self, fresh: str) -> str:
        """Return the secret that signs sync tokens; a new file keeps `fresh`."""
        with self._connection as db:
            db.execute("insert or ignore into meta values ('secret', ?)", (fresh,))
            found: str = db.execute("select value from meta where name = 'secret'").fetchone()[0]
        return found

    def load(self, state: State) -> None:
        """Fill an empty state with what the file holds."""
        for _, record in self._records("users"):
            state.users[record["email"]] = User(**record)
        for _, record in self._records("calendars"):
            state.calendars[record["id"]] = Calendar(**record)
        for _, record in self._records("channels"):
            state.channels[record["id"]] = Channel(**record)
        rows = self._connection.execute("select calendar_id, id, json from events order by change")
        for calendar_id, event_id, text in rows:
            self._load_event(state, calendar_id, event_id, json.loads(text))
        state.list_change = max((user.list_change for user in state.users.values()), default=0)

    def _load_event(self, state: State, calendar_id: str, event_id: str, record: dict[str, Any]) -> None:
        tombstone = record.pop("tombstone")
        former = tuple(record.pop("former"))
        # A listing that went on across a restart may not have told of the change before: it is told again.
        record.pop("unlisted_after", None)
        version = Version(**record, tombstone=Tombstone(tombstone) if tombstone else None, former=former)
        calendar = state.calendars[calendar_id]
        state.apply(calendar, event_id, version)
        # Where its history begins is forgotten: a listing that went on across a restart then shows it.
        calendar.entries[event_id] = Entry(version)
        state.last_stamp_us = max(state.last_stamp_us, version.stamp_us)

    def _records(self, table: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for row in self._connection.execute(f"select * from {table}"):  # noqa: S608  (names from this file only)
            yield row[0], json.loads(row[1])

    def save(self, state: State) -> None:
        """Store everything that has changed since the last call, in one transaction."""
        if not state.dirty:
            return
        with self._connection as db:
            for kind, record_id, event_id in state.dirty:
                if kind == "event" and event_id not in state.calendars[record_id].entries:
                    db.execute(_FORGET, (record_id, event_id))
                else:
                    db.execute(_INSERTS[kind], _values(state, kind, record_id, event_id))
        state.dirty.clear()

    def clear(self) -> None:
        """Forget everything but the secret."""
        with self._connection as db:
            for table in ("users", "calendars", "events", "channels"):
                db.execute(f"delete from {table}")  # noqa: S608  (names from this file only)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


_FORGET = "delete from events where calendar_id = ? and id = ?"
_INSERTS = {
    "user": "insert or replace into users values (?, ?)",
    "calendar": "insert or replace into calendars values (?, ?)",
    "channel": "insert or replace into channels values (?, ?)",
    "event": "insert or replace into events values (?, ?, ?, ?)",
}


def _values(state: State, kind: str, record_id: str, event_id: str) -> tuple[str | int, ...]:
    if kind == "event":
        version = state.calendars[record_id].entries[event_id].newest
        record = {name: getattr(version, name) for name in Version.__slots__}
        return record_id, event_id, version.change, _text(record)
    if kind == "calendar":
        record = {name: getattr(state.calendars[record_id], name) for name in Calendar.__slots__}
        return record_id, _text({k: v for k, v in record.items() if k not in _REBUILT})
    if kind == "user":
        return record_id, _text(asdict(state.users[record_id]))
    return record_id, _text(asdict(state.channels[record_id]))


_REBUILT = ("entries", "exceptions", "families")


def _text(record: object) -> str:
    return json.dumps(record, separators=(",", ":"))


def _opened(path: Path) -> sqlite3.Connection:
    if not path.parent.is_dir():
        raise StorageError(f"{path.parent} is not a folder: create it, or name another file than {path}")
    try:
        # One event loop uses it; tests may open and close it on different threads.
        connection = sqlite3.connect(path, timeout=0.2, isolation_level="IMMEDIATE", check_same_thread=False)
    except sqlite3.Error as error:
        raise StorageError(f"{path} cannot be opened ({error}): is its folder writable?") from error
    try:
        _prepare(connection, path)
    except (sqlite3.Error, StorageError) as error:
        connection.close()
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{path} cannot be used ({error}): name another file, or move this one away") from error
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("pragma application_id").fetchone()[0]
    tables = connection.execute("select count(*) from sqlite_master").fetchone()[0]
    if application != _APPLICATION_ID and tables:
        raise StorageError(f"{path} is another program's database: name another file")
    # Two servers on one file would each believe that theirs is the truth.
    connection.execute("pragma locking_mode = exclusive")
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = normal")
    if not tables:
        connection.executescript(f"begin; {_SCHEMA} pragma application_id = {_APPLICATION_ID}; commit;")
    if connection.execute("pragma quick_check").fetchone()[0] != "ok":
        raise StorageError(f"{path} is damaged: restore it from a copy, or name another file")
