"""Seeded days in blocks, and that the simulation itself is to be trusted: it repeats, it shrinks, it is not blind.

`python -m tests.simulation run` plays more of them.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.__main__ import LONG_RUN, unmet
from tests.simulation.canary import FencelessStore, TornStore
from tests.simulation.caretakers import CARE
from tests.simulation.coverage import Coverage
from tests.simulation.coverage_cells import IMPOSSIBLE, cells
from tests.simulation.coverage_rows import ROWS
from tests.simulation.days import LATER_ACTIONS, record
from tests.simulation.operators import OPERATIONS
from tests.simulation.recording import ACTIONS
from tests.simulation.runs import CHUNK, StateFile, Tally, check_range, rule_of, run, shortest
from tests.simulation.shrinking import shortened
from tests.simulation.simulation import Simulation, lived
from tests.simulation.sometimes import SCHEDULES
from tests.simulation.store_edge import SimulatedStore
from tests.simulation.tapes import Tapes

BLOCKS = 8
CANARY_SEEDS = 200
ENOUGH_SEEDS = 600
"""In which each schedule is met that is not rare; the first few meet nearly all."""
RARE = {
    "a crash between dropping the token and the listing",
    "a checkpoint resumed while a notification was coalesced",
    "an id-only tombstone recorded by a paused worker",
}
"""Too rare for these few seeds; the long run of `make simulate` asks for them too."""


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_seed_breaks_a_rule_and_each_plays_the_same_day_twice(block: int) -> None:
    """Whatever happens, no rule is broken on the way, and in the evening all is in step."""
    tally = check_range(block * CHUNK, CHUNK)
    for seed, broken in tally.failures.items():
        pytest.fail("\n".join([*broken, str(shortest(record(seed)))]))


def test_the_seeds_know_every_action() -> None:
    """No row of the scenario table has gone out of sight."""
    assert {step.action for seed in range(BLOCKS * CHUNK) for step in record(seed).steps} == {
        *ACTIONS,
        *OPERATIONS,
        *LATER_ACTIONS,
        *CARE,
    }


def test_the_seeds_meet_each_schedule_that_is_not_rare() -> None:
    """A generator that went blind shows here before a bug slips through."""
    wanted = set(SCHEDULES) - RARE
    for seed in range(ENOUGH_SEEDS):
        wanted -= lived(record(seed)).sometimes.reached.keys()
        if not wanted:
            return
    pytest.fail(f"no seed met {wanted}")


@pytest.mark.parametrize(("store", "rule"), [(TornStore, "R1 token"), (FencelessStore, "R2")])
def test_the_canary_is_caught(store: type[SimulatedStore], rule: str) -> None:
    """A protocol that is broken on purpose is reported by the oracle of its rule."""
    assert rule_of(_first_broken(store)).startswith(rule)


def _first_broken(store: type[SimulatedStore]) -> Simulation:
    days = (lived(record(seed), store=store) for seed in range(CANARY_SEEDS))
    return next(day for day in days if day.violations)


def test_a_broken_day_is_shortened_to_what_it_takes() -> None:
    """Steps, faults and settings that have nothing to do with it are left out, and the same rule is still broken."""
    found = _first_broken(TornStore)
    rule = rule_of(found)

    def breaks_it(tried: Tapes) -> bool:
        return rule_of(lived(tried, store=TornStore)) == rule

    shorter = shortened(found.tapes, breaks_it, most_days=40)
    assert breaks_it(shorter)
    assert len(shorter.steps) + len(shorter.faults) < len(found.tapes.steps) + len(found.tapes.faults)


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_plays_the_same_day_in_every_process(hash_seed: str) -> None:
    """Whatever order Python's sets have there."""
    seeds = 8
    script = f"from tests.simulation.runs import check_range; print(check_range(0, {seeds}).trace_hash)"
    root = Path(__file__).parents[2]
    played = subprocess.run(
        [sys.executable, "-c", script],
        cwd=root,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(played.stdout) == check_range(0, seeds).trace_hash


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    """Stopped after a chunk, stored, loaded, finished: the same as in one go."""
    whole = Tally(7)
    run(whole, 12, 1, lambda _: False, chunk=2)
    part, state = Tally(7), StateFile(tmp_path / "state.json")
    run(part, 12, 1, lambda _: True, chunk=2)
    assert part.seeds == 2
    state.save(part, now=True)
    resumed = state.load(7)
    run(resumed, 12, 1, lambda _: False, chunk=2)
    assert resumed == whole


def test_what_other_code_did_says_nothing_of_this(tmp_path: Path) -> None:
    """After a change every seed is played again; a state of before must not look like a clean run."""
    state = StateFile(tmp_path / "state.json")
    state.save(Tally(5, seeds=10), now=True)
    assert state.load(5).seeds == 10
    state.save(Tally(5, seeds=10, code="older"), now=True)
    assert state.load(5).seeds == 0


def test_a_state_of_other_seeds_is_refused(tmp_path: Path) -> None:
    """Seeds that nobody played must not count as played."""
    state = StateFile(tmp_path / "state.json")
    state.save(Tally(5, seeds=10), now=True)
    with pytest.raises(ValueError, match="begins at seed 5, not 0"):
        state.load(0)


def test_a_long_run_that_never_meets_a_schedule_fails() -> None:
    """A short one may miss the rare ones."""
    reached = Counter(dict.fromkeys(SCHEDULES[1:], 1))
    assert unmet(Tally(0, seeds=LONG_RUN, reached=reached, coverage=everything())) == [SCHEDULES[0]]
    assert unmet(Tally(0, seeds=LONG_RUN - 1, reached=reached)) == []


def test_a_long_run_that_never_hits_a_row_or_a_cell_fails() -> None:
    """And any run that hits a cell that was called impossible."""
    reached, cell, wrong = Counter(dict.fromkeys(SCHEDULES, 1)), next(iter(cells())), next(iter(IMPOSSIBLE))
    hit = everything()
    del hit.rows[4], hit.cells[cell]
    tally = Tally(0, seeds=LONG_RUN, reached=reached, coverage=hit)
    assert unmet(tally) == ["row 4", f"cell {' / '.join(cell)}"]
    assert unmet(Tally(0, coverage=Coverage(1, cells=Counter([wrong])))) == [
        f"cell {' / '.join(wrong)}, which cannot be"
    ]


def everything() -> Coverage:
    """Return that every row and cell was hit."""
    return Coverage(LONG_RUN, Counter(dict.fromkeys(ROWS, 1)), Counter(dict.fromkeys(cells(), 1)))


def test_several_processes_count_what_one_counts() -> None:
    """Whichever of them plays a seed."""
    tally = Tally(0)
    run(tally, 6, 2, lambda _: False, chunk=3)
    assert tally == check_range(0, 6)


def test_a_seed_that_is_played_once_counts_as_one_that_is_played_twice() -> None:
    """The second play shows only that a day does not depend on what was played before."""
    assert check_range(0, 6, twice_every=4) == check_range(0, 6)


def test_ranges_with_a_gap_between_them_are_not_added() -> None:
    """A tally says which seeds were played."""
    with pytest.raises(ValueError, match="do not follow"):
        Tally(0, seeds=5).add(Tally(6, seeds=1))
