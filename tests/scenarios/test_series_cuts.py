"""Series that are cut, shortened, deleted, or shown in part: one conference for all parts, and one end at most."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from confsync.core.capabilities import Capabilities
from confsync.local.calendar_server.people import addon_conference
from tests.scenarios.expectations import (
    DAY_S,
    assert_quiet,
    driver,
    event_writes,
    is_told_all,
    referents,
    story,
    titles,
    verbs,
)
from tests.scenarios.worlds import FORMS, RESTORES, in_days, weekly
from tests.world import ALL_FIELDS, ANN, BOB, START, World, times

FIRST_ONLY = replace(RESTORES, carries=ALL_FIELDS - {"recurrence", "occurrences", "time_zone"})


def occurrence(number: int) -> datetime:
    """Return when the occurrence of this number (from 0) begins."""
    return START + timedelta(days=3 + 7 * number)


# This and following


@pytest.mark.scenario(26)
@pytest.mark.parametrize("moved", [False, True], ids=["same time", "another time, unrelated id"])
def test_a_split_series_is_one_conference_with_two_owners(moved: bool) -> None:
    """The cut is an update of the first part; nothing ends, nothing is made, and the new part does not drive yet."""
    world, first = weekly(days=3)
    changes = dict(times(occurrence(3) + timedelta(hours=2))) if moved else {}
    second = world.split(first, 3, summary="Weekly, second part", **changes)
    world.settle()
    assert verbs(world, "c1") == ["update", "update"]
    assert "UNTIL" in world.told("c1").recurrence[0]
    assert world.told("c1").title == "Weekly"
    assert referents(world, "c1") == {first: ("owner", "live"), second: ("owner", "live")}
    assert (driver(world, "c1"), is_told_all(world, "c1")) == (first, True)
    assert (world.provider.created, event_writes(world)) == ({}, 0)
    assert_quiet(world)


@pytest.mark.scenario(26)
def test_a_split_that_loses_the_conference_leaves_it_to_the_first_part() -> None:
    """The new part without a conference is a stranger: the first part alone keeps the conference, and alone ends it."""
    world, first = weekly(days=3)
    world.model.options.split_keeps_conference = False
    second = world.split(first, 3, summary="Second")
    world.settle()
    assert (verbs(world, "c1"), referents(world, "c1")) == (["update", "update"], {first: ("owner", "live")})
    assert "UNTIL" in world.told("c1").recurrence[0]
    assert_quiet(world)
    world.edit(second, summary="Still a stranger")
    world.delete(second)
    world.settle()
    assert verbs(world, "c1") == ["update", "update"]
    world.delete(first)
    world.settle()
    assert verbs(world, "c1") == ["update", "update", "end"]
    assert_quiet(world)


@pytest.mark.scenario(26)
def test_a_client_that_cuts_the_series_itself_makes_the_same_two_owners() -> None:
    """Over the API a split is two writes: an UNTIL, and an unrelated series to which the conference was copied."""
    world, first = weekly(days=3)
    until = (occurrence(3) - timedelta(days=1)).strftime("%Y%m%dT%H%M%SZ")
    world.edit(first, recurrence=[f"RRULE:FREQ=WEEKLY;UNTIL={until}"])
    second = world.create("Second", "c1", recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"], **times(occurrence(3)))
    world.settle()
    assert referents(world, "c1") == {first: ("owner", "live"), second: ("owner", "live")}
    assert verbs(world, "c1") == ["update", "update"]
    assert_quiet(world)


@pytest.mark.scenario(26)
@pytest.mark.parametrize("deleted", ["first", "second"])
def test_deleting_one_part_of_a_split_series_ends_nothing(deleted: str) -> None:
    """The part that is left has the conference, and is what the back end holds; the last one ends it, once."""
    world, first = weekly(days=3)
    second = world.split(first, 3, summary="Second")
    world.settle()
    gone, left = (first, second) if deleted == "first" else (second, first)
    world.delete(gone)
    world.settle()
    assert "end" not in verbs(world, "c1")
    assert world.told("c1").title == ("Second" if deleted == "first" else "Weekly")
    assert (referents(world, "c1")[gone], driver(world, "c1")) == (("owner", "gone"), left)
    assert_quiet(world)
    world.delete(left)
    world.settle()
    assert verbs(world, "c1")[-1] == "end"
    assert verbs(world, "c1").count("end") == 1
    assert_quiet(world)


@pytest.mark.scenario(26)
@pytest.mark.parametrize("capabilities", [RESTORES, FIRST_ONLY], ids=["carries series", "carries one time only"])
def test_the_second_part_drives_when_the_first_is_over(capabilities: Capabilities) -> None:
    """Nothing changes in Calendar at that moment: the conference is looked at again by itself, and told once."""
    world, first = weekly(World(capabilities=capabilities), days=3)
    second = world.split(first, 1, summary="Second")
    world.settle()
    told = len(verbs(world, "c1"))
    world.advance(4 * DAY_S)
    assert (driver(world, "c1"), world.told("c1").title) == (second, "Second")
    assert world.told("c1").start.instant == occurrence(1)
    assert len(verbs(world, "c1")) == told + 1
    assert referents(world, "c1")[first] == ("owner", "live")
    assert "decided: the event drove from here on: it took place next\nseen: " in story(world, "c1")
    assert_quiet(world)


@pytest.mark.scenario(26)
def test_a_back_end_without_recurrence_is_told_nothing_of_a_cut() -> None:
    """What it holds, the first occurrence, did not change."""
    world, first = weekly(World(capabilities=FIRST_ONLY), days=3)
    second = world.split(first, 3, summary="Second")
    world.settle()
    assert titles(world, "c1") == ["Weekly"]
    assert referents(world, "c1") == {first: ("owner", "live"), second: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(26)
def test_changed_occurrences_behind_a_cut_are_given_up() -> None:
    """Their tombstones hold nothing but an id; the series is told without them, and the conference stays."""
    world, first = weekly(days=3)
    world.edit(world.instances(first)[5], summary="Special")
    world.settle()
    assert [o.title for o in world.told("c1").occurrences] == ["Special"]
    second = world.split(first, 3, summary="Second")
    world.settle()
    assert world.told("c1").occurrences == ()
    assert verbs(world, "c1") == ["update"] * 3
    assert set(referents(world, "c1")) == {first, second}
    assert_quiet(world)


@pytest.mark.scenario(26)
def test_a_change_from_the_first_occurrence_on_is_a_change_of_the_series() -> None:
    """There is nothing to cut: one event, one owner, one update."""
    world, series_id = weekly(days=3)
    assert world.split(series_id, 0, summary="All of it") == series_id
    world.settle()
    assert titles(world, "c1") == ["Weekly", "All of it"]
    assert referents(world, "c1") == {series_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(26)
def test_a_series_that_is_cut_twice_ends_with_its_last_part() -> None:
    """Three owners, one conference, one end."""
    world, first = weekly(days=3)
    second = world.split(first, 2, summary="Second")
    third = world.split(second, 2, summary="Third")
    world.settle()
    assert set(referents(world, "c1").values()) == {("owner", "live")}
    for part in (second, first):
        world.delete(part)
        world.settle()
        assert "end" not in verbs(world, "c1")
    assert world.told("c1").title == "Third"
    world.delete(third)
    world.settle()
    assert verbs(world, "c1").count("end") == 1
    assert_quiet(world)


@pytest.mark.scenario(27)
@pytest.mark.parametrize("capabilities", [RESTORES, FIRST_ONLY], ids=["carries series", "carries one time only"])
def test_deleting_this_and_following_only_shortens_the_series(capabilities: Capabilities) -> None:
    """It looks like an edit of the rule, and is no deletion of anything the conference hangs on."""
    world, series_id = weekly(World(capabilities=capabilities), days=3)
    world.edit(world.instances(series_id)[6], summary="Special")
    world.settle()
    told = len(verbs(world, "c1"))
    world.model.delete_this_and_following(ANN, "primary", world.instances(series_id)[4])
    world.settle()
    assert len(verbs(world, "c1")) == told + ("recurrence" in capabilities.carries)
    assert "end" not in verbs(world, "c1")
    if "recurrence" in capabilities.carries:
        assert "UNTIL" in world.told("c1").recurrence[0]
        assert world.told("c1").occurrences == ()
    assert referents(world, "c1") == {series_id: ("owner", "live")}
    assert is_told_all(world, "c1")
    assert_quiet(world)


# The whole series


@pytest.mark.scenario(28)
@pytest.mark.parametrize("conference_in_tombstone", [True, False])
@FORMS
def test_a_deleted_series_ends_its_conference_once(form: Any, conference_in_tombstone: bool) -> None:
    """A tombstone of the master and of each exception, in the organizer's and a guest's calendar, are one end."""
    world = World()
    world.model.options.organizer_tombstones = form
    world.model.options.tombstone_conference = conference_in_tombstone
    _, series_id = weekly(world, attendees=[{"email": BOB}], days=3)
    world.initialize(who=BOB)
    for number in (1, 2, 3):
        world.edit(world.instances(series_id)[number], summary=f"Special {number}")
    world.delete(world.instances(series_id)[5])
    world.settle()
    told = len(verbs(world, "c1"))
    world.delete(series_id)
    world.advance(world.rules.grace_s - 1)
    assert world.told("c1").title == "Weekly"
    world.settle()
    assert verbs(world, "c1")[told:] == ["end"]
    assert referents(world, "c1") == {series_id: ("owner", "gone")}
    assert story(world, "c1").count("the event was deleted") == len(["seen", "why grace began"])
    assert is_told_all(world, "c1")
    assert_quiet(world)


@pytest.mark.scenario(28)
def test_a_series_of_which_half_was_held_still_ends_when_it_is_deleted() -> None:
    """Only what is over as a whole was held: occurrences that are still to come are cancelled."""
    world, series_id = weekly(days=3)
    world.advance(12 * DAY_S)
    world.delete(series_id)
    world.settle()
    assert verbs(world, "c1") == ["update", "end"]
    assert_quiet(world)


@pytest.mark.scenario(28, 24)
def test_a_deleted_series_ends_the_conference_of_its_odd_occurrence_too() -> None:
    """One occurrence had a conference of its own: both end, each once."""
    world, series_id = weekly(days=3)
    odd = world.instances(series_id)[2]
    world.edit(odd, conferenceData=addon_conference("c2"))
    world.initialize("c2", odd)
    world.settle()
    assert (verbs(world, "c2"), is_told_all(world, "c1")) == (["update"], True)
    assert "end" not in verbs(world, "c1")
    assert referents(world, "c2") == {odd: ("owner", "live")}
    assert_quiet(world)
    world.delete(series_id)
    world.settle()
    assert (verbs(world, "c1").count("end"), verbs(world, "c2")) == (1, ["update", "end"])
    assert_quiet(world)


# A guest of one occurrence


@pytest.mark.scenario(29)
def test_a_guest_of_one_occurrence_drives_and_ends_nothing() -> None:
    """Bob's calendar shows an occurrence without its series: nothing binds, nothing is asked in vain."""
    world, series_id = weekly(days=3)
    world.initialize(who=BOB)
    third = world.instances(series_id)[2]
    world.edit(third, attendees=[{"email": BOB}])
    world.settle()
    assert world.model.get(BOB, "primary", third)["conferenceData"]["conferenceId"] == "c1"
    told = verbs(world, "c1")
    world.model.patch(BOB, "primary", third, {"attendees": [{"email": BOB, "responseStatus": "declined"}]})
    world.settle()
    world.delete(third, who=BOB)
    world.settle()
    assert verbs(world, "c1") == told
    assert told == ["update"]
    assert referents(world, "c1") == {series_id: ("owner", "live")}
    assert (world.link(third, BOB), world.link(series_id, BOB), world.failures()) == (None, None, [])
    assert_quiet(world)


