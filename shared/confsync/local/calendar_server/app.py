"""The Calendar API v3 over HTTP, as google-api-python-client calls it. The rules are not here but in `model.py`.

The bearer token is the caller's e-mail address.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .control import control_routes
from .errors import ApiError, Json, bad_credentials
from .faults import AnswerFault, error_for
from .fields import check_fields, select
from .model import CalendarModel
from .override import MethodOverride
from .service import CalendarService

_REPEATED = frozenset({"eventTypes", "privateExtendedProperty", "sharedExtendedProperty"})
_STANDARD = frozenset({"alt", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "userIp"})
_SYNC_MESSAGE_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request, taken apart."""

    user: str
    calendar_id: str
    event_id: str
    params: dict[str, str | list[str]]
    body: Json
    if_match: str | None


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API: where it is and which call of the model answers it."""

    name: str
    verb: str
    path: str
    schema: str | None
    """Of the answer, in the discovery document; None for an empty answer."""
    run: Callable[[CalendarModel, Call], Json | None]


_EVENTS = "/calendars/{calendar_id}/events"
_EVENT = _EVENTS + "/{event_id}"
_LIST = "/users/me/calendarList"

METHODS = (
    Method("events.list", "GET", _EVENTS, "Events", lambda m, c: m.list_events(c.user, c.calendar_id, c.params)),
    Method("events.insert", "POST", _EVENTS, "Event", lambda m, c: m.insert(c.user, c.calendar_id, c.body, c.params)),
    Method("events.import", "POST", _EVENTS + "/import", "Event",
           lambda m, c: m.import_(c.user, c.calendar_id, c.body, c.params)),
    Method("events.watch", "POST", _EVENTS + "/watch", "Channel",
           lambda m, c: m.watch(c.user, c.calendar_id, c.body, c.params)),
    Method("events.get", "GET", _EVENT, "Event", lambda m, c: m.get(c.user, c.calendar_id, c.event_id, c.params)),
    Method("events.update", "PUT", _EVENT, "Event",
           lambda m, c: m.update(c.user, c.calendar_id, c.event_id, c.body, c.params, if_match=c.if_match)),
    Method("events.patch", "PATCH", _EVENT, "Event",
           lambda m, c: m.patch(c.user, c.calendar_id, c.event_id, c.body, c.params, if_match=c.if_match)),
    Method("events.delete", "DELETE", _EVENT, None,
           lambda m, c: m.delete(c.user, c.calendar_id, c.event_id, c.params, if_match=c.if_match)),
    Method("events.move", "POST", _EVENT + "/move", "Event",
           lambda m, c: m.move(c.user, c.calendar_id, c.event_id, c.params)),
    Method("events.instances", "GET", _EVENT + "/instances", "Events",
           lambda m, c: m.instances(c.user, c.calendar_id, c.event_id, c.params)),
    Method("channels.stop", "POST", "/channels/stop", None, lambda m, c: m.stop(c.user, c.body)),
    Method("calendarList.list", "GET", _LIST, "CalendarList", lambda m, c: m.calendar_list(c.user, c.params)),
    Method("calendarList.get", "GET", _LIST + "/{calendar_id}", "CalendarListEntry",
           lambda m, c: m.calendar_list_get(c.user, c.calendar_id)),
    Method("calendars.get", "GET", "/calendars/{calendar_id}", "Calendar",
           lambda m, c: m.calendar_get(c.user, c.calendar_id)),
    Method("calendars.insert", "POST", "/calendars", "Calendar", lambda m, c: m.calendar_insert(c.user, c.body)),
    Method("calendars.delete", "DELETE", "/calendars/{calendar_id}", None,
           lambda m, c: m.calendar_delete(c.user, c.calendar_id)),
    Method("calendars.clear", "POST", "/calendars/{calendar_id}/clear", None,
           lambda m, c: m.calendar_clear(c.user, c.calendar_id)),
)  # fmt: skip


def create_app(service: CalendarService) -> MethodOverride:
    """Build the ASGI application over a service; its lifespan starts and stops the service."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        service.start()
        yield
        await service.stop()

    routes = [
        Route(f"/calendar/v3{method.path}", _endpoint(service, method), methods=[method.verb]) for method in METHODS
    ]
    errors: dict[Any, Any] = {HTTPException: _unknown_path, ApiError: _api_error}
    return MethodOverride(
        Starlette(routes=routes + control_routes(service), lifespan=lifespan, exception_handlers=errors)
    )


