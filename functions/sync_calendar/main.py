"""The private worker: `POST /sync` and `POST /update` from Cloud Tasks, `POST /initialize` from the vendor's add-on."""

import os
from functools import cache

import functions_framework
from flask import Request

from confsync import parts, worker_parts
from confsync.core.channels import PushTerms
from confsync.core.tasks import is_last_attempt
from confsync.core.terms import Terms
from confsync.doors import DOORS, give_up
from confsync.errors import ConfsyncError, RequestMalformed
from confsync.logs import log, log_crash, log_error, of_request
from confsync.ports import Outside
from confsync.settings import WorkerSettings, project_of


@cache
def _settings() -> WorkerSettings:
    return parts.read_settings(WorkerSettings, os.environ)


@cache
def _worker() -> tuple[Outside, Terms, PushTerms]:
    return worker_parts.worker(_settings())


@functions_framework.http
def sync_calendar(request: Request) -> tuple[str, int]:
    """Answer 200 when the work is done or somebody else will do it, 4xx for a bad request, 500 to be tried again."""
    if request.method != "POST" or request.path not in DOORS:
        return f"nothing at {request.method} {request.path}; POST to one of {', '.join(DOORS)}\n", 404
    with of_request(request.headers, project_of(os.environ)):
        try:
            return _knock(request)
        except RequestMalformed as error:
            log("ERROR", f"{request.path}: bad request", reason=str(error))
            return f"bad request: {error}\n", 400
        except ConfsyncError as error:
            log_error(f"{request.path} broke off", error)
        except Exception as error:  # noqa: BLE001  # whatever it is, the work has to come again
            log_crash(f"{request.path} broke off unexpectedly", error)
        return "try again\n", 500


def _knock(request: Request) -> tuple[str, int]:
    worker = _worker()
    try:
        return DOORS[request.path](request.get_data(), *worker)
    except RequestMalformed:  # another attempt would bring the same
        raise
    except Exception as error:  # whatever it is: after the last attempt nobody would know of the work
        if is_last_attempt(request.headers, _settings().task_attempts):
            give_up(request.path, request.get_data(), error, worker[0])
        raise
