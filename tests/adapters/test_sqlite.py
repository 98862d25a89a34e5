"""What only the SQLite store promises: durability, several processes, forks, and files that it must not touch.

What all stores promise is tested in `contracts`.
"""

import os
import random
import sqlite3
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from confsync.adapters.sqlite import SqliteStore
from confsync.adapters.sqlite_schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION, prepare
from confsync.adapters.stored import RECORDS
from confsync.core.conference import Conference
from confsync.core.records import Calendar, Link
from confsync.core.unreadable import Unreadable
from confsync.errors import SettingsError, StoreCorrupt, StoreError, StoreUnavailable
from confsync.ports import Transaction
from tests.contracts import store_processes
from tests.contracts.store_calls import NOW, at_once, calendar, conference, increment, link, put
from tests.forking import Forking


@pytest.fixture(scope="module")
def children() -> Iterator[Forking]:
    """Yield the process that forks children."""
    process = Forking(store_processes)
    yield process
    process.stop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a file that does not exist yet."""
    return tmp_path / "confsync.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    """Yield a store that waits for nobody."""
    store = SqliteStore(path, busy_timeout_s=0.05)
    yield store
    store.close()


def run_script(source: str, *arguments: Path | str) -> str:
    """Run Python source in a new process and return what it printed."""
    command = [sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def numbers(store: SqliteStore) -> tuple[int, int, str]:
    """Return the counter of `store_processes.step` as each of its places shows it."""
    one, other = store.get(Calendar, "a"), store.get(Conference, "b")
    if one is None or other is None:
        assert (one, other) == (None, None), "one record of a transaction without the other"
        return 0, 0, ""
    assert other.desired is not None
    assert other.desired.state is not None
    return one.served, other.desired.generation, (other.desired.state.description or "")


# Durability and several processes


def test_killed_writer_loses_no_acknowledged_transaction_and_leaves_no_half(path: Path, children: Forking) -> None:
    """SIGKILL at any moment: what was acknowledged is there, at most one more is, and each is there as a whole."""
    chance = random.Random(20261122)  # noqa: S311  # no secret
    store, before = SqliteStore(path), 0
    for _ in range(40):
        answer = children.ask("kill_writer", str(path), chance.randrange(1, 12), chance.random() * 0.004)
        assert answer["status"] == -9
        served, generation, description = numbers(store)
        assert served == generation
        assert description == f"{served} {store_processes.BULK}"
        assert before < answer["acknowledged"] <= served <= answer["acknowledged"] + 1
        before = served
    store.close()


def test_writer_killed_while_it_makes_the_file_leaves_a_usable_one(tmp_path: Path, children: Forking) -> None:
    """SIGKILL at any moment of the first use: the next process goes on as if nothing had been."""
    chance = random.Random(20261122)  # noqa: S311  # no secret
    for n in range(40):
        path = tmp_path / f"{n}.db"
        acknowledged = children.ask("kill_writer", str(path), 0, chance.random() * 0.008)["acknowledged"]
        store = SqliteStore(path)
        assert acknowledged <= numbers(store)[0] <= acknowledged + 1
        assert increment(store, "other") == 1
        store.close()


def test_processes_that_make_the_file_at_once_share_it(tmp_path: Path, children: Forking) -> None:
    """Whoever is first makes the tables; nobody fails and no count is lost."""
    for n in range(10):
        path = tmp_path / f"{n}.db"
        assert children.ask("count_together", str(path), 6, 2) == {"statuses": [0] * 6}
        store = SqliteStore(path)
        assert numbers(store)[:2] == (12, 12)
        store.close()


def test_processes_that_count_together_lose_nothing(path: Path, children: Forking) -> None:
    """Processes that read and then write one record: each increment counts."""
    assert children.ask("count_together", str(path), 3, 50) == {"statuses": [0] * 3}
    store = SqliteStore(path)
    assert numbers(store)[:2] == (150, 150)
    store.close()


def test_commits_reach_the_disk_before_they_are_acknowledged(store: SqliteStore) -> None:
    """Each connection writes ahead and syncs at every commit (2 is FULL): a power loss takes no generation back."""
    with store._file.connection() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == (b"wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_nothing_is_touched_before_the_first_call(path: Path) -> None:
    """A store may be built for a folder that does not exist yet, and before a fork."""
    store = SqliteStore(path / "missing" / "x.db")
    assert not path.exists()
    store.close()


def test_store_opens_again_after_close(store: SqliteStore) -> None:
    """Closing lets go of the file; the next call opens it anew."""
    increment(store, "a")
    store.close()
    assert increment(store, "a") == 2


def test_threads_that_come_and_go_leave_few_connections(path: Path) -> None:
    """A connection is handed on from thread to thread: there are never more than ran at once."""
    store = SqliteStore(path)
    for _ in range(10):
        at_once(*[lambda: store.get(Calendar, "a")] * 3)
    assert len(store._file._idle) <= 3
    store.close()
    assert store._file._idle == []


def test_file_is_readable_by_its_owner_only(store: SqliteStore, path: Path) -> None:
    """It holds titles and attendees until they are applied."""
    increment(store, "a")
    assert {oct(stat.S_IMODE(file.stat().st_mode)) for file in path.parent.iterdir()} == {"0o600"}


# Forks


def test_fork_of_a_process_that_has_used_the_store_is_safe(path: Path) -> None:
    """Parent and child go on, each with connections of its own; neither undoes what the other wrote."""
    printed = run_script(
        """
        import os, sys
        from confsync.adapters.sqlite import SqliteStore
        from tests.contracts.store_calls import increment

        store = SqliteStore(sys.argv[1])
        increment(store, "a")
        told, telling = os.pipe()
        done, finishing = os.pipe()
        child = os.fork()
        if child == 0:
            increment(store, "a")
            os.write(finishing, b".")
            os.read(told, 1)
            increment(store, "a")
            os._exit(0)
        os.read(done, 1)
        store.close()  # the last connection, as far as this process knows, tidies the file up
        os.write(telling, b".")
        assert os.waitpid(child, 0)[1] == 0
        print(increment(store, "a"))
        """,
        path,
    )
    assert printed == "4\n"


def test_fork_in_the_middle_of_a_transaction_is_refused_in_the_child(path: Path) -> None:
    """The child cannot use a file that was in use when it was made, and is told so; the parent goes on."""
    printed = run_script(
        """
        import os, sys
        from confsync.adapters.sqlite import SqliteStore
        from confsync.core.records import Calendar
        from confsync.errors import StoreError
        from tests.contracts.store_calls import calendar

        store = SqliteStore(sys.argv[1], busy_timeout_s=0.05)

        def body(transaction):
            child = os.fork()
            if child == 0:
                try:
                    store.get(Calendar, "a")
                except StoreError as error:
                    os.write(1, f"{error}\\n".encode())
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            transaction.put(calendar("a"))

        store.transact(body)
        print(store.get(Calendar, "a").key)
        """,
        path,
    )
    assert printed == f"this process was forked while {path} was in use: open it after the fork\na\n"


def test_forks_and_calls_of_many_threads_do_not_block_each_other(path: Path) -> None:
    """Threads read and write without pause while others fork: all finish, and each increment counts."""
    printed = run_script(
        """
        import os, sys, threading
        from confsync.adapters.sqlite import SqliteStore
        from confsync.core.records import Calendar

        sys.setswitchinterval(1e-5)
        sys.unraisablehook = lambda unraisable: os._exit(9)  # what fails around a fork is not raised
        store = SqliteStore(sys.argv[1])
        forked = threading.Event()

        def count(transaction):
            old = transaction.get(Calendar, "a") or Calendar(key="a", tenant="t", calendar_id="c", subject="s")
            transaction.put(old.model_copy(update={"served": old.served + 1}))

        def write():
            for _ in range(40):
                store.transact(count)

        def read():
            while not forked.is_set():
                store.get(Calendar, "a")

        def fork():
            for _ in range(10):
                child = os.fork()
                if child == 0:
                    store.transact(count)
                    os._exit(0)
                assert os.waitpid(child, 0)[1] == 0

        # Plain threads: the locks of concurrent.futures would keep the forks apart.
        readers = [threading.Thread(target=read) for _ in range(4)]
        others = [threading.Thread(target=work) for work in (write, write, fork, fork)]
        for thread in (*readers, *others):
            thread.start()
        for thread in others:
            thread.join()
        forked.set()
        for thread in readers:
            thread.join()
        print(store.get(Calendar, "a").served)
        """,
        path,
    )
    assert printed == "100\n"


# Trouble


def test_locked_file_is_unavailable_for_writing_only(store: SqliteStore, path: Path) -> None:
    """Somebody else holds the write lock: writers are told to try again, readers are served, and all is well after."""
    increment(store, "a")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match=r"confsync\.db stayed locked by another process for 0\.05 s"):
        increment(store, "a")
    assert store.get(Calendar, "a") == calendar("a", served=1)
    other.execute("ROLLBACK")
    assert increment(store, "a") == 2
    other.close()


def test_writer_that_waits_too_long_for_another_thread_is_told_so(store: SqliteStore) -> None:
    """A transaction that never ends makes others give up, not hang."""
    entered, leave = threading.Event(), threading.Event()

    def body(_: Transaction) -> None:
        entered.set()
        assert leave.wait(30)

    def rival() -> None:
        assert entered.wait(30)
        try:
            with pytest.raises(StoreUnavailable, match="another thread"):
                increment(store, "a")
        finally:
            leave.set()

    at_once(lambda: store.transact(body), rival)
    assert increment(store, "a") == 1


def test_full_disk_is_unavailable_and_writes_nothing(store: SqliteStore) -> None:
    """A commit that finds no room is rolled back whole."""
    increment(store, "a")
    with store._file.connection() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreUnavailable, match="full"):
        put(store, calendar("b"), calendar("c", last_error="x" * 50_000))
    assert store.all_of(Calendar, after="", limit=9) == [calendar("a", served=1)]


@pytest.mark.parametrize("gone", ["removed", "replaced"])
def test_file_that_vanishes_in_use_is_noticed(store: SqliteStore, path: Path, gone: str) -> None:
    """What were written to a file without a name would be lost: it is refused until the store is opened anew."""
    increment(store, "a")
    path.rename(path.with_suffix(".old"))
    if gone == "replaced":
        path.touch()
    for call in (lambda: increment(store, "a"), lambda: store.get(Calendar, "a")):
        with pytest.raises(StoreCorrupt, match="removed or replaced while in use"):
            call()


def test_switch_to_write_ahead_logging_waits_for_others(store: SqliteStore, path: Path) -> None:
    """SQLite refuses the switch at once while others use the file; the store waits for them, and then switches."""
    increment(store, "a")
    store.close()
    edit(path, "PRAGMA journal_mode = DELETE")
    other, late = (sqlite3.connect(path, isolation_level=None, timeout=0) for _ in range(2))
    other.execute("BEGIN IMMEDIATE")
    late.set_trace_callback(lambda statement: other.execute("ROLLBACK") if statement == "BEGIN IMMEDIATE" else None)
    late.text_factory = bytes
    prepare(late, path, busy_timeout_s=60)
    assert late.execute("PRAGMA journal_mode").fetchone() == (b"wal",)
    other.close()
    late.close()


# Files that must not be touched


def _text(path: Path) -> None:
    path.write_text("to do: buy milk\n")


def _noise(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(20_000))  # noqa: S311  # no secret


def _foreign(path: Path) -> None:
    _made(path, "CREATE TABLE songs (title)")


def _foreign_with_mark(path: Path) -> None:
    _made(path, "PRAGMA application_id = 252006674")


def _foreign_with_same_table(path: Path) -> None:
    _made(path, "CREATE TABLE calendar (key TEXT PRIMARY KEY, body TEXT)")


def _newer(path: Path) -> None:
    _made(path, f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def _torn(path: Path) -> None:
    store = SqliteStore(path)
    put(store, *(conference(f"{n:02}", last_error="x" * 3000) for n in range(50)))
    store.close()
    os.truncate(path, path.stat().st_size // 2)


def _scribbled(path: Path) -> None:
    store = SqliteStore(path)
    put(store, *(conference(f"{n:02}", last_error="x" * 3000) for n in range(50)))
    store.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))


def _made(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_text, "no SQLite database"),
        (_noise, "no SQLite database"),
        (_foreign, "another application"),
        (_foreign_with_mark, "another application"),
        (_foreign_with_same_table, "another application"),
        (_newer, "schema version 5, this confsync knows 4"),
        (_torn, "damaged"),
        (_scribbled, "damaged"),
    ],
)
def test_file_that_is_not_ours_or_broken_is_left_alone(path: Path, store: SqliteStore, make: Any, why: str) -> None:
    """Reading and writing are refused, the message names path, reason and way out, and no byte has changed."""
    make(path)
    before = path.read_bytes()
    for call in (lambda: increment(store, "00"), lambda: store.all_of(Conference, after="", limit=99)):
        with pytest.raises(StoreCorrupt, match=why) as refused:
            call()
        assert str(path) in str(refused.value)
        assert "Nothing was overwritten" in str(refused.value)
    assert path.read_bytes() == before


def test_empty_file_is_taken(store: SqliteStore, path: Path) -> None:
    """A file without content belongs to nobody: it may be what a killed process left."""
    path.touch()
    assert increment(store, "a") == 1


def test_folder_in_place_of_the_file_is_a_wrong_setting(store: SqliteStore, path: Path) -> None:
    """The message proposes a file in it."""
    path.mkdir()
    with pytest.raises(SettingsError, match=r"no regular file: name a file, for example .*confsync\.db/confsync\.db"):
        increment(store, "a")


def test_pipe_in_place_of_the_file_does_not_hang(store: SqliteStore, path: Path) -> None:
    """What is no regular file is not even opened."""
    os.mkfifo(path)
    with pytest.raises(SettingsError, match="no regular file"):
        increment(store, "a")


def test_missing_folder_is_a_wrong_setting(tmp_path: Path) -> None:
    """The folder is named; it is not made, for it may be a mistyped or unmounted one."""
    store = SqliteStore(tmp_path / "missing" / "confsync.db")
    with pytest.raises(SettingsError, match="missing is no folder: create it"):
        store.get(Calendar, "a")
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "why"),
    [
        (0o555, None, "cannot be written"),
        (0o777, 0o444, "cannot be read and written"),
        (0o777, 0o000, "cannot be read and written"),
        (0o555, 0o666, "cannot be written"),
        (0o000, None, "cannot be written"),
    ],
)
def test_lack_of_rights_is_a_wrong_setting(folder_mode: int, file_mode: int | None, why: str) -> None:
    """A user who may not write the file, or the folder for the files beside it, is told what to allow."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "folder"
        folder.mkdir()
        if file_mode is not None:
            (folder / "confsync.db").touch()
            (folder / "confsync.db").chmod(file_mode)
        folder.chmod(folder_mode)
        printed = run_script(
            """
            import os, sys
            from confsync.adapters.sqlite import SqliteStore
            from confsync.core.records import Calendar
            from confsync.errors import SettingsError

            if os.geteuid() == 0:  # whom no rights bind
                os.setgroups([])
                os.setuid(65534)
            try:
                SqliteStore(sys.argv[1]).get(Calendar, "a")
            except SettingsError as error:
                print(error)
            """,
            folder / "confsync.db",
        )
        folder.chmod(0o777)
    assert why in printed
    assert name in printed


