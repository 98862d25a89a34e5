"""Closings and crash windows: what is left over where a matter ends, or a worker dies, between two writes."""

from datetime import datetime, timedelta

import pytest

from confsync.adapters.memory import MemoryStore
from confsync.administer_calendar import remove_calendar
from confsync.core import replacing, reviewing
from confsync.core.calendar_states import Forget
from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference, Replacement
from confsync.core.rules import Rules
from confsync.errors import ProviderBusy, ProviderRejected
from confsync.local.calendar_server.people import addon_conference
from confsync.ports import CreateCall
from confsync.sync_calendar import SyncRequest, sync_calendar
from tests.world import ALL_FIELDS, ANN, BOB, START, Crash, World, times

TEAM = "team@group.example.com"
MAKES = Capabilities(ALL_FIELDS, ordered_writes=True, creates=True)


def names(world: World, event_id: str) -> str | None:
    """Return the conference id that an event holds now."""
    data: dict[str, str] = world.model.get(ANN, "primary", event_id).get("conferenceData", {})
    return data.get("conferenceId")


def until_settled(world: World, seconds: float = 700) -> None:
    """Go on where the process died."""
    for _ in range(3):
        try:
            world.advance(seconds)
        except Crash:
            continue


@pytest.mark.parametrize("gone", [3, 10])
def test_an_orphan_is_not_forgotten_because_many_later_events_are_gone(gone: int) -> None:
    """It still holds the conference where nobody can see it."""
    world = World()
    world.model.add_calendar(TEAM, ANN)
    last = world.add("Last", "c1", **times(START + timedelta(days=9)))
    moved = world.duplicate(last)
    world.edit(moved, **times(START + timedelta(days=5)))
    copies = [world.duplicate(moved) for _ in range(gone)]
    for copy in copies:
        world.edit(copy, **times(START + timedelta(days=8)))
    world.settle()
    for copy in copies:
        world.delete(copy)
    world.settle()
    world.move(moved, TEAM)
    world.settle()
    world.delete(last)
    world.advance(3600)
    assert world.told("c1") is not None


def test_a_conference_that_nobody_vouched_for_is_kept_while_one_occurrence_shows_it() -> None:
    """Of which there is no word, there is no last word."""
    world = World(rules=Rules(frozen_retry_s=300, claims="matching"))
    world.initialize()
    series = world.create("Weekly", "c1", **times(START + timedelta(days=2)), recurrence=["RRULE:FREQ=WEEKLY"])
    world.settle()
    world.model.options.tombstone_days = 0
    world.lose_pushes = True
    world.model.change_owner(ANN, ANN, series, BOB)
    world.model.forget_deleted(ANN)
    second = world.instances(series, BOB)[1]
    world.edit(second, BOB, attendees=[{"email": ANN}, {"email": BOB}])
    world.advance(86400)
    assert all(call.state is not None for call in world.provider.calls)
    kept = world.conference("c1")
    assert (kept.end_after, kept.desired and kept.desired.ended) == (None, False)


