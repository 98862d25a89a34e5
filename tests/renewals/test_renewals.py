"""The simulation of renewals: a small month keeps all rules, and each rule is seen to break when it is broken."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from confsync.core.reconciliation import MOST_HALVINGS, reconcile_time, reconciled
from confsync.core.records import Calendar, Record
from confsync.core.rules import Rules
from confsync.core.unreadable import Due
from confsync.errors import CalendarRateLimited, CalendarUnavailable
from confsync.ports import Address
from tests.renewals.__main__ import INTERRUPTED, main
from tests.renewals.channel_month import ChannelMonth, calendar_key
from tests.renewals.checks import checks
from tests.renewals.lean_calendar import LeanCalendar, Meter
from tests.renewals.lean_store import LeanStore
from tests.renewals.settings import DAY_S, HOUR_S, START, Month, scaled
from tests.renewals.sync_month import SyncMonth, reconcile_wait_s

SMALL = Month(calendars=2_000, days=10)
KEPT = frozenset[str]()


def broken_rules(month: Month, rules: Rules, played: str = "channels, syncs", **broken: Any) -> set[str]:
    """Return the rules that such a month breaks; what is not played breaks none."""
    channels, syncs = ChannelMonth(month, rules, **broken), SyncMonth(month, rules)
    for _ in (*(channels.days() if "channels" in played else ()), *(syncs.days() if "syncs" in played else ())):
        pass
    channels.calendar_api.end()
    return {check.rule for check in checks(channels, syncs.calls) if not check.holds}


def test_a_small_month_keeps_all_rules() -> None:
    """Ten days of 2,000 calendars, with the bounds of a million in proportion."""
    assert broken_rules(*scaled(SMALL, Rules())) == KEPT


class LateStore(LeanStore):
    """Finds a channel three days after it is due."""

    def channels_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None
    ) -> list[Due[Calendar]]:
        """Return what was due three days ago."""
        return super().channels_due(tenant, before - timedelta(days=3), limit, after)


class WideStore(LeanStore):
    """Finds channels half a day before they are due."""

    def channels_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None
    ) -> list[Due[Calendar]]:
        """Return what will be due."""
        return super().channels_due(tenant, before + timedelta(hours=12), limit, after)


class HoardingStore(LeanStore):
    """Forgets nothing."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.hoard: list[bytes] = []

    def put(self, record: Record) -> None:
        """Keep it, and more."""
        super().put(record)
        self.hoard.append(b"x" * 20_000)


class UnstoppableCalendar(LeanCalendar):
    """Stops no channel."""

    def stop_channel(self, at: Address, channel_id: str, resource_id: str) -> None:
        """Fail."""
        raise CalendarUnavailable(f"{channel_id} of {at.calendar_id} at {resource_id} is not stopped")


def same_spread(number: str) -> str:
    """Return a key that gives each calendar the same place in every interval."""
    return "0" * 8 + calendar_key(number)[8:]


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("a channel is always open while access and Calendar are there", lambda: {"store": LateStore()}),
        ("a run looks at what is due only", lambda: {"store": WideStore()}),
        ("memory stays flat", lambda: {"store": HoardingStore()}),
        ("no calendar has two channels for longer than a run", lambda: {"calendar": UnstoppableCalendar}),
    ],
)
def test_a_part_that_is_broken_is_noticed(rule: str, broken: Callable[[], dict[str, Any]]) -> None:
    """Each by the rule that it breaks."""
    assert rule in broken_rules(*scaled(SMALL, Rules()), "channels", **broken())


def test_renewals_without_spread_are_noticed() -> None:
    """They come back together, cycle by cycle."""
    month, rules = scaled(replace(SMALL, days=20), Rules())
    assert "renewals spread after the first cycle" in broken_rules(month, rules, "channels", key_of=same_spread)
    assert broken_rules(month, rules, "channels") == KEPT


@pytest.mark.parametrize(
    ("rule", "played", "month", "rules"),
    [
        ("no renewal meets the quota", "channels", {"registered_within_s": 60}, {}),
        (
            "all calls of a minute stay within the quota",
            "syncs",
            {"syncs_a_minute": 10_000, "days": 2},
            {"starts_per_run": 10_000},
        ),
        (
            "tries become rarer in an outage",
            "channels",
            {"calendars": 200},
            {"renewal_retry_max_s": 60, "renewals_per_run": 100},
        ),
        ("syncs do not wait in the task queue", "syncs", {"changes_a_day": 6, "days": 2}, {}),
        ("syncs do not wait in the task queue", "syncs", {"days": 2}, {"reconcile_s": HOUR_S}),
        ("memory stays flat", "channels", {"days": 3}, {}),
        ("renewals spread after the first cycle", "channels", {"days": 6}, {}),
    ],
)
def test_numbers_that_do_not_fit_are_noticed(
    rule: str, played: str, month: dict[str, Any], rules: dict[str, Any]
) -> None:
    """Each by the rule that it breaks; a month that is too short to tell breaks it, too."""
    fitting_month, fitting_rules = scaled(SMALL, Rules())
    assert rule in broken_rules(replace(fitting_month, **month), replace(fitting_rules, **rules), played)


