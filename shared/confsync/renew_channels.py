"""What the scheduler runs every minute: renew channels before they lapse, start whatever is overdue in the store.

The store is the truth and a task only an accelerator: any task may be lost at any moment, and this run finds what it
was for. It must never do the work itself, only start it; channels are the exception, since nobody else owns them.
Runs may overlap: each channel is renewed by one of them, and a task's name makes it one task.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

from confsync.core import tasks
from confsync.core.channels import PushTerms, active_channel
from confsync.core.conference import Conference
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.core.tasks import Task
from confsync.core.terms import Terms
from confsync.due import MOST_UNREADABLE, Noted, Query, pages_due
from confsync.errors import StoreUnavailable
from confsync.open_channel import ChannelOutcome, renew_channel
from confsync.ports import Outside

R = TypeVar("R", Calendar, Conference)

MOST_ALERTS_NAMED: Final = 10


@dataclass
class Renewals:
    """How the renewals of one run went, for the log."""

    statuses: Counter[str] = field(default_factory=Counter)
    """How many calendars by what became of their channel."""
    lapsed: int = 0
    """How many had no open channel just before."""
    alerts: list[tuple[str, str]] = field(default_factory=list)
    """Calendar key and reason of the first few that an operator should hear of."""
    is_rate_limited: bool = False
    """Whether the run stopped because Calendar takes no more calls for now."""
    oldest_age_s: float | None = None
    """How old the oldest channel was that was due, before the run; without those of frozen calendars. None: none."""

    def meet(self, due: Iterable[Calendar], now: datetime) -> None:
        """Take the ages of channels that are to be renewed; of a frozen calendar somebody has heard already."""
        active = (active_channel(calendar) for calendar in due if calendar.state != "frozen")
        ages = [(now - channel.created_at).total_seconds() for channel in active if channel]
        self.oldest_age_s = max([*ages, self.oldest_age_s or 0]) or None

    def add(self, calendar_key: str, outcome: ChannelOutcome) -> None:
        """Count one."""
        self.statuses[outcome.status] += 1
        self.lapsed += outcome.lapsed
        self.is_rate_limited |= outcome.is_rate_limited
        if outcome.alert and len(self.alerts) < MOST_ALERTS_NAMED:
            self.alerts.append((calendar_key, f"{outcome.status}: {outcome.reason}"))


@dataclass(frozen=True)
class RenewalOutcome:
    """What one run did, for the log."""

    channels: Renewals
    syncs_started: int
    """How many overdue syncs got a task; those whose task may still wait in the queue get none."""
    updates_started: int
    """The same of overdue updates."""
    more: bool
    """Whether something that is due was left to the next run."""
    unreadable: int = 0
    """How many records are due and cannot be read: each run says so until an operator has mended them."""
    unreadable_named: tuple[str, ...] = ()
    """The first few of them: kind, key, what is wrong, and the way out."""

    @property
    def alert(self) -> bool:
        """Whether an operator should hear of a channel, or of a record that cannot be read."""
        return bool(self.channels.alerts or self.unreadable)


def renew_channels(outside: Outside, push: PushTerms, terms: Terms) -> RenewalOutcome:
    """Do what is due, the oldest first, as much as one run may; channels first, since no task is needed for them.

    Only what is due to the tenant of these terms: another's is its own deployment's, and takes nothing of this run.
    In the mode `observe` no conference is started: what waits for one stays due, and the first run in `act` finds it.

    Raises:
        StoreUnavailable, TaskQueueError: the next run goes on.

    """
    unreadable: Noted = {}
    renewals, left = _renew(outside, push, terms, unreadable)
    syncs = _start_overdue(outside.store.calendars_due, tasks.overdue_sync, outside, terms, unreadable)
    updates = _Started()
    if terms.rules.mode == "act":
        updates = _start_overdue(outside.store.conferences_due, tasks.overdue_update, outside, terms, unreadable)
    return RenewalOutcome(
        renewals,
        syncs.tasks,
        updates.tasks,
        more=left or syncs.more or updates.more or len(unreadable) >= MOST_UNREADABLE,
        unreadable=len(unreadable),
        unreadable_named=tuple(each.reason for each in islice(unreadable.values(), MOST_ALERTS_NAMED)),
    )


def _renew(outside: Outside, push: PushTerms, terms: Terms, unreadable: Noted) -> tuple[Renewals, bool]:
    """Renew until nothing is due or the run is over; whether something is left."""
    rules, renewals = terms.rules, Renewals()
    began = outside.now()
    stop_at = began + timedelta(seconds=rules.run_s)

    def renew(key: str) -> tuple[str, ChannelOutcome] | None:
        """When Calendar is slow a page takes long; what is overdue otherwise is not to wait for the whole of it."""
        return (key, _renew_one(key, outside, push, rules)) if outside.now() < stop_at else None

    for page in pages_due(outside.store.channels_due, terms.tenant, began, rules.renewals_per_run, unreadable):
        if renewals.is_rate_limited or outside.now() >= stop_at:
            return renewals, True
        renewals.meet(page, outside.now())
        renewed = [each for each in outside.at_once(renew, [calendar.key for calendar in page]) if each is not None]
        for key, outcome in renewed:
            renewals.add(key, outcome)
        lapsed = (key for key, outcome in renewed if outcome.lapsed)
        _start((tasks.asked_sync(key, outside.now()) for key in lapsed), outside)
        if len(renewed) < len(page):
            return renewals, True
    return renewals, renewals.statuses.total() >= rules.renewals_per_run


def _renew_one(key: str, outside: Outside, push: PushTerms, rules: Rules) -> ChannelOutcome:
    """What the store cannot do for one calendar must not hold up the others, nor the sweep."""
    try:
        return renew_channel(key, outside, push, rules)
    except StoreUnavailable as error:
        return ChannelOutcome("deferred", str(error))


@dataclass(frozen=True)
class _Started:
    tasks: int = 0
    """Made by this run; those that wait already are not made twice."""
    more: bool = False


def _start_overdue(
    query: Query[R], task_of: Callable[[R, datetime], Task], outside: Outside, terms: Terms, unreadable: Noted
) -> _Started:
    """Start what is overdue, the oldest first, as much as one run may, in pages."""
    now, most = outside.now(), terms.rules.starts_per_run
    overdue, looked_at, started = now - timedelta(seconds=terms.rules.overdue_s), 0, 0
    for page in pages_due(query, terms.tenant, overdue, most, unreadable):
        started += _start([task_of(record, now) for record in page], outside)
        looked_at += len(page)
    return _Started(started, more=looked_at >= most)


def _start(started: Iterable[Task], outside: Outside) -> int:
    """Make the tasks that were not made before; return how many."""
    return sum(outside.at_once(outside.task_queue.create, started))
