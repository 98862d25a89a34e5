"""The command behind `make mutation`: try every mutant of the planner, and say which ones no test noticed.

It must never touch the work tree, but docs/mutation.md when told so with `--write`.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.mutants import Mutant
from tests.mutation.report import as_json, as_page, is_survivor, line_of, summary
from tests.mutation.table import from_syntax, named
from tests.mutation.trial import ROOT, Outcome, Tree, limits_of, tried

PAGE = ROOT / "docs" / "mutation.md"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; ends the process with status 2 and a message when they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation",
        description="Break one rule of the planner at a time and see a test fail. All mutants take about two hours.",
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="mutants that are tried at once")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="a mutant, or the beginning of its name: `binding` is every mutant of that module",
    )
    parser.add_argument("--kind", choices=["named", "syntax", "all"], default="all", help="which mutants are tried")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--write", action="store_true", help="store the table in docs/mutation.md")
    parser.add_argument("--list", action="store_true", help="print the mutants and try none")
    return parser.parse_args(arguments)


def chosen(options: argparse.Namespace) -> tuple[list[Mutant], list[Mutant]]:
    """Return the named mutants and those from the syntax trees that were asked for."""
    found = (
        named(ROOT) if options.kind != "syntax" else [],
        from_syntax(ROOT) if options.kind != "named" else [],
    )
    only = tuple(options.only or [""])
    kept = tuple([mutant for mutant in mutants if mutant.name.startswith(only)] for mutants in found)
    if not any(kept):
        raise SystemExit(f"no mutant is called {' or '.join(only)}; --list names them")
    return kept[0], kept[1]


def try_all(mutants: Sequence[Mutant], jobs: int) -> list[Outcome]:
    """Try each mutant in one of as many copies of the tree, and say on standard error how it goes."""
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mutation-"))) for _ in range(jobs)]
        free: SimpleQueue[Tree] = SimpleQueue()
        for folder in folders:
            free.put(Tree(ROOT, folder))
        tree = free.get()
        limits = limits_of(tree)
        free.put(tree)

        def attempt(mutant: Mutant) -> Outcome:
            tree = free.get()
            try:
                outcome = tried(mutant, tree, limits)
            finally:
                free.put(tree)
            sys.stderr.write(line_of(outcome) + "\n")
            sys.stderr.flush()
            return outcome

        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(attempt, mutants))


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; return the exit status: 1 where a mutant survived."""
    options = parse(arguments)
    by_name, by_syntax = chosen(options)
    if options.list:
        sys.stdout.writelines(f"{mutant.name:45} {mutant.rule}\n" for mutant in (*by_name, *by_syntax))
        return 0
    outcomes = try_all([*by_name, *by_syntax], options.jobs)
    first, second = outcomes[: len(by_name)], outcomes[len(by_name) :]
    text = as_json(outcomes) if options.json else "\n".join([*map(line_of, outcomes), "", summary(outcomes)])
    sys.stdout.write(text + "\n")
    if options.write:
        PAGE.write_text(as_page(first, second, datetime.now(UTC).date()), encoding="utf-8")
    return 1 if any(is_survivor(outcome) for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
