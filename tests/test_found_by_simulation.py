"""What the simulation found: schedules that nobody had thought of, each once more by hand."""

from datetime import timedelta
from typing import Any

import pytest

from confsync.adapters.memory import MemoryStore
from confsync.administer_calendar import resync_calendar
from confsync.ask_to_observe import ask_to_observe
from confsync.core.owners import owners_of
from confsync.core.records import EventRef
from confsync.core.rules import Rules
from confsync.errors import CalendarRateLimited, CalendarUnavailable, StoreUnavailable
from confsync.local.calendar_server.people import addon_conference
from confsync.local.calendar_server.records import Role
from tests.world import ANN, BOB, World, times

TEAM = "team@group.example.com"
CLUB = "club@group.example.com"


def shared_world() -> tuple[World, str]:
    """Return a world in which confsync sees Ann's team calendar as Bob, with an event in it."""
    world = World()
    world.model.add_calendar(TEAM, ANN, roles={BOB: "owner"})
    event_id = world.add("Planning", "c1", who=BOB, calendar_id=TEAM, **times(world.now + timedelta(days=9)))
    world.settle()
    return world, event_id


def states(world: World, conference_id: str) -> list[str]:
    """Return what is recorded of each event of a conference."""
    return [referent.state for referent in world.conference(conference_id).referents.values()]


def without_access(world: World, role: Role, first: str, last: str) -> None:
    """Take access away just before one call of Calendar, and give it back just before another one."""
    open_calls = {first}

    def watch(operation: str) -> None:
        if operation == first and first in open_calls:
            open_calls.clear()
            world.model.share(TEAM, {BOB: role})
        elif not open_calls and operation == last:
            open_calls.add("over")
            world.model.share(TEAM, {BOB: "owner"})

    world.before_calendar = watch


# --- access that is lost for a moment --------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["freeBusyReader", "reader", "none"])
def test_an_event_that_is_asked_for_is_not_read_before_a_listing_shows_in_which_role(role: Role) -> None:
    """A token that was accepted once proves nothing of now: what a mere reader is shown of a deletion is not read."""
    world, event_id = shared_world()
    world.lose_pushes = True
    world.delete(event_id, calendar_id=TEAM)
    world.model.share(TEAM, {BOB: role})
    world.calendar_calls.clear()
    ask_to_observe([EventRef(world.calendar(BOB, TEAM).key, event_id)], world.outside)
    world.settle()
    assert "events.get" not in world.calendar_calls
    assert (world.calendar(BOB, TEAM).state, *states(world, "c1")) == ("frozen", "live")
    world.model.share(TEAM, {BOB: "owner"})
    world.advance(2 * 3600)
    assert world.told("c1") is None


def test_an_event_that_is_asked_for_while_it_is_read_is_read_once_more() -> None:
    """What was just read may be what it was before whoever asks changed it."""
    world, event_id = shared_world()
    of_team = EventRef(world.calendar(BOB, TEAM).key, event_id)
    ask_to_observe([of_team], world.outside)
    read = list[str]()

    def ask_again(operation: str) -> None:
        if operation == "events.get":
            read.append(operation)
            if len(read) == 1:
                ask_to_observe([of_team, of_team], world.outside)

    world.before_calendar = ask_again
    world.settle()
    assert len(read) == 2
    assert world.calendar(BOB, TEAM).to_observe == ()


@pytest.mark.parametrize("role", ["freeBusyReader", "reader", "none"])
def test_a_sweep_that_goes_on_proves_first_that_the_calendar_is_still_shown_in_full(role: Role) -> None:
    """The pages of its listing were, in an earlier sync: until this one went on, the role may have been reduced."""
    world, event_id = shared_world()
    world.model.options.tombstone_days = 0
    world.lose_pushes = True
    world.delete(event_id, calendar_id=TEAM)

    def break_off(operation: str) -> None:
        if operation == "events.get":
            world.before_calendar = lambda _: None
            world.model.share(TEAM, {BOB: role})
            raise CalendarUnavailable("events.get: no answer")

    world.before_calendar = break_off
    resync_calendar(world.calendar(BOB, TEAM).key, world.outside)
    world.settle()
    assert (world.calendar(BOB, TEAM).state, *states(world, "c1")) == ("frozen", "live")
    world.model.share(TEAM, {BOB: "owner"})
    world.advance(2 * 3600)
    assert world.told("c1") is None


