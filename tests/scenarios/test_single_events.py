"""Single events: made, renamed, dragged, described, deleted, made all-day, of odd lengths, over, edited in a hurry."""

from datetime import date, timedelta
from typing import Any

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.state import Field
from confsync.errors import ProviderBusy
from confsync.local.calendar_server.people import addon_conference
from confsync.ports import ConferenceCall
from tests.scenarios.expectations import calls, expect_settled, history_ends, is_known, noted, recorded
from tests.world import ALL_FIELDS, ANN, BOB, START, World, times

TEAM = "team@group.example.com"
TOMORROW = START + timedelta(days=1)
DAY_S = 24 * 3600


def carrying(*fields: Field, **more: Any) -> World:
    """Return a world whose back end can be told these fields only."""
    return World(capabilities=Capabilities(frozenset(fields), ordered_writes=True, restores=True, **more))


def without(*fields: Field) -> World:
    """Return a world whose back end can be told everything but these fields."""
    return carrying(*(ALL_FIELDS - set(fields)))


def settled(world: World, **fields: Any) -> str:
    """Return a registered event of tomorrow, with conference c1, that the back end was told."""
    event_id = world.add("Planning", "c1", **fields)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    return event_id


# Row 1: a new event


@pytest.mark.scenario(1)
def test_a_conference_that_was_made_before_its_event_gets_its_title_with_the_first_sync() -> None:
    """The add-on hands over an event id that Calendar does not know yet; nothing is told until it does."""
    world = World()
    world.initialize("c1", "planning0001")
    world.settle()
    assert calls(world) == []
    event_id = world.create("Planning", "c1", id="planning0001")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert world.told("c1").start.instant == TOMORROW
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(1)
def test_an_event_that_was_listed_before_its_conference_was_registered_is_told_on_registration() -> None:
    """Until then its conference id is only a claim, which nobody is told of."""
    world = World()
    world.initialize()
    event_id = world.create("Planning", "c1")
    world.settle()
    assert recorded(world, "c1") == {(ANN, event_id): "claimed live"}
    assert calls(world) == []
    world.initialize("c1", event_id)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(1)
@pytest.mark.parametrize("calendar_id", [ANN, TEAM])
def test_a_new_event_is_told_once_although_its_guests_see_it_too(calendar_id: str) -> None:
    """Only the copy of the organizer's calendar, be it a primary or a secondary one, is recorded."""
    world = World()
    world.model.add_calendar(TEAM, ANN)
    world.initialize(who=BOB)
    event_id = world.add("Planning", "c1", calendar_id=calendar_id, attendees=[{"email": BOB}])
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert recorded(world, "c1") == {(calendar_id, event_id): "owner live"}
    expect_settled(world)


# Row 4: another title


@pytest.mark.scenario(4)
def test_a_rename_is_told_once() -> None:
    """The guest's copy, which is renamed too, adds no call."""
    world = World()
    world.initialize(who=BOB)
    event_id = settled(world, attendees=[{"email": BOB}])
    world.edit(event_id, summary="Planning II")
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "Planning II")]
    assert world.link(event_id, BOB) is None
    assert history_ends(world, "c1", "title changed", "update applied")
    expect_settled(world)


@pytest.mark.scenario(4)
def test_a_rename_is_no_change_for_a_back_end_that_has_no_titles() -> None:
    """What cannot be carried is no difference (rule R12)."""
    world = without("title")
    event_id = world.add("Planning", "c1")
    world.settle()
    world.edit(event_id, summary="Planning II")
    world.settle()
    assert len(world.provider.calls) == 1
    assert world.told("c1").title is None
    expect_settled(world)


# Row 5: another time


@pytest.mark.scenario(5)
def test_a_dragged_event_moves_its_conference_with_one_call() -> None:
    """Start and end go together, and the guests' answers, which are asked for anew, are no second change."""
    world = World()
    world.initialize(who=BOB)
    guests = [{"email": ANN, "responseStatus": "accepted"}, {"email": BOB, "responseStatus": "accepted"}]
    event_id = settled(world, attendees=guests)
    asked_anew = [guests[0], {"email": BOB, "responseStatus": "needsAction"}]
    world.edit(event_id, **times(TOMORROW + timedelta(hours=3), minutes=90), attendees=asked_anew)
    world.settle()
    assert len(world.provider.calls) == 2
    told = world.told("c1")
    assert (told.start.instant, told.end.instant) == (TOMORROW + timedelta(hours=3), TOMORROW + timedelta(hours=4.5))
    assert history_ends(world, "c1", "time", "update applied")
    expect_settled(world)


# Row 6: another zone


IN_NEW_YORK = times(TOMORROW, zone="America/New_York")


