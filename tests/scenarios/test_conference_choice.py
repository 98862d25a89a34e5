"""The conference of an event is removed, replaced, or chosen anew: what is positively absent ends, nothing else."""

from typing import Any

import pytest

from confsync.core.rules import Rules
from confsync.local.calendar_server.people import addon_conference
from tests.scenarios.expectations import assert_quiet, event_writes, is_known, is_told_all, referents, titles, verbs
from tests.scenarios.worlds import MEET, in_days, planned, weekly
from tests.world import ANN, World

# Removed


@pytest.mark.scenario(30)
def test_a_removed_conference_ends_after_the_grace_period_and_its_event_is_left_alone() -> None:
    """The organizer's event, shown in full, without it is proof; the event itself lives on without us."""
    world, event_id = planned(days=3)
    world.edit(event_id, conferenceData=None)
    world.advance(world.rules.grace_s - 1)
    assert verbs(world, "c1") == ["update"]
    world.settle()
    assert verbs(world, "c1") == ["update", "end"]
    assert referents(world, "c1") == {event_id: ("owner", "gone")}
    assert (is_told_all(world, "c1"), event_writes(world)) == (True, 0)
    world.edit(event_id, summary="Without us")
    world.settle()
    assert_quiet(world)


@pytest.mark.scenario(30)
def test_a_removal_that_is_undone_in_time_is_never_told() -> None:
    """The same conference stands in the event again before the grace period is over."""
    world, event_id = planned(days=3)
    world.edit(event_id, conferenceData=None)
    world.advance(20)
    assert world.conference("c1").end_after is not None
    world.edit(event_id, conferenceData=addon_conference("c1"))
    world.settle()
    assert verbs(world, "c1") == ["update"]
    assert referents(world, "c1") == {event_id: ("owner", "live")}
    assert is_told_all(world, "c1")
    assert_quiet(world)


@pytest.mark.scenario(30, 33)
def test_a_removal_from_one_of_two_events_ends_nothing() -> None:
    """The other one still has it; only the last removal is the end."""
    world, event_id = planned(days=3)
    copy_id = world.duplicate(event_id)
    world.settle()
    world.edit(event_id, conferenceData=None)
    world.settle()
    assert verbs(world, "c1") == ["update"]
    assert referents(world, "c1") == {event_id: ("owner", "gone"), copy_id: ("owner", "live")}
    assert_quiet(world)
    world.edit(copy_id, conferenceData=None)
    world.settle()
    assert verbs(world, "c1") == ["update", "end"]
    assert_quiet(world)


@pytest.mark.scenario(30)
def test_a_conference_that_is_removed_from_a_series_ends_with_its_exceptions() -> None:
    """The master and all its exceptions lose it in one edit."""
    world, series_id = weekly(days=3)
    world.edit(world.instances(series_id)[2], summary="Special")
    world.settle()
    world.edit(series_id, conferenceData=None)
    world.settle()
    assert verbs(world, "c1") == ["update", "update", "end"]
    assert_quiet(world)


# Replaced by Meet


@pytest.mark.scenario(31)
@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_a_conference_that_was_replaced_by_meet_ends(outcome: Any) -> None:
    """Whether or not Meet got its conference: ours is positively gone from the event."""
    world, event_id = planned(days=3)
    world.model.options.meet = outcome
    world.edit(event_id, conferenceData=MEET)
    world.settle()
    assert verbs(world, "c1") == ["update", "end"]
    assert referents(world, "c1") == {event_id: ("owner", "gone")}
    assert_quiet(world)


@pytest.mark.scenario(31)
def test_a_conference_of_another_vendor_takes_the_place_of_ours() -> None:
    """The event names somebody else's conference: ours ends, theirs is none of our business."""
    world, event_id = planned(days=3)
    world.edit(event_id, conferenceData=addon_conference("123456", solution="Other Rooms"))
    world.settle()
    assert (verbs(world, "c1"), event_writes(world)) == (["update", "end"], 0)
    assert (referents(world, "c1"), is_known(world, "123456")) == ({event_id: ("owner", "gone")}, False)
    assert_quiet(world)


@pytest.mark.scenario(31)
@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_a_meet_conference_in_the_making_decides_nothing_until_it_is_made(outcome: str) -> None:
    """However long it is pending; then it counts."""
    world, event_id = planned(days=3)
    world.model.options.meet = "pending"
    world.edit(event_id, conferenceData=MEET)
    assert_quiet(world)
    assert verbs(world, "c1") == ["update"]
    assert (referents(world, "c1"), world.conference("c1").end_after) == ({event_id: ("owner", "live")}, None)
    world.model.settle_conferences(ANN, outcome)
    world.settle()
    assert verbs(world, "c1") == ["update", "end"]
    assert_quiet(world)


@pytest.mark.scenario(31)
def test_a_switch_to_meet_and_back_in_time_is_never_told() -> None:
    """The event names our conference again before the grace period is over."""
    world, event_id = planned(days=3)
    world.edit(event_id, conferenceData=MEET)
    world.advance(20)
    assert world.conference("c1").end_after is not None
    world.edit(event_id, conferenceData=addon_conference("c1"))
    world.settle()
    assert (verbs(world, "c1"), is_told_all(world, "c1")) == (["update"], True)
    assert_quiet(world)


