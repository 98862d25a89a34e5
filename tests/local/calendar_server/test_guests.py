"""Organizer's and guests' copies: who sees what, and whose change concerns whom."""

import pytest

from confsync.local.calendar_server.errors import Json
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    CYD,
    START,
    TEAM,
    CheckedModel,
    changes_of,
    meeting,
    occurrence,
    refusal,
    timed,
    weekly,
    with_conference,
)

V1 = {"conferenceDataVersion": 1}
LATER = timed(START.replace(hour=15))


def responses(event: Json) -> dict[str, str]:
    """Return each guest's response."""
    return {guest["email"]: guest["responseStatus"] for guest in event["attendees"]}


def answer(model: CheckedModel, user: str, event_id: str, response: str) -> None:
    """Let a guest answer an invitation."""
    guests = model.get(user, "primary", event_id)["attendees"]
    for guest in guests:
        if guest["email"] == user:
            guest["responseStatus"] = response
    model.patch(user, "primary", event_id, {"attendees": guests})


def test_a_guests_copy_has_the_same_identity(model: CheckedModel) -> None:
    """Id, iCalUID and conference are the organizer's; `self` marks the guest and nobody else."""
    event = model.insert(ADA, "primary", with_conference(meeting("Planning", ADA, BOB)), V1)
    copy = model.get(BOB, "primary", event["id"])
    for name in ("id", "iCalUID", "conferenceData", "summary", "sequence", "created"):
        assert copy[name] == event[name]
    assert copy["organizer"] == copy["creator"] == {"email": ADA}
    assert [guest.get("self") for guest in copy["attendees"]] == [None, True]
    assert [guest.get("organizer") for guest in copy["attendees"]] == [True, None]


def test_guests_from_elsewhere_have_no_copy(model: CheckedModel) -> None:
    """Someone unknown to the server is just a name on the list."""
    event = model.insert(ADA, "primary", meeting("Planning", "dan@elsewhere.example"))
    assert responses(event) == {"dan@elsewhere.example": "needsAction"}


def test_the_organizers_changes_reach_all_copies(model: CheckedModel) -> None:
    """Title, time and conference follow; what a copy has for itself stays."""
    event = model.insert(ADA, "primary", with_conference(meeting("Planning", BOB)), V1)
    own = {"reminders": {"useDefault": False}, "colorId": "3"}
    model.patch(BOB, "primary", event["id"], own)
    model.patch(ADA, "primary", event["id"], {"summary": "New", "colorId": "5", "conferenceData": None, **LATER}, V1)
    copy = model.get(BOB, "primary", event["id"])
    assert (copy["summary"], copy["sequence"], copy["colorId"]) == ("New", 1, "3")
    assert copy["start"]["dateTime"] == "2026-03-02T16:00:00+01:00"
    assert copy["reminders"] == {"useDefault": False}
    assert "conferenceData" not in copy


def test_an_answer_is_seen_by_everyone(model: CheckedModel) -> None:
    """A guest's response changes the organizer's copy and the other guests'."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB, CYD))
    [seen] = changes_of(model, ADA, lambda: answer(model, BOB, event["id"], "declined"))
    assert seen["status"] == "confirmed"
    for user in (ADA, BOB, CYD):
        assert responses(model.get(user, "primary", event["id"])) == {BOB: "declined", CYD: "needsAction"}


def test_an_answer_is_announced_to_all_calendars(model: CheckedModel) -> None:
    """Each calendar that holds a copy is announced once."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB, CYD))
    announced: list[str] = []
    model.on_change = announced.append
    answer(model, BOB, event["id"], "accepted")
    assert sorted(announced) == [ADA, BOB, CYD]


def test_a_guest_without_the_right_moves_only_the_own_copy(model: CheckedModel) -> None:
    """The start of the own copy changes, with the same id; the organizer's is untouched."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB))

    def move() -> None:
        model.patch(BOB, "primary", event["id"], LATER)

    assert changes_of(model, ADA, move) == []
    assert model.get(BOB, "primary", event["id"])["start"]["dateTime"] == "2026-03-02T16:00:00+01:00"


def test_an_answer_does_not_undo_what_a_guest_moved(model: CheckedModel) -> None:
    """Only what the organizer changes is carried to copies."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB, CYD))
    model.patch(BOB, "primary", event["id"], LATER)
    answer(model, CYD, event["id"], "accepted")
    copy = model.get(BOB, "primary", event["id"])
    assert copy["start"]["dateTime"] == "2026-03-02T16:00:00+01:00"
    assert responses(copy)[CYD] == "accepted"


