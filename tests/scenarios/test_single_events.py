"""Single events: made, renamed, dragged, described, and edited in a hurry."""

from datetime import timedelta

import pytest

from confsync.core.rules import Rules
from confsync.core.state import Field
from confsync.errors import ProviderBusy
from tests.scenarios.expectations import calls, expect_settled, history_ends, noted, recorded
from tests.scenarios.worlds import NAMED, TEAM, TOMORROW, failing, planned, weekly, without
from tests.world import ANN, BOB, World, times

# Row 1: a new event


@pytest.mark.scenario(1)
def test_a_conference_that_was_made_before_its_event_gets_its_title_with_the_first_sync() -> None:
    """The add-on hands over an event id that Calendar does not know yet; nothing is told until it does."""
    world = World()
    world.initialize("c1", "planning0001")
    world.settle()
    assert calls(world) == []
    event_id = world.create("Planning", "c1", id="planning0001")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert world.told("c1").start.instant == TOMORROW
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(1)
def test_an_event_that_was_listed_before_its_conference_was_registered_is_told_on_registration() -> None:
    """Until then its conference id is only a claim, which nobody is told of."""
    world = World()
    world.initialize()
    event_id = world.create("Planning", "c1")
    world.settle()
    assert recorded(world, "c1") == {(ANN, event_id): "claimed live"}
    assert calls(world) == []
    world.initialize("c1", event_id)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(1)
def test_an_adopted_event_is_told_once_when_its_registration_comes() -> None:
    """Policy `matching`: the add-on made the conference with a placeholder for a title, and was late to say so."""
    world = World(rules=Rules(claims="matching"))
    world.initialize()
    event_id = world.create("Planning", "c1")
    world.settle()
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    assert calls(world) == []
    world.initialize("c1", event_id)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(1)
@pytest.mark.parametrize("calendar_id", [ANN, TEAM])
def test_a_new_event_is_told_once_although_its_guests_see_it_too(calendar_id: str) -> None:
    """Only the copy of the organizer's calendar, be it a primary or a secondary one, is recorded."""
    world = World()
    world.model.add_calendar(TEAM, ANN)
    world.initialize(who=BOB)
    event_id = world.add("Planning", "c1", calendar_id=calendar_id, attendees=[{"email": BOB}])
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert recorded(world, "c1") == {(calendar_id, event_id): "owner live"}
    expect_settled(world)


# Row 4: another title


@pytest.mark.scenario(4)
def test_a_rename_is_told_once() -> None:
    """The guest's copy, which is renamed too, adds no call."""
    world, event_id = planned(also=BOB, attendees=[{"email": BOB}])
    world.edit(event_id, summary="Planning II")
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "Planning II")]
    assert world.link(event_id, BOB) is None
    assert history_ends(world, "c1", "title changed", "update applied")
    expect_settled(world)


@pytest.mark.scenario(4)
def test_a_rename_is_no_change_for_a_back_end_that_has_no_titles() -> None:
    """What cannot be carried is no difference (rule R12)."""
    world = without("title")
    event_id = world.add("Planning", "c1")
    world.settle()
    world.edit(event_id, summary="Planning II")
    world.settle()
    assert len(world.provider.calls) == 1
    assert world.told("c1").title is None
    expect_settled(world)


# Row 5: another time


@pytest.mark.scenario(5)
def test_a_dragged_event_moves_its_conference_with_one_call() -> None:
    """Start and end go together, and the guests' answers, which are asked for anew, are no second change."""
    guests = [*NAMED, {"email": BOB, "responseStatus": "accepted"}]
    world, event_id = planned(also=BOB, attendees=guests)
    asked_anew = [guests[0], {"email": BOB, "responseStatus": "needsAction"}]
    world.edit(event_id, **times(TOMORROW + timedelta(hours=3), minutes=90), attendees=asked_anew)
    world.settle()
    assert len(world.provider.calls) == 2
    told = world.told("c1")
    assert (told.start.instant, told.end.instant) == (TOMORROW + timedelta(hours=3), TOMORROW + timedelta(hours=4.5))
    assert history_ends(world, "c1", "time", "update applied")
    expect_settled(world)


# Row 6: another zone


IN_NEW_YORK = times(TOMORROW, zone="America/New_York")


@pytest.mark.scenario(6)
def test_another_zone_of_a_single_event_is_no_change_of_an_instant() -> None:
    """Its offset and its zone differ, its instants do not."""
    world, event_id = planned(without("time_zone"))
    world.edit(event_id, **IN_NEW_YORK)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(6)
def test_another_zone_of_a_single_event_is_told_to_a_back_end_that_keeps_zones() -> None:
    """It shows people the wall clock of the organizer."""
    world, event_id = planned()
    world.edit(event_id, **IN_NEW_YORK)
    world.settle()
    assert [call.state.time_zone for call in world.provider.calls if call.state] == [
        "Europe/Berlin",
        "America/New_York",
    ]
    expect_settled(world)


