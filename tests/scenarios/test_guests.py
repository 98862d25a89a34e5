"""What guests do, and what is done to them: invitations, answers, own copies, edits with and without the right to."""

from datetime import timedelta
from typing import Any

import pytest

from confsync.local.calendar_server.people import addon_conference
from tests.scenarios.expectations import calls, expect_settled, recorded
from tests.scenarios.worlds import FORMS, TOMORROW, WEEKLY, planned, without
from tests.world import ANN, BOB, START, World, times

CARL = "carl@example.com"


def guest(email: str, response: str = "needsAction") -> dict[str, str]:
    """Return an entry of a guest list."""
    return {"email": email, "responseStatus": response}


def invited(world: World | None = None, **fields: Any) -> tuple[World, str]:
    """Return a world with a planned event to which Ann and Bob are invited, both calendars synced, and its id."""
    world = world or World()
    world.model.add_user(CARL)
    world.initialize(who=BOB)
    _, event_id = planned(world, attendees=[guest(ANN, "accepted"), guest(BOB)], **fields)
    assert event_id in world.model.live_events(BOB)
    return world, event_id


def expect_untouched(world: World, event_id: str) -> None:
    """Expect that nothing was told since the first state, and that only Ann's copy counts."""
    assert calls(world) == [("c1", "Planning")]
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    assert world.link(event_id, BOB) is None
    expect_settled(world)


# Rows 8 and 16: who is invited


@pytest.mark.scenario(8, 16)
def test_guests_that_come_and_go_are_told_to_a_back_end_that_has_guests() -> None:
    """One call for each change of the list, in alphabetical order; the tombstone in a guest's calendar ends nothing."""
    world, event_id = invited()
    world.edit(event_id, attendees=[guest(ANN, "accepted"), guest(BOB), guest(CARL)])
    world.settle()
    world.edit(event_id, attendees=[guest(ANN, "accepted"), guest(CARL)])
    world.settle()
    assert world.model.get(BOB, "primary", event_id)["status"] == "cancelled"
    told = [call.state.attendees for call in world.provider.calls if call.state]
    assert told == [(ANN, BOB), (ANN, BOB, CARL), (ANN, CARL)]
    assert len(world.provider.calls) == 3
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(8, 16)
@FORMS
def test_a_guest_who_is_taken_off_the_list_is_no_change_for_a_back_end_without_guests(form: Any) -> None:
    """The guest's calendar shows a tombstone of the same id, and nothing follows from it."""
    world = without("attendees")
    world.model.options.organizer_tombstones = form
    _, event_id = invited(world)
    world.edit(event_id, attendees=[guest(ANN, "accepted")])
    world.settle()
    assert world.model.get(BOB, "primary", event_id)["status"] == "cancelled"
    expect_untouched(world, event_id)


@pytest.mark.scenario(8)
def test_a_guest_who_invites_another_one_changes_the_list_of_the_meeting() -> None:
    """Calendar passes it on to the organizer's copy: one call."""
    world, event_id = invited()
    world.edit(event_id, who=BOB, attendees=[guest(ANN, "accepted"), guest(BOB), guest(CARL)])
    world.settle()
    assert [call.state.attendees for call in world.provider.calls if call.state] == [(ANN, BOB), (ANN, BOB, CARL)]
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(8)
def test_guests_that_calendar_leaves_out_are_no_removal() -> None:
    """`attendeesOmitted`: of a list that is known to be cut the back end is told nothing, later the whole one."""
    world, event_id = invited()
    world.advance(60)
    whole = world.model.get(ANN, "primary", event_id)
    cut = whole | {"attendees": [guest(ANN) | {"self": True}], "attendeesOmitted": True}
    world.model.import_payload(ANN, [cut | {"updated": world.now.isoformat()}])
    world.settle()
    told = [call.state.attendees for call in world.provider.calls if call.state]
    assert told == [(ANN, BOB), None]
    expect_settled(world, hours=1)
    world.model.import_payload(ANN, [whole | {"updated": world.now.isoformat()}])
    world.settle()
    assert world.told("c1").attendees == (ANN, BOB)
    assert ("c1", None) not in calls(world)
    expect_settled(world)


@pytest.mark.scenario(8)
def test_a_guest_list_that_is_always_cut_is_no_change_for_a_back_end_without_guests() -> None:
    """Nothing of it can be told."""
    world, event_id = invited(without("attendees"))
    world.advance(60)
    cut = world.model.get(ANN, "primary", event_id) | {"attendees": [], "attendeesOmitted": True}
    world.model.import_payload(ANN, [cut | {"updated": world.now.isoformat()}])
    world.settle()
    expect_untouched(world, event_id)


