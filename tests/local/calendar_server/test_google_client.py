"""google-api-python-client as the client: every method that a syncing program uses, each answer schema-checked."""

from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from googleapiclient.http import HttpRequest
from httplib2 import Http

from confsync.local.calendar_server.serve import RunningServer
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    TEAM,
    check,
    meeting,
    occurrence,
    plain_http,
    timed,
    weekly,
    with_conference,
)


class SignedIn(Http):  # type: ignore[misc]  # httplib2 has no types
    """Connections that carry a bearer token."""

    def __init__(self, user: str) -> None:
        super().__init__()
        self._user = user

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **more: Any) -> Any:
        """Send a request with the user's token."""
        signed = {**(headers or {}), "authorization": f"Bearer {self._user}"}
        return super().request(uri, method, body, signed, **more)


ANONYMOUS = AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth is typed in part


def events_of(server: RunningServer, user: str = ADA) -> Any:
    """Return the client's resource of events, signed in as a user."""
    return _service(server, user).events()


def _service(server: RunningServer, user: str = ADA) -> Any:
    http = SignedIn(user)

    def request_builder(_: Any, *args: Any, **kwargs: Any) -> HttpRequest:
        return HttpRequest(http, *args, **kwargs)

    endpoint = {"api_endpoint": f"{server.url}/calendar/v3/"}
    return build(
        "calendar", "v3", credentials=ANONYMOUS, client_options=endpoint,
        cache_discovery=False, requestBuilder=request_builder,
    )  # fmt: skip


def test_a_life_of_an_event(server: RunningServer) -> None:
    """Insert, get, update, patch, delete, each valid to the letter."""
    events = events_of(server)
    event = check(
        events.insert(calendarId="primary", body=with_conference(meeting("a", BOB)), conferenceDataVersion=1).execute(),
        "Event",
    )
    one = {"calendarId": "primary", "eventId": event["id"]}
    assert check(events.get(**one).execute(), "Event") == event
    changed = events.update(**one, body={**event, "summary": "b"}, conferenceDataVersion=1).execute()
    assert check(changed, "Event")["conferenceData"] == event["conferenceData"]
    assert check(events.patch(**one, body=timed(), sendUpdates="none").execute(), "Event")["summary"] == "b"
    assert events.delete(**one).execute() == ""
    assert check(events.get(**one).execute(), "Event")["status"] == "cancelled"


def test_if_match(server: RunningServer) -> None:
    """The header set on a request is honoured, and the reason can be read from the error."""
    events = events_of(server)
    event = events.insert(calendarId="primary", body=meeting()).execute()
    stale = events.patch(calendarId="primary", eventId=event["id"], body={"summary": "b"})
    stale.headers["If-Match"] = '"0"'
    with pytest.raises(HttpError) as caught:
        stale.execute()
    assert caught.value.status_code == 412
    assert caught.value.error_details[0]["reason"] == "conditionNotMet"
    fresh = events.patch(calendarId="primary", eventId=event["id"], body={"summary": "b"})
    fresh.headers["If-Match"] = event["etag"]
    assert fresh.execute()["summary"] == "b"


def test_paging_with_list_next(server: RunningServer) -> None:
    """list_next walks the pages of a full and of an incremental list; only the last has the sync token."""
    events = events_of(server)
    for number in range(5):
        events.insert(calendarId="primary", body=meeting(f"{number}")).execute()
    token: str | None = None
    for expected in (5, 0, 1):
        if expected == 1:
            events.insert(calendarId="primary", body=meeting("more")).execute()
        request, items, page = (
            events.list(calendarId="primary", maxResults=2, syncToken=token, showDeleted=True),
            [],
            {},
        )
        while request is not None:
            page = check(request.execute(), "Events")
            items += page["items"]
            request = events.list_next(request, page)
            assert ("nextSyncToken" in page) == (request is None)
        token = page["nextSyncToken"]
        assert len(items) == expected


