"""Schedules that a run has to meet sometimes: each is counted when it happens, and a test asserts that each did.

A generator that went blind shows here before a bug slips through. It must never judge.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from confsync.core.conference import Conference
from confsync.core.records import Calendar, Record
from tests.simulation.instance import Instance
from tests.simulation.oracles.ledger import Ledger, covered_by
from tests.simulation.oracles.truth import Truth

PAUSE = timedelta(seconds=20)

SCHEDULES = (
    "a retry met its own dead lease",
    "a call landed after a newer one",
    "the destination of a move synced first",
    "a crash between dropping the token and the listing",
    "a checkpoint resumed while a notification was coalesced",
    "two calendars wrote one conference at once",
    "an id-only tombstone recorded by a paused worker",
    "a call landed that nobody waited for",
    "a transaction ran again",
    "two workers had one task at once",
    "an instance outlived its dispatch deadline",
    "a worker lost its fence",
    "a sync token was rejected",
    "access came back",
    "an operator superseded a sync",
    "a paused calendar was resumed",
    "a removed calendar was forgotten",
    "a removed calendar was forgotten when its time was over",
    "a removed calendar was added again",
)
"""Every schedule that is counted; the first seven are those of which each once went wrong."""

CAME_BACK = {
    "frozen": "access came back",
    "paused": "a paused calendar was resumed",
    "removed": "a removed calendar was added again",
}
"""By the state of a calendar that is active now."""


class Sometimes:
    """Counts the schedules of one day."""

    def __init__(self, ledger: Ledger, truth: Truth, secret: str) -> None:
        """Begin with none."""
        self._ledger, self._truth, self._secret = ledger, truth, secret
        self.reached: Counter[str] = Counter()
        self.also: list[Callable[[Record | None, Record, Instance], None]] = []
        """Who else looks at each committed record."""
        self._claims: dict[tuple[str, int], Instance] = {}
        self._wrote: dict[str, tuple[Instance, datetime]] = {}
        self._moves: list[tuple[str, str, str, int, int]] = []
        self._covered: dict[str, int] = {}

    def reach(self, schedule: str) -> None:
        """Count one."""
        if schedule not in SCHEDULES:
            raise ValueError(f"{schedule!r} is not listed in SCHEDULES")
        self.reached[schedule] += 1

    def watch_move(self, event_id: str, source: str, destination: str) -> None:
        """Note that an event was moved just now."""
        changes = [self._truth.facts.get((place, event_id)) for place in (source, destination)]
        if changes[0] and changes[1]:
            self._moves.append((event_id, source, destination, changes[0][-1].change, changes[1][-1].change))

    def watch_commit(self, before: Record | None, after: Record, now: datetime, worker: Instance) -> None:
        """Look at one committed record."""
        for watch in self.also:
            watch(before, after, worker)
        if isinstance(after, Calendar):
            self._watch_calendar(before if isinstance(before, Calendar) else None, after, now, worker)
        elif isinstance(after, Conference):
            self._watch_conference(after, now, worker)

    def _watch_calendar(self, before: Calendar | None, after: Calendar, now: datetime, worker: Instance) -> None:
        if before is None:
            return
        if after.fence > before.fence:
            self._claims[after.key, after.fence] = worker
            begun = before.checkpoint
            if begun is not None and before.requested > begun.requested:
                worker.notes["resumed a checkpoint"] = now
        if before.sync_token is not None and after.sync_token is None and before.fence == after.fence:
            worker.notes["dropped its token"] = now
            self.reach("a sync token was rejected")
        self._watch_state(before, after)
        if after.sync_token is not None and after.sync_token != before.sync_token:
            self._watch_token(after, covered_by(self._secret, after.sync_token))
        if {"resumed a checkpoint", "went on with a page"} <= worker.notes.keys():
            self.reach("a checkpoint resumed while a notification was coalesced")
            del worker.notes["resumed a checkpoint"]
        self._watch_paused(now, worker)

    def _watch_state(self, before: Calendar, after: Calendar) -> None:
        if before.lease is not None and after.lease is None and before.fence < after.fence and after.state != "frozen":
            self.reach("an operator superseded a sync")
        if before.state == "removed" and before.due_at is not None and after.due_at is None:
            self.reach("a removed calendar was forgotten")
        came_back = CAME_BACK.get(before.state)
        if came_back is not None and after.state == "active":
            self.reach(came_back)

    def _watch_paused(self, now: datetime, worker: Instance) -> None:
        saw = worker.notes.get("saw an id-only tombstone")
        if saw is not None and now - saw > PAUSE:
            self.reach("an id-only tombstone recorded by a paused worker")
            del worker.notes["saw an id-only tombstone"]

    def _watch_token(self, calendar: Calendar, upto: int) -> None:
        self._covered[calendar.calendar_id] = upto
        for move in list(self._moves):
            _, source, destination, left, arrived = move
            if calendar.calendar_id == source and upto >= left:
                self._moves.remove(move)
            elif calendar.calendar_id == destination and upto >= arrived and self._covered.get(source, left) < left:
                self.reach("the destination of a move synced first")
                self._moves.remove(move)

    def _watch_conference(self, after: Conference, now: datetime, worker: Instance) -> None:
        other, at = self._wrote.get(after.key, (worker, now))
        apart = worker.fences.keys() and other.fences.keys() and worker.fences.keys().isdisjoint(other.fences)
        if other is not worker and apart and at >= worker.since:
            self.reach("two calendars wrote one conference at once")
        self._wrote[after.key] = (worker, now)

    def watch_busy(self, calendar_key: str, task: str) -> None:
        """Look at a task that found its calendar leased."""
        calendar = next((c for c in self._ledger.calendars().values() if c.key == calendar_key), None)
        holder = self._claims.get((calendar_key, calendar.fence)) if calendar else None
        if holder is not None and holder.is_dead and holder.name.partition("~")[0] == task:
            self.reach("a retry met its own dead lease")

    def watch_death(self, worker: Instance) -> None:
        """Look at an instance that just died."""
        if "dropped its token" in worker.notes:
            self.reach("a crash between dropping the token and the listing")