# Contents


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "body: json_invalid"),
        ("null", "body: model_type"),
        ('{"key": "a", "tenant": "Secret title"}', "provider: missing"),
        ('{"key": "a", "tenant": 7, "provider": "p", "conference_id": "c"}', "tenant: string_type"),
        ('{"key": "z", "tenant": "t", "provider": "p", "conference_id": "c"}', "it says that its key is z"),
        (b"\xff\xfe", "body: json_invalid"),
        (7, "body: model_type"),
    ],
)
def test_record_that_was_edited_by_hand_names_itself(store: SqliteStore, path: Path, body: Any, why: str) -> None:
    """Every way to read it fails with path, table, key and reason, quotes nothing, and leaves the others readable."""
    put(store, conference("a", due_at=NOW), conference("b"))
    edit(path, "UPDATE conference SET body = ? WHERE key = 'a'", body)
    reads: list[Callable[[], object]] = [
        lambda: store.get(Conference, "a"),
        lambda: store.transact(lambda transaction: transaction.get_many(Conference, ["a", "b"])),
        lambda: store.all_of(Conference, after="", limit=5),
    ]
    for read in reads:
        with pytest.raises(StoreCorrupt) as refused:
            read()
        assert f"{path}, table conference: conference a cannot be read (" in str(refused.value)
        assert why in str(refused.value)
        assert "Secret" not in "".join(traceback.format_exception(refused.value))
    assert store.get(Conference, "b") == conference("b")
    (bad,) = store.conferences_due("default", NOW, 5)
    assert isinstance(bad, Unreadable)
    assert why in bad.reason


