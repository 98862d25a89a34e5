"""Whatever is done, in whatever order and paging: who follows sync tokens ends with what a fresh list shows."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from confsync.local.calendar_server.errors import ApiError, Json
from confsync.local.calendar_server.model import CalendarModel
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    CYD,
    START,
    TEAM,
    Clock,
    a_model,
    meeting,
    occurrence,
    timed,
    weekly,
    with_conference,
)

V1 = {"conferenceDataVersion": 1}
PEOPLE = (ADA, BOB, CYD)


class Follower:
    """A client that keeps a calendar in step, one page at a time, as Google's guide says."""

    def __init__(self, model: CalendarModel, user: str, calendar_id: str, **params: Any) -> None:
        self.model, self.user, self.calendar_id, self.params = model, user, calendar_id, params
        self.known: dict[str, Json] = {}
        self.dead: set[str] = set()
        self.sync_token: str | None = None
        self.page_token: str | None = None

    def read_page(self) -> bool:
        """Read one page and tell whether it was the last one."""
        params = {**self.params, "syncToken": self.sync_token, "pageToken": self.page_token}
        try:
            page = self.model.list_events(
                self.user, self.calendar_id, {k: v for k, v in params.items() if v is not None}
            )
        except ApiError as error:
            stale_page = error.status == 400 and self.page_token is not None
            if error.status != 410 and not stale_page:
                raise
            self.known, self.dead, self.sync_token, self.page_token = {}, set(), None, None
            return False
        for item in page["items"]:
            self._apply(item)
        self.page_token = page.get("nextPageToken")
        if self.page_token is None:
            self.sync_token = page["nextSyncToken"]
        return self.page_token is None

    def _apply(self, item: Json) -> None:
        if not self.params.get("singleEvents"):
            (self.dead.add if item["status"] == "cancelled" else self.dead.discard)(item["id"])
        if item["status"] != "cancelled" or "originalStartTime" in item:
            self.known[item["id"]] = item
            return
        self.known.pop(item["id"], None)

    def catch_up(self) -> dict[str, Json]:
        """Finish the listing under way and one more, and return what is known."""
        for _ in range(2):
            while not self.read_page():
                pass
        # A deleted series takes its exceptions along; single events stand for themselves.
        return {k: v for k, v in self.known.items() if v.get("recurringEventId") not in self.dead}


def followers(model: CalendarModel) -> list[Follower]:
    """Return clients of several calendars with several parameters."""
    return [
        Follower(model, ADA, "primary", showDeleted=True, maxResults=2),
        Follower(model, BOB, "primary", maxResults=1),
        Follower(model, CYD, "primary", showDeleted=True, maxResults=250, timeZone="UTC"),
        Follower(model, ADA, TEAM, showDeleted=True, maxResults=3),
    ]


def unfolders(model: CalendarModel) -> list[Follower]:
    """Return clients that have series unfolded into single events."""
    return [
        Follower(model, ADA, "primary", singleEvents=True, showDeleted=True, maxResults=50),
        Follower(model, BOB, "primary", singleEvents=True, maxResults=7),
    ]


def living(known: dict[str, Json], *, single: bool) -> dict[str, Json]:
    """Reduce what is known to what has a meaning: with single events a cancelled one is simply not there."""
    return {k: v for k, v in known.items() if not (single and v["status"] == "cancelled")}


def check_convergence(model: CalendarModel, clients: list[Follower]) -> None:
    """Compare every client with a fresh one of the same parameters."""
    for client in clients:
        single = bool(client.params.get("singleEvents"))
        fresh = Follower(model, client.user, client.calendar_id, **client.params)
        assert living(client.catch_up(), single=single) == living(fresh.catch_up(), single=single)


def check_copies(model: CalendarModel) -> None:
    """Every guest of a living event has a copy with the organizer's conference, or has refused and removed it."""
    for organizer in (*PEOPLE, TEAM):
        for event_id, event in model.live_events(organizer).items():
            if not event["organizer"].get("self"):
                continue
            for guest in event.get("attendees", ()):
                if guest["email"] in PEOPLE and not guest.get("self"):
                    _check_copy(model, guest, event_id, event)


def _check_copy(model: CalendarModel, guest: Json, event_id: str, event: Json) -> None:
    if guest["email"] == event["organizer"]["email"]:
        return
    copy = model.get(guest["email"], "primary", event_id)
    if copy["status"] == "cancelled":
        was_organizer = copy.get("organizer", {}).get("email") != guest["email"]
        assert guest["responseStatus"] == "declined" or was_organizer
        return
    assert copy.get("conferenceData") == event.get("conferenceData")
    assert copy["organizer"]["email"] == event["organizer"]["email"]


