"""Calendars that are gone, closed or handed over: nothing ends because nobody can look."""

from typing import Any

import pytest

from confsync.errors import (
    CalendarAccessLost,
)
from tests.scenarios.expectations import DAY_S, alerts, assert_quiet, event_writes, frozen, referents, titles, verbs
from tests.scenarios.worlds import TEAM, in_days, planned, team_world
from tests.world import ANN, BOB, World

# Deleted


@pytest.mark.scenario(46)
@pytest.mark.parametrize("answer", ["notFound", "deleted403", "gone"])
def test_a_deleted_calendar_ends_nothing(answer: Any) -> None:
    """It answers as one that was only hidden: it freezes with a reason, an operator hears of it, all is kept."""
    world, event_id = team_world()
    world.model.options.deleted_calendar = answer
    world.model.calendar_delete(ANN, TEAM)
    world.push(TEAM)
    world.advance(2 * DAY_S)
    assert (frozen(world, BOB, TEAM), len(alerts(world))) == (("frozen", True), 1)
    assert (verbs(world, "c1"), world.conference("c1").end_after) == (["update"], None)
    assert referents(world, "c1") == {event_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(46)
@pytest.mark.parametrize("answer", ["notFound", "deleted403", "gone"])
def test_an_end_that_waits_for_a_deleted_calendar_waits(answer: Any) -> None:
    """The event was deleted just before its calendar: the last look sees nothing, and that proves nothing."""
    world, event_id = team_world()
    world.delete(event_id, ANN, TEAM)
    world.advance(10)
    assert world.conference("c1").end_after is not None
    world.model.options.deleted_calendar = answer
    world.model.calendar_delete(ANN, TEAM)
    world.advance(DAY_S)
    assert verbs(world, "c1") == ["update"]


# Revoked, suspended, handed over


@pytest.mark.scenario(48)
@pytest.mark.parametrize("reason", ["invalid_grant", "authError", "insufficientPermissions"])
def test_revoked_access_freezes_both_calendars_and_ends_nothing(reason: str) -> None:
    """The app was uninstalled: a sync, a renewal and a last look all fail, and a deletion stays unproven."""
    world, event_id = planned(days=9, also=BOB)
    other_id = world.add("Other", "c2", **in_days(9))
    world.settle()
    world.delete(other_id)
    world.advance(10)

    def refuse(_: str) -> None:
        raise CalendarAccessLost("the sign-in is refused", reason=reason)

    world.before_calendar = refuse
    world.push(ANN)
    world.advance(9 * DAY_S)
    assert (world.calendar().state, world.calendar().reason) == ("frozen", reason)
    assert (verbs(world, "c1"), verbs(world, "c2")) == (["update"], ["update"])
    assert len(alerts(world)) == len({ANN, BOB})
    assert referents(world, "c1") == {event_id: ("owner", "live")}


@pytest.mark.scenario(48)
def test_access_that_is_granted_again_thaws_by_itself() -> None:
    """Nobody has to do anything here: the next slow try lists everything, and finds what was deleted meanwhile."""
    world, event_id = planned(days=9, also=BOB)
    other_id = world.add("Other", "c2", **in_days(9))
    world.settle()
    listings = world.calendar().full_listings
    refusals = [True]

    def refuse(_: str) -> None:
        if refusals:
            raise CalendarAccessLost("the sign-in is refused", reason="invalid_grant")

    world.before_calendar = refuse
    world.delete(event_id)
    world.edit(other_id, summary="Other II")
    world.advance(3 * 3600)
    assert (titles(world, "c1"), titles(world, "c2")) == (["Planning"], ["Other"])
    refusals.clear()
    world.advance(2 * 3600)
    assert (world.calendar().state, world.calendar().full_listings) == ("active", listings + 1)
    assert (titles(world, "c1"), titles(world, "c2")) == (["Planning", None], ["Other", "Other II"])
    assert_quiet(world)


@pytest.mark.scenario(49)
def test_a_suspended_user_loses_nothing() -> None:
    """Every call in that name is refused; a reinstated user is found as left."""
    world, event_id = planned(days=9, also=BOB)
    world.model.suspend(ANN)
    world.push(ANN)
    world.advance(4 * DAY_S)
    assert frozen(world) == ("frozen", True)
    assert (verbs(world, "c1"), len(alerts(world))) == (["update"], 1)
    world.model.reinstate(ANN)
    world.advance(2 * 3600)
    assert world.calendar().state == "active"
    assert (verbs(world, "c1"), referents(world, "c1")) == (["update"], {event_id: ("owner", "live")})
    assert_quiet(world)


@pytest.mark.scenario(49, 20)
def test_an_event_that_was_handed_over_before_the_suspension_follows_its_new_organizer() -> None:
    """Ann's calendar showed that it moved; Bob's shows it under the same iCalUID, and drives from then on."""
    world, event_id = planned(days=9, also=BOB)
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.settle()
    world.model.suspend(ANN)
    world.push(ANN)
    world.settle()
    world.edit(event_id, BOB, summary="Bob's now")
    world.settle()
    assert titles(world, "c1")[-1] == "Bob's now"
    assert "end" not in verbs(world, "c1")
    live = [r.calendar_key for r in world.conference("c1").referents.values() if (r.role, r.state) == ("owner", "live")]
    assert live == [world.calendar(BOB).key]
    assert_quiet(world)


@pytest.mark.scenario(49, 20)
@pytest.mark.parametrize("bob_is_known", [True, False])
def test_an_event_that_was_handed_over_during_the_suspension_is_rebound(bob_is_known: bool) -> None:
    """Ann's calendar cannot be asked any more; the same iCalUID and conference under a new organizer is the event."""
    world = World()
    event_id = world.add("Planning", "c1", **in_days(9))
    if bob_is_known:
        world.initialize(who=BOB)
    world.settle()

    world.model.suspend(ANN)
    world.push(ANN)
    world.settle()
    assert frozen(world) == ("frozen", True)
    world.model.reinstate(ANN)  # an administrator hands the event over; Ann's calendar itself stays closed
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.model.suspend(ANN)
    world.settle()
    if not bob_is_known:
        world.initialize(who=BOB)
    world.edit(event_id, BOB, summary="Bob's now")
    world.settle()
    assert list(dict.fromkeys(titles(world, "c1"))) == ["Planning", "Bob's now"]  # first its organizer, then its title
    assert (event_writes(world), world.provider.created) == (0, {})
    assert_quiet(world)
