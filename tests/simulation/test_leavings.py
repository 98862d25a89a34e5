"""The oracle of what requests leave behind is shown what it must report, and what it must not."""

import pytest

from confsync.core.conference import Registration
from confsync.errors import CalendarUnavailable
from confsync.receive_notification import Receipt
from confsync.update_conference import UpdateOutcome
from tests.simulation.leavings_scene import ANN, BLANK, KEY, SYNCED, Scene, Worker, after, leased
from tests.world import START

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
    scene.serve(worker)
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


# Conferences


@pytest.mark.parametrize(
    ("fields", "task_s", "broken"),
    [
        ({"due_at": after(60)}, None, ["R18 due"]),
        ({"due_at": after(60)}, 60, []),
        ({"due_at": after(60)}, 50, ["R18 due"]),
        ({"due_at": after(60)}, 90, ["R18 due"]),
        ({"due_at": after(60), "review_at": after(60)}, None, []),
        ({"due_at": after(25 * 3600)}, None, []),
        ({"due_at": None}, None, []),
    ],
)
@pytest.mark.parametrize("answer", [SYNCED, UpdateOutcome("c")])
def test_a_conference_that_is_due_later_has_a_task(
    fields: dict[str, object], task_s: float | None, broken: list[str], answer: object
) -> None:
    """Unless that is for a review, or so late that the scheduled run finds it."""
    scene = Scene()
    worker = scene.begin()
    scene.claim(worker)
    scene.serve(worker)
    scene.commit_conference(worker, **fields)
    if task_s is not None:
        scene.conference_task(task_s)
    assert scene.end(worker, answer) == broken


@pytest.mark.parametrize("at_s", [5, 0.5])
def test_a_task_that_began_before_the_conference_was_due_later_is_used_up(at_s: float) -> None:
    """It may have looked before, however short a time ago it was made."""
    scene = Scene()
    scene.conference_task(60)
    worker = scene.begin("update", at_s=at_s)
    scene.commit_conference(worker, due_at=after(60))
    assert scene.end(worker, UpdateOutcome("c")) == ["R18 due"]


def test_what_another_worker_committed_since_is_for_that_one() -> None:
    """Whoever is last leaves the task."""
    scene = Scene()
    first, second = scene.begin(), scene.begin()
    scene.commit_conference(first, due_at=after(60))
    scene.commit_conference(second, due_at=after(61))
    assert scene.end(first, UpdateOutcome("c")) == []
    assert scene.end(second, UpdateOutcome("c")) == ["R18 due"]


@pytest.mark.parametrize("is_vouched_first", [True, False])
def test_who_vouches_for_an_event_leaves_the_task_to_whoever_said_when_the_conference_is_due(
    is_vouched_first: bool,
) -> None:
    """It adds nothing that is due; and the other one owes the task still."""
    scene = Scene()
    first, second = scene.begin(), scene.begin()
    word = {"l": Registration(calendar_key=KEY, event_id="e", at=START)}
    if is_vouched_first:
        scene.commit_conference(second, registered=word)
    scene.commit_conference(first, due_at=after(60))
    scene.commit_conference(second, due_at=after(60), registered=word)
    assert scene.end(second, UpdateOutcome("c")) == []
    assert scene.end(first, UpdateOutcome("c")) == ["R18 due"]


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
