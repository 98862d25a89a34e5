"""The conferencing system has a life of its own: it changes, loses, refuses or does not answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from confsync.core.capabilities import Capabilities
from confsync.errors import (
    ConferenceGone,
    OutcomeUnknown,
    ProviderBusy,
    ProviderError,
    ProviderRefusesUs,
    ProviderRejected,
)
from confsync.local.in_process import KeptConference
from confsync.ports import ConferenceCall, CreateCall
from confsync.update_conference import UpdateOutcome
from tests.scenarios.expectations import assert_quiet, event_writes, is_told_all, referents, titles, verbs
from tests.world import ALL_FIELDS, ANN, BOB, START, World, times

LATER = times(START + timedelta(days=9))
RESTORES = Capabilities(ALL_FIELDS, ordered_writes=True, restores=True)
UNORDERED = Capabilities(ALL_FIELDS, ordered_writes=False, restores=True)
MAKES = Capabilities(ALL_FIELDS, ordered_writes=True, restores=False, creates=True)
NEITHER = Capabilities(ALL_FIELDS, ordered_writes=True, restores=False)


def planned(capabilities: Capabilities = RESTORES) -> tuple[World, str]:
    """Return a world with one event in nine days, and its id."""
    world = World(capabilities=capabilities)
    event_id = world.add("Planning", "c1", **LATER)
    world.settle()
    return world, event_id


def failing(world: World, error: ProviderError, times_: int = 10**9) -> list[ConferenceCall]:
    """Let the next calls fail before they take effect; return a list that fills with every call that is tried."""
    tried: list[ConferenceCall] = []

    def fail(call: ConferenceCall) -> None:
        tried.append(call)
        if len(tried) <= times_:
            raise error

    world.provider.before = fail
    return tried


def conference_in(world: World, event_id: str) -> str:
    """Return the conference id that an event shows."""
    return str(world.model.get(ANN, "primary", event_id)["conferenceData"]["conferenceId"])


def heard(world: World) -> list[str]:
    """Return why an operator was told of a conference."""
    updates = [update for outcome in world.outcomes for update in getattr(outcome, "updates", (outcome,))]
    return [u.reason for u in updates if isinstance(u, UpdateOutcome) and u.status == "alert"]


# Changed or deleted there


@pytest.mark.scenario(55)
def test_a_meeting_that_its_host_edited_is_set_right_by_the_next_change() -> None:
    """Nothing says so before: Calendar wins with the next whole state, under a generation above the host's."""
    world, event_id = planned()
    held = world.provider.conferences["c1"]
    assert held.state is not None
    edited = held.state.model_copy(update={"title": "The host's title"})
    world.provider.conferences["c1"] = KeptConference(held.generation + 5, edited)
    assert_quiet(world)
    world.edit(event_id, description="Agenda")
    world.settle()
    assert (world.told("c1").title, world.told("c1").description) == ("Planning", "Agenda")
    assert world.provider.conferences["c1"].generation == held.generation + 6
    assert (verbs(world, "c1"), is_told_all(world, "c1")) == (["update", "update"], True)
    assert_quiet(world)


@pytest.mark.scenario(55)
def test_a_meeting_that_its_host_deleted_comes_back_with_the_next_change() -> None:
    """Where the back end restores, under its old id; the event is not touched."""
    world, event_id = planned()
    world.provider.conferences["c1"] = KeptConference(world.provider.conferences["c1"].generation + 1, None)
    assert_quiet(world)
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert (world.told("c1").title, conference_in(world, event_id), event_writes(world)) == ("Renamed", "c1", 0)
    assert_quiet(world)


