"""Plots: what people and operators do in one order shows what chance alone would show once in a million days."""

import random

import pytest

from tests.simulation import recording
from tests.simulation.days import record
from tests.simulation.mutants.switches import removed
from tests.simulation.mutants.table import MUTANTS
from tests.simulation.plots import (
    LATER_SHARE,
    SHARE,
    Plot,
    asked_for_without_access,
    begun_with,
    forgotten_under_a_call,
    moved_where_nobody_looks,
    plotted,
    remembered_for_a_month,
    saved_after_all,
)
from tests.simulation.runs import rule_of
from tests.simulation.simulation import lived
from tests.simulation.tapes import Setting, Tapes
from tests.simulation.test_schedules import EVERY_CALENDAR, ORDERED, RULES

SEEDS = 400
TAME = Setting(RULES, ORDERED, begin=EVERY_CALENDAR)
ENOUGH = 24
NOTICED: tuple[tuple[Plot, str, str], ...] = (
    (forgotten_under_a_call, "forgotten-under-a-call", "R14 one call at a time"),
    (moved_where_nobody_looks, "moved-to-a-forgotten-calendar-is-lost", "R9 moved"),
    (asked_for_without_access, "read-before-it-is-listed", "S3"),
    (saved_after_all, "review-goes-on-over-a-change", "R9"),
    (remembered_for_a_month, "removed-is-forgotten-at-once", "L3 forgotten"),
    (remembered_for_a_month, "nobody-forgets-what-was-removed", "L3 forgotten"),
)


def tame(plot: Plot, seed: int) -> Tapes:
    """Return a day of nothing but a plot, in every way as tame as it can be."""
    return begun_with(plot, random.Random(seed), Tapes(seed, TAME, (), ()))  # noqa: S311 - repeatable, not secret


@pytest.mark.parametrize(("plot", "name", "rule"), NOTICED)
def test_each_plot_shows_what_it_is_for(plot: Plot, name: str, rule: str) -> None:
    """Without the rule some of its days go wrong; with it, none does."""
    mutant = next(each for each in MUTANTS if each.name == name)
    with removed(mutant):
        found = [seed for seed in range(ENOUGH) if rule_of(lived(tame(plot, seed))) == rule]
    assert found
    assert [rule_of(lived(tame(plot, seed))) for seed in found] == [""] * len(found)


def test_some_days_begin_with_a_plot_and_all_others_stay_as_they_were() -> None:
    """By the seed alone, and no day becomes much longer by it."""
    plain = [recording.record(seed) for seed in range(SEEDS)]
    begun = [(each, plotted(each)) for each in plain if plotted(each) != each]
    assert (SHARE + LATER_SHARE) / 2 < len(begun) / SEEDS < (SHARE + LATER_SHARE) * 2
    assert sum(len(after.steps) - len(before.steps) for before, after in begun) < 2 * len(begun)


def test_steps_and_faults_of_plots_have_numbers_of_their_own() -> None:
    """Faults are counted from the step before them."""
    for seed in range(SEEDS):
        steps = record(seed).steps
        assert len({one.number for one in steps}) == len(steps)
        assert [one.at_s for one in steps] == sorted(one.at_s for one in steps)
