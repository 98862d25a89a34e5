"""One event or conference in several calendars: the organizer's copy counts, whatever mirrors and guests do."""

from datetime import timedelta

import pytest

from tests.scenarios.expectations import assert_quiet, referents, titles, verbs
from tests.scenarios.worlds import in_days, planned
from tests.world import ANN, BOB, START, World, times

SIDE = "side@group.example.com"


# Mirrors


@pytest.mark.scenario(34)
@pytest.mark.parametrize("where", ["another person's calendar", "another calendar of the same person"])
def test_a_mirrored_copy_is_only_a_claim(where: str) -> None:
    """A tool copied our conference into an event of its own elsewhere: it drives nothing and ends nothing."""
    world, event_id = planned(days=3, also=BOB)
    who, calendar_id = (BOB, "primary") if where == "another person's calendar" else (ANN, SIDE)
    if calendar_id == SIDE:
        world.model.add_calendar(SIDE, ANN)
        world.initialize(who=ANN, calendar_id=SIDE)
    earlier = times(START + timedelta(days=2))
    copy_id = world.create("Busy", "c1", who=who, calendar_id=calendar_id, **earlier)
    world.settle()
    assert titles(world, "c1") == ["Planning"]
    assert referents(world, "c1") == {event_id: ("owner", "live"), copy_id: ("claimed", "live")}
    world.edit(copy_id, who, calendar_id, summary="Still busy")
    assert_quiet(world)
    world.delete(copy_id, who, calendar_id)
    world.settle()
    assert (titles(world, "c1"), world.conference("c1").end_after) == (["Planning"], None)
    assert referents(world, "c1")[event_id] == ("owner", "live")
    assert_quiet(world)


@pytest.mark.scenario(34)
def test_a_mirrored_copy_does_not_keep_a_deleted_meeting_alive() -> None:
    """It has another iCalUID: when the real event goes, the claim is not promoted, and the conference ends."""
    world, event_id = planned(days=3, also=BOB)
    copy_id = world.create("Busy", "c1", who=BOB, **in_days(3))
    world.settle()
    world.delete(event_id)
    world.settle()
    assert titles(world, "c1") == ["Planning", None]
    assert referents(world, "c1") == {event_id: ("owner", "gone"), copy_id: ("claimed", "live")}
    assert_quiet(world)


@pytest.mark.scenario(34, 40)
def test_an_imported_copy_of_somebody_elses_event_binds_nothing() -> None:
    """It has the iCalUID and the conference of the original, and an organizer who is not the calendar's owner."""
    world, event_id = planned(days=3, also=BOB)
    original = world.model.get(ANN, "primary", event_id)
    copied = {name: original[name] for name in ("iCalUID", "summary", "start", "end", "organizer", "conferenceData")}
    copy_id = world.model.import_(BOB, "primary", copied, {"conferenceDataVersion": "1"})["id"]
    world.settle()
    assert world.model.get(BOB, "primary", copy_id)["conferenceData"]["conferenceId"] == "c1"
    world.delete(copy_id, BOB)
    world.settle()
    assert (titles(world, "c1"), referents(world, "c1")) == (["Planning"], {event_id: ("owner", "live")})
    assert_quiet(world)


# The same event in two calendars


@pytest.mark.scenario(50)
@pytest.mark.parametrize("first", [ANN, BOB])
def test_an_event_in_two_watched_calendars_is_told_once(first: str) -> None:
    """The organizer's copy owns, the guest's is a witness, in whatever order the calendars are synced."""
    world = World()
    world.initialize(who=first)
    event_id = world.create("Planning", "c1", attendees=[{"email": BOB}], **in_days(3))
    world.settle()
    world.initialize("c1", event_id)
    world.initialize(who=BOB)
    world.settle()
    assert (titles(world, "c1"), world.link(event_id, BOB)) == (["Planning"], None)
    for title in ("Renamed", "Renamed again"):
        world.edit(event_id, summary=title)
        world.settle()
    assert titles(world, "c1") == ["Planning", "Renamed", "Renamed again"]
    assert [r.calendar_key for r in world.conference("c1").referents.values()] == [world.calendar(ANN).key]
    assert_quiet(world)


@pytest.mark.scenario(50, 15)
def test_a_witness_that_goes_first_or_last_changes_nothing() -> None:
    """Bob removes his copy; then Ann deletes the event, which Bob's calendar shows as well: one end."""
    world, _ = planned(days=3, also=BOB)
    event_id = world.add("Review", "c2", attendees=[{"email": BOB}], **in_days(3))
    other_id = world.add("Retro", "c3", attendees=[{"email": BOB}], **in_days(3))
    world.settle()
    world.delete(event_id, BOB)
    world.settle()
    assert (verbs(world, "c2"), verbs(world, "c3")) == (["update"], ["update"])
    world.delete(event_id)
    world.delete(other_id)
    world.settle()
    assert (verbs(world, "c2"), verbs(world, "c3")) == (["update", "end"], ["update", "end"])
    assert verbs(world, "c1") == ["update"]
    assert_quiet(world)


@pytest.mark.scenario(50)
@pytest.mark.parametrize("registered_by", [ANN, BOB])
def test_a_team_calendar_that_is_synced_for_two_people_is_told_and_ended_once(registered_by: str) -> None:
    """Both see the organizer's copy, since the calendar itself organizes: one of them is enough."""
    world = World()
    world.model.add_calendar(SIDE, ANN, roles={BOB: "owner"})
    for who in (ANN, BOB):
        world.initialize(who=who, calendar_id=SIDE)
    event_id = world.add("Team", "c1", who=registered_by, calendar_id=SIDE, **in_days(3))
    world.settle()
    world.edit(event_id, ANN, SIDE, summary="Renamed")
    world.settle()
    assert titles(world, "c1") == ["Team", "Renamed"]
    assert_quiet(world)
    world.delete(event_id, BOB, SIDE)
    world.settle()
    assert titles(world, "c1") == ["Team", "Renamed", None]
    assert_quiet(world)
