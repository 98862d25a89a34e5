"""The store of a simulation: the memory store behind the gate, each commit shown to the oracles.

Transactions let others go on at each of their reads and before they commit, so that real races are lost. It must never
commit anything that the memory store would not.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TypeVar
from zlib import crc32

from confsync.adapters.memory import MemoryStore
from confsync.adapters.memory_records import Conflict
from confsync.adapters.stored import QUERIED, Write, decode
from confsync.core.conference import Conference
from confsync.core.records import Calendar, Link, Record
from confsync.core.unreadable import Due
from confsync.errors import StoreUnavailable
from confsync.ports import Transaction
from tests.simulation.gate import Gate
from tests.simulation.instance import Instance

R = TypeVar("R", bound=Record)
T = TypeVar("T")
Written = dict[tuple[str, str], Record | None]
Watch = Callable[[Record | None, Record, Instance], None]


@lru_cache(maxsize=512)  # read far more often than written; that nobody changes one is what the contract tests show
def _remembered(kind: type[R], key: str, body: str, where: str) -> R:
    return decode(kind, key, body, where)


class Noted:
    """A transaction that notes what it writes."""

    def __init__(self, transaction: Transaction, written: Written) -> None:
        """Note into `written`, by kind and key; None: deleted."""
        self._transaction, self._written = transaction, written

    def get(self, kind: type[R], key: str) -> R | None:
        """Return a record."""
        return self._transaction.get(kind, key)

    def get_many(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Return records."""
        return self._transaction.get_many(kind, sorted(keys))  # the same day in every process, whatever its hash seed

    def put(self, record: Record) -> None:
        """Write a record."""
        self._written[record.kind, record.key] = record
        self._transaction.put(record)

    def delete(self, kind: type[Record], key: str) -> None:
        """Delete a record."""
        self._written[kind.kind, key] = None
        self._transaction.delete(kind, key)


class SimulatedStore:
    """The `Store` of a simulation; `watch` sees each committed record with the one that it replaced."""

    def __init__(self, gate: Gate, watch: Watch) -> None:
        """Start empty."""
        self._gate, self._watch = gate, watch
        self._memory = MemoryStore(
            on_call=self._in_transaction,
            before_commit=self._before_commit,
            on_commit=self._trace_commit,
            decode=_remembered,
        )
        self.committed: dict[str, dict[str, Record]] = {kind: {} for kind in QUERIED}
        """By kind and key, as the last commit left them."""
        self._aborts: set[str] = set()
        self.lost_races = 0
        self._bodies: dict[tuple[str, str], str] = {}

    def _in_transaction(self, name: str) -> None:
        if name == "transaction.get_many":
            self._pass_within("read")

    def _pass_within(self, name: str) -> None:
        fault = self._gate.within(name)
        if fault is not None and fault.kind == "abort":
            self._aborts.add(self._gate.caller().name)

    def _before_commit(self, _: str) -> None:
        self._pass_within("commit")
        caller = self._gate.caller().name
        if caller in self._aborts:
            self._aborts.discard(caller)
            raise Conflict

    def body_of(self, record: Record) -> str:
        """Return a record of the last commit as it is stored, in JSON."""
        return self._bodies[record.kind, record.key]

    def _trace_commit(self, writes: Mapping[tuple[str, str], Write | None]) -> None:
        self._bodies = {place: write.body for place, write in writes.items() if write is not None}
        for (kind, key), write in writes.items():
            self._gate.trace(
                f"commit {kind} {key} {crc32(write.body.encode()):08x}" if write else f"delete {kind} {key}"
            )

    def transact(self, body: Callable[[Transaction], T]) -> T:
        """Run `body` and show its writes to `watch`."""
        try:
            return self._gate.passing("store", "transact", lambda: self._transact(body))
        except StoreUnavailable:
            self._gate.caller().notes["store out of reach"] = self._gate.clock.now
            raise

    def _transact(self, body: Callable[[Transaction], T]) -> T:
        written: Written = {}
        runs, caller = 0, self._gate.caller()

        def noting(transaction: Transaction) -> T:
            nonlocal runs
            runs += 1
            written.clear()
            caller.read_at = self._gate.clock.now
            return body(self._noted(transaction, written))

        answer = self._memory.transact(noting)
        self.lost_races += runs - 1
        self._show(written)
        return answer

    def _noted(self, transaction: Transaction, written: Written) -> Transaction:
        return Noted(transaction, written)

    def _show(self, written: Written) -> None:
        """Show what was committed just now: nobody else had a turn since."""
        before = {(kind, key): self.committed[kind].pop(key, None) for kind, key in written}
        for (kind, key), record in written.items():
            if record is not None:
                self.committed[kind][key] = record
        caller = self._gate.clock.running
        assert isinstance(caller, Instance)
        for place, record in written.items():
            if record is not None:
                self._watch(before[place], record, caller)

    def get(self, kind: type[R], key: str) -> R | None:
        """Return a record."""
        return self._gate.passing("store", "get", lambda: self._memory.get(kind, key))

    def get_many(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Return records."""
        return self._gate.passing("store", "get_many", lambda: self._memory.get_many(kind, sorted(keys)))

    def links_of(self, calendar_key: str, *, after: str, limit: int) -> list[Link]:
        """Return links."""
        return self._gate.passing(
            "store", "links_of", lambda: self._memory.links_of(calendar_key, after=after, limit=limit)
        )

    def conferences_of(self, calendar_key: str, *, after: str, limit: int) -> list[Conference]:
        """Return conferences that know an event of a calendar."""
        return self._gate.passing(
            "store", "conferences_of", lambda: self._memory.conferences_of(calendar_key, after=after, limit=limit)
        )

    def calendars_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None
    ) -> list[Due[Calendar]]:
        """Return calendars that are due."""
        return self._gate.passing(
            "store", "calendars_due", lambda: self._memory.calendars_due(tenant, before, limit, after)
        )

    def calendars_of(self, tenant: str, subject: str, limit: int) -> list[Calendar]:
        """Return calendars of a subject."""
        return self._gate.passing("store", "calendars_of", lambda: self._memory.calendars_of(tenant, subject, limit))

    def channels_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None
    ) -> list[Due[Calendar]]:
        """Return calendars whose channels are due."""
        return self._gate.passing(
            "store", "channels_due", lambda: self._memory.channels_due(tenant, before, limit, after)
        )

    def conferences_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Conference] | None = None
    ) -> list[Due[Conference]]:
        """Return conferences that are due."""
        return self._gate.passing(
            "store", "conferences_due", lambda: self._memory.conferences_due(tenant, before, limit, after)
        )

    def all_of(self, kind: type[R], *, after: str, limit: int) -> list[R]:
        """Return records of a kind."""
        return self._gate.passing("store", "all_of", lambda: self._memory.all_of(kind, after=after, limit=limit))
