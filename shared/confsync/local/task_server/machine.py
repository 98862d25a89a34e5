"""One queue: what to dispatch when, and what an outcome means. Pure and synchronous; the clock is passed in.

It must never dispatch a task before its time, more of them at once than allowed, or forget one that has attempts left.

    create -> waiting --take_due--> in flight --2xx--------------> ended (succeeded)
                 ^                      |-----no attempts left---> ended (dropped)
                 `------back-off--------'
"""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from confsync.local.task_server.attempts import answered, dispatched, next_attempt_time
from confsync.local.task_server.changes import (
    Change,
    NamesReleased,
    QueueRecord,
    QueueSaved,
    TaskEnded,
    TaskSaved,
)
from confsync.local.task_server.flow import Flow
from confsync.local.task_server.limits import QueueSettings, RetryConfig
from confsync.local.task_server.records import Counts, Dispatch, Ended, Outcome, TaskRecord
from confsync.local.task_server.retry import is_exhausted
from confsync.local.task_server.tombstones import Tombstones
from confsync.local.task_server.waiting import Waiting

RECENT = 200


class QueueMachine:
    """The state of one queue. Every change is appended to `changes`, for the journal."""

    def __init__(self, record: QueueRecord, name_ttl_s: float, changes: list[Change], now: datetime) -> None:
        """Start empty, with a full bucket; a used task name stays blocked for `name_ttl_s`."""
        self.record = record
        self.counts = Counts()
        self.recent: deque[Ended] = deque(maxlen=RECENT)
        self._changes = changes
        self._flow = Flow(record.settings.rate, now)
        self._blocked = Tombstones(name_ttl_s)
        self._tasks: dict[str, TaskRecord] = {}
        self._waiting = Waiting()
        self._under_way: dict[str, set[int]] = {}
        self._in_flight: dict[int, Dispatch] = {}
        self._numbers = itertools.count(1)
        changes.append(QueueSaved(record))

    @property
    def waiting(self) -> int:
        """How many tasks wait for their time, their turn or a retry."""
        return len(self._waiting)

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return len(self._in_flight)

    @property
    def slowed(self) -> int:
        """How many times the rate is halved because the worker is overloaded."""
        return self._flow.slowed

    def tasks(self) -> Iterator[TaskRecord]:
        """Go through all tasks, waiting and in flight, in no order."""
        return iter(self._tasks.values())

    def get(self, task_id: str) -> TaskRecord | None:
        """Return the task, None when there is none (any more)."""
        return self._tasks.get(task_id)

    def remembers(self, task_id: str, now: datetime) -> bool:
        """Tell whether a task of this name ended recently, so that its name is blocked."""
        return self._blocked.blocks(task_id, now)

    def create(self, task: TaskRecord, now: datetime, late_s: float = 0.0) -> bool:
        """Accept the task; False when its name is in use or blocked. `late_s` is a fault: it leaves that much later."""
        if task.task_id in self._tasks or self._blocked.blocks(task.task_id, now):
            self.counts.duplicates += 1
            return False
        self.counts.created += 1
        self._save(task)
        self._waiting.put(task.task_id, task.schedule_time + timedelta(seconds=late_s))
        return True

    def restore(self, tasks: Iterable[TaskRecord], blocked: Iterable[tuple[str, datetime]]) -> None:
        """Take up what the journal kept; an attempt that was cut off is made again."""
        for task in tasks:
            self._tasks[task.task_id] = task
            self._waiting.put(task.task_id, task.schedule_time)
        for task_id, until in blocked:
            self._blocked.restore(task_id, until)

    def end(self, task_id: str, how: str, now: datetime) -> bool:
        """Forget the task, also while it is in flight; False when there is none.

        Args:
            how: `deleted` (on request) or `lost` (a fault).

        """
        if task_id not in self._tasks:
            return False
        self._end(task_id, how, now)
        return True

    def purge(self, now: datetime) -> None:
        """Delete all tasks."""
        for task_id in list(self._tasks):
            self._end(task_id, "deleted", now)
        self._save_record(replace(self.record, purge_time=now))

    def set_paused(self, paused: bool) -> None:
        """Stop or go on dispatching."""
        self._save_record(replace(self.record, paused=paused))

    def configure(self, settings: QueueSettings, now: datetime) -> None:
        """Go on under other settings."""
        self._flow.configure(settings.rate, now)
        self._save_record(replace(self.record, settings=settings))

    def take_due(self, now: datetime) -> list[Dispatch]:
        """Take the tasks that have to leave now, the earliest first, as far as rate and concurrency allow."""
        taken = []
        while (task := self._next_due(now)) is not None and self._has_room() and self._flow.take(now):
            taken.append(self._dispatch(task, now, forced=False))
        return taken

    def force(self, task_id: str, now: datetime) -> Dispatch | None:
        """Dispatch the task now, whatever the limits say and even if it is under way; None when there is none."""
        task = self._tasks.get(task_id)
        return None if task is None else self._dispatch(task, now, forced=True)

    def echo(self, dispatch: Dispatch, now: datetime) -> Dispatch | None:
        """Send the same request a second time, as a fault; None when there is no room."""
        if not self._has_room():
            return None
        self.counts.echoed += 1
        echo = replace(dispatch, number=next(self._numbers), dispatch_time=now, echo=True)
        self._in_flight[echo.number] = echo
        return echo

    def next_wake(self, now: datetime) -> datetime | None:
        """Return when `take_due` is worth calling again; None: only after another event."""
        first = self._waiting.first()
        if first is None or self.record.paused or not self._has_room():
            return None
        return max(first[0], self._flow.open_at(now))

    def settle(self, number: int, outcome: Outcome, now: datetime) -> None:
        """Take the outcome of a dispatch: end the task, or let it wait for its next attempt."""
        dispatch = self._in_flight.pop(number)
        if dispatch.echo:
            return
        self._count(outcome, now)
        task_id = dispatch.task.task_id
        under_way = self._under_way.get(task_id, set())
        if number not in under_way:
            return  # deleted meanwhile; the name may even belong to a newer task
        under_way.discard(number)
        self._tasks[task_id] = answered(self._tasks[task_id], dispatch, outcome, now)
        if outcome.success:
            self._end(task_id, "succeeded", now)
        else:
            self._retry_or_drop(task_id, dispatch, outcome, now)

    def _retry_or_drop(self, task_id: str, dispatch: Dispatch, outcome: Outcome, now: datetime) -> None:
        task, retry = self._tasks[task_id], self._retry_of(self._tasks[task_id])
        if self._under_way[task_id]:
            self._save(task)  # another attempt (RunTask) decides
        elif is_exhausted(task, retry, now):
            self._end(task_id, "dropped", now)
        else:
            due = next_attempt_time(task, retry, dispatch, outcome, now)
            self._save(replace(task, schedule_time=due))
            self._waiting.put(task_id, due)

    def _next_due(self, now: datetime) -> TaskRecord | None:
        while not self.record.paused and (first := self._waiting.first()) is not None and first[0] <= now:
            task = self._tasks[first[1]]
            if not is_exhausted(task, self._retry_of(task), now):
                return task
            self._end(task.task_id, "dropped", now)
        return None

    def _dispatch(self, task: TaskRecord, now: datetime, *, forced: bool) -> Dispatch:
        self._waiting.discard(task.task_id)
        self.counts.dispatched += 1
        self.counts.retried += task.dispatch_count > 0
        dispatch = Dispatch(self.record.name, next(self._numbers), task, now, forced=forced)
        self._in_flight[dispatch.number] = dispatch
        self._under_way.setdefault(task.task_id, set()).add(dispatch.number)
        self._tasks[task.task_id] = dispatched(task, now)
        return dispatch

    def _count(self, outcome: Outcome, now: datetime) -> None:
        if outcome.success:
            self._flow.speed_up(now)
            return
        self.counts.failed += 1
        if outcome.overloaded:
            self._flow.slow_down(now, outcome.retry_after_s)

    def _end(self, task_id: str, how: str, now: datetime) -> None:
        task = self._tasks.pop(task_id)
        self._waiting.discard(task_id)
        self._under_way.pop(task_id, None)
        setattr(self.counts, how, getattr(self.counts, how) + 1)
        self.recent.append(Ended(self.record.name, task, how, now))
        until = self._blocked.add(task_id, now) if task.named else None
        self._changes.append(TaskEnded(self.record.name, task_id, until))
        if self._blocked.release(now):
            self._changes.append(NamesReleased(self.record.name, now))

    def _has_room(self) -> bool:
        return self.in_flight < self.record.settings.rate.max_concurrent_dispatches

    def _retry_of(self, task: TaskRecord) -> RetryConfig:
        return task.retry or self.record.settings.retry

    def _save(self, task: TaskRecord) -> None:
        self._tasks[task.task_id] = task
        self._changes.append(TaskSaved(self.record.name, task))

    def _save_record(self, record: QueueRecord) -> None:
        self.record = record
        self._changes.append(QueueSaved(record))
