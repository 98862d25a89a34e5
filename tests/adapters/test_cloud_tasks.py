"""The Cloud Tasks adapter: Google's client over both transports against the local task server, and every error."""

import inspect
import json
import multiprocessing
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
import requests
from google.api_core import exceptions
from google.auth import exceptions as auth
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.types import Task as TaskMessage

from confsync.adapters.cloud_tasks import (
    MISCONFIGURED,
    NAME_IN_USE,
    UNAVAILABLE,
    CloudTasksQueue,
    CloudTasksSettings,
    build_client,
    is_name_in_use,
    translated,
)
from confsync.core.tasks import Task
from confsync.errors import TaskQueueMisconfigured, TaskQueueUnavailable
from confsync.local.task_server.server import Endpoints
from confsync.ports import TaskQueue
from tests.conftest import ServeQueues
from tests.local.task_server.support import LOCATION, Worker, control

SYNC = f"{LOCATION}/queues/sync"
CONFERENCES = f"{LOCATION}/queues/conferences"
QUEUES = {"/sync": SYNC, "/update": CONFERENCES}
INVOKER = "invoker@p.iam.gserviceaccount.com"
Build = Callable[..., CloudTasksQueue]

# Their constructors have no types.
api: Any = exceptions
google_auth: Any = auth


@pytest.fixture
def server(serve_queues: ServeQueues) -> Endpoints:
    """A task server with both queues, on both transports."""
    return serve_queues(*(f"{name}?minBackoff=0.01&maxBackoff=0.02" for name in QUEUES.values()), grpc_port=0)


@pytest.fixture(params=["rest", "grpc"])
def endpoint(request: pytest.FixtureRequest, server: Endpoints) -> str:
    """The server's address for each transport."""
    return server.url if request.param == "rest" else str(server.grpc)


@pytest.fixture
def build(endpoint: str, worker: Worker) -> Build:
    """Build the adapter for this server and worker."""

    def build_queue(**settings: Any) -> CloudTasksQueue:
        usual: dict[str, Any] = {"queues": QUEUES, "worker_url": worker.url}
        return CloudTasksQueue(CloudTasksSettings(**(usual | settings)), lambda: build_client(endpoint))

    return build_queue


def _client_of(endpoint: str) -> CloudTasksClient:
    return build_client(endpoint)


def test_a_task_reaches_the_workers_door(build: Build, worker: Worker) -> None:
    """POST, JSON body and content type, the task's own name; without an invoker there is no token."""
    queue: TaskQueue = build()
    assert queue.create(Task("t-1", "/sync", {"calendar": "c", "why": "ä"})) is True
    (received,) = worker.wait_for(1)
    assert (received.method, received.path, received.task) == ("POST", "/sync", "t-1")
    assert json.loads(received.body) == {"calendar": "c", "why": "ä"}
    assert received.headers["Content-Type"] == "application/json"
    assert "Authorization" not in received.headers


def test_each_path_has_its_queue(build: Build, worker: Worker, server: Endpoints) -> None:
    """A slow conferencing system does not hold up syncs."""
    queue = build()
    queue.create(Task("t", "/sync", {}))
    queue.create(Task("t", "/update", {}))
    assert {received.path for received in worker.wait_for(2)} == {"/sync", "/update"}
    created = {name: figures["created"] for name, figures in control(server.url, "stats")["queues"].items()}
    assert created == {SYNC: 1, CONFERENCES: 1}


def test_a_provider_may_have_a_queue_of_its_own(build: Build, worker: Worker, server: Endpoints) -> None:
    """At the rate that its vendor allows; the others share the usual one, and syncs are of no provider."""
    queue = build(queues={"/sync": SYNC, "/update": f"{LOCATION}/queues/none"}, provider_queues={"acme": CONFERENCES})
    queue.create(Task("t", "/sync", {}))
    queue.create(Task("t", "/update", {}, provider="acme"))
    assert {received.path for received in worker.wait_for(2)} == {"/sync", "/update"}
    created = {name: figures["created"] for name, figures in control(server.url, "stats")["queues"].items()}
    assert created == {SYNC: 1, CONFERENCES: 1}
    with pytest.raises(TaskQueueMisconfigured, match="queues/none"):
        queue.create(Task("t2", "/update", {}, provider="other"))


def test_a_used_name_is_false_and_not_an_error(build: Build, worker: Worker) -> None:
    """Also after the task was executed, on gRPC (AlreadyExists) as on REST (Conflict)."""
    queue, task = build(), Task("t", "/sync", {})
    assert [queue.create(task), queue.create(task)] == [True, False]
    worker.wait_for(1)
    assert queue.create(task) is False


