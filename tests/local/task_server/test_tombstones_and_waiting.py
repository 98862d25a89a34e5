"""The two quick tables: blocked names, and tasks in the order of their time."""

from confsync.local.task_server.tombstones import Tombstones
from confsync.local.task_server.waiting import Waiting
from tests.local.task_server.support import START, later


def test_a_name_is_blocked_for_its_time() -> None:
    """Blocked from the first moment until, and not at, the end."""
    blocked = Tombstones(60)
    assert blocked.add("a", START) == later(60)
    assert [blocked.blocks("a", later(at)) for at in (0, 59.9, 60)] == [True, True, False]
    assert not blocked.blocks("b", START)


def test_expired_names_are_forgotten() -> None:
    """The table holds only names whose time is not over."""
    blocked = Tombstones(60)
    for number in range(1000):
        blocked.add(str(number), later(number))
        blocked.release(later(number))
    assert len(blocked) == 60


def test_a_name_that_is_used_again_is_blocked_again() -> None:
    """The end of the first time does not end the second."""
    blocked = Tombstones(60)
    blocked.add("a", START)
    blocked.add("a", later(59))
    assert blocked.release(later(61)) == 0
    assert blocked.blocks("a", later(100))


def test_tasks_come_in_the_order_of_their_time() -> None:
    """The earliest first, equal ones as they came, a changed wish replaces the old one."""
    waiting = Waiting()
    for task_id, at in (("c", 3), ("a", 1), ("b", 1), ("d", 9)):
        waiting.put(task_id, later(at))
    waiting.put("d", later(0))
    order = []
    while (first := waiting.first()) is not None:
        order.append(first[1])
        waiting.discard(first[1])
    assert order == ["d", "a", "b", "c"]


def test_tasks_that_left_early_do_not_pile_up() -> None:
    """Ten thousand tasks for next month, all deleted: nothing of them stays."""
    waiting = Waiting()
    for number in range(10_000):
        waiting.put(str(number), later(10**6))
        waiting.discard(str(number))
    assert len(waiting._heap) < 100
