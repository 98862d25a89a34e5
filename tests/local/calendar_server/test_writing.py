"""events.insert, get, update, patch, delete and import."""

import pytest

from confsync.local.calendar_server.errors import Json
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    START,
    TEAM,
    CheckedModel,
    Clock,
    changes_of,
    meeting,
    refusal,
    timed,
    weekly,
)


def test_inserted_event_has_what_google_adds(model: CheckedModel) -> None:
    """A new event answers with ids, links, people and stamps, and `self` where the calendar is meant."""
    event = model.insert(ADA, "primary", meeting())
    assert event["iCalUID"] == f"{event['id']}@google.com"
    assert event["creator"] == event["organizer"] == {"email": ADA, "self": True}
    assert (event["sequence"], event["status"], event["eventType"]) == (0, "confirmed", "default")
    assert event["created"].endswith(".000Z")
    assert event["reminders"] == {"useDefault": True}


def test_self_is_left_out_rather_than_false(model: CheckedModel) -> None:
    """On a secondary calendar the calendar organizes and the person who wrote it is not `self`."""
    event = model.insert(ADA, TEAM, meeting())
    assert event["organizer"] == {"email": TEAM, "displayName": "Team", "self": True}
    assert event["creator"] == {"email": ADA}


def test_the_offset_follows_the_calendar_and_not_the_event(model: CheckedModel) -> None:
    """An event in Los Angeles time is shown with the calendar's offset and keeps its zone."""
    event = model.insert(ADA, "primary", meeting() | timed(zone="America/Los_Angeles"))
    assert event["start"] == {"dateTime": "2026-03-02T10:00:00+01:00", "timeZone": "America/Los_Angeles"}
    in_utc = model.get(ADA, "primary", event["id"], {"timeZone": "UTC"})
    assert in_utc["start"]["dateTime"] == "2026-03-02T09:00:00Z"


def test_a_time_without_zone_gets_the_calendars(model: CheckedModel) -> None:
    """An offset without a zone name is stored with the calendar's zone."""
    body = {"start": {"dateTime": "2026-03-02T09:00:00Z"}, "end": {"dateTime": "2026-03-02T10:00:00Z"}}
    assert model.insert(ADA, "primary", body)["start"]["timeZone"] == "Europe/Berlin"


def test_clients_choose_ids(model: CheckedModel) -> None:
    """An id may be chosen once, in base32hex."""
    assert model.insert(ADA, "primary", meeting(id="abc12"))["id"] == "abc12"
    assert refusal(model.insert, ADA, "primary", meeting(id="abc12")) == (409, "duplicate")


@pytest.mark.parametrize("event_id", ["abcd", "ABCDE", "abcdw", "a" * 1025, "with space", "abc_de"])
def test_bad_ids_are_refused(model: CheckedModel, event_id: str) -> None:
    """Ids are 5 to 1024 letters a-v and digits."""
    assert refusal(model.insert, ADA, "primary", meeting(id=event_id)) == (400, "invalid")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"start": {"date": "2026-01-01"}}, "required"),
        ({"start": {"date": "2026-01-02"}, "end": {"date": "2026-01-01"}}, "timeRangeEmpty"),
        ({"start": {"date": "2026-01-02"}, "end": {"dateTime": "2026-01-03T00:00:00Z"}}, "invalid"),
        ({"start": {"dateTime": "2026-01-02T00:00:00"}, "end": {"dateTime": "2026-01-03T00:00:00Z"}}, "required"),
        ({"start": {"dateTime": "yesterday"}, "end": {"dateTime": "2026-01-03T00:00:00Z"}}, "invalid"),
        (meeting(recurrence=["RRULE:FREQ=SOMETIMES"]), "invalid"),
        (meeting(recurrence="RRULE:FREQ=DAILY"), "invalid"),
        (meeting(attendees=[{"displayName": "Nobody"}]), "required"),
        (meeting(attendees=[{"email": BOB, "responseStatus": "perhaps"}]), "invalid"),
        (meeting() | timed(zone="Mars/Olympus"), "invalid"),
        (meeting(eventType="party"), "invalid"),
        (meeting(status="perhaps") | {"status": "tentative", "visibility": "default", "eventType": "no"}, "invalid"),
    ],
)
def test_unusable_events_are_refused(model: CheckedModel, body: Json, reason: str) -> None:
    """What Google would refuse is refused, with the reason."""
    assert refusal(model.insert, ADA, "primary", body) == (400, reason)
    assert model.list_events(ADA, "primary")["items"] == []


