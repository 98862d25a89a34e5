"""The hooks of the memory store, and the memory task queue. What all stores promise is tested in `contracts`."""

from datetime import UTC, datetime, timedelta

import pytest

from confsync.adapters.memory import MAX_ATTEMPTS, MemoryStore
from confsync.adapters.memory_tasks import MemoryTaskQueue
from confsync.core.records import Calendar
from confsync.core.tasks import Task
from confsync.errors import StoreUnavailable, TaskQueueUnavailable
from confsync.ports import Transaction
from tests.contracts.store_calls import NOW, at_once, calendar, increment, put


def task(name: str, schedule_time: datetime | None = None) -> Task:
    """Return a task with this name."""
    return Task(name=name, path="/sync", body={"calendar": "a"}, schedule_time=schedule_time)


def names(tasks: object) -> list[str]:
    """Return the names of tasks in order."""
    assert isinstance(tasks, list | tuple)
    return [one.name for one in tasks]


def test_body_runs_again_when_a_rival_commits_first() -> None:
    """What was read changed before the commit: the body runs a second time, on the new state, and only that counts."""
    store, rivals, seen = MemoryStore(), [1], []

    def rival(_: str) -> None:
        if rivals:
            rivals.pop()
            increment(store, "a")

    def body(transaction: Transaction) -> int:
        old = transaction.get(Calendar, "a")
        seen.append(old.served if old else None)
        transaction.put(calendar("a", served=10 + (old.served if old else 0)))
        return len(seen)

    store.before_commit = rival
    assert store.transact(body) == 2
    assert seen == [None, 1]
    assert store.get(Calendar, "a") == calendar("a", served=11)


def test_record_that_came_and_went_meanwhile_is_noticed() -> None:
    """A body that found nothing runs again when a record was made and deleted before its commit."""
    store, rivals, runs = MemoryStore(), [1], []

    def rival(_: str) -> None:
        if rivals:
            rivals.pop()
            put(store, calendar("a"))
            store.transact(lambda transaction: transaction.delete(Calendar, "a"))

    def body(transaction: Transaction) -> None:
        runs.append(transaction.get(Calendar, "a"))
        transaction.put(calendar("b"))

    store.before_commit = rival
    store.transact(body)
    assert runs == [None, None]


def test_body_never_sees_two_moments() -> None:
    """Between two reads of a body a rival changes both records: the body sees both old or both new."""
    store, rivals, seen = MemoryStore(), [1], []
    put(store, calendar("a"), calendar("b"))

    def body(transaction: Transaction) -> None:
        one = transaction.get(Calendar, "a")
        if rivals:
            rivals.pop()
            put(store, calendar("a", fence=1), calendar("b", fence=1))
        other = transaction.get(Calendar, "b")
        assert one is not None
        assert other is not None
        seen.append((one.fence, other.fence))

    store.transact(body)
    assert seen == [(1, 1)]


def test_unrelated_commits_do_not_disturb() -> None:
    """Only what was read matters: another record's change makes no body run again."""
    store, runs = MemoryStore(before_commit=None), []

    def body(transaction: Transaction) -> None:
        runs.append(transaction.get(Calendar, "a"))
        if len(runs) == 1:
            increment(store, "b")
        transaction.put(calendar("a"))

    store.transact(body)
    assert len(runs) == 1


def test_endless_contention_is_reported() -> None:
    """A transaction that loses every race gives up and says that it may be tried again; nothing was written."""
    store = MemoryStore()
    other, runs = [0], []

    def body(transaction: Transaction) -> None:
        transaction.get(Calendar, "a")
        runs.append(1)
        other[0] += 1
        put(store, calendar("a", fence=other[0]))
        transaction.put(calendar("a", served=1))

    with pytest.raises(StoreUnavailable, match="lost 100 races"):
        store.transact(body)
    assert len(runs) == MAX_ATTEMPTS
    assert store.get(Calendar, "a") == calendar("a", fence=MAX_ATTEMPTS)


def test_every_port_call_passes_the_hooks() -> None:
    """A simulator hears of each call before and after its effect, and of each read in a transaction."""
    calls: list[str] = []
    store = MemoryStore(
        on_call=lambda name: calls.append(f"> {name}"),
        before_commit=lambda name: calls.append(f"commit {name}"),
        after_call=lambda name: calls.append(f"< {name}"),
    )
    increment(store, "a")
    assert calls == ["> transact", "> transaction.get_many", "commit transact", "< transact"]
    calls.clear()
    store.get(Calendar, "a")
    store.get_many(Calendar, ["a"])
    store.links_of("a", after="", limit=1)
    store.conferences_of("a", after="", limit=1)
    store.calendars_due("default", NOW, 1)
    store.channels_due("default", NOW, 1)
    store.conferences_due("default", NOW, 1)
    store.all_of(Calendar, after="", limit=1)
    queries = ["links_of", "conferences_of", "calendars_due", "channels_due", "conferences_due", "all_of"]
    called = ["get", "get_many", *queries]
    assert calls == [line for name in called for line in (f"> {name}", f"< {name}")]


