"""Reconciliation: a sync of a quiet calendar that nothing asked for, since push is not reliable.

What it finds that no notification told of is counted, and a calendar whose notifications get lost is looked at more
often. It must never be mistaken for a sync that was asked for, nor for one that waited in a queue that lags: then what
was announced would count as missed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from confsync.core.records import Calendar
from confsync.core.rules import Rules

MOST_HALVINGS = 5
"""Of the interval: a calendar that went quiet for good is back at its usual interval after as many reconciliations."""


def is_reconciliation(calendar: Calendar, now: datetime, rules: Rules) -> bool:
    """Whether nothing asks for a sync that starts now, in time, but the calendar's own interval.

    One that starts late waited in a queue where the tasks of notifications may wait behind it.
    """
    if calendar.state != "active" or calendar.requested != calendar.served or calendar.due_at is None:
        return False
    return now <= calendar.due_at + timedelta(seconds=rules.overdue_s + rules.missed_after_s)


def count_missed(items: Iterable[Any], calendar: Calendar, started_at: datetime, rules: Rules) -> int:
    """Return how many listed changes should have been announced by now.

    Those from before the last sync were: the list only lagged behind. Those of the last minutes may still be.
    """
    latest, synced_at = started_at - timedelta(seconds=rules.missed_after_s), calendar.last_synced_at
    if synced_at is None:
        return 0
    changed = (_updated(item) for item in items)
    return sum(1 for at in changed if at is not None and synced_at < at <= latest)


def _updated(item: Any) -> datetime | None:
    """Return when a listed item was changed; None where it does not say so."""
    try:
        at = datetime.fromisoformat(item["updated"])
    except (KeyError, TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None


def reconciled(calendar: Calendar, missed: int | None, now: datetime) -> Calendar:
    """Return the calendar with what its reconciliation missed counted; None: something had asked for the sync."""
    if missed is None:
        return calendar
    if not missed:
        return calendar.model_copy(update={"missed_of_late": max(0, calendar.missed_of_late - 1)})
    of_late = min(calendar.missed_of_late + 1, MOST_HALVINGS)
    return calendar.model_copy(
        update={"missed": calendar.missed + missed, "missed_of_late": of_late, "last_missed_at": now}
    )


def reconcile_time(calendar: Calendar, now: datetime, rules: Rules) -> datetime:
    """Return when a quiet calendar is synced again: three quarters to all of its interval, spread by its key."""
    return now + timedelta(seconds=_interval_s(calendar, rules) * (0.75 + 0.25 * spread_of(calendar.key)))


def _interval_s(calendar: Calendar, rules: Rules) -> float:
    if calendar.state == "poll_only" or rules.ingress == "poll":
        return rules.poll_s
    shortest = min(rules.reconcile_min_s, rules.reconcile_s)
    return max(rules.reconcile_s / (1 << calendar.missed_of_late), shortest)


def spread_of(key: str) -> float:
    """Return a number from 0 to 1 that differs from calendar to calendar: what is due together spreads by it."""
    return int(key[:8], 16) / 0xFFFFFFFF