@pytest.mark.parametrize("role", ["freeBusyReader", "reader", "none"])
@pytest.mark.parametrize("given_back", ["events.list", "events.get"])
def test_a_change_that_was_listed_is_not_lost_when_its_reading_is_shown_without_access(
    role: Role, given_back: str
) -> None:
    """The page was read as writer, the reading that confirms it was not: it proves nothing, and the change stays."""
    world, event_id = shared_world()
    world.provider.calls.clear()
    without_access(world, role, "events.get", given_back)
    world.edit(event_id, calendar_id=TEAM, conferenceData=None)
    world.advance(3 * 3600)
    world.model.share(TEAM, {BOB: "owner"})
    world.advance(3 * 3600)
    assert [(call.conference_id, call.state) for call in world.provider.calls] == [("c1", None)]


@pytest.mark.parametrize("given_back", ["events.list", "events.get"])
def test_no_conference_ends_because_the_last_look_fell_into_a_moment_without_access(given_back: str) -> None:
    """The event is back before that; what could not be seen does not speak against it."""
    world, event_id = shared_world()
    world.lose_pushes = True
    world.edit(event_id, calendar_id=TEAM, conferenceData=None)
    world.push(TEAM)
    world.advance(10)
    assert world.conference("c1").end_after is not None
    world.edit(event_id, calendar_id=TEAM, conferenceData=addon_conference("c1"))
    world.model.forget_deleted(TEAM)
    without_access(world, "none", "events.get", given_back)
    world.advance(6 * 3600)
    assert all(call.state is not None for call in world.provider.calls)


def test_what_cannot_be_proven_in_a_first_listing_is_read_again_when_it_can() -> None:
    """There is no sync token yet, so nobody knows whether an unknown event is one, or access was lost for a moment."""
    world, event_id = shared_world()
    world.model.expire_sync_tokens(TEAM)
    world.lose_pushes = True
    world.edit(event_id, calendar_id=TEAM, conferenceData=None)
    without_access(world, "freeBusyReader", "events.get", "events.list")
    world.push(TEAM)
    world.advance(6 * 3600)
    assert world.provider.calls[-1].state is None


def test_a_full_listing_has_not_shown_what_was_only_asked_for_and_is_unknown() -> None:
    """The duplicate was deleted and forgotten; it is asked for as the next driver before the listing is complete."""
    world = World()
    first = world.add("Planning", "c1", **times(world.now + timedelta(days=9)))
    world.settle()
    copy = world.duplicate(first)
    world.settle()
    world.lose_pushes = True
    world.delete(copy)
    world.edit(first, conferenceData=None)
    world.model.options.tombstone_days = 0
    world.now += timedelta(seconds=1)
    assert world.model.forget_deleted(ANN) == [copy]
    world.model.expire_sync_tokens(ANN)
    world.push(ANN)
    world.settle()
    assert owners_of(world.conference("c1"), "gone").keys() == world.conference("c1").referents.keys()
    assert world.told("c1") is None


# --- clocks ----------------------------------------------------------------------------------------------------------


def test_a_hand_over_survives_a_sync_whose_clock_is_behind() -> None:
    """For it the first event is not over yet: it says to look again at the same time as before."""
    world = World()
    world.add("Today", "c1", **times(world.now + timedelta(hours=1)))
    world.create("Tomorrow", "c1")
    world.settle()
    due_at = world.conference("c1").review_at
    assert due_at is not None

    def sync_with_a_slow_clock(_: str) -> None:
        world.queue.after_call = None
        right = world.now
        world.now = due_at - timedelta(seconds=1)
        for task in world.queue.pop_due(right):
            world.run(task)
        world.now = right

    world.advance((due_at - world.now).total_seconds() - 30)
    world.queue.after_call = sync_with_a_slow_clock
    world.advance(2 * 3600)
    assert world.told("c1").title == "Tomorrow"


