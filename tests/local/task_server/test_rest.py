"""What only the REST door does: JSON, its errors, and limits."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from confsync.local.task_server.embedded import running_task_server
from confsync.local.task_server.limits import QueueSettings
from confsync.local.task_server.options import Options
from tests.local.task_server.support import PATIENCE_S, QUEUE


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server with the queue `sync`."""
    with running_task_server(Options(queues=((QUEUE, QueueSettings()),))) as endpoints:
        yield endpoints.url


def _call(url: str, path: str, body: bytes | None = None, method: str = "POST") -> tuple[int, Any]:
    request = urllib.request.Request(f"{url}/v2/{path}", data=body, method=method)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:  # noqa: S310 - loopback
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_names_and_enums_are_googles(url: str) -> None:
    """Plain callers get camel case and the names of enum values."""
    status, queue = _call(url, QUEUE, method="GET")
    assert (status, queue["state"], queue["rateLimits"]["maxConcurrentDispatches"]) == (200, "RUNNING", 1000)


def test_errors_have_googles_form(url: str) -> None:
    """Code, message and status under `error`."""
    status, answer = _call(url, f"{QUEUE}/tasks/none", method="GET")
    assert status == answer["error"]["code"] == 404
    assert answer["error"]["status"] == "NOT_FOUND"
    assert "none" in answer["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'{"task": {"surprise": 1}}', b'{"task": {"scheduleTime": "yesterday"}}', b'{"task": 7}', b"\xff"],
)
def test_a_malformed_body_is_an_invalid_argument(url: str, body: bytes) -> None:
    """No body leads to a crash or a task."""
    status, answer = _call(url, f"{QUEUE}/tasks", body)
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_an_unknown_path_is_unimplemented(url: str) -> None:
    """The answer names method and path."""
    status, answer = _call(url, f"{QUEUE}:explode", b"{}")
    assert (status, answer["error"]["status"]) == (501, "UNIMPLEMENTED")


def test_a_huge_request_is_refused_before_it_is_read(url: str) -> None:
    """5 MiB never reach the parser."""
    status, answer = _call(url, f"{QUEUE}/tasks", b" " * 5 * 1024 * 1024)
    assert status == 400
    assert "larger than" in answer["error"]["message"]
