"""What nobody outside Google knows, in both variants: where a conference goes, with exceptions and guests' copies."""

import pytest

from confsync.local.calendar_server.addon import addon_conference
from confsync.local.calendar_server.errors import Json
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    CYD,
    START,
    TEAM,
    CheckedModel,
    meeting,
    occurrence,
    refusal,
    sync,
    timed,
    weekly,
    with_conference,
)

V1 = {"conferenceDataVersion": 1}
BOTH = pytest.mark.parametrize("kept", [True, False])


def conference_of(event: Json) -> str | None:
    """Return an event's conference id; a conference and a Meet link go together."""
    data: Json = event.get("conferenceData", {})
    assert "hangoutLink" not in event
    return data.get("conferenceId")


def seen_by(model: CheckedModel, event_id: str, *users: str) -> list[str | None]:
    """Return the conference id that each user's copy has."""
    return [conference_of(model.get(user, "primary", event_id)) for user in users]


def a_series(model: CheckedModel) -> tuple[str, str]:
    """Create a series with Bob whose second occurrence has a conference of its own; both ids."""
    series = model.insert(ADA, "primary", with_conference(weekly(BOB)), V1)
    special = occurrence(series["id"], 1)
    model.patch(ADA, "primary", special, with_conference({"summary": "Special"}, "c2"), V1)
    return series["id"], special


# Row 26


@BOTH
@pytest.mark.parametrize("changes", [{"summary": "New"}, timed(START.replace(day=16, hour=14))])
def test_a_split_may_keep_the_conference(model: CheckedModel, changes: Json, *, kept: bool) -> None:
    """The new part has the conference or not, with its occurrences and the guest's copy; the old part keeps it."""
    model.options.split_keeps_conference = kept
    series_id, _ = a_series(model)
    part = model.edit_this_and_following(ADA, "primary", occurrence(series_id, 2), changes)
    expected = "c1" if kept else None
    assert conference_of(part) == expected
    assert seen_by(model, part["id"], ADA, BOB) == [expected, expected]
    assert {conference_of(item) for item in model.instances(ADA, "primary", part["id"])["items"]} == {expected}
    assert seen_by(model, series_id, ADA, BOB) == ["c1", "c1"]


def test_a_split_that_brings_a_conference_has_it(model: CheckedModel) -> None:
    """What the edit itself chooses is not dropped."""
    model.options.split_keeps_conference = False
    series_id, _ = a_series(model)
    changes = {"conferenceData": addon_conference("c3")}
    part = model.edit_this_and_following(ADA, "primary", occurrence(series_id, 2), changes)
    assert seen_by(model, part["id"], ADA, BOB) == ["c3", "c3"]


# Row 33


@BOTH
def test_a_duplicate_may_keep_the_conference(model: CheckedModel, *, kept: bool) -> None:
    """The copy is another event with its own identity and creation time, and invites all guests anew."""
    model.options.duplicate_keeps_conference = kept
    event = model.insert(ADA, "primary", with_conference(meeting("Planning", ADA, BOB, CYD)), V1)
    model.patch(BOB, "primary", event["id"], {"attendees": answered(event, BOB, "declined")})
    copy = model.duplicate(ADA, "primary", event["id"])
    assert copy["id"] != event["id"]
    assert copy["iCalUID"] == f"{copy['id']}@google.com"
    assert (copy["summary"], copy["sequence"]) == ("Planning", 0)
    assert [guest["responseStatus"] for guest in copy["attendees"]] == ["accepted", "needsAction", "needsAction"]
    expected = "c1" if kept else None
    assert seen_by(model, copy["id"], ADA, BOB, CYD) == [expected] * 3
    assert seen_by(model, event["id"], ADA, CYD) == ["c1", "c1"]


def answered(event: Json, user: str, response: str) -> list[Json]:
    """Return an event's guests with one answer changed."""
    return [{**g, "responseStatus": response} if g["email"] == user else g for g in event["attendees"]]