def test_the_formula_in_arrays_is_the_one_of_production() -> None:
    """For random keys, numbers of misses and rules."""
    dice = random.Random(0)
    for _ in range(500):
        rules = Rules(reconcile_s=dice.uniform(600, DAY_S), reconcile_min_s=dice.uniform(60, 7200))
        of_late, key = dice.randint(0, MOST_HALVINGS), f"{dice.getrandbits(128):032x}"
        calendar = Calendar(key=key, tenant="default", calendar_id="c", subject="s", missed_of_late=of_late)
        spread = np.array([int(key[:8], 16) / 0xFFFFFFFF])
        expected_s = (reconcile_time(calendar, START, rules) - START).total_seconds()
        assert reconcile_wait_s(spread, np.array([of_late]), rules)[0] == pytest.approx(expected_s, abs=0.001)


def test_a_reconciliation_that_misses_shortens_the_interval_as_in_production() -> None:
    """One that misses nothing makes it longer again."""
    dice, syncs = random.Random(1), SyncMonth(replace(SMALL, calendars=1), Rules())
    calendar = Calendar(key="0" * 32, tenant="default", calendar_id="c", subject="s")
    only = np.zeros(1, np.int32)
    for _ in range(200):
        missed = dice.random() < 0.4
        calendar = reconciled(calendar, int(missed), START)
        syncs._lost_at[0] = 0 if missed else np.inf
        syncs._adapt(only)
        assert syncs._missed_of_late[0] == calendar.missed_of_late


def test_a_quiet_calendar_without_pushes_is_noticed_within_its_interval() -> None:
    """Nothing announces anything: all is found by reconciliation, within six hours."""
    month = replace(SMALL, days=3, lost_pushes=1.0, changes_a_day=0.5, outage_s=0)
    syncs = SyncMonth(*scaled(month, Rules()))
    for _ in syncs.days():
        pass
    assert syncs.calls.announced.sum() == 0
    assert syncs.calls.found > month.calendars / 2
    assert 0 < syncs.calls.unnoticed_for(50) <= syncs.calls.unnoticed_for(100) <= 6 * 60 + 5


def test_the_meter_counts_any_sixty_seconds() -> None:
    """Two halves of two minutes are one minute of calls."""
    meter = Meter(replace(SMALL, quota=10))
    for second in (*range(50, 55), *range(60, 65)):
        meter.count(second)
    with pytest.raises(CalendarRateLimited):
        meter.count(109.9)
    meter.count(110)
    assert (meter.most, meter.refused, list(meter.by_minute[:2])) == (10, 1, [5, 6])


def test_the_store_returns_the_oldest_that_are_due_and_each_once() -> None:
    """However often a time was changed."""
    store = LeanStore()
    for number, hours in ((0, 3), (1, 1), (2, 9), (0, 2), (1, 5), (0, 3)):
        at = START + timedelta(hours=hours)
        store.put(Calendar(key=str(number), tenant="default", calendar_id="c", subject="s", renew_at=at))
    assert [c.key for c in store.channels_due("default", START + timedelta(hours=8), 5)] == ["0", "1"]
    assert [c.key for c in store.channels_due("default", START + timedelta(hours=8), 1)] == ["0"]
    assert store.next_due() == START + timedelta(hours=3)


def test_the_command_prints_figures_and_draws_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As one JSON object, with status 0 when all rules hold."""
    picture = tmp_path / "renewals.png"
    assert main(["--calendars", "2000", "--days", "10", "--json", "--plot", str(picture)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["calendars"] == 2000
    assert all(check["holds"] for check in found["checks"])
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_broken_rule_is_the_commands_status(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines for people say which."""
    assert main(["--calendars", "2000", "--days", "2"]) == 1
    assert "BROKEN  memory stays flat: 2 days are too few to tell" in capsys.readouterr().out


def test_control_c_prints_what_was_seen_so_far() -> None:
    """Nothing is judged then."""
    command = [sys.executable, "-m", "tests.renewals", "--calendars", "2000", "--days", "3000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED
    assert "calls a minute" in out
    assert "BROKEN" not in out
    assert err.endswith("stopped before the month was over: nothing was judged\n")
