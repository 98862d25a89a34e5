"""Calendar calls beside what Google lets a project make, and what to do where they are too many.

https://developers.google.com/workspace/calendar/api/guides/quota
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from confsync.core.rules import Rules
from confsync.costs.load import Load, operations
from confsync.costs.prices import DAYS

BILLED_FROM: Final = 1_000_000
"""Calls a day of a project from which Google may charge for them, once it has announced it."""
QUOTA: Final = 10_000
"""Calls a minute of a project."""
CATCHING_UP: Final = 2 * Rules().renewals_per_run
"""Calls a minute that renewals take when they catch up after an outage."""
MINUTES: Final = 24 * 60
ANNOUNCED: Final = ("changes", "quiet notifications")
LONGER_H: Final = (8, 12, 24, 48)
"""Intervals of reconciliation that are tried, in hours."""


@dataclass(frozen=True)
class Calls:
    """Calendar calls of a deployment."""

    per_day: Mapping[str, float]
    """By why."""
    peak_minute: float
    """In the busiest hours, on a usual day."""

    @property
    def a_day(self) -> float:
        """All of them."""
        return sum(self.per_day.values())


def calls(load: Load) -> Calls:
    """Return the calls of a deployment; what people change has a peak, the rest is spread by the calendars' keys."""
    per_day = {why: each.calendar_calls / DAYS for why, each in operations(load).items() if each.calendar_calls}
    minutes = (number / MINUTES * (load.peak if why in ANNOUNCED else 1) for why, number in per_day.items())
    return Calls(per_day, sum(minutes))


def warnings(load: Load) -> Iterator[str]:
    """Yield, in words, what Google's limits do not bear, and what to do."""
    found = calls(load)
    if found.a_day > BILLED_FROM:
        begin = (
            f"{found.a_day:,.0f} Calendar calls a day are more than the {BILLED_FROM:,} from which Google may charge: "
        )
        spread = "spread the calendars over several projects, or ask Google what it charges"
        yield begin + (_longer(load, lambda other: calls(other).a_day <= BILLED_FROM) or spread)
    busy = f"{found.peak_minute:,.0f} Calendar calls a minute in busy hours "
    more = "ask Google for a higher quota"
    fits = _longer(load, lambda other: calls(other).peak_minute + CATCHING_UP <= QUOTA)
    if found.peak_minute > QUOTA:
        yield f"{busy}are more than the quota of {QUOTA:,}: {f'{fits}, or {more}' if fits else more}"
    elif found.peak_minute + CATCHING_UP > QUOTA:
        left = f"leave less of the quota of {QUOTA:,} than the {CATCHING_UP:,} that renewals take after an outage"
        yield f"{busy}{left}: {f'{fits}, or {more}' if fits else more}"


def _longer(load: Load, is_enough: Callable[[Load], bool]) -> str:
    """Return the setting with which it would be enough, empty where no interval helps."""
    tried = (replace(load, reconcile_s=hours * 3600) for hours in LONGER_H if hours * 3600 > load.reconcile_s)
    found = next((other.reconcile_s for other in tried if is_enough(other)), None)
    return f"RECONCILE_INTERVAL_S={found:.0f} would do" if found is not None else ""
