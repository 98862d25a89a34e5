"""The whole system in one process, on a clock that only tests move: production use cases, in-process parts.

A user's write is pushed at once through the real receiver; tasks run when the clock reaches them; the scheduler runs
every minute. `settle` runs until nothing is left to do.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from confsync.adapters.memory import MemoryStore
from confsync.adapters.memory_tasks import MemoryTaskQueue
from confsync.core.capabilities import Capabilities
from confsync.core.channels import PushTerms, SigningKey
from confsync.core.conference import Conference
from confsync.core.records import Calendar, Failure, Link
from confsync.core.rules import Rules
from confsync.core.solutions import Solution
from confsync.core.state import Field
from confsync.core.tasks import SYNC, Task
from confsync.core.terms import Terms
from confsync.errors import ConfsyncError
from confsync.initialize_syncing import InitializeOutcome, InitializeRequest, initialize_syncing
from confsync.local.calendar_server.model import CalendarModel
from confsync.local.calendar_server.people import addon_conference
from confsync.local.in_process import InProcessCalendar, RecordingProvider
from confsync.ports import ConferenceProvider, Outside, Store
from confsync.receive_notification import receive_notification
from confsync.renew_channels import renew_channels
from confsync.sync_calendar import SyncOutcome, SyncRequest, sync_calendar
from confsync.update_conference import UpdateOutcome, update_conference

ANN, BOB = "ann@example.com", "bob@example.com"
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ALL_FIELDS = frozenset(get_args(Field))
PUSH = PushTerms("https://receiver.example.com/", (SigningKey("k1", b"0123456789abcdef"),))
SOLUTION = Solution(provider="acme", names=frozenset({"Sample Meetings"}))


class Crash(BaseException):
    """The process dies here: nothing catches it, nothing is cleaned up."""


class World:
    """Two people, their calendars, confsync, and a conferencing system."""

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        capabilities: Capabilities | None = None,
        store: Store | None = None,
        page_size: int = 2500,
    ) -> None:
        """Start with nobody initialised."""
        self.now = START
        numbers = itertools.count()
        self.new_id: Callable[[], str] = lambda: f"a{next(numbers):012d}"
        self.model = CalendarModel(lambda: self.now, self.new_id, on_change=self._announce)
        for email in (ANN, BOB):
            self.model.add_user(email)
        self.provider = RecordingProvider(capabilities or Capabilities(ALL_FIELDS, ordered_writes=True, restores=True))
        self.providers: dict[str, ConferenceProvider] = {"acme": self.provider}
        self.store = store or MemoryStore()
        self.queue = MemoryTaskQueue()
        self.rules = rules or Rules()
        self.calendar_calls: list[str] = []
        self.before_calendar: Callable[[str], None] = lambda _: None
        self.calendar_api = InProcessCalendar(self.model, self._before_calendar, page_size)
        self.terms = Terms("default", [SOLUTION], {"acme": self.provider.capabilities}, self.rules)
        self.lose_pushes = False
        self.outcomes: list[SyncOutcome | UpdateOutcome] = []
        self.next_run = START + timedelta(minutes=1)

    @property
    def outside(self) -> Outside:
        """The ports, as one worker holds them."""
        return Outside(self.store, self.calendar_api, self.queue, self.providers, lambda: self.now, self.new_id)

    def _before_calendar(self, operation: str) -> None:
        self.calendar_calls.append(operation)
        self.before_calendar(operation)

    # What people and their add-on do

    def create(
        self,
        title: str,
        conference_id: str | None = None,
        *,
        who: str = ANN,
        calendar_id: str = "primary",
        **fields: Any,
    ) -> str:
        """Create an event tomorrow, with a conference if one is named, and return its id."""
        start = START + timedelta(days=1)
        body: dict[str, Any] = {"summary": title, **times(start), **fields}
        if conference_id is not None:
            body["conferenceData"] = addon_conference(conference_id)
        event: dict[str, Any] = self.model.insert(who, calendar_id, body, {"conferenceDataVersion": "1"})
        return str(event["id"])

    def edit(self, event_id: str, who: str = ANN, calendar_id: str = "primary", **changes: Any) -> None:
        """Change fields of an event."""
        self.model.patch(who, calendar_id, event_id, changes, {"conferenceDataVersion": "1"})

    def delete(self, event_id: str, who: str = ANN, calendar_id: str = "primary") -> None:
        """Delete an event."""
        self.model.delete(who, calendar_id, event_id)

    def restore(self, event_id: str, who: str = ANN, calendar_id: str = "primary") -> None:
        """Take a deleted event out of the trash."""
        self.edit(event_id, who, calendar_id, status="confirmed")

    def duplicate(self, event_id: str, who: str = ANN, calendar_id: str = "primary") -> str:
        """Duplicate an event as the web page does, and return the copy's id."""
        return str(self.model.duplicate(who, calendar_id, event_id)["id"])

    def move(self, event_id: str, destination: str, who: str = ANN, calendar_id: str = "primary") -> None:
        """Give an event to another calendar of the same person."""
        self.model.move(who, calendar_id, event_id, {"destination": destination})

    def instances(self, series_id: str, who: str = ANN, calendar_id: str = "primary") -> list[str]:
        """Return the ids of a series' occurrences, the earliest first."""
        return [str(item["id"]) for item in self.model.instances(who, calendar_id, series_id)["items"]]

    def split(self, series_id: str, before: int, who: str = ANN, calendar_id: str = "primary", **changes: Any) -> str:
        """Change "this and following" from the occurrence of this number (from 0) on; return the new part's id."""
        cut = self.instances(series_id, who, calendar_id)[before]
        return str(self.model.edit_this_and_following(who, calendar_id, cut, changes)["id"])

    def initialize(
        self,
        conference_id: str | None = None,
        event_id: str | None = None,
        who: str = ANN,
        calendar_id: str = "primary",
    ) -> InitializeOutcome:
        """Do what the add-on asks for after it created a conference."""
        request = InitializeRequest(
            calendar_id=calendar_id, subject=who, conference_id=conference_id, event_id=event_id, provider=None
        )
        return initialize_syncing(request, self.outside, self.terms, PUSH)

    def add(
        self, title: str, conference_id: str, *, who: str = ANN, calendar_id: str = "primary", **fields: Any
    ) -> str:
        """Create an event with a conference and register it."""
        event_id = self.create(title, conference_id, who=who, calendar_id=calendar_id, **fields)
        self.initialize(conference_id, event_id, who, calendar_id)
        return event_id

    # What Google's services do

    def _announce(self, calendar_id: str) -> None:
        if not self.lose_pushes:
            self.push(calendar_id)

    def push(self, calendar_id: str) -> None:
        """Send a notification through every open channel of the calendar."""
        for channel in self.model.open_channels(calendar_id):
            headers = {
                "X-Goog-Channel-ID": channel.id,
                "X-Goog-Channel-Token": channel.token or "",
                "X-Goog-Resource-ID": channel.resource_id,
                "X-Goog-Resource-State": "exists",
            }
            receive_notification(headers, PUSH.keys, self.queue, self.now, rules=self.rules)

    def run(self, task: Task) -> None:
        """Deliver a task to the worker; one that fails is put back to be tried again."""
        try:
            self.outcomes.append(self._deliver(task))
        except ConfsyncError:
            self.queue.put_back(replace(task, schedule_time=self.now + timedelta(seconds=1)))
        except Crash:
            self.queue.put_back(replace(task, schedule_time=self.now + timedelta(seconds=1)))
            raise

    def _deliver(self, task: Task) -> SyncOutcome | UpdateOutcome:
        if task.path == SYNC:
            return sync_calendar(SyncRequest(**task.body), self.outside, self.terms)
        return update_conference(task.body["conference_key"], self.outside, self.terms)

    def schedule(self) -> None:
        """Run renew_channels, as the scheduler does every minute."""
        renew_channels(self.outside, PUSH, self.terms)

    def advance(self, seconds: float) -> None:
        """Let time pass, with everything that happens meanwhile."""
        until = self.now + timedelta(seconds=seconds)
        while True:
            for task in self.queue.pop_due(self.now):
                self.run(task)
            times_ahead = [
                t.schedule_time for t in self.queue.waiting if t.schedule_time and t.schedule_time > self.now
            ]
            step = min([until, self.next_run, *times_ahead])
            if any(t.schedule_time is None or t.schedule_time <= self.now for t in self.queue.waiting):
                continue
            if self.now >= until:
                return
            self.now = max(step, self.now)
            if self.now >= self.next_run:
                self.next_run = self.now + timedelta(minutes=1)
                self.schedule()

    def settle(self) -> None:
        """Let ten minutes pass: longer than any grace, lease, intent or second look."""
        self.advance(600)

    # What can be looked at

    def told(self, conference_id: str) -> Any:
        """Return what the back end holds; None when it ended, KeyError when it was never told."""
        return self.provider.conferences[conference_id].state

    def calendar(self, who: str = ANN, calendar_id: str | None = None) -> Calendar:
        """Return the stored calendar; a user's own unless it is named."""
        found = self.store.get(Calendar, Calendar.key_for("default", calendar_id or who, who))
        assert found is not None
        return found

    def conference(self, conference_id: str) -> Conference:
        """Return the stored conference."""
        found = self.store.get(Conference, Conference.key_for("default", "acme", conference_id))
        assert found is not None
        return found

    def link(self, event_id: str, who: str = ANN, calendar_id: str | None = None) -> Link | None:
        """Return the stored link of an event; of a user's own calendar unless another is named."""
        return self.store.get(Link, Link.key_for(Calendar.key_for("default", calendar_id or who, who), event_id))

    def failures(self) -> list[Failure]:
        """Return all stored failures."""
        return self.store.all_of(Failure, after="", limit=1000)


def times(start: datetime, minutes: int = 60, zone: str = "Europe/Berlin") -> Mapping[str, Any]:
    """Return start and end of an event as Calendar takes them."""
    end = start + timedelta(minutes=minutes)
    return {
        "start": {"dateTime": start.isoformat(), "timeZone": zone},
        "end": {"dateTime": end.isoformat(), "timeZone": zone},
    }
