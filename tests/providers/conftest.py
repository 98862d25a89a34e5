"""What the provider tests share: states and calls, and a peer on this machine that answers as a test scripts it."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from confsync.core.state import ConferenceState, Moment
from confsync.ports import ConferenceCall, CreateCall
from confsync.providers.http import HttpProvider

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

Talk = Callable[["Peer", socket.socket], None]
"""Answers one request on a connection."""


@dataclass(frozen=True)
class SeenRequest:
    """A request as the peer read it."""

    path: str
    headers: dict[str, str]
    body: bytes
    client_port: int


@dataclass
class Peer:
    """A server that reads each request and then does what the test scripted."""

    url: str
    talk: Talk
    closing: threading.Event = field(default_factory=threading.Event)
    requests: list[SeenRequest] = field(default_factory=list)

    def converse(self, connection: socket.socket) -> None:
        """Read requests and answer them until the other side hangs up."""
        with connection, contextlib.suppress(OSError):
            while (request := _read_request(connection)) is not None:
                self.requests.append(request)
                self.talk(self, connection)


def _read_request(connection: socket.socket) -> SeenRequest | None:
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(65536)
        if not part:
            return None
        head += part
    head, _, body = head.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += connection.recv(65536)
    return SeenRequest(first.split()[1], headers, body, connection.getpeername()[1])


@contextlib.contextmanager
def _running_peer(talk: Talk) -> Iterator[Peer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = Peer(f"http://127.0.0.1:{listener.getsockname()[1]}/hook", talk)
        threads: list[threading.Thread] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threads.append(threading.Thread(target=peer.converse, args=(connection,)))
                    threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield peer
        finally:
            peer.closing.set()
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for thread in threads:
                thread.join()


def http_answer(status: int, body: bytes = b"", *headers: str, content_type: str = "application/json") -> bytes:
    """Return the bytes of an answer."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", f"content-type: {content_type}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


MakePeer = Callable[[Talk], Peer]
MakeProvider = Callable[..., HttpProvider]
MakeAnswer = Callable[..., bytes]


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    """Closes what a test opened."""
    with contextlib.ExitStack() as opened:
        yield opened


@pytest.fixture
def peer_that(stack: contextlib.ExitStack) -> MakePeer:
    """Make a peer that answers with the given function."""
    return lambda talk: stack.enter_context(_running_peer(talk))


@pytest.fixture
def answer() -> MakeAnswer:
    """Make the bytes of an answer."""
    return http_answer


@pytest.fixture
def provider_for(stack: contextlib.ExitStack) -> MakeProvider:
    """Make a provider for an address; it is closed with the test, before the peers are."""

    def make(url: str, *secrets: str, timeout_s: float = 10.0) -> HttpProvider:
        provider = HttpProvider(url, secrets or (SECRET,), now=lambda: datetime.now(UTC), timeout_s=timeout_s)
        closing: AbstractContextManager[HttpProvider] = contextlib.closing(provider)
        return stack.enter_context(closing)

    return make


@pytest.fixture
def state() -> ConferenceState:
    """Return an ordinary meeting."""
    return ConferenceState(
        title="Weekly planning",
        start=Moment(instant=datetime(2026, 11, 24, 9, tzinfo=UTC)),
        end=Moment(instant=datetime(2026, 11, 24, 9, 30, tzinfo=UTC)),
        time_zone="Europe/Berlin",
        organizer="anna@example.com",
        attendees=("bo@example.com",),
    )


@pytest.fixture
def call(state: ConferenceState) -> ConferenceCall:
    """Return the call that tells this meeting as generation 7."""
    return ConferenceCall("key-1", "conf-1", "op_" + "7" * 32, 7, state)


@pytest.fixture
def create_call(state: ConferenceState) -> CreateCall:
    """Return the call that asks for a conference for this meeting in the place of another."""
    return CreateCall("op_" + "c" * 32, "conf-1", state)


@pytest.fixture
def secret() -> str:
    """Return the signing secret of the official test vector."""
    return SECRET


@pytest.fixture
def other_secret() -> str:
    """Return another signing secret."""
    return OTHER_SECRET
