"""What of a payload may be written down: keys of Google's schemas, types, and words of fixed lists.

It must never let anything through because it looks harmless: an unknown word becomes `string`, an unknown key is
only counted.
"""

from collections.abc import Mapping
from typing import Any

from confsync.adapters.google_calendar_reasons import BY_REASON
from confsync.local.calendar_server.fields import schemas

_WORDS: Mapping[str, frozenset[str]] = {
    "accessRole": frozenset({"freeBusyReader", "reader", "writer", "owner"}),
    "entryPointType": frozenset({"video", "phone", "sip", "more"}),
    "eventType": frozenset({"birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"}),
    "method": frozenset({"email", "popup"}),
    "responseStatus": frozenset({"needsAction", "declined", "tentative", "accepted"}),
    "status": frozenset({"confirmed", "tentative", "cancelled"}),
    "statusCode": frozenset({"pending", "success", "failure"}),
    "transparency": frozenset({"opaque", "transparent"}),
    "type": frozenset({"addOn", "hangoutsMeet", "eventHangout", "eventNamedHangout"}),
    "visibility": frozenset({"default", "public", "private", "confidential"}),
}
_TRUTHS = frozenset({"self", "locked", "privateCopy", "attendeesOmitted", "endTimeUnspecified", "useDefault"})
_REASONS = frozenset(BY_REASON) | {
    "badRequest", "conditionNotMet", "deleted", "forbidden", "invalid", "invalidParameter", "notFound", "required",
}  # fmt: skip
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}
_OWN_WORDS = frozenset({
    *_TYPES.values(), "null", "other reason", "no reason", "id only", "exception", "full", "scrubbed", "unknown",
    "no conference", "not listed in time", "skipped", "refused", "unexpected answer",
})  # fmt: skip
_VOCABULARY = _OWN_WORDS.union(_REASONS, *_WORDS.values())


def shape(value: Any, schema: str) -> Any:
    """Return a resource with its values replaced by types, but for words of the fixed lists.

    Args:
        schema: name of the resource's schema in the discovery document, such as `Event`; what it does not know is
            only counted, under `(unknown keys)`.

    """
    return _shape(value, {"$ref": schema}, "")


def reason_word(reason: str) -> str:
    """Return Google's reason for a refusal if it is a known one."""
    if not reason:
        return "no reason"
    return reason if reason in _REASONS else "other reason"


def known_word(key: str, value: Any) -> str:
    """Return the value of a key if the fixed lists have it, else its type."""
    if isinstance(value, str) and value in _WORDS.get(key, ()):
        return value
    return "null" if value is None else _TYPES.get(type(value), "unknown")


def scrub(evidence: Any) -> Any:
    """Replace every text that is not of the fixed lists; the last gate before anything is written down."""
    if isinstance(evidence, Mapping):
        return {key: scrub(value) for key, value in evidence.items()}
    if isinstance(evidence, list | tuple):
        return [scrub(value) for value in evidence]
    if isinstance(evidence, str):
        return evidence if evidence in _VOCABULARY else "string"
    return evidence


def _shape(value: Any, schema: Mapping[str, Any], key: str) -> Any:
    if "$ref" in schema:
        schema = schemas()[schema["$ref"]]
    if isinstance(value, dict):
        return _object(value, schema)
    if isinstance(value, list):
        shapes = [_shape(item, schema.get("items", {}), key) for item in value]
        return [found for place, found in enumerate(shapes) if found not in shapes[:place]]
    if isinstance(value, bool) and key in _TRUTHS:
        return value
    return known_word(key, value)


def _object(value: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    known = {key: _shape(inner, properties[key], key) for key, inner in sorted(value.items()) if key in properties}
    unknown = len(value) - len(known)
    return known | ({"(unknown keys)": unknown} if unknown else {})
