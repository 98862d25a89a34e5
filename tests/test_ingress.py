"""Three ways to hear of a change, one sync: by push, by the vendor's add-on, by polling; and from one to another."""

from dataclasses import replace
from datetime import timedelta

import pytest

from confsync.core.ingress import BY_CHOICE
from confsync.core.reconciliation import reconcile_time
from confsync.core.records import Calendar
from confsync.core.rules import Ingress, Rules
from confsync.errors import CalendarUnavailable, PushNotSupported
from confsync.open_channel import open_channel, renew_channel
from confsync.receive_addon_notification import receive_addon_notification
from confsync.renew_channels import renew_channels
from tests.test_receive_addon_notification import TERMS, Words, sent
from tests.world import ANN, PUSH, START, World, times

DAY = 24 * 3600


class AddonWorld(World):
    """A world whose calendars an add-on is subscribed to, too: Google calls it with each change."""

    def push(self, calendar_id: str) -> None:
        """Send Calendar's own notifications, and the add-on's in the owner's name."""
        super().push(calendar_id)
        if calendar_id == ANN and self.rules.ingress == "addon":
            addon, event = replace(TERMS, tenant="default"), sent(calendar_id)
            receive_addon_notification(event, addon, Words(), self.queue, self.now, rules=self.rules)


def world_of(ingress: Ingress) -> AddonWorld:
    """Return a world where changes are announced so."""
    return AddonWorld(rules=Rules(ingress=ingress))


def switch(world: World, ingress: Ingress) -> None:
    """Deploy anew with another INGRESS."""
    world.rules = replace(world.rules, ingress=ingress)
    world.terms = replace(world.terms, rules=world.rules)


@pytest.mark.parametrize(("ingress", "within_s"), [("push", 10), ("addon", 10), ("poll", 900 + 90)])
def test_a_change_leads_to_the_same_sync_however_it_is_announced(ingress: Ingress, within_s: float) -> None:
    """The back end is told, the end after its grace, and the store says the same of the event."""
    world = world_of(ingress)
    event_id, gone = world.add("Planning", "c1"), world.add("Review", "c2")
    world.advance(within_s)
    world.edit(event_id, summary="Planning II")
    world.delete(gone)
    world.advance(within_s)
    assert world.told("c1").title == "Planning II"
    world.advance(world.rules.grace_s + 30)
    assert world.told("c2") is None
    link = world.link(event_id)
    assert link is not None
    assert link.conference_key == world.conference("c1").key
    assert not world.failures()


def test_what_an_addon_announces_is_told_before_any_poll() -> None:
    """The task is made by the notification: with it lost, only the reconciliation finds the change."""
    world = world_of("addon")
    event_id = world.add("Planning", "c1")
    world.settle()
    world.lose_pushes = True
    world.edit(event_id, summary="Unannounced")
    world.advance(2 * world.rules.poll_s)
    assert world.told("c1").title == "Planning"
    world.advance(world.rules.reconcile_s)
    assert world.told("c1").title == "Unannounced"


@pytest.mark.parametrize("ingress", ["poll", "addon"])
def test_a_calendar_without_push_is_never_watched(ingress: Ingress) -> None:
    """Neither when it is registered nor in the month after, and nobody is alarmed."""
    world = world_of(ingress)
    first, again = world.initialize(), world.initialize()
    expected = {"poll": ("poll_only", BY_CHOICE), "addon": ("announced", "INGRESS=addon")}[ingress]
    assert [(o.channel.status, o.channel.reason, o.channel.alert) for o in (first, again)] == [(*expected, False)] * 2
    assert first.is_complete
    for _ in range(30):
        world.advance(DAY)
        assert not renew_channels(world.outside, PUSH, world.terms).alert
    assert "events.watch" not in world.calendar_calls
    assert world.calendar().state == ("poll_only" if ingress == "poll" else "active")


def test_a_polled_calendar_is_listed_once_an_interval() -> None:
    """And a quiet one that an add-on announces at the interval of the reconciliation."""
    listed = {}
    for ingress in ("poll", "addon"):
        world = world_of(ingress)
        world.initialize()
        world.settle()
        world.calendar_calls.clear()
        world.advance(DAY)
        listed[ingress] = world.calendar_calls.count("events.list")
    assert DAY / 900 <= listed["poll"] <= DAY / 900 / 0.7
    assert 4 <= listed["addon"] <= 6


@pytest.mark.parametrize("ingress", ["poll", "addon"])
def test_channels_that_are_open_are_stopped_when_they_are_due(ingress: Ingress) -> None:
    """Until then they announce changes as before; no change is lost on the way."""
    world = world_of("push")
    event_id = world.add("Planning", "c1", **times(START + timedelta(days=30)))
    world.settle()
    switch(world, ingress)
    assert len(world.model.open_channels(ANN)) == 1
    for day in range(8):
        world.edit(event_id, summary=f"Day {day}")
        world.advance(world.rules.poll_s + 90)
        assert world.told("c1").title == f"Day {day}"
        world.advance(DAY)
    assert not world.model.open_channels(ANN)
    assert not world.calendar().channels
    assert world.calendar_calls.count("channels.stop") == 1
    assert world.calendar_calls.count("events.watch") == 1


