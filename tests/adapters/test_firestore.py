"""The Firestore store beyond the contract: what it asks for, what it declares, and what each refusal becomes."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from hypothesis import assume, example, given
from hypothesis import strategies as st

from confsync.adapters.firestore import ATTEMPTS, FIRST_PAUSE_S, LONGEST_PAUSE_S, FirestoreStore
from confsync.adapters.firestore_calls import build_client
from confsync.adapters.firestore_errors import translated
from confsync.adapters.firestore_layout import FIELDS, SHARDS, declared, in_tenant, shard_of
from confsync.adapters.stored import FAILURES_LAST, sortable
from confsync.core.conference import Conference
from confsync.core.records import Calendar, Failure, Link, key_of
from confsync.errors import SettingsError, StoreCorrupt, StoreError, StoreUnavailable
from confsync.ports import Transaction
from tests.contracts.store_calls import NOW, calendar, conference, failure, increment, link, put
from tests.firestore_client import Intercepted
from tests.firestore_emulator import Emulator

TERRAFORM = Path(__file__).resolve().parents[2] / "terraform" / "firestore.json"


def answer(kind: Callable[..., Exception], *said: object) -> Exception:
    """Return an error as Google's client raises it; its classes have no types."""
    return kind(*said)


@pytest.fixture
def client(emulator: Emulator) -> Intercepted:
    """Return the client of the store."""
    return Intercepted(emulator)


@pytest.fixture
def database(emulator: Emulator) -> str:
    """Return an empty database."""
    return emulator.new_database()


@pytest.fixture
def store(client: Intercepted, database: str) -> FirestoreStore:
    """Return a store on an empty database."""
    return FirestoreStore(database, lambda: client)  # type: ignore[arg-type, return-value]  # it answers as one


# --- what it asks for ---------------------------------------------------------------------------------------------


def test_a_transaction_is_its_reads_and_a_commit(store: FirestoreStore, client: Intercepted) -> None:
    """Nothing else goes over the wire: the first read begins it; one that reads nothing is its commit alone."""
    increment(store, "a")
    assert client.methods() == ["batch_get_documents", "commit"]
    assert client.requests[1][1]["transaction"] == client.begun[0]
    client.requests.clear()
    put(store, calendar("b"))
    assert client.methods() == ["commit"]
    store.transact(lambda _: None)
    assert client.methods() == ["commit"]


def test_a_failed_body_gives_its_locks_back_at_once(store: FirestoreStore, client: Intercepted) -> None:
    """Else each of its records would be blocked for a minute."""

    def body(transaction: Transaction) -> None:
        transaction.get(Calendar, "a")
        raise KeyError

    with pytest.raises(KeyError):
        store.transact(body)
    assert client.methods()[-1] == "rollback"


def test_a_record_that_cannot_be_read_is_not_kept_locked(
    store: FirestoreStore, client: Intercepted, database: str
) -> None:
    """Its transaction has begun by then: an operator who corrects the record would have to wait for a minute."""
    name = f"{database}/documents/calendar/a"
    broken = {"update": {"name": name, "fields": {"body": {"string_value": "{}"}}}}
    client.commit({"database": database, "writes": [broken]})
    with pytest.raises(StoreCorrupt):
        increment(store, "a")
    assert client.methods()[-2:] == ["batch_get_documents", "rollback"]


def test_a_streamed_answer_needs_no_thread_of_its_own(emulator: Emulator, database: str) -> None:
    """Each read would start one, which costs as much as the rest of the request."""
    client, seen = build_client(emulator.host), set()
    name = f"{database}/documents/calendar/a"
    before = set(threading.enumerate())
    for _ in client.batch_get_documents({"database": database, "documents": [name]}):
        seen |= set(threading.enumerate()) - before
    assert not seen


