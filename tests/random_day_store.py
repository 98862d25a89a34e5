"""The store of a random day: the memory store behind a gate, each commit shown to the oracles.

It must never commit anything that the memory store would not.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from confsync.adapters.memory import MemoryStore
from confsync.core.records import Calendar, Conference, Link, Record
from confsync.ports import Transaction
from tests.random_day_edges import Gate

R = TypeVar("R", bound=Record)
T = TypeVar("T")


class _Noted:
    """A transaction that notes what it writes."""

    def __init__(self, transaction: Transaction, written: dict[tuple[str, str], Record]) -> None:
        self._transaction, self._written = transaction, written

    def get(self, kind: type[R], key: str) -> R | None:
        return self._transaction.get(kind, key)

    def get_many(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        return self._transaction.get_many(kind, sorted(keys))  # the same day in every process, whatever its hash seed

    def put(self, record: Record) -> None:
        self._written[record.kind, record.key] = record
        self._transaction.put(record)

    def delete(self, kind: type[Record], key: str) -> None:
        self._written.pop((kind.kind, key), None)
        self._transaction.delete(kind, key)


Watch = Callable[[Record | None, Record], None]


class DayStore:
    """The `Store` of the day; `watch` sees each committed record with the one that it replaced."""

    def __init__(self, gate: Gate, watch: Watch) -> None:
        """Start empty."""
        self._gate, self._watch = gate, watch
        self.memory = MemoryStore(on_call=self._in_transaction, before_commit=self._at_commit)
        self.committed: dict[tuple[str, str], Record] = {}

    def _in_transaction(self, name: str) -> None:
        if name == "transaction.get_many":
            self._gate.spring(self._gate.fault("transaction", name), name, "before")

    def _at_commit(self, name: str) -> None:
        self._gate.spring(self._gate.fault("transaction", name), name, "before")

    def transact(self, body: Callable[[Transaction], T]) -> T:
        """Run `body` and show its writes to `watch`."""
        return self._gate.passing("store", "transact", lambda: self._transact(body))

    def _transact(self, body: Callable[[Transaction], T]) -> T:
        written: dict[tuple[str, str], Record] = {}

        def noting(transaction: Transaction) -> T:
            written.clear()
            return body(_Noted(transaction, written))

        answer = self.memory.transact(noting)
        before = {place: self.committed.get(place) for place in written}
        self.committed.update(written)
        for place, record in written.items():
            self._watch(before[place], record)
        return answer

    def get(self, kind: type[R], key: str) -> R | None:
        """Return a record."""
        return self._gate.passing("store", "get", lambda: self.memory.get(kind, key))

    def get_many(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Return records."""
        return self._gate.passing("store", "get_many", lambda: self.memory.get_many(kind, sorted(keys)))

    def links_of(self, calendar_key: str, *, after: str, limit: int) -> list[Link]:
        """Return links."""
        return self._gate.passing(
            "store", "links_of", lambda: self.memory.links_of(calendar_key, after=after, limit=limit)
        )

    def calendars_due(self, before: datetime, limit: int) -> list[Calendar]:
        """Return calendars that are due."""
        return self._gate.passing("store", "calendars_due", lambda: self.memory.calendars_due(before, limit))

    def calendars_of(self, subject: str, limit: int) -> list[Calendar]:
        """Return calendars of a subject."""
        return self._gate.passing("store", "calendars_of", lambda: self.memory.calendars_of(subject, limit))

    def channels_due(self, before: datetime, limit: int) -> list[Calendar]:
        """Return calendars whose channels are due."""
        return self._gate.passing("store", "channels_due", lambda: self.memory.channels_due(before, limit))

    def conferences_due(self, before: datetime, limit: int) -> list[Conference]:
        """Return conferences that are due."""
        return self._gate.passing("store", "conferences_due", lambda: self.memory.conferences_due(before, limit))

    def all_of(self, kind: type[R], *, after: str, limit: int) -> list[R]:
        """Return records of a kind."""
        return self._gate.passing("store", "all_of", lambda: self.memory.all_of(kind, after=after, limit=limit))
