"""A task queue that lives in memory, for tests; safe to use from many threads.

It obeys the same rules as the real ones and must never be more forgiving.
"""

import threading
from datetime import datetime

from confsync.adapters.memory import Hook
from confsync.adapters.stored import sortable
from confsync.core.tasks import Task


class MemoryTaskQueue:
    """A task queue whose tasks wait until they are popped."""

    def __init__(self, *, on_call: Hook | None = None, after_call: Hook | None = None) -> None:
        """Start empty; the hooks are called with `create` before and after the effect, as in `MemoryStore`."""
        self.on_call = on_call
        self.after_call = after_call
        self._lock = threading.Lock()
        self._created: dict[str, Task] = {}
        self._waiting: list[Task] = []

    def create(self, task: Task) -> bool:
        """Keep the task; False, and nothing happens, when its name was ever used."""
        self._call(self.on_call)
        with self._lock:
            is_new = task.name not in self._created
            if is_new:
                self._created[task.name] = task
                self._waiting.append(task)
        self._call(self.after_call)
        return is_new

    @property
    def created(self) -> tuple[Task, ...]:
        """All tasks ever created, in order."""
        with self._lock:
            return tuple(self._created.values())

    @property
    def waiting(self) -> tuple[Task, ...]:
        """The tasks that were not popped yet, in the order of their creation."""
        with self._lock:
            return tuple(self._waiting)

    def pop_due(self, now: datetime) -> list[Task]:
        """Take out the tasks that are due at `now`, the earliest scheduled first; those without a time before all."""
        with self._lock:
            due = [task for task in self._waiting if task.schedule_time is None or task.schedule_time <= now]
            self._waiting = [task for task in self._waiting if task not in due]
        return sorted(due, key=lambda task: "" if task.schedule_time is None else sortable(task.schedule_time))

    def put_back(self, task: Task) -> None:
        """Let a popped task wait again, as after a failed attempt; its name stays used."""
        with self._lock:
            self._waiting.append(task)

    @staticmethod
    def _call(hook: Hook | None) -> None:
        if hook is not None:
            hook("create")
