"""What an operator does to a calendar: nothing ends because of it, and nothing is lost for good."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from confsync.administer_calendar import (
    Administered,
    pause_calendar,
    remove_calendar,
    resume_calendar,
    resync_calendar,
)
from confsync.ask_to_observe import ask_to_observe
from confsync.core.calendar_states import Forget
from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference, Intent
from confsync.core.events import Event, Person
from confsync.core.forgetting import calendars_of
from confsync.core.records import Calendar, EventRef, Link
from confsync.core.rules import Rules
from confsync.errors import (
    CalendarAccessLost,
    CalendarUnavailable,
    ConferenceGone,
    OutcomeUnknown,
    StoreUnavailable,
    UnknownCalendar,
)
from confsync.local.calendar_server.people import addon_conference
from confsync.ports import Address, ConferenceCall, CreateCall, CreatedConference
from confsync.sync_calendar import SyncRequest, sync_calendar
from tests.world import ALL_FIELDS, ANN, BOB, PUSH, Crash, World, times

DAY = 24 * 3600
TEAM = "team@group.example.com"


def pause(world: World, who: str = ANN) -> Administered:
    """Pause somebody's own calendar."""
    return pause_calendar(world.calendar(who).key, "being moved", world.outside)


def resume(world: World, who: str = ANN) -> Administered:
    """Resume it."""
    return resume_calendar(world.calendar(who).key, world.outside, PUSH, world.rules)


def remove(world: World, forget: Forget = "later", who: str = ANN) -> Administered:
    """Remove it."""
    return remove_calendar(world.calendar(who).key, forget, world.outside, world.rules)


def resync(world: World, who: str = ANN) -> Administered:
    """Have it synced anew."""
    return resync_calendar(world.calendar(who).key, world.outside)


def synced(**rules: object) -> tuple[World, str]:
    """Return a world with one conference that was told, and the event that holds it."""
    world = World(rules=Rules(**rules))  # type: ignore[arg-type]
    event_id = world.add("Planning", "c1")
    world.settle()
    return world, event_id


def is_known(world: World, conference_id: str) -> bool:
    """Whether the conference is remembered."""
    return world.store.get(Conference, Conference.key_for("default", "acme", conference_id)) is not None


def links(world: World, who: str = ANN) -> list[Link]:
    """Return what is remembered of the events of somebody's own calendar."""
    return world.store.links_of(Calendar.key_for("default", who, who), after="", limit=1000)


# Pause


def test_a_paused_calendar_is_left_alone() -> None:
    """For a month nothing is asked of Calendar, and nothing is due; its channel is stopped, its token stays."""
    world, event_id = synced()
    token, fence = world.calendar().sync_token, world.calendar().fence
    assert (pause(world).status, world.model.open_channels(ANN)) == ("paused", [])
    world.calendar_calls.clear()
    world.delete(event_id)
    world.advance(30 * DAY)
    found = world.calendar()
    assert (found.state, found.reason, found.channels, found.lease) == ("paused", "being moved", (), None)
    assert (found.due_at, found.renew_at, found.sync_token) == (None, None, token)
    assert found.fence > fence
    assert world.calendar_calls == []
    assert world.told("c1") is not None


def test_an_end_that_was_decided_waits_for_the_pause_to_be_over() -> None:
    """The last look at the event is not taken while its calendar is left alone."""
    world, event_id = synced()
    world.delete(event_id)
    world.advance(10)
    assert world.conference("c1").end_after is not None
    pause(world)
    world.calendar_calls.clear()
    world.advance(DAY)
    assert (world.calendar_calls, world.told("c1").title) == ([], "Planning")
    resume(world)
    world.advance(2 * 3600)
    assert world.told("c1") is None


def test_a_pause_supersedes_a_sync_under_way() -> None:
    """The fence rises: what that sync saw is not recorded, and the token stays for the next one."""
    world, event_id = synced()
    world.lose_pushes = True
    world.edit(event_id, summary="Changed")
    token = world.calendar().sync_token

    def pausing(operation: str) -> None:
        if operation == "events.list":
            world.before_calendar = lambda _: None
            pause(world)

    world.before_calendar = pausing
    outcome = sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
    assert outcome.status == "superseded"
    assert (world.calendar().state, world.calendar().sync_token) == ("paused", token)
    resume(world)
    world.settle()
    assert world.told("c1").title == "Changed"


@pytest.mark.parametrize("act", [pause, remove])
def test_a_channel_that_is_just_being_opened_is_stopped(act: Callable[[World], object]) -> None:
    """Whoever waits for the answer to `watch` finds the calendar left alone."""
    world = World()

    def acting(operation: str) -> None:
        if operation == "events.watch":
            world.before_calendar = lambda _: None
            act(world)

    world.before_calendar = acting
    assert world.initialize().channel.status == "dropped"
    assert (world.model.open_channels(ANN), world.calendar().channels) == ([], ())


