"""The loop between queues and worker, where it can go wrong."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from confsync.adapters.cloud_tasks import build_client
from confsync.local.task_server.book import Book
from confsync.local.task_server.dispatcher import Dispatcher
from confsync.local.task_server.embedded import running_task_server
from confsync.local.task_server.faults import FaultDice
from confsync.local.task_server.limits import QueueSettings
from confsync.local.task_server.options import Options
from confsync.local.task_server.server import Endpoints
from tests.local.task_server.support import (
    LOCATION,
    PATIENCE_S,
    QUEUE,
    Answer,
    Received,
    Worker,
    a_task,
    wait_for_stats,
)


class BrokenSender:
    """A sender with a mistake in it."""

    async def send(self, _: object) -> Any:
        """Fail in a way that nobody foresaw."""
        raise LookupError("a mistake of ours")


def test_a_mistake_of_ours_ends_the_server() -> None:
    """A task whose outcome is lost would hang for ever, so the loop fails loudly instead."""

    async def run() -> None:
        book = Book(60, 60)
        now = datetime.now(UTC)
        book.create(QUEUE, QueueSettings(), now).create(a_task(), now)
        sender: Any = BrokenSender()
        dispatcher = Dispatcher(book, sender, FaultDice(), now=lambda: datetime.now(UTC), commit=book.changes.clear)
        await asyncio.wait_for(dispatcher.run(), PATIENCE_S)

    with pytest.raises(LookupError, match="a mistake of ours"):
        asyncio.run(run())


def test_the_answer_for_a_deleted_queue_leaves_nothing_in_the_file(worker: Worker, tmp_path: Path) -> None:
    """A queue that gets the name later does not inherit a task from it."""

    def fail_first_later(received: Received) -> Answer:
        if received.task == "second":
            return Answer()
        worker.hold(received)
        return Answer(500)

    worker.answer = fail_first_later
    options = Options(grpc_port=0, data=tmp_path / "tasks.db", queues=((QUEUE, QueueSettings()),), queue_name_ttl_s=0)
    with running_task_server(options) as server:
        _create(server, worker, "first")
        worker.wait_for(1)
        with build_client(server.grpc) as client:
            client.delete_queue(name=QUEUE)
            client.create_queue(request={"parent": LOCATION, "queue": {"name": QUEUE}})
        worker.released.set()
        _create(server, worker, "second")
        wait_for_stats(server.url, succeeded=1)
    with running_task_server(options) as server, build_client(server.grpc) as client:
        assert list(client.list_tasks(parent=QUEUE)) == []


def _create(server: Endpoints, worker: Worker, name: str) -> None:
    task = {"name": f"{QUEUE}/tasks/{name}", "http_request": {"url": worker.url}}
    with build_client(server.grpc) as client:
        client.create_task(request={"parent": QUEUE, "task": task})
