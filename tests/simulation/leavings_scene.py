"""One calendar, one conference and their tasks, as the oracles of leases and leavings are shown them in tests.

It must never decide what is right.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from confsync.core.conference import Conference
from confsync.core.records import Calendar, Lease, Record
from confsync.core.rules import Rules
from confsync.local.calendar_server.model import CalendarModel
from confsync.sync_calendar import SyncOutcome
from tests.simulation.oracles.judges import Oracles
from tests.simulation.oracles.ledger import Ledger
from tests.simulation.oracles.truth import Truth
from tests.world import ALL_FIELDS, START

ANN, KEY = "ann", "k"
SKEW = timedelta(seconds=0.9)
BLANK = Calendar(key=KEY, tenant="t", calendar_id=ANN, subject="ann@example.com", requested=1, due_at=START)
SYNCED = SyncOutcome("synced")
"""Whatever a sync says of itself: the oracles look at what it did."""


@dataclass(eq=False)
class Worker:
    """A worker with a clock that is right."""

    at: datetime
    name: str = "w"
    fences: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin now."""
        self.since = self.at

    @property
    def read_at(self) -> datetime:
        """When its transaction began: just now."""
        return self.at

    def now(self) -> datetime:
        """Return the time."""
        return self.at


class Scene:
    """One calendar, its tasks, and what the oracles say of them."""

    def __init__(self, calendar: Calendar = BLANK) -> None:
        """Begin with a calendar that is stored."""
        model = CalendarModel(lambda: START, lambda: "id")
        self.committed: dict[str, dict[str, Record]] = {"calendar": {KEY: calendar}, "conference": {}, "link": {}}
        truth, ledger = Truth(model, ALL_FIELDS), Ledger(self.committed, {KEY: ANN})
        self.oracles = Oracles(truth, ledger, "s", Rules(), ordered=True, exact=True, skew=SKEW)

    @property
    def calendar(self) -> Calendar:
        """The calendar as it is stored."""
        found = self.committed["calendar"][KEY]
        assert isinstance(found, Calendar)
        return found

    @property
    def broken(self) -> list[str]:
        """The rules that were broken by now."""
        return [each.partition(":")[0] for each in self.oracles.complaints.all]

    def begin(self, name: str = "request", *, at_s: float = 0) -> Worker:
        """Let a request begin."""
        worker = Worker(after(at_s))
        self.oracles.leavings.agenda.watch_begin(name, worker)
        return worker

    def commit(self, worker: Worker, **fields: object) -> None:
        """Commit the calendar with other fields."""
        before, new = self.calendar, Calendar.model_validate({**self.calendar.model_dump(), **fields})
        self.committed["calendar"][KEY] = new
        self.oracles.watch_commit(before, new, worker.at, worker)

    def claim(self, worker: Worker, runs_s: float = 60) -> None:
        """Let a worker take the lease."""
        fence = self.calendar.fence + 1
        lease = Lease(holder="h", fence=fence, expires_at=worker.at + timedelta(seconds=runs_s))
        self.commit(worker, fence=fence, lease=lease, requested=self.calendar.requested + 1)

    def serve(self, worker: Worker) -> None:
        """Commit a sync that serves all that was asked for, and give the lease back."""
        self.oracles.calendars.covers[""] = served = self.calendar.requested
        self.commit(worker, lease=None, sync_generation=self.calendar.sync_generation + 1, served=served)

    def commit_conference(self, worker: Worker, **fields: object) -> None:
        """Commit a conference."""
        known = {"key": "c", "tenant": "t", "provider": "acme", "conference_id": "c"}
        before, new = self.committed["conference"].get("c"), Conference.model_validate({**known, **fields})
        self.committed["conference"]["c"] = new
        self.oracles.watch_commit(before, new, worker.at, worker)

    def conference_task(self, at_s: float, name: str = "update") -> None:
        """Make a task for that conference."""
        self.oracles.leavings.agenda.watch_task(name, {"conference_key": "c"}, after(at_s))

    def task(self, at_s: float, name: str = "task") -> None:
        """Make a task."""
        self.oracles.leavings.agenda.watch_task(name, {"calendar_key": KEY, "kind": "any"}, after(at_s))

    def end(
        self, worker: Worker, answer: object = SYNCED, *, kind: str = "due", out_of_reach: datetime | None = None
    ) -> list[str]:
        """Let a request end; return the rules that were broken by then."""
        about = {"calendar_key": KEY, "kind": kind, "calendar_id": ANN}
        self.oracles.watch_end(about, answer, worker.at, worker, out_of_reach)
        return self.broken


def after(seconds: float) -> datetime:
    """Return a time of the scene."""
    return START + timedelta(seconds=seconds)


def leased(until_s: float = 60) -> Calendar:
    """Return the calendar with somebody's lease."""
    return BLANK.model_copy(update={"fence": 1, "lease": Lease(holder="o", fence=1, expires_at=after(until_s))})
