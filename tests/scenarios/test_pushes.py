"""Notifications are lost, doubled, late or forged, channels expire, tasks get lost: the list is the only truth."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from confsync.core.channels import active_channel
from confsync.errors import (
    NotificationRejected,
)
from confsync.ports import Address, WatchedChannel
from confsync.receive_notification import receive_notification
from tests.scenarios.expectations import DAY_S, assert_gap_was_found, assert_quiet, titles, verbs
from tests.scenarios.worlds import four, in_days, in_the_gap
from tests.world import ANN, BOB, PUSH, START, World


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
    event_id = world.add("Planning", "c1", **in_days(9))
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
