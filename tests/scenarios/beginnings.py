"""Where the scenarios of conferences begin: one event, four of them, a calendar of another's, and faults of a back end.

They must never hold anything that the people of the world could not have done.
"""

from datetime import timedelta

from confsync.core.capabilities import Capabilities
from confsync.core.rules import Rules
from confsync.errors import ProviderError
from confsync.ports import ConferenceCall
from tests.world import ALL_FIELDS, ANN, BOB, START, World, times

TEAM = "team@group.example.com"

RESTORES = Capabilities(ALL_FIELDS, ordered_writes=True, restores=True)
BOTH = Capabilities(ALL_FIELDS, ordered_writes=True, restores=True, creates=True)
UNORDERED = Capabilities(ALL_FIELDS, ordered_writes=False, restores=True)
MAKES = Capabilities(ALL_FIELDS, ordered_writes=True, restores=False, creates=True)
NEITHER = Capabilities(ALL_FIELDS, ordered_writes=True, restores=False)


def planned(
    capabilities: Capabilities = RESTORES, *, days: int = 3, also: str | None = None, rules: Rules | None = None
) -> tuple[World, str]:
    """Return a world with one event of Ann's in so many days, with conference c1, and its id.

    Args:
        also: whose calendar is synced too.

    """
    world = World(capabilities=capabilities, rules=rules)
    event_id = world.add("Planning", "c1", **times(START + timedelta(days=days)))
    if also is not None:
        world.initialize(who=also)
    world.settle()
    return world, event_id


def four(*, page_size: int = 2500, rules: Rules | None = None) -> tuple[World, list[str]]:
    """Return a world with four events in nine days, with conferences c0 to c3, and their ids."""
    world = World(page_size=page_size, rules=rules)
    later = times(START + timedelta(days=9))
    ids = [world.add(f"Event {number}", f"c{number}", **later) for number in range(4)]
    world.settle()
    return world, ids


def in_the_gap(world: World, ids: list[str]) -> None:
    """Delete the first event, rename the second and take the conference from the third; nobody hears of it."""
    world.lose_pushes = True
    world.delete(ids[0])
    world.edit(ids[1], summary="Renamed")
    world.edit(ids[2], conferenceData=None)
    world.lose_pushes = False


def team_world() -> tuple[World, str]:
    """Return a world where Bob syncs a calendar of Ann's as its owner, and the id of its event with conference c1."""
    world = World()
    world.model.add_calendar(TEAM, ANN, roles={BOB: "owner"})
    event_id = world.add("Team", "c1", who=BOB, calendar_id=TEAM, **times(START + timedelta(days=9)))
    world.settle()
    return world, event_id


def conference_in(world: World, event_id: str, who: str = ANN) -> str:
    """Return the conference id that an event shows; empty where it shows none."""
    data = world.model.get(who, "primary", event_id).get("conferenceData", {})
    return str(data["conferenceId"]) if data else ""


def failing(world: World, error: ProviderError, times_: int = 10**9) -> list[ConferenceCall]:
    """Let the next calls fail before they take effect; return a list that fills with every call that is tried."""
    tried: list[ConferenceCall] = []

    def fail(call: ConferenceCall) -> None:
        tried.append(call)
        if len(tried) <= times_:
            raise error

    world.provider.before = fail
    return tried
