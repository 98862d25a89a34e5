"""A store that lives in memory, for tests and simulations; safe to use from many threads.

It obeys the same rules as the real ones and must never be more forgiving.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from confsync.adapters.memory_records import Choice, Conflict, Records, places
from confsync.adapters.stored import TENANT, BufferedTransaction, Decode, Write, decode, due_place, sortable
from confsync.core.conference import Conference
from confsync.core.records import Calendar, Link, Record
from confsync.core.unreadable import Due
from confsync.errors import StoreUnavailable
from confsync.ports import Transaction

R = TypeVar("R", bound=Record)
T = TypeVar("T")

Hook = Callable[[str], None]
"""Called with the name of the port call; may switch tasks, or raise the fault that is to be injected."""

MAX_ATTEMPTS = 100
"""How often a body runs before the store gives up; each lost race is won by another, so this is far off."""

CommitHook = Callable[[Mapping[tuple[str, str], Write | None]], None]
"""Called with what one commit wrote, right after it."""


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
        self._records = Records(decode)

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

    def conferences_of(self, calendar_key: str, *, after: str, limit: int) -> list[Conference]:
        """Return up to `limit` conferences that know an event of a calendar, as `links_of` does its links."""

        def choose(living: Iterable[tuple[str, Write]]) -> list[str]:
            keys = (key for key, write in living if key > after and calendar_key in write.calendar_keys)
            return sorted(keys)[: max(limit, 0)]

        return self._listing("conferences_of", Conference, choose)

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
        of, at = places("calendar", TENANT, "subject")

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
    latest, (of, at) = sortable(before), places(kind, TENANT, field)

    def choose(living: Iterable[tuple[str, Write]]) -> list[str]:
        times = ((write.columns[at], key) for key, write in living if write.columns[of] == tenant)
        due = sorted((t, key) for t, key in times if t is not None and t <= latest and (t, key) > first)
        return [key for _, key in due][: max(limit, 0)]

    return choose


def _call(hook: Hook | None, name: str) -> None:
    if hook is not None:
        hook(name)
