"""The oracle of what is remembered of removed calendars is shown what it must report, and what it must not."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from confsync.core.conference import Conference
from confsync.core.records import Calendar, Link, Record
from confsync.core.rules import Rules
from confsync.local.calendar_server.model import CalendarModel
from confsync.local.calendar_server.people import addon_conference
from tests.simulation.oracles.ledger import Complaints, Ledger
from tests.simulation.oracles.retention import RetentionJudge
from tests.simulation.oracles.truth import Truth
from tests.simulation.oracles.words import Words
from tests.simulation.test_oracles import Worker
from tests.simulation.test_oracles_of_ends import MEET, TOMORROW, V1, rules_of
from tests.world import ALL_FIELDS, ANN, BOB, START, times

ELSEWHERE = "elsewhere@group.example.com"
MONTH = timedelta(seconds=Rules().retention_s)
ACTIVE = Calendar(key="ann", tenant="default", calendar_id=ANN, subject=ANN)


def removed(due_at: datetime | None) -> Calendar:
    """Return Ann's calendar, to be forgotten then."""
    return ACTIVE.model_copy(update={"state": "removed", "due_at": due_at})


class Scene:
    """A removed calendar with one event, and the judge of what is remembered of it."""

    def __init__(self, due_at: datetime | None) -> None:
        """Begin just after the removal."""
        link = Link(key="l", calendar_key="ann", event_id="event", conference_key="a")
        self.committed: dict[str, dict[str, Record]] = {"calendar": {}, "link": {"l": link}, "conference": {}}
        self.committed["calendar"]["ann"] = removed(due_at)
        self.committed["calendar"]["bob"] = Calendar(key="bob", tenant="default", calendar_id=BOB, subject=BOB)
        self.words, self.complaints = Words(), Complaints()
        ledger = Ledger(self.committed, {"ann": ANN, "bob": BOB})
        self.model = CalendarModel(
            lambda: START, lambda: "i", on_change=lambda changed: self.truth.look(changed, START)
        )
        self.truth = Truth(self.model, ALL_FIELDS)
        for email in (ANN, BOB):
            self.model.add_user(email)
        self.judge = RetentionJudge(
            self.truth, ledger, self.complaints, self.words, rules=Rules(), skew=timedelta(seconds=1)
        )


@pytest.mark.parametrize("is_asked", [False, True])
@pytest.mark.parametrize(("waits", "is_too_soon"), [(None, True), (0, True), (30, True), (31, False)])
def test_a_calendar_is_remembered_for_a_month_unless_it_is_to_be_forgotten_at_once(
    waits: int | None, is_too_soon: bool, is_asked: bool
) -> None:
    """By the clock of whoever removed it."""
    scene = Scene(None)
    if is_asked:
        scene.judge.hear(ANN)
    due_at = None if waits is None else START + timedelta(days=waits)
    scene.judge.watch(ACTIVE, removed(due_at), Worker())
    assert rules_of(scene.complaints) == (["L3 forgotten"] if is_too_soon and not is_asked else [])


@pytest.mark.parametrize("is_lost", [False, True])
def test_until_then_each_of_its_events_is_remembered(is_lost: bool) -> None:
    """Also just before its time is over."""
    scene = Scene(START + MONTH)
    times = scene.judge.times_to_forget()
    if is_lost:
        scene.committed["link"].clear()
    scene.judge.judge_remembered(times)
    assert (times, rules_of(scene.complaints)) == ({ANN: START + MONTH}, ["L3 forgotten"] if is_lost else [])


@pytest.mark.parametrize(("days", "broken"), [(30, []), (31, ["L3 forgotten"])])
def test_what_was_lost_a_month_ago_is_forgotten_in_its_own_time(days: int, broken: list[str]) -> None:
    """Its conference was to be forgotten anyhow, before the calendar is."""
    scene = Scene(START + MONTH)
    lost = Conference(key="a", tenant="default", provider="acme", conference_id="a", review_at=START + timedelta(days))
    scene.committed["conference"]["a"] = lost
    times = scene.judge.times_to_forget()
    scene.committed["link"].clear()
    scene.judge.judge_remembered(times)
    assert rules_of(scene.complaints) == broken


@pytest.mark.parametrize(("due_at", "links", "broken"), [(None, 0, 0), (None, 1, 1), (START, 0, 1)])
def test_after_that_nothing_of_it_is_left(due_at: datetime | None, links: int, broken: int) -> None:
    """Neither an event, nor a time at which somebody has to look."""
    scene = Scene(due_at)
    if not links:
        scene.committed["link"].clear()
    scene.judge.judge_forgotten([ANN])
    assert rules_of(scene.complaints) == ["L3 forgotten"] * broken


@pytest.mark.parametrize(("is_vouched", "broken"), [(False, ["R9 forgotten"]), (True, [])])
def test_no_conference_ends_because_it_is_forgotten(is_vouched: bool, broken: list[str]) -> None:
    """One may end then that was made for an event elsewhere that never came."""
    scene = Scene(None)
    if is_vouched:
        scene.words.hear("a", (BOB, "draft"))
    scene.judge.judge_ends(["a"])
    assert rules_of(scene.complaints) == broken


@pytest.mark.parametrize(
    ("owner", "becomes", "broken"),
    [
        (BOB, None, []),
        (BOB, addon_conference("b"), []),
        (BOB, MEET, ["R9 forgotten"]),
        (BOB, addon_conference("a"), ["R9 forgotten"]),
        (ANN, None, ["R9 forgotten"]),
    ],
)
def test_a_conference_may_end_then_that_an_event_elsewhere_lost(owner: str, becomes: Any, broken: list[str]) -> None:
    """The last look waited for the removed calendar; what that one shows itself, nobody may look at."""
    scene = Scene(None)
    body = {"id": "event", "summary": "A", **times(TOMORROW, 30), "conferenceData": addon_conference("a")}
    scene.model.options.meet = "pending"
    scene.model.insert(owner, owner, body, V1)
    scene.model.patch(owner, owner, "event", {"conferenceData": becomes}, V1)
    scene.judge.judge_ends(["a"])
    assert rules_of(scene.complaints) == broken


@pytest.mark.parametrize(("is_seen", "broken"), [(False, []), (True, ["R9 forgotten"])])
def test_an_event_that_nobody_saw_move_on_is_taken_as_lost_where_it_was(is_seen: bool, broken: list[str]) -> None:
    """It was not in a full listing, and nothing else would say more."""
    scene = Scene(None)
    scene.model.add_calendar(ELSEWHERE, BOB)
    body = {"id": "event", "summary": "A", **times(TOMORROW, 30), "conferenceData": addon_conference("a")}
    scene.model.insert(BOB, BOB, body, V1)
    scene.model.move(BOB, BOB, "event", {"destination": ELSEWHERE})
    if is_seen:
        etag = scene.truth.facts[BOB, "event"][-1].etag
        scene.judge.watch_link(Link(key="m", calendar_key="bob", event_id="event", conference_key="a", etag=etag))
    scene.judge.judge_ends(["a"])
    assert rules_of(scene.complaints) == broken
