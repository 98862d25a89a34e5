"""Events that get another calendar or another owner: the conference goes along, or is kept, and never ends by it."""

from datetime import timedelta
from typing import Any

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.rules import Rules
from confsync.errors import ProviderRejected
from confsync.ports import ConferenceCall
from tests.scenarios.expectations import assert_quiet, calls, expect_settled, history_ends, recorded, titles
from tests.world import ALL_FIELDS, ANN, BOB, START, World, times

TEAM, HIDDEN = "team@group.example.com", "hidden@group.example.com"
NEXT_WEEK = START + timedelta(days=7)
HOUR_S, DAY_S = 3600, 24 * 3600
BARE: list[dict[str, str]] = []
NAMED = [{"email": ANN, "responseStatus": "accepted"}]
STUBS = pytest.mark.parametrize("guests", [BARE, NAMED], ids=["bare", "named"])
"""A stub names the new organizer only where the old one stays a guest; else nothing but its id is left."""


WAITS_FOR_EVER = pytest.mark.xfail(
    strict=True, reason="core/ending.py: a deleted owner whose tombstone names another organizer later is never gone"
)


def quiet_about_organizers(rules: Rules | None = None) -> World:
    """Return a world whose back end is not told who organizes: a move alone is then no difference."""
    return World(rules=rules, capabilities=Capabilities(ALL_FIELDS - {"organizer"}, ordered_writes=True, restores=True))


def planned(world: World, guests: list[dict[str, str]], **fields: Any) -> str:
    """Return Ann's registered event of next week, which the back end was told; she has a team calendar too."""
    world.model.add_calendar(TEAM, BOB, roles={ANN: "owner"})
    event_id = world.add("Planning", "c1", attendees=guests, **{**times(NEXT_WEEK), **fields})
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    return event_id


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


# Row 19: to another calendar of the same person


@pytest.mark.scenario(19)
@STUBS
@pytest.mark.parametrize("order", ["as pushed", "old calendar first", "new calendar first"])
def test_a_moved_event_takes_its_conference_along(guests: Any, order: str) -> None:
    """Whichever calendar is synced first: no call, no end, and from now on the new event drives."""
    world = quiet_about_organizers()
    event_id = planned(world, guests)
    world.initialize(calendar_id=TEAM)
    world.settle()
    world.lose_pushes = order != "as pushed"
    world.move(event_id, TEAM)
    for calendar_id in [] if order == "as pushed" else [ANN, TEAM] if order == "old calendar first" else [TEAM, ANN]:
        world.push(calendar_id)
        world.settle()
        assert calls(world) == [("c1", "Planning")]
    world.lose_pushes = False
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
@pytest.mark.parametrize("lost", [ANN, TEAM])
def test_a_moved_event_of_which_one_push_is_lost_is_found_by_the_next_look(guests: Any, lost: str) -> None:
    """Nothing is ended meanwhile; the quiet calendar is listed within the reconcile interval."""
    world = quiet_about_organizers()
    event_id = planned(world, guests)
    world.initialize(calendar_id=TEAM)
    world.settle()
    world.lose_pushes = True
    world.move(event_id, TEAM)
    world.push(TEAM if lost == ANN else ANN)
    world.lose_pushes = False
    world.advance(world.rules.reconcile_s + HOUR_S)
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_an_event_that_moved_to_a_calendar_which_nobody_syncs_is_kept(guests: Any) -> None:
    """It lives where confsync does not look: no end, and in time no search; yet it may turn up."""
    world = quiet_about_organizers(Rules(orphan_s=5 * DAY_S))
    event_id = planned(world, guests, **times(START + timedelta(days=60)))
    world.move(event_id, TEAM)
    world.settle()
    assert standing(world) == {(ANN, event_id): "owner orphaned"}
    assert history_ends(world, "c1", "moved out of sight", "kept")
    world.advance(20 * DAY_S)
    assert world.conference("c1").due_at is None
    assert calls(world) == [("c1", "Planning")]
    world.initialize(calendar_id=TEAM)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19, 42)
@STUBS
def test_an_event_that_is_over_where_nobody_looks_keeps_its_conference_for_good(guests: Any) -> None:
    """Whatever becomes of it there afterwards."""
    world = quiet_about_organizers()
    event_id = planned(world, guests)
    world.move(event_id, TEAM)
    world.advance(10 * DAY_S)
    assert world.conference("c1").due_at is None
    world.initialize(calendar_id=TEAM)
    world.settle()
    world.delete(event_id, calendar_id=TEAM)
    world.advance(2 * DAY_S)
    assert calls(world) == [("c1", "Planning")]


