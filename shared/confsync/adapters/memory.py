"""A store that lives in memory, for tests and simulations; safe to use from many threads.

It obeys the same rules as the real ones and must never be more forgiving.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from confsync.adapters.stored import (
    QUERIED,
    TENANT,
    BufferedTransaction,
    Decode,
    DueRow,
    Write,
    decode,
    decode_due,
    due_place,
    sortable,
)
from confsync.core.conference import Conference
from confsync.core.records import Calendar, Link, Record
from confsync.core.unreadable import Due
from confsync.errors import StoreUnavailable
from confsync.ports import Transaction

R = TypeVar("R", bound=Record)
T = TypeVar("T")

Hook = Callable[[str], None]
"""Called with the name of the port call; may switch tasks, or raise the fault that is to be injected."""

WHERE = "memory"
MAX_ATTEMPTS = 100
"""How often a body runs before the store gives up; each lost race is won by another, so this is far off."""

Choice = Callable[[Iterable[tuple[str, Write]]], Iterable[str]]
"""Picks keys, in order, from the keys and contents of all records that live."""


class Conflict(Exception):
    """Something that a transaction has to see was committed after it began: no error, its body runs again."""


CommitHook = Callable[[Mapping[tuple[str, str], Write | None]], None]
"""Called with what one commit wrote, right after it."""


@dataclass(frozen=True)
class _Version:
    """A record as one commit left it."""

    commit: int
    write: Write | None
    """None: deleted. Kept, so that a record that came and went meanwhile is noticed."""


class _Records:
    """All records with their versions. Every method is one atomic step."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._lock = threading.Lock()
        self._newest = 0
        self._kinds: dict[str, dict[str, _Version]] = {kind: {} for kind in QUERIED}

    @property
    def newest(self) -> int:
        """Number of the newest commit."""
        with self._lock:
            return self._newest

    def select(self, kind: type[R], choose: Choice) -> dict[str, R]:
        """Return the records whose keys `choose` picks from all that live, in its order."""
        living = self._living(kind)
        return self._decoded(kind, ((key, living[key].body) for key in choose(living.items())))

    def select_due(self, kind: type[R], field: str, choose: Choice) -> list[Due[R]]:
        """Return the same of what is due by `field`, with what stands in the place of what cannot be read."""
        living, (at,) = self._living(kind), _places(kind.kind, field)
        rows = (DueRow(key, living[key].columns[at] or "", living[key].body) for key in choose(living.items()))
        return [decode_due(kind, row, WHERE, self._decode) for row in rows]

    def read(self, kind: type[R], keys: Iterable[str], as_of: int | None = None) -> dict[str, R]:
        """Return the records that exist, by key; raises `Conflict` when one is newer than commit `as_of`."""
        bodies = []
        with self._lock:
            versions = self._kinds[kind.kind]
            for key in keys:
                version = versions.get(key)
                if version is None:
                    continue
                if as_of is not None and version.commit > as_of:
                    raise Conflict
                if version.write is not None:
                    bodies.append((key, version.write.body))
        return self._decoded(kind, bodies)

    def commit(
        self, writes: Mapping[tuple[str, str], Write | None], seen: Iterable[tuple[str, str]], as_of: int
    ) -> None:
        """Apply `writes` unless something in `seen` is newer than commit `as_of`: then raise `Conflict`."""
        with self._lock:
            if any(self._commit_of(kind, key) > as_of for kind, key in seen):
                raise Conflict
            self._newest += 1
            for (kind, key), write in writes.items():
                self._kinds[kind][key] = _Version(self._newest, write)

    def _living(self, kind: type[Record]) -> dict[str, Write]:
        with self._lock:
            return {key: v.write for key, v in self._kinds[kind.kind].items() if v.write is not None}

    def _decoded(self, kind: type[R], bodies: Iterable[tuple[str, str]]) -> dict[str, R]:
        return {key: self._decode(kind, key, body, WHERE) for key, body in bodies}

    def _commit_of(self, kind: str, key: str) -> int:
        version = self._kinds[kind].get(key)
        return 0 if version is None else version.commit


