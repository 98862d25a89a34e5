"""What a conferencing system refuses: shown to an operator, asked again slowly or not at all, and no event is hurt."""

import pytest

from confsync.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefusesUs,
    ProviderRejected,
)
from confsync.ports import CreateCall
from tests.scenarios.expectations import DAY_S, assert_quiet, conference_in, heard, titles
from tests.scenarios.worlds import MAKES, ended, failing, in_days, planned, unheard
from tests.world import World


@pytest.mark.scenario(58)
def test_a_back_end_that_refuses_us_is_shown_to_an_operator_and_asked_again_slowly() -> None:
    """A scope is missing, a key is wrong: the event keeps its link, and the newest state goes out when it is mended."""
    world, event_id = planned(days=9)
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
    world, event_id = planned(days=9)
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
    world, event_id = planned(days=9)
    other_id = world.add("Other", "c2", **in_days(9))
    world.settle()
    failing(world, ProviderRejected("422 host: not licensed"), only="c1")
    with unheard(world):
        world.edit(event_id, summary="Renamed")
    world.edit(other_id, summary="Other II")
    world.settle()
    assert (titles(world, "c1"), titles(world, "c2")) == (["Planning"], ["Other", "Other II"])


def refused_create(world: World, error: ProviderError) -> list[CreateCall]:
    """Let the back end refuse to make conferences; return a list that fills with every call that is tried."""
    tried: list[CreateCall] = []

    def refuse(call: CreateCall) -> None:
        tried.append(call)
        raise error

    world.provider.before_create = refuse
    return tried


@pytest.mark.scenario(58)
def test_a_back_end_that_refuses_to_make_a_conference_is_shown_to_an_operator() -> None:
    """A missing scope is an operator's business for `create` as for `update`; mended, the event gets its conference."""
    world, event_id = ended(World(capabilities=MAKES))
    tried = refused_create(world, ProviderRefusesUs("403 from the back end"))
    world.restore(event_id)
    world.advance(60)
    assert (len(tried), len(heard(world))) == (1, 1)
    world.provider.before_create = lambda _: None
    world.advance(3600)
    assert (conference_in(world, event_id), len(world.provider.created)) == ("c1-n1", 1)
    assert_quiet(world)


@pytest.mark.scenario(58, 35)
@pytest.mark.parametrize("error", [ProviderRefusesUs("403"), ProviderBusy("429", 900)], ids=["refuses us", "is busy"])
def test_no_conference_is_made_for_an_event_that_is_gone_again(error: ProviderError) -> None:
    """The back end said each time that nothing was made: with the event the wish for a conference is gone."""
    world, event_id = ended(World(capabilities=MAKES))
    tried = refused_create(world, error)
    world.restore(event_id)
    world.advance(3600)
    assert tried
    world.delete(event_id)
    world.advance(3600)
    count = len(tried)
    world.advance(2 * DAY_S)
    assert len(tried) == count
    world.provider.before_create = lambda _: None
    world.advance(3600)
    assert world.provider.created == {}
    assert_quiet(world)


@pytest.mark.scenario(58, 35)
def test_a_conference_that_was_not_made_for_one_state_is_asked_for_again_with_the_next() -> None:
    """A rejection is about one state: it is a failure, and not repeated until the event changes."""
    world, event_id = ended(World(capabilities=MAKES))
    tried = refused_create(world, ProviderRejected("422 host: not licensed"))
    world.restore(event_id)
    world.advance(6 * 3600)
    assert (len(tried), len(world.failures())) == (1, 1)
    world.provider.before_create = lambda _: None
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert (conference_in(world, event_id), len(world.provider.created)) == ("c1-n1", 1)
    assert world.told("c1-n1").title == "Renamed"
    assert_quiet(world)
