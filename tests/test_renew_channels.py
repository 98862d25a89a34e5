"""The scheduler's run: channels that never lapse, and whatever is overdue."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

import pytest

from confsync import worker_parts
from confsync.adapters.memory import MemoryStore
from confsync.adapters.threads import several_at_once
from confsync.core import leases
from confsync.core.conference import Conference
from confsync.core.records import Calendar, Record
from confsync.core.rules import Rules
from confsync.due import MOST_UNREADABLE, PAGE
from confsync.errors import (
    CalendarAccessLost,
    CalendarError,
    CalendarQuotaExceeded,
    CalendarRateLimited,
    CalendarRequestRejected,
    CalendarUnavailable,
    PushNotSupported,
    StoreUnavailable,
)
from confsync.open_channel import open_channel
from confsync.ports import CalendarApi, Store, Transaction
from confsync.renew_channels import renew_channels
from tests.contracts.store_damage import damage_in_memory
from tests.world import ANN, PUSH, START, Crash, World, times

DAY = 24 * 3600


def _put(record: Record, tx: Transaction) -> None:
    tx.put(record)


def test_a_channel_is_replaced_before_it_lapses() -> None:
    """At every moment of a month some channel is open."""
    world = World(rules=Rules(reconcile_s=30 * DAY))
    world.initialize()
    opened = set()
    for _ in range(30):
        world.advance(DAY)
        channels = world.model.open_channels(ANN)
        assert len(channels) == 1
        opened.add(channels[0].id)
    assert 4 < len(opened) < 10


def test_the_old_channel_is_stopped_only_after_the_new_one_is_stored() -> None:
    """Make before break."""
    world = World()
    world.initialize()
    stored: list[tuple[str, list[str]]] = []
    world.before_calendar = lambda operation: stored.append((operation, [c.state for c in world.calendar().channels]))
    open_channel(world.calendar().key, world.outside, PUSH, world.rules)
    assert stored == [("events.watch", ["active", "pending"]), ("channels.stop", ["retiring", "active"])]


@pytest.mark.parametrize("broken", ["events.watch", "channels.stop"])
def test_a_crash_in_a_renewal_leaves_no_gap_and_no_pile(broken: str) -> None:
    """The next runs finish it."""
    world = World()
    world.initialize()

    def crash(operation: str) -> None:
        if operation == broken:
            world.before_calendar = lambda _: None
            raise Crash

    world.before_calendar = crash
    with pytest.raises(Crash):
        open_channel(world.calendar().key, world.outside, PUSH, world.rules)
    assert world.model.open_channels(ANN)
    world.advance(8 * DAY)
    assert len(world.model.open_channels(ANN)) == 1
    assert len(world.calendar().channels) == 1


def test_two_renewals_at_once_leave_one_channel() -> None:
    """The loser of the race stops its own."""
    world = World()
    world.initialize()
    key = world.calendar().key

    def rival(operation: str) -> None:
        if operation == "events.watch":
            world.before_calendar = lambda _: None
            assert open_channel(key, world.outside, PUSH, world.rules).status == "active"

    world.before_calendar = rival
    assert open_channel(key, world.outside, PUSH, world.rules).status == "superseded"
    assert len(world.model.open_channels(ANN)) == 1


def test_lost_access_is_reported_once_and_tried_again_slowly() -> None:
    """Thirteen hours of refused renewals are one alert and as many tries."""
    world = World()
    world.initialize()
    tries = 0

    def refuse(_: str) -> None:
        nonlocal tries
        tries += 1
        raise CalendarAccessLost("gone", reason="notFound")

    world.store.transact(lambda tx: tx.put(world.calendar().model_copy(update={"renew_at": world.now})))
    world.before_calendar = refuse
    assert renew_channels(world.outside, PUSH, world.terms).alert
    world.advance(13 * 3600)
    assert 20 < tries < 40  # one sync and one renewal an hour
    world.before_calendar = lambda _: None
    world.advance(2 * 3600)
    assert world.calendar().state == "active"
    assert len(world.model.open_channels(ANN)) == 1


@pytest.mark.parametrize("error", [CalendarUnavailable("503"), CalendarRateLimited("slow", "rateLimitExceeded", 90)])
def test_a_refused_renewal_is_tried_again(error: Exception) -> None:
    """The old channel stays open meanwhile."""
    world = World()
    world.initialize()
    failures = 2

    def refuse(operation: str) -> None:
        nonlocal failures
        if operation == "events.watch" and failures:
            failures -= 1
            raise error

    world.before_calendar = refuse
    world.store.transact(lambda tx: tx.put(world.calendar().model_copy(update={"renew_at": world.now})))
    before = world.model.open_channels(ANN)
    renew_channels(world.outside, PUSH, world.terms)
    assert world.model.open_channels(ANN)[0].id == before[0].id
    world.settle()
    assert [channel.state for channel in world.calendar().channels] == ["active"]
    assert world.calendar().channels[0].id != before[0].id


@pytest.mark.parametrize(
    ("error", "alerts", "most_tries"),
    [
        (CalendarRequestRejected("no", "push.webhookUrlUnauthorized"), 1, 38),
        (CalendarQuotaExceeded("enough", "quotaExceeded"), 1, 25),
        (CalendarRateLimited("slow", "rateLimitExceeded"), 0, 38),
        (CalendarUnavailable("503"), 0, 38),
    ],
)
def test_a_renewal_that_fails_for_a_day_is_tried_ever_more_slowly_and_reported_once(
    error: CalendarError, alerts: int, most_tries: int
) -> None:
    """Only what an operator can mend is reported; the channel that is open stays open, and recovers by itself."""
    world = World(rules=Rules(reconcile_s=30 * DAY))
    world.initialize()
    tries, reported = [], []

    def refuse(operation: str) -> None:
        if operation == "events.watch":
            tries.append(world.now)
            raise error

    world.before_calendar = refuse
    due(world)
    for _ in range(24 * 60):
        reported += renew_channels(world.outside, PUSH, world.terms).channels.alerts
        world.now += timedelta(minutes=1)
    assert len(reported) == alerts
    assert 20 < len(tries) <= most_tries
    assert len(world.model.open_channels(ANN)) == 1
    world.before_calendar = lambda _: None
    world.advance(2 * 3600)
    assert [channel.state for channel in world.calendar().channels] == ["active"]
    assert (world.calendar().failed_renewals, world.calendar().channel_error) == (0, "")


def test_a_calendar_that_cannot_be_watched_is_reported_once_polled_and_watched_as_soon_as_it_can_be() -> None:
    """A month of refusals is one alert and a try a week."""
    world = World()
    event_id = world.add("Planning", "c1", **times(START + timedelta(days=60)))
    refused = []

    def refuse(operation: str) -> None:
        if operation == "events.watch":
            refused.append(world.now)
            raise PushNotSupported("no", "pushNotSupportedForRequestedResource")

    world.before_calendar = refuse
    due(world)
    world.lose_pushes = True
    assert renew_channels(world.outside, PUSH, world.terms).alert
    world.advance(13 * DAY)
    world.edit(event_id, summary="Polled")
    world.advance(16 * 60)
    assert world.told("c1").title == "Polled"
    assert (len(refused), world.calendar().state) == (2, "poll_only")
    due(world)
    assert not renew_channels(world.outside, PUSH, world.terms).alert
    world.before_calendar = lambda _: None
    world.lose_pushes = False
    world.advance(8 * DAY)
    assert world.calendar().state == "active"
    world.edit(event_id, summary="Pushed")
    world.advance(5)
    assert world.told("c1").title == "Pushed"


def test_a_calendar_that_can_be_listed_but_not_watched_is_reported_once() -> None:
    """Each listing thaws it and each renewal freezes it again; the next incident is news again."""
    world = World(rules=Rules(reconcile_s=30 * DAY))
    world.initialize()
    world.before_calendar = _refusing(CalendarAccessLost("no", "forbidden"))
    due(world)
    assert len(_alerts(world, hours=6)) == 1
    world.before_calendar = lambda _: None
    assert _alerts(world, hours=2) == []
    assert (world.calendar().state, world.calendar().channel_error) == ("active", "")
    world.before_calendar = _refusing(CalendarAccessLost("no", "forbidden"))
    due(world)
    assert len(_alerts(world, hours=6)) == 1


def test_a_calendar_that_was_polled_by_choice_and_cannot_be_watched_is_reported_once() -> None:
    """With another `INGRESS` it is expected to be watched."""
    world = World(rules=Rules(ingress="poll"))
    world.initialize()
    world.rules = Rules()
    world.terms = replace(world.terms, rules=world.rules)
    world.before_calendar = _refusing(PushNotSupported("no", "pushNotSupportedForRequestedResource"))
    due(world)
    assert len(_alerts(world, hours=1)) == 1
    due(world)
    assert _alerts(world, hours=1) == []
    assert (world.calendar().state, world.calendar().reason) == ("poll_only", "pushNotSupportedForRequestedResource")


def test_a_calendar_that_cannot_be_watched_is_not_reported_again_when_it_thaws() -> None:
    """It was known before it froze."""
    world = World()
    world.before_calendar = _refusing(PushNotSupported("no", "pushNotSupportedForRequestedResource"))
    world.initialize()
    frozen = leases.freeze(world.calendar(), "notFound", world.now, world.rules)
    world.store.transact(partial(_put, frozen))
    assert _alerts(world, hours=2) == []
    assert (world.calendar().state, world.calendar().full_listings) == ("poll_only", 2)


def _refusing(error: CalendarError) -> Callable[[str], None]:
    """Refuse to watch and nothing else."""

    def refuse(operation: str) -> None:
        if operation == "events.watch":
            raise error

    return refuse


def _alerts(world: World, hours: int) -> list[tuple[str, str]]:
    """Let time pass, and return what an operator heard of channels."""
    alerts = []
    for _ in range(hours * 60):
        alerts += renew_channels(world.outside, PUSH, world.terms).channels.alerts
        for task in world.queue.pop_due(world.now):
            world.run(task)
        world.now += timedelta(minutes=1)
    return alerts


def test_a_run_that_calendar_slows_down_stops_and_leaves_the_rest_to_the_next() -> None:
    """The project's limit is everybody's: more calls would only make it worse."""
    world = World(rules=Rules(reconcile_s=30 * DAY))
    watched = []

    def refuse(operation: str) -> None:
        if operation == "events.watch":
            watched.append(operation)
            raise CalendarRateLimited("slow", "rateLimitExceeded")

    world.before_calendar = refuse
    many(world, PAGE + 50)
    outcome = renew_channels(world.outside, PUSH, world.terms)
    assert (len(watched), outcome.channels.is_rate_limited, outcome.more) == (PAGE, True, True)
    world.before_calendar = lambda _: None
    assert renew_channels(world.outside, PUSH, world.terms).channels.statuses == {"active": 50}


def test_a_run_goes_on_page_by_page_and_renews_each_calendar_once() -> None:
    """More than a page, the most overdue first."""
    world = World(rules=Rules(reconcile_s=30 * DAY))
    many(world, 2 * PAGE + 7)
    outcome = renew_channels(world.outside, PUSH, world.terms)
    assert (outcome.channels.statuses, outcome.more) == ({"active": 2 * PAGE + 7}, False)
    opened = [channel.id for channel in world.model.open_channels(ANN)]
    assert len(opened) == 2 * PAGE + 7
    keys = [world.store.get(Calendar, f"{n:032x}") for n in range(2 * PAGE + 7)]
    assert [key.channels[0].id for key in keys if key] == opened


def test_a_run_renews_no_more_once_its_time_is_over() -> None:
    """The next run is about to start, and goes on where this one stopped."""
    world = World(rules=Rules(reconcile_s=30 * DAY, run_s=50))

    def slow(_: str) -> None:
        world.now += timedelta(seconds=0.2)

    world.before_calendar = slow
    many(world, 2 * PAGE)
    assert renew_channels(world.outside, PUSH, world.terms).more
    assert not renew_channels(world.outside, PUSH, world.terms).more
    assert len(world.model.open_channels(ANN)) == 2 * PAGE


def test_what_is_overdue_is_started_although_calendar_does_not_answer() -> None:
    """A page of renewals that time out one by one is left when the run is over: the sweep has its turn in each run."""
    world = World(rules=Rules(reconcile_s=30 * DAY, run_s=50))
    many(world, PAGE)
    late = START - timedelta(hours=1)
    overdue = Calendar(key="f" * 32, tenant="default", calendar_id=ANN, subject=ANN, due_at=late)
    world.store.transact(partial(_put, overdue))

    def time_out(_: str) -> None:
        world.now += timedelta(seconds=20)
        raise CalendarUnavailable("events.watch: no answer (TimeoutError)")

    world.before_calendar = time_out
    outcome = renew_channels(world.outside, PUSH, world.terms)
    assert world.now - START < timedelta(seconds=80)
    assert (outcome.syncs_started, outcome.more) == (1, True)


def test_several_renewals_at_once_leave_each_calendar_one_channel(store: Store) -> None:
    """With real threads, on every store."""
    world = World(rules=Rules(reconcile_s=30 * DAY), store=store)
    many(world, 24)
    calendar = cast("CalendarApi", _OneAtATime(world.calendar_api))
    outside = replace(world.outside, calendar_api=calendar, new_id=worker_parts.new_id, at_once=several_at_once(8))
    assert renew_channels(outside, PUSH, world.terms).channels.statuses == {"active": 24}
    assert len(world.model.open_channels(ANN)) == 24
    assert renew_channels(outside, PUSH, world.terms).channels.statuses == {}


class _OneAtATime:
    """The local Calendar for many threads: its model knows nothing of them."""

    def __init__(self, calendar: CalendarApi) -> None:
        self._calendar, self._lock = calendar, threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._calendar, name)

        def alone(*args: Any, **named: Any) -> Any:
            with self._lock:
                return call(*args, **named)

        return alone


def test_a_store_that_fails_for_one_calendar_holds_up_no_other() -> None:
    """The others are renewed, and what is overdue is started; the next run comes back to it."""
    world = World(rules=Rules(reconcile_s=30 * DAY))
    many(world, 5)
    watched = []

    def fail(operation: str) -> None:
        watched.append(operation)
        if watched.count("events.watch") == 3 and operation == "events.watch":
            raise StoreUnavailable("others held the record")

    world.before_calendar = fail
    outcome = renew_channels(world.outside, PUSH, world.terms)
    assert outcome.channels.statuses == {"active": 4, "deferred": 1}
    assert len(world.queue.waiting) == 4
    world.now += timedelta(minutes=1)
    assert renew_channels(world.outside, PUSH, world.terms).channels.statuses == {"active": 1}


def test_what_is_overdue_is_started_page_by_page() -> None:
    """Each once, the oldest first, more than a page of them, and no further than a run may go."""
    world = World(rules=Rules(starts_per_run=2 * PAGE + 30))
    for number in range(2 * PAGE + 50):
        at = world.now - timedelta(hours=1, seconds=-number // 3)
        stored = Calendar(key=f"{number:032x}", tenant="default", calendar_id=ANN, subject=ANN, due_at=at)
        world.store.transact(partial(_put, stored))
    outcome = renew_channels(world.outside, PUSH, world.terms)
    assert (outcome.syncs_started, outcome.more) == (2 * PAGE + 30, True)
    started = [task.body["calendar_key"] for task in world.queue.waiting]
    assert started == [f"{number:032x}" for number in range(2 * PAGE + 30)]


def test_two_runs_at_once_renew_each_calendar_once() -> None:
    """The second finds what the first began, and leaves it alone."""
    world = World(rules=Rules(reconcile_s=30 * DAY))
    many(world, 20)
    outcomes, watched = [], []

    def overtake(operation: str) -> None:
        watched.append(operation)
        if len(watched) == 1:
            outcomes.append(renew_channels(world.outside, PUSH, world.terms))

    world.before_calendar = overtake
    outcomes.append(renew_channels(world.outside, PUSH, world.terms))
    assert watched.count("events.watch") == 20
    assert outcomes[0].channels.statuses["active"] == 19
    assert outcomes[1].channels.statuses == {"active": 1, "dropped": 19}


def test_a_run_tells_how_old_the_oldest_channel_was_that_it_found_due() -> None:
    """Whoever watches the figure hears days before a channel lapses; without anything due there is none."""
    world = World()
    world.initialize()
    ann = world.calendar()
    (channel,) = ann.channels
    aged = channel.model_copy(update={"created_at": world.now - timedelta(days=6), "expires_at": None})
    assert renew_channels(world.outside, PUSH, world.terms).channels.oldest_age_s is None
    due = ann.model_copy(update={"channels": (aged,), "renew_at": world.now})
    fresh = due.model_copy(update={"key": "0" * 32, "channels": (channel,)})
    for calendar in (due, fresh):
        world.store.transact(partial(_put, calendar))
    assert renew_channels(world.outside, PUSH, world.terms).channels.oldest_age_s == 6 * DAY


def test_the_channel_of_a_frozen_calendar_is_not_waited_for() -> None:
    """Calendar refuses it, somebody has heard of that, and it lapses whatever we do."""
    world = World()
    world.initialize()
    update = {"state": "frozen", "reason": "notFound", "renew_at": world.now - timedelta(seconds=1)}
    world.advance(5)
    world.store.transact(lambda tx: tx.put(world.calendar().model_copy(update=update)))
    assert renew_channels(world.outside, PUSH, world.terms).channels.oldest_age_s is None


def test_a_lapsed_channel_asks_for_a_sync() -> None:
    """Changes may have gone unannounced."""
    world = World(rules=Rules(reconcile_s=30 * DAY))
    event_id = world.add("Planning", "c1")
    world.settle()
    expired = [c.model_copy(update={"expires_at": world.now}) for c in world.calendar().channels]
    lapsed = world.calendar().model_copy(update={"channels": tuple(expired), "renew_at": world.now})
    world.store.transact(lambda tx: tx.put(lapsed))
    world.lose_pushes = True
    world.edit(event_id, summary="Unannounced")
    world.advance(120)
    assert world.told("c1").title == "Unannounced"


def test_whatever_is_overdue_is_started_again() -> None:
    """All tasks may be lost at any moment: the store knows what they were for."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    world.edit(event_id, summary="Changed")
    world.queue.pop_due(world.now + timedelta(days=1))  # a purged queue
    calendar = world.calendar()
    asked = calendar.model_copy(update={"requested": calendar.requested + 1, "due_at": world.now})
    world.store.transact(lambda tx: tx.put(asked))
    world.advance(120)
    assert world.told("c1").title == "Changed"