def test_a_channel_that_cannot_be_stopped_now_is_stopped_later() -> None:
    """It stays known until then."""
    world = world_of("push")
    world.initialize()
    switch(world, "poll")

    def refuse(operation: str) -> None:
        if operation == "channels.stop":
            raise CalendarUnavailable("503")

    world.before_calendar = refuse
    world.advance(6 * DAY)
    assert [channel.state for channel in world.calendar().channels] == ["retiring"]
    world.before_calendar = lambda _: None
    world.advance(DAY)
    assert not world.calendar().channels
    assert not world.model.open_channels(ANN)


@pytest.mark.parametrize("before", ["poll", "addon"])
def test_push_takes_hold_again_by_itself(before: Ingress) -> None:
    """Within a day each calendar has a channel again, and what happened meanwhile is told."""
    world = world_of(before)
    event_id = world.add("Planning", "c1")
    world.settle()
    switch(world, "push")
    world.edit(event_id, summary="Meanwhile")
    world.advance(DAY + 120)
    assert (world.calendar().state, world.calendar().reason) == ("active", "")
    assert len(world.model.open_channels(ANN)) == 1
    assert world.told("c1").title == "Meanwhile"
    world.edit(event_id, summary="Pushed")
    world.advance(10)
    assert world.told("c1").title == "Pushed"


def test_push_may_turn_out_to_be_refused() -> None:
    """Then the calendar is polled as before, for another reason."""
    world = world_of("poll")
    world.initialize()
    switch(world, "push")

    def refuse(operation: str) -> None:
        if operation == "events.watch":
            raise PushNotSupported("no", reason="pushNotSupportedForRequestedResource")

    world.before_calendar = refuse
    world.advance(DAY + 120)
    assert (world.calendar().state, world.calendar().reason) == (
        "poll_only",
        "pushNotSupportedForRequestedResource",
    )


def test_an_addon_takes_over_from_polling() -> None:
    """Within a day the calendar is announced, no longer polled."""
    world = world_of("poll")
    world.initialize()
    switch(world, "addon")
    world.advance(DAY + 120)
    assert world.calendar().state == "active"
    assert (world.calendar().due_at or world.now) > world.now + timedelta(seconds=world.rules.poll_s)


@pytest.mark.parametrize("ingress", ["poll", "addon"])
def test_a_frozen_calendar_is_told_as_such(ingress: Ingress) -> None:
    """Nothing would announce or list its changes."""
    world = world_of(ingress)
    world.initialize()
    frozen = world.calendar().model_copy(update={"state": "frozen", "reason": "notFound"})
    world.store.transact(lambda tx: tx.put(frozen))
    outcome = open_channel(frozen.key, world.outside, PUSH, world.rules)
    assert (outcome.status, outcome.reason) == ("frozen", "notFound")


def test_two_runs_look_at_a_calendar_once() -> None:
    """The slower one finds that it is not due any more."""
    world = world_of("poll")
    world.initialize()
    stored = world.calendar()
    assert renew_channel(stored.key, world.outside, PUSH, world.rules).status == "dropped"
    assert world.calendar() == stored


def test_a_calendar_is_polled_before_its_state_says_so() -> None:
    """Since INGRESS was set, or access came back, its channel may not have been looked at."""
    active = Calendar(key="f" * 32, tenant="t", calendar_id="c", subject=ANN)
    assert reconcile_time(active, START, Rules(ingress="poll")) == START + timedelta(seconds=Rules.poll_s)
    assert reconcile_time(active, START, Rules(ingress="addon")) == START + timedelta(seconds=Rules.reconcile_s)


def test_a_removed_calendar_is_left_alone() -> None:
    """Neither its state nor the time of its next look changes."""
    world = world_of("poll")
    world.initialize()
    removed = world.calendar().model_copy(update={"state": "removed"})
    world.store.transact(lambda tx: tx.put(removed))
    assert open_channel(removed.key, world.outside, PUSH, world.rules).status == "dropped"
    assert world.calendar() == removed


def test_a_calendar_that_was_frozen_is_polled_again_at_once() -> None:
    """Its access came back: it is not left to the reconciliation."""
    world = world_of("poll")
    world.initialize()
    frozen = world.calendar().model_copy(update={"state": "frozen", "reason": "notFound", "due_at": world.now})
    world.store.transact(lambda tx: tx.put(frozen))
    world.settle()
    world.calendar_calls.clear()
    world.advance(world.rules.poll_s + 90)
    assert world.calendar_calls.count("events.list") >= 1
    world.advance(DAY)
    assert world.calendar().state == "poll_only"
