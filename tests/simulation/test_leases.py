"""The oracle of leases is shown what it must report, and what it must not."""

import pytest

from confsync.errors import CalendarUnavailable
from tests.simulation.leavings_scene import SYNCED, Scene, after, leased
from tests.world import Crash


@pytest.mark.parametrize(("at_s", "broken"), [(59, ["R4 lease"]), (60, [])])
def test_a_calendar_is_claimed_when_its_lease_is_over(at_s: float, broken: list[str]) -> None:
    """By the clock of whoever claims it."""
    scene = Scene(leased(60))
    worker = scene.begin(at_s=at_s)
    scene.claim(worker)
    assert scene.broken == broken


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
    assert scene.broken == broken


@pytest.mark.parametrize(("read_s", "broken"), [(29, []), (30, ["R4 lease"])])
def test_a_lease_is_written_again_every_twenty_seconds_of_readings(read_s: float, broken: list[str]) -> None:
    """Counted from its last commit."""
    scene = Scene()
    worker = scene.begin()
    scene.claim(worker)
    lease = scene.calendar.lease
    assert lease is not None
    worker.at = after(10)
    scene.commit(worker, lease=lease.model_copy(update={"expires_at": after(70)}))
    worker.at = after(read_s)
    scene.oracles.watch_reading(worker)
    assert scene.broken == broken


def test_what_is_read_without_a_lease_needs_none() -> None:
    """A sync looks at events also when its calendar is done, and one that lost it finds that out as it writes."""
    scene = Scene()
    first, second = scene.begin(), scene.begin(at_s=60)
    scene.claim(first)
    scene.claim(second)
    first.at = after(100)
    scene.oracles.watch_reading(first)
    scene.serve(second)
    second.at = after(100)
    scene.oracles.watch_reading(second)
    assert scene.broken == []


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
