"""What stands in the SQLite file, and how a file is recognised as ours before anything is written to it.

It must never change a file that is not empty and not ours, nor one of a newer version.
"""

import sqlite3
import time
from pathlib import Path

from confsync.adapters.stored import QUERIED, TENANT, searched
from confsync.errors import SettingsError, StoreCorrupt

APPLICATION_ID = 0x636E6673
"""`cnfs`: marks the file as ours (https://www.sqlite.org/pragma.html#pragma_application_id)."""

SCHEMA_VERSION = 4
"""Raised with every change of `SCHEMA`."""


def _statements(kind: str) -> list[str]:
    # The queried fields stand before the body: SQLite reads them without walking the pages of a long body.
    fields = "".join(f"{name} TEXT, " for name in QUERIED[kind])
    table = f"CREATE TABLE {kind} (key TEXT PRIMARY KEY NOT NULL, {fields}body TEXT NOT NULL)"
    # In the order in which queries answer, so that none has to sort.
    within = f"{TENANT}, " if TENANT in QUERIED[kind] else ""
    indexes = [f"CREATE INDEX {kind}_by_{name} ON {kind} ({within}{name}, key)" for name in searched(kind)]
    return [table, *indexes]


_CONFERENCES_OF = (
    "CREATE TABLE conference_of (calendar_key TEXT NOT NULL, key TEXT NOT NULL)",
    "CREATE INDEX conference_of_by_calendar_key ON conference_of (calendar_key, key)",
    "CREATE INDEX conference_of_by_key ON conference_of (key)",
)

SCHEMA = (*(statement for kind in QUERIED for statement in _statements(kind)), *_CONFERENCES_OF)
"""One table per kind: the key, the queried fields as text whose order is theirs, the record as JSON.

And one with a row for each calendar whose events a conference knows.
"""


def prepare(connection: sqlite3.Connection, path: Path, busy_timeout_s: float) -> None:
    """Make sure that the file is ours, of this version and durable; fill it when it is empty.

    Raises:
        StoreCorrupt: it belongs to something else, or to a newer confsync. Nothing was overwritten.
        SettingsError: its file system cannot hold it safely.

    """
    if _is_empty(connection, path):
        _create(connection, path)
    if _write_ahead(connection, time.monotonic() + busy_timeout_s) != b"wal":
        raise SettingsError(f"{path} is on a file system without shared memory: put it on a local disk")
    # With NORMAL, power loss rolls back transactions that were acknowledged. The store would then give out
    # generations and fences a second time, and a back end that has seen them would refuse the newer state as stale.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # on macOS fsync alone does not reach the disk


def _write_ahead(connection: sqlite3.Connection, give_up_at: float) -> bytes:
    """Switch to write-ahead logging if need be; return the mode that holds now."""
    while True:
        try:
            mode: bytes = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            # The switch fails at once while others are opening the file; a transaction waits for them.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        else:
            return mode


def _is_empty(connection: sqlite3.Connection, path: Path) -> bool:
    """Tell an empty file from one of ours; one statement, so that a creation under way is seen whole or not at all."""
    application_id, version, tables = connection.execute(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version), "
        "(SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    if application_id == 0 and tables == 0:
        return True
    if application_id != APPLICATION_ID:
        raise StoreCorrupt(
            f"{path} is a database of another application (application_id {application_id}). "
            "Nothing was overwritten: name another file"
        )
    if version != SCHEMA_VERSION:
        raise StoreCorrupt(
            f"{path} has schema version {version}, this confsync knows {SCHEMA_VERSION}. "
            "Nothing was overwritten: use the confsync that wrote it, a newer one, or another file"
        )
    return False


def _create(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if _is_empty(connection, path):  # another process may have been quicker
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")
