"""Whoever is answered well leaves the next step behind: a request that is counted, a task that will run (R3, R4).

    a push                                -> a task that begins after it came
    a sync that found the calendar leased -> one request more, and a task right after that lease
    an announced sync that listed nothing -> a task for the second look
    a sync that put something off         -> a task at that time

Later runs heal what is missing here, so nothing else shows it: these rules only save time. A task that is lost on its
way was made all the same. It must never name tasks, nor know why a worker made one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from confsync.core.records import Calendar
from confsync.core.rules import Rules
from tests.simulation.oracles.ledger import Complaints, Ledger, Worker


@dataclass
class _Made:
    """A task that was made."""

    at: datetime
    """When it is to begin."""
    begun: int | None = None
    """Its place in the order in which requests began; None: not yet, or lost."""


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


class LeavingsJudge:
    """Knows the tasks of each calendar, and what each worker did about it."""

    def __init__(self, ledger: Ledger, complaints: Complaints, rules: Rules, skew: timedelta) -> None:
        """Clocks of workers are wrong by `skew` at most."""
        self._ledger, self._complaints, self._rules, self._skew = ledger, complaints, rules, skew
        self._margin = timedelta(seconds=rules.skew_s)
        self._made: dict[str, dict[str, _Made]] = {}
        """By calendar id and name."""
        self._calendar_of: dict[str, str] = {}
        """By a task's name."""
        self._begun = 0
        self._arrived: dict[Worker, int] = {}
        self._work: dict[tuple[Worker, str], _Work] = {}
        self._shut_until: dict[str, datetime] = {}
        """By calendar id: when one that nobody is to sync was opened again."""

    # What happens

    def watch_task(self, name: str, body: Mapping[str, str], at: datetime) -> None:
        """Note a task that was made, to begin at a time."""
        calendar_id = self._ledger.calendar_ids.get(body.get("calendar_key", ""))
        if calendar_id is not None:
            self._calendar_of[name] = calendar_id
            self._made.setdefault(calendar_id, {})[name] = _Made(at)

    def watch_begin(self, name: str, worker: Worker) -> None:
        """Note that a request begins; `name` is that of its task, if it is one."""
        self._begun += 1
        self._arrived[worker] = self._begun
        calendar_id = self._calendar_of.get(name)
        if calendar_id is not None:
            made = self._made[calendar_id][name]
            made.begun = made.begun or self._begun

    def watch_page(self, calendar_id: str, items: int, worker: Worker) -> None:
        """Note that a worker was shown a page."""
        self._of(worker, calendar_id).listed += items

    def watch_commit(self, before: Calendar | None, after: Calendar, now: datetime, worker: Worker) -> None:
        """Note what a worker committed of a calendar."""
        if before is None or _is_shut(before):
            self._shut_until[after.calendar_id] = now
        if before is None:
            return
        work = self._of(worker, after.calendar_id)
        if after.lease is not None and after.fence > before.fence:
            work.is_claimed = True
        elif after.requested > before.requested and before.lease is not None:
            work.leased_until = before.lease.expires_at
        if before.lease is not None and after.lease is None and before.fence == after.fence:
            is_served = after.sync_generation > before.sync_generation
            work.committed_at = now if is_served else None
            work.put_off_to = None if is_served else after.due_at

    def _of(self, worker: Worker, calendar_id: str) -> _Work:
        return self._work.setdefault((worker, calendar_id), _Work())

    # What is left

    def forget(self, worker: Worker) -> None:
        """Whoever died, or said that it failed, owes nothing: it is asked again."""
        self._arrived.pop(worker, None)
        for place in [place for place in self._work if place[0] is worker]:
            del self._work[place]

    def watch_push(self, calendar_id: str, now: datetime, worker: Worker) -> None:
        """Judge a push that is answered well now: some task begins after it arrived, and soon."""
        latest = now + timedelta(seconds=self._rules.window_s) + self._margin + self._skew
        arrived = self._arrived.get(worker, 0)
        tasks = self._newest(calendar_id)
        if not any(task.at <= latest and (task.begun is None or task.begun > arrived) for task in tasks):
            self._complain("R3 push", calendar_id, f"{worker.name} is answered, and no task begins after it")

    def watch_sync(self, body: Mapping[str, str], now: datetime, worker: Worker) -> None:
        """Judge a sync that was answered well, by the body of its task."""
        calendar_id = self._ledger.calendar_ids[body["calendar_key"]]
        work = self._of(worker, calendar_id)
        if not work.is_claimed:
            self._judge_busy(calendar_id, work.leased_until, worker)
        elif work.put_off_to is not None:
            self._judge_put_off(calendar_id, work.put_off_to, worker)
        elif work.committed_at is not None and not work.listed and body.get("kind") in ("leading", "trailing"):
            self._judge_second_look(calendar_id, work.committed_at, now, worker)

    def _judge_busy(self, calendar_id: str, leased_until: datetime | None, worker: Worker) -> None:
        """Whoever claimed nothing found the calendar leased, unless nobody is to sync it."""
        if leased_until is not None:
            if not self._has_task(calendar_id, leased_until + self._skew, leased_until + self._margin):
                what = f"{worker.name} ends, and no task begins after the lease that ends at {leased_until}"
                self._complain("R4 busy", calendar_id, what)
        elif not self._was_shut(calendar_id, worker):
            self._complain("R4 busy", calendar_id, f"{worker.name} ends, and has neither synced nor asked for a sync")

    def _judge_put_off(self, calendar_id: str, at: datetime, worker: Worker) -> None:
        if not self._has_task(calendar_id, at, at + self._margin):
            self._complain("R18 put off", calendar_id, f"{worker.name} ends, and no task goes on at {at}")

    def _judge_second_look(self, calendar_id: str, committed_at: datetime, now: datetime, worker: Worker) -> None:
        lag = timedelta(seconds=self._rules.lag_s)
        if not self._has_task(calendar_id, committed_at + lag - self._skew, now + lag + self._skew):
            self._complain("R3 second look", calendar_id, f"{worker.name} listed nothing, and nobody looks again")

    def _has_task(self, calendar_id: str, first: datetime, last: datetime) -> bool:
        return any(first <= task.at <= last for task in self._newest(calendar_id))

    def _newest(self, calendar_id: str) -> Iterator[_Made]:
        """Give the tasks of a calendar, the newest first: most often it is one of these."""
        return reversed(self._made.get(calendar_id, {}).values())

    def _was_shut(self, calendar_id: str, worker: Worker) -> bool:
        """Whether nobody was to sync the calendar, at some moment since the worker began."""
        calendar = self._ledger.calendar(calendar_id)
        opened = self._shut_until.get(calendar_id)
        return calendar is None or _is_shut(calendar) or (opened is not None and opened >= worker.since)

    def _complain(self, rule: str, calendar_id: str, what: str) -> None:
        self._complaints.add(rule, f"{calendar_id}: {what}")


def _is_shut(calendar: Calendar) -> bool:
    return calendar.state in ("frozen", "paused", "removed")
