"""The provider at the edge: what leaves this machine, and what a hostile or broken peer can do to a call."""

import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from confsync.core.state import ConferenceState
from confsync.errors import (
    ConferenceStale,
    OutcomeUnknown,
    ProviderBusy,
    ProviderError,
    ProviderRefusesUs,
    ProviderRejected,
    SettingsError,
)
from confsync.local.vendor.signature import is_signed
from confsync.ports import ConferenceCall, ConferenceProvider
from confsync.providers.http import LARGEST_ANSWER, HttpProvider
from confsync.providers.signature import parse_secrets

Peer = Any
MakePeer = Callable[[Callable[[Peer, socket.socket], None]], Peer]
MakeProvider = Callable[..., HttpProvider]
MakeAnswer = Callable[..., bytes]


@pytest.fixture
def answering(peer_that: MakePeer) -> Callable[[bytes], Peer]:
    """Make a peer that gives each request the same answer."""
    return lambda content: peer_that(lambda _, connection: connection.sendall(content))


def test_a_call_leaves_as_the_contract_says(
    answering: Callable[..., Peer], answer: MakeAnswer, provider_for: MakeProvider, call: ConferenceCall, secret: str
) -> None:
    """Headers, envelope and signature are as documented, over the very bytes that were sent."""
    peer = answering(answer(200))
    provider_for(peer.url).update(call)
    (request,) = peer.requests
    body = json.loads(request.body)
    assert request.path == "/hook"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == call.operation_id
    assert request.headers["idempotency-key"] == f'"{call.operation_id}"'
    assert is_signed(request.headers, request.body, parse_secrets([secret]), datetime.now(UTC))
    assert body.keys() == {"type", "timestamp", "data"}
    assert body["type"] == "conference.upsert"
    assert datetime.fromisoformat(body["timestamp"]).tzinfo is not None
    assert {name: body["data"][name] for name in ("key", "conference_id", "generation")} == {
        "key": "key-1",
        "conference_id": "conf-1",
        "generation": 7,
    }
    assert body["data"]["desired"]["title"] == "Weekly planning"


def test_an_end_tells_no_state(
    answering: Callable[..., Peer], answer: MakeAnswer, provider_for: MakeProvider, call: ConferenceCall
) -> None:
    """Who ends a conference needs its names and the generation, nothing of the event."""
    peer = answering(answer(200))
    provider_for(peer.url).end(replace(call, state=None))
    body = json.loads(peer.requests[0].body)
    assert body["type"] == "conference.delete"
    assert body["data"] == {"key": "key-1", "conference_id": "conf-1", "generation": 7}


def test_an_attempt_is_signed_afresh_under_the_same_operation_id(
    answering: Callable[..., Peer], answer: MakeAnswer, call: ConferenceCall, secret: str, other_secret: str
) -> None:
    """The id stays, the time moves on, the data stay, and both keys sign during a rotation."""
    peer = answering(answer(200))
    clock = [datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)]
    provider = HttpProvider(peer.url, [other_secret, secret], now=lambda: clock[-1])
    provider.update(call)
    clock.pop()
    provider.update(call)
    provider.close()
    first, second = peer.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 86_400
    assert json.loads(first.body)["data"] == json.loads(second.body)["data"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    for one in (secret, other_secret):
        assert is_signed(first.headers, first.body, parse_secrets([one]), datetime(2026, 1, 1, tzinfo=UTC))


def test_a_title_that_is_no_unicode_does_not_break_a_call(
    answering: Callable[..., Peer], answer: MakeAnswer, provider_for: MakeProvider, call: ConferenceCall
) -> None:
    """Half a surrogate pair is sent as it came, escaped."""
    peer = answering(answer(200))
    provider_for(peer.url).update(replace(call, state=ConferenceState.model_construct(title="\ud83d")))
    assert b'"title":"\\ud83d"' in peer.requests[0].body


@pytest.mark.parametrize("body", [b"", b"<html>ok</html>", b"[]", b'{"generation": "x"}', b'{"generation": 7}'])
def test_a_2xx_is_done_whatever_its_body_says(
    answering: Callable[..., Peer], answer: MakeAnswer, provider_for: MakeProvider, call: ConferenceCall, body: bytes
) -> None:
    """The status says that the state arrived; many back ends answer without a body."""
    provider_for(answering(answer(200, body)).url).update(call)


def test_a_2xx_with_a_higher_generation_is_stale(
    answering: Callable[..., Peer], answer: MakeAnswer, provider_for: MakeProvider, call: ConferenceCall
) -> None:
    """A back end that answers success but kept a newer state is told again, above it."""
    with pytest.raises(ConferenceStale) as error:
        provider_for(answering(answer(200, b'{"generation": 12}')).url).update(call)
    assert error.value.stored_generation == 12


def test_a_redirect_is_not_followed(
    answering: Callable[..., Peer], answer: MakeAnswer, provider_for: MakeProvider, call: ConferenceCall
) -> None:
    """A signed state goes to the address that an operator gave, and nowhere else."""
    elsewhere = answering(answer(200))
    peer = answering(answer(307, b"", f"location: {elsewhere.url}"))
    with pytest.raises(ProviderRefusesUs):
        provider_for(peer.url).update(call)
    assert elsewhere.requests == []


def test_an_endless_answer_is_cut_off(peer_that: MakePeer, provider_for: MakeProvider, call: ConferenceCall) -> None:
    """The reading stops at the limit; the status alone decides."""

    def talk(_: Peer, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 503 X\r\ntransfer-encoding: chunked\r\nretry-after: 5\r\n\r\n")
        while True:
            connection.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

    with pytest.raises(ProviderBusy) as error:
        provider_for(peer_that(talk).url).update(call)
    assert error.value.retry_after_s == 5


def test_a_compressed_answer_is_not_unpacked(
    answering: Callable[..., Peer], answer: MakeAnswer, provider_for: MakeProvider, call: ConferenceCall
) -> None:
    """We ask for plain bytes; what comes compressed all the same counts as no body."""
    peer = answering(answer(200, b"\x1f\x8b\x08 not even gzip", "content-encoding: gzip"))
    provider_for(peer.url).update(call)
    assert peer.requests[0].headers["accept-encoding"] == "identity"


def _trickle(content: bytes, peer: Peer, connection: socket.socket) -> None:
    """Send a byte now and then, each well within any limit on a single read."""
    for byte in content:
        if peer.closing.wait(0.02):
            return
        connection.sendall(bytes([byte]))


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\n" + b"x-padding: 1\r\n" * 50 + b"content-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 300\r\n\r\n" + b"x" * 300,
    ],
    ids=["headers", "body"],
)
def test_an_answer_that_trickles_ends_at_the_deadline(
    peer_that: MakePeer, provider_for: MakeProvider, call: ConferenceCall, content: bytes
) -> None:
    """No single read is late, yet the call as a whole is: its outcome is unknown."""
    peer = peer_that(lambda peer, connection: _trickle(content, peer, connection))
    with pytest.raises(OutcomeUnknown):
        provider_for(peer.url, timeout_s=1).update(call)


