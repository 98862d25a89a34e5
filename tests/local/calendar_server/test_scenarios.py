"""Rows of the table of calendar changes, each done the way people do it: what lists then show is what the row says."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from confsync.local.calendar_server.errors import ApiError, Json
from confsync.local.calendar_server.people import Person, addon_conference
from confsync.local.calendar_server.serve import RunningServer
from tests.local.calendar_server.support import ADA, BOB, CYD, START, TEAM, plain_http

ID_ONLY = {"kind", "etag", "id", "status"}
LATER = START + timedelta(hours=3)
CALLS = "/calendar/v3/calendars/primary/events"


class Watcher:
    """Someone who follows a person's calendar by sync tokens, over HTTP."""

    def __init__(self, url: str, email: str) -> None:
        self._http = plain_http(url, email)
        self._params: dict[str, Any] = {"showDeleted": "true"}
        self.news()

    def news(self) -> dict[str, Json]:
        """Return what changed since the last call, by id."""
        page = self._http.get(CALLS, params=self._params).raise_for_status().json()
        self._params["syncToken"] = page["nextSyncToken"]
        return {item["id"]: item for item in page["items"]}

    def close(self) -> None:
        """Stop watching."""
        self._http.close()


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


@pytest.fixture
def adas(server: RunningServer) -> Iterator[Watcher]:
    """Return a watcher of Ada's calendar."""
    watcher = Watcher(server.url, ADA)
    yield watcher
    watcher.close()


@pytest.fixture
def bobs(server: RunningServer) -> Iterator[Watcher]:
    """Return a watcher of Bob's calendar."""
    watcher = Watcher(server.url, BOB)
    yield watcher
    watcher.close()


def planning(ada: Person, *guests: str, **details: Any) -> str:
    """Let Ada plan a meeting with a conference, and return its id."""
    return str(ada.create("Planning", START, guests=guests, conference=addon_conference("c1"), **details)["id"])


def control(server: RunningServer, name: str, **body: Any) -> Any:
    """Make a control call."""
    with plain_http(server.url) as http:
        return http.post(f"/_local/{name}", json=body).raise_for_status().json()


@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_row_3_a_request_is_pending_and_then_settled(
    server: RunningServer, ada: Person, adas: Watcher, outcome: str
) -> None:
    """First there is a request without a conference; the outcome is another change."""
    control(server, "faults", meet="pending")
    event_id = planning(ada)
    ada.switch_to_meet(event_id)
    data = adas.news()[event_id]["conferenceData"]
    assert (set(data), data["createRequest"]["status"]["statusCode"]) == ({"createRequest"}, "pending")
    assert control(server, "settle_conferences", calendar_id=ADA, outcome=outcome) == 1
    data = adas.news()[event_id]["conferenceData"]
    assert data["createRequest"]["status"]["statusCode"] == outcome
    assert ("conferenceId" in data) is (outcome == "success")


def test_rows_8_and_16_guests_come_and_go(ada: Person, adas: Watcher, bobs: Watcher) -> None:
    """The organizer's event has other guests; the removed guest's copy is an id-only tombstone."""
    event_id = planning(ada)
    ada.add_guest(event_id, BOB)
    assert bobs.news()[event_id]["conferenceData"]["conferenceId"] == "c1"
    ada.remove_guest(event_id, BOB)
    assert [guest["email"] for guest in adas.news()[event_id]["attendees"]] == [ADA]
    assert set(bobs.news()[event_id]) == ID_ONLY


def test_rows_14_and_15_refusals_cancel_nothing_for_others(
    ada: Person, bob: Person, adas: Watcher, bobs: Watcher
) -> None:
    """The organizer declines, a guest removes the own copy: the organizer's event stays confirmed."""
    event_id = planning(ada, BOB)
    ada.decline(event_id)
    assert adas.news()[event_id]["status"] == "confirmed"
    bobs.news()
    bob.remove_own_copy(event_id)
    assert [g["responseStatus"] for g in adas.news()[event_id]["attendees"]] == ["declined", "declined"]
    gone = bobs.news()[event_id]
    assert (gone["status"], gone["summary"], gone["organizer"]) == ("cancelled", "Planning", {"email": ADA})


def test_row_17_a_guest_moves_the_own_copy(ada: Person, bob: Person, adas: Watcher, bobs: Watcher) -> None:
    """Without the right to edit, the organizer's event knows nothing of it."""
    event_id = planning(ada, BOB)
    adas.news()
    bob.drag(event_id, LATER)
    assert adas.news() == {}
    assert bobs.news()[event_id]["start"]["dateTime"] == "2026-03-02T13:00:00+01:00"


