"""Make before break (R19): a calendar stays watched, and whoever replaces a channel has it stopped.

It must never ask what the product planned, only what became of each channel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from confsync.core.records import Calendar, Channel
from tests.simulation.oracles.ledger import Complaints, Worker

MOST_CHANNELS = 3


@dataclass(frozen=True)
class _Watched:
    """The channel that announces a calendar's changes."""

    channel_id: str
    expires_at: datetime
    """By Calendar's word."""
    troubles: int
    """How many there had been when it was opened."""


class ChannelJudge:
    """Judges what is committed of channels, what is stopped, and workers as they end."""

    def __init__(self, complaints: Complaints, skew: timedelta) -> None:
        """Clocks of workers are wrong by `skew` at most."""
        self._complaints, self._skew = complaints, skew
        self.troubles: Callable[[], int] = int
        """How many faults sprang, or times that access was lost, by now: after one, a renewal may come too late."""
        self._watched: dict[str, _Watched] = {}
        """By calendar key."""
        self._retired: dict[Worker, dict[str, str]] = {}
        """By worker: the channels that it replaced and did not try to stop yet, and their calendars' ids."""

    def watch(self, before: Calendar | None, after: Calendar, now: datetime, worker: Worker) -> None:
        """Judge one committed calendar."""
        if before is not None and before.channels == after.channels:
            return
        active = [channel for channel in after.channels if channel.state == "active"]
        if len(after.channels) > MOST_CHANNELS or len(active) > 1:
            self._complain("R19 channels", after.calendar_id, f"has {[c.state for c in after.channels]}")
        known = _retiring(before) if before else set()
        for channel_id in _retiring(after) - known:
            self._retired.setdefault(worker, {})[channel_id] = after.calendar_id
        self._watch_active(active[0] if active else None, after, now)

    def _complain(self, rule: str, calendar_id: str, what: str) -> None:
        self._complaints.add(rule, f"{calendar_id} {what}")

    def _watch_active(self, active: Channel | None, after: Calendar, now: datetime) -> None:
        """A channel that is gone was replaced before it was over, if nothing went wrong during its whole life.

        Access that was lost before it was known to be open is lost during its life, too: the calendar is frozen.
        """
        last = self._watched.get(after.key)
        if last is not None and active is not None and active.id == last.channel_id:
            return
        is_calm = last is not None and last.troubles == self.troubles() and after.state != "frozen"
        if last is not None and is_calm and now >= last.expires_at - 2 * self._skew:
            self._complain("R19", after.calendar_id, f"was watched until {last.expires_at}, and is seen to at {now}")
        self._watched.pop(after.key, None)
        if active is not None and active.expires_at is not None:
            self._watched[after.key] = _Watched(active.id, active.expires_at, self.troubles())

    def watch_stop(self, calendar: Calendar | None, channel_id: str, worker: Worker) -> None:
        """Judge a channel that is about to be stopped: it is not the one that announces."""
        self._retired.get(worker, {}).pop(channel_id, None)
        active = [c.id for c in calendar.channels if c.state == "active"] if calendar else []
        if calendar is not None and channel_id in active:
            self._complain("R19", calendar.calendar_id, "has its active channel stopped")

    def watch_end(self, worker: Worker, *, has_answered: bool) -> None:
        """Judge a worker that ends: one that goes all its way has tried to stop what it replaced."""
        for channel_id, calendar_id in self._retired.pop(worker, {}).items():
            if has_answered:
                self._complain("R19", calendar_id, f"had {channel_id} replaced, and nobody tried to stop it")


def _retiring(calendar: Calendar) -> set[str]:
    return {channel.id for channel in calendar.channels if channel.state == "retiring"}
