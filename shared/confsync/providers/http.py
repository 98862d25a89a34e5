"""The provider for a vendor's own back end: one POST endpoint, signed whole states, as docs/provider-contract.md says.

How a call travels: `conference_body` writes it, `signature` signs it, `deadline` carries it, `answers` judges what came
back. It must never retry, wait, follow a redirect or log.
"""

import hashlib
import ipaddress
import json
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, NamedTuple, get_args

import httpx

from confsync.core.capabilities import Capabilities
from confsync.core.state import Field
from confsync.errors import ConferenceGone, ProviderRefusesUs, ProviderRejected, SettingsError
from confsync.ports import ConferenceCall, CreateCall, CreatedConference
from confsync.providers.answer_bodies import created_in, host_in
from confsync.providers.answers import Answer, Asked, Verb, judge, judge_failure
from confsync.providers.conference_body import desired_body
from confsync.providers.deadline import DeadlineTransport, deadline_after
from confsync.providers.problems import generation_in, parse_object, parse_problem
from confsync.providers.retry_after import parse_retry_after
from confsync.providers.signature import parse_secrets, sign

ALL_FIELDS: frozenset[Field] = frozenset(get_args(Field))
CONTRACT = Capabilities(carries=ALL_FIELDS, ordered_writes=True, restores=True)
"""What every back end can do that implements the contract's upsert and delete."""
CALL_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 10.0
IDLE_CONNECTION_S = 4.0
"""Shorter than the 5 s after which common servers close an idle connection, so that no call meets a closing one."""
LARGEST_ANSWER = 64 * 1024


