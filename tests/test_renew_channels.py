"""The scheduler's run: channels that never lapse, and whatever is overdue."""

from datetime import datetime, timedelta
from functools import partial

import pytest

from confsync.core.records import Calendar, Record
from confsync.core.rules import Rules
from confsync.errors import CalendarAccessLost, CalendarRateLimited, CalendarUnavailable
from confsync.open_channel import open_channel
from confsync.ports import Transaction
from confsync.renew_channels import renew_channels
from tests.world import ANN, PUSH, Crash, World

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
    assert renew_channels(world.outside, PUSH, world.terms).channels[0][1].alert
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
    assert [(key, channel.status) for key, channel in outcome.channels] == [(own.key, "active")]
    started = {key for task in world.queue.waiting for key in task.body.values()}
    assert {own.key, conference.key} <= started
    assert started.isdisjoint(record.key for record in theirs)
    assert [world.store.get(type(record), record.key) for record in theirs] == theirs


def _of_another_tenant(record: Record, number: int, now: datetime) -> Record:
    """Return the record as another tenant's, whose name begins with ours, and due for longer than ours."""
    due = {name: now - timedelta(days=9) for name in ("due_at", "renew_at") if hasattr(record, name)}
    return record.model_copy(update={"key": f"{number:032d}", "tenant": "default/2026", **due})
