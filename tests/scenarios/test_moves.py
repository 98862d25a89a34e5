"""Events that move to another calendar of the same person: the conference goes along and never ends by it."""

from datetime import timedelta
from typing import Any

import pytest

from confsync.core.rules import Rules
from confsync.local.calendar_server.people import addon_conference
from tests.scenarios.expectations import DAY_S, HOUR_S, calls, expect_driven_by, expect_settled, standing, titles
from tests.scenarios.worlds import NAMED, STUBS, TEAM, WEEKLY, before_a_move, in_days, unheard, without
from tests.world import ANN, BOB, START, World, times


@pytest.mark.scenario(19)
@STUBS
@pytest.mark.parametrize("order", ["as pushed", "old calendar first", "new calendar first"])
def test_a_moved_event_takes_its_conference_along(guests: Any, order: str) -> None:
    """Whichever calendar is synced first: no call, no end, and from now on the new event drives."""
    world, event_id = before_a_move(guests)
    world.lose_pushes = order != "as pushed"
    world.move(event_id, TEAM)
    for calendar_id in [] if order == "as pushed" else [ANN, TEAM] if order == "old calendar first" else [TEAM, ANN]:
        world.push(calendar_id)
        world.settle()
        assert calls(world) == [("c1", "Planning")]
    world.lose_pushes = False
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
@pytest.mark.parametrize("order", [[ANN, TEAM], [TEAM, ANN]], ids=["old calendar first", "new calendar first"])
def test_a_moved_event_that_was_adopted_takes_its_conference_along_too(guests: Any, order: list[str]) -> None:
    """Policy `matching`: nobody vouched for it, in neither calendar."""
    world = without("organizer", rules=Rules(claims="matching"))
    world.model.add_calendar(TEAM, BOB, roles={ANN: "owner"})
    world.initialize()
    world.initialize(calendar_id=TEAM)
    event_id = world.create("Planning", "c1", attendees=guests, **in_days(7))
    world.settle()
    with unheard(world):
        world.move(event_id, TEAM)
        for calendar_id in order:
            world.push(calendar_id)
            world.settle()
    assert calls(world) == []
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
@pytest.mark.parametrize("lost", [ANN, TEAM])
def test_a_moved_event_of_which_one_push_is_lost_is_found_by_the_next_look(guests: Any, lost: str) -> None:
    """Nothing is ended meanwhile; the quiet calendar is listed within the reconcile interval."""
    world, event_id = before_a_move(guests)
    with unheard(world):
        world.move(event_id, TEAM)
        world.push(TEAM if lost == ANN else ANN)
    world.advance(world.rules.reconcile_s + HOUR_S)
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
def test_a_calendar_that_a_stub_names_is_asked_at_once_although_its_push_is_lost() -> None:
    """It need not wait for the reconcile interval."""
    world, event_id = before_a_move(NAMED)
    with unheard(world):
        world.move(event_id, TEAM)
        world.push(ANN)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_an_event_that_is_moved_and_moved_back_drives_where_it_was(guests: Any) -> None:
    """Its first calendar shows it alive again under the same id."""
    world, event_id = before_a_move(guests)
    world.move(event_id, TEAM)
    world.settle()
    world.move(event_id, ANN, calendar_id=TEAM)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, ANN, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_an_event_that_is_moved_and_deleted_at_once_ends_its_conference_once(guests: Any) -> None:
    """Nobody saw it alive in its new calendar: that is asked, or all calendars of the same person."""
    world, event_id = before_a_move(guests)
    world.move(event_id, TEAM)
    world.delete(event_id, calendar_id=TEAM)
    world.advance(world.rules.grace_s / 2)
    assert calls(world) == [("c1", "Planning")]
    world.advance(DAY_S)
    assert calls(world) == [("c1", "Planning"), ("c1", None)]
    assert standing(world) == {}
    expect_settled(world)


@pytest.mark.scenario(19)
@STUBS
def test_a_moved_series_takes_its_conference_and_its_exceptions_along(guests: Any) -> None:
    """All of it has one organizer."""
    world, series_id = before_a_move(guests, recurrence=WEEKLY)
    world.edit(world.instances(series_id)[1], summary="Special")
    world.delete(world.instances(series_id)[2])
    world.settle()
    told = len(world.provider.calls)
    world.move(series_id, TEAM)
    world.settle()
    assert len(world.provider.calls) == told
    assert [o.title for o in world.told("c1").occurrences] == ["Special", None]
    expect_driven_by(world, TEAM, series_id)


@pytest.mark.scenario(19)
@STUBS
@pytest.mark.parametrize("hours", [[1], [1, 0]], ids=["to another time", "there and back"])
def test_a_series_that_comes_back_without_an_exception_is_told_without_it(guests: Any, hours: list[int]) -> None:
    """It gave the exception up where it was meanwhile; what the first move left of it here tells of that move alone."""
    world, series_id = before_a_move(guests, recurrence=WEEKLY)
    world.edit(world.instances(series_id)[1], summary="Special")
    world.settle()
    world.move(series_id, TEAM)
    world.settle()
    for later in hours:
        world.edit(series_id, calendar_id=TEAM, **times(START + timedelta(days=7, hours=later)))
        world.settle()
    world.move(series_id, ANN, calendar_id=TEAM)
    world.settle()
    assert world.told("c1").occurrences == ()
    expect_driven_by(world, ANN, series_id)


@pytest.mark.scenario(19)
@STUBS
def test_a_move_is_told_once_to_a_back_end_that_knows_organizers(guests: Any) -> None:
    """The calendar that organizes it is another one, and that is the only difference."""
    world, event_id = before_a_move(guests, World())
    world.move(event_id, TEAM)
    world.settle()
    assert titles(world, "c1") == ["Planning", "Planning"]
    assert world.told("c1").organizer == TEAM
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_a_moved_event_is_found_in_a_calendar_that_is_synced_for_somebody_else(guests: Any) -> None:
    """Bob looks at the team calendar; Ann's event turns up there."""
    world, event_id = before_a_move(guests, team_synced_for=BOB)
    world.move(event_id, TEAM)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_an_event_that_is_deleted_restored_and_moved_at_once_takes_its_conference_along(guests: Any) -> None:
    """Only the last of it is seen."""
    world, event_id = before_a_move(guests)
    world.delete(event_id)
    world.advance(10)
    world.restore(event_id)
    world.move(event_id, TEAM)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19, 30)
@STUBS
def test_a_conference_that_is_removed_from_a_moved_event_ends_once(guests: Any) -> None:
    """The organizer's copy, shown in full without it, is proof in the new calendar as it was in the old one."""
    world, event_id = before_a_move(guests)
    world.move(event_id, TEAM)
    world.settle()
    world.edit(event_id, calendar_id=TEAM, conferenceData=None)
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", None)]
    expect_settled(world)


@pytest.mark.scenario(19, 24)
@STUBS
def test_an_instances_own_conference_goes_along_with_its_series(guests: Any) -> None:
    """Calendar may say of the instance nothing but what it says of the series."""
    world, series_id = before_a_move(guests, recurrence=WEEKLY)
    own = world.instances(series_id)[3]
    world.edit(own, conferenceData=addon_conference("c2"), summary="Special")
    world.initialize("c2", own)
    world.settle()
    world.move(series_id, TEAM)
    world.settle()
    world.edit(own, calendar_id=TEAM, summary="Very special")
    world.settle()
    assert titles(world, "c2") == ["Special", "Very special"]
    world.delete(series_id, calendar_id=TEAM)
    world.advance(DAY_S)
    assert titles(world, "c2") == ["Special", "Very special", None]
    expect_settled(world)
