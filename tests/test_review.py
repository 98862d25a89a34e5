"""Rules of the protocol under interleavings and answers that the other tests leave out; nearly all failed once."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from confsync.core import channels
from confsync.core.events import Event, parse_event
from confsync.core.records import Calendar, Channel
from confsync.core.rules import Rules
from confsync.errors import (
    CalendarAccessLost,
    CalendarQuotaExceeded,
    CalendarRateLimited,
    CalendarRequestRejected,
    ConferenceStale,
    ProviderBusy,
    PushNotSupported,
    TaskQueueUnavailable,
)
from confsync.initialize_syncing import InitializeRequest, initialize_syncing
from confsync.local.calendar_server.people import addon_conference
from confsync.ports import Address
from confsync.reading import address_of
from confsync.sync_calendar import SyncRequest, sync_calendar
from confsync.update_conference import update_conference
from tests.world import ANN, BOB, PUSH, START, Crash, World, times

TEAM = "team@group.example.com"


def team_world() -> tuple[World, str, str]:
    """Return a world where Bob syncs a team calendar that he may lose, its key, and its event with conference c1."""
    world = World()
    world.model.add_calendar(TEAM, ANN, roles={BOB: "owner"})
    body = {"summary": "Team", **times(START + timedelta(days=1)), "conferenceData": addon_conference("c1")}
    event = world.model.insert(BOB, TEAM, body, {"conferenceDataVersion": "1"})
    request = InitializeRequest(calendar_id=TEAM, subject=BOB, conference_id="c1", event_id=event["id"], provider=None)
    key = initialize_syncing(request, world.outside, world.terms, PUSH).calendar_key
    world.settle()
    return world, key, str(event["id"])


def two_owners() -> tuple[World, str, str]:
    """Return a world where c1 stands in an event of Ann's tomorrow, which drives it, and in a later one of Bob's."""
    world = World()
    anns = world.add("Ann's", "c1")
    bobs = world.create("Old", "c1", who=BOB, **times(START + timedelta(days=2)))
    world.initialize("c1", bobs, BOB)
    world.settle()
    return world, anns, bobs


def after_get(world: World, awaited: str, then: Callable[[], None]) -> None:
    """Do something once, between Calendar's answer about an event and what is made of it."""
    original, pending = world.calendar_api.get_event, [then]

    def get_event(at: Address, event_id: str) -> Event | None:
        answer = original(at, event_id)
        if event_id == awaited and pending:
            pending.pop()()
        return answer

    world.calendar_api.get_event = get_event  # type: ignore[method-assign]


def after_list(world: World, then: Callable[[], None], number: int = 1) -> None:
    """Do something once, between a page of Calendar's and what is made of it."""
    original, pages = world.calendar_api.list_events, itertools.count(1)

    def list_events(at: Any, **asked: Any) -> Any:
        page = original(at, **asked)
        if next(pages) == number:
            then()
        return page

    world.calendar_api.list_events = list_events  # type: ignore[method-assign]


def hide(world: World, event_id: str) -> None:
    """Leave an event out of listings, as Calendar does with tombstones after a while."""
    original = world.calendar_api.list_events

    def list_events(at: Any, **asked: Any) -> Any:
        page = original(at, **asked)
        return page.model_copy(update={"items": [item for item in page.items if item["id"] != event_id]})

    world.calendar_api.list_events = list_events  # type: ignore[method-assign]


def run_due(world: World) -> None:
    """Run the tasks that are due now, as other workers do meanwhile."""
    for task in world.queue.pop_due(world.now):
        world.run(task)


# Ends


def test_a_404_from_a_calendar_without_access_ends_nothing() -> None:
    """The event was restored, but access was lost before anybody saw it: the last look proves nothing."""
    world, _, event_id = team_world()
    world.model.delete(ANN, TEAM, event_id)
    world.advance(5)
    world.model.patch(ANN, TEAM, event_id, {"status": "confirmed"})
    world.model.share(TEAM, {BOB: "none"})
    world.settle()
    assert world.told("c1") is not None