def test_no_answer_at_all_is_an_unknown_outcome(
    peer_that: MakePeer, provider_for: MakeProvider, call: ConferenceCall
) -> None:
    """A peer that took the request and says nothing may have applied it."""
    arrived = threading.Event()

    def talk(peer: Peer, _: socket.socket) -> None:
        arrived.set()
        peer.closing.wait()

    with pytest.raises(OutcomeUnknown):
        provider_for(peer_that(talk).url, timeout_s=1).update(call)
    assert arrived.wait(30)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{",
        b"HTTP/1.1 410 Gone\r\ncontent-length: 50\r\ncontent-type: application/problem+json\r\n\r\n{",
        b"SSH-2.0-OpenSSH\r\n\r\n",
    ],
    ids=["nothing", "half a status", "half a body", "half a problem", "not HTTP"],
)
def test_a_cut_off_answer_is_an_unknown_outcome(
    peer_that: MakePeer, provider_for: MakeProvider, call: ConferenceCall, content: bytes
) -> None:
    """Only a complete answer is an answer."""

    def talk(_: Peer, connection: socket.socket) -> None:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_RDWR)

    with pytest.raises(OutcomeUnknown):
        provider_for(peer_that(talk).url).update(call)


def test_a_reset_is_an_unknown_outcome(peer_that: MakePeer, provider_for: MakeProvider, call: ConferenceCall) -> None:
    """A connection that breaks after the request may have carried it."""

    def talk(_: Peer, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    with pytest.raises(OutcomeUnknown):
        provider_for(peer_that(talk).url).update(call)


def test_a_refused_connection_means_that_nothing_was_sent(provider_for: MakeProvider, call: ConferenceCall) -> None:
    """The same call may be made again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with pytest.raises(ProviderBusy) as error:
        provider_for(url).update(call)
    assert error.value.retry_after_s is None


def test_a_deadline_that_passes_before_the_connection_means_that_nothing_was_sent(
    answering: Callable[..., Peer], answer: MakeAnswer, provider_for: MakeProvider, call: ConferenceCall
) -> None:
    """Whoever runs out of time before sending has changed nothing."""
    peer = answering(answer(200))
    with pytest.raises(ProviderBusy):
        provider_for(peer.url, timeout_s=1e-9).update(call)
    assert peer.requests == []


@pytest.mark.parametrize("host", ["no-such-host.invalid", f"{'a' * 64}.invalid"])
def test_an_unknown_name_means_that_nothing_was_sent(
    provider_for: MakeProvider, call: ConferenceCall, host: str
) -> None:
    """A name that cannot be looked up, or is no name at all, is a failure to connect."""
    with pytest.raises(ProviderBusy):
        provider_for(f"https://{host}/").update(call)


def test_an_answer_in_plain_text_to_tls_means_that_nothing_was_sent(
    provider_for: MakeProvider, call: ConferenceCall
) -> None:
    """Where no secure connection comes about, no state leaves."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def answer_in_plain_text() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

        served = pool.submit(answer_in_plain_text)
        with pytest.raises(ProviderBusy):
            provider_for(f"https://127.0.0.1:{listener.getsockname()[1]}/").update(call)
        served.result()


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://vendor.example/hook",
        "http://10.0.0.1/hook",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "ftp://127.0.0.1/",
        "vendor.example/hook",
        "https:///hook",
        "https://name:pass-word@vendor.example/",
        "https://vendor.example/#part",
        "https://vendor.example:port/",
        "",
    ],
)
def test_an_endpoint_that_would_leak_is_refused_by_name(endpoint: str, secret: str) -> None:
    """Plain http is for this machine only; the message shows address and form, and no password."""
    with pytest.raises(SettingsError, match="expected https") as error:
        HttpProvider(endpoint, [secret], now=lambda: datetime.now(UTC))
    assert "pass-word" not in str(error.value)


