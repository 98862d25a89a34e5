"""A month of syncs by number alone: announced changes, lost notifications, reconciliation, minute by minute.

A model in arrays of what core/reconciliation, the scheduled run and the task queue do, since some 190 million syncs are
too many to play. A test compares its formula with the production function. One sync is one list call here: events that
hold a conference are read one by one on top of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from confsync.core.reconciliation import MOST_HALVINGS
from confsync.core.rules import Rules
from tests.renewals.settings import DAY_S, MINUTE_S, Month

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]
"""Numbers of calendars."""

CHUNK = 10
"""Minutes for which the reconciliations are looked up together: fewer than between any two of one calendar."""
NEVER = np.inf
WORKING_HOURS = (8, 18)
IN_WORKING_HOURS = 0.8
"""Share of the changes that people make in working hours."""
LONGEST_H = 48
"""Lost notifications are counted as unnoticed for so long at most."""


def reconcile_wait_s(spread: Floats, missed_of_late: Ints, rules: Rules) -> Floats:
    """Return how long quiet calendars wait for their next sync, as `reconcile_time` does for one.

    Args:
        spread: from 0 to 1, by the calendar's key.
        missed_of_late: how often the interval is halved.

    """
    shortest_s = min(rules.reconcile_min_s, rules.reconcile_s)
    interval_s = np.maximum(rules.reconcile_s / 2.0**missed_of_late, shortest_s)
    return np.asarray(interval_s * (0.75 + 0.25 * spread))


@dataclass
class SyncCalls:
    """List calls by minute, and what became of the notifications that got lost."""

    announced: Ints
    reconciled: Ints
    failed: Ints
    """Calls in the outage, whatever they were for."""
    waiting: Ints
    """Syncs that the task queue held back as each minute ended."""
    unnoticed: Ints = field(default_factory=lambda: np.zeros(LONGEST_H * 60 + 1, np.int64))
    """How many lost notifications stayed unnoticed for so many minutes."""
    lost: int = 0
    found: int = 0
    """Reconciliations that found a change of which no notification told."""

    @property
    def all(self) -> Ints:
        """All list calls by minute."""
        return self.announced + self.reconciled + self.failed

    def unnoticed_for(self, percent: float) -> float:
        """Return within how many minutes so many percent of the lost notifications were made good."""
        made_good = np.cumsum(self.unnoticed)
        return float(np.searchsorted(made_good, made_good[-1] * percent / 100))


class SyncMonth:
    """Registered calendars that people change, at any time and mostly by day."""

    def __init__(self, month: Month, rules: Rules) -> None:
        """Start with all calendars just synced, at all points of their interval."""
        self.month, self.rules = month, rules
        self._dice = np.random.default_rng([month.seed, 3])
        count, minutes = month.calendars, month.minutes
        self._spread = self._dice.random(count)
        self._missed_of_late = np.zeros(count, np.int64)
        self._due = self._wait(np.arange(count, dtype=np.int32)) * self._dice.random(count)
        self._lost_at = np.full(count, NEVER)
        """Minute of the oldest change that nothing told of."""
        self._is_queued = np.zeros(count, bool)
        self._is_announced = np.zeros(count, bool)
        self._queue = self._overdue = np.zeros(0, np.int32)
        self._again: dict[int, Numbers] = {}
        none = np.zeros(minutes, np.int64)
        self.calls = SyncCalls(none.copy(), none.copy(), none.copy(), none.copy())

    def days(self) -> Iterator[int]:
        """Let the month pass; yields after each day how many have passed. May be left at any of them."""
        for chunk in range(0, self.month.minutes, CHUNK):
            ahead = np.flatnonzero(self._due < chunk + CHUNK).astype(np.int32)
            for minute in range(chunk, chunk + CHUNK):
                self._change(minute)
                self._sweep(minute, ahead)
                self._sync(minute)
            if (chunk + CHUNK) % (DAY_S // MINUTE_S) == 0:
                yield (chunk + CHUNK) * MINUTE_S // DAY_S

    def _change(self, minute: int) -> None:
        """People change their calendars; most notifications ask for a sync, some get lost."""
        changed = self._dice.integers(0, self.month.calendars, self._dice.poisson(self._rate(minute)), dtype=np.int32)
        is_lost = self._dice.random(len(changed)) < self.month.lost_pushes
        lost, announced = np.unique(changed[is_lost]), np.unique(changed[~is_lost])
        self.calls.lost += int(is_lost.sum())
        self._lost_at[lost] = np.minimum(self._lost_at[lost], minute)
        self._is_announced[announced] = True
        self._enqueue(announced)

    def _rate(self, minute: int) -> float:
        begin, end = WORKING_HOURS
        is_working = begin <= minute // 60 % 24 < end
        share = IN_WORKING_HOURS / (end - begin) if is_working else (1 - IN_WORKING_HOURS) / (24 - end + begin)
        return self.month.calendars * self.month.changes_a_day * share / 60

    def _sweep(self, minute: int, ahead: Numbers) -> None:
        """The scheduled run starts what is due, the oldest first, so many at most."""
        new = ahead[self._due[ahead] <= minute]
        overdue = np.concatenate([self._overdue, new[np.argsort(self._due[new])]])
        self._due[new] = NEVER
        waiting = overdue[np.isinf(self._due[overdue]) & ~self._is_queued[overdue]]
        self._enqueue(waiting[: self.rules.starts_per_run])
        self._overdue = waiting[self.rules.starts_per_run :]

    def _enqueue(self, numbers: Numbers) -> None:
        new = numbers[~self._is_queued[numbers]]
        self._is_queued[new] = True
        self._queue = np.concatenate([self._queue, new])

    def _sync(self, minute: int) -> None:
        """The task queue lets through what its rate allows; in the outage a sync fails and is tried again."""
        waiting = np.concatenate([self._queue, self._again.pop(minute, self._queue[:0])])
        served, self._queue = waiting[: self.month.syncs_a_minute], waiting[self.month.syncs_a_minute :]
        self.calls.waiting[minute] = len(self._queue)
        if self.month.is_outage(minute * MINUTE_S):
            self.calls.failed[minute] = len(served)
            self._again[minute + round(self.month.retry_s / MINUTE_S)] = served
            return
        is_announced = self._is_announced[served]
        self.calls.announced[minute] = int(is_announced.sum())
        self.calls.reconciled[minute] = len(served) - self.calls.announced[minute]
        self._notice(served, minute)
        self._adapt(served[~is_announced])
        self._is_queued[served] = self._is_announced[served] = False
        self._lost_at[served] = NEVER
        self._due[served] = minute + self._wait(served)

    def _notice(self, served: Numbers, minute: int) -> None:
        since = self._lost_at[served]
        unnoticed = np.minimum(minute - since[np.isfinite(since)], LONGEST_H * 60).astype(np.int64)
        np.add.at(self.calls.unnoticed, unnoticed, 1)

    def _adapt(self, reconciled: Numbers) -> None:
        """Whoever misses notifications is looked at sooner, as `reconciled` in core does."""
        is_missed = np.isfinite(self._lost_at[reconciled])
        self.calls.found += int(is_missed.sum())
        of_late: Any = self._missed_of_late[reconciled] + np.where(is_missed, 1, -1)
        self._missed_of_late[reconciled] = np.clip(of_late, 0, MOST_HALVINGS)

    def _wait(self, numbers: Numbers) -> Floats:
        """Return how many minutes these calendars wait for a sync that nothing asks for."""
        return reconcile_wait_s(self._spread[numbers], self._missed_of_late[numbers], self.rules) / MINUTE_S
