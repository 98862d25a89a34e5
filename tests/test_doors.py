"""The worker's doors: what is answered, and how loudly the log says what became of the work."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from confsync.doors import DOORS, give_up
from confsync.errors import CalendarUnavailable, RequestMalformed
from tests.world import ANN, BOB, PUSH, World

TEAM = "team@group.example.com"


def knock(world: World, path: str, body: Mapping[str, str]) -> tuple[str, int]:
    """Return what the door of this path answers."""
    return DOORS[path](json.dumps(body).encode(), world.outside, world.terms, PUSH)


def logged(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """Return severity and message of each line that was written since the last look."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(line["severity"], line["message"]) for line in lines]


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("/sync", b"", "body: Invalid JSON"),
        ("/sync", b"\xff", "body: Invalid JSON"),
        ("/sync", b"[" * 100_000, "body: Invalid JSON"),
        ("/sync", b"[]", "body: Input should be an object"),
        ("/sync", b"{}", "calendar_key: Field required"),
        ("/sync", b'{"calendar_key": ["Planning"]}', "calendar_key: Input should be a valid string"),
        ("/sync", b'{"calendar_key": "c", "kind": null}', "kind: Input should be a valid string"),
        ("/update", b'{"calendar_key": "c"}', "conference_key: Field required"),
        ("/initialize", b"", "body: Invalid JSON"),
        ("/initialize", b"{}", "calendar_id: Field required; subject: Field required"),
        ("/initialize", b'{"calendar_id": "primary", "subject": "Planning"}', "subject: String should match pattern"),
        (
            "/initialize",
            b'{"calendar_id": "primary", "subject": "a@b.c", "conference_id": "c1"}',
            "^body: give conference_id and",
        ),
        ("/initialize", b'{"calendar_id": "primary", "subject": "a@b.c", "colour": "red"}', "colour: Extra inputs"),
    ],
)
def test_a_body_that_is_no_request_is_told_which_field_is_wrong(path: str, body: bytes, complaint: str) -> None:
    """Each field, and what is expected of it, but not what it holds."""
    world = World()
    with pytest.raises(RequestMalformed, match=complaint) as malformed:
        DOORS[path](body, world.outside, world.terms, PUSH)
    assert "Planning" not in str(malformed.value)


def test_the_add_on_is_answered_what_became_of_its_calendar(capsys: pytest.CaptureFixture[str]) -> None:
    """200, and one line of the log."""
    body, status = knock(World(), "/initialize", {"calendar_id": "primary", "subject": ANN})
    answer = json.loads(body)
    assert (status, answer["channel"]["status"], answer["sync"]["status"]) == (200, "active", "synced")
    assert logged(capsys) == [("INFO", "initialize: sync synced")]


def test_a_calendar_that_is_not_shown_in_full_is_refused_to_the_add_on(capsys: pytest.CaptureFixture[str]) -> None:
    """403: the subject may only read it, and asking again would not help."""
    world = World()
    world.model.add_calendar(TEAM, ANN, roles={BOB: "reader"})
    body, status = knock(world, "/initialize", {"calendar_id": TEAM, "subject": BOB})
    assert (status, json.loads(body)["sync"]["status"]) == (403, "frozen")
    assert logged(capsys) == [("WARNING", "initialize: sync frozen")]


def test_lost_access_is_an_error_in_the_log_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The task is done either way: another attempt would change nothing."""
    world = World()
    world.model.add_calendar(TEAM, ANN, roles={BOB: "owner"})
    world.initialize(who=BOB, calendar_id=TEAM)
    world.model.share(TEAM, {BOB: "none"})
    key = {"calendar_key": world.calendar(BOB, TEAM).key}
    assert [knock(world, "/sync", key) for _ in range(2)] == [("", 200)] * 2
    assert logged(capsys) == [("ERROR", "sync frozen"), ("INFO", "sync dropped")]


def test_a_conference_that_nobody_can_tell_anything_is_an_error_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Its provider is missing in the settings: the task is done, an operator is needed."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    world.edit(event_id, summary="Renamed")
    world.providers.clear()
    capsys.readouterr()
    knock(world, "/sync", {"calendar_key": world.calendar().key})
    assert logged(capsys) == [("ERROR", "sync synced")]
    key = {"conference_key": world.conference("c1").key}
    world.now = world.conference("c1").call_at or world.now
    assert knock(world, "/update", key) == ("", 200)
    assert logged(capsys)[-1] == ("ERROR", "conference alert")


def test_what_is_given_up_is_an_error_in_the_log_and_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """Of an error that is not ours only the name is kept: its text may hold a title."""
    world = World()
    world.add("Planning", "c1")
    capsys.readouterr()
    calendar, conference = world.calendar().key, world.conference("c1").key
    give_up("/sync", json.dumps({"calendar_key": calendar}).encode(), CalendarUnavailable("503"), world.outside)
    give_up("/update", json.dumps({"conference_key": conference}).encode(), RuntimeError("Planning"), world.outside)
    reasons = {failure.calendar_key or failure.conference_key: failure.reason for failure in world.failures()}
    assert reasons == {calendar: "CalendarUnavailable: 503", conference: "RuntimeError"}
    assert logged(capsys) == [
        ("ERROR", f"{path}: last attempt failed; the scheduled run goes on") for path in ("/sync", "/update")
    ]


def test_only_what_a_task_brought_is_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    """The add-on sees its answer itself, and for what is unknown there is nothing to leave."""
    world = World()
    give_up("/initialize", b"{}", CalendarUnavailable("503"), world.outside)
    give_up("/sync", b'{"calendar_key": "unknown"}', CalendarUnavailable("503"), world.outside)
    assert (world.failures(), logged(capsys)) == ([], [])
