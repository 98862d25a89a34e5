"""The private function that Cloud Scheduler runs every minute: renews channels, starts whatever is overdue."""

import os
from functools import cache

import functions_framework
from flask import Request

from confsync import parts, worker_parts
from confsync.core.channels import PushTerms
from confsync.core.terms import Terms
from confsync.errors import ConfsyncError
from confsync.logs import log, log_crash, log_error, of_request
from confsync.ports import Outside
from confsync.renew_channels import renew_channels as renew
from confsync.settings import WorkerSettings, project_of


@cache
def _worker() -> tuple[Outside, Terms, PushTerms]:
    return worker_parts.worker(parts.read_settings(WorkerSettings, os.environ))


@functions_framework.http
def renew_channels(request: Request) -> tuple[str, int]:
    """Answer 200 when this run did what it may, 500 when it broke off; the next run goes on either way."""
    if request.method != "POST":
        return f"{request.method} is not allowed; the scheduler POSTs\n", 405
    with of_request(request.headers, project_of(os.environ)):
        try:
            outside, terms, push = _worker()
            outcome = renew(outside, push, terms)
        except ConfsyncError as error:
            log_error("renewal broke off; the next run goes on", error)
            return "try again\n", 500
        except Exception as error:  # noqa: BLE001  # whatever it is, the next run goes on
            log_crash("renewal broke off unexpectedly; the next run goes on", error)
            return "try again\n", 500
        log("ERROR" if outcome.alert else "INFO", "renewal run", renewal=outcome)
        return "", 200