@pytest.mark.parametrize("act", [pause, remove])
def test_a_channel_that_cannot_be_stopped_is_stopped_by_doing_it_again(act: Callable[[World], Administered]) -> None:
    """It is remembered as retiring; the calendar is left alone all the same."""
    world, _ = synced()

    def refuse(_: str) -> None:
        raise CalendarUnavailable("503")

    world.before_calendar = refuse
    assert act(world).open_channels == 1
    assert [channel.state for channel in world.calendar().channels] == ["retiring"]
    world.before_calendar = lambda _: None
    again = act(world)
    assert (again.status, again.open_channels) in (("already paused", 0), ("already removed", 0))
    assert (world.model.open_channels(ANN), world.calendar().channels) == ([], ())


@pytest.mark.parametrize("act", [pause, remove])
def test_a_notification_through_a_channel_that_is_left_stops_it(act: Callable[[World], object]) -> None:
    """A crash between storing the state and stopping the channel leaves it open."""
    world, event_id = synced()

    def crash(_: str) -> None:
        world.before_calendar = lambda _: None
        raise Crash

    world.before_calendar = crash
    with pytest.raises(Crash):
        act(world)
    assert len(world.model.open_channels(ANN)) == 1
    world.edit(event_id, summary="Changed")
    world.advance(10)
    assert world.model.open_channels(ANN) == []
    assert world.told("c1").title == "Planning"


def test_what_is_registered_during_a_pause_is_read_after_it() -> None:
    """The add-on is told that the calendar is paused; nothing is due meanwhile."""
    world, _ = synced()
    pause(world)
    event_id = world.create("Review", "c2", recurrence=["RRULE:FREQ=DAILY"])
    outcome = world.initialize("c2", event_id)
    assert (outcome.channel.status, outcome.sync.reason, outcome.is_paused) == ("dropped", "calendar is paused", True)
    assert (world.calendar().due_at, world.calendar().renew_at) == (None, None)
    world.advance(3 * DAY)
    assert world.conference("c2").desired is None
    assert not world.model.open_channels(ANN)
    resume(world)
    world.settle()
    assert world.told("c2").title == "Review"


# Resume


def test_a_resumed_calendar_opens_its_channel_and_goes_on_from_its_token() -> None:
    """No change falls between, and what changed meanwhile is listed incrementally."""
    world, event_id = synced()
    pause(world)
    world.edit(event_id, summary="Changed")
    world.advance(3 * 3600)
    world.calendar_calls.clear()
    listings = world.calendar().full_listings
    done = resume(world)
    assert (done.status, done.channel and done.channel.status) == ("resumed", "active")
    world.advance(10)
    assert world.calendar_calls[:2] == ["events.watch", "events.list"]
    assert (world.calendar().state, world.calendar().full_listings) == ("active", listings)
    assert (world.told("c1").title, len(world.model.open_channels(ANN))) == ("Changed", 1)


@pytest.mark.parametrize("broken", ["events.watch", "task queue"])
def test_a_crash_in_a_resume_is_healed_by_the_next_run(broken: str) -> None:
    """It is due at once in every respect."""
    world, event_id = synced()
    pause(world)
    world.edit(event_id, summary="Changed")

    def crash(operation: str) -> None:
        if operation == broken:
            world.before_calendar = lambda _: None
            raise Crash

    world.before_calendar = crash
    if broken == "task queue":
        resume(world)
        world.queue.pop_due(world.now)
    else:
        with pytest.raises(Crash):
            resume(world)
    world.settle()
    assert (world.told("c1").title, len(world.model.open_channels(ANN))) == ("Changed", 1)


def test_a_paused_calendar_that_was_frozen_is_tried_at_once() -> None:
    """Access may be back."""
    world, _ = synced()

    def refuse(_: str) -> None:
        raise CalendarAccessLost("gone", reason="notFound")

    world.before_calendar = refuse
    world.push(ANN)
    world.advance(10)
    assert world.calendar().state == "frozen"
    pause(world)
    world.before_calendar = lambda _: None
    resume(world)
    world.advance(10)
    assert (world.calendar().state, len(world.model.open_channels(ANN))) == ("active", 1)
    assert world.calendar().sync_token is not None


def test_a_token_that_expired_during_the_pause_is_made_good_by_a_full_listing() -> None:
    """Calendar answers 410, and everything is swept: what was deleted meanwhile ends."""
    world, event_id = synced()
    pause(world)
    world.delete(event_id)
    world.model.expire_sync_tokens()
    resume(world)
    world.advance(7200)
    assert world.told("c1") is None


# Remove


def test_a_removed_calendar_ends_nothing_and_keeps_its_record() -> None:
    """Not even after its conferences are forgotten: the back end is told nothing."""
    world, event_id = synced()
    fence, calls = world.calendar().fence, len(world.provider.calls)
    assert (remove(world).status, world.model.open_channels(ANN)) == ("removed", [])
    found = world.calendar()
    assert (found.state, found.sync_token, found.checkpoint, found.lease, found.channels) == (
        "removed", None, None, None, (),
    )  # fmt: skip
    assert found.fence > fence
    world.calendar_calls.clear()
    world.delete(event_id)
    world.advance(40 * DAY)
    assert (world.calendar_calls, len(world.provider.calls)) == ([], calls)
    assert world.told("c1") is not None
    assert (world.calendar().state, world.calendar().due_at) == ("removed", None)


