"""The oracle of ends, and of those that may have been told, is shown what it must report, and what it must not.

The truth is a Calendar model's.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from confsync.core.conference import Conference, Desired, Intent
from confsync.core.records import Link
from confsync.core.rules import Rules
from confsync.local.calendar_server.model import CalendarModel
from confsync.local.calendar_server.people import addon_conference
from tests.simulation.oracles.conferences import ConferenceJudge
from tests.simulation.oracles.ends import EndJudge
from tests.simulation.oracles.ledger import Complaints, Ledger
from tests.simulation.oracles.truth import Truth
from tests.simulation.test_oracles import HELD, Scene, conference, ending, late, wanted
from tests.world import ALL_FIELDS, ANN, START, times

SKEW = timedelta(seconds=1)
V1 = {"conferenceDataVersion": "1"}
MEET = {"createRequest": {"requestId": "r", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
ENDED = Desired(generation=2, fingerprint="ended")
TOMORROW = START + timedelta(days=1)


def rules_of(complaints: Complaints) -> list[str]:
    """Return the rules that were broken."""
    return [each.partition(":")[0] for each in complaints.all]


def at(seconds: float) -> datetime:
    """Return a time so many seconds after the start."""
    return START + timedelta(seconds=seconds)


class Ending:
    """One event `e` of Ann's that had conference `a`, and the judge of its end."""

    def __init__(self, begins: datetime) -> None:
        """Create the event, to take half an hour."""
        self.now, self.complaints = START, Complaints()
        self.model = CalendarModel(lambda: self.now, lambda: "i", on_change=self._look)
        self.truth = Truth(self.model, ALL_FIELDS)
        self.model.add_user(ANN)
        ledger = Ledger({"conference": {}}, {"ann": ANN})
        self.judge = EndJudge(self.truth, ledger, self.complaints, Rules(), SKEW)
        body = {"id": "event", "summary": "A", **times(begins, 30), "conferenceData": addon_conference("a")}
        self.model.insert(ANN, ANN, body, V1)

    def _look(self, calendar_id: str) -> None:
        self.truth.look(calendar_id, self.now)

    def record(self) -> None:
        """Record the event as it is now."""
        fact = self.truth.facts[ANN, "event"][-1]
        key = Link.key_for("ann", "event")
        self.judge.watch_link(
            Link(
                key=key, calendar_key="ann", event_id="event", conference_key="a", updated=fact.updated, etag=fact.etag
            )
        )

    def decide_and_want(self, decided_s: float, wanted_s: float) -> list[str]:
        """Decide the end, let another worker want it, and return which rules that breaks."""
        decided, wanted = self._conference(end_after=at(decided_s + 60)), self._conference(desired=ENDED)
        self.judge.watch(None, decided, at(decided_s), late(decided_s))
        self.judge.watch(decided, wanted, at(wanted_s), late(wanted_s))
        return rules_of(self.complaints)

    def _conference(self, **fields: Any) -> Conference:
        plain = conference("a", **fields)
        owner = plain.referents["l"].model_copy(update={"event_id": "event"})
        return plain.model_copy(update={"referents": {"l": owner}})


@pytest.mark.parametrize(("waited_s", "broken"), [(0, ["R9"]), (57, ["R9"]), (58, []), (300, [])])
def test_an_end_is_wanted_when_its_grace_period_is_over(waited_s: float, broken: list[str]) -> None:
    """Clocks differ by a second at most each."""
    assert Ending(TOMORROW).decide_and_want(10, 10 + waited_s) == broken


def test_an_end_that_nobody_decided_is_not_wanted() -> None:
    """Whatever happened before that was taken back."""
    day = Ending(TOMORROW)
    decided = conference("a", end_after=at(60))
    kept = conference("a", desired=Desired(generation=1, fingerprint="x"))
    for before, after, when in [(None, decided, 0), (decided, kept, 30)]:
        day.judge.watch(before, after, at(when), late(when))
    day.judge.watch(kept, conference("b", desired=ENDED), at(99), late(99))
    assert rules_of(day.complaints) == ["R9"]


@pytest.mark.parametrize(("state", "broken"), [("gone", []), ("live", ["R9", "R9"]), ("orphaned", ["R9", "R9"])])
def test_an_end_is_decided_and_wanted_only_where_an_event_lost_the_conference(state: str, broken: list[str]) -> None:
    """Not because its calendar is not looked at any more, nor by somebody who looked before the event came back."""
    day = Ending(TOMORROW)
    decided, wanted = (conference("a", state=state, **{k: v}) for k, v in (("end_after", at(60)), ("desired", ENDED)))
    day.judge.watch(None, decided, at(0), late(0))
    day.judge.watch(decided, wanted, at(99), late(99))
    assert rules_of(day.complaints) == broken


def test_an_operator_who_approves_an_end_does_not_begin_its_grace_period_again() -> None:
    """It was over before it was held."""
    day = Ending(TOMORROW)
    decided, held = conference("a", end_after=at(60)), conference("a", brake="held")
    approved, wanted = conference("a", brake="approved", end_after=at(500)), conference("a", desired=ENDED)
    steps = [(None, decided, 0), (decided, held, 61), (held, approved, 500), (approved, wanted, 501)]
    for before, after, when in steps:
        day.judge.watch(before, after, at(when), late(when))
    assert rules_of(day.complaints) == []