def test_every_query_is_served_by_an_index_that_is_declared(store: FirestoreStore, client: Intercepted) -> None:
    """The emulator answers any query; Firestore refuses one without its index."""
    for ask in (
        lambda: store.calendars_due("default", NOW, 5),
        lambda: store.calendars_of("default", "ann", 5),
        lambda: store.channels_due("default", NOW, 5),
        lambda: store.conferences_due("default", NOW, 5),
        lambda: store.links_of("c", after="k", limit=5),
        lambda: store.conferences_of("c", after="k", limit=5),
        lambda: [store.all_of(kind, after="k", limit=5) for kind in (Calendar, Link, Conference, Failure)],
    ):
        ask()
    queries = [request["structured_query"] for method, request in client.requests if method == "run_query"]
    indexed = {(each.collection, each.field, *each.indexes) for each in FIELDS if each.indexes}
    asked = {(query["from_"][0]["collection_id"], *_asked_of(query)) for query in queries}
    assert {each for each in asked if each[1]} == indexed
    assert all(_is_single_field(query) for query in queries)


def _asked_of(query: dict[str, Any]) -> tuple[str, str]:
    """Return the field that a query asks for, if any, and the index that this takes."""
    where = query.get("where", {})
    filters = where["composite_filter"]["filters"] if "composite_filter" in where else [where] if where else []
    by_value = {each["field_filter"]["op"] == "ARRAY_CONTAINS" for each in filters}
    fields = {each["field_filter"]["field"]["field_path"] for each in filters}
    assert len(fields) <= 1, "a query by two fields needs a composite index"
    return next(iter(fields), ""), "CONTAINS" if by_value == {True} else "ASCENDING"


def _is_single_field(query: dict[str, Any]) -> bool:
    """Whether a single-field index has the order: that of the field that a range is asked of, then of the keys."""
    order = [each["field"]["field_path"] for each in query["order_by"]]
    return order == ["__name__"] or order == [_asked_of(query)[0], "__name__"]


def test_what_terraform_applies_is_what_the_code_declares() -> None:
    """Run `python -m confsync.adapters.firestore_layout > terraform/firestore.json` after a change."""
    assert json.loads(TERRAFORM.read_text()) == declared()


def test_times_are_spread_over_the_shards(store: FirestoreStore) -> None:
    """What is due now would otherwise be written at the end of one index, and slow everybody down."""
    keys = [key_of("calendar", str(n)) for n in range(64)]
    assert {shard_of(key) for key in keys} == set(range(SHARDS))
    put(store, *(calendar(key, due_at=NOW + timedelta(seconds=n)) for n, key in enumerate(keys)))
    assert [each.key for each in store.calendars_due("default", NOW + timedelta(seconds=9), 100)] == keys[:10]
    assert [each.key for each in store.calendars_due("default", NOW + timedelta(days=1), 7)] == keys[:7]


@given(mine=st.text(), other=st.text(), at=st.datetimes(timezones=st.just(UTC)))
@example(mine="a", other="a/2026", at=NOW)
@example(mine="a/2026", other="a", at=NOW)
def test_no_tenants_range_reaches_into_anothers(mine: str, other: str, at: datetime) -> None:
    """Whatever they are called."""
    assume(mine != other)
    first, last = in_tenant(mine, ""), in_tenant(mine, sortable(datetime.max.replace(tzinfo=UTC)))
    assert first < in_tenant(mine, sortable(at)) <= last
    assert not first <= in_tenant(other, sortable(at)) <= last
    assert not first <= in_tenant(other, "") <= last


def test_a_failure_says_when_firestore_may_delete_it(store: FirestoreStore, client: Intercepted) -> None:
    """Other records never expire."""
    put(store, failure("f"), conference("c"))
    written = {
        each["update"]["name"].split("/")[-2]: each["update"]["fields"] for each in client.requests[-1][1]["writes"]
    }
    assert written["failure"]["expires_at"] == {"timestamp_value": NOW + FAILURES_LAST}
    assert "expires_at" not in written["conference"]


def test_fields_without_a_value_take_no_room_in_an_index(store: FirestoreStore, client: Intercepted) -> None:
    """Most conferences are due at no time."""
    put(store, conference("c"), link("l", calendar_key="k"))
    first, second = (each["update"]["fields"] for each in client.requests[-1][1]["writes"])
    assert (set(first), set(second)) == ({"body"}, {"body", "calendar_key"})


