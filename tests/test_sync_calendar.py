"""The worker: what it lists, records and commits, under every way a sync can go."""

from datetime import timedelta

import pytest

from confsync.core.records import Lease
from confsync.core.rules import Rules
from confsync.errors import (
    CalendarAccessLost,
    CalendarQuotaExceeded,
    CalendarRateLimited,
    CalendarRequestRejected,
    CalendarUnavailable,
    StoreUnavailable,
)
from confsync.initialize_syncing import InitializeRequest, initialize_syncing
from confsync.local.calendar_server.people import addon_conference
from confsync.sync_calendar import SyncOutcome, SyncRequest, sync_calendar
from tests.world import ANN, BOB, PUSH, Crash, World, times

WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=8"]


def test_a_registered_conference_is_told_its_events_state() -> None:
    """The first sync binds the registered event and tells the back end once."""
    world = World()
    world.add("Planning", "c1")
    assert [call.state.title for call in world.provider.calls if call.state] == ["Planning"]


def test_a_rename_reaches_the_back_end_with_its_notification() -> None:
    """An isolated change needs one leading task and no waiting."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.advance(10)
    world.edit(event_id, summary="Planning II")
    world.advance(0)
    assert world.told("c1").title == "Planning II"


def test_a_moved_event_moves_its_conference() -> None:
    """Start and end go together."""
    world = World()
    event_id = world.add("Planning", "c1")
    later = world.now + timedelta(days=2)
    world.edit(event_id, **times(later))
    world.settle()
    assert world.told("c1").start.instant == later


def test_a_guests_answer_changes_nothing_that_is_told() -> None:
    """An RSVP is listed, recorded, and no difference."""
    world = World()
    event_id = world.add("Planning", "c1", attendees=[{"email": BOB}])
    world.settle()
    calls = len(world.provider.calls)
    guest = [{"email": BOB, "responseStatus": "accepted"}]
    world.model.patch(BOB, "primary", event_id, {"attendees": guest})
    world.settle()
    assert len(world.provider.calls) == calls


def test_a_guests_copy_drives_nothing() -> None:
    """Only the organizer's copy counts, although the guest's shows the same conference."""
    world = World()
    event_id = world.add("Planning", "c1", attendees=[{"email": BOB}])
    world.initialize(who=BOB)
    world.settle()
    world.model.delete(BOB, "primary", event_id)
    world.settle()
    assert world.told("c1").title == "Planning"


def test_a_cancelled_event_ends_its_conference_after_the_grace_period() -> None:
    """The end comes once, and not before the grace period is over."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    world.delete(event_id)
    world.advance(world.rules.grace_s - 1)
    assert world.told("c1") is not None
    world.settle()
    assert world.told("c1") is None
    assert [call.state is None for call in world.provider.calls] == [False, True]


def test_an_event_restored_within_the_grace_period_keeps_its_conference() -> None:
    """Nothing is called: the back end never hears of it."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    world.delete(event_id)
    world.advance(20)
    world.edit(event_id, status="confirmed")
    world.settle()
    assert len(world.provider.calls) == 1
    assert world.conference("c1").end_after is None


def test_an_event_restored_later_gets_its_conference_back() -> None:
    """An ended conference is told its state again, under a newer generation."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.delete(event_id)
    world.settle()
    assert world.told("c1") is None
    world.edit(event_id, status="confirmed")
    world.settle()
    assert world.told("c1").title == "Planning"


def test_a_conference_that_was_held_is_kept() -> None:
    """Deleting a past event ends nothing."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.advance(3 * 24 * 3600)
    world.delete(event_id)
    world.settle()
    assert world.told("c1") is not None


def test_a_conference_taken_out_of_its_event_ends() -> None:
    """The organizer's copy, shown in full, without the conference is positive evidence."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.edit(event_id, conferenceData=None)
    world.settle()
    assert world.told("c1") is None


