"""Solutions that are renamed, missing in the settings, or two: each conference is known by what the settings say."""

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference
from confsync.core.solutions import Solution
from confsync.core.terms import Terms
from confsync.errors import ProviderBusy
from confsync.initialize_syncing import InitializeRequest, initialize_syncing
from confsync.local.calendar_server.people import addon_conference
from confsync.local.in_process import RecordingProvider
from confsync.ports import ConferenceCall
from tests.scenarios.expectations import DAY_S, assert_quiet, heard, is_known, referents, titles, verbs
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


class Unconfigured:
    """A deployment that forgot the only entry of CONFERENCE_SOLUTIONS, until it is mended."""

    def __init__(self, world: World) -> None:
        """Forget it."""
        self._world, self._terms = world, world.terms
        world.terms = Terms("default", [], {}, world.rules)
        world.providers.clear()

    def mend(self) -> None:
        """Deploy the settings as they were."""
        self._world.terms = self._terms
        self._world.providers["acme"] = self._world.provider


@pytest.mark.scenario(60)
@pytest.mark.parametrize(
    ("meanwhile", "then"),
    [
        ("renamed", ["update", "update"]),
        ("deleted", ["update", "end"]),
        ("deleted and restored", ["update"]),
        ("lost and put back", ["update"]),
    ],
)
def test_a_solution_that_is_missing_in_the_settings_for_a_while_ends_nothing(meanwhile: str, then: list[str]) -> None:
    """A deployment without it is a mistake, not a removal; when it is back, what happened meanwhile is made up for."""
    world, event_id = planned(days=3)
    unconfigured = Unconfigured(world)
    if meanwhile == "renamed":
        world.edit(event_id, summary="Renamed")
    elif meanwhile == "lost and put back":
        world.edit(event_id, conferenceData=None)
        world.settle()
        world.edit(event_id, conferenceData=addon_conference("c1"))
    else:
        world.delete(event_id)
        world.settle()
        if meanwhile == "deleted and restored":
            world.restore(event_id)
    world.advance(DAY_S)
    assert verbs(world, "c1") == ["update"]
    unconfigured.mend()
    world.advance(DAY_S)
    assert verbs(world, "c1") == then
    assert_quiet(world)


@pytest.mark.scenario(60)
def test_what_nobody_recognised_while_a_solution_was_missing_is_found_when_it_is_back() -> None:
    """Other solutions cost one full listing at the next sync: so a copy is known, and keeps the conference."""
    world, event_id = planned(days=3)
    unconfigured = Unconfigured(world)
    copy = world.duplicate(event_id)
    world.settle()
    unconfigured.mend()
    world.advance(DAY_S)
    assert referents(world, "c1") == {event_id: ("owner", "live"), copy: ("owner", "live")}
    world.delete(event_id)
    world.advance(DAY_S / 2)
    assert "end" not in verbs(world, "c1")
    listings = world.calendar().full_listings
    world.advance(DAY_S / 2)
    assert world.calendar().full_listings == listings


@pytest.mark.scenario(60)
def test_an_end_that_waited_for_a_missing_solution_waits_for_the_listing_that_finds_its_copies() -> None:
    """The last look asks for that listing, which comes by itself only with the next change."""
    world, event_id = planned(days=3)
    unconfigured = Unconfigured(world)
    copy = world.duplicate(event_id)
    world.delete(event_id)
    world.settle()
    world.advance(DAY_S / 24)
    unconfigured.mend()
    world.advance(DAY_S / 8)
    assert "end" not in verbs(world, "c1")
    assert referents(world, "c1") == {event_id: ("owner", "gone"), copy: ("owner", "live")}
    world.delete(copy)
    world.advance(DAY_S / 8)
    assert verbs(world, "c1")[-1] == "end"


@pytest.mark.scenario(60)
def test_a_solution_whose_name_is_corrected_finds_the_events_that_are_there_already() -> None:
    """In the first hour the name is often wrong: nothing has to be done again but to deploy the right one."""
    world = World()
    right = world.terms
    world.terms = Terms(
        "default", [Solution(provider="acme", names=frozenset({"Simple"}))], right.capabilities, right.rules
    )
    event_id = world.create("Planning", **in_days(3), conferenceData=addon_conference("c1"))
    world.initialize("c1", event_id)
    world.settle()
    assert verbs(world, "c1") == []
    world.terms = right
    world.advance(DAY_S)
    assert titles(world, "c1") == ["Planning"]


@pytest.mark.scenario(60)
def test_an_end_that_is_wanted_is_taken_back_though_its_solution_is_missing_in_the_settings() -> None:
    """The back end could not take it before the deployment without the solution; the event was restored since."""
    world, event_id = planned(days=3)

    def busy(_: ConferenceCall) -> None:
        raise ProviderBusy("later", 3600)

    world.provider.before = busy
    world.delete(event_id)
    world.settle()
    wanted = world.conference("c1").desired
    assert wanted is not None
    assert wanted.ended
    world.provider.before = lambda _: None
    unconfigured = Unconfigured(world)
    world.restore(event_id)
    world.settle()
    unconfigured.mend()
    world.advance(DAY_S)
    assert verbs(world, "c1") == ["update"]


@pytest.mark.scenario(60)
@pytest.mark.parametrize("what", ["an end", "an update"])
def test_an_operator_hears_of_what_waits_for_a_solution_that_is_missing_in_the_settings(what: str) -> None:
    """It is a mistake until somebody says otherwise."""
    world, event_id = planned(days=9)
    Unconfigured(world)
    if what == "an end":
        world.delete(event_id)
    else:
        world.edit(event_id, summary="Renamed")
    world.advance(3 * DAY_S)
    assert set(heard(world)) == {"no provider named acme in CONFERENCE_SOLUTIONS"}
    assert 2 <= len(heard(world)) <= 3 * DAY_S / world.rules.refused_pause_s


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
