"""What an attempt leaves behind in a task's record. Pure.

It must never decide whether there is another attempt; `retry` does.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from confsync.local.task_server.limits import LONGEST_RETRY_AFTER_S, RetryConfig
from confsync.local.task_server.records import Attempt, Dispatch, Outcome, TaskRecord
from confsync.local.task_server.retry import retry_delay_s


def dispatched(task: TaskRecord, now: datetime) -> TaskRecord:
    """Return the task with one more attempt, under way since now."""
    attempt = Attempt(schedule_time=task.schedule_time, dispatch_time=now)
    return replace(
        task,
        dispatch_count=task.dispatch_count + 1,
        first_attempt=task.first_attempt or Attempt(schedule_time=task.schedule_time, dispatch_time=now),
        last_attempt=attempt,
    )


def answered(task: TaskRecord, dispatch: Dispatch, outcome: Outcome, now: datetime) -> TaskRecord:
    """Return the task with the outcome of that dispatch."""
    status = outcome.status
    return replace(
        task,
        response_count=task.response_count + (status is not None),
        execution_count=task.execution_count + (status is not None and status < 500),
        last_attempt=Attempt(
            schedule_time=dispatch.task.schedule_time,
            dispatch_time=dispatch.dispatch_time,
            response_time=now,
            code=outcome.code,
            message=outcome.message,
        ),
        previous_status=status if status is not None else task.previous_status,
        retry_reason="" if outcome.success else outcome.message,
    )


def next_attempt_time(
    task: TaskRecord, retry: RetryConfig, dispatch: Dispatch, outcome: Outcome, now: datetime
) -> datetime:
    """Return when a failed task is due again: after its back-off, and not before the worker's Retry-After."""
    since = dispatch.dispatch_time if dispatch.forced else now
    asked_s = min(outcome.retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)
    backed_off = since + timedelta(seconds=retry_delay_s(retry, task.dispatch_count))
    return max(backed_off, now + timedelta(seconds=asked_s))
