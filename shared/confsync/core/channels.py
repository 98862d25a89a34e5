"""Push channels: the token that proves a notification genuine, and the life of a channel.

    (none) --a--> pending --b--> active --c--> retiring --d--> (none)
                     |                             ^
                     `--------------e--------------'

    a  stored before `watch` is called, so that no channel can be open and unknown
    b  `watch` answered
    c  a newer channel became active: make before break
    d  `stop` answered, or the channel expired
    e  another renewal was faster; the loser's channel is stopped

No I/O: the keys, the time and the ids come in.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from confsync.core.reconciliation import spread_of
from confsync.core.records import Calendar, Channel
from confsync.core.rules import Rules
from confsync.errors import NotificationRejected

Condition = Callable[[Calendar], bool]

MAX_CHANNELS = 3
"""Channels that a calendar remembers at most; one of them is active."""


@dataclass(frozen=True)
class SigningKey:
    """A key for channel tokens; the first of a list signs, all of them verify."""

    key_id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class PushTerms:
    """Where notifications go, and the keys that prove them genuine."""

    address: str
    """URL of the receiver."""
    keys: tuple[SigningKey, ...]


def sign_channel_token(key: SigningKey, channel_id: str, calendar_key: str) -> str:
    """Return `v1.<key id>.<calendar key>.<HMAC-SHA256 in hex>`, at most 256 characters."""
    return f"v1.{key.key_id}.{calendar_key}.{_mac(key, channel_id, calendar_key)}"


def verify_channel_token(keys: Sequence[SigningKey], channel_id: str, channel_token: str) -> str:
    """Return the calendar key that the token vouches for, compared in constant time.

    Raises:
        NotificationRejected: the token is malformed, forged, or signed by a key that is no longer valid.

    """
    version, key_id, calendar_key, mac = (channel_token.split(".") + [""] * 4)[:4]
    key = next((key for key in keys if key.key_id == key_id), SigningKey(key_id, b"unknown"))
    genuine = hmac.compare_digest(_bytes(_mac(key, channel_id, calendar_key)), _bytes(mac))
    if version != "v1" or channel_token.count(".") != 3 or key not in keys or not genuine:
        raise NotificationRejected("the channel token was not signed by a valid key of ours", 403)
    return calendar_key


def _mac(key: SigningKey, channel_id: str, calendar_key: str) -> str:
    message = _bytes(f"{key.key_id}\n{channel_id}\n{calendar_key}")
    return hmac.new(key.secret, message, hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    """Whatever a header may hold has bytes, and no two texts share them."""
    return text.encode("utf-8", "surrogatepass")


def active_channel(calendar: Calendar) -> Channel | None:
    """Return the channel on which notifications are expected."""
    return next((channel for channel in calendar.channels if channel.state == "active"), None)


def is_ours(calendar: Calendar, channel_id: str, resource_id: str) -> bool:
    """Whether the channel is known, in whatever state; a pending one does not know its resource yet."""
    return any(channel.id == channel_id and channel.resource_id in (None, resource_id) for channel in calendar.channels)


def begin_renewal(calendar: Calendar, new: Channel, now: datetime, rules: Rules) -> Calendar:
    """Return the calendar with a pending channel (arrow a), without expired ones and those that a crash left pending.

    `renew_at` says when to try again, should nobody come back to finish.
    """
    stale = now - timedelta(seconds=2 * rules.renewal_retry_s)
    kept = tuple(c for c in calendar.channels if not is_over(c, now) and not _is_abandoned(c, stale))
    return calendar.model_copy(
        update={"channels": _newest((*kept, new)), "renew_at": now + timedelta(seconds=rules.renewal_retry_s)}
    )


def _newest(channels: Iterable[Channel]) -> tuple[Channel, ...]:
    """Keep the active channel and the newest others; one that is forgotten is stopped when it is heard of again."""
    channels = tuple(channels)
    others = sorted((c for c in channels if c.state != "active"), key=lambda c: c.created_at)
    room = MAX_CHANNELS - (len(channels) - len(others))
    forgotten = {c.id for c in others[: max(0, len(others) - room)]}
    return tuple(c for c in channels if c.id not in forgotten)


def is_over(channel: Channel, now: datetime) -> bool:
    """Whether the channel has expired."""
    return channel.expires_at is not None and channel.expires_at <= now


def _is_abandoned(channel: Channel, stale: datetime) -> bool:
    return channel.state == "pending" and channel.created_at <= stale


def finish_renewal(calendar: Calendar, opened: Channel, replaces: Channel | None, renew_at: datetime) -> Calendar:
    """Return the calendar with `opened` active and the older ones retiring (arrows b, c).

    Another renewal may have finished since `replaces` was read, or a notification have stopped the channel because it
    was forgotten meanwhile: then `opened` is the one that retires (arrow e). Other pending channels are forgotten:
    their renewals lose, or died; a notification through one of them stops it.
    """
    active = active_channel(calendar)
    if active is not None and active.id == opened.id:
        return calendar  # it was finished before
    is_known = any(channel.id == opened.id for channel in calendar.channels)
    lost = not is_known or (active.id if active else None) != (replaces.id if replaces else None)
    others = [c for c in calendar.channels if c.id != opened.id]
    if lost:
        channels = [*others, to_be_stopped(opened)]
        return calendar.model_copy(update={"channels": _newest(channels)})
    known = [c for c in others if c.state != "pending"]
    retired = [to_be_stopped(c) if c.state == "active" else c for c in known]
    opened_at_last = {"failed_renewals": 0, "channel_error": "", "renew_at": renew_at}
    return _watched(calendar).model_copy(update={"channels": _newest((*retired, opened)), **opened_at_last})


def _watched(calendar: Calendar) -> Calendar:
    """Return the calendar as one that can be watched, should it have been one that cannot."""
    if calendar.state != "poll_only":
        return calendar
    return calendar.model_copy(update={"state": "active", "reason": "", "fence": calendar.fence + 1, "lease": None})


def forget_channel(calendar: Calendar, channel_id: str) -> Calendar:
    """Return the calendar without that channel (arrow d)."""
    return calendar.model_copy(update={"channels": tuple(c for c in calendar.channels if c.id != channel_id)})


def retire_channel(calendar: Calendar, channel_id: str, now: datetime) -> Calendar:
    """Return the calendar with that channel to be stopped; where it was the active one, another is opened at once."""
    known = next((channel for channel in calendar.channels if channel.id == channel_id), None)
    if known is None or known.state != "active":
        return calendar
    rest = tuple(to_be_stopped(each) if each.id == channel_id else each for each in calendar.channels)
    return calendar.model_copy(update={"channels": rest, "renew_at": now})


def retry_at(calendar: Calendar, at: datetime) -> Calendar:
    """Return the calendar with its next renewal at `at`."""
    return calendar.model_copy(update={"renew_at": at})


def not_renewed(calendar: Calendar, reason: str, now: datetime, rules: Rules, wait_s: float = 0) -> Calendar:
    """Return the calendar after one more try in vain: the next one comes later each time, after `wait_s` at least.

    Calendars that failed together spread, so that they do not come back together.
    """
    backoff_s = rules.renewal_backoff_s(calendar.failed_renewals) * (0.75 + 0.5 * spread_of(calendar.key))
    failed = {"failed_renewals": calendar.failed_renewals + 1, "channel_error": reason}
    return retry_at(calendar, now + timedelta(seconds=max(backoff_s, wait_s))).model_copy(update=failed)


def poll_only(calendar: Calendar, reason: str, now: datetime, rules: Rules) -> Calendar:
    """Return the calendar as one that cannot be watched, to be synced at once and then at its own interval.

    Whether it can be by now is tried again slowly. Every change of state raises the fence.
    """
    unwatched = {"channels": (), "channel_error": reason, "renew_at": now + timedelta(seconds=rules.watch_again_s)}
    if calendar.state == "poll_only":
        return calendar.model_copy(update={"reason": reason, **unwatched})
    state = {"state": "poll_only", "reason": reason, "fence": calendar.fence + 1, "lease": None, "due_at": now}
    return calendar.model_copy(update={**state, **unwatched})


def sync_at_once(calendar: Calendar, now: datetime) -> Calendar:
    """Return the calendar due now, and a sync asked for: its changes went unannounced for a while."""
    return calendar.model_copy(update={"due_at": now, "requested": calendar.requested + 1})


def needs_channel(calendar: Calendar, now: datetime) -> bool:
    """Whether nothing announces the calendar's changes, nor is anybody about to open a channel."""
    if calendar.state == "poll_only":
        return False
    return not any(
        channel.state in ("active", "pending") and not is_over(channel, now) for channel in calendar.channels
    )


def to_be_stopped(channel: Channel) -> Channel:
    """Return the channel as one that is to be stopped (arrow c, e)."""
    return channel.model_copy(update={"state": "retiring"})


def retiring_channels(calendar: Calendar) -> tuple[Channel, ...]:
    """Return the channels that are to be stopped."""
    return tuple(c for c in calendar.channels if c.state == "retiring")


def renewal_time(calendar_key: str, opened_at: datetime, expires_at: datetime) -> datetime:
    """Return when to renew: a quarter of the life before its end, spread over an eighth by the calendar's key."""
    life = expires_at - opened_at
    return expires_at - life / 4 - life / 8 * spread_of(calendar_key)
