"""A task queue in front of another that remembers which names were used, so that a storm costs no calls.

Of a storm of notifications all but two a window ask for names that are in use; this process knows most of them. It
must never say so of a name unless the queue behind it did, and it remembers a bounded number.
"""

from confsync.core.tasks import Task
from confsync.ports import TaskQueue


class KnownNames:
    """The `TaskQueue` port; for names that are never wanted again, such as those of a coalescing window.

    A queue frees a used name after some hours at the earliest; here it stays used until `most` others came after it.
    """

    def __init__(self, behind: TaskQueue, *, most: int = 5000) -> None:
        """Know nothing yet; keep between `most` and twice as many names."""
        self._behind = behind
        self._most = most
        self._newer: set[str] = set()
        self._older: set[str] = set()

    def create(self, task: Task) -> bool:
        """Create the task; False when its name is in use or was used, without asking when that is known.

        Raises:
            TaskQueueError: from the queue behind; the name is not remembered, so the next one asks again.

        """
        if task.name in self._newer or task.name in self._older:
            return False
        created = self._behind.create(task)
        self._remember(task.name)
        return created

    def _remember(self, name: str) -> None:
        """Two generations instead of a lock: threads that meet here forget too early at worst, and ask again."""
        if len(self._newer) >= self._most:
            self._older, self._newer = self._newer, set()
        self._newer.add(name)