@pytest.mark.parametrize(("asked_s", "broken"), [(50, ["R9"]), (100, [])])
def test_no_end_is_wanted_while_an_owner_waits_for_its_new_conference(asked_s: float, broken: list[str]) -> None:
    """But one that asks for it while its conference ends comes too late."""
    day = Ending(TOMORROW)
    day.now, day.model.options.meet = at(asked_s), "pending"
    day.model.patch(ANN, ANN, "event", {"conferenceData": MEET}, V1)
    assert day.decide_and_want(0, 100) == broken


def test_an_end_is_wanted_once_the_new_conference_is_there() -> None:
    """Then the event holds another one."""
    day = Ending(TOMORROW)
    day.model.options.meet = "pending"
    day.model.patch(ANN, ANN, "event", {"conferenceData": MEET}, V1)
    day.model.settle_conferences(ANN)
    assert day.decide_and_want(0, 100) == []


def test_an_end_is_wanted_when_the_event_that_waited_is_deleted() -> None:
    """Its tombstone still says that it waits."""
    day = Ending(TOMORROW)
    day.model.options.meet = "pending"
    day.model.patch(ANN, ANN, "event", {"conferenceData": MEET}, V1)
    day.model.delete(ANN, ANN, "event")
    assert day.decide_and_want(0, 100) == []


@pytest.mark.parametrize(("begins_s", "broken"), [(-3600, ["R9"]), (-1700, ["R9"]), (0, []), (86400, [])])
def test_what_was_held_is_not_ended(begins_s: float, broken: list[str]) -> None:
    """Its event, of half an hour, was over before the worker looked that wants the end."""
    day = Ending(at(begins_s))
    day.record()
    day.model.delete(ANN, ANN, "event")
    assert day.decide_and_want(0, 200) == broken


def test_a_time_that_nobody_recorded_proves_nothing() -> None:
    """The event was moved into the past and deleted before anybody saw it there."""
    day = Ending(TOMORROW)
    day.record()
    day.now = at(1)
    day.model.patch(ANN, ANN, "event", dict(times(START - timedelta(days=1))))
    day.model.delete(ANN, ANN, "event")
    assert day.decide_and_want(2, 200) == []


def test_a_deletion_that_is_recorded_says_nothing_of_what_it_deleted_in_the_same_moment() -> None:
    """Its `updated` is that of the move into the past, which nobody saw."""
    day = Ending(TOMORROW)
    day.record()
    day.now = at(1)
    day.model.patch(ANN, ANN, "event", dict(times(START - timedelta(days=1))))
    day.model.delete(ANN, ANN, "event")
    day.record()
    assert day.decide_and_want(2, 200) == []


def test_what_was_held_is_not_ended_though_its_reminders_changed_since() -> None:
    """Of those nobody is told, and what was recorded stands."""
    day = Ending(START - timedelta(days=1))
    day.record()
    day.now = at(1)
    day.model.patch(ANN, ANN, "event", {"reminders": {"useDefault": False, "overrides": []}})
    day.model.delete(ANN, ANN, "event")
    assert day.decide_and_want(2, 200) == ["R9"]


# Ends that may have been told


@pytest.mark.parametrize(("announced", "broken"), [(1, ["R10"]), (2, [])])
def test_an_end_that_its_worker_announced_and_gave_no_answer_to_may_have_been_told(
    announced: int, broken: list[str]
) -> None:
    """Another end was decided meanwhile; to hold this one might come too late."""
    scene = Scene()
    for name in "ab":
        scene.commit(ending(name, START))
    for number in range(announced):
        intent = Intent(generation=2 + number, verb="end", deadline=at(90 * (number + 1)))
        scene.commit(wanted("a").model_copy(update={"intent": intent}))
    scene.brakes.watch_end("a", late(200))
    assert scene.rules == broken


@pytest.mark.parametrize(("approved", "broken"), [(False, ["R10"]), (True, [])])
def test_an_end_that_was_approved_when_it_was_announced_may_leave_though_an_event_holds_the_conference_by_then(
    broken: list[str], *, approved: bool
) -> None:
    """Its worker is past asking."""
    scene = Scene()
    for name in "ab":
        scene.commit(ending(name, START))
    if approved:
        scene.commit(conference("a", brake="held", hold=HELD))
        scene.brakes.hear(["a"], "approved")
    announced = wanted("a").model_copy(update={"intent": Intent(generation=2, verb="end", deadline=at(90))})
    scene.commit(announced.model_copy(update={"brake": "approved"}) if approved else announced)
    scene.commit(announced.model_copy(update={"referents": conference("a", state="live").referents}))
    scene.brakes.watch_end("a", late(80))
    assert scene.rules == broken


@pytest.mark.parametrize(
    ("left", "broken"),
    [
        ({"desired": ENDED}, ["R4 due_at"]),
        ({"desired": ENDED, "due_at": START}, []),
        ({"desired": ENDED, "brake": "held"}, []),
        ({"end_after": START}, ["R4 due_at"]),
        ({"intent": Intent(generation=2, verb="update", deadline=START)}, ["R4 due_at"]),
    ],
)
def test_what_waits_is_due_unless_it_waits_for_an_operator(left: dict[str, Any], broken: list[str]) -> None:
    """Else nobody goes on with it when its worker dies."""
    day = Ending(TOMORROW)
    judge = ConferenceJudge(day.truth, Ledger({"conference": {}}, {"ann": ANN}), day.complaints)
    judge.watch(None, conference("a", **left), late(0))
    assert [rule for rule in rules_of(day.complaints) if rule == "R4 due_at"] == broken
