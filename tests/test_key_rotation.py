"""A key of the channel tokens is replaced: no notification is refused, and it is said when the old key may go."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from confsync.adapters.memory_tasks import MemoryTaskQueue
from confsync.administer_channels import key_uses, renew_soon, signed_with
from confsync.core.channel_keys import KeyUse
from confsync.core.channels import PushTerms, SigningKey
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.errors import CalendarUnavailable, NotificationRejected
from confsync.initialize_syncing import InitializeRequest, initialize_syncing
from confsync.paging import calendars_of
from confsync.receive_notification import receive_notification
from confsync.renew_channels import renew_channels
from tests.world import ANN, BOB, World

OLD, NEW = SigningKey("k1", b"0123456789abcdef"), SigningKey("k2", b"fedcba9876543210")
LIFE_S = 6 * 3600
RULES = Rules(channel_ttl_s=LIFE_S, reconcile_s=30 * 24 * 3600)
PEOPLE = [ANN, BOB, *(f"user{number}@example.com" for number in range(2))]


class Deployment(World):
    """A world in which receiver and workers have keys of their own, as each was deployed last."""

    def __init__(self, rules: Rules = RULES) -> None:
        """Start with one key everywhere, and a channel for each calendar."""
        super().__init__(rules=rules)
        self.receiver: Sequence[SigningKey] = (OLD,)
        self.workers: Sequence[SigningKey] = (OLD,)
        self.refused: list[tuple[datetime, str]] = []
        for email in PEOPLE[2:]:
            self.model.add_user(email)
        for email in PEOPLE:
            self.begin(email)

    @property
    def terms_of_push(self) -> PushTerms:
        """What the workers sign with."""
        return PushTerms("https://receiver.example.com/", tuple(self.workers))

    def begin(self, email: str) -> None:
        """Let the worker begin to sync somebody's calendar."""
        request = InitializeRequest(
            calendar_id="primary", subject=email, conference_id=None, event_id=None, provider=None
        )
        initialize_syncing(request, self.outside, self.terms, self.terms_of_push)

    def push(self, calendar_id: str) -> None:
        """Send a notification through every open channel, to the receiver as it was deployed last."""
        for channel in self.model.open_channels(calendar_id):
            headers = {
                "X-Goog-Channel-ID": channel.id,
                "X-Goog-Channel-Token": channel.token or "",
                "X-Goog-Resource-ID": channel.resource_id,
                "X-Goog-Resource-State": "exists",
            }
            try:
                receive_notification(headers, self.receiver, MemoryTaskQueue(), self.now, rules=self.rules)
            except NotificationRejected:
                self.refused.append((self.now, channel.id))

    def schedule(self) -> None:
        """Run renew_channels as it was deployed last; every minute each calendar changes, too."""
        renew_channels(self.outside, self.terms_of_push, self.terms)
        for email in PEOPLE:
            self.push(email)

    def uses(self) -> dict[str, KeyUse]:
        """Return what `confsync channels keys` would tell."""
        keys = [key.key_id for key in self.workers]
        found = key_uses(self.store, "default", keys, self.now, self.rules)
        return {use.key_id: use for use in found}

    def renew(self, key: SigningKey) -> int:
        """Do what `confsync channels renew --key` does."""
        is_meant = signed_with(key.key_id, self.now, self.rules)
        return renew_soon(calendars_of(self.store, "default"), is_meant, self.outside)


def signers(world: Deployment) -> set[str]:
    """Return the ids of the keys that signed the active channels."""
    found = world.store.all_of(Calendar, after="", limit=99)
    return {channel.key_id for calendar in found for channel in calendar.channels if channel.state == "active"}


def test_no_notification_is_refused_at_any_moment_of_a_rotation() -> None:
    """Receiver first, then the workers; renew; wait until the old key may go; take it away."""
    world = Deployment(replace(RULES, renewals_per_run=1))
    world.advance(3600)
    world.receiver = (NEW, OLD)
    world.advance(600)  # the workers still sign with the old one
    world.begin(ANN)
    world.workers = (NEW, OLD)
    world.advance(600)
    assert (world.uses()["k1"].channels, world.uses()["k1"].may_go, world.uses()["k2"].signs) == (4, False, True)
    assert world.renew(OLD) == 4
    world.advance(120)  # two runs: each renews one
    assert signers(world) == {"k1", "k2"}
    world.advance(600)
    assert signers(world) == {"k2"}
    assert (world.uses()["k1"].may_go, world.uses()["k2"].channels) == (True, 4)
    world.workers = (NEW,)
    world.advance(60)
    world.receiver = (NEW,)
    world.advance(2 * LIFE_S)
    assert world.refused == []
    assert {len(world.model.open_channels(email)) for email in PEOPLE} == {1}


def test_without_a_hurry_the_renewals_of_a_week_do_it() -> None:
    """`keys` says when the last channel of the old key expires, and it may go by then."""
    world = Deployment()
    world.receiver = world.workers = (NEW, OLD)
    latest = world.uses()["k1"].latest
    assert latest is not None
    world.advance((latest - world.now).total_seconds())
    assert world.uses()["k1"].may_go
    world.workers = world.receiver = (NEW,)
    world.advance(3600)
    assert world.refused == []


def test_an_old_channel_that_cannot_be_stopped_holds_its_key_until_it_expires() -> None:
    """It may still announce something, and be refused."""
    world = Deployment()
    world.receiver = world.workers = (NEW, OLD)

    def refuse(operation: str) -> None:
        if operation == "channels.stop":
            raise CalendarUnavailable("503")

    world.before_calendar = refuse
    world.renew(OLD)
    world.advance(3600)
    use = world.uses()["k1"]
    assert (signers(world), use.may_go) == ({"k2"}, False)
    assert use.latest is not None
    world.advance((use.latest - world.now).total_seconds())
    assert world.uses()["k1"].may_go
    world.workers = world.receiver = (NEW,)
    world.advance(3600)
    assert world.refused == []


def test_workers_first_would_leave_a_gap() -> None:
    """What they sign anew is refused until the receiver follows: why the receiver comes first."""
    world = Deployment()
    world.workers = (NEW, OLD)
    world.renew(OLD)
    world.advance(300)
    assert world.refused


@pytest.mark.parametrize("state", ["paused", "removed"])
def test_a_calendar_that_is_left_alone_holds_no_key(state: str) -> None:
    """Nobody waits for its notifications."""
    world = Deployment()
    world.workers = (NEW, OLD)
    for calendar in world.store.all_of(Calendar, after="", limit=99):
        left = calendar.model_copy(update={"state": state, "renew_at": None})
        world.store.transact(lambda tx, left=left: tx.put(left))  # type: ignore[misc]
    assert world.uses()["k1"].may_go
    assert world.renew(OLD) == 0
