"""Solutions that are renamed, missing in the settings, or two: each conference is known by what the settings say."""

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference
from confsync.core.solutions import Solution
from confsync.core.terms import Terms
from confsync.initialize_syncing import InitializeRequest, initialize_syncing
from confsync.local.calendar_server.people import addon_conference
from confsync.local.in_process import RecordingProvider
from tests.scenarios.expectations import DAY_S, assert_quiet, is_known, referents, titles, verbs
from tests.scenarios.worlds import in_days, planned
from tests.world import ALL_FIELDS, ANN, PUSH, SOLUTION, World


@pytest.mark.scenario(60)
@pytest.mark.parametrize(
    "solution",
    [
        Solution(provider="acme", names=frozenset({"Sample Meetings", "Sample Meetings Pro"})),
        Solution(provider="acme", key_types=frozenset({"addOn"}), uri_prefixes=("https://meetings.example.com/",)),
    ],
    ids=["by either name", "by its address"],
)
def test_a_solution_that_was_renamed_is_the_same_conference(solution: Solution) -> None:
    """The vendor renamed its product: the id decides, and events of both names are in step."""
    world, event_id = planned(days=3)
    world.terms = Terms("default", [solution], {"acme": world.provider.capabilities}, world.rules)
    world.edit(event_id, conferenceData=addon_conference("c1", solution="Sample Meetings Pro"))
    world.settle()
    assert verbs(world, "c1") == ["update"]
    assert referents(world, "c1") == {event_id: ("owner", "live")}
    assert_quiet(world)
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert titles(world, "c1") == ["Planning", "Renamed"]


@pytest.mark.scenario(60)
def test_a_name_that_no_setting_knows_yet_ends_nothing_that_the_event_still_names() -> None:
    """The vendor's new name is not in the settings: the same conference id under it is no positive absence."""
    world, event_id = planned(days=3)
    world.edit(event_id, conferenceData=addon_conference("c1", solution="Sample Meetings Pro"))
    world.settle()
    assert verbs(world, "c1") == ["update"]
    assert_quiet(world)


@pytest.mark.scenario(60)
def test_the_same_id_in_two_of_our_solutions_names_two_conferences() -> None:
    """Each back end has its own ids: an event that changes from one to the other ends the first only."""
    world, event_id = planned(days=3)
    other = RecordingProvider(Capabilities(ALL_FIELDS, ordered_writes=True, restores=True))
    solutions = [SOLUTION, Solution(provider="beta", names=frozenset({"Beta Rooms"}))]
    capabilities = {"acme": world.provider.capabilities, "beta": other.capabilities}
    world.terms = Terms("default", solutions, capabilities, world.rules)
    world.providers["beta"] = other
    world.edit(event_id, conferenceData=addon_conference("c1", solution="Beta Rooms"))
    request = InitializeRequest(
        calendar_id="primary", subject=ANN, conference_id="c1", event_id=event_id, provider="beta"
    )
    initialize_syncing(request, world.outside, world.terms, PUSH)
    world.settle()
    assert verbs(world, "c1") == ["update", "end"]
    assert [call.state.title for call in other.calls if call.state] == ["Planning"]
    beta = world.store.get(Conference, Conference.key_for("default", "beta", "c1"))
    assert beta is not None
    assert [(r.role, r.state) for r in beta.referents.values()] == [("owner", "live")]
    calls = len(other.calls)
    world.advance(24 * 3600)
    assert (verbs(world, "c1"), len(other.calls)) == (["update", "end"], calls)


@pytest.mark.scenario(60)
def test_a_solution_that_is_missing_in_the_settings_for_a_while_ends_nothing() -> None:
    """A deployment without it is a mistake, not a removal; when it is back, the newest state is told."""
    world, event_id = planned(days=3)
    with_solution = world.terms
    world.terms = Terms("default", [], {}, world.rules)
    world.providers.clear()
    world.edit(event_id, summary="Renamed")
    world.advance(DAY_S)
    assert verbs(world, "c1") == ["update"]
    world.terms = with_solution
    world.providers["acme"] = world.provider
    world.edit(event_id, summary="Renamed again")
    world.settle()
    assert titles(world, "c1") == ["Planning", "Renamed again"]
    assert referents(world, "c1") == {event_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(60)
def test_a_conference_of_somebody_elses_solution_is_none_of_ours() -> None:
    """The same id under a name that is not ours binds nothing, even for an event that was registered."""
    world = World()
    event_id = world.create("Planning", **in_days(3), conferenceData=addon_conference("c1", solution="Other Rooms"))
    world.initialize("c1", event_id)
    world.settle()
    assert world.provider.calls == []
    assert not is_known(world, "c1") or referents(world, "c1") == {}
    world.delete(event_id)
    world.settle()
    assert world.provider.calls == []
