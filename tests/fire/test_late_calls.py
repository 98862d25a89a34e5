"""A call to the back end that is still on its way when its worker was told that the outcome is unknown."""

import pytest

from tests.fire.conftest import MakeGround
from tests.fire.ground import Ground, settle
from tests.fire.jobs import Job, utc_now
from tests.fire.workers import Workers
from tests.fire.works import LONG_INTENT_S, NEW_TITLE, NEWEST_TITLE, sync


def lose(ground: Ground, workers: Workers) -> Job:
    """Rename the event and sync; return the arrival of the call that is still on its way then."""
    ground.rename(NEW_TITLE)
    sync(ground, workers, befalls="lost")
    (note,) = ground.left_with(NEW_TITLE)
    return Job(path="/land", body=note)


@pytest.mark.parametrize("newest", [NEW_TITLE, NEWEST_TITLE], ids=["same state", "newer state"])
def test_late_call_changes_nothing_where_the_back_end_orders_writes(
    newest: str, ground: MakeGround, workers: Workers
) -> None:
    """The state went out again as a new generation long before; the late one is refused as stale."""
    site = ground()
    late = lose(site, workers)
    if newest == NEWEST_TITLE:
        site.rename(newest)
    settle([site], workers)
    title, generation = site.told()
    assert (title, generation > late.body["generation"]) == (newest, True)
    before = site.conference()
    assert workers.run(late, site.site).error.startswith("ConferenceStale")
    settle([site], workers)
    assert site.conference() == before
    site.check()


def test_call_that_lands_before_it_is_told_again_is_told_again(ground: MakeGround, workers: Workers) -> None:
    """Nobody can know that it landed; the same state under a new generation does no harm."""
    site = ground()
    assert workers.run(lose(site, workers), site.site).outcome == "landed"
    assert site.told() == (NEW_TITLE, 2)
    settle([site], workers)
    assert site.told() == (NEW_TITLE, 3)
    site.check()


def test_nothing_leaves_before_the_deadline_where_the_back_end_does_not_order_writes(
    ground: MakeGround, workers: Workers
) -> None:
    """The late call lands within its intent, and the newest state after it: whatever lands last is the truth."""
    site = ground(ordered=False, rules={"intent_s": LONG_INTENT_S})
    late = lose(site, workers)
    intent = site.conference().intent
    assert intent is not None
    site.rename(NEWEST_TITLE)
    sync(site, workers)
    conference = site.conference()
    update = Job(path="/update", body={"conference_key": site.conference_key})
    assert workers.run(update, site.site).outcome == "waiting"
    assert conference.desired is not None
    assert conference.desired.generation == 3
    assert workers.run(late, site.site).outcome == "landed"
    assert utc_now() < intent.deadline, "this machine is too slow for this test"
    settle([site], workers)
    assert [call["outcome"] for call in site.logged()] == ["applied"] * 3
    (newest,) = site.landed(NEWEST_TITLE)
    assert newest["at"] >= intent.deadline.isoformat()
    site.check()
