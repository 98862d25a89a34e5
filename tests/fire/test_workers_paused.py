"""A worker that stops past its lease, as a suspended instance does, and goes on when another has done its work."""

from confsync.core.conference import Conference
from confsync.core.records import Calendar, Link
from confsync.ports import Store
from tests.fire.conftest import MakeGround
from tests.fire.ground import settle
from tests.fire.tripwires import Trip
from tests.fire.workers import Workers
from tests.fire.works import LONG_INTENT_S, NEW_TITLE, NEWEST_TITLE, WORKS, finish, start, steps_of, sync

CLAIMED = Trip(at=1, when="after", fate="STOP")
LISTED = Trip(at=2, when="after", fate="STOP")
BEFORE_COMMIT = Trip(at=3, when="before", fate="STOP")
COMMITTED = Trip(at=3, when="after", fate="STOP")
BEFORE_CALL = Trip(at=4, when="before", fate="STOP")
CALLED = Trip(at=4, when="after", fate="STOP")
MOMENTS = (CLAIMED, LISTED, BEFORE_COMMIT, COMMITTED, BEFORE_CALL, CALLED)
STEPS = ("store.transact", "calendar.list_events", "store.transact", "provider.update")
LEFT = {BEFORE_CALL: ["generation-stale"], CALLED: ["applied"]}
"""What becomes of the call of a worker that paused; it does not leave where that moment came earlier."""


def test_worker_paused_past_its_lease_changes_nothing_any_more(ground: MakeGround, workers: Workers) -> None:
    """Another worker tells a newer change meanwhile; what the first one still writes and calls has no effect."""
    paused = start(WORKS["change"], [ground() for _ in MOMENTS], [{"trip": moment} for moment in MOMENTS], workers)
    deadlines = {}
    for moment, struck in zip(MOMENTS, paused, strict=True):
        life = finish(struck, workers)
        assert (life.end, life.steps) == ("stopped", list(STEPS[: moment.at])), life
        deadlines[moment] = struck.ground.conference().intent
        struck.ground.purge()
        struck.ground.rename(NEWEST_TITLE)
    grounds = [struck.ground for struck in paused]
    settle(grounds, workers)
    stored = [_records(site.store) for site in grounds]
    for struck in paused:
        workers.resume(struck.pid)
        life = finish(struck, workers)
        assert (life.end, life.error) == ("done", ""), life
    assert [_records(site.store) for site in grounds] == stored
    settle(grounds, workers)
    for moment, site in zip(MOMENTS, grounds, strict=True):
        site.check()
        assert site.told()[0] == NEWEST_TITLE
        assert [call["outcome"] for call in site.landed(NEW_TITLE)] == LEFT.get(moment, [])
        (newest,) = site.landed(NEWEST_TITLE)
        intent = deadlines[moment]
        assert intent is None or newest["at"] >= intent.deadline.isoformat(), "called while a call may be under way"


def test_end_that_is_taken_back_while_its_call_is_under_way_is_waited_for(ground: MakeGround, workers: Workers) -> None:
    """Nothing is to be told at first, and the task comes again: yet the call may still land."""
    steps = steps_of(WORKS["end"], ground(), workers)
    trip = Trip(at=steps.index("provider.end") + 1, when="before", fate="STOP")
    (paused,) = start(WORKS["end"], [ground(rules={"intent_s": LONG_INTENT_S})], [{"trip": trip}], workers)
    assert finish(paused, workers).end == "stopped"
    site, intent = paused.ground, paused.ground.conference().intent
    assert intent is not None
    site.restore()
    sync(site, workers)
    again = workers.run(paused.job.model_copy(update={"trip": None}), site.site)
    assert again.outcome in ("nothing", "waiting")
    site.rename(NEW_TITLE)
    settle([site], workers)
    (newest,) = site.landed(NEW_TITLE)
    assert newest["at"] >= intent.deadline.isoformat(), "called while a call may be under way"
    workers.resume(paused.pid)
    finish(paused, workers)
    settle([site], workers)
    assert [call["outcome"] for call in site.landed(None)] == ["generation-stale"]
    site.check()


def test_worker_paused_in_a_transaction_loses_its_locks_and_its_turn(ground: MakeGround, workers: Workers) -> None:
    """Firestore takes the locks back after a minute, for which the test need not wait; then the fence counts again."""
    pause = {"trouble": (2, "paused")}
    (paused,) = start(WORKS["change"], [ground()], [pause], workers)
    life, site = finish(paused, workers), paused.ground
    assert life.end == "stopped"
    site.end_transaction(bytes.fromhex(life.steps[-1]))
    site.purge()
    site.rename(NEWEST_TITLE)
    settle([site], workers)
    stored = _records(site.store)
    workers.resume(paused.pid)
    assert finish(paused, workers).outcome == "superseded"
    assert _records(site.store) == stored
    assert site.landed(NEW_TITLE) == []
    site.check()


def _records(store: Store) -> list[object]:
    return [record for kind in (Calendar, Conference, Link) for record in store.all_of(kind, after="", limit=10)]
