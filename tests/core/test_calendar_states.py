"""What an operator makes of a calendar, as transitions of its record."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.core import calendar_states as states
from confsync.core import leases
from confsync.core.channel_keys import expiry, live_channels, uses_of_keys
from confsync.core.channels import retire_channel
from confsync.core.records import Calendar, Channel, Checkpoint, Lease
from confsync.core.rules import Rules
from tests.core.story import DAY, HERE, NOW, RULES

TRANSITIONS = {
    "paused": lambda calendar: states.paused(calendar, "why"),
    "resumed": lambda calendar: states.resumed(calendar, NOW),
    "removed": lambda calendar: states.removed(calendar, "later", NOW, RULES),
    "resynced": lambda calendar: states.resynced(calendar, NOW),
    "added again": lambda calendar: states.added_again(calendar, NOW),
}


def channel(number: int, state: str, key_id: str = "k1", **fields: object) -> Channel:
    """Return a channel that expires in so many days."""
    known = {"id": f"c{number}", "state": state, "created_at": NOW, "key_id": key_id, "resource_id": "r"}
    return Channel.model_validate({**known, "expires_at": NOW + number * DAY, **fields})


def calendar(**fields: object) -> Calendar:
    """Return a calendar in the middle of a listing, with all kinds of channels."""
    known: dict[str, object] = {
        "key": HERE,
        "tenant": "default",
        "calendar_id": "ann@example.com",
        "subject": "ann@example.com",
        "fence": 7,
        "lease": Lease(holder="h", fence=7, expires_at=NOW),
        "sync_token": "t",
        "sync_generation": 3,
        "requested": 4,
        "checkpoint": Checkpoint(listing_version="1", started_at=NOW, requested=4),
        "to_observe": ("e1",),
        "channels": (channel(1, "retiring"), channel(2, "active"), channel(3, "pending", expires_at=None)),
        "renew_at": NOW + DAY,
        "due_at": NOW + DAY,
    }
    return Calendar.model_validate({**known, **fields})


@pytest.mark.parametrize("name", TRANSITIONS)
@given(fence=st.integers(0, 9), state=st.sampled_from(["active", "frozen", "poll_only", "paused", "removed"]))
def test_each_change_raises_the_fence_and_drops_the_lease(name: str, fence: int, state: str) -> None:
    """Whoever syncs the calendar may write nothing any more."""
    changed = TRANSITIONS[name](calendar(fence=fence, state=state))
    assert (changed.fence, changed.lease) == (fence + 1, None)


@pytest.mark.parametrize("name", ["paused", "removed"])
def test_a_calendar_that_is_left_alone_retires_what_may_be_open(name: str) -> None:
    """A channel that is just being opened is stopped by whoever opens it."""
    changed = TRANSITIONS[name](calendar())
    assert [(each.id, each.state) for each in changed.channels] == [("c1", "retiring"), ("c2", "retiring")]
    assert (changed.renew_at, leases.is_synced(changed)) == (None, False)


def test_a_pause_keeps_what_a_resume_goes_on_with() -> None:
    """The sync token, the listing under way, and what is to be read."""
    before = calendar()
    changed = states.paused(before, "why")
    assert (changed.state, changed.reason, changed.due_at) == ("paused", "why", None)
    kept = ("sync_token", "checkpoint", "to_observe", "sync_generation", "requested")
    assert all(getattr(changed, name) == getattr(before, name) for name in kept)
    again = states.resumed(changed, NOW)
    assert (again.state, again.reason, again.due_at, again.renew_at) == ("active", "", NOW, NOW)
    assert again.requested == before.requested + 1


def test_a_removal_drops_the_token_and_says_when_to_forget() -> None:
    """Later is when nobody could restore an event any more."""
    changed = states.removed(calendar(reason="why"), "later", NOW, RULES)
    assert (changed.state, changed.reason, changed.sync_token, changed.checkpoint) == ("removed", "", None, None)
    assert changed.due_at == NOW + timedelta(seconds=RULES.retention_s)
    assert states.removed(calendar(), "now", NOW, RULES).due_at == NOW


def test_what_is_to_be_forgotten_is_due() -> None:
    """From that moment on, until it is forgotten; never of a calendar that is synced."""
    gone = states.removed(calendar(), "later", NOW, RULES)
    assert gone.due_at is not None
    assert not states.is_to_be_forgotten(gone, gone.due_at - timedelta(seconds=1))
    assert states.is_to_be_forgotten(gone, gone.due_at)
    assert not states.is_to_be_forgotten(calendar(due_at=NOW), NOW)
    assert not states.is_forgotten(gone)
    over = states.forgotten(gone)
    assert (over.to_observe, over.unread, over.sync_generation, over.due_at) == ((), (), 0, None)
    assert states.is_forgotten(over)
    assert not states.is_to_be_forgotten(over, NOW + 99 * DAY)
    assert not states.is_forgotten(calendar(due_at=None))


def test_a_calendar_that_is_added_again_is_due_in_every_respect() -> None:
    """It lists everything, since something is remembered of it."""
    again = states.added_again(states.removed(calendar(), "later", NOW, RULES), NOW)
    assert (again.state, again.sync_token, again.due_at, again.renew_at) == ("active", None, NOW, NOW)
    assert (again.sync_generation, again.to_observe) == (3, ("e1",))


def test_a_resync_drops_the_token_whatever_the_state() -> None:
    """A frozen calendar stays so, and is tried at once."""
    changed = states.resynced(calendar(state="frozen", reason="notFound"), NOW)
    assert (changed.state, changed.sync_token, changed.checkpoint) == ("frozen", None, None)
    assert (changed.due_at, changed.requested) == (NOW, 5)


def test_only_the_active_channel_is_retired_and_replaced_at_once() -> None:
    """Another one is stopped without that."""
    before = calendar()
    changed = retire_channel(before, "c2", NOW)
    assert [each.state for each in changed.channels] == ["retiring", "retiring", "pending"]
    assert changed.renew_at == NOW
    assert all(retire_channel(before, name, NOW) == before for name in ("c1", "c3", "unknown"))


def test_a_key_is_used_while_a_channel_of_it_may_announce_something() -> None:
    """Retiring ones too; of a pending one Calendar has not told yet when it expires."""
    rules = Rules()
    uses = {use.key_id: use for use in uses_of_keys([calendar()], ["k2", "k1"], NOW, rules)}
    assert list(uses) == ["k2", "k1"]
    assert (uses["k1"].channels, uses["k1"].latest) == (3, NOW + timedelta(seconds=rules.channel_ttl_s))
    assert (uses["k1"].may_go, uses["k2"].signs, uses["k2"].may_go) == (False, True, False)


def test_a_key_may_go_when_its_last_channel_expired() -> None:
    """Not before; and the one that signs, never."""
    found = calendar(channels=(channel(1, "active"),))
    for moment, may_go in ((NOW + DAY - timedelta(seconds=1), False), (NOW + DAY, True)):
        _, old = uses_of_keys([found], ["k2", "k1"], moment, RULES)
        assert old.may_go is may_go
    (signing,) = uses_of_keys([found], ["k1"], NOW + DAY, RULES)
    assert not signing.may_go


def test_a_key_that_no_setting_knows_is_shown() -> None:
    """It went too soon."""
    _, missing = uses_of_keys([calendar()], ["k2"], NOW, RULES)
    assert (missing.key_id, missing.is_known, missing.may_go) == ("k1", False, False)


def test_a_pending_channel_is_over_when_it_could_be_open_no_longer() -> None:
    """Nobody came back to finish it."""
    pending = channel(1, "pending", expires_at=None)
    found = calendar(channels=(pending,))
    assert list(live_channels(found, NOW, RULES)) == [pending]
    assert list(live_channels(found, expiry(pending, RULES), RULES)) == []
    assert list(live_channels(calendar(state="paused"), NOW, RULES)) == []