def test_a_queue_that_lags_is_not_filled_with_doubles() -> None:
    """What waits there for an hour was started six times, not sixty: else it would carry nothing but doubles."""
    world = World()
    world.initialize()
    world.settle()
    world.store.transact(partial(_put, world.calendar().model_copy(update={"due_at": world.now})))
    started = 0
    for _ in range(60):
        world.now += timedelta(minutes=1)
        started += renew_channels(world.outside, PUSH, world.terms).syncs_started
    assert started == len(world.queue.waiting) == 6


def many(world: World, calendars: int) -> None:
    """Store so many calendars whose channel is due, the first one longest."""
    for number in range(calendars):
        at = world.now - timedelta(seconds=calendars - number)
        stored = Calendar(key=f"{number:032x}", tenant="default", calendar_id=ANN, subject=ANN, renew_at=at)
        world.store.transact(partial(_put, stored))


def due(world: World) -> None:
    """Make the channel of Ann's calendar due."""
    world.store.transact(partial(_put, world.calendar().model_copy(update={"renew_at": world.now})))


@pytest.mark.parametrize("bad", [1, 3, PAGE, 2 * PAGE + 3])
def test_what_cannot_be_read_holds_up_nothing_else_however_much_it_is(bad: int) -> None:
    """It uses up none of what one run may do, and is named once, though it is due in two ways."""
    world = World(rules=Rules(starts_per_run=3, renewals_per_run=3))
    for number in range(bad):
        at = START - timedelta(days=1, seconds=number)
        stored = [_due_calendar(f"{number:032x}", due_at=at, renew_at=at), _due_conference(f"{number:032x}", at)]
        for record in stored:
            world.store.transact(partial(_put, record))
            damage_in_memory(cast("MemoryStore", world.store), type(record), record.key)
    for key in "abc":
        at = START - timedelta(hours=1)
        calendars = [_due_calendar(f"d{key}", due_at=at), _due_calendar(f"e{key}", renew_at=at)]
        for record in (*calendars, _due_conference(key, at)):
            world.store.transact(partial(_put, record))
    outcome = renew_channels(world.outside, PUSH, world.terms)
    assert outcome.channels.statuses == {"active": 3}
    assert (outcome.syncs_started, outcome.updates_started) == (3, 3)
    assert (outcome.unreadable, outcome.alert) == (2 * bad, True)
    assert len(set(outcome.unreadable_named)) == min(2 * bad, 10)


