"""Tasks in the order of their time. Pure.

It must never hold more dead entries than living ones: a task that left early is swept out.
"""

import heapq
import itertools
from datetime import datetime

_SMALL = 64


class Waiting:
    """Task ids, each with the time from which it may leave; equal times keep their order."""

    def __init__(self) -> None:
        """Start empty."""
        self._entry: dict[str, tuple[datetime, int]] = {}
        self._heap: list[tuple[datetime, int, str]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        """Count the waiting tasks."""
        return len(self._entry)

    def put(self, task_id: str, due: datetime) -> None:
        """Let the task wait until `due`, instead of any earlier wish."""
        entry = (due, next(self._order))
        self._entry[task_id] = entry
        heapq.heappush(self._heap, (*entry, task_id))
        if len(self._heap) > 2 * len(self._entry) + _SMALL:
            self._heap = [(*entry, task_id) for task_id, entry in self._entry.items()]
            heapq.heapify(self._heap)

    def discard(self, task_id: str) -> None:
        """Take the task out, if it is waiting."""
        self._entry.pop(task_id, None)

    def first(self) -> tuple[datetime, str] | None:
        """Return the earliest time and its task, None when nothing waits."""
        while self._heap:
            due, order, task_id = self._heap[0]
            if self._entry.get(task_id) == (due, order):
                return due, task_id
            heapq.heappop(self._heap)
        return None
