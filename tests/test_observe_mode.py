"""The mode `observe`: everything is listed, recorded and planned, nothing is told; and the plan says what would be."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from confsync.cli.plan import planned
from confsync.core.capabilities import Capabilities
from confsync.core.outlook import Step
from confsync.core.rules import Rules
from confsync.core.tasks import UPDATE
from confsync.renew_channels import renew_channels
from tests.world import ALL_FIELDS, ANN, BOB, PUSH, START, World, times

Mode = Literal["act", "observe"]


def world(mode: Mode, capabilities: Capabilities | None = None) -> World:
    """Return a world in a mode."""
    return World(rules=Rules(mode=mode), capabilities=capabilities)


def switch(there: World, mode: Mode) -> None:
    """Change the setting MODE."""
    there.rules = replace(there.rules, mode=mode)
    there.terms = replace(there.terms, rules=there.rules)


def plan(there: World) -> list[Step]:
    """Return what `confsync plan` shows."""
    return planned(there.store, "default", there.now, there.rules)


def verbs(there: World) -> dict[str, str]:
    """Return by conference what would be told last; a conference that never ended is not restored but updated."""
    return {step.conference_id: step.verb for step in plan(there)}


def told(there: World) -> dict[str, str]:
    """Return by conference what the back end was told last."""
    return {call.conference_id: "end" if call.state is None else "update" for call in there.provider.calls}


def assert_nothing_was_touched(there: World) -> None:
    """No call to the back end, no write to an event, no task for a conference."""
    assert there.provider.calls == []
    assert there.provider.created == {}
    assert not {"events.update", "events.patch"} & set(there.calendar_calls)
    assert [task.name for task in there.queue.created if task.path == UPDATE] == []


class Day:
    """What people do on one day; each step is followed by ten minutes in which everything settles."""

    def __init__(self, there: World) -> None:
        """Begin in the morning."""
        self.world = there
        self.events: dict[str, str] = {}

    @property
    def steps(self) -> tuple[Callable[[], None], ...]:
        """The day, in order."""
        return (self.begin, self.rename, self.answer, self.delete, self.take_out, self.undelete, self.series, self.copy)

    def begin(self) -> None:
        """Five meetings, one of them in another calendar."""
        for number in range(1, 5):
            self.events[f"c{number}"] = self.world.add(f"Meeting {number}", f"c{number}", attendees=[{"email": BOB}])
        self.events["b1"] = self.world.add("Bob's", "b1", who=BOB)

    def rename(self) -> None:
        """Two change, one of them twice."""
        self.world.edit(self.events["c1"], summary="First")
        self.world.edit(self.events["c1"], summary="Second")
        self.world.edit(self.events["b1"], BOB, **times(START + timedelta(days=2)))

    def answer(self) -> None:
        """A guest accepts, which is nothing to a conference."""
        self.world.edit(self.events["c2"], attendees=[{"email": BOB, "responseStatus": "accepted"}])

    def delete(self) -> None:
        """One meeting is deleted, another with its conference never gets its event."""
        self.world.delete(self.events["c3"])

    def take_out(self) -> None:
        """A conference is taken out of its event."""
        self.world.edit(self.events["c4"], conferenceData=None)

    def undelete(self) -> None:
        """The deleted meeting comes back."""
        self.world.restore(self.events["c3"])

    def series(self) -> None:
        """A series begins, and one of its instances moves."""
        series = self.world.add("Daily", "s1", recurrence=["RRULE:FREQ=DAILY;COUNT=5"])
        self.events["s1"] = series
        self.world.edit(self.world.instances(series)[2], summary="Special")

    def copy(self) -> None:
        """A meeting is duplicated, and its original deleted: the copy holds the conference."""
        self.world.duplicate(self.events["c2"])
        self.world.delete(self.events["c2"])


def test_the_plan_of_a_day_is_what_the_mode_act_does_on_it() -> None:
    """Step by step, by conference and verb; and nothing is touched."""
    observed, acted = Day(world("observe")), Day(world("act"))
    for watch, do in zip(observed.steps, acted.steps, strict=True):
        for step, day in ((watch, observed), (do, acted)):
            step()
            day.world.settle()
        assert verbs(observed.world) == told(acted.world), watch.__name__
        assert plan(acted.world) == []
        assert_nothing_was_touched(observed.world)


def test_a_switch_to_act_does_what_is_different_without_any_event_changing() -> None:
    """In the end both back ends hold the same."""
    observed, acted = Day(world("observe")), Day(world("act"))
    for day in (observed, acted):
        for step in day.steps:
            step()
            day.world.settle()
    listed = len(observed.world.calendar_calls)
    switch(observed.world, "act")
    observed.world.settle()
    assert "events.list" in observed.world.calendar_calls[:listed]
    states = [{key: kept.state for key, kept in day.world.provider.conferences.items()} for day in (observed, acted)]
    assert states[0] == states[1]
    assert plan(observed.world) == []


def test_calendars_are_watched_and_synced_as_usual() -> None:
    """What is observed is recorded at once, and channels are renewed; no conference is started."""
    there = world("observe")
    event_id = there.add("Review", "c1")
    there.edit(event_id, summary="Retro")
    there.settle()
    desired = there.conference("c1").desired
    assert desired is not None
    assert desired.state is not None
    assert desired.state.title == "Retro"
    there.advance(8 * 24 * 3600)
    assert there.calendar().channels[0].expires_at > there.now  # type: ignore[operator]
    started = renew_channels(there.outside, PUSH, there.terms)
    assert started.updates_started == 0
    assert_nothing_was_touched(there)


def test_a_task_from_before_the_switch_to_observe_does_nothing() -> None:
    """It may wait for hours in its queue."""
    there = world("act")
    event_id = there.add("Review", "c1")
    there.delete(event_id)
    there.advance(10)
    switch(there, "observe")
    calls = len(there.provider.calls)
    there.settle()
    assert len(there.provider.calls) == calls
    assert there.conference("c1").desired is not None
    assert verbs(there) == {"c1": "end"}


def test_no_task_waits_for_what_is_due_later() -> None:
    """An end in its grace period, of a conference that was told before."""
    there = world("act")
    event_id = there.add("Review", "c1")
    there.settle()
    switch(there, "observe")
    tasks = [task for task in there.queue.created if task.path == UPDATE]
    there.delete(event_id)
    there.settle()
    assert there.conference("c1").end_after is not None
    assert [task for task in there.queue.created if task.path == UPDATE] == tasks


def test_an_update_names_the_fields_that_differ_from_what_was_told() -> None:
    """And the event that it follows, and since when."""
    there = world("act")
    event_id = there.add("Review", "c1")
    there.settle()
    switch(there, "observe")
    there.edit(event_id, summary="Retro", location="Room 1")
    changed = there.now
    there.settle()
    there.edit(event_id, summary="Retrospective")
    there.settle()
    (step,) = plan(there)
    assert (step.verb, step.fields, step.event_id) == ("update", ("title", "location"), event_id)
    assert changed <= step.since <= changed + timedelta(seconds=5)
    assert step.at is None
    there.edit(event_id, summary="Review", location=None)
    there.settle()
    assert plan(there) == []


def test_an_end_waits_for_its_grace_and_says_what_was_seen() -> None:
    """Before the grace is over the plan says when; after it, at once."""
    there = world("observe")
    event_id = there.add("Review", "c1")
    there.settle()
    there.delete(event_id)
    there.advance(10)
    end = plan(there)[-1]
    assert (end.verb, end.event_id, end.why) == ("end", event_id, "no owner was left; the event was deleted")
    assert end.at == there.conference("c1").end_after
    there.settle()
    assert [(step.verb, step.at) for step in plan(there)] == [("end", None)]


def test_an_end_that_act_would_not_carry_out_is_not_shown() -> None:
    """The meeting is over by the time the grace is: what was held is kept."""
    there = world("observe")
    event_id = there.create("Now", "c1", **times(START - timedelta(minutes=59), 60))
    there.initialize("c1", event_id)
    there.advance(30)
    there.delete(event_id)
    there.advance(5)
    assert [step.verb for step in plan(there)] == ["update"]
    there.settle()
    assert [step.verb for step in plan(there)] == ["update"]


@pytest.mark.parametrize(
    ("restores", "creates", "verb"), [(True, False, "restore"), (True, True, "restore"), (False, True, "replace")]
)
def test_an_event_that_is_back_restores_or_replaces_its_conference(restores: bool, creates: bool, verb: str) -> None:
    """By what the back end can do."""
    there = world("act", Capabilities(ALL_FIELDS, ordered_writes=True, restores=restores, creates=creates))
    event_id = there.add("Review", "c1")
    there.settle()
    there.delete(event_id)
    there.settle()
    switch(there, "observe")
    calls, writes = len(there.provider.calls), there.calendar_calls.count("events.update")
    there.restore(event_id)
    there.settle()
    assert [(step.verb, step.event_id) for step in plan(there)] == [(verb, event_id)]
    assert len(there.provider.calls) == calls
    assert there.provider.created == {}
    assert there.calendar_calls.count("events.update") == writes
    switch(there, "act")
    there.settle()
    assert plan(there) == []
    assert bool(there.provider.created) is (verb == "replace")


def test_a_conference_whose_event_never_came_is_planned_to_end() -> None:
    """After the time that a draft is given; what a review would find without reading anything."""
    there = world("observe")
    there.initialize("c1", "never")
    there.settle()
    assert plan(there) == []
    there.advance(there.rules.draft_s)
    (step,) = plan(there)
    assert (step.verb, step.why, step.event_id) == ("end", "its event never appeared", "never")
    assert step.at == there.now + timedelta(seconds=there.rules.grace_s)


def test_a_part_of_a_series_that_drives_from_now_on_is_planned() -> None:
    """What differs is known when its event is read; in the mode `act` that is done."""
    observed, acted = world("observe"), world("act")
    for there in (observed, acted):
        series = there.add("Daily", "c1", recurrence=["RRULE:FREQ=DAILY;COUNT=4"])
        there.settle()
        there.split(series, 2, summary="New name")
        there.settle()
    switch(acted, "observe")
    switch(acted, "act")
    calls = len(acted.provider.calls)
    for there in (observed, acted):
        there.advance(3 * 24 * 3600)
    assert len(acted.provider.calls) > calls
    assert "update" in {step.verb for step in plan(observed)}
    assert_nothing_was_touched(observed)


def test_what_the_brake_would_hold_is_shown_as_held() -> None:
    """A mass deletion: the plan and the mode act agree on how many."""
    held = {}
    for mode in ("observe", "act"):
        there = World(rules=Rules(mode=mode, calendar_brake=3, calendar_brake_share=0))
        events = [there.add(f"Meeting {n}", f"c{n}") for n in range(5)]
        there.settle()
        for event_id in events[:4]:
            there.delete(event_id)
        there.settle()
        held[mode] = {(step.conference_id, step.is_held) for step in plan(there) if step.verb == "end"}
    assert held["observe"] == held["act"] == {(f"c{n}", True) for n in range(4)}


def test_only_the_tenants_own_conferences_are_planned() -> None:
    """Tenants may share a store."""
    there = world("observe")
    there.add("Review", "c1")
    there.settle()
    assert planned(there.store, "other", there.now, there.rules) == []
    assert [step.conference_id for step in planned(there.store, "default", there.now, there.rules)] == ["c1"]


def test_a_conference_that_nobody_vouched_for_is_not_planned() -> None:
    """A claim is recorded, and tells nobody anything."""
    there = world("observe")
    there.create("Review", "c1", who=ANN)
    there.initialize(who=ANN)
    there.settle()
    assert plan(there) == []
