"""How `people.py` reaches the local server: addresses, times as the web page sends them, refusals."""

import ssl
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

import httpx

from .errors import ApiError, Json
from .times import parse_instant, utc_text

Moment = datetime | date
"""A time with zone, or the day of an all-day event."""


class Browser:
    """A session of one person with the local server."""

    def __init__(self, base_url: str, email: str) -> None:
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {email}"},
            timeout=30.0,
            trust_env=False,
            # Only plain http on this machine: no authorities are loaded, so none is trusted.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

    def close(self) -> None:
        """End the session."""
        self._http.close()

    def call(self, verb: str, path: str, params: Json | None = None, body: Json | None = None) -> Json:
        """Send one request and return the answer; an empty answer is an empty object.

        Raises:
            ApiError: the server refused.
        """
        answer = self._http.request(verb, path, params=params, json=body)
        if not answer.is_success:
            raise _refusal(answer)
        content: Json = answer.json() if answer.content else {}
        return content


CALENDARS = "/calendar/v3/calendars"


def calendar_path(calendar_id: str) -> str:
    """Return the path of a calendar."""
    return f"{CALENDARS}/{quote(calendar_id, safe='')}"


def events_path(calendar_id: str) -> str:
    """Return the path of a calendar's events."""
    return f"{calendar_path(calendar_id)}/events"


def event_path(calendar_id: str, event_id: str) -> str:
    """Return the path of one event."""
    return f"{events_path(calendar_id)}/{quote(event_id, safe='')}"


def times_of(start: Moment, length: timedelta, time_zone: str) -> Json:
    """Return start and end; a date makes an event of one day.

    Raises:
        ValueError: a time without zone.
    """
    if isinstance(start, datetime):
        if start.tzinfo is None:
            raise ValueError(f"{start} has no time zone: give it one")
        end = start + length
        return {
            "start": {"dateTime": utc_text(start), "timeZone": time_zone},
            "end": {"dateTime": utc_text(end), "timeZone": time_zone},
        }
    return {"start": {"date": start.isoformat()}, "end": {"date": (start + timedelta(days=1)).isoformat()}}


def dragged(event: Json, start: Moment) -> Json:
    """Return start and end of an event that is dragged: one that becomes all-day loses its length, one that becomes
    timed lasts an hour.
    """
    if not isinstance(start, datetime) or "dateTime" not in event["start"]:
        return times_of(start, timedelta(hours=1), "UTC")
    begin, end = parse_instant(event["start"]["dateTime"]), parse_instant(event["end"]["dateTime"])
    return times_of(start.astimezone(UTC), end - begin, event["start"].get("timeZone", "UTC"))


def _refusal(answer: httpx.Response) -> ApiError:
    try:
        error = answer.json()["error"]
        return ApiError(answer.status_code, error["errors"][0]["reason"], error["message"])
    except (ValueError, KeyError, TypeError, IndexError):
        return ApiError(answer.status_code, "unknown", answer.text)