def _endpoint(service: CalendarService, method: Method) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        started = time.perf_counter()
        try:
            response = await _answer(service, method, request)
        except ApiError as error:
            response = error_response(error)
        service.requests.add(method.name, response.status_code, started, request.query_params.get("quotaUser"))
        return response

    return endpoint


async def _answer(service: CalendarService, method: Method, request: Request) -> Response:
    call = await _read(service, request)
    fields = request.query_params.get("fields")
    if method.schema:
        check_fields(fields, method.schema)
    fault = service.faults.answer_fault(method.name)
    if fault is not None:
        await _fail_before(fault)
    answer = service.run(lambda model: method.run(model, call))
    background = await _greet(service, answer) if method.name == "events.watch" and answer else None
    if fault is not None and (error := error_for(fault.fault)) is not None:
        raise error
    if answer is None or method.schema is None:
        return Response(status_code=204)
    pretty = request.query_params.get("prettyPrint") == "true"
    content = _json(select(answer, fields, method.schema), pretty=pretty)
    if fault is not None and fault.fault == "cutOff":
        return CutOffResponse(content, media_type=_JSON_TYPE)
    headers = {"ETag": answer["etag"]} if "etag" in answer else None
    return Response(content, headers=headers, media_type=_JSON_TYPE, background=background)


_JSON_TYPE = "application/json; charset=UTF-8"


def _json(answer: Json, *, pretty: bool = False) -> bytes:
    indent, separators = (1, None) if pretty else (None, (",", ":"))
    return json.dumps(answer, ensure_ascii=False, indent=indent, separators=separators).encode()


async def _read(service: CalendarService, request: Request) -> Call:
    scheme, _, user = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not user:
        raise bad_credentials()
    service.model.check_user(user.lower())
    params: dict[str, str | list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name in _REPEATED:
            params[name] = [*params.get(name, []), value]
        elif name not in _STANDARD:
            params[name] = value
    path = request.path_params
    return Call(
        user=user.lower(),
        calendar_id=path.get("calendar_id", ""),
        event_id=path.get("event_id", ""),
        params=params,
        body=await read_body(request),
        if_match=request.headers.get("if-match"),
    )


async def read_body(request: Request) -> Json:
    """Return the JSON object that a request carries; nothing counts as an empty one.

    Raises:
        ApiError: 400 for anything but an object.
    """
    content = await request.body()
    if not content:
        return {}
    try:
        body = json.loads(content)
    except ValueError:
        raise ApiError(400, "parseError", "Parse Error") from None
    if not isinstance(body, dict):
        raise ApiError(400, "parseError", "Parse Error: the body is not an object")
    return body


async def _fail_before(fault: AnswerFault) -> None:
    if fault.delay_ms:
        await asyncio.sleep(fault.delay_ms / 1000)
    error = error_for(fault.fault)
    if error is not None and fault.when == "before":
        raise error


async def _greet(service: CalendarService, answer: Json) -> BackgroundTask | None:
    """Send the sync message of a new channel: before the answer, after it (as the returned task), or never."""
    channel = service.model.state.channels[answer["id"]]
    when = service.faults.pushes.sync
    if when == "lost":
        service.pushes.counts.add(channel.id, "lost")
    if when == "before":
        await asyncio.wait([service.pushes.start_sync_message(channel)], timeout=_SYNC_MESSAGE_WAIT_S)
    if when == "after":
        return BackgroundTask(service.pushes.greet, channel)
    return None


def error_response(error: ApiError) -> Response:
    """Return Google's form of an error."""
    return Response(_json(error.to_json()), error.status, media_type=_JSON_TYPE)


async def _api_error(_: Request, error: Exception) -> Response:
    return error_response(error) if isinstance(error, ApiError) else Response(status_code=500)


async def _unknown_path(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return error_response(ApiError(status, "notFound", f"{request.method} {request.url.path} is unknown here"))


class CutOffResponse(Response):
    """An answer whose connection breaks in the middle of the body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and half of the body, and return without the rest: the server then closes the connection."""
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
