"""Whoever is answered well leaves the next step behind: a request that is counted, a task that will run (R3, R4, R18).

    a push                                -> a task that begins after it came
    a sync that found the calendar leased -> one request more, and a task right after that lease
    an announced sync that listed nothing -> a task for the second look
    a sync that put something off         -> a task at that time
    a conference that is to be told or ended later -> a task at that time

Later runs heal what is missing here, so nothing else shows it: these rules only save time. It must never name tasks,
nor take the product's word for what a worker did.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from confsync.core.conference import Conference
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from tests.simulation.oracles.agenda import Agenda, Made
from tests.simulation.oracles.ledger import Complaints, Ledger, Worker


@dataclass
class _Work:
    """What one worker has done about one calendar."""

    is_claimed: bool = False
    leased_until: datetime | None = None
    """The end of the lease under which it asked for one more sync."""
    committed_at: datetime | None = None
    """When it served all that was asked for, and gave the lease back."""
    put_off_to: datetime | None = None
    """When to go on, where it gave the lease back before that."""
    listed: int = 0


@dataclass
class _Deeds:
    """What one worker has done."""

    of: dict[str, _Work] = field(default_factory=dict)
    """By calendar id."""
    conferences: dict[str, tuple[Conference, int]] = field(default_factory=dict)
    """By key: as it committed them last, and how many requests had begun by then."""


class LeavingsJudge:
    """Knows what each worker did, and compares it with the tasks that were made."""

    def __init__(self, ledger: Ledger, complaints: Complaints, rules: Rules, skew: timedelta) -> None:
        """Clocks of workers are wrong by `skew` at most."""
        self._ledger, self._complaints, self._rules, self._skew = ledger, complaints, rules, skew
        self._margin = timedelta(seconds=rules.skew_s)
        self.agenda = Agenda()
        self._deeds: dict[Worker, _Deeds] = {}
        self._shut_until: dict[str, datetime] = {}
        """By calendar id: when one that nobody is to sync was opened again."""

    # What happens

    def watch_page(self, calendar_id: str, items: int, worker: Worker) -> None:
        """Note that a worker was shown a page."""
        self._work(worker, calendar_id).listed += items

    def watch_calendar(self, before: Calendar | None, after: Calendar, now: datetime, worker: Worker) -> None:
        """Note what a worker committed of a calendar."""
        if before is None or _is_shut(before):
            self._shut_until[after.calendar_id] = now
        if before is None:
            return
        work = self._work(worker, after.calendar_id)
        if after.lease is not None and after.fence > before.fence:
            work.is_claimed = True
        elif after.requested > before.requested and before.lease is not None:
            work.leased_until = before.lease.expires_at
        if before.lease is not None and after.lease is None and before.fence == after.fence:
            is_served = after.sync_generation > before.sync_generation
            work.committed_at = now if is_served else None
            work.put_off_to = None if is_served else after.due_at

    def watch_conference(self, before: Conference | None, after: Conference, worker: Worker) -> None:
        """Note what a worker committed of a conference; who only vouches for an event leaves it due as it was."""
        if before is None or _says_more(before, after):
            self._deeds_of(worker).conferences[after.key] = after, self.agenda.turn
            return
        for deeds in self._deeds.values():
            known = deeds.conferences.get(after.key)
            if known is not None and known[0] is before:
                deeds.conferences[after.key] = after, known[1]

    def _deeds_of(self, worker: Worker) -> _Deeds:
        deeds = self._deeds.get(worker)
        if deeds is None:
            deeds = self._deeds[worker] = _Deeds()
        return deeds

    def _work(self, worker: Worker, calendar_id: str) -> _Work:
        works = self._deeds_of(worker).of
        if calendar_id not in works:
            works[calendar_id] = _Work()
        return works[calendar_id]

    # What is left

    def forget(self, worker: Worker) -> None:
        """Whoever died, or said that it failed, owes nothing: it is asked again."""
        self.agenda.forget(worker)
        self._deeds.pop(worker, None)

    def watch_push(self, calendar_id: str, now: datetime, worker: Worker) -> None:
        """Judge a push that is answered well now: some task begins after it arrived, and soon."""
        latest = now + timedelta(seconds=self._rules.window_s) + self._margin + self._skew
        arrived, key = self.agenda.forget(worker), self._ledger.key(calendar_id)
        if not self.agenda.has(key, lambda task: task.at <= latest and task.begins_after(arrived)):
            self._complain("R3 push", calendar_id, f"{worker.name} is answered, and no task begins after it")

    def watch_sync(self, body: Mapping[str, str], now: datetime, worker: Worker) -> None:
        """Judge a sync that was answered well, by the body of its task."""
        key = body["calendar_key"]
        work = self._work(worker, self._ledger.calendar_ids[key])
        if not work.is_claimed:
            self._judge_busy(key, work.leased_until, worker)
        elif work.put_off_to is not None:
            self._judge_put_off(key, work.put_off_to, worker)
        elif work.committed_at is not None and not work.listed and body.get("kind") in ("leading", "trailing"):
            self._judge_second_look(key, work.committed_at, now, worker)
        self.watch_updates(now, worker)

    def watch_updates(self, now: datetime, worker: Worker) -> None:
        """Judge what a worker that was answered well has committed of conferences, unless another has since."""
        latest = now + timedelta(seconds=self._rules.task_horizon_s) - self._skew
        for key, (conference, turn) in self._deeds_of(worker).conferences.items():
            due_at = conference.due_at
            if due_at is None or due_at > latest or due_at == conference.review_at:
                continue  # a review is for the scheduled run: nobody waits for it
            if self._ledger.conference_at(key) is conference:
                self._judge_due(conference, due_at, turn, now, worker)

    def _judge_due(self, conference: Conference, due_at: datetime, turn: int, now: datetime, worker: Worker) -> None:
        last = max(due_at, now) + self._margin

        def covers(task: Made) -> bool:
            return due_at <= task.at <= last and task.begins_after(turn)

        if not self.agenda.has(conference.key, covers):
            why = f"{worker.name} ends, it is due at {due_at}, and no task begins then"
            self._complain("R18 due", conference.conference_id, why)

    def _judge_busy(self, key: str, leased_until: datetime | None, worker: Worker) -> None:
        """Whoever claimed nothing found the calendar leased, unless nobody is to sync it."""
        calendar_id = self._ledger.calendar_ids[key]
        if leased_until is not None:
            if not self.agenda.has_between(key, leased_until + self._skew, leased_until + self._margin):
                what = f"{worker.name} ends, and no task begins after the lease that ends at {leased_until}"
                self._complain("R4 busy", calendar_id, what)
        elif not self._was_shut(calendar_id, worker):
            self._complain("R4 busy", calendar_id, f"{worker.name} ends, and has neither synced nor asked for a sync")

    def _judge_put_off(self, key: str, at: datetime, worker: Worker) -> None:
        if not self.agenda.has_between(key, at, at + self._margin):
            self._complain(
                "R18 put off", self._ledger.calendar_ids[key], f"{worker.name} ends, and none goes on at {at}"
            )

    def _judge_second_look(self, key: str, committed_at: datetime, now: datetime, worker: Worker) -> None:
        lag = timedelta(seconds=self._rules.lag_s)
        if not self.agenda.has_between(key, committed_at + lag - self._skew, now + lag + self._skew):
            what = f"{worker.name} listed nothing, and nobody looks again"
            self._complain("R3 second look", self._ledger.calendar_ids[key], what)

    def _was_shut(self, calendar_id: str, worker: Worker) -> bool:
        """Whether nobody was to sync the calendar, at some moment since the worker began."""
        calendar = self._ledger.calendar(calendar_id)
        opened = self._shut_until.get(calendar_id)
        return calendar is None or _is_shut(calendar) or (opened is not None and opened >= worker.since)

    def _complain(self, rule: str, what: str, why: str) -> None:
        self._complaints.add(rule, f"{what}: {why}")


def _says_more(before: Conference, after: Conference) -> bool:
    """Whether a commit changed more of a conference than who is expected to hold it, and until when."""
    expected: dict[str, object] = {"registered": after.registered}
    if before.due_at == after.due_at:
        expected["review_at"] = after.review_at
    return before.model_copy(update=expected) != after


def _is_shut(calendar: Calendar) -> bool:
    """Whether nobody is to sync it: no access, an operator's word, or no quota."""
    return calendar.state in ("frozen", "paused", "removed") or calendar.quota_until is not None
