"""What a second review of the protocol found by reading: schedules that ended, lost, leaked or spun something."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.owners import owners_of
from confsync.core.rules import Rules
from confsync.errors import (
    CalendarRequestRejected,
    CalendarUnavailable,
    ConferenceGone,
    ConfsyncError,
    ProviderBusy,
    ProviderRefusesUs,
    ProviderRejected,
)
from confsync.local.calendar_server.people import addon_conference
from confsync.ports import ConferenceCall, CreateCall
from tests.world import ALL_FIELDS, ANN, BOB, World, times

TEAM, NOWHERE = "team@group.example.com", "zoe@example.com"
MAKES = Capabilities(ALL_FIELDS, ordered_writes=True, creates=True)
REVIVES_AND_MAKES = replace(MAKES, restores=True)
TELLS_HOST = Capabilities(ALL_FIELDS, ordered_writes=True, restores=True, tells_host=True)
FEW = Rules(tenant_brake=3, calendar_brake=3, calendar_brake_share=0.1, tenant_brake_share=0.1)


def team_world(**options: object) -> World:
    """Return a world in which Ann and Bob share a calendar that confsync sees as Ann."""
    world = World(**options)  # type: ignore[arg-type]
    world.model.add_calendar(TEAM, BOB, roles={ANN: "owner"})
    world.initialize(calendar_id=TEAM)
    return world


def soon(world: World, days: float = 9) -> dict[str, Any]:
    return dict(times(world.now + timedelta(days=days)))


def ended_meeting(world: World) -> str:
    """Let an event be deleted, and its conference c1 end; return the event's id."""
    event_id = world.add("Planning", "c1", **soon(world))
    world.settle()
    world.delete(event_id)
    world.settle()
    return event_id


def named(world: World, event_id: str, calendar_id: str = "primary") -> str | None:
    data: dict[str, str] = world.model.get(ANN, calendar_id, event_id).get("conferenceData", {})
    return data.get("conferenceId")


def ends(world: World) -> list[str]:
    return [call.conference_id for call in world.provider.calls if call.state is None]


def busy_create(_: CreateCall) -> None:
    raise ProviderBusy("later", 300)


def no_write(world: World, error: ConfsyncError) -> list[str]:
    """Let every write of an event fail; return the attempts."""
    tried: list[str] = []

    def refuse(operation: str) -> None:
        if operation == "events.update":
            tried.append(operation)
            raise error

    world.before_calendar = refuse
    return tried


# --- wrong ends ----------------------------------------------------------------------------------------------------


def test_a_wanted_end_is_taken_back_when_its_event_turns_out_to_have_moved() -> None:
    """The record says "kept: its event moved out of sight"; the end that waited for a busy back end must not leave."""
    world = World()
    world.model.add_user(NOWHERE)
    world.model.share(NOWHERE, {ANN: "writer"})
    event_id = world.add("Planning", "c1", attendees=[{"email": ANN}, {"email": BOB}], **soon(world))
    world.settle()

    def busy(call: ConferenceCall) -> None:
        if call.state is None:
            raise ProviderBusy("later", 1200)

    world.provider.before = busy
    world.delete(event_id)
    world.advance(300)
    world.lose_pushes = True
    world.restore(event_id)
    world.move(event_id, NOWHERE)
    world.lose_pushes = False
    world.push(ANN)
    world.advance(60)
    assert owners_of(world.conference("c1"), "orphaned")
    world.provider.before = lambda _: None
    world.advance(3600)
    assert ends(world) == []


def test_an_event_that_we_relinked_in_another_calendar_holds_its_conference() -> None:
    """A copy came back and moved: confsync itself wrote the successor into it, and then ended that successor."""
    world = team_world(capabilities=MAKES)
    event_id = world.add("Planning", "c1", **soon(world))
    world.settle()
    copy = world.duplicate(event_id)
    world.settle()
    world.delete(event_id)
    world.delete(copy)
    world.settle()
    world.restore(event_id)
    world.settle()
    assert named(world, event_id) == "c1-n1"
    world.restore(copy)
    world.move(copy, TEAM)
    world.settle()
    assert named(world, copy, TEAM) == "c1-n1"
    world.delete(event_id)
    world.settle()
    assert world.told(str(named(world, copy, TEAM))) is not None


