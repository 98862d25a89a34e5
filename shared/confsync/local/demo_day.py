"""A day in the life of two people and a team calendar, scene by scene, as Calendar's web page and an add-on play it.

It must never ask confsync for anything but what an add-on asks, `POST /initialize`: what follows is confsync's work.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import httpx

from confsync.local.calendar_server.people import Person, addon_conference
from confsync.local.demo_watch import Watch, wait_until
from confsync.local.stack import Stack, StackError
from confsync.local.stack_parts import SOLUTION_NAME

ANNA, BEN, CLEO = "anna@example.com", "ben@example.com", "cleo@example.com"
TEAM = "team@group.calendar.example.com"
CALENDARS = {ANNA: ANNA, BEN: BEN, TEAM: ANNA, CLEO: CLEO}
"""Id and owner of each calendar."""
ZONE = "Europe/Zurich"
GRACE_S, RECONCILE_S = 2, 2
STORM = 200
CHANNEL_S, LONG_CHANNEL_S = 5, 7 * 24 * 3600

Expects = Literal["update", "nothing"]


@dataclass(frozen=True)
class Scene:
    """Something that somebody does, and what has to follow from it."""

    title: str
    act: Callable[[], None]
    expects: Expects = "update"


class Day:
    """The people, and the events that they have made so far."""

    def __init__(self, stack: Stack, watch: Watch) -> None:
        """Create the people and their calendars."""
        self._stack = stack
        self._watch = watch
        self._http = httpx.Client(trust_env=False, timeout=40)
        self._anna = Person(stack.urls.calendar, ANNA)
        self._ben = Person(stack.urls.calendar, BEN)
        self._cleo = Person(stack.urls.calendar, CLEO)
        self._events: dict[str, str] = {}
        self.written_at = datetime.now(UTC)
        """When the last write of the current scene was sent."""

    def close(self) -> None:
        """Close the browsers."""
        for browser in (self._anna, self._ben, self._cleo, self._http):
            browser.close()

    def scenes(self) -> tuple[Scene, ...]:
        """Return the day in order; each scene builds on those before it."""
        return (
            Scene("Anna creates her first event with a conference (cold start)", self._create),
            Scene("Anna renames it", self._rename),
            Scene("Anna drags it to another hour", self._drag),
            Scene("Anna invites Ben", self._invite),
            Scene("Ben accepts", lambda: self._rsvp("accepted"), "nothing"),
            Scene("Ben creates his first event with a conference", self._create_bens),
            Scene("Ben, who may not edit Anna's event, drags his copy", self._drag_copy, "nothing"),
            Scene("Anna changes her reminder", self._remind, "nothing"),
            Scene("Anna creates a weekly series with a conference", self._create_series),
            Scene("Anna moves one occurrence", self._move_occurrence),
            Scene("Anna cancels one occurrence", self._cancel_occurrence),
            Scene('Anna renames "this and following": the series splits', self._split),
            Scene("Anna creates an event in the team's calendar", self._create_teams),
            Scene(f"Anna deletes her first event; after {GRACE_S} s of grace it ends", self._delete),
            Scene("Anna restores it from the trash; the conference is back", self._restore),
            Scene("Anna takes the conference out of the team's event; it ends", self._remove_conference),
            Scene(f"Anna edits the first one {STORM} times as fast as she can", self._storm),
            Scene("The worker is killed with a sync in hand, and restarted", self._kill_worker),
            Scene("A push gets lost; reconciliation finds the change", self._lose_push),
            Scene(
                f"Cleo's push channel lives {CHANNEL_S} s; it is renewed, and her change arrives", self._outlive_channel
            ),
        )

    # Anna's first event

    def _create(self) -> None:
        self._events["first"] = self._with_conference(self._anna, "Kick-off", self._at(1, 10))

    def _rename(self) -> None:
        self._write(lambda: self._anna.rename(self._events["first"], "Kick-off with the new team"))

    def _drag(self) -> None:
        self._write(lambda: self._anna.drag(self._events["first"], self._at(1, 14)))

    def _invite(self) -> None:
        self._write(lambda: self._anna.add_guest(self._events["first"], BEN))

    def _rsvp(self, response: Literal["accepted"]) -> None:
        self._write(lambda: self._ben.rsvp(self._events["first"], response))

    def _drag_copy(self) -> None:
        self._write(lambda: self._ben.drag(self._events["first"], self._at(1, 16)))

    def _remind(self) -> None:
        self._write(lambda: self._anna.set_reminder(self._events["first"], 5))

    def _delete(self) -> None:
        self._write(lambda: self._anna.delete(self._events["first"]))

    def _restore(self) -> None:
        self._write(lambda: self._anna.restore(self._events["first"]))

    # Other events

    def _create_bens(self) -> None:
        self._events["bens"] = self._with_conference(self._ben, "Design review", self._at(2, 9))

    def _create_teams(self) -> None:
        self._events["teams"] = self._with_conference(self._anna, "Team lunch", self._at(3, 12), calendar_id=TEAM)

    def _remove_conference(self) -> None:
        self._write(lambda: self._anna.remove_conference(self._events["teams"], TEAM))

    # The series

    def _create_series(self) -> None:
        rule = ("RRULE:FREQ=WEEKLY",)
        self._events["series"] = self._with_conference(self._anna, "Weekly", self._at(4, 11), recurrence=rule)

    def _occurrence(self, number: int) -> str:
        return str(self._anna.occurrences(self._events["series"])[number]["id"])

    def _move_occurrence(self) -> None:
        second = self._occurrence(1)
        self._write(lambda: self._anna.drag(second, self._at(4 + 7 + 1, 15)))

    def _cancel_occurrence(self) -> None:
        third = self._occurrence(2)
        self._write(lambda: self._anna.delete(third))

    def _split(self) -> None:
        fifth = self._anna.occurrences(self._events["series"])[3]["id"]
        self._write(lambda: self._anna.edit_following(fifth, {"summary": "Weekly, new format"}))

    # When things go wrong

    def _storm(self) -> None:
        for number in range(1, STORM + 1):
            self._write(lambda title=f"Kick-off, draft {number}": self._anna.rename(self._events["first"], title))  # type: ignore[misc]

    def _kill_worker(self) -> None:
        self._stack.freeze("sync_calendar")
        self._write(lambda: self._ben.rename(self._events["bens"], "Design review, moved to the big room"))
        if not wait_until(self._watch.in_flight, 10):
            raise StackError("no task reached the worker within 10 s; look at receive_notification.log")
        self._stack.kill("sync_calendar")
        self._stack.start("sync_calendar", {"RECONCILE_INTERVAL_S": str(RECONCILE_S)})

    def _lose_push(self) -> None:
        self._turn({"pushes": {"lose": {"next": 1}}})
        self._write(lambda: self._ben.drag(self._events["bens"], self._at(2, 17)))

    def _outlive_channel(self) -> None:
        self._turn({"channel_ttl_cap_s": CHANNEL_S})
        cleos = self._with_conference(self._cleo, "Onboarding", self._at(5, 10))
        self._turn({"channel_ttl_cap_s": LONG_CHANNEL_S})
        lapsed_at = datetime.now(UTC) + timedelta(seconds=CHANNEL_S)
        wait_until(lambda: datetime.now(UTC) > lapsed_at, CHANNEL_S + 1)
        self._write(lambda: self._cleo.rename(cleos, "Onboarding, second day"))

    def _turn(self, knobs: dict[str, Any]) -> None:
        self._post(f"{self._stack.urls.calendar}/_local/faults", knobs)

    # Below

    def prepare(self) -> None:
        """Create the people and the team's calendar; harmless when they are known."""
        for email in (ANNA, BEN, CLEO):
            self._post(f"{self._stack.urls.calendar}/_local/users", {"email": email, "time_zone": ZONE})
        team = {"id": TEAM, "owner": ANNA, "summary": "Team", "time_zone": ZONE}
        self._post(f"{self._stack.urls.calendar}/_local/calendars", team)

    def _with_conference(
        self,
        person: Person,
        title: str,
        start: datetime,
        *,
        calendar_id: str = "primary",
        recurrence: tuple[str, ...] = (),
    ) -> str:
        """Do as an add-on: make a conference, put it into the event, tell confsync; return the event's id."""
        made = self._post(f"{self._stack.urls.vendor}/api/conferences", {"title": "New conference"})
        conference_id, uri = made["conference_id"], made["join_url"]
        conference = addon_conference(conference_id, solution=SOLUTION_NAME, uri=uri)
        self.written_at = datetime.now(UTC)
        event = person.create(
            title, start, 30, conference=conference, calendar_id=calendar_id, recurrence=recurrence, time_zone=ZONE
        )
        request = {"calendar_id": calendar_id, "subject": person.email}
        named = {"conference_id": conference_id, "event_id": event["id"]}
        self._post(f"{self._stack.urls.sync_calendar}/initialize", {**request, **named})
        return str(event["id"])

    def _write(self, gesture: Callable[[], object]) -> None:
        self.written_at = datetime.now(UTC)
        gesture()

    def _post(self, url: str, body: dict[str, Any]) -> Any:
        return self._http.post(url, json=body).raise_for_status().json()

    def _at(self, days: int, hour: int) -> datetime:
        """Return a full hour some days from today."""
        day = datetime.now(ZoneInfo(ZONE)) + timedelta(days=days)
        return day.replace(hour=hour, minute=0, second=0, microsecond=0)
