"""What the journal has to write down, as data: the queues decide, the journal does.

It must never hold anything that could be worked out again from the rest.
"""

from dataclasses import dataclass
from datetime import datetime

from confsync.local.task_server.limits import QueueSettings
from confsync.local.task_server.records import TaskRecord


@dataclass(frozen=True)
class QueueRecord:
    """A queue without its tasks."""

    name: str
    settings: QueueSettings
    paused: bool = False
    purge_time: datetime | None = None


@dataclass(frozen=True)
class QueueSaved:
    """The queue is new or changed."""

    queue: QueueRecord


@dataclass(frozen=True)
class QueueDeleted:
    """The queue is gone with its tasks; its name stays blocked."""

    name: str
    blocked_until: datetime


@dataclass(frozen=True)
class TaskSaved:
    """The task is new or changed."""

    queue: str
    task: TaskRecord


@dataclass(frozen=True)
class TaskEnded:
    """The task is gone."""

    queue: str
    task_id: str
    blocked_until: datetime | None
    """None: the id was the server's own, so nobody can use it again."""


@dataclass(frozen=True)
class NamesReleased:
    """Task names of the queue that were blocked up to this time may be used again."""

    queue: str
    until: datetime


Change = QueueSaved | QueueDeleted | TaskSaved | TaskEnded | NamesReleased