def test_a_replaced_conference_ends_and_the_new_one_is_told() -> None:
    """Each registered conference follows the event only while the event names it."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.edit(event_id, conferenceData=addon_conference("c2"))
    world.initialize("c2", event_id)
    world.settle()
    assert world.told("c1") is None
    assert world.told("c2").title == "Planning"


def test_a_meet_conference_in_the_making_is_no_removal() -> None:
    """A pending createRequest says nothing yet."""
    world = World()
    event_id = world.add("Planning", "c1")
    request = {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    world.model.options.meet = "pending"
    world.edit(event_id, conferenceData=request)
    data = world.model.get(ANN, "primary", event_id)["conferenceData"]
    assert data["createRequest"]["status"]["statusCode"] == "pending"
    world.settle()
    assert world.told("c1") is not None


def test_an_unregistered_conference_id_binds_nothing() -> None:
    """Anyone may write any id into an event: it is only a claim."""
    world = World()
    world.add("Planning", "c1")
    world.initialize(who=BOB)
    forged = world.create("Forged", "c1", who=BOB)
    world.settle()
    world.delete(forged, who=BOB)
    world.settle()
    assert world.told("c1").title == "Planning"


def test_a_registration_before_its_event_exists_binds_when_the_event_comes() -> None:
    """The add-on may hand over an event id that Calendar does not know yet."""
    world = World()
    world.initialize("c1", "atime0001")
    world.settle()
    assert not world.provider.calls
    body = {"id": "atime0001", "summary": "Late", **times(world.now + timedelta(days=1))}
    body["conferenceData"] = addon_conference("c1")
    world.model.insert(ANN, "primary", body, {"conferenceDataVersion": "1"})
    world.settle()
    assert world.told("c1").title == "Late"


def test_a_registration_after_its_event_was_listed_binds_it() -> None:
    """The event is read again, although Calendar does not list it again."""
    world = World()
    world.initialize()
    event_id = world.create("Early", "c1")
    world.settle()
    world.initialize("c1", event_id)
    world.settle()
    assert world.told("c1").title == "Early"


def test_a_series_is_one_conference_with_its_exceptions() -> None:
    """Moved, renamed and cancelled instances are told with the series, by their original start."""
    world = World()
    series_id = world.add("Weekly", "c1", recurrence=WEEKLY)
    instances = world.model.instances(ANN, "primary", series_id)["items"]
    world.edit(instances[1]["id"], summary="Special")
    world.delete(instances[2]["id"])
    world.settle()
    told = world.told("c1")
    assert [(o.title, o.cancelled) for o in told.occurrences] == [("Special", False), (None, True)]
    assert told.recurrence == tuple(WEEKLY)


def test_a_split_series_keeps_its_conference_until_its_last_part_is_gone() -> None:
    """ "This and following" makes a second event with the same conference; deleting one part ends nothing."""
    world = World()
    series_id = world.add("Weekly", "c1", recurrence=WEEKLY)
    third = world.model.instances(ANN, "primary", series_id)["items"][2]["id"]
    new_part = world.model.edit_this_and_following(ANN, "primary", third, {"summary": "From now on"})["id"]
    world.settle()
    assert "UNTIL" in world.told("c1").recurrence[0]
    world.delete(series_id)
    world.settle()
    assert world.told("c1").title == "From now on"
    world.delete(new_part)
    world.settle()
    assert world.told("c1") is None


def test_a_duplicate_shares_the_conference() -> None:
    """Deleting the copy must not take the conference from the original."""
    world = World()
    world.add("Planning", "c1")
    copy_id = world.create("Planning (copy)", "c1")
    world.settle()
    world.delete(copy_id)
    world.settle()
    assert world.told("c1").title == "Planning"


def test_an_event_that_moves_to_another_calendar_keeps_its_conference() -> None:
    """The stub that stays behind proves no deletion, whether or not the destination is synced."""
    world = World()
    world.model.add_calendar("team@group.example.com", ANN)
    event_id = world.add("Planning", "c1")
    world.model.move(ANN, "primary", event_id, {"destination": "team@group.example.com"})
    world.settle()
    assert world.told("c1") is not None


def test_a_storm_of_edits_ends_with_the_last_one_and_few_tasks() -> None:
    """Two hundred notifications within a window cost two tasks."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.advance(30)
    created = len(world.queue.created)
    for number in range(200):
        world.edit(event_id, summary=f"Edit {number}")
    syncs = [task for task in world.queue.created[created:] if task.path == "/sync"]
    assert len(syncs) == 2
    world.settle()
    assert world.told("c1").title == "Edit 199"