# --- races --------------------------------------------------------------------------------------------------------


def places(client: Intercepted) -> list[bytes]:
    """Return whose place each transaction takes that was begun by itself, as all but the first attempt are."""
    begins = (request for method, request in client.requests if method == "begin_transaction")
    return [request["options"]["read_write"]["retry_transaction"] for request in begins]


def test_a_read_that_meets_another_transaction_runs_the_body_again(store: FirestoreStore, client: Intercepted) -> None:
    """Google's own transactions give up at the first one."""
    client.before["batch_get_documents"] = [answer(exceptions.Aborted, "held by another") for _ in range(2)]
    assert increment(store, "a") == 1
    first, second = places(client)
    assert not first, "the read that was to begin it did not"
    assert second, "it keeps its place in the line"


def test_a_commit_that_meets_another_transaction_runs_the_body_again(
    store: FirestoreStore, client: Intercepted
) -> None:
    """Nothing of the first run was written."""
    client.before["commit"] = [answer(exceptions.Aborted, "too much contention")]
    assert increment(store, "a") == 1
    assert client.methods().count("commit") == 2
    assert places(client) == client.begun, "it keeps its place in the line"


def test_after_some_lost_races_the_task_has_to_come_again(store: FirestoreStore, client: Intercepted) -> None:
    """The store names the database; nothing was written."""
    client.before["commit"] = [answer(exceptions.Aborted, "too much contention") for _ in range(ATTEMPTS)]
    with pytest.raises(StoreUnavailable, match=r"databases/\(default\): others held or changed"):
        increment(store, "a")
    assert store.get(Calendar, "a") is None


def test_attempts_pause_at_random(client: Intercepted, database: str) -> None:
    """Transactions that refused each other begin again at different moments, and later each time."""

    def pauses() -> list[float]:
        client.before["commit"] = [answer(exceptions.Aborted, "Transaction lock timeout.") for _ in range(ATTEMPTS)]
        rested: list[float] = []
        with pytest.raises(StoreUnavailable):
            increment(FirestoreStore(database, lambda: client, rest=rested.append), "a")  # type: ignore[arg-type, return-value]
        return rested

    first, second = pauses(), pauses()
    assert len(first) == len(second) == ATTEMPTS
    assert first[0] == second[0] == 0, "who lost no race does not wait"
    assert all(mine != others for mine, others in zip(first[1:], second[1:], strict=True))
    assert all(pause <= min(FIRST_PAUSE_S * 2**n, LONGEST_PAUSE_S) for n, pause in enumerate(first[1:]))


def test_a_plain_write_waits_for_the_lock_of_a_transaction(store: FirestoreStore) -> None:
    """A write without reads meets locks too: it runs again, instead of failing as the client lets it."""
    put(store, calendar("a"))
    reading, written = threading.Event(), threading.Event()

    def hold(transaction: Transaction) -> None:
        transaction.get(Calendar, "a")
        reading.set()
        written.wait(3)

    holder = threading.Thread(target=lambda: store.transact(hold))
    holder.start()
    reading.wait(10)
    put(store, calendar("a", served=7))
    written.set()
    holder.join()
    found = store.get(Calendar, "a")
    assert found is not None
    assert found.served == 7


# --- unknown outcomes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["batch_get_documents", "commit"])
def test_a_request_that_fails_on_its_way_writes_nothing(
    method: str, store: FirestoreStore, client: Intercepted
) -> None:
    """The error says what failed, and does not hide behind another one; the next attempt is free to go on."""
    client.before[method] = [answer(exceptions.ServiceUnavailable, "502 of a proxy")]
    with pytest.raises(StoreUnavailable, match="ServiceUnavailable: 502 of a proxy"):
        increment(store, "a")
    assert increment(store, "a") == 1


