"""`confsync cost`: what a deployment costs a month, from operations that tests measure and a dated table of prices.

It asks nobody. It must never print a figure without saying which of what it rests on is assumed.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

import click

from confsync.cli.columns import columns, counted
from confsync.cli.exit_status import OptionsError, exit_status
from confsync.costs import prices
from confsync.costs.bill import Bill, Deployment, bill
from confsync.costs.calls import BILLED_FROM, QUOTA, calls, warnings
from confsync.costs.load import Load

HEADINGS: Final = ("PART", "USD A MONTH", "BEFORE WHAT IS FREE")


@click.command()
@click.option("--calendars", type=int, required=True, help="Calendars that are synced.")
@click.option("--changes-per-day", type=float, required=True, help="Changes of one calendar a day, whatever changes.")
@click.option("--conferences", type=float, default=Load.conferences, show_default=True,
              help="Share of the changes of which a conferencing system is told.")  # fmt: skip
@click.option("--coalescing", type=float, default=Load.coalescing, show_default=True,
              help="Changes that are made within one coalescing window.")  # fmt: skip
@click.option("--reconcile-interval", "reconcile_s", type=float, default=Load.reconcile_s, show_default=True,
              help="RECONCILE_INTERVAL_S, in seconds.")  # fmt: skip
@click.option("--sync-seconds", "sync_s", type=float, default=Load.sync_s, show_default=True,
              help="How long a sync takes, which is mostly Calendar's and Firestore's time.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def cost(as_json: bool, **given: Any) -> None:
    """Say what a deployment costs a month on Google Cloud, and how many Calendar calls it makes; see docs/costs.md.

    Exit status: 0 when done, 2 for wrong options.
    """
    with exit_status("cost"):
        try:
            load = Load(**given)
        except ValueError as error:
            raise OptionsError(str(error)) from None
        deployment = Deployment()
        click.echo(_as_json(load, deployment) if as_json else "\n".join(_in_words(load, deployment)))


def _in_words(load: Load, deployment: Deployment) -> Iterator[str]:
    found, made = bill(load, deployment), calls(load)
    yield f"{counted(load.calendars, 'calendar')}, {load.changes_per_day:g} changes a day each, {prices.DAYS} days\n"
    yield columns(HEADINGS, [*_rows(found), ("total", _usd(found.after_free), _usd(found.before_free))])
    yield f"\n{_usd(found.after_free / load.calendars * 1000)} USD a month for each 1,000 calendars"
    why = ", ".join(f"{number:,.0f} {name}" for name, number in made.per_day.items())
    yield f"{made.a_day:,.0f} Calendar calls a day ({why}); Google may charge from {BILLED_FROM:,}"
    yield f"{made.peak_minute:,.0f} Calendar calls a minute in busy hours; a project has {QUOTA:,}"
    for warning in warnings(load):
        yield f"WARNING: {warning}"
    yield f"\nMeasured: operations of each change, renewal and reconciliation. Assumed: {_assumed(load, deployment)}."
    yield (
        f"List prices of {prices.AS_OF}, a region of tier 1; without network egress, taxes, and what the conferencing "
        "system costs. docs/costs.md says where each number comes from."
    )


def _rows(found: Bill) -> Iterator[tuple[str, str, str]]:
    return ((part, _usd(after), _usd(before)) for part, (before, after) in found.parts.items())


def _usd(amount: float) -> str:
    return f"{amount:,.2f}"


def _assumed(load: Load, deployment: Deployment) -> str:
    return (
        f"a sync takes {load.sync_s:g} s and {load.told_s:g} s more for a conference, a notification "
        f"{deployment.receive_s:g} s, a run that finds nothing {deployment.run_s:g} s, a renewal "
        f"{deployment.renew_s:g} s, the start of a sync {deployment.start_s:g} s; a request leaves "
        f"{deployment.log_bytes:,} bytes of log; changes come {load.coalescing:g} to a coalescing window; "
        f"{load.conferences:.0%} of the changes concern a conference, of these {load.created:.0%} a new one and "
        f"{load.ended:.0%} its end; {load.quiet:g} quiet notifications for each change; busy hours have "
        f"{load.peak:g} times as many changes as the mean"
    )


def _as_json(load: Load, deployment: Deployment) -> str:
    found, made = bill(load, deployment), calls(load)
    return json.dumps(
        {
            "usd_a_month": round(found.after_free, 4),
            "usd_a_month_before_free": round(found.before_free, 4),
            "parts": {part: {"usd": round(after, 4), "before_free": round(before, 4)}
                      for part, (before, after) in found.parts.items()},
            "units_a_month": {unit: round(units) for unit, units in found.totals.items()},
            "calendar_calls_a_day": {why: round(number) for why, number in made.per_day.items()},
            "calendar_calls_a_busy_minute": round(made.peak_minute),
            "warnings": [*warnings(load)],
            "prices_of": prices.AS_OF,
            "load": asdict(load),
            "deployment": asdict(deployment),
        }
    )  # fmt: skip