@pytest.mark.scenario(19)
@STUBS
def test_an_event_out_of_sight_is_not_waited_for_longer_because_its_stub_is_listed_again(guests: Any) -> None:
    """Its time runs from the move; afterwards nothing is read for it any more."""
    world = quiet_about_organizers(Rules(orphan_s=5 * DAY_S))
    event_id = planned(world, guests, **times(START + timedelta(days=60)))
    world.move(event_id, TEAM)
    for _ in range(6):
        world.advance(DAY_S)
        world.model.expire_sync_tokens(ANN)
        world.push(ANN)
    world.settle()
    assert world.conference("c1").due_at is None
    readings = world.calendar_calls.count("events.get")
    world.advance(10 * DAY_S)
    assert world.calendar_calls.count("events.get") == readings
    assert calls(world) == [("c1", "Planning")]
    assert standing(world) == {(ANN, event_id): "owner orphaned"}


@pytest.mark.scenario(19)
def test_a_calendar_that_a_stub_names_is_asked_at_once_although_its_push_is_lost() -> None:
    """It need not wait for the reconcile interval."""
    world = quiet_about_organizers()
    event_id = planned(world, [{"email": ANN, "responseStatus": "accepted"}])
    world.initialize(calendar_id=TEAM)
    world.settle()
    world.lose_pushes = True
    world.move(event_id, TEAM)
    world.push(ANN)
    world.lose_pushes = False
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_an_event_that_moved_out_of_sight_is_found_when_its_calendar_is_synced(guests: Any) -> None:
    """The same iCalUID and conference in another calendar, organized there: it needs no new registration."""
    world = quiet_about_organizers()
    event_id = planned(world, guests)
    world.move(event_id, TEAM)
    world.advance(DAY_S)
    world.initialize(calendar_id=TEAM)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_what_changed_while_a_moved_event_was_out_of_sight_is_told_when_it_is_found(guests: Any) -> None:
    """Once, with its last state."""
    world = quiet_about_organizers()
    event_id = planned(world, guests)
    world.move(event_id, TEAM)
    world.settle()
    world.edit(event_id, calendar_id=TEAM, summary="Moved and renamed")
    world.initialize(calendar_id=TEAM)
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "Moved and renamed")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_an_event_that_moved_to_a_calendar_without_access_is_kept_until_access_is_back(guests: Any) -> None:
    """A frozen calendar shows nothing: that is no proof of anything."""
    world = quiet_about_organizers()
    event_id = planned(world, guests)
    world.initialize(calendar_id=TEAM)
    world.settle()
    world.lose_pushes = True
    world.move(event_id, TEAM)
    world.model.share(TEAM, {ANN: "none"})
    world.lose_pushes = False
    world.push(TEAM)
    world.push(ANN)
    world.advance(6 * HOUR_S)
    assert world.calendar(ANN, TEAM).state == "frozen"
    assert calls(world) == [("c1", "Planning")]
    assert standing(world) == {(ANN, event_id): "owner orphaned"}
    world.model.share(TEAM, {ANN: "owner"})
    world.advance(2 * HOUR_S)
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_an_event_that_is_moved_and_moved_back_drives_where_it_was(guests: Any) -> None:
    """Its first calendar shows it alive again under the same id."""
    world = quiet_about_organizers()
    event_id = planned(world, guests)
    world.initialize(calendar_id=TEAM)
    world.settle()
    world.move(event_id, TEAM)
    world.settle()
    world.move(event_id, ANN, calendar_id=TEAM)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, ANN, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_an_event_that_is_moved_and_deleted_at_once_ends_its_conference_once(guests: Any) -> None:
    """Nobody saw it alive in its new calendar: that is asked, or all calendars of the same person."""
    world = quiet_about_organizers()
    event_id = planned(world, guests)
    world.initialize(calendar_id=TEAM)
    world.settle()
    world.move(event_id, TEAM)
    world.delete(event_id, calendar_id=TEAM)
    world.advance(world.rules.grace_s / 2)
    assert calls(world) == [("c1", "Planning")]
    world.advance(DAY_S)
    assert calls(world) == [("c1", "Planning"), ("c1", None)]
    assert standing(world) == {}
    expect_settled(world)


