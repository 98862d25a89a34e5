"""What the server can be told on the command line.

It must never start with a value that it did not understand.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from confsync.local.task_server.api_errors import ApiError
from confsync.local.task_server.limits import QueueSettings, RateLimits, RetryConfig, check_settings
from confsync.local.task_server.names import check_queue
from confsync.local.task_server.scheduler import Job

_RATE = {
    "maxDispatchesPerSecond": ("max_dispatches_per_second", float),
    "maxConcurrentDispatches": ("max_concurrent_dispatches", int),
    "maxBurstSize": ("max_burst_size", int),
}
_RETRY = {
    "maxAttempts": ("max_attempts", int),
    "maxRetryDuration": ("max_retry_duration_s", float),
    "minBackoff": ("min_backoff_s", float),
    "maxBackoff": ("max_backoff_s", float),
    "maxDoublings": ("max_doublings", int),
}
_KNOWN = ", ".join([*_RATE, *_RETRY])


@dataclass(frozen=True)
class Options:
    """How a server is set up."""

    port: int = 0
    """0: any free one."""
    grpc_port: int | None = None
    """None: no gRPC; 0: any free one."""
    data: Path | None = None
    """None: memory only."""
    queues: tuple[tuple[str, QueueSettings], ...] = ()
    jobs: tuple[Job, ...] = ()
    name_ttl_s: float = 24 * 3600.0
    """How long a used task name stays blocked."""
    queue_name_ttl_s: float = 7 * 24 * 3600.0
    """How long the name of a deleted queue stays blocked."""
    min_dispatch_deadline_s: float = 15.0
    job_service_account: str = field(default="scheduler@local.iam.gserviceaccount.com")


def parse_options(arguments: list[str]) -> Options:
    """Return the options. Exits with status 2 and one clear line for a value that it does not understand."""
    given = _parser().parse_args(arguments)
    return Options(
        port=given.port,
        grpc_port=given.grpc_port,
        data=given.data,
        queues=tuple(given.queue),
        jobs=tuple(given.job),
        name_ttl_s=given.name_ttl,
        queue_name_ttl_s=given.queue_name_ttl,
        min_dispatch_deadline_s=given.min_dispatch_deadline,
        job_service_account=given.job_service_account,
    )


def parse_queue(text: str) -> tuple[str, QueueSettings]:
    """Return name and settings of `NAME?key=value&...`; durations are seconds, an `s` may follow.

    Raises:
        argparse.ArgumentTypeError: the name, a key or a value is wrong.

    """
    name, _, query = text.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        rate = RateLimits(**_picked(_RATE, pairs))
        retry = RetryConfig(**_picked(_RETRY, pairs))
        _refuse_unknown(pairs)
        return check_queue(name), check_settings(QueueSettings(rate, retry))
    except (ApiError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


def parse_job(text: str) -> Job:
    """Return the job of `NAME=URL@SECONDS`. Raises `argparse.ArgumentTypeError`."""
    name, _, rest = text.partition("=")
    url, _, seconds = rest.rpartition("@")
    try:
        job = Job(name, url, float(seconds))
    except ValueError:
        job = None
    if job is None or not name or not url.startswith(("http://", "https://")) or not job.interval_s > 0:
        raise argparse.ArgumentTypeError(f"{text!r} must be NAME=URL@SECONDS, as renew=http://127.0.0.1:8080/@60")
    return job


def _picked(known: dict[str, tuple[str, type]], pairs: list[tuple[str, str]]) -> dict[str, Any]:
    return {known[key][0]: known[key][1](value.removesuffix("s")) for key, value in pairs if key in known}


def _refuse_unknown(pairs: list[tuple[str, str]]) -> None:
    unknown = [key for key, _ in pairs if key not in _RATE and key not in _RETRY]
    if unknown:
        raise ValueError(f"unknown setting {unknown[0]!r}; known are {_KNOWN}")


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: use a number from 0 (any free one) to 65535")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m confsync.local.task_server",
        description="Cloud Tasks on this machine: API v2 over REST and gRPC, and a small Cloud Scheduler. "
        "Binds 127.0.0.1 only. Prints `ready http://127.0.0.1:PORT` when it serves.",
    )
    add = parser.add_argument
    add("--port", type=_port, default=0, help="port of the REST API; 0 (default): any free one")
    add("--grpc-port", type=_port, default=None, help="port of the gRPC API; 0: any free one; default: no gRPC")
    add(
        "--data",
        type=Path,
        default=None,
        metavar="FILE",
        help="SQLite file that keeps queues and tasks; default: memory",
    )
    add(
        "--queue",
        type=parse_queue,
        action="append",
        default=[],
        metavar="NAME[?KEY=VALUE&...]",
        help=f"create this queue, or bring it to these settings (repeatable); keys: {_KNOWN}; durations in seconds",
    )
    add(
        "--job",
        type=parse_job,
        action="append",
        default=[],
        metavar="NAME=URL@SECONDS",
        help="post to the URL every so many seconds (repeatable)",
    )
    add(
        "--job-service-account",
        default=Options.job_service_account,
        help="whose OIDC token the jobs carry (%(default)s)",
    )
    add(
        "--name-ttl",
        type=float,
        default=Options.name_ttl_s,
        metavar="SECONDS",
        help="a used task name stays blocked for (%(default)g)",
    )
    add(
        "--queue-name-ttl",
        type=float,
        default=Options.queue_name_ttl_s,
        metavar="SECONDS",
        help="the name of a deleted queue stays blocked for (%(default)g)",
    )
    add(
        "--min-dispatch-deadline",
        type=float,
        default=Options.min_dispatch_deadline_s,
        metavar="SECONDS",
        help="shortest dispatch deadline to accept; Google's is %(default)g",
    )
    return parser
