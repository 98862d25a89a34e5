"""The local parts without processes: the same Calendar, reached by calls instead of HTTP, and a recording back end.

For tests and simulations of the use cases. Answers go through the same bytes, parsers and error table as over HTTP. It
must never behave better than the servers do.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from confsync.adapters.google_calendar_errors import Call, UnknownToCalendar, refusal
from confsync.core.capabilities import Capabilities
from confsync.core.events import LIST_FIELDS, Event, EventPage, Window, parse_event, parse_page
from confsync.core.state import ConferenceState
from confsync.errors import ConferenceGone, ConferenceStale, PreconditionFailed
from confsync.local.calendar_server.errors import ApiError
from confsync.local.calendar_server.model import CalendarModel
from confsync.local.calendar_server.people import addon_conference
from confsync.ports import Address, ConferenceCall, CreateCall, CreatedConference, WatchedChannel

LIST = {
    "singleEvents": "false",
    "showDeleted": "true",
    "eventTypes": "default",
    "timeZone": "UTC",
    "maxResults": "2500",
    "fields": LIST_FIELDS,
}


class InProcessCalendar:
    """The `CalendarApi` port over a Calendar model in the same process."""

    def __init__(
        self, model: CalendarModel, before: Callable[[str], None] | None = None, page_size: int = 2500
    ) -> None:
        """Keep the model.

        Args:
            before: called with the name of each operation before it takes effect; may raise.
            page_size: most items of one page.

        """
        self._model = model
        self._before = before or (lambda _: None)
        self._page_size = page_size

    def list_events(self, at: Address, *, sync_token: str | None, page_token: str | None, window: Window) -> EventPage:
        """Return one page; see the port."""
        call = Call("events.list", "calendar", sync_token is not None, page_token is not None)
        narrowed = {"syncToken": sync_token} if sync_token else _range(window)
        params = {**LIST, "maxResults": str(self._page_size), **narrowed, **_given(pageToken=page_token)}
        return parse_page(self._ask(call, lambda: self._model.list_events(at.subject, at.calendar_id, params)))

    def list_series(self, at: Address, ical_uid: str) -> tuple[Event, ...]:
        """Return master and exceptions; see the port."""
        params = {**LIST, "iCalUID": ical_uid}
        content = self._ask(
            Call("events.list", "calendar"), lambda: self._model.list_events(at.subject, at.calendar_id, params)
        )
        return tuple(parse_event(item) for item in parse_page(content).items)

    def get_event(self, at: Address, event_id: str) -> Event | None:
        """Return the event; see the port."""
        try:
            content = self._ask(
                Call("events.get", "event"), lambda: self._model.get(at.subject, at.calendar_id, event_id)
            )
        except UnknownToCalendar:
            return None
        return parse_event(content)

    def write_conference_data(
        self, at: Address, event_id: str, etag: str, conference_data: Mapping[str, Any] | None
    ) -> Event:
        """Replace the conference data; see the port."""
        whole = self._ask(Call("events.get", "event"), lambda: self._model.get(at.subject, at.calendar_id, event_id))
        body = json.loads(whole) | {"conferenceData": conference_data}
        if body["etag"] != etag:
            raise PreconditionFailed("the event changed since it was read")
        params = {"conferenceDataVersion": "1", "sendUpdates": "none"}
        call = Call("events.update", "event", if_match=True)
        written = self._ask(
            call, lambda: self._model.update(at.subject, at.calendar_id, event_id, body, params, if_match=etag)
        )
        return parse_event(written)

    def watch_events(
        self, at: Address, *, channel_id: str, channel_token: str, address: str, ttl_s: int
    ) -> WatchedChannel:
        """Open a channel; see the port."""
        body = {"id": channel_id, "type": "web_hook", "address": address, "token": channel_token}
        asked = {**body, "params": {"ttl": str(ttl_s)}}
        call = Call("events.watch", "calendar")
        answer = json.loads(self._ask(call, lambda: self._model.watch(at.subject, at.calendar_id, asked)))
        expires_at = datetime.fromtimestamp(int(answer["expiration"]) / 1000, UTC)
        return WatchedChannel(answer["resourceId"], expires_at)

    def stop_channel(self, at: Address, channel_id: str, resource_id: str) -> None:
        """Stop a channel; see the port."""
        body = {"id": channel_id, "resourceId": resource_id}
        try:
            self._ask(Call("channels.stop", "channel"), lambda: self._model.stop(at.subject, body))
        except UnknownToCalendar:
            return

    def _ask(self, call: Call, ask: Callable[[], Any]) -> bytes:
        self._before(call.operation)
        try:
            return json.dumps(ask()).encode()
        except ApiError as error:
            raise refusal(call, error.status, {}, json.dumps(error.to_json()).encode()) from error


def _range(window: Window) -> dict[str, str]:
    return {
        name: moment.isoformat()
        for name, moment in (("timeMin", window.time_min), ("updatedMin", window.updated_min))
        if moment
    }


def _given(**params: str | None) -> dict[str, str]:
    return {name: value for name, value in params.items() if value is not None}


@dataclass
class KeptConference:
    """A conference as the recording back end holds it."""

    generation: int
    state: ConferenceState | None
    """None: it ended."""


@dataclass
class RecordingProvider:
    """A back end that orders writes by generation and keeps every call that took effect."""

    capabilities: Capabilities
    before: Callable[[ConferenceCall], None] = lambda _: None
    """Called before a call takes effect; may raise."""
    after: Callable[[ConferenceCall], None] = lambda _: None
    """Called after it took effect; may raise."""
    before_create: Callable[[CreateCall], None] = lambda _: None
    """Called before a conference is made; may raise."""
    after_create: Callable[[CreateCall], None] = lambda _: None
    """Called after a conference was made; may raise."""
    calls: list[ConferenceCall] = field(default_factory=list)
    conferences: dict[str, KeptConference] = field(default_factory=dict)
    """By conference id."""
    created: dict[str, CreatedConference] = field(default_factory=dict)
    """By operation id."""
    hosts: dict[str, str] = field(default_factory=dict)
    """By conference id: who hosts it."""

    def update(self, call: ConferenceCall) -> None:
        """Keep the state; see the port."""
        self._apply(call)

    def end(self, call: ConferenceCall) -> None:
        """Keep that it ended; see the port."""
        self._apply(replace(call, state=None))

    def create(self, call: CreateCall) -> CreatedConference:
        """Keep a new conference; see the port."""
        self.before_create(call)
        if call.operation_id not in self.created:
            conference_id = f"{call.replaces}-n{len(self.created) + 1}"
            self.created[call.operation_id] = CreatedConference(conference_id, addon_conference(conference_id))
            self.conferences[conference_id] = KeptConference(1, call.state)
        self.after_create(call)
        return self.created[call.operation_id]

    def host_of(self, conference_id: str) -> str | None:
        """Return who hosts the conference; see the port."""
        return self.hosts.get(conference_id)

    def _apply(self, call: ConferenceCall) -> None:
        self.before(call)
        kept = self.conferences.get(call.conference_id)
        if kept is not None and kept.state is None and call.state is not None and not self.capabilities.restores:
            raise ConferenceGone(f"conference {call.conference_id} ended for good")
        if kept is not None and kept.generation > call.generation:
            raise ConferenceStale("a newer generation is stored", kept.generation)
        self.calls.append(call)
        self.conferences[call.conference_id] = KeptConference(call.generation, call.state)
        self.after(call)
