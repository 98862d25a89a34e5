"""The promises of a queue under any order of events, against a plain model (Hypothesis state machine)."""

from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from confsync.local.task_server.changes import Change, NamesReleased, QueueSaved, TaskEnded, TaskSaved
from confsync.local.task_server.limits import RateLimits, RetryConfig
from confsync.local.task_server.machine import QueueMachine
from confsync.local.task_server.records import Dispatch, Outcome, TaskRecord
from tests.local.task_server.support import OK, START, a_machine, a_task

TTL_S = 60.0
MAX_CONCURRENT = 2
MAX_ATTEMPTS = 3
RETRY = RetryConfig(max_attempts=MAX_ATTEMPTS, min_backoff_s=2, max_backoff_s=20, max_doublings=1)
RATE = RateLimits(max_dispatches_per_second=5, max_concurrent_dispatches=MAX_CONCURRENT, max_burst_size=3)
OUTCOMES = [
    OK,
    Outcome(404, 5, "gone"),
    Outcome(500, 13, "trouble"),
    Outcome(503, 14, "busy", retry_after_s=5),
    Outcome(None, 4, "silence"),
]
NAMES = st.sampled_from("abcde")


class Kept:
    """What a journal would hold, in plain dicts."""

    def __init__(self) -> None:
        self.tasks: dict[str, TaskRecord] = {}
        self.blocked: dict[str, datetime] = {}

    def write(self, changes: list[Change]) -> None:
        for change in changes:
            match change:
                case TaskSaved(_, task):
                    self.tasks[task.task_id] = task
                case TaskEnded(_, task_id, until):
                    del self.tasks[task_id]
                    if until is not None:
                        self.blocked[task_id] = until
                case NamesReleased(_, until):
                    self.blocked = {name: end for name, end in self.blocked.items() if end > until}
                case QueueSaved():
                    pass
        changes.clear()


class QueuePromises(RuleBasedStateMachine):
    """Random creates, outcomes, deletes, restarts and passing time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.changes: list[Change] = []
        self.kept = Kept()
        self.machine = self._new_machine()
        self.alive: dict[str, int] = {}
        """Accepted tasks that have not ended: attempts that were answered."""
        self.ended_at: dict[str, datetime] = {}
        self.in_hand: dict[int, Dispatch] = {}

    def _new_machine(self) -> QueueMachine:
        return a_machine(retry=RETRY, rate=RATE, name_ttl_s=TTL_S, changes=self.changes)

    @rule(name=NAMES, delay_s=st.integers(0, 30), late_s=st.sampled_from([0.0, 3.0]))
    def create(self, name: str, delay_s: int, late_s: float) -> None:
        """A name is accepted exactly when nobody uses it and its tombstone has expired."""
        passed = self.now.timestamp() - self.ended_at[name].timestamp() if name in self.ended_at else TTL_S
        free = name not in self.alive and passed >= TTL_S
        task = a_task(name, create_time=self.now, schedule_time=self.now + timedelta(seconds=delay_s))
        assert self.machine.create(task, self.now, late_s) is free
        if free:
            self.alive[name] = 0

    @rule(seconds=st.sampled_from([0.0, 0.1, 1.0, 7.0, 30.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        """The clock goes on."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def dispatch(self) -> None:
        """Nothing leaves before its time, twice at once, or above the limit."""
        for dispatch in self.machine.take_due(self.now):
            name = dispatch.task.task_id
            assert dispatch.task.schedule_time <= self.now
            assert name in self.alive
            assert name not in {other.task.task_id for other in self.in_hand.values() if not other.echo}
            self.in_hand[dispatch.number] = dispatch
            assert len(self.in_hand) <= MAX_CONCURRENT

    @rule(pick=st.integers(0, 10), outcome=st.sampled_from(OUTCOMES))
    def settle(self, pick: int, outcome: Outcome) -> None:
        """Success ends a task; failure does so only after its last attempt."""
        if not self.in_hand:
            return
        dispatch = self.in_hand.pop(sorted(self.in_hand)[pick % len(self.in_hand)])
        name = dispatch.task.task_id
        counts = not dispatch.echo and name in self.alive and self._is_current(dispatch)
        self.machine.settle(dispatch.number, outcome, self.now)
        if not counts:
            return
        self.alive[name] += 1
        under_way = any(self._is_current(other) and other.task.task_id == name for other in self.in_hand.values())
        if outcome.success or (self.alive[name] >= MAX_ATTEMPTS and not under_way):
            self._ended(name)

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        """What was accepted can be deleted, once."""
        assert self.machine.end(name, "deleted", self.now) is (name in self.alive)
        if name in self.alive:
            self._ended(name)

    @rule(name=NAMES)
    def force(self, name: str) -> None:
        """RunTask dispatches each living task; here only while there is room, to keep the limit checkable."""
        if len(self.in_hand) >= MAX_CONCURRENT:
            return
        dispatch = self.machine.force(name, self.now)
        assert (dispatch is not None) is (name in self.alive)
        if dispatch is not None:
            self.in_hand[dispatch.number] = dispatch

    @rule(pick=st.integers(0, 10))
    def echo(self, pick: int) -> None:
        """A second delivery never exceeds the limit."""
        if not self.in_hand:
            return
        echo = self.machine.echo(self.in_hand[sorted(self.in_hand)[pick % len(self.in_hand)]], self.now)
        if echo is not None:
            self.in_hand[echo.number] = echo
            assert len(self.in_hand) <= MAX_CONCURRENT

    @rule(paused=st.booleans())
    def pause_or_resume(self, paused: bool) -> None:
        """A paused queue dispatches nothing."""
        self.machine.set_paused(paused)
        if paused:
            assert self.machine.take_due(self.now) == []

    @rule()
    def killed_and_restarted(self) -> None:
        """From the journal alone the queue goes on; attempts under way are forgotten, tasks are not."""
        self.kept.write(self.changes)
        self.machine = self._new_machine()
        self.machine.restore(self.kept.tasks.values(), self.kept.blocked.items())
        self.in_hand.clear()
        self.alive = {name: task.dispatch_count for name, task in self.kept.tasks.items()}

    @invariant()
    def nothing_is_lost(self) -> None:
        """What was accepted and has not ended is in the queue, and in the journal."""
        assert {task.task_id for task in self.machine.tasks()} == set(self.alive)
        self.kept.write(self.changes)
        assert set(self.kept.tasks) == set(self.alive)

    @invariant()
    def every_task_waits_or_is_in_flight(self) -> None:
        """No task is stuck in between."""
        flying = {other.task.task_id for other in self.in_hand.values() if self._is_current(other)}
        assert self.machine.waiting == len(set(self.alive) - flying)
        assert self.machine.in_flight == len(self.in_hand)

    def teardown(self) -> None:
        """In the end every task that is left is delivered."""
        self.killed_and_restarted()
        self.machine.set_paused(False)
        for _ in range(1000):
            for dispatch in self.machine.take_due(self.now):
                self.machine.settle(dispatch.number, OK, self.now)
            wake = self.machine.next_wake(self.now)
            if wake is None:
                break
            self.now = max(self.now, wake)
        assert list(self.machine.tasks()) == []
        assert self.machine.counts.succeeded == len(self.alive)

    def _is_current(self, dispatch: Dispatch) -> bool:
        name = dispatch.task.task_id
        task = self.machine.get(name)
        return not dispatch.echo and task is not None and task.create_time == dispatch.task.create_time

    def _ended(self, name: str) -> None:
        del self.alive[name]
        self.ended_at[name] = self.now


TestQueuePromises = QueuePromises.TestCase
TestQueuePromises.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
