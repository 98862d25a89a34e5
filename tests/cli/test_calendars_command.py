"""`confsync calendars`: what is known of calendars, and what an operator does to one, from a shell."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from confsync.adapters.sqlite import SqliteStore
from confsync.cli.main import main
from confsync.core.records import Calendar, Failure, Link
from confsync.local import stack_parts
from confsync.local.stack import Stack
from tests.cli.observed import Desk, desk
from tests.world import ANN, BOB

TEAM = "team@group.example.com"
KEY = Calendar.key_for("default", ANN, ANN)


@pytest.fixture
def known(tmp_path: Path) -> Desk:
    """Ann's calendar has a conference, Bob's has none, and both watch a third one; Calendar is out of reach."""
    there = desk(tmp_path, "act")
    there.add("c1")
    there.world.initialize(who=BOB)
    there.world.model.add_calendar(TEAM, ANN, roles={BOB: "writer"})
    for who in (ANN, BOB):
        there.world.initialize(who=who, calendar_id=TEAM)
    there.world.settle()
    return there


def records(answer: Result) -> list[dict[str, object]]:
    """Return the JSON objects of an answer, one a line."""
    assert answer.exit_code == 0, answer.output
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_the_list_says_of_each_calendar_how_it_is(known: Desk) -> None:
    """One line for each, with state, times and until when its channel is open."""
    lines = known.run("calendars", "list").stdout.splitlines()
    assert lines[0].split("  ")[0] == "CALENDAR"
    assert (len(lines), sum(TEAM in line for line in lines)) == (5, 2)
    (ann,) = [line for line in lines if line.startswith(ANN)]
    assert ann.split()[1:3] == [ANN, "active"]
    assert ann.count("Z") == 3


def test_the_list_as_json(known: Desk) -> None:
    """One object a line, for a program."""
    found = records(known.run("calendars", "list", "--json"))
    (ann,) = [each for each in found if each["calendar_key"] == KEY]
    assert (ann["calendar_id"], ann["state"], ann["missed"], ann["last_error"]) == (ANN, "active", 0, "")
    assert ann["last_synced_at"] is not None
    assert ann["channel_expires_at"] is not None


def test_the_list_of_one_state(known: Desk) -> None:
    """Where there is none, that is said."""
    assert known.run("calendars", "list", "--state", "paused").stdout == "no calendar is paused\n"
    known.run("calendars", "pause", ANN, "--reason", "being moved")
    (line,) = known.run("calendars", "list", "--state", "paused").stdout.splitlines()[1:]
    assert line.endswith("  being moved")


def test_the_calendars_of_another_tenant_are_not_known(known: Desk) -> None:
    """Neither in the list nor by name or key."""
    known.environment["TENANT"] = "other"
    assert known.run("calendars", "list").stdout.startswith("tenant other has no calendar in sqlite:")
    assert known.run("calendars", "list", "--json").stdout == ""
    for name in (ANN, KEY):
        assert known.run("calendars", "remove", name, "--yes").exit_code == 2


def test_one_calendar_is_shown_with_all_that_is_known(known: Desk) -> None:
    """Channels, how many events and conferences, and what could not be done; never what the events hold."""
    now = known.world.now
    failure = Failure(
        key="f", tenant="default", calendar_key=KEY, event_id="e9", reason="malformed", first_at=now, last_at=now
    )
    known.world.store.transact(lambda tx: tx.put(failure))
    answer = known.run("calendars", "show", ANN)
    assert answer.exit_code == 0
    assert f"calendar {ANN} of {ANN} ({KEY})\nstate: active\nsynced: " in answer.stdout
    assert "has a sync token" in answer.stdout
    assert "remembered: 1 event, 1 conference\n" in answer.stdout
    assert known.world.calendar().channels[0].id in answer.stdout
    assert "malformed" in answer.stdout
    assert "Secret" not in answer.output
    found = json.loads(known.run("calendars", "show", KEY, "--json").stdout)
    assert (found["links"], found["conferences"], found["has_sync_token"]) == (1, 1, True)
    assert [each["reason"] for each in found["failures"]] == ["malformed"]
    assert [each["state"] for each in found["channels"]] == ["active"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("nobody@example.com",), "calendar nobody@example.com is not known; confsync calendars list shows which are"),
        ((TEAM,), f"is watched on behalf of several users; give --subject: {ANN}, {BOB}"),
        (("primary",), "give --subject"),
        (("f" * 32,), "is not known"),
        ((ANN, "--subject", BOB), f"as {BOB} sees it, is not known"),
    ],
)
@pytest.mark.parametrize("command", [("show",), ("pause",), ("resume",), ("remove", "--yes"), ("resync",)])
def test_a_calendar_has_to_be_named_so_that_one_is_meant(
    known: Desk, command: tuple[str, ...], words: tuple[str, ...], complaint: str
) -> None:
    """The status is 2, one message says the way out, and nothing is changed."""
    before = known.world.store.all_of(Calendar, after="", limit=9)
    answer = known.run("calendars", *command, *words)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert complaint in answer.stderr
    assert known.world.store.all_of(Calendar, after="", limit=9) == before


@pytest.mark.parametrize("name", [(TEAM, "--subject", BOB), ("primary", "--subject", ANN), (KEY,), (ANN,)])
def test_a_calendar_is_named_by_id_subject_or_key(known: Desk, name: tuple[str, ...]) -> None:
    """Whatever says which one is meant."""
    assert known.run("calendars", "show", *name).exit_code == 0


def test_a_channel_that_cannot_be_stopped_is_mentioned(known: Desk) -> None:
    """The calendar is paused all the same; doing it again tries once more."""
    for status in ("paused", "already paused"):
        answer = known.run("calendars", "pause", ANN)
        assert (answer.exit_code, answer.stdout.splitlines()[0]) == (0, f"calendar {ANN} of {ANN}: {status}")
        assert "channels that could not be stopped: 1" in answer.stdout


def test_an_unreachable_queue_loses_no_resync(known: Desk) -> None:
    """The token is dropped, and the next run of renew_channels starts the sync."""
    answer = known.run("calendars", "resync", ANN)
    assert answer.exit_code == 1
    assert "the scheduled run goes on" in answer.stderr
    stored = known.world.calendar()
    assert (stored.sync_token, stored.due_at is not None) == (None, True)


@pytest.mark.parametrize(
    ("state", "command", "message"),
    [
        ("paused", "resync", "is paused; nothing was done: resume it first"),
        ("removed", "resume", "is removed; nothing was done: confsync calendars add"),
        ("removed", "pause", "is removed"),
    ],
)
def test_what_cannot_be_done_in_a_state_is_refused(known: Desk, state: str, command: str, message: str) -> None:
    """The status is 1."""
    known.run("calendars", *{"paused": ("pause", ANN), "removed": ("remove", ANN, "--yes")}[state])
    answer = known.run("calendars", command, ANN)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert message in answer.stderr


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_nothing_is_removed_without_a_yes(known: Desk, answer: str) -> None:
    """A no, or nobody who could answer."""
    words = ["calendars", "remove", ANN, "--forget"]
    asked = CliRunner().invoke(main, words, env=known.environment, input=answer)
    assert asked.exit_code == 1
    assert f"Stop syncing calendar {ANN} of {ANN} and forget its events and conferences?" in asked.stderr
    assert known.world.calendar().state == "active"


def test_a_removed_calendar_says_when_it_is_forgotten(known: Desk) -> None:
    """A month later, or now: by the option as by the setting."""
    assert f"calendar {ANN} of {ANN}: removed\n" in (said := known.run("calendars", "remove", ANN, "--yes").stdout)
    assert "its events are forgotten on 20" in said
    assert "1 event and 1 conference forgotten" in known.run("calendars", "remove", ANN, "--yes", "--forget").stdout
    assert "nothing of it is remembered" in known.run("calendars", "remove", ANN, "--yes").stdout
    assert known.world.store.all_of(Link, after="", limit=9) == []


def test_the_setting_says_when_removed_calendars_are_forgotten(known: Desk) -> None:
    """`FORGET_ON_REMOVE=now`."""
    known.environment["FORGET_ON_REMOVE"] = "now"
    assert "1 event and 1 conference forgotten" in known.run("calendars", "remove", ANN, "--yes").stdout


def test_ids_cannot_steer_the_terminal(known: Desk) -> None:
    """An id is a text of somebody else's."""
    forged = known.world.calendar().model_copy(update={"calendar_id": "\x1b[2Jx", "last_error": "\x1b[2Jy"})
    known.world.store.transact(lambda tx: tx.put(forged))
    for words in (("list",), ("show", KEY), ("pause", KEY)):
        answer = known.run("calendars", *words)
        assert (answer.exit_code, "\x1b" in answer.output) == (0, False)
    assert "?[2Jx" in known.run("calendars", "list").stdout


