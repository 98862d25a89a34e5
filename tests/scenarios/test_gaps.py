"""What happened while nobody listened: expired tokens, changes between pages, lost, doubled and forged pushes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from confsync.core.channels import active_channel
from confsync.core.rules import Rules
from confsync.errors import CalendarUnavailable, NotificationRejected, SyncTokenRejected
from confsync.ports import Address, WatchedChannel
from confsync.receive_notification import receive_notification
from tests.scenarios.expectations import DAY_S, assert_quiet, is_told_all, referents, story, titles, verbs
from tests.world import ANN, BOB, PUSH, START, Crash, World, times

LATER = times(START + timedelta(days=9))


def four(**options: Any) -> tuple[World, list[str]]:
    """Return a world with four events in nine days, with conferences c0 to c3, and their ids."""
    world = World(**options)
    ids = [world.add(f"Event {number}", f"c{number}", **LATER) for number in range(4)]
    world.settle()
    return world, ids


def in_the_gap(world: World, ids: list[str]) -> None:
    """Delete the first event, rename the second and take the conference from the third; nobody hears of it."""
    world.lose_pushes = True
    world.delete(ids[0])
    world.edit(ids[1], summary="Renamed")
    world.edit(ids[2], conferenceData=None)
    world.lose_pushes = False


def assert_gap_was_found(world: World, ids: list[str]) -> None:
    """Assert one end for each event that is gone, one update, and nothing for the event that did not change."""
    assert [titles(world, f"c{n}") for n in range(4)] == [
        ["Event 0", None],
        ["Event 1", "Renamed"],
        ["Event 2", None],
        ["Event 3"],
    ]
    expected = ["gone", "live", "gone", "live"]
    assert [referents(world, f"c{n}")[ids[n]] for n in range(4)] == [("owner", state) for state in expected]
    assert all(is_told_all(world, f"c{n}") for n in range(4))


# Expired tokens


@pytest.mark.scenario(44)
@pytest.mark.parametrize("tombstones", ["listed", "hidden", "forgotten"])
def test_an_expired_token_costs_one_full_listing_that_finds_everything(tombstones: str) -> None:
    """What it does not show is read one by one: deleted, or unknown by now to a calendar that is shown in full."""
    world, ids = four()
    listings = world.calendar().full_listings
    if tombstones != "listed":
        world.model.options.tombstone_days = 0
    in_the_gap(world, ids)
    if tombstones == "forgotten":
        world.now += timedelta(seconds=1)
        assert ids[0] in world.model.forget_deleted(ANN)
    world.model.expire_sync_tokens()
    world.push(ANN)
    world.settle()
    assert_gap_was_found(world, ids)
    assert world.calendar().full_listings == listings + 1
    why = "the event was missing from a full listing" if tombstones == "forgotten" else "the event was deleted"
    assert f"decided: grace began: no owner was left; {why}" in story(world, "c0")
    assert_quiet(world)


@pytest.mark.scenario(44)
def test_a_malformed_token_is_an_expired_one() -> None:
    """Calendar answers 400 `invalid` and not 410: everything is listed all the same."""
    world, ids = four()
    in_the_gap(world, ids)
    world.store.transact(lambda tx: tx.put(world.calendar().model_copy(update={"sync_token": "not-a-token"})))
    world.push(ANN)
    world.settle()
    assert_gap_was_found(world, ids)
    assert_quiet(world)


@pytest.mark.scenario(44)
def test_a_full_listing_that_breaks_off_ends_nothing() -> None:
    """An hour of faults after the first page: what was not listed yet is not missing."""
    world, ids = four(page_size=1)
    world.model.options.tombstone_days = 0
    in_the_gap(world, ids)
    original, is_broken = world.calendar_api.list_events, [True]

    def list_events(at: Address, **asked: Any) -> Any:
        if asked["page_token"] is not None and is_broken:
            raise CalendarUnavailable("503")
        return original(at, **asked)

    world.calendar_api.list_events = list_events  # type: ignore[method-assign]
    world.model.expire_sync_tokens()
    world.push(ANN)
    world.advance(3600)
    assert (verbs(world, "c0"), verbs(world, "c3")) == (["update"], ["update"])
    is_broken.clear()
    world.settle()
    assert_gap_was_found(world, ids)
    assert_quiet(world)


@pytest.mark.scenario(44)
def test_tokens_that_expire_again_and_again_end_nothing_wrongly() -> None:
    """Each listing without a token is rejected at its second page once, as if it had taken too long."""
    world, ids = four(page_size=2)
    in_the_gap(world, ids)
    original, rejections = world.calendar_api.list_events, [True, True]

    def list_events(at: Address, **asked: Any) -> Any:
        if asked["page_token"] is not None and rejections:
            rejections.pop()
            raise SyncTokenRejected("410", "fullSyncRequired")
        return original(at, **asked)

    world.calendar_api.list_events = list_events  # type: ignore[method-assign]
    world.model.expire_sync_tokens()
    world.push(ANN)
    world.settle()
    assert_gap_was_found(world, ids)
    assert_quiet(world)


@pytest.mark.scenario(44)
def test_a_series_that_was_changed_in_the_gap_is_told_whole() -> None:
    """A moved occurrence, a cancelled one, and a cut: one listing, one state."""
    world = World()
    series_id = world.add("Weekly", "c1", recurrence=["RRULE:FREQ=WEEKLY;COUNT=8"], **LATER)
    world.settle()
    world.lose_pushes = True
    instances = world.instances(series_id)
    world.edit(instances[1], summary="Special")
    world.delete(instances[2])
    second = world.split(series_id, 5, summary="Second")
    world.lose_pushes = False
    world.model.expire_sync_tokens()
    world.push(ANN)
    world.settle()
    assert titles(world, "c1") == ["Weekly", "Weekly"]
    assert [(o.title, o.cancelled) for o in world.told("c1").occurrences] == [("Special", False), (None, True)]
    assert referents(world, "c1") == {series_id: ("owner", "live"), second: ("owner", "live")}
    assert_quiet(world)


# Between pages


@pytest.mark.scenario(45)
@pytest.mark.parametrize("is_pushed", [True, False], ids=["pushed", "push lost"])
@pytest.mark.parametrize("full", [True, False], ids=["full listing", "incremental listing"])
@pytest.mark.parametrize("change", ["renamed", "deleted"])
def test_a_change_between_two_pages_is_in_the_next_listing(change: str, full: bool, is_pushed: bool) -> None:
    """The page that held the event was listed before: the token of the last page covers what came after."""
    world, ids = four(page_size=1, rules=Rules(reconcile_s=1800))
    original, pages = world.calendar_api.list_events, [0]

    def list_events(at: Address, **asked: Any) -> Any:
        page = original(at, **asked)
        pages[0] += 1
        if pages[0] == 2:
            world.lose_pushes = not is_pushed
            world.edit(ids[0], summary="Changed") if change == "renamed" else world.delete(ids[0])
            world.lose_pushes = False
        return page

    world.lose_pushes = True
    for event_id in ids:
        world.edit(event_id, summary="Before")
    world.lose_pushes = False
    if full:
        world.model.expire_sync_tokens()
    world.calendar_api.list_events = list_events  # type: ignore[method-assign]
    world.push(ANN)
    world.advance(3600)
    assert titles(world, "c0")[-1] == ("Changed" if change == "renamed" else None)
    assert [titles(world, f"c{n}") for n in (1, 2, 3)] == [[f"Event {n}", "Before"] for n in (1, 2, 3)]
    assert_quiet(world)


@pytest.mark.scenario(45)
def test_a_crash_between_two_pages_loses_no_page() -> None:
    """The token moves with the last page only."""
    world, ids = four(page_size=1)
    world.lose_pushes = True
    for event_id in ids:
        world.edit(event_id, summary="Changed")
    world.lose_pushes = False
    lists = 0

    def crash(operation: str) -> None:
        nonlocal lists
        lists += operation == "events.list"
        if lists == 3:
            lists += 1
            raise Crash

    world.before_calendar = crash
    world.push(ANN)
    with pytest.raises(Crash):
        world.settle()
    world.settle()
    assert [titles(world, f"c{n}") for n in range(4)] == [[f"Event {n}", "Changed"] for n in range(4)]
    assert_quiet(world)


# Pushes


def notification(world: World, **headers: str) -> dict[str, str]:
    """Return the headers of a genuine notification of Ann's calendar, with some of them changed."""
    channel = world.model.open_channels(ANN)[0]
    genuine = {
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Token": channel.token or "",
        "X-Goog-Resource-ID": channel.resource_id,
        "X-Goog-Resource-State": "exists",
        "X-Goog-Message-Number": "17",
    }
    return genuine | {f"X-Goog-{name.replace('_', '-')}": value for name, value in headers.items()}


