"""Pushes as a receiver gets them: headers, retries, and everything that may go wrong on the way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import httpx
import pytest

from confsync.local.calendar_server.errors import Json
from confsync.local.calendar_server.serve import RunningServer
from tests.local.calendar_server.support import ADA, BOB, meeting, plain_http

WAIT_S = 20


class Receiver:
    """A webhook that keeps what it is sent and answers with the statuses that it is given, then 204."""

    def __init__(self) -> None:
        self.received: Queue[dict[str, str]] = Queue()
        self.bodies: Queue[bytes] = Queue()
        self.statuses: list[int] = []
        self.url = ""

    def next(self) -> dict[str, str]:
        """Wait for the next push and return its headers in lower case."""
        return self.received.get(timeout=WAIT_S)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.bodies.put(self.rfile.read(int(self.headers.get("content-length", 0))))
            status = receiver.statuses.pop(0) if receiver.statuses else 204
            self.send_response(status)
            self.send_header("Content-Length", "0")
            receiver.received.put({name.lower(): value for name, value in self.headers.items()})
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class names it so)
            del format, args

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    receiver.url = f"http://127.0.0.1:{httpd.server_address[1]}/notify"
    try:
        yield receiver
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a running receiver."""
    with receiving() as started:
        yield started


class Google:
    """The calls that these tests make."""

    def __init__(self, url: str) -> None:
        self._http = plain_http(url, ADA)

    def post(self, path: str, body: Json) -> httpx.Response:
        """Send a POST."""
        return self._http.post(path, json=body).raise_for_status()

    def faults(self, **settings: Any) -> None:
        """Turn knobs."""
        self.post("/_local/faults", settings)

    def watch(self, address: str, channel_id: str = "channel-1", **more: Any) -> Json:
        """Open a channel on Ada's calendar."""
        body = {"id": channel_id, "type": "web_hook", "address": address, **more}
        answer: Json = self.post("/calendar/v3/calendars/primary/events/watch", body).json()
        return answer

    def change(self, *guests: str) -> str:
        """Make a change in Ada's calendar."""
        return str(self.post("/calendar/v3/calendars/primary/events", meeting("x", *guests)).json()["id"])

    def settled(self) -> Json:
        """Wait until all pushes are over and return the counters."""
        counts: Json = self.post("/_local/settle_pushes", {}).json()
        return counts

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


@pytest.fixture
def google(server: RunningServer) -> Iterator[Google]:
    """Return a client of the running server that does not wait long between retries."""
    client = Google(server.url)
    client.faults(pushes={"first_retry_ms": 1})
    yield client
    client.close()


def test_a_push_has_the_documented_headers(google: Google, receiver: Receiver) -> None:
    """First `sync` with number 1, then `exists` with larger numbers; token, resource and an HTTP date; no body."""
    channel = google.watch(receiver.url, token="v1.secret")
    sync = receiver.next()
    assert (sync["x-goog-resource-state"], sync["x-goog-message-number"]) == ("sync", "1")
    google.change()
    push = receiver.next()
    assert push["x-goog-resource-state"] == "exists"
    assert int(push["x-goog-message-number"]) > 1
    assert push["x-goog-channel-id"] == "channel-1"
    assert push["x-goog-channel-token"] == "v1.secret"
    assert push["x-goog-resource-id"] == channel["resourceId"]
    assert push["x-goog-resource-uri"] == channel["resourceUri"]
    expiration = parsedate_to_datetime(push["x-goog-channel-expiration"])
    assert int(expiration.timestamp() * 1000) == int(channel["expiration"])
    assert (push["content-length"], receiver.bodies.get(timeout=WAIT_S)) == ("0", b"")
    assert push["user-agent"].startswith("APIs-Google")
    assert "content-type" not in push


def test_without_a_token_there_is_no_token_header(google: Google, receiver: Receiver) -> None:
    """The header is absent when the channel has no token."""
    google.watch(receiver.url)
    assert "x-goog-channel-token" not in receiver.next()


def test_message_numbers_grow_and_skip(google: Google, receiver: Receiver) -> None:
    """Numbers increase from push to push, but not one by one."""
    google.watch(receiver.url)
    numbers = [int(receiver.next()["x-goog-message-number"])]
    for _ in range(8):
        google.change()
        numbers.append(int(receiver.next()["x-goog-message-number"]))
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > 9


def test_every_channel_of_every_changed_calendar_is_told(google: Google, receiver: Receiver) -> None:
    """One change in two calendars reaches each of their channels once."""
    google.watch(receiver.url, "a")
    google.watch(receiver.url, "b")
    bobs = {"id": "c", "type": "web_hook", "address": receiver.url}
    headers = {"Authorization": f"Bearer {BOB}"}
    google._http.post("/calendar/v3/calendars/primary/events/watch", json=bobs, headers=headers).raise_for_status()
    google.settled()
    google.change(BOB)
    google.settled()
    states = [receiver.next() for _ in range(6)]
    told = sorted(h["x-goog-channel-id"] for h in states if h["x-goog-resource-state"] == "exists")
    assert told == ["a", "b", "c"]
    assert receiver.received.empty()


