"""That the coverage of meaning counts what really happened, names what cannot, and changes nothing by looking on."""

import json
from collections import Counter

import pytest

from confsync.core.planning import Recorded
from tests.core.small_scope_recorded import Standing, conference_of, link_of
from tests.core.small_scope_shown import Look, seen_of
from tests.core.story import TERMS, ref
from tests.scenarios.table import ROWS as SCENARIOS
from tests.simulation.coverage import Coverage, lived_with_coverage, page
from tests.simulation.coverage_cells import IMPOSSIBLE, OPTIONAL, SHAPES, STATES, Cell, cell_of, cells
from tests.simulation.coverage_rows import MARKS, ROWS, Met, NotPlayed, Played
from tests.simulation.days import record
from tests.simulation.gestures import Done
from tests.simulation.operators import OPERATIONS
from tests.simulation.people import People
from tests.simulation.recording import ACTIONS
from tests.simulation.simulation import lived
from tests.simulation.tapes import Setting, Step, Tapes
from tests.simulation.test_schedules import ORDERED, OTHER_TITLE, RULES, SINGLE_OF_ANN, step

SOME_SEEDS = 4


def rows_of(*steps: Step) -> set[int]:
    """Return the rows that a day of these steps hits."""
    _, found = lived_with_coverage(Tapes(0, Setting(RULES, ORDERED, begin=7), steps, ()))
    return set(found.rows)


def test_each_scenario_has_a_way_to_be_hit_or_a_reason_why_not() -> None:
    """All sixty of the table."""
    assert ROWS.keys() == SCENARIOS.keys()
    assert all(how.why for how in ROWS.values() if isinstance(how, NotPlayed))


def test_each_gesture_that_hits_a_row_is_on_the_tapes() -> None:
    """A row whose gestures were renamed would stay empty."""
    named = {action for how in ROWS.values() if isinstance(how, Played) for action in how.actions}
    assert named <= set(ACTIONS)


def test_each_action_is_known_to_people_or_operators() -> None:
    """A tape never names what nobody can do."""
    assert all(action in OPERATIONS or hasattr(People, f"_{action}") for action in ACTIONS)


def test_no_two_rows_are_met_by_the_same_mark() -> None:
    """Else one of them would never show that it is empty."""
    assert len(set(MARKS)) == len([how for how in ROWS.values() if isinstance(how, Met)])


@pytest.mark.parametrize("seed", range(SOME_SEEDS))
def test_looking_on_changes_nothing(seed: int) -> None:
    """The same seed plays the same day, call by call, with and without it."""
    day, found = lived_with_coverage(record(seed))
    assert day.trace_hash == lived(record(seed)).trace_hash
    assert found.rows
    assert found.cells


def test_a_row_is_hit_by_what_was_done() -> None:
    """A title that changes, of an event with our conference."""
    rows = rows_of(step(0, 0, "create"), step(1, 60, "rename", OTHER_TITLE))
    assert {1, 4} <= rows
    assert 5 not in rows


def test_what_calendar_refused_hits_no_row() -> None:
    """Nobody has an event that could be deleted or restored."""
    assert not rows_of(step(0, 0, "delete"), step(1, 1, "restore"), step(2, 2, "cancel_instance"))


def test_a_gesture_without_effect_hits_no_row() -> None:
    """The title is what it was."""
    assert 4 not in rows_of(step(0, 0, "create"), step(1, 60, "rename", SINGLE_OF_ANN))


def test_a_row_is_met_when_it_happens_to_us() -> None:
    """A forged id is seen by a sync, and ignored."""
    rows = rows_of(step(0, 0, "create"), step(1, 60, "forge", (0, 0, 0, 1, 0, 0)))
    assert 54 in rows


