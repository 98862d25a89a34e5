"""`confsync plan`: what would be done, in a shell."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.cli.observed import SECRET, Desk, desk
from tests.cli.processes import CONFSYNC, eventually, running


@pytest.fixture
def office(tmp_path: Path) -> Desk:
    """In the mode `observe`: one conference was never told, one is to end."""
    there = desk(tmp_path)
    there.add("c1")
    deleted = there.add("c2")
    there.world.settle()
    there.world.delete(deleted)
    there.world.settle()
    return there


def test_what_would_be_done_is_a_table_with_a_sum(office: Desk) -> None:
    """One line each, then how many of each kind, and that none of it is done."""
    answer = office.run("plan")
    head, first, second, total = answer.output.splitlines()
    assert answer.exit_code == 0
    assert head.split() == ["CONFERENCE", "WHAT", "SINCE", "EVENT", "WHY"]
    assert first.startswith("c1          update  ")
    assert first.endswith("the back end was never told")
    assert second.startswith("c2          end     ")
    assert second.endswith("no owner was left; the event was deleted")
    assert total == "1 update, 1 end; MODE=observe: none of it is done"


def test_an_update_names_its_fields(tmp_path: Path) -> None:
    """Never what they hold."""
    there = desk(tmp_path, "act")
    event_id = there.add("c1")
    there.world.settle()
    there.world.provider.before = _down
    there.world.edit(event_id, summary=f"{SECRET} II", location="Secret room")
    there.world.advance(5)
    answer = there.run("plan")
    assert "update: title, location" in answer.output
    assert answer.output.splitlines()[-1] == "1 update; the next runs do it"
    assert "Secret" not in answer.output
    assert "guest@" not in answer.output


def _down(_call: object) -> None:
    from confsync.errors import ProviderBusy  # noqa: PLC0415 - only here

    raise ProviderBusy("busy", retry_after_s=600)


def test_with_nothing_to_do_it_says_so(tmp_path: Path) -> None:
    """And in JSON there are no steps."""
    there = desk(tmp_path)
    assert there.run("plan").output == "nothing to do\n"
    assert json.loads(there.run("plan", "--json").output)["steps"] == []


def test_json_holds_the_same(office: Desk) -> None:
    """On one line, for programs."""
    answer = office.run("plan", "--json")
    found = json.loads(answer.output)
    assert answer.output.count("\n") == 1
    assert (found["mode"], found["summary"]) == (
        "observe",
        {"update": 1, "end": 1, "restore": 0, "replace": 0, "held": 0},
    )
    assert [(step["conference_id"], step["verb"], step["at"]) for step in found["steps"]] == [
        ("c1", "update", None),
        ("c2", "end", None),
    ]


def test_more_ends_than_the_brake_lets_pass_are_shown_as_held(office: Desk) -> None:
    """The operator sees it before anything acts."""
    office.environment["CALENDAR_BRAKE"] = "1"
    deleted = [office.add(f"d{number}", recurrence=["RRULE:FREQ=DAILY"]) for number in range(4)]
    for event_id in deleted:
        office.world.delete(event_id)
    office.world.settle()
    answer = office.run("plan")
    assert answer.output.count("end, held for an operator") == 5
    assert answer.output.splitlines()[-1].startswith("1 update, 5 ends, 5 of them held for an operator; ")


def test_an_id_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Anybody can write an id into an event."""
    there = desk(tmp_path)
    there.add("\x1b[31m" + "x" * 500)
    answer = there.run("plan")
    assert "\x1b" not in answer.output
    assert max(map(len, answer.output.splitlines())) < 300


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watching_prints_what_changed_until_it_is_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    """And ends in order."""
    there = desk(tmp_path)
    with running([CONFSYNC, "plan", "--watch"], tmp_path, {**os.environ, **there.environment}) as command:
        assert eventually(lambda: command.says("nothing to do"))
        there.add("c1")
        assert eventually(lambda: command.says("1 update"))
        assert command.end(number) == 0
    assert command.out.read_text().count("nothing to do") == 1
    assert command.err.read_text() == ""


def test_wrong_settings_are_named(office: Desk) -> None:
    """With status 2, and no table."""
    office.environment["STORE"] = "postgres:x"
    answer = office.run("plan")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr.startswith("confsync plan: STORE 'postgres:x'")


def test_a_store_that_does_not_answer_is_a_failure(office: Desk, tmp_path: Path) -> None:
    """With status 1: it may be done again."""
    (tmp_path / "text").write_text("no database " * 500)
    office.environment["STORE"] = f"sqlite:{tmp_path}/text"
    answer = office.run("plan")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr.endswith("; do it again\n")
