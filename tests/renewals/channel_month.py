"""A month of channels: the production code of the scheduled run, minute by minute, on a lean store and a lean Calendar.

A minute in which nothing is due costs nothing. It must never decide what is renewed: that is what is looked at.
"""

import gc
import itertools
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from confsync.core.channels import PushTerms, SigningKey
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.core.tasks import Task
from confsync.core.terms import Terms
from confsync.open_channel import open_channel
from confsync.ports import Outside
from confsync.renew_channels import renew_channels
from confsync.worker_parts import RENEWALS_AT_ONCE
from tests.renewals.lean_calendar import Clock, LeanCalendar
from tests.renewals.lean_store import LeanStore
from tests.renewals.settings import DAY_S, HOUR_S, MINUTE_S, Month

TENANT, SUBJECT = "default", "ann@example.com"
PUSH = PushTerms("https://receiver.example.com/", (SigningKey("k1", b"0123456789abcdef"),))


class CountingQueue:
    """Takes tasks and keeps none."""

    def __init__(self) -> None:
        """Start with none."""
        self.created = 0

    def create(self, task: Task) -> bool:
        """Count it."""
        del task
        self.created += 1
        return True


@dataclass
class Ages:
    """How old the open channels of those were that never lose access, in days, at each full hour."""

    oldest: list[float] = field(default_factory=list)
    median: list[float] = field(default_factory=list)
    youngest_tenth: list[float] = field(default_factory=list)


def calendar_key(number: str) -> str:
    """Return the key of the calendar of this number."""
    return Calendar.key_for(TENANT, number, SUBJECT)


class ChannelMonth:
    """Calendars that are registered on the first day, and the run that keeps their channels open."""

    def __init__(
        self,
        month: Month,
        rules: Rules,
        *,
        store: LeanStore | None = None,
        calendar: type[LeanCalendar] = LeanCalendar,
        key_of: Callable[[str], str] = calendar_key,
    ) -> None:
        """Start before the first calendar is registered; what a test breaks comes in."""
        self.month, self.rules, self._key_of = month, rules, key_of
        self.clock, self.store, self.queue = Clock(), store or LeanStore(), CountingQueue()
        self.calendar_api = calendar(month, self.clock, RENEWALS_AT_ONCE)
        self._terms = Terms(TENANT, [], {}, rules)
        numbers = itertools.count()
        self.outside = Outside(
            self.store, self.calendar_api, self.queue, {}, self.clock, lambda: f"channel-{next(numbers)}"
        )
        self.runs, self.longest_run_s = 0, 0.0
        self.looked_at = np.zeros(month.minutes, np.int64)
        """Calendars that each run read from the store."""
        self.renewed = np.zeros(month.minutes, np.int64)
        """Channels that each run opened."""
        self.failed = np.zeros(month.minutes, np.int64)
        """Calls of each run that Calendar refused."""
        self.ages = Ages()
        self._keeps_access = np.ones(month.calendars, bool)
        self._keeps_access[list(self.calendar_api.losses)] = False
        self.rss_mb: list[float] = []
        """Memory of this process as each day ends."""
        self._registered_s = np.arange(month.calendars) * (month.registered_within_s / month.calendars)
        self._registered = 0

    def days(self) -> Iterator[int]:
        """Let the month pass; yields after each day how many have passed. May be left at any of them."""
        for day in range(self.month.days):
            for minute in range(day * 24 * 60, (day + 1) * 24 * 60):
                self._pass(minute)
            self.rss_mb.append(resident_mb())
            yield day + 1
        self.clock.at_s = max(self.clock.at_s, self.month.length_s)

    def _pass(self, minute: int) -> None:
        self.clock.at_s = max(self.clock.at_s, minute * MINUTE_S)
        if minute % 60 == 0:
            self._look_at_ages()
        self._register(minute)
        due = self.store.next_due()
        if due is not None and due <= self.clock():
            self._run(minute)

    def _run(self, minute: int) -> None:
        """Run as the scheduler does, and count what it took."""
        began_s, calendar = self.clock.at_s, self.calendar_api
        looked_at, watched, failed = self.store.looked_at, calendar.watched, calendar.failed
        renew_channels(self.outside, PUSH, self._terms)
        self.runs += 1
        self.longest_run_s = max(self.longest_run_s, self.clock.at_s - began_s)
        self.looked_at[minute] += self.store.looked_at - looked_at
        self.renewed[minute] += calendar.watched - watched
        self.failed[minute] += calendar.failed - failed

    def _register(self, minute: int) -> None:
        """Open a first channel for whoever comes in this minute, as initialize_syncing does."""
        until_s = (minute + 1) * MINUTE_S
        while self._registered < self.month.calendars and self._registered_s[self._registered] < until_s:
            number = str(self._registered)
            key, now = self._key_of(number), self.clock()
            self.store.put(Calendar(key=key, tenant=TENANT, calendar_id=number, subject=SUBJECT, renew_at=now))
            open_channel(key, self.outside, PUSH, self.rules)
            self._registered += 1

    def _look_at_ages(self) -> None:
        is_open = (self.calendar_api.expires_s > self.clock.at_s) & self._keeps_access
        ages = (self.clock.at_s - self.calendar_api.opened_s[is_open]) / DAY_S
        youngest_tenth, median, oldest = np.quantile(ages, [0.1, 0.5, 1]) if len(ages) else (0, 0, 0)
        self.ages.oldest.append(float(oldest))
        self.ages.median.append(float(median))
        self.ages.youngest_tenth.append(float(youngest_tenth))

    @property
    def renewed_by_hour(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """Channels that were renewed in each hour."""
        return np.asarray(self.renewed.reshape(-1, HOUR_S // MINUTE_S).sum(axis=1))


def resident_mb() -> float:
    """Return the memory that this process has now; where the system does not tell, the most that it ever had."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def collect_seldom() -> None:
    """Millions of live records hold no cycles: the collector is not to walk through them again and again."""
    gc.set_threshold(200_000, 20, 100)
