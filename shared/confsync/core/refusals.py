"""What each refusal to open a push channel makes of a calendar, and whether an operator should hear of it.

    PushNotSupported      poll_only   it is polled, and asked again slowly
    CalendarAccessLost    frozen      it is left alone, and asked again slowly
    CalendarUnavailable   deferred    nobody knows whether the channel is open: it stays pending for a while
    any other             deferred    the channel was not opened, and is forgotten

No I/O. It must never forget a channel that may be open.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from confsync.core import channels, leases
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.errors import (
    CalendarAccessLost,
    CalendarError,
    CalendarQuotaExceeded,
    CalendarRateLimited,
    CalendarUnavailable,
    ChannelIdTaken,
    PushNotSupported,
)


@dataclass(frozen=True)
class Refusal:
    """What is to be said of a refusal."""

    status: Literal["poll_only", "frozen", "deferred"]
    reason: str
    alert: bool
    """Whether an operator should hear of it; true once per incident."""


def refusal(error: CalendarError, calendar: Calendar) -> Refusal:
    """Return what is to be said, given the calendar as it was when it asked; what passes by itself is no incident."""
    reason = _reason(error)
    is_news = reason not in (calendar.channel_error, calendar.reason)
    match error:
        case PushNotSupported():
            return Refusal("poll_only", reason, is_news)
        case CalendarAccessLost():
            return Refusal("frozen", reason, is_news and calendar.state != "frozen")
        case CalendarUnavailable() | CalendarRateLimited() | ChannelIdTaken():
            return Refusal("deferred", reason, alert=False)
        case _:
            return Refusal("deferred", reason, is_news)


def after_refusal(error: CalendarError, calendar: Calendar, channel_id: str, now: datetime, rules: Rules) -> Calendar:
    """Return the calendar after Calendar refused to open the pending channel of this id, to be asked again later."""
    reason, wait_s = _reason(error), error.retry_after_s or 0
    match error:
        case PushNotSupported():
            return channels.poll_only(calendar, reason, now, rules)
        case CalendarUnavailable():
            return channels.not_renewed(calendar, reason, now, rules, wait_s)
        case CalendarAccessLost():
            return _without_access(channels.forget_channel(calendar, channel_id), reason, now, rules)
        case CalendarQuotaExceeded():
            wait_s = max(wait_s, rules.quota_pause_s)
    return channels.not_renewed(channels.forget_channel(calendar, channel_id), reason, now, rules, wait_s)


def _reason(error: CalendarError) -> str:
    return error.reason or str(error)


def _without_access(calendar: Calendar, reason: str, now: datetime, rules: Rules) -> Calendar:
    """Freeze the calendar; one that is frozen already keeps the time of its own next try.

    The reason stays until a channel is opened: a calendar that can be listed but not watched thaws and freezes again,
    and that is no news.
    """
    refused = calendar.model_copy(update={"channel_error": reason})
    frozen = refused if calendar.state == "frozen" else leases.freeze(refused, reason, now, rules)
    return channels.retry_at(frozen, now + timedelta(seconds=rules.frozen_retry_s))
