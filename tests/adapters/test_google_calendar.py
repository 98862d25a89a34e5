"""The Calendar adapter against the local Calendar server: what it reads, writes, watches and makes of refusals."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import uuid4

import httpx
import pytest

from confsync.adapters.google_calendar import GoogleCalendar
from confsync.adapters.sign_in import local
from confsync.core.events import Event, Window, parse_event
from confsync.errors import (
    CalendarAccessLost,
    CalendarError,
    CalendarQuotaExceeded,
    CalendarRateLimited,
    CalendarRequestRejected,
    CalendarUnavailable,
    ChannelIdTaken,
    PageTokenRejected,
    PreconditionFailed,
    PushNotSupported,
    SyncTokenRejected,
)
from confsync.local.calendar_server.serve import RunningServer, running
from confsync.ports import Address, CalendarApi

ADD_ON = {
    "conferenceId": "meet-1",
    "conferenceSolution": {"key": {"type": "addOn"}, "name": "Acme Meet", "iconUri": "https://acme.example/i.png"},
    "entryPoints": [{"entryPointType": "video", "uri": "https://acme.example/meet-1"}],
}


@dataclass(frozen=True)
class Google:
    """A running Calendar server and what a person may do there without our adapter."""

    http: httpx.Client
    endpoint: str
    ann: str
    bob: str

    @property
    def at(self) -> Address:
        """Ann's primary calendar, as she sees it."""
        return Address(self.ann, self.ann)

    def control(self, what: str, **settings: Any) -> None:
        """Turn one of the server's knobs."""
        self.http.post(f"/_local/{what}", json=settings).raise_for_status()

    def call(self, method: str, path: str, *, by: str | None = None, **settings: Any) -> Any:
        """Make one call of the API as a person."""
        headers = {"Authorization": f"Bearer {by or self.ann}", **settings.pop("headers", {})}
        answer = self.http.request(method, f"/calendar/v3{path}", headers=headers, **settings)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def insert(self, summary: str, *, by: str | None = None, **fields: Any) -> Any:
        """Put a one-hour event into a person's primary calendar."""
        times = {
            "start": {"dateTime": "2026-03-02T10:00:00Z", "timeZone": "Europe/Paris"},
            "end": {"dateTime": "2026-03-02T11:00:00Z", "timeZone": "Europe/Paris"},
        }
        body = {"summary": summary, **times, **fields}
        params = {"conferenceDataVersion": 1, "supportsAttachments": "true"}
        return self.call("POST", "/calendars/primary/events", by=by, json=body, params=params)

    def read(self, event_id: str) -> Any:
        """Read an event whole."""
        return self.call("GET", f"/calendars/primary/events/{event_id}")


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """One Calendar server for all tests here."""
    with running() as server:
        yield server


@pytest.fixture
def google(server: RunningServer) -> Iterator[Google]:
    """The server without faults, and two users whom no other test knows."""
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        ann, bob = (f"{name}.{uuid4().hex[:8]}@example.com" for name in ("ann", "bob"))
        google = Google(http, f"{server.url}/calendar/v3/", ann, bob)
        for email in (ann, bob):
            google.control("users", email=email)
        yield google
        http.delete("/_local/faults").raise_for_status()


@pytest.fixture
def calendar(google: Google) -> CalendarApi:
    """The adapter, pointed at the server."""
    return GoogleCalendar(local(), endpoint=google.endpoint)


def full(calendar: CalendarApi, at: Address, window: Window | None = None) -> tuple[list[Event], str]:
    """List everything; return the events and the sync token."""
    return pages(calendar, at, None, window or Window())


def changes(calendar: CalendarApi, at: Address, sync_token: str) -> tuple[list[Event], str]:
    """List what changed; return the events and the next sync token."""
    return pages(calendar, at, sync_token, Window())


def pages(calendar: CalendarApi, at: Address, sync_token: str | None, window: Window) -> tuple[list[Event], str]:
    """Follow page tokens to the end."""
    events, page_token = [], None
    while True:
        page = calendar.list_events(at, sync_token=sync_token, page_token=page_token, window=window)
        events += [parse_event(item) for item in page.items]
        if page.next_sync_token is not None:
            return events, page.next_sync_token
        page_token = page.next_page_token


