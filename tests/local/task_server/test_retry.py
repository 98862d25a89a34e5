"""Back-off and the end of retries, by tables from Google's documentation."""

from datetime import timedelta

import pytest

from confsync.local.task_server.limits import RetryConfig
from confsync.local.task_server.records import Attempt
from confsync.local.task_server.retry import is_exhausted, retry_delay_s
from tests.local.task_server.support import START, a_task, later


def test_the_documented_example_of_back_off() -> None:
    """10 s, three doublings, at most 300 s: 10, 20, 40, 80, then linear by 80, then 300 for ever."""
    retry = RetryConfig(min_backoff_s=10, max_backoff_s=300, max_doublings=3)
    delays = [retry_delay_s(retry, attempts) for attempts in range(1, 10)]
    assert delays == [10, 20, 40, 80, 160, 240, 300, 300, 300]


@pytest.mark.parametrize(
    ("retry", "delays"),
    [
        (RetryConfig(min_backoff_s=1, max_backoff_s=100, max_doublings=0), [1, 2, 3, 4]),
        (RetryConfig(min_backoff_s=5, max_backoff_s=5, max_doublings=16), [5, 5, 5, 5]),
        (RetryConfig(min_backoff_s=0, max_backoff_s=5, max_doublings=2), [0, 0, 0, 0]),
        (RetryConfig(min_backoff_s=0.1, max_backoff_s=3600, max_doublings=16), [0.1, 0.2, 0.4, 0.8]),
    ],
)
def test_back_off_at_the_edges(retry: RetryConfig, delays: list[float]) -> None:
    """Without doublings it grows linearly; equal bounds and zero hold; the defaults double."""
    assert [retry_delay_s(retry, attempts) for attempts in range(1, 5)] == delays


def test_back_off_of_absurd_settings_stays_finite() -> None:
    """No settings and no number of attempts lead to a time that cannot be represented."""
    retry = RetryConfig(min_backoff_s=1e9, max_backoff_s=1e12, max_doublings=10**6)
    assert timedelta(seconds=retry_delay_s(retry, 10**6)) <= timedelta(days=31)


@pytest.mark.parametrize(
    ("max_attempts", "max_duration_s", "attempts", "after_s", "exhausted"),
    [
        (3, 0, 2, 10**5, False),
        (3, 0, 3, 1, True),
        (3, 60, 3, 59, False),
        (3, 60, 2, 61, False),
        (3, 60, 3, 60, True),
        (-1, 60, 1, 60, True),
        (-1, 60, 50, 59, False),
        (-1, 0, 10**6, 10**6, False),
        (-1, 0, 1, 31 * 86400, True),
        (3, 60, 0, 10**5, False),
    ],
)
def test_retries_end_when_both_limits_are_used_up(
    max_attempts: int, max_duration_s: float, attempts: int, after_s: float, exhausted: bool
) -> None:
    """Attempts and duration must both be used up; one that is not set counts as used; 31 days end everything."""
    retry = RetryConfig(max_attempts=max_attempts, max_retry_duration_s=max_duration_s)
    first = Attempt(START, START) if attempts else None
    task = a_task(dispatch_count=attempts, first_attempt=first)
    assert is_exhausted(task, retry, later(after_s)) is exhausted
