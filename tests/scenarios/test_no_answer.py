"""Calls whose outcome nobody knows: the newest state goes out in its own time, and nothing is made twice."""

import pytest

from confsync.core.capabilities import Capabilities
from confsync.errors import (
    OutcomeUnknown,
    ProviderBusy,
    ProviderError,
)
from confsync.ports import ConferenceCall, CreateCall
from tests.scenarios.expectations import assert_quiet, conference_in, is_told_all, titles
from tests.scenarios.worlds import MAKES, RESTORES, UNORDERED, failing, in_days, planned
from tests.world import World


@pytest.mark.scenario(57)
@pytest.mark.parametrize("landed", [True, False], ids=["it had landed", "it had not landed"])
@pytest.mark.parametrize("capabilities", [RESTORES, UNORDERED], ids=["ordered back end", "unordered back end"])
def test_a_call_without_an_answer_is_followed_by_a_newer_one(capabilities: Capabilities, landed: bool) -> None:
    """Nobody knows whether it took effect: the newest state goes out under a new generation, in its own time."""
    world, event_id = planned(World(capabilities=capabilities), days=9)
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
    world, event_id = planned(World(capabilities=UNORDERED), days=9)
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
    world, event_id = planned(World(capabilities=UNORDERED), days=9)
    other_id = world.add("Other", "c2", **in_days(9))
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
    world, event_id = planned(World(capabilities=MAKES), days=9)
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
