"""What people do to single events in a simulation, and how they choose them: steps of the workload tape, by name.

Every gesture goes through the Calendar model. One that Calendar refuses is simply not done. It must never look at what
confsync stored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from confsync.local.calendar_server.errors import ApiError
from confsync.local.calendar_server.model import CalendarModel
from confsync.local.calendar_server.people import addon_conference
from confsync.local.calendar_server.records import Version
from confsync.local.calendar_server.recurrence import instance_id, starts
from tests.simulation.oracles.bodies import conference_of
from tests.simulation.tapes import Step
from tests.world import ANN, BOB, START, times

TEAM, ELSEWHERE, CAROL = "team@group.example.com", "elsewhere@group.example.com", "carol@example.com"
V1 = {"conferenceDataVersion": "1"}
WRITERS = {ANN: ANN, BOB: BOB, TEAM: CAROL, ELSEWHERE: ANN, CAROL: CAROL}
"""Who writes in each calendar; `ELSEWHERE` and Carol's own are never synced."""
SUBJECTS = {ANN: ANN, BOB: BOB, TEAM: BOB}
"""As whom each calendar is synced."""
RULES = ("RRULE:FREQ=WEEKLY;COUNT=6", "RRULE:FREQ=DAILY;COUNT=5", "RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY;INTERVAL=2")
_BOUNDS = ("start", "end")
ZONES = ("Europe/Berlin", "America/New_York", "UTC")
COPIED = ("summary", "start", "end", "recurrence", "attendees", "conferenceData", "description", "visibility")


@dataclass(frozen=True)
class Place:
    """Where an event is, or was."""

    calendar_id: str
    event_id: str

    @property
    def writer(self) -> str:
        """Who writes there."""
        return WRITERS[self.calendar_id]


@dataclass(frozen=True)
class Done:
    """A gesture that Calendar carried out, and what it made of the event that it was about."""

    action: str
    at: datetime
    place: Place | None = None
    before: Version | None = None
    """The event before; None: it was not there, or is an instance like all others."""
    after: Version | None = None


