"""Google Calendar as a simulation sees it: the in-process Calendar behind the gate.

It must never answer anything that the Calendar model would not, but for the faults of the tape; of those two last: what
Calendar refused to show of one event it refuses for ever, and so it does the pages of one listing.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from confsync.core.events import Event, EventPage, Window
from confsync.errors import CalendarRequestRejected, PageTokenRejected
from confsync.ports import Address, CalendarApi, WatchedChannel
from tests.simulation.gate import Gate
from tests.simulation.instance import Instance

STUB = {"kind", "etag", "id", "status"}
"""All that an id-only tombstone shows."""


class Watch(Protocol):
    """Who wants to know what was asked."""

    def asked_for(self, calendar_id: str) -> int:
        """Return how many syncs of the calendar were asked for by now."""

    def watch_stop(self, calendar_id: str, channel_id: str, worker: Instance) -> None:
        """Hear of a channel that is about to be stopped."""

    def watch_write(self, calendar_id: str, event_id: str, conference_data: Mapping[str, Any] | None) -> None:
        """Hear of conference data that is about to be written into an event."""

    def watch_page(self, calendar_id: str, items: int, worker: Instance) -> None:
        """Hear of a page that a worker was shown."""

    def watch_reading(self, worker: Instance) -> None:
        """Hear of an event that a worker is about to read on its own."""


class SimulatedCalendar:
    """The `CalendarApi` of a simulation."""

    def __init__(self, api: CalendarApi, gate: Gate, watch: Watch) -> None:
        """Pass calls on to `api`."""
        self._api, self._gate, self._watch = api, gate, watch
        self.covers: dict[str, int] = {}
        """By page token or sync token: how many syncs were asked for when the first page of its listing left."""
        self.refused: set[str] = set()
        """Ids of events that Calendar refuses to show on their own."""
        self._listings = 0
        self._broken: set[str] = set()
        """Listings of which no page is shown any more."""
        self._in_series: set[Instance] = set()
        """Who read the exceptions of a series last, and goes on with the series itself: that is one reading."""

    def list_events(self, at: Address, *, sync_token: str | None, page_token: str | None, window: Window) -> EventPage:
        """Return one page."""
        name = "events.list more" if page_token else "events.list" if sync_token else "events.list all"
        caller = self._gate.caller()
        caller.notes.pop("dropped its token", None)
        if page_token is not None:
            caller.notes.setdefault("went on with a page", self._gate.clock.now)
        asked = self.covers[page_token] if page_token else self._watch.asked_for(at.calendar_id)
        number, token = self._listing(page_token)

        def listed() -> EventPage:
            if number in self._broken:
                raise PageTokenRejected("the listing was broken off", "invalid")
            return self._api.list_events(at, sync_token=sync_token, page_token=token, window=window)

        try:
            page = self._gate.passing("calendar", name, listed, sorts=("page",) if page_token else ())
        except PageTokenRejected:
            self._broken.add(number)
            raise
        if page.next_page_token is not None:
            page = page.model_copy(update={"next_page_token": f"{number}.{page.next_page_token}"})
        self._remember(page, asked, caller)
        self._watch.watch_page(at.calendar_id, len(page.items), caller)
        return page

    def _listing(self, page_token: str | None) -> tuple[str, str | None]:
        """Return the number of the listing that a page is of, and the token as the model knows it."""
        if page_token is not None:
            number, _, token = page_token.partition(".")
            return number, token
        self._listings += 1
        return str(self._listings), None

    def _remember(self, page: EventPage, asked: int, caller: Instance) -> None:
        """A token that two listings end with shows the same changes: whoever asked before the later one is served."""
        for token in (page.next_page_token, page.next_sync_token):
            if token is not None:
                self.covers[token] = max(asked, self.covers.get(token, 0))
        if any(item.keys() == STUB for item in page.items):
            caller.notes.setdefault("saw an id-only tombstone", self._gate.clock.now)

    def list_series(self, at: Address, ical_uid: str) -> tuple[Event, ...]:
        """Return a series."""
        self._in_series.add(self._gate.caller())
        return self._gate.passing("calendar", "events.list series", lambda: self._api.list_series(at, ical_uid))

    def get_event(self, at: Address, event_id: str) -> Event | None:
        """Return an event."""
        caller = self._gate.caller()
        if caller not in self._in_series:
            self._watch.watch_reading(caller)
        self._in_series.discard(caller)

        def shown() -> Event | None:
            if event_id in self.refused:
                raise CalendarRequestRejected("injected", "badRequest")
            return self._api.get_event(at, event_id)

        try:
            return self._gate.passing(
                "calendar", f"events.get {event_id}", shown, sorts=_sorts(caller, "event"), about=event_id
            )
        except CalendarRequestRejected:
            self.refused.add(event_id)
            raise

    def write_conference_data(
        self, at: Address, event_id: str, etag: str, conference_data: Mapping[str, Any] | None
    ) -> Event:
        """Write conference data."""

        def write() -> Event:
            before = self._api.get_event(at, event_id)
            if before is not None and before.etag == etag:
                self._watch.watch_write(at.calendar_id, event_id, conference_data)
            return self._api.write_conference_data(at, event_id, etag, conference_data)

        sorts = _sorts(self._gate.caller(), "write")
        return self._gate.passing("calendar", f"events.update {event_id}", write, sorts=sorts, about=event_id)

    def watch_events(
        self, at: Address, *, channel_id: str, channel_token: str, address: str, ttl_s: int
    ) -> WatchedChannel:
        """Open a channel."""
        return self._gate.passing(
            "calendar",
            "events.watch",
            lambda: self._api.watch_events(
                at, channel_id=channel_id, channel_token=channel_token, address=address, ttl_s=ttl_s
            ),
        )

    def stop_channel(self, at: Address, channel_id: str, resource_id: str) -> None:
        """Stop a channel."""
        self._watch.watch_stop(at.calendar_id, channel_id, self._gate.caller())
        self._gate.passing("calendar", "channels.stop", lambda: self._api.stop_channel(at, channel_id, resource_id))


def _sorts(caller: Instance, sort: str) -> tuple[str, ...]:
    """Return as what a call about an event is counted: also by what its worker is at."""
    if "made a conference" in caller.notes:
        return sort, "rewrite"
    return (sort,) if caller.fences else (sort, "look")