def test_tasks_that_run_early_twice_within_a_second_leave_one_that_does_not() -> None:
    """By a slow clock neither is due yet; what they were to tell does not wait for the scheduled run."""
    world = World(rules=Rules(grace_s=60))
    event_id = world.add("Planning", "c1")
    world.settle()
    world.delete(event_id)
    world.advance(1)
    due_at = world.conference("c1").due_at
    assert due_at is not None
    world.now, world.next_run = due_at, due_at + timedelta(hours=1)
    for late in (0.9, 0.7):
        tasks = world.queue.pop_due(world.now)
        world.now = due_at - timedelta(seconds=late)
        for task in tasks:
            world.run(task)
        world.now = due_at
    world.advance(2 * world.rules.skew_s)
    assert world.told("c1") is None


def test_a_hand_over_that_broke_off_before_it_asked_anybody_is_made_again() -> None:
    """What it stored first says when to look once more."""
    broken: list[str] = []

    def break_off(call: str) -> None:
        if call == "transact" and due_at is not None and not broken and world.conference("c1").review_at != due_at:
            broken.append(call)
            raise StoreUnavailable("out of reach")

    due_at = None
    world = World(store=MemoryStore(on_call=break_off))
    world.add("Today", "c1", **times(world.now + timedelta(hours=1)))
    world.create("Tomorrow", "c1")
    world.settle()
    due_at = world.conference("c1").review_at
    world.advance(3 * 3600)
    assert broken
    assert world.told("c1").title == "Tomorrow"


# --- pages -----------------------------------------------------------------------------------------------------------


def test_a_series_is_never_told_without_an_exception_that_is_on_the_next_page() -> None:
    """The listing broke off between its master and its first exception: no event ever said what was told."""
    world = World(page_size=1)
    series_id = world.add("Daily", "c1", recurrence=["RRULE:FREQ=DAILY;COUNT=9"])
    world.settle()
    world.lose_pushes = True
    world.edit(world.instances(series_id)[2], summary="Retro")
    world.edit(series_id, description="New")
    pages: list[str] = []

    def break_off(operation: str) -> None:
        pages.append(operation)
        if pages.count("events.list") == 2:
            raise CalendarRateLimited("slow down", "rateLimitExceeded", 8)

    world.before_calendar = break_off
    world.push(ANN)
    world.advance(1)
    world.before_calendar = lambda _: None
    world.settle()
    told = [call.state for call in world.provider.calls[1:]]
    assert told
    assert all(len(state.occurrences) == 1 for state in told if state is not None)
    assert owners_of(world.conference("c1"), "live")


# --- what is lost, and then gone from sight -----------------------------------------------------------------------


def test_an_event_that_lost_its_conference_and_moved_out_of_sight_is_looked_for_once_a_day() -> None:
    """It may have got the conference back before anybody looked; an end that waits for it would wait for ever."""
    world = World()
    world.model.add_calendar(TEAM, ANN)
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(days=9)))
    world.settle()
    world.edit(event_id, conferenceData=None)
    world.advance(10)
    assert world.conference("c1").end_after is not None
    world.move(event_id, TEAM)
    world.edit(event_id, calendar_id=TEAM, attendees=[{"email": ANN, "responseStatus": "accepted"}])
    world.advance(3600)
    found = world.conference("c1")
    assert (found.end_after, found.desired is not None and found.desired.ended) == (None, False)
    assert {each.state for each in found.referents.values()} == {"orphaned"}
    done = len(world.outcomes)
    world.advance(6 * 3600)
    assert len(world.outcomes) - done < 20


@pytest.mark.parametrize("was_lost", [True, False])
def test_an_event_that_is_found_without_the_conference_that_it_had_lost_before_it_moved_keeps_none(
    *, was_lost: bool
) -> None:
    """It might have been put back; where the move itself may have dropped it, that it holds none proves nothing."""
    world = World()
    world.model.add_calendar(TEAM, ANN)
    world.initialize(calendar_id=TEAM)
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(days=9)), attendees=[{"email": ANN}])
    world.settle()
    world.lose_pushes = True
    if was_lost:
        world.edit(event_id, conferenceData=None)
        world.push(ANN)
        world.advance(10)
        assert world.conference("c1").end_after is not None
    world.move(event_id, TEAM)
    world.edit(event_id, calendar_id=TEAM, conferenceData=None)
    world.push(ANN)
    world.advance(10)
    assert states(world, "c1") == (["gone", "gone"] if was_lost else ["orphaned"])
    world.advance(3600)
    assert (world.told("c1") is None) == was_lost


