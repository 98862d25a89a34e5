"""What the Calendar adapter sends and how it reads answers, byte for byte, against a scripted server on loopback.

The server, `scripted`, is shared with the tests of the errors.
"""

import gzip
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from google.auth.credentials import Credentials

from confsync.adapters.google_calendar import LIST_PARAMETERS, GoogleCalendar
from confsync.adapters.google_calendar_connections import Connections
from confsync.adapters.sign_in import local
from confsync.core.events import EVENT_FIELDS, LIST_FIELDS, LIST_PARAMETERS_VERSION, Window
from confsync.errors import (
    CalendarAccessLost,
    CalendarRequestRejected,
    CalendarUnavailable,
    PreconditionFailed,
)
from confsync.ports import Address

ANN = Address("team@example.com", "ann@example.com")
LAST_PAGE = {"items": [], "nextSyncToken": "s1", "accessRole": "owner"}


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    client_port: int


@dataclass(frozen=True)
class Answer:
    """One answer; `ending` says what becomes of the connection meanwhile."""

    status: int = 200
    body: bytes | Mapping[str, Any] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Literal["whole", "cut", "silence", "reset"] = "whole"

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Scripted:
    """A running server and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def calendar(self, **settings: Any) -> GoogleCalendar:
        """Return the adapter, pointed at this server."""
        settings = {"credentials_for": local(), **settings}
        return GoogleCalendar(**settings, endpoint=self.url)


def error_body(reason: str, status: int, **more: str) -> dict[str, Any]:
    """Return Google's error body in its classic form."""
    first = {"domain": "global", "reason": reason, "message": "In Google's words", **more}
    return {"error": {"errors": [first], "code": status, "message": "In Google's words"}}