@dataclass
class Gestures:
    """The people, and what they remember of their events."""

    model: CalendarModel
    register: Callable[[str, str, str, float], None]
    """Called with calendar, conference, event and a delay in seconds when the add-on vouches for a conference."""
    places: list[Place] = field(default_factory=list)
    conferences: list[str] = field(default_factory=list)
    earlier: dict[Place, dict[str, Any]] = field(default_factory=dict)
    """What an event was before it was renamed, or lost its conference."""
    is_polled: bool = False
    """Whether the team calendar cannot be watched."""
    moves: list[tuple[str, str, str]] = field(default_factory=list)
    """Event, where it was, where it went."""
    step: int = 0
    """Number of the step that is being done: it names what the step makes, whatever was done before."""
    done: list[Done] = field(default_factory=list)
    """What Calendar let happen."""
    drafts: list[str] = field(default_factory=list)
    """Conferences of events that were never saved."""
    _about: tuple[Place, Version | None] | None = None
    """The first event that the step touches, and what it was."""
    _chosen: Place | None = None
    """The event that the dice mean, whatever they say."""

    def __post_init__(self) -> None:
        """Create a team calendar that Bob writes and one that nobody syncs; let Ann write in Bob's calendar."""
        self.model.add_user(CAROL)
        self.model.add_calendar(TEAM, CAROL, roles={ANN: "writer", BOB: "owner"}, push_supported=not self.is_polled)
        self.model.add_calendar(ELSEWHERE, ANN, roles={BOB: "writer"})
        self.model.share(BOB, {ANN: "writer"})

    def do(self, step: Step) -> bool:
        """Do what the step says; whether Calendar let it happen."""
        self.step, self._about = step.number, None
        try:
            getattr(self, f"_{step.action}")(step.dice)
        except ApiError:
            return False
        self.done.append(self._deed(step.action))
        return True

    def do_about(self, about: str, step: Step) -> bool:
        """Do what the step says, to the event that has this id or names this conference, if people know one."""
        before = self.step
        self._chosen = next((place for place in reversed(self.places) if self._is_of(place, about)), None)
        try:
            return self.do(step)
        finally:
            self._chosen, self.step = None, before

    def _is_of(self, place: Place, about: str) -> bool:
        newest = self._newest(place)
        return place.event_id == about or (newest is not None and conference_of(newest.body) == about)

    def _deed(self, action: str) -> Done:
        if self._about is None:
            return Done(action, self.model.state.now())
        place, before = self._about
        return Done(action, self.model.state.now(), place, before, self._newest(place))

    def _touch(self, place: Place) -> Place:
        """Remember what the event was before the step."""
        if self._about is None:
            self._about = place, self._newest(place)
        return place

    def _newest(self, place: Place) -> Version | None:
        entry = self.model.state.calendars[place.calendar_id].entries.get(place.event_id)
        return entry.newest if entry is not None else None

    # Choosing

    def _place(self, dice: tuple[int, ...]) -> Place:
        if not self.places:
            raise ApiError(404, "notFound", "nobody has an event yet")
        if self._chosen is not None:
            return self._chosen
        return self.places[-1 - dice[0] % min(len(self.places), 6)]

    def _patch(self, place: Place, changes: Mapping[str, Any]) -> None:
        self._touch(place)
        self.model.patch(place.writer, place.calendar_id, place.event_id, dict(changes), V1)

    def _erase(self, place: Place) -> None:
        self._touch(place)
        self.model.delete(place.writer, place.calendar_id, place.event_id)

    def _see(self, place: Place) -> dict[str, Any]:
        return self.model.get(place.writer, place.calendar_id, place.event_id)

    def _instance(self, dice: tuple[int, ...]) -> Place:
        place = self._series(dice)
        found = list(islice(starts(self._see(place)), 5))
        if not found:
            raise ApiError(404, "notFound", "the series has no instance")
        return Place(place.calendar_id, instance_id(place.event_id, found[dice[1] % len(found)]))

    def _series(self, dice: tuple[int, ...]) -> Place:
        series = [p for p in self.places if self._see(p).get("recurrence")]
        if not series:
            raise ApiError(404, "notFound", "nobody has a series yet")
        return series[dice[0] % len(series)]

    def _title(self, dice: tuple[int, ...]) -> dict[str, Any]:
        return {"summary": f"Title {dice[4] % 4}"}  # few, so that titles come back

    def _hours(self, dice: tuple[int, ...], zone: str = ZONES[0]) -> dict[str, Any]:
        near = dice[3] % 6 == 0
        start = START + (timedelta(minutes=dice[3] % 40) if near else timedelta(days=2, hours=dice[3] % 9))
        return dict(times(start, 30 if dice[2] % 2 else 60, zone))

    # Single events

    def _create(self, dice: tuple[int, ...]) -> None:
        calendar_id = (ANN, ANN, BOB, TEAM)[dice[0] % 4]
        body: dict[str, Any] = {**self._title(dice), **self._hours(dice, ZONES[dice[5] % 3])}
        if dice[1] % 3 == 0:
            body["recurrence"] = [RULES[dice[2] % len(RULES)]]
        if dice[1] % 5 == 0:
            body["attendees"] = [{"email": email} for email in (ANN, BOB)]
            body["guestsCanModify"] = dice[2] % 3 == 0
        conference_id = self._new_conference()
        body["conferenceData"] = addon_conference(conference_id)
        place = self._insert(calendar_id, body)
        self.register(calendar_id, conference_id, place.event_id, (0, 0, 0.5, 40)[dice[5] % 4])

    def _new_conference(self) -> str:
        self.conferences.append(f"c{self.step}")
        return self.conferences[-1]

    def _insert(self, calendar_id: str, body: Mapping[str, Any]) -> Place:
        event = self.model.insert(WRITERS[calendar_id], calendar_id, dict(body), V1)
        return self._found(Place(calendar_id, str(event["id"])))

    def _found(self, place: Place) -> Place:
        """Know an event that has just come about."""
        if self._about is None:
            self._about = place, None
        if place not in self.places:
            self.places.append(place)
        return place

    def _rename(self, dice: tuple[int, ...]) -> None:
        place = self._place(dice)
        self._remember(place, "summary")
        self._patch(place, self._title(dice))

    def _rename_back(self, dice: tuple[int, ...]) -> None:
        place = self._place(dice)
        before = self.earlier.get(place, {})
        self._remember(place, "summary")
        self._patch(place, {"summary": before.get("summary", "Title 0")})

    def _remember(self, place: Place, name: str) -> None:
        self.earlier[place] = {**self.earlier.get(place, {}), name: self._see(place).get(name)}

    def _pulse(self, dice: tuple[int, ...]) -> None:
        for number in range(12):
            self._patch(self._place(dice), {"summary": f"Draft {number}"})

    def _retime(self, dice: tuple[int, ...]) -> None:
        self._patch(self._place(dice), self._hours(dice))

    def _rezone(self, dice: tuple[int, ...]) -> None:
        place = self._place(dice)
        seen = self._see(place)
        moved: dict[str, Any] = {
            name: {**seen[name], "timeZone": ZONES[dice[1] % 3]} for name in _BOUNDS if name in seen
        }
        self._patch(place, moved)

    def _all_day(self, dice: tuple[int, ...]) -> None:
        self._patch(self._place(dice), {"start": {"date": "2026-11-25"}, "end": {"date": "2026-11-26"}})

    def _stretch(self, dice: tuple[int, ...]) -> None:
        self._patch(self._place(dice), times(START + timedelta(days=3, hours=dice[3] % 9), (0, 3000)[dice[1] % 2]))

    def _describe(self, dice: tuple[int, ...]) -> None:
        self._patch(self._place(dice), {"description": f"Agenda {dice[4] % 3}", "location": f"Room {dice[5] % 2}"})

    def _remind(self, dice: tuple[int, ...]) -> None:
        overrides = [{"method": "popup", "minutes": dice[1]}]
        self._patch(self._place(dice), {"reminders": {"useDefault": False, "overrides": overrides}})

    def _privacy(self, dice: tuple[int, ...]) -> None:
        self._patch(self._place(dice), {"visibility": ("private", "public", "default")[dice[1] % 3]})

    def _delete(self, dice: tuple[int, ...]) -> None:
        self._erase(self._place(dice))

    def _restore(self, dice: tuple[int, ...]) -> None:
        self._patch(self._place(dice), {"status": "confirmed"})

    def _delete_forever(self, dice: tuple[int, ...]) -> None:
        place = self._touch(self._place(dice))
        self.model.delete_forever(place.writer, place.calendar_id, place.event_id)

    def _vanish(self, dice: tuple[int, ...]) -> None:
        self._delete(dice)
        self.model.expire_sync_tokens()

    def _duplicate(self, dice: tuple[int, ...]) -> None:
        place = self._place(dice)
        self._insert(place.calendar_id, {k: v for k, v in self._see(place).items() if k in COPIED})

    def _rename_past(self, dice: tuple[int, ...]) -> None:
        place = self._place(dice)
        self._patch(place, times(START - timedelta(days=90)))
        self._patch(place, self._title(dice))
