"""The figures of a month: what is printed, and what a program gets.

It must never judge: that is what the checks do.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.renewals.channel_month import ChannelMonth
from tests.renewals.checks import Check, all_calls
from tests.renewals.settings import BILLED_FROM, DAY_S
from tests.renewals.sync_month import SyncCalls

PERCENTILES = (50, 90, 99, 99.9)


def figures(channels: ChannelMonth, calls: SyncCalls) -> dict[str, Any]:
    """Return all figures by name, plain values only."""
    return {
        "calendars": channels.month.calendars,
        "days": round(channels.clock.at_s / DAY_S, 2),
        "seed": channels.month.seed,
        "renewals": _renewals(channels),
        "calls_a_minute": _calls(channels, calls),
        "lost_notifications": _lost(calls),
        "memory_mb_by_day": [round(mb) for mb in channels.rss_mb],
    }


def _renewals(channels: ChannelMonth) -> dict[str, Any]:
    by_hour, calendar = channels.renewed_by_hour, channels.calendar_api
    return {
        "renewed": int(channels.renewed.sum()),
        "mean_an_hour": round(float(by_hour[24:].mean()), 1),
        "most_an_hour": int(by_hour.max()),
        "runs": channels.runs,
        "longest_run_s": round(channels.longest_run_s, 1),
        "refused_in_outage": int(calendar.tries_in_outage.sum()),
        "without_access": len(calendar.losses),
        "tasks_asked_for": channels.queue.created,
        "oldest_channel_days": round(max(channels.ages.oldest, default=0), 2),
    }


def _calls(channels: ChannelMonth, calls: SyncCalls) -> dict[str, Any]:
    usual = np.arange(len(calls.all)) * 60 < channels.month.outage_at_s
    total = all_calls(channels, calls)
    of = {
        "watch_and_stop": channels.calendar_api.meter.by_minute[: len(total)],
        "announced_changes": calls.announced,
        "reconciliation": calls.reconciled,
        "failed_syncs": calls.failed,
        "all": total,
    }
    by_kind: dict[str, Any] = {
        name: {"mean": round(float(by_minute.mean())), "most": int(by_minute.max())} for name, by_minute in of.items()
    }
    by_kind["all"]["most_before_outage"] = int(total[usual].max())
    by_kind["a_day"] = round(float(total.mean()) * 24 * 60)
    by_kind["times_the_billing_threshold"] = round(by_kind["a_day"] / BILLED_FROM, 2)
    return by_kind


def _lost(calls: SyncCalls) -> dict[str, Any]:
    unnoticed = {f"p{percent:g}_minutes": calls.unnoticed_for(percent) for percent in PERCENTILES}
    return {"lost": calls.lost, "found_by_reconciliation": calls.found, **unnoticed}


def as_lines(found: dict[str, Any], results: Sequence[Check], indent: str = "") -> list[str]:
    """Return what a person reads."""
    lines = [line for name, value in found.items() for line in _lines(name, value, indent)]
    return lines + [f"{'holds' if check.holds else 'BROKEN':7} {check.rule}: {check.figure}" for check in results]


def _lines(name: str, value: Any, indent: str) -> list[str]:
    words = name.replace("_", " ")
    if isinstance(value, dict) and all(isinstance(inner, (int, float)) for inner in value.values()) and indent:
        return [f"{indent}{words:28}" + ", ".join(f"{k.replace('_', ' ')} {v:,}" for k, v in value.items())]
    if isinstance(value, dict):
        return [f"{indent}{words}", *(line for k, v in value.items() for line in _lines(k, v, indent + "  "))]
    if isinstance(value, list):
        return [f"{indent}{words:28}" + " ".join(f"{item:,}" for item in value)]
    return [f"{indent}{words:28}{value:,}"]
