"""What the scheduler runs every minute: renew channels before they lapse, start whatever is overdue in the store.

The store is the truth and a task only an accelerator: any task may be lost at any moment, and this run finds what it
was for. It must never do the work itself, only start it; channels are the exception, since nobody else owns them.
Runs may overlap: each channel is renewed by one of them, and a task's name makes it one task.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from confsync.core import tasks
from confsync.core.channels import PushTerms, active_channel
from confsync.core.conference import Conference
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.core.tasks import Task
from confsync.core.terms import Terms
from confsync.errors import StoreUnavailable
from confsync.open_channel import ChannelOutcome, renew_channel
from confsync.ports import Outside

R = TypeVar("R", Calendar, Conference)

PAGE = 200
"""Records that are read and dealt with at a time: what a run holds in memory does not depend on what is due."""
MOST_ALERTS_NAMED = 10


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

    @property
    def alert(self) -> bool:
        """Whether an operator should hear of a channel."""
        return bool(self.channels.alerts)


def renew_channels(outside: Outside, push: PushTerms, terms: Terms) -> RenewalOutcome:
    """Do what is due, the oldest first, as much as one run may; channels first, since no task is needed for them.

    Only what is due to the tenant of these terms: another's is its own deployment's, and takes nothing of this run.
    In the mode `observe` no conference is started: what waits for one stays due, and the first run in `act` finds it.

    Raises:
        StoreUnavailable, TaskQueueError: the next run goes on.

    """
    renewals, left = _renew(outside, push, terms)
    syncs = _start_overdue(outside.store.calendars_due, tasks.overdue_sync, outside, terms)
    updates = _Started()
    if terms.rules.mode == "act":
        updates = _start_overdue(outside.store.conferences_due, tasks.overdue_update, outside, terms)
    return RenewalOutcome(renewals, syncs.tasks, updates.tasks, more=left or syncs.more or updates.more)


def _renew(outside: Outside, push: PushTerms, terms: Terms) -> tuple[Renewals, bool]:
    """Renew until nothing is due or the run is over; whether something is left."""
    rules, renewals = terms.rules, Renewals()
    stop_at = outside.now() + timedelta(seconds=rules.run_s)

    def renew(key: str) -> tuple[str, ChannelOutcome] | None:
        """When Calendar is slow a page takes long; what is overdue otherwise is not to wait for the whole of it."""
        return (key, _renew_one(key, outside, push, rules)) if outside.now() < stop_at else None

    for page in _pages_due(outside, terms):
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


def _pages_due(outside: Outside, terms: Terms) -> Iterator[list[Calendar]]:
    """Yield calendars whose channel is due, most urgent first, up to what one run may renew.

    Whatever was renewed is due no more, so the next page is what comes first then; what is due all the same, because
    another run has just begun it or its time passed meanwhile, is left to the next run.
    """
    seen: set[str] = set()
    while (room := terms.rules.renewals_per_run - len(seen)) > 0:
        due = outside.store.channels_due(terms.tenant, outside.now(), min(PAGE, room))
        page = [calendar for calendar in due if calendar.key not in seen]
        if not page:
            return
        yield page
        seen.update(calendar.key for calendar in page)


@dataclass(frozen=True)
class _Started:
    tasks: int = 0
    """Made by this run; those that wait already are not made twice."""
    more: bool = False


class _Due(Protocol[R]):
    """How the store is asked for what is due, a page at a time."""

    def __call__(self, tenant: str, before: datetime, limit: int, after: R | None = None) -> list[R]: ...


def _start_overdue(due: _Due[R], task_of: Callable[[R, datetime], Task], outside: Outside, terms: Terms) -> _Started:
    """Start what is overdue, the oldest first, as much as one run may, in pages."""
    now, rules, last = outside.now(), terms.rules, None
    overdue, looked_at, started = now - timedelta(seconds=rules.overdue_s), 0, 0
    while looked_at < rules.starts_per_run:
        limit = min(PAGE, rules.starts_per_run - looked_at)
        page = due(terms.tenant, overdue, limit, last)
        started += _start([task_of(record, now) for record in page], outside)
        if len(page) < limit:
            return _Started(started)
        looked_at, last = looked_at + limit, page[-1]
    return _Started(started, more=True)


def _start(started: Iterable[Task], outside: Outside) -> int:
    """Make the tasks that were not made before; return how many."""
    return sum(outside.at_once(outside.task_queue.create, started))