def test_a_run_that_gives_up_on_what_cannot_be_read_says_that_more_is_left() -> None:
    """Behind so many records of a damaged store others may be due."""
    world = World()
    for number in range(MOST_UNREADABLE):
        record = _due_calendar(f"{number:032x}", renew_at=START)
        world.store.transact(partial(_put, record))
        damage_in_memory(cast("MemoryStore", world.store), type(record), record.key)
    outcome = renew_channels(world.outside, PUSH, world.terms)
    assert (outcome.unreadable, outcome.more) == (MOST_UNREADABLE, True)


def _due_calendar(key: str, **times: datetime) -> Calendar:
    return Calendar.model_validate({"key": key, "tenant": "default", "calendar_id": ANN, "subject": ANN, **times})


def _due_conference(key: str, at: datetime) -> Conference:
    return Conference(key=key, tenant="default", provider="acme", conference_id=key, due_at=at)


def test_one_run_does_a_bounded_amount_and_says_that_more_is_left() -> None:
    """The next run goes on with the oldest."""
    world = World(rules=Rules(starts_per_run=2, renewals_per_run=2))
    for number in range(3):
        key = f"{number:032d}"
        calendar = Calendar(
            key=key, tenant="default", calendar_id=ANN, subject=ANN, due_at=world.now - timedelta(hours=3 - number)
        )
        world.store.transact(partial(_put, calendar))
    outcome = renew_channels(world.outside, PUSH, world.terms)
    assert (outcome.syncs_started, outcome.more) == (2, True)
    assert [task.body["calendar_key"][-1] for task in world.queue.waiting] == ["0", "1"]


