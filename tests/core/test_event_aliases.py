"""The wire names of core/events.py against the discovery document that google-api-python-client ships.

https://developers.google.com/discovery/v1/reference/apis
"""

import json
import re
import types
from collections.abc import Iterator
from datetime import date, datetime
from importlib import resources
from typing import Annotated, Any, Union, get_args, get_origin

import pytest

from confsync.core.events import EVENT_FIELDS, LIST_FIELDS, Event, EventPage, Wire

Mask = dict[str, Any]
Schema = dict[str, Any]

DISCOVERY = json.loads(
    resources.files("googleapiclient").joinpath("discovery_cache/documents/calendar.v3.json").read_text()
)
SCALARS = {
    ("string", None): str,
    ("boolean", None): bool,
    ("integer", "int32"): int,
    ("string", "date"): date,
    ("string", "date-time"): datetime,
}


def resolve(schema: Schema) -> Schema:
    """Follow a `$ref` into the document's schemas."""
    return DISCOVERY["schemas"][schema["$ref"]] if "$ref" in schema else schema


def bare(annotation: Any) -> Any:
    """Strip Annotated and `| None` from a type."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        (only,) = [argument for argument in get_args(annotation) if argument is not type(None)]
        return bare(only)
    return annotation


def aliases(model: type[Wire], schema: Schema, path: str = "") -> Iterator[tuple[str, Any, Schema | None]]:
    """Yield path, type and schema (None: unknown to Google) of each field, nested models included."""
    for name, declared in model.model_fields.items():
        alias = declared.alias or name
        found = schema["properties"].get(alias)
        kind = bare(declared.annotation)
        yield path + alias, kind, found
        inner = get_args(kind)[0] if get_origin(kind) in (tuple, list) else kind
        if found is not None and isinstance(inner, type) and issubclass(inner, Wire):
            yield from aliases(inner, resolve(resolve(found).get("items", found)), f"{path}{alias}/")


PAGE_ALIASES = list(aliases(EventPage, DISCOVERY["schemas"]["Events"]))
EVENT_ALIASES = list(aliases(Event, DISCOVERY["schemas"]["Event"]))


@pytest.mark.parametrize(("path", "kind", "schema"), PAGE_ALIASES + EVENT_ALIASES)
def test_every_wire_name_exists_with_a_fitting_type(path: str, kind: Any, schema: Schema | None) -> None:
    """Google knows the name, and what it sends under it is what the model expects."""
    assert schema is not None, f"Google has no field {path}"
    schema = resolve(schema)
    if get_origin(kind) in (tuple, list):
        assert schema["type"] == "array"
    elif isinstance(kind, type) and issubclass(kind, Wire):
        assert schema["type"] == "object"
    else:
        assert SCALARS[schema["type"], schema.get("format")] is kind


def parse_mask(mask: str) -> Mask:
    """Return the names that a `fields` mask selects, as a tree; an empty branch means all below it."""
    tokens = re.findall(r"[A-Za-z0-9]+|[(),/]", mask)
    assert "".join(tokens) == mask
    return _branch(tokens)


def _branch(tokens: list[str]) -> Mask:
    tree: Mask = {}
    while tokens:
        name = tokens.pop(0)
        tree[name] = _below(tokens)
        if not tokens or tokens.pop(0) == ")":
            break
    return tree


def _below(tokens: list[str]) -> Mask:
    if tokens and tokens[0] == "/":
        tokens.pop(0)
        name = tokens.pop(0)
        return {name: _below(tokens)}
    if tokens and tokens[0] == "(":
        tokens.pop(0)
        return _branch(tokens)
    return {}


def unknown_names(mask: Mask, schema: Schema, path: str = "") -> list[str]:
    """List what a mask selects that Google does not have; it would answer 400 to each request."""
    schema = resolve(schema)
    schema = resolve(schema.get("items", schema))
    known = schema.get("properties", {})
    missing = [path + name for name in mask if name not in known]
    below = [unknown_names(mask[name], known[name], f"{path}{name}/") for name in mask if name in known]
    return missing + [name for names in below for name in names]


@pytest.mark.parametrize(("mask", "schema"), [(EVENT_FIELDS, "Event"), (LIST_FIELDS, "Events")])
def test_every_name_in_the_masks_exists(mask: str, schema: str) -> None:
    """Both `fields` masks select only what Google has."""
    assert unknown_names(parse_mask(mask), DISCOVERY["schemas"][schema]) == []


def test_the_mask_of_a_listing_holds_the_mask_of_an_event() -> None:
    """A listed event shows the same fields as one that is read alone."""
    assert parse_mask(LIST_FIELDS)["items"] == parse_mask(EVENT_FIELDS)


@pytest.mark.parametrize("path", [path for path, _, _ in EVENT_ALIASES])
def test_every_field_of_the_model_is_asked_for(path: str) -> None:
    """A field that the mask leaves out would silently never be set."""
    selected = parse_mask(EVENT_FIELDS)
    for name in path.split("/"):
        assert name in selected
        selected = selected[name]
        if not selected:
            return


def test_a_misspelt_name_in_a_mask_is_found() -> None:
    """The check itself sees a wrong name at every depth, in both notations."""
    mask = parse_mask("id,icalUid,organizer(email,me),conferenceData(createRequest/state)")
    assert unknown_names(mask, DISCOVERY["schemas"]["Event"]) == [
        "icalUid",
        "organizer/me",
        "conferenceData/createRequest/state",
    ]
