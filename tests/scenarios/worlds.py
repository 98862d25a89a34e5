"""Worlds in which scenarios begin: what the back end can be told, what the calendars hold, what goes wrong at first.

They must never hold anything that the people of the world could not have done.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.rules import Rules
from confsync.core.state import Field, Occurrence
from confsync.errors import ProviderError
from confsync.ports import ConferenceCall
from tests.scenarios.expectations import calls, verbs
from tests.world import ALL_FIELDS, ANN, BOB, START, World, times

TEAM, HIDDEN = "team@group.example.com", "hidden@group.example.com"
TOMORROW, WEEK = START + timedelta(days=1), timedelta(weeks=1)
WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=8"]
MEET = {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}

RESTORES = Capabilities(ALL_FIELDS, ordered_writes=True, restores=True)
BOTH = Capabilities(ALL_FIELDS, ordered_writes=True, restores=True, creates=True)
UNORDERED = Capabilities(ALL_FIELDS, ordered_writes=False, restores=True)
MAKES = Capabilities(ALL_FIELDS, ordered_writes=True, restores=False, creates=True)
NEITHER = Capabilities(ALL_FIELDS, ordered_writes=True, restores=False)

BARE: list[dict[str, str]] = []
NAMED = [{"email": ANN, "responseStatus": "accepted"}]
STUBS = pytest.mark.parametrize("guests", [BARE, NAMED], ids=["bare", "named"])
"""What a moved event leaves behind names the new organizer only where the old one stays a guest; else nothing but its
id is left."""
FORMS = pytest.mark.parametrize("form", ["full", "id_only"])
"""How much of a deleted event its organizer is shown."""


def in_days(days: int) -> Mapping[str, Any]:
    """Return start and end of an event of one hour in so many days."""
    return times(START + timedelta(days=days))


# What the back end can be told


def carrying(*fields: Field, rules: Rules | None = None, **more: Any) -> World:
    """Return a world whose back end can be told these fields only."""
    return World(rules=rules, capabilities=Capabilities(frozenset(fields), ordered_writes=True, restores=True, **more))


def without(*fields: Field, rules: Rules | None = None) -> World:
    """Return a world whose back end can be told everything but these fields."""
    return carrying(*(ALL_FIELDS - set(fields)), rules=rules)


# What the calendars hold


def planned(world: World | None = None, *, days: int = 1, also: str | None = None, **fields: Any) -> tuple[World, str]:
    """Return a world with a registered event of Ann's that the back end was told, with conference c1, and its id.

    Args:
        world: where that happens; None: one in which every field can be told.
        days: from now to the event.
        also: whose calendar is synced too.

    """
    world = world or World()
    event_id = world.add("Planning", "c1", **{**in_days(days), **fields})
    if also is not None:
        world.initialize(who=also)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    return world, event_id


def ended(world: World | None = None, *, days: int = 5, **fields: Any) -> tuple[World, str]:
    """Return a world with a planned event that was deleted, so that its conference has ended, and its id."""
    world, event_id = planned(world, days=days, **fields)
    world.delete(event_id)
    world.settle()
    assert verbs(world, "c1") == ["update", "end"]
    return world, event_id


def before_a_move(
    guests: list[dict[str, str]], world: World | None = None, *, team_synced_for: str | None = ANN, **fields: Any
) -> tuple[World, str]:
    """Return a world with a planned event of Ann's next week, and a team calendar of Bob's that she owns too.

    Args:
        world: where that happens; None: one whose back end knows no organizers, so that a move is no difference.
        team_synced_for: None: nobody syncs the team calendar.

    """
    world, event_id = planned(world or without("organizer"), attendees=guests, **{**in_days(7), **fields})
    world.model.add_calendar(TEAM, BOB, roles={ANN: "owner"})
    if team_synced_for is not None:
        world.initialize(who=team_synced_for, calendar_id=TEAM)
        world.settle()
    return world, event_id


def team_world() -> tuple[World, str]:
    """Return a world where Bob syncs a calendar of Ann's as its owner, and the id of its event with conference c1."""
    world = World()
    world.model.add_calendar(TEAM, ANN, roles={BOB: "owner"})
    event_id = world.add("Team", "c1", who=BOB, calendar_id=TEAM, **in_days(9))
    world.settle()
    return world, event_id


def four(*, page_size: int = 2500, rules: Rules | None = None) -> tuple[World, list[str]]:
    """Return a world with four events in nine days, with conferences c0 to c3, and their ids."""
    world = World(page_size=page_size, rules=rules)
    ids = [world.add(f"Event {number}", f"c{number}", **in_days(9)) for number in range(4)]
    world.settle()
    return world, ids


def weekly(
    world: World | None = None, recurrence: list[str] = WEEKLY, *, days: int = 1, **fields: Any
) -> tuple[World, str]:
    """Return a world with a registered series of Ann's that the back end was told, with conference c1, and its id.

    Args:
        world: where that happens; None: one in which every field can be told.
        days: from now to its first instance.

    """
    world = world or World()
    series_id = world.add("Weekly", "c1", **{"recurrence": recurrence, **in_days(days), **fields})
    world.settle()
    assert calls(world) == [("c1", "Weekly")]
    return world, series_id


def exceptions_told(world: World) -> dict[int, Occurrence]:
    """Return the instances that the back end was told apart, by the number of the week that they belong to."""
    told = world.told("c1").occurrences
    return {round((o.original_start.instant - TOMORROW) / WEEK): o for o in told}


# What goes wrong


@contextmanager
def unheard(world: World) -> Iterator[None]:
    """Lose every push meanwhile."""
    world.lose_pushes = True
    yield
    world.lose_pushes = False


def in_the_gap(world: World, ids: list[str]) -> None:
    """Delete the first event, rename the second and take the conference from the third; nobody hears of it."""
    with unheard(world):
        world.delete(ids[0])
        world.edit(ids[1], summary="Renamed")
        world.edit(ids[2], conferenceData=None)


def failing(
    world: World, error: ProviderError, times_: int = 10**9, *, only: str | None = None
) -> list[ConferenceCall]:
    """Let the next calls fail before they take effect; return a list that fills with every call that is tried.

    Args:
        only: the conference whose calls fail; None: of any.

    """
    tried: list[ConferenceCall] = []

    def fail(call: ConferenceCall) -> None:
        if only in (None, call.conference_id):
            tried.append(call)
            if len(tried) <= times_:
                raise error

    world.provider.before = fail
    return tried