@pytest.mark.scenario(6)
def test_another_zone_of_a_series_is_told_because_its_rule_is_expanded_in_it() -> None:
    """After the next change of clocks its instances would be an hour off; no back end can do without the zone."""
    world = without("time_zone")
    _, series_id = weekly(world, ["RRULE:FREQ=WEEKLY"])
    world.edit(series_id, **IN_NEW_YORK)
    world.settle()
    assert [call.state.time_zone for call in world.provider.calls if call.state] == [
        "Europe/Berlin",
        "America/New_York",
    ]
    expect_settled(world)


@pytest.mark.scenario(6)
def test_another_zone_of_the_calendar_changes_nothing() -> None:
    """Calendar then shows every event with another offset; listings ask for UTC, and instants are compared."""
    world, event_id = planned()
    world.model.state.calendars[ANN].time_zone = "Asia/Tokyo"
    world.edit(event_id, colorId="5")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


# Row 7: description, place, colour, attachment


@pytest.mark.scenario(7)
@pytest.mark.parametrize(("field", "text"), [("description", "Bring numbers"), ("location", "Room 5")])
def test_text_about_an_event_is_told_only_to_a_back_end_that_can_carry_it(field: Field, text: str) -> None:
    """One call where it can, none where it cannot."""
    for world, expected in ((World(), 2), (without(field), 1)):
        _, event_id = planned(world)
        world.edit(event_id, **{field: text})
        world.settle()
        assert len(world.provider.calls) == expected
        assert getattr(world.told("c1"), field) == (text if expected == 2 else None)
        expect_settled(world)


@pytest.mark.scenario(7)
def test_colours_and_attachments_are_no_change_for_any_back_end() -> None:
    """Calendar announces and lists them; nothing is told."""
    world, event_id = planned()
    world.edit(event_id, colorId="7")
    world.edit(event_id, attachments=[{"fileUrl": "https://files.example.com/1", "title": "Numbers"}])
    world.edit(event_id, transparency="transparent")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


# Row 53: in a hurry


@pytest.mark.scenario(53)
def test_two_quick_edits_cost_one_call_with_the_last_state() -> None:
    """The list shows only what is, not what was."""
    world, event_id = planned()
    world.edit(event_id, summary="Planing")
    world.edit(event_id, summary="Planning II", **times(TOMORROW + timedelta(hours=1)))
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "Planning II")]
    assert world.told("c1").start.instant == TOMORROW + timedelta(hours=1)
    expect_settled(world)


@pytest.mark.scenario(53)
def test_an_edit_that_is_taken_back_at_once_costs_no_call() -> None:
    """Wanted and applied are compared, not replayed."""
    world, event_id = planned()
    world.edit(event_id, summary="Planing")
    world.edit(event_id, summary="Planning")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(53)
def test_an_edit_that_is_taken_back_while_the_back_end_is_busy_costs_no_call() -> None:
    """It waits to be told, and then there is nothing left to tell."""
    world, event_id = planned()
    failing(world, ProviderBusy("429", retry_after_s=1800))
    world.edit(event_id, summary="Planing")
    world.settle()
    world.edit(event_id, summary="Planning")
    world.settle()
    world.provider.before = lambda _: None
    world.advance(3600)
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(53)
def test_an_event_that_is_deleted_and_restored_at_once_costs_no_call() -> None:
    """Not even the grace period begins."""
    world, event_id = planned()
    world.delete(event_id)
    world.restore(event_id)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert not any("grace" in line for line in noted(world, "c1"))
    expect_settled(world)


@pytest.mark.scenario(53, 1)
def test_an_event_that_is_created_registered_and_renamed_at_once_is_told_once() -> None:
    """With its last title."""
    world = World()
    world.initialize()
    event_id = world.create("Planing", "c1")
    world.edit(event_id, summary="Planning")
    world.initialize("c1", event_id)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(53)
def test_an_event_that_was_created_and_deleted_within_a_window_is_told_to_nobody() -> None:
    """Nobody registered a conference for it: there is nothing to end."""
    world = World()
    world.initialize()
    world.settle()
    world.delete(world.create("Mistake", "c1"))
    world.settle()
    assert calls(world) == []
    expect_settled(world)


@pytest.mark.scenario(53, 2)
def test_a_registered_conference_whose_event_was_deleted_before_the_first_look_is_ended() -> None:
    """The add-on made it, so it exists, although no sync ever saw its event alive."""
    world = World()
    world.initialize()
    world.settle()
    event_id = world.create("Mistake", "c1")
    world.delete(event_id)
    world.initialize("c1", event_id)
    world.advance(world.rules.draft_s + 3600)
    assert calls(world) == [("c1", None)]
    expect_settled(world)
