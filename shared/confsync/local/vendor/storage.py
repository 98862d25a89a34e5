"""Keeps the conferences and the log of calls in one SQLite file, or in memory.

What was answered survives a killed process (write-ahead log). One process owns a file. It must never write to a file
that it did not make, nor be used by two threads at once.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from confsync.local.vendor.conferences import KEPT_AFTER_END, Conference, forgotten, replaced

T = TypeVar("T")

APPLICATION_ID = 0x76_65_6E_64
"""Marks the file as ours in its header."""
VERSION = 1
KEPT_CALLS = 10_000
# Beside the schema, so that a file from before there were such operations goes on as it is.
_OPERATIONS = """
CREATE TABLE IF NOT EXISTS creations (operation_id TEXT PRIMARY KEY, conference_id TEXT NOT NULL) WITHOUT ROWID
"""
_MAGIC = b"SQLite format 3\0"

_SCHEMA = f"""
BEGIN;
CREATE TABLE conferences (
    conference_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, ended_at TEXT, record TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX conferences_by_revision ON conferences (revision);
CREATE INDEX conferences_by_end ON conferences (ended_at) WHERE ended_at IS NOT NULL;
CREATE TABLE calls (number INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
COMMIT;
"""


class StorageUnusableError(Exception):
    """The file cannot be used; the message says why, and nothing was written to it."""


class Storage:
    """The conferences by id, each with the revision at which it last changed; and the last calls."""

    def __init__(self, file: Path | None, kept_calls: int = KEPT_CALLS) -> None:
        """Open the file, or (None) the memory; make the file if there is none.

        Raises:
            StorageUnusableError: it is not ours, damaged, or in use by another process.

        """
        self._kept_calls = kept_calls
        if file is not None:
            _refuse_foreign(file)
        try:
            self._db = sqlite3.connect(file or ":memory:", isolation_level=None, check_same_thread=False, timeout=1)
        except sqlite3.Error as error:
            raise StorageUnusableError(f"{file} cannot be opened: {error}") from error
        try:
            _prepare(self._db)
        except (sqlite3.Error, ValidationError, StorageUnusableError) as error:
            self._db.close()
            raise StorageUnusableError(f"{file} cannot be used: {_first_line(error)}") from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def change(self, conference_id: str, body: Callable[[Conference | None], tuple[Conference | None, T]]) -> T:
        """Read one conference, store what `body` returns if it differs, and return its answer, in one transaction."""
        with self._transaction():
            stored = self.get(conference_id)
            changed, answer = body(stored)
            if changed is not None and changed != stored:
                self._put(changed)
                self._forget(changed.changed_at)
        return answer

    def make(self, operation_id: str, body: Callable[[], Conference]) -> tuple[Conference, bool]:
        """Return what the operation made before, else store what `body` returns; and whether it is new.

        One transaction: conference, operation and the mark on the conference that is replaced come about together.
        """
        with self._transaction():
            sql = "SELECT conference_id FROM creations WHERE operation_id = ?"
            for (conference_id,) in self._db.execute(sql, (operation_id,)).fetchall():
                if (found := self.get(conference_id)) is not None:
                    return found, False
            made = body()
            self._db.execute("REPLACE INTO creations VALUES (?, ?)", (operation_id, made.conference_id))
            self._put(made)
            if made.replaces is not None and (old := self.get(made.replaces)) is not None:
                self._put(replaced(old, made))
        return made, True

    def get(self, conference_id: str) -> Conference | None:
        """Return the conference, None when it is unknown."""
        rows = self._db.execute("SELECT record FROM conferences WHERE conference_id = ?", (conference_id,))
        return next((_conference(record) for (record,) in rows), None)

    def page(self, after: str, limit: int) -> list[Conference]:
        """Return up to `limit` conferences whose id is greater than `after`, in the order of their ids."""
        sql = "SELECT record FROM conferences WHERE conference_id > ? ORDER BY conference_id LIMIT ?"
        return [_conference(record) for (record,) in self._db.execute(sql, (after, limit))]

    def changed_since(self, revision: int, limit: int) -> list[tuple[int, Conference]]:
        """Return the `limit` newest changes above `revision` with their revisions, the oldest of them first."""
        sql = "SELECT revision, record FROM conferences WHERE revision > ? ORDER BY revision DESC LIMIT ?"
        rows = self._db.execute(sql, (revision, limit)).fetchall()
        return [(at, _conference(record)) for at, record in reversed(rows)]

    def log(self, entry: dict[str, Any]) -> None:
        """Add a call to the log; the oldest ones go."""
        with self._transaction():
            row = self._db.execute("INSERT INTO calls (entry) VALUES (?)", (json.dumps(entry),))
            self._db.execute("DELETE FROM calls WHERE number <= ?", ((row.lastrowid or 0) - self._kept_calls,))

    def calls_after(self, number: int, limit: int) -> list[dict[str, Any]]:
        """Return the `limit` newest calls above `number`, each with its number, the oldest of them first."""
        sql = "SELECT number, entry FROM calls WHERE number > ? ORDER BY number DESC LIMIT ?"
        rows = self._db.execute(sql, (number, limit)).fetchall()
        return [{"number": at, **json.loads(entry)} for at, entry in reversed(rows)]

    def _put(self, conference: Conference) -> None:
        sql = "REPLACE INTO conferences SELECT ?, coalesce(max(revision), 0) + 1, ?, ? FROM conferences"
        ended_at = conference.ended_at.isoformat() if conference.ended_at else None
        self._db.execute(sql, (conference.conference_id, ended_at, conference.model_dump_json()))

    def _forget(self, now: datetime) -> None:
        """Drop the content of what ended long ago; `ended_at` in the column becomes null, so each is met once."""
        before = (now - KEPT_AFTER_END).isoformat()
        for (record,) in self._db.execute("SELECT record FROM conferences WHERE ended_at < ?", (before,)).fetchall():
            conference = forgotten(_conference(record))
            values = (conference.model_dump_json(), conference.conference_id)
            self._db.execute("UPDATE conferences SET ended_at = NULL, record = ? WHERE conference_id = ?", values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _refuse_foreign(file: Path) -> None:
    """SQLite takes a file of a few bytes for an empty database, and would overwrite it."""
    try:
        with file.open("rb") as existing:
            start = existing.read(len(_MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageUnusableError(f"{file} cannot be opened: {error.strerror}") from error
    if start not in (b"", _MAGIC):
        raise StorageUnusableError(f"{file} cannot be used: it is no SQLite database; name another file")


def _prepare(db: sqlite3.Connection) -> None:
    """Check the file before the first write to it."""
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    if db.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(_SCHEMA)
    _check(db)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    # Takes the lock now, so that a second process learns of it at its start.
    db.execute("BEGIN IMMEDIATE")
    db.execute(_OPERATIONS)
    db.execute("COMMIT")


def _check(db: sqlite3.Connection) -> None:
    (application_id,) = db.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID:
        raise StorageUnusableError("it is a database of another program; name another file")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        raise StorageUnusableError(f"it has version {version}, this program reads {VERSION}; name another file")
    (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise StorageUnusableError(f"it is damaged ({verdict}); restore it or name another file")
    for (record,) in db.execute("SELECT record FROM conferences"):
        _conference(record)


def _conference(record: str) -> Conference:
    return Conference.model_validate_json(record)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