@pytest.mark.parametrize(
    "endpoint",
    ["https://vendor.example/hook?tenant=5", "http://127.0.0.1:8080/", "http://localhost/hook", "http://[::1]:80/x"],
)
def test_an_endpoint_that_keeps_secrets_is_accepted(endpoint: str, secret: str) -> None:
    """https anywhere, http on this machine."""
    provider: ConferenceProvider = HttpProvider(endpoint, [secret], now=lambda: datetime.now(UTC))
    assert provider.capabilities.ordered_writes


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"type": "pong"}', None),
        (b"", ProviderRefusesUs),
        (b"<h1>Welcome</h1>", ProviderRefusesUs),
        (b'{"ok": true}', ProviderRefusesUs),
    ],
)
def test_a_ping_insists_on_the_contract(
    answering: Callable[..., Peer],
    answer: MakeAnswer,
    provider_for: MakeProvider,
    body: bytes,
    error: type[ProviderError] | None,
) -> None:
    """A web page that answers 200 to everything would pass for a back end: a ping finds it out."""
    provider = provider_for(answering(answer(200, body)).url)
    if error is None:
        provider.ping()
    else:
        with pytest.raises(error, match="pong"):
            provider.ping()


def test_an_update_without_a_state_is_refused_before_it_is_sent(
    answering: Callable[..., Peer], answer: MakeAnswer, provider_for: MakeProvider, call: ConferenceCall
) -> None:
    """An upsert is a whole state or nothing."""
    peer = answering(answer(200))
    with pytest.raises(ProviderRejected):
        provider_for(peer.url).update(replace(call, state=None))
    assert peer.requests == []


def test_threads_share_a_provider_and_never_each_others_answers(
    peer_that: MakePeer, answer: MakeAnswer, provider_for: MakeProvider, call: ConferenceCall
) -> None:
    """Each caller gets the answer to its own call, from a pool of connections."""

    def talk(peer: Peer, connection: socket.socket) -> None:
        mine = next(
            request for request in reversed(peer.requests) if request.client_port == connection.getpeername()[1]
        )
        generation = json.loads(mine.body)["data"]["generation"]
        connection.sendall(answer(200, json.dumps({"generation": generation + 1}).encode()))

    provider = provider_for(peer_that(talk).url)

    def stored_after(generation: int) -> int:
        with pytest.raises(ConferenceStale) as error:
            provider.update(replace(call, generation=generation))
        return error.value.stored_generation

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(stored_after, range(100))) == list(range(1, 101))


FORKING = """
import os, sys
from datetime import UTC, datetime
from confsync.providers.http import HttpProvider

provider = HttpProvider(sys.argv[1], [sys.argv[2]], now=lambda: datetime.now(UTC))
provider.ping()
child = os.fork()
provider.ping()
if child:
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_a_connection_is_never_shared_with_a_forked_process(
    answering: Callable[..., Peer], answer: MakeAnswer, secret: str
) -> None:
    """Servers fork workers after the import; two processes on one connection would read each other's answers."""
    peer = answering(answer(200, b'{"type": "pong"}'))
    command = [sys.executable, "-W", "ignore", "-c", FORKING, peer.url, secret]
    subprocess.run(command, check=True, timeout=60, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    ports = [request.client_port for request in peer.requests]
    assert len(ports) == 3
    assert sorted(ports.count(port) for port in set(ports)) == [1, 2]


def test_making_a_provider_opens_nothing(secret: str) -> None:
    """A function is imported before its server forks: until the first call there is no client and no thread."""
    threads = threading.active_count()
    provider = HttpProvider("https://vendor.example/", [secret], now=lambda: datetime.now(UTC))
    assert provider._clients == {}
    assert threading.active_count() == threads


def test_the_limit_leaves_room_for_any_honest_answer() -> None:
    """A problem with all its field errors is a few kilobytes."""
    assert LARGEST_ANSWER >= 16 * 1024
