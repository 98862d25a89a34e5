"""`confsync plan`: what would be told, ended, restored or replaced, whether or not the mode lets it be done.

It reads the store, and nothing else. It must never call, write or start anything.
"""

import json
import sys
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime
from typing import Final

import click

from confsync import parts
from confsync.cli.columns import columns, shown, stamp
from confsync.cli.exit_status import exit_status
from confsync.cli.naming import store_of, worker_settings
from confsync.cli.signals import interruptible
from confsync.core.outlook import Step, brake_keys, steps_of
from confsync.core.records import Brake
from confsync.core.rules import Rules
from confsync.paging import conferences_of
from confsync.ports import Store
from confsync.settings import WorkerSettings

WATCH_EVERY_S: Final = 2
HEAD: Final = ("CONFERENCE", "WHAT", "SINCE", "EVENT", "WHY")
VERBS: Final = ("update", "end", "restore", "replace")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--watch", is_flag=True, help="Look again every two seconds, and print what changed, until Ctrl-C.")
def plan(as_json: bool, watch: bool) -> None:
    """Show what would be done now: which conference would be updated, ended, restored or replaced, and why.

    With MODE=observe that is what MODE=act would do; with MODE=act it is what still waits.
    Settings are read from the environment, as by the worker.

    Exit status: 0 when shown, 1 when the store did not answer (do it again), 2 for wrong settings or options.
    """
    try:
        with exit_status("plan", "do it again"), interruptible() if watch else nullcontext():
            _show(worker_settings(), as_json=as_json, watch=watch)
    except KeyboardInterrupt:
        sys.exit(0)


def _show(settings: WorkerSettings, *, as_json: bool, watch: bool) -> None:
    store, rules, last = store_of(settings), settings.rules(), ""
    while True:
        steps = planned(store, settings.tenant, parts.utc_now(), rules)
        text = in_json(steps, rules) if as_json else in_words(steps, rules)
        if text != last:
            click.echo(text)
        if not watch:
            return
        last = text
        time.sleep(WATCH_EVERY_S)


def planned(store: Store, tenant: str, now: datetime, rules: Rules) -> list[Step]:
    """Return what would be done for a tenant, what has waited longest first.

    Raises:
        StoreUnavailable: the store did not answer.

    """
    conferences = list(conferences_of(store, tenant))
    brakes = store.get_many(Brake, brake_keys(conferences))
    return steps_of(conferences, brakes, now, rules)


def in_json(steps: list[Step], rules: Rules) -> str:
    """Return the plan as one JSON object on one line."""
    return json.dumps(
        {"mode": rules.mode, "summary": _counts(steps), "steps": [asdict(step) for step in steps]}, default=str
    )


def in_words(steps: list[Step], rules: Rules) -> str:
    """Return the plan as a table with a line below that sums it up."""
    if not steps:
        return "nothing to do"
    return f"{columns(HEAD, [_row(step) for step in steps])}\n{_summary(steps, rules)}"


def _row(step: Step) -> tuple[str, ...]:
    return (shown(step.conference_id), what(step), stamp(step.since), shown(step.event_id), step.why)


def what(step: Step) -> str:
    """Return what would be done, and when unless at once."""
    fields = f": {', '.join(step.fields)}" if step.fields else ""
    wait = ", held for an operator" if step.is_held else f", not before {stamp(step.at)}" if step.at else ""
    return f"{step.verb}{fields}{wait}"


def _counts(steps: list[Step]) -> dict[str, int]:
    found = Counter(step.verb for step in steps)
    return {**{verb: found[verb] for verb in VERBS}, "held": sum(step.is_held for step in steps)}


def _summary(steps: list[Step], rules: Rules) -> str:
    counts = _counts(steps)
    parts_of_it = [
        f"{number} {verb}{'s' if number > 1 else ''}" for verb, number in counts.items() if number and verb != "held"
    ]
    held = f", {counts['held']} of them held for an operator" if counts["held"] else ""
    done = "MODE=observe: none of it is done" if rules.mode == "observe" else "the next runs do it"
    return f"{', '.join(parts_of_it)}{held}; {done}"