def receive(world: World, headers: dict[str, str]) -> None:
    """Hand a notification to the public function."""
    receive_notification(headers, PUSH.keys, world.queue, world.now, rules=world.rules)


@pytest.mark.scenario(52)
def test_doubled_and_reordered_pushes_cost_no_call() -> None:
    """The list is the only truth: a hundred notifications of one change are one update."""
    world, ids = four()
    world.edit(ids[0], summary="Renamed")
    for number in range(100):
        receive(world, notification(world, Message_Number=str(100 - number)))
    world.settle()
    receive(world, notification(world))
    world.settle()
    assert titles(world, "c0") == ["Event 0", "Renamed"]
    assert_quiet(world)


@pytest.mark.scenario(52)
def test_lost_pushes_only_cost_time() -> None:
    """A rename and a deletion that nobody announced are found when the quiet calendar is synced."""
    world, ids = four()
    in_the_gap(world, ids)
    world.advance(world.rules.reconcile_s + 900)
    assert_gap_was_found(world, ids)
    assert_quiet(world)


@pytest.mark.scenario(52)
def test_lost_tasks_only_cost_time() -> None:
    """Whatever the queue forgets stands in the store, and the scheduler finds it within minutes."""
    world, ids = four()
    world.delete(ids[0])
    world.edit(ids[1], summary="Renamed")
    world.edit(ids[2], conferenceData=None)
    world.advance(5)
    assert world.conference("c0").end_after is not None
    assert world.queue.pop_due(world.now + timedelta(days=2))
    world.settle()
    assert_gap_was_found(world, ids)
    assert_quiet(world)


