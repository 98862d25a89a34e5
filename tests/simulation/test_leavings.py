"""The oracles of leases and of what requests leave behind: each is shown what it must report, and what it must not."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from confsync.core.records import Calendar, Lease, Record
from confsync.core.rules import Rules
from confsync.errors import CalendarUnavailable
from confsync.local.calendar_server.model import CalendarModel
from confsync.receive_notification import Receipt
from confsync.sync_calendar import SyncOutcome
from tests.simulation.oracles.judges import Oracles
from tests.simulation.oracles.ledger import Ledger
from tests.simulation.oracles.truth import Truth
from tests.world import ALL_FIELDS, START, Crash

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

    def begin(self, name: str = "request", *, at_s: float = 0) -> Worker:
        """Let a request begin."""
        worker = Worker(after(at_s))
        self.oracles.leavings.watch_begin(name, worker)
        return worker

    def commit(self, worker: Worker, **fields: object) -> None:
        """Commit the calendar with other fields."""
        before, after = self.calendar, Calendar.model_validate({**self.calendar.model_dump(), **fields})
        self.committed["calendar"][KEY] = after
        self.oracles.watch_commit(before, after, worker.at, worker)

    def claim(self, worker: Worker, runs_s: float = 60) -> None:
        """Let a worker take the lease."""
        fence = self.calendar.fence + 1
        lease = Lease(holder="h", fence=fence, expires_at=worker.at + timedelta(seconds=runs_s))
        self.commit(worker, fence=fence, lease=lease, requested=self.calendar.requested + 1)

    def task(self, at_s: float, name: str = "task") -> None:
        """Make a task."""
        self.oracles.leavings.watch_task(name, {"calendar_key": KEY, "kind": "any"}, after(at_s))

    def end(
        self, worker: Worker, answer: object = SYNCED, *, kind: str = "due", out_of_reach: datetime | None = None
    ) -> list[str]:
        """Let a request end; return the rules that were broken by then."""
        about = {"calendar_key": KEY, "kind": kind, "calendar_id": ANN}
        self.oracles.watch_end(about, answer, worker.at, worker, out_of_reach)
        return [each.partition(":")[0] for each in self.oracles.complaints.all]


def after(seconds: float) -> datetime:
    """Return a time of the scene."""
    return START + timedelta(seconds=seconds)


def leased(until_s: float = 60) -> Calendar:
    """Return the calendar with somebody's lease."""
    return BLANK.model_copy(update={"fence": 1, "lease": Lease(holder="o", fence=1, expires_at=after(until_s))})


# Leases


@pytest.mark.parametrize(("at_s", "broken"), [(59, ["R4 lease"]), (60, [])])
def test_a_calendar_is_claimed_when_its_lease_is_over(at_s: float, broken: list[str]) -> None:
    """By the clock of whoever claims it."""
    scene = Scene(leased(60))
    worker = scene.begin(at_s=at_s)
    scene.claim(worker)
    assert [each.partition(":")[0] for each in scene.oracles.complaints.all] == broken


@pytest.mark.parametrize(("ends_s", "broken"), [(70, []), (60, ["R4 lease"])])
def test_each_commit_of_a_sync_lets_its_lease_run_anew(ends_s: float, broken: list[str]) -> None:
    """From the commit before at the earliest: what came between is work."""
    scene = Scene()
    worker = scene.begin()
    scene.claim(worker)
    worker.at = after(10)
    lease = scene.calendar.lease
    assert lease is not None
    scene.commit(worker, lease=lease.model_copy(update={"expires_at": after(70)}))
    worker.at = after(15)
    scene.commit(worker, lease=lease.model_copy(update={"expires_at": after(ends_s)}))
    assert [each.partition(":")[0] for each in scene.oracles.complaints.all] == broken


@pytest.mark.parametrize("answer", [SYNCED, CalendarUnavailable("no answer")])
def test_a_sync_that_ends_in_any_way_holds_no_lease(answer: object) -> None:
    """Well, or with an error."""
    scene = Scene()
    worker = scene.begin()
    scene.claim(worker)
    assert scene.end(worker, answer) == ["R4 lease"]


def test_a_dead_worker_keeps_its_lease() -> None:
    """It expires by itself."""
    scene = Scene()
    worker = scene.begin()
    scene.claim(worker)
    assert scene.end(worker, Crash()) == []


@pytest.mark.parametrize(("refused_s", "broken"), [(5, []), (0, ["R4 lease"])])
def test_a_store_that_was_out_of_reach_is_no_fault_of_the_worker(refused_s: float, broken: list[str]) -> None:
    """Only what it refused after the worker's last write may be what would have given the lease back."""
    scene = Scene()
    worker = scene.begin(at_s=1)
    scene.claim(worker)
    worker.at = after(9)
    assert scene.end(worker, CalendarUnavailable("no answer"), out_of_reach=after(refused_s)) == broken


