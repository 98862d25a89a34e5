"""Reading events on behalf of a leased calendar: however slow the store is, no reading leaves on an old lease."""

from datetime import timedelta

import pytest

from confsync.adapters.memory import MemoryStore
from confsync.core import leases
from confsync.core.records import Calendar, EventRef
from confsync.core.sight import Reading
from confsync.leased_reader import LeasedReader
from tests.world import ANN, BOB, World


@pytest.mark.parametrize(("slow", "who"), [("transact", ANN), ("get", BOB)])
def test_each_reading_leaves_soon_after_its_lease_was_written(slow: str, who: str) -> None:
    """An extension may take long itself, and so may finding out what another calendar is (rule R4)."""
    store = MemoryStore()
    world = World(store=store)
    event_id = world.add("Planning", "c1", who=who)
    world.initialize()
    claim = leases.claim(world.calendar(), "w", world.now, world.rules).calendar
    store.transact(lambda tx: tx.put(claim))
    reader = LeasedReader(claim, world.outside, world.rules)
    reader.note_full_access()
    world.now += timedelta(seconds=world.rules.extend_every_s - (1 if slow == "get" else 0))
    ages = []

    def delay(operation: str) -> None:
        if operation == slow:
            store.after_call = None
            world.now += timedelta(seconds=world.rules.extend_every_s + 5)

    def note(_: str) -> None:
        lease = world.store.get(Calendar, claim.key)
        written_at = leases.extended_at(lease, world.rules) if lease else None
        assert written_at is not None
        ages.append(world.now - written_at)

    store.after_call, world.before_calendar = delay, note
    reader.read([Reading(EventRef(Calendar.key_for("default", who, who), event_id))], None)
    assert ages
    assert all(age < timedelta(seconds=world.rules.extend_every_s) for age in ages)
