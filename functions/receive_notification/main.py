"""The public function: Calendar pushes notifications here. Headers in, one task out; no database, no body."""

import os
from functools import cache

import functions_framework
from flask import Request

from confsync import parts
from confsync.adapters.known_names import KnownNames
from confsync.errors import ConfsyncError, NotificationRejected
from confsync.logs import log, log_crash, log_error, of_request
from confsync.ports import TaskQueue
from confsync.receive_notification import receive_notification as receive
from confsync.settings import ReceiveNotificationSettings, project_of


@cache
def _settings() -> ReceiveNotificationSettings:
    return parts.read_settings(ReceiveNotificationSettings, os.environ)


@cache
def _task_queue() -> TaskQueue:
    return KnownNames(parts.task_queue(_settings()))


@functions_framework.http
def receive_notification(request: Request) -> tuple[str, int]:
    """Answer 204, 4xx for what is no notification of ours, 503 when Calendar has to send it again."""
    if request.method != "POST":
        return f"{request.method} is not allowed; notifications are POSTed\n", 405
    with of_request(request.headers, project_of(os.environ)):
        try:
            return _received(request)
        except NotificationRejected as error:
            log("WARNING", "notification rejected", reason=str(error), status=error.status)
            return f"{error}\n", error.status
        except ConfsyncError as error:
            log_error("no task could be made for a notification", error)
        except Exception as error:  # noqa: BLE001  # whatever it is, Calendar has to send it again
            log_crash("receiving a notification broke off unexpectedly", error)
        return "try again\n", 503


def _received(request: Request) -> tuple[str, int]:
    keys, rules = _settings().channel_token_keys, _settings().rules()
    receipt = receive(request.headers, keys, _task_queue(), parts.utc_now(), rules=rules)
    log("INFO", "notification received", calendar_key=receipt.calendar_key, task=receipt.task)
    return "", 204
