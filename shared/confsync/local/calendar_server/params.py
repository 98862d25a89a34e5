"""Query parameters as callers give them: text from a URL, or Python values from code in the same process. Pure."""

from collections.abc import Mapping
from typing import Any

from .errors import ApiError, invalid
from .times import instant_us

Params = Mapping[str, Any]


def text(params: Params, name: str) -> str | None:
    """Return a parameter as text, or None when it is absent or empty."""
    value = params.get(name)
    return None if value is None or value == "" else str(value)


def texts(params: Params, name: str) -> list[str]:
    """Return all values of a repeatable parameter."""
    value = params.get(name)
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]


def flag(params: Params, name: str) -> bool | None:
    """Return a boolean parameter, or None when it is absent."""
    value = params.get(name)
    if value is None or isinstance(value, bool):
        return value
    if str(value).lower() not in ("true", "false"):
        raise _bad_value(name, value, "true or false")
    return str(value).lower() == "true"


def count(params: Params, name: str, minimum: int = 1) -> int | None:
    """Return a whole number that is at least `minimum`, or None when it is absent."""
    value = params.get(name)
    if value is None:
        return None
    try:
        number = int(value)
    except (ValueError, TypeError):
        raise _bad_value(name, value, "a whole number") from None
    if number < minimum:
        raise _bad_value(name, value, f"at least {minimum}")
    return number


def moment_us(params: Params, name: str) -> int | None:
    """Return a time parameter in microseconds, or None when it is absent."""
    value = text(params, name)
    return None if value is None else instant_us(value, name)


def conference_version(params: Params) -> int:
    """Return conferenceDataVersion: 0 ignores conference data in the body."""
    version = count(params, "conferenceDataVersion", 0) or 0
    if version > 1:
        raise _bad_value("conferenceDataVersion", version, "0 or 1")
    return version


def event_zone(params: Params, default: str) -> str:
    """Return the zone in which an answer's times are written."""
    return text(params, "timeZone") or default


def _bad_value(name: str, value: object, wanted: str) -> ApiError:
    return invalid(f"Invalid value for {name}: {value!r} is not {wanted}", name)