# Rows 9, 13 and 14: answers


@pytest.mark.scenario(9)
@pytest.mark.parametrize("response", ["accepted", "tentative"])
def test_an_answer_is_listed_and_no_change(response: str) -> None:
    """It concerns the organizer's copy and every guest's; the list of guests stays what it is."""
    world, event_id = invited()
    lists = world.calendar_calls.count("events.list")
    world.edit(event_id, who=BOB, attendees=[guest(ANN, "accepted"), guest(BOB, response)])
    world.settle()
    answers = {a["email"]: a["responseStatus"] for a in world.model.get(ANN, "primary", event_id)["attendees"]}
    assert answers[BOB] == response
    assert world.calendar_calls.count("events.list") > lists
    expect_untouched(world, event_id)


@pytest.mark.scenario(9)
def test_a_storm_of_answers_costs_no_call() -> None:
    """Forty guests answer one after the other."""
    world = World()
    emails = [f"guest{n}@example.com" for n in range(40)]
    for email in emails:
        world.model.add_user(email)
    event_id = world.add("All hands", "c1", attendees=[guest(email) for email in emails])
    world.settle()
    for email in emails:
        mine = world.model.get(email, "primary", event_id)["attendees"]
        answered = [guest(email, "accepted") if a["email"] == email else a for a in mine]
        world.model.patch(email, "primary", event_id, {"attendees": answered})
        world.advance(1)
    world.settle()
    answers = {a["responseStatus"] for a in world.model.get(ANN, "primary", event_id)["attendees"]}
    assert answers == {"accepted"}
    assert calls(world) == [("c1", "All hands")]
    expect_settled(world)


@pytest.mark.scenario(13)
def test_a_guest_who_declines_leaves_the_conference_to_the_others() -> None:
    """The event stays confirmed in both calendars."""
    world, event_id = invited()
    world.edit(event_id, who=BOB, attendees=[guest(ANN, "accepted"), guest(BOB, "declined")])
    world.settle()
    assert {world.model.get(who, "primary", event_id)["status"] for who in (ANN, BOB)} == {"confirmed"}
    expect_untouched(world, event_id)


@pytest.mark.scenario(14)
def test_an_organizer_who_declines_the_own_event_does_not_call_it_off() -> None:
    """The meeting goes on without."""
    world, event_id = invited()
    world.edit(event_id, attendees=[guest(ANN, "declined"), guest(BOB)])
    world.settle()
    mine = world.model.get(ANN, "primary", event_id)["attendees"][0]
    assert (mine["responseStatus"], mine["self"]) == ("declined", True)
    expect_untouched(world, event_id)


# Rows 10 and 11: what one person sees


@pytest.mark.scenario(10)
@pytest.mark.parametrize("lists_reminder_edits", [True, False])
@pytest.mark.parametrize("who", [ANN, BOB])
def test_reminders_and_colours_of_one_person_are_no_change(lists_reminder_edits: bool, who: str) -> None:
    """Whether Calendar lists them or not; `updated` does not move with a reminder, so it must not be needed."""
    world = World()
    world.model.options.lists_reminder_edits = lists_reminder_edits
    _, event_id = invited(world)
    world.advance(60)
    reminders = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}
    world.edit(event_id, who=who, reminders=reminders)
    world.settle()
    world.edit(event_id, who=who, colorId="9")
    world.settle()
    assert world.model.get(who, "primary", event_id)["reminders"]["useDefault"] is False
    expect_untouched(world, event_id)


@pytest.mark.scenario(10)
def test_a_reminder_does_not_hide_the_rename_that_comes_with_it() -> None:
    """The next listing shows one item for both; `updated` alone must not decide."""
    world, event_id = invited()
    world.edit(event_id, summary="Planning II")
    world.edit(event_id, reminders={"useDefault": False, "overrides": []})
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "Planning II")]
    expect_settled(world)


@pytest.mark.scenario(11)
@pytest.mark.parametrize("recurrence", [[], WEEKLY])
def test_visibility_is_told_only_to_a_back_end_that_can_carry_it(recurrence: list[str]) -> None:
    """One call where it can, none where it cannot; a private event loses nothing else."""
    for world, expected in ((World(), 2), (without("visibility"), 1)):
        _, event_id = invited(world, recurrence=recurrence)
        world.edit(event_id, visibility="private")
        world.settle()
        assert len(world.provider.calls) == expected
        assert world.told("c1").visibility == ("private" if expected == 2 else None)
        assert world.told("c1").title == "Planning"
        expect_settled(world)


