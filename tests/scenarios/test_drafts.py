"""Conferences whose event is not there yet, or never comes: discarded drafts, conferences in the making."""

from typing import Any

import pytest

from confsync.errors import CalendarAccessLost
from confsync.local.calendar_server.people import addon_conference
from tests.scenarios.expectations import HOUR_S, calls, expect_settled, noted, recorded, titles
from tests.scenarios.worlds import MEET, in_days, unheard
from tests.world import ANN, START, World

DRAFT = "draft0001"


def drafted() -> World:
    """Return a world where our conference was chosen for an event that is not saved yet: the add-on registered it."""
    world = World()
    world.initialize("c1", DRAFT)
    world.settle()
    assert calls(world) == []
    return world


# Row 2: a discarded draft


@pytest.mark.scenario(2)
def test_the_conference_of_a_discarded_draft_ends_when_its_event_has_not_come_for_a_day() -> None:
    """Calendar never says that a draft was discarded; its event is asked for before the end."""
    world = drafted()
    world.advance(world.rules.draft_s - HOUR_S)
    assert calls(world) == []
    world.advance(2 * HOUR_S)
    assert calls(world) == [("c1", None)]
    assert "events.get" in world.calendar_calls
    expect_settled(world)


@pytest.mark.scenario(2)
@pytest.mark.parametrize("variant", ["saved without it", "saved and deleted", "saved with another"])
def test_the_conference_of_a_draft_that_was_saved_without_it_ends_too(variant: str) -> None:
    """People change their minds before they press Save; the event itself goes on."""
    world = drafted()
    conference_id = "other" if variant == "saved with another" else None
    event_id = world.create("Planning", conference_id, id=DRAFT)
    if variant == "saved and deleted":
        world.delete(event_id)
    world.advance(world.rules.draft_s + 2 * HOUR_S)
    assert calls(world) == [("c1", None)]
    expect_settled(world)


