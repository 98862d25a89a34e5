"""Events that move where confsync does not look: the conference is kept, and followed again if they turn up."""

from typing import Any

import pytest

from confsync.core.rules import Rules
from tests.scenarios.expectations import DAY_S, HOUR_S, calls, expect_driven_by, expect_settled, history_ends, standing
from tests.scenarios.worlds import BARE, HIDDEN, STUBS, TEAM, before_a_move, in_days, unheard, without
from tests.world import ANN, BOB


@pytest.mark.scenario(19)
@STUBS
def test_an_event_that_moved_to_a_calendar_which_nobody_syncs_is_kept(guests: Any) -> None:
    """It lives where confsync does not look: no end, and in time no search; yet it may turn up."""
    world = without("organizer", rules=Rules(orphan_s=5 * DAY_S))
    _, event_id = before_a_move(guests, world, team_synced_for=None, **in_days(60))
    world.move(event_id, TEAM)
    world.settle()
    assert standing(world) == {(ANN, event_id): "owner orphaned"}
    assert history_ends(world, "c1", "moved out of sight", "kept")
    world.advance(20 * DAY_S)
    assert world.conference("c1").due_at is None
    assert calls(world) == [("c1", "Planning")]
    world.initialize(calendar_id=TEAM)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19, 42)
@STUBS
def test_an_event_that_is_over_where_nobody_looks_keeps_its_conference_for_good(guests: Any) -> None:
    """Whatever becomes of it there afterwards."""
    world, event_id = before_a_move(guests, team_synced_for=None)
    world.move(event_id, TEAM)
    world.advance(10 * DAY_S)
    assert world.conference("c1").due_at is None
    world.initialize(calendar_id=TEAM)
    world.settle()
    world.delete(event_id, calendar_id=TEAM)
    world.advance(2 * DAY_S)
    assert calls(world) == [("c1", "Planning")]


@pytest.mark.scenario(19)
@STUBS
def test_an_event_out_of_sight_is_not_waited_for_longer_because_its_stub_is_listed_again(guests: Any) -> None:
    """Its time runs from the move; afterwards nothing is read for it any more."""
    world = without("organizer", rules=Rules(orphan_s=5 * DAY_S))
    _, event_id = before_a_move(guests, world, team_synced_for=None, **in_days(60))
    world.move(event_id, TEAM)
    for _ in range(6):
        world.advance(DAY_S)
        world.model.expire_sync_tokens(ANN)
        world.push(ANN)
    world.settle()
    assert world.conference("c1").due_at is None
    readings = world.calendar_calls.count("events.get")
    world.advance(10 * DAY_S)
    assert world.calendar_calls.count("events.get") == readings
    assert calls(world) == [("c1", "Planning")]
    assert standing(world) == {(ANN, event_id): "owner orphaned"}


@pytest.mark.scenario(19)
@STUBS
def test_an_event_that_moved_out_of_sight_is_found_when_its_calendar_is_synced(guests: Any) -> None:
    """The same iCalUID and conference in another calendar, organized there: it needs no new registration."""
    world, event_id = before_a_move(guests, team_synced_for=None)
    world.move(event_id, TEAM)
    world.advance(DAY_S)
    world.initialize(calendar_id=TEAM)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_what_changed_while_a_moved_event_was_out_of_sight_is_told_when_it_is_found(guests: Any) -> None:
    """Once, with its last state."""
    world, event_id = before_a_move(guests, team_synced_for=None)
    world.move(event_id, TEAM)
    world.settle()
    world.edit(event_id, calendar_id=TEAM, summary="Moved and renamed")
    world.initialize(calendar_id=TEAM)
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "Moved and renamed")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_an_event_that_moved_to_a_calendar_without_access_is_kept_until_access_is_back(guests: Any) -> None:
    """A frozen calendar shows nothing: that is no proof of anything."""
    world, event_id = before_a_move(guests)
    with unheard(world):
        world.move(event_id, TEAM)
        world.model.share(TEAM, {ANN: "none"})
    world.push(TEAM)
    world.push(ANN)
    world.advance(6 * HOUR_S)
    assert world.calendar(ANN, TEAM).state == "frozen"
    assert calls(world) == [("c1", "Planning")]
    assert standing(world) == {(ANN, event_id): "owner orphaned"}
    world.model.share(TEAM, {ANN: "owner"})
    world.advance(2 * HOUR_S)
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_a_calendar_that_does_not_know_a_moved_event_proves_nothing(guests: Any) -> None:
    """The team calendar is synced and asked in vain: the event went to another one."""
    world, event_id = before_a_move(guests)
    world.model.add_calendar(HIDDEN, BOB, roles={ANN: "owner"})
    world.move(event_id, HIDDEN)
    world.advance(2 * DAY_S)
    assert calls(world) == [("c1", "Planning")]
    assert standing(world) == {(ANN, event_id): "owner orphaned"}
    expect_settled(world)


@pytest.mark.scenario(19, 34)
@pytest.mark.parametrize("deleted", ["before the move", "after the move"])
def test_the_deleted_mirror_of_an_event_that_moved_out_of_sight_is_no_proof(deleted: str) -> None:
    """A tool had copied it to the team calendar under the same id; the event itself went where nobody looks."""
    world, event_id = before_a_move(BARE)
    world.model.add_calendar(HIDDEN, BOB, roles={ANN: "owner"})
    world.create("Planning", "c1", calendar_id=TEAM, id=event_id, **in_days(7))
    world.settle()
    if deleted == "before the move":
        world.delete(event_id, calendar_id=TEAM)
        world.settle()
    world.move(event_id, HIDDEN)
    world.settle()
    if deleted == "after the move":
        world.delete(event_id, calendar_id=TEAM)
    world.advance(2 * DAY_S)
    assert world.model.get(ANN, HIDDEN, event_id)["status"] == "confirmed"
    assert calls(world) == [("c1", "Planning")]
    assert standing(world) == {(ANN, event_id): "owner orphaned"}


@pytest.mark.scenario(19)
@STUBS
@pytest.mark.parametrize("known", [True, False], ids=["synced", "not synced"])
def test_a_move_that_leaves_the_conference_behind_makes_no_second_one(guests: Any, known: bool) -> None:
    """Nobody knows whether Calendar takes it along. If not, no end follows from the move, nor another conference."""
    world, event_id = before_a_move(guests, team_synced_for=ANN if known else None)
    world.model.options.move_keeps_conference = False
    world.move(event_id, TEAM)
    world.advance(2 * DAY_S)
    assert "conferenceData" not in world.model.get(ANN, TEAM, event_id)
    assert world.provider.created == {}
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(19, 33)
@STUBS
def test_the_duplicate_of_an_event_that_moved_out_of_sight_may_be_deleted(guests: Any) -> None:
    """The other one lives where nobody looks: the conference is kept for it."""
    world, event_id = before_a_move(guests, team_synced_for=None)
    copy_id = world.duplicate(event_id)
    world.settle()
    told = len(world.provider.calls)
    world.move(event_id, TEAM)
    world.settle()
    world.delete(copy_id)
    world.advance(2 * DAY_S)
    assert standing(world) == {(ANN, event_id): "owner orphaned"}
    assert len(world.provider.calls) == told
    assert ("c1", None) not in calls(world)
