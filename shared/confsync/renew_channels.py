"""What the scheduler runs every minute: renew channels before they lapse, start whatever is overdue in the store.

The store is the truth and a task only an accelerator: any task may be lost at any moment, and this run finds what it
was for. It must never do the work itself, only start it; channels are the exception, since nobody else owns them.
"""

from dataclasses import dataclass
from datetime import timedelta

from confsync.core import tasks
from confsync.core.channels import PushTerms
from confsync.core.terms import Terms
from confsync.open_channel import ChannelOutcome, open_channel
from confsync.ports import Outside


@dataclass(frozen=True)
class RenewalOutcome:
    """What one run did, for the log."""

    channels: tuple[tuple[str, ChannelOutcome], ...]
    """Calendar key and how the renewal of its channel went."""
    syncs_started: int
    updates_started: int
    more: bool
    """Whether something that is due was left to the next run."""

    @property
    def alert(self) -> bool:
        """Whether an operator should hear of a channel."""
        return any(channel.alert for _, channel in self.channels)


def renew_channels(outside: Outside, push: PushTerms, terms: Terms) -> RenewalOutcome:
    """Do what is due, the oldest first, as much as one run may; channels first, since no task is needed for them.

    Only what is due to the tenant of these terms: another's is its own deployment's, and takes nothing of this run.
    In the mode `observe` no conference is started: what waits for one stays due, and the first run in `act` finds it.

    Raises:
        StoreUnavailable, TaskQueueError: the next run goes on.

    """
    rules = terms.rules
    renewed, left = _renew(outside, push, terms)
    started = outside.now()
    overdue = started - timedelta(seconds=rules.overdue_s)
    calendars = outside.store.calendars_due(terms.tenant, overdue, rules.starts_per_run)
    conferences = (
        outside.store.conferences_due(terms.tenant, overdue, rules.starts_per_run) if rules.mode == "act" else []
    )
    for calendar in calendars:
        outside.task_queue.create(tasks.overdue_sync(calendar, started))
    for conference in conferences:
        outside.task_queue.create(tasks.overdue_update(conference, started))
    for key in (key for key, outcome in renewed if outcome.lapsed):
        outside.task_queue.create(tasks.asked_sync(key, started))
    full = rules.starts_per_run in (len(calendars), len(conferences))
    return RenewalOutcome(tuple(renewed), len(calendars), len(conferences), more=left or full)


def _renew(outside: Outside, push: PushTerms, terms: Terms) -> tuple[list[tuple[str, ChannelOutcome]], bool]:
    """Renew until nothing is due or the time of a run is over; whether something is left."""
    started, rules = outside.now(), terms.rules
    renewed: list[tuple[str, ChannelOutcome]] = []
    due = outside.store.channels_due(terms.tenant, started, rules.renewals_per_run)
    for calendar in due:
        if outside.now() - started > timedelta(seconds=rules.sync_budget_s):
            return renewed, True
        renewed.append((calendar.key, open_channel(calendar.key, outside, push, rules)))
    return renewed, len(due) == rules.renewals_per_run