@pytest.mark.scenario(6)
def test_another_zone_of_a_single_event_is_no_change_of_an_instant() -> None:
    """Its offset and its zone differ, its instants do not."""
    world = without("time_zone")
    event_id = settled(world)
    world.edit(event_id, **IN_NEW_YORK)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(6)
def test_another_zone_of_a_single_event_is_told_to_a_back_end_that_keeps_zones() -> None:
    """It shows people the wall clock of the organizer."""
    world = World()
    event_id = settled(world)
    world.edit(event_id, **IN_NEW_YORK)
    world.settle()
    assert [call.state.time_zone for call in world.provider.calls if call.state] == [
        "Europe/Berlin",
        "America/New_York",
    ]
    expect_settled(world)


@pytest.mark.scenario(6)
def test_another_zone_of_a_series_is_told_because_its_rule_is_expanded_in_it() -> None:
    """After the next change of clocks its instances would be an hour off; no back end can do without the zone."""
    world = without("time_zone")
    series_id = world.add("Weekly", "c1", recurrence=["RRULE:FREQ=WEEKLY"])
    world.settle()
    world.edit(series_id, **IN_NEW_YORK)
    world.settle()
    assert [call.state.time_zone for call in world.provider.calls if call.state] == [
        "Europe/Berlin",
        "America/New_York",
    ]
    expect_settled(world)


@pytest.mark.scenario(6)
def test_another_zone_of_the_calendar_changes_nothing() -> None:
    """Calendar then shows every event with another offset; listings ask for UTC, and instants are compared."""
    world = World()
    event_id = settled(world)
    world.model.state.calendars[ANN].time_zone = "Asia/Tokyo"
    world.edit(event_id, colorId="5")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


# Row 7: description, place, colour, attachment


@pytest.mark.scenario(7)
@pytest.mark.parametrize(("field", "text"), [("description", "Bring numbers"), ("location", "Room 5")])
def test_text_about_an_event_is_told_only_to_a_back_end_that_can_carry_it(field: Field, text: str) -> None:
    """One call where it can, none where it cannot."""
    for world, expected in ((World(), 2), (without(field), 1)):
        event_id = settled(world)
        world.edit(event_id, **{field: text})
        world.settle()
        assert len(world.provider.calls) == expected
        assert getattr(world.told("c1"), field) == (text if expected == 2 else None)
        expect_settled(world)


@pytest.mark.scenario(7)
def test_colours_and_attachments_are_no_change_for_any_back_end() -> None:
    """Calendar announces and lists them; nothing is told."""
    world = World()
    event_id = settled(world)
    world.edit(event_id, colorId="7")
    world.edit(event_id, attachments=[{"fileUrl": "https://files.example.com/1", "title": "Numbers"}])
    world.edit(event_id, transparency="transparent")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


# Row 12: deleted


@pytest.mark.scenario(12)
@pytest.mark.parametrize("form", ["full", "id_only"])
@pytest.mark.parametrize("keeps_conference", [True, False])
@pytest.mark.parametrize("calendar_id", [ANN, TEAM])
@pytest.mark.parametrize("able", [True, False], ids=["restores and orders", "does neither"])
def test_a_deleted_event_ends_its_conference_once_and_not_before_the_grace_is_over(
    form: Any, keeps_conference: bool, calendar_id: str, able: bool
) -> None:
    """Whatever its tombstone shows of it, in a list or by itself, and whatever the back end can do."""
    world = World(capabilities=Capabilities(ALL_FIELDS, ordered_writes=able, restores=able))
    world.model.options.organizer_tombstones = form
    world.model.options.tombstone_conference = keeps_conference
    world.model.add_calendar(TEAM, ANN)
    world.initialize(who=BOB)
    event_id = settled(world, calendar_id=calendar_id, attendees=[{"email": BOB}])
    world.delete(event_id, calendar_id=calendar_id)
    world.advance(world.rules.grace_s - 1)
    assert calls(world) == [("c1", "Planning")]
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", None)]
    assert recorded(world, "c1") == {(calendar_id, event_id): "owner gone"}
    assert history_ends(world, "c1", "the event was deleted", "grace", "end wanted", "end applied")
    expect_settled(world)


@pytest.mark.scenario(12)
def test_an_ended_conference_is_remembered_as_long_as_its_event_may_come_back() -> None:
    """Calendar keeps what was deleted for 30 days; after that the record would only grow the store."""
    world = World()
    event_id = settled(world)
    world.delete(event_id)
    world.advance(30 * DAY_S)
    assert recorded(world, "c1") == {(ANN, event_id): "owner gone"}
    world.advance(2 * DAY_S)
    assert not is_known(world, "c1")
    assert world.link(event_id) is None
    assert calls(world) == [("c1", "Planning"), ("c1", None)]


# Row 38: whole days