def test_schema_altered_by_hand_is_named(store: SqliteStore, path: Path) -> None:
    """A table that is missing from our own file is corruption, not an empty answer."""
    put(store, link("a"))
    edit(path, "DROP TABLE link")
    with pytest.raises(StoreCorrupt, match="no such table: link"):
        store.get(Link, "a")


def edit(path: Path, statement: str, *values: Any) -> None:
    """Change the file behind the store's back."""
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("limit", [0, -1])
def test_no_limit_is_no_records(store: SqliteStore, limit: int) -> None:
    """A limit of nothing asks for nothing, where SQLite would give everything."""
    put(store, conference("a", due_at=NOW))
    assert store.conferences_due("default", NOW, limit) == []
    assert store.all_of(Conference, after="", limit=limit) == []


def test_queries_use_their_indexes(store: SqliteStore) -> None:
    """No query walks through a table, so that none grows slow with its records."""
    seen: list[str] = []
    with store._file.connection() as connection:
        connection.set_trace_callback(seen.append)
    store.links_of("c", after="", limit=5)
    store.conferences_of("c", after="", limit=5)
    store.calendars_due("default", NOW, 5)
    store.channels_due("default", NOW, 5)
    store.calendars_of("default", "ann", 5)
    store.conferences_due("default", NOW, 5)
    store.all_of(Link, after="", limit=5)
    store.get_many(Link, ["a", "b"])
    store.get(Link, "a")
    with store._file.connection() as connection:
        connection.set_trace_callback(None)
        plans = {query: connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall() for query in seen}
    assert len(plans) == 9
    for query, plan in plans.items():
        steps = b"; ".join(row[3] for row in plan)
        assert b"USING INDEX" in steps, query
        assert b"SCAN" not in steps.replace(b"SCAN json_each", b""), query
        assert b"TEMP B-TREE" not in steps, query
        assert (b"(tenant=? AND " in steps) == ("tenant = " in query), query


