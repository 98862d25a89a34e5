"""The rate of a queue: token bucket and slowing down."""

from hypothesis import given
from hypothesis import strategies as st

from confsync.local.task_server.flow import Flow
from confsync.local.task_server.limits import RateLimits
from tests.local.task_server.support import START, later

TEN_PER_S = RateLimits(max_dispatches_per_second=10, max_burst_size=5)


def _taken(flow: Flow, at: float) -> int:
    return sum(1 for _ in range(1000) if flow.take(later(at)))


def test_a_full_bucket_lets_a_burst_through_and_then_the_rate() -> None:
    """Five at once, then one every 100 ms."""
    flow = Flow(TEN_PER_S, START)
    assert [_taken(flow, at) for at in (0, 0.05, 0.1, 0.2, 1.0, 60.0)] == [5, 0, 1, 1, 5, 5]


def test_it_opens_exactly_when_it_says() -> None:
    """At the time that it names a task can leave, and a millisecond before none can."""
    flow = Flow(TEN_PER_S, START)
    _taken(flow, 0)
    opens = (flow.open_at(START) - START).total_seconds()
    assert _taken(flow, opens - 0.001) == 0
    assert _taken(flow, opens) == 1


def test_each_overload_halves_the_rate_and_each_success_doubles_it() -> None:
    """Two overloads: a quarter of the rate; two successes: all of it."""
    flow = Flow(RateLimits(max_dispatches_per_second=8, max_burst_size=8), START)
    _taken(flow, 0)
    for _ in range(2):
        flow.slow_down(START, None)
    assert _taken(flow, 1) == 2
    for _ in range(5):
        flow.speed_up(later(1))
    assert _taken(flow, 2) == 8


def test_an_overload_takes_the_saved_up_burst_away() -> None:
    """A queue that rested does not answer an overload with a full burst."""
    flow = Flow(RateLimits(max_dispatches_per_second=8, max_burst_size=8), START)
    flow.slow_down(START, None)
    assert _taken(flow, 0) == 4


def test_nothing_leaves_before_retry_after() -> None:
    """The worker's wish holds the whole queue, but for an hour at most."""
    flow = Flow(TEN_PER_S, START)
    flow.slow_down(START, 7)
    assert (_taken(flow, 6.9), flow.open_at(START)) == (0, later(7))
    flow.slow_down(START, 10**9)
    assert flow.open_at(START) == later(3600)


def test_new_limits_count_at_once() -> None:
    """A smaller bucket does not keep what the larger one held."""
    flow = Flow(RateLimits(max_dispatches_per_second=100, max_burst_size=100), START)
    flow.configure(TEN_PER_S, START)
    assert _taken(flow, 0) == 5


def test_a_clock_that_jumps_back_does_not_stop_the_queue() -> None:
    """After the jump the bucket fills again from the new time."""
    flow = Flow(TEN_PER_S, later(3600))
    _taken(flow, 3600)
    assert _taken(flow, 0) == 0
    assert _taken(flow, 0.1) == 1


@given(
    st.floats(0.01, 500),
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 5), st.sampled_from(["take", "slow", "fast"])), max_size=40),
)
def test_never_more_than_burst_and_rate_allow(rate: float, burst: int, steps: list[tuple[float, str]]) -> None:
    """Over any time no more leave than the bucket held plus what the rate refilled, slowed down or not."""
    flow = Flow(RateLimits(max_dispatches_per_second=rate, max_burst_size=burst), START)
    passed, taken = 0.0, 0
    for pause, step in steps:
        passed += pause
        if step == "take":
            taken += flow.take(later(passed))
        elif step == "slow":
            flow.slow_down(later(passed), None)
        else:
            flow.speed_up(later(passed))
        assert taken <= burst + rate * passed + 0.01
