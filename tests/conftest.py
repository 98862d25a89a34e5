"""Parts that tests of several folders share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from confsync.adapters.firestore import FirestoreStore
from confsync.adapters.firestore_calls import build_client
from confsync.adapters.memory import MemoryStore
from confsync.adapters.sqlite import SqliteStore
from confsync.ports import Store
from tests import firestore_emulator
from tests.firestore_emulator import Emulator


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