def test_its_events_are_forgotten_when_the_time_of_retention_is_over() -> None:
    """Until then they are remembered."""
    world, _ = synced()
    remove(world)
    world.advance(30 * DAY)
    assert (len(links(world)), is_known(world, "c1")) == (1, True)
    world.advance(2 * DAY)
    assert (links(world), is_known(world, "c1")) == ([], False)


def test_a_calendar_that_is_added_again_is_as_it_was() -> None:
    """What changed or was deleted meanwhile is found by a full listing, whatever it covers the first time."""
    world, event_id = synced()
    deleted = world.add("Review", "c2")
    world.settle()
    remove(world)
    world.edit(event_id, summary="Changed")
    world.delete(deleted)
    world.advance(20 * DAY)
    outcome = world.initialize()
    world.advance(7200)
    assert (outcome.channel.status, outcome.sync.status, world.calendar().state) == ("active", "synced", "active")
    assert world.conference("c1").referents
    assert len(world.model.open_channels(ANN)) == 1
    assert world.calendar().due_at is not None


def test_a_conference_is_told_again_after_its_calendar_was_away() -> None:
    """Its record was kept, and so the next generation is a newer one."""
    world, event_id = synced()
    remove(world)
    world.edit(event_id, summary="Changed")
    world.advance(300)
    world.initialize()
    world.settle()
    assert world.told("c1").title == "Changed"


@pytest.mark.parametrize("count", [1, 5])
def test_its_events_are_forgotten_at_once_where_that_is_wanted(count: int) -> None:
    """In pages: links, conferences, and nothing of others."""
    world = World(rules=Rules(chunk_size=2))
    for number in range(count):
        world.add("Planning", f"c{number}")
    world.add("Bob's", "bob1", who=BOB)
    world.settle()
    calls = len(world.provider.calls)
    done = remove(world, "now")
    assert done.forgotten is not None
    assert (done.forgotten.links, done.forgotten.conferences, done.forgotten.again_at) == (count, count, None)
    assert (links(world), len(links(world, BOB)), is_known(world, "bob1")) == ([], 1, True)
    assert not any(is_known(world, f"c{number}") for number in range(count))
    world.advance(2 * DAY)
    assert len(world.provider.calls) == calls


def test_a_removed_calendar_may_be_told_to_forget_later_on() -> None:
    """Doing it twice is doing it once."""
    world, _ = synced()
    remove(world)
    done = remove(world, "now")
    assert (done.status, links(world), is_known(world, "c1")) == ("already removed", [], False)
    again = remove(world, "now")
    assert (again.status, again.calendar.due_at) == ("already removed", None)
    assert remove(world, "later").calendar.due_at is None


@pytest.mark.parametrize("nth", range(1, 11))
def test_a_crash_at_any_transaction_of_forgetting_is_made_good(nth: int) -> None:
    """The scheduled run goes on where it stopped."""
    world = World(rules=Rules(chunk_size=2))
    for number in range(5):
        world.add("Planning", f"c{number}")
    world.settle()
    left = nth

    def crash(call: str) -> None:
        nonlocal left
        left -= call == "transact"
        if not left:
            raise StoreUnavailable("the process is gone")

    world.store.on_call = crash  # type: ignore[attr-defined]
    try:
        remove(world, "now")
    except StoreUnavailable:
        assert nth <= 9
    world.store.on_call = None  # type: ignore[attr-defined]
    if world.calendar().state != "removed":
        return
    world.advance(120)
    assert (links(world), world.calendar().due_at) == ([], None)
    assert not any(is_known(world, f"c{number}") for number in range(5))


def test_a_calendar_that_is_added_again_while_it_is_forgotten_loses_nothing_more() -> None:
    """Each page checks that the calendar is still the one that was removed."""
    world = World(rules=Rules(chunk_size=2))
    events = [world.add("Planning", f"c{number}") for number in range(5)]
    world.settle()
    pages = 0

    def added(call: str) -> None:
        nonlocal pages
        pages += call == "conferences_of"
        if pages == 2:
            world.store.on_call = None  # type: ignore[attr-defined]
            world.initialize("c0", events[0])

    world.store.on_call = added  # type: ignore[attr-defined]
    done = remove(world, "now")
    assert done.forgotten is not None
    assert (done.forgotten.links, done.forgotten.conferences, done.forgotten.again_at) == (0, 2, None)
    assert world.calendar().state == "active"
    world.settle()
    owned = [any(each.role == "owner" for each in world.conference(f"c{n}").referents.values()) for n in range(5)]
    assert (owned[0], sum(owned) >= 3) == (True, True)  # those of the first page are vouched for no more: claims


def test_a_conference_stays_with_the_events_of_other_calendars() -> None:
    """The other event drives it from now on, as it is."""
    world = World()
    first = world.add("Ann's", "c1")
    second = world.create("Bob's", "c1", who=BOB, start={"dateTime": "2026-11-29T09:00:00Z"},
                          end={"dateTime": "2026-11-29T10:00:00Z"})  # fmt: skip
    world.initialize("c1", second, BOB)
    world.settle()
    assert world.told("c1").title == "Ann's"
    remove(world, "now")
    world.settle()
    assert world.told("c1").title == "Bob's"
    assert [each.calendar_key for each in world.conference("c1").referents.values()] == [world.calendar(BOB).key]
    world.delete(first)
    world.settle()
    assert world.told("c1") is not None


