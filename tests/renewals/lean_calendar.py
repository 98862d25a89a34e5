"""Google Calendar's side of push channels for a million calendars: who has which channel, until when; a real meter.

It knows nothing of confsync's records: what it says about open channels is what Google would know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from confsync.core.events import Event, EventPage, Window
from confsync.errors import CalendarAccessLost, CalendarRateLimited, CalendarUnavailable
from confsync.ports import Address, WatchedChannel
from tests.renewals.settings import MINUTE_S, START, Month


class Clock:
    """The time of the month; only the month and the calls in it move it."""

    def __init__(self) -> None:
        """Start at the beginning."""
        self.at_s = 0.0

    def __call__(self) -> datetime:
        """Return the time in UTC."""
        return START + timedelta(seconds=self.at_s)


class Meter:
    """Counts the calls of the last 60 seconds, to the second, and of each minute of the month."""

    def __init__(self, month: Month) -> None:
        """Start with no calls."""
        self.by_minute = np.zeros(month.minutes + 1, np.int64)
        self.refused = 0
        self.most = 0
        """The most calls within any 60 seconds."""
        self._quota = month.quota
        self._seconds = [0] * MINUTE_S
        self._now, self._total = 0, 0

    def count(self, at_s: float) -> None:
        """Count one call.

        Raises:
            CalendarRateLimited: the quota of these 60 seconds is used up.

        """
        self._move_to(int(at_s))
        if self._total >= self._quota:
            self.refused += 1
            raise CalendarRateLimited("quota exceeded for the project per minute", "rateLimitExceeded")
        self._seconds[self._now % MINUTE_S] += 1
        self._total += 1
        self.most = max(self.most, self._total)
        self.by_minute[min(self._now // MINUTE_S, len(self.by_minute) - 1)] += 1

    def _move_to(self, second: int) -> None:
        for passed in range(max(self._now + 1, second - MINUTE_S + 1), second + 1):
            self._total -= self._seconds[passed % MINUTE_S]
            self._seconds[passed % MINUTE_S] = 0
        self._now = second


@dataclass(frozen=True)
class Opened:
    """A channel that was opened while another one of its calendar was open."""

    channel_id: str
    since_s: float
    expires_s: float


@dataclass(frozen=True)
class Lapse:
    """A time in which a calendar had no open channel."""

    calendar: int
    from_s: float
    until_s: float


class LeanCalendar:
    """Answers `watch` and `stop`; a calendar is called by its number."""

    def __init__(self, month: Month, clock: Clock, at_once: int) -> None:
        """Draw who loses access and when.

        Args:
            at_once: calls that are under way together, so that each takes its part of the time of one.

        """
        self._month, self._clock = month, clock
        self._step_s = month.call_s / at_once
        self.meter = Meter(month)
        self.opened_s = np.full(month.calendars, np.nan)
        """When the open channel of each calendar was opened."""
        self.expires_s = np.full(month.calendars, np.nan)
        self.losses = _losses(month)
        """By number of the calendar: when access is lost, and when it is back."""
        self.tries_in_outage = np.zeros(month.calendars, np.int16)
        self.watched, self.failed = 0, 0
        self.lapses: list[Lapse] = []
        self.longest_overlap_s = 0.0
        self._ids: list[str] = [""] * month.calendars
        self._older: dict[int, Opened] = {}
        """A calendar's second channel: the one that is to be stopped."""

    def watch_events(
        self, at: Address, *, channel_id: str, channel_token: str, address: str, ttl_s: int
    ) -> WatchedChannel:
        """Open a channel."""
        del channel_token, address
        number = self._call(at)
        now_s, expires_s = self._clock.at_s, float(self.expires_s[number])
        if expires_s > now_s:
            self._forget_older(number)
            self._older[number] = Opened(self._ids[number], now_s, expires_s)
        elif expires_s <= now_s:
            self.lapses.append(Lapse(number, expires_s, now_s))
        self._ids[number] = channel_id
        self.opened_s[number], self.expires_s[number] = now_s, now_s + ttl_s
        self.watched += 1
        return WatchedChannel(at.calendar_id, START + timedelta(seconds=now_s + ttl_s))

    def stop_channel(self, at: Address, channel_id: str, resource_id: str) -> None:
        """Stop a channel; one that is already gone is no error."""
        del resource_id
        number = self._call(at)
        older = self._older.get(number)
        if older is not None and older.channel_id == channel_id:
            self._forget_older(number)
        elif self._ids[number] == channel_id:
            self.expires_s[number] = self._clock.at_s

    def _forget_older(self, number: int) -> None:
        older = self._older.pop(number, None)
        if older is not None:
            overlap_s = min(self._clock.at_s, older.expires_s) - older.since_s
            self.longest_overlap_s = max(self.longest_overlap_s, overlap_s)

    def end(self) -> None:
        """Take account of what is still open, and of what is not, as the month ends."""
        for number in list(self._older):
            self._forget_older(number)
        for lapsed in np.flatnonzero(self.expires_s < self._clock.at_s).tolist():
            self.lapses.append(Lapse(lapsed, float(self.expires_s[lapsed]), self._clock.at_s))

    def _call(self, at: Address) -> int:
        """Let the call take its time, and fail where it has to."""
        number, now_s = int(at.calendar_id), self._clock.at_s
        self._clock.at_s += self._step_s
        try:
            self.meter.count(now_s)
            self._refuse(number, now_s)
        except (CalendarRateLimited, CalendarUnavailable, CalendarAccessLost):
            self.failed += 1
            raise
        return number

    def _refuse(self, number: int, now_s: float) -> None:
        if self._month.is_outage(now_s):
            self.tries_in_outage[number] += 1
            raise CalendarUnavailable("503 backendError", "backendError")
        lost = self.losses.get(number)
        if lost is not None and lost[0] <= now_s < lost[1]:
            raise CalendarAccessLost("404 Not Found", "notFound")

    def list_events(self, at: Address, *, sync_token: str | None, page_token: str | None, window: Window) -> EventPage:
        """Refuse: no renewal lists."""
        raise _unasked(at, sync_token, page_token, window)

    def list_series(self, at: Address, ical_uid: str) -> tuple[Event, ...]:
        """Refuse: no renewal reads events."""
        raise _unasked(at, ical_uid)

    def get_event(self, at: Address, event_id: str) -> Event | None:
        """Refuse: no renewal reads events."""
        raise _unasked(at, event_id)

    def write_conference_data(
        self, at: Address, event_id: str, etag: str, conference_data: Mapping[str, Any] | None
    ) -> Event:
        """Refuse: no renewal writes."""
        raise _unasked(at, event_id, etag, conference_data)


def _unasked(*call: object) -> NotImplementedError:
    return NotImplementedError(f"a renewal is to watch and stop only, and called {call}")


def _losses(month: Month) -> dict[int, tuple[float, float]]:
    """Some calendars lose access at a random time after the first day, for one to six days."""
    dice = np.random.default_rng([month.seed, 1])
    count = round(month.calendars * month.access_losses)
    numbers = dice.choice(month.calendars, count, replace=False)
    from_s = dice.uniform(month.registered_within_s, month.length_s, count)
    until_s = from_s + dice.uniform(1, 6, count) * 24 * 3600
    return {int(n): (float(a), float(b)) for n, a, b in zip(numbers, from_s, until_s, strict=True)}
