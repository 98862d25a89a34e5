"""A series is read as it was at one moment, whatever people do while it is read."""

from collections.abc import Callable

from confsync.core.events import parse_event
from confsync.core.records import EventRef
from confsync.core.sight import Reading, Seen
from confsync.ports import Address
from confsync.reading import ATTEMPTS_AT_ONE_MOMENT, read_event
from tests.world import ANN, World

Changes = dict[int, Callable[[], object]]


def read_while(world: World, series_id: str, changes: Changes) -> Seen:
    """Read a series whole while people change it, each time before the call of that number (from 1)."""

    def before_call(_: str) -> None:
        changes.get(len(world.calendar_calls), lambda: None)()

    uid = parse_event(world.model.get(ANN, ANN, series_id)).ical_uid
    world.calendar_calls.clear()
    world.before_calendar = before_call
    return read_event(Reading(EventRef("any", series_id), uid), Address(ANN, ANN), world.outside)


def series_with_a_moved_instance(world: World) -> tuple[str, str]:
    series = world.create("Standup", "c1", recurrence=["RRULE:FREQ=DAILY;COUNT=5"])
    moved = world.instances(series)[3]
    world.edit(moved, summary="Longer")
    return series, moved


def test_a_series_is_read_with_its_exceptions_in_two_calls() -> None:
    world = World()
    series, moved = series_with_a_moved_instance(world)

    seen = read_while(world, series, {})

    assert seen.event is not None
    assert seen.exceptions is not None
    assert [(part.id, part.is_cancelled) for part in seen.exceptions] == [(moved, False)]
    assert world.calendar_calls == ["events.list", "events.get"]


def test_a_series_that_is_deleted_while_it_is_read_again_is_not_seen_alive_with_cancelled_exceptions() -> None:
    world = World()
    series, _ = series_with_a_moved_instance(world)

    seen = read_while(world, series, {2: lambda: world.edit(series, summary="Daily"), 3: lambda: world.delete(series)})

    assert seen.event is not None
    assert seen.exceptions is not None
    assert seen.event.is_cancelled
    assert all(part.is_cancelled for part in seen.exceptions)


def test_a_series_that_never_stays_the_same_is_read_all_the_same() -> None:
    world = World()
    series, _ = series_with_a_moved_instance(world)
    busy: Changes = {
        call: lambda: world.edit(series, summary=f"Daily {len(world.calendar_calls)}") for call in range(99)
    }

    seen = read_while(world, series, busy)

    assert seen.event is not None
    assert len(world.calendar_calls) == 2 * ATTEMPTS_AT_ONE_MOMENT
