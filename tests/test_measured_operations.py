"""What one thing that happens asks of each service: production code, counted on Firestore's emulator.

`confsync cost` reckons with these numbers, so they have to be true.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.costs.measured import MEASURED, Operations
from tests.firestore_emulator import Emulator
from tests.metered_world import MeteredWorld
from tests.world import ANN, START

SOME, MANY = 24, 32
"""Of calendars that are due: with each number every shard of each query finds some."""


def asked_for(world: MeteredWorld, happens: Callable[[], object]) -> Operations:
    """Return what it asks for until no task waits any more."""
    before = world.operations()
    happens()
    world.finish()
    return world.operations() - before


def one_calendar(emulator: Emulator) -> tuple[MeteredWorld, str, list[str]]:
    """Return a world at rest, an event that holds a conference, and events that hold none."""
    world = MeteredWorld(emulator)
    event, others = world.add("Kick-off", "conf-1"), [world.create(f"Lunch {n}") for n in range(3)]
    world.settle()
    return world, event, others


def changes(emulator: Emulator, number: int) -> Operations:
    """Return what so many changes ask for that are made in one window; the first is synced before the others come."""
    world, _, others = one_calendar(emulator)

    def change() -> None:
        for event in others[:number]:
            world.edit(event, summary="Lunch, later")
            world.do_due()

    return asked_for(world, change)


def told_change(emulator: Emulator) -> Operations:
    """Return what a change asks for that the conferencing system is told."""
    world, event, _ = one_calendar(emulator)
    found = asked_for(world, lambda: world.edit(event, summary="Kick-off, later"))
    assert world.told("conf-1").title == "Kick-off, later"
    return found


def quiet_notification(emulator: Emulator) -> Operations:
    """Return what a notification without a change asks for."""
    world, _, _ = one_calendar(emulator)
    return asked_for(world, lambda: world.push(ANN))


def registration(emulator: Emulator) -> Operations:
    """Return what a new conference asks for in a calendar that is synced already."""
    world, _, _ = one_calendar(emulator)
    found = asked_for(world, lambda: world.add("Review", "conf-2"))
    assert world.told("conf-2").title == "Review"
    return found


def end(emulator: Emulator) -> Operations:
    """Return what a deleted event asks for until its conference has ended."""
    world, event, _ = one_calendar(emulator)
    found = asked_for(world, lambda: world.delete(event))
    assert world.told("conf-1") is None
    return found


def empty_run(emulator: Emulator) -> Operations:
    """Return what a scheduled run asks for that finds nothing."""
    world, _, _ = one_calendar(emulator)
    return asked_for(world, world.schedule)


def due(emulator: Emulator, number: int, after: Callable[[Calendar], timedelta]) -> Operations:
    """Return what a scheduled run asks for when so many calendars are due; it is as late as that."""
    world = MeteredWorld(emulator)
    people = [f"person{n}@example.com" for n in range(number)]
    for who in people:
        world.model.add_user(who)
        world.initialize(who=who)
    world.finish()
    world.now += max(after(world.calendar(who)) for who in people)
    return asked_for(world, lambda: world.run_scheduled(people))


def one_of_many(emulator: Emulator, after: Callable[[Calendar], timedelta]) -> Operations:
    """Return what one more calendar asks for that is due."""
    return (due(emulator, MANY, after) - due(emulator, SOME, after)).times(1 / (MANY - SOME))


def until_reconciled(calendar: Calendar) -> timedelta:
    """Return how long it takes until the calendar is found overdue."""
    assert calendar.due_at is not None
    return calendar.due_at - START + timedelta(seconds=Rules().overdue_s)


def until_renewed(calendar: Calendar) -> timedelta:
    """Return how long it takes until its channel is due."""
    assert calendar.renew_at is not None
    return calendar.renew_at - START


MEASURE: dict[str, Callable[[Emulator], Operations]] = {
    "CHANGE": lambda emulator: changes(emulator, 1),
    "SECOND_CHANGE": lambda emulator: changes(emulator, 2) - changes(emulator, 1),
    "FURTHER_CHANGE": lambda emulator: changes(emulator, 3) - changes(emulator, 2),
    "TOLD_CHANGE": told_change,
    "QUIET_NOTIFICATION": quiet_notification,
    "EMPTY_RUN": empty_run,
    "REGISTRATION": registration,
    "END": end,
    "RECONCILIATION": lambda emulator: one_of_many(emulator, until_reconciled),
    "RENEWAL": lambda emulator: one_of_many(emulator, until_renewed) - one_of_many(emulator, until_reconciled),
}


@pytest.mark.parametrize("what", MEASURED)
def test_what_the_command_reckons_with_is_what_the_code_does(what: str, emulator: Emulator) -> None:
    """Each number of confsync/costs/measured.py."""
    measured = MEASURE[what](emulator)
    assert measured == MEASURED[what], f"write in shared/confsync/costs/measured.py: {what} = {measured}"
