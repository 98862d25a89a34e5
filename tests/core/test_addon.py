"""The event object of an add-on's calendar trigger: what is read of it, and what is refused."""

import json
from typing import Any

import pytest

from confsync.core.addon import MAX_BODY, MAX_CALENDAR_ID, MAX_ID_TOKEN, AddonEvent
from confsync.errors import NotificationRejected

TOKENS = {"userOAuthToken": "ya29.x", "userIdToken": "user.id.token", "systemIdToken": "system.id.token"}
EVENT = {
    "commonEventObject": {"hostApp": "CALENDAR", "platform": "WEB"},
    "authorizationEventObject": TOKENS,
    "calendar": {"calendarId": "team@example.com", "id": "event1", "organizer": {"email": "ann@example.com"}},
}


def changed(**parts: Any) -> bytes:
    """Return the body with other parts; one that is None is left out."""
    return json.dumps({name: part for name, part in {**EVENT, **parts}.items() if part is not None}).encode()


def test_an_event_object_is_cut_down_to_what_is_used() -> None:
    """Calendar and two tokens; the system's comes in the header, unless there is none."""
    by_header = AddonEvent.from_request("Bearer header.id.token", changed())
    assert by_header == AddonEvent("team@example.com", "header.id.token", "user.id.token")
    assert AddonEvent.from_request("bearer  header.id.token ", changed()) == by_header
    assert AddonEvent.from_request("", changed()).system_id_token == "system.id.token"
    assert AddonEvent.from_request("Basic eA==", changed()).system_id_token == "system.id.token"


def test_primary_stands_for_the_users_own_calendar() -> None:
    """As in /initialize: both name the same calendar."""
    named = AddonEvent.from_request("", changed())
    own = AddonEvent.from_request("", changed(calendar={"calendarId": "primary"}))
    assert named.canonical_calendar_id("ann@example.com") == "team@example.com"
    assert own.canonical_calendar_id("ann@example.com") == "ann@example.com"


@pytest.mark.parametrize(
    ("body", "status", "complaint"),
    [
        (b"", 400, "no JSON object"),
        (b"\xff", 400, "no JSON object"),
        (b"[]", 400, "no JSON object"),
        (b"[" * 100_000, 400, "no JSON object"),
        (b" " * MAX_BODY + b"{}", 413, "more than"),
        (changed(calendar=None), 400, "calendar is missing"),
        (changed(calendar="primary"), 400, "calendar is missing"),
        (changed(calendar={"id": "event1"}), 400, "calendar.calendarId is missing"),
        (changed(calendar={"calendarId": ""}), 400, "calendar.calendarId is missing"),
        (changed(calendar={"calendarId": ["a"]}), 400, "calendar.calendarId is missing"),
        (changed(calendar={"calendarId": "x" * (MAX_CALENDAR_ID + 1)}), 400, "more than 1024"),
        (changed(authorizationEventObject=None), 400, "authorizationEventObject is missing"),
        (changed(authorizationEventObject={"userIdToken": "u"}), 401, "systemIdToken is missing"),
        (changed(authorizationEventObject={"systemIdToken": "s"}), 401, "userIdToken is missing"),
        (changed(authorizationEventObject={**TOKENS, "userIdToken": 7}), 401, "userIdToken is missing"),
        (changed(authorizationEventObject={**TOKENS, "userIdToken": "x" * (MAX_ID_TOKEN + 1)}), 401, "more than 8192"),
    ],
    ids=str,
)
def test_anything_else_is_refused_by_name(body: bytes, status: int, complaint: str) -> None:
    """What is missing, huge or of another type; nothing of its content is repeated."""
    with pytest.raises(NotificationRejected, match=complaint) as refused:
        AddonEvent.from_request("", body)
    assert refused.value.status == status


def test_a_long_header_is_refused() -> None:
    """It may be up to the server's limit of headers."""
    with pytest.raises(NotificationRejected, match="systemIdToken has 8193 characters"):
        AddonEvent.from_request("Bearer " + "x" * (MAX_ID_TOKEN + 1), changed())