def test_a_meeting_that_was_held_where_it_had_moved_to_is_kept() -> None:
    """The referent that it left behind has the time it once had; that says nothing about whether it was held."""
    world = team_world()
    event_id = world.add("Planning", "c1", **soon(world, 20))
    world.settle()
    world.move(event_id, TEAM)
    world.settle()
    world.edit(event_id, calendar_id=TEAM, **soon(world, 1))
    world.settle()
    world.advance(2 * 86400)
    world.delete(event_id, calendar_id=TEAM)
    world.settle()
    assert ends(world) == []


def test_a_meeting_that_was_held_is_kept_though_another_event_of_it_was_cancelled_before() -> None:
    """The cancelled one's time, which is still to come, does not undo that the other one was held."""
    world = World()
    event_id = world.add("Planning", "c1", **soon(world, 20))
    world.settle()
    copy = world.duplicate(event_id)
    world.edit(copy, **soon(world, 1))
    world.settle()
    world.delete(event_id)
    world.settle()
    world.advance(2 * 86400)
    world.delete(copy)
    world.settle()
    assert ends(world) == []


def test_a_forged_event_does_not_end_the_conference_of_an_open_draft() -> None:
    """Policy `matching`: the add-on's word for Ann's draft must not vouch for Bob's event, whose host it is not."""
    world = World(rules=Rules(claims="matching"), capabilities=TELLS_HOST)
    world.provider.hosts["c1"] = ANN
    world.initialize(who=BOB)
    world.initialize("c1", "draft1")
    forged = world.create("Forged", "c1", who=BOB)
    world.settle()
    world.delete(forged, who=BOB)
    world.settle()
    assert ends(world) == []


def test_discarded_drafts_count_for_the_brake() -> None:
    """An add-on that registers the wrong calendar makes all its live conferences look discarded, a day later."""
    world = World(rules=FEW)
    for n in range(12):
        world.initialize(f"c{n}", f"draft{n}")
    world.advance(26 * 3600)
    assert len(ends(world)) <= 3


def test_deletions_found_where_events_moved_to_count_for_the_brake() -> None:
    """A review decides them, not a sync."""
    world = team_world(rules=FEW)
    event_ids = [world.add(f"M{n}", f"c{n}") for n in range(12)]
    world.settle()
    world.lose_pushes = True
    for event_id in event_ids:
        world.move(event_id, TEAM)
        world.delete(event_id, calendar_id=TEAM)
    world.lose_pushes = False
    world.push(ANN)
    world.settle()
    assert len(ends(world)) <= 3


def test_a_made_conference_does_not_end_while_its_event_waits_to_be_written() -> None:
    """Its draft timer runs although a reservation still means to write it; then a dead link is written."""
    world = World(capabilities=MAKES)
    event_id = ended_meeting(world)
    no_write(world, CalendarRequestRejected("not now"))
    world.restore(event_id)
    world.advance(30 * 3600)
    world.before_calendar = lambda _: None
    world.advance(3 * 3600)
    assert ends(world) == ["c1"]
    assert named(world, event_id) == "c1-n1"


# --- lost changes --------------------------------------------------------------------------------------------------


def test_an_event_that_moved_before_it_was_relinked_is_followed() -> None:
    """Vouched for is only the link that it had when the conference was made."""
    world = team_world(capabilities=MAKES)
    event_id = ended_meeting(world)
    no_write(world, CalendarRequestRejected("not now"))
    world.restore(event_id)
    world.advance(300)
    world.move(event_id, TEAM)
    world.advance(60)
    world.before_calendar = lambda _: None
    world.advance(3 * 3600)
    world.edit(event_id, calendar_id=TEAM, summary="Retro")
    world.settle()
    assert world.told(str(named(world, event_id, TEAM))).title == "Retro"


