"""Names, times and bodies of tasks."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.core import tasks
from confsync.core.conference import Desired
from confsync.core.records import Calendar, Lease
from confsync.core.rules import Rules
from confsync.core.tasks import Task
from tests.core.story import HERE, NOW, RULES, THERE, at, conference

CALENDAR = Calendar(key=HERE, tenant="default", calendar_id="ann@example.com", subject="ann@example.com", fence=7)
C1 = conference(desired=Desired(generation=3, fingerprint="f"), due_at=at(5))
LEASE = Lease(holder="w1", fence=7, expires_at=at(1))
ORIGIN = {"channel_id": "c", "resource_id": "r"}
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone

EVERY_TASK: list[tuple[Callable[[], Task], str, str]] = [
    (lambda: tasks.leading_sync(HERE, NOW, RULES, ORIGIN), "/sync", "leading"),
    (lambda: tasks.trailing_sync(HERE, NOW, RULES, ORIGIN), "/sync", "trailing"),
    (lambda: tasks.sync_after_lease(HERE, LEASE, RULES), "/sync", "after"),
    (lambda: tasks.sync_again(CALENDAR, at(3)), "/sync", "again"),
    (lambda: tasks.sync_for_lag(CALENDAR, NOW, RULES), "/sync", "lag"),
    (lambda: tasks.overdue_sync(CALENDAR, NOW), "/sync", "due"),
    (lambda: tasks.asked_sync(HERE, NOW), "/sync", "asked"),
    (lambda: tasks.conference_update(C1, NOW, RULES), "/update", ""),
    (lambda: tasks.overdue_update(C1, NOW), "/update", ""),
]


@pytest.mark.parametrize(("make", "path", "kind"), EVERY_TASK)
def test_every_task_has_a_name_that_cloud_tasks_takes_and_says_what_it_is_for(
    make: Callable[[], Task], path: str, kind: str
) -> None:
    """Letters, digits and hyphens, the hashed key first; the body names the record and the kind."""
    task = make()
    assert re.fullmatch(r"[0-9a-f]{32}-[A-Za-z0-9-]{1,400}", task.name)
    assert task.path == path
    if path == "/sync":
        assert (task.body["calendar_key"], task.body["kind"]) == (HERE, kind)
    else:
        assert task.body == {"conference_key": C1.key}


@pytest.mark.parametrize(
    "make", [lambda: tasks.conference_update(C1, NOW, RULES), lambda: tasks.overdue_update(C1, NOW)]
)
def test_the_task_of_an_update_names_the_provider_that_it_calls(make: Callable[[], Task]) -> None:
    """So that each provider's can have a queue of their own; a sync calls none by itself."""
    assert make().provider == C1.provider != ""
    assert tasks.asked_sync(HERE, NOW).provider == ""


@pytest.mark.parametrize(
    ("count", "is_last"),
    [("0", False), ("8", False), ("9", True), ("10", True), ("", True), ("-1", True), ("x", True), ("9" * 5000, True)],
    ids=lambda value: str(value)[:9],
)
def test_an_attempt_is_the_last_when_nobody_will_send_it_again(count: str, is_last: bool) -> None:
    """The tenth of ten, and whatever does not come from a queue; so a header that is odd costs one early note."""
    assert tasks.is_last_attempt({"X-CloudTasks-TaskRetryCount": count}, 10) is is_last
    assert tasks.is_last_attempt({"X-CloudTasks-TaskExecutionCount": "0"}, 10) is True


def test_tasks_of_different_kinds_never_share_a_name() -> None:
    """A name that is used stays blocked for a day."""
    names = [make().name for make, _, _ in EVERY_TASK]
    assert len(set(names)) == len(names)


def test_a_sync_that_a_notification_asked_for_says_which_channel_it_came_through() -> None:
    """The worker judges it."""
    for make in (tasks.leading_sync, tasks.trailing_sync):
        assert make(HERE, NOW, RULES, ORIGIN).body.items() >= ORIGIN.items()


@given(TIMES, st.sampled_from([0.5, 1.0, 2.0, 10.0]), st.floats(0, 10))
def test_a_storm_makes_two_tasks_a_window_and_the_second_starts_after_all_of_it(
    now: datetime, window_s: float, later_s: float
) -> None:
    """Whatever arrives in the window is covered by a sync that starts after it, and soon."""
    rules = Rules(window_s=window_s)
    trailing = tasks.trailing_sync(HERE, now, rules, {})
    later = now + timedelta(seconds=later_s)
    same = tasks.trailing_sync(HERE, later, rules, {}).name == trailing.name
    assert same == (tasks.leading_sync(HERE, now, rules, {}).name == tasks.leading_sync(HERE, later, rules, {}).name)
    assert trailing.schedule_time is not None
    if same:
        assert trailing.schedule_time >= later + timedelta(seconds=rules.skew_s - 0.001)
    assert trailing.schedule_time <= now + timedelta(seconds=window_s + rules.skew_s + 0.001)
    assert tasks.leading_sync(HERE, now, rules, {}).schedule_time is None


def test_two_calendars_never_share_a_task() -> None:
    """Not in the same window either."""
    assert tasks.leading_sync(HERE, NOW, RULES, {}).name != tasks.leading_sync(THERE, NOW, RULES, {}).name


def test_the_back_stop_of_a_lease_starts_when_it_is_over_and_is_made_once() -> None:
    """An extended lease gets another one."""
    task = tasks.sync_after_lease(HERE, LEASE, RULES)
    assert task.schedule_time == at(1) + timedelta(seconds=RULES.skew_s)
    assert tasks.sync_after_lease(HERE, LEASE, RULES).name == task.name
    extended = LEASE.model_copy(update={"expires_at": at(2)})
    assert tasks.sync_after_lease(HERE, extended, RULES).name != task.name


