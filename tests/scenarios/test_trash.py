"""Events that come back from the trash: the same conference where it can be restored, else another in its place."""

from typing import Any

import pytest

from confsync.core.capabilities import Capabilities
from confsync.errors import CalendarAccessLost, ConferenceGone, OutcomeUnknown
from confsync.ports import ConferenceCall
from tests.scenarios.expectations import (
    DAY_S,
    assert_quiet,
    conference_in,
    event_writes,
    is_known,
    is_told_all,
    referents,
    story,
    titles,
    verbs,
)
from tests.scenarios.worlds import BOTH, FORMS, MAKES, NEITHER, RESTORES, UNORDERED, ended, failing, planned, weekly
from tests.world import Crash, World


@pytest.mark.scenario(35)
@pytest.mark.parametrize("conference_in_tombstone", [True, False])
@FORMS
@pytest.mark.parametrize("capabilities", [RESTORES, BOTH, UNORDERED], ids=["restores", "makes too", "unordered"])
def test_a_restored_event_gets_its_conference_back(
    capabilities: Capabilities, form: Any, conference_in_tombstone: bool
) -> None:
    """Where the back end restores: one call under the old id, nothing made, nothing written to the event."""
    world = World(capabilities=capabilities)
    world.model.options.organizer_tombstones = form
    world.model.options.tombstone_conference = conference_in_tombstone
    _, event_id = ended(world)
    assert referents(world, "c1") == {event_id: ("owner", "gone")}
    assert_quiet(world)
    world.restore(event_id)
    world.settle()
    assert titles(world, "c1") == ["Planning", None, "Planning"]
    assert referents(world, "c1") == {event_id: ("owner", "live")}
    assert (is_told_all(world, "c1"), event_writes(world), world.provider.created) == (True, 0, {})
    assert "seen: the event held this conference again\ndecided: restore wanted" in story(world, "c1")
    assert_quiet(world)


@pytest.mark.scenario(35)
def test_an_event_that_is_restored_in_time_was_never_gone() -> None:
    """Within the grace period the back end hears nothing of it."""
    world, event_id = planned(days=5)
    world.delete(event_id)
    world.advance(30)
    assert referents(world, "c1") == {event_id: ("owner", "gone")}
    world.restore(event_id)
    world.settle()
    assert (titles(world, "c1"), referents(world, "c1")) == (["Planning"], {event_id: ("owner", "live")})
    assert_quiet(world)


@pytest.mark.scenario(35)
def test_a_series_comes_back_with_what_was_changed_in_it() -> None:
    """The same state as before its deletion, exceptions and all."""
    world, series_id = weekly(days=5)
    world.edit(world.instances(series_id)[2], summary="Special")
    world.settle()
    before = world.told("c1")
    world.delete(series_id)
    world.settle()
    world.restore(series_id)
    world.settle()
    assert world.told("c1") == before
    assert verbs(world, "c1") == ["update", "update", "end", "update"]
    assert_quiet(world)


@pytest.mark.scenario(35)
def test_an_event_that_comes_back_without_its_conference_stays_without() -> None:
    """Where Google forgets the conference of what was in the trash, there is nothing to restore."""
    world, event_id = ended()
    world.model.options.restore_keeps_conference = False
    world.restore(event_id)
    world.settle()
    assert conference_in(world, event_id) == ""
    assert verbs(world, "c1") == ["update", "end"]
    assert referents(world, "c1") == {event_id: ("owner", "gone")}
    assert event_writes(world) == 0
    assert_quiet(world)


@pytest.mark.scenario(35, 51)
def test_a_conference_that_cannot_come_back_is_replaced() -> None:
    """A new one is made, once, and written into the event; the old id stays ended and holds nothing."""
    world, event_id = ended(World(capabilities=MAKES))
    world.restore(event_id)
    world.settle()
    assert (conference_in(world, event_id), len(world.provider.created), event_writes(world)) == ("c1-n1", 1, 1)
    assert verbs(world, "c1") == ["update", "end"]
    assert world.told("c1-n1").title == "Planning"
    assert referents(world, "c1") == {event_id: ("owner", "gone")}
    assert referents(world, "c1-n1") == {event_id: ("owner", "live")}
    assert is_told_all(world, "c1-n1")
    assert "decided: a successor was reserved" in story(world, "c1")
    assert world.failures() == []
    assert_quiet(world)
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert (titles(world, "c1-n1"), verbs(world, "c1")) == (["Renamed"], ["update", "end"])
    world.delete(event_id)
    world.settle()
    assert titles(world, "c1-n1") == ["Renamed", None]
    assert_quiet(world)


