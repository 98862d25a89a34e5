"""The commands of the simulation: run many seeds, show one, find a schedule.

    python -m tests.simulation run --seeds 20000 [--start S] [--jobs N] [--state FILE] [--most 5] [--trace] [--write]
                                [--twice-every N]
    python -m tests.simulation show SEED [--shrink]
    python -m tests.simulation find "a call landed after a newer one" [--start S] [--seeds N]

A run ends with status 1 when any seed broke a rule, or when 20,000 seeds did not meet every schedule that is counted,
every row of the scenario table, and every cell of what is recorded and what is shown (docs/simulation-coverage.md).
Ctrl-C stops it, and the state file says where to go on.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation import coverage
from tests.simulation.days import record
from tests.simulation.runs import StateFile, Tally, run, shortest
from tests.simulation.shrinking import shortened
from tests.simulation.simulation import CALENDARS, Simulation, lived
from tests.simulation.sometimes import SCHEDULES
from tests.simulation.tapes import Tapes

SAY_EVERY_S = 10
LONG_RUN = 20_000
"""Seeds after which each schedule, row and cell has to have been met."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; ends the process with status 2 and a message when they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="run seeds, each twice unless told otherwise")
    running.add_argument("--seeds", type=int, default=1000)
    running.add_argument("--start", type=int, default=0)
    running.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    running.add_argument("--state", type=Path, help="file that says how far the run came; it goes on from there")
    running.add_argument("--most", type=int, default=5, help="stop after so many broken seeds")
    running.add_argument("--twice-every", type=int, default=1, help="play only each n-th seed twice")
    running.add_argument("--trace", action="store_true", help="show what happened on each broken day")
    running.add_argument("--write", action="store_true", help=f"write what was hit into docs/{coverage.PAGE.name}")
    showing = commands.add_parser("show", help="print what happens on the day of one seed")
    showing.add_argument("seed", type=int)
    showing.add_argument("--shrink", action="store_true", help="shorten the tapes of a day that breaks a rule first")
    finding = commands.add_parser("find", help="find a seed that meets a schedule, and shorten its tapes")
    finding.add_argument("schedule", choices=SCHEDULES)
    finding.add_argument("--start", type=int, default=0)
    finding.add_argument("--seeds", type=int, default=2000)
    return parser.parse_args(arguments)


def run_seeds(options: argparse.Namespace) -> int:
    """Run the seeds that are left, say how it goes, and show what broke."""
    state = StateFile(options.state) if options.state else None
    tally = state.load(options.start) if state else Tally(options.start)
    until = options.start + options.seeds
    for number in (signal.SIGINT, signal.SIGTERM):  # a job in the background is born deaf to the first
        signal.signal(number, signal.default_int_handler)
    try:
        with _Progress(options.seeds, tally) as progress:
            tell = _teller(state, options.most, progress.show)
            run(tally, until, options.jobs, tell, twice_every=options.twice_every)
    except KeyboardInterrupt:
        _say(f"stopped after {tally.seeds} seeds")
    if state is not None:
        state.save(tally, now=True)
    if options.write:
        coverage.PAGE.write_text(coverage.page(tally.coverage), encoding="utf-8")
    _report(tally, options)
    return 1 if tally.failures or unmet(tally) else 0


def unmet(tally: Tally) -> list[str]:
    """Return what a long run did not meet once, or met though it cannot be: then the generator has gone blind."""
    found, wrong = tally.coverage, [f"cell {' / '.join(cell)}, which cannot be" for cell in tally.coverage.wrong_cells]
    if tally.seeds < LONG_RUN:
        return wrong
    schedules = [schedule for schedule in SCHEDULES if not tally.reached[schedule]]
    cells = [f"cell {' / '.join(cell)}" for cell in found.empty_cells]
    return [*schedules, *(f"row {row}" for row in found.empty_rows), *cells, *wrong]


def _teller(state: StateFile | None, most: int, show: Callable[[Tally], None]) -> Callable[[Tally], bool]:
    def tell(tally: Tally) -> bool:
        show(tally)
        if state is not None:
            state.save(tally)
        return len(tally.failures) >= most

    return tell


class _Progress:
    """A bar where somebody looks, a line now and then where nobody does."""

    def __init__(self, seeds: int, tally: Tally) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        console = Console(stderr=True)
        self._bar = Progress(*columns, console=console) if console.is_terminal else None
        self._task = self._bar.add_task("seeds", total=seeds, completed=tally.seeds) if self._bar else None
        self._before, self._began, self._said_at = tally.seeds, time.monotonic(), time.monotonic()

    def __enter__(self) -> "_Progress":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, tally: Tally) -> None:
        """Show how far the run came."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=tally.seeds, description=f"seeds, {len(tally.failures)} broken")
        elif time.monotonic() - self._said_at > SAY_EVERY_S:
            self._said_at = time.monotonic()
            pace = (tally.seeds - self._before) / (self._said_at - self._began)
            _say(f"{tally.seeds} seeds, {len(tally.failures)} broken, {pace:.0f} seeds/s")


def _report(tally: Tally, options: argparse.Namespace) -> None:
    for seed in list(tally.failures)[: options.most]:
        _say("\n".join(_shown(shortest(record(seed)), trace=options.trace)))
    for schedule in SCHEDULES:
        _say(f"{tally.reached[schedule]:8} {schedule}")
    _say(f"{tally.sprung.total():8} faults of {len(tally.sprung)} kinds")
    _say(f"{len(tally.coverage.rows):8} rows and {len(tally.coverage.cells)} cells of docs/{coverage.PAGE.name}")
    for what in unmet(tally):
        _say(f"         not met, or wrongly: {what}")
    _say(
        f"{tally.seeds} seeds, {len(tally.failures)} broken {sorted(tally.failures)[:20]}, hash {tally.trace_hash:08x}"
    )


def _shown(tapes: Tapes, *, trace: bool) -> list[str]:
    day = lived(tapes)
    return [*day.violations, str(tapes), *(_readable(day) if trace else [])]


def _readable(day: Simulation) -> list[str]:
    """Return the trace with calendars and conferences called by their own names."""
    names = {key: calendar_id.partition("@")[0] for key, calendar_id in CALENDARS.items()}
    names |= {conference.key: conference.conference_id for conference in day.ledger.conferences()}
    text = "\n".join(day.lines)
    for key, name in names.items():
        text = text.replace(key, name)
    return text.split("\n")


def show(options: argparse.Namespace) -> int:
    """Print the tapes, the trace and what broke."""
    tapes = shortest(record(options.seed)) if options.shrink else record(options.seed)
    _say("\n".join(_shown(tapes, trace=True)))
    return 0


def find(options: argparse.Namespace) -> int:
    """Print the shortest tapes found that meet a schedule, as a test may keep them."""
    for seed in range(options.start, options.start + options.seeds):
        if options.schedule in lived(record(seed)).sometimes.reached:
            tapes = shortened(record(seed), lambda tried: options.schedule in lived(tried).sometimes.reached)
            _say(f"{tapes}\n{tapes!r}")
            return 0
    _say(f"none of {options.seeds} seeds meets {options.schedule!r}")
    return 1


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Do what the command line says."""
    options = parse(sys.argv[1:])
    return {"run": run_seeds, "show": show, "find": find}[options.command](options)


if __name__ == "__main__":
    sys.exit(main())
