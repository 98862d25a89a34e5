"""The five recorded shapes of cancelled items, and who sees which."""

from tests.local.calendar_server.support import (
    ADA,
    BOB,
    CYD,
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

ID_ONLY = {"kind", "etag", "id", "status"}
V1 = {"conferenceDataVersion": 1}


def test_the_organizer_keeps_all_details(model: CheckedModel) -> None:
    """A deleted event is a full body, conference included, with the sequence raised by one."""
    event = model.insert(ADA, "primary", with_conference(meeting()), V1)
    [tombstone] = changes_of(model, ADA, lambda: model.delete(ADA, "primary", event["id"]))
    assert tombstone["status"] == "cancelled"
    assert tombstone["sequence"] == event["sequence"] + 1
    assert tombstone["conferenceData"] == event["conferenceData"]
    assert set(tombstone) == set(event)


def test_without_show_deleted_the_details_are_gone(model: CheckedModel) -> None:
    """An incremental list without showDeleted tells of a deletion by its id alone, to the organizer too."""
    event = model.insert(ADA, "primary", meeting())
    token = model.list_events(ADA, "primary")["nextSyncToken"]
    model.delete(ADA, "primary", event["id"])
    [tombstone] = model.list_events(ADA, "primary", {"syncToken": token})["items"]
    assert set(tombstone) == ID_ONLY


def test_the_organizer_may_see_ids_only(model: CheckedModel) -> None:
    """Both forms were recorded: the knob chooses, and `get` still has the details."""
    model.options.organizer_tombstones = "id_only"
    event = model.insert(ADA, "primary", meeting())
    [tombstone] = changes_of(model, ADA, lambda: model.delete(ADA, "primary", event["id"]))
    assert set(tombstone) == ID_ONLY
    assert model.get(ADA, "primary", event["id"])["summary"] == "Planning"


def test_guests_see_the_id_only(model: CheckedModel) -> None:
    """What the organizer deletes or takes from a guest leaves nothing but an id in the guest's calendar."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB, CYD))
    uninvite = {"attendees": [{"email": CYD}]}
    [tombstone] = changes_of(model, BOB, lambda: model.patch(ADA, "primary", event["id"], uninvite))
    assert set(tombstone) == ID_ONLY
    [tombstone] = changes_of(model, CYD, lambda: model.delete(ADA, "primary", event["id"]))
    assert set(tombstone) == ID_ONLY
    assert set(model.get(CYD, "primary", event["id"])) == ID_ONLY


def test_a_cancelled_occurrence_names_its_series(model: CheckedModel) -> None:
    """A cancelled occurrence of a living series has its master's id and original start, and nothing else, for all."""
    series = model.insert(ADA, "primary", weekly(BOB))
    second = occurrence(series["id"], 1)
    for user in (ADA, BOB):
        token = model.list_events(user, "primary", {"showDeleted": True})["nextSyncToken"]
        if user == ADA:
            model.delete(ADA, "primary", second)
            token_of_ada = token
    items = model.list_events(ADA, "primary", {"showDeleted": True, "syncToken": token_of_ada})["items"]
    assert items[1] == {
        "kind": "calendar#event",
        "etag": items[0]["etag"],
        "id": second,
        "status": "cancelled",
        "recurringEventId": series["id"],
        "originalStartTime": {"dateTime": "2026-03-09T10:00:00+01:00", "timeZone": "Europe/Berlin"},
    }
    copy = next(i for i in model.list_events(BOB, "primary", {"showDeleted": True})["items"] if i["id"] == second)
    assert set(copy) == set(items[1])


def test_exceptions_behind_a_cut_are_ids_only(model: CheckedModel) -> None:
    """After "delete this and following" an exception behind the end is an id without series; an earlier one is not."""
    series = model.insert(ADA, "primary", weekly(BOB))
    early, late = occurrence(series["id"], 1), occurrence(series["id"], 4)
    model.delete(ADA, "primary", early)
    model.patch(ADA, "primary", late, {"summary": "Special"})
    for user in (ADA, BOB):
        before = model.list_events(user, "primary", {"showDeleted": True})["nextSyncToken"]
        if user == ADA:
            model.delete_this_and_following(ADA, "primary", occurrence(series["id"], 3))
            items = model.list_events(ADA, "primary", {"showDeleted": True, "syncToken": before})["items"]
            assert [item["id"] for item in items] == [series["id"], early, late]
            assert items[0]["recurrence"] == ["RRULE:FREQ=WEEKLY;UNTIL=20260322T225959Z"]
            assert "recurringEventId" in items[1]
            assert set(items[2]) == ID_ONLY
    assert set(model.get(BOB, "primary", late)) == ID_ONLY


def test_a_deleted_series_is_one_item_without_details(model: CheckedModel) -> None:
    """Seen by ids only, "delete all" is one tombstone; exceptions are silent."""
    series = model.insert(ADA, "primary", weekly(BOB))
    model.patch(ADA, "primary", occurrence(series["id"], 1), {"summary": "Special"})
    model.delete(ADA, "primary", occurrence(series["id"], 2))
    token = model.list_events(BOB, "primary", {"showDeleted": True})["nextSyncToken"]
    ada = model.list_events(ADA, "primary")["nextSyncToken"]
    model.delete(ADA, "primary", series["id"])
    for user, params in ((BOB, {"showDeleted": True, "syncToken": token}), (ADA, {"syncToken": ada})):
        items = model.list_events(user, "primary", params)["items"]
        assert [set(item) for item in items] == [ID_ONLY]
        assert items[0]["id"] == series["id"]


def test_a_deleted_series_with_details_brings_its_exceptions(model: CheckedModel) -> None:
    """With details the organizer sees master and exceptions as full cancelled bodies."""
    series = model.insert(ADA, "primary", weekly())
    special = occurrence(series["id"], 1)
    model.patch(ADA, "primary", special, {"summary": "Special"})
    items = changes_of(model, ADA, lambda: model.delete(ADA, "primary", series["id"]))
    assert [(item["id"], item["status"], item["summary"]) for item in items] == [
        (series["id"], "cancelled", "Weekly"),
        (special, "cancelled", "Special"),
    ]
    assert model.get(ADA, "primary", special)["status"] == "cancelled"
    assert refusal(model.delete, ADA, "primary", special) == (410, "deleted")


def test_deleting_for_ever_leaves_a_false_day(model: CheckedModel) -> None:
    """An event removed from the trash is scrubbed: a transparent day of the year 2000 without title or organizer."""
    event = model.insert(ADA, "primary", meeting())
    model.delete(ADA, "primary", event["id"])
    [tombstone] = changes_of(model, ADA, lambda: model.delete_forever(ADA, "primary", event["id"]))
    assert set(tombstone) == ID_ONLY | {"htmlLink", "updated", "start", "end", "transparency", "iCalUID"}
    assert tombstone["start"] == {"dateTime": "2000-01-01T01:00:00+01:00", "timeZone": "UTC"}
    assert tombstone["transparency"] == "transparent"
    restored = model.patch(ADA, "primary", event["id"], {"status": "confirmed"})
    assert restored["status"] == "cancelled"


def test_only_what_is_in_the_trash_can_be_deleted_for_ever(model: CheckedModel) -> None:
    """A living event must be deleted first."""
    event = model.insert(ADA, "primary", meeting())
    assert refusal(model.delete_forever, ADA, "primary", event["id"]) == (400, "invalid")


def test_the_stub_of_a_moved_event_is_an_id_only(model: CheckedModel) -> None:
    """The source of a move keeps an id when the old organizer is no guest."""
    event = model.insert(ADA, "primary", meeting())
    move = {"destination": TEAM}
    [stub] = changes_of(model, ADA, lambda: model.move(ADA, "primary", event["id"], move))
    assert set(stub) == ID_ONLY
    assert set(model.get(ADA, "primary", event["id"])) == ID_ONLY


def test_the_stub_names_the_new_organizer_to_a_guest(model: CheckedModel) -> None:
    """When the old organizer is a guest, the stub is cancelled and says who organizes now."""
    event = model.insert(ADA, "primary", meeting("Planning", ADA))
    move = {"destination": TEAM}
    [stub] = changes_of(model, ADA, lambda: model.move(ADA, "primary", event["id"], move))
    assert stub["status"] == "cancelled"
    assert stub["organizer"] == {"email": TEAM, "displayName": "Team"}


def test_a_restored_series_keeps_its_cancelled_occurrences(model: CheckedModel) -> None:
    """Deleting and restoring a series is no news for an occurrence that was cancelled before."""
    series = model.insert(ADA, "primary", weekly(BOB))
    cancelled, changed = occurrence(series["id"], 1), occurrence(series["id"], 2)
    model.delete(ADA, "primary", cancelled)
    model.patch(ADA, "primary", changed, timed())
    model.delete(ADA, "primary", series["id"])
    model.patch(ADA, "primary", series["id"], {"status": "confirmed"})
    for user in (ADA, BOB):
        assert model.get(user, "primary", series["id"])["status"] == "confirmed"
        assert model.get(user, "primary", cancelled)["status"] == "cancelled"
        assert model.get(user, "primary", changed)["status"] == "confirmed"
