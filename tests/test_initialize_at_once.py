"""Beginning to sync twice at once, or dying half way: one live channel in the end, on every store."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from confsync.adapters.firestore import FirestoreStore
from confsync.adapters.firestore_calls import build_client
from confsync.adapters.memory import MemoryStore
from confsync.adapters.sqlite import SqliteStore
from confsync.core.records import Calendar
from confsync.ports import Store
from tests.firestore_emulator import Emulator
from tests.world import ANN, Crash, World

STEPS = range(1, 15)


@pytest.fixture(params=["memory", "sqlite", "firestore"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Yield an empty store of each kind."""
    match request.param:
        case "memory":
            yield MemoryStore()
        case "sqlite":
            opened = SqliteStore(tmp_path / "confsync.db")
            yield opened
            opened.close()
        case _:
            emulator: Emulator = request.getfixturevalue("emulator")
            yield FirestoreStore(emulator.new_database(), lambda: build_client(emulator.host))


def once(at: Callable[[str], bool], do: Callable[[], object]) -> Callable[[str], None]:
    """Return a hook that does something at the first call of a kind."""
    done = False

    def hook(call: str) -> None:
        nonlocal done
        if not done and at(call):
            done = True
            do()

    return hook


def assert_one_channel(world: World) -> None:
    """One channel is open at Calendar, and it is the one that is remembered."""
    (opened,) = world.model.open_channels(ANN)
    assert [(channel.id, channel.state) for channel in world.calendar().channels] == [(opened.id, "active")]


@pytest.mark.parametrize("operation", ["events.watch", "events.list"])
def test_two_at_once_leave_one_channel(store: Store, operation: str) -> None:
    """The second one comes while Calendar answers the first one, and both say what became of it."""
    world = World(store=store)
    event_id = world.create("Planning", "c1")
    second = []
    world.before_calendar = once(
        lambda call: call == operation, lambda: second.append(world.initialize("c1", event_id))
    )
    first = world.initialize("c1", event_id)
    assert first.calendar_key == second[0].calendar_key
    world.settle()
    assert_one_channel(world)
    assert world.told("c1").title == "Planning"


@pytest.mark.parametrize("nth", STEPS)
def test_a_second_one_at_any_moment_leaves_one_channel(nth: int) -> None:
    """Before each call of the store, and after it: whatever the first one has just read or written."""
    world = World()
    event_id, calls = world.create("Planning", "c1"), 0

    def is_nth(_: str) -> bool:
        nonlocal calls
        calls += 1
        return calls == nth

    assert isinstance(world.store, MemoryStore)
    world.store.on_call = once(is_nth, lambda: world.initialize("c1", event_id))
    world.initialize("c1", event_id)
    world.store.on_call = None
    world.settle()
    assert_one_channel(world)
    assert world.told("c1").title == "Planning"


@pytest.mark.parametrize("nth", STEPS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_at_any_step_is_healed_by_the_next_runs(nth: int, moment: str) -> None:
    """Once the calendar is stored, nobody has to ask again; a channel that nobody remembers is stopped by its push."""
    world = World()
    event_id, calls = world.create("Planning", "c1"), 0

    def is_nth(_: str) -> bool:
        nonlocal calls
        calls += 1
        return calls == nth

    def crash() -> None:
        raise Crash

    assert isinstance(world.store, MemoryStore)
    hook = once(is_nth, crash)
    if moment == "before":
        world.store.on_call = hook
    else:
        world.store.after_call = hook
    try:
        world.initialize("c1", event_id)
    except Crash:
        world.store.on_call = world.store.after_call = None
    if world.store.get(Calendar, Calendar.key_for("default", ANN, ANN)) is None:
        assert nth <= 3
        return
    world.advance(900)
    world.edit(event_id, summary="Changed")
    world.settle()
    assert_one_channel(world)
    assert world.told("c1").title == "Changed"


@pytest.mark.parametrize("operation", ["events.watch", "events.list"])
def test_a_crash_while_calendar_is_asked_is_healed_by_the_next_run(store: Store, operation: str) -> None:
    """Whether it is the channel or the listing that nobody waits for."""
    world = World(store=store)
    event_id = world.create("Planning", "c1")

    def crash() -> None:
        raise Crash

    world.before_calendar = once(lambda call: call == operation, crash)
    with pytest.raises(Crash):
        world.initialize("c1", event_id)
    world.settle()
    assert_one_channel(world)
    assert world.told("c1").title == "Planning"
