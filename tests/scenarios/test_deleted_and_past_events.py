"""Events that are deleted, and events that are over: what ends, what is kept, what is not told any more."""

from datetime import timedelta
from typing import Any

import pytest

from confsync.core.capabilities import Capabilities
from confsync.local.calendar_server.people import addon_conference
from tests.scenarios.expectations import DAY_S, calls, expect_settled, history_ends, is_known, recorded
from tests.scenarios.worlds import FORMS, TEAM, TOMORROW, in_days, planned
from tests.world import ALL_FIELDS, ANN, BOB, START, World, times

# Row 12: deleted


@pytest.mark.scenario(12)
@FORMS
@pytest.mark.parametrize("keeps_conference", [True, False])
@pytest.mark.parametrize("calendar_id", [ANN, TEAM])
@pytest.mark.parametrize("able", [True, False], ids=["restores and orders", "does neither"])
def test_a_deleted_event_ends_its_conference_once_and_not_before_the_grace_is_over(
    form: Any, keeps_conference: bool, calendar_id: str, able: bool
) -> None:
    """Whatever its tombstone shows of it, in a list or by itself, and whatever the back end can do."""
    world = World(capabilities=Capabilities(ALL_FIELDS, ordered_writes=able, restores=able))
    world.model.options.organizer_tombstones = form
    world.model.options.tombstone_conference = keeps_conference
    world.model.add_calendar(TEAM, ANN)
    world.initialize(who=BOB)
    _, event_id = planned(world, calendar_id=calendar_id, attendees=[{"email": BOB}])
    world.delete(event_id, calendar_id=calendar_id)
    world.advance(world.rules.grace_s - 1)
    assert calls(world) == [("c1", "Planning")]
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", None)]
    assert recorded(world, "c1") == {(calendar_id, event_id): "owner gone"}
    assert history_ends(world, "c1", "the event was deleted", "grace", "end wanted", "end applied")
    expect_settled(world)


@pytest.mark.scenario(12)
def test_an_ended_conference_is_remembered_as_long_as_its_event_may_come_back() -> None:
    """Calendar keeps what was deleted for 30 days; after that the record would only grow the store."""
    world, event_id = planned()
    world.delete(event_id)
    world.advance(30 * DAY_S)
    assert recorded(world, "c1") == {(ANN, event_id): "owner gone"}
    world.advance(2 * DAY_S)
    assert not is_known(world, "c1")
    assert world.link(event_id) is None
    assert calls(world) == [("c1", "Planning"), ("c1", None)]


# Row 42: what is over


@pytest.mark.scenario(42)
def test_an_edit_of_an_event_that_is_over_is_recorded_and_not_told() -> None:
    """It was held: a call would burn budget, and a back end ignores or refuses it."""
    world, event_id = planned()
    world.advance(10 * DAY_S)
    world.edit(event_id, summary="What was planned")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(42)
def test_an_event_that_is_over_and_moved_to_the_future_is_told_again() -> None:
    """With everything that was edited meanwhile."""
    world, event_id = planned()
    world.advance(10 * DAY_S)
    world.edit(event_id, summary="Planning II")
    world.settle()
    later = world.now + timedelta(days=3)
    world.edit(event_id, **times(later))
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "Planning II")]
    assert world.told("c1").start.instant == later
    expect_settled(world)


@pytest.mark.scenario(42)
def test_an_event_that_runs_is_not_over_and_one_that_is_extended_is_not_over_any_more() -> None:
    """Both are told; in between, when it was over, nothing was."""
    world, event_id = planned()
    world.advance(DAY_S)
    assert START + timedelta(days=1) < world.now < START + timedelta(days=1, hours=1)
    world.edit(event_id, summary="It runs")
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "It runs")]
    world.advance(2 * 3600)
    world.edit(event_id, summary="It is over")
    world.settle()
    assert len(world.provider.calls) == 2
    world.edit(event_id, **times(TOMORROW, minutes=240))
    world.settle()
    assert calls(world)[2:] == [("c1", "It is over")]
    assert world.told("c1").end.instant == TOMORROW + timedelta(hours=4)
    expect_settled(world)


@pytest.mark.scenario(42, 1)
def test_a_conference_of_an_event_that_is_over_is_told_when_the_event_moves_to_the_future() -> None:
    """Somebody adds it to a past event and drags that to next week."""
    world = World()
    event_id = world.add("Planning", "c1", **in_days(-3))
    world.settle()
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    later = START + timedelta(days=7)
    world.edit(event_id, **times(later))
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert world.told("c1").start.instant == later
    expect_settled(world)


@pytest.mark.scenario(42)
def test_a_conference_that_was_held_survives_the_deletion_of_its_event() -> None:
    """Its reports and recordings are needed."""
    world, event_id = planned()
    world.advance(10 * DAY_S)
    world.delete(event_id)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert history_ends(world, "c1", "kept")
    expect_settled(world)


@pytest.mark.scenario(42)
def test_what_was_held_and_deleted_is_forgotten_without_a_call() -> None:
    """Once its event cannot come back any more, nothing is left to remember; the back end keeps its own records."""
    world, event_id = planned()
    world.advance(10 * DAY_S)
    world.delete(event_id)
    world.advance(33 * DAY_S)
    assert calls(world) == [("c1", "Planning")]
    assert not is_known(world, "c1")
    assert world.link(event_id) is None
    assert world.failures() == []


@pytest.mark.scenario(42)
def test_an_imported_history_is_told_to_nobody() -> None:
    """Events of past years that name conferences of ours come with a migration."""
    world = World()
    world.initialize()
    world.settle()
    for year in (1, 2, 3):
        body = {
            "summary": "Old",
            "iCalUID": f"old{year}@other.example.com",
            **times(START - timedelta(days=365 * year)),
        }
        history = body | {"conferenceData": addon_conference(f"c{year}")}
        world.model.import_(ANN, "primary", history, {"conferenceDataVersion": "1"})
    world.settle()
    assert calls(world) == []
    expect_settled(world)