def test_a_calendar_is_read_page_by_page_and_then_by_its_changes(google: Google, calendar: CalendarApi) -> None:
    """All events come in the full listing, and afterwards exactly what was changed, added and deleted."""
    google.control("faults", lists={"page_cap": 3, "empty_pages": 1})
    ids = [google.insert(f"event {number}")["id"] for number in range(7)]
    events, sync_token = full(calendar, google.at)
    assert {event.id for event in events} == set(ids)
    google.call("PATCH", f"/calendars/primary/events/{ids[0]}", json={"summary": "renamed"})
    google.call("DELETE", f"/calendars/primary/events/{ids[1]}")
    added = google.insert("added")["id"]
    changed, sync_token = changes(calendar, google.at, sync_token)
    assert {(event.id, event.is_cancelled) for event in changed} == {(ids[0], False), (ids[1], True), (added, False)}
    assert changes(calendar, google.at, sync_token)[0] == []


def test_an_event_shows_what_a_conference_depends_on(google: Google, calendar: CalendarApi) -> None:
    """Through the masks come times, guests, the organizer's mark and the conference; reading alone shows the same."""
    event_id = google.insert("Review", conferenceData=ADD_ON, attendees=[{"email": google.bob}])["id"]
    (listed,), _ = full(calendar, google.at)
    assert calendar.get_event(google.at, event_id) == listed
    assert listed.is_organizers_copy
    assert listed.start is not None
    assert (listed.start.moment().instant, listed.start.time_zone) == (
        datetime(2026, 3, 2, 10, tzinfo=UTC),
        "Europe/Paris",
    )
    assert google.bob in {person.email for person in listed.attendees}
    assert listed.conference_data is not None
    assert listed.conference_data.conference_id == "meet-1"
    assert listed.conference_data.solution.name == "Acme Meet"
    (copy,), _ = full(calendar, Address(google.bob, google.bob))
    assert (copy.id, copy.is_organizers_copy) == (listed.id, False)


def test_a_window_bounds_a_listing_without_a_sync_token(google: Google, calendar: CalendarApi) -> None:
    """The first listing of a calendar may leave out what is long over."""
    google.insert("over")
    later = {"dateTime": "2026-06-01T10:00:00Z"}, {"dateTime": "2026-06-01T11:00:00Z"}
    google.insert("to come", start=later[0], end=later[1])
    events, _ = full(calendar, google.at, window=Window(time_min=datetime(2026, 4, 1, tzinfo=UTC)))
    assert [event.summary for event in events] == ["to come"]
    future = Window(updated_min=datetime.now(UTC) + timedelta(hours=1))
    assert full(calendar, google.at, window=future)[0] == []


def test_a_series_comes_with_all_its_exceptions(google: Google, calendar: CalendarApi) -> None:
    """One iCalUID gives the master, a moved instance and a cancelled one, over several pages, and no other event."""
    google.control("faults", lists={"page_cap": 1})
    google.insert("other")
    series = google.insert("series", recurrence=["RRULE:FREQ=DAILY;COUNT=5"])
    first, second, *_ = google.call("GET", f"/calendars/primary/events/{series['id']}/instances")["items"]
    google.call("PATCH", f"/calendars/primary/events/{first['id']}", json={"summary": "special"})
    google.call("DELETE", f"/calendars/primary/events/{second['id']}")
    found = {event.id: event for event in calendar.list_series(google.at, series["iCalUID"])}
    assert set(found) == {series["id"], first["id"], second["id"]}
    assert found[series["id"]].recurrence == ("RRULE:FREQ=DAILY;COUNT=5",)
    assert found[first["id"]].summary == "special"
    assert found[second["id"]].is_cancelled
    assert found[second["id"]].recurring_event_id == series["id"]


def test_an_unknown_series_is_empty(google: Google, calendar: CalendarApi) -> None:
    """No event has this iCalUID: nothing, rather than an error."""
    assert calendar.list_series(google.at, "nobody@example.com") == ()


def test_a_deleted_event_is_read_as_cancelled_and_an_unknown_one_as_none(google: Google, calendar: CalendarApi) -> None:
    """Calendar answers 200 for a deleted event; only an id that never was is None."""
    event_id = google.insert("short-lived")["id"]
    google.call("DELETE", f"/calendars/primary/events/{event_id}")
    deleted = calendar.get_event(google.at, event_id)
    assert deleted is not None
    assert deleted.is_cancelled
    assert calendar.get_event(google.at, "neverexisted") is None


RICH: dict[str, Any] = {
    "description": "<b>bold</b>",
    "attendees": [{"email": "guest@elsewhere.example", "optional": True, "comment": "late"}],
    "attachments": [{"fileUrl": "https://example.com/a", "title": "a"}],
    "extendedProperties": {"private": {"ours": "1"}, "shared": {"theirs": "2"}},
    "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 7}]},
    "guestsCanModify": True,
    "colorId": "5",
}


def _without(event: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in keys}


