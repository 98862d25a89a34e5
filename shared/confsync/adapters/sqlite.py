"""The store in one SQLite file: for one machine, shared by the processes on it.

It must never write outside a transaction, and never change a record that it cannot read.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from confsync.adapters.sqlite_file import SqliteFile
from confsync.adapters.stored import (
    QUERIED,
    BufferedTransaction,
    DueRow,
    Write,
    decode,
    decode_due,
    due_place,
    sortable,
)
from confsync.core.conference import Conference
from confsync.core.records import Calendar, Link, Record
from confsync.core.unreadable import Due
from confsync.ports import Transaction

R = TypeVar("R", bound=Record)
T = TypeVar("T")

_ONE = {kind: f"SELECT key, body FROM {kind} WHERE key = ?" for kind in QUERIED}  # noqa: S608  # our own names
_MANY = {
    kind: f"SELECT key, body FROM {kind} WHERE key IN (SELECT value FROM json_each(?))"  # noqa: S608  # our own names
    for kind in QUERIED
}
_PAGE = {
    kind: f"SELECT key, body FROM {kind} WHERE key > ? ORDER BY key LIMIT ?"  # noqa: S608  # our own names
    for kind in QUERIED
}
_LINKS = "SELECT key, body FROM link WHERE calendar_key = ? AND key > ? ORDER BY key LIMIT ?"
_CONFERENCES = (
    "SELECT conference.key, body FROM conference_of CROSS JOIN conference ON conference.key = conference_of.key "
    "WHERE calendar_key = ? AND conference_of.key > ? ORDER BY conference_of.key LIMIT ?"
)
_OF_SUBJECT = "SELECT key, body FROM calendar WHERE tenant = ? AND subject = ? ORDER BY key LIMIT ?"
_NAME = "INSERT INTO conference_of (calendar_key, key) VALUES (?, ?)"
_NAME_NONE = "DELETE FROM conference_of WHERE key = ?"
_DELETE = {kind: f"DELETE FROM {kind} WHERE key = ?" for kind in QUERIED}  # noqa: S608  # our own names


def _upsert(kind: str) -> str:
    names = (*QUERIED[kind], "body")
    marks, updates = ", ?" * len(names), ", ".join(f"{name} = excluded.{name}" for name in names)
    return (
        f"INSERT INTO {kind} (key, {', '.join(names)}) VALUES (?{marks}) "  # noqa: S608  # our own names
        f"ON CONFLICT (key) DO UPDATE SET {updates}"
    )


def _due(kind: str, field: str) -> str:
    return (
        f"SELECT key, {field}, body FROM {kind} "  # noqa: S608  # our own names
        f"WHERE tenant = ? AND {field} <= ? AND ({field}, key) > (?, ?) ORDER BY {field}, key LIMIT ?"
    )


_DUE = {each: _due(*each) for each in (("calendar", "due_at"), ("calendar", "renew_at"), ("conference", "due_at"))}
_PUT = {kind: _upsert(kind) for kind in QUERIED}


class SqliteStore:
    """A serializable store in one file; safe for many threads and processes, and across a fork.

    What `transact` has acknowledged survives a killed process and a power loss. Besides `StoreUnavailable`, every
    method raises `StoreCorrupt` for a file or record that cannot be read, and `SettingsError` for an unusable path.
    """

    def __init__(self, path: Path | str, *, busy_timeout_s: float = 5.0) -> None:
        """Touch nothing; the first call opens the file, and makes it if there is none.

        Args:
            path: of the file, in an existing folder on a local disk; SQLite keeps two more files beside it.
            busy_timeout_s: how long to wait for other writers before `StoreUnavailable`.

        """
        self._file = SqliteFile(Path(path), busy_timeout_s)

    def close(self) -> None:
        """Close the file until the next call; only to be called while no other call runs."""
        self._file.close()

    def transact(self, body: Callable[[Transaction], T]) -> T:
        """Run `body` once, as the only writer, and commit what it wrote; its errors roll back.

        `body` must not call this store: it would wait for itself.
        """
        with self._file.turn_to_write(), self._file.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")

            def reads(kind: type[R], keys: tuple[str, ...]) -> dict[str, R]:
                return self._read(connection, kind, keys)

            transaction = BufferedTransaction(reads)
            try:
                result = body(transaction)
            finally:
                transaction.end()
            _write(connection, transaction.writes)
            connection.execute("COMMIT")
            return result

    def get(self, kind: type[R], key: str) -> R | None:
        """Return the newest committed record, None when there is none."""
        return self.get_many(kind, (key,)).get(key)

    def get_many(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Return the newest committed records that exist, by key."""
        with self._file.connection() as connection:
            return self._read(connection, kind, tuple(keys))

    def links_of(self, calendar_key: str, *, after: str, limit: int) -> list[Link]:
        """Return up to `limit` links of a calendar whose key is greater than `after`, in the order of their keys."""
        return self._list(Link, _LINKS, calendar_key, after, max(limit, 0))

    def conferences_of(self, calendar_key: str, *, after: str, limit: int) -> list[Conference]:
        """Return up to `limit` conferences that know an event of a calendar, as `links_of` does its links."""
        return self._list(Conference, _CONFERENCES, calendar_key, after, max(limit, 0))

    def calendars_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None
    ) -> list[Due[Calendar]]:
        """Return up to `limit` calendars of a tenant with `due_at` at or before `before`, the oldest first.

        Args:
            after: go on behind this one, as it was read.

        """
        return self._due(Calendar, "due_at", tenant, before, limit, after=after)

    def calendars_of(self, tenant: str, subject: str, limit: int) -> list[Calendar]:
        """Return up to `limit` calendars of a tenant as `subject` sees them, in the order of their keys."""
        return self._list(Calendar, _OF_SUBJECT, tenant, subject, max(limit, 0))

    def channels_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None
    ) -> list[Due[Calendar]]:
        """Return up to `limit` calendars of a tenant with `renew_at` at or before `before`, the oldest first.

        Args:
            after: go on behind this one, as it was read.

        """
        return self._due(Calendar, "renew_at", tenant, before, limit, after=after)

    def conferences_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Conference] | None = None
    ) -> list[Due[Conference]]:
        """Return up to `limit` conferences of a tenant with `due_at` at or before `before`, the oldest first.

        Args:
            after: go on behind this one, as it was read.

        """
        return self._due(Conference, "due_at", tenant, before, limit, after=after)

    def all_of(self, kind: type[R], *, after: str, limit: int) -> list[R]:
        """Return up to `limit` records whose key is greater than `after`, in the order of their keys."""
        return self._list(kind, _PAGE[kind.kind], after, max(limit, 0))

    def _due(
        self, kind: type[R], field: str, tenant: str, before: datetime, limit: int, *, after: Due[R] | None
    ) -> list[Due[R]]:
        values = (tenant, sortable(before), *due_place(after, field), max(limit, 0))
        with self._file.connection() as connection:
            rows = connection.execute(_DUE[kind.kind, field], values).fetchall()
        found = (DueRow(_text(key), _text(due), body) for key, due, body in rows)
        return [decode_due(kind, row, self._where(kind)) for row in found]

    def _list(self, kind: type[R], statement: str, *values: str | int) -> list[R]:
        with self._file.connection() as connection:
            rows = connection.execute(statement, values).fetchall()
        return list(self._decoded(kind, rows).values())

    def _read(self, connection: sqlite3.Connection, kind: type[R], keys: tuple[str, ...]) -> dict[str, R]:
        if len(keys) == 1:
            rows = connection.execute(_ONE[kind.kind], keys).fetchall()
        else:
            rows = connection.execute(_MANY[kind.kind], (json.dumps(keys),)).fetchall()
        return self._decoded(kind, rows)

    def _decoded(self, kind: type[R], rows: Iterable[tuple[bytes, bytes]]) -> dict[str, R]:
        keyed = ((_text(key), body) for key, body in rows)
        return {key: decode(kind, key, body, self._where(kind)) for key, body in keyed}

    def _where(self, kind: type[Record]) -> str:
        return f"{self._file.path}, table {kind.kind}"


def _text(stored: bytes) -> str:
    return stored.decode(errors="replace")


def _write(connection: sqlite3.Connection, writes: Mapping[tuple[str, str], Write | None]) -> None:
    for (kind, key), write in writes.items():
        if write is None:
            connection.execute(_DELETE[kind], (key,))
        else:
            connection.execute(_PUT[kind], (key, *write.columns, write.body))
        if kind == Conference.kind:
            connection.execute(_NAME_NONE, (key,))
            connection.executemany(_NAME, ((named, key) for named in (write.calendar_keys if write else ())))