@pytest.mark.parametrize("hook", ["on_call", "before_commit"])
def test_fault_before_the_commit_leaves_nothing(hook: str) -> None:
    """A fault that a hook raises before the commit reaches the caller; nothing was written."""
    store = MemoryStore()
    setattr(store, hook, _fail)
    with pytest.raises(StoreUnavailable):
        put(store, calendar("a"))
    setattr(store, hook, None)
    assert store.get(Calendar, "a") is None


def test_fault_after_the_commit_is_a_lost_answer() -> None:
    """The caller sees the fault although its writes took effect."""
    store = MemoryStore(after_call=_fail)
    with pytest.raises(StoreUnavailable):
        put(store, calendar("a"))
    store.after_call = None
    assert store.get(Calendar, "a") == calendar("a")


def test_tasks_wait_in_the_order_of_their_creation() -> None:
    """A created task waits until it is popped; all that were created stay known."""
    queue = MemoryTaskQueue()
    assert queue.create(task("b"))
    assert queue.create(task("a", NOW))
    assert names(queue.waiting) == ["b", "a"]
    queue.pop_due(NOW)
    assert names(queue.waiting) == []
    assert names(queue.created) == ["b", "a"]


def test_used_name_is_refused_even_after_the_task_ran() -> None:
    """A name counts once; the second task with it is not kept."""
    queue = MemoryTaskQueue()
    queue.create(first := task("a"))
    assert not queue.create(task("a", NOW))
    assert queue.pop_due(NOW) == [first]
    assert not queue.create(task("a"))
    assert queue.waiting == ()


def test_only_due_tasks_are_popped_the_earliest_first() -> None:
    """A task is due at its time, not before; one without a time is due at once."""
    queue = MemoryTaskQueue()
    microsecond = timedelta(microseconds=1)
    for name, at in (("now", NOW), ("later", NOW + microsecond), ("earlier", NOW - microsecond), ("at once", None)):
        queue.create(task(name, at))
    assert names(queue.pop_due(NOW)) == ["at once", "earlier", "now"]
    assert names(queue.pop_due(NOW)) == []
    assert names(queue.pop_due(NOW + microsecond)) == ["later"]


def test_task_that_was_put_back_waits_again() -> None:
    """A failed attempt returns its task to the queue without asking for a new name."""
    queue = MemoryTaskQueue()
    queue.create(task("a"))
    (popped,) = queue.pop_due(NOW)
    queue.put_back(popped)
    assert queue.waiting == (popped,)
    assert not queue.create(task("a"))


def test_queue_faults_strike_before_or_after_the_effect() -> None:
    """What `on_call` raises prevents the task; what `after_call` raises is a lost answer: the name is used."""
    queue = MemoryTaskQueue(on_call=_fail_to_create)
    with pytest.raises(TaskQueueUnavailable):
        queue.create(task("a"))
    queue.on_call, queue.after_call = None, _fail_to_create
    with pytest.raises(TaskQueueUnavailable):
        queue.create(task("a"))
    queue.after_call = None
    assert not queue.create(task("a"))
    assert names(queue.waiting) == ["a"]


def test_one_of_many_threads_gets_a_name() -> None:
    """Threads that create the same name at once: one is told that its task was created."""
    for n in range(20):
        queue = MemoryTaskQueue()
        won = at_once(*[lambda q=queue, n=n: q.create(task(str(n)))] * 4)
        assert won.count(True) == 1
        assert names(queue.waiting) == [str(n)]


def test_zone_of_the_clock_does_not_matter() -> None:
    """Due is a matter of instants."""
    queue = MemoryTaskQueue()
    queue.create(task("a", datetime(2026, 1, 1, 12, tzinfo=UTC)))
    assert names(queue.pop_due(datetime.fromisoformat("2026-01-01T12:59:59+01:00"))) == []
    assert names(queue.pop_due(datetime.fromisoformat("2026-01-01T13:00:00+01:00"))) == ["a"]


def _fail(name: str) -> None:
    if name == "transact":
        raise StoreUnavailable("injected")


def _fail_to_create(name: str) -> None:
    raise TaskQueueUnavailable(f"injected into {name}")
