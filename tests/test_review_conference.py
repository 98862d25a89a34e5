"""What only time changes: who drives, whose draft was discarded, where an event went, what may be forgotten."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from confsync.administer_calendar import remove_calendar
from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference
from confsync.core.forgetting import calendars_of
from confsync.core.history import GRACE_BEGAN
from confsync.core.records import Calendar, Link
from confsync.core.rules import Rules
from confsync.core.tasks import UPDATE
from confsync.errors import ProviderBusy
from confsync.ports import Transaction
from confsync.searching import CALENDARS_AT_MOST
from tests.world import ALL_FIELDS, ANN, BOB, World, times

TEAM = "team@group.example.com"
NOWHERE = "zoe@example.com"


def known(world: World, conference_id: str = "c1") -> Conference | None:
    """Return the stored conference, None when it was forgotten."""
    return world.store.get(Conference, Conference.key_for("default", "acme", conference_id))


def states(world: World) -> set[tuple[str, str]]:
    """Return the roles and states of the conference's events."""
    return {(each.role, each.state) for each in world.conference("c1").referents.values()}


def with_team(world: World) -> None:
    """Add a calendar that Ann and Bob share."""
    world.model.add_calendar(TEAM, BOB, roles={ANN: "owner"})


# --- who drives ----------------------------------------------------------------------------------------------------


def test_the_next_event_drives_when_the_driver_is_over_without_any_edit() -> None:
    """The conference is told the event that comes next."""
    world = World()
    world.add("Today", "c1", **times(world.now + timedelta(hours=1)))
    world.create("Tomorrow", "c1")
    world.settle()
    assert world.told("c1").title == "Today"
    world.advance(2 * 3600)
    assert world.told("c1").title == "Tomorrow"
    calls = len(world.provider.calls)
    world.advance(3600)
    assert len(world.provider.calls) == calls


# --- discarded drafts ----------------------------------------------------------------------------------------------


def test_a_conference_whose_event_never_appears_ends_after_a_day() -> None:
    """Its draft was discarded, of which nobody tells."""
    world = World()
    world.initialize("c1", "draft1")
    world.advance(23 * 3600)
    assert world.provider.calls == []
    world.advance(2 * 3600)
    assert world.told("c1") is None


def test_a_draft_that_is_saved_in_time_keeps_its_conference() -> None:
    """However late the event appears."""
    world = World()
    world.initialize("c1", "draft1")
    world.advance(20 * 3600)
    world.create("Planning", "c1", id="draft1")
    world.advance(10 * 3600)
    assert world.told("c1").title == "Planning"


def test_a_draft_that_is_saved_after_all_brings_its_conference_back() -> None:
    """The back end restores it."""
    world = World()
    world.initialize("c1", "draft1")
    world.advance(25 * 3600)
    assert world.told("c1") is None
    world.create("Planning", "c1", id="draft1", **times(world.now + timedelta(days=1)))
    world.settle()
    assert world.told("c1").title == "Planning"


def test_a_draft_in_a_calendar_without_access_proves_nothing() -> None:
    """An event that nobody may see may be there."""
    world = World()
    with_team(world)
    world.initialize("c1", "draft1", calendar_id=TEAM)
    world.lose_pushes = True
    later = times(world.now + timedelta(days=9))
    world.create("Planning", "c1", id="draft1", who=BOB, calendar_id=TEAM, **later)
    world.model.share(TEAM, {ANN: "none"})
    world.advance(30 * 3600)
    assert world.provider.calls == []
    assert world.conference("c1").decided_at is None, "no end is decided that would count in the brake"
    world.model.share(TEAM, {ANN: "owner"})
    world.advance(8 * 3600)
    assert world.told("c1").title == "Planning"


def test_a_draft_in_a_calendar_without_access_ends_once_it_can_be_looked_for() -> None:
    """Its time to appear was over before."""
    world = World()
    with_team(world)
    world.initialize("c1", "draft1", calendar_id=TEAM)
    world.model.share(TEAM, {ANN: "none"})
    world.advance(30 * 3600)
    world.model.share(TEAM, {ANN: "owner"})
    world.advance(8 * 3600)
    assert world.told("c1") is None


@pytest.mark.parametrize("tombstones", ["full", "id_only"])
def test_an_event_that_moved_away_before_anybody_saw_it_keeps_its_conference(tombstones: str) -> None:
    """An id-only stub is no proof of a deletion, least of all of an event that was never seen."""
    world = World()
    with_team(world)
    world.model.options.organizer_tombstones = tombstones  # type: ignore[assignment]
    event_id = world.create("Planning", "c1")
    world.model.move(ANN, "primary", event_id, {"destination": TEAM})
    world.initialize("c1", event_id)
    world.advance(60 * 3600)
    assert world.provider.calls == []
    assert world.conference("c1").end_after is None
    assert not any(note.what.startswith(GRACE_BEGAN) for note in world.conference("c1").history), "looked at each day"


