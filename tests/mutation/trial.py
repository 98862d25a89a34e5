"""Trying a mutant: a copy of the tree in a temporary folder, the fast tests first, until one of them fails.

It must never change the tree that it was copied from.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.mutants import Mutant

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("shared", "tests", "functions", "docs", "pyproject.toml", "README.md", "Makefile")
"""What the tests need of the tree."""
SMALL_SCOPE = "tests/core/test_small_scope.py"
LEFT_OUT = (
    "test_bench.py",
    "test_cloud_build.py",
    "test_costs.py",
    "test_firestore_operations.py",
    "test_measured_operations.py",
    "test_truths.py",
)
"""They try the tree as a whole or the store, not the planner."""
LIKELY = {
    "binding": ("/test_planning.py",),
    "draft": ("/test_planning.py",),
    "driving": ("/test_judging.py",),
    "owners": ("/test_judging.py", "/test_planning.py"),
    "replacing": ("/test_judging.py",),
    "desires": ("/test_judging.py", "/test_effects.py"),
}
"""Where a module's rules are tested, beside the file of its own name."""
PATIENCE = 5
"""A mutant that takes this many times as long as the unchanged tree hangs."""
OPTIONS = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "--hypothesis-seed=0")
"""The same examples for each mutant, so that a survivor is one the next time too."""
LEAST_S = 60.0
LIMIT_S = 900.0
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


class BrokenTreeError(AssertionError):
    """The tests fail without any mutant: nothing would follow from their failing."""


@dataclass(frozen=True)
class Stage:
    """Tests that run together, and how long they may take."""

    name: str
    tests: tuple[str, ...]
    limit_s: float


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant."""

    mutant: Mutant
    killed_by: str
    """The test that failed, or `time-out`; empty: it survived."""
    seconds: float


class Tree:
    """A copy of the tree in which one module at a time is a mutant's."""

    def __init__(self, root: Path, place: Path) -> None:
        """Copy what the tests need."""
        self.place = place
        self._stamp = int(time.time())
        for part in PARTS:
            source = root / part
            if source.is_dir():
                shutil.copytree(source, place / part, ignore=shutil.ignore_patterns("__pycache__", ".*"))
            elif source.exists():
                shutil.copy(source, place / part)

    def write(self, path: str, source: str) -> None:
        """Write a module, older than any byte code of it: Python compares whole seconds."""
        self._stamp -= 10
        (self.place / path).write_text(source, encoding="utf-8")
        os.utime(self.place / path, (self._stamp, self._stamp))

    def run(self, stage: Stage) -> str:
        """Run tests until one fails; return its name, `time-out`, or nothing."""
        words = [sys.executable, "-m", "pytest", *OPTIONS, *stage.tests]
        process = subprocess.Popen(
            words,
            cwd=self.place,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=stage.limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return "time-out"
        return _failure_in(output) if process.returncode else ""

    def _environment(self) -> dict[str, str]:
        """The copy comes before the installed package."""
        return {**os.environ, "PYTHONPATH": os.pathsep.join([str(self.place / "shared"), str(self.place)])}

    def check_is_copied(self) -> None:
        """Raise `BrokenTreeError` where the tests would import another tree than this one."""
        words = [sys.executable, "-c", "import confsync; print(confsync.__file__)"]
        done = subprocess.run(
            words, cwd=self.place, env=self._environment(), capture_output=True, text=True, check=True
        )
        if not Path(done.stdout.strip()).is_relative_to(self.place):
            raise BrokenTreeError(f"the tests import {done.stdout.strip()}, not the copy in {self.place}")


def _failure_in(output: str) -> str:
    failed = _FAILED.search(output)
    return failed.group(1) if failed else f"pytest: {output.strip().splitlines()[-1][:100] if output.strip() else '?'}"


def stages(tree: Path, module: str = "", limits: Mapping[str, float] | None = None) -> list[Stage]:
    """Return the tests to run, the most likely killers first."""
    core = sorted(f"tests/core/{path.name}" for path in (tree / "tests/core").glob("test_*.py"))
    likely = [name for name in core if name.endswith((f"/test_{module}.py", *LIKELY.get(module, ())))]
    wide = sorted(f"tests/{path.name}" for path in (tree / "tests").glob("test_*.py") if path.name not in LEFT_OUT)
    found = (
        ("its own", tuple(likely)),
        ("core", tuple(name for name in core if name not in (*likely, SMALL_SCOPE))),
        ("small scope", tuple(name for name in core if name == SMALL_SCOPE)),
        ("all", ("tests/scenarios", *wide)),
    )
    return [Stage(name, tests, (limits or {}).get(name, LIMIT_S)) for name, tests in found if tests]


def limits_of(tree: Tree) -> dict[str, float]:
    """Run all tests without any mutant; return how long each stage may take.

    Raises:
        BrokenTreeError: a test fails.

    """
    tree.check_is_copied()
    limits = {}
    for stage in stages(tree.place, "binding"):
        began = time.monotonic()
        if failed := tree.run(stage):
            raise BrokenTreeError(f"{failed} fails without any mutant; bring the tree in order first")
        limits[stage.name] = max(LEAST_S, PATIENCE * (time.monotonic() - began))
    return limits


def tried(mutant: Mutant, tree: Tree, limits: Mapping[str, float]) -> Outcome:
    """Return who kills the mutant."""
    began, unchanged = time.monotonic(), (tree.place / mutant.path).read_text(encoding="utf-8")
    tree.write(mutant.path, mutant.source)
    try:
        killers = (tree.run(stage) for stage in stages(tree.place, mutant.module, limits))
        killed_by = next((killer for killer in killers if killer), "")
    finally:
        tree.write(mutant.path, unchanged)
    return Outcome(mutant, killed_by, time.monotonic() - began)
