"""The command behind `make bench`: runs the benchmarks and prints one table of their figures.

It must never fail because of a figure: benchmarks inform, tests decide.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from tests.bench import change_latency, import_time, listing_page, receive_notification, storm, sync_operations
from tests.bench.figures import Figure
from tests.bench.table import as_json, show

BENCHMARKS: dict[str, Callable[[], list[Figure]]] = {
    "receive_notification": receive_notification.measure,
    "change_latency": change_latency.measure,
    "listing_page": listing_page.measure,
    "storm": storm.measure,
    "import_time": import_time.measure,
    "sync_operations": sync_operations.measure,
}
"""In the order in which they run and are shown."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; ends the process with status 2 and a message when they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure confsync beside its peers, in turns on this machine. Uses 127.0.0.1 only; takes minutes.",
    )
    parser.add_argument(
        "--only", action="append", choices=list(BENCHMARKS), metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; return the exit status."""
    options = parse(arguments)
    os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning")  # Google's libraries announce Python's end
    figures: list[Figure] = []
    for name, measure in BENCHMARKS.items():
        if options.only is None or name in options.only:
            sys.stderr.write(f"measuring {name} ...\n")
            figures += measure()
    if options.json:
        sys.stdout.write(as_json(figures) + "\n")
    else:
        show(figures, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
