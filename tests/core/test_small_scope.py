"""Every case of a small world, planned, and compared with what it must mean (`small_scope_meaning`).

`python -m tests.core.small_scope` and `python -m tests.core.small_scope_pairs` enumerate what takes turns here.
"""

from collections import Counter
from datetime import timedelta
from typing import get_args

import pytest

from tests.core import small_scope_pairs
from tests.core.small_scope import sweep
from tests.core.small_scope_ends import check_due, check_last_look, check_review, every_standing, last_looks
from tests.core.small_scope_meaning import Change, End
from tests.core.small_scope_shown import Kind
from tests.core.story import HERE, NOW, RULES, THERE

LEAST_CASES, LEAST_PAIRS = 30_000, 5_000
"""Far fewer would mean that the enumeration went blind."""
KINDS: tuple[Kind, ...] = get_args(Kind)
VERDICTS = ("ignore", "confirm", "bind", "gone", "orphaned")
FINDINGS = ("hand over", "look for it", "discarded", "forget", "nothing")


@pytest.mark.parametrize("kind", KINDS)
def test_every_case_of_one_event_means_what_it_must(kind: Kind) -> None:
    """Whatever is shown, recorded, told and decided: the plan is the one that the rules ask for, and a fixpoint."""
    tally, wrong, _ = sweep(kind, full=False)
    assert not wrong, f"{len(wrong)} of {tally.cases} cases are wrong; the first: {wrong[0]}"
    assert tally.cases >= LEAST_CASES
    words = [f"verdict {word}" for word in VERDICTS] + [f"change {word}" for word in get_args(Change)]
    words += [f"end {word}" for word in get_args(End)]
    never = {"end begun", "change back"} if kind == "over" else set()
    assert {word for word in words if not tally.met[word]} == never


@pytest.mark.parametrize("calendar_key", [HERE, THERE], ids=["one calendar", "two calendars"])
def test_every_pair_of_events_means_what_it_must(calendar_key: str) -> None:
    """In any order: who drives, whether it ends, what is made for a duplicate, what a copy elsewhere may decide."""
    met, wrong, _ = small_scope_pairs.sweep(calendar_key, full=False)
    assert not wrong, f"{len(wrong)} of {met['pairs']} pairs are wrong; the first: {wrong[0]}"
    assert met["pairs"] >= LEAST_PAIRS
    words = ["0 live owners, end", "0 live owners, no end", "1 live owners, no end", "2 live owners, no end", "driver"]
    words += ["0 minted, 0 successors", "0 minted, 1 successors"]
    words += ["1 minted, 0 successors"] if calendar_key == HERE else []
    assert [word for word in words if not met[word]] == []


def test_every_last_look_ends_on_proof_alone() -> None:
    """Whatever one or two owners turn out to be when they are read once more."""
    looks = list(last_looks())
    for number, look in enumerate(looks):
        check_last_look(look, looks[number * 7 % len(looks)])
        check_last_look(look, look)
    assert {look.is_proof for look in looks} == {True, False}
    assert len(looks) > 600


def test_every_review_forgets_only_what_is_over_and_settled() -> None:
    """At any time, whatever is recorded."""
    found: Counter[str] = Counter()
    retention = timedelta(seconds=RULES.retention_s)
    for standing, kind in every_standing():
        check_due(standing, kind)
        for wait in (timedelta(), retention - timedelta(days=1, seconds=1), retention, 9 * retention):
            found[check_review(standing, kind, NOW + wait)] += 1
    assert [word for word in FINDINGS if not found[word]] == []
