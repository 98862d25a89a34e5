"""Conference ids that somebody forged or guessed: claims, that no edit and no deletion turns into more."""

from typing import Any

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.rules import Rules
from confsync.local.calendar_server.people import addon_conference
from tests.scenarios.expectations import assert_quiet, driver, event_writes, is_known, referents, story, titles, verbs
from tests.scenarios.worlds import in_days, planned, unheard
from tests.world import ALL_FIELDS, ANN, BOB, World


@pytest.mark.scenario(54)
@pytest.mark.parametrize("claims", ["registered", "matching"])
def test_a_forged_id_never_touches_the_conference_of_its_owner(claims: Any) -> None:
    """Bob writes Ann's conference id into an event of his: a claim, that no edit and no deletion turns into more."""
    world, event_id = planned(World(rules=Rules(claims=claims)), days=3, also=BOB)
    forged = world.create("Forged", "c1", who=BOB, **in_days(2))
    world.settle()
    world.edit(forged, BOB, summary="Forged again")
    world.settle()
    assert referents(world, "c1") == {event_id: ("owner", "live"), forged: ("claimed", "live")}
    assert story(world, "c1").count("the event held this conference; nobody vouched for it") == 1
    assert_quiet(world)
    world.edit(forged, BOB, conferenceData=None)
    world.delete(forged, BOB)
    world.settle()
    assert (titles(world, "c1"), world.conference("c1").end_after) == (["Planning"], None)
    assert referents(world, "c1")[event_id] == ("owner", "live")
    assert_quiet(world)


@pytest.mark.scenario(54)
def test_a_claim_that_came_first_does_not_keep_the_owner_out() -> None:
    """Bob's forged event is known before Ann's add-on registers: hers is told, his stays a claim."""
    world = World()
    world.initialize(who=BOB)
    forged = world.create("Forged", "c1", who=BOB, **in_days(2))
    world.settle()
    assert (verbs(world, "c1"), referents(world, "c1")) == ([], {forged: ("claimed", "live")})
    event_id = world.add("Planning", "c1", **in_days(3))
    world.settle()
    assert titles(world, "c1") == ["Planning"]
    assert referents(world, "c1") == {event_id: ("owner", "live"), forged: ("claimed", "live")}
    world.delete(forged, BOB)
    world.settle()
    assert titles(world, "c1") == ["Planning"]
    assert_quiet(world)


@pytest.mark.scenario(54)
def test_any_number_of_forged_ids_neither_fills_the_record_nor_keeps_the_owner_out() -> None:
    """Fifty events of Bob's name a conference before Ann's add-on vouches for it."""
    world = World()
    world.initialize(who=BOB)
    with unheard(world):
        for number in range(50):
            world.create(f"Forged {number}", "c1", who=BOB, **in_days(2))
    world.push(BOB)
    world.settle()
    event_id = world.add("Planning", "c1", **in_days(3))
    world.settle()
    assert (titles(world, "c1"), driver(world, "c1")) == (["Planning"], event_id)
    assert len(referents(world, "c1")) < 30
    assert [event for event, (role, _) in referents(world, "c1").items() if role == "owner"] == [event_id]
    assert_quiet(world)


@pytest.mark.scenario(54, 35)
def test_a_forged_id_does_not_bring_back_what_ended() -> None:
    """The conference ended with Ann's event; Bob's event that names it is no undelete."""
    world, event_id = planned(days=3, also=BOB)
    world.delete(event_id)
    world.settle()
    forged = world.create("Forged", "c1", who=BOB, **in_days(3))
    world.settle()
    assert titles(world, "c1") == ["Planning", None]
    assert referents(world, "c1") == {event_id: ("owner", "gone"), forged: ("claimed", "live")}
    assert_quiet(world)


@pytest.mark.scenario(54)
def test_a_guessed_id_binds_nothing_and_ends_nothing() -> None:
    """An id that no add-on ever vouched for: it is remembered as a claim, and nobody is called."""
    world = World()
    world.initialize()
    guessed = world.create("Guessed", "c77", **in_days(3))
    world.settle()
    world.edit(guessed, summary="Guessed again")
    world.settle()
    assert not is_known(world, "c77") or set(referents(world, "c77").values()) == {("claimed", "live")}
    assert_quiet(world)
    world.delete(guessed)
    world.settle()
    assert (world.provider.calls, event_writes(world)) == ([], 0)
    assert_quiet(world)


@pytest.mark.scenario(54)
@pytest.mark.parametrize(("host", "expected"), [(ANN, []), (BOB, ["end"]), (None, [])])
def test_a_guessed_id_ends_only_at_its_hosts_word(host: str | None, expected: list[str]) -> None:
    """Policy `matching`: Bob's event owns what it names, but the back end says whose conference it is."""
    tells = Capabilities(ALL_FIELDS, ordered_writes=True, restores=True, tells_host=True)
    world = World(rules=Rules(claims="matching"), capabilities=tells)
    if host is not None:
        world.provider.hosts["c77"] = host
    world.initialize(who=BOB)
    guessed = world.create("Guessed", who=BOB, **in_days(3), conferenceData=addon_conference("c77"))
    world.settle()
    assert (verbs(world, "c77"), referents(world, "c77")) == ([], {guessed: ("owner", "live")})
    world.delete(guessed, BOB)
    world.settle()
    assert verbs(world, "c77") == expected
    assert_quiet(world)
