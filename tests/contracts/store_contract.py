"""What every store promises, as tests: a subclass names its store in the fixture `store`.

It must never ask for what Firestore cannot do: reads come before writes, and a body may run several times.
"""

import pytest

from confsync.ports import Store
from tests.contracts.store_queries import QueriesContract
from tests.contracts.store_records import RecordsContract
from tests.contracts.store_transactions import IsolationContract, TransactionsContract
from tests.contracts.store_unreadable import UnreadableContract


class StoreContract(RecordsContract, TransactionsContract, IsolationContract, QueriesContract, UnreadableContract):
    """Run on every store; `threads` and `rounds` may be lowered for one that is slow under contention."""

    @pytest.fixture
    def store(self) -> Store:
        """Return an empty store."""
        raise NotImplementedError
