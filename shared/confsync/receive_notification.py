"""Receive one push notification: prove it genuine, ask for a sync of its calendar, answer.

It reads headers only. It must never touch the store or Calendar: it is public, and a flood of forgeries has to stay
cheap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from confsync.core import tasks
from confsync.core.channels import SigningKey, verify_channel_token
from confsync.core.notifications import Headers, Notification
from confsync.core.rules import Rules
from confsync.ports import TaskQueue


@dataclass(frozen=True)
class Receipt:
    """What became of a notification, for the log."""

    calendar_key: str
    task: str
    """`leading`, `trailing`, `covered` (by a task that has not started) or `none` (a `sync` message)."""


def receive_notification(
    headers: Headers, keys: Sequence[SigningKey], task_queue: TaskQueue, now: datetime, *, rules: Rules
) -> Receipt:
    """Make sure that a sync starts after this notification.

    An isolated notification starts one at once; of a storm, all but the first in a window share one that starts when
    the window is over.

    Raises:
        NotificationRejected: not a genuine notification; no task was made.
        TaskQueueError: no task could be made; Calendar has to send the notification again (503).

    """
    notification = Notification.from_headers(headers)
    calendar_key = verify_channel_token(keys, notification.channel_id, notification.channel_token)
    if notification.resource_state == "sync":
        return Receipt(calendar_key, "none")
    origin = {"channel_id": notification.channel_id, "resource_id": notification.resource_id}
    return ask_for_sync(calendar_key, origin, task_queue, now, rules)


def ask_for_sync(
    calendar_key: str, origin: Mapping[str, str], task_queue: TaskQueue, now: datetime, rules: Rules
) -> Receipt:
    """Make the task of a genuine notification, however it came.

    Args:
        origin: the channel it came through, by `channel_id` and `resource_id`; empty for none.

    Raises:
        TaskQueueError: no task could be made.

    """
    if task_queue.create(tasks.leading_sync(calendar_key, now, rules, origin)):
        return Receipt(calendar_key, "leading")
    created = task_queue.create(tasks.trailing_sync(calendar_key, now, rules, origin))
    return Receipt(calendar_key, "trailing" if created else "covered")
