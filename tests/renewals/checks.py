"""What must hold in such a month, each with the figure that it was judged by.

Pure. It must never pass over something that it cannot judge: a month that is too short says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tests.renewals.channel_month import ChannelMonth
from tests.renewals.lean_calendar import Lapse
from tests.renewals.settings import HOUR_S, MINUTE_S, Month
from tests.renewals.sync_month import Ints, SyncCalls

MOST_LOOKED_AT = 1.1
"""Calendars that runs read for each one that they tried to renew."""
MOST_TRIES_IN_OUTAGE = 16
"""Of one calendar: a back-off from a minute to an hour, a quarter off for the spread, makes 14 tries in six hours."""
MOST_MEMORY = 1.1
"""Memory at the end of the last day, beside that of the third."""
BUSIEST_HOUR = 4.0
"""Renewals of the busiest hour after the first cycle, beside the mean: the worst is the return of those that an outage
of six hours made wait."""
BY_CHANCE = 3.0
"""Standard deviations by which a busy hour of a few calendars may be busier."""
LONGEST_WAIT_MINUTES = 5
"""That a sync waits in the task queue, when nothing has been broken of late."""
CATCHING_UP_S = 8 * HOUR_S
"""After an outage of six hours all calendars are overdue: so long may it take until nothing waits any more."""


@dataclass(frozen=True)
class Check:
    """One rule, whether it held, and by which figure."""

    rule: str
    holds: bool
    figure: str
    is_about_calls: bool = False
    """Whether another interval of reconciliation may cure it."""


def checks(channels: ChannelMonth, calls: SyncCalls) -> list[Check]:
    """Return all rules of a month that has passed."""
    return [
        *_quota(channels, calls),
        _no_lapse(channels),
        *_bounded_work(channels),
        _flat_memory(channels.rss_mb),
        _one_channel(channels),
        _spread(channels),
        _syncs_keep_up(calls, channels.month),
    ]


def _quota(channels: ChannelMonth, calls: SyncCalls) -> Iterator[Check]:
    meter, quota = channels.calendar_api.meter, channels.month.quota
    yield Check(
        "no renewal meets the quota",
        meter.refused == 0 and meter.most <= quota,
        f"{meter.most} calls in 60 s at most, {meter.refused} refused",
    )
    most = int(all_calls(channels, calls).max())
    yield Check("all calls of a minute stay within the quota", most <= quota, f"{most} of {quota}", True)


def all_calls(channels: ChannelMonth, calls: SyncCalls) -> Ints:
    """Return watch, stop and list calls together, by minute."""
    return np.asarray(channels.calendar_api.meter.by_minute[: len(calls.all)] + calls.all)


def _no_lapse(channels: ChannelMonth) -> Check:
    unexcused = [lapse for lapse in channels.calendar_api.lapses if not is_excused(lapse, channels)]
    text = f"{len(unexcused)} lapses, {len(channels.calendar_api.lapses) - len(unexcused)} more without access"
    return Check("a channel is always open while access and Calendar are there", not unexcused, text)


def is_excused(lapse: Lapse, channels: ChannelMonth) -> bool:
    """Whether there was no access, or no Calendar, until the next try could have been at the latest."""
    rules, month = channels.rules, channels.month
    next_try_s = max(rules.frozen_retry_s, rules.renewal_retry_max_s) * 1.25 + 2 * MINUTE_S
    breaks = [(month.outage_at_s, month.outage_at_s + month.outage_s)]
    breaks += [channels.calendar_api.losses[lapse.calendar]] if lapse.calendar in channels.calendar_api.losses else []
    return any(began <= lapse.from_s and lapse.until_s <= over + next_try_s for began, over in breaks)


def _bounded_work(channels: ChannelMonth) -> Iterator[Check]:
    looked_at, tried = int(channels.looked_at.sum()), int(channels.renewed.sum() + channels.failed.sum())
    yield Check(
        "a run looks at what is due only",
        looked_at <= MOST_LOOKED_AT * tried,
        f"{looked_at} read for {tried} tried: {looked_at / max(tried, 1):.3f}",
    )
    most = int(channels.calendar_api.tries_in_outage.max())
    yield Check("tries become rarer in an outage", most <= MOST_TRIES_IN_OUTAGE, f"{most} of one calendar at most")


def _flat_memory(rss_mb: list[float]) -> Check:
    rule = "memory stays flat"
    if len(rss_mb) < 4:
        return Check(rule, False, f"{len(rss_mb)} days are too few to tell")
    third, last = rss_mb[2], rss_mb[-1]
    return Check(rule, last <= MOST_MEMORY * third, f"{last:.0f} MB on the last day, {third:.0f} MB on the third")


def _one_channel(channels: ChannelMonth) -> Check:
    longest_s = channels.calendar_api.longest_overlap_s
    return Check("no calendar has two channels for longer than a run", longest_s <= MINUTE_S, f"{longest_s:.3g} s")


def _spread(channels: ChannelMonth) -> Check:
    rule = "renewals spread after the first cycle"
    by_hour, first_cycle = channels.renewed_by_hour, first_cycle_hours(channels)
    later = by_hour[first_cycle:]
    if not later.any():
        return Check(rule, False, f"{channels.month.days} days are too few to tell")
    mean = by_hour[24:].mean()
    limit = BUSIEST_HOUR * mean + BY_CHANCE * (BUSIEST_HOUR * mean) ** 0.5
    text = f"{later.max()} in the busiest hour, {later.max() / mean:.2f} times the mean"
    return Check(rule, bool(later.max() <= limit), text)


def first_cycle_hours(channels: ChannelMonth) -> int:
    """Return after how many hours each calendar's first channel has been renewed."""
    return round((channels.month.registered_within_s + 0.75 * channels.rules.channel_ttl_s) / HOUR_S)


def _syncs_keep_up(calls: SyncCalls, month: Month) -> Check:
    over = month.outage_at_s + month.outage_s + CATCHING_UP_S
    minutes = np.arange(len(calls.waiting)) * MINUTE_S
    usual = calls.waiting[(minutes < month.outage_at_s) | (minutes > over)]
    wait = usual.max(initial=0) / month.syncs_a_minute
    text = f"{wait:.1f} minutes at most, {calls.waiting.max() / month.syncs_a_minute / 60:.1f} hours after the outage"
    return Check("syncs do not wait in the task queue", bool(wait <= LONGEST_WAIT_MINUTES), text, True)
