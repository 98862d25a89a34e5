"""The API as Google's own client sees it, over REST and gRPC."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.types import HttpMethod, Queue, Task
from google.protobuf.duration_pb2 import Duration  # type: ignore[import-untyped]  # no stubs are installed
from google.protobuf.field_mask_pb2 import FieldMask  # type: ignore[import-untyped]  # no stubs are installed

from confsync.local.task_server.embedded import running_task_server
from confsync.local.task_server.options import Options
from confsync.local.task_server.server import Endpoints
from tests.local.task_server.conftest import StartServer
from tests.local.task_server.support import LOCATION, QUEUE, Worker

Connect = Callable[[Endpoints], CloudTasksClient]
ELSEWHERE = "projects/p/locations/elsewhere"
NOT_YET = timedelta(hours=1)


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Endpoints]:
    """One server for all tests that need nothing but a fresh queue."""
    with running_task_server(Options(grpc_port=0, queue_name_ttl_s=0, min_dispatch_deadline_s=0.05)) as endpoints:
        yield endpoints


@pytest.fixture
def client(shared_server: Endpoints, connect: Connect) -> CloudTasksClient:
    """Google's client for a server whose only queue is a fresh `sync`."""
    client = connect(shared_server)
    for location in (LOCATION, ELSEWHERE):
        for queue in client.list_queues(parent=location):
            client.delete_queue(name=queue.name)
    retry = {"min_backoff": Duration(nanos=10_000_000)}
    client.create_queue(request={"parent": LOCATION, "queue": {"name": QUEUE, "retry_config": retry}})
    return client


def _task(worker: Worker, name: str = "", **fields: Any) -> dict[str, Any]:
    request = {"url": f"{worker.url}/sync", "headers": {"Content-Type": "application/json"}, "body": b"{}"}
    full_name = {"name": f"{QUEUE}/tasks/{name}"} if name else {}
    return full_name | {"http_request": request, "schedule_time": datetime.now(UTC) + NOT_YET} | fields


def _create(client: CloudTasksClient, task: dict[str, Any], **request: Any) -> Any:
    return client.create_task(request={"parent": QUEUE, "task": task, **request})


def test_a_new_queue_has_googles_defaults(client: CloudTasksClient) -> None:
    """500 per second, 1000 at once, 100 attempts, back-off from 0.1 s to an hour with 16 doublings."""
    queue = client.create_queue(request={"parent": LOCATION, "queue": {"name": f"{LOCATION}/queues/fresh"}})
    rate, retry = queue.rate_limits, queue.retry_config
    assert (rate.max_dispatches_per_second, rate.max_burst_size, rate.max_concurrent_dispatches) == (500, 100, 1000)
    assert (retry.max_attempts, retry.max_doublings) == (100, 16)
    assert (retry.min_backoff, retry.max_backoff) == (timedelta(seconds=0.1), timedelta(hours=1))
    assert queue.state == Queue.State.RUNNING
    assert client.get_queue(name=queue.name) == queue


def test_queues_are_listed_by_page(client: CloudTasksClient) -> None:
    """All queues of the location and none of another, in pages."""
    for name in ("a", "b", "c"):
        client.create_queue(request={"parent": LOCATION, "queue": {"name": f"{LOCATION}/queues/{name}"}})
    client.create_queue(request={"parent": ELSEWHERE, "queue": {"name": f"{ELSEWHERE}/queues/a"}})
    pages = list(client.list_queues(request={"parent": LOCATION, "page_size": 3}).pages)
    assert [[queue.name[-4:] for queue in page.queues] for page in pages] == [["es/a", "es/b", "es/c"], ["sync"]]


def test_an_existing_queue_cannot_be_created(client: CloudTasksClient) -> None:
    """The second create is refused as a duplicate."""
    with pytest.raises((exceptions.AlreadyExists, exceptions.Conflict), match="already exists"):
        client.create_queue(request={"parent": LOCATION, "queue": {"name": QUEUE}})


def test_a_deleted_queues_name_stays_blocked(start_server: StartServer, connect: Connect, worker: Worker) -> None:
    """The queue is gone with its tasks, and its name cannot be used for days."""
    client = connect(start_server())
    task = _create(client, _task(worker, "t"))
    client.delete_queue(name=QUEUE)
    for call in (lambda: client.get_queue(name=QUEUE), lambda: client.get_task(name=task.name)):
        with pytest.raises(exceptions.NotFound, match="does not exist"):
            call()
    with pytest.raises(exceptions.BadRequest, match="deleted too recently"):
        client.create_queue(request={"parent": LOCATION, "queue": {"name": QUEUE}})