@pytest.mark.scenario(52)
def test_tasks_that_are_delivered_twice_and_backwards_change_nothing() -> None:
    """At least once, and in no order: each one looks at the store, and finds nothing left to do."""
    world, ids = four()
    created = len(world.queue.created)
    for title in ("Renamed", "Renamed again"):
        world.edit(ids[0], summary=title)
        world.advance(30)
    world.delete(ids[1])
    world.settle()
    for task in reversed(world.queue.created[created:]):
        world.run(task)
    world.settle()
    assert titles(world, "c0") == ["Event 0", "Renamed", "Renamed again"]
    assert (titles(world, "c1"), world.now > START) == (["Event 1", None], True)
    assert_quiet(world)


@pytest.mark.scenario(52)
def test_a_channel_that_expired_is_opened_anew_and_its_gap_is_listed() -> None:
    """The scheduler was down for longer than a channel lives; what changed meanwhile is found without a push."""
    world, ids = four()
    before = active_channel(world.calendar())
    world.next_run = world.now + timedelta(days=8)
    world.queue.pop_due(world.now + timedelta(days=9))
    world.now += timedelta(days=8)
    in_the_gap(world, ids)
    assert world.model.open_channels(ANN) == []
    world.advance(600)
    renewed = active_channel(world.calendar())
    assert renewed is not None
    assert renewed != before
    assert len(world.model.open_channels(ANN)) == 1
    assert_gap_was_found(world, ids)


@pytest.mark.scenario(52)
def test_a_channel_is_renewed_before_it_expires_and_no_change_falls_between() -> None:
    """Two weeks, a rename on each day: every one is told at once, and one channel is open at the end."""
    world, ids = four()
    for day in range(8):
        world.edit(ids[0], summary=f"Day {day}")
        world.advance(10)
        assert titles(world, "c0")[-1] == f"Day {day}"
        world.advance(DAY_S - 10)
    assert len(titles(world, "c0")) == 9
    assert len(world.model.open_channels(ANN)) == 1


@pytest.mark.scenario(52)
@pytest.mark.parametrize(
    "forge",
    [
        lambda world: notification(world, Channel_Token="v1.k1.0.forged"),
        lambda world: notification(world, Channel_Token=""),
        lambda world: notification(world, Channel_ID="another-channel"),
    ],
    ids=["forged token", "no token", "token of another channel"],
)
def test_a_foreign_push_starts_nothing(forge: Callable[[World], dict[str, str]]) -> None:
    """Whoever knows the receiver's address cannot make it work."""
    world, _ = four()
    tasks = len(world.queue.created)
    with pytest.raises(NotificationRejected):
        receive(world, forge(world))
    assert len(world.queue.created) == tasks


@pytest.mark.scenario(52)
def test_the_sync_message_may_come_before_the_answer_to_watch() -> None:
    """Nobody knows the channel's resource id yet: the message is genuine, harmless, and the channel opens."""
    world = World()
    original = world.calendar_api.watch_events

    def watch_events(at: Address, **asked: Any) -> WatchedChannel:
        answer = original(at, **asked)
        headers = {
            "X-Goog-Channel-ID": asked["channel_id"],
            "X-Goog-Channel-Token": asked["channel_token"],
            "X-Goog-Resource-ID": answer.resource_id,
            "X-Goog-Resource-State": "sync",
        }
        receive(world, headers)
        return answer

    world.calendar_api.watch_events = watch_events  # type: ignore[method-assign]
    event_id = world.add("Planning", "c1", **LATER)
    world.settle()
    assert len(world.model.open_channels(ANN)) == 1
    world.edit(event_id, summary="Renamed")
    world.settle()
    assert titles(world, "c1") == ["Planning", "Renamed"]
    assert_quiet(world)


@pytest.mark.scenario(52)
def test_a_push_of_one_calendar_never_touches_another() -> None:
    """Bob's calendar is synced, and Ann's waits for its own news."""
    world, ids = four()
    world.initialize(who=BOB)
    world.settle()
    in_the_gap(world, ids)
    world.push(BOB)
    world.advance(60)
    assert verbs(world, "c0") == ["update"]
