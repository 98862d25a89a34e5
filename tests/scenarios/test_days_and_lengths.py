"""Events of whole days, of several days, of no length at all, and back ends that cannot hold them."""

from datetime import date, timedelta

import pytest

from confsync.core.capabilities import Capabilities
from tests.scenarios.expectations import calls, expect_settled, recorded
from tests.scenarios.worlds import TOMORROW, WEEK, carrying, planned, weekly
from tests.world import ALL_FIELDS, ANN, World, times

# Row 38: whole days


@pytest.mark.scenario(38)
def test_an_event_that_becomes_all_day_keeps_its_conference_and_gets_days_for_times() -> None:
    """The end day stays exclusive, as in Calendar; and back again."""
    world, event_id = planned()
    world.edit(event_id, start={"date": "2026-11-24"}, end={"date": "2026-11-26"})
    world.settle()
    told = world.told("c1")
    assert (told.start.instant, told.start.day, told.end.day) == (None, date(2026, 11, 24), date(2026, 11, 26))
    assert told.time_zone is None
    expect_settled(world, hours=12)
    world.edit(event_id, **times(TOMORROW + timedelta(days=1)))
    world.settle()
    told = world.told("c1")
    assert (told.start.instant, told.start.day) == (TOMORROW + timedelta(days=1), None)
    assert len(world.provider.calls) == 3
    expect_settled(world)


@pytest.mark.scenario(38)
def test_whole_days_are_no_length_that_a_back_end_could_refuse() -> None:
    """A limit of hours does not apply to them; the days are told as they are."""
    world, event_id = planned(carrying("title", "time", longest=timedelta(hours=4)))
    world.edit(event_id, start={"date": "2026-11-24"}, end={"date": "2026-11-25"})
    world.settle()
    assert (world.told("c1").start.day, world.told("c1").end.day) == (date(2026, 11, 24), date(2026, 11, 25))
    assert len(world.provider.calls) == 2
    expect_settled(world)


# Row 39: odd lengths


@pytest.mark.scenario(39)
@pytest.mark.parametrize("minutes", [0, 5, 3 * 24 * 60])
def test_an_event_of_any_length_is_told_as_it_is_where_every_length_will_do(minutes: int) -> None:
    """No length, a few minutes, three days."""
    world, _ = planned(**times(TOMORROW, minutes))
    assert world.told("c1").end.instant - world.told("c1").start.instant == timedelta(minutes=minutes)
    expect_settled(world)


@pytest.mark.scenario(39)
@pytest.mark.parametrize(("minutes", "told_minutes"), [(0, 10), (3 * 24 * 60, 24 * 60 - 1)])
def test_a_length_that_a_back_end_refuses_is_told_as_the_nearest_one_and_once(minutes: int, told_minutes: int) -> None:
    """Another length beyond the same limit is then no difference; one within it is."""
    world = carrying("title", "time", shortest=timedelta(minutes=10), longest=timedelta(hours=23, minutes=59))
    _, event_id = planned(world, **times(TOMORROW, minutes))
    assert world.told("c1").end.instant - TOMORROW == timedelta(minutes=told_minutes)
    world.edit(event_id, **times(TOMORROW, minutes + 3))
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world, hours=1)
    world.edit(event_id, **times(TOMORROW, 60))
    world.settle()
    assert len(world.provider.calls) == 2
    assert world.told("c1").end.instant - TOMORROW == timedelta(hours=1)
    expect_settled(world)


@pytest.mark.scenario(39)
def test_an_end_that_nobody_set_is_the_one_that_calendar_shows() -> None:
    """`endTimeUnspecified` comes with an end all the same, for clients that need one."""
    world, event_id = planned(endTimeUnspecified=True)
    assert world.model.get(ANN, "primary", event_id)["endTimeUnspecified"] is True
    assert world.told("c1").end.instant == TOMORROW + timedelta(hours=1)
    expect_settled(world)


# Instances


@pytest.mark.scenario(38)
def test_an_all_day_series_has_days_for_its_instances_too() -> None:
    """A cancelled one is named by its day."""
    world, series_id = weekly(start={"date": "2026-11-25"}, end={"date": "2026-11-26"})
    instances = world.instances(series_id)
    world.delete(instances[1])
    world.settle()
    told = world.told("c1")
    assert told.start.day == date(2026, 11, 25)
    assert [(o.original_start.day, o.cancelled) for o in told.occurrences] == [(date(2026, 12, 2), True)]
    assert recorded(world, "c1") == {(ANN, series_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(39)
def test_an_instance_of_a_length_that_a_back_end_refuses_is_told_as_the_nearest_one_and_once() -> None:
    """Limits hold for every instance by itself."""
    world = World(capabilities=Capabilities(ALL_FIELDS, ordered_writes=True, shortest=timedelta(minutes=10)))
    _, series_id = weekly(world)
    instances = world.instances(series_id)
    for minutes in (0, 5):
        world.edit(instances[1], **times(TOMORROW + WEEK, minutes))
        world.settle()
    (told,) = world.told("c1").occurrences
    assert (told.start.instant, told.end.instant) == (TOMORROW + WEEK, TOMORROW + WEEK + timedelta(minutes=10))
    assert calls(world) == [("c1", "Weekly")] * 2
    expect_settled(world)
