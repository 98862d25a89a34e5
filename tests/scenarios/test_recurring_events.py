"""Series: one conference for all instances, whatever happens to all of them at once, and however long they go on."""

from datetime import timedelta

import pytest

from confsync.local.calendar_server.people import addon_conference
from tests.scenarios.expectations import calls, expect_series_untouched, expect_settled, recorded, titles
from tests.scenarios.worlds import TOMORROW, WEEKLY, exceptions_told, weekly, without
from tests.world import ANN, BOB, World, times

# Row 21: a new series


@pytest.mark.scenario(21)
def test_a_series_is_one_conference_with_its_rule() -> None:
    """One call, one record, no matter how many instances there are or who is invited."""
    world = World()
    world.initialize(who=BOB)
    _, series_id = weekly(world, attendees=[{"email": BOB}])
    assert world.told("c1").recurrence == tuple(WEEKLY)
    assert world.told("c1").time_zone == "Europe/Berlin"
    assert world.told("c1").occurrences == ()
    expect_series_untouched(world, series_id)


@pytest.mark.scenario(21)
def test_a_back_end_without_series_is_told_the_first_instance_and_no_rule() -> None:
    """What it can carry; another rule is then no difference."""
    world, series_id = weekly(without("recurrence", "occurrences"))
    told = world.told("c1")
    assert (told.start.instant, told.recurrence, told.occurrences) == (TOMORROW, (), ())
    world.edit(series_id, recurrence=["RRULE:FREQ=WEEKLY;COUNT=9"])
    world.settle()
    expect_series_untouched(world, series_id)


# Row 25: all events


@pytest.mark.scenario(25)
def test_an_edit_of_all_events_costs_one_call_however_many_items_calendar_lists() -> None:
    """The series and its exceptions are planned together."""
    world, series_id = weekly()
    instances = world.instances(series_id)
    for instance in instances[1:6]:
        world.edit(instance, location="Room 5")
    world.settle()
    told = len(world.provider.calls)
    world.model.edit_all(ANN, "primary", series_id, {"summary": "Weekly II"})
    world.settle()
    assert calls(world)[told:] == [("c1", "Weekly II")]
    expect_settled(world)


@pytest.mark.scenario(25)
def test_another_time_of_all_events_takes_the_exceptions_that_calendar_gives_up() -> None:
    """Occurrences at the old time are no more: a bulk of bare tombstones, and still one call and no end."""
    world, series_id = weekly()
    instances = world.instances(series_id)
    world.delete(instances[1])
    world.edit(instances[2], summary="Special")
    world.settle()
    told = len(world.provider.calls)
    world.model.edit_all(ANN, "primary", series_id, dict(times(TOMORROW + timedelta(days=1))))
    world.settle()
    assert calls(world)[told:] == [("c1", "Weekly")]
    assert exceptions_told(world) == {}
    assert world.told("c1").start.instant == TOMORROW + timedelta(days=1)
    expect_settled(world)


@pytest.mark.scenario(25)
def test_another_rule_of_all_events_is_told_with_the_exceptions_that_are_left() -> None:
    """A shorter series gives up what lies behind its end."""
    world, series_id = weekly()
    instances = world.instances(series_id)
    world.edit(instances[1], summary="Special")
    world.edit(instances[7], summary="Last")
    world.settle()
    world.model.edit_all(ANN, "primary", series_id, {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]})
    world.settle()
    assert world.told("c1").recurrence == ("RRULE:FREQ=WEEKLY;COUNT=4",)
    assert {number: told.title for number, told in exceptions_told(world).items()} == {1: "Special"}
    assert None not in titles(world, "c1")
    expect_settled(world)


# Row 43: without an end


ENDLESS = ["RRULE:FREQ=WEEKLY"]


@pytest.mark.scenario(43)
def test_an_endless_series_is_told_its_rule_as_it_is() -> None:
    """Nothing is expanded, nothing is cut."""
    world, series_id = weekly(recurrence=ENDLESS)
    assert world.told("c1").recurrence == tuple(ENDLESS)
    expect_series_untouched(world, series_id)


@pytest.mark.scenario(43)
@pytest.mark.parametrize("rule", ["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY;COUNT=5000", "RRULE:FREQ=MONTHLY;BYDAY=-1FR"])
def test_a_long_series_that_began_years_ago_is_not_over(rule: str) -> None:
    """An edit is told, and its deletion ends the conference: it was not held for the last time."""
    world, series_id = weekly(recurrence=[rule], days=-1000)
    world.edit(series_id, summary="Still on")
    world.settle()
    assert calls(world) == [("c1", "Weekly"), ("c1", "Still on")]
    expect_settled(world)
    world.delete(series_id)
    world.settle()
    assert titles(world, "c1") == ["Weekly", "Still on", None]
    expect_settled(world)


@pytest.mark.scenario(43, 42)
def test_a_series_that_came_to_its_end_was_held_and_is_kept() -> None:
    """Eight weeks long ago are over; neither an edit nor the deletion is told."""
    world, series_id = weekly(days=-40)
    world.advance(30 * 24 * 3600)
    world.edit(series_id, summary="It was")
    world.settle()
    world.delete(series_id)
    world.settle()
    assert calls(world) == [("c1", "Weekly")]
    expect_settled(world)


# Chosen in one instance, saved for more


def opened_in_one_instance(*, registered: bool) -> tuple[World, str, str]:
    """Return a world with a series of which one instance is open in the add-on, its id, and the instance's."""
    world = World()
    series_id = world.create("Weekly", recurrence=WEEKLY)
    world.initialize()
    opened = world.instances(series_id)[2]
    if registered:
        world.initialize("c1", opened)
        world.settle()
    return world, series_id, opened


@pytest.mark.scenario(21, 1)
@pytest.mark.parametrize("order", ["registered first", "saved first"])
def test_a_conference_that_was_chosen_in_one_instance_and_saved_for_all_belongs_to_the_series(order: str) -> None:
    """The add-on could only name the instance that its user had opened."""
    world, series_id, opened = opened_in_one_instance(registered=order == "registered first")
    world.model.edit_all(ANN, "primary", series_id, {"conferenceData": addon_conference("c1")})
    if order == "saved first":
        world.initialize("c1", opened)
    world.settle()
    assert calls(world) == [("c1", "Weekly")]
    assert world.told("c1").recurrence == tuple(WEEKLY)
    assert recorded(world, "c1") == {(ANN, series_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(26, 1)
@pytest.mark.parametrize("order", ["registered first", "saved first"])
def test_a_conference_that_was_chosen_in_one_instance_and_saved_for_what_follows_belongs_to_the_new_part(
    order: str,
) -> None:
    """The new part has an id that nobody knew when the add-on registered."""
    world, series_id, opened = opened_in_one_instance(registered=order == "registered first")
    part_id = world.split(series_id, 2, conferenceData=addon_conference("c1"))
    if order == "saved first":
        world.initialize("c1", opened)
    world.settle()
    assert calls(world) == [("c1", "Weekly")]
    assert recorded(world, "c1") == {(ANN, part_id): "owner live"}
    expect_settled(world)