@pytest.mark.scenario(29)
def test_a_guest_of_the_second_part_only_drives_and_ends_nothing() -> None:
    """Bob sees a series of its own, with our conference, that he does not organize."""
    world, first = weekly(days=3)
    world.initialize(who=BOB)
    second = world.split(first, 3, attendees=[{"email": BOB}])
    world.settle()
    told = verbs(world, "c1")
    world.delete(second, who=BOB)
    world.settle()
    assert verbs(world, "c1") == told
    assert {r.calendar_key for r in world.conference("c1").referents.values()} == {world.calendar(ANN).key}
    assert_quiet(world)


@pytest.mark.scenario(29)
def test_an_organizers_occurrence_without_its_series_is_not_listed_as_a_series() -> None:
    """A payload as clients recorded it: an exception whose master Calendar does not know. It binds to nothing."""
    world = World()
    world.initialize()
    body = {
        "id": "lonely_20261201T090000Z",
        "status": "confirmed",
        "recurringEventId": "lonely",
        "originalStartTime": {"dateTime": "2026-12-01T09:00:00Z", "timeZone": "UTC"},
        "iCalUID": "lonely@example.com",
        "organizer": {"email": "somebody@else.example"},
        "updated": "2026-11-22T09:00:00.000Z",
        "conferenceData": addon_conference("c1"),
        **in_days(9),
    }
    world.model.import_payload(ANN, [body])
    world.settle()
    assert (world.provider.calls, world.failures()) == ([], [])
    assert_quiet(world)
