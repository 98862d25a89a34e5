"""The doors of the private worker: the body of a request in, an answer and lines of the log out.

    POST /sync        from Cloud Tasks: sync one calendar
    POST /update      from Cloud Tasks: update one conference
    POST /initialize  from the vendor's add-on: begin to sync a calendar

A door says what became of the work, and how loudly. It must never do any of it, and never catch an error of it: the
function turns that into a status that brings the request back, until `give_up` leaves the work to the scheduled run.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from confsync.core.channels import PushTerms
from confsync.core.terms import Terms
from confsync.errors import ConfsyncError, RequestMalformed
from confsync.give_up import give_up_sync, give_up_update
from confsync.initialize_syncing import InitializeRequest, initialize_syncing
from confsync.logs import log
from confsync.ports import Outside
from confsync.sync_calendar import SyncRequest, sync_calendar
from confsync.update_conference import UpdateOutcome, update_conference

Answer = tuple[str, int]
"""Body and HTTP status."""

Door = Callable[[bytes, Outside, Terms, PushTerms], Answer]
"""Raises RequestMalformed for a body that is no request, another ConfsyncError when it is to come again."""

R = TypeVar("R")

OURS = "Value error, "
"""What pydantic writes before a complaint of our own."""


@dataclass(frozen=True)
class UpdateRequest:
    """What an update task says."""

    conference_key: str


_FORMS: Mapping[type[object], TypeAdapter[Any]] = {
    form: TypeAdapter(form) for form in (SyncRequest, UpdateRequest, InitializeRequest)
}
"""What reads a body; made once, since that takes a millisecond each."""


def read_request(form: type[R], body: bytes) -> R:
    """Return the request in a JSON body.

    Raises:
        RequestMalformed: names each wrong field and what is expected, never what it holds.

    """
    try:
        request: R = _FORMS[form].validate_json(body)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        complaints = (f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg'].removeprefix(OURS)}" for e in found)
        raise RequestMalformed("; ".join(complaints)) from None
    return request


def _sync(body: bytes, outside: Outside, terms: Terms, _: PushTerms) -> Answer:
    request = read_request(SyncRequest, body)
    outcome = sync_calendar(request, outside, terms)
    is_alert = outcome.alert or any(update.status == "alert" for update in outcome.updates)
    log("ERROR" if is_alert else "INFO", f"sync {outcome.status}", calendar_key=request.calendar_key, sync=outcome)
    _call_for_operator(outcome.updates)
    return "", 200


def _update(body: bytes, outside: Outside, terms: Terms, _: PushTerms) -> Answer:
    outcome = update_conference(read_request(UpdateRequest, body).conference_key, outside, terms)
    log("ERROR" if outcome.status == "alert" else "INFO", f"conference {outcome.status}", update=outcome)
    _call_for_operator([outcome])
    return "", 200


def _initialize(body: bytes, outside: Outside, terms: Terms, push: PushTerms) -> Answer:
    outcome = initialize_syncing(read_request(InitializeRequest, body), outside, terms, push)
    log("INFO" if outcome.is_complete else "WARNING", f"initialize: sync {outcome.sync.status}", initialize=outcome)
    _call_for_operator(outcome.sync.updates)
    return outcome.to_json(), 403 if outcome.is_frozen else 200


def _call_for_operator(updates: Iterable[UpdateOutcome]) -> None:
    """Write a line that pages somebody where a brake holds ends, once per scope and hour."""
    for held in (update.held for update in updates if update.held is not None and update.held.alert):
        why = held.hold.model_dump(mode="json")
        log("CRITICAL", "ends are held for an operator: confsync ends list", reason=held.reason, **why)


def give_up(path: str, body: bytes, error: Exception, outside: Outside) -> None:
    """Leave to the scheduled run what a task did not do in its last attempt; the add-on sees its answer itself.

    Args:
        error: what broke it; of one that is not ours only the name is kept, since its text may hold anything.

    Raises:
        RequestMalformed: the body is no request.
        StoreUnavailable: the store could not be told.

    """
    if path not in _GIVEN_UP:
        return
    form, names, leave = _GIVEN_UP[path]
    key = getattr(read_request(form, body), names)
    name = type(error).__name__
    reason = f"{name}: {error}" if isinstance(error, ConfsyncError) else name
    if leave(key, reason, outside):
        fields: dict[str, Any] = {names: key, "reason": reason}
        log("ERROR", f"{path}: last attempt failed; the scheduled run goes on", **fields)


GiveUp = Callable[[str, str, Outside], bool]
"""Key and reason in; whether there was anything to leave."""

_GIVEN_UP: Mapping[str, tuple[type[SyncRequest | UpdateRequest], str, GiveUp]] = {
    "/sync": (SyncRequest, "calendar_key", give_up_sync),
    "/update": (UpdateRequest, "conference_key", give_up_update),
}
"""By path: the form of a task's body, which field of it names the work, and who leaves that in the store."""

DOORS: Mapping[str, Door] = {"/sync": _sync, "/update": _update, "/initialize": _initialize}
"""By path."""
