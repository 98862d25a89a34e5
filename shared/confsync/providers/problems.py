"""Reads the problem bodies (RFC 9457) of a back end.

What a vendor writes is for people and may repeat what we sent. So nothing of it may reach a log or an error message but
through `shown`, which takes out what belongs to the event.
https://www.rfc-editor.org/rfc/rfc9457
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from confsync.core.state import ConferenceState

PROBLEM_BASE = "https://confsync.dev/problems/"
"""Where our own types live; a vendor may host its own, so only the last segment of the path counts."""
GENERATION_STALE = "generation-stale"
CONFERENCE_ENDED = "conference-ended"

LARGEST_GENERATION = 2**53 - 1
"""The largest integer that every JSON reader keeps exact."""
LONGEST_TEXT = 300
MOST_FIELD_ERRORS = 10

_ADDRESS = re.compile(r"[^\s<>\"',;:()]+@[^\s<>\"',;:()]+")
_LONG_ENOUGH_TO_FIND = 3


@dataclass(frozen=True)
class Problem:
    """A problem body, as far as it can be trusted: every field has its type and a sane size."""

    name: str = ""
    """The last path segment of `type`; empty for `about:blank`, or where the body is no problem."""
    detail: str = ""
    generation: int | None = None
    """The generation that the back end holds."""
    field_errors: tuple[tuple[str, str], ...] = ()
    """Pairs of field and reason."""


def parse_problem(content_type: str, content: bytes) -> Problem | None:
    """Return the problem, None when the body is anything but an `application/problem+json` object."""
    if content_type.partition(";")[0].strip().lower() != "application/problem+json":
        return None
    body = parse_object(content)
    if body is None:
        return None
    return Problem(
        name=_text(body.get("type")).rstrip("/").rpartition("/")[2].partition("?")[0].partition("#")[0],
        detail=_text(body.get("detail")) or _text(body.get("title")),
        generation=generation_in(body),
        field_errors=tuple(_field_errors(body.get("field_errors"))),
    )


def parse_object(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object, None when the content is anything else."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def generation_in(body: dict[str, Any]) -> int | None:
    """Return the member `generation`, None when it is missing or no sane generation."""
    found = body.get("generation")
    if isinstance(found, bool) or not isinstance(found, int):
        return None
    return found if 0 <= found <= LARGEST_GENERATION else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _field_errors(value: object) -> Iterable[tuple[str, str]]:
    for item in value[:MOST_FIELD_ERRORS] if isinstance(value, list) else []:
        if isinstance(item, dict):
            yield _text(item.get("field")), _text(item.get("reason"))


def shown(text: str, state: ConferenceState | None) -> str:
    """Return the vendor's text on one line, shortened, without addresses and without the texts of the event."""
    text = _on_one_line(text)
    for private in _texts_of(state) if state else ():
        text = re.sub(re.escape(private), "[...]", text, flags=re.IGNORECASE)
    text = _ADDRESS.sub("[address]", text)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."


def _on_one_line(text: str) -> str:
    words = " ".join(text.split())
    return "".join(character for character in words if character.isprintable())


def _texts_of(state: ConferenceState) -> list[str]:
    """Return what must not be shown, the longest first, so that no part of a text is left over."""
    people = (state.organizer, *(state.attendees or ()))
    titles = (state.title, *(occurrence.title for occurrence in state.occurrences))
    texts = (_on_one_line(text) for text in (*titles, state.description, state.location, *people) if text)
    return sorted((text for text in texts if len(text) >= _LONG_ENOUGH_TO_FIND), key=len, reverse=True)