class World:
    """A model and the moves that people can make in it, chosen by numbers."""

    def __init__(self, *without: str) -> None:
        self.clock = Clock()
        self.model = a_model(self.clock)
        self.ids: list[tuple[str, str, str]] = []
        self.moves: tuple[Callable[[int, int], Any], ...] = (
            self.insert, self.insert_series, self.rename, self.drag, self.delete, self.restore, self.answer,
            self.change_guests, self.change_occurrence, self.cancel_occurrence, self.cut, self.cut_off, self.move,
            self.drop_conference, self.set_reminder, self.edit_all, self.shorten, self.answer_occurrence,
        )  # fmt: skip
        self.moves = tuple(move for move in self.moves if move.__name__ not in without)

    def act(self, move: int, a: int, b: int) -> None:
        """Make a move; what Calendar refuses changes nothing."""
        try:
            self.moves[move % len(self.moves)](a, b)
        except ApiError:
            return

    def _pick(self, a: int) -> tuple[str, str, str]:
        return self.ids[a % len(self.ids)] if self.ids else (ADA, "primary", "none")

    def _add(self, user: str, calendar_id: str, event: Json) -> None:
        self.ids += [(user, calendar_id, event["id"]), (PEOPLE[len(self.ids) % 3], "primary", event["id"])]

    def insert(self, a: int, b: int) -> None:
        user = PEOPLE[a % 3]
        calendar_id = TEAM if user == ADA and b % 5 == 0 else "primary"
        body = with_conference(meeting("One", *[p for i, p in enumerate(PEOPLE) if b >> i & 1]))
        self._add(user, calendar_id, self.model.insert(user, calendar_id, body, V1))

    def insert_series(self, a: int, b: int) -> None:
        rule = ("RRULE:FREQ=WEEKLY;COUNT=6", "RRULE:FREQ=DAILY;COUNT=5", "RRULE:FREQ=WEEKLY;UNTIL=20260415")[b % 3]
        user = PEOPLE[a % 3]
        guests = [p for i, p in enumerate(PEOPLE) if b >> i & 1]
        event = self.model.insert(user, "primary", with_conference(weekly(*guests, rule=rule)), V1)
        self._add(user, "primary", event)

    def rename(self, a: int, b: int) -> None:
        self.model.patch(*self._pick(a), {"summary": f"Title {b}"})

    def drag(self, a: int, b: int) -> None:
        self.model.patch(*self._pick(a), timed(START + timedelta(hours=b % 7)))

    def delete(self, a: int, _: int) -> None:
        self.model.delete(*self._pick(a))

    def restore(self, a: int, _: int) -> None:
        self.model.patch(*self._pick(a), {"status": "confirmed"})

    def answer(self, a: int, b: int) -> None:
        self._answer(*self._pick(a), b)

    def answer_occurrence(self, a: int, b: int) -> None:
        user, calendar_id, event_id = self._pick(a)
        self._answer(user, calendar_id, occurrence(event_id, b % 5), b)

    def _answer(self, user: str, calendar_id: str, event_id: str, b: int) -> None:
        guests = self.model.get(user, calendar_id, event_id).get("attendees", [])
        for guest in guests:
            if guest.get("self"):
                guest["responseStatus"] = ("accepted", "declined", "tentative")[b % 3]
        self.model.patch(user, calendar_id, event_id, {"attendees": guests})

    def change_guests(self, a: int, b: int) -> None:
        guests = [{"email": p} for i, p in enumerate(PEOPLE) if b >> i & 1]
        self.model.patch(*self._pick(a), {"attendees": guests})

    def change_occurrence(self, a: int, b: int) -> None:
        user, calendar_id, event_id = self._pick(a)
        self.model.patch(user, calendar_id, occurrence(event_id, b % 5), {"summary": f"Special {b}"})

    def cancel_occurrence(self, a: int, b: int) -> None:
        user, calendar_id, event_id = self._pick(a)
        self.model.delete(user, calendar_id, occurrence(event_id, b % 5))

    def cut(self, a: int, b: int) -> None:
        user, calendar_id, event_id = self._pick(a)
        changes = {"summary": f"Part {b}"} if b % 2 else timed(START + timedelta(weeks=b % 5, hours=2))
        part = self.model.edit_this_and_following(user, calendar_id, occurrence(event_id, b % 5), changes)
        self._add(user, calendar_id, part)

    def cut_off(self, a: int, b: int) -> None:
        user, calendar_id, event_id = self._pick(a)
        self.model.delete_this_and_following(user, calendar_id, occurrence(event_id, b % 5))

    def move(self, a: int, b: int) -> None:
        user, calendar_id, event_id = self._pick(a)
        self.model.move(ADA, calendar_id if user == ADA else "primary", event_id, {"destination": (TEAM, ADA)[b % 2]})
        self.ids.append((ADA, (TEAM, "primary")[b % 2], event_id))

    def drop_conference(self, a: int, _: int) -> None:
        self.model.patch(*self._pick(a), {"conferenceData": None}, V1)

    def set_reminder(self, a: int, b: int) -> None:
        reminders = {"useDefault": False, "overrides": [{"method": "popup", "minutes": b}]}
        self.model.patch(*self._pick(a), {"reminders": reminders})

    def edit_all(self, a: int, b: int) -> None:
        self.model.edit_all(*self._pick(a), {"location": f"Room {b}"})

    def shorten(self, a: int, b: int) -> None:
        self.model.patch(*self._pick(a), {"recurrence": [f"RRULE:FREQ=WEEKLY;COUNT={1 + b % 6}"]})