def test_an_event_that_moves_on_from_where_it_was_found_without_its_conference_is_looked_for_again() -> None:
    """Nobody but the search knows it there, so no sync tells that it left: the end waited for it for ever."""
    world = World()
    for name in (TEAM, "board@group.example.com"):
        world.model.add_calendar(name, ANN)
        world.initialize(calendar_id=name)
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(days=9)), attendees=[{"email": ANN}])
    world.settle()
    world.lose_pushes = True
    world.edit(event_id, conferenceData=None)
    world.push(ANN)
    world.advance(10)
    world.move(event_id, TEAM)
    world.push(ANN)
    world.advance(10)
    assert world.conference("c1").end_after is not None
    world.edit(event_id, calendar_id=TEAM, attendees=[{"email": TEAM}])
    world.move(event_id, "board@group.example.com", calendar_id=TEAM)
    world.advance(2 * 3600)
    assert world.told("c1") is None


@pytest.mark.parametrize("became", ["deleted", "another conference"])
def test_a_calendar_to_which_an_event_moved_after_it_had_lost_its_conference_vouches_for_no_other_event(
    became: str,
) -> None:
    """What became of the event is known from there; nobody who writes there ever held the conference."""
    world = World()
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(days=9)))
    world.settle()
    world.lose_pushes = True
    world.model.add_calendar(TEAM, BOB, roles={ANN: "owner"})
    world.initialize(calendar_id=TEAM)
    world.create("Forged", "c1", who=BOB, calendar_id=TEAM, **times(world.now + timedelta(days=8)))
    world.edit(event_id, conferenceData=None)
    world.move(event_id, TEAM)
    if became == "deleted":
        world.delete(event_id, calendar_id=TEAM)
    else:
        world.edit(event_id, calendar_id=TEAM, conferenceData=addon_conference("c2"))
    world.advance(12 * 3600)
    assert [
        call.state.title if call.state else None for call in world.provider.calls if call.conference_id == "c1"
    ] == [
        "Planning",
        None,
    ]


# --- the add-on's word ------------------------------------------------------------------------------------------------


def test_a_word_that_comes_after_its_event_had_moved_is_worth_a_call() -> None:
    """Nobody had vouched when the event was seen, and where the add-on says it is, it is no more."""
    world = World(rules=Rules(claims="matching"))
    world.model.add_calendar(TEAM, ANN)
    world.initialize()
    event_id = world.create("Planning", "c1", calendar_id=TEAM, **times(world.now + timedelta(days=9)))
    world.move(event_id, ANN, calendar_id=TEAM)
    world.settle()
    assert world.provider.calls == []
    world.initialize("c1", event_id, ANN, TEAM)
    world.settle()
    assert world.told("c1").title == "Planning"


# --- conferences whose event came and went before it could own them --------------------------------------------------


def test_an_event_that_was_only_a_claim_when_it_went_does_not_leave_its_conference_behind() -> None:
    """It was seen before the add-on vouched for it, and deleted before it was seen again: nobody ever owned it."""
    world = World()
    world.initialize()
    event_id = world.create("Planning", "c1", **times(world.now + timedelta(days=9)))
    world.settle()
    world.lose_pushes = True
    world.delete(event_id)
    world.initialize("c1", event_id)
    world.advance(world.rules.draft_s + 2 * 3600)
    assert [(call.conference_id, call.state) for call in world.provider.calls] == [("c1", None)]


def test_a_stranger_that_held_a_discarded_conference_for_a_while_delays_its_end_only_so_long() -> None:
    """The time for the draft was over while a claim stood in another calendar; then that went as well."""
    world = World()
    world.initialize("c1", "never")
    world.initialize(who=BOB)
    stranger = world.create("Copied", "c1", who=BOB, **times(world.now + timedelta(days=9)))
    world.advance(world.rules.draft_s + 2 * 3600)
    assert world.provider.calls == []
    world.delete(stranger, who=BOB)
    world.advance(3600)
    assert [(call.conference_id, call.state) for call in world.provider.calls] == [("c1", None)]