def test_row_18_a_guest_who_may_edit_changes_everyones(ada: Person, bob: Person, adas: Watcher) -> None:
    """With guestsCanModify a guest's edit is an ordinary change of the organizer's event."""
    event_id = planning(ada, BOB, more={"guestsCanModify": True})
    adas.news()
    bob.drag(event_id, LATER)
    changed = adas.news()[event_id]
    assert (changed["start"]["dateTime"], changed["organizer"]["self"]) == ("2026-03-02T13:00:00+01:00", True)


def test_row_20_another_organizer(ada: Person, bob: Person, adas: Watcher, bobs: Watcher) -> None:
    """Given to someone whose calendar the giver cannot write: same id and iCalUID there, a cancelled stub here."""
    event_id = planning(ada)
    before = ada.see(event_id)
    given = ada.change_owner(event_id, BOB)
    assert given["organizer"] == {"email": BOB, "self": True}
    assert all(given[name] == before[name] for name in ("id", "iCalUID", "created", "conferenceData"))
    assert set(adas.news()[event_id]) == ID_ONLY
    assert bobs.news()[event_id]["organizer"]["self"] is True
    assert bob.rename(event_id, "Bob's")["summary"] == "Bob's"
    for nobody in ("nobody@example.com", TEAM):
        with pytest.raises(ApiError, match="notFound"):
            bob.change_owner(event_id, nobody)


def test_row_20_the_former_organizer_who_is_a_guest_sees_whose_it_is(ada: Person, adas: Watcher) -> None:
    """With guests the former organizer is one of them, and the stub names the new organizer."""
    event_id = planning(ada, CYD)
    ada.change_owner(event_id, BOB)
    stub = adas.news()[event_id]
    assert (stub["status"], stub["organizer"]) == ("cancelled", {"email": BOB})


def test_row_24_one_occurrence_without_the_conference(ada: Person, adas: Watcher) -> None:
    """The exception has no conference or another one; the series keeps its own."""
    series_id = planning(ada, recurrence=["RRULE:FREQ=WEEKLY"])
    _, second, third, *_ = ada.occurrences(series_id)
    ada.remove_conference(second["id"])
    ada.add_conference(third["id"], addon_conference("c2"))
    found = {key: item.get("conferenceData", {}).get("conferenceId") for key, item in adas.news().items()}
    assert found == {series_id: "c1", second["id"]: None, third["id"]: "c2"}


def test_row_27_following_events_are_deleted(ada: Person, adas: Watcher) -> None:
    """It looks like an edit: the series got an end."""
    series_id = planning(ada, recurrence=["RRULE:FREQ=WEEKLY"])
    ada.delete_following(ada.occurrences(series_id)[2]["id"])
    [item] = adas.news().values()
    assert (item["id"], item["status"]) == (series_id, "confirmed")
    assert "UNTIL=20260315T235959Z" in item["recurrence"][0]


def test_row_29_invited_to_one_occurrence(ada: Person, bob: Person, bobs: Watcher) -> None:
    """The guest has the occurrence and not the series, which is not found there; so too when uninvited."""
    series_id = planning(ada, recurrence=["RRULE:FREQ=WEEKLY"])
    second = ada.occurrences(series_id)[1]["id"]
    ada.add_guest(second, BOB)
    [item] = bobs.news().values()
    assert (item["id"], item["recurringEventId"], item["organizer"]) == (second, series_id, {"email": ADA})
    with pytest.raises(ApiError, match="404 notFound"):
        bob.see(series_id)
    ada.remove_guest(second, BOB)
    assert set(bobs.news()[second]) == ID_ONLY


def test_row_38_from_timed_to_all_day(ada: Person, adas: Watcher) -> None:
    """Start and end are dates without a zone, the end exclusive."""
    event_id = planning(ada)
    ada.drag(event_id, date(2026, 3, 4))
    item = adas.news()[event_id]
    assert (item["start"], item["end"]) == ({"date": "2026-03-04"}, {"date": "2026-03-05"})


def imported(**more: Any) -> Json:
    """Return an event as another system's invitation describes it."""
    times = {"start": {"dateTime": "2026-03-02T09:00:00Z"}, "end": {"dateTime": "2026-03-02T10:00:00Z"}}
    return {"iCalUID": "040000008200E@outlook", "summary": "Theirs", **times, **more}


