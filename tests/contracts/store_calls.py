"""Records and calls that the parts of the store contract share.

It must never import a store.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings

from confsync.core.conference import Conference, Referent, Registration, Times
from confsync.core.records import Calendar, Failure, Link, Record
from confsync.core.state import Moment
from confsync.core.unreadable import Unreadable
from confsync.ports import Store, Transaction

T = TypeVar("T")

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
TEXT = "Réunion 🎥 e\u0301 שלום \x00\x1f\n\t\"\\ \U0010ffff\u2028'; DROP TABLE calendar"


def calendar(key: str, **fields: Any) -> Calendar:
    """Return a calendar with this key."""
    return Calendar(**{"tenant": "default", "calendar_id": "ann@example.com", "subject": "ann", **fields}, key=key)


def link(key: str, calendar_key: str = "c", **fields: Any) -> Link:
    """Return a link of `calendar_key` with this key."""
    return Link(key=key, calendar_key=calendar_key, event_id="e", conference_key="f", **fields)


def conference(key: str, **fields: Any) -> Conference:
    """Return a conference with this key."""
    return Conference(**{"tenant": "default", "provider": "vendor", "conference_id": "1", **fields}, key=key)


def knowing(key: str, *calendar_keys: str, registered: Iterable[str] = ()) -> Conference:
    """Return a conference that knows an event of each of these calendars; of others it is only told of one."""
    moment = Moment(instant=NOW)
    known = {
        f"{key} in {name}": Referent(
            calendar_key=name,
            event_id="e",
            ical_uid=None,
            role="owner",
            state="live",
            times=Times(start=moment, end=moment),
        )
        for name in calendar_keys
    }
    told = {f"{key} to be in {name}": Registration(calendar_key=name, event_id="e", at=NOW) for name in registered}
    return conference(key, referents=known, registered=told)


def failure(key: str) -> Failure:
    """Return a failure with this key."""
    return Failure(key=key, tenant="default", reason="rejected", first_at=NOW, last_at=NOW)


def put(store: Store, *written: Record) -> None:
    """Write the records in one transaction."""

    def body(transaction: Transaction) -> None:
        for record in written:
            transaction.put(record)

    store.transact(body)


def delete(store: Store, kind: type[Record], key: str) -> None:
    """Delete one record in one transaction."""
    store.transact(lambda transaction: transaction.delete(kind, key))


def increment(store: Store, key: str) -> int:
    """Add one to a calendar's `served`, which is made if need be; return what it became."""

    def body(transaction: Transaction) -> int:
        old = transaction.get(Calendar, key) or calendar(key)
        new = old.model_copy(update={"served": old.served + 1})
        transaction.put(new)
        return new.served

    return store.transact(body)


def at_once(*calls: Callable[[], T]) -> list[T]:
    """Start all calls at the same moment, each in a thread; return their results in order."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def keys_of(found: Iterable[Record | Unreadable]) -> list[str]:
    """Return the records' keys in order."""
    return [record.key for record in found]


# The store outlives the examples of a property on purpose, and each store runs the same inherited property.
on_one_store = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
