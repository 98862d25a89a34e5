"""The SQLite file: judged, opened, its connections lent out, its errors told in confsync's words.

It must never open the file by other means than SQLite: closing any other descriptor of it would drop this process's
locks (https://www.sqlite.org/howtocorrupt.html, 2.2).
"""

import os
import sqlite3
import stat
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confsync.adapters.sqlite_schema import prepare
from confsync.errors import SettingsError, StoreCorrupt, StoreError, StoreUnavailable

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_FORBIDDEN = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_CANTOPEN,  # the path was judged before it was opened: this is a lack of descriptors, or a race
}


class SqliteFile:
    """One file and this process's connections to it; a connection serves one thread at a time."""

    def __init__(self, path: Path, busy_timeout_s: float) -> None:
        """Touch nothing: the first use opens the file, so that a process may fork after it has built its parts."""
        self.path = path.absolute()
        self._busy_timeout_s = busy_timeout_s
        self._changed = threading.Condition()
        self._idle: list[sqlite3.Connection] = []
        self._lent = 0
        self._identity: tuple[int, int] | None = None
        self._turn = threading.Lock()
        self._forking = False
        self._was_forked_in_use = False
        with _fork:
            _FILES.add(self)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection in autocommit mode; a transaction that is left open is rolled back.

        Raises:
            StoreUnavailable: locked by another process, disk full, or a fault of the disk.
            StoreCorrupt: damaged, not ours, or replaced while in use.
            SettingsError: a file cannot be kept at this path.

        """
        with self._translated():
            connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)

    @contextmanager
    def turn_to_write(self) -> Iterator[None]:
        """Let the threads of this process write one after the other: SQLite's own waiting is by polling, and unfair."""
        turn = self._turn
        if not turn.acquire(timeout=self._busy_timeout_s):
            raise self._locked("another thread")
        try:
            yield
        finally:
            turn.release()

    def close(self) -> None:
        """Close the connections that nobody uses; the next use opens the file anew."""
        with self._changed:
            self._close_idle()
            self._identity = None

    def _take(self) -> sqlite3.Connection:
        with self._changed:
            self._changed.wait_for(lambda: not self._forking)
            self._check_identity()
            self._lent += 1
            idle = self._idle.pop() if self._idle else None
        try:
            return idle or self._open()
        except BaseException:
            self._count_down()
            raise

    def _give_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.rollback()
        except sqlite3.Error:
            connection.close()
            self._count_down()
            raise
        self._count_down(connection)

    def _count_down(self, connection: sqlite3.Connection | None = None) -> None:
        with self._changed:
            self._lent -= 1
            if connection is not None:
                self._idle.append(connection)
            self._changed.notify_all()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _open(self) -> sqlite3.Connection:
        is_new = _judge(self.path)
        connection = sqlite3.connect(
            self.path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        try:
            if is_new:
                self.path.chmod(0o600)  # it will hold titles and attendees
            connection.text_factory = bytes  # JSON is parsed from bytes, and damaged text cannot fail half-way
            prepare(connection, self.path, self._busy_timeout_s)
            self._identity = self._identity or _identity(self.path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_identity(self) -> None:
        """Refuse a file that was moved, deleted or replaced under us: what is written to it would be lost silently."""
        if self._was_forked_in_use:
            raise StoreError(f"this process was forked while {self.path} was in use: open it after the fork")
        if self._identity is not None and _identity(self.path) != self._identity:
            raise StoreCorrupt(
                f"{self.path} was removed or replaced while in use. Put the file back or restart confsync"
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> Exception:
        primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return self._locked("another process")
        if primary in _PASSING:
            return StoreUnavailable(f"{self.path}: {error}. Look at the disk's space and health")
        if primary in _DAMAGED:
            return StoreCorrupt(
                f"{self.path} is damaged or no SQLite database ({error}). "
                "Nothing was overwritten: restore a backup, or name another file"
            )
        if primary in _FORBIDDEN:
            return SettingsError(f"{self.path}: {error}. Let this user write the file and its folder")
        return StoreCorrupt(f"{self.path}: {error}. Was the schema altered? Restore a backup, or name another file")

    def _locked(self, by: str) -> StoreUnavailable:
        return StoreUnavailable(f"{self.path} stayed locked by {by} for {self._busy_timeout_s:g} s: try again later")

    # Around a fork: SQLite keeps lock counts per process, and a child would take over its parent's without holding the
    # locks. A connection that lived through a fork can therefore lose data on either side, even if the child opens
    # its own (https://www.sqlite.org/howtocorrupt.html, 2.6). So none lives through it.

    def before_fork(self) -> None:
        """Wait until no connection is lent out, close all, and let none be lent until the fork is done."""
        self._changed.acquire()
        self._forking = True
        self._changed.wait_for(lambda: self._lent == 0, self._busy_timeout_s)
        self._close_idle()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._forking = False
        self._changed.notify_all()
        self._changed.release()

    def after_fork_in_child(self) -> None:
        """Go on with locks of our own; refuse to, if a connection was still lent out."""
        self._turn = threading.Lock()
        self._was_forked_in_use = self._lent > 0
        self.after_fork_in_parent()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _judge(path: Path) -> bool:
    """Return whether the file has yet to be made; raises `SettingsError` when none can be kept there."""
    try:
        if not path.parent.is_dir():
            raise SettingsError(f"{path.parent} is no folder: create it, or name another file")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise SettingsError(f"{path.parent} cannot be written: let this user write it, or name another file")
        mode = path.stat().st_mode
    except FileNotFoundError:
        return True
    except OSError as error:
        raise SettingsError(f"{path} cannot be reached ({error.strerror}): name another file") from error
    if not stat.S_ISREG(mode):
        raise SettingsError(f"{path} is no regular file: name a file, for example {path / 'confsync.db'}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise SettingsError(f"{path} cannot be read and written: let this user do so, or name another file")
    return False


_FILES: weakref.WeakSet[SqliteFile] = weakref.WeakSet()
"""Those that a fork concerns. Python offers no way to take a hook back, so there is one for all of them."""

_fork = threading.Lock()
"""Held from before a fork until after it: two threads may fork at once."""

_paused: list[SqliteFile] = []


def _before_fork() -> None:
    _fork.acquire()
    _paused.extend(_FILES)
    for file in _paused:
        file.before_fork()


def _after_fork_in_parent() -> None:
    while _paused:
        _paused.pop().after_fork_in_parent()
    _fork.release()


def _after_fork_in_child() -> None:
    while _paused:
        _paused.pop().after_fork_in_child()
    _fork.release()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
