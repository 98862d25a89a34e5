"""The Calendar API as it is, refusals included: raw answers for a command that is after their shapes.

It must never write when it was made for reading, and never put an id, an address or Google's own text into a message.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from google.auth.credentials import Credentials
from googleapiclient.discovery import build
from httplib2 import Http

from confsync.adapters.google_calendar import LIST_PARAMETERS
from confsync.adapters.google_calendar_connections import Connections
from confsync.adapters.google_calendar_errors import FAILURES, Call, failure, refusal, unusable
from confsync.errors import CalendarError, CalendarQuotaExceeded, CalendarRateLimited, CalendarUnavailable

Json = dict[str, Any]

UNMASKED: Final[Mapping[str, Any]] = {name: value for name, value in LIST_PARAMETERS.items() if name != "fields"}
"""confsync's own list parameters without the mask: it would hide which keys there are."""

_TIMEOUT_S = 30.0
_MOST_PAGES = 100
_PATIENT_TRIES = 5


class WriteRefused(Exception):
    """A writing request in a run that may only read; a fault of this program."""


@dataclass(frozen=True)
class Reply:
    """An answer of Calendar, whatever its status."""

    status: int
    body: Json
    error: CalendarError | None
    """What a refusal means; None for an answer that was asked for."""

    @property
    def reason(self) -> str:
        """Return Google's word for a refusal; empty when there is none."""
        return self.error.reason if self.error else ""


class Api:
    """Calendar in the name of one user."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        pause: Callable[[float], None],
        endpoint: str | None = None,
        may_write: bool = False,
    ) -> None:
        """Keep the settings; nothing is sent before the first call.

        Args:
            pause: waits so many seconds; used when Calendar asks to slow down.
            endpoint: with its path, such as `http://127.0.0.1:8080/calendar/v3/`; None for Google's.

        """
        self._credentials = credentials
        self._pause = pause
        self._endpoint = endpoint
        self._may_write = may_write
        self._connections = Connections(_TIMEOUT_S)

    @cached_property
    def service(self) -> Any:
        """Return the client that builds requests; its own connection is never used."""
        options = {"api_endpoint": self._endpoint} if self._endpoint else None
        return build("calendar", "v3", http=Http(), client_options=options, static_discovery=True)

    @cached_property
    def events(self) -> Any:
        """Return the builder of requests about events."""
        return self.service.events()

    def ask(self, call: Call, request: Any) -> Reply:
        """Send a request and return the answer, be it a refusal.

        Raises:
            CalendarUnavailable: there was no answer, or a passing fault.
            CalendarRateLimited: Calendar asked to slow down again and again.
            CalendarQuotaExceeded: a long-term limit is used up.

        """
        if not (self._may_write or request.method == "GET"):
            raise WriteRefused(f"{call.operation} would write, and this run may only read")
        for tried in range(_PATIENT_TRIES):
            reply = self._send(call, request)
            if not isinstance(reply.error, CalendarRateLimited):
                break
            self._pause(reply.error.retry_after_s or 2.0**tried)
        if isinstance(reply.error, CalendarUnavailable | CalendarRateLimited | CalendarQuotaExceeded):
            raise reply.error
        return reply

    def need(self, call: Call, request: Any) -> Json:
        """Send a request and return the resource that it asks for; raises `CalendarError` for a refusal."""
        reply = self.ask(call, request)
        if reply.error is not None:
            raise reply.error
        return reply.body

    def get(self, calendar_id: str, event_id: str) -> Json:
        """Return an event in full, a deleted one too."""
        return self.need(Call("events.get", "event"), self.events.get(calendarId=calendar_id, eventId=event_id))

    def pages(self, calendar_id: str, **parameters: Any) -> Iterator[Json]:
        """Yield the pages of a list, the last of which may have a sync token; a calendar of endless pages is refused.

        Raises:
            CalendarError: a page was refused.

        """
        call, page_token = Call("events.list", "calendar", "syncToken" in parameters), None
        for _ in range(_MOST_PAGES):
            page = self.need(call, self.events.list(calendarId=calendar_id, pageToken=page_token, **parameters))
            yield page
            page_token = page.get("nextPageToken")
            if page_token is None:
                return
        raise unusable(call, f"more than {_MOST_PAGES} pages; name a smaller calendar with --calendar")

    def _send(self, call: Call, request: Any) -> Reply:
        try:
            response, content = self._connections.send(self._credentials, request)
        except FAILURES as error:
            raise failure(call, error) from error
        if 200 <= response.status < 300:
            return Reply(response.status, _object(call, content), None)
        return Reply(response.status, {}, refusal(call, response.status, response, content))


def _object(call: Call, content: bytes) -> Json:
    try:
        body = json.loads(content or b"{}")
    except ValueError:
        raise unusable(call, "not JSON") from None
    if not isinstance(body, dict):
        raise unusable(call, "not a JSON object")
    return body
