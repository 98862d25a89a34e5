"""Reconciliation on every store: a lost push costs hours at most, is counted, and makes the next look come sooner."""

from datetime import timedelta

import pytest

from confsync.errors import CalendarUnavailable
from confsync.ports import Store
from confsync.sync_calendar import SyncOutcome
from tests.world import World

HOUR = 3600


def syncs(world: World) -> list[SyncOutcome]:
    """Return how the syncs went since this was last asked."""
    outcomes, world.outcomes = world.outcomes, []
    return [outcome for outcome in outcomes if isinstance(outcome, SyncOutcome)]


def rest(world: World) -> float:
    """Let nothing happen until the calendar is reconciled; return how many seconds that took."""
    began, due_at = world.now, world.calendar().due_at
    assert due_at is not None
    world.now = world.next_run = due_at
    world.advance(120)
    return (due_at - began).total_seconds()


def test_a_lost_push_is_found_counted_and_makes_the_next_look_come_sooner(store: Store) -> None:
    """Within six hours; then, should it happen again, within three; and slowly as before when it does not."""
    world = World(store=store)
    event_id = world.add("Planning", "c1")
    world.settle()
    world.lose_pushes = True
    waits = []
    for number in (1, 2):
        syncs(world)
        world.edit(event_id, summary=f"Lost {number}")
        waits.append(rest(world))
        assert world.told("c1").title == f"Lost {number}"
        assert sum(outcome.missed for outcome in syncs(world)) == 1
        assert (world.calendar().missed, world.calendar().missed_of_late) == (number, number)
    waits += [rest(world) for _ in range(3)]
    assert [round(wait / waits[0], 2) for wait in waits] == pytest.approx([1, 0.5, 0.25, 0.5, 1], abs=0.05)
    assert waits[0] <= 6 * HOUR
    assert (world.calendar().missed, world.calendar().missed_of_late) == (2, 0)


def test_a_change_that_was_announced_is_none_that_was_missed(store: Store) -> None:
    """Whoever finds it first, and when."""
    world = World(store=store)
    event_id = world.add("Planning", "c1")
    for number in range(3):
        world.settle()
        world.edit(event_id, summary=f"Announced {number}")
    world.settle()
    rest(world)
    assert world.calendar().missed == 0


def test_what_a_lost_task_was_for_is_none_that_was_missed(store: Store) -> None:
    """The notification came: its sync broke off, its task was purged, and the scheduled run did the rest."""
    world = World(store=store)
    event_id = world.add("Planning", "c1")
    world.settle()

    def refuse(operation: str) -> None:
        if operation == "events.list":
            raise CalendarUnavailable("503")

    world.before_calendar = refuse
    world.edit(event_id, summary="Announced")
    for task in world.queue.pop_due(world.now):
        world.run(task)
    world.queue.pop_due(world.now + timedelta(days=1))  # a purged queue
    world.advance(600)
    world.before_calendar = lambda _: None
    world.settle()
    assert world.told("c1").title == "Announced"
    assert world.calendar().missed == 0


def test_what_waits_in_a_queue_that_lags_is_none_that_was_missed(store: Store) -> None:
    """The scheduled run asked first, the notification's task waits behind."""
    world = World(store=store)
    event_id = world.add("Planning", "c1")
    world.settle()
    world.now = world.calendar().due_at or world.now
    for minute in range(20):
        world.now += timedelta(minutes=1)
        world.schedule()
        if minute == 5:
            world.edit(event_id, summary="Announced")
    assert world.queue.waiting[0].body["kind"] == "due"
    for task in world.queue.pop_due(world.now):
        world.run(task)
    assert world.told("c1").title == "Announced"
    assert (world.calendar().missed, world.calendar().missed_of_late) == (0, 0)


def test_a_sync_that_always_breaks_off_is_started_ever_more_slowly() -> None:
    """At last every ten minutes, not every minute; and it recovers by itself."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.advance(HOUR)
    tried = 0

    def refuse(operation: str) -> None:
        nonlocal tried
        if operation == "events.list":
            tried += 1
            raise CalendarUnavailable("503")

    world.before_calendar = refuse
    world.edit(event_id, summary="Announced")
    for _ in range(8 * 60):
        for task in world.queue.pop_due(world.now):
            try:
                world._deliver(task)
            except CalendarUnavailable:
                continue  # the task is lost with its first attempt
        world.now += timedelta(minutes=1)
        world.schedule()
    assert 8 * 60 / 12 < tried < 8 * 60 / 9 + 12
    world.before_calendar = lambda _: None
    world.advance(1200)
    assert world.told("c1").title == "Announced"
    assert world.calendar().failed_syncs == 0
