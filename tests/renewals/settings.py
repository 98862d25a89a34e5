"""What one virtual month is made of: how many calendars, what goes wrong and when, and what Calendar allows.

Pure. All times are seconds since the month began, unless a name says otherwise.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from confsync.core.rules import Rules

START = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 24 * 3600
PROJECT_QUOTA = 10_000
"""Calls a minute that Calendar allows a project: https://developers.google.com/workspace/calendar/api/guides/quota."""
BILLED_FROM = 1_000_000
"""Calls a day of a project from which Calendar may be billed (the same page)."""
FULL_SCALE = 1_000_000
"""Calendars for which the project's quota and the defaults of `Rules` are looked at."""


@dataclass(frozen=True)
class Month:
    """One virtual month, the same for the same seed."""

    calendars: int = FULL_SCALE
    days: int = 30
    seed: int = 0
    registered_within_s: float = DAY_S
    """All calendars are registered within this time, evenly."""
    outage_at_s: float = 5.25 * DAY_S
    """When Calendar stops to answer: as most channels are renewed for the first time."""
    outage_s: float = 6 * HOUR_S
    access_losses: float = 0.01
    """Share of the calendars that lose access, once and for some days."""
    call_s: float = 0.15
    """How long Calendar takes for a call."""
    changes_a_day: float = 3
    """Mean number of changes per calendar and day; they come one by one, to any calendar alike."""
    lost_pushes: float = 0.05
    """Share of the notifications that never arrive."""
    quota: int = PROJECT_QUOTA
    syncs_a_minute: int = 110 * 60
    """What the rate of the task queue for syncs lets through: the quota, less what two calls for each renewal take."""
    retry_s: float = 600
    """After this the task queue tries a sync again that failed: its longest back-off."""

    @property
    def length_s(self) -> int:
        """Seconds in the month."""
        return self.days * DAY_S

    @property
    def minutes(self) -> int:
        """Minutes in the month."""
        return self.days * 24 * 60

    def is_outage(self, at_s: float) -> bool:
        """Whether Calendar does not answer."""
        return self.outage_at_s <= at_s < self.outage_at_s + self.outage_s


def scaled(month: Month, rules: Rules) -> tuple[Month, Rules]:
    """Return quota and bounds in proportion to the number of calendars, as they bind at full scale.

    So a month of a few thousand calendars meets the same limits as one of a million.
    """
    share = month.calendars / FULL_SCALE

    def part(bound: int) -> int:
        return max(1, round(bound * share))

    return (
        replace(month, quota=part(month.quota), syncs_a_minute=part(month.syncs_a_minute)),
        replace(rules, renewals_per_run=part(rules.renewals_per_run), starts_per_run=part(rules.starts_per_run)),
    )