def test_a_guest_with_the_right_changes_everyones(model: CheckedModel) -> None:
    """guestsCanModify makes a guest's edit the organizer's."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB, CYD, guestsCanModify=True))
    model.patch(BOB, "primary", event["id"], {"summary": "Bob's", "colorId": "7", **LATER})
    for user in (ADA, CYD):
        seen = model.get(user, "primary", event["id"])
        assert (seen["summary"], seen["sequence"]) == ("Bob's", 1)
        assert "colorId" not in seen


@pytest.mark.parametrize(
    "change",
    [
        {"guestsCanModify": True},
        {"guestsCanInviteOthers": False},
        {"extendedProperties": {"shared": {"k": "v"}}},
        {"attendees": [{"email": BOB}]},
        {"attendees": [{"email": BOB}, {"email": CYD, "responseStatus": "accepted"}]},
    ],
)
def test_what_only_the_organizer_may_change(model: CheckedModel, change: Json) -> None:
    """Shared properties and other people's entries answer 403 forbiddenForNonOrganizer."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB, CYD))
    assert refusal(model.patch, BOB, "primary", event["id"], change) == (403, "forbiddenForNonOrganizer")


def test_a_guest_may_not_change_the_conference(model: CheckedModel) -> None:
    """The conference is the organizer's, unless guests may edit."""
    event = model.insert(ADA, "primary", with_conference(meeting("Planning", BOB)), V1)
    drop = {"conferenceData": None}
    assert refusal(model.patch, BOB, "primary", event["id"], drop, V1) == (403, "forbiddenForNonOrganizer")
    model.patch(ADA, "primary", event["id"], {"guestsCanModify": True})
    model.patch(BOB, "primary", event["id"], drop, V1)
    assert "conferenceData" not in model.get(ADA, "primary", event["id"])


def test_guests_invite_others_unless_forbidden(model: CheckedModel) -> None:
    """By default a guest may add guests, who get copies; the organizer may forbid it."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB))
    more = {"attendees": [{"email": BOB}, {"email": CYD}]}
    model.patch(BOB, "primary", event["id"], more)
    assert responses(model.get(ADA, "primary", event["id"])) == {BOB: "needsAction", CYD: "needsAction"}
    assert model.get(CYD, "primary", event["id"])["status"] == "confirmed"
    closed = model.insert(ADA, "primary", meeting("Planning", BOB, guestsCanInviteOthers=False))
    assert refusal(model.patch, BOB, "primary", closed["id"], more) == (403, "forbiddenForNonOrganizer")


def test_removing_the_own_copy_is_declining(model: CheckedModel) -> None:
    """The organizer sees a refusal; the guest a tombstone with details; the meeting goes on."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB))
    [seen] = changes_of(model, ADA, lambda: model.delete(BOB, "primary", event["id"]))
    assert (seen["status"], responses(seen)) == ("confirmed", {BOB: "declined"})
    dead = model.get(BOB, "primary", event["id"])
    assert (dead["status"], dead["summary"]) == ("cancelled", "Planning")
    assert "self" not in dead["organizer"]


def test_a_removed_copy_stays_away(model: CheckedModel) -> None:
    """Later changes by the organizer do not bring a removed copy back; a new invitation does."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB))
    model.delete(BOB, "primary", event["id"])
    model.patch(ADA, "primary", event["id"], {"summary": "New"})
    assert model.get(BOB, "primary", event["id"])["status"] == "cancelled"
    model.patch(ADA, "primary", event["id"], {"attendees": [{"email": BOB}]})
    back = model.get(BOB, "primary", event["id"])
    assert (back["status"], back["summary"]) == ("confirmed", "New")


def test_the_organizer_declines_and_the_meeting_goes_on(model: CheckedModel) -> None:
    """An organizer's own refusal cancels nothing."""
    event = model.insert(ADA, "primary", meeting("Planning", ADA, BOB))
    answer(model, ADA, event["id"], "declined")
    assert model.get(ADA, "primary", event["id"])["status"] == "confirmed"
    assert model.get(BOB, "primary", event["id"])["status"] == "confirmed"