def test_what_a_task_carries(build: Build, endpoint: str) -> None:
    """Schedule time, dispatch deadline, token and audience are as set."""
    at = datetime.now(UTC).replace(microsecond=123457) + timedelta(hours=1)
    queue = build(worker_url="https://worker.example/", invoker=INVOKER, dispatch_deadline_s=300)
    queue.create(Task("t", "/update", {"a": "b"}, schedule_time=at))
    with _client_of(endpoint) as client:
        name = f"{CONFERENCES}/tasks/t"
        read = client.get_task(request={"name": name, "response_view": TaskMessage.View.FULL})
    assert (read.schedule_time, read.dispatch_deadline) == (at, timedelta(seconds=300))
    assert read.http_request.url == "https://worker.example/update"
    assert read.http_request.body == b'{"a":"b"}'
    token = read.http_request.oidc_token
    assert (token.service_account_email, token.audience) == (INVOKER, "https://worker.example")


def test_the_audience_can_be_set(build: Build, endpoint: str) -> None:
    """For a worker behind an address of its own."""
    at = datetime.now(UTC) + timedelta(hours=1)
    build(invoker=INVOKER, audience="https://aud").create(Task("t", "/sync", {}, schedule_time=at))
    with _client_of(endpoint) as client:
        assert client.get_task(name=f"{SYNC}/tasks/t").http_request.oidc_token.audience == "https://aud"


def test_a_missing_queue_is_misconfigured(build: Build) -> None:
    """The message names the queue and what to do."""
    queue = build(queues={"/sync": f"{LOCATION}/queues/none"})
    with pytest.raises(TaskQueueMisconfigured, match=r"queues/none.*Create the queue"):
        queue.create(Task("t", "/sync", {}))


def test_a_path_without_a_queue_is_misconfigured(build: Build) -> None:
    """The message names the paths that have one."""
    with pytest.raises(TaskQueueMisconfigured, match=r"tasks to /update; there are queues for: /sync"):
        build(queues={"/sync": SYNC}).create(Task("t", "/update", {}))


def test_what_google_refuses_is_misconfigured(build: Build) -> None:
    """A dispatch deadline out of bounds is an operator's mistake."""
    with pytest.raises(TaskQueueMisconfigured, match=r"dispatch_deadline.*Correct the settings"):
        build(dispatch_deadline_s=5).create(Task("t", "/sync", {}))


def test_a_role_that_is_missing_is_misconfigured(build: Build, server: Endpoints) -> None:
    """The message names the queue and the roles."""
    control(server.url, "faults", "POST", {"denied": 1})
    with pytest.raises(TaskQueueMisconfigured, match=rf"{SYNC}.*roles/cloudtasks\.enqueuer"):
        build().create(Task("t", "/sync", {}))


@pytest.mark.parametrize("fault", ["aborted", "unavailable", "deadline", "answer_lost"])
def test_a_passing_fault_is_unavailable_and_not_retried(build: Build, server: Endpoints, fault: str) -> None:
    """One call, one error; whether the task exists is not known."""
    control(server.url, "faults", "POST", {fault: 1})
    with pytest.raises(TaskQueueUnavailable, match=f"{SYNC}.*Try again"):
        build().create(Task("t", "/sync", {}))
    assert control(server.url, "stats")["fault_hits"] == 1
    control(server.url, "faults", "DELETE")
    assert build().create(Task("t", "/sync", {})) is (fault != "answer_lost")


@pytest.mark.timeout(15)  # far above the 0.3 s that the adapter is told, below the library's own 20 s
@pytest.mark.parametrize("scheme", ["http", "grpc"])
@pytest.mark.parametrize("listening", [True, False])
def test_no_answer_is_unavailable(scheme: str, listening: bool) -> None:
    """Nobody listens, or somebody listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"{scheme}://127.0.0.1:{silent.getsockname()[1] if listening else 1}"
        settings = CloudTasksSettings(QUEUES, "http://127.0.0.1:1", timeout_s=0.3)
        with pytest.raises(TaskQueueUnavailable, match=SYNC):
            CloudTasksQueue(settings, lambda: build_client(address)).create(Task("t", "/sync", {}))


def test_the_client_is_built_at_the_first_create_and_once(server: Endpoints, worker: Worker) -> None:
    """Nothing at import or construction, and one client for all creates of a process."""
    built = []

    def connect() -> CloudTasksClient:
        built.append(build_client(server.url))
        return built[-1]

    queue = CloudTasksQueue(CloudTasksSettings(QUEUES, worker.url), connect)
    assert built == []
    for number in range(3):
        queue.create(Task(f"t{number}", "/sync", {}))
    assert len(built) == 1


def test_a_forked_process_builds_its_own_client(server: Endpoints, worker: Worker) -> None:
    """A client that crosses a fork may hang, so the child does not use the parent's."""
    pids = multiprocessing.get_context("spawn").SimpleQueue()
    process = multiprocessing.get_context("spawn").Process(target=_fork_and_create, args=(server.url, worker.url, pids))
    process.start()
    try:
        process.join(60)
        assert process.exitcode == 0
    finally:
        process.kill()
    assert pids.get() == ["parent", "child"]
    assert {received.task for received in worker.wait_for(2)} == {"parent", "child"}


