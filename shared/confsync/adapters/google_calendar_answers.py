"""Reads what Calendar answers with 2xx: bytes into the core's models, or an error that quotes nothing of them.

It must never let a validation error out: its text holds titles and addresses.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from confsync.adapters.google_calendar_errors import Call, unusable
from confsync.core.events import Event, EventPage, parse_event, parse_page
from confsync.errors import CalendarRequestRejected


def page_of(call: Call, content: bytes) -> EventPage:
    """Return the page; raises `CalendarUnavailable` for a cut-off or foreign answer."""
    try:
        return parse_page(content)
    except ValidationError as error:
        raise unusable(call, _places(error)) from None


def event_of(call: Call, item: Mapping[str, Any] | bytes) -> Event:
    """Return the event, given as an answer or as an item of a page.

    Raises:
        CalendarUnavailable: the answer is cut off or foreign.
        CalendarRequestRejected: Calendar sent an event that this version cannot read; asking again will not help.

    """
    try:
        return parse_event(item)
    except ValidationError as error:
        if any(problem["type"] == "json_invalid" for problem in error.errors()):
            raise unusable(call, "not JSON") from None
        message = f"{call.operation}: an event that confsync cannot read, see {_places(error)}"
        raise CalendarRequestRejected(message) from None


def object_of(call: Call, content: bytes) -> dict[str, Any]:
    """Return the whole resource as it came; raises `CalendarUnavailable` for a cut-off or foreign answer."""
    try:
        value = json.loads(content)
    except ValueError:
        raise unusable(call, "not JSON") from None
    if not isinstance(value, dict):
        raise unusable(call, "not a JSON object")
    return value


def channel_of(call: Call, content: bytes) -> tuple[str, datetime | None]:
    """Return resource id and expiration of a new channel, None where Calendar does not tell it legibly.

    The expiration is Unix milliseconds: a string in the discovery document, a number in the guide.
    """
    channel = object_of(call, content)
    resource_id = channel.get("resourceId")
    if not isinstance(resource_id, str):
        raise unusable(call, "a channel without resourceId")
    try:
        return resource_id, datetime.fromtimestamp(int(channel["expiration"]) / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return resource_id, None


def _places(error: ValidationError) -> str:
    """Name where an answer is malformed, but not with what."""
    found = {".".join(map(str, problem["loc"])) or problem["type"] for problem in error.errors()}
    return ", ".join(sorted(found)[:5])