class SyncMachine(RuleBasedStateMachine):
    """People act while clients page; faults of lists come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.clients = followers(self.world.model)

    @rule(move=st.integers(0, 17), a=st.integers(0, 30), b=st.integers(0, 30))
    def act(self, move: int, a: int, b: int) -> None:
        self.world.act(move, a, b)

    @rule(client=st.integers(0, 3))
    def read_page(self, client: int) -> None:
        self.clients[client].read_page()

    @precondition(lambda self: self.world.ids)
    @rule(scope=st.sampled_from((None, ADA, BOB)))
    def expire_tokens(self, scope: str | None) -> None:
        self.world.model.expire_sync_tokens(scope)

    @rule(lag_ms=st.sampled_from((0, 0, 40)), empty=st.integers(0, 2), cap=st.sampled_from((None, 1)))
    def turn_knobs(self, lag_ms: int, empty: int, cap: int | None) -> None:
        options = self.world.model.options
        options.list_lag_ms, options.empty_pages, options.page_cap = lag_ms, empty, cap

    def teardown(self) -> None:
        self.world.clock.advance(seconds=60)
        check_convergence(self.world.model, self.clients)
        check_copies(self.world.model)


TestSync = SyncMachine.TestCase
TestSync.settings = settings(
    max_examples=15,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def walk(world: World, clients: list[Follower], seed: int, moves: int) -> None:
    """Make moves, let clients read now and then, and compare at the end."""
    dice = random.Random(seed)  # noqa: S311  (repeatable, not secret)
    for _ in range(moves):
        world.act(dice.randrange(18), dice.randrange(40), dice.randrange(40))
        if dice.random() < 0.5:
            dice.choice(clients).read_page()
        if dice.random() < 0.01:
            world.model.expire_sync_tokens()
    check_convergence(world.model, clients)
    check_copies(world.model)


@pytest.mark.parametrize("seed", range(10))
def test_random_walks_converge(seed: int) -> None:
    """Long walks of many moves, with clients that read now and then, end in agreement."""
    world = World()
    walk(world, followers(world.model), seed, 120)


@pytest.mark.parametrize("without", [("cut", "cut_off", "edit_all"), ("shorten", "drag")])
@pytest.mark.parametrize("seed", range(4))
def test_unfolded_series_converge(seed: int, without: tuple[str, ...]) -> None:
    """Who lists single events ends in agreement too, unless parts of one series are made to overlap."""
    world = World(*without)
    walk(world, unfolders(world.model), seed, 60)


def test_the_same_calls_give_the_same_answers() -> None:
    """The model has no dice of its own: two runs of one walk are equal to the last letter."""

    def run() -> list[dict[str, Json]]:
        dice, world = random.Random(7), World()  # noqa: S311  (repeatable, not secret)
        for _ in range(200):
            world.act(dice.randrange(18), dice.randrange(40), dice.randrange(40))
        return [world.model.live_events(calendar_id) for calendar_id in (*PEOPLE, TEAM)]

    assert run() == run()
