"""What `/_local/` shows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from confsync.adapters.cloud_tasks import build_client
from confsync.local.task_server.embedded import running_task_server
from confsync.local.task_server.options import Options, parse_queue
from confsync.local.task_server.server import Endpoints, PortTaken
from tests.local.task_server.conftest import StartServer
from tests.local.task_server.support import LOCATION, QUEUE, Worker, control, wait_for_stats

SOON = timedelta(hours=1)


def _create(server: Endpoints, worker: Worker, name: str, after: timedelta = timedelta(0)) -> None:
    task = {
        "name": f"{QUEUE}/tasks/{name}",
        "http_request": {"url": worker.url, "body": b"body of " + name.encode()},
        "schedule_time": datetime.now(UTC) + after,
    }
    with build_client(server.grpc) as client:
        client.create_task(request={"parent": QUEUE, "task": task})


def test_waiting_and_recent_tasks_are_shown(start_server: StartServer, worker: Worker) -> None:
    """Waiting ones in the order of their time, ended ones the newest first, with what they are and how they ended."""
    server = start_server()
    for name, after in (("late", 2 * SOON), ("soon", SOON)):
        _create(server, worker, name, after)
    for count, name in enumerate(("first", "second"), start=1):
        _create(server, worker, name)
        wait_for_stats(server.url, succeeded=count)
    shown = control(server.url, "tasks")
    assert [(task["name"], task["body"]) for task in shown["waiting"]] == [
        ("soon", "body of soon"),
        ("late", "body of late"),
    ]
    assert [(task["name"], task["how"]) for task in shown["recent"]] == [
        ("second", "succeeded"),
        ("first", "succeeded"),
    ]
    assert {task["queue"] for task in shown["waiting"]} == {QUEUE}


def test_every_created_task_is_accounted_for(start_server: StartServer, worker: Worker) -> None:
    """Created = waiting + in flight + every way to end; overall is the sum of the queues."""
    server = start_server("maxConcurrentDispatches=1&maxAttempts=1")
    worker.say(200, 500)
    for count, name in enumerate(("good", "bad"), start=1):
        _create(server, worker, name)
        wait_for_stats(server.url, dispatched=count, in_flight=0)
    worker.answer = worker.hold
    _create(server, worker, "held")
    worker.wait_for(3)
    _create(server, worker, "waiting", SOON)
    stats = control(server.url, "stats")
    assert stats["queues"] == {QUEUE: stats["overall"]}
    figures = stats["overall"]
    ended = sum(figures[how] for how in ("succeeded", "dropped", "deleted", "lost"))
    assert figures["created"] == 4 == figures["waiting"] + figures["in_flight"] + ended


def test_a_queue_of_the_command_line_keeps_its_tasks_and_gets_new_settings(worker: Worker, tmp_path: Path) -> None:
    """The file has the tasks, the command line the last word about settings."""
    for attempts in (3, 5):
        options = Options(
            queues=(parse_queue(f"{QUEUE}?maxAttempts={attempts}"),), data=tmp_path / "tasks.db", grpc_port=0
        )
        with running_task_server(options) as server:
            if attempts == 3:
                _create(server, worker, "t", SOON)
            with build_client(server.url) as client:
                assert client.get_queue(name=QUEUE).retry_config.max_attempts == attempts
                assert client.get_task(name=f"{QUEUE}/tasks/t").name
                assert [queue.name for queue in client.list_queues(parent=LOCATION)] == [QUEUE]


def test_a_server_that_cannot_start_raises(start_server: StartServer) -> None:
    """Also in a thread of its own the reason reaches the caller."""
    server = start_server()
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(PortTaken, match=f"Port {port}"), running_task_server(Options(port=port)):
        pass
