"""What becomes of a calendar's channels where confsync does not hear of changes by push (`INGRESS`).

    push   a channel announces changes; the calendar is active, or poll_only where Calendar refuses to watch it
    poll   no channel: the calendar is poll_only by choice and synced at its own interval
    addon  no channel: the vendor's add-on announces changes, the calendar is active

`renew_at` stays set in all of them: at that time the calendar is looked at again, so that another `INGRESS` takes hold
of calendars little by little, whichever it was before. Pure transitions; no calendar is ever left without a time at
which somebody looks at it.
"""

from datetime import datetime, timedelta
from typing import Any

from confsync.core.channels import is_over, to_be_stopped
from confsync.core.reconciliation import spread_of
from confsync.core.records import Calendar, Channel
from confsync.core.rules import Rules

BY_CHOICE = "INGRESS=poll"
"""The reason of a calendar that is polled because the operator wants it, not because Calendar refuses."""


def without_channel(calendar: Calendar, now: datetime, rules: Rules) -> Calendar:
    """Return the calendar as an ingress without channels wants it, its open channels to be stopped.

    One whose opening is under way is forgotten: the renewal that opens it loses, and stops it.
    """
    again = now + timedelta(seconds=rules.ingress_again_s * (0.75 + 0.25 * spread_of(calendar.key)))
    retiring = tuple(to_be_stopped(channel) for channel in calendar.channels if _is_open(channel, now))
    return _in_state(calendar, now, rules).model_copy(update={"channels": retiring, "renew_at": again})


def _is_open(channel: Channel, now: datetime) -> bool:
    return channel.resource_id is not None and not is_over(channel, now)


def _in_state(calendar: Calendar, now: datetime, rules: Rules) -> Calendar:
    """Change between active and polled by choice only: a calendar that is frozen or paused stays so.

    With push it is the channel that opens which makes it active, so that it is polled until then.
    """
    if rules.ingress == "poll" and calendar.state == "active":
        return _changed(calendar, now, state="poll_only", reason=BY_CHOICE)
    if rules.ingress == "addon" and (calendar.state, calendar.reason) == ("poll_only", BY_CHOICE):
        return _changed(calendar, now, state="active", reason="")
    return calendar


def _changed(calendar: Calendar, now: datetime, **state: Any) -> Calendar:
    """Every change of state raises the fence; a sync that loses its lease by it is made up for at once."""
    return calendar.model_copy(update={**state, "fence": calendar.fence + 1, "lease": None, "due_at": now})