def test_a_calendar_that_many_people_watch_is_not_blocked_by_one_event() -> None:
    """Each older view of the event costs a round of readings of its own, and there are only six rounds."""
    world = World()
    people = [f"p{n}@example.com" for n in range(7)]
    for person in people:
        world.model.add_user(person)
    world.model.add_calendar(TEAM, ANN, roles=dict.fromkeys(people, "owner"))
    event_id = world.add("Planning", "c1", calendar_id=TEAM, **soon(world))
    for n, person in enumerate(people):
        world.advance(60)
        world.edit(event_id, calendar_id=TEAM, summary=f"Planning {n}")
        world.initialize(who=person, calendar_id=TEAM)  # raises CalendarUnavailable for the sixth, and ever after
    world.advance(60)
    assert [p for p in people if world.calendar(p, TEAM).sync_generation == 0] == []


def test_a_conference_that_was_gone_and_is_registered_anew_is_told() -> None:
    """The add-on made it again under its id; what its back end held before is of no use."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()

    def gone(_: ConferenceCall) -> None:
        raise ConferenceGone("gone")

    world.provider.before = gone
    world.edit(event_id, summary="Retro")
    world.settle()
    assert world.conference("c1").gone
    world.provider.before = lambda _: None
    world.initialize("c1", event_id)
    world.settle()
    assert world.told("c1").title == "Retro"


def test_a_copy_that_becomes_owner_in_a_review_is_followed() -> None:
    """`judge` asks for a reading there, and nobody answers it."""
    world = team_world()
    event_id = world.add("Planning", "c1")
    world.settle()
    world.lose_pushes = True
    world.move(event_id, TEAM)
    copy = world.duplicate(event_id, calendar_id=TEAM)
    world.edit(copy, calendar_id=TEAM, summary="Copy")
    world.delete(event_id, calendar_id=TEAM)
    world.push(TEAM)
    world.advance(60)
    world.push(ANN)
    world.advance(6000)
    assert owners_of(world.conference("c1"), "live")
    assert world.told("c1").title == "Copy"


# --- leaks ---------------------------------------------------------------------------------------------------------


def test_a_registration_that_comes_after_its_event_was_listed_and_deleted_leaks_nothing() -> None:
    """The claim is gone already: it never owned, so nothing ends, and after a month it is forgotten."""
    world = World()
    world.initialize()
    event_id = world.create("Planning", "c1")
    world.settle()
    world.delete(event_id)
    world.settle()
    world.initialize("c1", event_id)
    world.advance(40 * 3600)
    assert ends(world) == ["c1"]


def test_a_discarded_draft_ends_though_somebody_once_claimed_its_conference() -> None:
    """The claim is gone; only the draft was vouched for, and it never came."""
    world = World()
    world.initialize(who=BOB)
    world.initialize("c1", "draft1")
    claim = world.create("Copy", "c1", who=BOB)
    world.settle()
    world.delete(claim, who=BOB)
    world.advance(30 * 3600)
    assert ends(world) == ["c1"]


def test_an_orphan_is_looked_for_when_the_last_other_event_goes() -> None:
    """While another event lived, its review took the place of the search; after that nothing is due at all."""
    world = team_world()
    event_id = world.add("Planning", "c1", **soon(world))
    world.settle()
    copy = world.duplicate(event_id)
    world.settle()
    world.lose_pushes = True
    world.move(copy, TEAM)
    world.delete(copy, calendar_id=TEAM)
    world.lose_pushes = False
    world.push(ANN)
    world.settle()
    world.delete(event_id)
    world.advance(86400)
    assert ends(world) == ["c1"]


def test_a_conference_whose_end_was_refused_is_told_again_when_its_event_is_back() -> None:
    """It never ended: to put another one in its place leaves it behind, and changes the guests' link."""
    world = World(capabilities=MAKES)
    event_id = world.add("Planning", "c1", **soon(world))
    world.settle()

    def no_end(call: ConferenceCall) -> None:
        if call.state is None:
            raise ProviderRejected("not allowed")

    world.provider.before = no_end
    world.delete(event_id)
    world.settle()
    world.restore(event_id)
    world.settle()
    assert named(world, event_id) == "c1"