@pytest.mark.parametrize("is_taken_back", [False, True])
def test_a_draft_for_an_occurrence_that_its_series_gave_up_is_kept_until_the_series_has_it_again(
    is_taken_back: bool,
) -> None:
    """Nothing but its id is left, as after a move; as an occurrence it is shown without the conference."""
    world = World()
    longer, shorter = ([f"RRULE:FREQ=DAILY;COUNT={count}"] for count in (9, 4))
    series_id = world.create("Daily", recurrence=longer)
    changed = world.instances(series_id)[6]
    world.edit(changed, summary="Special")
    world.initialize("c1", changed)
    world.edit(series_id, recurrence=shorter)
    world.advance(30 * 3600)
    assert (world.provider.calls, world.conference("c1").end_after) == ([], None)
    if is_taken_back:
        world.edit(series_id, recurrence=longer)
    world.advance(30 * 3600)
    assert [call.state for call in world.provider.calls] == ([None] if is_taken_back else [])


def test_a_conference_that_another_event_claims_is_no_discarded_draft() -> None:
    """Whoever holds it, nobody proved that it may go."""
    world = World()
    world.initialize(who=BOB)
    world.initialize("c1", "draft1")
    world.create("Planning", "c1", who=BOB)
    world.advance(30 * 3600)
    assert world.provider.calls == []


# --- events that moved ---------------------------------------------------------------------------------------------


def moved(world: World, destination: str) -> str:
    """Let an event move to another calendar, with nobody telling its new calendar."""
    event_id = world.add("Planning", "c1")
    world.settle()
    world.lose_pushes = True
    world.model.move(ANN, "primary", event_id, {"destination": destination})
    return event_id


def test_an_event_that_moved_is_looked_for_where_its_tombstone_says() -> None:
    """The push of its new calendar was lost."""
    world = World()
    with_team(world)
    world.initialize(calendar_id=TEAM)
    event_id = moved(world, TEAM)
    world.push(ANN)
    world.advance(120)
    assert ("owner", "live") in states(world)
    world.edit(event_id, calendar_id=TEAM, summary="Retro")
    world.push(TEAM)
    world.advance(60)
    assert world.told("c1").title == "Retro"


def test_an_event_that_was_deleted_in_its_new_calendar_before_anybody_looked_ends_its_conference() -> None:
    """The tombstone there is the proof."""
    world = World()
    with_team(world)
    world.initialize(calendar_id=TEAM)
    event_id = moved(world, TEAM)
    world.delete(event_id, calendar_id=TEAM)
    world.push(ANN)
    world.settle()
    assert world.told("c1") is None


def test_what_was_deleted_where_it_moved_to_is_the_organizers_copy_of_the_guest_who_used_the_add_on() -> None:
    """Then Bob's copy of it proves nothing more, and does not keep the conference."""
    world = World()
    world.model.add_user(NOWHERE)
    for who in (ANN, BOB, NOWHERE):
        world.initialize(who=who)
    guests = [{"email": who} for who in (ANN, BOB, NOWHERE)]
    event_id = world.create("Planning", "c1", **times(world.now + timedelta(days=60)), attendees=guests)
    world.initialize("c1", event_id, who=BOB)
    world.settle()
    world.lose_pushes = True
    world.model.change_owner(ANN, ANN, event_id, NOWHERE)
    world.push(BOB)
    world.settle()
    world.delete(event_id, who=NOWHERE)
    world.push(ANN)
    world.push(BOB)
    world.advance(3 * 86400)
    assert world.told("c1") is None


def test_what_is_found_in_a_calendar_that_is_removed_meanwhile_is_not_recorded() -> None:
    """It is forgotten by then, and nobody would forget it there once more."""
    world = World()
    with_team(world)
    world.initialize(calendar_id=TEAM)
    event_id = moved(world, TEAM)
    world.delete(event_id, calendar_id=TEAM)
    team = world.calendar(calendar_id=TEAM).key

    def forget(called: str) -> None:
        if states(world) == {("owner", "orphaned")} and called == "events.get":
            world.before_calendar = lambda _: None
            remove_calendar(team, "now", world.outside, world.rules)

    world.before_calendar = forget
    world.push(ANN)
    world.settle()
    assert world.calendar(calendar_id=TEAM).state == "removed"
    assert (states(world), team in calendars_of(world.conference("c1"))) == ({("owner", "orphaned")}, False)


