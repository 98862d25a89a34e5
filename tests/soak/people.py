"""People who change their calendars at random, as Calendar's web page and an add-on let them.

They know nothing of confsync but `POST /initialize`, which the add-on calls.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from confsync.local.calendar_server.errors import ApiError
from confsync.local.calendar_server.people import Person, addon_conference
from confsync.local.stack import Stack
from confsync.local.stack_parts import SOLUTION_NAME
from tests.simulation.oracles.words import Words

WEEKLY = ("RRULE:FREQ=WEEKLY;COUNT=20",)


@dataclass
class Kept:
    """An event that somebody made."""

    person: Person
    event_id: str
    is_series: bool
    is_deleted: bool = False


class People:
    """Some people, each with a calendar, and what they made so far; gestures are drawn from one seed."""

    def __init__(self, stack: Stack, how_many: int, dice: random.Random) -> None:
        """Create the people."""
        self._stack, self._dice = stack, dice
        self._http = httpx.Client(trust_env=False, timeout=60)
        self.emails = [f"person{n}@example.com" for n in range(how_many)]
        for email in self.emails:
            self._post(f"{stack.urls.calendar}/_local/users", {"email": email, "time_zone": "UTC"})
        self._people = [Person(stack.urls.calendar, email) for email in self.emails]
        self._events: list[Kept] = []
        self.gestures = 0
        self.words = Words()
        """What the add-ons said."""

    def close(self) -> None:
        """Close the browsers."""
        for person in self._people:
            person.close()
        self._http.close()

    def begin(self) -> None:
        """Let each person create an event with a conference."""
        for person in self._people:
            self._create(person)

    def act(self) -> None:
        """Let somebody do something; what Calendar refuses by now (the event is gone) is no gesture."""
        choices: list[tuple[Callable[[Kept], object], int]] = [
            (self._rename, 6), (self._drag, 5), (self._delete, 2), (self._restore, 3), (self._take_out, 1),
            (self._move_occurrence, 2), (self._cancel_occurrence, 1), (self._split, 1), (self._duplicate, 1),
        ]  # fmt: skip
        if self._dice.random() < 0.2:
            self._create(self._dice.choice(self._people))
            return
        gesture = self._dice.choices([g for g, _ in choices], [weight for _, weight in choices])[0]
        try:
            gesture(self._dice.choice(self._events))
        except ApiError:
            return
        self.gestures += 1

    def _create(self, person: Person) -> None:
        """Do as an add-on: make a conference, put it into the event, tell confsync until it answers."""
        made = self._post(f"{self._stack.urls.vendor}/api/conferences", {"title": "New conference"})
        conference = addon_conference(made["conference_id"], solution=SOLUTION_NAME, uri=made["join_url"])
        is_series = self._dice.random() < 0.3
        rule = WEEKLY if is_series else ()
        event = person.create("Meeting", self._some_time(), 30, conference=conference, recurrence=rule)
        request = {"calendar_id": "primary", "subject": person.email, "event_id": event["id"]}
        self.words.say(made["conference_id"], (person.email, str(event["id"])))
        self._tell_confsync({**request, "conference_id": made["conference_id"]})
        self.words.hear(made["conference_id"], (person.email, str(event["id"])))
        self._events.append(Kept(person, event["id"], is_series))
        self.gestures += 1

    def _tell_confsync(self, request: dict[str, Any]) -> None:
        """A worker may be killed while it answers: add-ons ask again."""
        for _ in range(30):
            try:
                answer = self._http.post(f"{self._stack.urls.sync_calendar}/initialize", json=request)
            except httpx.TransportError:
                continue
            if answer.is_success:
                return
        raise AssertionError("confsync does not initialise a calendar; look at sync_calendar.log")

    def _rename(self, kept: Kept) -> None:
        kept.person.rename(kept.event_id, f"Meeting {self._dice.randrange(1000)}")

    def _drag(self, kept: Kept) -> None:
        if not kept.is_series:
            kept.person.drag(kept.event_id, self._some_time())

    def _delete(self, kept: Kept) -> None:
        if not kept.is_deleted:
            kept.person.delete(kept.event_id)
            kept.is_deleted = True

    def _restore(self, kept: Kept) -> None:
        if kept.is_deleted:
            kept.person.restore(kept.event_id)
            kept.is_deleted = False

    def _take_out(self, kept: Kept) -> None:
        kept.person.remove_conference(kept.event_id)

    def _move_occurrence(self, kept: Kept) -> None:
        if kept.is_series:
            kept.person.drag(self._occurrence(kept), self._some_time())

    def _cancel_occurrence(self, kept: Kept) -> None:
        if kept.is_series:
            kept.person.delete(self._occurrence(kept))

    def _split(self, kept: Kept) -> None:
        if kept.is_series:
            part = kept.person.edit_following(self._occurrence(kept), {"summary": "Meeting, new format"})
            self._events.append(Kept(kept.person, part["id"], is_series=True))

    def _duplicate(self, kept: Kept) -> None:
        copy = kept.person.duplicate(kept.event_id)
        self._events.append(Kept(kept.person, copy["id"], kept.is_series))

    def _occurrence(self, kept: Kept) -> str:
        occurrences = kept.person.occurrences(kept.event_id)
        return str(self._dice.choice(occurrences[1:])["id"]) if len(occurrences) > 1 else "none"

    def _some_time(self) -> datetime:
        day = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return day + timedelta(hours=self._dice.randrange(200))

    def _post(self, url: str, body: dict[str, Any]) -> Any:
        return self._http.post(url, json=body).raise_for_status().json()