def test_writing_a_conference_loses_nothing_of_the_event(google: Google, calendar: CalendarApi) -> None:
    """Afterwards the event differs in its conference and its version, and in nothing else."""
    before = google.read(google.insert("Review", conferenceData=ADD_ON, **RICH)["id"])
    other = {**ADD_ON, "conferenceId": "meet-2"}
    written = calendar.write_conference_data(google.at, before["id"], before["etag"], other)
    after = google.read(before["id"])
    assert after["conferenceData"]["conferenceId"] == "meet-2"
    assert written == calendar.get_event(google.at, before["id"])
    versions = {"etag", "updated", "sequence", "conferenceData"}
    assert {key: after[key] for key in after.keys() - versions} == {
        key: before[key] for key in before.keys() - versions
    }


def test_a_conference_is_cleared_by_writing_none(google: Google, calendar: CalendarApi) -> None:
    """None removes the conference from the event."""
    event = google.insert("Review", conferenceData=ADD_ON)
    assert calendar.write_conference_data(google.at, event["id"], event["etag"], None).conference_data is None
    assert "conferenceData" not in google.read(event["id"])


def test_a_stale_etag_writes_nothing(google: Google, calendar: CalendarApi) -> None:
    """Who read an older version has to read again; the newer one stays as it is."""
    event = google.insert("Review", conferenceData=ADD_ON)
    google.call("PATCH", f"/calendars/primary/events/{event['id']}", json={"summary": "renamed"})
    with pytest.raises(PreconditionFailed):
        calendar.write_conference_data(google.at, event["id"], event["etag"], None)
    assert google.read(event["id"])["conferenceData"]["conferenceId"] == "meet-1"


