"""What an operator makes of a calendar: paused, resumed, removed, synced anew, added again.

    active, frozen, poll_only --a--> paused --b--> active
            |      ^                    |
            |      `---------d----------|-----.
            `---------------c-----------+--> removed --e--> removed, forgotten

    a  nothing is read or watched; the sync token waits, and so does what was to be read
    b  due at once in every respect: its channel first, then what changed since the token
    c  the sync token is gone; events and conferences are remembered for a while, see `forgetting`
    d  added again: everything is listed, and what is remembered is checked against it
    e  nothing of its events is remembered; the record stays, since a fence could still match

Pure transitions of the `Calendar` record. Each of them raises the fence, so that whoever syncs the calendar may write
nothing any more. It must never say anything of a conference: none ends because a calendar is not looked at.
"""

from datetime import datetime, timedelta
from typing import Literal

from confsync.core.channels import sync_at_once, to_be_stopped
from confsync.core.leases import drop_token
from confsync.core.records import Calendar
from confsync.core.rules import Rules

Forget = Literal["later", "now"]
"""When the events and conferences of a removed calendar are forgotten: `later` is after the time of retention."""


def paused(calendar: Calendar, reason: str) -> Calendar:
    """Return the calendar left alone, its channels to be stopped (arrow a)."""
    left_alone = _left_alone(calendar).model_copy(update={"state": "paused", "reason": reason})
    return left_alone.model_copy(update={"due_at": None})


def resumed(calendar: Calendar, now: datetime) -> Calendar:
    """Return the paused calendar active and due, with whatever it knew (arrow b)."""
    return sync_at_once(_active(calendar, now), now)


def removed(calendar: Calendar, forget: Forget, now: datetime, rules: Rules) -> Calendar:
    """Return the calendar without a future, `due_at` the time to forget its events (arrow c)."""
    gone = drop_token(_left_alone(calendar)).model_copy(update={"state": "removed", "reason": ""})
    return forget_at(gone, now if forget == "now" else now + timedelta(seconds=rules.retention_s))


def _left_alone(calendar: Calendar) -> Calendar:
    """What is open is to be stopped; whoever waits for an answer to `watch` finds the channel gone and stops it."""
    retiring = tuple(to_be_stopped(channel) for channel in calendar.channels if channel.state != "pending")
    update = {"fence": calendar.fence + 1, "lease": None, "renew_at": None, "channels": retiring}
    return calendar.model_copy(update=update)


def resynced(calendar: Calendar, now: datetime) -> Calendar:
    """Return the calendar without a sync token, to be listed in full at once, also without access or quota."""
    anew = {"fence": calendar.fence + 1, "lease": None, "quota_until": None}
    dropped = drop_token(calendar).model_copy(update=anew)
    return sync_at_once(dropped, now)


def added_again(calendar: Calendar, now: datetime) -> Calendar:
    """Return the removed calendar active and due; what is remembered of its events is swept by a full listing (d)."""
    return drop_token(_active(calendar, now)).model_copy(update={"due_at": now})


def _active(calendar: Calendar, now: datetime) -> Calendar:
    """Its channel comes first; what went wrong before is forgotten, and waited for no longer."""
    state = {"state": "active", "reason": "", "fence": calendar.fence + 1, "lease": None, "renew_at": now}
    at_ease = {"failed_renewals": 0, "channel_error": "", "failed_syncs": 0, "quota_until": None}
    return calendar.model_copy(update={**state, **at_ease})


def forget_at(calendar: Calendar, at: datetime | None) -> Calendar:
    """Return the removed calendar with what is left of its events to be forgotten at a time."""
    return calendar.model_copy(update={"due_at": at})


def is_to_be_forgotten(calendar: Calendar, now: datetime) -> bool:
    """Whether the events of a removed calendar have been remembered for long enough."""
    return calendar.state == "removed" and calendar.due_at is not None and calendar.due_at <= now


def forgotten(calendar: Calendar) -> Calendar:
    """Return the removed calendar with nothing known of its events (arrow e); added again, it begins as a new one."""
    nothing = {"to_observe": (), "unread": (), "sync_generation": 0, "due_at": None}
    return calendar.model_copy(update=nothing)


def is_forgotten(calendar: Calendar) -> bool:
    """Whether nothing may refer to an event of the calendar any more."""
    return calendar.state == "removed" and calendar.due_at is None
