"""One queue, step by step: what leaves when, and what an outcome means."""

from datetime import timedelta

import pytest

from confsync.local.task_server.changes import Change, TaskEnded, TaskSaved
from confsync.local.task_server.limits import QueueSettings, RateLimits, RetryConfig
from confsync.local.task_server.machine import QueueMachine
from confsync.local.task_server.records import Dispatch, Outcome
from tests.local.task_server.support import FAILED, OK, START, a_machine, a_task, later

TWO_AT_ONCE = RateLimits(max_concurrent_dispatches=2)
SHORT = RetryConfig(max_attempts=3, min_backoff_s=10, max_backoff_s=1000, max_doublings=16)


def _ids(dispatches: list[Dispatch]) -> list[str]:
    return [dispatch.task.task_id for dispatch in dispatches]


def _fail(machine: QueueMachine, at: float, outcome: Outcome = FAILED) -> None:
    for dispatch in machine.take_due(later(at)):
        machine.settle(dispatch.number, outcome, later(at))


def test_a_task_leaves_at_its_time_and_not_before() -> None:
    """Not a microsecond early; and the queue says when to look again."""
    machine = a_machine()
    machine.create(a_task(at=60), START)
    assert machine.take_due(later(60) - timedelta(microseconds=1)) == []
    assert machine.next_wake(START) == later(60)
    assert _ids(machine.take_due(later(60))) == ["t"]


def test_a_name_in_use_is_refused() -> None:
    """While the task waits, while it is in flight, and for the ttl after it succeeded."""
    machine = a_machine(name_ttl_s=60)
    assert machine.create(a_task(), START)
    assert not machine.create(a_task(), START)
    (dispatch,) = machine.take_due(START)
    assert not machine.create(a_task(), START)
    machine.settle(dispatch.number, OK, later(1))
    assert [machine.create(a_task(), later(at)) for at in (1, 60.9, 61)] == [False, False, True]
    assert machine.counts.duplicates == 4


@pytest.mark.parametrize("how", ["deleted", "purged", "dropped"])
def test_a_name_stays_blocked_however_its_task_ended(how: str) -> None:
    """Deleting, purging and giving up block the name just as success does."""
    machine = a_machine(retry=RetryConfig(max_attempts=1))
    machine.create(a_task(), START)
    if how == "deleted":
        machine.end("t", "deleted", START)
    elif how == "purged":
        machine.purge(START)
    else:
        _fail(machine, 0)
    assert machine.get("t") is None
    assert machine.remembers("t", START)
    assert not machine.create(a_task(), START)


def test_the_servers_own_names_leave_no_tombstone() -> None:
    """Nobody can ask for them again, so they are not kept."""
    machine = a_machine()
    machine.create(a_task(named=False), START)
    machine.end("t", "deleted", START)
    assert not machine.remembers("t", START)


def test_no_more_than_allowed_are_in_flight() -> None:
    """The third task leaves when one of the first two is answered."""
    machine = a_machine(rate=TWO_AT_ONCE)
    for name in "abc":
        machine.create(a_task(name), START)
    first, _ = machine.take_due(START)
    assert (machine.take_due(START), machine.next_wake(START)) == ([], None)
    machine.settle(first.number, OK, START)
    assert _ids(machine.take_due(START)) == ["c"]


def test_the_rate_limits_dispatches() -> None:
    """With one per second and a burst of one, the second waits a second."""
    machine = a_machine(rate=RateLimits(max_dispatches_per_second=1, max_burst_size=1))
    for name in "ab":
        machine.create(a_task(name), START)
    assert _ids(machine.take_due(START)) == ["a"]
    assert machine.take_due(later(0.9)) == []
    wake = machine.next_wake(later(0.9))
    assert wake == later(1)
    assert _ids(machine.take_due(wake)) == ["b"]


def test_a_failed_task_waits_for_its_back_off_and_is_given_up_after_its_attempts() -> None:
    """Attempts at 0, 10 and 30 s, then the task is deleted without a word (there is no dead-letter queue)."""
    machine = a_machine(retry=SHORT)
    machine.create(a_task(), START)
    for at in (0, 9.9, 10, 29.9, 30, 1000):
        _fail(machine, at)
    assert (machine.counts.dispatched, machine.counts.retried, machine.counts.dropped) == (3, 2, 1)
    assert machine.get("t") is None


def test_attempts_go_on_until_the_retry_duration_has_passed_too() -> None:
    """One attempt and 25 s: attempts at 0 and 10 s, and at 30 s it is too late for another."""
    machine = a_machine(retry=RetryConfig(1, 25, min_backoff_s=10, max_backoff_s=1000))
    machine.create(a_task(), START)
    for at in (0, 10, 30):
        _fail(machine, at)
    assert (machine.counts.dispatched, machine.counts.dropped) == (2, 1)


def test_a_tasks_own_retry_settings_come_before_the_queues() -> None:
    """The task-level retry_config overrides the queue's."""
    machine = a_machine(retry=SHORT)
    machine.create(a_task(retry=RetryConfig(max_attempts=1)), START)
    _fail(machine, 0)
    assert machine.counts.dropped == 1


@pytest.mark.parametrize("status", [429, 503])
def test_an_overloaded_worker_slows_the_whole_queue_down(status: int) -> None:
    """429 and 503 halve the rate for every task of the queue; a success takes one halving back."""
    machine = a_machine()
    for name in "ab":
        machine.create(a_task(name), START)
    first, second = machine.take_due(START)
    machine.settle(first.number, Outcome(status, 14), START)
    assert machine.slowed == 1
    machine.settle(second.number, OK, START)
    assert machine.slowed == 0