def _fork_and_create(endpoint: str, worker_url: str, answers: Any) -> None:
    """Create a task, fork, create another in the child; report who built a client (in a fresh process: see above)."""
    built = multiprocessing.get_context("fork").SimpleQueue()
    who = ["parent"]

    def connect() -> CloudTasksClient:
        built.put(who[0])
        return build_client(endpoint)

    queue = CloudTasksQueue(CloudTasksSettings(QUEUES, worker_url), connect)
    queue.create(Task("parent", "/sync", {}))
    who[0] = "child"
    child = multiprocessing.get_context("fork").Process(target=queue.create, args=(Task("child", "/sync", {}),))
    child.start()
    child.join(30)
    who_built = []
    while not built.empty():
        who_built.append(built.get())
    answers.put(who_built)


def _error_classes() -> list[str]:
    members = inspect.getmembers(exceptions, inspect.isclass)
    return [name for name, cls in members if issubclass(cls, Exception) and cls.__module__ == exceptions.__name__]


@pytest.mark.parametrize("name", _error_classes())
def test_every_error_class_of_the_library_has_a_meaning(name: str) -> None:
    """A class that a new version brings has to be judged here first."""
    assert (name in MISCONFIGURED) + (name in UNAVAILABLE) + (name in NAME_IN_USE) == 1


def test_no_meaning_is_left_over() -> None:
    """A class that the library dropped is dropped here, too."""
    assert {*MISCONFIGURED, *UNAVAILABLE, *NAME_IN_USE} == set(_error_classes())


class _Answer:
    """A REST answer with this JSON body."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def json(self) -> Any:
        if isinstance(self._body, ValueError):
            raise self._body
        return self._body


@pytest.mark.parametrize(
    ("error", "in_use"),
    [
        (api.AlreadyExists("x"), True),
        (api.Conflict("x", response=_Answer({"error": {"status": "ALREADY_EXISTS"}})), True),
        (api.Conflict("x", response=_Answer({"error": {"status": "ABORTED"}})), False),
        (api.Conflict("x", response=_Answer(["odd"])), False),
        (api.Conflict("x", response=_Answer(ValueError("no JSON"))), False),
        (api.Conflict("x"), False),
        (api.Aborted("x"), False),
    ],
)
def test_only_a_name_in_use_counts_as_one(error: exceptions.GoogleAPIError, in_use: bool) -> None:
    """Any doubt is no: taking another conflict for a duplicate would lose the task."""
    assert is_name_in_use(error) is in_use
    assert in_use or isinstance(translated(error, SYNC), TaskQueueUnavailable)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (api.NotFound("x"), TaskQueueMisconfigured),
        (api.PermissionDenied("x"), TaskQueueMisconfigured),
        (api.Forbidden("x"), TaskQueueMisconfigured),
        (api.Unauthenticated("x"), TaskQueueMisconfigured),
        (api.Unauthorized("x"), TaskQueueMisconfigured),
        (api.InvalidArgument("x"), TaskQueueMisconfigured),
        (api.DeadlineExceeded("x"), TaskQueueUnavailable),
        (api.ServiceUnavailable("x"), TaskQueueUnavailable),
        (api.TooManyRequests("x"), TaskQueueUnavailable),
        (api.ResourceExhausted("x"), TaskQueueUnavailable),
        (api.InternalServerError("x"), TaskQueueUnavailable),
        (api.RetryError("x", cause=None), TaskQueueUnavailable),
        (api.from_http_status(418, "x"), TaskQueueUnavailable),
        (api.from_http_status(599, "x"), TaskQueueUnavailable),
        (api.from_grpc_status(grpc.StatusCode.UNKNOWN, "x"), TaskQueueUnavailable),
        (google_auth.DefaultCredentialsError("x"), TaskQueueMisconfigured),
        (google_auth.RefreshError("x"), TaskQueueMisconfigured),
        (google_auth.RefreshError("x", retryable=True), TaskQueueUnavailable),
        (google_auth.TransportError("x"), TaskQueueUnavailable),
        (requests.ConnectionError("x"), TaskQueueUnavailable),
        (requests.ReadTimeout("x"), TaskQueueUnavailable),
        (ConnectionResetError("x"), TaskQueueUnavailable),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_what_each_error_means(error: Exception, meaning: type[Exception]) -> None:
    """Of the API, of google-auth and of the network; the message names queue and error."""
    result = translated(error, SYNC)
    assert type(result) is meaning
    assert SYNC in str(result)
    assert type(error).__name__ in str(result)


def test_google_itself_is_reached_with_default_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Without an endpoint the environment's credentials are asked for, and their absence is told as such."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    queue = CloudTasksQueue(CloudTasksSettings(QUEUES, "https://worker.example"), build_client)
    with pytest.raises(TaskQueueMisconfigured, match="DefaultCredentialsError"):
        queue.create(Task("t", "/sync", {}))
