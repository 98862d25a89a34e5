"""The command behind `make simulate-renewal`: plays the month, prints its figures, says what did not hold.

It ends with status 1 when a rule was broken. Ctrl-C stops it, and what was seen so far is printed.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from confsync.core.rules import Rules
from tests.renewals.channel_month import ChannelMonth, collect_seldom
from tests.renewals.checks import Check, checks
from tests.renewals.figures import as_lines, figures
from tests.renewals.intervals import intervals_that_hold
from tests.renewals.picture import draw
from tests.renewals.settings import FULL_SCALE, HOUR_S, Month, scaled
from tests.renewals.sync_month import SyncMonth

INTERRUPTED = 130


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; ends the process with status 2 and a message when they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.renewals", description=__doc__.partition("\n")[0])
    parser.add_argument("--calendars", type=int, default=FULL_SCALE, help="fewer get quota and bounds in proportion")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reconcile-hours", type=float, default=Rules.reconcile_s / HOUR_S)
    parser.add_argument("--intervals", action="store_true", help="also look for the intervals that hold")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="write the month as a picture")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    options = parser.parse_args(arguments)
    if min(options.calendars, options.days) < 1:
        parser.error(f"--calendars {options.calendars} and --days {options.days} must be at least 1")
    return options


def play(options: argparse.Namespace) -> int:
    """Let the month pass twice, with channels and with syncs; print what was seen, return the exit status."""
    asked = Month(options.calendars, options.days, options.seed)
    month, rules = scaled(asked, Rules(reconcile_s=options.reconcile_hours * HOUR_S))
    channels, syncs = ChannelMonth(month, rules), SyncMonth(month, rules)
    with _Progress(options.days) as progress:
        is_whole = _pass(channels, syncs, progress)
    if not is_whole:
        _say(figures(channels, syncs.calls), [], options)
        sys.stderr.write("stopped before the month was over: nothing was judged\n")
        return INTERRUPTED
    channels.calendar_api.end()
    results, found = checks(channels, syncs.calls), figures(channels, syncs.calls)
    if options.intervals or not all(check.holds for check in results if check.is_about_calls):
        found["reconcile_interval"] = intervals_that_hold(asked, rules, found)
    _say(found, results, options)
    if options.plot:
        draw(channels, syncs.calls, options.plot)
    return 0 if all(check.holds for check in results) else 1


def _say(found: dict[str, Any], results: Sequence[Check], options: argparse.Namespace) -> None:
    if options.json:
        shown = json.dumps({**found, "checks": [vars(check) for check in results]}, indent=2)
    else:
        shown = "\n".join(as_lines(found, results))
    sys.stdout.write(shown + "\n")


def _pass(channels: ChannelMonth, syncs: SyncMonth, out: "_Progress") -> bool:
    """Return whether both months were left to pass to their end."""
    try:
        for day in syncs.days():
            out.show("syncs", day)
        for day in channels.days():
            out.show("channels", day, f"{channels.rss_mb[-1]:,.0f} MB, {channels.renewed.sum():,} renewed")
    except KeyboardInterrupt:
        return False
    return True


class _Progress:
    """Bars where somebody looks, a line a day where nobody does."""

    def __init__(self, days: int) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        console = Console(stderr=True)
        self._bar = Progress(*columns, console=console) if console.is_terminal else None
        self._tasks = (
            {name: self._bar.add_task(name, total=days) for name in ("syncs", "channels")} if self._bar else {}
        )
        self._began = time.monotonic()

    def __enter__(self) -> "_Progress":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, name: str, day: int, more: str = "") -> None:
        """Show how many days of a month have passed."""
        if self._bar is not None:
            self._bar.update(self._tasks[name], completed=day, description=f"{name} {more}")
        elif more or day % 10 == 0:
            sys.stderr.write(f"{time.monotonic() - self._began:6.0f} s  day {day:2} of {name} {more}\n")


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says."""
    options = parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # a job in the background is born deaf to the first
        signal.signal(number, signal.default_int_handler)
    collect_seldom()
    return play(options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