def test_a_sync_that_listed_nothing_looks_again_later() -> None:
    """A list may lag behind the notification that announced it."""
    world = World()
    world.add("Planning", "c1")
    world.settle()
    world.push(ANN)
    world.advance(0)
    lag = [task for task in world.queue.waiting if "-lag-" in task.name]
    assert [task.schedule_time for task in lag] == [world.now + timedelta(seconds=world.rules.lag_s)]


def test_a_lost_push_is_found_by_reconciliation() -> None:
    """Push is not reliable: a quiet calendar is synced within the reconcile interval."""
    world = World(rules=Rules(reconcile_s=1800))
    event_id = world.add("Planning", "c1")
    world.settle()
    world.lose_pushes = True
    world.edit(event_id, summary="Unannounced")
    world.advance(1900)
    assert world.told("c1").title == "Unannounced"


def test_a_second_worker_leaves_a_task_for_when_the_lease_is_over() -> None:
    """It adds its request and answers success only after the back-stop exists."""
    world = World()
    world.add("Planning", "c1")
    world.settle()
    held = world.calendar()
    lease = Lease(holder="other", fence=held.fence + 1, expires_at=world.now + timedelta(seconds=60))
    world.store.transact(lambda tx: tx.put(held.model_copy(update={"fence": held.fence + 1, "lease": lease})))
    outcome = sync_calendar(SyncRequest(held.key), world.outside, world.terms)
    assert outcome.status == "busy"
    assert world.calendar().requested == held.requested + 1
    assert [t.schedule_time for t in world.queue.waiting if "-after-" in t.name] == [
        lease.expires_at + timedelta(seconds=world.rules.skew_s)
    ]


def test_a_request_that_comes_during_a_sync_makes_it_list_again() -> None:
    """`served` is what was read before page 1, so a later request is not covered by it."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    lists = 0

    def meanwhile(operation: str) -> None:
        nonlocal lists
        lists += operation == "events.list"
        if operation == "events.list" and lists == 1:
            sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)

    world.before_calendar = meanwhile
    world.edit(event_id, summary="Changed")
    world.advance(0)
    assert lists == 2
    assert (world.calendar().served, world.calendar().lease) == (world.calendar().requested, None)


def test_a_stale_worker_can_write_nothing() -> None:
    """A worker that was paused past its lease loses its fence and drops everything."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    seen: list[str] = []

    def pause(operation: str) -> None:
        if operation == "events.list" and not seen:
            seen.append(operation)
            world.now += timedelta(seconds=world.rules.lease_s + 1)
            sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)

    world.edit(event_id, summary="Changed")
    world.before_calendar = pause
    world.advance(0)
    assert [o.status for o in world.outcomes[-2:] if hasattr(o, "listed")][-1] == "superseded"
    world.settle()
    assert world.told("c1").title == "Changed"


def test_every_page_is_recorded_before_the_token_moves() -> None:
    """A listing of many pages goes on where it was cut, and loses nothing."""
    world = World(page_size=2, rules=Rules(chunk_size=1))
    ids = [world.create(f"Event {n}", f"c{n}") for n in range(7)]
    for number, event_id in enumerate(ids):
        world.initialize(f"c{number}", event_id)
    world.settle()
    for event_id in ids:
        world.edit(event_id, summary="All renamed")
    world.settle()
    assert {world.told(f"c{n}").title for n in range(7)} == {"All renamed"}


def test_a_sync_out_of_time_goes_on_from_its_checkpoint() -> None:
    """The next task resumes at the stored page token: no page is listed twice."""
    world = World(page_size=1, rules=Rules(task_s=100))
    ids = [world.add(f"Event {n}", f"c{n}") for n in range(4)]
    world.settle()
    for event_id in ids:
        world.edit(event_id, summary="Renamed")
    slow_lists = 0

    def slow(operation: str) -> None:
        nonlocal slow_lists
        if operation == "events.list":
            slow_lists += 1
            world.now += timedelta(seconds=45)

    world.before_calendar = slow
    first = sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
    checkpoint = world.calendar().checkpoint
    assert (first.status, slow_lists) == ("deferred", 2)
    assert checkpoint is not None
    assert checkpoint.page_token is not None
    second = sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
    assert second.status == "deferred"
    world.before_calendar = lambda _: None
    world.settle()
    assert {world.told(f"c{n}").title for n in range(4)} == {"Renamed"}