def test_the_grace_period_begins_when_the_search_is_over() -> None:
    """Calendar may take long to answer."""
    world = World()
    with_team(world)
    world.initialize(calendar_id=TEAM)
    event_id = moved(world, TEAM)
    world.delete(event_id, calendar_id=TEAM)
    answered: list[datetime] = []

    def slow(_: str) -> None:
        world.now += timedelta(seconds=5)
        answered.append(world.now)

    world.before_calendar = slow
    world.push(ANN)
    world.advance(20)
    decided_at = world.conference("c1").decided_at
    assert decided_at is not None
    assert decided_at == answered[-1]
    assert world.conference("c1").end_after == decided_at + timedelta(seconds=world.rules.grace_s)


def test_an_event_that_moved_to_an_unknown_calendar_is_kept_for_good() -> None:
    """After a month nobody looks any more."""
    world = World()
    world.model.add_user(NOWHERE)
    world.model.share(NOWHERE, {ANN: "writer"})
    event_id = world.add("Daily", "c1", recurrence=["RRULE:FREQ=DAILY"])
    world.settle()
    world.model.move(ANN, "primary", event_id, {"destination": NOWHERE})
    world.settle()
    calls = len(world.provider.calls)
    assert world.conference("c1").review_at is not None
    world.now += timedelta(days=31)
    world.settle()
    assert (states(world), world.conference("c1").due_at) == ({("owner", "orphaned")}, None)
    assert len(world.provider.calls) == calls


@pytest.mark.parametrize("tombstones", ["full", "id_only"])
def test_an_event_that_moved_is_looked_for_in_calendars_of_its_own_tenant_alone(tombstones: str) -> None:
    """Tenants may share a store and a user: the other's many calendars neither hide the right one nor are touched."""
    world = World()
    with_team(world)
    world.model.options.organizer_tombstones = tombstones  # type: ignore[assignment]
    world.initialize(calendar_id=TEAM)
    calendar = Calendar(key="", tenant="other", calendar_id=TEAM, subject=ANN)
    others = [calendar.model_copy(update={"key": f"{number:032d}"}) for number in range(CALENDARS_AT_MOST)]
    world.store.transact(partial(_put, others))
    moved(world, TEAM)
    world.push(ANN)
    world.advance(120)
    assert ("owner", "live") in states(world)
    assert list(world.store.get_many(Calendar, [other.key for other in others]).values()) == others


def _put(calendars: list[Calendar], tx: Transaction) -> None:
    for calendar in calendars:
        tx.put(calendar)


def test_an_event_that_comes_out_of_sight_and_back_is_ended_like_any_other() -> None:
    """What it left behind in the other calendar blocks nothing."""
    world = World()
    with_team(world)
    world.initialize(calendar_id=TEAM)
    event_id = moved(world, TEAM)
    world.lose_pushes = False
    world.push(ANN)
    world.settle()
    world.model.move(ANN, TEAM, event_id, {"destination": ANN})
    world.settle()
    world.delete(event_id)
    world.settle()
    assert world.told("c1") is None


# --- forgetting ----------------------------------------------------------------------------------------------------


def ended_series(world: World) -> str:
    """Let a series with an exception end with its conference."""
    series_id = world.add("Daily", "c1", recurrence=["RRULE:FREQ=DAILY"])
    world.settle()
    instance = world.model.instances(ANN, "primary", series_id, {"maxResults": "5"})["items"][2]
    world.edit(instance["id"], summary="Special")
    world.settle()
    world.delete(series_id)
    world.settle()
    assert world.told("c1") is None
    return series_id


def test_what_ended_is_forgotten_after_a_month_with_its_links() -> None:
    """Calendar restores events for 30 days."""
    world = World()
    ended_series(world)
    key = Calendar.key_for("default", ANN, ANN)
    world.now += timedelta(days=30)
    world.settle()
    assert known(world) is not None
    world.now += timedelta(days=2)
    world.settle()
    assert known(world) is None
    assert world.store.links_of(key, after="", limit=10) == []


def test_a_discarded_conference_that_is_registered_again_is_not_forgotten_at_once() -> None:
    """The generations that its back end knows are remembered as long as those of any other."""
    world = World()
    world.initialize("c1", "draft1")
    world.advance(25 * 3600)
    assert world.told("c1") is None
    world.initialize("c1", "draft1")
    world.advance(3 * 24 * 3600)
    assert known(world) is not None
    world.now += timedelta(days=32)
    world.settle()
    assert known(world) is None


def test_what_ended_and_came_back_is_not_forgotten() -> None:
    """The event was restored on the last day."""
    world = World()
    series_id = ended_series(world)
    world.now += timedelta(days=29)
    world.edit(series_id, status="confirmed")
    world.settle()
    world.now += timedelta(days=3)
    world.settle()
    assert world.told("c1") is not None
    assert ("owner", "live") in states(world)


def test_no_task_is_made_for_what_is_due_in_a_month() -> None:
    """The scheduled run finds it in the store."""
    world = World()
    ended_series(world)
    assert world.conference("c1").due_at is not None
    assert [task.path for task in world.queue.waiting if task.path == UPDATE] == []