class _Listener(ThreadingHTTPServer):
    """Plays a script; knows its open connections, so that none outlives it."""

    daemon_threads = False

    def __init__(self, script: Callable[[Asked], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.played = Scripted(f"http://127.0.0.1:{self.server_port}/calendar/v3/")
        self.connections: set[socket.socket] = set()

    def handle_error(self, *_: object) -> None:
        """A client that hung up is part of the script."""

    def server_close(self) -> None:
        self.played.closing.set()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def _play(self) -> None:
        asked = _asked(self)
        self.server.played.asked.append(asked)
        answer = self.server.script(asked)
        if answer.ending == "silence":
            self.server.played.closing.wait()
        if answer.ending == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = answer.ending == "cut"
        self.wfile.write(answer.content[: len(answer.content) // 2] if answer.ending == "cut" else answer.content)

    do_GET = do_POST = do_PUT = _play  # noqa: N815  # http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def scripted(answer: Callable[[Asked], Answer] | Answer) -> Iterator[Scripted]:
    """Serve `answer` on a free port of loopback until the block ends."""
    with _Listener(answer if callable(answer) else lambda _: answer) as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield listener.played
        finally:
            listener.shutdown()
            thread.join()


def _asked(handler: BaseHTTPRequestHandler) -> Asked:
    url = urlsplit(handler.path)
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    return Asked(
        handler.command,
        unquote(url.path),
        {name: ",".join(values) for name, values in parse_qs(url.query).items()},
        {name.lower(): value for name, value in handler.headers.items()},
        json.loads(body) if handler.headers.get("Content-Type") == "application/json" else body,
        handler.client_address[1],
    )


def list_once(calendar: GoogleCalendar, sync_token: str | None = None, window: Window | None = None) -> Any:
    """List the first page of Ann's team calendar."""
    return calendar.list_events(ANN, sync_token=sync_token, page_token=None, window=window or Window())


def test_a_first_listing_sends_the_fixed_parameters_and_its_window() -> None:
    """A listing without a sync token carries rule R6's parameters, the window in UTC, and nothing else."""
    cet = timezone(timedelta(hours=1))
    window = Window(datetime(2026, 3, 1, 0, 30, tzinfo=cet), datetime(2026, 2, 1, 12, 0, 0, 900, tzinfo=UTC))
    with scripted(Answer(body=LAST_PAGE)) as server:
        list_once(server.calendar(), window=window)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("GET", "/calendar/v3/calendars/team@example.com/events")
    assert asked.query == {
        "alt": "json",
        "singleEvents": "false",
        "showDeleted": "true",
        "timeZone": "UTC",
        "eventTypes": "default",
        "maxAttendees": "500",
        "maxResults": "2500",
        "fields": LIST_FIELDS,
        "timeMin": "2026-02-28T23:30:00+00:00",
        "updatedMin": "2026-02-01T12:00:00+00:00",
        "quotaUser": hashlib.sha256(b"ann@example.com").hexdigest()[:40],
    }


def test_an_incremental_listing_never_sends_a_window() -> None:
    """With a sync token Calendar forbids timeMin and updatedMin, whatever window the caller holds."""
    window = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    with scripted(Answer(body=LAST_PAGE)) as server:
        list_once(server.calendar(), "s0", window)
    assert server.asked[0].query["syncToken"] == "s0"
    assert not {"timeMin", "updatedMin", "pageToken"} & server.asked[0].query.keys()


def test_a_page_is_asked_for_with_the_same_parameters_and_both_tokens() -> None:
    """While paging, the sync token is sent again beside the page token."""
    with scripted(Answer(body=LAST_PAGE)) as server:
        server.calendar().list_events(ANN, sync_token="s0", page_token="p2", window=Window())
    assert (server.asked[0].query["syncToken"], server.asked[0].query["pageToken"]) == ("s0", "p2")


def test_the_list_parameters_belong_to_their_version() -> None:
    """Whoever changes a list parameter or the mask has to raise the version, or old sync tokens would be misused."""
    digest = hashlib.sha256(json.dumps(dict(LIST_PARAMETERS), sort_keys=True).encode()).hexdigest()[:16]
    assert (LIST_PARAMETERS_VERSION, digest) == (1, "dbff7f0b1a397d11")


def test_a_page_keeps_items_tokens_and_access_role() -> None:
    """An answer becomes a page; items stay raw, so that a malformed one harms no other."""
    body = {"items": [{"id": "e1"}, {"id": ""}, 7], "nextPageToken": "p2", "accessRole": "reader", "kind": "x"}
    with scripted(Answer(body=body)) as server:
        page = list_once(server.calendar())
    assert (page.items, page.next_page_token, page.read_as_writer) == ([{"id": "e1"}, {"id": ""}, 7], "p2", False)


def test_an_empty_page_with_a_page_token_is_no_end() -> None:
    """Calendar sends pages without items that go on."""
    with scripted(Answer(body={"nextPageToken": "p2"})) as server:
        assert list_once(server.calendar()).next_page_token == "p2"


def test_a_compressed_page_is_read_even_if_its_events_look_alike() -> None:
    """A page that shrinks to less than a hundredth is no attack but a calendar of repeated texts."""
    body = json.dumps({**LAST_PAGE, "items": [{"id": "e", "description": "a" * 11_000_000}]}).encode()
    with scripted(Answer(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})) as server:
        assert len(list_once(server.calendar()).items) == 1
    assert "gzip" in server.asked[0].headers["accept-encoding"]


def test_a_last_page_without_a_sync_token_is_an_error() -> None:
    """A listing that ends with neither token cannot be carried on, and says so."""
    with scripted(Answer(body={"items": []})) as server, pytest.raises(CalendarUnavailable, match="no nextSyncToken"):
        list_once(server.calendar())


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"<html>Welcome to the hotel</html>"),
        Answer(body=b'{"items": [{"id": "e1", "summary": "Secret"'),
        Answer(body=b""),
        Answer(body=b"[]"),
        Answer(body={"items": {"summary": "Secret"}, "nextSyncToken": "s"}),
        Answer(body=json.dumps(LAST_PAGE).encode(), ending="cut"),
        Answer(body=b"not gzip", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_an_answer_that_is_no_page_is_a_passing_fault(answer: Answer) -> None:
    """Foreign, cut-off and garbled answers are tried again, and never quoted."""
    with scripted(answer) as server, pytest.raises(CalendarUnavailable) as caught:
        list_once(server.calendar())
    assert "Secret" not in str(caught.value)
    assert caught.value.__cause__ is None or "Secret" not in str(caught.value.__cause__)


def test_a_series_is_read_to_its_last_page() -> None:
    """All pages of one iCalUID are asked for, without any sync token, and its cancelled exceptions kept."""

    def answer(asked: Asked) -> Answer:
        if asked.query.get("pageToken") == "p2":
            return Answer(body={"items": [{"id": "m_1", "status": "cancelled", "recurringEventId": "m"}]})
        return Answer(body={"items": [{"id": "m", "recurrence": ["RRULE:FREQ=DAILY"]}], "nextPageToken": "p2"})

    with scripted(answer) as server:
        series = server.calendar().list_series(ANN, "uid@example.com")
    assert [(event.id, event.is_cancelled) for event in series] == [("m", False), ("m_1", True)]
    for asked in server.asked:
        assert asked.query["iCalUID"] == "uid@example.com"
        assert (asked.query["showDeleted"], asked.query["singleEvents"]) == ("true", "false")
        assert not {"syncToken", "timeMin", "updatedMin"} & asked.query.keys()


def test_a_series_without_end_is_given_up() -> None:
    """A listing that always names another page does not hold the worker for ever."""
    with scripted(Answer(body={"nextPageToken": "again"})) as server, pytest.raises(CalendarUnavailable, match="pages"):
        server.calendar().list_series(ANN, "uid@example.com")


def test_an_event_is_read_through_the_mask() -> None:
    """Reading one event asks for the same fields, zone and number of guests as a listing."""
    with scripted(Answer(body={"id": "e1", "status": "cancelled"})) as server:
        event = server.calendar().get_event(ANN, "e1")
    assert event is not None
    assert event.is_cancelled
    assert server.asked[0].path.endswith("/calendars/team@example.com/events/e1")
    query = server.asked[0].query
    assert (query["fields"], query["timeZone"], query["maxAttendees"]) == (EVENT_FIELDS, "UTC", "500")


@pytest.mark.parametrize(("status", "reason"), [(404, "notFound"), (410, "deleted")])
def test_an_event_that_calendar_does_not_know_is_none(status: int, reason: str) -> None:
    """Both of Calendar's ways to say that there is no such event give None."""
    with scripted(Answer(status, error_body(reason, status))) as server:
        assert server.calendar().get_event(ANN, "e1") is None


@pytest.mark.parametrize("body", [b"<h1>404</h1>", b"", b'{"error": "no such route"}'])
def test_a_404_that_calendar_did_not_write_is_no_evidence(body: bytes) -> None:
    """A proxy's or a wrong endpoint's 404 never counts as a deleted event."""
    with scripted(Answer(404, body)) as server, pytest.raises(CalendarUnavailable, match="not written by Calendar"):
        server.calendar().get_event(ANN, "e1")


def test_an_event_that_cannot_be_read_is_rejected_by_its_place() -> None:
    """A whole but malformed event fails for good, and the message names the field, not its content."""
    body = {"id": "e1", "start": {"dateTime": "Secret o'clock"}}
    with (
        scripted(Answer(body=body)) as server,
        pytest.raises(CalendarRequestRejected, match=r"start\.dateTime") as caught,
    ):
        server.calendar().get_event(ANN, "e1")
    assert "Secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_cut_off_event_is_a_passing_fault() -> None:
    """Half an event is read again later."""
    with scripted(Answer(body=b'{"id": "e1"')) as server, pytest.raises(CalendarUnavailable):
        server.calendar().get_event(ANN, "e1")


WHOLE_EVENT = {
    "kind": "calendar#event",
    "etag": '"7"',
    "id": "e1",
    "summary": "Weekly",
    "attendees": [{"email": f"{n}@example.com"} for n in range(3)],
    "attachments": [{"fileUrl": "https://example.com/a"}],
    "extendedProperties": {"private": {"ours": "1"}},
    "somethingNew": {"deep": [1, 2.5, None]},
    "conferenceData": {"conferenceId": "old", "signature": "x"},
}


def _event_server(etag_now: str = '"7"') -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        return Answer(body={**WHOLE_EVENT, "etag": etag_now} if asked.method == "GET" else {"id": "e1", "etag": '"8"'})

    return answer


@pytest.mark.parametrize("conference_data", [{"conferenceId": "new", "entryPoints": []}, None])
def test_only_the_conference_data_of_an_event_is_replaced(conference_data: dict[str, Any] | None) -> None:
    """The event goes back as it came, unknown fields and all; None goes as an explicit null."""
    with scripted(_event_server()) as server:
        event = server.calendar().write_conference_data(ANN, "e1", '"7"', conference_data)
    read, written = server.asked
    assert event.etag == '"8"'
    assert not {"fields", "maxAttendees", "timeZone"} & read.query.keys()
    assert written.body == {**WHOLE_EVENT, "conferenceData": conference_data}
    assert (written.method, written.headers["if-match"]) == ("PUT", '"7"')
    expected = {"conferenceDataVersion": "1", "sendUpdates": "none", "supportsAttachments": "true"}
    assert expected.items() <= written.query.items()


def test_an_event_that_changed_meanwhile_is_not_written() -> None:
    """A newer etag is seen before the write, which then never leaves."""
    with scripted(_event_server('"9"')) as server, pytest.raises(PreconditionFailed):
        server.calendar().write_conference_data(ANN, "e1", '"7"', None)
    assert [asked.method for asked in server.asked] == ["GET"]


def test_a_write_that_loses_the_race_is_told() -> None:
    """412 for our If-Match means that the event changed between reading and writing."""

    def answer(asked: Asked) -> Answer:
        if asked.method == "PUT":
            return Answer(412, error_body("conditionNotMet", 412))
        return Answer(body=WHOLE_EVENT)

    with scripted(answer) as server, pytest.raises(PreconditionFailed):
        server.calendar().write_conference_data(ANN, "e1", '"7"', None)


def test_writing_to_an_event_that_is_gone_counts_as_changed() -> None:
    """The caller reads again and plans again, which settles what became of the event."""
    with scripted(Answer(404, error_body("notFound", 404))) as server, pytest.raises(PreconditionFailed):
        server.calendar().write_conference_data(ANN, "e1", '"7"', None)


def _watch(calendar: GoogleCalendar) -> Any:
    return calendar.watch_events(
        ANN, channel_id="c1", channel_token="v1.k.x", address="https://example.com/push", ttl_s=604800
    )


@pytest.mark.parametrize("expiration", ["1790000000000", 1790000000000])
def test_a_channel_expires_when_calendar_says(expiration: object) -> None:
    """The expiration in the answer counts, as a string or a number of milliseconds."""
    with scripted(Answer(body={"resourceId": "r1", "expiration": expiration})) as server:
        watched = _watch(server.calendar())
    assert (watched.resource_id, watched.expires_at) == ("r1", datetime.fromtimestamp(1_790_000_000, UTC))
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/calendar/v3/calendars/team@example.com/events/watch")
    assert asked.query["eventTypes"] == "default"
    assert asked.body == {
        "id": "c1",
        "type": "web_hook",
        "address": "https://example.com/push",
        "token": "v1.k.x",
        "params": {"ttl": "604800"},
    }


@pytest.mark.parametrize("expiration", [None, "soon", "99999999999999999999", -(10**17)])
def test_a_channel_whose_end_is_unknown_is_stopped_again(expiration: object) -> None:
    """No end is guessed: the channel is stopped, and watching counts as failed for now."""
    answer = Answer(body={"resourceId": "r1", "expiration": expiration})
    with scripted(answer) as server, pytest.raises(CalendarUnavailable, match="expiration"):
        _watch(server.calendar())
    assert server.asked[1].path == "/calendar/v3/channels/stop"
    assert server.asked[1].body == {"id": "c1", "resourceId": "r1"}


def test_a_channel_without_a_resource_id_is_unusable() -> None:
    """Without the resource id the channel could never be stopped, so the answer is not taken."""
    with scripted(Answer(body={"expiration": "1790000000000"})) as server, pytest.raises(CalendarUnavailable):
        _watch(server.calendar())


@pytest.mark.parametrize("answer", [Answer(204), Answer(404, error_body("notFound", 404))])
def test_stopping_a_channel_is_done_even_if_it_is_gone(answer: Answer) -> None:
    """A channel that Calendar no longer knows counts as stopped."""
    with scripted(answer) as server:
        server.calendar().stop_channel(ANN, "c1", "r1")
    assert server.asked[0].body == {"id": "c1", "resourceId": "r1"}


def test_each_subject_signs_in_for_itself_and_pays_its_own_quota() -> None:
    """The bearer token and the quota user are the subject's, and the latter is short and not its address."""
    with scripted(Answer(body=LAST_PAGE)) as server:
        calendar = server.calendar()
        for subject in ("ann@example.com", "bob@example.com"):
            at = Address("team@example.com", subject)
            calendar.list_events(at, sync_token=None, page_token=None, window=Window())
    assert [asked.headers["authorization"] for asked in server.asked] == [
        "Bearer ann@example.com",
        "Bearer bob@example.com",
    ]
    users = [asked.query["quotaUser"] for asked in server.asked]
    assert len(set(users)) == 2
    assert all(len(user) == 40 and "@" not in user for user in users)


def test_one_connection_serves_a_thread_and_all_its_subjects() -> None:
    """Requests of a thread share its connection; another thread has its own."""
    with scripted(Answer(body=LAST_PAGE)) as server:
        calendar = server.calendar()
        for subject in ("ann@example.com", "bob@example.com"):
            calendar.list_events(Address("c", subject), sync_token=None, page_token=None, window=Window())
        other = threading.Thread(target=list_once, args=(calendar,))
        other.start()
        other.join()
    first, second, third = (asked.client_port for asked in server.asked)
    assert first == second != third


def test_a_connection_is_not_used_again_after_a_failure() -> None:
    """What is left of a cut-off answer is never read as the answer to the next request."""
    endings: list[Literal["cut", "whole"]] = ["cut", "whole"]
    with scripted(lambda _: Answer(body=LAST_PAGE, ending=endings.pop(0))) as server:
        calendar = server.calendar()
        with pytest.raises(CalendarUnavailable):
            list_once(calendar)
        assert list_once(calendar).next_sync_token == "s1"
    assert server.asked[0].client_port != server.asked[1].client_port


def test_a_connection_that_rested_for_long_is_not_trusted() -> None:
    """After the idle limit a new connection is opened, since a frozen instance does not see its peer hang up."""

    @dataclass
    class Request:
        uri: str
        method: str = "GET"
        body: None = None
        headers: dict[str, str] = field(default_factory=dict)

    with scripted(Answer(body=LAST_PAGE)) as server:
        connections = Connections(timeout_s=5, idle_limit_s=0)
        for _ in range(2):
            connections.send(local()("ann@example.com"), Request(server.url))
    assert len({asked.client_port for asked in server.asked}) == 2


def test_redirects_are_not_followed() -> None:
    """The credentials of a subject never travel to where a redirect points."""
    with scripted(Answer(body=LAST_PAGE)) as elsewhere:
        moved = {"Location": elsewhere.url + "calendars/c/events"}
        for status in (301, 302, 303, 307, 308):
            with scripted(Answer(status, headers=moved)) as server, pytest.raises(CalendarUnavailable):
                list_once(server.calendar())
        assert elsewhere.asked == []


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local Calendar server is reached directly, whatever proxy the machine has."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with scripted(Answer(502)) as proxy, scripted(Answer(body=LAST_PAGE)) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert list_once(server.calendar()).next_sync_token == "s1"
    assert proxy.asked == []


class _Renewable(Credentials):
    """Credentials whose first token is refused."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
        self.token = "old"

    def refresh(self, request: object) -> None:
        assert request is not None
        self.token = "new"


def test_a_refused_token_is_renewed_once() -> None:
    """A 401 renews the token and asks again with the new one."""

    def answer(asked: Asked) -> Answer:
        fresh = asked.headers["authorization"] == "Bearer new"
        return Answer(body=LAST_PAGE) if fresh else Answer(401, error_body("authError", 401))

    with scripted(answer) as server:
        kept = _Renewable()
        assert list_once(server.calendar(credentials_for=lambda _: kept)).next_sync_token == "s1"
    assert len(server.asked) == 2


def test_a_token_that_is_refused_again_is_lost_access() -> None:
    """Two refusals in a row end the attempt."""
    with scripted(Answer(401, error_body("authError", 401))) as server:
        kept = _Renewable()
        with pytest.raises(CalendarAccessLost) as caught:
            list_once(server.calendar(credentials_for=lambda _: kept))
    assert (caught.value.reason, len(server.asked)) == ("authError", 2)


def test_nothing_happens_before_the_first_call() -> None:
    """Building the adapter touches neither credentials nor network, so that it survives a fork."""

    def refuse(subject: str) -> Credentials:
        raise AssertionError(subject)

    with scripted(Answer(500)) as server:
        server.calendar(credentials_for=refuse)
    assert server.asked == []


def test_the_default_endpoint_is_googles() -> None:
    """Without an endpoint the requests go to the address in the bundled discovery document."""
    events = GoogleCalendar(local())._events
    assert events.list(calendarId="c").uri.startswith("https://www.googleapis.com/calendar/v3/calendars/c/events")
