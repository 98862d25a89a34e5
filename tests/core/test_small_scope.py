"""Every case of a small world, planned, and compared with what it must mean (`small_scope_meaning`).

`python -m tests.core.small_scope` and `python -m tests.core.small_scope_pairs` enumerate what is left out here.
"""

from typing import get_args

import pytest

from tests.core.small_scope import sweep
from tests.core.small_scope_meaning import Change, End
from tests.core.small_scope_shown import Kind

LEAST = 30_000
"""Cases of each kind of event: far fewer would mean that the enumeration went blind."""
KINDS: tuple[Kind, ...] = get_args(Kind)
VERDICTS = ("ignore", "confirm", "bind", "gone", "orphaned")


@pytest.mark.parametrize("kind", KINDS)
def test_every_case_of_one_event_means_what_it_must(kind: Kind) -> None:
    """Whatever is shown, recorded, told and decided: the plan is the one that the rules ask for, and a fixpoint."""
    tally, wrong, _ = sweep(kind, full=False)
    assert not wrong, f"{len(wrong)} of {tally.cases} cases are wrong; the first: {wrong[0]}"
    assert tally.cases >= LEAST
    assert [word for word in VERDICTS if not tally.met[f"verdict {word}"]] == []
    assert [word for word in get_args(End) if not tally.met[f"end {word}"] and _may_meet(word, kind)] == []
    assert [word for word in get_args(Change) if not tally.met[f"change {word}"]] == []


def _may_meet(end: str, kind: Kind) -> bool:
    """No end begins where the event is over, and what has no end is never over."""
    return end not in ({"begun"} if kind == "over" else set())
