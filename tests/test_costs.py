"""What `confsync cost` reckons: nothing is counted twice or left out, and its page and Terraform say the same."""

import json
import re
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from confsync import worker_parts
from confsync.cli.cost import cost
from confsync.core.channels import renewal_time
from confsync.core.reconciliation import reconcile_time
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.costs import measured, prices
from confsync.costs.bill import JOBS, RENEWALS_AT_ONCE, SECRET_VERSIONS, Bill, Deployment, Line, bill, instance_seconds
from confsync.costs.calls import BILLED_FROM, calls, warnings
from confsync.costs.load import (
    MONTH_S,
    RECONCILED,
    RENEWED_AFTER,
    Load,
    operations,
    reconciliations_per_day,
    renewals,
)
from tests.contracts.store_calls import NOW, calendar

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "costs.md").read_text()
USUAL = Load(calendars=1000, changes_per_day=20)
BUSY = replace(USUAL, calendars=100_000)


def run(*options: str) -> Result:
    """Return what the command prints."""
    return CliRunner().invoke(cost, options)


def in_json(*options: str) -> dict[str, Any]:
    """Return what the command prints as JSON."""
    printed: dict[str, Any] = json.loads(run(*options, "--json").output)
    return printed


# --- how often things happen -----------------------------------------------------------------------------------------


def test_changes_in_one_window_share_their_syncs() -> None:
    """The first has a sync, all others together a second one."""
    alone, two, many = (operations(replace(USUAL, coalescing=number, conferences=0))["changes"] for number in (1, 2, 6))
    assert two.worker_requests == alone.worker_requests
    assert many.worker_requests == pytest.approx(alone.worker_requests / 3)
    assert many.receiver_requests == alone.receiver_requests == USUAL.changes


def test_a_change_that_concerns_a_conference_asks_for_more() -> None:
    """A call of the conferencing system each, and what a new conference and an end ask for."""
    none, every = (operations(replace(USUAL, conferences=share))["changes"] for share in (0, 1))
    assert [none.provider_calls, every.provider_calls] == pytest.approx([0, USUAL.changes])
    updates = operations(replace(USUAL, conferences=1, created=0, ended=0))["changes"]
    assert asdict(updates) == pytest.approx(asdict(measured.TOLD_CHANGE.times(USUAL.changes)))


@pytest.mark.parametrize(("changes", "least", "most"), [(0, 4.5, 4.7), (1, 3.9, 4.2), (20, 0.1, 0.3), (1000, 0, 1e-6)])
def test_only_quiet_calendars_are_reconciled(changes: float, least: float, most: float) -> None:
    """Every 5.25 hours in the mean where nothing ever changes, and the less often the more does."""
    assert least <= reconciliations_per_day(Load(calendars=1, changes_per_day=changes)) <= most


def test_a_channel_of_a_week_is_renewed_about_every_five_days() -> None:
    """As docs/renewals.md found: 5.6 million renewals of a million calendars in 30 days, the first ones aside."""
    assert renewals(Load(calendars=1_000_000, changes_per_day=0)) == pytest.approx(6.2e6, rel=0.02)


def test_the_intervals_are_the_codes() -> None:
    """The sweep's and the renewal's, from the shortest to the longest, as shares of a day."""
    day, keys = timedelta(days=1), [Calendar.key_for("default", str(number), "") for number in range(2000)]
    renewed = [(renewal_time(key, NOW, NOW + day) - NOW) / day for key in keys]
    assert (min(renewed), max(renewed)) == pytest.approx(RENEWED_AFTER, abs=0.001)
    rules = replace(Rules(), reconcile_s=day.total_seconds())
    synced = [(reconcile_time(calendar(key), NOW, rules) - NOW) / day for key in keys]
    assert (min(synced), max(synced)) == pytest.approx(RECONCILED, abs=0.001)
    assert RENEWALS_AT_ONCE == worker_parts.RENEWALS_AT_ONCE


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_what_is_free_is_free_once() -> None:
    """All parts together use it up, and share it as they share the use."""
    price = replace(prices.REQUESTS, usd=1.0, per=1, free=40.0)
    found = Bill((Line("one", price, 30), Line("other", price, 90)))
    assert found.parts["one"] == pytest.approx((30, 20))
    assert found.parts["other"] == pytest.approx((90, 60))
    assert [found.before_free, found.after_free] == pytest.approx([120, 80])
    assert Bill((Line("one", price, 30),)).after_free == 0
    assert Bill((Line("one", price, 0),)).after_free == 0