@pytest.mark.parametrize("tombstones", ["full", "id_only"])
def test_a_draft_whose_event_comes_back_with_another_conference_is_not_kept_for_it(tombstones: str) -> None:
    """It was out of sight when the draft was looked at; a day later it is not."""
    world = World()
    world.model.options.organizer_tombstones = tombstones  # type: ignore[assignment]
    world.model.add_calendar(TEAM, ANN)
    event_id = world.create("Planning", "c2", **times(world.now + timedelta(days=9)))
    world.initialize("c1", event_id)
    world.move(event_id, TEAM)
    world.advance(world.rules.draft_s + 3600)
    assert world.provider.calls == []
    world.move(event_id, ANN, calendar_id=TEAM)
    world.advance(world.rules.search_s + 3600)
    assert [(call.conference_id, call.state) for call in world.provider.calls] == [("c1", None)]


# --- copies of an event that moved -----------------------------------------------------------------------------------


def test_a_calendar_that_can_be_read_again_does_not_keep_what_its_event_lost_where_it_went() -> None:
    """Bob's calendar shows only then that the event left; by then it has no conference any more, as Ann's shows."""
    world = World()
    world.model.options.organizer_tombstones = "id_only"
    world.initialize()
    event_id = world.add("Planning", "c1", who=BOB, **times(world.now + timedelta(days=9)))
    world.settle()
    world.model.share(BOB, {ANN: "writer"})
    world.model.suspend(BOB)
    world.model.change_owner(ANN, BOB, event_id, ANN)
    world.settle()
    world.edit(event_id, conferenceData=None)
    world.settle()
    assert world.told("c1") is not None
    world.model.reinstate(BOB)
    world.advance(3 * 3600)
    assert world.told("c1") is None


def taken_over_from_bob(**fields: Any) -> tuple[World, str]:
    """Let Ann get Bob's event, whose calendar nobody can read since then."""
    world = World()
    world.model.add_calendar(TEAM, ANN)
    world.initialize()
    world.initialize(calendar_id=TEAM)
    event_id = world.add("Planning", "c1", who=BOB, **times(world.now + timedelta(days=9)), **fields)
    world.settle()
    world.model.share(BOB, {ANN: "writer"})
    world.model.suspend(BOB)
    world.model.change_owner(ANN, BOB, event_id, ANN)
    world.settle()
    return world, event_id


@pytest.mark.parametrize("where", ["it came back", "it went on"])
def test_an_event_that_left_is_not_taken_for_back_where_nobody_could_read(where: str) -> None:
    """Bob's calendar is older than Ann's, and shows nothing but an id when it can be read again."""
    world, event_id = taken_over_from_bob()
    world.model.options.organizer_tombstones = "id_only" if where == "it came back" else "full"
    world.move(event_id, TEAM)
    world.delete(event_id, calendar_id=TEAM) if where == "it went on" else world.push(ANN)
    world.settle()
    if where == "it came back":
        world.move(event_id, ANN, calendar_id=TEAM)
        world.edit(event_id, conferenceData=None)
        world.settle()
    assert world.told("c1") is not None
    world.model.options.organizer_tombstones = "id_only"
    world.model.reinstate(BOB)
    world.advance(world.rules.search_s + 3 * 3600)
    assert world.told("c1") is None


def test_an_event_that_came_back_and_was_deleted_is_lost_though_nobody_reads_where_it_had_been() -> None:
    """A deletion is newer than all that it deletes."""
    world = World()
    world.initialize(who=BOB)
    for owner, other in ((ANN, BOB), (BOB, ANN)):
        world.model.share(owner, {other: "writer"})
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(days=9)))
    world.settle()
    world.model.change_owner(ANN, ANN, event_id, BOB)
    world.settle()
    world.model.suspend(BOB)
    world.settle()
    world.model.change_owner(ANN, BOB, event_id, ANN)
    world.delete(event_id)
    world.settle()
    world.model.reinstate(BOB)
    world.advance(3 * 3600)
    assert world.told("c1") is None