@pytest.mark.scenario(19, 34)
@pytest.mark.parametrize("deleted", ["before the move", "after the move"])
@pytest.mark.xfail(
    strict=True, reason="an event of the same id or iCalUID counts as the moved one, though made apart from it"
)
def test_the_deleted_mirror_of_an_event_that_moved_out_of_sight_is_no_proof(deleted: str) -> None:
    """A tool had copied it to the team calendar under the same id; the event itself went where nobody looks."""
    world = quiet_about_organizers()
    world.model.add_calendar(HIDDEN, BOB, roles={ANN: "owner"})
    world.model.add_calendar(TEAM, BOB, roles={ANN: "owner"})
    event_id = world.add("Planning", "c1", **times(NEXT_WEEK))
    world.initialize(calendar_id=TEAM)
    world.advance(60)
    world.create("Planning", "c1", calendar_id=TEAM, id=event_id, **times(NEXT_WEEK))
    world.settle()
    if deleted == "before the move":
        world.delete(event_id, calendar_id=TEAM)
        world.settle()
    world.move(event_id, HIDDEN)
    world.settle()
    if deleted == "after the move":
        world.delete(event_id, calendar_id=TEAM)
    world.advance(2 * DAY_S)
    assert world.model.get(ANN, HIDDEN, event_id)["status"] == "confirmed"
    assert calls(world) == [("c1", "Planning")]
    assert standing(world) == {(ANN, event_id): "owner orphaned"}


@pytest.mark.scenario(19)
@STUBS
def test_a_moved_series_takes_its_conference_and_its_exceptions_along(guests: Any) -> None:
    """All of it has one organizer."""
    world = quiet_about_organizers()
    series_id = planned(world, guests, recurrence=["RRULE:FREQ=WEEKLY;COUNT=8"])
    world.edit(world.instances(series_id)[1], summary="Special")
    world.delete(world.instances(series_id)[2])
    world.initialize(calendar_id=TEAM)
    world.settle()
    told = len(world.provider.calls)
    world.move(series_id, TEAM)
    world.settle()
    assert len(world.provider.calls) == told
    assert [o.title for o in world.told("c1").occurrences] == ["Special", None]
    expect_driven_by(world, TEAM, series_id)


@pytest.mark.xfail(strict=True, reason="core/draft.py: _lose stamps `since` anew each time an orphan is seen again")
@pytest.mark.scenario(19)
@STUBS
@pytest.mark.parametrize("known", [True, False], ids=["synced", "not synced"])
def test_a_move_that_leaves_the_conference_behind_makes_no_second_one(guests: Any, known: bool) -> None:
    """Nobody knows whether Calendar takes it along. If not, no end follows from the move, nor another conference."""
    world = quiet_about_organizers()
    world.model.options.move_keeps_conference = False
    event_id = planned(world, guests)
    if known:
        world.initialize(calendar_id=TEAM)
        world.settle()
    world.move(event_id, TEAM)
    world.advance(2 * DAY_S)
    assert "conferenceData" not in world.model.get(ANN, TEAM, event_id)
    assert world.provider.created == {}
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(19)
@STUBS
def test_a_move_is_told_once_to_a_back_end_that_knows_organizers(guests: Any) -> None:
    """The calendar that organizes it is another one, and that is the only difference."""
    world = World()
    event_id = planned(world, guests)
    world.initialize(calendar_id=TEAM)
    world.settle()
    world.move(event_id, TEAM)
    world.settle()
    assert titles(world, "c1") == ["Planning", "Planning"]
    assert world.told("c1").organizer == TEAM
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19)
@STUBS
def test_a_moved_event_is_found_in_a_calendar_that_is_synced_for_somebody_else(guests: Any) -> None:
    """Bob looks at the team calendar; Ann's event turns up there."""
    world = quiet_about_organizers()
    event_id = planned(world, guests)
    world.initialize(who=BOB, calendar_id=TEAM)
    world.settle()
    world.move(event_id, TEAM)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19, 33)
@STUBS
def test_the_duplicate_of_an_event_that_moved_out_of_sight_may_be_deleted(guests: Any) -> None:
    """The other one lives where nobody looks: the conference is kept for it."""
    world = quiet_about_organizers()
    event_id = planned(world, guests)
    copy_id = world.duplicate(event_id)
    world.settle()
    told = len(world.provider.calls)
    world.move(event_id, TEAM)
    world.settle()
    world.delete(copy_id)
    world.advance(2 * DAY_S)
    assert standing(world) == {(ANN, event_id): "owner orphaned"}
    assert len(world.provider.calls) == told
    assert ("c1", None) not in calls(world)


@pytest.mark.scenario(19)
@pytest.mark.parametrize("guests", [BARE, pytest.param(NAMED, marks=WAITS_FOR_EVER)], ids=["bare", "named"])
def test_an_event_that_is_deleted_restored_and_moved_at_once_takes_its_conference_along(guests: Any) -> None:
    """Only the last of it is seen."""
    world = quiet_about_organizers()
    event_id = planned(world, guests)
    world.initialize(calendar_id=TEAM)
    world.settle()
    world.delete(event_id)
    world.advance(10)
    world.restore(event_id)
    world.move(event_id, TEAM)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, TEAM, event_id)


