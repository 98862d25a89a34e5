"""Coverage of meaning: which rows of the table of Calendar changes simulated days hit, and which cells.

    python -m tests.simulation.coverage --seeds 20000 [--start S] [--jobs N] [--json] [--write]

A cell is what is recorded of an event and what Calendar shows of it, as the planner meets them. The command ends with
status 1 when a row or a cell that can be hit never was. It looks on from outside, and must never change a day.
"""

import argparse
import gc
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

from confsync import observe
from confsync.core.planning import Plan, Recorded
from confsync.core.sight import Sight
from confsync.core.terms import Terms
from tests.scenarios.table import ROWS as NAMES
from tests.simulation.coverage_cells import IMPOSSIBLE, OPTIONAL, SHAPES, STATES, Cell, cell_of, cells
from tests.simulation.coverage_met import Witness
from tests.simulation.coverage_rows import ROWS, Met, NotPlayed, Played
from tests.simulation.days import record
from tests.simulation.simulation import Simulation
from tests.simulation.tapes import Tapes

PAGE = Path(__file__).parents[2] / "docs" / "simulation-coverage.md"
SAY_EVERY_S = 10
CHUNK = 25


@dataclass
class Coverage:
    """What some days hit: each row and each cell, by the number of days that hit it."""

    days: int = 0
    rows: Counter[int] = field(default_factory=Counter)
    cells: Counter[Cell] = field(default_factory=Counter)
    broken: list[int] = field(default_factory=list)
    """Seeds that broke a rule: their days end early."""

    def add(self, other: "Coverage") -> None:
        """Count other days too."""
        self.days += other.days
        self.rows += other.rows
        self.cells += other.cells
        self.broken += other.broken

    @property
    def empty_rows(self) -> list[int]:
        """Rows that can be hit and never were."""
        return [row for row, how in ROWS.items() if not isinstance(how, NotPlayed) and not self.rows[row]]

    @property
    def empty_cells(self) -> list[Cell]:
        """Cells that can be and never were."""
        return [cell for cell in cells() if not self.cells[cell]]

    @property
    def wrong_cells(self) -> list[Cell]:
        """Cells that cannot be, and were."""
        return [cell for cell in IMPOSSIBLE if self.cells[cell]]

    def to_json(self) -> str:
        """Return everything; cells by what is recorded, then by what is shown."""
        shown = {state: {shape: self.cells[state, shape] for shape in SHAPES} for state in STATES}
        rows = {str(row): self.rows[row] for row in sorted(ROWS)}
        return json.dumps({"days": self.days, "rows": rows, "cells": shown, "broken": self.broken}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Coverage":
        """Return what `to_json` wrote."""
        kept = json.loads(text)
        rows = Counter({int(row): count for row, count in kept["rows"].items() if count})
        shown = kept["cells"].items()
        found = {(state, shape): count for state, counts in shown for shape, count in counts.items() if count}
        return cls(kept["days"], rows, Counter(found), kept["broken"])


@contextmanager
def covering(day: Simulation) -> Iterator[Coverage]:
    """Look on while a day is played; what it hit is known at the end of the block."""
    found, seen, witness = Coverage(1), set[Cell](), Witness(day)
    plan = vars(observe)["plan"]  # as it is now: a mutant may have taken its place

    def spied(
        calendar_key: str, sight: Sight, recorded: Recorded, terms: Terms, /, **how: Any
    ) -> Plan:  # as the planner itself
        seen.update(cell_of(ref, shown, recorded, terms) for ref, shown in sight.items())
        planned: Plan = plan(calendar_key, sight, recorded, terms, **how)
        witness.watch_plan(calendar_key, sight, recorded, planned)
        return planned

    with patch("confsync.observe.plan", spied):  # the only way to look on without a switch in production code
        yield found
    witness.watch_evening()
    found.cells.update(dict.fromkeys(seen, 1))
    found.rows.update(dict.fromkeys(_rows_hit(day, witness), 1))
    found.broken = [day.tapes.seed] if day.violations else []


def _rows_hit(day: Simulation, witness: Witness) -> Iterator[int]:
    for row, how in ROWS.items():
        is_met = isinstance(how, Met) and how.what in witness.met
        if is_met or (isinstance(how, Played) and any(how.is_hit(done) for done in day.people.done)):
            yield row


def lived_with_coverage(tapes: Tapes) -> tuple[Simulation, Coverage]:
    """Play a day; return it with what it hit."""
    day = Simulation(tapes)
    with covering(day) as found:
        day.play()
    return day, found


def cover(seeds: range) -> Coverage:
    """Play these seeds, each once, in this process."""
    total = Coverage()
    for seed in seeds:
        total.add(lived_with_coverage(record(seed))[1])
    gc.collect()
    return total


def run(start: int, seeds: int, jobs: int = 1) -> Coverage:
    """Play a range of seeds, each once, and say now and then how far it came.

    Args:
        jobs: how many processes.

    """
    chunks = [range(first, min(first + CHUNK, start + seeds)) for first in range(start, start + seeds, CHUNK)]
    total, said_at = Coverage(), time.monotonic()
    with get_context("spawn").Pool(jobs, gc.disable) as pool:  # days are short and full of cycles
        for found in pool.imap(cover, chunks):
            total.add(found)
            if time.monotonic() - said_at > SAY_EVERY_S:
                said_at = time.monotonic()
                sys.stderr.write(_progress(total))
    return total


def _progress(total: Coverage) -> str:
    empty = len(total.empty_rows) + len(total.empty_cells)
    return f"{total.days} seeds, {empty} rows and cells never hit, {len(total.broken)} seeds broken\n"


def lines(found: Coverage) -> Iterator[str]:
    """Return the tables, as they stand on the page."""
    yield f"Rows of the [scenario table](scenarios.md), and the share of {found.days} days that hit each:\n"
    yield "| Row | People | Days | How it is known |"
    yield "|--:|---|--:|---|"
    for row, how in sorted(ROWS.items()):
        yield f"| {row} | {NAMES[row][0]} | {found.rows[row]} | {_how(how)} |"
    yield "\nCells: what is recorded of an event (down) and what Calendar shows of it (across), by days:\n"
    yield "| | " + " | ".join(SHAPES) + " |"
    yield "|---|" + "--:|" * len(SHAPES)
    for state in STATES:
        yield f"| **{state}** | " + " | ".join(_count(found, (state, shape)) for shape in SHAPES) + " |"


def _how(how: Played | Met | NotPlayed) -> str:
    if isinstance(how, NotPlayed):
        return f"not played: {how.why}"
    return how.what if isinstance(how, Met) else "gesture " + ", ".join(f"`{action}`" for action in how.actions)


def _count(found: Coverage, cell: Cell) -> str:
    return "-" if cell in IMPOSSIBLE else str(found.cells[cell])


HEAD = """# What simulated days meet

Each seed of `tests/simulation` is one day of people, faults and schedules. This page counts how many of the days met
each kind of change, and each pair of what was recorded and what Calendar showed. It is written by
`python -m tests.simulation.coverage --write`; a run in which one of them is never met fails.

"""


def page(found: Coverage) -> str:
    """Return docs/simulation-coverage.md."""
    words = [f"- **{name}**: {text}" for table in (STATES, SHAPES) for name, text in table.items()]
    parts = [*lines(found), "\nThe words:\n", *words]
    parts += ["\nCells that cannot be (`-`), and why:\n", *_excuses(IMPOSSIBLE)]
    parts += ["\nCells that no run has to meet, and why:\n", *_excuses(OPTIONAL)]
    return HEAD + "\n".join(parts) + "\n"


def _excuses(excused: Mapping[Cell, str]) -> Iterator[str]:
    """Give each reason, with the cells that it excuses."""
    for why in dict.fromkeys(excused.values()):
        which = [f"{state} / {shape}" for (state, shape), reason in excused.items() if reason == why]
        yield f"- {', '.join(which)}: {why}"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; ends the process with status 2 and a message when they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.coverage", description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument("--write", action="store_true", help=f"write docs/{PAGE.name}")
    return parser.parse_args(arguments)


def main() -> int:
    """Do what the command line says."""
    options = parse(sys.argv[1:])
    found = run(options.start, options.seeds, options.jobs)
    sys.stdout.write(found.to_json() if options.json else "\n".join(lines(found)) + "\n")
    if options.write:
        PAGE.write_text(page(found), encoding="utf-8")
    for name, empty in (("rows", found.empty_rows), ("cells", found.empty_cells)):
        sys.stderr.write(f"{name} never hit: {empty or 'none'}\n")
    sys.stderr.write(f"seeds that broke a rule: {found.broken or 'none'}\n")
    if found.wrong_cells:
        sys.stderr.write(f"cells that cannot be, and were: {found.wrong_cells}\n")
    return 1 if found.empty_rows or found.empty_cells or found.wrong_cells else 0


if __name__ == "__main__":
    sys.exit(main())
