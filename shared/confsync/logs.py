"""Structured logs: one JSON object a line, as Google Cloud reads them.

They hold ids, states and reasons; never a title, an attendee, a token or a secret (rule R21).

https://docs.cloud.google.com/logging/docs/structured-logging
"""

import dataclasses
import json
import sys
from typing import Any, Literal, TextIO

from confsync.errors import ConfsyncError, SettingsError

Severity = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


def log(severity: Severity, message: str, *, stream: TextIO | None = None, **fields: Any) -> None:
    """Write one line; dataclasses among `fields` become objects, unknown types their text."""
    line = {"severity": severity, "message": message, **fields}
    out = stream or sys.stdout
    out.write(json.dumps(line, default=_plain, separators=(",", ":")) + "\n")
    out.flush()


def log_error(message: str, error: ConfsyncError, **fields: Any) -> None:
    """Write one line about an error; settings that are wrong keep the function from doing anything at all."""
    severity: Severity = "CRITICAL" if isinstance(error, SettingsError) else "ERROR"
    log(severity, message, error=type(error).__name__, reason=str(error), **fields)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