def test_one_occurrence_is_duplicated_as_a_single_event(model: CheckedModel) -> None:
    """The copy of an occurrence has its time and its conference, and no series; that of a series recurs."""
    series_id, special = a_series(model)
    copy = model.duplicate(ADA, "primary", special)
    assert not {"recurrence", "recurringEventId", "originalStartTime"} & set(copy)
    assert (copy["summary"], copy["start"]["dateTime"]) == ("Special", "2026-03-09T10:00:00+01:00")
    assert seen_by(model, copy["id"], ADA, BOB) == ["c2", "c2"]
    assert model.duplicate(ADA, "primary", series_id)["recurrence"] == ["RRULE:FREQ=WEEKLY"]


def test_a_guest_organizes_the_own_duplicate(model: CheckedModel) -> None:
    """Who duplicates an invitation is the copy's organizer and creator."""
    event = model.insert(ADA, "primary", with_conference(meeting("Planning", ADA, BOB)), V1)
    copy = model.duplicate(BOB, "primary", event["id"])
    assert copy["organizer"] == copy["creator"] == {"email": BOB, "self": True}
    assert model.get(ADA, "primary", copy["id"])["organizer"] == {"email": BOB}


def test_what_is_cancelled_cannot_be_duplicated(model: CheckedModel) -> None:
    """A deleted event, an occurrence of a deleted series, and an unknown one are refused."""
    series_id, special = a_series(model)
    model.delete(ADA, "primary", series_id)
    assert refusal(model.duplicate, ADA, "primary", series_id) == (400, "invalid")
    assert refusal(model.duplicate, ADA, "primary", special) == (400, "invalid")
    assert refusal(model.duplicate, ADA, "primary", "nosuch") == (404, "notFound")


# Row 35


@BOTH
def test_a_restored_event_may_have_its_conference_again(model: CheckedModel, *, kept: bool) -> None:
    """A series comes back with all its conferences or with none: master, exception and the guest's copies."""
    model.options.restore_keeps_conference = kept
    series_id, special = a_series(model)
    model.delete(ADA, "primary", series_id)
    restored = model.patch(ADA, "primary", series_id, {"status": "confirmed"})
    assert restored["status"] == "confirmed"
    assert seen_by(model, series_id, ADA, BOB) == (["c1", "c1"] if kept else [None, None])
    assert seen_by(model, special, ADA, BOB) == (["c2", "c2"] if kept else [None, None])
    assert model.get(BOB, "primary", special)["summary"] == "Special"


@BOTH
def test_a_restored_occurrence_may_have_its_conference_again(model: CheckedModel, *, kept: bool) -> None:
    """Restoring one occurrence leaves the series' conference alone."""
    model.options.restore_keeps_conference = kept
    series_id, special = a_series(model)
    model.delete(ADA, "primary", special)
    model.patch(ADA, "primary", special, {"status": "confirmed"})
    assert seen_by(model, special, ADA, BOB) == (["c2", "c2"] if kept else [None, None])
    assert seen_by(model, series_id, ADA, BOB) == ["c1", "c1"]


def test_restoring_with_a_conference_sets_it(model: CheckedModel) -> None:
    """A restoring write that brings conference data is obeyed."""
    model.options.restore_keeps_conference = False
    event = model.insert(ADA, "primary", with_conference(meeting()), V1)
    model.delete(ADA, "primary", event["id"])
    again = with_conference({"status": "confirmed"}, "c3")
    assert conference_of(model.patch(ADA, "primary", event["id"], again, V1)) == "c3"


def test_a_guest_gets_back_what_the_organizer_has(model: CheckedModel) -> None:
    """A guest's restored copy follows the organizer's living event, whatever the variant."""
    model.options.restore_keeps_conference = False
    event = model.insert(ADA, "primary", with_conference(meeting("Planning", BOB)), V1)
    model.delete(BOB, "primary", event["id"])
    model.patch(BOB, "primary", event["id"], {"status": "confirmed"})
    assert seen_by(model, event["id"], ADA, BOB) == ["c1", "c1"]


