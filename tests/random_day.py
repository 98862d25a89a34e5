"""Random days: people act, everything that can go wrong does, and the oracles watch.

    python -m tests.random_day --seeds 1000 --start 0

A seed is recorded on two tapes (`random_day_tape`), played on the in-process world (`random_day_world`), and judged
while it is played (`random_day_oracles`) and when it has settled (`random_day_evening`). A day that breaks a rule is
played again with shorter and shorter tapes, and shown. The same seed always plays the same day.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from tests.random_day_tape import Fault, Step, Tapes, record
from tests.random_day_world import Day

T = TypeVar("T")


def lived(tapes: Tapes) -> Day:
    """Play a day and return it; what the product never should raise counts as a broken rule."""
    day = Day(tapes)
    try:
        day.play()
    except Exception as error:  # noqa: BLE001 - whatever escapes is a finding, and the tapes are to be shortened
        day.oracles.complain("raised", f"{type(error).__name__}: {error}")
    return day


def shortened(tapes: Tapes, most_days: int = 500) -> Tapes:
    """Return tapes that break the same rule with fewer steps and faults: chunks are left out as long as it does."""
    rule = _rule(lived(tapes))
    days = iter(range(most_days))

    def fails(steps: list[Step], faults: list[Fault]) -> bool:
        return (
            next(days, None) is not None
            and _rule(lived(replace(tapes, steps=tuple(steps), faults=tuple(faults)))) == rule
        )

    faults = _fewest(list(tapes.faults), lambda fewer: fails(list(tapes.steps), fewer))
    steps = _fewest(list(tapes.steps), lambda fewer: fails(fewer, faults))
    faults = _fewest(faults, lambda fewer: fails(steps, fewer))
    return replace(tapes, steps=tuple(steps), faults=tuple(faults))


def _rule(day: Day) -> str:
    return day.violations[0].partition(":")[0] if day.violations else ""


def _fewest(items: list[T], fails: Callable[[list[T]], bool]) -> list[T]:
    size = len(items)
    while size:
        for begin in range(0, len(items), size):
            fewer = items[:begin] + items[begin + size :]
            if len(fewer) < len(items) and fails(fewer):
                items = fewer
                break
        else:
            size //= 2
    return items


def report(tapes: Tapes) -> str:
    """Return what a seed breaks, with its tapes shortened."""
    shorter = shortened(tapes)
    day = lived(shorter)
    return "\n".join([*day.violations, str(shorter)])


def main() -> int:
    """Run seeds with a line of progress, and show what they break."""
    parser = argparse.ArgumentParser(prog="python -m tests.random_day")
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--most", type=int, default=5, help="stop after so many broken days")
    parser.add_argument("--trace", action="store_true", help="show what happened on each broken day")
    chosen = parser.parse_args()
    failed, began, sprung = 0, time.monotonic(), Counter[str]()
    for number, seed in enumerate(range(chosen.start, chosen.start + chosen.seeds), 1):
        day = lived(record(seed))
        sprung += day.gate.sprung
        if day.violations:
            failed += 1
            _show(day, trace=chosen.trace)
        if number % 500 == 0:
            _say(f"{number} days, {failed} broken, {sprung.total()} faults, {time.monotonic() - began:.0f} s")
        if failed >= chosen.most:
            break
    _say(f"{failed} broken; faults: {dict(sorted(sprung.items()))}")
    return min(failed, 1)


def _show(day: Day, *, trace: bool) -> None:
    shorter = shortened(day.tapes)
    played = lived(shorter)
    _say("\n".join([*played.violations, str(shorter), *(played.lines if trace else [])]))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
