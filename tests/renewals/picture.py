"""The month as one picture: renewals by hour, the age of channels, calls a minute.

It must never be needed for a check: what it shows was measured before.
"""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from tests.renewals.channel_month import ChannelMonth
from tests.renewals.checks import all_calls
from tests.renewals.settings import DAY_S, HOUR_S
from tests.renewals.sync_month import Ints, SyncCalls

BLUE, ORANGE, GREEN, GREY, RED = "#2f6db5", "#e08a1e", "#3d9a6b", "#8b8f94", "#c0392b"
STYLE: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666a70",
    "axes.grid": True,
    "grid.color": "#e4e6e9",
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": 11,
    "legend.frameon": False,
    "svg.hashsalt": "confsync",
}


def draw(channels: ChannelMonth, calls: SyncCalls, path: Path) -> None:
    """Write the picture of a month that has passed."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, 10.5), layout="constrained")
        renewals, ages, minutes = figure.subplots(3, 1, sharex=True)
        _draw_renewals(renewals, channels)
        _draw_ages(ages, channels)
        _draw_calls(minutes, channels, calls)
        for axes in (renewals, ages, minutes):
            _shade_outage(axes, channels)
        minutes.set_xlabel("days since the first calendar was registered")
        minutes.xaxis.set_major_locator(MultipleLocator(5))
        minutes.xaxis.set_minor_locator(MultipleLocator(1))
        minutes.set_xlim(0, channels.month.days)
        figure.suptitle(_title(channels), x=0.01, ha="left", fontsize=12.5)
        figure.savefig(path, dpi=110, metadata={"Software": None})


def _title(channels: ChannelMonth) -> str:
    month = channels.month
    return (
        f"{month.calendars:,} calendars, all registered on one day, keep their channels for {month.days} days.\n"
        f"Renewals spread from cycle to cycle; through an outage of {month.outage_s / HOUR_S:g} hours the oldest"
        f" channel grew {max(channels.ages.oldest):.1f} days old."
    )


def _draw_renewals(axes: Axes, channels: ChannelMonth) -> None:
    by_hour = channels.renewed_by_hour
    mean, hours = by_hour[24:].mean(), np.arange(len(by_hour) + 1) / 24
    axes.stairs(by_hour, hours, fill=True, color=BLUE, alpha=0.85, label="channels renewed")
    axes.axhline(mean, color=ORANGE, lw=1.3, ls="--", label=f"mean after the first day: {mean:,.0f}")
    axes.set(title="Renewals per hour", ylabel="channels per hour", ylim=(0, None))
    hour = int(by_hour.argmax())
    caught_up = f"what the outage made wait is caught up:\n{by_hour[hour]:,} in the busiest hour"
    at = hours[hour] + 0.1, by_hour[hour] * 0.9
    axes.annotate(caught_up, at, xytext=(12, -6), textcoords="offset points", fontsize=9)
    _finish(axes)


def _draw_ages(axes: Axes, channels: ChannelMonth) -> None:
    hours = np.arange(len(channels.ages.oldest)) / 24
    life = channels.rules.channel_ttl_s / DAY_S
    axes.axhline(life, color=RED, lw=1.3, ls="--", label=f"a channel expires: {life:g} days")
    axes.plot(hours, channels.ages.oldest, color=ORANGE, lw=1.6, label="oldest, of those with access")
    axes.plot(hours, channels.ages.median, color=BLUE, lw=1.6, label="median")
    axes.plot(hours, channels.ages.youngest_tenth, color=GREY, lw=1.1, label="a tenth is younger")
    axes.set(title="Age of the open channels", ylabel="days", ylim=(0, life * 1.12))
    _finish(axes)


def _draw_calls(axes: Axes, channels: ChannelMonth, calls: SyncCalls) -> None:
    watched = channels.calendar_api.meter.by_minute[: len(calls.all)]
    layers = {
        "reconciliation": (calls.reconciled, BLUE),
        "announced changes": (calls.announced, GREEN),
        "watch and stop": (watched, ORANGE),
        "syncs that fail in the outage": (calls.failed, GREY),
    }
    hours = np.arange(len(_by_hour(calls.all))) / 24
    heights = [_by_hour(by_minute) for by_minute, _ in layers.values()]
    axes.stackplot(hours, heights, labels=list(layers), colors=[color for _, color in layers.values()], lw=0)
    most = all_calls(channels, calls).reshape(-1, HOUR_S // 60).max(axis=1)
    axes.plot(hours, most, color="#333333", lw=0.8, label="busiest minute of each hour")
    axes.axhline(channels.month.quota, color=RED, lw=1.3, ls="--", label=f"quota: {channels.month.quota:,}")
    axes.set(title="Calls of Calendar per minute", ylabel="calls per minute", ylim=(0, channels.month.quota * 1.12))
    _finish(axes)


def _by_hour(by_minute: Ints) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.asarray(by_minute.reshape(-1, HOUR_S // 60).mean(axis=1))


def _shade_outage(axes: Axes, channels: ChannelMonth) -> None:
    begin, end = channels.month.outage_at_s, channels.month.outage_at_s + channels.month.outage_s
    axes.axvspan(begin / DAY_S, end / DAY_S, color=RED, alpha=0.16, lw=0, label="outage of Calendar")
    axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.0), borderaxespad=0, fontsize=9)


def _finish(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.margins(x=0)
