"""`confsync channels`: which push channels are open, and what an operator does to them, from a shell."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from confsync.core.records import Calendar
from tests.cli.observed import Desk, desk
from tests.world import ANN, BOB

OTHER_KEY = "k2:ZmVkY2JhOTg3NjU0MzIxMA=="


@pytest.fixture
def known(tmp_path: Path) -> Desk:
    """Ann and Bob have a channel each, signed with the key `k1`; Calendar is out of reach."""
    there = desk(tmp_path, "act")
    for who in (ANN, BOB):
        there.world.initialize(who=who)
    there.world.advance(60)
    return there


def channel_id(known: Desk, who: str) -> str:
    """Return the id of somebody's channel."""
    return known.world.calendar(who).channels[0].id


def change(known: Desk, who: str, **fields: object) -> None:
    """Change what is stored of somebody's calendar."""
    changed = known.world.calendar(who).model_copy(update=fields)
    known.world.store.transact(lambda tx: tx.put(changed))


def expiring(known: Desk, who: str, hours: float) -> None:
    """Let somebody's channel expire so many hours from now."""
    (channel,) = known.world.calendar(who).channels
    sooner = channel.model_copy(update={"expires_at": known.world.now + timedelta(hours=hours)})
    change(known, who, channels=(sooner,))


def test_the_list_begins_with_the_channel_that_expires_first(known: Desk) -> None:
    """With its calendar, age, and the key that signed it."""
    expiring(known, BOB, 5)
    lines = known.run("channels", "list").stdout.splitlines()
    assert lines[0].split() == ["CALENDAR", "SUBJECT", "CHANNEL", "STATE", "AGE", "EXPIRES", "KEY"]
    assert [line.split()[:4] for line in lines[1:]] == [
        [who, who, channel_id(known, who), "active"] for who in (BOB, ANN)
    ]
    assert all(line.endswith("k1") for line in lines[1:])


def test_an_expired_channel_is_called_so(known: Desk) -> None:
    """Until it is forgotten."""
    expiring(known, BOB, -1)
    assert known.run("channels", "list").stdout.splitlines()[1].split()[3] == "expired"


@pytest.mark.parametrize(
    ("minutes", "age"),
    [(59, "59 min"), (60, "1 h"), (23 * 60 + 59, "23 h"), (26 * 60, "1 d 2 h"), (48 * 60, "2 d 0 h")],
)
def test_an_age_is_told_in_two_units_at_most(known: Desk, minutes: float, age: str) -> None:
    """A channel that was opened just now is not called zero hours old."""
    (channel,) = known.world.calendar(ANN).channels
    opened = channel.model_copy(update={"created_at": datetime.now(UTC) - timedelta(minutes=minutes, seconds=1)})
    change(known, ANN, channels=(opened,))
    (line,) = [line for line in known.run("channels", "list").stdout.splitlines() if line.startswith(ANN)]
    assert line.split("  ")[4].strip() == age


def test_the_list_as_json(known: Desk) -> None:
    """One object a line, for a program, and nothing where there is none."""
    found = [json.loads(line) for line in known.run("channels", "list", "--json").stdout.splitlines()]
    assert {each["channel_id"] for each in found} == {channel_id(known, ANN), channel_id(known, BOB)}
    assert {(each["state"], each["key_id"]) for each in found} == {("active", "k1")}
    known.environment["TENANT"] = "other"
    assert known.run("channels", "list", "--json").stdout == ""
    assert known.run("channels", "list").stdout == "no channel is open\n"


@pytest.mark.parametrize(
    ("words", "said", "due"),
    [
        ((ANN,), "1 calendar: the next runs", {ANN}),
        ((ANN, BOB), "2 calendars: the next runs", {ANN, BOB}),
        (("--all",), "2 calendars: the next runs", {ANN, BOB}),
        (("--key", "k1"), "2 calendars: the next runs", {ANN, BOB}),
        (("--key", "k2"), "0 calendars: no open channel was signed with key k2", set()),
    ],
)
def test_renewals_are_made_due(known: Desk, words: tuple[str, ...], said: str, due: set[str]) -> None:
    """Those that are named; the next runs of renew_channels renew them."""
    now = known.world.now
    answer = known.run("channels", "renew", *words)
    assert (answer.exit_code, answer.stdout.startswith(said)) == (0, True)
    soon = known.world.store.channels_due("default", now + timedelta(hours=2), 9)
    assert {each.subject for each in soon if isinstance(each, Calendar)} == due


