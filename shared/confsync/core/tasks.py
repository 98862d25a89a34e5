"""Tasks: their names, times and bodies; how a storm of notifications becomes two syncs without losing a change.

A task's name stays blocked for up to 24 hours, so each name carries what makes it new: time bucket, fence or
generation. The hashed key comes first. It must never decide whether something is needed, only when it runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import floor, log2

from confsync.core.conference import Conference
from confsync.core.notifications import Headers
from confsync.core.records import Calendar, Lease
from confsync.core.rules import Rules

SYNC = "/sync"
UPDATE = "/update"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Task:
    """A request that is to reach the worker at least once, at `schedule_time` or (None) at once."""

    name: str
    """Letters, digits, hyphens, at most 500. A used name stays blocked for up to 24 hours."""
    path: str
    """`/sync` or `/update`: which of the worker's doors."""
    body: Mapping[str, str]
    schedule_time: datetime | None = None
    provider: str = ""
    """Which conferencing system it calls, so that each can have a queue of its own rate; empty for a sync."""


def leading_sync(calendar_key: str, now: datetime, rules: Rules, origin: Mapping[str, str]) -> Task:
    """Return the task that the first notification of a window starts at once."""
    name = f"{calendar_key}-{_bucket(now, rules)}-l"
    return _sync(name, calendar_key, "leading", None, origin)


def trailing_sync(calendar_key: str, now: datetime, rules: Rules, origin: Mapping[str, str]) -> Task:
    """Return the task that covers all later notifications of a window: it starts after the window and the skew."""
    bucket = _bucket(now, rules)
    at = datetime.fromtimestamp((bucket + 1) * rules.window_s + rules.skew_s, UTC)
    return _sync(f"{calendar_key}-{bucket}-t", calendar_key, "trailing", at, origin)


def sync_after_lease(calendar_key: str, lease: Lease, rules: Rules) -> Task:
    """Return the back-stop of whoever found the calendar leased: it starts when that lease has expired."""
    at = lease.expires_at + timedelta(seconds=rules.skew_s)
    return _sync(f"{calendar_key}-after-{lease.fence}-{_stamp(lease.expires_at)}", calendar_key, "after", at)


def sync_again(calendar: Calendar, at: datetime | None) -> Task:
    """Return the task that goes on with a sync that had to stop; its fence makes the name new."""
    return _sync(f"{calendar.key}-again-{calendar.fence}", calendar.key, "again", at)


def sync_for_lag(calendar: Calendar, now: datetime, rules: Rules) -> Task:
    """Return the second look after a sync that listed nothing."""
    at = now + timedelta(seconds=rules.lag_s)
    return _sync(f"{calendar.key}-lag-{calendar.fence}", calendar.key, "lag", at)


def overdue_sync(calendar: Calendar, now: datetime) -> Task:
    """Return the task for a calendar that the store says is due; see `_started`."""
    name = f"{calendar.key}-due-{calendar.fence}-{_started(calendar.due_at or now, now)}"
    return _sync(name, calendar.key, "due", None)


def asked_sync(calendar_key: str, now: datetime) -> Task:
    """Return the task for a sync that something else than a notification asks for."""
    return _sync(f"{calendar_key}-asked-{_stamp(now)}", calendar_key, "asked", None)


def conference_update(conference: Conference, now: datetime, rules: Rules) -> Task:
    """Return the task that brings a conference to its desired state at its `due_at`.

    The name of the task that is running is used up. Once it is due the name is therefore new at each moment, and with
    each change of the record, since what is added to it may be due when that task was, and several workers may bring
    the record back to what it was. Clocks differ: a task may run a little early and find that it has to wait, and so
    may the one after it. Shortly before its time there is therefore one task more, so late that it is early for nobody.
    """
    at = due_at = conference.due_at or now
    generation = conference.desired.generation if conference.desired else 0
    name = f"{conference.key}-{generation}-{_stamp(due_at)}"
    if due_at <= now:
        name = f"{name}-{_stamp(now)}-{_mark(conference)}"
    elif due_at <= now + timedelta(seconds=rules.skew_s):
        name, at = f"{name}-early", due_at + timedelta(seconds=rules.skew_s)
    return _update(name, conference, at)


def is_worth_a_task(conference: Conference, now: datetime, rules: Rules) -> bool:
    """Whether something is due so soon that nobody should wait for the scheduled run to find it."""
    return conference.due_at is not None and conference.due_at <= now + timedelta(seconds=rules.task_horizon_s)


def is_last_attempt(headers: Headers, attempts: int) -> bool:
    """Whether nobody will send this request again: it is the last of so many attempts, or no task at all.

    The headers are information, not identity: whoever reads more into them than one note too early is wrong. Only
    `TaskRetryCount` counts every attempt before this one; `TaskExecutionCount` leaves those out that ended with 5xx.
    """
    before = headers.get("X-CloudTasks-TaskRetryCount", "")
    return not before.isdecimal() or len(before) > 9 or int(before) + 1 >= attempts


def overdue_update(conference: Conference, now: datetime) -> Task:
    """Return the task for a conference that the store says is due; see `_started`."""
    name = f"{conference.key}-overdue-{_started(conference.due_at or now, now)}"
    return _update(name, conference, None)


def _started(due_at: datetime, now: datetime) -> str:
    """Return what makes a name new when its work is 2, 4, 8 ... 64 minutes late, then each hour, or due anew.

    The task before may be lost, or wait in a queue that lags. A new one each minute would only make such a queue
    longer, the more the longer it is, until it carries nothing but doubles.
    """
    late = max((now - due_at) / timedelta(minutes=1), 1)
    times = floor(log2(late)) if late < 64 else 5 + floor(late / 60)
    return f"{_stamp(due_at)}-{times}"


def _update(name: str, conference: Conference, at: datetime | None) -> Task:
    return Task(name, UPDATE, {"conference_key": conference.key}, at, conference.provider)


def _sync(
    name: str, calendar_key: str, kind: str, at: datetime | None, origin: Mapping[str, str] | None = None
) -> Task:
    return Task(name, SYNC, {"calendar_key": calendar_key, "kind": kind, **(origin or {})}, at)


def _bucket(now: datetime, rules: Rules) -> int:
    return floor(now.timestamp() / rules.window_s)


def _mark(conference: Conference) -> str:
    """8 hex digits that are others as soon as anything in the record is."""
    return sha256(conference.model_dump_json().encode()).hexdigest()[:8]


def _stamp(at: datetime) -> int:
    """Microseconds, as exact as the store: two times never share a name, and of two the earlier task runs too soon."""
    return (at - _EPOCH) // timedelta(microseconds=1)
