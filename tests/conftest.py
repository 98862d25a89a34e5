"""Parts that tests of several folders share."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from confsync.adapters.firestore import FirestoreStore
from confsync.adapters.firestore_calls import build_client
from confsync.adapters.memory import MemoryStore
from confsync.adapters.sqlite import SqliteStore
from confsync.local.task_server.embedded import running_task_server
from confsync.local.task_server.options import Options, parse_queue
from confsync.local.task_server.server import Endpoints
from confsync.ports import Store
from tests import firestore_emulator
from tests.firestore_emulator import Emulator
from tests.local.task_server.support import Worker, running_worker

ServeQueues = Callable[..., Endpoints]


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """Yield a running Firestore emulator; without one the test is skipped, but not where CI=true."""
    if lacking := firestore_emulator.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(lacking)
        pytest.skip(lacking)
    running = Emulator()
    yield running
    running.stop()


@pytest.fixture
def worker() -> Iterator[Worker]:
    """Yield a worker that answers 200 until it is told otherwise."""
    with running_worker() as running:
        yield running


@pytest.fixture
def serve_queues(worker: Worker) -> Iterator[ServeQueues]:
    """Serve queues, each `PATH` or `PATH?SETTINGS`, with these options; it ends before the worker does."""
    with ExitStack() as stack:

        def serve(*queues: str, **options: Any) -> Endpoints:
            chosen = replace(Options(queues=tuple(map(parse_queue, queues))), **options)
            endpoints = stack.enter_context(running_task_server(chosen))
            stack.callback(worker.released.set)
            return endpoints

        yield serve


@pytest.fixture(params=["memory", "sqlite", "firestore"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Yield an empty store of each kind."""
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "sqlite":
        on_file = SqliteStore(tmp_path / "confsync.db")
        yield on_file
        on_file.close()
    else:
        emulator: Emulator = request.getfixturevalue("emulator")
        yield FirestoreStore(emulator.new_database(), lambda: build_client(emulator.host))