def test_a_run_is_bounded_by_its_own_tenant_and_leaves_another_alone() -> None:
    """Tenants may share a store: a backlog, however long and old, is its own deployment's, with its keys and queues."""
    world = World(rules=Rules(starts_per_run=1, renewals_per_run=1))
    world.add("Planning", "c1")
    world.settle()
    due = {"due_at": world.now - timedelta(hours=1), "renew_at": world.now - timedelta(hours=1)}
    own, conference = world.calendar(), world.conference("c1")
    theirs = [_of_another_tenant(record, number, world.now) for record in (own, conference) for number in range(3)]
    for record in (own.model_copy(update=due), conference.model_copy(update=due), *theirs):
        world.store.transact(partial(_put, record))
    outcome = renew_channels(world.outside, PUSH, world.terms)
    assert outcome.channels.statuses == {"active": 1}
    assert len(world.calendar().channels) == 1
    started = {key for task in world.queue.waiting for key in task.body.values()}
    assert {own.key, conference.key} <= started
    assert started.isdisjoint(record.key for record in theirs)
    assert [world.store.get(type(record), record.key) for record in theirs] == theirs


def _of_another_tenant(record: Record, number: int, now: datetime) -> Record:
    """Return the record as another tenant's, whose name begins with ours, and due for longer than ours."""
    due = {name: now - timedelta(days=9) for name in ("due_at", "renew_at") if hasattr(record, name)}
    return record.model_copy(update={"key": f"{number:032d}", "tenant": "default/2026", **due})