class _Receiver:
    """Receives pushes on loopback."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.came = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def _receive(self) -> None:
                with receiver.came:
                    receiver.states.append(self.headers["X-Goog-Resource-State"])
                    receiver.came.notify_all()
                self.send_response(204)
                self.end_headers()

            do_POST = _receive  # noqa: N815  # http.server's name

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def wait_for(self, state: str) -> bool:
        """Wait until a push of this state came."""
        with self.came:
            return self.came.wait_for(lambda: state in self.states, timeout=10)


@pytest.fixture
def receiver() -> Iterator[_Receiver]:
    """A running receiver."""
    receiver = _Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.01,))
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


@pytest.fixture
def channel_id() -> str:
    """An id that no channel had."""
    return uuid4().hex


def watch(calendar: CalendarApi, address: str, at: Address, channel_id: str) -> Any:
    """Open a channel for an hour."""
    return calendar.watch_events(at, channel_id=channel_id, channel_token="t", address=address, ttl_s=3600)


def test_a_watched_calendar_pushes_until_it_is_stopped(
    google: Google, calendar: CalendarApi, receiver: _Receiver, channel_id: str
) -> None:
    """A channel greets, reports a change, ends when it said, and can be stopped twice."""
    channel = watch(calendar, receiver.url, google.at, channel_id)
    assert timedelta(minutes=59) < channel.expires_at - datetime.now(UTC) <= timedelta(hours=1)
    assert receiver.wait_for("sync")
    google.insert("new")
    assert receiver.wait_for("exists")
    calendar.stop_channel(google.at, channel_id, channel.resource_id)
    calendar.stop_channel(google.at, channel_id, channel.resource_id)


def test_a_calendar_that_cannot_be_watched_says_so(google: Google, calendar: CalendarApi, channel_id: str) -> None:
    """Such a calendar has to be polled."""
    holidays = f"holidays.{google.ann}"
    google.control("calendars", id=holidays, owner=google.ann, push_supported=False)
    with pytest.raises(PushNotSupported):
        watch(calendar, "https://example.com/", Address(holidays, google.ann), channel_id)


def test_a_channel_id_is_used_once(google: Google, calendar: CalendarApi, receiver: _Receiver, channel_id: str) -> None:
    """A second channel needs an id of its own."""
    watch(calendar, receiver.url, google.at, channel_id)
    with pytest.raises(ChannelIdTaken):
        watch(calendar, receiver.url, google.at, channel_id)


def test_a_receiver_without_tls_is_refused(google: Google, calendar: CalendarApi, channel_id: str) -> None:
    """The message tells the operator what the address must be like."""
    with pytest.raises(CalendarRequestRejected, match="https"):
        watch(calendar, "http://push.example.com/", google.at, channel_id)


def test_an_expired_sync_token_asks_for_a_full_listing(google: Google, calendar: CalendarApi) -> None:
    """410 fullSyncRequired."""
    _, sync_token = full(calendar, google.at)
    google.control("expire_sync_tokens", calendar_id=google.ann)
    with pytest.raises(SyncTokenRejected):
        changes(calendar, google.at, sync_token)


@pytest.mark.parametrize(
    ("sync_token", "page_token", "error"),
    [("x", None, SyncTokenRejected), (None, "x", PageTokenRejected)],
)
def test_malformed_tokens_are_told_apart(
    google: Google, calendar: CalendarApi, sync_token: str | None, page_token: str | None, error: type[CalendarError]
) -> None:
    """400 `invalid` names the token that was sent."""
    with pytest.raises(error) as caught:
        calendar.list_events(google.at, sync_token=sync_token, page_token=page_token, window=Window())
    assert type(caught.value) is error


def test_a_page_token_that_is_rejected_beside_a_good_sync_token(google: Google, calendar: CalendarApi) -> None:
    """Only the unfinished listing has to be started again; the sync token still works."""
    _, sync_token = full(calendar, google.at)
    google.insert("new")
    with pytest.raises(PageTokenRejected):
        calendar.list_events(google.at, sync_token=sync_token, page_token="x", window=Window())
    assert len(changes(calendar, google.at, sync_token)[0]) == 1


@pytest.mark.parametrize(
    ("calendar_id", "subject"),
    [("{ann}", "{bob}"), ("gone@example.com", "{ann}"), ("{ann}", "who@example.com")],
)
def test_a_calendar_out_of_reach_is_lost_access(
    google: Google, calendar: CalendarApi, calendar_id: str, subject: str
) -> None:
    """Unshared, unknown and refused sign-in look alike: nobody can tell which, so nothing is concluded."""
    at = Address(*(name.format(ann=google.ann, bob=google.bob) for name in (calendar_id, subject)))
    with pytest.raises(CalendarAccessLost) as caught:
        full(calendar, at)
    assert "@" not in str(caught.value)


def test_a_reader_may_list_but_not_write(google: Google, calendar: CalendarApi) -> None:
    """The page tells the role; writing without the role is lost access, with the way out."""
    team = f"team.{google.ann}"
    google.control("calendars", id=team, owner=google.ann, roles={google.bob: "reader"})
    times = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}}
    event = google.call("POST", f"/calendars/{team}/events", json={"summary": "day", **times})
    at = Address(team, google.bob)
    page = calendar.list_events(at, sync_token=None, page_token=None, window=Window())
    assert not page.read_as_writer
    seen = calendar.get_event(at, event["id"])
    assert seen is not None
    with pytest.raises(CalendarAccessLost, match="as writer"):
        calendar.write_conference_data(at, event["id"], seen.etag, ADD_ON)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("rateLimitExceeded", CalendarRateLimited),
        ("userRateLimitExceeded", CalendarRateLimited),
        ("tooManyRequests", CalendarRateLimited),
        ("quotaExceeded", CalendarQuotaExceeded),
        ("backendError", CalendarUnavailable),
        ("serviceUnavailable", CalendarUnavailable),
        ("authError", CalendarAccessLost),
        ("notFound", CalendarAccessLost),
        ("fullSyncRequired", SyncTokenRejected),
        ("cutOff", CalendarUnavailable),
    ],
)
def test_a_fault_means_one_error_and_leaves_the_adapter_whole(
    google: Google, calendar: CalendarApi, fault: str, error: type[CalendarError]
) -> None:
    """Each fault of the server comes out as its error, is not tried again here, and the next call works."""
    google.insert("event")
    google.control("faults", answers=[{"fault": fault, "next": 1, "method": "events.list"}])
    with pytest.raises(error) as caught:
        full(calendar, google.at)
    assert type(caught.value) is error
    assert len(full(calendar, google.at)[0]) == 1


def test_threads_that_share_the_adapter_get_their_own_answers(google: Google, calendar: CalendarApi) -> None:
    """Eight threads, two subjects, many events: nobody is given another's answer."""
    ids = {by: [google.insert(f"{by} {n}", by=by)["id"] for n in range(8)] for by in (google.ann, google.bob)}
    start = threading.Barrier(8)

    def read(worker: int) -> list[tuple[str, str | None]]:
        by = (google.ann, google.bob)[worker % 2]
        start.wait()
        found = []
        for turn in range(40):
            n = (turn + worker) % 8
            event = calendar.get_event(Address(by, by), ids[by][n])
            found.append((f"{by} {n}", event.summary if event else None))
        return found

    with ThreadPoolExecutor(8) as threads:
        answers = [pair for found in threads.map(read, range(8)) for pair in found]
    assert len(answers) == 320
    assert [asked for asked, got in answers if asked != got] == []