def test_missing_settings_are_named(known: Desk) -> None:
    """As every command of this kind does."""
    del known.environment["NOTIFICATION_URL"]
    answer = known.run("calendars", "list")
    assert answer.exit_code == 2
    assert "NOTIFICATION_URL is not set" in answer.stderr


# With everything within reach


@pytest.fixture(scope="module")
def worker_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Return the environment of the worker of a running stack with one user."""
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        url = f"{stack.urls.calendar}/_local/users"
        httpx.post(url, json={"email": ANN}, trust_env=False).raise_for_status()
        yield stack_parts.environment("sync_calendar", stack.site, os.environ)


def test_the_life_of_a_calendar(worker_settings: Mapping[str, str]) -> None:
    """Added, paused, resumed, synced anew, its channel renewed and stopped, removed, and added again."""

    def run(*words: str) -> str:
        answer = CliRunner().invoke(main, words, env=dict(worker_settings))
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    def stored() -> Calendar:
        found = store.get(Calendar, KEY)
        assert found is not None
        return found

    run("calendars", "add", "--calendar", "primary", "--subject", ANN)
    store = SqliteStore(Path(worker_settings["STORE"].removeprefix("sqlite:")))
    token = stored().sync_token
    assert run("calendars", "pause", ANN) == f"calendar {ANN} of {ANN}: paused\n"
    assert (stored().channels, stored().sync_token) == ((), token)
    again = CliRunner().invoke(main, ["calendars", "add", "--calendar", ANN, "--subject", ANN], env=worker_settings)
    assert (again.exit_code, "calendar is paused" in again.stdout) == (1, True)
    assert "channel: active" in run("calendars", "resume", ANN)
    assert "to be synced anew" in run("calendars", "resync", ANN)
    first = stored().channels[0].id
    assert run("channels", "renew", ANN, "--now") == "channel: active\n"
    (renewed,) = stored().channels
    assert renewed.id != first
    assert run("channels", "stop", renewed.id, "--calendar", ANN) == "stopped; the next run opens another\n"
    assert "its events are forgotten on" in run("calendars", "remove", ANN, "--yes")
    assert (stored().state, stored().channels) == ("removed", ())
    assert "channel: active" in run("calendars", "add", "--calendar", ANN, "--subject", ANN)
    assert stored().state == "active"
    store.close()
