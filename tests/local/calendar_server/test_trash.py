"""Forgetting what was deleted long ago: it answers 404, no list shows it, and what still matters stays."""

from pathlib import Path

from confsync.local.calendar_server.people import Person
from confsync.local.calendar_server.serve import RunningServer
from confsync.local.calendar_server.storage import Storage
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    START,
    TEAM,
    CheckedModel,
    Clock,
    a_model,
    by_id,
    meeting,
    occurrence,
    plain_http,
    refusal,
    sync,
    weekly,
)

BACK = {"status": "confirmed"}


def test_an_old_deletion_is_forgotten(model: CheckedModel, clock: Clock) -> None:
    """After the days of the trash an event is as if it had never been: get and restore answer 404, lists are silent."""
    event_id = model.insert(ADA, "primary", meeting())["id"]
    model.delete(ADA, "primary", event_id)
    clock.advance(days=30)
    assert model.forget_deleted(ADA) == [event_id]
    assert refusal(model.get, ADA, "primary", event_id) == (404, "notFound")
    assert refusal(model.patch, ADA, "primary", event_id, BACK) == (404, "notFound")
    assert refusal(model.delete, ADA, "primary", event_id) == (404, "notFound")
    assert sync(model, ADA)["items"] == []
    assert model.insert(ADA, "primary", meeting(id=event_id))["status"] == "confirmed"


def test_what_is_young_or_alive_stays(model: CheckedModel, clock: Clock) -> None:
    """Living events and deletions of the last days are left alone."""
    living = model.insert(ADA, "primary", meeting())["id"]
    young = model.insert(ADA, "primary", meeting())["id"]
    clock.advance(days=29)
    model.delete(ADA, "primary", young)
    clock.advance(days=29)
    assert model.forget_deleted(ADA) == []
    assert model.patch(ADA, "primary", young, BACK)["status"] == "confirmed"
    assert set(by_id(sync(model, ADA)["items"])) == {living, young}


def test_a_living_series_keeps_its_cancelled_occurrences(model: CheckedModel, clock: Clock) -> None:
    """A cancelled occurrence is remembered as long as its series, so that it does not come back."""
    series_id = model.insert(ADA, "primary", weekly(rule="RRULE:FREQ=WEEKLY;COUNT=4"))["id"]
    second = occurrence(series_id, 1)
    model.delete(ADA, "primary", second)
    clock.advance(days=99)
    assert model.forget_deleted(ADA) == []
    assert len(model.instances(ADA, "primary", series_id)["items"]) == 3
    model.delete(ADA, "primary", series_id)
    clock.advance(days=99)
    assert model.forget_deleted(ADA) == sorted([series_id, second])


def test_a_series_goes_with_all_its_occurrences(model: CheckedModel, clock: Clock) -> None:
    """Exceptions and occurrences of a forgotten series are unknown too; a part that was split off stays."""
    series_id = model.insert(ADA, "primary", weekly())["id"]
    special, other = occurrence(series_id, 1), occurrence(series_id, 2)
    model.patch(ADA, "primary", special, {"summary": "Special"})
    part = model.edit_this_and_following(ADA, "primary", occurrence(series_id, 3), {"summary": "Part"})["id"]
    fourth = occurrence(series_id, 4)
    model.patch(ADA, "primary", fourth, {"summary": "Fourth"})
    model.delete(ADA, "primary", series_id)
    clock.advance(days=30)
    assert model.forget_deleted(ADA) == sorted([series_id, special])
    for event_id in (series_id, special, other):
        assert refusal(model.get, ADA, "primary", event_id) == (404, "notFound")
    assert set(by_id(sync(model, ADA)["items"])) == {part, fourth}
    assert len(model.instances(ADA, "primary", part)["items"]) > 5


def test_an_exception_that_changed_series_stays_with_the_new_one(model: CheckedModel, clock: Clock) -> None:
    """An occurrence behind a cut that was changed again belongs to the new part and outlives the old one."""
    series_id = model.insert(ADA, "primary", weekly())["id"]
    fifth = occurrence(series_id, 4)
    model.patch(ADA, "primary", fifth, {"summary": "Early"})
    part = model.edit_this_and_following(ADA, "primary", occurrence(series_id, 3), {"summary": "Part"})["id"]
    model.patch(ADA, "primary", fifth, {"summary": "Late"})
    model.delete(ADA, "primary", series_id)
    clock.advance(days=30)
    assert model.forget_deleted(ADA) == [series_id]
    assert model.get(ADA, "primary", fifth)["recurringEventId"] == part