def test_any_other_failure_slows_nothing_down() -> None:
    """500 and no answer at all are one task's trouble."""
    machine = a_machine()
    machine.create(a_task(), START)
    _fail(machine, 0)
    _fail(machine, 1, Outcome(None, 14))
    assert machine.slowed == 0


def test_retry_after_holds_the_task_and_of_an_overloaded_worker_the_queue() -> None:
    """With 500 only this task waits for it; with 503 the others do, too."""
    machine = a_machine()
    machine.create(a_task("a"), START)
    _fail(machine, 0, Outcome(500, 13, retry_after_s=50))
    machine.create(a_task("b"), START)
    assert _ids(machine.take_due(later(1))) == ["b"]
    assert _ids(machine.take_due(later(50))) == ["a"]
    machine.create(a_task("c"), START)
    _fail(machine, 60, Outcome(503, 14, retry_after_s=50))
    machine.create(a_task("d"), START)
    assert machine.take_due(later(109)) == []


def test_a_paused_queue_takes_tasks_and_dispatches_none() -> None:
    """After resuming all of them leave."""
    machine = a_machine()
    machine.set_paused(True)
    assert machine.create(a_task(), START)
    assert (machine.take_due(START), machine.next_wake(START)) == ([], None)
    machine.set_paused(False)
    assert _ids(machine.take_due(START)) == ["t"]


def test_a_forced_task_leaves_whatever_the_limits_say() -> None:
    """RunTask ignores pause, schedule time, rate, concurrency, and that the task is under way."""
    machine = a_machine(rate=RateLimits(1, 1, 1))
    machine.set_paused(True)
    machine.create(a_task(at=3600), START)
    first, second = machine.force("t", START), machine.force("t", START)
    assert first is not None
    assert second is not None
    machine.settle(first.number, FAILED, later(1))
    assert machine.waiting == 0
    machine.settle(second.number, OK, later(2))
    assert (machine.counts.succeeded, machine.get("t"), machine.in_flight) == (1, None, 0)
    assert machine.force("t", START) is None


def test_a_forced_task_that_fails_waits_from_the_call_on() -> None:
    """Its schedule time becomes the time of RunTask plus the retry delay."""
    machine = a_machine(retry=SHORT)
    machine.create(a_task(at=3600), START)
    dispatch = machine.force("t", START)
    assert dispatch is not None
    machine.settle(dispatch.number, FAILED, later(4))
    task = machine.get("t")
    assert task is not None
    assert task.schedule_time == later(10)


def test_the_answer_for_a_task_that_was_deleted_meanwhile_changes_nothing() -> None:
    """Not even when its name belongs to a new task already."""
    machine = a_machine(name_ttl_s=1)
    machine.create(a_task(), START)
    (old,) = machine.take_due(START)
    machine.end("t", "deleted", START)
    machine.create(a_task(at=60), later(2))
    machine.settle(old.number, OK, later(3))
    assert (machine.in_flight, machine.waiting, machine.counts.succeeded) == (0, 1, 0)


def test_a_second_delivery_takes_room_and_means_nothing() -> None:
    """Its outcome neither ends nor fails the task, and there is none when there is no room."""
    machine = a_machine(rate=TWO_AT_ONCE)
    machine.create(a_task(), START)
    (dispatch,) = machine.take_due(START)
    echo = machine.echo(dispatch, START)
    assert echo is not None
    assert machine.echo(dispatch, START) is None
    machine.settle(echo.number, FAILED, START)
    assert (machine.counts.failed, machine.get("t") is not None) == (0, True)


def test_counts_of_a_task() -> None:
    """The retry count counts all, the execution count leaves out 5xx and silence; silence is no previous response."""
    machine = a_machine(retry=RetryConfig(min_backoff_s=1, max_backoff_s=1))
    machine.create(a_task(), START)
    for at, outcome in enumerate((Outcome(404, 5), Outcome(302, 2), Outcome(500, 13), Outcome(None, 4))):
        _fail(machine, at, outcome)
    task = machine.get("t")
    assert task is not None
    assert (task.dispatch_count, task.response_count, task.execution_count) == (4, 3, 2)
    assert task.previous_status == 500


def test_only_2xx_is_success() -> None:
    """Nothing below 200 or from 300 on ends a task well."""
    statuses = (199, 200, 204, 299, 300, 304, 404, 500)
    assert [status for status in statuses if Outcome(status, 0).success] == [200, 204, 299]


def test_a_restored_queue_goes_on_where_the_journal_ends() -> None:
    """An attempt that was cut off is made again, and counts once."""
    changes: list[Change] = []
    machine = a_machine(changes=changes)
    machine.create(a_task(), START)
    machine.take_due(START)
    kept = [change.task for change in changes if isinstance(change, TaskSaved)]
    restored = a_machine()
    restored.restore(kept, [("old", later(60))])
    assert not restored.create(a_task("old"), START)
    (again,) = restored.take_due(START)
    assert again.task.dispatch_count == 0


def test_every_end_is_written_down_with_its_tombstone() -> None:
    """The journal learns until when the name stays blocked."""
    changes: list[Change] = []
    machine = a_machine(name_ttl_s=60, changes=changes)
    machine.create(a_task(), START)
    machine.end("t", "deleted", START)
    assert changes[-1] == TaskEnded(machine.record.name, "t", later(60))


def test_new_settings_count_for_tasks_that_wait_already() -> None:
    """Fewer attempts end a task at its next failure."""
    machine = a_machine(retry=SHORT)
    machine.create(a_task(), START)
    _fail(machine, 0)
    machine.configure(QueueSettings(retry=RetryConfig(max_attempts=2)), START)
    _fail(machine, 10)
    assert machine.counts.dropped == 1