@pytest.mark.scenario(38)
def test_an_event_that_becomes_all_day_keeps_its_conference_and_gets_days_for_times() -> None:
    """The end day stays exclusive, as in Calendar; and back again."""
    world = World()
    event_id = settled(world)
    world.edit(event_id, start={"date": "2026-11-24"}, end={"date": "2026-11-26"})
    world.settle()
    told = world.told("c1")
    assert (told.start.instant, told.start.day, told.end.day) == (None, date(2026, 11, 24), date(2026, 11, 26))
    assert told.time_zone is None
    expect_settled(world, hours=12)
    world.edit(event_id, **times(TOMORROW + timedelta(days=1)))
    world.settle()
    told = world.told("c1")
    assert (told.start.instant, told.start.day) == (TOMORROW + timedelta(days=1), None)
    assert len(world.provider.calls) == 3
    expect_settled(world)


@pytest.mark.scenario(38)
def test_whole_days_are_no_length_that_a_back_end_could_refuse() -> None:
    """A limit of hours does not apply to them; the days are told as they are."""
    world = carrying("title", "time", longest=timedelta(hours=4))
    event_id = settled(world)
    world.edit(event_id, start={"date": "2026-11-24"}, end={"date": "2026-11-25"})
    world.settle()
    assert (world.told("c1").start.day, world.told("c1").end.day) == (date(2026, 11, 24), date(2026, 11, 25))
    assert len(world.provider.calls) == 2
    expect_settled(world)


# Row 39: odd lengths


@pytest.mark.scenario(39)
@pytest.mark.parametrize("minutes", [0, 5, 3 * 24 * 60])
def test_an_event_of_any_length_is_told_as_it_is_where_every_length_will_do(minutes: int) -> None:
    """No length, a few minutes, three days."""
    world = World()
    settled(world, **times(TOMORROW, minutes))
    assert world.told("c1").end.instant - world.told("c1").start.instant == timedelta(minutes=minutes)
    expect_settled(world)


@pytest.mark.scenario(39)
@pytest.mark.parametrize(("minutes", "told_minutes"), [(0, 10), (3 * 24 * 60, 24 * 60 - 1)])
def test_a_length_that_a_back_end_refuses_is_told_as_the_nearest_one_and_once(minutes: int, told_minutes: int) -> None:
    """Another length beyond the same limit is then no difference; one within it is."""
    world = carrying("title", "time", shortest=timedelta(minutes=10), longest=timedelta(hours=23, minutes=59))
    event_id = settled(world, **times(TOMORROW, minutes))
    assert world.told("c1").end.instant - TOMORROW == timedelta(minutes=told_minutes)
    world.edit(event_id, **times(TOMORROW, minutes + 3))
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world, hours=1)
    world.edit(event_id, **times(TOMORROW, 60))
    world.settle()
    assert len(world.provider.calls) == 2
    assert world.told("c1").end.instant - TOMORROW == timedelta(hours=1)
    expect_settled(world)


@pytest.mark.scenario(39)
def test_an_end_that_nobody_set_is_the_one_that_calendar_shows() -> None:
    """`endTimeUnspecified` comes with an end all the same, for clients that need one."""
    world = World()
    event_id = settled(world, endTimeUnspecified=True)
    assert world.model.get(ANN, "primary", event_id)["endTimeUnspecified"] is True
    assert world.told("c1").end.instant == TOMORROW + timedelta(hours=1)
    expect_settled(world)


# Row 42: what is over


@pytest.mark.scenario(42)
def test_an_edit_of_an_event_that_is_over_is_recorded_and_not_told() -> None:
    """It was held: a call would burn budget, and a back end ignores or refuses it."""
    world = World()
    event_id = settled(world)
    world.advance(10 * DAY_S)
    world.edit(event_id, summary="What was planned")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(42)
def test_an_event_that_is_over_and_moved_to_the_future_is_told_again() -> None:
    """With everything that was edited meanwhile."""
    world = World()
    event_id = settled(world)
    world.advance(10 * DAY_S)
    world.edit(event_id, summary="Planning II")
    world.settle()
    later = world.now + timedelta(days=3)
    world.edit(event_id, **times(later))
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "Planning II")]
    assert world.told("c1").start.instant == later
    expect_settled(world)


@pytest.mark.scenario(42)
def test_an_event_that_runs_is_not_over_and_one_that_is_extended_is_not_over_any_more() -> None:
    """Both are told; in between, when it was over, nothing was."""
    world = World()
    event_id = settled(world)
    world.advance(DAY_S)
    assert START + timedelta(days=1) < world.now < START + timedelta(days=1, hours=1)
    world.edit(event_id, summary="It runs")
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "It runs")]
    world.advance(2 * 3600)
    world.edit(event_id, summary="It is over")
    world.settle()
    assert len(world.provider.calls) == 2
    world.edit(event_id, **times(TOMORROW, minutes=240))
    world.settle()
    assert calls(world)[2:] == [("c1", "It is over")]
    assert world.told("c1").end.instant == TOMORROW + timedelta(hours=4)
    expect_settled(world)


