"""`confsync explain`: why a conference is as it is, in a shell."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from confsync.core.conference import Conference
from confsync.core.explaining import State
from confsync.core.records import Calendar
from confsync.ports import Transaction
from tests.cli.observed import Desk, desk
from tests.world import ANN


@pytest.fixture
def office(tmp_path: Path) -> Desk:
    """In the mode `act`: c1 was told twice, c2 has ended."""
    there = desk(tmp_path, "act")
    event_id = there.add("c1", id="event1")
    deleted = there.add("c2", id="event2")
    there.world.settle()
    there.world.edit(event_id, summary="Secret title II", attendees=[])
    there.world.delete(deleted)
    there.world.settle()
    return there


def test_a_conference_is_explained_with_its_history(office: Desk) -> None:
    """State, events, what was told, what waits; then what happened, the oldest first."""
    answer = office.run("explain", "c1")
    assert answer.exit_code == 0
    assert answer.output.startswith("conference c1 of acme (")
    for part in (
        "\nstate: live\n",
        f"\n  event1 in calendar {ANN} of {ANN}: owner, live, ",
        "; drives: the only owner\n",
        "\nregistered for: event1\n",
        "\ntold last: generation 2 at ",
        "\nwaits: nothing\n",
    ):
        assert part in answer.output, part
    timeline = [line[22:].split(maxsplit=1) for line in answer.output.partition("WHAT\n")[2].splitlines()]
    assert timeline == [
        ["seen", "event1  the add-on vouched for it"],
        ["seen", "event1  the event held this conference"],
        ["decided", "event1  first state wanted (generation 1)"],
        ["done", "update applied (generation 1)"],
        ["seen", "event1  title, attendees changed (generation 2)"],
        ["done", "update applied (generation 2)"],
    ]


def test_an_end_is_explained_by_what_was_seen(office: Desk) -> None:
    """Why it ended, and that it was done."""
    answer = office.run("explain", "c2")
    assert "\nstate: ended\n" in answer.output
    assert "grace began: no owner was left; the event was deleted" in answer.output
    assert answer.output.endswith("end applied (generation 2)\n")


def test_what_waits_is_told_and_that_nothing_is_done_about_it(tmp_path: Path) -> None:
    """In the mode `observe`."""
    there = desk(tmp_path)
    there.add("c1")
    there.world.settle()
    answer = there.run("explain", "c1")
    assert "state: live; MODE=observe: nothing is told\n" in answer.output
    assert "told last: nothing\nwaits:\n  update, since " in answer.output


@pytest.mark.parametrize("calendar", ["primary", ANN])
def test_a_conference_is_found_by_its_event(office: Desk, calendar: str) -> None:
    """As the calendar's subject sees it."""
    answer = office.run("explain", "--event", "event2", "--calendar", calendar, "--subject", ANN)
    assert (answer.exit_code, answer.output.splitlines()[0].split()[1]) == (0, "c2")


def test_a_conference_is_found_by_the_key_that_stands_in_the_log(office: Desk) -> None:
    """Whatever its provider."""
    answer = office.run("explain", office.world.conference("c2").key)
    assert answer.output.startswith("conference c2 of acme (")


def test_no_title_and_no_guest_is_shown(office: Desk) -> None:
    """Neither as text nor as JSON."""
    for words in (["c1"], ["c2"], ["c1", "--json"], ["c2", "--json"]):
        answer = office.run("explain", *words)
        assert "Secret" not in answer.output
        assert "guest@" not in answer.output


def test_json_holds_the_same(office: Desk) -> None:
    """One object a line, for programs."""
    answer = office.run("explain", "c1", "--json")
    found = json.loads(answer.output)
    assert answer.output.count("\n") == 1
    assert (found["conference_id"], found["state"], found["mode"]) == ("c1", "live", "act")
    assert found["events"][0]["event_id"] == "event1"
    assert found["events"][0]["calendar_id"] == ANN
    assert {tuple(sorted(note)) for note in found["history"]} == {("at", "event_id", "kind", "what")}
    assert found["history"][-1]["what"] == "update applied (generation 2)"


def test_an_unknown_conference_is_said_to_be_unknown_and_how_ids_look(office: Desk) -> None:
    """With examples, and status 1."""
    answer = office.run("explain", "c9")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr.startswith("confsync explain: no conference c9: its id is the `conferenceId` of the event's")
    assert "ids known here look like c" in answer.stderr
    event = office.run("explain", "--event", "event9", "--calendar", "primary", "--subject", ANN)
    assert event.exit_code == 1
    assert f"event event9 of calendar {ANN}, as {ANN} sees it, is not known to hold a conference" in event.stderr


def test_an_empty_store_knows_nothing(tmp_path: Path) -> None:
    """It names the tenant."""
    answer = desk(tmp_path).run("explain", "c1")
    assert answer.exit_code == 1
    assert answer.stderr.endswith("; no conference of tenant default is known\n")


def test_ids_of_the_own_tenant_are_shown_however_many_another_has(office: Desk) -> None:
    """Theirs stand first in the store, and are not shown."""

    def put(tx: Transaction) -> None:
        for number in range(100):
            tx.put(Conference(key=f"{number:03d}", tenant="other", provider="acme", conference_id=f"other{number}"))

    office.world.store.transact(put)
    answer = office.run("explain", "c9")
    assert "ids known here look like c" in answer.stderr
    assert "other" not in answer.stderr


def test_another_tenants_conference_is_unknown(office: Desk) -> None:
    """Also by its key."""
    office.environment["TENANT"] = "other"
    for name in ("c1", office.world.conference("c1").key):
        assert office.run("explain", name).exit_code == 1


def test_a_calendar_that_is_forgotten_is_no_obstacle(office: Desk) -> None:
    """The event is shown all the same."""
    key = office.world.calendar().key
    office.world.store.transact(lambda tx: tx.delete(Calendar, key))
    assert "\n  event1 in a calendar not known: owner, live, " in office.run("explain", "c1").output


def test_the_page_on_operating_names_every_state() -> None:
    """No more, no less."""
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
    table = page.partition("| state | means |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z]+)` \|", table, re.MULTILINE)) == set(get_args(State))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "give a conference id, or --event together with --calendar and --subject"),
        (("--event", "e1"), "give a conference id, or --event together with"),
        (("c1", "--event", "e1"), "not both"),
    ],
)
def test_it_must_be_clear_what_is_meant(office: Desk, words: tuple[str, ...], complaint: str) -> None:
    """With status 2 and one message."""
    answer = office.run("explain", *words)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert complaint in answer.stderr


def test_a_store_that_does_not_answer_is_a_failure(office: Desk, tmp_path: Path) -> None:
    """With status 1."""
    (tmp_path / "text").write_text("no database " * 500)
    office.environment["STORE"] = f"sqlite:{tmp_path}/text"
    answer = office.run("explain", "c1")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr.startswith("confsync explain: ")
