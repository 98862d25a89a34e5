"""The public function: Calendar pushes notifications here. Headers in, one task out; no database, no body."""

import os
from functools import cache

import functions_framework
from flask import Request

from confsync import parts
from confsync.adapters.known_names import KnownNames
from confsync.errors import NotificationRejected, SettingsError, TaskQueueError
from confsync.logs import log, log_error
from confsync.ports import TaskQueue
from confsync.receive_notification import receive_notification as receive
from confsync.settings import ReceiveNotificationSettings


@cache
def _settings() -> ReceiveNotificationSettings:
    return ReceiveNotificationSettings.from_mapping(os.environ)


@cache
def _task_queue() -> TaskQueue:
    return KnownNames(parts.task_queue(_settings()))


@functions_framework.http
def receive_notification(request: Request) -> tuple[str, int]:
    """Answer 204, 4xx for what is no notification of ours, 503 when Calendar has to send it again."""
    if request.method != "POST":
        return f"{request.method} is not allowed; notifications are POSTed\n", 405
    try:
        keys, rules = _settings().channel_token_keys, _settings().rules()
        receipt = receive(request.headers, keys, _task_queue(), parts.utc_now(), rules=rules)
    except NotificationRejected as error:
        log("WARNING", "notification rejected", reason=str(error), status=error.status)
        return f"{error}\n", error.status
    except (TaskQueueError, SettingsError) as error:
        log_error("no task could be made for a notification", error)
        return "try again\n", 503
    log("INFO", "notification received", calendar_key=receipt.calendar_key, task=receipt.task)
    return "", 204
