"""Out to the worker: one HTTP request per dispatch.

It must never retry, follow a redirect (only 2xx is success, and a worker that redirects is set up wrongly) or use a
proxy of the environment.
Source: https://cloud.google.com/tasks/docs/creating-http-target-tasks#handler
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from confsync.local.task_server.api_errors import RPC_CODES
from confsync.local.task_server.identity import Identities
from confsync.local.task_server.names import short_id
from confsync.local.task_server.records import Dispatch, Outcome

USER_AGENT = "Google-Cloud-Tasks"
_NOT_THE_CALLERS = ("x-google-", "x-appengine-", "x-cloudtasks-")
_COMPUTED = {"host", "content-length", "user-agent", "transfer-encoding", "connection"}
_UNAVAILABLE, _DEADLINE_EXCEEDED, _UNKNOWN = 14, 4, 2
_IDLE_S = 1.0
"""Shorter than any usual server keeps an idle connection, so that none is used in the moment it is closed."""


def build_http_client() -> httpx.AsyncClient:
    """Return the client that all dispatches share."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=_IDLE_S)
    return httpx.AsyncClient(
        timeout=None,  # noqa: S113 - each request has a deadline of its own
        limits=limits,
        trust_env=False,
        follow_redirects=False,
    )


class Sender:
    """Sends dispatches."""

    def __init__(self, client: httpx.AsyncClient, identities: Identities, now: Callable[[], datetime]) -> None:
        """Send through this client, with tokens of these identities."""
        self._client = client
        self._identities = identities
        self._now = now

    async def send(self, dispatch: Dispatch) -> Outcome:
        """Send the request and return what came of it, within the task's dispatch deadline."""
        deadline_s = dispatch.task.dispatch_deadline_s
        try:
            async with asyncio.timeout(deadline_s):
                response = await self._exchange(dispatch)
        except TimeoutError:
            return Outcome(None, _DEADLINE_EXCEEDED, f"No response within the dispatch deadline of {deadline_s:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # ValueError: a header or URL that cannot be sent at all
            return Outcome(None, _UNAVAILABLE, f"No response: {type(error).__name__}")
        return outcome_of(response.status_code, response.headers, self._now())

    async def _exchange(self, dispatch: Dispatch) -> httpx.Response:
        call = dispatch.task.call
        headers = httpx.Headers(request_headers(dispatch))
        if call.identity is not None:
            audience = call.identity.audience or call.url
            token = self._identities.token(call.identity.service_account_email, audience, self._now())
            headers["Authorization"] = f"Bearer {token}"
        request = self._client.build_request(call.method, call.url, headers=headers, content=call.body)
        response = await self._client.send(request, stream=True)
        try:
            async for _ in response.aiter_raw():
                pass  # read to the end, so that the connection can be used again; nobody wants the content
        finally:
            await response.aclose()
        return response


def request_headers(dispatch: Dispatch) -> dict[str, str]:
    """Return the caller's headers without those that are not theirs to set, and Cloud Tasks' own."""
    task = dispatch.task
    headers = {key: value for key, value in task.call.headers if _may_set(key)}
    headers |= {
        "User-Agent": USER_AGENT,
        "X-CloudTasks-QueueName": short_id(dispatch.queue),
        "X-CloudTasks-TaskName": task.task_id,
        "X-CloudTasks-TaskRetryCount": str(task.dispatch_count),
        "X-CloudTasks-TaskExecutionCount": str(task.execution_count),
        "X-CloudTasks-TaskETA": f"{task.schedule_time.timestamp():.6f}",
    }
    if task.previous_status is not None:
        headers["X-CloudTasks-TaskPreviousResponse"] = str(task.previous_status)
    if task.retry_reason:
        headers["X-CloudTasks-TaskRetryReason"] = task.retry_reason
    return headers


def outcome_of(status: int, headers: Mapping[str, str], now: datetime) -> Outcome:
    """Return what an answer of the worker means."""
    if 200 <= status < 300:
        return Outcome(status, 0)
    code = RPC_CODES.get(status, _UNKNOWN)
    return Outcome(status, code, f"HTTP status code {status}", _retry_after_s(headers.get("retry-after"), now))


def _may_set(key: str) -> bool:
    lower = key.lower()
    return lower not in _COMPUTED and not lower.startswith(_NOT_THE_CALLERS)


def _retry_after_s(value: str | None, now: datetime) -> float | None:
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,12}", value.strip()):
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
