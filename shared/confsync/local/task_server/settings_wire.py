"""Between the API's Queue messages and a queue's settings.

It must never take a zero for a wish where the API cannot tell it from "not set": then the default holds.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from google.cloud.tasks_v2.types import Queue
from google.cloud.tasks_v2.types import RetryConfig as RetryMessage
from google.protobuf.duration_pb2 import Duration  # type: ignore[import-untyped]  # no stubs are installed
from google.protobuf.field_mask_pb2 import FieldMask  # type: ignore[import-untyped]  # no stubs are installed

from confsync.local.task_server.api_errors import invalid, not_served
from confsync.local.task_server.limits import QueueSettings, RateLimits, RetryConfig, check_settings

_OURS = ("rate_limits", "retry_config")
_IGNORED = {"name", "state", "purge_time", "stackdriver_logging_config", "rate_limits.max_burst_size"}
"""Output only, or without effect here."""


def settings_from(message: Any) -> QueueSettings:
    """Return the settings of a new queue; what is not set gets its default. Raises `ApiError` for a bad value."""
    _refuse_foreign(message)
    limits, usual = message.rate_limits, RateLimits()
    rate = RateLimits(
        max_dispatches_per_second=limits.max_dispatches_per_second or usual.max_dispatches_per_second,
        max_concurrent_dispatches=limits.max_concurrent_dispatches or usual.max_concurrent_dispatches,
    )
    return check_settings(QueueSettings(rate, retry_from(message.retry_config)))


def updated_settings(current: QueueSettings, message: Any, paths: Iterable[str]) -> QueueSettings:
    """Return the settings after an update of these fields (snake_case paths); no path means all fields."""
    wanted = [path for path in paths if path not in _IGNORED]
    _refuse_foreign(message)
    if not wanted:
        return settings_from(message)
    for path in wanted:
        if path.partition(".")[0] not in _OURS:
            raise invalid(f'update_mask path "{path}" is not served: use rate_limits or retry_config and their fields')
    merged = settings_message(current)
    try:
        FieldMask(paths=wanted).MergeMessage(message, merged, replace_message_field=True)
    except ValueError as error:
        raise invalid(f"update_mask {wanted} does not fit a queue: {error}") from error
    settings = settings_from(merged)
    if "retry_config" in wanted:
        return settings
    # Here a zero is a wish: it was named in the mask, or was there before.
    retry = replace(settings.retry, max_doublings=merged.retry_config.max_doublings)
    return check_settings(replace(settings, retry=retry))


def settings_message(settings: QueueSettings) -> Any:
    """Return a Queue without a name."""
    rate = settings.rate
    message = Queue.pb()()
    message.rate_limits.max_dispatches_per_second = rate.max_dispatches_per_second
    message.rate_limits.max_concurrent_dispatches = rate.max_concurrent_dispatches
    message.rate_limits.max_burst_size = rate.burst
    message.retry_config.CopyFrom(retry_message(settings.retry))
    return message


def retry_message(retry: RetryConfig) -> Any:
    """Return the RetryConfig message."""
    return RetryMessage.pb()(
        max_attempts=retry.max_attempts,
        max_retry_duration=duration(retry.max_retry_duration_s),
        min_backoff=duration(retry.min_backoff_s),
        max_backoff=duration(retry.max_backoff_s),
        max_doublings=retry.max_doublings,
    )


def retry_from(message: Any) -> RetryConfig:
    """Return the retry settings; what is not set gets its default."""
    usual = RetryConfig()
    return RetryConfig(
        max_attempts=message.max_attempts or usual.max_attempts,
        max_retry_duration_s=seconds(message.max_retry_duration),
        min_backoff_s=seconds(message.min_backoff) if message.HasField("min_backoff") else usual.min_backoff_s,
        max_backoff_s=seconds(message.max_backoff) if message.HasField("max_backoff") else usual.max_backoff_s,
        max_doublings=message.max_doublings or usual.max_doublings,
    )


def seconds(message: Duration) -> float:
    """Return a duration in seconds."""
    return float(message.seconds + message.nanos / 1e9)


def duration(value_s: float) -> Duration:
    """Return the duration of so many seconds, to the microsecond."""
    message = Duration()
    message.FromMicroseconds(round(value_s * 1_000_000))
    return message


def _refuse_foreign(message: Any) -> None:
    for field in ("http_target", "app_engine_routing_override"):
        if message.HasField(field):
            raise not_served(f"Queue.{field} is not served here: set it on each task, or leave it out")