@pytest.mark.scenario(55, 56)
def test_a_meeting_that_its_host_deleted_for_good_is_replaced_with_the_next_change() -> None:
    """Where the back end makes conferences but restores none, the event gets a new one."""
    world, event_id = planned(MAKES)
    world.provider.conferences["c1"] = KeptConference(world.provider.conferences["c1"].generation + 1, None)
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert (conference_in(world, event_id), world.told("c1-n1").title) == ("c1-n1", "Renamed")
    assert (len(world.provider.created), event_writes(world)) == (1, 1)
    assert referents(world, "c1-n1") == {event_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(55)
def test_a_meeting_of_which_the_back_end_knows_nothing_any_more_is_made_again() -> None:
    """Its records were lost: a whole state creates what is not there."""
    world, event_id = planned()
    del world.provider.conferences["c1"]
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert world.told("c1").title == "Renamed"
    assert_quiet(world)


# Gone for good


@pytest.mark.scenario(56)
def test_a_conference_that_is_gone_is_replaced_in_its_event() -> None:
    """The answer to an update: a new one is made, once, and the event names it."""
    world, event_id = planned(MAKES)
    tried = failing(world, ConferenceGone("conference c1 ended for good"))
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert (conference_in(world, event_id), world.told("c1-n1").title) == ("c1-n1", "Renamed")
    assert (len(tried), len(world.provider.created), event_writes(world)) == (1, 1, 1)
    assert (referents(world, "c1"), world.conference("c1").gone) == ({event_id: ("owner", "gone")}, True)
    assert (referents(world, "c1-n1"), is_told_all(world, "c1-n1")) == ({event_id: ("owner", "live")}, True)
    assert_quiet(world)


@pytest.mark.scenario(56, 26)
def test_each_event_of_a_conference_that_is_gone_gets_one_that_works() -> None:
    """Both parts of a split series named it: none of them may be left with a dead link."""
    world = World(capabilities=MAKES)
    first = world.add("Weekly", "c1", recurrence=["RRULE:FREQ=WEEKLY;COUNT=8"], **LATER)
    second = world.split(first, 3, summary="Second")
    world.settle()
    world.provider.before = _gone
    world.edit(first, summary="Renamed")
    world.settle()
    named = {event_id: conference_in(world, event_id) for event_id in (first, second)}
    assert "c1" not in named.values()
    assert {world.told(conference_id) is None for conference_id in named.values()} == {False}
    assert_quiet(world)


def _gone(call: ConferenceCall) -> None:
    if call.conference_id == "c1":
        raise ConferenceGone("conference c1 ended for good")


@pytest.mark.scenario(56, 35)
def test_an_event_that_comes_back_with_a_replaced_conference_gets_the_replacement() -> None:
    """It was in the trash when the others were relinked: no third conference is made."""
    world, event_id = planned(MAKES)
    copy_id = world.duplicate(event_id)
    world.edit(copy_id, **times(START + timedelta(days=12)))
    world.settle()
    world.delete(copy_id)
    world.settle()
    world.provider.before = _gone
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert conference_in(world, event_id) == "c1-n1"
    world.restore(copy_id)
    world.settle()
    assert (conference_in(world, copy_id), len(world.provider.created)) == ("c1-n1", 1)
    assert referents(world, "c1-n1") == {event_id: ("owner", "live"), copy_id: ("owner", "live")}
    assert world.told("c1-n1").title == "Renamed"
    assert_quiet(world)


@pytest.mark.xfail(
    strict=True,
    reason="`ConferenceGone` from a back end that makes no conferences is answered like a refused state: `gone` is not "
    "set, and each later change of the event is told, and refused, once more",
)
@pytest.mark.scenario(56)
def test_a_conference_that_is_gone_and_cannot_be_replaced_is_left_to_an_operator() -> None:
    """One failure; later changes of its event are recorded, and not told to a back end that forgot it."""
    world, event_id = planned(NEITHER)
    tried = failing(world, ConferenceGone("conference c1 ended for good"))
    world.edit(event_id, summary="Renamed")
    world.settle()
    world.edit(event_id, summary="Renamed again")
    world.settle()
    assert (len(tried), world.conference("c1").gone) == (1, True)
    assert [failure.conference_key for failure in world.failures()] == [world.conference("c1").key]
    assert (conference_in(world, event_id), event_writes(world)) == ("c1", 0)
    assert referents(world, "c1") == {event_id: ("owner", "live")}
    assert_quiet(world)
    world.delete(event_id)
    world.settle()
    assert len(tried) == 1
    assert_quiet(world)


# No answer


@pytest.mark.scenario(57)
@pytest.mark.parametrize("landed", [True, False], ids=["it had landed", "it had not landed"])
@pytest.mark.parametrize("capabilities", [RESTORES, UNORDERED], ids=["ordered back end", "unordered back end"])
def test_a_call_without_an_answer_is_followed_by_a_newer_one(capabilities: Capabilities, landed: bool) -> None:
    """Nobody knows whether it took effect: the newest state goes out under a new generation, in its own time."""
    world, event_id = planned(capabilities)
    tried, unknown = list[ConferenceCall](), [OutcomeUnknown("timed out")]

    def lose(call: ConferenceCall) -> None:
        tried.append(call)
        if unknown:
            raise unknown.pop()

    if landed:
        world.provider.after = lose
    else:
        world.provider.before = lose
    world.edit(event_id, summary="Renamed")
    world.advance(world.rules.intent_s - 1)
    assert len(tried) == (2 if capabilities.ordered_writes else 1)
    assert (world.conference("c1").intent is None) == capabilities.ordered_writes
    world.settle()
    assert len(tried) == 2
    assert tried[1].generation > tried[0].generation
    assert tried[1].operation_id != tried[0].operation_id
    assert (world.told("c1").title, is_told_all(world, "c1")) == ("Renamed", True)
    assert_quiet(world)


@pytest.mark.scenario(57)
def test_a_change_during_an_unknown_outcome_is_the_state_that_goes_out() -> None:
    """The older state, which may have landed or not, is not sent once more."""
    world, event_id = planned(UNORDERED)
    tried = failing(world, OutcomeUnknown("timed out"), times_=1)
    world.edit(event_id, summary="Renamed")
    world.advance(0)
    world.edit(event_id, summary="Renamed again")
    world.settle()
    assert tried[0].state is not None
    assert (tried[0].state.title, titles(world, "c1")) == ("Renamed", ["Planning", "Renamed again"])
    assert_quiet(world)


@pytest.mark.scenario(57)
def test_an_end_without_an_answer_is_told_again_until_it_is_known() -> None:
    """And an event that came back meanwhile wins."""
    world, event_id = planned(UNORDERED)
    other_id = world.add("Other", "c2", **LATER)
    world.settle()
    failing(world, OutcomeUnknown("timed out"), times_=2)
    world.delete(event_id)
    world.delete(other_id)
    world.advance(world.rules.grace_s + 20)
    world.restore(other_id)
    world.settle()
    assert (world.told("c1"), world.told("c2").title) == (None, "Other")
    assert (is_told_all(world, "c1"), is_told_all(world, "c2")) == (True, True)
    assert_quiet(world)


@pytest.mark.scenario(57)
@pytest.mark.parametrize("landed", [True, False], ids=["it had landed", "it had not landed"])
@pytest.mark.parametrize("error", [OutcomeUnknown("timed out"), ProviderBusy("429", 120)], ids=["unknown", "busy"])
def test_making_a_conference_is_tried_again_under_the_same_operation(error: ProviderError, landed: bool) -> None:
    """However often it fails: the back end makes one conference, and none is left without an event."""
    world, event_id = planned(MAKES)
    world.delete(event_id)
    world.settle()
    operations: list[str] = []

    def fail(call: CreateCall) -> None:
        operations.append(call.operation_id)
        if len(operations) <= 3:
            raise error

    if landed:
        world.provider.after_create = fail
    else:
        world.provider.before_create = fail
    world.restore(event_id)
    world.advance(3600)
    assert (len(operations), len(set(operations)), len(world.provider.created)) == (4, 1, 1)
    assert conference_in(world, event_id) == "c1-n1"
    assert {world.told(c) is None for c in world.provider.conferences if c != "c1"} == {False}
    assert_quiet(world)


# Refused


@pytest.mark.scenario(58)
def test_a_back_end_that_refuses_us_is_shown_to_an_operator_and_asked_again_slowly() -> None:
    """A scope is missing, a key is wrong: the event keeps its link, and the newest state goes out when it is mended."""
    world, event_id = planned()
    tried = failing(world, ProviderRefusesUs("403 from the back end"), times_=3)
    world.edit(event_id, summary="Renamed")
    world.advance(60)
    assert (len(tried), len(heard(world))) == (1, 1)
    assert conference_in(world, event_id) == "c1"
    world.edit(event_id, summary="Renamed again")
    world.advance(3600)
    assert (len(tried), titles(world, "c1")) == (4, ["Planning", "Renamed again"])
    assert_quiet(world)


@pytest.mark.scenario(58)
@pytest.mark.parametrize("verb", ["update", "end"])
def test_what_a_back_end_will_never_accept_is_a_failure_and_not_repeated(verb: str) -> None:
    """The host has no licence: recorded for an operator, without a title, and told again only when it changes."""
    world, event_id = planned()
    tried = failing(world, ProviderRejected("422 host: not licensed"))
    if verb == "update":
        world.edit(event_id, summary="A secret title")
    else:
        world.delete(event_id)
    world.advance(6 * 3600)
    assert len(tried) == 1
    failures = world.failures()
    assert [(f.conference_key, f.count) for f in failures] == [(world.conference("c1").key, 1)]
    assert "secret" not in failures[0].reason
    assert_quiet(world)
    assert len(tried) == 1
    world.provider.before = lambda _: None
    if verb == "update":
        world.edit(event_id, summary="Another title")
    else:
        world.restore(event_id)
        world.edit(event_id, summary="Another title")
    world.settle()
    assert world.told("c1").title == "Another title"
    assert_quiet(world)


@pytest.mark.scenario(58)
def test_one_conference_that_is_refused_does_not_hold_up_the_others() -> None:
    """Of the same calendar, in the same sync."""
    world, event_id = planned()
    other_id = world.add("Other", "c2", **LATER)
    world.settle()

    def reject(call: ConferenceCall) -> None:
        if call.conference_id == "c1":
            raise ProviderRejected("422 host: not licensed")

    world.provider.before = reject
    world.lose_pushes = True
    world.edit(event_id, summary="Renamed")
    world.lose_pushes = False
    world.edit(other_id, summary="Other II")
    world.settle()
    assert (titles(world, "c1"), titles(world, "c2")) == (["Planning"], ["Other", "Other II"])


# Clocks


@pytest.mark.scenario(59)
@pytest.mark.parametrize(
    "carries", [ALL_FIELDS, ALL_FIELDS - {"time_zone"}], ids=["keeps zones", "keeps the zone of a series only"]
)
def test_a_series_that_crosses_a_clock_change_is_told_once(carries: Any) -> None:
    """It was told in local time with its zone: in March nothing has to be said."""
    world = World(capabilities=Capabilities(carries, ordered_writes=True, restores=True))
    world.add("Weekly", "c1", recurrence=["RRULE:FREQ=WEEKLY"], **LATER)
    world.settle()
    assert world.told("c1").time_zone == "Europe/Berlin"
    for moment in (datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2027, 3, 29, 12, tzinfo=UTC)):
        world.now = world.next_run = moment
        world.advance(2 * 3600)
    assert verbs(world, "c1") == ["update"]
    assert_quiet(world)


@pytest.mark.scenario(59, 6)
def test_a_calendar_that_is_shown_in_another_zone_changes_nothing() -> None:
    """Offsets follow the calendar's zone, instants do not; Bob's answer has the event listed anew."""
    world = World()
    event_id = world.add("Planning", "c1", attendees=[{"email": BOB}], **LATER)
    series_id = world.add("Weekly", "c2", recurrence=["RRULE:FREQ=WEEKLY"], attendees=[{"email": BOB}], **LATER)
    world.settle()
    shown = world.model.get(ANN, "primary", event_id)["start"]["dateTime"]
    world.model.state.calendars[ANN].time_zone = "America/New_York"
    assert world.model.get(ANN, "primary", event_id)["start"]["dateTime"] != shown
    for answered in (event_id, series_id):
        world.model.patch(BOB, "primary", answered, {"attendees": [{"email": BOB, "responseStatus": "accepted"}]})
    world.settle()
    assert (verbs(world, "c1"), verbs(world, "c2")) == (["update"], ["update"])
    assert_quiet(world)
