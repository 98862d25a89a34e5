"""Protocols that are broken on purpose: a simulation that does not report them has gone blind.

Each breaks one rule at the store, where production code cannot help it. It must never be used but to be caught.
"""

from typing import TypeVar

from confsync.core.records import Calendar, Link, Record
from confsync.ports import Transaction
from tests.simulation.instance import Instance
from tests.simulation.store_edge import Noted, SimulatedStore, Written

R = TypeVar("R", bound=Record)


class _Torn(Noted):
    """Loses links, while the calendar with its sync token moves on."""

    def put(self, record: Record) -> None:
        """Write everything but links."""
        if not isinstance(record, Link):
            super().put(record)


class TornStore(SimulatedStore):
    """Breaks R1: now and then the token moves, and what it covers is not recorded."""

    def _noted(self, transaction: Transaction, written: Written) -> Transaction:
        caller = self._gate.caller()
        return _Torn(transaction, written) if caller.draw() % 20 == 0 else super()._noted(transaction, written)


class _Fenceless(Noted):
    """Shows each worker the fence under which it once claimed a calendar, whoever owns it now."""

    def __init__(self, transaction: Transaction, written: Written, caller: Instance) -> None:
        """Read for `caller`."""
        super().__init__(transaction, written)
        self._caller = caller

    def get(self, kind: type[R], key: str) -> R | None:
        """Return a record, a calendar as if it were still the caller's."""
        found = super().get(kind, key)
        fence = self._caller.fences.get(key)
        if not isinstance(found, Calendar) or fence is None or found.fence == fence or found.lease is None:
            return found
        return found.model_copy(update={"fence": fence})


class FencelessStore(SimulatedStore):
    """Breaks R2: a worker that lost its fence does not notice."""

    def _noted(self, transaction: Transaction, written: Written) -> Transaction:
        return _Fenceless(transaction, written, self._gate.caller())