def test_an_instance_is_charged_for_while_it_works_on_anything() -> None:
    """Few requests are alone on theirs; of many, each instance has as many as Cloud Run aims at."""
    assert instance_seconds(100, 16) == pytest.approx(100, rel=1e-3)
    assert instance_seconds(160 * MONTH_S, 16) == pytest.approx(MONTH_S * 160 / (16 * 0.6))
    assert instance_seconds(MONTH_S, 16) < MONTH_S


def test_all_that_is_measured_is_on_the_bill() -> None:
    """Each operation that the month asks for is in a line of the bill, and in one only."""
    totals, month = bill(USUAL, Deployment()).totals, sum(operations(USUAL).values(), measured.Operations())
    runs = 30 * 24 * 60
    assert totals["Cloud Run requests"] == pytest.approx(month.receiver_requests + month.worker_requests + runs)
    assert totals["task operations"] == month.task_operations
    assert [totals[f"documents {how}"] for how in ("read", "written", "deleted")] == [
        month.reads,
        month.writes,
        month.deletes,
    ]
    assert month.reads > operations(USUAL)["schedule"].reads == runs * measured.EMPTY_RUN.reads


def test_the_bill_grows_with_what_happens() -> None:
    """More calendars, changes, conferences or seconds cost more; more changes in a window cost less."""
    usual = bill(USUAL, Deployment()).before_free
    for more in ({"calendars": 2000}, {"changes_per_day": 40}, {"conferences": 0.9}, {"sync_s": 3}, {"quiet": 1}):
        assert bill(replace(USUAL, **more), Deployment()).before_free > usual, more
    assert bill(replace(USUAL, coalescing=5), Deployment()).before_free < usual


# --- Google's limits -------------------------------------------------------------------------------------------------


def test_too_many_calls_are_said_with_what_helps() -> None:
    """A longer interval where the sweep makes them, nothing that we could set where people do."""
    quiet = Load(calendars=250_000, changes_per_day=0.01)
    assert calls(quiet).a_day > BILLED_FROM
    (billed,) = warnings(quiet)
    longer = re.search(r"RECONCILE_INTERVAL_S=(\d+) would do", billed)
    assert longer is not None
    assert not [*warnings(replace(quiet, reconcile_s=float(longer[1])))]
    busy = [*warnings(Load(calendars=300_000, changes_per_day=30))]
    assert ["charge" in line for line in busy] == [True, False]
    assert "quota of 10,000" in busy[1]
    assert not any("RECONCILE" in line for line in busy)
    assert not [*warnings(USUAL)]


def test_a_quota_that_is_nearly_used_up_is_said() -> None:
    """Renewals catch up after an outage, and need a part of it."""
    near = Load(calendars=200_000, changes_per_day=20)
    assert calls(near).peak_minute < 10_000
    assert any("leave less of the quota" in line for line in warnings(near))


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_says_what_is_assumed() -> None:
    """No figure without it."""
    printed = run("--calendars", "1000", "--changes-per-day", "20", "--sync-seconds", "2.5")
    assert printed.exit_code == 0
    assert "Assumed: a sync takes 2.5 s" in printed.output
    assert f"List prices of {prices.AS_OF}" in printed.output


def test_scripts_are_told_what_is_assumed_too() -> None:
    """All of it, with what was given."""
    printed = in_json("--calendars", "1000", "--changes-per-day", "20", "--sync-seconds", "2.5")
    assert printed["load"] == asdict(replace(USUAL, sync_s=2.5))
    assert printed["deployment"] == asdict(Deployment())