# Another one of ours


@pytest.mark.scenario(32)
@pytest.mark.parametrize("pause_s", [10, 600], ids=["within the grace period", "after the end"])
def test_a_conference_removed_and_chosen_anew_is_another_one(pause_s: int) -> None:
    """The add-on made a new conference for the same event: the old one ends, the new one is told, each once."""
    world, event_id = planned(days=3)
    world.edit(event_id, conferenceData=None)
    world.advance(pause_s)
    world.edit(event_id, conferenceData=addon_conference("c2"))
    world.initialize("c2", event_id)
    world.settle()
    assert (verbs(world, "c1"), verbs(world, "c2")) == (["update", "end"], ["update"])
    assert referents(world, "c1") == {event_id: ("owner", "gone")}
    assert referents(world, "c2") == {event_id: ("owner", "live")}
    link = world.link(event_id)
    assert link is not None
    assert link.conference_key == world.conference("c2").key
    assert_quiet(world)
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert (verbs(world, "c1"), titles(world, "c2")) == (["update", "end"], ["Planning", "Renamed"])


@pytest.mark.scenario(32)
def test_a_new_conference_that_nobody_registered_ends_the_old_one_and_binds_later() -> None:
    """Its id is a claim until the add-on vouches for it; then it is told without any change of the event."""
    world, event_id = planned(days=3)
    world.edit(event_id, conferenceData=addon_conference("c2"))
    world.settle()
    assert (verbs(world, "c1"), verbs(world, "c2")) == (["update", "end"], [])
    assert referents(world, "c2") == {event_id: ("claimed", "live")}
    assert_quiet(world)
    world.initialize("c2", event_id)
    world.settle()
    assert (verbs(world, "c1"), verbs(world, "c2")) == (["update", "end"], ["update"])
    assert referents(world, "c2") == {event_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(32)
def test_a_new_conference_is_adopted_without_a_call_where_its_solution_is_enough() -> None:
    """Policy `matching`: the organizer's copy owns what it names; what it names was made with it, and needs no call."""
    world = World(rules=Rules(claims="matching"))
    world.initialize()
    event_id = world.create("Planning", "c1", **in_days(3))
    world.settle()
    assert (verbs(world, "c1"), referents(world, "c1")) == ([], {event_id: ("owner", "live")})
    world.edit(event_id, conferenceData=addon_conference("c2"))
    world.settle()
    assert (verbs(world, "c1"), verbs(world, "c2")) == (["end"], [])
    assert referents(world, "c2") == {event_id: ("owner", "live")}
    assert_quiet(world)
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert (verbs(world, "c1"), titles(world, "c2")) == (["end"], ["Renamed"])
    assert_quiet(world)


@pytest.mark.scenario(32, 2)
@pytest.mark.parametrize("is_saved", [True, False], ids=["saved", "discarded"])
def test_a_second_conference_that_was_made_in_the_dialog_counts_only_when_it_is_saved(is_saved: bool) -> None:
    """The add-on registers it before anybody pressed Save: until then the event keeps the first one."""
    world, event_id = planned(days=3)
    world.initialize("c2", event_id)
    world.settle()
    assert (verbs(world, "c1"), verbs(world, "c2")) == (["update"], [])
    if is_saved:
        world.edit(event_id, conferenceData=addon_conference("c2"))
    world.advance(world.rules.draft_s + 3600)
    assert verbs(world, "c1") == (["update", "end"] if is_saved else ["update"])
    assert verbs(world, "c2") == (["update"] if is_saved else ["end"])
    assert referents(world, "c2" if is_saved else "c1") == {event_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(32)
def test_two_events_that_exchange_their_conferences_keep_both() -> None:
    """Each conference follows the event that names it now; none ends."""
    world, first_id = planned(days=3)
    second_id = world.add("Review", "c2", **in_days(3))
    world.settle()
    for event_id, conference_id in ((first_id, "c2"), (second_id, "c1")):
        world.edit(event_id, conferenceData=addon_conference(conference_id))
        world.initialize(conference_id, event_id)
    world.settle()
    assert (titles(world, "c1"), titles(world, "c2")) == (["Planning", "Review"], ["Review", "Planning"])
    assert referents(world, "c1") == {first_id: ("owner", "gone"), second_id: ("owner", "live")}
    assert referents(world, "c2") == {second_id: ("owner", "gone"), first_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(32)
def test_a_series_with_a_new_conference_tells_it_its_exceptions() -> None:
    """The old one ends once, the new one is the whole series."""
    world, series_id = weekly(days=3)
    world.edit(world.instances(series_id)[2], summary="Special")
    world.settle()
    world.edit(series_id, conferenceData=addon_conference("c2"))
    world.initialize("c2", series_id)
    world.settle()
    assert (verbs(world, "c1"), verbs(world, "c2")) == (["update", "update", "end"], ["update"])
    assert [occurrence.title for occurrence in world.told("c2").occurrences] == ["Special"]
    assert_quiet(world)
