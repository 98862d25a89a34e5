"""Open a push channel for a calendar, and retire the one it replaces: make before break.

    store pending -> watch -> store active, the old one retiring -> stop the old one -> forget it

It must never call `watch` for a channel that is not stored, or stop a channel before its successor is stored.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from confsync.core import calendar_states, channels, leases
from confsync.core.channels import PushTerms
from confsync.core.records import Calendar, Channel
from confsync.core.rules import Rules
from confsync.errors import CalendarAccessLost, CalendarError, CalendarUnavailable, PushNotSupported
from confsync.ports import Outside, Transaction
from confsync.reading import address_of


@dataclass(frozen=True)
class ChannelOutcome:
    """How opening a channel went, for the log."""

    status: Literal["active", "poll_only", "frozen", "deferred", "superseded", "dropped"]
    reason: str = ""
    lapsed: bool = False
    """Whether no channel was open just before: changes may have gone unannounced."""
    alert: bool = False


def open_channel(calendar_key: str, outside: Outside, push: PushTerms, rules: Rules) -> ChannelOutcome:
    """Open a new channel and retire the active one, if any.

    Raises:
        StoreUnavailable: `renew_at` makes the next run try again.

    """
    now = outside.now()
    pending = Channel(id=outside.new_id(), state="pending", created_at=now, key_id=push.keys[0].key_id)
    calendar = _change(calendar_key, lambda c: channels.begin_renewal(c, pending, now, rules), outside)
    if calendar is None:
        return ChannelOutcome("dropped", "the calendar is paused, removed or unknown")
    try:
        watched = outside.calendar_api.watch_events(
            address_of(calendar),
            channel_id=pending.id,
            channel_token=channels.sign_channel_token(push.keys[0], pending.id, calendar_key),
            address=push.address,
            ttl_s=rules.channel_ttl_s,
        )
    except CalendarError as error:
        return _not_opened(error, calendar, pending, outside, rules)
    update = {"state": "active", "resource_id": watched.resource_id, "expires_at": watched.expires_at}
    return _activate(calendar, pending.model_copy(update=update), watched.expires_at, outside)


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
    """Only when Calendar's answer is unknown may the channel be open: then it stays stored as pending for a while."""
    now, reason = outside.now(), error.reason or str(error)
    retry_at = now + timedelta(seconds=error.retry_after_s or rules.renewal_retry_s)
    match error:
        case PushNotSupported():
            _change(calendar.key, lambda c: channels.poll_only(c, reason, now), outside)
            return ChannelOutcome("poll_only", reason, alert=True)
        case CalendarAccessLost():
            _change(calendar.key, lambda c: _without_access(c, pending, reason, now, rules), outside)
            return ChannelOutcome("frozen", reason, alert=calendar.state != "frozen")
        case CalendarUnavailable():
            _change(calendar.key, lambda c: channels.retry_at(c, retry_at), outside)
            return ChannelOutcome("deferred", reason)
        case _:
            _change(
                calendar.key, lambda c: channels.retry_at(channels.forget_channel(c, pending.id), retry_at), outside
            )
            return ChannelOutcome("deferred", reason, alert=True)


def _without_access(calendar: Calendar, pending: Channel, reason: str, now: datetime, rules: Rules) -> Calendar:
    """Freeze the calendar; one that is frozen already keeps the time of its own next try."""
    forgotten = channels.forget_channel(calendar, pending.id)
    frozen = forgotten if calendar.state == "frozen" else leases.freeze(forgotten, reason, now, rules)
    return channels.retry_at(frozen, now + timedelta(seconds=rules.frozen_retry_s))


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


def _change(calendar_key: str, change: leases.Transition, outside: Outside) -> Calendar | None:
    """Change the stored calendar; None, and no change, when it is paused, removed or unknown."""

    def body(tx: Transaction) -> Calendar | None:
        calendar = tx.get(Calendar, calendar_key)
        if calendar is None or not calendar_states.is_synced(calendar):
            return None
        changed = change(calendar)
        tx.put(changed)
        return changed

    return outside.store.transact(body)
