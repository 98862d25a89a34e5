"""The doors of the private worker: the body of a request in, an answer and lines of the log out.

    POST /sync        from Cloud Tasks: sync one calendar
    POST /update      from Cloud Tasks: update one conference
    POST /initialize  from the vendor's add-on: begin to sync a calendar

A door says what became of the work, and how loudly. It must never do any of it, and never catch an error: the function
turns that into a status that brings the request back.
"""

import json
from collections.abc import Callable, Iterable, Mapping

from confsync.core.channels import PushTerms
from confsync.core.terms import Terms
from confsync.initialize_syncing import InitializeRequest, initialize_syncing
from confsync.logs import log
from confsync.ports import Outside
from confsync.sync_calendar import SyncRequest, sync_calendar
from confsync.update_conference import UpdateOutcome, update_conference

Answer = tuple[str, int]
"""Body and HTTP status."""

Door = Callable[[bytes, Outside, Terms, PushTerms], Answer]
"""Raises KeyError, TypeError or ValueError for a body that is no request, ConfsyncError when it is to come again."""


def _sync(body: bytes, outside: Outside, terms: Terms, _: PushTerms) -> Answer:
    request = SyncRequest.from_body(json.loads(body))
    outcome = sync_calendar(request, outside, terms)
    log("ERROR" if outcome.alert else "INFO", f"sync {outcome.status}", calendar_key=request.calendar_key, sync=outcome)
    _call_for_operator(outcome.updates)
    return "", 200


def _update(body: bytes, outside: Outside, terms: Terms, _: PushTerms) -> Answer:
    outcome = update_conference(str(json.loads(body)["conference_key"]), outside, terms)
    log("ERROR" if outcome.status == "alert" else "INFO", f"conference {outcome.status}", update=outcome)
    _call_for_operator([outcome])
    return "", 200


def _initialize(body: bytes, outside: Outside, terms: Terms, push: PushTerms) -> Answer:
    outcome = initialize_syncing(InitializeRequest.from_json(body), outside, terms, push)
    log("INFO" if outcome.is_complete else "WARNING", f"initialize: sync {outcome.sync.status}", initialize=outcome)
    _call_for_operator(outcome.sync.updates)
    return outcome.to_json(), 403 if outcome.is_frozen else 200


def _call_for_operator(updates: Iterable[UpdateOutcome]) -> None:
    """Write a line that pages somebody where a brake holds ends, once per scope and hour."""
    for held in (update.held for update in updates if update.held is not None and update.held.alert):
        why = held.hold.model_dump(mode="json")
        log("CRITICAL", "ends are held for an operator: confsync ends list", reason=held.reason, **why)


DOORS: Mapping[str, Door] = {"/sync": _sync, "/update": _update, "/initialize": _initialize}
"""By path."""
