"""How the sample vendor keeps its conferences."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from confsync.local.vendor.conferences import Conference
from confsync.local.vendor.contract import Desired
from confsync.local.vendor.storage import Storage, StorageUnusableError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _conference(conference_id: str, title: str = "t", ended_at: datetime | None = None) -> Conference:
    state = "ended" if ended_at else "live"
    desired = Desired(title=title)
    return Conference(
        conference_id=conference_id, state=state, desired=desired, changed_at=ended_at or NOW, ended_at=ended_at
    )


def _put(storage: Storage, conference: Conference) -> None:
    storage.change(conference.conference_id, lambda _: (conference, None))


@pytest.fixture(params=["file", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """Open a storage of each kind."""
    with closing(Storage(tmp_path / "vendor.db" if request.param == "file" else None)) as opened:
        yield opened


def test_what_was_stored_is_read(storage: Storage) -> None:
    """A conference comes back as it went in; an unknown one is None."""
    _put(storage, _conference("a", title="Gr\u00fc\u00dfe"))
    assert storage.get("a") == _conference("a", title="Gr\u00fc\u00dfe")
    assert storage.get("b") is None


def test_pages_follow_the_ids(storage: Storage) -> None:
    """Each page begins after the last id of the one before."""
    for conference_id in "cadb":
        _put(storage, _conference(conference_id))
    assert [conference.conference_id for conference in storage.page("", 3)] == ["a", "b", "c"]
    assert [conference.conference_id for conference in storage.page("c", 3)] == ["d"]


def test_a_change_gets_a_new_revision_and_no_change_none(storage: Storage) -> None:
    """Whoever looks for news since a revision finds exactly what differs."""
    _put(storage, _conference("a"))
    _put(storage, _conference("b"))
    _put(storage, _conference("a", title="new"))
    _put(storage, _conference("b"))
    found = [(revision, conference.conference_id) for revision, conference in storage.changed_since(0, 10)]
    assert found == [(2, "b"), (3, "a")]
    assert [revision for revision, _ in storage.changed_since(2, 10)] == [3]
    assert [revision for revision, _ in storage.changed_since(0, 1)] == [3]


def test_a_body_that_fails_changes_nothing(storage: Storage) -> None:
    """The transaction rolls back, and the next one works."""
    with pytest.raises(ZeroDivisionError):
        storage.change("a", lambda _: (_conference("a"), 1 // 0))
    assert storage.get("a") is None
    _put(storage, _conference("a"))


def test_the_content_of_what_ended_long_ago_is_forgotten(storage: Storage) -> None:
    """Thirty days after the end title and people go; the generation stays."""
    _put(storage, _conference("old", ended_at=NOW - timedelta(days=31)))
    _put(storage, _conference("young", ended_at=NOW - timedelta(days=29)))
    _put(storage, _conference("other"))
    titles = {conference.conference_id: conference.desired.title for conference in storage.page("", 10)}
    assert titles == {"old": None, "young": "t", "other": "t"}


def _made(conference_id: str, replaces: str = "old") -> Conference:
    return Conference(conference_id=conference_id, replaces=replaces, changed_at=NOW)


def test_an_operation_makes_one_conference(storage: Storage) -> None:
    """The same operation finds it, another one makes another, and the old one knows both."""
    _put(storage, _conference("old"))
    assert storage.make("op_1", lambda: _made("a")) == (_made("a"), True)
    assert storage.make("op_1", lambda: _made("b")) == (_made("a"), False)
    assert storage.make("op_2", lambda: _made("c")) == (_made("c"), True)
    assert storage.get("b") is None
    old = storage.get("old")
    assert old is not None
    assert old.replaced_by == ("a", "c")
    assert [conference.conference_id for _, conference in storage.changed_since(1, 10)] == ["a", "c", "old"]


def test_a_conference_can_take_the_place_of_an_unknown_one(storage: Storage) -> None:
    """Nothing is made up about the old one."""
    assert storage.make("op_1", lambda: _made("a"))[1]
    assert storage.get("old") is None


def test_a_creation_that_fails_leaves_the_operation_free(storage: Storage) -> None:
    """Conference and operation come about together, or not at all."""
    with pytest.raises(ZeroDivisionError):
        storage.make("op_1", lambda: _made(str(1 // 0)))
    assert storage.make("op_1", lambda: _made("a"))[1]


def test_a_file_from_before_there_were_creations_goes_on(tmp_path: Path) -> None:
    """It gets what it lacks, and keeps what it has; the operations are in the file from then on."""
    file = tmp_path / "vendor.db"
    with closing(Storage(file)) as storage:
        _put(storage, _conference("old"))
    with closing(sqlite3.connect(file)) as db:
        db.execute("DROP TABLE creations")
        db.execute("UPDATE conferences SET record = json_remove(record, '$.host', '$.replaces', '$.replaced_by')")
        db.commit()
    with closing(Storage(file)) as storage:
        assert storage.get("old") == _conference("old")
        assert storage.make("op_1", lambda: _made("a"))[1]
    with closing(Storage(file)) as storage:
        assert storage.make("op_1", lambda: _made("b")) == (_made("a"), False)


def test_the_log_keeps_the_last_calls() -> None:
    """It is read from any number on, and does not grow for ever."""
    with closing(Storage(None, kept_calls=3)) as storage:
        for number in range(1, 6):
            storage.log({"operation_id": f"op_{number}"})
        assert [call["number"] for call in storage.calls_after(0, 10)] == [3, 4, 5]
        assert storage.calls_after(4, 10) == [{"number": 5, "operation_id": "op_5"}]


def test_a_file_is_read_again_after_it_was_closed(tmp_path: Path) -> None:
    """Conferences, revisions and calls go on where they stood."""
    file = tmp_path / "vendor.db"
    with closing(Storage(file)) as first:
        _put(first, _conference("a"))
        first.log({"operation_id": "op_1"})
    with closing(Storage(file)) as second:
        _put(second, _conference("b"))
        second.log({"operation_id": "op_2"})
        assert [revision for revision, _ in second.changed_since(0, 10)] == [1, 2]
        assert [call["number"] for call in second.calls_after(0, 10)] == [1, 2]


def _write_text(file: Path) -> None:
    file.write_text("minutes of the meeting\n" * 100)


def _write_a_little(file: Path) -> None:
    file.write_text("x")


def _make_a_foreign_database(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE photos (name TEXT)")


def _make_a_future_version(file: Path) -> None:
    Storage(file).close()
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")


def _damage_the_conferences(file: Path) -> None:
    with closing(Storage(file)) as storage:
        for number in range(200):
            _put(storage, _conference(f"c{number}", title="t" * 200))
    _overwrite_a_page(file)


def _damage_the_log(file: Path) -> None:
    with closing(Storage(file)) as storage:
        for number in range(200):
            storage.log({"operation_id": f"op_{number}", "padding": "x" * 200})
    _overwrite_a_page(file)


def _overwrite_a_page(file: Path) -> None:
    content = bytearray(file.read_bytes())
    page = len(content) // 4096 // 2 * 4096
    content[page : page + 4096] = b"\xa5" * 4096
    file.write_bytes(content)


def _make_an_unreadable_record(file: Path) -> None:
    Storage(file).close()
    with closing(sqlite3.connect(file)) as db:
        db.execute("INSERT INTO conferences VALUES ('a', 1, NULL, '{}')")
        db.commit()


@pytest.mark.parametrize(
    "make",
    [
        _write_text,
        _write_a_little,
        _make_a_foreign_database,
        _make_a_future_version,
        _damage_the_conferences,
        _damage_the_log,
        _make_an_unreadable_record,
        Path.mkdir,
    ],
)
def test_a_file_that_is_not_ours_or_damaged_is_refused_and_left_alone(make: object, tmp_path: Path) -> None:
    """One clear line, and not a byte is written."""
    file = tmp_path / "vendor.db"
    make(file)  # type: ignore[operator]  # each prepares the file in its own way
    before = file.read_bytes() if file.is_file() else b""
    with pytest.raises(StorageUnusableError, match=r"vendor\.db cannot be") as error:
        Storage(file)
    assert "\n" not in str(error.value)
    assert (file.read_bytes() if file.is_file() else b"") == before


def test_a_file_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """Folders are not made by the way."""
    with pytest.raises(StorageUnusableError, match="cannot be opened"):
        Storage(tmp_path / "missing" / "vendor.db")


def test_a_file_has_one_owner(tmp_path: Path) -> None:
    """A second server on the same file learns of it at its start."""
    with closing(Storage(tmp_path / "vendor.db")), pytest.raises(StorageUnusableError, match="locked"):
        Storage(tmp_path / "vendor.db")


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    """Whoever made the file beforehand, to set its rights, may do so."""
    file = tmp_path / "vendor.db"
    file.touch()
    Storage(file).close()
