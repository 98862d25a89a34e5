"""A task server in a thread, a worker, and Google's client over either transport."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from google.cloud.tasks_v2 import CloudTasksClient

from confsync.adapters.cloud_tasks import build_client
from confsync.local.task_server.embedded import running_task_server
from confsync.local.task_server.options import Options, parse_queue
from confsync.local.task_server.server import Endpoints
from tests.local.task_server.support import QUEUE, Worker, running_worker

StartServer = Callable[..., Endpoints]


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A worker that answers 200 until it is told otherwise."""
    with running_worker() as running:
        yield running


@pytest.fixture
def start_server(worker: Worker) -> Iterator[StartServer]:
    """Start a server with the queue `sync` under these settings; it ends before the worker does."""
    with ExitStack() as stack:

        def start(settings: str = "minBackoff=0.01&maxBackoff=0.05", **options: Any) -> Endpoints:
            queue = parse_queue(f"{QUEUE}?{settings}")
            chosen = replace(Options(grpc_port=0, queues=(queue,), min_dispatch_deadline_s=0.05), **options)
            endpoints = stack.enter_context(running_task_server(chosen))
            stack.callback(worker.released.set)
            return endpoints

        yield start


@pytest.fixture(params=["rest", "grpc"])
def transport(request: pytest.FixtureRequest) -> str:
    """Each of the two transports."""
    return str(request.param)


@pytest.fixture
def connect(transport: str) -> Iterator[Callable[[Endpoints], CloudTasksClient]]:
    """Build Google's client for a server over the transport of this test."""
    with ExitStack() as stack:

        def build(endpoints: Endpoints) -> CloudTasksClient:
            client = build_client(endpoints.url if transport == "rest" else endpoints.grpc)
            return stack.enter_context(client)

        yield build