def test_a_task_that_goes_on_is_new_with_every_fence() -> None:
    """A worker that stopped twice is followed twice."""
    later = CALENDAR.model_copy(update={"fence": 8})
    assert tasks.sync_again(CALENDAR, None).name != tasks.sync_again(later, None).name
    assert tasks.sync_for_lag(CALENDAR, NOW, RULES).name != tasks.sync_for_lag(later, NOW, RULES).name
    assert tasks.sync_for_lag(CALENDAR, NOW, RULES).schedule_time == at(0.5)


def test_what_is_overdue_is_started_again_ever_more_slowly_and_at_last_each_hour() -> None:
    """A task that waits in a queue that lags is not doubled each minute; one that got lost is made good."""
    overdue, minutes = CALENDAR.model_copy(update={"due_at": at(5)}), [0.5 + n for n in range(5 * 60)]
    syncs = [tasks.overdue_sync(overdue, at(5 + late)).name for late in minutes]
    updates = [tasks.overdue_update(C1, at(5 + late)).name for late in minutes]
    for names in (syncs, updates):
        started = [
            round(late) for late, name, before in zip(minutes, names, [None, *names], strict=False) if name != before
        ]
        assert started == [0, 2, 4, 8, 16, 32, 64, 120, 180, 240]
        assert len(set(names)) == len(started)


def test_what_is_due_anew_is_started_anew() -> None:
    """However late it was before."""
    asked = [CALENDAR.model_copy(update={"due_at": at(minutes)}) for minutes in (1, 2)]
    assert len({tasks.overdue_sync(calendar, at(9)).name for calendar in asked}) == 2


def test_an_update_waits_for_its_time_and_is_new_with_generation_and_time() -> None:
    """Repeating the same wait makes no second task."""
    task = tasks.conference_update(C1, NOW, RULES)
    assert task.schedule_time == at(5)
    assert tasks.conference_update(C1, at(4), RULES).name == task.name
    newer = C1.model_copy(update={"desired": Desired(generation=4, fingerprint="f")})
    later = C1.model_copy(update={"due_at": at(6)})
    untold = C1.model_copy(update={"desired": None})
    names = {tasks.conference_update(each, NOW, RULES).name for each in (C1, newer, later, untold)}
    assert len(names) == 4


def test_an_update_that_is_due_is_another_task_each_moment() -> None:
    """The task that is running has used its name up, and others may bring the record back to what it was then."""
    due = [tasks.conference_update(C1, at(5) + n * MOMENT, RULES) for n in (0, 1, 2)]
    assert len({task.name for task in due}) == 3
    assert {task.schedule_time for task in due} == {at(5)}
    at_once = C1.model_copy(update={"due_at": None})
    assert tasks.conference_update(at_once, at(9), RULES).schedule_time == at(9)


def test_an_update_that_ran_a_little_early_is_followed_by_one_that_is_early_for_nobody() -> None:
    """Clocks differ: by a slow one the next task might be early within the same second, and its name be used up."""
    skew = timedelta(seconds=RULES.skew_s)
    early = {tasks.conference_update(C1, at(5) - ahead, RULES).name: ahead for ahead in (skew, MOMENT)}
    assert len(early) == 1
    for before in (NOW, at(5), at(5) + MOMENT):
        assert tasks.conference_update(C1, before, RULES).name not in early
    assert tasks.conference_update(C1, at(5) - MOMENT, RULES).schedule_time == at(5) + skew
    assert tasks.conference_update(C1, at(5) - skew - MOMENT, RULES).schedule_time == at(5)


def test_what_is_added_near_its_time_is_not_left_to_the_task_that_is_running() -> None:
    """It may be due when that task was, and that task may have looked already; what is the same makes no second one."""
    added = C1.model_copy(update={"replaced": 1})
    again = C1.model_copy()
    for now, names in ((at(5), 2), (NOW, 1)):
        assert len({tasks.conference_update(each, now, RULES).name for each in (C1, again, added)}) == names


HORIZON = timedelta(seconds=RULES.task_horizon_s)
MOMENT = timedelta(microseconds=1)


@given(TIMES)
def test_an_update_that_is_due_a_moment_later_is_another_task(due_at: datetime) -> None:
    """Two workers may make one conference due a moment apart: the task of the earlier time would find nothing due."""
    due = [C1.model_copy(update={"due_at": each}) for each in (due_at, due_at + MOMENT)]
    assert len({tasks.conference_update(each, NOW, RULES).name for each in due}) == 2


@pytest.mark.parametrize(
    ("why", "due_at", "worth"),
    [
        ("overdue", at(-5), True),
        ("at once", NOW, True),
        ("soon", at(5), True),
        ("at the horizon", NOW + HORIZON, True),
        ("beyond it", NOW + HORIZON + MOMENT, False),
        ("never", None, False),
    ],
)
def test_what_is_due_beyond_the_horizon_gets_no_task(why: str, due_at: datetime | None, worth: bool) -> None:
    """A task waits for 30 days at most; the scheduled run finds the others when their time is near."""
    assert (tasks.is_worth_a_task(conference(due_at=due_at), NOW, RULES), why) == (worth, why)


def test_a_scheduled_run_finds_what_got_no_task_before_its_time() -> None:
    """When it is within the horizon it is worth one."""
    far = conference(due_at=NOW + 2 * HORIZON)
    assert [tasks.is_worth_a_task(far, NOW + n * HORIZON, RULES) for n in (0, 1, 2)] == [False, True, True]
