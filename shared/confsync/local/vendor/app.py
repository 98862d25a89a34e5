"""The routes of the sample vendor: the contract's endpoint, the vendor's own API, the page, and the knobs for tests.

It must never be bound to anything but 127.0.0.1: nothing but the contract's endpoint asks who is calling.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from html import escape
from importlib import resources
from typing import Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from confsync.local.vendor.back_end import BackEnd
from confsync.local.vendor.conferences import Conference, host_in
from confsync.local.vendor.contract import Desired, field_errors, problem
from confsync.local.vendor.faults import Fault
from confsync.local.vendor.hook import hook, join_address
from confsync.local.vendor.words import row

ENDPOINT = "/hooks/conference"
ROWS_ON_THE_PAGE = 500
CALLS_ON_THE_PAGE = 200
ALL = 2**31

Serve = Callable[[BackEnd, Request], Awaitable[Response]]


def create_app(back_end: BackEnd) -> Starlette:
    """Return the web application over a back end."""

    def route(path: str, serve: Serve, method: str = "GET") -> Route:
        return Route(path, partial(serve, back_end), methods=[method])

    routes = [
        route(ENDPOINT, hook, "POST"),
        route("/api/conferences", create_conference, "POST"),
        route("/join/{conference_id}", join),
        route("/", page),
        route("/_local/changes", changes),
        route("/_local/conferences", conferences),
        route("/_local/calls", calls),
        route("/_local/faults", faults),
        route("/_local/faults", add_fault, "POST"),
        route("/_local/faults", clear_faults, "DELETE"),
    ]
    # A page of another origin could reach this port under its own name.
    own_names = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    return Starlette(routes=routes, middleware=[own_names])


async def create_conference(back_end: BackEnd, request: Request) -> Response:
    """Create a conference for the vendor's add-on: `{title, ...}` -> 201 `{conference_id, join_url}`."""
    try:
        desired = Desired.model_validate_json(await request.body())
    except ValidationError as error:
        return _refuse(error)
    conference_id = back_end.new_id()
    host, now = host_in(desired), back_end.now()
    back_end.add(Conference(conference_id=conference_id, desired=desired, host=host, changed_at=now))
    return JSONResponse({"conference_id": conference_id, "join_url": join_address(request) + conference_id}, 201)


def _refuse(error: ValidationError) -> Response:
    answer = problem(422, "body-invalid", "some fields are missing or malformed", field_errors=field_errors(error))
    return JSONResponse(answer.body, answer.status, media_type=answer.media_type)


async def join(back_end: BackEnd, request: Request) -> Response:
    """Show whom the join address belongs to: 404 for an unknown conference, 410 for an ended one."""
    conference = back_end.storage.get(request.path_params["conference_id"])
    if conference is None:
        return HTMLResponse("<h1>There is no such conference</h1>", 404)
    title = escape(conference.desired.title or conference.conference_id)
    if conference.state == "ended":
        return HTMLResponse(f"<h1>{title}</h1><p>This conference has ended.</p>{_successors(conference)}", 410)
    return HTMLResponse(f"<h1>{title}</h1><p>Here the conference would start.</p>")


def _successors(conference: Conference) -> str:
    """Lead whoever kept an old link to what has taken the conference's place."""
    links = ", ".join(f'<a href="{escape(found)}">{escape(found)}</a>' for found in conference.replaced_by)
    return f"<p>In its place there is {links}.</p>" if links else ""


async def page(_back_end: BackEnd, _request: Request) -> Response:
    """Return the live page."""
    return HTMLResponse((resources.files(__package__) / "page.html").read_text(encoding="utf-8"))


async def changes(back_end: BackEnd, _request: Request) -> Response:
    """Stream what the page shows, as server-sent events: first all of it, then what changes."""
    return StreamingResponse(_changes(back_end), media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _changes(back_end: BackEnd) -> AsyncIterator[str]:
    revision = number = 0
    first = True
    while not back_end.closing.is_set():
        ring = back_end.next_ring()
        rows = [row(*found) for found in back_end.storage.changed_since(revision, ROWS_ON_THE_PAGE)]
        new_calls = back_end.storage.calls_after(number, CALLS_ON_THE_PAGE)
        if rows or new_calls or first:
            revision = rows[-1]["revision"] if rows else revision
            number = new_calls[-1]["number"] if new_calls else number
            yield f"data: {json.dumps({'first': first, 'conferences': rows, 'calls': new_calls})}\n\n"
        first = False
        await ring.wait()


async def conferences(back_end: BackEnd, _request: Request) -> Response:
    """Return everything that is stored, for comparison with the calendar."""
    found = back_end.storage.page("", ALL)
    return JSONResponse({"conferences": [conference.model_dump(mode="json") for conference in found]})


async def calls(back_end: BackEnd, request: Request) -> Response:
    """Return the log of calls, the oldest first; `?after=n` leaves out the first n."""
    after = request.query_params.get("after", "0")
    if not (after.isascii() and after.isdigit() and len(after) < len(str(2**62))):
        wrong = [{"field": "after", "reason": "expected the number of a call"}]
        answer = problem(422, "query-invalid", "cannot tell where to begin", field_errors=wrong)
        return JSONResponse(answer.body, answer.status, media_type=answer.media_type)
    return JSONResponse({"calls": back_end.storage.calls_after(int(after), ALL)})


async def faults(back_end: BackEnd, _request: Request) -> Response:
    """Return the faults that are set."""
    found: list[dict[str, Any]] = [fault.model_dump(mode="json") for fault in back_end.faults.all()]
    return JSONResponse({"faults": found})


async def add_fault(back_end: BackEnd, request: Request) -> Response:
    """Set one more fault; the body is a `Fault`."""
    try:
        back_end.faults.add(Fault.model_validate_json(await request.body()))
    except ValidationError as error:
        return _refuse(error)
    return await faults(back_end, request)


async def clear_faults(back_end: BackEnd, request: Request) -> Response:
    """Behave from now on."""
    back_end.faults.clear()
    return await faults(back_end, request)
