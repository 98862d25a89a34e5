"""Calendars that show less than everything: they freeze with a reason, end nothing, and thaw by themselves."""

from collections.abc import Callable

import pytest

from confsync.local.calendar_server.people import addon_conference
from confsync.local.calendar_server.records import Role
from tests.scenarios.expectations import DAY_S, alerts, assert_quiet, frozen, referents, titles, verbs
from tests.scenarios.worlds import TEAM, in_days, planned, team_world
from tests.world import ANN, BOB, World

# Shown with too little


@pytest.mark.scenario(36)
def test_an_event_that_is_shown_redacted_says_nothing() -> None:
    """A private event has no organizer and no conference for those who may not see it: no removal."""
    world, event_id = planned(days=9, also=BOB)
    shown = world.model.get(ANN, "primary", event_id)
    names = ("id", "iCalUID", "start", "end", "status", "etag")
    redacted = {name: shown[name] for name in names} | {"visibility": "private", "updated": "2026-11-22T10:00:00.000Z"}
    world.model.import_payload(ANN, [redacted])
    world.settle()
    assert "organizer" not in world.model.get(ANN, "primary", event_id)
    assert (verbs(world, "c1"), world.conference("c1").end_after) == (["update"], None)
    assert referents(world, "c1") == {event_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(36)
@pytest.mark.parametrize(
    ("role", "visibility"),
    [
        ("reader", "private"),
        ("reader", "public"),
        ("freeBusyReader", "private"),
        ("freeBusyReader", "public"),
    ],
)
def test_a_calendar_that_is_not_shown_in_full_binds_nothing(role: Role, visibility: str) -> None:
    """Registered or not: who may only read proves nothing, and gets an operator told once."""
    world = World()
    world.model.add_calendar(TEAM, ANN, roles={BOB: role})
    event_id = world.create("Team", "c1", calendar_id=TEAM, visibility=visibility, **in_days(9))
    outcome = world.initialize("c1", event_id, BOB, TEAM)
    assert (outcome.is_bound, outcome.sync.status, outcome.sync.alert) == (False, "frozen", True)
    world.settle()
    world.edit(event_id, ANN, TEAM, conferenceData=None)
    world.advance(3 * DAY_S)
    assert (world.provider.calls, frozen(world, BOB, TEAM)) == ([], ("frozen", True))
    assert (referents(world, "c1"), alerts(world)) == ({}, [])


# Downgraded


CHANGES: dict[str, tuple[Callable[[World, str], None], list[str | None]]] = {
    "nothing": (lambda _, __: None, ["Team"]),
    "renamed": (lambda world, event_id: world.edit(event_id, ANN, TEAM, summary="New"), ["Team", "New"]),
    "deleted": (lambda world, event_id: world.delete(event_id, ANN, TEAM), ["Team", None]),
    "conference removed": (
        lambda world, event_id: world.edit(event_id, ANN, TEAM, conferenceData=None),
        ["Team", None],
    ),
}


@pytest.mark.scenario(37)
@pytest.mark.parametrize("change", list(CHANGES))
@pytest.mark.parametrize("role", ["reader", "freeBusyReader", "none"])
def test_a_downgraded_calendar_freezes_and_thaws_with_what_happened_meanwhile(role: Role, change: str) -> None:
    """Nothing is told while it is shown in part, whatever happens in it; one alert; then everything, once."""
    world, event_id = team_world()
    happens, told = CHANGES[change]
    world.model.share(TEAM, {BOB: role})
    world.push(TEAM)
    world.settle()
    happens(world, event_id)
    world.push(TEAM)
    world.advance(5 * 3600)
    assert (frozen(world, BOB, TEAM), len(alerts(world))) == (("frozen", True), 1)
    assert (titles(world, "c1"), referents(world, "c1")) == (["Team"], {event_id: ("owner", "live")})
    world.model.share(TEAM, {BOB: "owner"})
    world.advance(2 * 3600)
    assert world.calendar(BOB, TEAM).state == "active"
    assert (titles(world, "c1"), len(alerts(world))) == (told, 1)
    assert_quiet(world)


@pytest.mark.scenario(37)
def test_a_frozen_calendar_is_tried_slowly_and_for_good() -> None:
    """A month later it is still tried about once an hour, its conference is kept, and nobody is told again."""
    world, _ = team_world()
    world.model.share(TEAM, {BOB: "none"})
    world.push(TEAM)
    world.settle()
    asked = len(world.calendar_calls)
    world.advance(2 * DAY_S)
    assert len(world.calendar_calls) - asked < 60
    assert (titles(world, "c1"), len(alerts(world))) == (["Team"], 1)


@pytest.mark.scenario(37)
def test_a_role_that_still_shows_everything_changes_nothing() -> None:
    """A writer sees what an owner sees: nothing freezes, and nothing is listed anew in vain."""
    world, event_id = team_world()
    world.model.share(TEAM, {BOB: "writer"})
    world.edit(event_id, ANN, TEAM, summary="Renamed")
    world.settle()
    assert (world.calendar(BOB, TEAM).state, alerts(world)) == ("active", [])
    assert titles(world, "c1") == ["Team", "Renamed"]
    assert_quiet(world)


@pytest.mark.scenario(37)
def test_the_other_calendars_of_the_same_user_go_on() -> None:
    """Only the calendar that is not shown in full is frozen."""
    world, _ = team_world()
    own_id = world.add("Own", "c2", who=BOB, **in_days(9))
    world.settle()
    world.model.share(TEAM, {BOB: "reader"})
    world.push(TEAM)
    world.settle()
    world.edit(own_id, BOB, summary="Own II")
    world.settle()
    assert (titles(world, "c1"), titles(world, "c2")) == (["Team"], ["Own", "Own II"])


@pytest.mark.scenario(37)
@pytest.mark.parametrize("change", ["deleted", "conference removed"])
@pytest.mark.parametrize("role", ["reader", "freeBusyReader", "none"])
def test_a_downgrade_within_the_grace_period_stops_an_end_that_was_taken_back(role: Role, change: str) -> None:
    """The event came back unseen, and the last look is refused or sees too little."""
    world, event_id = team_world()
    CHANGES[change][0](world, event_id)
    world.advance(10)
    assert world.conference("c1").end_after is not None
    world.model.share(TEAM, {BOB: role})
    if change == "deleted":
        world.restore(event_id, ANN, TEAM)
    else:
        world.edit(event_id, ANN, TEAM, conferenceData=addon_conference("c1"))
    world.advance(3 * 3600)
    assert titles(world, "c1") == ["Team"]
    world.model.share(TEAM, {BOB: "owner"})
    world.advance(3 * 3600)
    assert (titles(world, "c1"), referents(world, "c1")) == (["Team"], {event_id: ("owner", "live")})
    assert world.conference("c1").end_after is None
    assert_quiet(world)


@pytest.mark.scenario(37, 46)
@pytest.mark.parametrize("is_deleted", [True, False], ids=["calendar deleted", "access reduced"])
def test_an_event_in_a_calendar_out_of_reach_still_holds_its_conference(is_deleted: bool) -> None:
    """Two events held it: the one that can be seen is deleted, the other may live on."""
    world, event_id = team_world()
    own_id = world.add("Own", "c1", who=BOB, **in_days(9))
    world.settle()
    if is_deleted:
        world.model.calendar_delete(ANN, TEAM)
    else:
        world.model.share(TEAM, {BOB: "reader"})
    world.push(TEAM)
    world.settle()
    world.delete(own_id, BOB)
    world.advance(6 * 3600)
    assert "end" not in verbs(world, "c1")
    assert referents(world, "c1") == {event_id: ("owner", "live"), own_id: ("owner", "gone")}
    assert_quiet(world)


@pytest.mark.scenario(37)
@pytest.mark.parametrize("away_s", [5, 5 * 3600], ids=["for a moment", "for hours"])
@pytest.mark.parametrize("role", ["freeBusyReader", "none"])
def test_an_event_that_is_to_be_followed_is_read_when_its_calendar_is_shown_again(role: Role, away_s: float) -> None:
    """It was not shown when the other calendar's sync asked for it; its own calendar is asked, and nothing changed."""
    world, event_id = team_world()
    own_id = world.add("Own", "c1", who=BOB, **in_days(8))
    world.settle()
    world.model.share(TEAM, {BOB: role})
    world.delete(own_id, BOB)
    world.advance(away_s)
    assert titles(world, "c1") == ["Team", "Own"]
    world.model.share(TEAM, {BOB: "owner"})
    world.advance(2 * 3600)
    assert titles(world, "c1") == ["Team", "Own", "Team"]
    assert referents(world, "c1") == {event_id: ("owner", "live"), own_id: ("owner", "gone")}
    assert_quiet(world)


@pytest.mark.scenario(37, 50)
def test_a_team_calendar_that_one_of_two_people_lost_goes_on_through_the_other() -> None:
    """It is the same calendar and the same event: Ann still sees the organizer's copy."""
    world, event_id = team_world()
    world.initialize(who=ANN, calendar_id=TEAM)
    world.settle()
    world.model.share(TEAM, {BOB: "none"})
    world.push(TEAM)
    world.settle()
    assert frozen(world, BOB, TEAM) == ("frozen", True)
    world.edit(event_id, ANN, TEAM, summary="Renamed")
    world.settle()
    assert titles(world, "c1") == ["Team", "Renamed"]
    assert_quiet(world)