@pytest.mark.parametrize("variant", ["deleted", "renamed", "conference removed"])
def test_what_happened_in_the_gap_of_an_expired_token_is_found(variant: str) -> None:
    """A full listing has no tombstones: what it does not show is read one by one before the token is committed."""
    world = World()
    event_id, other = world.add("Planning", "c1"), world.add("Other", "c2")
    world.settle()
    world.lose_pushes = True
    if variant == "deleted":
        world.delete(event_id)
    elif variant == "renamed":
        world.edit(event_id, summary="Renamed")
    else:
        world.edit(event_id, conferenceData=None)
    world.model.expire_sync_tokens()
    world.lose_pushes = False
    world.push(ANN)
    world.settle()
    told = world.told("c1")
    assert (told.title if told else None) == {"deleted": None, "renamed": "Renamed", "conference removed": None}[
        variant
    ]
    assert world.told("c2").title == "Other", other


def test_all_events_of_a_conference_that_calendar_forgot_are_found_gone_however_the_sweep_is_cut() -> None:
    """The loss of the first makes the plan read the second, before the sweep has come to it: that is missing too."""
    world = World(rules=Rules(chunk_size=1))
    events = [world.add(f"Event {n}", "c1") for n in range(3)]
    world.settle()
    world.lose_pushes = True
    world.model.options.tombstone_days = 0
    for event_id in events:
        world.delete(event_id)
    world.now += timedelta(seconds=1)
    assert set(world.model.forget_deleted(ANN)) == set(events)
    world.model.expire_sync_tokens()
    world.push(ANN)
    world.settle()
    assert {known.state for known in world.conference("c1").referents.values()} == {"gone"}
    assert world.told("c1") is None


def test_a_crash_in_a_sweep_does_not_lose_it() -> None:
    """The sweep's cursor is stored, and the token waits for its end."""
    world = World(rules=Rules(chunk_size=2))
    ids = [world.add(f"Event {n}", f"c{n}") for n in range(6)]
    world.settle()
    world.lose_pushes = True
    for event_id in ids:
        world.delete(event_id)
    world.model.expire_sync_tokens()
    crashes = 0

    def crash(operation: str) -> None:
        nonlocal crashes
        if operation == "events.get" and crashes < 3:
            crashes += 1
            raise Crash

    world.before_calendar = crash
    world.push(ANN)
    for _ in range(4):
        try:
            world.settle()
        except Crash:
            continue
    world.settle()
    assert crashes == 3
    assert {world.told(f"c{n}") for n in range(6)} == {None}


def test_a_deletion_between_an_abandoned_and_a_new_full_listing_is_found() -> None:
    """Marks that an abandoned full listing left must not pass for those of the next one."""
    world = World(page_size=1)
    ids = [world.add(f"Event {n}", f"c{n}") for n in range(3)]
    world.settle()
    world.lose_pushes = True
    world.model.expire_sync_tokens()
    calls = 0

    def crash_on_second_page(operation: str) -> None:
        nonlocal calls
        calls += operation == "events.list"
        if calls == 3:
            raise Crash

    world.before_calendar = crash_on_second_page
    world.push(ANN)
    with pytest.raises(Crash):
        world.settle()
    world.before_calendar = lambda _: None
    for event_id in ids:
        world.delete(event_id)
    world.store.transact(lambda tx: tx.put(world.calendar().model_copy(update={"checkpoint": None})))
    world.settle()
    assert {world.told(f"c{n}") for n in range(3)} == {None}


