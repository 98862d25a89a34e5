"""The public function: Calendar pushes notifications here. Headers in, one task out; no database, no body.

Where the vendor's add-on announces changes, it does so at `/addon`, with a body; see docs/ingress.md.
"""

import os
from functools import cache
from typing import TYPE_CHECKING

import functions_framework
from flask import Request

from confsync import parts
from confsync.adapters.known_names import KnownNames
from confsync.errors import ConfsyncError, NotificationRejected
from confsync.logs import log, log_crash, log_error, of_request
from confsync.ports import IdTokens, TaskQueue
from confsync.receive_notification import receive_notification as receive
from confsync.settings import ReceiveNotificationSettings, project_of

if TYPE_CHECKING:
    from confsync.core.addon import AddonTerms

Answer = tuple[str, int] | tuple[str, int, dict[str, str]]


@cache
def _settings() -> ReceiveNotificationSettings:
    return parts.read_settings(ReceiveNotificationSettings, os.environ)


@cache
def _task_queue() -> TaskQueue:
    return KnownNames(parts.task_queue(_settings()))


@cache
def _addon() -> "tuple[AddonTerms, IdTokens] | None":
    return parts.addon(_settings())


@functions_framework.http
def receive_notification(request: Request) -> Answer:
    """Answer 204, 4xx for what is no notification of ours, 503 when Calendar has to send it again."""
    if request.method != "POST":
        return f"{request.method} is not allowed; notifications are POSTed\n", 405
    with of_request(request.headers, project_of(os.environ)):
        try:
            return _received_from_addon(request) if request.path.rstrip("/") == "/addon" else _received(request)
        except NotificationRejected as error:
            log("WARNING", "notification rejected", reason=str(error), status=error.status)
            return f"{error}\n", error.status
        except ConfsyncError as error:
            log_error("no task could be made for a notification", error)
        except Exception as error:  # noqa: BLE001  # whatever it is, Calendar has to send it again
            log_crash("receiving a notification broke off unexpectedly", error)
        return "try again\n", 503


def _received(request: Request) -> Answer:
    keys, rules = _settings().channel_token_keys, _settings().rules()
    receipt = receive(request.headers, keys, _task_queue(), parts.utc_now(), rules=rules)
    log("INFO", "notification received", calendar_key=receipt.calendar_key, task=receipt.task)
    return "", 204


def _received_from_addon(request: Request) -> Answer:
    """Answer 200 with an empty JSON object: there is no card to render."""
    found = _addon()
    if found is None:
        raise NotificationRejected("no add-on announces changes here: ADDON_SERVICE_ACCOUNT is not set", 404)
    from confsync.core.addon import MAX_BODY, AddonEvent  # noqa: PLC0415
    from confsync.receive_addon_notification import receive_addon_notification  # noqa: PLC0415

    body = request.stream.read(MAX_BODY + 1)
    event = AddonEvent.from_request(request.headers.get("Authorization", ""), body)
    rules, now = _settings().rules(), parts.utc_now()
    receipt = receive_addon_notification(event, *found, _task_queue(), now, rules=rules)
    log("INFO", "notification received from the add-on", calendar_key=receipt.calendar_key, task=receipt.task)
    return "{}\n", 200, {"Content-Type": "application/json"}
