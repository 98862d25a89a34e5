"""People in front of the web page: each gesture does what Calendar's page does."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from confsync.local.calendar_server.errors import ApiError
from confsync.local.calendar_server.people import Person, addon_conference
from confsync.local.calendar_server.serve import RunningServer
from tests.local.calendar_server.support import ADA, BOB, START, TEAM, check

ID_ONLY = {"kind", "etag", "id", "status"}


@pytest.fixture
def ada(server: RunningServer) -> Iterator[Person]:
    """Return Ada at her browser."""
    with Person(server.url, ADA) as person:
        yield person


@pytest.fixture
def bob(server: RunningServer) -> Iterator[Person]:
    """Return Bob at his browser."""
    with Person(server.url, BOB) as person:
        yield person


def test_an_event_with_conference_and_guests(ada: Person, bob: Person) -> None:
    """The web page lists the organizer as an accepting guest and keeps the add-on's conference."""
    event = check(ada.create("Planning", START, guests=[BOB], conference=addon_conference("c1", notes="x")), "Event")
    assert [guest["responseStatus"] for guest in event["attendees"]] == ["accepted", "needsAction"]
    assert bob.see(event["id"])["conferenceData"] == addon_conference("c1", notes="x")


def test_renaming_dragging_and_guests(ada: Person, bob: Person) -> None:
    """A drag keeps the length; guests come and go."""
    event_id = ada.create("Planning", START, minutes=30)["id"]
    assert ada.rename(event_id, "New")["summary"] == "New"
    dragged = ada.drag(event_id, START + timedelta(hours=2))
    assert (dragged["start"]["dateTime"], dragged["end"]["dateTime"]) == (
        "2026-03-02T12:00:00+01:00",
        "2026-03-02T12:30:00+01:00",
    )
    ada.add_guest(event_id, BOB)
    assert bob.rsvp(event_id, "tentative")["status"] == "confirmed"
    assert ada.see(event_id)["attendees"][1]["responseStatus"] == "tentative"
    ada.remove_guest(event_id, BOB)
    assert set(bob.see(event_id)) == ID_ONLY


def test_declining_and_removing(ada: Person, bob: Person) -> None:
    """Refusals cancel nothing for others, the organizer's own included."""
    event_id = ada.create("Planning", START, guests=[BOB])["id"]
    ada.decline(event_id)
    assert ada.see(event_id)["status"] == "confirmed"
    bob.remove_own_copy(event_id)
    assert ada.see(event_id)["attendees"][1]["responseStatus"] == "declined"
    assert bob.see(event_id)["status"] == "cancelled"


def test_the_trash(ada: Person) -> None:
    """Deleted, restored with a raised sequence, deleted again, and deleted for ever."""
    event_id = ada.create("Planning", START, conference=addon_conference("c1"))["id"]
    ada.delete(event_id)
    restored = ada.restore(event_id)
    assert (restored["id"], restored["status"], restored["sequence"]) == (event_id, "confirmed", 2)
    assert restored["conferenceData"] == addon_conference("c1")
    ada.delete(event_id)
    ada.delete_forever(event_id)
    assert "summary" not in ada.see(event_id)


def test_conferences_come_and_go(ada: Person) -> None:
    """Added, removed, replaced by Meet."""
    event_id = ada.create("Planning", START)["id"]
    assert ada.add_conference(event_id, addon_conference("c1"))["conferenceData"]["conferenceId"] == "c1"
    assert "conferenceData" not in ada.remove_conference(event_id)
    ada.add_conference(event_id, addon_conference("c2"))
    assert ada.switch_to_meet(event_id)["conferenceData"]["conferenceSolution"]["key"]["type"] == "hangoutsMeet"


def test_a_duplicate_shares_the_conference(ada: Person) -> None:
    """The copy is another event with the same conference."""
    event = ada.create("Planning", START, conference=addon_conference("c1"))
    copy = ada.duplicate(event["id"])
    assert copy["id"] != event["id"]
    assert copy["iCalUID"] != event["iCalUID"]
    assert copy["conferenceData"] == event["conferenceData"]