def test_the_lease_of_another_worker_is_no_matter() -> None:
    """Who lost its calendar leaves it to the other."""
    scene = Scene()
    first, second = scene.begin(), scene.begin(at_s=60)
    scene.claim(first)
    scene.claim(second)
    assert scene.end(first, CalendarUnavailable("no answer")) == []


# Syncs that found the calendar leased


@pytest.mark.parametrize(
    ("is_counted", "task_s", "broken"),
    [
        (True, 62, []),
        (True, None, ["R4 busy"]),
        (True, 60.5, ["R4 busy"]),
        (True, 90, ["R4 busy"]),
        (False, 62, ["R4 busy"]),
    ],
)
def test_who_finds_the_calendar_leased_counts_and_leaves_the_task_after_that_lease(
    is_counted: bool, task_s: float | None, broken: list[str]
) -> None:
    """Not one that may find the lease running, nor one long after."""
    scene = Scene(leased(60))
    worker = scene.begin(at_s=10)
    if is_counted:
        scene.commit(worker, requested=2)
    if task_s is not None:
        scene.task(task_s)
    assert scene.end(worker) == broken


def test_nobody_has_to_sync_a_calendar_that_was_frozen_when_the_sync_began() -> None:
    """Its access came back only while the sync ran."""
    scene = Scene(BLANK.model_copy(update={"state": "frozen"}))
    worker, other = scene.begin(), scene.begin()
    scene.commit(other, state="active")
    assert scene.end(worker) == []
    assert scene.end(scene.begin(at_s=1)) == ["R4 busy"]


# Syncs that listed nothing, or put something off


def synced(*, items: int = 0) -> tuple[Scene, Worker]:
    """Return a scene in which a sync has listed so much and committed it."""
    scene = Scene()
    worker = scene.begin()
    scene.claim(worker)
    scene.oracles.watch_page(ANN, items, worker)
    scene.commit(worker, lease=None, sync_generation=1)
    return scene, worker


@pytest.mark.parametrize(
    ("kind", "items", "task_s", "broken"),
    [
        ("leading", 0, None, ["R3 second look"]),
        ("trailing", 0, 5, ["R3 second look"]),
        ("leading", 0, 30, []),
        ("leading", 1, None, []),
        ("due", 0, None, []),
    ],
)
def test_an_announced_sync_that_listed_nothing_leaves_a_second_look(
    kind: str, items: int, task_s: float | None, broken: list[str]
) -> None:
    """As late as a list may lag."""
    scene, worker = synced(items=items)
    if task_s is not None:
        scene.task(task_s)
    assert scene.end(worker, kind=kind) == broken


@pytest.mark.parametrize(("state", "task_s", "broken"), [
    ("active", None, ["R18 put off"]), ("active", 100, []), ("active", 20, ["R18 put off"]), ("frozen", None, []),
])  # fmt: skip
def test_who_puts_a_sync_off_leaves_the_task_that_goes_on(state: str, task_s: float | None, broken: list[str]) -> None:
    """At the time that is stored; a frozen calendar is tried by the scheduled run."""
    scene = Scene()
    worker = scene.begin()
    scene.claim(worker)
    fence = scene.calendar.fence + (state == "frozen")
    scene.commit(worker, lease=None, due_at=after(100), state=state, fence=fence)
    if task_s is not None:
        scene.task(task_s)
    assert scene.end(worker) == broken


# Pushes

PUSHED = Receipt(KEY, "covered")


@pytest.mark.parametrize(("at_s", "broken"), [(None, ["R3 push"]), (0, []), (4, []), (30, ["R3 push"])])
def test_a_push_that_is_answered_leaves_a_task_that_begins_soon(at_s: float | None, broken: list[str]) -> None:
    """In its window and the margin after it."""
    scene = Scene()
    worker = scene.begin("push")
    if at_s is not None:
        scene.task(at_s)
    assert scene.end(worker, PUSHED) == broken


def test_a_task_that_began_before_the_push_came_does_not_cover_it() -> None:
    """It may have listed before the change; one that begins afterwards covers it, also at the same moment."""
    scene = Scene()
    scene.task(0, "early")
    scene.begin("early")
    covered = scene.begin("push 1")
    scene.task(0, "later")
    scene.begin("later")
    late = scene.begin("push 2")
    assert scene.end(covered, PUSHED) == []
    assert scene.end(late, PUSHED) == ["R3 push"]


def test_a_push_that_was_not_answered_leaves_nothing() -> None:
    """Calendar sends it again."""
    scene = Scene()
    assert scene.end(scene.begin("push"), CalendarUnavailable("no task")) == []