def test_lost_access_freezes_the_calendar_and_ends_nothing() -> None:
    """It is reported once, retried slowly, and thaws by itself with a full listing."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    world.delete(event_id)
    world.before_calendar = lambda _: (_ for _ in ()).throw(CalendarAccessLost("gone", reason="notFound"))
    world.settle()
    alerts = [o for o in world.outcomes if getattr(o, "alert", False)]
    assert (world.calendar().state, world.calendar().reason, len(alerts)) == ("frozen", "notFound", 1)
    world.advance(3 * 3600)
    assert world.told("c1") is not None
    world.before_calendar = lambda _: None
    world.advance(2 * 3600)
    assert world.calendar().state == "active"
    assert world.told("c1") is None


def test_a_reduced_access_role_freezes_and_proves_nothing() -> None:
    """Events that are shown without their conference look like removals; they are none."""
    world = World()
    world.model.add_calendar("team@group.example.com", ANN, roles={BOB: "owner"})
    body = {"summary": "Team", **times(world.now + timedelta(days=1)), "conferenceData": addon_conference("c1")}
    event = world.model.insert(BOB, "team@group.example.com", body, {"conferenceDataVersion": "1"})

    request = InitializeRequest(
        calendar_id="team@group.example.com", subject=BOB, conference_id="c1", event_id=event["id"], provider=None
    )
    key = initialize_syncing(request, world.outside, world.terms, PUSH).calendar_key
    world.settle()
    world.model.share("team@group.example.com", {BOB: "freeBusyReader"})
    outcome = sync_calendar(SyncRequest(key), world.outside, world.terms)
    assert outcome.status == "frozen"
    world.settle()
    assert world.told("c1").title == "Team"


@pytest.mark.parametrize(
    ("error", "wait_s"),
    [
        (CalendarRateLimited("slow down", "rateLimitExceeded", 17), 17),
        (CalendarQuotaExceeded("no", "quotaExceeded"), 3600),
    ],
)
def test_a_known_wait_becomes_a_task_at_that_time(error: Exception, wait_s: float) -> None:
    """It answers success: a failing task would slow the whole queue down."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    world.edit(event_id, summary="Changed")

    def refuse(_: str) -> None:
        raise error

    world.before_calendar = refuse
    world.advance(0)
    assert world.calendar().lease is None
    assert world.now + timedelta(seconds=wait_s) in [task.schedule_time for task in world.queue.waiting]
    world.before_calendar = lambda _: None
    world.advance(wait_s)
    assert world.told("c1").title == "Changed"


@pytest.mark.parametrize(
    "error", [CalendarQuotaExceeded("no", "quotaExceeded"), CalendarRequestRejected("events.list: 400", "badRequest")]
)
def test_what_an_operator_has_to_mend_is_reported_once(error: Exception) -> None:
    """Not by each try, however many notifications come meanwhile; and again after it was cured."""
    world = World()
    world.initialize()

    def refuse(_: str) -> None:
        raise error

    for _ in range(2):
        world.before_calendar = refuse
        world.outcomes.clear()
        for _ in range(3):
            world.push(ANN)
            world.advance(3600)
        assert [o.alert for o in world.outcomes if isinstance(o, SyncOutcome)].count(True) == 1
        world.before_calendar = lambda _: None
        world.advance(2 * 3600)
        assert world.calendar().last_error == ""


def test_a_passing_fault_releases_the_lease_and_fails_the_task() -> None:
    """Cloud Tasks tries it again, and so would the sweep."""
    world = World()
    world.add("Planning", "c1")
    world.settle()

    def fail(_: str) -> None:
        raise CalendarUnavailable("503")

    world.before_calendar = fail
    with pytest.raises(CalendarUnavailable):
        sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
    assert world.calendar().lease is None
    assert world.calendar().due_at is not None


def test_a_malformed_event_is_recorded_and_the_rest_goes_on() -> None:
    """One event that cannot be read never blocks its calendar, and its failure holds no title."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    bad = {"id": "badevent01", "status": "confirmed", "summary": "Secret", "conferenceData": addon_conference("c9")}
    world.model.import_payload(ANN, [{**bad, "start": {"dateTime": "yesterday"}, "end": {"dateTime": "today"}}])
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert world.told("c1").title == "Renamed"
    assert [(f.event_id, "Secret" in f.reason) for f in world.failures()] == [("badevent01", False)]


@pytest.mark.parametrize("broken", ["transact", "get_many"])
def test_a_store_that_is_out_of_reach_loses_nothing(broken: str) -> None:
    """The task fails and is tried again."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    failures = 3

    def fail(name: str) -> None:
        nonlocal failures
        if name == broken and failures:
            failures -= 1
            raise StoreUnavailable("locked")

    world.edit(event_id, summary="Changed")
    world.store.on_call = fail  # type: ignore[attr-defined]
    world.settle()
    assert world.told("c1").title == "Changed"


