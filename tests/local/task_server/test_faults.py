"""Faults on demand: each does what its name says, as often as asked, and nothing after its end."""

import urllib.error
from datetime import UTC, datetime

import pytest
from google.api_core import exceptions
from google.cloud.tasks_v2 import CloudTasksClient

from confsync.adapters.cloud_tasks import build_client
from confsync.local.task_server.faults import FaultDice, Faults
from confsync.local.task_server.server import Endpoints
from tests.local.task_server.conftest import StartServer
from tests.local.task_server.support import QUEUE, Worker, control, wait_for_stats


@pytest.fixture
def server(start_server: StartServer) -> Endpoints:
    """A fresh server."""
    return start_server()


@pytest.fixture
def client(server: Endpoints) -> CloudTasksClient:
    """Google's client of it."""
    return build_client(server.grpc)


def _create(client: CloudTasksClient, worker: Worker, name: str) -> None:
    task = {"name": f"{QUEUE}/tasks/{name}", "http_request": {"url": worker.url}}
    client.create_task(request={"parent": QUEUE, "task": task})


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("denied", (exceptions.PermissionDenied, False)),
        ("aborted", (exceptions.Aborted, False)),
        ("unavailable", (exceptions.ServiceUnavailable, False)),
        ("deadline", (exceptions.DeadlineExceeded, False)),
        ("answer_lost", (exceptions.ServiceUnavailable, True)),
    ],
)
def test_a_create_that_fails(
    server: Endpoints, client: CloudTasksClient, worker: Worker, fault: str, expected: tuple[type[Exception], bool]
) -> None:
    """Without effect the name is still free; with a lost answer the task exists and is delivered."""
    error, delivered = expected
    control(server.url, "faults", "POST", {fault: 1, "times": 1})
    with pytest.raises(error, match="injected"):
        _create(client, worker, "t")
    if delivered:
        worker.wait_for(1)
        with pytest.raises(exceptions.AlreadyExists):
            _create(client, worker, "t")
    else:
        _create(client, worker, "t")
        worker.wait_for(1)
    wait_for_stats(server.url, created=1, succeeded=1)


def test_a_lost_task_is_accepted_and_never_delivered(
    server: Endpoints, client: CloudTasksClient, worker: Worker
) -> None:
    """Its name is blocked as if it had run."""
    control(server.url, "faults", "POST", {"lose": 1, "times": 1})
    _create(client, worker, "lost")
    _create(client, worker, "next")
    assert [received.task for received in worker.wait_for(1)] == ["next"]
    with pytest.raises(exceptions.AlreadyExists):
        _create(client, worker, "lost")
    wait_for_stats(server.url, lost=1, waiting=0)


@pytest.mark.parametrize("after_s", [0, 0.05])
def test_a_task_delivered_twice(server: Endpoints, client: CloudTasksClient, worker: Worker, after_s: float) -> None:
    """The same request reaches the worker a second time, though it was answered well."""
    control(server.url, "faults", "POST", {"twice": 1, "twice_after_s": after_s, "times": 1})
    _create(client, worker, "t")
    first, second = worker.wait_for(2)
    assert first.task == second.task == "t"
    wait_for_stats(server.url, succeeded=1, echoed=1, in_flight=0)


def test_late_tasks_are_overtaken(server: Endpoints, client: CloudTasksClient, worker: Worker) -> None:
    """A task hit by the fault comes after one that was created later."""
    control(server.url, "faults", "POST", {"late": 1, "late_s": 600, "times": 1, "seed": 1})
    _create(client, worker, "late")
    _create(client, worker, "later")
    assert [received.task for received in worker.wait_for(1)] == ["later"]
    wait_for_stats(server.url, waiting=1)


def test_removed_faults_are_gone(server: Endpoints, client: CloudTasksClient, worker: Worker) -> None:
    """After DELETE everything works, and GET shows that no fault is left."""
    control(server.url, "faults", "POST", {"unavailable": 1})
    assert control(server.url, "faults", "DELETE")["unavailable"] == 0
    _create(client, worker, "t")
    worker.wait_for(1)
    assert Faults.model_validate(control(server.url, "faults")) == Faults()


@pytest.mark.parametrize("body", [{"surprise": 1}, {"twice": 2}, {"late_s": -1}, []])
def test_unknown_faults_are_refused(server: Endpoints, body: object) -> None:
    """Nothing is set when something is not understood."""
    with pytest.raises(urllib.error.HTTPError, match="400") as refused:
        control(server.url, "faults", "POST", body)
    refused.value.close()
    assert Faults.model_validate(control(server.url, "faults")) == Faults()


def test_a_fault_hits_only_its_queue_and_as_often_as_asked() -> None:
    """Another queue is spared; after `times` hits all are."""
    dice = FaultDice()
    dice.set(Faults(queue="a", unavailable=1, times=2))
    assert [dice.on_create(queue) for queue in "babaa"] == [None, "unavailable", None, "unavailable", None]


def test_the_same_seed_hits_the_same_tasks() -> None:
    """A run can be repeated."""

    def hits() -> list[float]:
        dice = FaultDice()
        dice.set(Faults(late=0.5, late_s=10, seed=7))
        return [dice.lateness_s("q") for _ in range(50)]

    assert hits() == hits()
    assert 0 < sum(delay > 0 for delay in hits()) < 50


def test_faults_say_when_they_began_to_matter(server: Endpoints, client: CloudTasksClient, worker: Worker) -> None:
    """The statistics count the hits."""
    control(server.url, "faults", "POST", {"late": 1, "late_s": 0})
    before = datetime.now(UTC)
    _create(client, worker, "t")
    assert worker.wait_for(1)[0].at >= before
    assert control(server.url, "stats")["fault_hits"] == 1