@pytest.mark.scenario(35)
def test_a_series_that_cannot_be_restored_is_replaced_as_a_whole() -> None:
    """One new conference, one write to the series: its occurrences follow, and its exceptions are told."""
    world, series_id = weekly(World(capabilities=MAKES), days=5)
    world.edit(world.instances(series_id)[2], summary="Special")
    world.delete(world.instances(series_id)[3])
    world.settle()
    world.delete(series_id)
    world.settle()
    world.restore(series_id)
    world.settle()
    assert {conference_in(world, instance) for instance in world.instances(series_id)} == {"c1-n1"}
    assert (len(world.provider.created), event_writes(world)) == (1, 1)
    assert [(o.title, o.cancelled) for o in world.told("c1-n1").occurrences] == [("Special", False), (None, True)]
    assert referents(world, "c1-n1") == {series_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(35, 26)
def test_both_parts_of_a_split_series_come_back_to_one_conference() -> None:
    """The second part was restored first, and got a new one; the first part gets the same."""
    world, first = weekly(World(capabilities=MAKES), days=5)
    second = world.split(first, 3, summary="Second")
    world.settle()
    for part in (first, second):
        world.delete(part)
    world.settle()
    for part in (second, first):
        world.restore(part)
        world.settle()
    assert [conference_in(world, part) for part in (first, second)] == ["c1-n1", "c1-n1"]
    assert (len(world.provider.created), event_writes(world)) == (1, 2)
    assert world.told("c1-n1").title == "Weekly"
    assert referents(world, "c1-n1") == {first: ("owner", "live"), second: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(35)
def test_an_event_that_is_restored_twice_gets_a_new_conference_each_time() -> None:
    """The second replacement is another operation than the first: no ended conference is handed out again."""
    world, event_id = ended(World(capabilities=MAKES))
    world.restore(event_id)
    world.settle()
    world.delete(event_id)
    world.settle()
    world.restore(event_id)
    world.settle()
    second = conference_in(world, event_id)
    assert second not in ("", "c1", "c1-n1")
    assert (len(world.provider.created), event_writes(world)) == (2, 2)
    assert world.told(second).title == "Planning"
    assert_quiet(world)


@pytest.mark.scenario(35)
def test_a_back_end_that_says_it_restores_and_does_not_is_believed_the_answer() -> None:
    """`ConferenceGone` in answer to the restoring call: a new one is made in its place."""
    world, event_id = ended(World(capabilities=BOTH))
    failing(world, ConferenceGone("conference c1 ended for good"), only="c1")
    world.restore(event_id)
    world.settle()
    assert (conference_in(world, event_id), len(world.provider.created), event_writes(world)) == ("c1-n1", 1, 1)
    assert referents(world, "c1-n1") == {event_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(35)
def test_a_conference_that_nobody_can_bring_back_is_shown_to_an_operator_and_left() -> None:
    """The back end neither restores nor makes conferences: one failure, no call after call."""
    world, event_id = ended(World(capabilities=NEITHER))
    tried: list[ConferenceCall] = []
    world.provider.before = tried.append
    world.restore(event_id)
    world.settle()
    assert verbs(world, "c1") == ["update", "end"]
    assert (len(tried) <= 1, event_writes(world)) == (True, 0)
    assert [failure.conference_key for failure in world.failures()] == [world.conference("c1").key]
    assert conference_in(world, event_id) == "c1"
    assert_quiet(world)
    assert len(tried) <= 1


@pytest.mark.scenario(35, 57)
@pytest.mark.parametrize(
    "moment", ["before the conference is made", "after it was made", "before the event is written"]
)
def test_a_replacement_survives_a_crash_at_any_moment(moment: str) -> None:
    """It begins with a reservation: the same operation goes on, and the back end makes one conference of it."""
    world, event_id = ended(World(capabilities=MAKES))
    crashes = [Crash()]

    def crash(_: object = None) -> None:
        if crashes:
            raise crashes.pop()

    if moment == "before the conference is made":
        world.provider.before_create = crash
    elif moment == "after it was made":
        world.provider.after_create = crash
    else:
        world.before_calendar = lambda operation: crash() if operation == "events.update" else None
    world.restore(event_id)
    with pytest.raises(Crash):
        world.settle()
    world.settle()
    assert (conference_in(world, event_id), len(world.provider.created)) == ("c1-n1", 1)
    assert referents(world, "c1-n1") == {event_id: ("owner", "live")}
    assert is_told_all(world, "c1-n1")
    assert_quiet(world)


@pytest.mark.scenario(35)
def test_an_event_that_is_deleted_again_before_it_got_its_conference_leaks_none() -> None:
    """The new conference was made, but its event is gone: it ends like that of a draft that was discarded."""
    world, event_id = ended(World(capabilities=MAKES))

    def delete(_: object) -> None:
        world.provider.after_create = lambda _: None
        world.delete(event_id)

    world.provider.after_create = delete
    world.restore(event_id)
    world.advance(world.rules.draft_s + 3600)
    assert {world.told(c) for c in world.provider.conferences} == {None}
    assert_quiet(world)


@pytest.mark.scenario(35, 57)
def test_a_conference_that_was_made_without_an_answer_for_an_event_that_is_gone_is_no_leak() -> None:
    """The back end made it, its answer was lost, and the event was deleted meanwhile: it is found, and it ends."""
    world, event_id = ended(World(capabilities=MAKES))

    def lose(_: object) -> None:
        world.provider.after_create = lambda _: None
        world.delete(event_id)
        raise OutcomeUnknown("timed out")

    world.provider.after_create = lose
    world.restore(event_id)
    world.advance(world.rules.draft_s + 2 * 3600)
    assert len(world.provider.created) == 1
    assert {world.told(c) for c in world.provider.conferences} == {None}
    assert_quiet(world)


@pytest.mark.scenario(35, 48)
def test_an_event_out_of_reach_gets_its_new_conference_when_access_returns() -> None:
    """The conference was made, but the event may not be written: the write waits, and nothing is made again."""
    world, event_id = ended(World(capabilities=MAKES))
    refusals = [True]

    def refuse(operation: str) -> None:
        if refusals and operation == "events.update":
            raise CalendarAccessLost("read only", reason="requiredAccessLevel")

    world.before_calendar = refuse
    world.restore(event_id)
    world.advance(3 * 3600)
    assert (conference_in(world, event_id), len(world.provider.created)) == ("c1", 1)
    assert event_writes(world) < 6
    refusals.clear()
    world.advance(2 * 3600)
    assert (conference_in(world, event_id), len(world.provider.created)) == ("c1-n1", 1)
    assert referents(world, "c1-n1") == {event_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(35, 42)
def test_an_event_that_is_restored_after_it_was_over_changes_nothing() -> None:
    """It was deleted in time, and its conference ended; nobody needs it any more."""
    world, event_id = ended()
    world.advance(6 * DAY_S)
    world.restore(event_id)
    world.settle()
    assert verbs(world, "c1") == ["update", "end"]
    assert_quiet(world)


@pytest.mark.scenario(35)
def test_an_ended_conference_is_remembered_for_a_month_and_then_forgotten() -> None:
    """Calendar restores events for 30 days; after that nothing is kept of it."""
    world, event_id = ended()
    world.model.options.token_max_age_s = None
    world.advance(29 * DAY_S)
    assert is_known(world, "c1")
    assert world.link(event_id) is not None
    world.advance(4 * DAY_S)
    assert not is_known(world, "c1")
    assert world.link(event_id) is None
    assert verbs(world, "c1") == ["update", "end"]