def test_a_calendar_that_is_left_alone_is_not_renewed(known: Desk) -> None:
    """Nobody waits for its notifications. Where it is named, that is refused, with the way out."""
    known.run("calendars", "pause", ANN)
    for words in (("--all",), ("--key", "k1")):
        assert known.run("channels", "renew", *words).exit_code == 0
    for words in ((ANN,), (ANN, "--now"), (BOB, ANN)):
        answer = known.run("channels", "renew", *words)
        assert (answer.exit_code, answer.stdout) == (1, "")
        assert answer.stderr == f"calendar {ANN} of {ANN} is paused; nothing was done: resume it first\n"
    assert known.world.calendar(ANN).renew_at is None


def test_a_renewal_at_once_says_how_it_went(known: Desk) -> None:
    """Calendar is out of reach: the status is 1, and the next run tries again."""
    answer = known.run("channels", "renew", ANN, "--now")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "channel: deferred" in answer.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("renew",), "one of the three"),
        (("renew", ANN, "--all"), "one of the three"),
        (("renew", "--all", "--key", "k1"), "one of the three"),
        (("renew", ANN, BOB, "--now"), "--now is for one calendar"),
        (("renew", "--all", "--now"), "--now is for one calendar"),
        (("renew", ANN, "nobody@example.com"), "calendar nobody@example.com is not known"),
        (("stop", "c", "--calendar", ANN), "channel c is not remembered: give the --resource"),
        (("stop", "c", "--calendar", "nobody@example.com"), "is not known"),
    ],
)
def test_wrong_words_are_named(known: Desk, words: tuple[str, ...], complaint: str) -> None:
    """The status is 2, and nothing is changed: not even what was named right."""
    before = known.world.store.all_of(Calendar, after="", limit=9)
    answer = known.run("channels", *words)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert complaint in answer.stderr
    assert known.world.store.all_of(Calendar, after="", limit=9) == before


def test_a_channel_that_cannot_be_stopped_now_is_replaced_and_tried_again(known: Desk) -> None:
    """The status is 1."""
    answer = known.run("channels", "stop", channel_id(known, ANN), "--calendar", ANN)
    assert answer.exit_code == 1
    assert "tried again by the next renewal, or expires" in answer.stderr
    stored = known.world.calendar(ANN)
    assert [channel.state for channel in stored.channels] == ["retiring"]
    assert stored.renew_at is not None


def test_keys_say_which_one_signs_and_which_may_go(known: Desk) -> None:
    """And how to speed that up."""
    known.environment["CHANNEL_TOKEN_KEYS"] = f"{OTHER_KEY},{known.environment['CHANNEL_TOKEN_KEYS']}"
    _, new, old = known.run("channels", "keys").stdout.splitlines()
    assert new.split() == ["k2", "0", "-", "signs", "new", "channels"]
    assert old.split()[:2] == ["k1", "2"]
    assert "may go after 20" in old
    assert old.endswith("sooner: confsync channels renew --key k1")
    for who in (ANN, BOB):
        expiring(known, who, -1)
    assert known.run("channels", "keys").stdout.splitlines()[2].split() == ["k1", "0", "-", "may", "go", "now"]


def test_a_key_that_went_too_soon_is_shown(known: Desk) -> None:
    """Notifications are refused; it is said how to mend that."""
    known.environment["CHANNEL_TOKEN_KEYS"] = OTHER_KEY
    (missing,) = known.run("channels", "keys").stdout.splitlines()[2:]
    assert "k1 " in missing
    assert "is missing in CHANNEL_TOKEN_KEYS: their notifications are refused" in missing


def test_keys_as_json(known: Desk) -> None:
    """One object a line; never a key itself."""
    answer = known.run("channels", "keys", "--json")
    (found,) = [json.loads(line) for line in answer.stdout.splitlines()]
    assert (found["key_id"], found["channels"], found["signs"], found["may_go"]) == ("k1", 2, True, False)
    assert known.environment["CHANNEL_TOKEN_KEYS"].partition(":")[2] not in answer.output
