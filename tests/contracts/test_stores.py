"""Runs the store contract on every store that needs no server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from confsync.adapters.memory import MemoryStore
from confsync.adapters.sqlite import SqliteStore
from tests.contracts.store_contract import StoreContract


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
