"""Runs the store contract on every store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from confsync.adapters.firestore import FirestoreStore
from confsync.adapters.firestore_calls import build_client
from confsync.adapters.memory import MemoryStore
from confsync.adapters.sqlite import SqliteStore
from tests.contracts.store_contract import StoreContract
from tests.firestore_emulator import Emulator


class TestMemoryStore(StoreContract):
    """The store of tests and simulations."""

    @pytest.fixture
    def store(self) -> MemoryStore:
        """Return an empty store."""
        return MemoryStore()


class TestSqliteStore(StoreContract):
    """The store of the local stack."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqliteStore]:
        """Yield a store on a new file."""
        store = SqliteStore(tmp_path / "confsync.db", busy_timeout_s=60)
        yield store
        store.close()


class TestFirestoreStore(StoreContract):
    """The store on Google Cloud, on Google's emulator; that is slow where transactions meet."""

    threads = 3
    rounds = 2

    @pytest.fixture
    def store(self, emulator: Emulator) -> FirestoreStore:
        """Return a store on a database of its own."""
        return FirestoreStore(emulator.new_database(), lambda: build_client(emulator.host))