def test_an_event_that_joined_a_reservation_as_that_was_dropped_gets_a_successor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another event than the one that the worker knew of."""
    world = World(capabilities=MAKES, rules=Rules(inline_updates=0))
    first = world.add("Planning", "c1")
    second = world.duplicate(first)
    world.settle()
    for event_id in (first, second):
        world.delete(event_id)
    world.settle()
    assert world.told("c1") is None

    def busy(_: CreateCall) -> None:
        raise ProviderBusy("later", 3600)

    world.provider.before_create = busy
    world.restore(first)
    world.settle()
    world.delete(first)
    world.settle()
    world.provider.before_create = lambda _: None
    cancelled, restored = replacing.cancelled, list[str]()

    def cancelled_too_late(conference: Conference, replacement: Replacement) -> Conference:
        if not restored:
            restored.append(second)
            world.restore(second)
            sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
        return cancelled(conference, replacement)

    monkeypatch.setattr(replacing, "cancelled", cancelled_too_late)
    world.advance(4 * 3600)
    assert restored
    assert names(world, second) == "c1-n1"


# --- a worker that dies between two writes ----------------------------------------------------------------------------


@pytest.mark.parametrize("dies", [False, True])
def test_a_claim_that_holds_the_conference_once_a_search_lost_the_orphan_is_read_though_the_worker_dies(
    monkeypatch: pytest.MonkeyPatch, *, dies: bool
) -> None:
    """Another calendar shows that what moved there was deleted; from then on it is the claim that drives."""
    store = MemoryStore()
    world = World(rules=Rules(claims="matching"), store=store)
    world.model.add_calendar(TEAM, ANN)
    world.initialize()
    world.initialize(who=BOB)
    event_id = world.create("Planning", "c1", **times(START + timedelta(days=9)), attendees=[{"email": ANN}])
    world.settle()
    world.create("Second", "c1", who=BOB, **times(START + timedelta(days=10)))
    world.settle()
    world.move(event_id, TEAM)
    world.settle()
    world.delete(event_id, calendar_id=TEAM)
    world.lose_pushes = True
    world.initialize(calendar_id=TEAM)
    world.settle()
    lost, lost_there = list[str](), reviewing.lost_there

    def note(conference: Conference, home: reviewing.NewHome, now: datetime) -> Conference:
        if not lost and dies:
            store.after_call = die_once
        lost.append(home.link_key)
        return lost_there(conference, home, now)

    def die_once(called: str) -> None:
        if called == "transact":
            store.after_call = None
            raise Crash

    monkeypatch.setattr(reviewing, "lost_there", note)
    until_settled(world, 30 * 3600)
    assert lost
    assert world.told("c1").title == "Second"


@pytest.mark.parametrize("dies", [False, True])
def test_a_claim_that_the_add_ons_word_covers_is_read_though_the_worker_dies(*, dies: bool) -> None:
    """What was stored is healed in any case: the event that is vouched for may never come."""
    store = MemoryStore()
    world = World(store=store)
    world.initialize()
    world.create("Planning", "c1", **times(START + timedelta(days=9)))
    world.settle()
    assert world.provider.calls == []

    def die(called: str) -> None:
        if called == "transact":
            store.after_call = None
            raise Crash

    if dies:
        store.after_call = die
        with pytest.raises(Crash):
            world.initialize("c1", "draft1")
    else:
        world.initialize("c1", "draft1")
    world.advance(2 * 86400)
    assert world.told("c1").title == "Planning"


def test_what_the_back_end_refused_to_make_is_recorded_for_an_operator_though_the_worker_dies() -> None:
    """Nobody will ask for it again, so nobody else would ever say so."""
    store = MemoryStore()
    world = World(capabilities=MAKES, store=store)
    event_id = world.add("Planning", "c1")
    world.settle()
    world.delete(event_id)
    world.settle()

    def refuse(_: CreateCall) -> None:
        store.after_call = die
        raise ProviderRejected("no")

    def die(called: str) -> None:
        if called == "transact":
            store.after_call = None
            raise Crash

    world.provider.before_create = refuse
    world.restore(event_id)
    until_settled(world)
    assert len(world.failures()) == 1


@pytest.mark.parametrize("forgotten", ["now", "later"])
def test_a_conference_that_lives_where_nobody_reads_any_more_does_not_end(forgotten: Forget) -> None:
    """An event lost it, and the calendar of the other one is removed: what is removed ends nothing."""
    world = World()
    world.initialize(who=BOB)
    first = world.add("Planning", "c1", **times(START + timedelta(days=50)))
    second = world.create("Planning", "c1", who=BOB, **times(START + timedelta(days=51)))
    world.initialize("c1", second, who=BOB)
    world.settle()
    world.delete(first)
    world.settle()
    world.advance(2 * 86400)
    remove_calendar(world.calendar(BOB).key, forgotten, world.outside, world.rules)
    world.advance(40 * 86400)
    assert world.told("c1") is not None


@pytest.mark.parametrize("forgotten", ["now", "later"])
def test_an_end_is_not_carried_out_when_the_calendar_that_proved_it_is_forgotten(forgotten: Forget) -> None:
    """The event may have got the conference back there; that it had left another one long before proves nothing."""
    world = World()
    world.initialize(who=BOB)
    world.model.share(BOB, {ANN: "writer"})
    event_id = world.add("Planning", "c1", **times(START + timedelta(days=60)))
    world.settle()
    world.model.change_owner(ANN, ANN, event_id, BOB)
    world.settle()
    world.edit(event_id, who=BOB, conferenceData=None)
    world.advance(10)
    assert world.conference("c1").end_after is not None
    remove_calendar(world.calendar(BOB).key, forgotten, world.outside, world.rules)
    world.edit(event_id, who=BOB, conferenceData=addon_conference("c1"))
    world.advance(40 * 86400)
    assert world.told("c1") is not None
