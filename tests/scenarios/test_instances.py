"""Single instances of a series: moved, renamed, cancelled, without the conference, or with one of their own."""

from datetime import timedelta
from typing import Any

import pytest

from confsync.local.calendar_server.people import addon_conference
from tests.scenarios.expectations import calls, expect_series_untouched, expect_settled, noted, recorded, titles, verbs
from tests.scenarios.worlds import FORMS, MEET, TOMORROW, WEEK, WEEKLY, exceptions_told, in_days, weekly, without
from tests.world import ANN, BOB, World, times

# Row 22: one instance moved or renamed


@pytest.mark.scenario(22)
def test_a_moved_and_a_renamed_instance_are_told_by_their_original_start() -> None:
    """One call for each edit; the rest of the series stays."""
    world, series_id = weekly()
    instances = world.instances(series_id)
    moved_to = TOMORROW + WEEK + timedelta(hours=5)
    world.edit(instances[1], **times(moved_to))
    world.settle()
    world.edit(instances[2], summary="Special")
    world.settle()
    told = exceptions_told(world)
    assert set(told) == {1, 2}
    assert (told[1].start and told[1].start.instant, told[1].title) == (moved_to, None)
    assert told[2].title == "Special"
    assert calls(world) == [("c1", "Weekly")] * 3
    assert recorded(world, "c1") == {(ANN, series_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(22)
@pytest.mark.parametrize("fields", [("occurrences",), ("occurrences", "recurrence")])
def test_a_changed_instance_is_no_change_for_a_back_end_that_cannot_tell_instances_apart(fields: Any) -> None:
    """The link in the event still works."""
    world, series_id = weekly(without(*fields))
    instances = world.instances(series_id)
    world.edit(instances[1], **times(TOMORROW + WEEK + timedelta(hours=5)))
    world.edit(instances[2], summary="Special")
    world.settle()
    expect_series_untouched(world, series_id)


@pytest.mark.scenario(22, 25)
def test_an_edit_of_the_series_tells_its_changed_instances_again() -> None:
    """Some back ends drop overrides with each edit of the series: every state is told whole."""
    world, series_id = weekly()
    instances = world.instances(series_id)
    world.edit(instances[2], summary="Special")
    world.settle()
    world.edit(series_id, location="Room 5")
    world.settle()
    assert {number: told.title for number, told in exceptions_told(world).items()} == {2: "Special"}
    assert len(world.provider.calls) == 3
    expect_settled(world)


@pytest.mark.scenario(22)
def test_an_instance_with_an_id_of_another_form_is_known_by_its_original_start() -> None:
    """Ids of instances are opaque: their form changes in 2026."""
    world, series_id = weekly()
    master = world.model.get(ANN, "primary", series_id)
    kept = ("organizer", "conferenceData", "iCalUID", "status", "created")
    moved = {name: master[name] for name in kept} | dict(times(TOMORROW + 3 * WEEK + timedelta(hours=1)))
    original = {"dateTime": (TOMORROW + 3 * WEEK).isoformat(), "timeZone": "Europe/Berlin"}
    world.advance(60)
    moved |= {"id": "v2-0000-opaque", "recurringEventId": series_id, "originalStartTime": original}
    world.model.import_payload(ANN, [moved | {"summary": "Special", "updated": world.now.isoformat()}])
    world.settle()
    assert {number: told.title for number, told in exceptions_told(world).items()} == {3: "Special"}
    assert len(world.provider.calls) == 2
    expect_settled(world)


@pytest.mark.scenario(22)
def test_an_instance_that_is_put_back_is_no_exception_any_more() -> None:
    """Calendar keeps it as one; the back end is told that the series has no differences left."""
    world, series_id = weekly()
    instances = world.instances(series_id)
    world.edit(instances[1], summary="Special")
    world.settle()
    world.edit(instances[1], summary="Weekly")
    world.settle()
    assert exceptions_told(world) == {}
    assert len(world.provider.calls) == 3
    assert recorded(world, "c1") == {(ANN, series_id): "owner live"}
    expect_settled(world)


# Row 23: one instance cancelled


@pytest.mark.scenario(23)
def test_a_cancelled_instance_is_told_and_ends_nothing() -> None:
    """Its tombstone has no conference and names its series."""
    world, series_id = weekly()
    instances = world.instances(series_id)
    world.delete(instances[2])
    world.settle()
    assert {number: told.cancelled for number, told in exceptions_told(world).items()} == {2: True}
    assert calls(world) == [("c1", "Weekly")] * 2
    assert recorded(world, "c1") == {(ANN, series_id): "owner live"}
    assert not any("grace" in line for line in noted(world, "c1"))
    expect_settled(world)


@pytest.mark.scenario(23)
@FORMS
@pytest.mark.parametrize("fields", [("occurrences",), ("occurrences", "recurrence")])
def test_a_cancelled_instance_is_nothing_to_a_back_end_that_cannot_tell_instances_apart(form: Any, fields: Any) -> None:
    """No call, and above all no end."""
    world = without(*fields)
    world.model.options.organizer_tombstones = form
    _, series_id = weekly(world)
    instances = world.instances(series_id)
    world.delete(instances[0])
    world.delete(instances[2])
    world.settle()
    expect_series_untouched(world, series_id)


@pytest.mark.scenario(23)
def test_a_cancelled_instance_that_is_listed_before_its_series_is_told_with_it() -> None:
    """The first listing of a calendar has them in the order of their last change, one on each page."""
    world = World(page_size=1)
    series_id = world.create("Weekly", "c1", recurrence=WEEKLY)
    world.delete(world.instances(series_id)[2])
    world.edit(series_id, summary="Weekly II")
    world.initialize("c1", series_id)
    world.settle()
    assert {number: told.cancelled for number, told in exceptions_told(world).items()} == {2: True}
    assert calls(world) == [("c1", "Weekly II")]
    assert recorded(world, "c1") == {(ANN, series_id): "owner live"}
    expect_settled(world)


@pytest.mark.scenario(23)
def test_a_cancelled_instance_that_is_restored_takes_part_again() -> None:
    """The back end is told that the series has no differences left."""
    world, series_id = weekly()
    instances = world.instances(series_id)
    world.delete(instances[2])
    world.settle()
    world.restore(instances[2])
    world.settle()
    assert exceptions_told(world) == {}
    assert verbs(world, "c1") == ["update"] * 3
    expect_settled(world)


# Row 24: one instance without the conference


@pytest.mark.scenario(24)
@pytest.mark.parametrize("variant", ["removed", "Meet", "another of ours that nobody registered"])
def test_an_instance_without_the_conference_is_nothing_to_that_of_its_series(variant: str) -> None:
    """The series still holds it."""
    world, series_id = weekly()
    instances = world.instances(series_id)
    data = {"removed": None, "Meet": MEET}.get(variant, addon_conference("c2"))
    world.edit(instances[1], conferenceData=data)
    world.settle()
    shown = world.model.get(ANN, "primary", instances[1]).get("conferenceData", {})
    assert shown.get("conferenceId") != "c1"
    expect_series_untouched(world, series_id)


@pytest.mark.scenario(24)
def test_an_instance_with_a_conference_of_its_own_goes_its_own_way() -> None:
    """It is told and ended by itself; that of the series is not touched by its rename."""
    world, series_id = weekly()
    instances = world.instances(series_id)
    world.edit(instances[1], conferenceData=addon_conference("c2"), summary="Special")
    world.initialize("c2", instances[1])
    world.settle()
    assert titles(world, "c2") == ["Special"]
    assert titles(world, "c1") == ["Weekly"]
    world.edit(instances[1], summary="Very special")
    world.settle()
    assert titles(world, "c2") == ["Special", "Very special"]
    assert titles(world, "c1") == ["Weekly"]
    expect_settled(world, hours=1)
    world.delete(instances[1])
    world.settle()
    assert titles(world, "c2")[2:] == [None]
    assert None not in titles(world, "c1")
    assert recorded(world, "c1") == {(ANN, series_id): "owner live"}
    expect_settled(world)


# Row 43: without an end


@pytest.mark.scenario(22, 42)
def test_a_series_is_not_over_while_a_moved_instance_is_to_come() -> None:
    """Its last instance was put off by weeks: its rename is told, and the deletion of the series is an end."""
    world, series_id = weekly(recurrence=["RRULE:FREQ=WEEKLY;COUNT=2"])
    instances = world.instances(series_id)
    world.edit(instances[1], **in_days(60))
    world.settle()
    world.advance(20 * 24 * 3600)
    world.edit(instances[1], summary="At last")
    world.settle()
    assert [told.title for told in exceptions_told(world).values()] == ["At last"]
    expect_settled(world)
    world.delete(series_id)
    world.settle()
    assert titles(world, "c1")[-1] is None
    expect_settled(world)


@pytest.mark.scenario(22, 42)
@pytest.mark.parametrize("then", ["put back", "cancelled", "given up by a shorter rule"])
def test_a_series_is_over_when_no_instance_is_to_come_any_more(then: str) -> None:
    """Its last instance was put off by weeks, and then not after all: what was held is kept when the series goes."""
    world, series_id = weekly(recurrence=["RRULE:FREQ=WEEKLY;COUNT=2"])
    instances = world.instances(series_id)
    world.edit(instances[1], **in_days(60))
    world.settle()
    if then == "put back":
        world.edit(instances[1], **times(TOMORROW + WEEK))
    elif then == "cancelled":
        world.delete(instances[1])
    else:
        world.model.edit_all(ANN, "primary", series_id, {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=1"]})
    world.settle()
    assert len(world.provider.calls) == 3
    world.advance(20 * 24 * 3600)
    world.delete(series_id)
    world.settle()
    assert titles(world, "c1") == ["Weekly"] * 3
    assert recorded(world, "c1") == {(ANN, series_id): "owner gone"}
    expect_settled(world)


@pytest.mark.scenario(17)
def test_a_guest_who_changes_instances_of_the_own_copy_changes_nobody_elses() -> None:
    """One instance moved, one removed, in Bob's calendar only."""
    world = World()
    world.initialize(who=BOB)
    _, series_id = weekly(world, attendees=[{"email": BOB}])
    instances = world.instances(series_id)
    world.edit(instances[2], who=BOB, **times(TOMORROW + 2 * WEEK + timedelta(minutes=45)))
    world.delete(instances[3], who=BOB)
    world.settle()
    expect_series_untouched(world, series_id)


# A series that takes an instance's own conference with it


@pytest.mark.scenario(24, 28)
@FORMS
@pytest.mark.parametrize("series_has_one", [True, False])
def test_an_instances_own_conference_ends_with_its_series(form: Any, series_has_one: bool) -> None:
    """Whether Calendar lists the instance as cancelled or leaves that to be understood."""
    world = World()
    world.model.options.organizer_tombstones = form
    series_id = world.create("Weekly", "c1" if series_has_one else None, recurrence=WEEKLY)
    if series_has_one:
        world.initialize("c1", series_id)
    own = world.instances(series_id)[3]
    world.edit(own, conferenceData=addon_conference("c2"), summary="Special")
    world.initialize("c2", own)
    world.settle()
    assert titles(world, "c2") == ["Special"]
    world.delete(series_id)
    world.advance(24 * 3600)
    assert titles(world, "c2") == ["Special", None]
    assert titles(world, "c1") == (["Weekly", None] if series_has_one else [])
    expect_settled(world)
