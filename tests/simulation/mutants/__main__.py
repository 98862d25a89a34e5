"""The command behind `make mutants`: remove one rule at a time, and see how soon the simulation notices.

    python -m tests.simulation.mutants [--only NAME] [--seeds 10000] [--enough 5] [--state FILE] [--json] [--write]

It ends with status 1 when a mutant was not noticed that the simulation has to notice. Ctrl-C stops it; the state file
says where to go on.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.simulation.mutants.report import as_json, as_table, line_of, survivors, write_page
from tests.simulation.mutants.switches import Mutant, bodies_of
from tests.simulation.mutants.table import MUTANTS, UNSEEN
from tests.simulation.mutants.trial import Outcome, try_seeds

PAGE = Path(__file__).parents[3] / "docs" / "simulation.md"
SAY_EVERY_S = 10
UNSEEN_SEEDS = 1000


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; ends the process with status 2 and a message when they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="a mutant, or the beginning of its name")
    parser.add_argument("--seeds", type=int, default=10000, help="most seeds that are played of each")
    parser.add_argument("--enough", type=int, default=5, help="a mutant that was caught so often is not played on")
    parser.add_argument(
        "--state", type=Path, help="file that says how far each mutant came; the run goes on from there"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--write", action="store_true", help="store the table in docs/simulation.md")
    parser.add_argument("--list", action="store_true", help="print the mutants and try none")
    return parser.parse_args(arguments)


def chosen(only: Sequence[str] | None) -> list[Mutant]:
    """Return the mutants that were asked for; ends the process where there is none of that name."""
    found = [mutant for mutant in MUTANTS if mutant.name.startswith(tuple(only or [""]))]
    if not found:
        raise SystemExit(f"no mutant is called {' or '.join(only or [])}; --list names them")
    return found


def load(path: Path | None) -> dict[str, Outcome]:
    """Return what a state file keeps, by name; nothing where there is none."""
    if path is None or not path.exists():
        return {}
    return {name: Outcome.from_dict(kept) for name, kept in json.loads(path.read_text()).items()}


def save(path: Path | None, outcomes: dict[str, Outcome]) -> None:
    """Write the state file, if one is wanted."""
    if path is not None:
        kept = {name: outcome.to_dict() for name, outcome in outcomes.items()}
        written = path.with_suffix(".new")
        written.write_text(json.dumps(kept, indent=1) + "\n")
        written.replace(path)


def try_all(mutants: Sequence[Mutant], outcomes: dict[str, Outcome], options: argparse.Namespace) -> None:
    """Try each mutant, and say on standard error how it goes."""
    said_at = time.monotonic()
    for mutant in mutants:
        bodies_of(mutant)  # before anybody edits the production code, and before the first of them is played

    def tell(outcome: Outcome) -> None:
        nonlocal said_at
        if time.monotonic() - said_at > SAY_EVERY_S:
            said_at = time.monotonic()
            _say(f"  {outcome.name}: caught {len(outcome.caught)} times in {outcome.seeds} seeds")

    for number, mutant in enumerate(mutants, 1):
        outcome = outcomes.setdefault(mutant.name, Outcome(mutant.name))
        try:
            try_seeds(mutant, outcome, _most(mutant, options.seeds), options.enough, tell)
        finally:
            save(options.state, outcomes)
        _say(f"{number:3}/{len(mutants)} {line_of(mutant, outcome)}")


def _most(mutant: Mutant, seeds: int) -> int:
    """Return how many seeds are played: fewer of a mutant that nothing can show."""
    return min(seeds, UNSEEN_SEEDS) if mutant.name in UNSEEN else seeds


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; return the exit status: 1 where a mutant survived."""
    options = parse(arguments)
    mutants, outcomes = chosen(options.only), load(options.state)
    if options.list:
        sys.stdout.writelines(f"{mutant.name:34} {mutant.rule:9} {mutant.breaks}\n" for mutant in mutants)
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):  # a job in the background is born deaf to the first
        signal.signal(number, signal.default_int_handler)
    try:
        try_all(mutants, outcomes, options)
    except KeyboardInterrupt:
        _say("stopped")
    played = [mutant for mutant in mutants if mutant.name in outcomes]
    sys.stdout.write((as_json if options.json else as_table)(played, outcomes) + "\n")
    if options.write:
        write_page(PAGE, played, outcomes)
    return 1 if survivors(played, outcomes) or len(played) < len(mutants) else 0


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