def test_schema_of_this_version_has_not_changed() -> None:
    """Once files of a released version are out there, who changes the schema converts them."""
    assert SCHEMA_VERSION == 4
    expected = (
        "CREATE TABLE calendar (key TEXT PRIMARY KEY NOT NULL, tenant TEXT, due_at TEXT, renew_at TEXT, "
        "subject TEXT, body TEXT NOT NULL)",
        "CREATE INDEX calendar_by_due_at ON calendar (tenant, due_at, key)",
        "CREATE INDEX calendar_by_renew_at ON calendar (tenant, renew_at, key)",
        "CREATE INDEX calendar_by_subject ON calendar (tenant, subject, key)",
        "CREATE TABLE link (key TEXT PRIMARY KEY NOT NULL, calendar_key TEXT, body TEXT NOT NULL)",
        "CREATE INDEX link_by_calendar_key ON link (calendar_key, key)",
        "CREATE TABLE conference (key TEXT PRIMARY KEY NOT NULL, tenant TEXT, due_at TEXT, body TEXT NOT NULL)",
        "CREATE INDEX conference_by_due_at ON conference (tenant, due_at, key)",
        "CREATE TABLE failure (key TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL)",
        "CREATE TABLE brake (key TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL)",
        "CREATE TABLE conference_of (calendar_key TEXT NOT NULL, key TEXT NOT NULL)",
        "CREATE INDEX conference_of_by_calendar_key ON conference_of (calendar_key, key)",
        "CREATE INDEX conference_of_by_key ON conference_of (key)",
    )
    assert expected == SCHEMA
    assert {kind.kind for kind in RECORDS} == {"calendar", "link", "conference", "failure", "brake"}


def test_every_error_is_one_of_confsyncs(store: SqliteStore) -> None:
    """A number of SQLite's that nobody foresaw is still a StoreError."""
    for code in range(1, 29):
        error = sqlite3.OperationalError("boom")
        error.sqlite_errorcode = code
        assert isinstance(store._file._error(error), StoreError | SettingsError)
