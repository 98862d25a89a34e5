"""The private worker: `POST /sync` and `POST /update` from Cloud Tasks, `POST /initialize` from the vendor's add-on."""

import json
import os
from collections.abc import Iterable
from functools import cache

import functions_framework
from flask import Request

from confsync import parts
from confsync.core.terms import Terms
from confsync.errors import ConfsyncError
from confsync.initialize_syncing import InitializeRequest, initialize_syncing
from confsync.logs import log, log_error
from confsync.ports import Outside
from confsync.settings import WorkerSettings
from confsync.sync_calendar import SyncRequest
from confsync.sync_calendar import sync_calendar as sync
from confsync.update_conference import UpdateOutcome, update_conference


@cache
def _composed() -> tuple[WorkerSettings, Outside, Terms]:
    settings = WorkerSettings.from_mapping(os.environ)
    outside = parts.outside(settings)
    return settings, outside, parts.terms(settings, outside.providers)


@functions_framework.http
def sync_calendar(request: Request) -> tuple[str, int]:
    """Answer 200 when the work is done or somebody else will do it, 4xx for a bad request, 500 to be tried again."""
    doors = {"/sync": _sync, "/update": _update, "/initialize": _initialize}
    if request.method != "POST" or request.path not in doors:
        return f"nothing at {request.method} {request.path}; POST to one of {', '.join(doors)}\n", 404
    try:
        return doors[request.path](request.get_data())
    except (KeyError, TypeError, ValueError) as error:
        log("ERROR", f"{request.path}: bad request", reason=str(error))
        return f"bad request: {error}\n", 400
    except ConfsyncError as error:
        log_error(f"{request.path} broke off", error)
        return "try again\n", 500


def _sync(body: bytes) -> tuple[str, int]:
    request, (_, outside, terms) = SyncRequest.from_body(json.loads(body)), _composed()
    outcome = sync(request, outside, terms)
    log("ERROR" if outcome.alert else "INFO", f"sync {outcome.status}", calendar_key=request.calendar_key, sync=outcome)
    _log_alerts(outcome.updates)
    return "", 200


def _update(body: bytes) -> tuple[str, int]:
    conference_key, (_, outside, terms) = str(json.loads(body)["conference_key"]), _composed()
    outcome = update_conference(conference_key, outside, terms)
    log("ERROR" if outcome.status == "alert" else "INFO", f"conference {outcome.status}", update=outcome)
    _log_alerts([outcome])
    return "", 200


def _log_alerts(updates: Iterable[UpdateOutcome]) -> None:
    """Call for an operator, once per scope and hour, where a brake holds ends."""
    for held in (update.held for update in updates if update.held is not None and update.held.alert):
        why = held.hold.model_dump(mode="json")
        log("CRITICAL", "ends are held for an operator: confsync ends list", reason=held.reason, **why)


def _initialize(body: bytes) -> tuple[str, int]:
    request, (settings, outside, terms) = InitializeRequest.from_json(body), _composed()
    outcome = initialize_syncing(request, outside, terms, settings.push_terms())
    log("INFO" if outcome.is_complete else "WARNING", f"initialize: sync {outcome.sync.status}", initialize=outcome)
    _log_alerts(outcome.sync.updates)
    return outcome.to_json(), 403 if "frozen" in (outcome.channel.status, outcome.sync.status) else 200
