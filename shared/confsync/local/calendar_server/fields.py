"""Partial responses: the `fields` parameter with nested selectors, checked against Google's own schemas. Pure.

A wrong selector is refused: a client that misspells `conferenceData` must not believe that every conference is gone.
Source: https://developers.google.com/workspace/calendar/api/guides/performance#partial-response
"""

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from .errors import ApiError, Json

Mask = dict[str, "Mask | None"]
"""Selected keys; None takes everything below."""


def select(answer: Json, fields: str | None, schema: str) -> Json:
    """Return the selected parts of an answer.

    Args:
        schema: name of the answer's schema in the discovery document.

    Raises:
        ApiError: 400 for a selector that cannot be read or names what the schema does not have.
    """
    if not fields:
        return answer
    selected: Json = _apply(answer, _checked_mask(fields, schema))
    return selected


def check_fields(fields: str | None, schema: str) -> None:
    """Refuse a wrong mask before a request takes effect.

    Raises:
        ApiError: 400.
    """
    if fields:
        _checked_mask(fields, schema)


@lru_cache(maxsize=256)
def _checked_mask(fields: str, schema: str) -> Mask:
    mask = _parse(fields)
    _check(mask, {"$ref": schema}, fields)
    return mask


def _bad(fields: str) -> ApiError:
    return ApiError(
        400, "invalidParameter", f"Invalid field selection {fields}", location="fields", location_type="parameter"
    )


def _parse(fields: str) -> Mask:
    mask, rest = _parse_list(fields.replace(" ", ""), fields)
    if rest:
        raise _bad(fields)
    return mask


def _parse_list(text: str, fields: str) -> tuple[Mask, str]:
    mask: Mask = {}
    while True:
        name, text = _split_name(text, fields)
        below: Mask | None = None
        if text.startswith("/"):
            below, text = _parse_one(text[1:], fields)
        elif text.startswith("("):
            below, text = _parse_list(text[1:], fields)
            if not text.startswith(")"):
                raise _bad(fields)
            text = text[1:]
        mask[name] = _joined(mask[name], below) if name in mask else below
        if not text.startswith(","):
            return mask, text
        text = text[1:]


def _parse_one(text: str, fields: str) -> tuple[Mask, str]:
    """Read what follows a slash: one name, with what is below it."""
    name, text = _split_name(text, fields)
    if text.startswith("/"):
        below, text = _parse_one(text[1:], fields)
        return {name: below}, text
    if text.startswith("("):
        inner, text = _parse_list(text[1:], fields)
        if not text.startswith(")"):
            raise _bad(fields)
        return {name: inner}, text[1:]
    return {name: None}, text


def _split_name(text: str, fields: str) -> tuple[str, str]:
    length = next((i for i, letter in enumerate(text) if letter in "/(),"), len(text))
    name = text[:length]
    if not name:
        raise _bad(fields)
    return name, text[length:]


def _joined(first: Mask | None, second: Mask | None) -> Mask | None:
    if first is None or second is None:
        return None
    out = dict(first)
    for name, below in second.items():
        out[name] = _joined(out[name], below) if name in out else below
    return out


def _apply(value: Any, mask: Mask) -> Any:
    if isinstance(value, list):
        return [_apply(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        if key in mask or "*" in mask:
            below = mask.get(key, mask.get("*"))
            out[key] = item if below is None else _apply(item, below)
    return out


@lru_cache(maxsize=1)
def schemas() -> Json:
    """Return the schemas of the Calendar API as google-api-python-client ships them."""
    document = files("googleapiclient") / "discovery_cache" / "documents" / "calendar.v3.json"
    found: Json = json.loads(document.read_text(encoding="utf-8"))["schemas"]
    return found


def _check(mask: Mask, schema: Json, fields: str) -> None:
    while "$ref" in schema or schema.get("type") == "array":
        schema = schemas()[schema["$ref"]] if "$ref" in schema else schema["items"]
    for name, below in mask.items():
        inner = _property(schema, name)
        if inner is None:
            raise _bad(fields)
        if below is not None and name != "*":
            _check(below, inner, fields)


def _property(schema: Json, name: str) -> Json | None:
    if name == "*":
        return schema
    inner: Json | None = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
    return inner