def test_access_that_is_lost_between_a_listing_and_a_reading_orphans_nothing() -> None:
    """The 404 of a reading says that nobody may look, not that the event moved away."""
    world, key, event_id = team_world()

    def lose_access(operation: str) -> None:
        if operation == "events.get":
            world.model.share(TEAM, {BOB: "none"})

    world.model.patch(ANN, TEAM, event_id, {"conferenceData": None}, {"conferenceDataVersion": "1"})
    world.before_calendar = lose_access
    world.advance(0)
    assert (frozen := world.store.get(Calendar, key)) is not None
    assert frozen.state == "frozen"
    world.before_calendar = lambda _: None
    world.model.share(TEAM, {BOB: "owner"})
    world.advance(2 * 3600)
    assert world.told("c1") is None


def test_a_sweep_that_goes_on_without_access_ends_nothing() -> None:
    """The listing as writer was long ago: a 404 now may mean that the calendar is out of reach."""
    world, _, event_id = team_world()
    world.lose_pushes = True
    world.model.move(ANN, TEAM, event_id, {"destination": ANN})
    world.model.expire_sync_tokens()
    hide(world, event_id)

    def refuse(operation: str) -> None:
        if operation == "events.get":
            raise CalendarRateLimited("slow down", "rateLimitExceeded", 300)

    world.before_calendar = refuse
    world.push(TEAM)
    world.advance(10)
    world.model.share(TEAM, {BOB: "none"})
    world.before_calendar = lambda _: None
    world.advance(1200)
    assert world.told("c1") is not None


def test_an_owner_that_cannot_be_read_is_asked_ever_more_slowly() -> None:
    """An end that waits for it must not cost a reading and a sync every minute for ever."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    world.delete(event_id)
    world.advance(5)
    readings = 0

    def refuse(operation: str) -> None:
        nonlocal readings
        if operation == "events.get":
            readings += 1
            raise CalendarRequestRejected("403", "forbidden")

    world.before_calendar = refuse
    world.advance(6 * 3600)
    assert readings < 60
    assert world.told("c1") is not None


# Observations


def test_a_reading_of_another_calendar_never_undoes_what_that_calendar_showed_since() -> None:
    """Ann's sync reads Bob's event, Bob's sync records a newer one, Ann's sync stores: the newer one stands."""
    world, anns, bobs = two_owners()
    bob_key = world.calendar(BOB).key

    def meanwhile() -> None:
        world.edit(bobs, who=BOB, summary="New")
        sync_calendar(SyncRequest(bob_key), world.outside, world.terms)

    after_get(world, bobs, meanwhile)
    world.delete(anns)
    world.settle()
    assert world.told("c1").title == "New"


def test_a_lagging_reading_does_not_undo_the_listing() -> None:
    """`events.get` may lag behind the list whose item it is to confirm: a deletion would be lost."""
    world = World()
    deleted = world.add("Planning", "c1")
    world.settle()
    original, stale = world.calendar_api.get_event, [True]
    before = original(address_of(world.calendar()), deleted)

    def get_event(at: Address, event_id: str) -> Event | None:
        return before if event_id == deleted and stale and stale.pop() else original(at, event_id)

    world.calendar_api.get_event = get_event  # type: ignore[method-assign]
    world.advance(1)
    world.delete(deleted)
    world.settle()
    assert world.told("c1") is None


def test_a_quota_of_one_user_does_not_hold_up_the_calendar_of_another() -> None:
    """Ann's sync has to read an event of Bob's, who may not be asked for an hour; her other events go on."""
    world, anns, _ = two_owners()
    other = world.add("Other", "c2")
    world.settle()
    original = world.calendar_api.get_event

    def get_event(at: Address, event_id: str) -> Event | None:
        if at.subject == BOB:
            raise CalendarQuotaExceeded("read-only for hours", "quotaExceeded")
        return original(at, event_id)

    world.calendar_api.get_event = get_event  # type: ignore[method-assign]
    world.delete(anns)
    world.edit(other, summary="Changed")
    world.settle()
    assert world.told("c2").title == "Changed"


def test_a_registration_whose_event_cannot_be_read_becomes_a_failure() -> None:
    """Rule R18: it must not vanish without a trace."""
    world = World()
    event_id = world.create("Planning", "c1")
    world.initialize()

    def refuse(operation: str) -> None:
        if operation == "events.get":
            raise CalendarRequestRejected("403", "forbidden")

    world.before_calendar = refuse
    world.initialize("c1", event_id)
    assert [failure.event_id for failure in world.failures()] == [event_id]


def test_a_registration_during_a_sync_is_not_forgotten_by_its_commit() -> None:
    """Its event stood on an earlier page, and the add-on's own sync never began: the running one has to observe it."""
    world = World(page_size=1)
    world.initialize()
    world.settle()
    event_id = world.create("Planning", "c1")
    world.create("Other")

    def die() -> str:
        raise Crash

    def register() -> None:
        request = InitializeRequest(
            calendar_id="primary", subject=ANN, conference_id="c1", event_id=event_id, provider=None
        )
        with pytest.raises(Crash):
            initialize_syncing(request, replace(world.outside, new_id=die), world.terms, PUSH)

    world.queue.pop_due(world.now + timedelta(days=1))  # tasks may be lost
    after_list(world, register, number=2)
    sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
    world.settle()
    assert world.told("c1").title == "Planning"