def moved_away() -> tuple[World, str, str]:
    """Return a world with a conference of two events, one of which moved to another calendar that was forgotten."""
    world, event_id = synced()
    copy = world.duplicate(event_id)
    world.model.add_calendar(TEAM, ANN)
    world.initialize(calendar_id=TEAM)
    world.move(event_id, TEAM)
    world.settle()
    remove_calendar(world.calendar(ANN, TEAM).key, "now", world.outside, world.rules)
    world.settle()
    return world, event_id, copy


def test_an_event_that_moved_to_a_forgotten_calendar_is_out_of_sight_and_not_lost() -> None:
    """The other event of its conference is deleted, and nothing ends: the one that moved has it where nobody looks."""
    world, _, copy = moved_away()
    world.delete(copy)
    world.advance(2 * 3600)
    states = {referent.event_id: referent.state for referent in world.conference("c1").referents.values()}
    assert states.pop(copy) == "gone"
    assert list(states.values()) == ["orphaned"]
    assert world.told("c1") is not None


CLUB = "club@group.example.com"


def moved_on() -> tuple[World, str]:
    """Return a world with an event that moved twice, and whose first new calendar was forgotten after that."""
    world, event_id = synced()
    for calendar_id in (TEAM, CLUB):
        world.model.add_calendar(calendar_id, ANN)
        world.initialize(calendar_id=calendar_id)
    world.move(event_id, TEAM)
    world.settle()
    world.move(event_id, CLUB, calendar_id=TEAM)
    world.settle()
    remove_calendar(world.calendar(ANN, TEAM).key, "now", world.outside, world.rules)
    world.settle()
    return world, event_id


def test_an_event_that_moved_on_from_a_forgotten_calendar_is_followed() -> None:
    """It ends its conference where it is deleted."""
    world, event_id = moved_on()
    assert "orphaned" not in {each.state for each in world.conference("c1").referents.values()}
    world.delete(event_id, calendar_id=CLUB)
    world.advance(600)
    assert world.told("c1") is None


def test_an_event_is_not_lost_where_it_moved_on_to_when_that_is_forgotten_too() -> None:
    """One calendar after the other, in the order in which it came through them."""
    world, _ = moved_on()
    copy = world.add("Copy", "c1")
    world.settle()
    remove_calendar(world.calendar(ANN, CLUB).key, "now", world.outside, world.rules)
    world.settle()
    world.delete(copy)
    world.advance(600)
    assert world.told("c1") is not None


@pytest.mark.parametrize("is_deleted", [False, True])
def test_what_moved_to_a_forgotten_calendar_is_found_when_that_is_added_again(is_deleted: bool) -> None:
    """It drives its conference again; deleted meanwhile, it ends it."""
    world, event_id, copy = moved_away()
    world.delete(copy)
    if is_deleted:
        world.delete(event_id, calendar_id=TEAM)
    else:
        world.edit(event_id, calendar_id=TEAM, summary="Found")
    world.advance(2 * 3600)
    world.initialize(calendar_id=TEAM)
    world.advance(DAY)
    assert world.told("c1") is None if is_deleted else world.told("c1").title == "Found"


def handed_over(*, is_missed_first: bool = False, is_forgotten: bool = True) -> tuple[World, str, str]:
    """Return a world in which one of two events moved while its calendar was shut, and left nothing there.

    Args:
        is_missed_first: whether it was missing there before its new calendar was looked at; else that is still shut.
        is_forgotten: whether its new calendar was forgotten after that.

    """
    world = World()
    world.model.options.tombstone_days = 0
    event_id = world.add("Planning", "c1", who=BOB, **times(world.now + timedelta(days=9)))
    world.model.add_calendar(TEAM, BOB, roles={ANN: "owner"})
    world.initialize(who=ANN, calendar_id=TEAM)
    world.settle()
    copy = world.duplicate(event_id, who=BOB)
    world.settle()
    team, bob = world.calendar(ANN, TEAM).key, world.calendar(BOB).key
    if is_missed_first:
        pause_calendar(team, "being moved", world.outside)
    pause_calendar(bob, "being moved", world.outside)
    world.move(event_id, TEAM, who=BOB)
    world.settle()
    world.now += timedelta(seconds=1)
    assert world.model.forget_deleted(BOB) == [event_id]
    if is_missed_first:
        open_again(world)
        resume_calendar(team, world.outside, PUSH, world.rules)
        world.settle()
    if is_forgotten:
        remove_calendar(team, "now", world.outside, world.rules)
        world.settle()
    return world, event_id, copy


def open_again(world: World) -> None:
    """Resume the calendar that was shut; all of it has to be listed."""
    world.model.expire_sync_tokens(BOB)
    resume_calendar(world.calendar(BOB).key, world.outside, PUSH, world.rules)
    world.settle()


