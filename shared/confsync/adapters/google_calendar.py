"""Google Calendar behind the port `CalendarApi`, over google-api-python-client.

The client only builds requests; they go out on this thread's own connection and answers go as bytes straight into the
core's models. It must never retry, sleep or log, nor read the clock for a decision: the use cases decide.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from functools import cached_property
from typing import Any, Final

from google.auth.credentials import Credentials
from googleapiclient.discovery import build
from httplib2 import Http

from confsync.adapters.google_calendar_answers import channel_of, event_of, object_of, page_of
from confsync.adapters.google_calendar_connections import Connections
from confsync.adapters.google_calendar_errors import FAILURES, Call, UnknownToCalendar, failure, refusal, unusable
from confsync.core.events import EVENT_FIELDS, LIST_FIELDS, Event, EventPage, Window
from confsync.errors import PreconditionFailed
from confsync.ports import Address, WatchedChannel

EVENT_PARAMETERS: Final[Mapping[str, Any]] = {"timeZone": "UTC", "maxAttendees": 500}
"""How a single event is shown; with more guests than that only the subject is listed, and `attendeesOmitted` is set."""

LIST_PARAMETERS: Final[Mapping[str, Any]] = {
    **EVENT_PARAMETERS,
    "singleEvents": False,
    "showDeleted": True,
    "eventTypes": "default",
    "maxResults": 2500,
    "fields": LIST_FIELDS,
}
"""The same for every listing (rule R6). Whoever changes one raises `LIST_PARAMETERS_VERSION` beside `LIST_FIELDS`."""

MAX_SERIES_PAGES = 40


class GoogleCalendar:
    """The Calendar API, as each subject sees it. Safe to share between threads."""

    def __init__(
        self,
        credentials_for: Callable[[str], Credentials],
        *,
        endpoint: str | None = None,
        timeout_s: float = 20.0,
    ) -> None:
        """Keep the settings; nothing is built before the first call, so that it happens after a fork.

        Args:
            credentials_for: by subject; asked before each request, so it keeps what it makes.
            endpoint: with its path, such as `http://127.0.0.1:8080/calendar/v3/`; None for Google's.
            timeout_s: longest wait for each read or write of the socket.

        """
        self._credentials_for = credentials_for
        self._endpoint = endpoint
        self._connections = Connections(timeout_s)

    def list_events(self, at: Address, *, sync_token: str | None, page_token: str | None, window: Window) -> EventPage:
        """Return one page of events; see the port.

        https://developers.google.com/workspace/calendar/api/v3/reference/events/list
        """
        call = Call("events.list", "calendar", sync_token is not None, page_token is not None)
        narrowed = {"syncToken": sync_token} if sync_token is not None else _range(window)
        page = self._page(at, call, pageToken=page_token, **narrowed)
        if page.next_page_token is None and page.next_sync_token is None:
            raise unusable(call, "the last page has no nextSyncToken")
        return page

    def list_series(self, at: Address, ical_uid: str) -> tuple[Event, ...]:
        """Return master and exceptions with this iCalUID; see the port."""
        call = Call("events.list", "calendar")
        pages = self._pages(at, call, iCalUID=ical_uid)
        return tuple(event_of(call, item) for page in pages for item in page.items)

    def get_event(self, at: Address, event_id: str) -> Event | None:
        """Return the event, None for 404 `notFound` and 410 `deleted`; see the port.

        A 404 may also mean that the calendar is out of reach: only a listing tells.
        """
        call = Call("events.get", "event")
        try:
            content = self._send(at, call, self._get(at, event_id, fields=EVENT_FIELDS, **EVENT_PARAMETERS))
        except UnknownToCalendar:
            return None
        return event_of(call, content)

    def write_conference_data(
        self, at: Address, event_id: str, etag: str, conference_data: Mapping[str, Any] | None
    ) -> Event:
        """Replace the conference data and nothing else; None clears it; see the port.

        The event goes back as it came, with every guest and field, because an update replaces the whole resource; a
        patch would cost three units of quota. An event that Calendar no longer knows counts as changed.

        https://developers.google.com/workspace/calendar/api/guides/version-resources
        """
        body = self._read_whole(at, event_id)
        if body.get("etag") != etag:
            raise PreconditionFailed("events.update: the event changed since it was read; read it again")
        body["conferenceData"] = None if conference_data is None else dict(conference_data)
        call = Call("events.update", "event", if_match=True)
        return event_of(call, self._send(at, call, self._update(at, event_id, etag, body)))

    def watch_events(
        self, at: Address, *, channel_id: str, channel_token: str, address: str, ttl_s: int
    ) -> WatchedChannel:
        """Open a push channel for ordinary events; see the port.

        A channel whose end Calendar does not tell could not be renewed in time: it is stopped again, and the call
        fails as unavailable. Nothing is guessed from `ttl_s`, which Calendar may cut.

        https://developers.google.com/workspace/calendar/api/v3/reference/events/watch
        """
        call = Call("events.watch", "calendar")
        body = {
            "id": channel_id,
            "type": "web_hook",
            "address": address,
            "token": channel_token,
            "params": {"ttl": str(ttl_s)},
        }
        request = self._events.watch(calendarId=at.calendar_id, eventTypes="default", body=body, **_quota_user(at))
        resource_id, expires_at = channel_of(call, self._send(at, call, request))
        if expires_at is None:
            self.stop_channel(at, channel_id, resource_id)
            raise unusable(call, "a channel without expiration, stopped again")
        return WatchedChannel(resource_id, expires_at)

    def stop_channel(self, at: Address, channel_id: str, resource_id: str) -> None:
        """Stop a push channel; 404 means that it is gone; see the port.

        https://developers.google.com/workspace/calendar/api/v3/reference/channels/stop
        """
        request = self._channels.stop(body={"id": channel_id, "resourceId": resource_id}, **_quota_user(at))
        try:
            self._send(at, Call("channels.stop", "channel"), request)
        except UnknownToCalendar:
            return

    @cached_property
    def _service(self) -> Any:
        options = {"api_endpoint": self._endpoint} if self._endpoint else None
        # Its own connection is never used; giving one keeps the client from looking for credentials.
        return build("calendar", "v3", http=Http(), client_options=options, static_discovery=True)

    @cached_property
    def _events(self) -> Any:
        return self._service.events()

    @cached_property
    def _channels(self) -> Any:
        return self._service.channels()

    def _page(self, at: Address, call: Call, **parameters: Any) -> EventPage:
        request = self._events.list(calendarId=at.calendar_id, **LIST_PARAMETERS, **_quota_user(at), **parameters)
        return page_of(call, self._send(at, call, request))

    def _pages(self, at: Address, call: Call, **parameters: Any) -> Iterator[EventPage]:
        page_token = None
        for _ in range(MAX_SERIES_PAGES):
            page = self._page(at, call, pageToken=page_token, **parameters)
            yield page
            page_token = page.next_page_token
            if page_token is None:
                return
        raise unusable(call, f"more than {MAX_SERIES_PAGES} pages for one iCalUID")

    def _get(self, at: Address, event_id: str, **parameters: Any) -> Any:
        return self._events.get(calendarId=at.calendar_id, eventId=event_id, **parameters, **_quota_user(at))

    def _read_whole(self, at: Address, event_id: str) -> dict[str, Any]:
        """Read without mask and without a limit on guests: what is left out here would be lost by the update."""
        call = Call("events.get", "event")
        return object_of(call, self._send(at, call, self._get(at, event_id)))

    def _update(self, at: Address, event_id: str, etag: str, body: Mapping[str, Any]) -> Any:
        request = self._events.update(
            calendarId=at.calendar_id,
            eventId=event_id,
            body=body,
            conferenceDataVersion=1,
            sendUpdates="none",
            supportsAttachments=True,
            maxAttendees=EVENT_PARAMETERS["maxAttendees"],
            fields=EVENT_FIELDS,
            **_quota_user(at),
        )
        request.headers["If-Match"] = etag
        return request

    def _send(self, at: Address, call: Call, request: Any) -> bytes:
        try:
            response, content = self._connections.send(self._credentials_for(at.subject), request)
        except FAILURES as error:
            raise failure(call, error) from error
        if 200 <= response.status < 300:
            return content
        raise refusal(call, response.status, response, content)


def _quota_user(at: Address) -> dict[str, str]:
    """Charge the subject, not the service account; at most 40 characters.

    https://developers.google.com/workspace/calendar/api/guides/quota
    """
    return {"quotaUser": hashlib.sha256(at.subject.encode()).hexdigest()[:40]}


def _range(window: Window) -> dict[str, str]:
    moments = {"timeMin": window.time_min, "updatedMin": window.updated_min}
    return {name: moment.astimezone(UTC).isoformat(timespec="seconds") for name, moment in moments.items() if moment}
