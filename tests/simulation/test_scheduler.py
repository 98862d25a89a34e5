"""The virtual clock: who goes on when, what a wait of nothing is, and that a dead process does nothing."""

from datetime import timedelta

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.rules import Rules
from tests.simulation.gate import Gate
from tests.simulation.instance import Instance, latency_us
from tests.simulation.scheduler import SECOND, Scheduler, Task
from tests.simulation.tapes import Fault, Setting
from tests.world import ALL_FIELDS, START, Crash

SETTING = Setting(Rules(), Capabilities(ALL_FIELDS))


def never() -> bool:
    """Never stop before time is over."""
    return False


def order_of(seed: int, names: str) -> str:
    """Return the order in which tasks of these names act, all at once."""
    clock, acted = Scheduler(seed, START), list[str]()
    for name in names:
        clock.after(1, name, lambda name=name: acted.append(name))  # type: ignore[misc]
    clock.run(2, never)
    return "".join(acted)


def test_what_is_due_at_once_happens_in_an_order_that_only_the_seed_knows() -> None:
    """The order in which it was asked for plays no part; another seed has another order."""
    assert order_of(1, "abcdef") == order_of(1, "fedcba")
    assert len({order_of(seed, "abcdef") for seed in range(20)}) > 10


def test_leaving_one_out_does_not_change_the_order_of_the_others() -> None:
    """So that a failing day can be shortened."""
    assert order_of(3, "abcdef").replace("c", "") == order_of(3, "abdef")


def test_others_go_on_while_one_waits() -> None:
    """Two tasks that wait in turn act in turn, each at its own times."""
    clock, acted = Scheduler(0, START), list[tuple[float, str]]()

    def work(name: str, pause_s: int) -> None:
        for _ in range(2):
            clock.wait(pause_s * SECOND)
            acted.append((clock.us / SECOND, name))

    for name, pause_s in (("a", 2), ("b", 3)):
        clock.after(0, name, lambda name=name, pause_s=pause_s: clock.begin(Task(name), lambda: work(name, pause_s)))  # type: ignore[misc]
    clock.run(10, never)
    assert acted == [(2, "a"), (3, "b"), (4, "a"), (6, "b")]
    assert clock.now == START + timedelta(seconds=10)


def test_a_leap_makes_late_what_is_due_meanwhile() -> None:
    """It happens when the leap is over; and nobody leaps back."""
    clock, acted = Scheduler(0, START), list[float]()
    clock.after(10, "a", lambda: acted.append(clock.us / SECOND))
    clock.leap(START + timedelta(days=1))
    clock.leap(START)
    clock.run(1, never)
    assert acted == [86400]


def test_the_clock_itself_never_waits() -> None:
    """Only what may be interrupted can."""
    with pytest.raises(RuntimeError, match="only a task may wait"):
        Scheduler(0, START).wait(1)


def test_a_task_that_still_waits_when_the_day_is_over_is_unwound() -> None:
    """Nothing of it stays behind, and nothing that it does on its way out waits again."""
    clock, left = Scheduler(0, START), list[str]()

    def work() -> None:
        try:
            clock.wait(100 * SECOND)
        except Crash:
            left.append("unwound")

    clock.after(0, "a", lambda: clock.begin(Task("a"), work))
    clock.run(1, never)
    clock.close(lambda _: Crash())
    assert left == ["unwound"]


def run_instance(work: object, *faults: Fault, setting: Setting = SETTING) -> tuple[Gate, Instance, list[object]]:
    """Run one instance that calls `work` with its gate; return the gate, the instance, and what came of it."""
    clock = Scheduler(0, START)
    gate, came = Gate(clock, lambda _: None, faults), list[object]()
    instance = Instance("worker", 0, setting, clock)

    def live() -> None:
        try:
            came.append(work(gate))  # type: ignore[operator]
        except (Exception, Crash) as error:  # noqa: BLE001 - what it raises is what is looked at
            came.append(error)

    clock.after(0, "begin", lambda: clock.begin(instance, live))
    clock.run(1000, never)
    return gate, instance, came


def test_a_dead_instance_reaches_no_port_even_while_it_is_unwound() -> None:
    """What a `finally` would still like to do does not happen."""
    effects = list[str]()

    def work(gate: Gate) -> None:
        try:
            gate.passing("store", "transact", lambda: effects.append("first"))
        finally:
            gate.passing("store", "transact", lambda: effects.append("second"))

    _, instance, came = run_instance(work, Fault(-1, "store", 1, "crash-after", 0))
    assert effects == ["first"]
    assert instance.is_dead
    assert isinstance(came[0], Crash)


def test_a_call_that_timed_out_lands_later() -> None:
    """Its client hears that the port is out of reach, after its time-out; the effect comes when it comes."""
    effects = list[float]()

    def work(gate: Gate) -> float:
        with pytest.raises(Exception, match="injected"):
            gate.passing("calendar", "events.watch", lambda: effects.append(gate.clock.us / SECOND))
        return gate.clock.us / SECOND

    _, _, came = run_instance(work, Fault(-1, "calendar", 1, "landing", 45))
    assert (came, effects) == ([30.0], [45.0])


def test_a_call_takes_effect_half_way_through_its_time() -> None:
    """Others go on in both halves."""
    setting = Setting(Rules(), Capabilities(ALL_FIELDS), latency="slow")

    def work(gate: Gate) -> tuple[int, int]:
        return gate.passing("calendar", "events.get", lambda: gate.clock.us), gate.clock.us

    _, instance, came = run_instance(work, setting=setting)
    times_us = came[0]
    assert isinstance(times_us, tuple)
    assert 0 < times_us[0] < times_us[1]
    assert instance.calls == 2


def test_latencies_stay_within_what_the_product_may_count_on() -> None:
    """The slowest calls to a conferencing system time out, and land within a minute."""
    tails = [latency_us("tail", bits << 16 | part, far=True) for bits in range(0, 65536, 99) for part in (0, 65535)]
    assert 30 * SECOND < max(tails) < 55 * SECOND
    assert max(latency_us("quick", part, far=True) for part in (0, 65535)) < SECOND // 100


def test_clocks_of_instances_differ_by_less_than_the_margin_for_skew() -> None:
    """Rules say by how much clocks may differ: each is wrong by less than half of it."""
    clock = Scheduler(0, START)
    setting = Setting(Rules(), Capabilities(ALL_FIELDS), skew_ms=950)
    wrong = [(Instance(f"w{n}", 0, setting, clock).now() - START).total_seconds() for n in range(200)]
    assert max(wrong) - min(wrong) < Rules().skew_s
    assert max(wrong) > 0.8
    assert min(wrong) < -0.8