@pytest.mark.scenario(42, 1)
def test_a_conference_of_an_event_that_is_over_is_told_when_the_event_moves_to_the_future() -> None:
    """Somebody adds it to a past event and drags that to next week."""
    world = World()
    event_id = world.add("Planning", "c1", **times(START - timedelta(days=3)))
    world.settle()
    assert recorded(world, "c1") == {(ANN, event_id): "owner live"}
    later = START + timedelta(days=7)
    world.edit(event_id, **times(later))
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert world.told("c1").start.instant == later
    expect_settled(world)


@pytest.mark.scenario(42)
def test_a_conference_that_was_held_survives_the_deletion_of_its_event() -> None:
    """Its reports and recordings are needed."""
    world = World()
    event_id = settled(world)
    world.advance(10 * DAY_S)
    world.delete(event_id)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert history_ends(world, "c1", "kept")
    expect_settled(world)


@pytest.mark.scenario(42)
def test_an_imported_history_is_told_to_nobody() -> None:
    """Events of past years that name conferences of ours come with a migration."""
    world = World()
    world.initialize()
    world.settle()
    for year in (1, 2, 3):
        body = {
            "summary": "Old",
            "iCalUID": f"old{year}@other.example.com",
            **times(START - timedelta(days=365 * year)),
        }
        history = body | {"conferenceData": addon_conference(f"c{year}")}
        world.model.import_(ANN, "primary", history, {"conferenceDataVersion": "1"})
    world.settle()
    assert calls(world) == []
    expect_settled(world)


# Row 53: in a hurry


@pytest.mark.scenario(53)
def test_two_quick_edits_cost_one_call_with_the_last_state() -> None:
    """The list shows only what is, not what was."""
    world = World()
    event_id = settled(world)
    world.edit(event_id, summary="Planing")
    world.edit(event_id, summary="Planning II", **times(TOMORROW + timedelta(hours=1)))
    world.settle()
    assert calls(world) == [("c1", "Planning"), ("c1", "Planning II")]
    assert world.told("c1").start.instant == TOMORROW + timedelta(hours=1)
    expect_settled(world)


@pytest.mark.scenario(53)
def test_an_edit_that_is_taken_back_at_once_costs_no_call() -> None:
    """Wanted and applied are compared, not replayed."""
    world = World()
    event_id = settled(world)
    world.edit(event_id, summary="Planing")
    world.edit(event_id, summary="Planning")
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(53)
def test_an_edit_that_is_taken_back_while_the_back_end_is_busy_costs_no_call() -> None:
    """It waits to be told, and then there is nothing left to tell."""
    world = World()
    event_id = settled(world)

    def busy(_: ConferenceCall) -> None:
        raise ProviderBusy("429", retry_after_s=1800)

    world.provider.before = busy
    world.edit(event_id, summary="Planing")
    world.settle()
    world.edit(event_id, summary="Planning")
    world.settle()
    world.provider.before = lambda _: None
    world.advance(3600)
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(53)
def test_an_event_that_is_deleted_and_restored_at_once_costs_no_call() -> None:
    """Not even the grace period begins."""
    world = World()
    event_id = settled(world)
    world.delete(event_id)
    world.restore(event_id)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    assert not any("grace" in line for line in noted(world, "c1"))
    expect_settled(world)


@pytest.mark.scenario(53, 1)
def test_an_event_that_is_created_registered_and_renamed_at_once_is_told_once() -> None:
    """With its last title."""
    world = World()
    world.initialize()
    event_id = world.create("Planing", "c1")
    world.edit(event_id, summary="Planning")
    world.initialize("c1", event_id)
    world.settle()
    assert calls(world) == [("c1", "Planning")]
    expect_settled(world)


@pytest.mark.scenario(53)
def test_an_event_that_was_created_and_deleted_within_a_window_is_told_to_nobody() -> None:
    """Nobody registered a conference for it: there is nothing to end."""
    world = World()
    world.initialize()
    world.settle()
    world.delete(world.create("Mistake", "c1"))
    world.settle()
    assert calls(world) == []
    expect_settled(world)


@pytest.mark.scenario(53, 2)
def test_a_registered_conference_whose_event_was_deleted_before_the_first_look_is_ended() -> None:
    """The add-on made it, so it exists, although no sync ever saw its event alive."""
    world = World()
    world.initialize()
    world.settle()
    event_id = world.create("Mistake", "c1")
    world.delete(event_id)
    world.initialize("c1", event_id)
    world.advance(world.rules.draft_s + 3600)
    assert calls(world) == [("c1", None)]
    expect_settled(world)