def test_what_is_over_is_forgotten_by_its_conference() -> None:
    """A conference is one document: events that came and went must not make it grow for ever."""
    world = World()
    world.add("Planning", "c1")
    for _ in range(40):
        copy = world.create("Copy", "c1")
        world.advance(60)
        world.delete(copy)
        world.advance(60)
    assert len(world.conference("c1").referents) < 20


def test_a_rule_that_cannot_be_expanded_never_blocks_its_calendar() -> None:
    """Rule R18: dateutil fails on some rules with other errors than ValueError; such a series counts as endless."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    odd = {
        "id": "oddrule01",
        "status": "confirmed",
        "organizer": {"email": ANN, "self": True},
        "conferenceData": addon_conference("c2"),
        "recurrence": ["RRULE:FREQ=MONTHLY;BYDAY=+99MO;COUNT=2"],
        **times(START + timedelta(days=1)),
    }
    item = parse_event(odd)
    original = world.calendar_api.get_event

    def get_event(at: Address, event_id: str) -> Event | None:
        return item if event_id == item.id else original(at, event_id)

    world.calendar_api.get_event = get_event  # type: ignore[method-assign]
    world.initialize("c2", item.id)
    world.edit(event_id, summary="Changed")
    world.settle()
    assert world.told("c1").title == "Changed"
    assert world.told("c2").recurrence == item.recurrence


# Token and lease


def test_a_notification_during_a_thaw_is_covered() -> None:
    """Rule R3 holds for a calendar that is frozen but being listed: what it shows may have changed since its page."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()

    def lose_access(_: str) -> None:
        raise CalendarAccessLost("gone", reason="notFound")

    world.before_calendar = lose_access
    world.push(ANN)
    world.advance(10)
    assert world.calendar().state == "frozen"
    world.before_calendar = lambda _: None

    def meanwhile() -> None:
        world.edit(event_id, summary="Changed")
        run_due(world)

    after_list(world, meanwhile)
    world.advance(3900)
    assert world.calendar().state == "active"
    assert world.told("c1").title == "Changed"


def test_a_lease_never_runs_out_under_a_working_holder() -> None:
    """Rule R4: it is extended every `extend_every_s` of work, also between the readings of one transaction."""
    world = World(rules=Rules(lease_s=60, chunk_size=100))
    ids = [world.add(f"Event {n}", f"c{n}") for n in range(90)]
    world.settle()
    world.lose_pushes = True
    for event_id in ids:
        world.delete(event_id)
    world.model.expire_sync_tokens()
    expired = 0

    def slow(operation: str) -> None:
        nonlocal expired
        world.now += timedelta(seconds=1 if operation == "events.get" else 0)
        lease = world.calendar().lease
        expired += operation == "events.get" and (lease is None or lease.expires_at <= world.now)

    world.before_calendar = slow
    sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
    assert expired == 0