def test_row_40_an_import_has_its_own_organizer(ada: Person, adas: Watcher) -> None:
    """The copy names the foreign organizer, has an iCalUID that Google did not make, and its own creation time."""
    body = imported(organizer={"email": "eve@elsewhere.example"}, conferenceData=addon_conference("c9"))
    event_id = ada.import_event(body)["id"]
    item = adas.news()[event_id]
    assert (item["organizer"], item["iCalUID"]) == ({"email": "eve@elsewhere.example"}, "040000008200E@outlook")
    assert item["conferenceData"]["conferenceId"] == "c9"
    assert ada.import_event({**body, "summary": "Changed"})["created"] == item["created"]


def test_row_40_a_private_copy_reaches_nobody(ada: Person, bob: Person, adas: Watcher, bobs: Watcher) -> None:
    """Changes of a private copy are passed on to no guest, and the mark stays."""
    event_id = planning(ada, BOB, more={"privateCopy": True})
    ada.rename(event_id, "New")
    assert adas.news()[event_id]["privateCopy"] is True
    assert bobs.news() == {}
    with pytest.raises(ApiError, match="404 notFound"):
        bob.see(event_id)


def test_row_41_events_of_other_types_are_listed_too(server: RunningServer, ada: Person, adas: Watcher) -> None:
    """A list that names no type has all of them; one that asks for the default type has only that."""
    plain = planning(ada)
    types = ("focusTime", "outOfOffice", "workingLocation", "birthday", "fromGmail")
    special = {ada.create(kind, START, more={"eventType": kind})["id"]: kind for kind in types}
    assert {key: item["eventType"] for key, item in adas.news().items()} == {plain: "default", **special}
    with plain_http(server.url, ADA) as http:
        asked = http.get(CALLS, params={"eventTypes": "default"}).json()["items"]
    assert [item["id"] for item in asked] == [plain]


def test_row_46_a_calendar_of_ones_own_is_deleted(ada: Person) -> None:
    """What was in it is gone with it; the own calendar cannot be deleted."""
    calendar_id = ada.create_calendar("Other", "Europe/Berlin")["id"]
    event = ada.create("Planning", START, calendar_id=calendar_id)
    assert event["organizer"] == {"email": calendar_id, "displayName": "Other", "self": True}
    ada.delete_calendar(calendar_id)
    with pytest.raises(ApiError, match="404 notFound"):
        ada.see(event["id"], calendar_id)
    with pytest.raises(ApiError, match="cannotDeletePrimary"):
        ada.delete_calendar("primary")
    with pytest.raises(ApiError, match="Missing summary"):
        ada.create_calendar("")


def test_row_47_everything_is_deleted_at_once(ada: Person, adas: Watcher) -> None:
    """Clearing the own calendar leaves a tombstone of each event, all under one etag."""
    ids = {planning(ada) for _ in range(25)}
    ada.clear_calendar()
    gone = adas.news()
    assert set(gone) == ids
    assert {item["status"] for item in gone.values()} == {"cancelled"}
    assert len({item["etag"] for item in gone.values()}) == 1


def test_rows_48_and_49_a_suspended_user(server: RunningServer, ada: Person, bob: Person) -> None:
    """Every call in the user's name answers 401; events live on, with their guests, and so after the suspension."""
    event_id = planning(ada, BOB)
    control(server, "suspend", email=ADA)
    calls = [
        lambda: ada.see(event_id),
        lambda: ada.rename(event_id, "New"),
        lambda: ada.delete(event_id),
        lambda: ada.duplicate(event_id),
        lambda: ada.create_calendar("Other"),
        ada.clear_calendar,
    ]
    for call in calls:
        with pytest.raises(ApiError, match="401 authError"):
            call()
    assert bob.see(event_id)["status"] == "confirmed"
    control(server, "reinstate", email=ADA)
    assert ada.see(event_id)["status"] == "confirmed"


@pytest.mark.parametrize("conference", [("c1", "New Name"), ("c2", "Sample Meetings"), ("c1", "Other Solution")])
def test_row_60_another_solution_or_name(ada: Person, adas: Watcher, conference: tuple[str, str]) -> None:
    """Name and id of an add-on's conference are just what the add-on writes."""
    event_id = planning(ada)
    conference_id, solution = conference
    ada.add_conference(event_id, addon_conference(conference_id, solution=solution))
    data = adas.news()[event_id]["conferenceData"]
    assert (data["conferenceId"], data["conferenceSolution"]["name"]) == conference
    assert data["conferenceSolution"]["key"] == {"type": "addOn"}
