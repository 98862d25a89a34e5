"""Damage to one stored record, done behind a store's back, in each store's own way.

It must never change where the record is found: only its content is lost.
"""

import sqlite3
from pathlib import Path

from google.cloud.firestore_v1.services.firestore import FirestoreClient

from confsync.adapters.memory import MemoryStore
from confsync.core.records import Record

BODY = '{"summary": "Secret title"'


def damage_in_memory(store: MemoryStore, kind: type[Record], key: str) -> None:
    """Cut off what is kept of the record."""
    write = store._records._kinds[kind.kind][key].write
    assert write is not None
    write.body = BODY


def damage_in_sqlite(path: Path, kind: type[Record], key: str) -> None:
    """Edit the row by hand."""
    connection = sqlite3.connect(path)
    connection.execute(f"UPDATE {kind.kind} SET body = ? WHERE key = ?", (BODY, key))  # noqa: S608  # our own names
    connection.commit()
    connection.close()


def damage_in_firestore(client: FirestoreClient, database: str, kind: type[Record], key: str) -> None:
    """Edit the document by hand."""
    document = {"name": f"{database}/documents/{kind.kind}/{key}", "fields": {"body": {"string_value": BODY}}}
    client.commit({"database": database, "writes": [{"update": document, "update_mask": {"field_paths": ["body"]}}]})