# Row 19


@BOTH
def test_a_move_may_keep_the_conference(model: CheckedModel, *, kept: bool) -> None:
    """Master, exception and the guest's copies agree with the new calendar."""
    model.options.move_keeps_conference = kept
    series_id, special = a_series(model)
    model.move(ADA, "primary", series_id, {"destination": TEAM})
    for event_id, conference_id in ((series_id, "c1"), (special, "c2")):
        expected = conference_id if kept else None
        assert conference_of(model.get(ADA, TEAM, event_id)) == expected
        assert seen_by(model, event_id, BOB) == [expected]


@pytest.mark.parametrize("unknown", [True, False])
def test_an_event_that_moved_may_be_unknown_where_it_was(model: CheckedModel, *, unknown: bool) -> None:
    """Lists tell of it as cancelled either way; it lives in its new calendar, and a deleted event is never unknown."""
    model.options.gone_is_unknown = unknown
    moved, deleted = (model.insert(ADA, "primary", meeting())["id"] for _ in range(2))
    token = sync(model, ADA)["nextSyncToken"]
    model.move(ADA, "primary", moved, {"destination": TEAM})
    model.delete(ADA, "primary", deleted)
    assert {item["id"]: item["status"] for item in sync(model, ADA, token=token)["items"]} == {
        moved: "cancelled",
        deleted: "cancelled",
    }
    assert model.get(ADA, TEAM, moved)["status"] == "confirmed"
    assert model.get(ADA, "primary", deleted)["status"] == "cancelled"
    if unknown:
        assert refusal(model.get, ADA, "primary", moved) == (404, "notFound")
    else:
        assert model.get(ADA, "primary", moved)["status"] == "cancelled"


# Rows 12 and 28


@BOTH
def test_a_tombstone_may_have_the_conference(model: CheckedModel, *, kept: bool) -> None:
    """The organizer's tombstones keep all details, with or without the conference: in get, in lists, of exceptions."""
    model.options.tombstone_conference = kept
    series_id, special = a_series(model)
    single = model.insert(ADA, "primary", with_conference(meeting(), "c3"), V1)["id"]
    token = sync(model, ADA)["nextSyncToken"]
    for event_id in (series_id, single):
        model.delete(ADA, "primary", event_id)
    expected = {series_id: "c1", special: "c2", single: "c3"} if kept else dict.fromkeys((series_id, special, single))
    for items in (sync(model, ADA, token=token)["items"], sync(model, ADA)["items"]):
        assert {item["id"]: conference_of(item) for item in items} == expected
        assert all(item["status"] == "cancelled" and item["organizer"]["self"] for item in items)
        assert all({"summary", "start", "iCalUID", "sequence"} <= set(item) for item in items)
    for event_id, conference_id in expected.items():
        assert seen_by(model, event_id, ADA) == [conference_id]
    model.patch(ADA, "primary", single, {"status": "confirmed"})
    assert seen_by(model, single, ADA) == ["c3"]


def test_no_tombstone_has_a_conference_then(model: CheckedModel) -> None:
    """A guest's removed copy, a moved stub and a cancelled occurrence agree with the organizer's tombstones."""
    model.options.tombstone_conference = False
    event = model.insert(ADA, "primary", with_conference(meeting("Planning", ADA, BOB)), V1)
    model.delete(BOB, "primary", event["id"])
    assert seen_by(model, event["id"], ADA, BOB) == ["c1", None]
    stub = model.move(ADA, "primary", event["id"], {"destination": TEAM})
    assert (stub["status"], stub["organizer"]["email"], conference_of(stub)) == ("cancelled", TEAM, None)
    series_id, special = a_series(model)
    model.delete(ADA, "primary", special)
    assert seen_by(model, special, ADA) == [None]
    assert seen_by(model, series_id, ADA) == ["c1"]