class HttpProvider:
    """A `ConferenceProvider` for a back end that implements the provider contract; safe to share between threads."""

    def __init__(
        self,
        endpoint: str,
        secrets: Sequence[str],
        *,
        now: Callable[[], datetime],
        capabilities: Capabilities = CONTRACT,
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> None:
        """Check the settings; open nothing before the first call, so that a fork in between does no harm.

        Args:
            endpoint: https://..., or http://... on this machine.
            secrets: one `whsec_...`, or two during a rotation; each call is signed with all of them.
            now: the current time in UTC.
            capabilities: what the vendor says of its back end.
            timeout_s: for the whole call, from looking up the name to the last byte of the answer.

        Raises:
            SettingsError: the endpoint or a secret is malformed.

        """
        self._endpoint = parse_endpoint(endpoint)
        self._keys = parse_secrets(secrets)
        self._now = now
        self._capabilities = capabilities
        self._timeout_s = timeout_s
        self._clients: dict[int, httpx.Client] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What the vendor says of its back end."""
        return self._capabilities

    def update(self, call: ConferenceCall) -> None:
        """Tell the back end the whole state of a conference; it creates or revives what it does not know.

        A 202 counts as done: the back end has taken the state over and answers for it.
        """
        if call.state is None:
            raise ProviderRejected(f"conference.upsert {call.conference_key} needs a state; to end it, call `end`")
        self._call("conference.upsert", call, {"desired": desired_body(call.state)})

    def end(self, call: ConferenceCall) -> None:
        """Tell the back end that the conference is over; one that it does not know counts as ended."""
        self._call("conference.delete", call, {})

    def create(self, call: CreateCall) -> CreatedConference:
        """Ask the back end for a conference in the place of another; the same operation yields the same one.

        Raises:
            ProviderRejected: among others, when what an event is to hold is not what Calendar accepts.
            OutcomeUnknown: it may be made; the same operation finds it.

        """
        asked = Asked(
            "conference.create", self._endpoint.host, call.operation_id, state=call.state, conference_id=call.replaces
        )
        reply = self._send(asked, {"replaces": call.replaces, "desired": desired_body(call.state)})
        return created_in(parse_object(reply.content), asked)

    def host_of(self, conference_id: str) -> str | None:
        """Ask the back end who hosts a conference; None where it does not know the conference or its host.

        Nothing can have been applied, so whatever passes by itself is a `ProviderBusy`.
        """
        operation_id = self._passing_id("get", conference_id)
        asked = Asked("conference.get", self._endpoint.host, operation_id, conference_id=conference_id)
        try:
            reply = self._send(asked, {"conference_id": conference_id})
        except ConferenceGone:
            return None
        return host_in(parse_object(reply.content), asked)

    def ping(self) -> None:
        """Check address, signature and contract without touching a conference.

        Raises:
            ProviderRefusesUs: among others, when something answers there that does not speak the contract.

        """
        asked = Asked("ping", self._endpoint.host, self._passing_id("ping"))
        reply = self._send(asked, {})
        if (parse_object(reply.content) or {}).get("type") != "pong":
            raise ProviderRefusesUs(f'{asked}: the answer is not {{"type": "pong"}}; check the provider\'s address')

    def close(self) -> None:
        """Close this process's connections; the next call opens new ones."""
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            client.close()

    def _call(self, verb: Verb, call: ConferenceCall, more: dict[str, Any]) -> None:
        key, generation = call.conference_key, call.generation
        asked = Asked(verb, self._endpoint.host, call.operation_id, key, generation, call.state)
        self._send(asked, {"key": key, "conference_id": call.conference_id, "generation": generation, **more})

    def _passing_id(self, *what: str) -> str:
        """Return the operation id of a call that changes nothing and is not repeated under it."""
        text = "|".join((*what, self._now().isoformat()))
        return f"op_{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:32]}"

    def _send(self, asked: Asked, data: dict[str, Any]) -> "_Reply":
        """Return the reply of a call that is done; raise what any other outcome means."""
        sent_at = self._now()
        envelope = {"type": asked.verb, "timestamp": sent_at.isoformat(timespec="seconds"), "data": data}
        body = json.dumps(envelope, separators=(",", ":")).encode()
        headers = self._headers(asked.operation_id, sent_at, body)
        client = self._client()
        try:
            with deadline_after(self._timeout_s):
                reply = _exchange(client.stream("POST", self._endpoint, content=body, headers=headers))
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            raise judge_failure(failure, asked) from failure
        error = judge(_read(reply, self._now()), asked)
        if error is not None:
            raise error
        return reply

    def _headers(self, operation_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
        timestamp = int(sent_at.timestamp())
        return {
            "content-type": "application/json",
            "accept": "application/json, application/problem+json",
            # A compressed answer could unfold to any size.
            "accept-encoding": "identity",
            "user-agent": "confsync",
            "idempotency-key": f'"{operation_id}"',
            "webhook-id": operation_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self._keys, operation_id, timestamp, body),
        }

    def _client(self) -> httpx.Client:
        """Return this process's client: a connection that is shared across a fork would mix up answers."""
        client = self._clients.get(os.getpid())
        if client is None:
            # Of two threads that come here at once one wins; the other's client has opened nothing yet.
            client = self._clients.setdefault(os.getpid(), self._new_client())
        return client

    def _new_client(self) -> httpx.Client:
        timeout = httpx.Timeout(self._timeout_s, connect=min(CONNECT_TIMEOUT_S, self._timeout_s))
        transport = DeadlineTransport(httpx.Limits(keepalive_expiry=IDLE_CONNECTION_S))
        return httpx.Client(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False)


class _Reply(NamedTuple):
    status: int
    headers: httpx.Headers
    content: bytes
    """Empty when it was larger than `LARGEST_ANSWER`."""


def _exchange(sending: AbstractContextManager[httpx.Response]) -> _Reply:
    with sending as response:
        return _Reply(response.status_code, response.headers, _bounded_content(response))


def _bounded_content(response: httpx.Response) -> bytes:
    content = bytearray()
    for part in response.iter_raw():
        content += part
        if len(content) > LARGEST_ANSWER:
            return b""
    return bytes(content)


def _read(reply: _Reply, now: datetime) -> Answer:
    body = parse_object(reply.content) if 200 <= reply.status < 300 else None
    return Answer(
        status=reply.status,
        retry_after_s=parse_retry_after(reply.headers.get("retry-after"), now),
        generation=generation_in(body) if body else None,
        problem=parse_problem(reply.headers.get("content-type", ""), reply.content),
    )


def parse_endpoint(endpoint: str) -> httpx.URL:
    """Return the address, if calls to it stay secret: https, or http on this machine.

    Raises:
        SettingsError: it is anything else; the message shows it without user name, password and query.

    """
    expected = "expected https://host/path, or http://127.0.0.1:port/path, without user name and fragment"
    try:
        url = httpx.URL(endpoint)
    except httpx.InvalidURL as error:
        raise SettingsError(f"the provider's endpoint is no address ({error}); {expected}") from None
    shown = f"{url.scheme}://{url.host}{url.path}"
    secure = url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.host))
    if not (secure and url.host) or url.userinfo or url.fragment:
        raise SettingsError(f"the provider's endpoint {shown!r} cannot be used; {expected}")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
