"""One place syncs a calendar at a time: who may claim it, how long, how it is kept, and that it is given back (R4).

A lease is judged by the clock of the worker that wrote it or looked at it, so that wrong clocks excuse nothing. It must
never ask the product whether a calendar is leased.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from confsync.core.records import Calendar
from confsync.core.rules import Rules
from tests.simulation.oracles.ledger import Complaints, Ledger, Worker


@dataclass
class _Hold:
    """One worker's right to sync a calendar."""

    fence: int
    written_at: datetime
    """When the worker wrote the calendar last, by its own clock."""
    seen_at: datetime
    """The same by the true one."""


class LeaseJudge:
    """Watches leases as they are taken, extended, and given back."""

    def __init__(self, ledger: Ledger, complaints: Complaints, rules: Rules) -> None:
        """Begin with no lease; each runs for `lease_s` from when it was written, and is written every so often."""
        self._ledger, self._complaints = ledger, complaints
        self._lease, self._every = timedelta(seconds=rules.lease_s), timedelta(seconds=rules.extend_every_s)
        self._holds: dict[Worker, dict[str, _Hold]] = {}
        """By worker and calendar id."""

    def watch(self, before: Calendar | None, after: Calendar, now: datetime, worker: Worker) -> None:
        """Judge one committed calendar."""
        old, new = before.lease if before else None, after.lease
        if before is None or new is None:
            return
        if after.fence > before.fence:
            if old is not None and old.expires_at > worker.now():
                self._complain(after, f"is claimed by {worker.name} while its lease runs until {old.expires_at}")
            hold = _Hold(after.fence, worker.now(), now)
            self._holds.setdefault(worker, {})[after.calendar_id] = hold
            return
        held = self._holds.get(worker, {}).get(after.calendar_id)
        if held is None or held.fence != new.fence:
            return
        if new.expires_at < held.written_at + self._lease:
            self._complain(after, f"goes on after {held.written_at}, and its lease still ends at {new.expires_at}")
        held.written_at, held.seen_at = worker.now(), now

    def watch_reading(self, worker: Worker) -> None:
        """Judge a reading of one event that leaves now: many of them take longer than a lease."""
        for calendar_id, held in self._holds.get(worker, {}).items():
            calendar = self._ledger.calendar(calendar_id)
            if calendar is None or calendar.lease is None or calendar.lease.fence != held.fence:
                continue
            if worker.now() - held.written_at >= self._every:
                self._complain(
                    calendar, f"is read on at {worker.now()}, and its lease was written at {held.written_at}"
                )

    def watch_end(self, worker: Worker, out_of_reach: datetime | None, *, is_alive: bool) -> None:
        """Judge what a worker holds that ends.

        Args:
            out_of_reach: when the store last refused it a transaction; what it could not write is no fault of its.
            is_alive: whether it had a chance to clean up.

        """
        for calendar_id, held in self._holds.pop(worker, {}).items():
            calendar = self._ledger.calendar(calendar_id)
            has_tried = out_of_reach is not None and out_of_reach >= held.seen_at
            if not is_alive or has_tried or calendar is None or calendar.lease is None:
                continue
            if calendar.lease.fence == held.fence:
                self._complain(calendar, f"stays leased after {worker.name} has ended")

    def _complain(self, calendar: Calendar, what: str) -> None:
        self._complaints.add("R4 lease", f"{calendar.calendar_id} {what}")
