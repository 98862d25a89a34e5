"""Between the API's protocol buffers and our records.

It must never keep a protocol buffer: what comes in is copied and checked, what goes out is built anew.
Source: google/cloud/tasks/v2/{task,queue,target}.proto, as google-cloud-tasks ships them.
"""

from datetime import UTC, datetime
from typing import Any

from google.cloud.tasks_v2.types import HttpMethod, Queue, Task
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]  # no stubs are installed

from confsync.local.task_server.api_errors import invalid, not_served
from confsync.local.task_server.changes import QueueRecord
from confsync.local.task_server.limits import (
    DEFAULT_DISPATCH_DEADLINE_S,
    MAX_DISPATCH_DEADLINE_S,
    MAX_HEADER_BYTES,
    MAX_SCHEDULE_AHEAD,
    MAX_TASK_BYTES,
    MAX_URL_CHARS,
    RetryConfig,
    check_retry,
)
from confsync.local.task_server.names import task_name
from confsync.local.task_server.records import Attempt, Call, Identity, TaskRecord
from confsync.local.task_server.settings_wire import duration, retry_from, retry_message, seconds, settings_message

_WITH_BODY = {"POST", "PUT", "PATCH"}


def task_from(message: Any, task_id: str, *, now: datetime, min_deadline_s: float) -> TaskRecord:
    """Return the record of a task that is to be created now.

    Args:
        message: A Task; its name is not looked at beyond whether there is one.
        min_deadline_s: The shortest dispatch deadline to accept; Google's is 15.

    """
    if message.ByteSize() > MAX_TASK_BYTES:
        raise invalid(f"Task size too large: {message.ByteSize()} bytes, the limit is {MAX_TASK_BYTES}")
    return TaskRecord(
        task_id=task_id,
        call=_call_from(message),
        create_time=now,
        schedule_time=_schedule_time(message, now),
        dispatch_deadline_s=_deadline_s(message, min_deadline_s),
        named=bool(message.name),
        retry=_own_retry(message),
    )


def task_message(queue: str, task: TaskRecord, *, full: bool) -> Any:
    """Return the Task; only the full view carries the body."""
    message = Task.pb()(
        name=task_name(queue, task.task_id),
        http_request=_call_message(task.call, full=full),
        schedule_time=timestamp(task.schedule_time),
        create_time=timestamp(task.create_time.replace(microsecond=0)),
        dispatch_deadline=duration(task.dispatch_deadline_s),
        dispatch_count=task.dispatch_count,
        response_count=task.response_count,
        view=Task.View.FULL if full else Task.View.BASIC,
    )
    if task.retry is not None:
        message.retry_config.CopyFrom(retry_message(task.retry))
    if task.first_attempt is not None:
        message.first_attempt.dispatch_time.CopyFrom(timestamp(task.first_attempt.dispatch_time))
    if task.last_attempt is not None:
        _fill_attempt(message.last_attempt, task.last_attempt)
    return message


def queue_message(record: QueueRecord) -> Any:
    """Return the Queue."""
    message = settings_message(record.settings)
    message.name = record.name
    message.state = Queue.State.PAUSED if record.paused else Queue.State.RUNNING
    if record.purge_time is not None:
        message.purge_time.CopyFrom(timestamp(record.purge_time))
    return message


def timestamp(at: datetime) -> Timestamp:
    """Return the protocol buffer for a time in UTC."""
    message = Timestamp()
    message.FromDatetime(at)
    return message


def _call_from(message: Any) -> Call:
    if message.WhichOneof("message_type") != "http_request":
        raise not_served("App Engine tasks are not served here: use http_request")
    request = message.http_request
    method = HttpMethod(request.http_method or HttpMethod.POST).name
    _check_request(request, method)
    return Call(request.url, method, tuple(request.headers.items()), request.body, _identity_from(request))


def _check_request(request: Any, method: str) -> None:
    if not request.url.startswith(("http://", "https://")) or len(request.url) > MAX_URL_CHARS:
        raise invalid(
            f'HttpRequest.url "{request.url[:200]}" must begin with http:// or https:// '
            f"and have at most {MAX_URL_CHARS} characters"
        )
    if request.body and method not in _WITH_BODY:
        raise invalid(f"HttpRequest.body is not allowed with method {method}: only with POST, PUT and PATCH")
    if sum(len(key) + len(value) for key, value in request.headers.items()) >= MAX_HEADER_BYTES:
        raise invalid(f"HttpRequest.headers must be smaller than {MAX_HEADER_BYTES} bytes")


def _identity_from(request: Any) -> Identity | None:
    kind = request.WhichOneof("authorization_header")
    if kind == "oauth_token":
        raise not_served("oauth_token is not served here: use oidc_token")
    if kind is None:
        return None
    if not request.oidc_token.service_account_email:
        raise invalid("oidc_token.service_account_email is missing")
    return Identity(request.oidc_token.service_account_email, request.oidc_token.audience)


def _schedule_time(message: Any, now: datetime) -> datetime:
    if not message.HasField("schedule_time"):
        return now
    try:
        wanted: datetime = message.schedule_time.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise invalid(f"Task.schedule_time is no time: {error}") from error
    if wanted - now > MAX_SCHEDULE_AHEAD:
        raise invalid(f"Task.schedule_time {wanted.isoformat()} is more than {MAX_SCHEDULE_AHEAD.days} days ahead")
    return max(wanted, now)


def _deadline_s(message: Any, least_s: float) -> float:
    if not message.HasField("dispatch_deadline"):
        return DEFAULT_DISPATCH_DEADLINE_S
    wanted_s = seconds(message.dispatch_deadline)
    if not least_s <= wanted_s <= MAX_DISPATCH_DEADLINE_S:
        bounds = f"between {least_s:g} s and {MAX_DISPATCH_DEADLINE_S:g} s"
        raise invalid(f"Task.dispatch_deadline is {wanted_s:g} s: it must be {bounds}")
    return wanted_s


def _own_retry(message: Any) -> RetryConfig | None:
    return check_retry(retry_from(message.retry_config)) if message.HasField("retry_config") else None


def _call_message(call: Call, *, full: bool) -> dict[str, Any]:
    message: dict[str, Any] = {
        "url": call.url,
        "http_method": HttpMethod[call.method].value,  # type: ignore[misc]  # an enum, without types
        "headers": dict(call.headers),
    }
    if full:
        message["body"] = call.body
    if call.identity is not None:
        email, audience = call.identity.service_account_email, call.identity.audience
        message["oidc_token"] = {"service_account_email": email, "audience": audience}
    return message


def _fill_attempt(message: Any, attempt: Attempt) -> None:
    message.schedule_time.CopyFrom(timestamp(attempt.schedule_time))
    message.dispatch_time.CopyFrom(timestamp(attempt.dispatch_time))
    if attempt.response_time is not None:
        message.response_time.CopyFrom(timestamp(attempt.response_time))
        message.response_status.code = attempt.code
        message.response_status.message = attempt.message
