"""The REST door: paths, JSON and Google's error form.

It must never decide anything about tasks; it only transcodes.
Source: the google.api.http rules in google/cloud/tasks/v2/cloudtasks.proto, https://cloud.google.com/apis/design/errors
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.cloud.tasks_v2.types import cloudtasks
from google.protobuf import json_format  # type: ignore[import-untyped]  # no stubs are installed
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from confsync.local.task_server.api import Api
from confsync.local.task_server.api_errors import HTTP_STATUS, ApiError, invalid, not_served

MAX_REQUEST_BYTES = 4 * 1024 * 1024
_LOCATION = "projects/{project}/locations/{location}"
_QUEUE = _LOCATION + "/queues/{queue}"
_TASK = _QUEUE + "/tasks/{task}"


@dataclass(frozen=True)
class Rule:
    """How one method is reached over HTTP."""

    verb: str
    template: str
    method: str
    """Name of the API method; its request type is this name in camel case + `Request`."""
    path_field: str
    """The request field that takes the resource name in the path."""
    body_field: str = ""
    """The request field that takes the body; `*`: the whole request; empty: there is no body."""
    suffix: str = ""
    """What follows the resource name in the path."""


RULES = (
    Rule("POST", _TASK, "run_task", "name", "*", ":run"),
    Rule("POST", _QUEUE, "create_task", "parent", "*", "/tasks"),
    Rule("GET", _QUEUE, "list_tasks", "parent", "", "/tasks"),
    Rule("GET", _TASK, "get_task", "name"),
    Rule("DELETE", _TASK, "delete_task", "name"),
    Rule("POST", _QUEUE, "pause_queue", "name", "*", ":pause"),
    Rule("POST", _QUEUE, "resume_queue", "name", "*", ":resume"),
    Rule("POST", _QUEUE, "purge_queue", "name", "*", ":purge"),
    Rule("POST", _LOCATION, "create_queue", "parent", "queue", "/queues"),
    Rule("GET", _LOCATION, "list_queues", "parent", "", "/queues"),
    Rule("GET", _QUEUE, "get_queue", "name"),
    Rule("DELETE", _QUEUE, "delete_queue", "name"),
    Rule("PATCH", _QUEUE, "update_queue", "queue.name", "queue"),
)


def request_type(method: str) -> Any:
    """Return the protocol buffer class of a method's request."""
    camel = "".join(word.capitalize() for word in method.split("_"))
    return getattr(cloudtasks, f"{camel}Request").pb()


def routes(api: Api) -> list[Route]:
    """Return one route per rule, and one that says what is not served."""
    served = [Route(f"/v2/{rule.template}{rule.suffix}", _endpoint(api, rule), methods=[rule.verb]) for rule in RULES]
    return [*served, Route("/v2/{rest:path}", _unknown, methods=["GET", "POST", "PATCH", "DELETE", "PUT"])]


def error_response(error: ApiError) -> JSONResponse:
    """Return the error in Google's form."""
    status = HTTP_STATUS[error.code]
    return JSONResponse({"error": {"code": status, "message": error.message, "status": error.code}}, status_code=status)


def _endpoint(api: Api, rule: Rule) -> Callable[[Request], Any]:
    method, message_type = getattr(api, rule.method), request_type(rule.method)

    async def serve(request: Request) -> Response:
        try:
            answer = method(_message(rule, message_type, request, await _body(request)))
        except ApiError as error:
            return error_response(error)
        return _json(answer, integer_enums="enum-encoding=int" in request.query_params.get("$alt", ""))

    return serve


async def _unknown(request: Request) -> Response:
    return error_response(not_served(f"{request.method} {request.url.path} is not served here"))


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_REQUEST_BYTES:
            chunks.append(chunk)
    if size > MAX_REQUEST_BYTES:
        raise invalid(f"The request is larger than {MAX_REQUEST_BYTES} bytes")
    return b"".join(chunks)


def _message(rule: Rule, message_type: Any, request: Request, body: bytes) -> Any:
    fields: dict[str, Any] = {
        key: value for key, value in request.query_params.items() if not key.startswith("$") and key != "alt"
    }
    _merge_body(rule, fields, body)
    _put(fields, rule.path_field, _resource_name(rule, request))
    try:
        return json_format.ParseDict(fields, message_type())
    except json_format.ParseError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error


def _merge_body(rule: Rule, fields: dict[str, Any], body: bytes) -> None:
    if not rule.body_field or not body:
        return
    try:
        content = json.loads(body)
    except ValueError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(content, dict):
        raise invalid("Invalid JSON payload received. The body must be an object")
    if rule.body_field == "*":
        fields.update(content)
    else:
        fields[rule.body_field] = content


def _put(fields: dict[str, Any], path: str, value: str) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        fields = fields.setdefault(parent, {})
    fields[last] = value


def _resource_name(rule: Rule, request: Request) -> str:
    return rule.template.format_map(request.path_params)


def _json(answer: Any, *, integer_enums: bool) -> Response:
    return JSONResponse(json_format.MessageToDict(answer, use_integers_for_enums=integer_enums))