@pytest.mark.parametrize("is_missed_first", [False, True])
def test_an_event_that_was_seen_last_in_a_forgotten_calendar_is_not_lost_where_it_is_missing(
    is_missed_first: bool,
) -> None:
    """It moved, and left no more than a deletion does; only the forgotten calendar ever told of it."""
    world, event_id, copy = handed_over(is_missed_first=is_missed_first)
    if not is_missed_first:
        open_again(world)
    world.delete(copy, who=BOB)
    world.advance(2 * 3600)
    states = {referent.event_id: referent.state for referent in world.conference("c1").referents.values()}
    assert states == {event_id: "orphaned", copy: "gone"}
    assert world.told("c1") is not None


def test_an_event_that_came_back_from_a_calendar_that_was_forgotten_is_judged_where_it_is() -> None:
    """It drives its conference, and ends it."""
    world, event_id, copy = handed_over(is_forgotten=False)
    team = world.calendar(ANN, TEAM).key
    remove_calendar(team, "later", world.outside, world.rules)
    world.move(event_id, BOB, who=BOB, calendar_id=TEAM)
    remove_calendar(team, "now", world.outside, world.rules)
    world.edit(event_id, who=BOB, summary="Back")
    world.delete(copy, who=BOB)
    open_again(world)
    assert world.told("c1").title == "Back"
    world.delete(event_id, who=BOB)
    world.advance(600)
    assert world.told("c1") is None


def left_for_a_forgotten_calendar() -> World:
    """Return a world in which an event was met in its new calendar before its tombstone was seen in the old one.

    The new calendar was forgotten, and then the event was deleted there.
    """
    world = World()
    later = times(world.now + timedelta(days=9))
    event_id = world.add("Planning", "c1", who=BOB, attendees=[{"email": BOB}], **later)
    world.initialize(who=ANN)
    world.settle()
    world.model.share(ANN, {BOB: "writer"})
    world.lose_pushes = True
    world.move(event_id, ANN, who=BOB)
    for who in (ANN, BOB):
        world.push(who)
        world.settle()
    remove_calendar(world.calendar(ANN).key, "now", world.outside, world.rules)
    world.delete(event_id, who=ANN)
    world.settle()
    (orphan,) = world.conference("c1").referents.values()
    assert (orphan.state, orphan.moved_to) == ("orphaned", None)
    return world


def test_an_event_that_was_lost_in_a_forgotten_calendar_is_found_by_what_is_left_of_it() -> None:
    """Once that calendar is synced again."""
    world = left_for_a_forgotten_calendar()
    world.initialize(who=ANN)
    world.advance(2 * 24 * 3600)
    assert world.told("c1") is None