def test_inviting_again_after_removal(model: CheckedModel) -> None:
    """A guest who is taken off and invited again has a living copy again."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB))
    model.patch(ADA, "primary", event["id"], {"attendees": []})
    assert model.get(BOB, "primary", event["id"])["status"] == "cancelled"
    model.patch(ADA, "primary", event["id"], {"attendees": [{"email": BOB}]})
    assert model.get(BOB, "primary", event["id"])["status"] == "confirmed"


def test_a_guest_of_one_occurrence_has_no_series(model: CheckedModel) -> None:
    """Invited to one occurrence, a guest sees that one alone, without a master; it goes with the series."""
    series = model.insert(ADA, "primary", weekly(BOB))
    second = occurrence(series["id"], 1)
    model.patch(ADA, "primary", second, {"attendees": [{"email": BOB}, {"email": CYD}]})
    copy = model.get(CYD, "primary", second)
    assert (copy["status"], copy["recurringEventId"]) == ("confirmed", series["id"])
    assert refusal(model.get, CYD, "primary", series["id"]) == (404, "notFound")
    model.delete(ADA, "primary", series["id"])
    assert model.get(CYD, "primary", second)["status"] == "cancelled"


def test_a_guest_left_out_of_one_occurrence(model: CheckedModel) -> None:
    """Taken off one occurrence, a guest sees it cancelled and the series alive."""
    series = model.insert(ADA, "primary", weekly(BOB, CYD))
    second = occurrence(series["id"], 1)
    model.patch(ADA, "primary", second, {"attendees": [{"email": CYD}]})
    listed = {item["id"]: item["status"] for item in model.list_events(BOB, "primary")["items"]}
    assert listed == {series["id"]: "confirmed", second: "cancelled"}


def test_a_guest_declines_one_occurrence(model: CheckedModel) -> None:
    """An answer to one occurrence makes an exception at the organizer's, and leaves the series as it is."""
    series = model.insert(ADA, "primary", weekly(BOB))
    second = occurrence(series["id"], 1)
    answer(model, BOB, second, "declined")
    assert responses(model.get(ADA, "primary", second)) == {BOB: "declined"}
    assert responses(model.get(ADA, "primary", series["id"])) == {BOB: "needsAction"}


def test_a_guest_removes_one_occurrence(model: CheckedModel) -> None:
    """Removing one occurrence from the own calendar declines that one."""
    series = model.insert(ADA, "primary", weekly(BOB))
    second = occurrence(series["id"], 1)
    model.delete(BOB, "primary", second)
    assert model.get(BOB, "primary", second)["status"] == "cancelled"
    assert responses(model.get(ADA, "primary", second)) == {BOB: "declined"}
    assert model.get(ADA, "primary", second)["status"] == "confirmed"


def test_a_new_guest_of_a_series_gets_its_exceptions(model: CheckedModel) -> None:
    """Invited to all, a guest has the master and every exception that follows it."""
    series = model.insert(ADA, "primary", weekly(BOB))
    second = occurrence(series["id"], 1)
    model.patch(ADA, "primary", second, {"summary": "Special"})
    model.patch(ADA, "primary", series["id"], {"attendees": [{"email": BOB}, {"email": CYD}]})
    assert model.get(CYD, "primary", second)["summary"] == "Special"


def test_private_properties_belong_to_one_copy(model: CheckedModel) -> None:
    """Guests see shared extended properties and never private ones, and keep their own."""
    properties = {"private": {"a": "1"}, "shared": {"s": "1"}}
    event = model.insert(ADA, "primary", meeting("Planning", BOB, extendedProperties=properties))
    assert model.get(BOB, "primary", event["id"])["extendedProperties"] == {"shared": {"s": "1"}}
    model.patch(BOB, "primary", event["id"], {"extendedProperties": {"private": {"b": "2"}}})
    model.patch(ADA, "primary", event["id"], {"extendedProperties": {"shared": {"s": "2"}}})
    seen = model.get(BOB, "primary", event["id"])["extendedProperties"]
    assert seen == {"private": {"b": "2"}, "shared": {"s": "2"}}
    assert model.get(ADA, "primary", event["id"])["extendedProperties"]["private"] == {"a": "1"}


def test_a_secondary_calendar_organizes(model: CheckedModel) -> None:
    """People invited by a team calendar, its owner among them, are guests of it."""
    event = model.insert(ADA, TEAM, meeting("Planning", ADA, BOB))
    for user in (ADA, BOB):
        copy = model.get(user, "primary", event["id"])
        assert copy["organizer"] == {"email": TEAM, "displayName": "Team"}
    answer(model, ADA, event["id"], "accepted")
    assert responses(model.get(ADA, TEAM, event["id"]))[ADA] == "accepted"
