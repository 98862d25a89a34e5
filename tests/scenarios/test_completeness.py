"""Every row of the table of Calendar changes has a test, and the page that says so is up to date."""

from pathlib import Path

import pytest

from tests.scenarios.table import PAGE, ROWS, Scenario, page, scenarios

FOUND = scenarios()


def test_the_table_has_sixty_rows() -> None:
    """No number is left out."""
    assert sorted(ROWS) == list(range(1, 61))


@pytest.mark.parametrize("row", sorted(ROWS))
def test_every_row_is_shown_by_a_test(row: int) -> None:
    """A change whose meaning nobody shows may be lost unnoticed."""
    assert [scenario.name for scenario in FOUND if row in scenario.rows]


def test_every_marked_row_exists() -> None:
    """A mistyped number would hide a gap."""
    marked = {row for scenario in FOUND for row in scenario.rows}
    assert marked <= set(ROWS)


def test_no_two_scenarios_have_the_same_name() -> None:
    """The page names them by their sentences."""
    names = [scenario.name for scenario in FOUND]
    assert len(names) == len(set(names))


def test_the_page_is_up_to_date() -> None:
    """Write it anew: python -m tests.scenarios.table"""
    assert PAGE.read_text(encoding="utf-8") == page(FOUND)


def test_a_scenario_that_is_expected_to_fail_is_marked_on_the_page() -> None:
    """A reader must not take a gap for a promise kept."""
    gap = Scenario("test_x.py", "test_it_is_done", rows=(1,), is_met=False)
    kept = Scenario("test_x.py", "test_it_is_kept", rows=(1, 2), is_met=True)
    lines = page([gap, kept]).splitlines()
    assert "it is done](../tests/scenarios/test_x.py) **(not yet)**<br>[it is kept]" in lines[-60]
    assert lines[-59].endswith("| [it is kept](../tests/scenarios/test_x.py) |")


def test_an_expected_failure_is_seen_wherever_it_is_written(tmp_path: Path) -> None:
    """On the test, on one of its variants, or under a name that several tests share."""
    (tmp_path / "worlds.py").write_text("NOT_YET = pytest.mark.xfail(strict=True, reason='')\n")
    tests = (
        "@pytest.mark.scenario(1)\n@pytest.mark.xfail(strict=True)\ndef test_a(): ...\n"
        "@pytest.mark.scenario(2)\n@NOT_YET\ndef test_b(): ...\n"
        "@pytest.mark.scenario(3)\n@pytest.mark.parametrize('n', [1, pytest.param(2, marks=NOT_YET)])\n"
        "def test_c(): ...\n"
        "@pytest.mark.scenario(4, 5)\ndef test_d(): ...\n"
    )
    (tmp_path / "test_some.py").write_text(tests)
    found = [(scenario.name, scenario.rows, scenario.is_met) for scenario in scenarios(tmp_path)]
    assert found == [
        ("test_a", (1,), False),
        ("test_b", (2,), False),
        ("test_c", (3,), False),
        ("test_d", (4, 5), True),
    ]