@pytest.mark.scenario(19, 30)
@STUBS
def test_a_conference_that_is_removed_from_a_moved_event_ends_once(guests: Any) -> None:
    """The organizer's copy, shown in full without it, is proof in the new calendar as it was in the old one."""
    world = quiet_about_organizers()
    event_id = planned(world, guests)
    world.initialize(calendar_id=TEAM)
    world.settle()
    world.move(event_id, TEAM)
    world.settle()
    world.edit(event_id, calendar_id=TEAM, conferenceData=None)
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", None)]
    expect_settled(world)


# Row 20: to another owner


@pytest.mark.scenario(20)
@STUBS
def test_an_event_that_gets_another_owner_takes_its_conference_along(guests: Any) -> None:
    """The new owner's calendar is synced too: there it drives."""
    world = World()
    event_id = planned(world, guests)
    world.initialize(who=BOB)
    world.settle()
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.settle()
    assert titles(world, "c1") == ["Planning", "Planning"]
    assert world.told("c1").organizer == BOB
    expect_driven_by(world, BOB, event_id, BOB)


@pytest.mark.scenario(20)
@STUBS
def test_an_event_that_gets_an_owner_whom_nobody_syncs_is_kept(guests: Any) -> None:
    """confsync may not look there: the conference is left as it is, for good."""
    world = World()
    event_id = planned(world, guests)
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.advance(2 * DAY_S)
    assert calls(world) == [("c1", "Planning")]
    assert standing(world) == {(ANN, event_id): "owner orphaned"}
    world.edit(event_id, who=BOB, summary="Bob's plan")
    world.model.delete(BOB, "primary", event_id)
    world.advance(40 * DAY_S)
    assert calls(world) == [("c1", "Planning")]


@pytest.mark.scenario(20)
@STUBS
def test_a_new_owner_who_is_synced_later_takes_over(guests: Any) -> None:
    """Bob installs the add-on a day after he got the event."""
    world = World()
    event_id = planned(world, guests)
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.advance(DAY_S)
    assert calls(world) == [("c1", "Planning")]
    world.initialize(who=BOB)
    world.settle()
    assert None not in titles(world, "c1")
    assert world.told("c1").organizer == BOB
    expect_driven_by(world, BOB, event_id, BOB)


@pytest.mark.scenario(20)
def test_the_stub_of_an_event_with_another_owner_does_not_count_as_a_deletion_later() -> None:
    """Ann empties her trash and her calendar is listed anew: the event is Bob's, and goes on."""
    world = World()
    event_id = planned(world, [{"email": ANN, "responseStatus": "accepted"}])
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.settle()
    world.model.options.tombstone_days = 0
    world.model.forget_deleted(ANN)
    world.push(ANN)
    world.advance(DAY_S)
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(20)
@pytest.mark.parametrize("form", ["full", "id_only"])
def test_a_guest_who_becomes_the_owner_takes_the_conference_over(form: Any) -> None:
    """Bob had a copy all along; now it is the one that counts."""
    world = quiet_about_organizers()
    world.model.options.organizer_tombstones = form
    world.initialize(who=BOB)
    event_id = planned(world, [{"email": ANN, "responseStatus": "accepted"}, {"email": BOB}])
    assert world.link(event_id, BOB) is None
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_driven_by(world, BOB, event_id, BOB)


@pytest.mark.scenario(20, 58)
def test_a_back_end_that_refuses_the_new_owner_as_host_keeps_the_conference() -> None:
    """It is asked once, an operator sees why it refused, and the next change is told as any other."""
    world = World()
    world.initialize(who=BOB)
    event_id = planned(world, [])

    def refuse(call: ConferenceCall) -> None:
        if call.state is not None and call.state.organizer == BOB:
            raise ProviderRejected("cannot schedule for this host")

    world.provider.before = refuse
    world.model.change_owner(ANN, "primary", event_id, BOB)
    world.settle()
    assert [failure.count for failure in world.failures()] == [1]
    assert standing(world) == {(BOB, event_id): "owner live"}
    assert_quiet(world)
    assert [failure.count for failure in world.failures()] == [1]
    assert calls(world) == [("c1", "Planning")]
    world.provider.before = lambda _: None
    world.edit(event_id, who=BOB, summary="Bob's plan")
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "Bob's plan")]
    expect_settled(world)
