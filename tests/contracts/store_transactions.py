"""How every store runs transactions, one at a time and many at once."""

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from confsync.core.conference import Conference
from confsync.core.records import Calendar
from confsync.errors import StoreError
from confsync.ports import Store, Transaction
from tests.contracts.store_calls import (
    at_once,
    calendar,
    conference,
    increment,
    keys_of,
    put,
)


class Crash(Exception):
    """Stands for whatever a body may raise."""


class TransactionsContract:
    """Part of `StoreContract`."""

    def test_transaction_returns_what_its_body_returns(self, store: Store) -> None:
        """The caller gets the body's own value."""
        value = object()
        assert store.transact(lambda _: value) is value

    def test_error_in_the_body_rolls_back_and_is_raised(self, store: Store) -> None:
        """Neither put nor delete of a failed body takes effect; the caller sees the body's own error."""
        put(store, calendar("a"))

        def body(transaction: Transaction) -> None:
            transaction.get(Calendar, "a")
            transaction.put(calendar("b"))
            transaction.delete(Calendar, "a")
            raise Crash("on purpose")

        with pytest.raises(Crash, match="on purpose"):
            store.transact(body)
        assert keys_of(store.all_of(Calendar, after="", limit=10)) == ["a"]

    def test_store_works_on_after_a_failed_body(self, store: Store) -> None:
        """A failed transaction holds nothing that a later one needs."""
        for _ in range(20):
            with pytest.raises(Crash):
                store.transact(_crash)
        assert increment(store, "a") == 1

    @pytest.mark.parametrize("write", ["put", "delete"])
    @pytest.mark.parametrize("read", ["get", "get_many"])
    def test_reading_after_a_write_is_refused(self, store: Store, write: str, read: str) -> None:
        """A read after the first write is an error, and rolls back, as Firestore demands."""

        def body(transaction: Transaction) -> None:
            if write == "put":
                transaction.put(calendar("a"))
            else:
                transaction.delete(Calendar, "a")
            if read == "get":
                transaction.get(Calendar, "b")
            else:
                transaction.get_many(Calendar, ["b"])

        with pytest.raises(StoreError, match="after its first write"):
            store.transact(body)
        assert store.get(Calendar, "a") is None

    def test_the_last_write_of_a_record_counts(self, store: Store) -> None:
        """Several writes of one record in one transaction take effect in their order."""
        put(store, calendar("deleted"), calendar("restored"))

        def body(transaction: Transaction) -> None:
            transaction.put(calendar("twice", fence=1))
            transaction.put(calendar("twice", fence=2))
            transaction.put(calendar("deleted"))
            transaction.delete(Calendar, "deleted")
            transaction.delete(Calendar, "restored")
            transaction.put(calendar("restored", fence=3))

        store.transact(body)
        found = store.all_of(Calendar, after="", limit=10)
        assert found == [calendar("restored", fence=3), calendar("twice", fence=2)]

    def test_writes_are_invisible_before_the_commit(self, store: Store) -> None:
        """Another thread reads the old state until the transaction has committed."""
        put(store, calendar("a"))
        written, looked = threading.Event(), threading.Event()

        def body(transaction: Transaction) -> None:
            transaction.put(calendar("a", fence=1))
            written.set()
            assert looked.wait(30)

        with ThreadPoolExecutor(1) as threads:
            commit = threads.submit(store.transact, body)
            assert written.wait(30)
            before = store.get(Calendar, "a")
            looked.set()
            commit.result(30)
        assert before == calendar("a")
        assert store.get(Calendar, "a") == calendar("a", fence=1)

    def test_transaction_is_useless_after_its_body(self, store: Store) -> None:
        """A transaction that escaped its body refuses reads and writes: they could only be lost."""
        escaped = store.transact(lambda transaction: transaction)
        with pytest.raises(StoreError, match="after its body"):
            escaped.get(Calendar, "a")
        with pytest.raises(StoreError, match="after its body"):
            escaped.put(calendar("a"))
        with pytest.raises(StoreError, match="after its body"):
            escaped.delete(Calendar, "a")

    def test_changing_what_was_read_changes_nothing_stored(self, store: Store) -> None:
        """Records given out or taken in share nothing with the store."""
        put(store, given := conference("a"))
        given.referents["x"] = None  # type: ignore[assignment]  # the one mutable corner of a frozen record
        found = store.get(Conference, "a")
        assert found is not None
        assert found.referents == {}
        found.referents["x"] = None  # type: ignore[assignment]
        assert store.get(Conference, "a") == conference("a")


def _crash(transaction: Transaction) -> None:
    transaction.get(Calendar, "a")
    transaction.put(calendar("a", served=41))
    raise Crash


class IsolationContract:
    """Part of `StoreContract`."""

    threads = 8
    rounds = 25

    @pytest.fixture(autouse=True)
    def _switch_threads_often(self) -> Iterator[None]:
        """Let the interpreter switch threads within a transaction, not only after several of them."""
        usual = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        yield
        sys.setswitchinterval(usual)

    def test_no_update_is_lost(self, store: Store) -> None:
        """Threads that read and then write one record: each increment counts, and no two see the same number."""

        def work() -> list[int]:
            return [increment(store, "a") for _ in range(self.rounds)]

        seen = [number for worker in at_once(*[work] * self.threads) for number in worker]
        assert sorted(seen) == list(range(1, self.threads * self.rounds + 1))

    def test_one_of_many_creators_wins(self, store: Store) -> None:
        """Of threads that create a record only if it is missing, exactly one creates it."""

        def create(key: str, holder: str) -> bool:
            def body(transaction: Transaction) -> bool:
                if transaction.get(Calendar, key) is not None:
                    return False
                transaction.put(calendar(key, subject=holder))
                return True

            return store.transact(body)

        for n in range(self.rounds):
            won = at_once(*[lambda h=str(h), n=n: create(f"{n:03}", h) for h in range(4)])
            assert won.count(True) == 1
            made = store.get(Calendar, f"{n:03}")
            assert made is not None
            assert made.subject == str(won.index(True))

    def test_transactions_that_write_different_records_see_each_other(self, store: Store) -> None:
        """Two that read both records and empty one only while the other is full never empty both (no write skew)."""

        def leave(mine: str, other: str) -> None:
            def body(transaction: Transaction) -> None:
                found = transaction.get_many(Calendar, [mine, other])
                if found[other].requested:
                    transaction.put(calendar(mine, requested=0))

            store.transact(body)

        for _ in range(self.rounds):
            put(store, calendar("a", requested=1), calendar("b", requested=1))
            at_once(lambda: leave("a", "b"), lambda: leave("b", "a"))
            left = store.get_many(Calendar, ["a", "b"])
            assert sum(record.requested for record in left.values()) == 1

    def test_transaction_sees_one_moment(self, store: Store) -> None:
        """Records that are always written together are never read apart, even when they are read one by one."""
        put(store, calendar("a"), conference("b"))

        def write() -> None:
            for n in range(1, self.rounds * 4):
                put(store, calendar("a", fence=n), conference("b", attempts=n))

        def look(transaction: Transaction) -> tuple[int, int]:
            one, other = transaction.get(Calendar, "a"), transaction.get(Conference, "b")
            assert one is not None
            assert other is not None
            assert one.fence == other.attempts, "a body saw half of a transaction"
            return one.fence, other.attempts

        at_once(write, *[lambda: [store.transact(look) for _ in range(self.rounds * 2)]] * 2)
