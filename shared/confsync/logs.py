"""Structured logs: one JSON object a line, as Google Cloud reads them.

They hold ids, states and reasons; never a title, an attendee, a token or a secret (rule R21). Each line says which
request it belongs to: trace, span and execution id, set at the door of each function.

https://docs.cloud.google.com/logging/docs/structured-logging
"""

import dataclasses
import json
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final, Literal, TextIO

from confsync.errors import ConfsyncError, SettingsError

Severity = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

_KEY: Final = "logging.googleapis.com/"
_CLOUD_TRACE = re.compile(r"([0-9a-fA-F]{32})(?:/(\d{1,20})(?:;o=(\d))?)?")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_EXECUTION = re.compile(r"[A-Za-z0-9_-]{1,64}")

_request: ContextVar[Mapping[str, Any]] = ContextVar("request", default=MappingProxyType({}))


@contextmanager
def of_request(headers: Mapping[str, str], project: str | None) -> Iterator[None]:
    """Give every line that this thread writes until then the trace, span and execution of a request.

    The framework adds span and execution id by itself where LOG_EXECUTION_ID is set: under the same keys, so that a
    line has them once.

    Args:
        headers: whose names are found in any case: `traceparent`, `X-Cloud-Trace-Context`, `Function-Execution-Id`.
            Anybody may send them to a public function: what is not of their form is left out.
        project: the one that the trace belongs to; without it Cloud Logging would not find it, and none is written.

    """
    before = _request.set({**_trace(headers, project), **_execution(headers)})
    try:
        yield
    finally:
        _request.reset(before)


def log(severity: Severity, message: str, *, stream: TextIO | None = None, **fields: Any) -> None:
    """Write one line; dataclasses among `fields` become objects, unknown types their text."""
    line = {"severity": severity, "message": message, **_request.get(), **fields}
    out = stream or sys.stdout
    out.write(json.dumps(line, default=_plain, separators=(",", ":")) + "\n")
    out.flush()


def log_error(message: str, error: ConfsyncError, **fields: Any) -> None:
    """Write one line about an error; settings that are wrong keep the function from doing anything at all."""
    severity: Severity = "CRITICAL" if isinstance(error, SettingsError) else "ERROR"
    log(severity, message, error=type(error).__name__, reason=str(error), **fields)


def log_crash(message: str, error: Exception) -> None:
    """Write one line about an error that nobody expected: its kind and where it came from.

    Its text is left out: a foreign error may quote an event or an address.
    """
    where = "".join(traceback.format_tb(error.__traceback__))
    stack_trace = f"Traceback (most recent call last):\n{where}{type(error).__name__}"
    log("ERROR", message, error=type(error).__name__, stack_trace=stack_trace)


def _trace(headers: Mapping[str, str], project: str | None) -> dict[str, Any]:
    trace_id, span_id, is_sampled = _trace_context(headers)
    if not (trace_id and project):
        return {}
    trace = {f"{_KEY}trace": f"projects/{project}/traces/{trace_id}", f"{_KEY}trace_sampled": is_sampled}
    return {**trace, f"{_KEY}spanId": span_id} if span_id else trace


def _trace_context(headers: Mapping[str, str]) -> tuple[str, str, bool]:
    """Return trace id, span id in 16 hex digits or nothing, and whether the trace is kept.

    https://www.w3.org/TR/trace-context/#traceparent-header
    https://docs.cloud.google.com/trace/docs/trace-context#legacy-http-header
    """
    if found := _TRACEPARENT.fullmatch(headers.get("traceparent", "")):
        return found[1], found[2], bool(int(found[3], 16) & 1)
    if found := _CLOUD_TRACE.fullmatch(headers.get("X-Cloud-Trace-Context", "")):
        span = int(found[2] or 0)
        return found[1].lower(), f"{span:016x}" if 0 < span < 1 << 64 else "", found[3] == "1"
    return "", "", False


def _execution(headers: Mapping[str, str]) -> dict[str, Any]:
    execution_id = headers.get("Function-Execution-Id", "")
    return {f"{_KEY}labels": {"execution_id": execution_id}} if _EXECUTION.fullmatch(execution_id) else {}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