def test_json_and_table_are_the_same_bill() -> None:
    """For scripts."""
    options = ("--calendars", "100000", "--changes-per-day", "20")
    found = in_json(*options)
    (total,) = re.findall(r"^total +([\d,.]+)", run(*options).output, re.MULTILINE)
    assert float(total.replace(",", "")) == pytest.approx(found["usd_a_month"], abs=0.01)
    assert sum(part["usd"] for part in found["parts"].values()) == pytest.approx(found["usd_a_month"], abs=0.01)
    assert len(found["warnings"]) == 1


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--calendars", "0", "--changes-per-day", "1"), "calendars is 0; expected: a whole number from 1"),
        (("--calendars", "1", "--changes-per-day", "-1"), "changes_per_day is -1.0"),
        (("--calendars", "1", "--changes-per-day", "nan"), "changes_per_day is nan"),
        (("--calendars", "1", "--changes-per-day", "inf"), "changes_per_day is inf"),
        (("--calendars", "1", "--changes-per-day", "1", "--conferences", "2"), "conferences is 2.0; expected: a share"),
        (("--calendars", "1", "--changes-per-day", "1", "--coalescing", "0.5"), "coalescing is 0.5"),
        (("--calendars", "1", "--changes-per-day", "1", "--reconcile-interval", "0"), "reconcile_s is 0.0"),
        (("--calendars", "1.5", "--changes-per-day", "1"), "'1.5' is not a valid integer"),
        (("--changes-per-day", "1"), "Missing option '--calendars'"),
    ],
)
def test_what_makes_no_sense_is_named(options: tuple[str, ...], named: str) -> None:
    """With the value and what is expected."""
    printed = run(*options)
    assert printed.exit_code == 2
    assert named in printed.output


# --- what else says the same -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("calendars", [1_000, 100_000])
def test_the_examples_of_the_page_are_what_the_command_prints(calendars: int) -> None:
    """Word for word."""
    command = f"confsync cost --calendars {calendars} --changes-per-day 20"
    assert f"$ {command}\n{run(*command.split()[2:]).output}" in PAGE


def test_the_page_has_every_number_with_its_source() -> None:
    """Measured operations, prices, and what is assumed."""
    for name, operations_of in measured.MEASURED.items():
        numbers = " | ".join(f"{number:g}" for number in asdict(operations_of).values())
        assert f"| `{name}` | {numbers} |" in PAGE, name
    for price in prices.PRICES:
        assert f"| {price.unit} | {price.usd:.2f} per {price.per:,} | {price.free:,.0f} | " in PAGE, price.unit
        assert price.source in PAGE
    for name, value in (asdict(USUAL) | asdict(Deployment())).items():
        if isinstance(value, float | int) and name not in ("calendars", "changes_per_day", "reconcile_s"):
            assert f"| `{name}` | {value:g} |" in PAGE, name


@pytest.mark.parametrize(
    ("usual", "other", "saved"),
    [
        (Deployment(), Deployment(log_bytes=1500), 105),
        (BUSY, replace(BUSY, sync_s=0.5), 110),
        (BUSY, replace(BUSY, coalescing=3), 120),
        (BUSY, replace(BUSY, reconcile_s=24 * 3600), 5),
    ],
)
def test_what_the_page_says_helps_takes_off_as_much(
    usual: Load | Deployment, other: Load | Deployment, saved: int
) -> None:
    """Of the larger example, in USD."""

    def cost_of(what: Load | Deployment) -> float:
        return (bill(what, Deployment()) if isinstance(what, Load) else bill(BUSY, what)).after_free

    assert cost_of(usual) - cost_of(other) == pytest.approx(saved, abs=1)
    assert re.search(rf"\b{saved}\b", PAGE.partition("Not on the bill")[0].rpartition("```")[2])


def test_what_is_there_once_is_counted_as_terraform_makes_it() -> None:
    """The job, how often it runs, the secrets, and the processors of a function."""
    scheduler, secrets, function = (
        (ROOT / "terraform" / name).read_text() for name in ("scheduler.tf", "secrets.tf", "modules/function/main.tf")
    )
    assert scheduler.count('resource "google_cloud_scheduler_job"') == JOBS
    assert re.search(r'schedule += "\* \* \* \* \*"', scheduler)
    (always,) = re.findall(r"secrets = toset\(concat\(\s+\[([^]]*)\]", secrets)
    assert len(always.split(",")) == SECRET_VERSIONS
    assert re.findall(r'available_cpu += "([\d.]+)"', function) == [f"{Deployment().worker.vcpu:g}"]