def test_the_lease_of_a_sync_counts_from_its_claim() -> None:
    """Stopping a channel that nobody remembers took half a minute before the first reading."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    calendar = world.calendar()
    world.lose_pushes = True
    world.delete(event_id)
    expires_at = []

    def slow(operation: str) -> None:
        if operation == "channels.stop":
            world.now += timedelta(seconds=30)
        elif operation == "events.get":
            lease = world.calendar().lease
            expires_at.append(lease.expires_at if lease else world.now)

    world.before_calendar = slow
    request = SyncRequest(calendar.key, "leading", channel_id="forgotten", resource_id="r")
    sync_calendar(request, world.outside, world.terms)
    assert expires_at == [world.now + timedelta(seconds=60)]


def test_a_task_ends_before_its_deadline_however_slow_the_back_end_is() -> None:
    """What cannot be told within the time of the task is told by tasks of its own."""
    world = World()
    ids = [world.add(f"Event {n}", f"c{n}") for n in range(10)]
    world.settle()
    for event_id in ids:
        world.edit(event_id, summary="Changed")

    def slow(seconds: float) -> Callable[[object], None]:
        def pass_time(_: object) -> None:
            world.now += timedelta(seconds=seconds)

        return pass_time

    world.before_calendar, world.provider.before = slow(45), slow(29)
    began = world.now
    sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
    assert (world.now - began).total_seconds() <= world.rules.task_s


def test_what_a_deferred_sync_recorded_is_told_without_the_sweep() -> None:
    """A calendar that changes all the time lists until its time is over; its conferences must not wait for that."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    key = world.calendar().key

    def storm(operation: str) -> None:
        if operation == "events.list":
            world.now += timedelta(seconds=30)
            sync_calendar(SyncRequest(key), world.outside, world.terms)

    world.edit(event_id, summary="Changed")
    world.before_calendar = storm
    outcome = sync_calendar(SyncRequest(key), world.outside, world.terms)
    world.before_calendar = lambda _: None
    assert outcome.status == "deferred"
    run_due(world)
    assert world.told("c1").title == "Changed"


def test_a_calendar_that_comes_back_does_not_take_old_marks_for_new_ones() -> None:
    """The numbers of full listings go on, or the sweep would pass over what an earlier life had seen."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    removed = world.calendar().model_copy(update={"state": "removed", "due_at": None, "renew_at": None, "channels": ()})
    world.store.transact(lambda tx: tx.put(removed))
    world.delete(event_id)
    hide(world, event_id)
    world.initialize()
    world.settle()
    assert world.told("c1") is None


def test_a_checkpoint_of_other_list_parameters_is_not_gone_on_from() -> None:
    """Rule R6: its page token and its next sync token belong to the parameters that they came from."""
    world = World(page_size=1)
    ids = [world.add(f"Event {n}", f"c{n}") for n in range(3)]
    world.settle()
    for event_id in ids:
        world.edit(event_id, summary="Changed")
    lists = 0

    def refuse(operation: str) -> None:
        nonlocal lists
        lists += operation == "events.list"
        if lists == 2:
            raise CalendarRateLimited("slow down", "rateLimitExceeded", 60)

    world.before_calendar = refuse
    sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
    world.before_calendar = lambda _: None
    stored = world.calendar()
    assert stored.checkpoint is not None
    older = stored.model_copy(update={"listing_version": "older"})
    world.store.transact(lambda tx: tx.put(older))
    world.settle()
    assert world.calendar().full_listings == stored.full_listings + 1


# Effects


def test_a_task_that_runs_a_little_early_is_not_lost() -> None:
    """Clocks differ: the name of the task is used up, so another one has to follow at once, not with the sweep."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    world.delete(event_id)
    world.advance(5)
    key, end_after = world.conference("c1").key, world.conference("c1").end_after
    assert end_after is not None
    early = end_after - timedelta(milliseconds=500)
    assert world.queue.pop_due(end_after)
    update_conference(key, replace(world.outside, now=lambda: early), world.terms)
    world.next_run = end_after + timedelta(minutes=10)
    world.now = end_after
    world.advance(10)
    assert world.told("c1") is None