def test_server_errors_are_tried_again(google: Google, receiver: Receiver) -> None:
    """After 500, 502, 503 and 504 the same message comes again until it is taken."""
    google.faults(pushes={"sync": "lost", "first_retry_ms": 1})
    google.watch(receiver.url)
    receiver.statuses[:] = [500, 502, 503, 504]
    google.change()
    numbers = {receiver.next()["x-goog-message-number"] for _ in range(5)}
    assert len(numbers) == 1
    counts = google.settled()
    assert (counts["sent"], counts["retried"], counts["delivered"], counts["failed"]) == (1, 4, 1, 0)


def test_retries_are_bounded(google: Google, receiver: Receiver) -> None:
    """A receiver that keeps failing is given up for this message, and told of the next one."""
    google.faults(pushes={"sync": "lost", "first_retry_ms": 1, "attempts": 3})
    google.watch(receiver.url)
    receiver.statuses[:] = [503] * 3
    google.change()
    assert google.settled()["failed"] == 1
    google.change()
    assert google.settled()["delivered"] == 1
    assert receiver.received.qsize() == 4


@pytest.mark.parametrize("status", [400, 403, 404, 429, 301])
def test_other_codes_are_not_tried_again(google: Google, receiver: Receiver, status: int) -> None:
    """Any other refusal is final for that message."""
    google.faults(pushes={"sync": "lost", "first_retry_ms": 1})
    google.watch(receiver.url)
    receiver.statuses[:] = [status]
    google.change()
    counts = google.settled()
    assert (counts["failed"], counts["retried"], receiver.received.qsize()) == (1, 0, 1)


def test_an_unreachable_receiver_fails(google: Google) -> None:
    """Nobody listening is like a server error."""
    with receiving() as gone:
        address = gone.url
    google.faults(pushes={"sync": "lost", "first_retry_ms": 1, "attempts": 2})
    google.watch(address)
    google.change()
    assert google.settled()["failed"] == 1


def test_pushes_get_lost_doubled_and_late(google: Google, receiver: Receiver) -> None:
    """The knobs lose the next push, double the next, and delay the next without holding up others."""
    google.watch(receiver.url)
    receiver.next()
    google.faults(pushes={"lose": {"next": 1}})
    google.change()
    assert google.settled()["lost"] == 1
    google.faults(pushes={"double": {"next": 1}})
    google.change()
    twice = [receiver.next()["x-goog-message-number"] for _ in range(2)]
    assert twice[0] == twice[1]
    google.faults(pushes={"late": {"next": 1}, "late_ms": 1000})
    google.change()
    google.change()
    numbers = [int(receiver.next()["x-goog-message-number"]) for _ in range(2)]
    assert numbers == sorted(numbers, reverse=True)


def test_a_share_of_pushes_is_lost_by_seeded_dice(google: Google, receiver: Receiver) -> None:
    """With a share, some pushes are lost and some are not, the same ones for the same seed."""
    google.watch(receiver.url)
    receiver.next()
    lost = []
    for _ in range(2):
        google.faults(seed=5, pushes={"lose": {"share": 0.5}})
        before = google.settled()["lost"]
        for _ in range(20):
            google.change()
        lost.append(google.settled()["lost"] - before)
    assert 0 < lost[0] < 20
    assert lost[0] == lost[1]


def test_the_sync_message_may_come_before_the_answer(google: Google, receiver: Receiver) -> None:
    """With the knob, a receiver knows the channel before its owner does."""
    google.faults(pushes={"sync": "before"})
    google.watch(receiver.url)
    assert receiver.received.qsize() == 1


def test_the_sync_message_may_be_lost(google: Google, receiver: Receiver) -> None:
    """Without a sync message the first push is a change, with a number larger than 1 or equal."""
    google.faults(pushes={"sync": "lost"})
    google.watch(receiver.url)
    google.settled()
    assert receiver.received.empty()
    google.change()
    assert receiver.next()["x-goog-resource-state"] == "exists"


def test_a_stopped_channel_is_silent_unless_it_haunts(google: Google, receiver: Receiver) -> None:
    """After stop no push comes, except as many as the zombie knob says."""
    channel = google.watch(receiver.url)
    receiver.next()
    google.post("/calendar/v3/channels/stop", {"id": channel["id"], "resourceId": channel["resourceId"]})
    google.change()
    google.settled()
    assert receiver.received.empty()
    google.faults(pushes={"zombie": {"next": 1}})
    google.change()
    google.change()
    google.settled()
    assert receiver.received.qsize() == 1


def test_an_expired_channel_is_silent(google: Google, receiver: Receiver) -> None:
    """No push comes after the expiration."""
    google.faults(channel_ttl_cap_s=0.001)
    google.watch(receiver.url)
    google.settled()
    while not receiver.received.empty():
        receiver.next()
    google.change()
    google.settled()
    assert receiver.received.empty()


def test_what_changes_nothing_is_not_announced(google: Google, receiver: Receiver) -> None:
    """A refused or empty write makes no push."""
    google.watch(receiver.url)
    receiver.next()
    event_id = google.change()
    receiver.next()
    google._http.patch(f"/calendar/v3/calendars/primary/events/{event_id}", json={"summary": "x"}).raise_for_status()
    google._http.patch(f"/calendar/v3/calendars/primary/events/{event_id}", json={"start": {"date": "no"}})
    google.settled()
    assert receiver.received.empty()
