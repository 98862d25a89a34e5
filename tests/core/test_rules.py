"""The numbers, and the conditions that tie them together."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.core.events import Window
from confsync.core.rules import Rules
from tests.core.story import DAY, NOW


def test_the_numbers_of_production_hold_together() -> None:
    """Lease, task, call and grace as the design says."""
    rules = Rules()
    assert (rules.window_s, rules.lease_s, rules.task_s, rules.intent_s, rules.grace_s) == (2, 60, 300, 90, 60)
    assert rules.sync_budget_s == 240


@pytest.mark.parametrize(
    ("numbers", "name"),
    [
        ({"lease_s": 39}, "lease_s must be at least twice extend_every_s"),
        ({"intent_s": 89}, "intent_s must be at least three times leave_within_s"),
        ({"task_s": 60}, "task_s must exceed lease_s"),
    ],
)
def test_numbers_that_break_each_other_are_refused(numbers: dict[str, float], name: str) -> None:
    """The message names the one to change."""
    with pytest.raises(ValueError, match=name):
        Rules(**numbers)  # type: ignore[arg-type]  # each value is a number of the named field


@pytest.mark.parametrize(
    ("first_sync", "window"),
    [
        ("future", Window(time_min=NOW)),
        ("recent", Window(time_min=NOW, updated_min=NOW - DAY)),
        ("everything", Window()),
    ],
)
def test_the_very_first_listing_looks_at_what_the_policy_says(first_sync: str, window: Window) -> None:
    """The future, the recently changed future, or everything."""
    assert Rules(first_sync=first_sync).first_window(NOW) == window  # type: ignore[arg-type]


@given(st.integers(0, 10**9))
def test_the_back_off_doubles_within_its_bounds(attempts: int) -> None:
    """One second at first, ten minutes at last."""
    rules = Rules()
    assert timedelta(seconds=1) <= timedelta(seconds=rules.backoff_s(attempts)) <= timedelta(minutes=10)
    assert rules.backoff_s(attempts + 1) in (2 * rules.backoff_s(attempts), 600)
