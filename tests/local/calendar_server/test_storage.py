"""The file: everything is in it before the answer, and nothing foreign or damaged is overwritten."""

import sqlite3
from itertools import count
from pathlib import Path

import pytest

from confsync.local.calendar_server.model import CalendarModel
from confsync.local.calendar_server.records import Options
from confsync.local.calendar_server.storage import Storage, StorageError
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    CYD,
    TEAM,
    Clock,
    meeting,
    occurrence,
    refusal,
    sync,
    weekly,
    with_conference,
)

IDS = count(1)


def opened(path: Path) -> tuple[CalendarModel, Storage]:
    """Open a file as the server does."""
    storage = Storage(path)
    secret = storage.secret("fresh")
    model = CalendarModel(Clock(), lambda: f"{next(IDS):026d}", secret=secret, options=Options())
    storage.load(model.state)
    return model, storage


def furnished(path: Path) -> tuple[CalendarModel, Storage]:
    """Open a new file and put a little of everything into it."""
    model, storage = opened(path)
    for email in (ADA, BOB):
        model.add_user(email, "Europe/Berlin")
    model.add_calendar(TEAM, ADA, roles={BOB: "reader"})
    series = model.insert(ADA, "primary", with_conference(weekly(BOB)), {"conferenceDataVersion": 1})
    model.patch(ADA, "primary", occurrence(series["id"], 1), {"summary": "Special"})
    model.delete(ADA, "primary", occurrence(series["id"], 2))
    gone = model.insert(ADA, TEAM, meeting())
    model.delete(ADA, TEAM, gone["id"])
    model.watch(ADA, "primary", {"id": "c1", "type": "web_hook", "address": "https://hooks.example.com/"})
    return model, storage


def seen(model: CalendarModel) -> list[object]:
    """Return all that anyone can see."""
    lists = [sync(model, ADA), sync(model, BOB), sync(model, ADA, TEAM)]
    return [[page["items"], page["etag"], page["accessRole"]] for page in lists]


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    """Events, tombstones, roles, calendars and channels are the same after a restart."""
    model, storage = furnished(tmp_path / "calendar.db")
    storage.save(model.state)
    before, channels = seen(model), model.state.channels
    storage.close()
    again, storage = opened(tmp_path / "calendar.db")
    assert seen(again) == before
    assert again.state.channels == channels
    assert {c.id for c in again.open_channels(ADA)} == {"c1"}
    storage.close()


def test_sync_tokens_outlive_the_process(tmp_path: Path) -> None:
    """A token from before a restart lists what changed after it, and expiry is remembered."""
    model, storage = furnished(tmp_path / "calendar.db")
    token = sync(model, ADA)["nextSyncToken"]
    storage.save(model.state)
    storage.close()
    again, storage = opened(tmp_path / "calendar.db")
    event = again.insert(ADA, "primary", meeting("New"))
    assert [item["id"] for item in sync(again, ADA, token=token)["items"]] == [event["id"]]
    again.expire_sync_tokens(ADA)
    storage.save(again.state)
    storage.close()
    third, storage = opened(tmp_path / "calendar.db")
    params = {"showDeleted": True, "syncToken": token}
    assert refusal(third.list_events, ADA, "primary", params) == (410, "fullSyncRequired")
    storage.close()


def test_series_go_on_after_opening_again(tmp_path: Path) -> None:
    """Occurrences, exceptions and cuts work on a loaded series."""
    model, storage = furnished(tmp_path / "calendar.db")
    [series] = [item for item in sync(model, ADA)["items"] if "recurrence" in item]
    storage.save(model.state)
    storage.close()
    again, storage = opened(tmp_path / "calendar.db")
    part = again.edit_this_and_following(ADA, "primary", occurrence(series["id"], 3), {"summary": "New"})
    assert again.get(BOB, "primary", part["id"])["conferenceData"] == series["conferenceData"]
    assert again.get(ADA, "primary", occurrence(series["id"], 1))["summary"] == "Special"
    storage.close()


def test_a_suspension_outlives_the_process(tmp_path: Path) -> None:
    """A suspended user is still suspended after a restart."""
    model, storage = furnished(tmp_path / "calendar.db")
    storage.save(model.state)
    model.suspend(BOB)
    storage.save(model.state)
    storage.close()
    again, storage = opened(tmp_path / "calendar.db")
    assert refusal(again.list_events, BOB, "primary") == (401, "authError")
    storage.close()


def test_an_unlisted_edit_is_told_after_a_restart(tmp_path: Path) -> None:
    """A restart forgets what a listing under way has still to show, so an edit of reminders is told after all."""
    model, storage = furnished(tmp_path / "calendar.db")
    model.options.lists_reminder_edits = False
    event_id = model.insert(ADA, "primary", meeting())["id"]
    token = sync(model, ADA)["nextSyncToken"]
    model.patch(ADA, "primary", event_id, {"reminders": {"useDefault": False}})
    assert sync(model, ADA, token=token)["items"] == []
    storage.save(model.state)
    storage.close()
    again, storage = opened(tmp_path / "calendar.db")
    assert [item["id"] for item in sync(again, ADA, token=token)["items"]] == [event_id]
    storage.close()


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    """Saving marks everything as stored; without changes nothing is written."""
    model, storage = furnished(tmp_path / "calendar.db")
    storage.save(model.state)
    assert model.state.dirty == set()
    storage.save(model.state)
    model.add_user(CYD, "UTC")
    assert {kind for kind, _, _ in model.state.dirty} == {"user", "calendar"}
    storage.close()


def test_clearing_forgets_everything_but_the_secret(tmp_path: Path) -> None:
    """After a clear the file is empty, and old tokens are still recognised as such."""
    model, storage = furnished(tmp_path / "calendar.db")
    storage.save(model.state)
    storage.clear()
    storage.close()
    again, storage = opened(tmp_path / "calendar.db")
    assert again.state.users == {}
    assert again.state.secret == model.state.secret
    storage.close()


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    """The message names the folder and the file."""
    with pytest.raises(StorageError, match="is not a folder: create it"):
        Storage(tmp_path / "nosuch" / "calendar.db")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """What cannot be opened is said, with the way out."""
    with pytest.raises(StorageError, match=r"cannot be (opened|used)"):
        Storage(tmp_path)


def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    """A file that is no database is refused and stays as it was."""
    path = tmp_path / "notes.txt"
    path.write_text("my notes, " * 100)
    with pytest.raises(StorageError, match="name another file"):
        Storage(path)
    assert path.read_text() == "my notes, " * 100


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    """A database that this server did not make is refused."""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("create table theirs (x)")
    other.close()
    with pytest.raises(StorageError, match="another program's database"):
        Storage(path)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """A file with a broken page is an error and not an empty calendar."""
    path = tmp_path / "calendar.db"
    model, storage = furnished(path)
    storage.save(model.state)
    storage.close()
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"damaged|cannot be used"):
        Storage(path)


def test_one_server_per_file(tmp_path: Path) -> None:
    """A second server on the same file is refused at once."""
    model, storage = furnished(tmp_path / "calendar.db")
    storage.save(model.state)
    with pytest.raises(StorageError, match="locked"):
        Storage(tmp_path / "calendar.db")
    storage.close()
