"""Coverage of meaning: which rows of the table of Calendar changes simulated days hit, and which cells.

A cell is what is recorded of an event and what Calendar shows of it, as the planner meets them. It looks on from
outside, and must never change a day.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from tests.simulation.simulation import Simulation
from tests.simulation.tapes import Tapes

PAGE = Path(__file__).parents[2] / "docs" / "simulation-coverage.md"


@dataclass
class Coverage:
    """What some days hit: each row and each cell, by the number of days that hit it."""

    days: int = 0
    rows: Counter[int] = field(default_factory=Counter)
    cells: Counter[Cell] = field(default_factory=Counter)

    def add(self, other: "Coverage") -> None:
        """Count other days too."""
        self.days += other.days
        self.rows += other.rows
        self.cells += other.cells

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

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it; cells by what is recorded, then by what is shown."""
        shown = {state: {shape: self.cells[state, shape] for shape in SHAPES} for state in STATES}
        return {"days": self.days, "rows": {str(row): self.rows[row] for row in sorted(ROWS)}, "cells": shown}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "Coverage":
        """Return what `to_dict` gave."""
        rows = Counter({int(row): count for row, count in kept["rows"].items() if count})
        shown = kept["cells"].items()
        found = {(state, shape): count for state, counts in shown for shape, count in counts.items() if count}
        return cls(kept["days"], rows, Counter(found))


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
        witness.watch_plan(calendar_key, sight, recorded, planned, swept=how["listing"] if how["is_sweep"] else None)
        return planned

    with patch("confsync.observe.plan", spied):  # the only way to look on without a switch in production code
        yield found
    witness.watch_evening()
    found.cells.update(dict.fromkeys(seen, 1))
    found.rows.update(dict.fromkeys(_rows_hit(day, witness), 1))


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
`python -m tests.simulation run --seeds 20000 --write`; a run that long in which one of them is never met fails.

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