def test_what_is_known_of_an_odd_instance_is_not_forgotten_with_its_series_conference() -> None:
    """Months later the series is deleted, and Calendar says no more of the instance than its id."""
    world = World()
    world.model.options.organizer_tombstones = "id_only"
    series_id = world.add("Daily", "c1", recurrence=["RRULE:FREQ=DAILY;COUNT=300"])
    world.settle()
    odd = world.instances(series_id)[200]
    world.edit(odd, conferenceData=addon_conference("c2"))
    world.initialize("c2", odd)
    world.settle()
    world.edit(series_id, conferenceData=None)
    world.settle()
    assert ends(world) == ["c1"]
    world.now += timedelta(days=40)
    world.settle()
    world.delete(series_id)
    world.advance(86400)
    assert ends(world) == ["c1", "c2"]


# --- spinning ------------------------------------------------------------------------------------------------------


def test_a_write_that_fails_for_long_is_tried_ever_more_slowly() -> None:
    """The attempts at a relink are not counted: it is tried about every second while Calendar is down."""
    world = World(capabilities=MAKES)
    event_id = ended_meeting(world)
    tried = no_write(world, CalendarUnavailable("down"))
    world.restore(event_id)
    world.advance(3600)
    assert len(tried) < 60


def test_a_back_end_that_refuses_us_is_asked_slowly_for_a_host() -> None:
    """Every minute, with two reads of Calendar and a write of the record each time, for ever."""
    world = World(rules=Rules(claims="matching"), capabilities=TELLS_HOST)
    world.initialize()
    event_id = world.create("Planning", "c1", **soon(world))
    world.settle()
    asked = []

    def refuse(conference_id: str) -> str | None:
        asked.append(conference_id)
        raise ProviderRefusesUs("401")

    world.provider.host_of = refuse  # type: ignore[method-assign]
    world.delete(event_id)
    world.advance(86400)
    assert len(asked) < 150


def test_a_replacement_of_a_back_end_that_nobody_configures_any_more_is_not_started_each_minute() -> None:
    """The oldest that is due comes first: 500 of these, and nothing else is ever started."""
    world = World(capabilities=MAKES)
    event_id = ended_meeting(world)
    world.provider.before_create = busy_create
    world.restore(event_id)
    world.advance(60)
    world.providers.clear()
    world.terms = replace(world.terms, capabilities={})
    before = len(world.outcomes)
    world.advance(6 * 3600)
    assert len(world.outcomes) - before < 60


# --- noise ---------------------------------------------------------------------------------------------------------


def test_no_conference_is_made_for_a_duplicate_that_is_over() -> None:
    """With `mint` switched on, a full listing would do so for all of the past, and write those events."""
    world = World(rules=Rules(duplicates="mint"), capabilities=REVIVES_AND_MAKES)
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(hours=1)))
    world.settle()
    world.advance(5 * 3600)
    world.duplicate(event_id)
    world.settle()
    assert world.provider.created == {}


def test_a_view_that_cannot_be_read_now_is_not_taken_for_left() -> None:
    """Only a look says that an event left."""
    world = team_world()
    event_id = world.add("Planning", "c1", calendar_id=TEAM, **soon(world))
    world.settle()
    world.edit(event_id, calendar_id=TEAM, summary="Retro")
    world.settle()
    world.model.suspend(ANN)
    world.initialize(who=BOB, calendar_id=TEAM)
    world.settle()
    assert len(owners_of(world.conference("c1"), "live")) == 2


# --- several views, several parts ------------------------------------------------------------------------------------


def test_a_guests_word_covers_an_organizer_that_is_a_shared_calendar() -> None:
    """Nobody's own calendar is the organizer's: which view of it shows the event cannot be known beforehand."""
    world = World()
    world.model.add_calendar(TEAM, ANN)
    world.initialize(calendar_id=TEAM)
    world.initialize(who=BOB)
    guests = [{"email": BOB, "responseStatus": "accepted"}]
    event_id = world.create("Planning", calendar_id=TEAM, guestsCanModify=True, attendees=guests, **soon(world))
    world.settle()
    world.edit(event_id, who=BOB, conferenceData=addon_conference("c1"))
    world.initialize("c1", event_id, BOB)
    world.settle()
    assert world.told("c1").title == "Planning"
    world.edit(event_id, calendar_id=TEAM, summary="Retro")
    world.settle()
    assert world.told("c1").title == "Retro"


