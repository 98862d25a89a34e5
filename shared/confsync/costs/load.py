"""How often each thing happens in a month, and how long it takes, as somebody describes it and as we assume.

It must never hold a number of the code's own operations: those are measured, in `measured`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import exp, expm1, isfinite
from typing import Final

from confsync.core.rules import Rules
from confsync.costs import measured
from confsync.costs.measured import Operations
from confsync.costs.prices import DAYS

DAY_S: Final = 24 * 3600
MONTH_S: Final = DAYS * DAY_S
RUNS_PER_DAY: Final = 24 * 60
"""Of renew_channels, as terraform/scheduler.tf schedules it."""
RECONCILED: Final = (0.75, 1.0)
"""A quiet calendar is synced after so much of its interval, spread evenly; as core/reconciliation does it."""
RENEWED_AFTER: Final = (0.625, 0.75)
"""So much of its life has passed when a channel is renewed, spread evenly; as core/channels does it."""
STEPS: Final = 16
"""Points at which the interval is looked at."""


@dataclass(frozen=True)
class Load:
    """A deployment, as somebody describes it. Raises ValueError for what makes no sense."""

    calendars: int
    changes_per_day: float
    """Of one calendar, whatever changes in it."""
    coalescing: float = 1
    """Changes that are made within one coalescing window."""
    conferences: float = 0.2
    """Share of the changes of which a conferencing system is told."""
    created: float = 0.4
    """Share of those that are new conferences, which the add-on registers."""
    ended: float = 0.1
    """Share of those that end a conference."""
    quiet: float = 0.1
    """Notifications without a change, for each change."""
    reconcile_s: float = Rules().reconcile_s
    sync_s: float = 1.0
    """How long a request to the worker takes: a Calendar call, a token now and then, three requests to Firestore."""
    told_s: float = 0.5
    """How much longer it takes for each conferencing system that is told."""
    peak: float = 2.0
    """So many times as many changes as in the mean are made in the busiest hours."""

    def __post_init__(self) -> None:
        """Refuse what no deployment can be."""
        _require(self.calendars >= 1, "calendars", "a whole number from 1", self.calendars)
        for name in ("changes_per_day", "quiet", "sync_s", "told_s"):
            _require(getattr(self, name) >= 0, name, "a number from 0", getattr(self, name))
        for name in ("coalescing", "peak"):
            _require(getattr(self, name) >= 1, name, "a number from 1", getattr(self, name))
        _require(0 <= self.conferences <= 1, "conferences", "a share from 0 to 1", self.conferences)
        shares = self.created + self.ended
        _require(
            min(self.created, self.ended) >= 0 and shares <= 1, "created and ended", "together from 0 to 1", shares
        )
        _require(self.reconcile_s > 0, "reconcile_s", "a number of seconds above 0", self.reconcile_s)
        for field in fields(self):
            _require(isfinite(getattr(self, field.name)), field.name, "a finite number", getattr(self, field.name))

    @property
    def changes(self) -> float:
        """Changes in a month, of all calendars."""
        return self.calendars * self.changes_per_day * DAYS

    @property
    def told(self) -> float:
        """Those of which a conferencing system is told."""
        return self.changes * self.conferences


def _require(condition: bool, name: str, form: str, value: float) -> None:
    if not condition:
        raise ValueError(f"{name} is {value}; expected: {form}")


def operations(load: Load) -> Mapping[str, Operations]:
    """Return what a month asks for, by why."""
    return {
        "changes": _changes(load),
        "quiet notifications": measured.QUIET_NOTIFICATION.times(load.changes * load.quiet),
        "reconciliation": measured.RECONCILIATION.times(load.calendars * DAYS * reconciliations_per_day(load)),
        "renewals": measured.RENEWAL.times(renewals(load)),
        "schedule": measured.EMPTY_RUN.times(RUNS_PER_DAY * DAYS),
    }


def _changes(load: Load) -> Operations:
    """Of those that share a window the first starts a sync, all others together a second one."""
    windows = load.changes / load.coalescing
    second, further = min(load.coalescing - 1, 1), max(load.coalescing - 2, 0)
    seen = measured.CHANGE + measured.SECOND_CHANGE.times(second) + measured.FURTHER_CHANGE.times(further)
    return seen.times(windows) + (_told(load) - measured.CHANGE).times(load.told)


def _told(load: Load) -> Operations:
    """Return what one change asks for of which a conferencing system is told, in the mean."""
    others = 1 - load.created - load.ended
    new, over = measured.REGISTRATION.times(load.created), measured.END.times(load.ended)
    return new + over + measured.TOLD_CHANGE.times(others)


def renewals(load: Load) -> float:
    """Return how many channels are renewed in a month."""
    life_s = Rules().channel_ttl_s
    return load.calendars * MONTH_S / (life_s * sum(RENEWED_AFTER) / 2)


def reconciliations_per_day(load: Load) -> float:
    """Return how often one calendar is reconciled: only when nothing announced a change for the whole interval.

    Changes are taken to come at any time. They mostly come by day, which leaves longer pauses: some more, in truth.
    """
    announced = load.changes_per_day * (1 / load.coalescing + load.quiet)
    earliest, latest = RECONCILED
    shares = (earliest + (latest - earliest) * (step + 0.5) / STEPS for step in range(STEPS))
    return sum(_pauses_per_day(announced, load.reconcile_s * share / DAY_S) for share in shares) / STEPS


def _pauses_per_day(announced: float, interval: float) -> float:
    """Return how often nothing comes for an interval (in days), when so many come a day at random times."""
    expected = announced * interval
    if expected < 1e-9:
        return 1 / interval
    return announced * exp(-expected) / -expm1(-expected)
