"""Reconciliation: what push missed is found, counted, and makes a calendar be looked at more often."""

from datetime import timedelta
from typing import Any

import pytest

from confsync.core import leases
from confsync.core.reconciliation import MOST_HALVINGS, count_missed, reconcile_time, reconciled
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from tests.core.story import HERE, NOW, RULES, at, stamp


def calendar(**fields: object) -> Calendar:
    """Return a calendar that was synced an hour ago."""
    known = {"key": HERE, "tenant": "default", "calendar_id": "ann@example.com", "subject": "ann@example.com"}
    return Calendar.model_validate({**known, "last_synced_at": at(-60), **fields})


def changed(minutes: float) -> dict[str, Any]:
    """Return a listed item that was changed then."""
    return {"id": "e1", "updated": stamp(at(minutes))}


def test_a_change_between_the_last_sync_and_five_minutes_ago_was_missed() -> None:
    """An older one was announced and only listed late; a newer one's notification may be on its way."""
    items = [changed(-61), changed(-59), changed(-6), changed(-4)]
    assert count_missed(items, calendar(), NOW, RULES) == 2


@pytest.mark.parametrize("item", [{"id": "e1"}, {"updated": 7}, {"updated": "soon"}, {"updated": "2026-03-02"}, None])
def test_an_item_that_does_not_say_when_it_changed_is_not_counted(item: object) -> None:
    """A bare id of a deleted event, or whatever else a list may hold."""
    assert count_missed([item], calendar(), NOW, RULES) == 0


def test_nothing_was_missed_before_the_first_sync() -> None:
    """Nobody was watching."""
    assert count_missed([changed(-30)], calendar(last_synced_at=None), NOW, RULES) == 0


def test_only_a_sync_that_nothing_asked_for_is_a_reconciliation() -> None:
    """What a lost task was for was announced; what cannot be watched never is; and a queue that lags tells nothing."""
    quiet = calendar(requested=3, served=3, due_at=at(-1))
    others: list[dict[str, Any]] = [{"requested": 4}, {"state": "poll_only"}, {"due_at": None}, {"due_at": at(-6)}]
    claimed = [leases.claim(each, "w", NOW, RULES) for each in (quiet, *(quiet.model_copy(update=o) for o in others))]
    assert [claim.reconciles for claim in claimed] == [True, False, False, False, False]


def test_each_reconciliation_that_missed_something_halves_the_interval_and_each_other_one_doubles_it() -> None:
    """Down to a quarter of an hour, and back to six hours."""
    seen, waits = calendar(key="f" * 32), []
    for missed in (2, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0):
        seen = reconciled(seen, missed, NOW)
        waits.append((reconcile_time(seen, NOW, RULES) - NOW) / timedelta(hours=1))
    assert waits == [3, 1.5, 0.75, 0.375, 0.25, 0.25, 0.375, 0.75, 1.5, 3, 6]
    assert (seen.missed, seen.missed_of_late, seen.last_missed_at) == (7, 0, NOW)


def test_a_sync_that_was_asked_for_counts_nothing() -> None:
    """It says nothing about notifications."""
    lately = calendar(missed=4, missed_of_late=2)
    assert reconciled(lately, None, NOW) == lately


def test_the_shortest_interval_is_never_longer_than_the_usual_one() -> None:
    """An operator may reconcile every minute."""
    often = Rules(reconcile_s=60)
    assert reconcile_time(calendar(key="f" * 32, missed_of_late=MOST_HALVINGS), NOW, often) == at(1)
    assert reconcile_time(calendar(key="0" * 32), NOW, often) == at(0.75)
