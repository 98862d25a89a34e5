"""Events that are not ours to follow: imported, private copies, other organizers', and those of special types."""

from datetime import timedelta
from typing import Any

import pytest

from confsync.local.calendar_server.people import addon_conference
from tests.scenarios.expectations import calls, expect_settled, is_known, recorded
from tests.scenarios.worlds import TOMORROW, planned
from tests.world import ANN, World, times

CONFERENCE = {"conferenceDataVersion": "1"}


def imported(world: World, **fields: Any) -> str:
    """Import an event with conference c9 in it, and return its id."""
    body = {"summary": "Imported", "iCalUID": "1@outlook.example.com", **times(TOMORROW), **fields}
    event = world.model.import_(ANN, "primary", body | {"conferenceData": addon_conference("c9")}, CONFERENCE)
    return str(event["id"])


def shown(world: World, event_id: str, **fields: Any) -> str:
    """Show an event as Calendar would show it; whatever is left out is Ann's own, confirmed, tomorrow."""
    own = {"status": "confirmed", "organizer": {"email": ANN, "self": True}, "iCalUID": f"{event_id}@google.com"}
    body = {"id": event_id, "summary": "Shown", **own, **times(TOMORROW), "updated": world.now.isoformat(), **fields}
    return world.model.import_payload(ANN, [body])[0]


# Row 40: imported events and copies


@pytest.mark.scenario(40)
@pytest.mark.parametrize("registered", [False, True])
def test_an_imported_event_of_another_organizer_drives_nothing(registered: bool) -> None:
    """It is a copy, even if the add-on vouched for it: its organizer sits in another system."""
    world, _ = planned()
    event_id = imported(world, organizer={"email": "out@look.example.com"})
    if registered:
        world.initialize("c9", event_id)
    world.settle()
    world.edit(event_id, summary="Renamed")
    world.settle()
    world.delete(event_id)
    world.advance(world.rules.draft_s / 2)
    assert calls(world) == [("c1", "Planning")]
    assert not is_known(world, "c9") or recorded(world, "c9") == {}


@pytest.mark.scenario(40)
def test_an_imported_event_of_ones_own_is_a_claim_that_nobody_vouched_for() -> None:
    """It names a conference of ours, but the add-on did not make it here: neither its edits nor its deletion count."""
    world, _ = planned()
    event_id = imported(world)
    world.settle()
    assert recorded(world, "c9") == {(ANN, event_id): "claimed live"}
    world.edit(event_id, summary="Renamed")
    world.settle()
    world.delete(event_id)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(40)
def test_an_imported_event_of_ones_own_for_which_we_made_the_conference_is_followed() -> None:
    """The add-on vouched for it."""
    world, _ = planned()
    event_id = imported(world)
    world.initialize("c9", event_id)
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c9", "Imported")]
    assert recorded(world, "c9") == {(ANN, event_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(40)
@pytest.mark.parametrize("fields", [{"locked": True}, {"organizer": {"email": "out@look.example.com"}}])
@pytest.mark.parametrize("kind", [{"privateCopy": True}, {}])
def test_a_locked_or_foreign_copy_of_our_event_changes_nothing(fields: Any, kind: Any) -> None:
    """Its conference is ours and alive elsewhere in the very calendar; the copy is renamed, moved and deleted."""
    world, _ = planned()
    copy = {"conferenceData": addon_conference("c1"), **fields, **kind}
    event_id = shown(world, "copy1", **copy)
    world.settle()
    world.advance(60)
    shown(world, "copy1", **copy | {"summary": "Other"} | dict(times(TOMORROW + timedelta(days=2))))
    world.settle()
    world.advance(60)
    shown(world, "copy1", status="cancelled", **copy)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert world.link(event_id) is None
    expect_settled(world)


# Row 41: events of special types


TYPES = pytest.mark.parametrize("event_type", ["focusTime", "outOfOffice", "workingLocation", "birthday", "fromGmail"])


@pytest.mark.scenario(41)
@TYPES
def test_an_event_of_a_special_type_leaves_no_trace(event_type: str) -> None:
    """It has no conference of ours: neither a record nor a call, when it comes and when it goes."""
    world, _ = planned()
    event_id = shown(world, "special1", eventType=event_type)
    world.settle()
    assert world.link(event_id) is None
    world.advance(60)
    shown(world, "special1", eventType=event_type, status="cancelled")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert world.failures() == []
    expect_settled(world)


@pytest.mark.scenario(41)
@TYPES
def test_an_event_of_a_special_type_that_names_a_conference_drives_nothing_unregistered(event_type: str) -> None:
    """At most it is a claim, as any other event would be."""
    world, _ = planned()
    shown(world, "special1", eventType=event_type, conferenceData=addon_conference("c9"))
    world.settle()
    world.advance(60)
    shown(world, "special1", eventType=event_type, status="cancelled")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(41)
def test_an_event_of_a_special_type_can_have_a_conference_that_we_made() -> None:
    """The add-on vouched for it: it is told once."""
    world, _ = planned()
    shown(world, "special1", eventType="focusTime", conferenceData=addon_conference("c9"))
    world.initialize("c9", "special1")
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c9", "Shown")]
    assert recorded(world, "c9") == {(ANN, "special1"): "owner live"}
    expect_settled(world)
