"""How every store keeps single records."""

from datetime import timedelta

import pytest
from hypothesis import given

from confsync.adapters.stored import RECORDS
from confsync.core.conference import Conference, Desired
from confsync.core.records import Calendar, Link, Record
from confsync.core.state import ConferenceState
from confsync.errors import StoreError
from confsync.ports import Store
from tests.contracts.store_calls import NOW, TEXT, calendar, conference, delete, failure, link, on_one_store, put
from tests.contracts.strategies import records


class RecordsContract:
    """Part of `StoreContract`."""

    def test_missing_record_is_none(self, store: Store) -> None:
        """A key that was never written reads as None, inside a transaction and outside."""
        assert store.get(Calendar, "a") is None
        assert store.transact(lambda transaction: transaction.get(Calendar, "a")) is None

    def test_record_is_read_as_it_was_written(self, store: Store) -> None:
        """What was committed is read back equal, inside a transaction and outside."""
        put(store, written := calendar("a", due_at=NOW, to_observe=("x", "y")))
        assert store.get(Calendar, "a") == written
        assert store.transact(lambda transaction: transaction.get(Calendar, "a")) == written

    def test_record_is_replaced_whole(self, store: Store) -> None:
        """A second put leaves nothing of the first."""
        put(store, calendar("a", due_at=NOW, sync_token="t", last_error="late"))
        put(store, newer := calendar("a"))
        assert store.get(Calendar, "a") == newer

    def test_deleted_record_is_gone(self, store: Store) -> None:
        """A deleted record is missing, until it is written again."""
        put(store, calendar("a"))
        delete(store, Calendar, "a")
        assert store.get(Calendar, "a") is None
        put(store, again := calendar("a", fence=7))
        assert store.get(Calendar, "a") == again

    def test_deleting_a_missing_record_is_no_error(self, store: Store) -> None:
        """Deleting is idempotent."""
        delete(store, Calendar, "a")
        assert store.get(Calendar, "a") is None

    def test_kinds_do_not_share_keys(self, store: Store) -> None:
        """Records of different kinds live side by side under one key."""
        written = (calendar("a"), link("a"), conference("a"), failure("a"))
        put(store, *written)
        delete(store, Link, "a")
        assert [store.get(type(record), "a") for record in written] == [written[0], None, *written[2:]]

    def test_many_records_are_read_by_key(self, store: Store) -> None:
        """get_many leaves out what is missing and counts a repeated key once."""
        put(store, calendar("a"), calendar("b"), calendar("c"), link("d"))
        wanted = ("b", "a", "d", "b", "zz")
        expected = {"a": calendar("a"), "b": calendar("b")}
        assert store.get_many(Calendar, wanted) == expected
        assert store.transact(lambda transaction: transaction.get_many(Calendar, iter(wanted))) == expected

    def test_no_keys_give_no_records(self, store: Store) -> None:
        """get_many of nothing is empty, not everything."""
        put(store, calendar("a"))
        assert store.get_many(Calendar, ()) == {}
        assert store.transact(lambda transaction: transaction.get_many(Calendar, ())) == {}

    def test_hundreds_of_records_fit_in_one_transaction(self, store: Store) -> None:
        """A page of observations is written and read at once."""
        written = {f"{n:03}": link(f"{n:03}") for n in range(400)}
        put(store, *written.values())
        assert store.get_many(Link, written) == written

    @on_one_store
    @given(record=records)
    def test_every_record_survives_the_round_trip(self, store: Store, record: Record) -> None:
        """Any record of any kind is read back equal."""
        put(store, record)
        assert store.get(type(record), record.key) == record

    def test_every_kind_is_stored(self, store: Store) -> None:
        """No kind of record was forgotten."""
        for kind in RECORDS:
            assert store.all_of(kind, after="", limit=1) == []

    def test_text_is_kept_exactly(self, store: Store) -> None:
        """Emoji, combining marks, right-to-left text, quotes and control characters are neither changed nor run."""
        put(store, written := calendar("a", calendar_id=TEXT, to_observe=(TEXT,)))
        assert store.get(Calendar, "a") == written

    def test_big_record_is_kept(self, store: Store) -> None:
        """A record of 500 kB goes in and out."""
        state = ConferenceState(title="t", description="é" * 250_000)
        put(store, written := conference("a", desired=Desired(generation=1, fingerprint="f", state=state)))
        assert store.get(Conference, "a") == written

    def test_times_keep_microseconds_and_zone(self, store: Store) -> None:
        """A time stamp comes back as the same microsecond, in UTC."""
        put(store, calendar("a", due_at=NOW))
        found = store.get(Calendar, "a")
        assert found is not None
        assert found.due_at == NOW
        assert found.due_at.microsecond == 123456
        assert found.due_at.utcoffset() == timedelta(0)

    def test_due_time_without_zone_is_refused(self, store: Store) -> None:
        """A time that could be any of 24 hours is an error, not a guess, and nothing of the transaction is written."""
        with pytest.raises(StoreError, match="time zone"):
            put(store, calendar("a"), calendar("b", due_at=NOW.replace(tzinfo=None)))
        assert store.get(Calendar, "a") is None

    def test_text_that_is_no_unicode_is_refused_without_quoting_it(self, store: Store) -> None:
        """Half of a surrogate pair cannot be stored; the error names the record, not its content."""
        with pytest.raises(StoreError, match="calendar b") as refused:
            put(store, calendar("a"), calendar("b", last_error="secret \ud83d"))
        assert "secret" not in str(refused.value)
        assert store.get(Calendar, "a") is None