def test_a_series_needs_a_zone_of_its_own(model: CheckedModel) -> None:
    """A rule without a zone name has no meaning across a change of clocks."""
    body = meeting(recurrence=["RRULE:FREQ=DAILY"])
    body["start"] = {"dateTime": "2026-03-02T09:00:00Z"}
    assert refusal(model.insert, ADA, "primary", body) == (400, "required")


def test_patch_lays_fields_over_and_update_replaces(model: CheckedModel) -> None:
    """Patch keeps what it does not name; update drops it."""
    event = model.insert(ADA, "primary", meeting(location="Room 1", description="Agenda"))
    patched = model.patch(ADA, "primary", event["id"], {"location": "Room 2"})
    assert (patched["location"], patched["description"]) == ("Room 2", "Agenda")
    updated = model.update(ADA, "primary", event["id"], meeting(location="Room 3"))
    assert updated["location"] == "Room 3"
    assert "description" not in updated
    assert (updated["created"], updated["iCalUID"]) == (event["created"], event["iCalUID"])


def test_patch_replaces_arrays_and_merges_objects(model: CheckedModel) -> None:
    """Guest lists are replaced whole, extended properties one by one, and null clears."""
    properties = {"private": {"a": "1", "b": "2"}}
    event = model.insert(ADA, "primary", meeting("Planning", BOB, extendedProperties=properties, location="Here"))
    patch = {
        "attendees": [{"email": "dan@elsewhere.example"}],
        "extendedProperties": {"private": {"a": None, "c": "3"}},
        "location": None,
    }
    patched = model.patch(ADA, "primary", event["id"], patch)
    assert [guest["email"] for guest in patched["attendees"]] == ["dan@elsewhere.example"]
    assert patched["extendedProperties"] == {"private": {"b": "2", "c": "3"}}
    assert "location" not in patched


def test_what_is_read_can_be_written_back(model: CheckedModel) -> None:
    """Updating an event with its own answer changes nothing, not even the etag."""
    event = model.insert(ADA, "primary", weekly(BOB))
    assert model.update(ADA, "primary", event["id"], event) == event
    copy = model.get(BOB, "primary", event["id"])
    assert model.update(BOB, "primary", event["id"], copy) == copy


def test_etag_guards_writes(model: CheckedModel) -> None:
    """If-Match lets a write through only while the event is the one that was read."""
    event = model.insert(ADA, "primary", meeting())
    newer = model.patch(ADA, "primary", event["id"], {"summary": "New"}, if_match=event["etag"])
    assert newer["etag"] != event["etag"]
    for call in (model.patch, model.update):
        assert refusal(call, ADA, "primary", event["id"], meeting(), if_match=event["etag"]) == (412, "conditionNotMet")
    assert refusal(model.delete, ADA, "primary", event["id"], if_match=event["etag"]) == (412, "conditionNotMet")
    model.delete(ADA, "primary", event["id"], if_match=newer["etag"])


def test_if_match_star_matches_everything(model: CheckedModel) -> None:
    """`*` is any version."""
    event = model.insert(ADA, "primary", meeting())
    assert model.patch(ADA, "primary", event["id"], {"summary": "New"}, if_match="*")["summary"] == "New"


def test_times_raise_the_sequence_and_titles_do_not(model: CheckedModel) -> None:
    """A guest's software must notice a new time; a new title is no new version of the invitation."""
    event = model.insert(ADA, "primary", meeting())
    assert model.patch(ADA, "primary", event["id"], {"summary": "New"})["sequence"] == 0
    assert model.patch(ADA, "primary", event["id"], timed(START, 2))["sequence"] == 1


def test_an_old_sequence_is_refused_and_a_newer_one_taken(model: CheckedModel) -> None:
    """A client that writes back an older sequence has not seen the newest version."""
    event = model.insert(ADA, "primary", meeting(sequence=5))
    assert refusal(model.patch, ADA, "primary", event["id"], {"sequence": 4}) == (400, "invalid")


def test_updated_moves_with_every_change_of_substance(model: CheckedModel, clock: Clock) -> None:
    """`updated` has milliseconds and follows changes of the event's own data."""
    event = model.insert(ADA, "primary", meeting())
    clock.advance(minutes=1)
    patched = model.patch(ADA, "primary", event["id"], {"summary": "New"})
    assert patched["updated"] > event["updated"]
    assert patched["created"] == event["created"]


