"""The private function that Cloud Scheduler runs every minute: renews channels, starts whatever is overdue."""

import os
from functools import cache

import functions_framework
from flask import Request

from confsync import parts
from confsync.core.channels import PushTerms
from confsync.core.terms import Terms
from confsync.errors import ConfsyncError
from confsync.logs import log, log_error
from confsync.ports import Outside
from confsync.renew_channels import renew_channels as renew
from confsync.settings import WorkerSettings


@cache
def _worker() -> tuple[Outside, Terms, PushTerms]:
    return parts.worker(WorkerSettings.from_mapping(os.environ))


@functions_framework.http
def renew_channels(request: Request) -> tuple[str, int]:
    """Answer 200 when this run did what it may, 500 when it broke off; the next run goes on either way."""
    if request.method != "POST":
        return f"{request.method} is not allowed; the scheduler POSTs\n", 405
    try:
        outside, terms, push = _worker()
        outcome = renew(outside, push, terms.rules)
    except ConfsyncError as error:
        log_error("renewal broke off; the next run goes on", error)
        return "try again\n", 500
    log("ERROR" if outcome.alert else "INFO", "renewal run", renewal=outcome)
    return "", 200