def two_views() -> tuple[World, str]:
    """Return a world in which Ann and Bob sync one calendar, with an event that both saw there."""
    world = team_world()
    world.initialize(who=BOB, calendar_id=TEAM)
    event_id = world.add("Planning", "c1", calendar_id=TEAM, **soon(world))
    world.settle()
    assert len(owners_of(world.conference("c1"), "live")) == 2
    return world, event_id


def test_an_event_that_was_deleted_is_not_kept_by_a_view_that_shows_nothing_any_more() -> None:
    """Bob's account was suspended: his view of the calendar would show the event for ever."""
    world, event_id = two_views()
    world.model.suspend(BOB)
    world.advance(60)
    world.delete(event_id, calendar_id=TEAM)
    world.advance(86400)
    assert ends(world) == ["c1"]


def test_a_deleted_event_that_was_restored_is_kept_whichever_view_shows_it() -> None:
    """What one view tells of a deletion holds only until another shows the event again."""
    world, event_id = two_views()
    world.delete(event_id, calendar_id=TEAM)
    world.advance(2)
    world.restore(event_id, calendar_id=TEAM)
    world.advance(86400)
    assert ends(world) == []
    assert len(owners_of(world.conference("c1"), "live")) == 2


@pytest.mark.parametrize("is_made", [False, True], ids=["before it is made", "before it is written"])
def test_the_parts_of_a_duplicate_that_is_split_share_its_conference(is_made: bool) -> None:
    """Both were created at one moment, as one duplicate: one conference takes the place of the shared one."""
    world = World(rules=Rules(duplicates="mint"), capabilities=REVIVES_AND_MAKES)
    series_id = world.add("Daily", "c1", recurrence=["RRULE:FREQ=DAILY;COUNT=30"], **soon(world))
    world.settle()
    if is_made:
        no_write(world, CalendarUnavailable("down"))
    else:
        world.provider.before_create = busy_create
    copy = world.duplicate(series_id)
    world.advance(10)
    later = world.split(copy, 10, summary="Later")
    world.advance(10)
    world.before_calendar = lambda _: None
    world.provider.before_create = lambda _: None
    world.advance(3600)
    assert len(world.provider.created) == 1
    assert (named(world, series_id), named(world, copy), named(world, later)) == ("c1", "c1-n1", "c1-n1")


def test_a_part_that_is_split_off_while_its_duplicate_gets_a_conference_shares_that() -> None:
    """It was made from a copy that still named the old one, and is seen when nothing is under way any more."""
    world = World(rules=Rules(duplicates="mint"), capabilities=REVIVES_AND_MAKES)
    series_id = world.add("Daily", "c1", recurrence=["RRULE:FREQ=DAILY;COUNT=30"], **soon(world))
    world.settle()
    copy = world.duplicate(series_id)
    world.settle()
    later = world.split(copy, 10, summary="Later", conferenceData=addon_conference("c1"))
    world.settle()
    assert len(world.provider.created) == 1
    assert (named(world, copy), named(world, later)) == ("c1-n1", "c1-n1")


def test_a_part_that_comes_after_its_duplicates_conference_was_forgotten_gets_a_new_one() -> None:
    """What was made ended a month ago, and nobody expects it any more: an event that got it would be nobody's."""
    world = World(rules=Rules(duplicates="mint"), capabilities=REVIVES_AND_MAKES)
    series_id = world.add("Daily", "c1", recurrence=["RRULE:FREQ=DAILY;COUNT=300"], **soon(world))
    world.settle()
    copy = world.duplicate(series_id)
    world.settle()
    later = world.split(copy, 200, summary="Later", conferenceData=None)
    world.delete(copy)
    world.settle()
    for _ in range(40):
        world.now += timedelta(days=1)
        world.settle()
    world.edit(later, conferenceData=addon_conference("c1"))
    world.settle()
    assert named(world, later) == "c1-n2"
    assert world.told("c1-n2").title == "Later"
