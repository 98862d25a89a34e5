"""The local stack as the benchmarks on the whole system use it: users with an event and its conference each.

It must never shorten a time of production but where a benchmark says so.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from confsync.local.calendar_server.people import Person, addon_conference
from confsync.local.demo_watch import wait_until
from confsync.local.stack import Stack, StackOptions
from confsync.local.stack_parts import SOLUTION_NAME

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=3)


class NotSettled(Exception):
    """The stack did not do in time what it was to do."""


@dataclass(frozen=True)
class Owned:
    """A user and the event that has a conference."""

    person: Person
    event_id: str
    conference_id: str


class ServedStack:
    """A running stack and its users."""

    def __init__(self, stack: Stack, cleanup: ExitStack) -> None:
        """Talk to a stack that runs."""
        self.stack = stack
        self._cleanup = cleanup
        self._http = cleanup.enter_context(httpx.Client(trust_env=False, timeout=40))

    def user(self, number: int) -> Owned:
        """Return a new user with an event that has a conference."""
        email = f"user-{number}@example.com"
        self.post(f"{self.stack.urls.calendar}/_local/users", {"email": email, "time_zone": "UTC"})
        return self.event_of(self._cleanup.enter_context(Person(self.stack.urls.calendar, email)))

    def event_of(self, person: Person) -> Owned:
        """Do as an add-on: make a conference, put it into a new event, initialise."""
        urls = self.stack.urls
        made = self.post(f"{urls.vendor}/api/conferences", {"title": "New"})
        conference = addon_conference(made["conference_id"], solution=SOLUTION_NAME, uri=made["join_url"])
        event = person.create("New", START, 30, conference=conference)
        named = {"conference_id": made["conference_id"], "event_id": event["id"]}
        self.post(f"{urls.sync_calendar}/initialize", {"calendar_id": "primary", "subject": person.email, **named})
        return Owned(person, str(event["id"]), str(made["conference_id"]))

    def settle(self, within_s: float = 60) -> None:
        """Wait until pushes are delivered and no task is due within a few seconds. Raises NotSettled."""
        if not wait_until(self._is_quiet, within_s):
            raise NotSettled(f"the stack was still busy after {within_s:g} s: see {self.stack.folder.logs}")

    def _is_quiet(self) -> bool:
        self._http.post(f"{self.stack.urls.calendar}/_local/settle_pushes").raise_for_status()
        soon = datetime.now(UTC) + timedelta(seconds=8)
        waiting = self.get(f"{self.stack.urls.tasks}/_local/tasks")["waiting"]
        return all(datetime.fromisoformat(task["schedule_time"]) > soon for task in waiting)

    def calls(self, after: int) -> list[Mapping[str, Any]]:
        """Return the calls that reached the vendor's back end since the one with this number."""
        found: list[Mapping[str, Any]] = self.get(f"{self.stack.urls.vendor}/_local/calls?after={after}")["calls"]
        return found

    def committed_syncs(self) -> int:
        """Return how many syncs the worker's log says were committed."""
        lines = self.stack.log_of("sync_calendar").read_text().splitlines()
        return sum('"message":"sync synced"' in line for line in lines)

    def titles(self) -> dict[str, str]:
        """Return the title that the back end holds, by conference id."""
        held = self.get(f"{self.stack.urls.vendor}/_local/conferences")["conferences"]
        return {conference["conference_id"]: conference["desired"]["title"] for conference in held}

    def get(self, url: str) -> Any:
        """Return an answer's JSON."""
        return self._http.get(url).raise_for_status().json()

    def post(self, url: str, body: Mapping[str, Any]) -> Any:
        """Post JSON and return the answer's."""
        return self._http.post(url, json=body).raise_for_status().json()


@contextmanager
def served_stack(options: StackOptions | None = None) -> Iterator[ServedStack]:
    """Run a stack in a temporary folder."""
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(TemporaryDirectory()))
        stack = cleanup.enter_context(Stack(folder, options))
        yield ServedStack(stack, cleanup)