def test_repeated_and_partial_parameters(server: RunningServer) -> None:
    """eventTypes may be a list, fields selects, quotaUser and unknown-to-us standard parameters do no harm."""
    events = events_of(server)
    events.insert(calendarId="primary", body=meeting()).execute()
    page = events.list(
        calendarId="primary", eventTypes=["default", "focusTime"], fields="items(id,start/dateTime),nextSyncToken",
        quotaUser="someone", singleEvents=False, timeZone="UTC",
    ).execute()  # fmt: skip
    assert set(page) == {"items", "nextSyncToken"}
    assert set(page["items"][0]) == {"id", "start"}


def test_expired_and_malformed_tokens(server: RunningServer) -> None:
    """410 and 400 are told apart by their reasons."""
    service = _service(server)
    token = service.events().list(calendarId="primary").execute()["nextSyncToken"]
    server_side = {"fullSyncRequired": token, "invalid": "x"}
    with plain_http(server.url) as http:
        http.post("/_local/expire_sync_tokens", json={}).raise_for_status()
    for reason, wrong in server_side.items():
        with pytest.raises(HttpError) as caught:
            service.events().list(calendarId="primary", syncToken=wrong).execute()
        assert caught.value.error_details[0]["reason"] == reason


def test_series_and_instances(server: RunningServer) -> None:
    """Instances, an exception, and a move of the whole to another calendar."""
    events = events_of(server)
    series = events.insert(calendarId="primary", body=weekly(BOB)).execute()
    page = check(events.instances(calendarId="primary", eventId=series["id"], maxResults=3).execute(), "Events")
    assert len(page["items"]) == 3
    assert events.instances_next(events.instances(calendarId="primary", eventId=series["id"], maxResults=3), page)
    second = occurrence(series["id"], 1)
    check(events.patch(calendarId="primary", eventId=second, body={"summary": "x"}).execute(), "Event")
    stub = events.move(calendarId="primary", eventId=series["id"], destination=TEAM).execute()
    assert check(stub, "Event")["status"] == "cancelled"
    assert events.get(calendarId=TEAM, eventId=second).execute()["summary"] == "x"
    assert check(events_of(server, BOB).get(calendarId="primary", eventId=second).execute(), "Event")["summary"] == "x"


def test_import(server: RunningServer) -> None:
    """events.import is reachable although its name is a word of Python."""
    events = events_of(server)
    body = meeting(iCalUID="foreign@example.com")
    assert check(events.import_(calendarId="primary", body=body).execute(), "Event")["id"].startswith("_")


def test_channels(server: RunningServer) -> None:
    """watch answers a channel, stop an empty body, a second stop 404."""
    service = _service(server)
    body = {
        "id": "c1",
        "type": "web_hook",
        "address": "https://hooks.example.com/",
        "token": "t",
        "params": {"ttl": "60"},
    }
    channel = check(service.events().watch(calendarId="primary", body=body, eventTypes="default").execute(), "Channel")
    stop = {"id": channel["id"], "resourceId": channel["resourceId"]}
    assert service.channels().stop(body=stop).execute() == ""
    with pytest.raises(HttpError) as caught:
        service.channels().stop(body=stop).execute()
    assert caught.value.status_code == 404


def test_calendars(server: RunningServer) -> None:
    """The calendar list and single calendars."""
    service = _service(server)
    listed = check(service.calendarList().list().execute(), "CalendarList")
    assert {item["id"] for item in listed["items"]} == {ADA, TEAM}
    assert check(service.calendarList().get(calendarId=TEAM).execute(), "CalendarListEntry")["summary"] == "Team"
    assert check(service.calendars().get(calendarId="primary").execute(), "Calendar")["id"] == ADA
    service.events().insert(calendarId="primary", body=meeting()).execute()
    service.calendars().clear(calendarId="primary").execute()
    assert service.events().list(calendarId="primary").execute()["items"] == []
    service.calendars().delete(calendarId=TEAM).execute()
    with pytest.raises(HttpError) as caught:
        service.calendars().get(calendarId=TEAM).execute()
    assert caught.value.status_code == 404


def test_long_queries_are_sent_as_posts(server: RunningServer) -> None:
    """Beyond 2048 characters the client sends the query as a form; the answer is the same."""
    events = events_of(server)
    events.insert(calendarId="primary", body=meeting()).execute()
    fields = "items(" + ",".join(["id", "summary"] * 200) + ")"
    page = events.list(calendarId="primary", fields=fields).execute()
    assert set(page["items"][0]) == {"id", "summary"}