def test_moving_to_another_calendar(ada: Person) -> None:
    """The event is in the other calendar, and a stub stays behind."""
    event_id = ada.create("Planning", START)["id"]
    assert ada.move(event_id, TEAM)["organizer"]["email"] == TEAM
    assert ada.see(event_id)["status"] == "cancelled"
    assert ada.rename(event_id, "New", TEAM)["summary"] == "New"


def test_what_concerns_nobody_else(ada: Person, bob: Person) -> None:
    """Reminders and visibility."""
    event_id = ada.create("Planning", START, guests=[BOB])["id"]
    before = bob.see(event_id)
    assert ada.set_reminder(event_id, 5)["reminders"]["overrides"] == [{"method": "popup", "minutes": 5}]
    assert bob.see(event_id) == before
    assert ada.set_visibility(event_id, "private")["visibility"] == "private"
    assert "visibility" not in ada.set_visibility(event_id, "default")


def test_all_day_and_back(ada: Person) -> None:
    """A timed event dragged to the top of the day becomes all-day; dragged back it lasts an hour."""
    event_id = ada.create("Planning", START, minutes=15)["id"]
    assert ada.drag(event_id, date(2026, 3, 4))["end"] == {"date": "2026-03-05"}
    assert ada.drag(event_id, START)["end"]["dateTime"] == "2026-03-02T11:00:00+01:00"
    assert ada.create("Holiday", date(2026, 3, 9))["start"] == {"date": "2026-03-09"}


def test_one_occurrence(ada: Person) -> None:
    """ "This event": renamed, cancelled, restored, without touching the rest."""
    series = ada.create_weekly("Weekly", START, count=4, time_zone="Europe/Berlin")
    first, second, *_ = ada.occurrences(series["id"])
    ada.rename(first["id"], "Special")
    ada.delete(second["id"])
    assert [item["summary"] for item in ada.occurrences(series["id"])] == ["Special", "Weekly", "Weekly"]
    ada.restore(second["id"])
    assert len(ada.occurrences(series["id"])) == 4


def test_this_and_following_and_all(ada: Person) -> None:
    """Cut without and with another time, edit all, cut off, delete all."""
    series = ada.create_weekly("Weekly", START, time_zone="Europe/Berlin", conference=addon_conference("c1"))
    third = ada.occurrences(series["id"])[2]
    part = ada.edit_following(third["id"], {"summary": "Part"})
    assert part["id"] == f"{series['id']}_R20260316T090000"
    fifth = ada.occurrences(part["id"])[2]
    later = ada.drag_following(fifth["id"], datetime.fromisoformat(fifth["start"]["dateTime"]) + timedelta(hours=3))
    assert series["id"] not in later["id"]
    assert later["conferenceData"] == series["conferenceData"]
    assert ada.edit_all(series["id"], {"location": "Room"})["location"] == "Room"
    assert ada.see(part["id"])["location"] == "Room"
    ended = ada.delete_following(ada.occurrences(later["id"])[1]["id"])
    assert len(ada.occurrences(ended["id"])) == 1
    ada.delete_series(series["id"])
    assert ada.see(series["id"])["status"] == "cancelled"


def test_refusals_reach_the_person(ada: Person, bob: Person) -> None:
    """What Calendar refuses is raised with Google's reason."""
    series = ada.create_weekly("Weekly", START, guests=[BOB])
    with pytest.raises(ApiError, match="forbiddenForNonOrganizer") as caught:
        bob.edit_all(series["id"], {"summary": "Mine"})
    assert caught.value.status == 403
    with pytest.raises(ApiError, match="notFound"):
        ada.see("nosuch")
    with pytest.raises(ValueError, match="no time zone"):
        ada.create("Planning", START.replace(tzinfo=None))
