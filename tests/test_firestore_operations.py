"""What one notification costs in Firestore: the production use cases, counted on the emulator.

The goals are those of the design: a quiet notification 2 documents read and 2 written, one changed conference 5 and 5.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from confsync.adapters.firestore import FirestoreStore
from confsync.renew_channels import renew_channels
from tests.contracts.store_calls import calendar, conference, put
from tests.firestore_client import Intercepted
from tests.firestore_emulator import Emulator
from tests.world import ANN, PUSH, World

QUIET: dict[str, tuple[Callable[[World, str, str], None], tuple[int, int]]] = {
    "nothing changed": (lambda world, *_: world.push(ANN), (2, 2)),
    "another event changed": (lambda world, _, other: world.edit(other, summary="Lunch, later"), (3, 2)),
    "reminder changed": (
        lambda world, event, _: world.edit(event, reminders={"useDefault": False, "overrides": []}),
        (4, 3),
    ),
}
"""By what happened: how it comes about, and how many documents it may read and write."""


@pytest.fixture
def client(emulator: Emulator) -> Intercepted:
    """Return the client that counts."""
    return Intercepted(emulator)


@pytest.fixture
def world(client: Intercepted, emulator: Emulator) -> World:
    """Return a world whose records are in Firestore."""
    return World(store=FirestoreStore(emulator.new_database(), lambda: client))  # type: ignore[arg-type, return-value]


def cost_of(change: Callable[[], None], world: World, client: Intercepted) -> Counter[str]:
    """Return how many documents one change reads and writes until the tasks that it starts at once are done."""
    client.documents.clear()
    change()
    while tasks := world.queue.pop_due(world.now):
        for task in tasks:
            world.run(task)
    return client.documents


@pytest.mark.parametrize("what", QUIET)
def test_a_quiet_notification_claims_the_calendar_and_commits(what: str, world: World, client: Intercepted) -> None:
    """What changed is looked up where it is listed, and recorded where it is ours; nobody is told."""
    event, other = world.add("Kick-off", "conf-1"), world.create("Lunch")
    world.settle()
    told, (change, limits) = len(world.provider.calls), QUIET[what]
    cost = cost_of(lambda: change(world, event, other), world, client)
    assert (cost["read"], cost["written"]) == limits
    assert len(world.provider.calls) == told


def test_the_scheduled_run_reads_nothing_of_another_tenant(world: World, client: Intercepted) -> None:
    """An empty answer costs one document: three queries, of four shards each, however much is due to somebody else."""
    due = {"due_at": world.now - timedelta(days=1), "renew_at": world.now - timedelta(days=1), "tenant": "default/2026"}
    put(world.store, *(record for n in range(9) for record in (calendar(f"{n}", **due), conference(f"{n}", **due))))
    client.documents.clear()
    renew_channels(world.outside, PUSH, world.terms)
    assert (client.documents["read"], client.documents["written"]) == (12, 0)


def test_one_changed_conference_costs_five_reads_and_five_writes(world: World, client: Intercepted) -> None:
    """However many other events the calendar has."""
    event = world.add("Kick-off", "conf-1")
    for n in range(5):
        world.add(f"Another {n}", f"other-{n}")
    world.settle()
    cost = cost_of(lambda: world.edit(event, summary="Kick-off, postponed"), world, client)
    assert world.told("conf-1").title == "Kick-off, postponed"
    assert (cost["read"], cost["written"]) == (5, 5)
