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

from confsync.adapters.stored import CALENDARS, QUERIED, TENANT, searched
from confsync.core.conference import Conference
from confsync.core.records import Failure, key_of

SHARDS = 4
"""Each takes 500 writes a second; a query by time asks all of them."""
BY_TIME = frozenset({"due_at", "renew_at"})
"""Queried fields that rise with time: each value begins with the shard of its key."""
BODY = "body"
EXPIRES_AT = "expires_at"
"""When Firestore may delete the document by itself; it does so within a day or two."""

Index = Literal["ASCENDING", "CONTAINS"]
"""By the value, or by each value of an array."""


@dataclass(frozen=True)
class Field:
    """What Firestore is to do with one field of one collection; Terraform applies it."""

    collection: str
    field: str
    indexes: tuple[Index, ...] = ()
    """Single-field indexes; Firestore would make an ascending, a descending and an array index of each field."""
    ttl: bool = False


FIELDS: tuple[Field, ...] = (
    *(Field(kind, BODY) for kind in QUERIED),
    *(Field(kind, name, ("ASCENDING",)) for kind in QUERIED for name in searched(kind)),
    Field(Conference.kind, CALENDARS, ("CONTAINS",)),
    Field(Failure.kind, EXPIRES_AT, ttl=True),
)
"""No query needs a composite index: each asks for one field, in its order or in that of the keys.

What is asked for within a tenant has the tenant in its own value.
"""


def document_path(database: str, kind: str, key: str) -> str:
    """Return the full name of the document of a record."""
    return f"{database}/documents/{kind}/{key}"


def key_in(name: str) -> str:
    """Return the key in a document's full name."""
    return name.rpartition("/")[2]


def shard_of(key: str) -> int:
    """Return which shard the times of a record are in."""
    return zlib.crc32(key.encode()) % SHARDS


def in_shard(shard: int, value: str) -> str:
    """Return a time, as `in_tenant` gives it, as it is indexed in a shard."""
    return f"{shard}/{value}"


def in_tenant(tenant: str, value: str) -> str:
    """Return a value as it is indexed for a tenant; a time in the form of `stored.sortable`.

    The hash is of fixed length: whatever a tenant is called, its range holds nothing of another's.
    """
    return f"{key_of(TENANT, tenant)}/{value}"


def time_in(value: str) -> str:
    """Return the time in what is indexed of it in a shard and for a tenant."""
    return value.rpartition("/")[2]


def indexed(kind: str, key: str, columns: tuple[str | None, ...]) -> Iterator[tuple[str, str]]:
    """Yield the queried fields that have a value, as they are indexed; the others take no room in an index."""
    values = dict(zip(QUERIED[kind], columns, strict=True))
    tenant = values.pop(TENANT, None)
    for name, value in values.items():
        if value is not None:
            own = value if tenant is None else in_tenant(tenant, value)
            yield name, in_shard(shard_of(key), own) if name in BY_TIME else own


def declared() -> Mapping[str, object]:
    """Return the layout as Terraform reads it (`terraform/firestore.json`)."""
    fields = [
        {"collection": each.collection, "field": each.field, "indexes": list(each.indexes), "ttl": each.ttl}
        for each in FIELDS
    ]
    return {"composite_indexes": [], "fields": fields}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(declared(), indent=2) + "\n")
