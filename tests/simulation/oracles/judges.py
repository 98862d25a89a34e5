"""The oracles, all in one: what must hold at every commit, at every call, and when everything has settled.

Which rule is watched where:

    S1   conferences (an owner is lost), calls (a conference ends), evening (all that should live, lives)
    S2   calls: what is told was said by an event that may         S3   conferences: nothing is lost without access
    S4   evening: each conference that was made is known           S5   waits: nothing before the time asked for
    L1, L2, L3   evening                                           L4   evening: an idle hour without a call
    R1 R2 R3 R4  calendars, at each commit (fence, token, served, due_at)       R5, R7, R9, R11  through S1, L1, L2
    R9   also ends: not before its time, not over an owner that waits, not of what was held, or of what nobody lost, not
         decided by somebody who looked before an event had it again (R16)
    R4   leases: claimed when free, extended, kept while events are read, given back
    R3, R4, R18  leavings: each request that is answered well leaves the task that goes on
    R10  brakes: what is held, what is told, what an operator said of it
    R12  told, L4                       R13  conferences      R14, R17  calls      R15  calls, told
    R16  S1, R13 and L1, where a race is lost
    R18  L1 after faults               R19  channels, evening
    Calendars that were removed: S1 as for all others until they are forgotten, L3 (evening, and
         retention: remembered for its time, then forgotten); R5 a resync lists in full
    R21  privacy: what people wrote stands in no record, and in no answer    section 5  windows: two tasks a window

What cannot be seen here: R6 (a constant), R10's shares (a day has too few conferences: tests/test_brake.py), R20 and
who may call the functions (unit tests and Terraform's). They take committed records, calls and the truth of Calendar,
and must never know how the workers are run: the soak on real parts is judged by the same ones.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from confsync.administer_calendar import Administered
from confsync.core.conference import Conference
from confsync.core.records import Brake, Calendar, Link, Record
from confsync.core.rules import Rules
from confsync.ports import ConferenceCall
from confsync.receive_notification import Receipt
from confsync.renew_channels import RenewalOutcome
from confsync.sync_calendar import SyncOutcome
from confsync.update_conference import UpdateOutcome
from tests.simulation.oracles.bodies import conference_of
from tests.simulation.oracles.brakes import BrakeJudge
from tests.simulation.oracles.calendars import CalendarJudge
from tests.simulation.oracles.calls import CallJudge
from tests.simulation.oracles.channels import ChannelJudge
from tests.simulation.oracles.conferences import ConferenceJudge
from tests.simulation.oracles.ends import EndJudge
from tests.simulation.oracles.evening import Evening
from tests.simulation.oracles.leases import LeaseJudge
from tests.simulation.oracles.leavings import LeavingsJudge
from tests.simulation.oracles.ledger import Complaints, Ledger, Worker
from tests.simulation.oracles.owners import Owners
from tests.simulation.oracles.retention import RetentionJudge
from tests.simulation.oracles.told import ToldJudge
from tests.simulation.oracles.truth import Truth
from tests.simulation.oracles.waits import WaitJudge
from tests.simulation.oracles.words import Words


class Oracles:
    """The judges of one day."""

    def __init__(
        self, truth: Truth, ledger: Ledger, secret: str, rules: Rules, *, ordered: bool, exact: bool, skew: timedelta
    ) -> None:
        """Judge by `truth`; see `CallJudge` for the switches.

        Args:
            skew: the clocks of workers are wrong by this much at most.

        """
        self.complaints, self._skew = Complaints(), skew
        self._met: set[str] = set()
        """Keys of the conferences that were ever stored."""
        self.truth, self.ledger = truth, ledger
        self.words = Words()
        self.owners = Owners(truth, ledger, self.words, rules.claims)
        self.brakes = BrakeJudge(ledger, self.complaints, rules)
        self.ends = EndJudge(truth, ledger, self.complaints, rules, skew)
        self.told = ToldJudge(self.complaints)
        self.channels = ChannelJudge(self.complaints, skew)
        self.waits = WaitJudge(ledger, self.complaints, skew)
        self.leases = LeaseJudge(ledger, self.complaints, rules)
        self.leavings = LeavingsJudge(ledger, self.complaints, rules, skew)
        self.calendars = CalendarJudge(truth, ledger, self.complaints, secret)
        self.conferences = ConferenceJudge(truth, ledger, self.complaints)
        self.calls = CallJudge(
            truth,
            ledger,
            self.complaints,
            self.owners,
            calendars=self.calendars,
            conferences=self.conferences,
            ordered=ordered,
            exact=exact,
            skew=skew,
        )
        self.retention = RetentionJudge(truth, ledger, self.complaints, self.words, rules=rules, skew=skew)
        self.evening = Evening(truth, ledger, self.complaints, self.owners, self.words)

    def asked_for(self, calendar_id: str) -> int:
        """Return how many syncs of the calendar were asked for by now: a listing that leaves now serves no more."""
        calendar = self.ledger.calendar(calendar_id)
        return calendar.requested if calendar else 0

    def watch_commit(self, before: Record | None, after: Record, now: datetime, worker: Worker) -> None:
        """Judge one committed record."""
        if isinstance(after, Calendar):
            known = before if isinstance(before, Calendar) else None
            self.calendars.watch(known, after, now, worker)
            self.channels.watch(known, after, now, worker)
            self.leases.watch(known, after, now, worker)
            self.leavings.watch_calendar(known, after, now, worker)
            self.retention.watch(known, after, worker)
            self._watch_removed(after, now)
        elif isinstance(after, Conference):
            old = before if isinstance(before, Conference) else None
            if old is None:
                self._watch_new(after)
            self.conferences.watch(old, after, worker)
            self.calls.watch_commit(old, after)
            self.brakes.watch(old, after, now)
            self.ends.watch(old, after, now, worker)
            self.told.watch_commit(old, after, worker)
            self.waits.watch_commit(after, worker)
            self.leavings.watch_conference(old, after, worker)
        elif isinstance(after, Link):
            self.conferences.watch_link(before if isinstance(before, Link) else None, after)
            self.ends.watch_link(after)
            self.retention.watch_link(after)
        elif isinstance(after, Brake):
            self.brakes.watch_alert(before if isinstance(before, Brake) else None, after)

    def _watch_removed(self, after: Calendar, now: datetime) -> None:
        """What is known of a calendar may be forgotten from the time on that its removal says."""
        if after.state == "removed" and (after.due_at is None or after.due_at <= now + 2 * self._skew):
            self.words.forget(after.calendar_id, now)

    def _watch_new(self, after: Conference) -> None:
        """One that was met before was forgotten meanwhile: the product may know nothing of it."""
        if after.key in self._met and self.owners.may_be_forgotten(after.conference_id):
            self.calls.forget(after.conference_id)
            self.told.forget(after.key)
            self.waits.forget(after.key)
        self._met.add(after.key)

    def watch_call(self, call: ConferenceCall, awaited: int, unawaited: int, now: datetime, worker: Worker) -> None:
        """Judge one call of the conferencing system as it leaves."""
        self.calls.watch(call, awaited, unawaited, worker)
        self.waits.watch(call.conference_key, call.conference_key, now, worker)
        if call.generation > 1 or call.conference_id not in self.calls.made_for:
            self.told.watch(call, worker)  # what is made on request is told its first state as it is made
        if call.state is None:
            self.brakes.watch_end(call.conference_key, worker)

    def watch_write(self, calendar_id: str, event_id: str, conference_data: Mapping[str, Any] | None) -> None:
        """Judge conference data that takes effect in an event now: for that event confsync vouches itself."""
        self.calls.watch_write(calendar_id, event_id, conference_data)
        made = conference_of({"conferenceData": conference_data or {}})
        if made is not None and not self._was_forgotten(made):
            self.words.hear(made, (calendar_id, event_id))

    def _was_forgotten(self, conference_id: str) -> bool:
        """Whether it was, before what was written for it took effect: nobody is bound to know it then."""
        return self.ledger.conference(conference_id) is None and self.owners.may_be_forgotten(conference_id)

    def watch_stop(self, calendar_id: str, channel_id: str, worker: Worker) -> None:
        """Judge a channel that is about to be stopped."""
        self.channels.watch_stop(self.ledger.calendar(calendar_id), channel_id, worker)

    def watch_end(
        self, about: Mapping[str, str], answer: object, now: datetime, worker: Worker, out_of_reach: datetime | None
    ) -> None:
        """Judge what a request leaves behind.

        Args:
            about: the body of its task, or the calendar of its push.
            answer: what it came to; an error is no answer, and one that is no `Exception` was its death.
            out_of_reach: when the store last refused the worker a transaction, None: never.

        """
        is_alive = isinstance(answer, Exception) or not isinstance(answer, BaseException)
        if isinstance(answer, Administered):
            self.evening.watch_administered(answer)
        self.leases.watch_end(worker, out_of_reach, is_alive=is_alive)
        self.channels.watch_end(worker, has_answered=not isinstance(answer, BaseException) and not _is_put_off(answer))
        if isinstance(answer, SyncOutcome):
            self.leavings.watch_sync(about, now, worker)
        elif isinstance(answer, UpdateOutcome):
            self.leavings.watch_updates(now, worker)
        elif isinstance(answer, Receipt):
            self.leavings.watch_push(about["calendar_id"], now, worker)
        self.leavings.forget(worker)

    def watch_reading(self, worker: Worker) -> None:
        """Hear of an event that a worker is about to read on its own."""
        self.leases.watch_reading(worker)

    def watch_page(self, calendar_id: str, items: int, worker: Worker) -> None:
        """Hear of a page of events that a worker was shown."""
        self.leavings.watch_page(calendar_id, items, worker)


def _is_put_off(answer: object) -> bool:
    """Whether a scheduled run left renewals to the next one, because the store failed it."""
    return isinstance(answer, RenewalOutcome) and answer.channels.statuses["deferred"] > 0
