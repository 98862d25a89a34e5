"""Making a conference, and asking for its host: what leaves this machine, and which answers are good enough."""

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from confsync.core.state import ConferenceState
from confsync.errors import OutcomeUnknown, ProviderBusy, ProviderError, ProviderRefusesUs, ProviderRejected
from confsync.local.vendor.signature import is_signed
from confsync.ports import CreateCall
from confsync.providers.http import HttpProvider
from confsync.providers.signature import parse_secrets

Peer = Any
MakePeer = Callable[[Callable[[Peer, socket.socket], None]], Peer]
MakeProvider = Callable[..., HttpProvider]
MakeAnswer = Callable[..., bytes]
Problem = Callable[..., bytes]

DATA: dict[str, Any] = {
    "conferenceId": "conf-2",
    "conferenceSolution": {"key": {"type": "addOn"}, "name": "Acme Meet"},
    "entryPoints": [{"entryPointType": "video", "uri": "https://acme.example/j/conf-2"}],
}
MALFORMED_HOSTS: list[object] = [
    "anna@example.com",
    {},
    {"email": None},
    {"email": "anna"},
    {"email": "a@b c"},
    [],
    False,
]
MADE: dict[str, Any] = {"conference_id": "conf-2", "conference_data": DATA}


@pytest.fixture
def answering(peer_that: MakePeer) -> Callable[[bytes], Peer]:
    """Make a peer that gives each request the same answer."""
    return lambda content: peer_that(lambda _, connection: connection.sendall(content))


@pytest.fixture
def provider_told(answering: Callable[[bytes], Peer], answer: MakeAnswer, provider_for: MakeProvider) -> Any:
    """Make a provider whose back end gives each call the same answer."""

    def make(status: int, body: object, *headers: str, content_type: str = "application/json") -> HttpProvider:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return provider_for(answering(answer(status, content, *headers, content_type=content_type)).url)

    return make


def test_a_creation_leaves_as_the_contract_says(
    answering: Callable[..., Peer],
    answer: MakeAnswer,
    provider_for: MakeProvider,
    create_call: CreateCall,
    secret: str,
) -> None:
    """The operation id is webhook id and idempotency key, the data name what is replaced and the whole state."""
    peer = answering(answer(201, json.dumps(MADE).encode()))
    provider = provider_for(peer.url)
    assert provider.create(create_call) == provider.create(create_call)
    first, second = peer.requests
    body = json.loads(first.body)
    assert body["type"] == "conference.create"
    assert body["data"].keys() == {"replaces", "desired"}
    assert (body["data"]["replaces"], body["data"]["desired"]["title"]) == ("conf-1", "Weekly planning")
    assert first.headers["idempotency-key"] == f'"{create_call.operation_id}"'
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == create_call.operation_id
    assert is_signed(first.headers, first.body, parse_secrets([secret]), datetime.now(UTC))


@pytest.mark.parametrize("status", [200, 201])
def test_a_made_conference_is_returned_as_the_event_is_to_hold_it(
    provider_told: Any, create_call: CreateCall, status: int
) -> None:
    """Made now or made before: the same to us."""
    made = provider_told(status, {**MADE, "generation": 1, "state": "live"}).create(create_call)
    assert (made.conference_id, made.conference_data) == ("conf-2", DATA)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "a JSON object of at most 64 KiB"),
        (b"<h1>Welcome</h1>", "a JSON object"),
        ([MADE], "a JSON object"),
        ({**MADE, "padding": "x" * 65536}, "a JSON object of at most 64 KiB"),
        ({}, "conference_id: expected the new conference's id"),
        ({**MADE, "conference_id": ""}, "conference_id: expected the new"),
        ({**MADE, "conference_id": 2}, "conference_id: expected the new"),
        ({**MADE, "conference_id": "conf-1"}, "conference_id: expected a new conference's id, not that of the one"),
        ({**MADE, "conference_id": "conf-3"}, "conferenceId: expected the same as conference_id"),
        ({"conference_id": "conf-2"}, "conference_data: "),
        ({**MADE, "conference_data": {**DATA, "entryPoints": []}}, "conference_data.entryPoints: .*at least 1"),
        ({**MADE, "conference_data": {**DATA, "secret": 1}}, "conference_data.secret: .*not permitted"),
    ],
)
def test_an_answer_that_no_event_could_hold_is_rejected_by_field(
    provider_told: Any, create_call: CreateCall, body: object, complaint: str
) -> None:
    """Field and expectation, for whoever repairs the back end; nothing of the event."""
    with pytest.raises(ProviderRejected, match=complaint) as error:
        provider_told(200, body).create(create_call)
    assert "conference.create for conf-1 (op_c" in str(error.value)
    assert "planning" not in str(error.value)


def test_a_back_end_that_quotes_the_event_in_a_member_s_name_leaks_nothing(
    provider_told: Any, create_call: CreateCall
) -> None:
    """Names of unknown members are the back end's text too."""
    body = {**MADE, "conference_data": {**DATA, "Weekly planning": 1, "bo@example.com": 2}}
    with pytest.raises(ProviderRejected) as error:
        provider_told(200, body).create(create_call)
    assert "planning" not in str(error.value)
    assert "bo@" not in str(error.value)