@pytest.mark.scenario(11)
def test_visibility_of_one_instance_that_hits_the_whole_series_is_one_change_at_most() -> None:
    """Since July 2026 Calendar may carry it to every instance: many items, no call for each."""
    world, series_id = invited(recurrence=WEEKLY)
    for instance in world.instances(series_id)[1:4]:
        world.edit(instance, visibility="private")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    for instance in world.instances(series_id):
        world.edit(instance, visibility="private")
    world.edit(series_id, visibility="private")
    world.settle()
    assert [call.state.visibility for call in world.provider.calls if call.state] == [None, "private"]
    expect_settled(world)


# Rows 15, 17 and 18: guests' own copies


@pytest.mark.scenario(15)
@FORMS
def test_a_guest_who_removes_the_own_copy_does_not_kill_the_meeting(form: Any) -> None:
    """Bob's calendar shows a tombstone with the same id; whose copy it is, was recorded before."""
    world = World()
    world.model.options.organizer_tombstones = form
    _, event_id = invited(world)
    world.delete(event_id, who=BOB)
    world.settle()
    assert world.model.get(BOB, "primary", event_id)["status"] == "cancelled"
    expect_untouched(world, event_id)


@pytest.mark.scenario(15)
@FORMS
def test_a_guest_whose_own_add_on_registered_the_copy_cannot_kill_the_meeting_either(form: Any) -> None:
    """A registration vouches for an organizer's copy, not for one that a guest may delete."""
    world = World()
    world.model.options.organizer_tombstones = form
    _, event_id = invited(world)
    world.initialize("c1", event_id, BOB)
    world.settle()
    world.delete(event_id, who=BOB)
    world.advance(2 * 24 * 3600)
    assert calls(world) == [("c1", "Planning")]
    assert recorded(world, "c1")[ANN, event_id] == "owner live"
    expect_settled(world)


@pytest.mark.scenario(17)
def test_a_guest_without_the_right_to_edit_moves_only_the_own_copy() -> None:
    """Forty-five minutes later in Bob's calendar, with the same id; the meeting stays where it is."""
    world, event_id = invited()
    world.edit(event_id, who=BOB, **times(TOMORROW + timedelta(minutes=45)))
    world.settle()
    shown = [world.model.get(who, "primary", event_id)["start"]["dateTime"] for who in (ANN, BOB)]
    assert shown[0] != shown[1]
    assert world.told("c1").start.instant == TOMORROW
    expect_untouched(world, event_id)


@pytest.mark.scenario(18)
def test_a_guest_with_the_right_to_edit_changes_the_meeting() -> None:
    """Calendar passes the change on to the organizer's copy, which is told like any other change of it, once."""
    world, event_id = invited(guestsCanModify=True)
    later = TOMORROW + timedelta(hours=2)
    world.edit(event_id, who=BOB, summary="Bob's plan", **times(later))
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "Bob's plan")]
    assert world.told("c1").start.instant == later
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(18, 15)
def test_even_a_guest_with_the_right_to_edit_only_removes_the_own_copy() -> None:
    """Deleting is declining."""
    world, event_id = invited(guestsCanModify=True)
    world.delete(event_id, who=BOB)
    world.settle()
    expect_untouched(world, event_id)


def chosen_by_a_guest(world: World) -> str:
    """Return Ann's event of next week, to which Bob, a guest who may edit it, has added our conference."""
    world.initialize(who=BOB)
    fields = times(START + timedelta(days=7))
    event_id = world.create("Planning", guestsCanModify=True, attendees=[guest(ANN), guest(BOB)], **fields)
    world.settle()
    world.edit(event_id, who=BOB, conferenceData=addon_conference("c1"))
    world.initialize("c1", event_id, BOB)
    world.settle()
    return event_id


@pytest.mark.scenario(18, 2)
@pytest.mark.parametrize("organizer_is_synced", [True, False])
def test_a_conference_that_a_guest_added_is_not_taken_for_that_of_a_discarded_draft(organizer_is_synced: bool) -> None:
    """The event exists and holds it, although the calendar that was registered has only a guest's copy."""
    world = World()
    if organizer_is_synced:
        world.initialize()
    event_id = chosen_by_a_guest(world)
    world.advance(3 * world.rules.draft_s)
    assert world.model.get(ANN, "primary", event_id)["conferenceData"]["conferenceId"] == "c1"
    assert ("c1", None) not in calls(world)


@pytest.mark.scenario(18)
def test_a_conference_that_a_guest_added_follows_the_organizers_copy() -> None:
    """Bob's add-on vouched for the event, and Ann's calendar has the copy that counts."""
    world = World()
    world.initialize()
    event_id = chosen_by_a_guest(world)
    assert calls(world) == [("c1", "Planning")]
    assert recorded(world, "c1")[ANN, event_id] == "owner live"
    expect_settled(world)