def test_an_event_that_went_on_twice_is_lost_where_it_was_lost_last() -> None:
    """The tombstone of its first calendar, read late, names the second one; what became of it there is known."""
    world, event_id = taken_over_from_bob(attendees=[{"email": ANN}, {"email": BOB}])
    world.move(event_id, TEAM)
    world.settle()
    world.edit(event_id, calendar_id=TEAM, conferenceData=None)
    world.settle()
    assert world.told("c1") is not None
    world.model.reinstate(BOB)
    world.advance(3 * 3600)
    assert world.told("c1") is None


def test_an_end_asks_a_calendar_to_read_the_event_that_it_waits_for() -> None:
    """It moved away after it had lost the conference, and the listing of all events shows no deleted ones."""
    world = World()
    world.model.add_calendar(TEAM, ANN)
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(days=9)))
    world.settle()
    world.lose_pushes = True
    world.edit(event_id, conferenceData=None)
    world.push(ANN)
    world.advance(10)
    assert world.conference("c1").end_after is not None
    world.edit(event_id, attendees=[{"email": ANN, "responseStatus": "accepted"}])
    world.move(event_id, TEAM)
    world.model.expire_sync_tokens(ANN)
    world.model.options.tombstone_days = 0
    world.advance(2 * 3600)
    found = world.conference("c1")
    assert (found.end_after, {each.state for each in found.referents.values()}) == (None, {"orphaned"})


# --- an event that moved away with another conference ----------------------------------------------------------------


@pytest.mark.parametrize(
    "where", ["nobody looks there", "it is looked for there", "it came back", "it came back and lost it"]
)
@pytest.mark.parametrize("is_restored", [True, False])
def test_an_event_that_left_with_another_conference_may_have_the_former_one_again(
    where: str, *, is_restored: bool
) -> None:
    """It was put back before anybody saw it; the former conference ends where the event is seen without it."""
    world = World()
    world.model.add_calendar(TEAM, ANN)
    if where == "it is looked for there":
        world.initialize(calendar_id=TEAM)
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(days=9)), attendees=[{"email": ANN}])
    world.settle()
    world.lose_pushes = True
    world.edit(event_id, conferenceData=addon_conference("c2"))
    world.push(ANN)
    world.advance(10)
    assert world.conference("c1").end_after is not None
    if is_restored:
        world.edit(event_id, conferenceData=addon_conference("c1"))
    world.move(event_id, TEAM)
    world.push(ANN)
    world.advance(3600)
    if where == "nobody looks there":
        [(left, where_to)] = {(r.state, r.moved_to) for r in world.conference("c1").referents.values()}
        assert (left, where_to, states(world, "c2")) == ("orphaned", TEAM, ["gone"])
    if where.startswith("it came back"):
        world.move(event_id, ANN, calendar_id=TEAM)
    if where == "it came back and lost it":
        world.edit(event_id, conferenceData=None)
    world.advance(2 * 24 * 3600)
    is_kept = where == "nobody looks there" or (is_restored and where != "it came back and lost it")
    assert (world.told("c1") is not None) == is_kept


@pytest.mark.parametrize("is_restored", [True, False])
def test_an_event_that_left_with_another_conference_is_looked_for_where_it_went_on(*, is_restored: bool) -> None:
    """No sync tells the former conference that the copy which Ann has as a guest names somebody else by now."""
    world = World()
    world.model.add_calendar(TEAM, ANN)
    world.model.add_calendar(CLUB, ANN)
    world.initialize(calendar_id=CLUB)
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(days=9)))
    world.settle()
    world.lose_pushes = True
    world.edit(event_id, conferenceData=addon_conference("c2"))
    world.push(ANN)
    world.advance(10)
    if is_restored:
        world.edit(event_id, conferenceData=addon_conference("c1"))
    world.move(event_id, TEAM)
    world.edit(event_id, calendar_id=TEAM, attendees=[{"email": ANN}])
    world.push(ANN)
    world.advance(3600)
    [(left, where_to)] = {(r.state, r.moved_to) for r in world.conference("c1").referents.values()}
    assert (left, where_to) == ("orphaned", TEAM)
    world.move(event_id, CLUB, calendar_id=TEAM)
    world.advance(2 * 24 * 3600)
    assert (world.told("c1") is not None) == is_restored