class MemoryStore:
    """A serializable store: optimistic, no lock is held while a body or a hook runs.

    A transaction sees the state as one commit left it; whoever meets something newer runs again.
    """

    def __init__(
        self,
        *,
        on_call: Hook | None = None,
        before_commit: Hook | None = None,
        after_call: Hook | None = None,
        on_commit: CommitHook | None = None,
        decode: Decode = decode,
    ) -> None:
        """Start empty.

        Args:
            on_call: called before each port call with its name, and before each read in a transaction with
                `transaction.get_many`.
            before_commit: called with `transact` after each run of a body, before its writes are judged; raising
                `Conflict` is losing a race.
            after_call: called with the port call's name after its effect: what it raises is a lost answer.
            on_commit: called with the writes of each transaction that committed some; must not raise.
            decode: makes a record of what is stored; one that remembers may be passed where nobody changes a record.

        """
        self.on_call = on_call
        self.before_commit = before_commit
        self.after_call = after_call
        self.on_commit = on_commit
        self._records = _Records(decode)

    def transact(self, body: Callable[[Transaction], T]) -> T:
        """Run `body` until nothing it read has changed at its commit; its errors roll back.

        Raises:
            StoreUnavailable: others kept changing what it reads.

        """
        _call(self.on_call, "transact")
        for _ in range(MAX_ATTEMPTS):
            try:
                result = self._attempt(body)
            except Conflict:
                continue
            _call(self.after_call, "transact")
            return result
        raise StoreUnavailable(f"a transaction lost {MAX_ATTEMPTS} races: try again later")

    def _attempt(self, body: Callable[[Transaction], T]) -> T:
        as_of, seen = self._records.newest, set[tuple[str, str]]()

        def reads(kind: type[R], keys: tuple[str, ...]) -> dict[str, R]:
            _call(self.on_call, "transaction.get_many")
            seen.update((kind.kind, key) for key in keys)
            return self._records.read(kind, keys, as_of)

        transaction = BufferedTransaction(reads)
        try:
            result = body(transaction)
        finally:
            transaction.end()
        _call(self.before_commit, "transact")
        if transaction.writes:
            self._records.commit(transaction.writes, seen, as_of)
            if self.on_commit is not None:
                self.on_commit(transaction.writes)
        return result

    def get(self, kind: type[R], key: str) -> R | None:
        """Return the newest committed record, None when there is none."""
        return self._answer("get", lambda: self._records.read(kind, (key,))).get(key)

    def get_many(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Return the newest committed records that exist, by key."""
        wanted = tuple(keys)
        return self._answer("get_many", lambda: self._records.read(kind, wanted))

    def links_of(self, calendar_key: str, *, after: str, limit: int) -> list[Link]:
        """Return up to `limit` links of a calendar whose key is greater than `after`, in the order of their keys."""

        def choose(living: Iterable[tuple[str, Write]]) -> list[str]:
            keys = (key for key, write in living if key > after and write.columns == (calendar_key,))
            return sorted(keys)[: max(limit, 0)]

        return self._listing("links_of", Link, choose)

    def calendars_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None
    ) -> list[Due[Calendar]]:
        """Return up to `limit` calendars of a tenant with `due_at` at or before `before`, the oldest first.

        Args:
            after: go on behind this one, as it was read.

        """
        return self._due("calendars_due", Calendar, "due_at", tenant, before, limit=limit, after=after)

    def calendars_of(self, tenant: str, subject: str, limit: int) -> list[Calendar]:
        """Return up to `limit` calendars of a tenant as `subject` sees them, in the order of their keys."""
        of, at = _places("calendar", TENANT, "subject")

        def choose(living: Iterable[tuple[str, Write]]) -> list[str]:
            own = (key for key, write in living if (write.columns[of], write.columns[at]) == (tenant, subject))
            return sorted(own)[: max(limit, 0)]

        return self._listing("calendars_of", Calendar, choose)

    def channels_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None
    ) -> list[Due[Calendar]]:
        """Return up to `limit` calendars of a tenant with `renew_at` at or before `before`, the oldest first.

        Args:
            after: go on behind this one, as it was read.

        """
        return self._due("channels_due", Calendar, "renew_at", tenant, before, limit=limit, after=after)

    def conferences_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Conference] | None = None
    ) -> list[Due[Conference]]:
        """Return up to `limit` conferences of a tenant with `due_at` at or before `before`, the oldest first.

        Args:
            after: go on behind this one, as it was read.

        """
        return self._due("conferences_due", Conference, "due_at", tenant, before, limit=limit, after=after)

    def all_of(self, kind: type[R], *, after: str, limit: int) -> list[R]:
        """Return up to `limit` records whose key is greater than `after`, in the order of their keys."""

        def choose(living: Iterable[tuple[str, Write]]) -> list[str]:
            return sorted(key for key, _ in living if key > after)[: max(limit, 0)]

        return self._listing("all_of", kind, choose)

    def _due(
        self, name: str, kind: type[R], field: str, tenant: str, before: datetime, *, limit: int, after: Due[R] | None
    ) -> list[Due[R]]:
        choose = _until(kind.kind, field, tenant, before, limit, first=due_place(after, field))
        return self._answer(name, lambda: self._records.select_due(kind, field, choose))

    def _listing(self, name: str, kind: type[R], choose: Choice) -> list[R]:
        return list(self._answer(name, lambda: self._records.select(kind, choose)).values())

    def _answer(self, name: str, read: Callable[[], T]) -> T:
        _call(self.on_call, name)
        answer = read()
        _call(self.after_call, name)
        return answer


def _until(kind: str, field: str, tenant: str, before: datetime, limit: int, *, first: tuple[str, str]) -> Choice:
    latest, (of, at) = sortable(before), _places(kind, TENANT, field)

    def choose(living: Iterable[tuple[str, Write]]) -> list[str]:
        times = ((write.columns[at], key) for key, write in living if write.columns[of] == tenant)
        due = sorted((t, key) for t, key in times if t is not None and t <= latest and (t, key) > first)
        return [key for _, key in due][: max(limit, 0)]

    return choose


def _places(kind: str, *fields: str) -> tuple[int, ...]:
    return tuple(QUERIED[kind].index(field) for field in fields)


def _call(hook: Hook | None, name: str) -> None:
    if hook is not None:
        hook(name)
