"""What an operator does to a calendar: pause, resume, remove, sync anew.

    store the new state and its fence -> stop or open channels -> ask for a sync, or forget

The state is stored first: whatever breaks off after that is done by the scheduled run, by doing the same again, or by
time. Doing it twice is doing it once. It must never end a conference: none ends because a calendar is not looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from confsync.core import calendar_states, channels, leases, tasks
from confsync.core.calendar_states import Forget
from confsync.core.channels import PushTerms
from confsync.core.records import Calendar, Channel
from confsync.core.rules import Rules
from confsync.errors import CalendarError, UnknownCalendar
from confsync.forget_calendar import Forgotten, forget_calendar
from confsync.open_channel import ChannelOutcome, open_channel
from confsync.ports import Outside, Transaction
from confsync.reading import address_of

Status = Literal[
    "paused", "already paused", "resumed", "not paused", "removed", "already removed", "to be synced anew", "is paused",
    "is removed",
]  # fmt: skip


@dataclass(frozen=True)
class Administered:
    """What became of a calendar."""

    calendar: Calendar
    """As it was stored."""
    status: Status
    channel: ChannelOutcome | None = None
    """How opening its channel went, where that was tried."""
    forgotten: Forgotten | None = None
    """What was forgotten of a removed one, where that was tried."""

    @property
    def is_refused(self) -> bool:
        """Whether the calendar is in no state for what was asked; nothing was changed."""
        return self.status in ("is paused", "is removed")

    @property
    def open_channels(self) -> int:
        """How many channels of a calendar that is left alone could not be stopped; they expire."""
        return len(channels.retiring_channels(self.calendar))


Decision = tuple[Calendar, Status]


def pause_calendar(calendar_key: str, reason: str, outside: Outside) -> Administered:
    """Leave the calendar alone until it is resumed; its sync token, links and conferences stay.

    Raises:
        UnknownCalendar: there is none of this key.
        StoreUnavailable: do it again.

    """

    def decide(calendar: Calendar) -> Decision:
        match calendar.state:
            case "removed":
                return calendar, "is removed"
            case "paused":
                return calendar, "already paused"
            case _:
                return calendar_states.paused(calendar, reason), "paused"

    calendar, status = _decide(calendar_key, decide, outside)
    return Administered(_stop_channels(calendar, outside), status)


def resume_calendar(calendar_key: str, outside: Outside, push: PushTerms, rules: Rules) -> Administered:
    """Open the channel of a paused calendar, then have it synced from the token that it kept.

    Raises:
        UnknownCalendar: there is none of this key.
        StoreUnavailable, TaskQueueError: if it was resumed, the scheduled run goes on; else do it again.

    """

    def decide(calendar: Calendar) -> Decision:
        match calendar.state:
            case "removed":
                return calendar, "is removed"
            case "paused":
                return calendar_states.resumed(calendar, outside.now()), "resumed"
            case _:
                return calendar, "not paused"

    calendar, status = _decide(calendar_key, decide, outside)
    if status != "resumed":
        return Administered(calendar, status)
    channel = open_channel(calendar_key, outside, push, rules)
    outside.task_queue.create(tasks.asked_sync(calendar_key, outside.now()))
    return Administered(calendar, status, channel)


def remove_calendar(calendar_key: str, forget: Forget, outside: Outside, rules: Rules) -> Administered:
    """Stop syncing the calendar for good, and forget its events, now or when the time of retention is over.

    A removed one may be told to forget now. Conferences that no other event holds are forgotten with it; their back
    end is told nothing. Added again before that, it is as it was.

    Raises:
        UnknownCalendar: there is none of this key.
        StoreUnavailable: do it again; the scheduled run goes on with what was to be forgotten.

    """
    now = outside.now()

    def decide(calendar: Calendar) -> Decision:
        if calendar.state != "removed":
            return calendar_states.removed(calendar, forget, now, rules), "removed"
        sooner = forget == "now" and not calendar_states.is_forgotten(calendar)
        return calendar_states.forget_at(calendar, now) if sooner else calendar, "already removed"

    calendar, status = _decide(calendar_key, decide, outside)
    stopped = _stop_channels(calendar, outside)
    forgotten = forget_calendar(calendar_key, outside, rules)
    return Administered(outside.store.get(Calendar, calendar_key) or stopped, status, forgotten=forgotten)


def resync_calendar(calendar_key: str, outside: Outside) -> Administered:
    """Drop the calendar's sync token and have everything listed; a sync under way is superseded.

    Raises:
        UnknownCalendar: there is none of this key.
        StoreUnavailable, TaskQueueError: if the token was dropped, the scheduled run goes on; else do it again.

    """

    def decide(calendar: Calendar) -> Decision:
        match calendar.state:
            case "removed":
                return calendar, "is removed"
            case "paused":
                return calendar, "is paused"
            case _:
                return calendar_states.resynced(calendar, outside.now()), "to be synced anew"

    calendar, status = _decide(calendar_key, decide, outside)
    if status == "to be synced anew":
        outside.task_queue.create(tasks.asked_sync(calendar_key, outside.now()))
    return Administered(calendar, status)


def _decide(calendar_key: str, decide: Callable[[Calendar], Decision], outside: Outside) -> Decision:
    def body(tx: Transaction) -> Decision:
        stored = tx.get(Calendar, calendar_key)
        if stored is None:
            raise UnknownCalendar(f"no calendar has the key {calendar_key}; confsync calendars list shows them")
        changed, status = decide(stored)
        if changed is not stored:
            tx.put(changed)
        return changed, status

    return outside.store.transact(body)


def _stop_channels(calendar: Calendar, outside: Outside) -> Calendar:
    """Stop what is open of a calendar that is left alone; what cannot be stopped expires, or is stopped next time."""
    if leases.is_synced(calendar):
        return calendar
    stopped = [channel for channel in channels.retiring_channels(calendar) if _stop(calendar, channel, outside)]
    return _forget_channels(calendar, stopped, outside) if stopped else calendar


def _stop(calendar: Calendar, channel: Channel, outside: Outside) -> bool:
    try:
        outside.calendar_api.stop_channel(address_of(calendar), channel.id, channel.resource_id or "")
    except CalendarError:
        return channels.is_over(channel, outside.now())
    return True


def _forget_channels(calendar: Calendar, stopped: list[Channel], outside: Outside) -> Calendar:
    forget = [partial(channels.forget_channel, channel_id=channel.id) for channel in stopped]

    def body(tx: Transaction) -> Calendar:
        stored = tx.get(Calendar, calendar.key) or calendar
        for each in forget:
            stored = each(stored)
        tx.put(stored)
        return stored

    return outside.store.transact(body)
