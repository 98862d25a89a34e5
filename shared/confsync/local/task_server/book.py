"""All queues of the server, and the changes that are not written down yet. Pure; the clock is passed in.

It must never hand out a queue that does not exist: every look-up raises what the caller is answered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from confsync.local.task_server.api_errors import ApiError
from confsync.local.task_server.changes import Change, QueueDeleted, QueueRecord
from confsync.local.task_server.limits import QueueSettings
from confsync.local.task_server.machine import QueueMachine
from confsync.local.task_server.records import TaskRecord
from confsync.local.task_server.tombstones import Tombstones


@dataclass(frozen=True)
class KeptQueue:
    """One queue as the journal kept it."""

    queue: QueueRecord
    tasks: tuple[TaskRecord, ...]
    blocked: tuple[tuple[str, datetime], ...]
    """Task ids and until when they stay blocked."""


@dataclass(frozen=True)
class Kept:
    """All that the journal kept."""

    queues: tuple[KeptQueue, ...] = ()
    blocked: tuple[tuple[str, datetime], ...] = ()
    """Names of deleted queues and until when they stay blocked."""


class Book:
    """The queues by name."""

    def __init__(self, name_ttl_s: float, queue_name_ttl_s: float) -> None:
        """Start empty; names of ended tasks and of deleted queues stay blocked for so many seconds."""
        self.changes: list[Change] = []
        self._name_ttl_s = name_ttl_s
        self._blocked = Tombstones(queue_name_ttl_s)
        self._queues: dict[str, QueueMachine] = {}

    def all(self) -> list[QueueMachine]:
        """Return the queues in the order of their names."""
        return [self._queues[name] for name in sorted(self._queues)]

    def find(self, name: str) -> QueueMachine | None:
        """Return the queue, None when there is none."""
        return self._queues.get(name)

    def queue(self, name: str) -> QueueMachine:
        """Return the queue. Raises `ApiError` (NOT_FOUND) when there is none."""
        queue = self._queues.get(name)
        if queue is None:
            raise ApiError(
                "NOT_FOUND", f'Queue "{name}" does not exist: create it, or start the server with --queue {name}'
            )
        return queue

    def create(self, name: str, settings: QueueSettings, now: datetime) -> QueueMachine:
        """Create a queue. Raises `ApiError` when it exists or its name is still blocked."""
        self._blocked.release(now)
        if name in self._queues:
            raise ApiError("ALREADY_EXISTS", f'Queue "{name}" already exists')
        if self._blocked.blocks(name, now):
            raise ApiError(
                "FAILED_PRECONDITION",
                f'Queue "{name}" cannot be created: a queue of this name was deleted too recently',
            )
        return self._open(QueueRecord(name, settings), now)

    def delete(self, name: str, now: datetime) -> None:
        """Delete the queue with its tasks and block its name. Raises `ApiError` when there is none."""
        self.queue(name)
        del self._queues[name]
        self.changes.append(QueueDeleted(name, self._blocked.add(name, now)))

    def configure(self, name: str, settings: QueueSettings, now: datetime) -> QueueMachine:
        """Create the queue, even under a blocked name, or bring it to these settings; its tasks stay."""
        queue = self._queues.get(name)
        if queue is None:
            return self._open(QueueRecord(name, settings), now)
        queue.configure(settings, now)
        return queue

    def restore(self, kept: Kept, now: datetime) -> None:
        """Take up what the journal kept."""
        for name, until in kept.blocked:
            self._blocked.restore(name, until)
        for queue in kept.queues:
            self._open(queue.queue, now).restore(queue.tasks, queue.blocked)

    def next_wake(self, now: datetime) -> datetime | None:
        """Return when the next task may leave, None when nothing can without another event."""
        return _earliest(queue.next_wake(now) for queue in self._queues.values())

    def _open(self, record: QueueRecord, now: datetime) -> QueueMachine:
        queue = self._queues[record.name] = QueueMachine(record, self._name_ttl_s, self.changes, now)
        return queue


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((time for time in times if time is not None), default=None)
