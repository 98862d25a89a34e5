"""A task server with one queue, and Google's client over either transport."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from google.cloud.tasks_v2 import CloudTasksClient

from confsync.adapters.cloud_tasks import build_client
from confsync.local.task_server.server import Endpoints
from tests.conftest import ServeQueues
from tests.local.task_server.support import QUEUE

StartServer = Callable[..., Endpoints]


@pytest.fixture
def start_server(serve_queues: ServeQueues) -> StartServer:
    """Start a server with the queue `sync` under these settings; it ends before the worker does."""

    def start(settings: str = "minBackoff=0.01&maxBackoff=0.05", **options: Any) -> Endpoints:
        return serve_queues(f"{QUEUE}?{settings}", **{"grpc_port": 0, "min_dispatch_deadline_s": 0.05, **options})

    return start


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
