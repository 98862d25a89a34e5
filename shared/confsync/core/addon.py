"""Notifications of a Workspace add-on's calendar trigger: the event object in the body, cut down to what is used.

Such a notification has a body, and its proof is a token that Google signed; whether it is genuine, `ports.IdTokens`
says. It must never be trusted for more than "sync this calendar of this user": the user's OAuth token, and whatever
it may tell of an event, is not even read.

https://developers.google.com/workspace/add-ons/guides/alternate-runtimes
https://developers.google.com/workspace/add-ons/reference/event-object
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from confsync.errors import NotificationRejected

MAX_BODY = 256 * 1024
MAX_CALENDAR_ID = 1024
MAX_ID_TOKEN = 8 * 1024


@dataclass(frozen=True)
class AddonTerms:
    """Who may announce changes beside Calendar's own push, and for whom."""

    tenant: str
    """The customer whose calendars these are."""
    service_account: str
    """E-mail address in whose name Google calls the add-on's endpoints."""
    audience: str
    """URL of the endpoint, as the add-on's manifest has it."""
    client_id: str
    """OAuth client of the add-on, which the users' tokens are meant for."""


@dataclass(frozen=True)
class AddonEvent:
    """What an add-on's event object says of a change."""

    calendar_id: str
    """Id of the calendar; `primary` stands for the user's own."""
    system_id_token: str
    """Google's word for who sends this."""
    user_id_token: str
    """Google's word for the user on whose behalf; the manifest has to ask for the scope `userinfo.email`."""

    @classmethod
    def from_request(cls, authorization: str, body: bytes) -> "AddonEvent":
        """Return the event object in a request.

        Args:
            authorization: the header, which holds the system's token unless the manifest says otherwise; where there
                is none, the body's is taken.
            body: JSON in UTF-8.

        Raises:
            NotificationRejected: the body is no event object of a calendar, something is too long, or a token missing.

        """
        event = _parsed(body)
        calendar, tokens = _part(event, "calendar"), _part(event, "authorizationEventObject")
        bearer = _bearer(authorization)
        sent = {**tokens, "systemIdToken": bearer} if bearer else tokens
        return cls(
            calendar_id=_text(calendar, "calendar.calendarId", MAX_CALENDAR_ID, 400),
            system_id_token=_text(sent, "authorizationEventObject.systemIdToken", MAX_ID_TOKEN, 401),
            user_id_token=_text(tokens, "authorizationEventObject.userIdToken", MAX_ID_TOKEN, 401),
        )

    def canonical_calendar_id(self, subject: str) -> str:
        """Never `primary`: that would name different calendars for different users."""
        return subject if self.calendar_id == "primary" else self.calendar_id


def _parsed(body: bytes) -> Mapping[str, Any]:
    if len(body) > MAX_BODY:
        raise NotificationRejected(f"the body has more than {MAX_BODY} bytes: not an add-on's event object", 413)
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise NotificationRejected("the body is no JSON object: not an add-on's event object", 400)
    return event


def _part(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = event.get(name)
    if not isinstance(part, dict):
        raise NotificationRejected(f"{name} is missing: not an event object of a calendar trigger", 400)
    return part


def _bearer(authorization: str) -> str:
    scheme, _, id_token = authorization.strip().partition(" ")
    return id_token.strip() if scheme.lower() == "bearer" else ""


def _text(part: Mapping[str, Any], path: str, longest: int, status: int) -> str:
    value = part.get(path.rpartition(".")[2])
    if not isinstance(value, str) or not value:
        raise NotificationRejected(f"{path} is missing", status)
    if len(value) > longest:
        raise NotificationRejected(f"{path} has {len(value)} characters, more than {longest}", status)
    return value
