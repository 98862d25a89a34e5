"""The file: queues, tasks and blocked names in SQLite, so that they survive the end of the process.

It must never write to a file that is not its own, share one with another server, or repair one that is damaged.
A change is safe from SIGKILL once `write` returns; from a power cut a moment later.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from confsync.local.task_server.book import Kept, KeptQueue
from confsync.local.task_server.changes import (
    Change,
    NamesReleased,
    QueueDeleted,
    QueueRecord,
    QueueSaved,
    TaskEnded,
    TaskSaved,
)
from confsync.local.task_server.records import TaskRecord

APPLICATION_ID = 0x63667374
VERSION = 1
_SCHEMA = """
CREATE TABLE queues (name TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE tasks (queue TEXT, task_id TEXT, record BLOB NOT NULL, PRIMARY KEY (queue, task_id)) WITHOUT ROWID;
CREATE TABLE blocked (queue TEXT, task_id TEXT, until REAL NOT NULL, PRIMARY KEY (queue, task_id)) WITHOUT ROWID;
CREATE INDEX blocked_until ON blocked (queue, until);
CREATE TABLE blocked_queues (name TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
"""
_QUEUE = TypeAdapter(QueueRecord)
_TASK = TypeAdapter(TaskRecord)


class JournalError(Exception):
    """The file cannot be used; the message says why and what to do. Nothing in it was changed."""


class Journal:
    """An open file."""

    def __init__(self, path: Path) -> None:
        """Open the file, or create it. Raises `JournalError`."""
        self._path = path
        self._db = self._open()

    def read(self, now: datetime) -> Kept:
        """Return all that is kept; names whose time is over are forgotten. Raises `JournalError`."""
        with self._explained():
            self._db.execute("DELETE FROM blocked WHERE until <= ?", (now.timestamp(),))
            self._db.execute("DELETE FROM blocked_queues WHERE until <= ?", (now.timestamp(),))
            self._db.commit()
            names = self._db.execute("SELECT name, until FROM blocked_queues").fetchall()
            return Kept(tuple(self._queues()), tuple((name, _time(until)) for name, until in names))

    def write(self, changes: Iterable[Change]) -> None:
        """Write the changes down, all or none. Raises `JournalError`."""
        with self._explained(), self._db:
            for change in changes:
                self._apply(change)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _open(self) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(self._path, timeout=0.2)
        except sqlite3.Error as error:
            raise JournalError(_cannot(self._path, str(error))) from error
        try:
            with self._explained():
                self._claim(db)
        except JournalError:
            db.close()
            raise
        return db

    def _claim(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
        application, version = (
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and (application, version) != (APPLICATION_ID, VERSION):
            raise JournalError(_cannot(self._path, "it is not a file of this version of the task server"))
        check = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if check != "ok":
            raise JournalError(_cannot(self._path, f"it is damaged ({check})"))
        db.rollback()
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if not tables:
            self._create_tables(db)

    def _create_tables(self, db: sqlite3.Connection) -> None:
        db.executescript(
            f"BEGIN; {_SCHEMA} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
        )

    def _queues(self) -> Iterator[KeptQueue]:
        for name, record in self._db.execute("SELECT name, record FROM queues ORDER BY name").fetchall():
            tasks = self._db.execute("SELECT record FROM tasks WHERE queue = ? ORDER BY task_id", (name,))
            blocked = self._db.execute("SELECT task_id, until FROM blocked WHERE queue = ?", (name,))
            yield KeptQueue(
                _QUEUE.validate_json(record),
                tuple(_TASK.validate_json(task) for (task,) in tasks),
                tuple((task_id, _time(until)) for task_id, until in blocked),
            )

    def _apply(self, change: Change) -> None:
        for statement, values in _statements(change):
            self._db.execute(statement, values)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            reason = "another task server uses it" if "locked" in str(error) else str(error)
            raise JournalError(_cannot(self._path, reason)) from error
        except (sqlite3.Error, ValidationError) as error:
            raise JournalError(_cannot(self._path, f"it is damaged ({error})")) from error


def _statements(change: Change) -> Iterator[tuple[str, tuple[object, ...]]]:
    match change:
        case TaskSaved(queue, task):
            yield "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?)", (queue, task.task_id, _TASK.dump_json(task))
        case TaskEnded(queue, task_id, until):
            yield "DELETE FROM tasks WHERE queue = ? AND task_id = ?", (queue, task_id)
            if until is not None:
                yield "INSERT OR REPLACE INTO blocked VALUES (?, ?, ?)", (queue, task_id, until.timestamp())
        case NamesReleased(queue, until):
            yield "DELETE FROM blocked WHERE queue = ? AND until <= ?", (queue, until.timestamp())
        case QueueSaved(record):
            yield "INSERT OR REPLACE INTO queues VALUES (?, ?)", (record.name, _QUEUE.dump_json(record))
        case QueueDeleted(name, until):
            yield "DELETE FROM queues WHERE name = ?", (name,)
            yield "DELETE FROM tasks WHERE queue = ?", (name,)
            yield "DELETE FROM blocked WHERE queue = ?", (name,)
            yield "INSERT OR REPLACE INTO blocked_queues VALUES (?, ?)", (name, until.timestamp())


def _time(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def _cannot(path: Path, reason: str) -> str:
    reason = " ".join(reason.split())  # SQLite may answer in several lines
    return f"The task server cannot use the data file {path}: {reason}. Name another file, or move this one away"
