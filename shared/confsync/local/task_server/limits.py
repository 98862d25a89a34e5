"""A queue's settings: rates and retries, their defaults and bounds.

Pure. It must never round or clamp silently: a value out of bounds is refused, naming field, value and bounds.
Sources: https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues and
https://cloud.google.com/tasks/docs/quotas
"""

import math
from dataclasses import dataclass, field
from datetime import timedelta

from confsync.local.task_server.api_errors import invalid

MAX_RATE_PER_S = 500.0
MAX_CONCURRENT = 5000
MAX_TASK_BYTES = 1024 * 1024
MAX_URL_CHARS = 2083
MAX_HEADER_BYTES = 80 * 1024
MAX_SCHEDULE_AHEAD = timedelta(days=30)
RETENTION = timedelta(days=31)
DEFAULT_DISPATCH_DEADLINE_S = 600.0
MAX_DISPATCH_DEADLINE_S = 1800.0
LONGEST_RETRY_AFTER_S = 3600.0
"""A worker that asks for more is answered with this: one header may not park a queue for ever."""


@dataclass(frozen=True)
class RateLimits:
    """How fast a queue may dispatch."""

    max_dispatches_per_second: float = 500.0
    max_concurrent_dispatches: int = 1000
    max_burst_size: int | None = None
    """None: chosen from the rate, as the service does (output only in the API)."""

    @property
    def burst(self) -> int:
        """How many tasks may leave at once after a rest: 100 at the default rate, never below 10."""
        return self.max_burst_size or max(10, math.ceil(self.max_dispatches_per_second / 5))


@dataclass(frozen=True)
class RetryConfig:
    """When a failed task is tried again, and when it is given up."""

    max_attempts: int = 100
    """-1: no limit."""
    max_retry_duration_s: float = 0.0
    """Since the first attempt; 0: no limit."""
    min_backoff_s: float = 0.1
    max_backoff_s: float = 3600.0
    max_doublings: int = 16


@dataclass(frozen=True)
class QueueSettings:
    """Everything about a queue that an operator chooses."""

    rate: RateLimits = field(default_factory=RateLimits)
    retry: RetryConfig = field(default_factory=RetryConfig)


def check_settings(settings: QueueSettings) -> QueueSettings:
    """Return the settings. Raises `ApiError` for the first that is out of bounds."""
    rate = settings.rate
    _check("max_dispatches_per_second", rate.max_dispatches_per_second, above=0, most=MAX_RATE_PER_S)
    _check("max_concurrent_dispatches", rate.max_concurrent_dispatches, above=0, most=MAX_CONCURRENT)
    if rate.max_burst_size is not None:
        _check("max_burst_size", rate.max_burst_size, above=0, most=MAX_RATE_PER_S)
    check_retry(settings.retry)
    return settings


def check_retry(retry: RetryConfig) -> RetryConfig:
    """Return the retry settings. Raises `ApiError` for the first that is out of bounds."""
    if retry.max_attempts == 0 or retry.max_attempts < -1:
        raise invalid(f"max_attempts is {retry.max_attempts}: it must be at least 1, or -1 for no limit")
    if not 0 <= retry.min_backoff_s <= retry.max_backoff_s:
        raise invalid(
            f"min_backoff is {retry.min_backoff_s} s and max_backoff {retry.max_backoff_s} s: "
            "they must be 0 or more, and the first not above the second"
        )
    if retry.max_doublings < 0 or retry.max_retry_duration_s < 0:
        raise invalid("max_doublings and max_retry_duration must be 0 or more")
    return retry


def _check(name: str, value: float, *, above: float, most: float) -> None:
    if not above < value <= most:
        raise invalid(f"{name} is {value}: it must be above {above:g} and at most {most:g}")