def test_a_commit_that_was_not_answered_may_have_taken_effect(store: FirestoreStore, client: Intercepted) -> None:
    """It is not sent again: whoever called reads the record anew."""
    client.after["commit"] = [answer(exceptions.DeadlineExceeded, "no answer in time")]
    with pytest.raises(StoreUnavailable, match="DeadlineExceeded"):
        increment(store, "a")
    assert client.methods().count("commit") == 1
    assert increment(store, "a") == 2


@pytest.mark.parametrize("method", ["batch_get_documents", "commit"])
def test_a_transaction_that_expired_runs_again_as_a_new_one(
    method: str, store: FirestoreStore, client: Intercepted
) -> None:
    """As after a pause of a minute; Firestore's own words, behind the code of any invalid request."""
    says = "The referenced transaction has expired or is no longer valid."
    client.before[method] = [answer(exceptions.InvalidArgument, says)]
    assert increment(store, "a") == 1
    assert places(client) == [b""]


def test_a_body_that_lost_its_locks_sees_what_others_wrote_meanwhile(
    store: FirestoreStore, client: Intercepted
) -> None:
    """The emulator forgets the transaction under way, and another writer is faster."""
    seen: list[int] = []

    def body(transaction: Transaction) -> None:
        known = transaction.get(Calendar, "a")
        seen.append(known.served if known else 0)
        if len(seen) == 1:
            client.rollback({"database": client.requests[0][1]["database"], "transaction": client.begun[0]})
            increment(store, "a")
        transaction.put(calendar("a", served=seen[-1] + 10))

    store.transact(body)
    assert seen == [0, 1]
    assert store.get(Calendar, "a") == calendar("a", served=11)


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected", "says"),
    [
        (answer(exceptions.NotFound, "no database"), SettingsError, "Create the database"),
        (answer(exceptions.PermissionDenied, "no"), SettingsError, "roles/datastore.user"),
        (answer(exceptions.Unauthenticated, "no"), SettingsError, "credentials of a service account"),
        (answer(exceptions.FailedPrecondition, "needs an index"), SettingsError, "terraform/firestore.json"),
        (answer(exceptions.InvalidArgument, "longer than 1048487 bytes"), StoreError, "1 MiB"),
        (answer(exceptions.ServiceUnavailable, "gone"), StoreUnavailable, "Try again later"),
        (answer(exceptions.ResourceExhausted, "quota"), StoreUnavailable, "Try again later"),
        (answer(exceptions.InternalServerError, "oops"), StoreUnavailable, "Try again later"),
        (
            answer(exceptions.RetryError, "late", answer(exceptions.Unknown, "lost")),
            StoreUnavailable,
            "given up after lost",
        ),
        (DefaultCredentialsError("none"), SettingsError, "credentials of a service account"),  # type: ignore[no-untyped-call]
        (RefreshError("for a moment", retryable=True), StoreUnavailable, "Try again later"),  # type: ignore[no-untyped-call]
        (TransportError("no network"), StoreUnavailable, "Try again later"),  # type: ignore[no-untyped-call]
    ],
)
def test_each_refusal_names_the_database_and_the_way_out(error: Exception, expected: type, says: str) -> None:
    """An operator acts on some, time heals the others."""
    found = translated(error, "projects/acme/databases/confsync")
    assert type(found) is expected
    assert "projects/acme/databases/confsync" in str(found)
    assert says in str(found)


def test_a_record_that_is_too_big_is_refused_with_its_limit(store: FirestoreStore) -> None:
    """Firestore takes 1 MiB; what the record holds is not quoted."""
    with pytest.raises(StoreError, match="A record may have 1 MiB") as refused:
        put(store, calendar("a", last_error="secret" * 200_000))
    assert "secretsecret" not in str(refused.value)


def test_an_emulator_that_is_not_there_counts_as_out_of_reach() -> None:
    """The time-out is ours, and bounded."""
    store = FirestoreStore("projects/p/databases/(default)", lambda: build_client("127.0.0.1:1"), timeout_s=0.3)
    with pytest.raises(StoreUnavailable):
        store.get(Calendar, "a")
