"""A task whose last attempt failed, and a queue that lost everything: only time is lost."""

from dataclasses import replace
from datetime import timedelta

import pytest

from confsync.adapters.memory import MemoryStore
from confsync.core.tasks import Task
from confsync.errors import CalendarUnavailable, StoreUnavailable, TaskQueueUnavailable
from confsync.give_up import give_up_sync, give_up_update
from confsync.sync_calendar import SyncRequest, sync_calendar
from confsync.update_conference import update_conference
from tests.world import World


def drop_tasks(world: World) -> list[Task]:
    """Take all tasks out of the queue, as a purge does; their names stay used."""
    return world.queue.pop_due(world.now + timedelta(days=365))


def unreachable(_: str) -> None:
    """Fail as Calendar does for a while."""
    raise CalendarUnavailable("503")


def a_changed_meeting(store: MemoryStore | None = None) -> World:
    """Return a world in which a meeting was renamed and the sync of it was lost before it began."""
    world = World(store=store)
    event_id = world.add("Planning", "c1")
    world.settle()
    world.edit(event_id, summary="Renamed")
    drop_tasks(world)
    return world


def title_of(world: World) -> str:
    """Return the title that the back end was told."""
    return str(world.told("c1").title)


def test_a_sync_that_was_given_up_is_run_by_the_next_scheduled_runs() -> None:
    """Although no attempt ever reached the store: a minute or two instead of the reconcile interval."""
    world = a_changed_meeting()
    assert give_up_sync(world.calendar().key, "StoreUnavailable: busy", world.outside)
    world.advance(120)
    assert title_of(world) == "Renamed"
    assert world.calendar().requested == world.calendar().served


def test_a_sync_that_fails_and_is_given_up_goes_on_when_calendar_answers_again() -> None:
    """Nothing but the store remembers it; the failure says what was wrong, how often, and since when."""
    world = a_changed_meeting()
    world.before_calendar = unreachable
    for _ in range(2):
        with pytest.raises(CalendarUnavailable):
            sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
        give_up_sync(world.calendar().key, "CalendarUnavailable: 503", world.outside)
    (failure,) = world.failures()
    assert (failure.calendar_key, failure.count) == (world.calendar().key, 2)
    assert (failure.conference_key, failure.reason) == ("", "CalendarUnavailable: 503")
    world.before_calendar = lambda _: None
    world.advance(120)
    assert title_of(world) == "Renamed"


def test_a_sync_that_was_given_up_while_another_lists_is_not_forgotten() -> None:
    """The one that runs may have read past the change: it lists once more."""
    world = a_changed_meeting()
    key = world.calendar().key
    lists: list[str] = []

    def give_up_meanwhile(operation: str) -> None:
        if operation == "events.list":
            lists.append(operation)
            if len(lists) == 1:
                give_up_sync(key, "late", world.outside)

    world.before_calendar = give_up_meanwhile
    assert sync_calendar(SyncRequest(key), world.outside, world.terms).status == "synced"
    assert len(lists) == 2
    assert world.calendar().requested == world.calendar().served


def test_an_update_that_was_given_up_is_due_as_before() -> None:
    """The conference is due until its back end was told; the note is a failure and nothing else."""
    world = a_changed_meeting()
    world.providers.clear()
    sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
    drop_tasks(world)
    with pytest.raises(TaskQueueUnavailable):
        update_conference(world.conference("c1").key, replace(world.outside, task_queue=_NoQueue()), world.terms)
    before = world.conference("c1")
    assert before.due_at is not None
    assert give_up_update(before.key, "TaskQueueUnavailable: no answer", world.outside)
    assert world.conference("c1") == before
    (failure,) = world.failures()
    assert (failure.calendar_key, failure.conference_key, failure.count) == ("", before.key, 1)
    world.providers["acme"] = world.provider
    world.advance(world.rules.refused_pause_s + 120)
    assert title_of(world) == "Renamed"


def test_what_is_unknown_leaves_no_failure() -> None:
    """There is nothing that anybody could do again."""
    world = World()
    assert not give_up_sync("unknown", "why", world.outside)
    assert not give_up_update("unknown", "why", world.outside)
    assert world.failures() == []


def test_a_store_that_is_out_of_reach_leaves_everything_due_as_before() -> None:
    """No note can be left then; the reconciliation finds the change in the end."""
    store = MemoryStore()
    world = a_changed_meeting(store)
    key = world.calendar().key

    def refuse(_: str) -> None:
        raise StoreUnavailable("busy")

    store.on_call = refuse
    with pytest.raises(StoreUnavailable):
        give_up_sync(key, "why", world.outside)
    store.on_call = None
    world.advance(world.rules.reconcile_s + 120)
    assert title_of(world) == "Renamed"


def test_whatever_a_queue_loses_the_scheduled_run_starts_again() -> None:
    """A change, and an end with its grace: only what a scheduled run starts is ever delivered."""
    world = World()
    kept, ended = world.add("Kept", "c1"), world.add("Ended", "c2")
    world.settle()
    world.edit(kept, summary="Renamed")
    world.delete(ended)
    lost = drop_tasks(world)
    for _ in range(int(world.rules.reconcile_s / 60) + 10):
        world.now += timedelta(seconds=60)
        world.schedule()
        for task in drop_tasks(world):
            world.run(task)
        lost += drop_tasks(world)
    assert {task.path for task in lost} == {"/sync", "/update"}
    assert (title_of(world), world.told("c2")) == ("Renamed", None)


class _NoQueue:
    """A queue that is out of reach."""

    def create(self, task: Task) -> bool:
        """Refuse."""
        raise TaskQueueUnavailable(f"no answer for {task.name}")
