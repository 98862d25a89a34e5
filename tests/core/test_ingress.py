"""What becomes of a calendar and its channels where changes are not pushed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from confsync.core.ingress import BY_CHOICE, without_channel
from confsync.core.records import Calendar, Channel, Lease
from confsync.core.rules import Rules

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
POLL, ADDON = Rules(ingress="poll"), Rules(ingress="addon")


def calendar(**changes: Any) -> Calendar:
    """Return an active calendar that is leased, changed."""
    lease = Lease(holder="worker", fence=3, expires_at=NOW + DAY)
    usual = {"key": Calendar.key_for("t", "c", "s"), "tenant": "t", "calendar_id": "c", "subject": "s", "fence": 3}
    return Calendar.model_validate({**usual, "lease": lease, **changes})


def channel(channel_id: str, state: Any = "active", days: int = 1, resource_id: str | None = "r") -> Channel:
    """Return a channel that expires in so many days."""
    ends = {"resource_id": resource_id, "expires_at": NOW + days * DAY if resource_id else None}
    return Channel.model_validate({"id": channel_id, "state": state, "created_at": NOW, "key_id": "k", **ends})


def test_a_polled_calendar_says_that_this_is_by_choice() -> None:
    """Its state changes once, with the fence, and it is due at once; afterwards only the time of the next look."""
    polled = without_channel(calendar(), NOW, POLL)
    assert (polled.state, polled.reason, polled.fence, polled.lease) == ("poll_only", BY_CHOICE, 4, None)
    assert polled.due_at == NOW
    again = without_channel(polled, NOW + DAY, POLL)
    assert again == polled.model_copy(update={"renew_at": again.renew_at})


def test_a_calendar_that_an_addon_announces_stays_active() -> None:
    """Nothing of its sync is touched."""
    announced = without_channel(calendar(), NOW, ADDON)
    assert announced == calendar().model_copy(update={"renew_at": announced.renew_at})


@pytest.mark.parametrize("rules", [POLL, ADDON])
def test_each_is_looked_at_again_within_a_day(rules: Rules) -> None:
    """Spread by the key, so that a thousand are not looked at at once."""
    keys = [Calendar.key_for("t", f"c{n}", "s") for n in range(500)]
    waits = [(without_channel(calendar(key=key), NOW, rules).renew_at or NOW) - NOW for key in keys]
    assert 0.75 * DAY <= min(waits) < 0.76 * DAY
    assert 0.99 * DAY < max(waits) <= DAY


@pytest.mark.parametrize("rules", [POLL, ADDON])
def test_open_channels_are_to_be_stopped_and_no_other_is_kept(rules: Rules) -> None:
    """One that expired is over; one that is being opened is stopped by the renewal that opens it."""
    channels = (
        channel("active"),
        channel("retiring", "retiring"),
        channel("over", days=0),
        channel("pending", "pending", resource_id=None),
    )
    kept = without_channel(calendar(channels=channels), NOW, rules).channels
    assert [(c.id, c.state) for c in kept] == [("active", "retiring"), ("retiring", "retiring")]


def test_a_calendar_that_was_polled_by_choice_becomes_active_with_an_addon() -> None:
    """One that Calendar refuses to watch stays polled: no add-on is known to announce it."""
    by_choice = calendar(state="poll_only", reason=BY_CHOICE)
    active = without_channel(by_choice, NOW, ADDON)
    assert (active.state, active.reason, active.fence, active.lease, active.due_at) == ("active", "", 4, None, NOW)
    refused = calendar(state="poll_only", reason="pushNotSupportedForRequestedResource")
    assert without_channel(refused, NOW, ADDON).state == "poll_only"


@pytest.mark.parametrize("rules", [POLL, ADDON])
@pytest.mark.parametrize("state", ["frozen", "paused"])
def test_a_calendar_that_is_frozen_or_paused_stays_so(rules: Rules, state: str) -> None:
    """What it waits for is something else."""
    kept = without_channel(calendar(state=state, reason="notFound"), NOW, rules)
    assert (kept.state, kept.reason, kept.fence) == (state, "notFound", 3)
    assert kept.renew_at is not None
