"""Runs the store contract on every store."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from confsync.adapters.firestore import FirestoreStore
from confsync.adapters.firestore_calls import build_client
from confsync.adapters.memory import MemoryStore
from confsync.adapters.sqlite import SqliteStore
from tests.contracts.store_contract import StoreContract
from tests.contracts.store_damage import damage_in_firestore, damage_in_memory, damage_in_sqlite
from tests.contracts.store_unreadable import Damage
from tests.firestore_emulator import Emulator


class TestMemoryStore(StoreContract):
    """The store of tests and simulations."""

    @pytest.fixture
    def store(self) -> MemoryStore:
        """Return an empty store."""
        return MemoryStore()

    @pytest.fixture
    def damage(self, store: MemoryStore) -> Damage:
        """Return what damages one record."""
        return partial(damage_in_memory, store)


class TestSqliteStore(StoreContract):
    """The store of the local stack."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqliteStore]:
        """Yield a store on a new file."""
        store = SqliteStore(tmp_path / "confsync.db", busy_timeout_s=60)
        yield store
        store.close()

    @pytest.fixture
    def damage(self, tmp_path: Path) -> Damage:
        """Return what damages one record."""
        return partial(damage_in_sqlite, tmp_path / "confsync.db")


class TestFirestoreStore(StoreContract):
    """The store on Google Cloud, on Google's emulator; that is slow where transactions meet."""

    threads = 3
    rounds = 2

    @pytest.fixture
    def database(self, emulator: Emulator) -> str:
        """Return the name of a database of its own."""
        return emulator.new_database()

    @pytest.fixture
    def store(self, emulator: Emulator, database: str) -> FirestoreStore:
        """Return a store on it."""
        return FirestoreStore(database, lambda: build_client(emulator.host))

    @pytest.fixture
    def damage(self, emulator: Emulator, database: str) -> Damage:
        """Return what damages one record."""
        return partial(damage_in_firestore, build_client(emulator.host), database)