CASES: dict[Cell, tuple[Standing, Look]] = {
    ("nothing", "changed"): (Standing("nothing"), Look("ours")),
    ("claim", "as known"): (Standing("claim", vouched="another event"), Look("ours", "same")),
    ("claim gone", "id only"): (Standing("claim gone", vouched="another event"), Look("id only")),
    ("untold", "deleted"): (Standing("owner", "pending"), Look("deleted")),
    ("told", "older"): (Standing("owner", "called"), Look("ours renamed", "older")),
    ("told", "changed"): (Standing("owner"), Look("ours renamed")),
    ("told", "away"): (Standing("owner"), Look("guest copy")),
    ("told", "silent"): (Standing("owner"), Look("redacted")),
    ("told", "unknown"): (Standing("owner"), Look("missing from a full listing")),
    ("gone for good", "without"): (Standing("owner", end="gone"), Look("somebody else's")),
    ("in grace", "changed"): (Standing("owner gone", end="in grace"), Look("ours")),
    ("in grace", "without"): (Standing("owner gone", end="held"), Look("without")),
    ("ending", "another"): (Standing("owner gone", end="wanted"), Look("another of ours")),
    ("told", "pending"): (Standing("owner gone", end="wanted"), Look("pending")),
    ("ended", "unknown"): (Standing("owner gone", end="wanted"), Look("unknown")),
    ("ended", "changed"): (Standing("owner gone", end="ended"), Look("ours")),
    ("kept", "id only"): (Standing("owner gone", end="rejected"), Look("id only")),
    ("orphan", "changed"): (Standing("orphan"), Look("ours", "same")),
    ("orphan", "away"): (Standing("orphan"), Look("deleted, another organizer")),
}
"""Examples of cells: how it stood, and what was shown."""


@pytest.mark.parametrize(("expected", "case"), CASES.items(), ids=[" / ".join(cell) for cell in CASES])
def test_a_cell_is_what_is_recorded_and_what_is_shown(expected: Cell, case: tuple[Standing, Look]) -> None:
    """As the small scope builds them."""
    standing, look = case
    assert cell_of(ref("e1"), seen_of(look, "upcoming"), _recorded(standing), TERMS) == expected


def _recorded(standing: Standing) -> Recorded:
    conference = conference_of(standing, "upcoming")
    if conference is None or standing.recorded == "nothing":
        return Recorded({}, {})
    link = link_of("upcoming")
    return Recorded({link.key: link}, {conference.key: conference})


def test_the_words_of_cells_are_those_of_the_tables() -> None:
    """Nothing is excused that is no cell, and no cell is both possible and excused."""
    everything = {(state, shape) for state in STATES for shape in SHAPES}
    assert sorted([*IMPOSSIBLE, *OPTIONAL, *cells()]) == sorted(everything)


def test_what_was_never_hit_is_named() -> None:
    """One day with nothing leaves everything empty, but what cannot be hit."""
    nothing = Coverage(1)
    assert len(nothing.empty_rows) == len(ROWS) - sum(isinstance(how, NotPlayed) for how in ROWS.values())
    assert nothing.empty_cells == list(cells())
    whole = Coverage(1, Counter(dict.fromkeys(ROWS, 1)), Counter(dict.fromkeys(cells(), 1)))
    assert (whole.empty_rows, whole.empty_cells, whole.wrong_cells) == ([], [], [])


def test_a_cell_that_was_called_impossible_and_was_hit_is_named() -> None:
    """An excuse that does not hold is a mistake in the table."""
    cell = next(iter(IMPOSSIBLE))
    assert Coverage(1, cells=Counter([cell])).wrong_cells == [cell]


def test_days_add_up() -> None:
    """Counts are by day."""
    total = Coverage()
    total.add(Coverage(1, Counter([4]), Counter([("told", "changed")])))
    total.add(Coverage(1, Counter([4]), Counter([("told", "away")])))
    assert (total.days, total.rows[4], total.cells["told", "changed"]) == (2, 2, 1)
    assert total.to_dict()["cells"]["told"]["away"] == 1
    assert Coverage.from_dict(json.loads(json.dumps(total.to_dict()))) == total


def test_the_page_names_every_row_and_every_excuse() -> None:
    """As docs/simulation-coverage.md has it."""
    text = page(Coverage(1, Counter([4])))
    assert all(f"| {row} | {people} |" in text for row, (people, _) in SCENARIOS.items())
    assert all(f"{state} / {shape}" in text and f": {why}" in text for (state, shape), why in IMPOSSIBLE.items())


def test_a_gesture_says_what_it_was_about() -> None:
    """The event before and after, as the calendar holds it."""
    day, _ = lived_with_coverage(
        Tapes(0, Setting(RULES, ORDERED), (step(0, 0, "create"), step(1, 9, "rename", OTHER_TITLE)), ())
    )
    created, renamed = day.people.done
    assert (created.before, renamed.before) == (None, created.after)
    assert isinstance(renamed, Done)
    assert renamed.after is not None
    assert renamed.after.body["summary"] == "Title 1"