@pytest.mark.scenario(2)
def test_a_draft_that_is_saved_late_keeps_its_conference() -> None:
    """It is told its state once, and the day of the draft is over without an end."""
    world = drafted()
    world.advance(world.rules.draft_s - HOUR_S)
    world.create("Planning", "c1", id=DRAFT, **in_days(5))
    world.advance(2 * HOUR_S)
    assert calls(world) == [("c1", "Planning")]
    assert recorded(world, "c1") == {(ANN, DRAFT): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(2)
def test_a_draft_that_is_saved_while_its_push_is_lost_keeps_its_conference() -> None:
    """The event is asked for before the end, whatever was announced."""
    world = drafted()
    world.advance(world.rules.draft_s - HOUR_S)
    with unheard(world):
        world.create("Planning", "c1", id=DRAFT, **in_days(5))
        world.advance(2 * HOUR_S)
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(2)
def test_no_draft_counts_as_discarded_while_its_calendar_is_out_of_reach() -> None:
    """A 404 says nothing then; when access is back, the event is found unknown and the conference ends."""
    world = drafted()

    def refuse(_: str) -> None:
        raise CalendarAccessLost("gone", reason="notFound")

    world.before_calendar = refuse
    world.advance(world.rules.draft_s + 24 * HOUR_S)
    assert calls(world) == []
    world.before_calendar = lambda _: None
    world.advance(24 * HOUR_S)
    assert calls(world) == [("c1", None)]
    expect_settled(world)


@pytest.mark.scenario(2, 32)
def test_of_two_conferences_that_were_chosen_for_one_draft_the_one_that_was_saved_is_kept() -> None:
    """The other one is ended like that of a discarded draft."""
    world = drafted()
    world.initialize("c2", DRAFT)
    world.create("Planning", "c2", id=DRAFT, **in_days(5))
    world.settle()
    assert calls(world) == [("c2", "Planning")]
    world.advance(world.rules.draft_s + 2 * HOUR_S)
    assert calls(world) == [("c2", "Planning"), ("c1", None)]
    assert recorded(world, "c2") == {(ANN, DRAFT): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(2)
def test_a_conference_that_was_registered_for_two_events_needs_only_one_of_them() -> None:
    """The draft that never came ends nothing while the other event holds the conference."""
    world = drafted()
    event_id = world.add("Planning", "c1", **in_days(5))
    world.advance(3 * world.rules.draft_s)
    assert calls(world) == [("c1", "Planning")]
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(2)
def test_a_draft_that_is_saved_after_its_conference_ended_gets_it_back_from_a_back_end_that_restores() -> None:
    """Somebody left the browser open for a week."""
    world = drafted()
    world.advance(3 * world.rules.draft_s)
    assert calls(world) == [("c1", None)]
    world.create("Planning", "c1", id=DRAFT, **in_days(9))
    world.settle()
    assert calls(world) == [("c1", None), ("c1", "Planning")]
    assert recorded(world, "c1") == {(ANN, DRAFT): "owner live"}
    expect_settled(world)


# Row 3: a conference in the making


def listed(world: World, data: dict[str, Any] | None, **more: Any) -> None:
    """Show an event as Calendar shows one that was made by its API, with this conference data."""
    event: dict[str, Any] = {"id": DRAFT, "status": "confirmed", "summary": "By the API", **more}
    event |= {
        "organizer": {"email": ANN, "self": True},
        "iCalUID": "api1@google.com",
        **in_days(5),
    }
    event |= {"updated": world.now.isoformat(), "created": START.isoformat()}
    world.model.import_payload(ANN, [event | ({"conferenceData": data} if data is not None else {})])


def request(status: str) -> dict[str, Any]:
    """Return the conference data of a request that has come this far."""
    key = {"type": "addOn"}
    return {"createRequest": {"requestId": "r1", "conferenceSolutionKey": key, "status": {"statusCode": status}}}


@pytest.mark.scenario(3)
def test_a_pending_request_binds_nothing_and_a_successful_one_of_ours_binds() -> None:
    """The event is told once, when it holds the conference."""
    world = drafted()
    listed(world, request("pending"))
    world.settle()
    assert calls(world) == []
    assert recorded(world, "c1") == {}
    world.advance(60)
    listed(world, addon_conference("c1") | request("success"))
    world.settle()
    assert calls(world) == [("c1", "By the API")]
    assert recorded(world, "c1") == {(ANN, DRAFT): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(3)
def test_a_pending_request_in_a_bound_event_is_no_removal_however_long_it_takes() -> None:
    """Absence counts only when nothing is in the making; the same conference coming back is no change."""
    world = drafted()
    listed(world, addon_conference("c1"))
    world.settle()
    world.advance(60)
    listed(world, request("pending"))
    world.advance(2 * 24 * HOUR_S)
    assert titles(world, "c1") == ["By the API"]
    assert not any("grace" in line for line in noted(world, "c1"))
    listed(world, addon_conference("c1"))
    world.settle()
    assert titles(world, "c1") == ["By the API"]
    expect_settled(world)


@pytest.mark.scenario(3)
def test_a_request_that_failed_or_made_a_conference_of_others_concerns_nobody() -> None:
    """No record, no call."""
    world = World()
    world.initialize()
    world.settle()
    listed(world, request("pending"))
    world.settle()
    world.advance(60)
    listed(world, request("failure"))
    world.settle()
    world.model.options.meet = "pending"
    event_id = world.create("Meet", conferenceData=MEET)
    world.model.settle_conferences(ANN)
    world.settle()
    assert calls(world) == []
    assert (world.link(DRAFT), world.link(event_id)) == (None, None)
    expect_settled(world)


@pytest.mark.scenario(3, 2)
def test_a_registered_conference_whose_request_failed_ends_like_that_of_a_discarded_draft() -> None:
    """The add-on made it, no event ever held it: nobody else would end it."""
    world = drafted()
    listed(world, request("pending"))
    world.settle()
    world.advance(60)
    listed(world, request("failure"))
    world.settle()
    assert calls(world) == []
    world.advance(world.rules.draft_s + 2 * HOUR_S)
    assert calls(world) == [("c1", None)]
    expect_settled(world)


@pytest.mark.scenario(2)
def test_a_draft_that_was_saved_under_another_id_keeps_its_conference() -> None:
    """A claim in the very calendar that was registered, whose writers control the conference anyway."""
    world = drafted()
    event_id = world.create("Planning", "c1", **in_days(5))
    world.advance(world.rules.draft_s + 2 * HOUR_S)
    assert ("c1", None) not in calls(world)
    assert (ANN, event_id) in recorded(world, "c1")
    world.delete(event_id)
    world.settle()
    assert titles(world, "c1")[-1] is None
    expect_settled(world)
