"""Worlds in which scenarios begin: what the back end can be told, and what the calendars hold.

They must never hold anything that the people of the world could not have done.
"""

from datetime import timedelta
from typing import Any

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.rules import Rules
from confsync.core.state import Field, Occurrence
from tests.scenarios.expectations import calls, expect_settled, recorded
from tests.world import ALL_FIELDS, ANN, BOB, START, World, times

TEAM, HIDDEN = "team@group.example.com", "hidden@group.example.com"
TOMORROW, NEXT_WEEK = START + timedelta(days=1), START + timedelta(days=7)
HOUR_S, DAY_S = 3600, 24 * 3600

BARE: list[dict[str, str]] = []
NAMED = [{"email": ANN, "responseStatus": "accepted"}]
STUBS = pytest.mark.parametrize("guests", [BARE, NAMED], ids=["bare", "named"])
"""What a moved event leaves behind names the new organizer only where the old one stays a guest; else nothing but its
id is left."""


def carrying(*fields: Field, rules: Rules | None = None, **more: Any) -> World:
    """Return a world whose back end can be told these fields only."""
    return World(rules=rules, capabilities=Capabilities(frozenset(fields), ordered_writes=True, restores=True, **more))


def without(*fields: Field, rules: Rules | None = None) -> World:
    """Return a world whose back end can be told everything but these fields."""
    return carrying(*(ALL_FIELDS - set(fields)), rules=rules)


def settled(world: World, **fields: Any) -> str:
    """Return a registered event of tomorrow, with conference c1, that the back end was told."""
    event_id = world.add("Planning", "c1", **fields)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    return event_id


def planned(world: World, guests: list[dict[str, str]], **fields: Any) -> str:
    """Return Ann's registered event of next week, which the back end was told; she has a team calendar too."""
    world.model.add_calendar(TEAM, BOB, roles={ANN: "owner"})
    return settled(world, attendees=guests, **{**times(NEXT_WEEK), **fields})


def standing(world: World) -> dict[tuple[str, str], str]:
    """Return the events that conference c1 hangs on; those that are gone are left out."""
    return {where: what for where, what in recorded(world, "c1").items() if not what.endswith("gone")}


def expect_driven_by(world: World, calendar_id: str, event_id: str, who: str = ANN) -> None:
    """Expect that the event drives: it is told when it changes, and its deletion ends the conference once."""
    told = len(world.provider.calls)
    assert standing(world) == {(calendar_id, event_id): "owner live"}
    expect_settled(world)
    assert len(world.provider.calls) == told
    world.edit(event_id, who=who, calendar_id=calendar_id, summary="Planning II")
    world.settle()
    assert calls(world)[told:] == [("c1", "Planning II")]
    world.delete(event_id, who=who, calendar_id=calendar_id)
    world.settle()
    assert calls(world)[told:] == [("c1", "Planning II"), ("c1", None)]
    expect_settled(world)


WEEKLY, WEEK = ["RRULE:FREQ=WEEKLY;COUNT=8"], timedelta(weeks=1)


def series(world: World, recurrence: list[str] | None = None, **fields: Any) -> tuple[str, list[str]]:
    """Return a registered series with conference c1 that the back end was told, and the ids of its instances."""
    series_id = world.add("Weekly", "c1", recurrence=recurrence or WEEKLY, **fields)
    world.settle()
    assert calls(world) == [("c1", "Weekly")]
    return series_id, world.instances(series_id)


def exceptions_told(world: World) -> dict[int, Occurrence]:
    """Return the instances that the back end was told apart, by the number of the week that they belong to."""
    told = world.told("c1").occurrences
    return {round((o.original_start.instant - TOMORROW) / WEEK): o for o in told}


def expect_series_untouched(world: World, series_id: str) -> None:
    """Expect that nothing was told of the series since its first state."""
    assert calls(world) == [("c1", "Weekly")]
    assert recorded(world, "c1") == {(ANN, series_id): "owner live"}
    expect_settled(world)
