"""Every row of the table of Calendar changes has a test, and the page that says so is up to date."""

import pytest

from tests.scenarios.table import PAGE, ROWS, Scenario, page, scenarios


def test_the_table_has_sixty_rows() -> None:
    """No number is left out."""
    assert sorted(ROWS) == list(range(1, 61))


@pytest.mark.parametrize("row", sorted(ROWS))
def test_every_row_is_shown_by_a_test(row: int) -> None:
    """A change whose meaning nobody shows may be lost unnoticed."""
    assert [scenario.name for scenario in scenarios() if row in scenario.rows]


def test_every_marked_row_exists() -> None:
    """A mistyped number would hide a gap."""
    marked = {row for scenario in scenarios() for row in scenario.rows}
    assert marked <= set(ROWS)


def test_no_two_scenarios_have_the_same_name() -> None:
    """The page names them by their sentences."""
    names = [scenario.name for scenario in scenarios()]
    assert len(names) == len(set(names))


def test_the_page_is_up_to_date() -> None:
    """Write it anew: python -m tests.scenarios.table"""
    assert PAGE.read_text(encoding="utf-8") == page(scenarios())


def test_a_scenario_that_is_expected_to_fail_is_marked_on_the_page() -> None:
    """A reader must not take a gap for a promise kept."""
    gap = Scenario("test_x.py", "test_it_is_done", rows=(1,), is_met=False)
    kept = Scenario("test_x.py", "test_it_is_kept", rows=(1, 2), is_met=True)
    lines = page([gap, kept]).splitlines()
    assert "it is done](../tests/scenarios/test_x.py) **(not yet)**<br>[it is kept]" in lines[-60]
    assert lines[-59].endswith("| [it is kept](../tests/scenarios/test_x.py) |")
