"""The private function that Cloud Scheduler runs every minute: renews channels, starts whatever is overdue."""

import os
from functools import cache

import functions_framework
from flask import Request

from confsync import parts
from confsync.errors import ConfsyncError
from confsync.logs import log, log_error
from confsync.ports import Outside
from confsync.renew_channels import renew_channels as renew
from confsync.settings import WorkerSettings


@cache
def _composed() -> tuple[WorkerSettings, Outside]:
    settings = WorkerSettings.from_mapping(os.environ)
    return settings, parts.outside(settings)


@functions_framework.http
def renew_channels(request: Request) -> tuple[str, int]:
    """Answer 200 when this run did what it may, 500 when it broke off; the next run goes on either way."""
    if request.method != "POST":
        return f"{request.method} is not allowed; the scheduler POSTs\n", 405
    try:
        settings, outside = _composed()
        outcome = renew(outside, settings.push_terms(), settings.rules())
    except ConfsyncError as error:
        log_error("renewal broke off; the next run goes on", error)
        return "try again\n", 500
    alert = any(channel.alert for _, channel in outcome.channels)
    log("ERROR" if alert else "INFO", "renewal run", renewal=outcome)
    return "", 200
