"""How requests reach the functions: at least once, twice at the same time, again when the deadline is over."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.rules import Rules
from confsync.errors import StoreUnavailable
from confsync.ports import Outside
from tests.simulation.gate import Gate
from tests.simulation.instance import Instance
from tests.simulation.scheduler import SECOND, Scheduler
from tests.simulation.tapes import Fault, Setting
from tests.simulation.traffic import Request, Traffic, push_again_in_s, task_again_in_s
from tests.world import ALL_FIELDS, START, Crash

Ended = list[tuple[float, str, object]]
"""When, which instance, and what came of it."""


def play(
    work: Callable[[Scheduler], object], *faults: Fault, deadline_s: float | None = None, kills_late: bool = True
) -> Ended:
    """Send one task whose work is `work`; return what came of each of its instances."""
    clock, ended = Scheduler(0, START), Ended()
    gate = Gate(clock, lambda _: None, faults)
    setting = Setting(Rules(), Capabilities(ALL_FIELDS), kills_late=kills_late)

    def note(_: Request, instance: Instance, answer: object) -> None:
        ended.append((clock.us / SECOND, instance.name, answer))

    def outside_of(_: Instance) -> Outside:
        return None  # type: ignore[return-value]  # this work reaches no port

    traffic = Traffic(clock, gate, setting, 0, outside_of=outside_of, begun=lambda *_: None, ended=note)
    traffic.send(Request("t", lambda _: work(clock), task_again_in_s, deadline_s), "task", START)
    clock.run(5000, lambda: False)
    return ended


def fault(kind: str, amount: int = 0) -> Fault:
    """Return what meets the first task."""
    return Fault(-1, "task", 1, kind, amount)


def five_seconds(clock: Scheduler) -> str:
    """Take some time."""
    clock.wait(5 * SECOND)
    return "done"


def test_a_task_that_succeeds_is_delivered_once() -> None:
    """Where nothing goes wrong."""
    assert play(five_seconds) == [(5, "t~1", "done")]


def test_a_task_may_be_delivered_again_while_it_still_runs() -> None:
    """Both instances live at once; each ends by itself."""
    assert play(five_seconds, fault("again", 1)) == [(5, "t~1", "done"), (6, "t~2", "done")]
    assert [at for at, _, _ in play(five_seconds, fault("twice"))] == [5, 5]


def test_a_task_may_be_late_or_lost() -> None:
    """It comes when it comes, or never."""
    assert play(five_seconds, fault("late", 45)) == [(50, "t~1", "done")]
    assert play(five_seconds, fault("lost")) == []


@pytest.mark.parametrize("error", [StoreUnavailable("no"), Crash()])
def test_a_task_that_fails_is_tried_again_ever_more_slowly_and_then_given_up(error: BaseException) -> None:
    """A second later, then two, four ...; ten times in all."""

    def fails(_: Scheduler) -> object:
        raise error

    ended = play(fails)
    assert [at for at, _, _ in ended] == [2**n - 1 for n in range(10)]


@pytest.mark.parametrize(("kills_late", "first"), [(True, Crash), (False, str)])
def test_a_task_is_delivered_again_at_its_deadline_whether_its_instance_dies_or_not(
    kills_late: bool,
    first: type,
) -> None:
    """One that goes on as if nothing had happened is not tried again for it when it ends."""
    long = iter((100 * SECOND, 1 * SECOND))

    def work(clock: Scheduler) -> str:
        clock.wait(next(long))
        running = clock.running
        assert isinstance(running, Instance)
        running.go_on()
        return "done"

    ended = play(work, deadline_s=70, kills_late=kills_late)
    assert [(at, name) for at, name, _ in ended] == [(72, "t~2"), (100, "t~1")]
    assert isinstance(ended[1][2], first)


def test_a_push_is_tried_a_few_times_only() -> None:
    """Push is not reliable."""
    assert [push_again_in_s(attempt) for attempt in range(5)] == [1, 2, 4, 8, None]


def test_the_second_delivery_of_a_doubled_task_is_not_retried() -> None:
    """Cloud Tasks follows up one of them."""
    calls = iter(range(10))

    def fails_once(clock: Scheduler) -> str:
        if next(calls) == 0:
            raise StoreUnavailable("no")
        return f"{(clock.now - START) / timedelta(seconds=1):g}"

    assert [answer for _, _, answer in play(fails_once, fault("again", 0))][1:] in (["0", "1"], ["0"])
