"""Hundreds of events go at once: their ends are held for an operator, while everything else flows on."""

from collections.abc import Callable

import pytest

from confsync.local.calendar_server.people import addon_conference
from tests.scenarios.expectations import DAY_S, alerts, assert_quiet, is_told_all, referents, titles, verbs
from tests.scenarios.worlds import in_days, unheard
from tests.world import ANN, BOB, World


def busy(count: int) -> tuple[World, list[str]]:
    """Return a world where Ann has so many events with conferences c0, c1 ..., and Bob one with b0."""
    world = World()
    ids = [world.add(f"Event {number}", f"c{number}", **in_days(9)) for number in range(count)]
    world.add("Bob's", "b0", who=BOB, **in_days(9))
    world.settle()
    return world, ids


def count_ended(world: World, count: int) -> int:
    """Return how many of Ann's conferences have ended."""
    return sum("end" in verbs(world, f"c{number}") for number in range(count))


def clear(world: World, _: list[str]) -> None:
    """Delete everything at once, as calendars.clear does."""
    world.model.calendar_clear(ANN, "primary")


def delete_in_a_gap(world: World, ids: list[str]) -> None:
    """Delete everything unheard, and let Calendar forget both the deletions and the sync token."""
    with unheard(world):
        world.model.options.tombstone_days = 0
        for event_id in ids:
            world.delete(event_id)
        world.model.expire_sync_tokens()
    world.push(ANN)


def take_conferences_out(world: World, ids: list[str]) -> None:
    """Remove the conference from every event, as a script of an administrator may."""
    for event_id in ids:
        world.edit(event_id, conferenceData=None)


def choose_another_vendor(world: World, ids: list[str]) -> None:
    """Write another vendor's conference into every event."""
    for event_id in ids:
        world.edit(event_id, conferenceData=addon_conference("other", solution="Other Rooms"))


@pytest.mark.scenario(47)
@pytest.mark.parametrize("sweep_away", [clear, delete_in_a_gap, take_conferences_out, choose_another_vendor])
def test_a_mass_deletion_ends_nothing_without_an_operators_word(
    sweep_away: Callable[[World, list[str]], None],
) -> None:
    """All ends are held, also the first twenty; one alert; a day later nothing has changed."""
    world, ids = busy(25)
    sweep_away(world, ids)
    world.settle()
    assert count_ended(world, 25) == 0
    assert {world.conference(f"c{number}").brake for number in range(25)} == {"held"}
    assert {state for number in range(25) for state in referents(world, f"c{number}").values()} == {("owner", "gone")}
    assert len(alerts(world)) == 1
    world.advance(DAY_S)
    assert count_ended(world, 25) == 0
    assert_quiet(world)


@pytest.mark.scenario(47)
def test_updates_and_new_events_flow_while_ends_are_held() -> None:
    """The brake holds ends only: of another calendar everything, and of this one all that is no end."""
    world, ids = busy(26)
    for event_id in ids[:-1]:
        world.delete(event_id)
    world.settle()
    world.edit(ids[-1], summary="Renamed")
    new_id = world.add("New", "n0", **in_days(9))
    gone_id = world.add("Bob's other", "b1", who=BOB, **in_days(9))
    world.settle()
    world.delete(gone_id, BOB)
    world.settle()
    assert count_ended(world, 26) == 0
    assert titles(world, "c25") == ["Event 25", "Renamed"]
    assert (titles(world, "n0"), referents(world, "n0")) == (["New"], {new_id: ("owner", "live")})
    assert titles(world, "b1") == ["Bob's other", None]
    assert_quiet(world)


@pytest.mark.scenario(47, 35)
def test_an_event_that_comes_back_takes_its_end_out_of_the_brake() -> None:
    """It was never ended, so there is nothing to tell; the others stay held."""
    world, ids = busy(25)
    world.model.calendar_clear(ANN, "primary")
    world.settle()
    world.restore(ids[3])
    world.settle()
    found = world.conference("c3")
    assert (found.brake, referents(world, "c3"), is_told_all(world, "c3")) == (
        "none",
        {ids[3]: ("owner", "live")},
        True,
    )
    assert (verbs(world, "c3"), world.conference("c4").brake) == (["update"], "held")
    assert_quiet(world)


@pytest.mark.scenario(47)
@pytest.mark.parametrize(
    ("deleted", "others"), [(20, 0), (25, 125)], ids=["twenty of twenty", "a sixth of a hundred and fifty"]
)
def test_a_big_spring_cleaning_is_no_mass_deletion(deleted: int, others: int) -> None:
    """Up to twenty, or up to a fifth of the calendar, ends as ever."""
    world, ids = busy(deleted + others)
    for event_id in ids[:deleted]:
        world.delete(event_id)
    world.settle()
    assert count_ended(world, deleted + others) == deleted
    assert alerts(world) == []
    assert {verb for number in range(deleted, deleted + others) for verb in verbs(world, f"c{number}")} <= {"update"}


@pytest.mark.scenario(47)
def test_deletions_spread_over_days_are_never_held() -> None:
    """The brake counts what was decided within an hour."""
    world, ids = busy(30)
    for begin in range(0, 30, 10):
        for event_id in ids[begin : begin + 10]:
            world.delete(event_id)
        world.advance(2 * world.rules.brake_s)
    assert (count_ended(world, 30), alerts(world)) == (30, [])
