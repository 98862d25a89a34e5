"""Events that get another owner: the conference goes along, or is kept where nobody may look."""

from typing import Any

import pytest

from confsync.errors import ProviderRejected
from confsync.ports import ConferenceCall
from tests.scenarios.expectations import DAY_S, assert_quiet, calls, expect_driven_by, expect_settled, standing, titles
from tests.scenarios.worlds import FORMS, NAMED, STUBS, planned, without
from tests.world import ANN, BOB


@pytest.mark.scenario(20)
@STUBS
def test_an_event_that_gets_another_owner_takes_its_conference_along(guests: Any) -> None:
    """The new owner's calendar is synced too: there it drives."""
    world, event_id = planned(days=7, also=BOB, attendees=guests)
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.settle()
    assert titles(world, "c1") == ["Planning", "Planning"]
    assert world.told("c1").organizer == BOB
    expect_driven_by(world, BOB, event_id, BOB)


@pytest.mark.scenario(20)
@STUBS
def test_an_event_that_gets_an_owner_whom_nobody_syncs_is_kept(guests: Any) -> None:
    """confsync may not look there: the conference is left as it is, for good."""
    world, event_id = planned(days=7, attendees=guests)
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.advance(2 * DAY_S)
    assert calls(world) == [("c1", "Planning")]
    assert standing(world) == {(ANN, event_id): "owner orphaned"}
    world.edit(event_id, who=BOB, summary="Bob's plan")
    world.model.delete(BOB, "primary", event_id)
    world.advance(40 * DAY_S)
    assert calls(world) == [("c1", "Planning")]


@pytest.mark.scenario(20)
@STUBS
def test_a_new_owner_who_is_synced_later_takes_over(guests: Any) -> None:
    """Bob installs the add-on a day after he got the event."""
    world, event_id = planned(days=7, attendees=guests)
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.advance(DAY_S)
    assert calls(world) == [("c1", "Planning")]
    world.initialize(who=BOB)
    world.settle()
    assert None not in titles(world, "c1")
    assert world.told("c1").organizer == BOB
    expect_driven_by(world, BOB, event_id, BOB)


@pytest.mark.scenario(20)
def test_the_stub_of_an_event_with_another_owner_does_not_count_as_a_deletion_later() -> None:
    """Ann empties her trash and her calendar is listed anew: the event is Bob's, and goes on."""
    world, event_id = planned(days=7, attendees=NAMED)
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.settle()
    world.model.options.tombstone_days = 0
    world.model.forget_deleted(ANN)
    world.push(ANN)
    world.advance(DAY_S)
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(20)
@FORMS
def test_a_guest_who_becomes_the_owner_takes_the_conference_over(form: Any) -> None:
    """Bob had a copy all along; now it is the one that counts."""
    world = without("organizer")
    world.model.options.organizer_tombstones = form
    _, event_id = planned(world, days=7, also=BOB, attendees=[*NAMED, {"email": BOB}])
    assert world.link(event_id, BOB) is None
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, BOB, event_id, BOB)


@pytest.mark.scenario(20, 58)
def test_a_back_end_that_refuses_the_new_owner_as_host_keeps_the_conference() -> None:
    """It is asked once, an operator sees why it refused, and the next change is told as any other."""
    world, event_id = planned(days=7, also=BOB)

    def refuse(call: ConferenceCall) -> None:
        if call.state is not None and call.state.organizer == BOB:
            raise ProviderRejected("cannot schedule for this host")

    world.provider.before = refuse
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.settle()
    assert [failure.count for failure in world.failures()] == [1]
    assert standing(world) == {(BOB, event_id): "owner live"}
    assert_quiet(world)
    assert [failure.count for failure in world.failures()] == [1]
    assert calls(world) == [("c1", "Planning")]
    world.provider.before = lambda _: None
    world.edit(event_id, who=BOB, summary="Bob's plan")
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "Bob's plan")]
    expect_settled(world)