def test_update_queue_changes_what_the_mask_names(client: CloudTasksClient) -> None:
    """Other settings stay; a zero that the mask names is a wish."""
    queue = {"name": QUEUE, "rate_limits": {"max_dispatches_per_second": 5}, "retry_config": {"max_attempts": 7}}
    paths = ["rate_limits.max_dispatches_per_second", "retry_config.max_doublings"]
    client.update_queue(request={"queue": queue, "update_mask": FieldMask(paths=paths)})
    read = client.get_queue(name=QUEUE)
    assert read.rate_limits.max_dispatches_per_second == 5
    assert (read.retry_config.max_attempts, read.retry_config.max_doublings) == (100, 0)
    assert read.retry_config.min_backoff == timedelta(seconds=0.01)


def test_update_queue_without_a_mask_sets_all_and_creates(client: CloudTasksClient) -> None:
    """What is not given goes back to its default; a queue that does not exist comes into being."""
    updated = client.update_queue(request={"queue": {"name": QUEUE, "retry_config": {"max_attempts": -1}}})
    assert (updated.retry_config.max_attempts, updated.retry_config.max_backoff) == (-1, timedelta(hours=1))
    fresh = client.update_queue(request={"queue": {"name": f"{LOCATION}/queues/fresh"}})
    assert client.get_queue(name=fresh.name).retry_config.max_attempts == 100


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate_limits": {"max_dispatches_per_second": 501}}, "max_dispatches_per_second is 501"),
        ({"rate_limits": {"max_concurrent_dispatches": 5001}}, "max_concurrent_dispatches is 5001"),
        ({"retry_config": {"max_attempts": -2}}, "max_attempts is -2"),
        (
            {"retry_config": {"min_backoff": Duration(seconds=9), "max_backoff": Duration(seconds=8)}},
            "min_backoff is 9",
        ),
    ],
)
def test_settings_out_of_bounds_are_refused(client: CloudTasksClient, settings: dict[str, Any], message: str) -> None:
    """The message names field, value and bounds."""
    with pytest.raises(exceptions.BadRequest, match=message):
        client.create_queue(request={"parent": LOCATION, "queue": {"name": f"{LOCATION}/queues/q", **settings}})


def test_a_task_is_answered_without_its_body_unless_asked(client: CloudTasksClient, worker: Worker) -> None:
    """The basic view leaves the body out; the full view has it."""
    created = _create(client, _task(worker, "t", dispatch_deadline=Duration(seconds=20)))
    assert (created.view, created.http_request.body) == (Task.View.BASIC, b"")
    assert created.http_request.http_method == HttpMethod.POST
    assert created.dispatch_deadline == timedelta(seconds=20)
    assert created.create_time.microsecond == 0
    full = client.get_task(request={"name": created.name, "response_view": Task.View.FULL})
    assert (full.http_request.body, full.http_request.headers["Content-Type"]) == (b"{}", "application/json")


def test_a_task_without_a_name_gets_one(client: CloudTasksClient, worker: Worker) -> None:
    """Two of them never collide."""
    names = {_create(client, _task(worker)).name for _ in range(2)}
    assert len(names) == 2
    assert all(name.startswith(f"{QUEUE}/tasks/") for name in names)


def test_a_schedule_time_is_kept_to_the_microsecond_and_the_past_is_now(
    client: CloudTasksClient, worker: Worker
) -> None:
    """No time and a time in the past both mean at once."""
    at = datetime.now(UTC).replace(microsecond=123457) + NOT_YET
    assert _create(client, _task(worker, schedule_time=at)).schedule_time == at
    before = datetime.now(UTC)
    assert _create(client, _task(worker, schedule_time=before - NOT_YET)).schedule_time >= before


@pytest.mark.parametrize("ended", ["waiting", "deleted", "succeeded"])
def test_a_used_name_is_refused(client: CloudTasksClient, worker: Worker, ended: str) -> None:
    """While its task waits, and after it was deleted or succeeded."""
    created = _create(client, _task(worker, "t"))
    if ended == "deleted":
        client.delete_task(name=created.name)
    if ended == "succeeded":
        client.run_task(name=created.name)
        worker.wait_for(1)
    with pytest.raises((exceptions.AlreadyExists, exceptions.Conflict)) as refused:
        _create(client, _task(worker, "t"))
    assert not isinstance(refused.value, exceptions.Aborted)