def test_a_back_end_that_always_says_stale_is_not_called_in_a_loop() -> None:
    """Each answer raises the generation; without a pause between them both sides would run hot."""
    world = World()
    calls = 0

    def always_stale(call: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > 100:
            raise Crash
        raise ConferenceStale("a newer generation is stored", call.generation + 1)

    world.provider.before = always_stale
    world.add("Planning", "c1")
    world.advance(60)
    assert calls <= 100


def test_a_newer_state_does_not_cut_short_the_wait_that_a_back_end_asked_for() -> None:
    """Rule R18: a daily budget is used up whatever the state is."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    calls = 0

    def busy(_: object) -> None:
        nonlocal calls
        calls += 1
        raise ProviderBusy("429", retry_after_s=3600)

    world.provider.before = busy
    for n in range(5):
        world.edit(event_id, summary=f"Changed {n}")
        world.advance(120)
    assert calls == 1


# Channels


def test_a_channel_that_was_forgotten_meanwhile_does_not_become_active() -> None:
    """A notification through it had it stopped: it would never announce anything again."""
    opened = Channel(id="new", state="active", created_at=START, resource_id="r", expires_at=START + timedelta(days=7))
    active = opened.model_copy(update={"id": "old"})
    calendar = Calendar(key="0" * 32, tenant="t", calendar_id="c", subject="s", channels=(active,))
    finished = channels.finish_renewal(calendar, opened, active, START + timedelta(days=5))
    assert [(c.id, c.state) for c in finished.channels] == [("old", "active"), ("new", "retiring")]


def test_the_gap_of_a_lapsed_channel_is_listed_even_if_its_task_is_lost() -> None:
    """The store says that a sync is due as soon as the new channel is open; the task only makes it sooner."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    world.lose_pushes = True
    world.edit(event_id, summary="Unannounced")
    lapsed = world.calendar().model_copy(update={"channels": (), "renew_at": world.now})
    world.store.transact(lambda tx: tx.put(lapsed))

    def down(_: str) -> None:
        raise TaskQueueUnavailable("503")

    world.queue.on_call = down
    with pytest.raises(TaskQueueUnavailable):
        world.schedule()
    world.queue.on_call = None
    world.settle()
    assert channels.active_channel(world.calendar()) is not None
    assert world.told("c1").title == "Unannounced"


def test_channels_are_renewed_while_no_task_can_be_made() -> None:
    """Nobody else renews them; a queue that is out of order for days must not let them all lapse."""
    world = World()
    world.add("Planning", "c1")
    world.settle()
    due = world.calendar().model_copy(update={"due_at": START, "renew_at": START})
    world.store.transact(lambda tx: tx.put(due))
    before = channels.active_channel(due)

    def down(_: str) -> None:
        raise TaskQueueUnavailable("503")

    world.queue.on_call = down
    with pytest.raises(TaskQueueUnavailable):
        world.schedule()
    assert channels.active_channel(world.calendar()) != before


def test_a_calendar_that_cannot_be_watched_any_more_is_polled_at_once() -> None:
    """Its next sync was planned for a calendar that announces its changes."""
    world = World()
    world.add("Planning", "c1")
    world.settle()
    due = world.calendar().model_copy(update={"renew_at": world.now})
    world.store.transact(lambda tx: tx.put(due))

    def refuse(operation: str) -> None:
        if operation == "events.watch":
            raise PushNotSupported("400", "pushNotSupportedForRequestedResource")

    world.before_calendar = refuse
    world.schedule()
    unwatched = world.calendar()
    assert unwatched.state == "poll_only"
    assert unwatched.due_at is not None
    assert unwatched.due_at <= world.now + timedelta(seconds=world.rules.poll_s)


def test_a_gap_that_ends_during_a_sync_is_not_forgotten_by_its_commit() -> None:
    """The new channel opened after the page was listed, and its task is lost: the running sync has to list again."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    world.lose_pushes = True
    lapsed = world.calendar().model_copy(update={"channels": (), "renew_at": world.now})
    world.store.transact(lambda tx: tx.put(lapsed))

    def down(_: str) -> None:
        raise TaskQueueUnavailable("503")

    def meanwhile() -> None:
        world.edit(event_id, summary="Unannounced")
        world.queue.on_call = down
        with pytest.raises(TaskQueueUnavailable):
            world.schedule()
        world.queue.on_call = None

    after_list(world, meanwhile)
    sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
    world.settle()
    assert world.told("c1").title == "Unannounced"


def refusing(world: World, refused: set[str]) -> list[str]:
    """Let Calendar refuse to show these events; return a list that fills with each such refusal."""
    original, asked = world.calendar_api.get_event, list[str]()

    def get_event(at: Address, event_id: str) -> Event | None:
        if event_id in refused:
            asked.append(event_id)
            raise CalendarRequestRejected("400", "badRequest")
        return original(at, event_id)

    world.calendar_api.get_event = get_event  # type: ignore[method-assign]
    return asked


def test_an_event_that_calendar_refused_to_show_once_is_read_again_within_days() -> None:
    """The token has moved past its deletion, and nothing else would ever ask for it (rule R18)."""
    world = World()
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(days=9)))
    world.settle()
    refused = {event_id}
    asked = refusing(world, refused)
    world.delete(event_id)
    world.settle()
    refused.clear()
    world.advance(20 * 3600)
    assert (len(asked), world.told("c1") is None) == (1, False)
    world.advance(12 * 3600)
    assert world.told("c1") is None
    assert world.calendar().unread == ()


def test_an_instance_whose_series_calendar_refuses_to_show_holds_no_conference_of_its_own_until_then() -> None:
    """What it shows may be what its series got meanwhile: the conference was told of one instance alone."""
    world = World()
    event_id = world.add("Daily", "c1", recurrence=["RRULE:FREQ=DAILY;COUNT=20"])
    world.settle()
    refused = {event_id}
    refusing(world, refused)
    world.edit(event_id, conferenceData=addon_conference("c2"))
    world.initialize("c2", world.instances(event_id)[2])
    world.settle()
    assert [call.conference_id for call in world.provider.calls] == ["c1"]
    refused.clear()
    world.advance(32 * 3600)
    assert (len(world.told("c2").recurrence), world.calendar().unread) == (1, ())


def test_an_instance_that_waited_for_its_series_is_read_again_within_days() -> None:
    """It has a conference of its own, and changes no more."""
    world = World()
    event_id = world.create("Daily", recurrence=["RRULE:FREQ=DAILY;COUNT=20"])
    world.initialize()
    refused = {event_id}
    refusing(world, refused)
    instance = world.instances(event_id)[9]
    world.edit(instance, summary="Retro", conferenceData=addon_conference("c1"))
    world.initialize("c1", instance)
    world.settle()
    assert world.provider.calls == []
    refused.clear()
    world.advance(32 * 3600)
    assert (world.told("c1").title, world.calendar().unread) == ("Retro", ())


def test_an_event_that_calendar_never_shows_is_left_to_an_operator() -> None:
    """A week later nobody asks any more, and its failure says how often it was asked for; a change asks anew."""
    world = World()
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(days=40)))
    world.settle()
    asked = refusing(world, {event_id})
    world.edit(event_id, conferenceData=None)
    world.advance(12 * 86400)
    assert len(asked) == 8
    assert [(failure.event_id, failure.count) for failure in world.failures()] == [(event_id, 8)]
    world.edit(event_id, summary="Changed")
    world.advance(86400 * 1.5)
    assert len(asked) == 10


def test_a_series_that_somebody_else_took_over_keeps_its_conference_while_one_occurrence_shows_it() -> None:
    """Its trash is empty, and all that is left is an invitation: the conference is kept, and nobody waits for more."""
    world = World(rules=Rules(frozen_retry_s=300))
    series = world.add("Weekly", "c1", **times(START + timedelta(days=2)), recurrence=["RRULE:FREQ=WEEKLY"])
    world.settle()
    world.model.options.tombstone_days = 0
    world.lose_pushes = True
    world.model.change_owner(ANN, ANN, series, BOB)
    world.model.forget_deleted(ANN)
    second = world.instances(series, BOB)[1]
    world.edit(second, BOB, attendees=[{"email": ANN}, {"email": BOB}])
    world.advance(86400)
    assert world.told("c1") is not None
    kept = world.conference("c1")
    assert (kept.end_after, kept.desired and kept.desired.ended) == (None, False)
