"""How long a failed task waits, and when it is given up. Pure.

Source: RetryConfig in https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues
"""

from datetime import datetime

from confsync.local.task_server.limits import RETENTION, RetryConfig
from confsync.local.task_server.records import TaskRecord

_ENOUGH_DOUBLINGS = 40


def retry_delay_s(retry: RetryConfig, attempts: int) -> float:
    """Return the seconds between the failure of attempt number `attempts` (from 1) and the next attempt.

    The interval starts at min_backoff, doubles max_doublings times, then grows linearly, up to max_backoff.
    """
    doublings = min(attempts - 1, retry.max_doublings, _ENOUGH_DOUBLINGS)
    steps = max(1, attempts - retry.max_doublings)
    return min(retry.max_backoff_s, RETENTION.total_seconds(), retry.min_backoff_s * 2.0**doublings * steps)


def is_exhausted(task: TaskRecord, retry: RetryConfig, now: datetime) -> bool:
    """Tell whether the task gets no further attempt.

    Attempts and duration must *both* be used up; a limit that is not set (-1, 0) does not hold the other one up.
    With neither set only the retention ends it.
    """
    if now - task.create_time >= RETENTION:
        return True
    attempts_used, duration_used = _attempts_used(task, retry), _duration_used(task, retry, now)
    limits = [used for used in (attempts_used, duration_used) if used is not None]
    return bool(limits) and all(limits)


def _attempts_used(task: TaskRecord, retry: RetryConfig) -> bool | None:
    return None if retry.max_attempts < 0 else task.dispatch_count >= retry.max_attempts


def _duration_used(task: TaskRecord, retry: RetryConfig, now: datetime) -> bool | None:
    if retry.max_retry_duration_s <= 0:
        return None
    if task.first_attempt is None:
        return False
    return (now - task.first_attempt.dispatch_time).total_seconds() >= retry.max_retry_duration_s