def test_a_deleted_task_is_gone(client: CloudTasksClient, worker: Worker) -> None:
    """It can be neither read, run nor deleted again."""
    name = _create(client, _task(worker, "t")).name
    client.delete_task(name=name)
    for call in (client.get_task, client.delete_task, client.run_task):
        with pytest.raises(exceptions.NotFound, match="no longer exists"):
            call(name=name)
    with pytest.raises(exceptions.NotFound, match="does not exist"):
        client.get_task(name=f"{QUEUE}/tasks/never")


def test_tasks_are_listed_by_page(client: CloudTasksClient, worker: Worker) -> None:
    """Every task once, whatever the page size; bodies only in the full view."""
    for number in range(5):
        _create(client, _task(worker, f"t{number}"))
    request = {"parent": QUEUE, "page_size": 2, "response_view": Task.View.FULL}
    tasks = list(client.list_tasks(request=request))
    assert [task.name[-2:] for task in tasks] == ["t0", "t1", "t2", "t3", "t4"]
    assert {task.http_request.body for task in tasks} == {b"{}"}


def test_purging_deletes_all_tasks(client: CloudTasksClient, worker: Worker) -> None:
    """The queue stays, and remembers when."""
    _create(client, _task(worker))
    assert client.purge_queue(name=QUEUE).purge_time is not None
    assert list(client.list_tasks(parent=QUEUE)) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"http_request": {"url": "ftp://x"}}, "must begin with http"),
        ({"http_request": {"url": "http://x/" + "y" * 2100}}, "at most 2083"),
        ({"http_request": {"url": "http://x", "http_method": "GET", "body": b"x"}}, "not allowed with method GET"),
        ({"http_request": {"url": "http://x", "headers": {"a": "y" * 90_000}}}, "smaller than"),
        ({"http_request": {"url": "http://x", "body": b"y" * 1_100_000}}, "too large"),
        ({"http_request": {"url": "http://x", "oidc_token": {"audience": "x"}}}, "service_account_email is missing"),
        ({"schedule_time": datetime(2031, 1, 1, tzinfo=UTC)}, "more than 30 days ahead"),
        ({"dispatch_deadline": Duration(seconds=1801)}, "between 0.05 s and 1800 s"),
        ({"name": f"{QUEUE}/tasks/not allowed"}, "must be formatted"),
        ({"name": f"{QUEUE}/tasks/{'y' * 501}"}, "must be formatted"),
        ({"name": f"{LOCATION}/queues/other/tasks/t"}, "does not lie in queue"),
        ({"retry_config": {"max_attempts": -3}}, "max_attempts is -3"),
    ],
)
def test_a_wrong_task_is_refused(
    client: CloudTasksClient, worker: Worker, change: dict[str, Any], message: str
) -> None:
    """INVALID_ARGUMENT with field, value and bound; nothing is created."""
    with pytest.raises(exceptions.BadRequest, match=message):
        _create(client, _task(worker) | change)
    assert list(client.list_tasks(parent=QUEUE)) == []


def test_googles_own_dispatch_deadline_is_the_default_minimum(
    start_server: StartServer, connect: Connect, worker: Worker
) -> None:
    """Below 15 s is refused unless a setting lowers it."""
    client = connect(start_server(min_dispatch_deadline_s=15.0))
    with pytest.raises(exceptions.BadRequest, match="between 15 s and 1800 s"):
        _create(client, _task(worker, dispatch_deadline=Duration(seconds=14)))
    _create(client, _task(worker, dispatch_deadline=Duration(seconds=15)))


@pytest.mark.parametrize(
    "task",
    [
        {"app_engine_http_request": {"relative_uri": "/"}},
        {"http_request": {"url": "http://x", "oauth_token": {"service_account_email": "a@b"}}},
    ],
)
def test_what_is_not_served_is_said_so(client: CloudTasksClient, task: dict[str, Any]) -> None:
    """App Engine tasks and OAuth tokens are UNIMPLEMENTED, not ignored."""
    with pytest.raises(exceptions.MethodNotImplemented, match="not served here"):
        _create(client, task)


def test_other_methods_are_unimplemented(client: CloudTasksClient) -> None:
    """IAM policies belong to Google alone."""
    with pytest.raises(exceptions.MethodNotImplemented):
        client.get_iam_policy(request={"resource": QUEUE})


def test_a_queue_that_does_not_exist(client: CloudTasksClient, worker: Worker) -> None:
    """NOT_FOUND says which queue is missing and how to get it."""
    with pytest.raises(exceptions.NotFound, match=r"queues/none.*--queue"):
        client.create_task(request={"parent": f"{LOCATION}/queues/none", "task": _task(worker)})