def test_an_event_of_which_what_is_left_names_its_own_calendar_is_looked_for_in_all_of_the_same_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That says nothing of where it went."""
    world = left_for_a_forgotten_calendar()
    world.model.add_calendar(TEAM, BOB)
    world.initialize(who=BOB, calendar_id=TEAM)
    world.settle()
    get_event, asked = world.calendar_api.get_event, set[str]()

    def get(at: Address, event_id: str) -> Event | None:
        asked.add(at.calendar_id)
        found = get_event(at, event_id)
        return found.model_copy(update={"organizer": Person(email=BOB, is_self=True)}) if found else None

    monkeypatch.setattr(world.calendar_api, "get_event", get)
    world.advance(2 * 24 * 3600)
    assert asked == {BOB, TEAM}


def test_what_is_left_of_an_event_is_not_read_in_a_calendar_that_is_paused() -> None:
    """What is paused reads nothing."""
    world = left_for_a_forgotten_calendar()
    pause_calendar(world.calendar(BOB).key, "for a while", world.outside)
    world.calendar_calls.clear()
    world.advance(2 * 24 * 3600)
    assert world.calendar_calls == []
    assert world.told("c1") is not None


def test_a_conference_that_was_ending_is_forgotten_without_a_word() -> None:
    """The grace period had begun."""
    world, event_id = synced()
    calls = len(world.provider.calls)
    world.delete(event_id)
    world.advance(10)
    assert world.conference("c1").end_after is not None
    remove(world, "now")
    world.settle()
    assert (is_known(world, "c1"), len(world.provider.calls)) == (False, calls)


@pytest.mark.parametrize("forget", ["now", "later"])
def test_a_conference_that_was_ending_is_kept_when_its_event_can_be_looked_at_no_more(forget: Forget) -> None:
    """It may have been restored in the grace period; that a stranger claims the conference proves nothing."""
    world, event_id = synced()
    world.create("Stranger's", "c1", who=BOB)
    world.initialize(who=BOB)
    world.settle()
    world.delete(event_id)
    world.advance(10)
    assert world.conference("c1").end_after is not None
    remove(world, forget)
    world.restore(event_id)
    world.settle()
    assert world.told("c1") is not None


def test_a_conference_is_not_forgotten_while_a_call_may_be_under_way() -> None:
    """A late landing must not meet a new record of the same conference; the scheduled run goes on."""
    world, _ = synced()
    deadline = world.now + timedelta(seconds=60)
    intent = Intent(generation=9, verb="update", deadline=deadline)
    under_way = world.conference("c1").model_copy(update={"intent": intent})
    world.store.transact(lambda tx: tx.put(under_way))
    done = remove(world, "now")
    assert done.forgotten is not None
    assert (done.forgotten.links, done.forgotten.again_at) == (0, deadline)
    assert is_known(world, "c1")
    world.advance(240)
    assert (is_known(world, "c1"), links(world), world.calendar().due_at) == (False, [], None)


def test_a_conference_is_not_forgotten_while_another_is_made_for_its_event() -> None:
    """The answer finds the record that it belongs to, so that the new one is known, and forgotten in its own time."""
    world = World(capabilities=Capabilities(ALL_FIELDS, ordered_writes=True, creates=True))
    event_id = world.add("Planning", "c1")
    world.settle()
    world.delete(event_id)
    world.settle()
    answering = world.provider.create

    def create(call: CreateCall) -> CreatedConference:
        remove(world, "now")
        return answering(call)

    world.provider.create = create  # type: ignore[method-assign]  # a back end that takes its time
    world.edit(event_id, status="confirmed")
    world.advance(5)
    assert (is_known(world, "c1"), is_known(world, "c1-n1")) == (True, True)
    world.advance(2 * DAY)
    assert (is_known(world, "c1"), is_known(world, "c1-n1"), world.calendar().due_at) == (False, False, None)


def lost_with_bobs() -> tuple[World, list[str]]:
    """Return a world where another conference is to be made for events of two calendars, and who holds the new one."""
    world = World(capabilities=Capabilities(ALL_FIELDS, ordered_writes=True, creates=True))
    event_id = world.add("Planning", "c1")
    world.settle()
    bobs_too(world)

    def lost(call: ConferenceCall) -> None:
        if call.conference_id == "c1":
            raise ConferenceGone("no such conference")

    world.provider.before = lost
    world.edit(event_id, summary="Retro")
    return world, [world.calendar(BOB).key]


def test_what_is_made_for_events_of_two_calendars_knows_nothing_of_one_that_is_forgotten_meanwhile() -> None:
    """No link leads from that calendar to it."""
    world, bobs = lost_with_bobs()

    def forget(_: CreateCall) -> None:
        world.provider.after_create = lambda _: None
        remove(world, "now")

    world.provider.after_create = forget
    world.advance(3600)
    assert [sorted(calendars_of(world.conference(each))) for each in ("c1", "c1-n1")] == [bobs, bobs]


@pytest.mark.parametrize("nth", range(1, 5))
def test_nor_does_it_once_it_is_written_into_their_events(nth: int) -> None:
    """The calendar is removed at any look at one of the events, the last of which comes before the last write."""
    world, bobs = lost_with_bobs()
    looks = nth

    def forget(called: str) -> None:
        nonlocal looks
        looks -= called == "events.get" and is_known(world, "c1-n1")
        if not looks:
            world.before_calendar = lambda _: None
            remove(world, "now")

    world.before_calendar = forget
    world.advance(3600)
    assert world.calendar().state == "removed"
    assert [sorted(calendars_of(world.conference(each))) for each in ("c1", "c1-n1")] == [bobs, bobs]


@pytest.mark.parametrize("tells_host", [False, True])
def test_what_was_made_for_an_event_that_is_forgotten_ends_like_a_draft(tells_host: bool) -> None:
    """Its creation was not answered, and the answer to the next attempt finds nobody who needs it, whoever hosts it."""
    able = Capabilities(ALL_FIELDS, ordered_writes=True, creates=True, tells_host=tells_host)
    world = World(capabilities=able, rules=Rules(duplicates="mint", draft_s=600))
    world.model.add_calendar(TEAM, ANN)
    event_id = world.add("Planning", "c1", calendar_id=TEAM)
    world.settle()
    answers = iter([OutcomeUnknown("lost")])

    def fail_once(_: CreateCall) -> None:
        for error in answers:
            raise error

    world.provider.after_create = fail_once
    world.initialize()
    world.duplicate(event_id, calendar_id=TEAM)
    world.advance(5)
    world.move(event_id, ANN, calendar_id=TEAM)
    world.advance(5)
    assert (len(world.provider.created), is_known(world, "c1-n1")) == (1, False)
    remove_calendar(world.calendar(ANN, TEAM).key, "now", world.outside, world.rules)
    world.advance(DAY)
    assert (is_known(world, "c1-n1"), world.told("c1-n1"), world.told("c1") is None) == (True, None, False)


def test_a_draft_of_a_removed_calendar_is_forgotten_too() -> None:
    """No link leads to it: its event never came. Nothing is ended for that."""
    world, _ = synced()
    world.initialize("c2", "never")
    world.settle()
    calls = len(world.provider.calls)
    remove(world, "now")
    assert not is_known(world, "c2")
    world.advance(3 * DAY)
    assert (is_known(world, "c2"), len(world.provider.calls)) == (False, calls)


def test_a_draft_whose_end_was_decided_is_forgotten_too() -> None:
    """Its event can be read no more, so it would wait for ever."""
    world, _ = synced()
    world.initialize("c2", "never")
    world.advance(DAY + 100)
    assert world.conference("c2").end_after is not None
    calls = len(world.provider.calls)
    remove(world, "now")
    assert not is_known(world, "c2")
    world.advance(3 * 3600)
    assert len(world.provider.calls) == calls


def test_a_calendar_that_is_removed_once_more_while_it_is_forgotten_is_remembered_anew() -> None:
    """It was added again in between, and begins another month."""
    world = World(rules=Rules(chunk_size=2))
    for number in range(5):
        world.add("Planning", f"c{number}")
    world.settle()
    pages = 0

    def added_and_removed(call: str) -> None:
        nonlocal pages
        pages += call == "conferences_of"
        if pages == 2:
            world.store.on_call = None  # type: ignore[attr-defined]
            world.initialize()
            remove(world)

    world.store.on_call = added_and_removed  # type: ignore[attr-defined]
    remove(world, "now")
    world.settle()
    assert len(links(world)) >= 3
    assert world.calendar().due_at is not None


def test_a_conference_to_which_no_link_leads_is_forgotten() -> None:
    """An event that was met where it had moved to has none."""
    world, event_id = synced()
    link = world.link(event_id)
    assert link is not None
    world.store.transact(lambda tx: tx.delete(Link, link.key))
    remove(world, "now")
    assert not is_known(world, "c1")


def bobs_too(world: World) -> str:
    """Return the event of another calendar that owns the conference from now on, too."""
    event_id = world.create("Bob's", "c1", who=BOB, recurrence=["RRULE:FREQ=DAILY"])
    world.initialize("c1", event_id, BOB)
    world.settle()
    return event_id


def test_a_conference_that_another_event_holds_forgets_the_one_that_has_another_conference_now() -> None:
    """No link leads to it, and no look at it ever comes, while that event lives."""
    world, event_id = synced()
    bobs_too(world)
    world.edit(event_id, conferenceData=addon_conference("c2"))
    world.initialize("c2", event_id)
    world.settle()
    assert calendars_of(world.conference("c1")) == {world.calendar().key, world.calendar(BOB).key}
    remove(world, "now")
    assert (is_known(world, "c2"), calendars_of(world.conference("c1"))) == (False, {world.calendar(BOB).key})


def test_a_conference_that_another_event_holds_forgets_the_one_that_never_came() -> None:
    """The add-on named it in a calendar that was removed since."""
    world = World()
    world.initialize("c1", "never")
    bobs_too(world)
    remove(world, "now")
    assert calendars_of(world.conference("c1")) == {world.calendar(BOB).key}


def test_an_end_that_was_decided_is_not_put_off_for_ever_in_a_calendar_that_is_added_again() -> None:
    """Its event got another conference, moved away later, and would be looked for where nobody is to look."""
    world, event_id = synced()
    world.edit(event_id, conferenceData=addon_conference("c2"))
    world.initialize("c2", event_id)
    world.advance(10)
    assert world.conference("c1").end_after is not None
    remove(world, "now")
    world.model.add_calendar(TEAM, ANN)
    world.initialize()
    world.move(event_id, TEAM)
    world.advance(2 * DAY)
    assert not is_known(world, "c1")


def test_the_links_wait_for_a_conference_that_has_to_wait() -> None:
    """Added again meanwhile, the calendar shows whether its event is still there."""
    world, event_id = synced()
    world.add("Other", "c2")
    intent = Intent(generation=9, verb="update", deadline=world.now + timedelta(seconds=60))
    under_way = world.conference("c1").model_copy(update={"intent": intent})
    world.store.transact(lambda tx: tx.put(under_way))
    remove(world, "now")
    assert (is_known(world, "c1"), is_known(world, "c2"), len(links(world))) == (True, False, 2)
    world.delete(event_id)
    world.initialize()
    world.advance(DAY)
    assert world.told("c1") is None


def test_what_is_made_for_a_conference_while_its_calendar_is_forgotten_is_forgotten_too() -> None:
    """Its key may lie before all that was read so far."""
    world, _ = synced()
    for number in range(2, 6):
        world.initialize(f"c{number}", "never")
    world.settle()
    first, *_ = world.store.conferences_of(world.calendar().key, after="", limit=9)
    world.store.transact(lambda tx: tx.delete(Conference, first.key))
    pages = 0

    def made(call: str) -> None:
        nonlocal pages
        pages += call == "conferences_of"
        if pages == 2:
            world.store.on_call = None  # type: ignore[attr-defined]
            world.store.transact(lambda tx: tx.put(first))

    world.store.on_call = made  # type: ignore[attr-defined]
    remove(world, "now")
    assert world.store.all_of(Conference, after="", limit=9) == []


def test_a_conference_that_a_claim_keeps_forgets_the_event_of_a_removed_calendar_in_its_time() -> None:
    """No link leads there, since the event has another conference now; the look of that month came too early."""
    world, event_id = synced()
    world.initialize(who=BOB)
    world.create("Forged", "c1", who=BOB, recurrence=["RRULE:FREQ=DAILY"])
    world.edit(event_id, conferenceData=addon_conference("c2"))
    world.initialize("c2", event_id)
    world.advance(3600)
    remove(world)
    world.advance(31 * DAY - 1800)
    assert world.calendar().key in calendars_of(world.conference("c1"))
    world.advance(7200)
    assert calendars_of(world.conference("c1")) == {world.calendar(BOB).key}


@pytest.mark.parametrize("act", [pause, remove])
def test_a_calendar_that_is_left_alone_is_not_asked_to_read(act: Callable[[World], object]) -> None:
    """What a paused one is to read waits for it; a removed one reads nothing any more."""
    world, _ = synced()
    act(world)
    before = world.calendar()
    ask_to_observe([EventRef(before.key, "e1")], world.outside)
    after = world.calendar()
    assert (after.due_at, after.to_observe) == (before.due_at, ("e1",) if after.state == "paused" else ())


@pytest.mark.parametrize("act", [pause, lambda world, who: remove(world, "later", who)])
def test_nobody_reads_in_a_calendar_that_is_left_alone(act: Callable[[World, str], object]) -> None:
    """Not even for a conference that it shares with another calendar, whose event is deleted."""
    world, first = synced()
    second = world.create("Bob's", "c1", who=BOB, recurrence=["RRULE:FREQ=DAILY"])
    world.initialize("c1", second, BOB)
    world.settle()
    act(world, BOB)
    asked, get_event = set[str](), world.calendar_api.get_event

    def noted(at: Address, event_id: str) -> Event | None:
        asked.add(at.subject)
        return get_event(at, event_id)

    world.calendar_api.get_event = noted  # type: ignore[method-assign]
    world.delete(first)
    world.advance(2 * 3600)
    assert asked == {ANN}
    assert world.told("c1") is not None


def test_no_event_is_written_to_while_its_calendar_is_paused() -> None:
    """A conference of its own, made for a duplicate, waits for the calendar to be resumed."""
    world = World(
        rules=Rules(duplicates="mint"),
        capabilities=Capabilities(ALL_FIELDS, ordered_writes=True, restores=True, creates=True),
    )
    event_id = world.add("Planning", "c1")
    world.settle()
    create = world.provider.create

    def pausing(call: CreateCall) -> CreatedConference:
        pause(world)
        world.calendar_calls.clear()
        return create(call)

    world.provider.create = pausing  # type: ignore[method-assign]
    copy = world.duplicate(event_id)
    world.advance(2 * 3600)
    assert world.calendar().state == "paused"
    assert world.calendar_calls == []
    world.provider.create = create  # type: ignore[method-assign]
    resume(world)
    world.advance(2 * 3600)
    link = world.link(copy)
    assert link is not None
    assert link.conference_key != world.conference("c1").key


# Sync anew


def test_a_resync_lists_everything_anew() -> None:
    """It drops the token, and the sweep finds what went unnoticed."""
    world, event_id = synced()
    listings = world.calendar().full_listings
    assert resync(world).status == "to be synced anew"
    assert (world.calendar().sync_token, world.calendar().checkpoint) == (None, None)
    world.advance(10)
    assert world.calendar().full_listings == listings + 1
    assert world.calendar().sync_token is not None
    world.delete(event_id)
    world.settle()
    assert world.told("c1") is None


def test_a_resync_supersedes_a_sync_under_way() -> None:
    """Its token would be one that nobody trusts."""
    world, _ = synced()
    listings = world.calendar().full_listings

    def acting(operation: str) -> None:
        if operation == "events.list":
            world.before_calendar = lambda _: None
            resync(world)

    world.before_calendar = acting
    assert sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms).status == "superseded"
    world.settle()
    assert world.calendar().full_listings == listings + 1


# What is in no state for it


@pytest.mark.parametrize(
    ("before", "act", "status", "is_refused"),
    [
        (None, resume, "not paused", False),
        (pause, pause, "already paused", False),
        (pause, resync, "is paused", True),
        (remove, pause, "is removed", True),
        (remove, resume, "is removed", True),
        (remove, resync, "is removed", True),
        (pause, remove, "removed", False),
    ],
)
def test_what_was_done_already_or_cannot_be_done_is_said(
    before: Callable[[World], Administered] | None,
    act: Callable[[World], Administered],
    status: str,
    is_refused: bool,
) -> None:
    """Nothing is changed then, but for a paused calendar that is removed."""
    world, _ = synced()
    if before is not None:
        before(world)
    stored = world.calendar()
    done = act(world)
    assert (done.status, done.is_refused) == (status, is_refused)
    assert (world.calendar() == stored) is (status != "removed")


@pytest.mark.parametrize(
    "act",
    [
        lambda world: pause_calendar("0" * 32, "", world.outside),
        lambda world: resume_calendar("0" * 32, world.outside, PUSH, world.rules),
        lambda world: remove_calendar("0" * 32, "now", world.outside, world.rules),
        lambda world: resync_calendar("0" * 32, world.outside),
    ],
)
def test_an_unknown_calendar_is_an_error(act: Callable[[World], Administered]) -> None:
    """It says where the known ones are shown."""
    with pytest.raises(UnknownCalendar, match="confsync calendars list"):
        act(World())
