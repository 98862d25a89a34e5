"""Open a push channel for a calendar, and retire the one it replaces: make before break.

    store pending -> watch -> store active, the old one retiring -> stop the old one -> forget it

It must never call `watch` for a channel that is not stored, or stop a channel before its successor is stored.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from confsync.core import channels, ingress, leases, refusals
from confsync.core.channels import PushTerms
from confsync.core.records import Calendar, Channel
from confsync.core.rules import Rules
from confsync.errors import CalendarError, CalendarRateLimited
from confsync.ports import Outside, Transaction
from confsync.reading import address_of

Status = Literal["active", "announced", "poll_only", "frozen", "deferred", "superseded", "dropped"]
"""`announced`: no channel is needed, the vendor's add-on says what changed."""


@dataclass(frozen=True)
class ChannelOutcome:
    """How opening a channel went, for the log."""

    status: Status
    reason: str = ""
    lapsed: bool = False
    """Whether no channel was open just before: changes may have gone unannounced."""
    alert: bool = False
    """Whether an operator should hear of it; true once per incident."""
    is_rate_limited: bool = False
    """Whether Calendar takes no more calls for now."""


def open_channel(calendar_key: str, outside: Outside, push: PushTerms, rules: Rules) -> ChannelOutcome:
    """Open a new channel and retire the active one, if any; only retire it where the ingress is another than push.

    Raises:
        StoreUnavailable: `renew_at` makes the next run try again.

    """
    return _open(calendar_key, lambda _: True, outside, push, rules)


def renew_channel(calendar_key: str, outside: Outside, push: PushTerms, rules: Rules) -> ChannelOutcome:
    """Open a new channel if that is due, unless another run began to since it was found due.

    Raises:
        StoreUnavailable: as `open_channel`.

    """
    now = outside.now()
    return _open(calendar_key, lambda c: c.renew_at is not None and c.renew_at <= now, outside, push, rules)


def _open(
    calendar_key: str, is_wanted: channels.Condition, outside: Outside, push: PushTerms, rules: Rules
) -> ChannelOutcome:
    if rules.ingress != "push":
        return _without_channel(calendar_key, is_wanted, outside, rules)
    now = outside.now()
    pending = Channel(id=outside.new_id(), state="pending", created_at=now, key_id=push.keys[0].key_id)
    began = _change(calendar_key, lambda c: channels.begin_renewal(c, pending, now, rules), outside, only_if=is_wanted)
    if began is None:
        return ChannelOutcome("dropped", "the calendar is paused, removed or unknown, or another renewal began")
    try:
        watched = outside.calendar_api.watch_events(
            address_of(began),
            channel_id=pending.id,
            channel_token=channels.sign_channel_token(push.keys[0], pending.id, calendar_key),
            address=push.address,
            ttl_s=rules.channel_ttl_s,
        )
    except CalendarError as error:
        return _not_opened(error, began, pending, outside, rules)
    update = {"state": "active", "resource_id": watched.resource_id, "expires_at": watched.expires_at}
    return _activate(began, pending.model_copy(update=update), watched.expires_at, outside)


def _without_channel(
    calendar_key: str, is_wanted: channels.Condition, outside: Outside, rules: Rules
) -> ChannelOutcome:
    now = outside.now()
    calendar = _change(calendar_key, lambda c: ingress.without_channel(c, now, rules), outside, only_if=is_wanted)
    if calendar is None:
        return ChannelOutcome("dropped", "the calendar is paused, removed or unknown, or another run was faster")
    stop_retiring(calendar, outside)
    if calendar.state == "frozen":
        return ChannelOutcome("frozen", calendar.reason)
    if calendar.state == "poll_only":
        return ChannelOutcome("poll_only", calendar.reason)
    return ChannelOutcome("announced", f"INGRESS={rules.ingress}")


def _activate(calendar: Calendar, opened: Channel, expires_at: datetime, outside: Outside) -> ChannelOutcome:
    replaces, now = channels.active_channel(calendar), outside.now()
    renew_at = channels.renewal_time(calendar.key, opened.created_at, expires_at)
    lapsed = replaces is None or channels.is_over(replaces, now)

    def activate(stored: Calendar) -> Calendar:
        renewed = channels.finish_renewal(stored, opened, replaces, renew_at)
        return channels.sync_at_once(renewed, now) if lapsed else renewed

    finished = _change(calendar.key, activate, outside)
    if finished is None:
        _stop(calendar, opened, outside)
        return ChannelOutcome("dropped", "the calendar was paused or removed meanwhile")
    stop_retiring(finished, outside)
    if channels.active_channel(finished) != opened:
        return ChannelOutcome("superseded", "another renewal was faster")
    return ChannelOutcome("active", lapsed=lapsed)


def _not_opened(
    error: CalendarError, calendar: Calendar, pending: Channel, outside: Outside, rules: Rules
) -> ChannelOutcome:
    now, said = outside.now(), refusals.refusal(error, calendar)
    _change(calendar.key, lambda c: refusals.after_refusal(error, c, pending.id, now, rules), outside)
    is_rate_limited = isinstance(error, CalendarRateLimited)
    return ChannelOutcome(said.status, said.reason, alert=said.alert, is_rate_limited=is_rate_limited)


def stop_retiring(calendar: Calendar, outside: Outside) -> None:
    """Stop the channels that were replaced; one that cannot be stopped now is tried again, or expires."""
    for channel in channels.retiring_channels(calendar):
        if _stop(calendar, channel, outside):
            _change(calendar.key, partial(channels.forget_channel, channel_id=channel.id), outside)


def _stop(calendar: Calendar, channel: Channel, outside: Outside) -> bool:
    try:
        outside.calendar_api.stop_channel(address_of(calendar), channel.id, channel.resource_id or "")
    except CalendarError:
        return False
    return True


def _change(
    calendar_key: str, change: leases.Transition, outside: Outside, only_if: channels.Condition = lambda _: True
) -> Calendar | None:
    """Change the stored calendar; None, and no change, when it is paused, removed, unknown or not as it has to be."""

    def body(tx: Transaction) -> Calendar | None:
        calendar = tx.get(Calendar, calendar_key)
        if calendar is None or not leases.is_synced(calendar) or not only_if(calendar):
            return None
        changed = change(calendar)
        tx.put(changed)
        return changed

    return outside.store.transact(body)
