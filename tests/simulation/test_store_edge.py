"""The simulated store: races that are really lost, aborts on demand, and every commit shown as it happens."""

from collections.abc import Callable
from contextlib import suppress

from confsync.core.capabilities import Capabilities
from confsync.core.records import Calendar, Record
from confsync.core.rules import Rules
from confsync.ports import Transaction
from tests.simulation.gate import Gate
from tests.simulation.instance import Instance
from tests.simulation.scheduler import Scheduler
from tests.simulation.store_edge import SimulatedStore
from tests.simulation.tapes import Fault, Setting
from tests.world import ALL_FIELDS, START, Crash

SETTING = Setting(Rules(), Capabilities(ALL_FIELDS))
BLANK = Calendar(key="k", tenant="t", calendar_id="c", subject="s@example.com")


def count_up(tx: Transaction) -> None:
    """Ask for one sync more."""
    calendar = tx.get(Calendar, "k") or BLANK
    tx.put(calendar.model_copy(update={"requested": calendar.requested + 1}))


def _live(store: SimulatedStore, body: Callable[[Transaction], None]) -> None:
    with suppress(Crash):
        store.transact(body)


def play(
    workers: int, body: Callable[[Transaction], None], *faults: Fault, seed: int = 0
) -> tuple[SimulatedStore, list[str]]:
    """Let so many instances run `body` in a transaction, all at once; return the store and who committed what."""
    clock, commits = Scheduler(seed, START), list[str]()

    def watch(before: Record | None, after: Record, worker: Instance) -> None:
        assert isinstance(after, Calendar)
        was = before.requested if isinstance(before, Calendar) else None
        commits.append(f"{worker.name}: {was} -> {after.requested}")

    store = SimulatedStore(Gate(clock, lambda _: None, faults), watch)
    for number in range(workers):
        worker = Instance(f"w{number}", 0, SETTING, clock)
        clock.after(0, worker.name, lambda worker=worker: clock.begin(worker, lambda: _live(store, body)))  # type: ignore[misc]
    clock.run(1000, lambda: False)
    return store, commits


def test_no_update_is_lost_though_others_write_between_a_read_and_its_commit() -> None:
    """Those who lose the race run again; in some order everybody commits once."""
    rises = ["None -> 1", "1 -> 2", "2 -> 3", "3 -> 4", "4 -> 5"]
    played = [play(5, count_up, seed=seed) for seed in range(10)]
    assert all([commit.partition(": ")[2] for commit in commits] == rises for _, commits in played)
    assert sum(store.lost_races for store, _ in played) > 10


def test_a_transaction_that_is_aborted_runs_again_and_commits_once() -> None:
    """Nobody else wrote: the store just would not have it."""
    store, commits = play(1, count_up, Fault(-1, "transaction", 1, "abort", 0))
    assert (store.lost_races, commits) == (1, ["w0: None -> 1"])


def test_an_instance_that_dies_before_its_commit_wrote_nothing() -> None:
    """All or nothing."""
    assert play(1, count_up, Fault(-1, "transaction", 2, "crash-before", 0))[1] == []


def test_an_instance_that_dies_after_its_commit_wrote_everything() -> None:
    """Only the answer is lost."""
    assert play(1, count_up, Fault(-1, "store", 1, "crash-after", 0))[1] == ["w0: None -> 1"]
