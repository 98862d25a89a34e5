"""Several workers at once on one calendar, while people change its event."""

from tests.fire.conftest import MakeGround
from tests.fire.ground import Ground, settle
from tests.fire.jobs import Job
from tests.fire.workers import Life, Workers

COUNTS = (2, 3, 4)
"""Of workers on one calendar; the calendars are synced at the same time, since most of it is waiting for locks."""


def test_workers_at_once_leave_the_newest_state(ground: MakeGround, workers: Workers) -> None:
    """Some find the calendar leased, or give up on the store; the rest is done by whoever comes next."""
    sites = {count: ground() for count in COUNTS}
    for site in sites.values():
        site.rename("Change 1")
    started = {count: [workers.start(_sync(site), site.site) for _ in range(count)] for count, site in sites.items()}
    for site in sites.values():
        site.rename("Change 2")
    lives = {count: [workers.wait(pid) for pid in pids] for count, pids in started.items()}
    settle(list(sites.values()), workers)
    for count, site in sites.items():
        site.look()
        site.check()
        assert site.told()[0] == "Change 2"
        assert {_came_to(life) for life in lives[count]} <= {"synced", "busy", "superseded", "StoreUnavailable"}
        titles = [call["state"]["title"] for call in site.left()]
        nobody_heard = any(_came_to(life) == "StoreUnavailable" for life in lives[count])
        assert len(set(titles)) == len(titles) or nobody_heard, "told again what was known to be told"


def _sync(site: Ground) -> Job:
    return Job(path="/sync", body={"calendar_key": site.calendar_key, "kind": "asked"})


def _came_to(life: Life) -> str:
    assert (life.end, life.status) == ("done", 0), life
    return life.outcome or life.error.partition(":")[0]