def test_reminders_change_the_etag_but_not_updated(model: CheckedModel, clock: Clock) -> None:
    """An edit of reminders alone is listed with a new etag and the old `updated`."""
    event = model.insert(ADA, "primary", meeting())
    clock.advance(minutes=1)
    reminders = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 3}]}
    [listed] = changes_of(model, ADA, lambda: model.patch(ADA, "primary", event["id"], {"reminders": reminders}))
    assert listed["updated"] == event["updated"]
    assert listed["etag"] != event["etag"]


def test_a_deleted_event_can_be_read_and_not_be_deleted_again(model: CheckedModel) -> None:
    """Get answers 200 with status cancelled and all details; a second delete answers 410."""
    event = model.insert(ADA, "primary", meeting())
    model.delete(ADA, "primary", event["id"])
    dead = model.get(ADA, "primary", event["id"])
    assert (dead["status"], dead["summary"], dead["sequence"]) == ("cancelled", "Planning", 1)
    assert refusal(model.delete, ADA, "primary", event["id"]) == (410, "deleted")


def test_updating_a_deleted_event_answers_it_cancelled(model: CheckedModel) -> None:
    """A write to a deleted event is accepted and changes nothing, as recordings show."""
    event = model.insert(ADA, "primary", meeting())
    model.delete(ADA, "primary", event["id"])
    dead = model.get(ADA, "primary", event["id"])
    assert model.update(ADA, "primary", event["id"], {**dead, "summary": "New"}) == dead


def test_a_deleted_event_comes_back_as_it_was(model: CheckedModel) -> None:
    """Confirming a deleted event restores it under the same id with a higher sequence."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB))
    model.delete(ADA, "primary", event["id"])
    restored = model.patch(ADA, "primary", event["id"], {"status": "confirmed"})
    assert (restored["status"], restored["sequence"], restored["summary"]) == ("confirmed", 2, "Planning")
    assert model.get(BOB, "primary", event["id"])["status"] == "confirmed"


def test_cancelling_by_status_is_deleting(model: CheckedModel) -> None:
    """Patching the status to cancelled deletes."""
    event = model.insert(ADA, "primary", meeting())
    assert model.patch(ADA, "primary", event["id"], {"status": "cancelled"})["status"] == "cancelled"
    assert refusal(model.delete, ADA, "primary", event["id"]) == (410, "deleted")


def test_unknown_events_and_calendars_are_not_found(model: CheckedModel) -> None:
    """404 for what is not there."""
    assert refusal(model.get, ADA, "primary", "nosuch") == (404, "notFound")
    assert refusal(model.get, ADA, "nosuch@example.com", "nosuch") == (404, "notFound")
    assert refusal(model.delete, ADA, "primary", "nosuch") == (404, "notFound")


def test_import_makes_an_id_from_the_ical_uid(model: CheckedModel) -> None:
    """Imported events keep their foreign identity and organizer; importing again updates them."""
    body = meeting(iCalUID="test-import-event-2026-03-12@example.com", organizer={"email": "dan@elsewhere.example"})
    event = model.import_(ADA, "primary", body)
    assert event["id"] == "_ehin6t1dd5mn0rriegmmatj5dpq2qchg68r2qc1j5koj4g35f1gmqs3cckn66rrd"
    assert event["organizer"] == {"email": "dan@elsewhere.example"}
    again = model.import_(ADA, "primary", body | {"summary": "Changed"})
    assert (again["id"], again["summary"], again["created"]) == (event["id"], "Changed", event["created"])
    assert refusal(model.import_, ADA, "primary", meeting()) == (400, "required")


def test_answers_cannot_change_what_is_stored(model: CheckedModel) -> None:
    """A caller may do with an answer what it likes."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB))
    event["attendees"][0]["email"] = "changed"
    assert model.get(ADA, "primary", event["id"])["attendees"][0]["email"] == BOB


def test_max_attendees_leaves_the_list_to_the_reader(model: CheckedModel) -> None:
    """With more guests than asked for, only the reader's own entry is shown and said to be incomplete."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB, "dan@elsewhere.example"))
    short = model.get(BOB, "primary", event["id"], {"maxAttendees": 1})
    assert [guest["email"] for guest in short["attendees"]] == [BOB]
    assert short["attendeesOmitted"] is True
    assert "attendeesOmitted" not in model.get(BOB, "primary", event["id"], {"maxAttendees": 2})
