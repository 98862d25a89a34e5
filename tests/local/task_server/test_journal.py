"""The file: what it keeps, and the files that it leaves alone."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.local.task_server.book import Book
from confsync.local.task_server.changes import QueueRecord, TaskSaved
from confsync.local.task_server.journal import _TASK, Journal, JournalError
from confsync.local.task_server.limits import QueueSettings, RateLimits, RetryConfig
from confsync.local.task_server.records import Attempt, Call, Identity, TaskRecord
from tests.local.task_server.support import QUEUE, START, a_task, later

OTHER = QUEUE + "2"
SETTINGS = QueueSettings(RateLimits(5, 7, 9), RetryConfig(3, 60, 0.5, 99, 0))


def _write(path: Path, book: Book) -> None:
    journal = Journal(path)
    journal.write(book.changes)
    journal.close()


def _read(path: Path, at: float = 0.0) -> Book:
    journal, book = Journal(path), Book(60, 60)
    book.restore(journal.read(later(at)), later(at))
    journal.close()
    return book


def _book() -> Book:
    book = Book(60, 60)
    book.create(QUEUE, SETTINGS, START)
    return book


times = st.datetimes(timezones=st.just(START.tzinfo)).map(lambda at: at.replace(year=2026))
attempts = st.builds(Attempt, times, times, st.none() | times, st.integers(0, 16), st.text(max_size=20))
calls = st.builds(
    Call,
    st.text(max_size=30),
    st.sampled_from(["POST", "GET"]),
    st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=3).map(tuple),
    st.binary(max_size=50),
    st.none() | st.builds(Identity, st.text(max_size=9), st.text(max_size=9)),
)
tasks = st.builds(
    TaskRecord,
    task_id=st.text("ab-_09", min_size=1, max_size=9),
    call=calls,
    create_time=times,
    schedule_time=times,
    dispatch_deadline_s=st.floats(1, 1800),
    named=st.booleans(),
    retry=st.none() | st.just(RetryConfig(max_attempts=-1)),
    dispatch_count=st.integers(0, 99),
    first_attempt=st.none() | attempts,
    last_attempt=st.none() | attempts,
    previous_status=st.none() | st.integers(100, 599),
    retry_reason=st.text(max_size=9),
)


@given(tasks)
def test_a_task_is_kept_whole(task: TaskRecord) -> None:
    """Every field comes back as it was, binary bodies and microseconds too."""
    assert _TASK.validate_json(_TASK.dump_json(task)) == task


def test_queues_tasks_and_blocked_names_come_back(tmp_path: Path) -> None:
    """Settings, state, waiting tasks, tombstones of tasks and of queues."""
    path, book = tmp_path / "tasks.db", _book()
    queue = book.queue(QUEUE)
    queue.set_paused(True)
    queue.create(a_task("kept", at=5), START)
    queue.create(a_task("gone"), START)
    queue.end("gone", "deleted", START)
    book.create(OTHER, QueueSettings(), START)
    book.delete(OTHER, START)
    _write(path, book)

    again = _read(path)
    assert again.queue(QUEUE).record == QueueRecord(QUEUE, SETTINGS, paused=True)
    assert list(again.queue(QUEUE).tasks()) == [a_task("kept", at=5)]
    assert not again.queue(QUEUE).create(a_task("gone"), later(59))
    with pytest.raises(Exception, match="deleted too recently"):
        again.create(OTHER, QueueSettings(), later(59))


def test_names_whose_time_is_over_are_forgotten(tmp_path: Path) -> None:
    """Neither the memory nor the file grows for ever."""
    path, book = tmp_path / "tasks.db", _book()
    queue = book.queue(QUEUE)
    for number in range(100):
        queue.create(a_task(f"t{number}"), later(number))
        queue.end(f"t{number}", "deleted", later(number))
    _write(path, book)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM blocked").fetchone() == (60,)
    assert _read(path, at=1000).queue(QUEUE).create(a_task("t99"), later(1000))


def test_a_write_is_all_or_nothing(tmp_path: Path) -> None:
    """When one change fails, none of them is in the file."""
    path, book = tmp_path / "tasks.db", _book()
    _write(path, book)
    journal = Journal(path)
    broken = TaskSaved(None, a_task("b"))  # type: ignore[arg-type]  # what SQLite cannot take as a key
    journal._db.execute(
        "CREATE TRIGGER t BEFORE INSERT ON tasks WHEN NEW.queue IS NULL BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with pytest.raises(JournalError):
        journal.write([TaskSaved(QUEUE, a_task("a")), broken])
    journal.close()
    assert list(_read(path).queue(QUEUE).tasks()) == []


def test_one_file_serves_one_server(tmp_path: Path) -> None:
    """The second is told so, and the first goes on."""
    path = tmp_path / "tasks.db"
    first = Journal(path)
    with pytest.raises(JournalError, match="another task server uses it"):
        Journal(path)
    first.write(_book().changes)
    first.close()
    assert _read(path).find(QUEUE) is not None


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE accounts (id)")
    db.close()


def _newer(path: Path) -> None:
    _write(path, _book())
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()


def _cut_off(path: Path) -> None:
    book = _book()
    for number in range(200):
        book.queue(QUEUE).create(a_task(f"t{number}"), START)
    _write(path, book)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"\xff" * 4096)


def _scribbled_on(path: Path) -> None:
    book = _book()
    for number in range(200):
        book.queue(QUEUE).create(a_task(f"t{number}"), START)
    _write(path, book)
    page, content = 4096, bytearray(path.read_bytes())
    last = len(content) - page
    content[last : last + page] = b"\xff" * page
    path.write_bytes(content)


def _strange_record(path: Path) -> None:
    _write(path, _book())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE queues SET record = ?", (b"{}",))
    db.close()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(b"not a database, but somebody's letter" * 100), "damaged"),
        (_foreign, "not a file of this version"),
        (_newer, "not a file of this version"),
        (_cut_off, "damaged"),
        (_scribbled_on, "damaged"),
        (_strange_record, "damaged"),
    ],
    ids=["letter", "foreign", "newer", "cut-off", "scribbled-on", "strange-record"],
)
def test_a_file_that_cannot_be_used_is_left_as_it_is(tmp_path: Path, spoil: object, message: str) -> None:
    """The error names the file and the way out, and not a byte is changed."""
    path = tmp_path / "tasks.db"
    assert callable(spoil)
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(JournalError, match=rf"{path}.*{message}.*Name another"):
        _read(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("place", ["no-such-folder/tasks.db", "."])
def test_a_place_that_cannot_be_written_is_said_so(tmp_path: Path, place: str) -> None:
    """A missing folder or a folder in place of the file is no reason for a traceback."""
    with pytest.raises(JournalError, match="unable to open"):
        Journal(tmp_path / place)


def test_time_in_the_file_is_kept_to_the_microsecond(tmp_path: Path) -> None:
    """A tombstone ends when it was said to end."""
    path, book = tmp_path / "tasks.db", _book()
    at = START + timedelta(microseconds=123457)
    book.queue(QUEUE).create(a_task(), START)
    book.queue(QUEUE).end("t", "deleted", at)
    _write(path, book)
    queue = _read(path).queue(QUEUE)
    assert not queue.create(a_task(), at + timedelta(seconds=60, microseconds=-1))
    assert queue.create(a_task(), at + timedelta(seconds=60))
