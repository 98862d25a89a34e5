"""The queue that remembers used names: it saves calls, and never claims what the queue behind it did not say."""

import pytest

from confsync.adapters.known_names import KnownNames
from confsync.adapters.memory_tasks import MemoryTaskQueue
from confsync.core.tasks import Task
from confsync.errors import TaskQueueUnavailable


class Counted:
    """A queue that counts what reaches it, and is out of reach for the first `refuses` calls."""

    def __init__(self, *used: str, refuses: int = 0) -> None:
        """Begin with names that somebody else has used."""
        self.behind = MemoryTaskQueue()
        self.asked: list[str] = []
        self._refuses = refuses
        for name in used:
            self.behind.create(task(name))

    def create(self, task: Task) -> bool:
        """Create the task."""
        self.asked.append(task.name)
        if len(self.asked) <= self._refuses:
            raise TaskQueueUnavailable("out of reach")
        return self.behind.create(task)


def task(name: str) -> Task:
    """Return a task with this name."""
    return Task(name, "/sync", {})


def test_a_name_that_was_used_here_is_not_asked_for_again() -> None:
    """The first call creates, all later ones are answered from memory."""
    queue = KnownNames(counted := Counted())
    assert [queue.create(task("a")) for _ in range(3)] == [True, False, False]
    assert counted.asked == ["a"]


def test_a_name_that_somebody_else_used_is_asked_for_once() -> None:
    """Another instance of the receiver may have been faster."""
    queue = KnownNames(counted := Counted("a"))
    assert [queue.create(task("a")) for _ in range(3)] == [False, False, False]
    assert counted.asked == ["a"]


def test_a_create_that_failed_is_asked_for_again() -> None:
    """Its outcome is unknown: the task may not exist, and then nothing would cover the notification."""
    queue = KnownNames(Counted(refuses=1))
    with pytest.raises(TaskQueueUnavailable):
        queue.create(task("a"))
    assert queue.create(task("a"))


def test_memory_is_bounded_and_forgetting_only_costs_a_call() -> None:
    """An old name is asked for again, and the queue behind still knows it."""
    queue = KnownNames(counted := Counted(), most=2)
    for name in "abcde":
        assert queue.create(task(name))
    assert not queue.create(task("e"))
    assert not queue.create(task("a"))
    assert counted.asked == [*"abcde", "a"]
