"""The store in Firestore (Native mode).

A transaction is its reads, the first of which begins it, and a commit, with nothing remote between them. It must never
commit twice: the outcome of a commit that was not answered is unknown, and whoever called reads the records again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from time import sleep
from typing import Any, TypeVar

from google.api_core.retry import exponential_sleep_generator
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.types import Document

from confsync.adapters.firestore_calls import Expired, FirestoreCalls, LostRace
from confsync.adapters.firestore_layout import BODY, SHARDS, document_path, in_shard, in_tenant
from confsync.adapters.stored import CALENDARS, BufferedTransaction, due_place, sortable
from confsync.core.conference import Conference
from confsync.core.records import Calendar, Link, Record
from confsync.core.unreadable import Due
from confsync.errors import StoreUnavailable
from confsync.ports import Transaction

R = TypeVar("R", bound=Record)
T = TypeVar("T")

ATTEMPTS = 8
"""How often a body runs; the database itself lets each attempt wait for those before it."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.5
"""The longest pause before the second attempt, which each further one doubles; and the longest before any.

The pauses are random: two transactions that refuse each other would begin again together, and refuse each other again.
"""
KEY = "__name__"


class FirestoreStore:
    """A serializable store; safe for many threads, processes and instances, and across a fork.

    Besides `StoreUnavailable`, every method raises `SettingsError` where an operator must act. After a
    `StoreUnavailable` the writes of a transaction may have taken effect, or may still do so.
    """

    def __init__(
        self,
        database: str,
        connect: Callable[[], FirestoreClient],
        *,
        timeout_s: float = 20.0,
        rest: Callable[[float], object] = sleep,
    ) -> None:
        """Keep the settings; the first call of each process connects.

        Args:
            database: `projects/PROJECT/databases/DATABASE`.
            connect: builds the client.
            timeout_s: how long one request may take; a read may be sent again in that time.
            rest: waits for some seconds.

        """
        self._rest = rest
        self._calls = FirestoreCalls(database, connect, timeout_s)

    def transact(self, body: Callable[[Transaction], T]) -> T:
        """Run `body`, again where another transaction was in the way, and commit what its last run wrote."""
        previous: bytes | None = None
        for pause_s in _pauses():
            self._rest(pause_s)
            attempt = _Attempt(self._calls, previous)
            try:
                return attempt.run(body)
            except Expired:
                previous = b""  # nobody can take the place of what Firestore no longer knows
            except LostRace:
                previous = attempt.id or previous or b""
        raise StoreUnavailable(
            f"Firestore {self._calls.database}: others held or changed the same records in each of {ATTEMPTS} "
            "attempts. Try again later"
        )

    def get(self, kind: type[R], key: str) -> R | None:
        """Return the newest committed record, None when there is none."""
        return self.get_many(kind, (key,)).get(key)

    def get_many(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Return the newest committed records that exist, by key."""
        return self._calls.read(kind, keys)

    def links_of(self, calendar_key: str, *, after: str, limit: int) -> list[Link]:
        """Return up to `limit` links of a calendar whose key is greater than `after`, in the order of their keys."""
        return self._list(Link, limit, where=_equal("calendar_key", calendar_key), after=after)

    def conferences_of(self, calendar_key: str, *, after: str, limit: int) -> list[Conference]:
        """Return up to `limit` conferences that know an event of a calendar, as `links_of` does its links."""
        where = _filter(CALENDARS, "ARRAY_CONTAINS", calendar_key)
        return self._list(Conference, limit, where=where, after=after)

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
        return self._list(Calendar, limit, where=_equal("subject", in_tenant(tenant, subject)))

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
        return self._list(kind, limit, after=after)

    def _due(
        self, kind: type[R], field: str, tenant: str, before: datetime, limit: int, *, after: Due[R] | None
    ) -> list[Due[R]]:
        """Merge what is due in each shard; `limit` of each, since all of them may be in one."""
        moment, key = due_place(after, field)
        documents = [
            document
            for shard in range(SHARDS)
            for document in self._select(
                kind,
                limit,
                where=_until(field, shard, tenant, before),
                order=field,
                after=key,
                after_value=in_shard(shard, in_tenant(tenant, moment)) if key else "",
            )
        ]
        found = self._calls.decoded_due(kind, documents, field)
        return sorted(found, key=lambda record: due_place(record, field))[: max(limit, 0)]

    def _list(self, kind: type[R], limit: int, *, where: Mapping[str, Any] | None = None, after: str = "") -> list[R]:
        return list(self._calls.decoded(kind, self._select(kind, limit, where=where, after=after)).values())

    def _select(
        self,
        kind: type[Record],
        limit: int,
        *,
        where: Mapping[str, Any] | None = None,
        order: str = "",
        after: str = "",
        after_value: str = "",
    ) -> list[Document]:
        if limit <= 0:
            return []
        query: dict[str, Any] = {
            "from_": [{"collection_id": kind.kind}],
            "select": {"fields": [{"field_path": name} for name in (BODY, order) if name]},
            "order_by": [{"field": {"field_path": name}, "direction": "ASCENDING"} for name in (order, KEY) if name],
            "limit": limit,
        }
        if where is not None:
            query["where"] = where
        if after:
            reference = document_path(self._calls.database, kind.kind, after)
            values = [{"string_value": after_value}] if order else []
            query["start_at"] = {"values": [*values, {"reference_value": reference}], "before": False}
        return self._calls.query(query)


class _Attempt:
    """One run of a transaction's body."""

    def __init__(self, calls: FirestoreCalls, previous: bytes | None) -> None:
        """Begin nothing yet: a body that reads nothing needs no transaction.

        Args:
            calls: the database.
            previous: the transaction that lost a race, whose place this one takes; empty where it has no name. None
                for the first attempt: it hardly ever loses, so its first read begins it.

        """
        self._calls, self._previous = calls, previous
        self.id = b""
        """Empty until something was read."""

    def run(self, body: Callable[[Transaction], T]) -> T:
        """Return what the body returns, once its writes are committed."""
        transaction = BufferedTransaction(self._read)
        try:
            result = body(transaction)
            transaction.end()
            if transaction.writes or self.id:
                self._calls.commit(transaction.writes, self.id)
        except BaseException:
            transaction.end()
            if self.id:
                self._calls.roll_back(self.id)
            raise
        return result

    def _read(self, kind: type[R], keys: tuple[str, ...]) -> dict[str, R]:
        if not keys:
            return {}
        if not self.id and self._previous is None:
            self.id, documents = self._calls.begin_reading(kind, keys)
            return self._calls.decoded(kind, documents)
        if not self.id:
            self.id = self._calls.begin(self._previous or b"")
        return self._calls.read_locked(kind, keys, self.id)


def _pauses() -> Iterator[float]:
    yield 0.0
    yield from islice(exponential_sleep_generator(FIRST_PAUSE_S, LONGEST_PAUSE_S), ATTEMPTS - 1)


def _equal(field: str, value: str) -> dict[str, Any]:
    return _filter(field, "EQUAL", value)


def _until(field: str, shard: int, tenant: str, before: datetime) -> dict[str, Any]:
    within = [
        _filter(field, "GREATER_THAN", in_shard(shard, in_tenant(tenant, ""))),
        _filter(field, "LESS_THAN_OR_EQUAL", in_shard(shard, in_tenant(tenant, sortable(before)))),
    ]
    return {"composite_filter": {"op": "AND", "filters": within}}


def _filter(field: str, op: str, value: str) -> dict[str, Any]:
    return {"field_filter": {"field": {"field_path": field}, "op": op, "value": {"string_value": value}}}
