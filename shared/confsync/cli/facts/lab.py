"""The place for experiments: calendars that the run creates itself, and deletes however it ends.

It must never touch another calendar: every write goes to a calendar of `Lab.created`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from confsync.adapters.google_calendar_errors import Call
from confsync.cli.facts.api import UNMASKED, Api, Json
from confsync.cli.facts.inventory import addon_conference_id
from confsync.errors import CalendarError, CalendarUnavailable
from confsync.local.calendar_server.people import addon_conference

_TRIES = 3
_LOOK_EVERY_S = 0.5


class Unanswered(Exception):
    """A trial that says nothing; its only argument is why, as one of the words of `redaction`."""


class CalendarsLeft(Exception):
    """Calendars of the run could not be deleted; the message says how to do it by hand."""


class Lab:
    """The calendars of one run and what can be done in them; use it in a block of `opened`."""

    def __init__(
        self,
        api: Api,
        *,
        title: str,
        started_at: datetime,
        pause: Callable[[float], None],
        patience_s: float,
    ) -> None:
        """Keep the settings; calendars are created by `open`.

        Args:
            title: of the first calendar, unique to this run; further ones get a number.
            started_at: with zone; events begin on the next day.
            pause: waits so many seconds.
            patience_s: how long a list may lag behind a write.

        """
        self.api = api
        self.created: dict[str, str | None] = {}
        """Ids by title; None while it is not known whether the calendar came to be."""
        self._title = title
        self._started_at = started_at
        self._pause = pause
        self._patience_s = patience_s
        self._conferences = 0
        self._known: set[str] = set()

    def open(self) -> None:
        """Create the calendars; raises `CalendarError`, and leaves what is there to `clean`."""
        self.home, self.other = self._create(self._title), self._create(f"{self._title} (2)")

    def _create(self, title: str) -> str:
        # Noted before the call: an interruption must not lose a calendar whose answer was on its way.
        self.created[title] = None
        request = self.api.service.calendars().insert(body={"summary": title, "timeZone": "UTC"})
        calendar_id = str(self.api.need(Call("calendars.insert", "event"), request)["id"])
        self.created[title] = calendar_id
        return calendar_id

    def clean(self) -> None:
        """Delete the calendars of this run, as far as they are still there.

        Raises:
            CalendarsLeft: that was not possible.

        """
        left = [title for title, calendar_id in list(self.created.items()) if not self._is_gone(title, calendar_id)]
        if left:
            raise CalendarsLeft(
                f"could not delete {' and '.join(map(repr, left))}: in Calendar open Settings, choose the calendar "
                "under 'Settings for my calendars', then 'Remove calendar' and 'Delete'"
            )

    def _is_gone(self, title: str, calendar_id: str | None) -> bool:
        for _ in range(_TRIES):
            try:
                for found in self._named(title) if calendar_id is None else [calendar_id]:
                    self.delete_calendar(found)
            except CalendarUnavailable:
                self._pause(1.0)
            except CalendarError:
                return False
            else:
                self.created.pop(title, None)
                return True
        return False

    def _named(self, title: str) -> list[str]:
        """Look up a calendar whose creation was broken off, by its title, which only this run gives."""
        resource, found = self.api.service.calendarList(), []
        request = resource.list(maxResults=250, showHidden=True)
        while request is not None:
            page = self.api.need(Call("calendarList.list", "event"), request)
            found += [entry["id"] for entry in page.get("items", []) if entry.get("summary") == title]
            request = resource.list_next(request, page)
        return found

    def delete_calendar(self, calendar_id: str) -> None:
        """Delete one of the own calendars; one that is gone is no error.

        Raises:
            CalendarError: it is refused or fails.

        """
        call = Call("calendars.delete", "event")
        reply = self.api.ask(call, self.api.service.calendars().delete(calendarId=calendar_id))
        if reply.error is not None and reply.status not in (404, 410):
            raise reply.error
        # What a second deletion would be answered is one of the questions: so there is none.
        self.created = {title: known for title, known in self.created.items() if known != calendar_id}

    # What trials are made of

    def event(self, title: str, **fields: Any) -> Json:
        """Create an event in the first calendar, tomorrow at ten."""
        start = (self._started_at.astimezone(UTC) + timedelta(days=1)).replace(hour=10, minute=0, second=0)
        body = {"summary": f"confsync facts: {title}", "start": moment(start), "end": moment(start, minutes=30)}
        request = self.api.events.insert(
            calendarId=self.home, body=body | fields, conferenceDataVersion=1, sendUpdates="none"
        )
        event = self.api.need(Call("events.insert", "event"), request)
        self._known.add(event["id"])
        return event

    def meeting(self, title: str, **fields: Any) -> Json:
        """Create an event with conference data as an add-on makes them.

        Raises:
            Unanswered: the API dropped them.

        """
        self._conferences += 1
        conference = addon_conference(f"facts-{self._conferences}", solution="confsync facts")
        event = self.event(title, conferenceData=conference, **fields)
        if addon_conference_id(event) is None:
            raise Unanswered("no conference")
        return event

    def series(self, title: str) -> Json:
        """Create a daily series of six with such a conference."""
        return self.meeting(title, recurrence=["RRULE:FREQ=DAILY;COUNT=6"])

    def occurrence(self, series: Json, number: int) -> Json:
        """Return an occurrence of a series in the first calendar, counted from 0."""
        request = self.api.events.instances(calendarId=self.home, eventId=series["id"])
        items: list[Json] = self.api.need(Call("events.instances", "event"), request)["items"]
        return sorted(items, key=lambda item: str(item["start"]["dateTime"]))[number]

    def write(self, verb: str, event: Json, **parameters: Any) -> Json:
        """Call a writing method of `events` on an event of the first calendar; the answer may be empty."""
        request = getattr(self.api.events, verb)(calendarId=self.home, eventId=event["id"], **parameters)
        return self.api.need(Call(f"events.{verb}", "event"), request)

    def sync_token(self, calendar_id: str) -> str:
        """Return where a calendar's changes are now."""
        *_, last = self.api.pages(calendar_id, **UNMASKED)
        return str(last["nextSyncToken"])

    def changes(self, calendar_id: str, sync_token: str, enough: Callable[[Sequence[Json]], bool]) -> list[Json]:
        """List what changed since a token, again and again until it is enough or patience ends."""

        def look() -> list[Json]:
            pages = self.api.pages(calendar_id, **UNMASKED, syncToken=sync_token)
            return [item for page in pages for item in page.get("items", ())]

        found: list[Json] = self.eventually(look, enough)
        return found

    def surprise(self, sync_token: str) -> Json:
        """Return the event, single or series, that somebody else has put into the first calendar since a token.

        Raises:
            Unanswered: none is listed in time.

        """

        def fresh(items: Sequence[Json]) -> list[Json]:
            new = [item for item in items if item["id"] not in self._known and "recurringEventId" not in item]
            return [item for item in new if item.get("status") != "cancelled"]

        found = fresh(self.changes(self.home, sync_token, lambda items: bool(fresh(items))))
        if not found:
            raise Unanswered("not listed in time")
        self._known.add(found[0]["id"])
        return found[0]

    def eventually(self, look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
        """Look until it is good or patience ends, and return what was seen last."""
        waited_s, seen = 0.0, look()
        while not good(seen) and waited_s < self._patience_s:
            self._pause(_LOOK_EVERY_S)
            waited_s, seen = waited_s + _LOOK_EVERY_S, look()
        return seen


@contextmanager
def opened(lab: Lab, tell: Callable[[str], None]) -> Iterator[None]:
    """Create the calendars of a lab for a `with` block, and delete them however it ends.

    Raises:
        CalendarsLeft: they could not be deleted.

    """
    try:
        try:
            lab.open()
            yield
        finally:
            tell("Deleting the calendars of this run")
            lab.clean()
    finally:
        # Once more, in case the cleaning up itself was interrupted; when it was not, nothing is left to delete.
        lab.clean()


def moment(at: datetime, minutes: int = 0) -> Json:
    """Return a time as events have it."""
    return {"dateTime": (at + timedelta(minutes=minutes)).isoformat(timespec="seconds"), "timeZone": "UTC"}


def item_of(items: Sequence[Json], event_id: str) -> Json | None:
    """Return an event of a list."""
    return next((item for item in items if item.get("id") == event_id), None)
