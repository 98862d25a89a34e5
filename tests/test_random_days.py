"""Random days in blocks: what people do, what goes wrong, and nothing that may never be broken is.

`python -m tests.random_day --seeds N --start S` runs more of them.
"""

import pytest

from tests.random_day import lived, report
from tests.random_day_tape import ACTIONS, record

BLOCK, BLOCKS = 25, 12


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_random_day_breaks_a_rule(block: int) -> None:
    """Whatever happens, no rule is broken on the way, and in the evening all is in step."""
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        day = lived(record(seed))
        assert not day.violations, report(day.tapes)


@pytest.mark.parametrize("seed", range(0, BLOCK * BLOCKS, BLOCK))
def test_the_same_seed_plays_the_same_day(seed: int) -> None:
    """Call for call, so that what was found once can be looked at again."""
    assert lived(record(seed)).lines == lived(record(seed)).lines


def test_random_days_know_every_action() -> None:
    """No row of the scenario table has gone out of sight."""
    seen = {step.action for seed in range(BLOCK * BLOCKS) for step in record(seed).steps}
    assert seen == set(ACTIONS)
