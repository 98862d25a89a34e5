"""The conferencing system has a life of its own: a host edits or deletes meetings, or they are gone for good."""

import pytest

from confsync.errors import (
    ConferenceGone,
)
from confsync.local.in_process import KeptConference
from tests.scenarios.expectations import assert_quiet, conference_in, event_writes, is_told_all, referents, verbs
from tests.scenarios.worlds import MAKES, NEITHER, failing, in_days, planned, weekly
from tests.world import World

# Changed or deleted there


@pytest.mark.scenario(55)
def test_a_meeting_that_its_host_edited_is_set_right_by_the_next_change() -> None:
    """Nothing says so before: Calendar wins with the next whole state, under a generation above the host's."""
    world, event_id = planned(days=9)
    held = world.provider.conferences["c1"]
    assert held.state is not None
    edited = held.state.model_copy(update={"title": "The host's title"})
    world.provider.conferences["c1"] = KeptConference(held.generation + 5, edited)
    assert_quiet(world)
    world.edit(event_id, description="Agenda")
    world.settle()
    assert (world.told("c1").title, world.told("c1").description) == ("Planning", "Agenda")
    assert world.provider.conferences["c1"].generation == held.generation + 6
    assert (verbs(world, "c1"), is_told_all(world, "c1")) == (["update", "update"], True)
    assert_quiet(world)


@pytest.mark.scenario(55)
def test_a_meeting_that_its_host_deleted_comes_back_with_the_next_change() -> None:
    """Where the back end restores, under its old id; the event is not touched."""
    world, event_id = planned(days=9)
    world.provider.conferences["c1"] = KeptConference(world.provider.conferences["c1"].generation + 1, None)
    assert_quiet(world)
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert (world.told("c1").title, conference_in(world, event_id), event_writes(world)) == ("Renamed", "c1", 0)
    assert_quiet(world)


@pytest.mark.scenario(55, 56)
def test_a_meeting_that_its_host_deleted_for_good_is_replaced_with_the_next_change() -> None:
    """Where the back end makes conferences but restores none, the event gets a new one."""
    world, event_id = planned(World(capabilities=MAKES), days=9)
    world.provider.conferences["c1"] = KeptConference(world.provider.conferences["c1"].generation + 1, None)
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert (conference_in(world, event_id), world.told("c1-n1").title) == ("c1-n1", "Renamed")
    assert (len(world.provider.created), event_writes(world)) == (1, 1)
    assert referents(world, "c1-n1") == {event_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(55)
def test_a_meeting_of_which_the_back_end_knows_nothing_any_more_is_made_again() -> None:
    """Its records were lost: a whole state creates what is not there."""
    world, event_id = planned(days=9)
    del world.provider.conferences["c1"]
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert world.told("c1").title == "Renamed"
    assert_quiet(world)


# Gone for good


@pytest.mark.scenario(56)
def test_a_conference_that_is_gone_is_replaced_in_its_event() -> None:
    """The answer to an update: a new one is made, once, and the event names it."""
    world, event_id = planned(World(capabilities=MAKES), days=9)
    tried = failing(world, ConferenceGone("conference c1 ended for good"))
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert (conference_in(world, event_id), world.told("c1-n1").title) == ("c1-n1", "Renamed")
    assert (len(tried), len(world.provider.created), event_writes(world)) == (1, 1, 1)
    assert (referents(world, "c1"), world.conference("c1").gone) == ({event_id: ("owner", "gone")}, True)
    assert (referents(world, "c1-n1"), is_told_all(world, "c1-n1")) == ({event_id: ("owner", "live")}, True)
    assert_quiet(world)


@pytest.mark.scenario(56, 26)
def test_each_event_of_a_conference_that_is_gone_gets_one_that_works() -> None:
    """Both parts of a split series named it: none of them may be left with a dead link."""
    world, first = weekly(World(capabilities=MAKES), days=9)
    second = world.split(first, 3, summary="Second")
    world.settle()
    failing(world, ConferenceGone("conference c1 ended for good"), only="c1")
    world.edit(first, summary="Renamed")
    world.settle()
    named = {event_id: conference_in(world, event_id) for event_id in (first, second)}
    assert "c1" not in named.values()
    assert {world.told(conference_id) is None for conference_id in named.values()} == {False}
    assert_quiet(world)


@pytest.mark.scenario(56, 35)
def test_an_event_that_comes_back_with_a_replaced_conference_gets_the_replacement() -> None:
    """It was in the trash when the others were relinked: no third conference is made."""
    world, event_id = planned(World(capabilities=MAKES), days=9)
    copy_id = world.duplicate(event_id)
    world.edit(copy_id, **in_days(12))
    world.settle()
    world.delete(copy_id)
    world.settle()
    failing(world, ConferenceGone("conference c1 ended for good"), only="c1")
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert conference_in(world, event_id) == "c1-n1"
    world.restore(copy_id)
    world.settle()
    assert (conference_in(world, copy_id), len(world.provider.created)) == ("c1-n1", 1)
    assert referents(world, "c1-n1") == {event_id: ("owner", "live"), copy_id: ("owner", "live")}
    assert world.told("c1-n1").title == "Renamed"
    assert_quiet(world)


@pytest.mark.scenario(56)
def test_a_conference_that_is_gone_and_cannot_be_replaced_is_left_to_an_operator() -> None:
    """One failure; later changes of its event are recorded, and not told to a back end that forgot it."""
    world, event_id = planned(World(capabilities=NEITHER), days=9)
    tried = failing(world, ConferenceGone("conference c1 ended for good"))
    world.edit(event_id, summary="Renamed")
    world.settle()
    world.edit(event_id, summary="Renamed again")
    world.settle()
    assert (len(tried), world.conference("c1").gone) == (1, True)
    assert [failure.conference_key for failure in world.failures()] == [world.conference("c1").key]
    assert (conference_in(world, event_id), event_writes(world)) == ("c1", 0)
    assert referents(world, "c1") == {event_id: ("owner", "live")}
    assert_quiet(world)
    world.delete(event_id)
    world.settle()
    assert len(tried) == 1
    assert_quiet(world)