def test_an_unknown_channel_with_a_genuine_token_is_stopped() -> None:
    """A crash may leave a channel open that nobody remembers; its notification still counts."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    forgotten = world.calendar().channels[0]
    world.store.transact(lambda tx: tx.put(world.calendar().model_copy(update={"channels": ()})))
    world.edit(event_id, summary="Changed")
    world.advance(0)
    assert forgotten.id not in [channel.id for channel in world.model.open_channels(ANN)]
    assert world.told("c1").title == "Changed"


def test_a_first_sync_looks_at_future_events_and_later_ones_at_all() -> None:
    """The window bounds only the very first listing."""
    world = World()
    world.initialize()
    key = world.calendar().key
    asked: list[object] = []
    original = world.calendar_api.list_events

    def spy(at, *, sync_token, page_token, window):  # type: ignore[no-untyped-def]
        asked.append((sync_token is not None, window.time_min))
        return original(at, sync_token=sync_token, page_token=page_token, window=window)

    world.calendar_api.list_events = spy  # type: ignore[method-assign]
    world.model.expire_sync_tokens()
    sync_calendar(SyncRequest(key), world.outside, world.terms)
    assert asked == [(True, None), (False, None)]


def test_quiet_notifications_cost_two_transactions() -> None:
    """Claim and commit; nothing else is read or written."""
    world = World()
    world.add("Planning", "c1")
    world.settle()
    calls: list[str] = []
    world.store.on_call = calls.append  # type: ignore[attr-defined]
    sync_calendar(SyncRequest(world.calendar().key, "trailing"), world.outside, world.terms)
    assert calls.count("transact") == 2


@pytest.mark.parametrize(
    ("kind", "looks_again"), [("leading", True), ("trailing", True), ("lag", False), ("due", False)]
)
def test_only_what_was_announced_and_not_listed_is_looked_for_again(kind: str, looks_again: bool) -> None:
    """Once: the second look does not ask for a third."""
    world = World()
    world.add("Planning", "c1")
    world.settle()
    sync_calendar(SyncRequest(world.calendar().key, kind), world.outside, world.terms)
    assert any("-lag-" in task.name for task in world.queue.waiting) is looks_again


def test_an_expired_token_costs_one_full_listing_even_if_an_event_is_unknown_by_then() -> None:
    """The proof that a 404 speaks of the event must not be asked for with the token that was just rejected."""
    world = World()
    vanished = world.add("Planning", "c1")
    world.settle()
    world.lose_pushes = True
    world.delete(vanished)
    world.model.options.tombstone_days = 0
    original = world.calendar_api.get_event
    world.calendar_api.get_event = lambda at, event_id: (  # type: ignore[method-assign]
        None if event_id == vanished else original(at, event_id)
    )
    world.model.expire_sync_tokens()
    listings = world.calendar().full_listings
    outcome = sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
    assert (outcome.status, world.calendar().full_listings) == ("synced", listings + 1)
    world.settle()
    assert world.told("c1") is None


@pytest.mark.parametrize(
    "error", [CalendarRateLimited("slow", "rateLimitExceeded", 60), CalendarAccessLost("gone", reason="notFound")]
)
def test_a_worker_that_lost_the_calendar_leaves_it_alone_whatever_calendar_answers(error: Exception) -> None:
    """Its answer is old news: the one who owns the calendar now has asked since."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()

    def overtake(operation: str) -> None:
        if operation != "events.list":
            return
        world.before_calendar = lambda _: None
        world.now += timedelta(seconds=world.rules.lease_s + 1)
        assert sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms).status == "synced"
        raise error

    world.edit(event_id, summary="Changed")
    world.before_calendar = overtake
    assert sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms).status == "superseded"
    assert world.calendar().state == "active"
    assert world.calendar().lease is None
    assert world.told("c1").title == "Changed"


def test_while_a_quota_is_used_up_notifications_are_counted_and_nobody_asks_calendar() -> None:
    """Calendar said that the user is read-only for hours; one sync then serves all that was asked for."""
    world = World()
    event_id = world.add("Planning", "c1")
    world.settle()
    asked = []

    def refuse(operation: str) -> None:
        asked.append(operation)
        raise CalendarQuotaExceeded("no", "quotaExceeded")

    world.before_calendar = refuse
    for number in range(5):
        world.edit(event_id, summary=f"Draft {number}")
        world.advance(300)
    assert asked == ["events.list"]
    assert world.calendar().requested - world.calendar().served == 5
    world.before_calendar = lambda _: None
    world.advance(3600)
    assert world.told("c1").title == "Draft 4"
    assert (world.calendar().quota_until, world.calendar().requested) == (None, world.calendar().served)