def _problem(name: str, **more: object) -> bytes:
    return json.dumps({"type": f"https://acme.example/{name}", "detail": "no", **more}).encode()


@pytest.mark.parametrize(
    ("status", "problem", "expected"),
    [
        (202, b"", ProviderBusy),
        (204, b"", ProviderRejected),
        (400, _problem("unknown-type"), ProviderRejected),
        (404, _problem("unknown-type"), ProviderRejected),
        (404, b"", ProviderRefusesUs),
        (409, _problem("operation-running"), ProviderBusy),
        (409, _problem("generation-stale", generation=3), ProviderRejected),
        (410, _problem("conference-ended"), ProviderRejected),
        (410, b"", ProviderRefusesUs),
        (422, _problem("body-invalid"), ProviderRejected),
        (401, b"", ProviderRefusesUs),
        (307, b"", ProviderRefusesUs),
        (429, b"", ProviderBusy),
        (503, b"", ProviderBusy),
        (500, b"", OutcomeUnknown),
        (504, b"", OutcomeUnknown),
    ],
)
def test_each_other_answer_to_a_creation_has_one_meaning(
    provider_told: Any, create_call: CreateCall, status: int, problem: bytes, expected: type[ProviderError]
) -> None:
    """As the contract's table says, over HTTP."""
    content_type = "application/problem+json" if problem else "text/html"
    provider = provider_told(status, problem, "retry-after: 9", content_type=content_type)
    with pytest.raises(ProviderError) as error:
        provider.create(create_call)
    assert type(error.value) is expected
    if isinstance(error.value, ProviderBusy):
        assert error.value.retry_after_s == 9


def test_a_series_that_cannot_be_told_is_no_creation(
    answering: Callable[..., Peer], answer: MakeAnswer, provider_for: MakeProvider, create_call: CreateCall
) -> None:
    """What cannot be translated is refused before anything leaves."""
    peer = answering(answer(201, json.dumps(MADE).encode()))
    with pytest.raises(ProviderRejected, match="recurrence line"):
        provider_for(peer.url).create(replace(create_call, state=ConferenceState(recurrence=("EXRULE:FREQ=DAILY",))))
    assert peer.requests == []


def test_the_host_is_asked_for_by_the_conference_s_id(
    answering: Callable[..., Peer], answer: MakeAnswer, provider_for: MakeProvider
) -> None:
    """A question of its own each time, signed like every call."""
    told = {"conference_id": "conf-1", "generation": 9, "state": "live", "host": {"email": "anna@example.com"}}
    peer = answering(answer(200, json.dumps(told).encode()))
    provider = provider_for(peer.url)
    assert provider.host_of("conf-1") == provider.host_of("conf-1") == "anna@example.com"
    first, second = peer.requests
    assert json.loads(first.body)["type"] == "conference.get"
    assert json.loads(first.body)["data"] == {"conference_id": "conf-1"}
    assert first.headers["webhook-id"] != second.headers["webhook-id"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"conference_id": "conf-1"}),
        (200, {"conference_id": "conf-1", "host": None}),
        (404, _problem("conference-unknown")),
        (410, _problem("conference-ended")),
    ],
)
def test_a_host_that_nobody_knows_is_none(provider_told: Any, status: int, body: object) -> None:
    """Whether the conference is unknown or only its host."""
    content_type = "application/json" if status == 200 else "application/problem+json"
    assert provider_told(status, body, content_type=content_type).host_of("conf-1") is None


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "a JSON object"),
        ({}, "conference_id: expected the id that was asked for"),
        ({"conference_id": "conf-2", "host": {"email": "eve@example.com"}}, "conference_id: expected the id"),
        *(({"conference_id": "conf-1", "host": host}, 'host: expected {"email": ADDRESS}') for host in MALFORMED_HOSTS),
        ({"conference_id": "conf-1", "host": {"email": f"{'a' * 320}@example.com"}}, "host: expected"),
    ],
)
def test_a_word_about_the_host_that_is_not_plain_is_rejected(provider_told: Any, body: object, complaint: str) -> None:
    """An end hangs on it: no guess, and not another conference's host."""
    with pytest.raises(ProviderRejected, match=complaint) as error:
        provider_told(200, body).host_of("conf-1")
    assert "eve@" not in str(error.value)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, ProviderRefusesUs),
        (404, ProviderRefusesUs),
        (422, ProviderRejected),
        (500, ProviderBusy),
        (503, ProviderBusy),
    ],
)
def test_a_question_without_an_answer_changes_nothing(
    provider_told: Any, status: int, expected: type[ProviderError]
) -> None:
    """What passes by itself is asked again; nothing is ever unknown about a question's outcome."""
    with pytest.raises(ProviderError) as error:
        provider_told(status, b"").host_of("conf-1")
    assert type(error.value) is expected


def test_a_question_that_is_cut_off_is_asked_again(peer_that: MakePeer, provider_for: MakeProvider) -> None:
    """A lost answer to a question is no unknown outcome."""
    provider = provider_for(peer_that(lambda _, connection: connection.shutdown(socket.SHUT_RDWR)).url)
    with pytest.raises(ProviderBusy):
        provider.host_of("conf-1")
