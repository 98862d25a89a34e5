"""The table of mutants keeps up with the planner, and the script that tries them tells killed from alive."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.mutation.equivalents import unused
from tests.mutation.mutants import Mutant, Rule, StaleMutantError, mutant_of
from tests.mutation.report import as_page, is_survivor, line_of, summary
from tests.mutation.syntax import mutants_in
from tests.mutation.table import RULES, from_syntax, named
from tests.mutation.trial import ROOT, Stage, Tree, tried

LEAST_NAMED, LEAST_FROM_SYNTAX = 250, 800
SOURCE = "def is_grown(age):\n    return age >= 18\n"
GROWN = """from confsync.core.grown import is_grown

def test_a_child_is_not_grown():
    assert not is_grown(17)

def test_at_eighteen_one_is_grown():
    assert is_grown(18)
"""


def test_each_named_mutant_breaks_exactly_one_place_and_still_compiles() -> None:
    """A changed module makes the table fail, so that a rule never drops out of it unseen."""
    mutants = named(ROOT)
    for mutant in mutants:
        compile(mutant.source, mutant.path, "exec")
    assert len({mutant.name for mutant in mutants}) == len(mutants) >= LEAST_NAMED
    assert all(RULES.values())


def test_each_mutant_from_a_syntax_tree_differs_from_every_other() -> None:
    """Each of them is one change of one module."""
    mutants = from_syntax(ROOT)
    assert len({mutant.name for mutant in mutants}) == len(mutants) >= LEAST_FROM_SYNTAX
    assert unused([*named(ROOT), *mutants]) == []


def test_a_rule_that_is_not_found_once_is_refused() -> None:
    """Whether it is gone or stands there twice."""
    for old in ("age > 18", "a"):
        with pytest.raises(StaleMutantError, match="bring tests/mutation up to date"):
            mutant_of(Rule("x", old, "", "nothing"), "grown", SOURCE)


def test_a_syntax_tree_gives_each_kind_of_mutant() -> None:
    """A condition negated, and and or swapped, a comparison off by one, an entry, a filter, a guard left out."""
    source = "def f(a, b):\n    if a and b > 1:\n        return {'x': [c for c in b if c]}\n    g(a)\n    return a\n"
    changed = {mutant.source for mutant in mutants_in("m", source)}
    for expected in ("if not (a and b > 1)", "a or b > 1", "a and b >= 1", "return {}", "[c for c in b]", "    pass\n"):
        assert any(expected in each for each in changed), expected


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return a copy of a tiny tree: one module, one test of it."""
    small = tmp_path / "small"
    for path, text in {
        "shared/confsync/__init__.py": "",
        "shared/confsync/core/__init__.py": "",
        "shared/confsync/core/grown.py": SOURCE,
        "tests/core/test_grown.py": GROWN,
        "tests/test_nothing.py": "def test_nothing():\n    pass\n",
        "tests/scenarios/test_none.py": "def test_none():\n    pass\n",
    }.items():
        (small / path).parent.mkdir(parents=True, exist_ok=True)
        (small / path).write_text(text)
    place = tmp_path / "copy"
    place.mkdir()
    return Tree(small, place)


def test_a_mutant_is_tried_in_a_copy_and_leaves_no_trace(tree: Tree) -> None:
    """It is killed by the test that notices it; one that no test notices survives; one that hangs is killed by time."""
    tree.check_is_copied()
    killed = tried(Mutant("grown.x", "grown", "off by one", SOURCE.replace(">=", ">")), tree, {})
    alive = tried(Mutant("grown.y", "grown", "y", SOURCE + "\n\nUNUSED = 1\n"), tree, {})
    hangs = tried(Mutant("grown.z", "grown", "z", "while True:\n    pass\n"), tree, {"its own": 3.0})
    assert killed.killed_by.endswith("test_grown.py::test_at_eighteen_one_is_grown")
    assert (alive.killed_by, hangs.killed_by) == ("", "time-out")
    assert (tree.place / "shared/confsync/core/grown.py").read_text() == SOURCE
    assert [is_survivor(each) for each in (killed, alive, hangs)] == [False, True, False]
    outcomes = [killed, alive, hangs]
    assert summary(outcomes) == "3 mutants: 2 killed (1 of them by time-out), 0 equivalent, 1 survived"
    assert "SURVIVED" in line_of(alive)
    assert "| grown.y | y | **survived** |" in as_page(outcomes, outcomes, date(2026, 3, 2))


def test_a_failing_tree_is_noticed_before_any_mutant_is_tried(tree: Tree) -> None:
    """Nothing would follow from its tests failing."""
    (tree.place / "tests/core/test_grown.py").write_text("def test_it():\n    assert False\n")
    assert tree.run(Stage("core", ("tests/core",), 60)).endswith("test_grown.py::test_it")


def test_the_command_lists_its_mutants_and_refuses_names_that_are_none() -> None:
    """Without trying any."""
    words = [sys.executable, "-m", "tests.mutation", "--list", "--only"]
    listed = subprocess.run([*words, "ending."], cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(line.startswith("ending.") for line in listed.stdout.splitlines())
    refused = subprocess.run([*words, "nobody."], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (refused.returncode, "no mutant is called nobody." in refused.stderr) == (1, True)
