"""Which intervals of reconciliation leave the sum of all calls under the quota.

It looks at three quiet days of fewer calendars, whose syncs nothing holds back, and takes them times as many.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from confsync.core.rules import Rules
from tests.renewals.settings import FULL_SCALE, HOUR_S, Month
from tests.renewals.sync_month import SyncMonth

HOURS = (1, 2, 3, 4, 6, 8, 12, 24)
SAMPLE = 50_000
"""Calendars that are looked at; the busiest minute of a sample is busier, times as many, than that of all."""


def intervals_that_hold(asked: Month, rules: Rules, found: dict[str, Any]) -> dict[str, Any]:
    """Return for each interval the busiest minute's list calls, all calls at most, and how late lost changes are seen.

    All calls are those of syncs in their busiest minute together with those of renewals in theirs.
    """
    times = asked.calendars / min(asked.calendars, SAMPLE)
    watched = found["calls_a_minute"]["watch_and_stop"]["most"]
    quota = asked.quota * asked.calendars / FULL_SCALE
    table = {}
    for hours in HOURS:
        lists, p50, p99 = _busiest_minute(asked, replace(rules, reconcile_s=hours * HOUR_S))
        table[f"{hours} h"] = {
            "lists_a_minute": round(lists * times),
            "share_of_quota": round((lists * times + watched) / quota, 2),
            "p50_minutes": p50,
            "p99_minutes": p99,
        }
    return table


def _busiest_minute(asked: Month, rules: Rules) -> tuple[float, float, float]:
    unbounded = 10**9
    sample = replace(
        asked, calendars=min(asked.calendars, SAMPLE), days=4, outage_s=0, quota=unbounded, syncs_a_minute=unbounded
    )
    syncs = SyncMonth(sample, replace(rules, starts_per_run=unbounded))
    for _ in syncs.days():
        pass
    usual = np.convolve(syncs.calls.all[24 * 60 :], np.ones(5) / 5, mode="valid")
    return float(usual.max()), syncs.calls.unnoticed_for(50), syncs.calls.unnoticed_for(99)
