"""How records lie in Firestore: one collection for each kind, one document for each key, and what is indexed.

A document holds the record as JSON in `body`, and beside it the fields that queries ask for. It must never index what
rises with time as it is: all writes of the moment would meet at the end of one index, and 500 a second are its limit.
https://docs.cloud.google.com/firestore/native/docs/best-practices
"""

import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from confsync.adapters.stored import QUERIED
from confsync.core.records import Failure

SHARDS = 4
"""Each takes 500 writes a second; a query by time asks all of them."""
BY_TIME = frozenset({"due_at", "renew_at"})
"""Queried fields that rise with time: each value begins with the shard of its key."""
BODY = "body"
EXPIRES_AT = "expires_at"
"""When Firestore may delete the document by itself; it does so within a day or two."""

Order = Literal["ASCENDING"]


@dataclass(frozen=True)
class Field:
    """What Firestore is to do with one field of one collection; Terraform applies it."""

    collection: str
    field: str
    indexes: tuple[Order, ...] = ()
    """Single-field indexes; Firestore would make an ascending, a descending and an array index of each field."""
    ttl: bool = False


FIELDS: tuple[Field, ...] = (
    *(Field(kind, BODY) for kind in QUERIED),
    *(Field(kind, name, ("ASCENDING",)) for kind, names in QUERIED.items() for name in names),
    Field(Failure.kind, EXPIRES_AT, ttl=True),
)
"""No query needs a composite index: each asks for one field, in its order or in that of the keys."""


def document_path(database: str, kind: str, key: str) -> str:
    """Return the full name of the document of a record."""
    return f"{database}/documents/{kind}/{key}"


def key_in(name: str) -> str:
    """Return the key in a document's full name."""
    return name.rpartition("/")[2]


def shard_of(key: str) -> int:
    """Return which shard the times of a record are in."""
    return zlib.crc32(key.encode()) % SHARDS


def in_shard(shard: int, moment: str) -> str:
    """Return a time, in the form of `stored.sortable`, as it is indexed in a shard."""
    return f"{shard}/{moment}"


def indexed(kind: str, key: str, columns: tuple[str | None, ...]) -> Iterator[tuple[str, str]]:
    """Yield the queried fields that have a value, as they are indexed; the others take no room in an index."""
    for name, value in zip(QUERIED[kind], columns, strict=True):
        if value is not None:
            yield name, in_shard(shard_of(key), value) if name in BY_TIME else value


def declared() -> Mapping[str, object]:
    """Return the layout as Terraform reads it (`terraform/firestore.json`)."""
    fields = [
        {"collection": each.collection, "field": each.field, "indexes": list(each.indexes), "ttl": each.ttl}
        for each in FIELDS
    ]
    return {"composite_indexes": [], "fields": fields}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(declared(), indent=2) + "\n")