# --- adopted conferences -------------------------------------------------------------------------------------------


def matching(**capabilities: Any) -> World:
    """Return a world in which a conference id binds without the add-on's word."""
    able = Capabilities(ALL_FIELDS, ordered_writes=True, restores=True, **capabilities)
    return World(rules=Rules(claims="matching"), capabilities=able)


def adopted(world: World, **fields: Any) -> str:
    """Let an event with a conference appear that nobody registered."""
    world.initialize()
    event_id = world.create("Planning", "c1", **fields)
    world.settle()
    return event_id


def test_an_adopted_conference_is_recorded_and_told_only_what_changes() -> None:
    """It exists already, and is what its event says, as far as anybody knows."""
    world = matching()
    event_id = adopted(world)
    assert (world.provider.calls, states(world)) == ([], {("owner", "live")})
    world.edit(event_id, summary="Retro")
    world.settle()
    assert world.told("c1").title == "Retro"


def test_an_unregistered_conference_is_told_nothing_by_default() -> None:
    """Anybody may write any id into an event."""
    world = World()
    event_id = adopted(world)
    world.edit(event_id, summary="Retro")
    world.delete(event_id)
    world.settle()
    assert (world.provider.calls, states(world)) == ([], {("claimed", "gone")})


@pytest.mark.parametrize(("host", "ends"), [(ANN, True), (ANN.upper(), True), (BOB, False), (None, False)])
def test_an_adopted_conference_ends_only_when_its_host_is_the_events_organizer(host: str | None, ends: bool) -> None:
    """Else it may be a stranger's, whose id was guessed."""
    world = matching(tells_host=True)
    event_id = adopted(world)
    if host:
        world.provider.hosts["c1"] = host
    world.delete(event_id)
    world.settle()
    assert [call.state for call in world.provider.calls] == ([None] if ends else [])


def test_the_add_ons_word_for_one_event_does_not_let_another_calendar_end_the_conference() -> None:
    """Bob's event took it over before Ann's add-on spoke: whether it is his to end, only the back end knows."""
    world = matching(tells_host=True)
    world.provider.hosts["c1"] = ANN
    world.initialize(who=BOB)
    forged = world.create("Forged", "c1", who=BOB)
    world.settle()
    world.initialize("c1", "draft1")
    world.settle()
    world.delete(forged, who=BOB)
    world.settle()
    assert [call for call in world.provider.calls if call.state is None] == []


def test_an_adopted_conference_ends_where_nobody_can_tell_its_host() -> None:
    """The policy was chosen for a back end that cannot."""
    world = matching()
    event_id = adopted(world)
    world.delete(event_id)
    world.settle()
    assert world.told("c1") is None


def test_an_end_waits_until_the_back_end_says_who_hosts_it() -> None:
    """It may be busy."""
    world, asked = matching(tells_host=True), list[str]()
    world.provider.hosts["c1"] = ANN
    event_id = adopted(world)
    host_of = world.provider.host_of

    def busy_once(conference_id: str) -> str | None:
        asked.append(conference_id)
        if len(asked) == 1:
            raise ProviderBusy("later")
        return host_of(conference_id)

    world.provider.host_of = busy_once  # type: ignore[method-assign]  # the fake's own edge
    world.delete(event_id)
    world.settle()
    assert world.told("c1") is None
    assert len(asked) == 2


def test_a_second_event_elsewhere_does_not_take_an_adopted_conference_over() -> None:
    """While its first event lives."""
    world = matching()
    world.initialize(who=BOB)
    event_id = adopted(world)
    forged = world.create("Forged", "c1", who=BOB)
    world.settle()
    world.edit(forged, who=BOB, summary="Forged again")
    world.delete(forged, who=BOB)
    world.settle()
    assert world.provider.calls == []
    world.edit(event_id, summary="Retro")
    world.settle()
    assert world.told("c1").title == "Retro"


def test_claims_are_reported_once() -> None:
    """With the event that makes them, so that a forgery can be found."""
    world = World()
    event_id = adopted(world)
    world.edit(event_id, summary="Retro")
    world.settle()
    reported = [claim for outcome in world.outcomes for claim in getattr(outcome, "claims", ())]
    assert reported == [event_id]


def test_a_claimed_series_and_its_link_are_forgotten_when_it_is_gone() -> None:
    """A claim leaves nothing behind either."""
    world = World()
    event_id = adopted(world)
    world.delete(event_id)
    world.settle()
    world.now += timedelta(days=32)
    world.settle()
    assert (known(world), world.store.get(Link, Link.key_for(Calendar.key_for("default", ANN, ANN), event_id))) == (
        None,
        None,
    )
