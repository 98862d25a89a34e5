"""The end of a day: faults stop, calls take no time any more, everything settles, and what is left is judged.

It must never change anything that a conference depends on.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.simulation.gestures import SUBJECTS, TEAM, WRITERS
from tests.simulation.oracles.evening import MADE, Told
from tests.simulation.scheduler import SECOND
from tests.world import START, times

if TYPE_CHECKING:  # they use each other
    from tests.simulation.simulation import Simulation

IDLE_S = 1200
"""For so long nothing changes, and nobody may be called."""
SLACK_S = 300
OFF_THE_MINUTE_S = 31
"""The day is judged when no scheduled run is just beginning."""
PULSES = 12
"""A task of notifications that came together names two of their channels at most; chance may leave one out often."""
LONG_LIFE_S = 86400
"""Of channels from now on: renewing them again and again would show nothing new."""


class Settling:
    """Lets one day settle, and has it judged."""

    def __init__(self, day: "Simulation") -> None:
        """Begin when the last step is done."""
        self._day, self._calls, self._is_handed_over = day, 0, False

    def play(self) -> None:
        """Stop the faults, wait, and judge."""
        day, rules = self._day, self._day.rules
        self._stop_faults()
        if day.caretakers.has_acted:
            self._put_right()
        day.advance(
            2 * rules.frozen_retry_s + rules.reconcile_s + rules.quota_pause_s + rules.refused_pause_s + SLACK_S
        )
        if day.ledger.held():
            self._decide_held()
        self._begin_idleness()
        day.advance(IDLE_S)
        for _ in range(PULSES):
            self._pulse()
        day.advance(rules.poll_s + 120)
        day.advance(60 - day.clock.us / SECOND % 60 + OFF_THE_MINUTE_S)
        if not day.violations:
            self._judge()
        if not day.violations:
            self._let_a_month_pass()

    def _put_right(self) -> None:
        """Let what operators began with whole calendars end first: it may still be tried again."""
        day = self._day
        day.caretakers.stop()
        day.advance(SLACK_S)
        day.caretakers.put_right(day.ledger.calendars())

    def _decide_held(self) -> None:
        """Let operators decide about everything that is held: every other end they approve."""
        day, rules = self._day, self._day.rules
        day.operators.decide("approved", lambda held: [c for c in held if int(c.key[0], 16) % 2])
        day.advance(rules.grace_s + SLACK_S)
        day.operators.decide("rejected", list)
        day.advance(SLACK_S)

    def _stop_faults(self) -> None:
        day = self._day
        day.gate.is_open = False
        day.requests.use(replace(day.rules, channel_ttl_s=LONG_LIFE_S))
        day.people.give_access_back()
        day.operators.reinstate_all()
        day.note_access()
        day.model.options.list_lag_ms = 0
        for calendar_id in SUBJECTS:
            day.model.settle_conferences(calendar_id)

    def _begin_idleness(self) -> None:
        day = self._day
        self._calls = len(day.provider.calls)
        idle_until = day.clock.now + timedelta(seconds=2 * IDLE_S)
        several = day.oracles.evening.with_several_owners()
        self._is_handed_over = any(c.review_at and c.review_at < idle_until for c in several)

    def _pulse(self) -> None:
        """Announce a change of each calendar with open channels that nobody remembers: those are stopped."""
        crowded = [each for each in SUBJECTS if self._has_unknown_channel(each)]
        for calendar_id in crowded:
            plain = {"summary": "Plain", **times(START - timedelta(days=9))}
            self._day.model.insert(WRITERS[calendar_id], calendar_id, plain)
        if crowded:
            self._day.advance(60)

    def _has_unknown_channel(self, calendar_id: str) -> bool:
        calendar = self._day.ledger.calendar(calendar_id)
        known = calendar.channels if calendar is not None and calendar.state != "removed" else ()
        return not {each.id for each in self._day.model.open_channels(calendar_id)} <= {each.id for each in known}

    def _judge(self) -> None:
        day, evening = self._day, self._day.oracles.evening
        told = self._told()
        for calendar_id in SUBJECTS:
            self._judge_calendar(calendar_id)
        evening.judge_conferences(told, day.clock.now)
        held_by = {name: day.oracles.owners.shown(name) for name in told}
        day.oracles.brakes.judge(told, held_by)
        evening.judge_made(day.provider.made_for, told)
        calls = len(day.provider.calls) - self._calls
        if calls and not self._is_handed_over:
            day.oracles.complaints.add("L4", f"{calls} calls while nothing changed")
        self._count_races()

    def _judge_calendar(self, calendar_id: str) -> None:
        day = self._day
        is_watched = not (day.tapes.setting.is_polled and calendar_id == TEAM)
        channels = {channel.id for channel in day.model.open_channels(calendar_id)}
        day.oracles.evening.judge_calendar(calendar_id, channels, day.clock.now, is_watched=is_watched)

    def _let_a_month_pass(self) -> None:
        """What is remembered of removed calendars is forgotten in its time, by the scheduled run alone."""
        day, retention = self._day, self._day.oracles.retention
        times = retention.times_to_forget()
        if not times:
            return
        calls = len(day.provider.calls)
        day.leap(min(times.values()) - timedelta(seconds=SLACK_S))
        day.advance(SLACK_S / 2)
        retention.judge_remembered(times)
        day.leap(max(times.values()))
        day.advance(IDLE_S)
        retention.judge_forgotten(times)
        retention.judge_ends(call.conference_id for call in day.provider.calls[calls:] if call.state is None)
        day.sometimes.reach("a removed calendar was forgotten when its time was over")
        self._add_again(times)

    def _add_again(self, calendar_ids: Iterable[str]) -> None:
        """A calendar that was forgotten is added like one that nobody knew."""
        day = self._day
        for calendar_id in calendar_ids:
            day.requests.register(calendar_id, None, None, 0)
        day.advance(IDLE_S)
        for calendar_id in calendar_ids if not day.violations else ():
            self._judge_calendar(calendar_id)

    def _told(self) -> Told:
        day = self._day
        told = {conference_id: kept.state for conference_id, kept in day.provider.conferences.items()}
        return dict.fromkeys(day.people.conferences, MADE) | told

    def _count_races(self) -> None:
        day = self._day
        if day.store.lost_races:
            day.sometimes.reach("a transaction ran again")
        if day.traffic.most_at_once > 1:
            day.sometimes.reach("two workers had one task at once")
        if day.traffic.outlived:
            day.sometimes.reach("an instance outlived its dispatch deadline")