def test_an_older_sync_token_expires(model: CheckedModel, clock: Clock) -> None:
    """A caller who was not told of the deletion must list in full; one who was told goes on."""
    event_id = model.insert(ADA, "primary", meeting())["id"]
    before = sync(model, ADA)["nextSyncToken"]
    model.delete(ADA, "primary", event_id)
    after = sync(model, ADA)["nextSyncToken"]
    clock.advance(days=30)
    model.forget_deleted(ADA)
    params = {"showDeleted": True, "syncToken": before}
    assert refusal(model.list_events, ADA, "primary", params) == (410, "fullSyncRequired")
    assert sync(model, ADA, token=after)["items"] == []


def test_each_calendar_forgets_for_itself(model: CheckedModel, clock: Clock) -> None:
    """Guests' tombstones and what a move left behind go with their own calendar."""
    event_id = model.insert(ADA, "primary", meeting("Planning", BOB))["id"]
    model.move(ADA, "primary", event_id, {"destination": TEAM})
    model.delete(ADA, TEAM, event_id)
    clock.advance(days=30)
    assert model.forget_deleted(ADA) == [event_id]
    assert model.get(BOB, "primary", event_id)["status"] == "cancelled"
    assert model.get(ADA, TEAM, event_id)["summary"] == "Planning"
    assert (model.forget_deleted(BOB), model.forget_deleted(TEAM)) == ([event_id], [event_id])


def test_a_refused_invitation_does_not_come_back(model: CheckedModel, clock: Clock) -> None:
    """Whose removed copy was forgotten is not invited again by the organizer's next change, unless asked anew."""
    event = model.insert(ADA, "primary", meeting("Planning", BOB))
    model.delete(BOB, "primary", event["id"])
    clock.advance(days=30)
    model.forget_deleted(BOB)
    model.patch(ADA, "primary", event["id"], {"summary": "New"})
    assert refusal(model.get, BOB, "primary", event["id"]) == (404, "notFound")
    model.patch(ADA, "primary", event["id"], {"attendees": [{"email": BOB, "responseStatus": "needsAction"}]})
    assert model.get(BOB, "primary", event["id"])["status"] == "confirmed"


def test_recorded_tombstones_are_forgotten_too(model: CheckedModel, clock: Clock) -> None:
    """A recorded deletion goes; a recorded cancelled occurrence stays with its living series."""
    series_id = model.insert(ADA, "primary", weekly())["id"]
    gone = {"kind": "calendar#event", "id": "abcde", "status": "cancelled", "etag": '"1"'}
    cancelled = {**gone, "id": "fghij", "recurringEventId": series_id}
    model.import_payload(ADA, [gone, cancelled])
    clock.advance(days=30)
    assert model.forget_deleted(ADA) == ["abcde"]


def test_the_file_forgets_as_well(tmp_path: Path, clock: Clock) -> None:
    """After a restart the event is still unknown and older tokens still answer 410."""
    model, storage = a_model(clock), Storage(tmp_path / "calendar.db")
    token = sync(model, ADA)["nextSyncToken"]
    event_id = model.insert(ADA, "primary", meeting())["id"]
    model.delete(ADA, "primary", event_id)
    storage.save(model.state)
    clock.advance(days=30)
    model.forget_deleted(ADA)
    storage.save(model.state)
    model.state.clear()
    storage.load(model.state)
    storage.close()
    assert refusal(model.get, ADA, "primary", event_id) == (404, "notFound")
    params = {"showDeleted": True, "syncToken": token}
    assert refusal(model.list_events, ADA, "primary", params) == (410, "fullSyncRequired")


def test_forgetting_over_http(server: RunningServer) -> None:
    """The control call answers with the forgotten ids and refuses an unknown calendar."""
    with Person(server.url, ADA) as ada, plain_http(server.url) as http:
        event_id = ada.create("Planning", START)["id"]
        ada.delete(event_id)
        assert http.post("/_local/forget_deleted", json={"calendar_id": ADA}).json() == []
        http.post("/_local/faults", json={"lists": {"tombstone_days": 0}}).raise_for_status()
        assert http.post("/_local/forget_deleted", json={"calendar_id": ADA}).json() == [event_id]
        assert http.post("/_local/forget_deleted", json={"calendar_id": "no@where"}).status_code == 404
