"""A worker killed at any step: its task is tried again, or the scheduled run finds what it left."""

import pytest

from tests.fire.conftest import MakeGround
from tests.fire.ground import FIRST_TITLE, settle
from tests.fire.tripwires import Trip
from tests.fire.workers import Workers
from tests.fire.works import WORKS, finish, is_watched, start, steps_of, tells, trips_over

BEFORE_ANYTHING = Trip(at=1, when="before")
"""The worker leaves no trace in the store: with its task the notification would be lost until the next one."""


@pytest.mark.parametrize("name", WORKS)
def test_worker_killed_at_any_step_costs_only_time(name: str, ground: MakeGround, workers: Workers) -> None:
    """Nothing is lost, nothing goes backwards, and the back end is told again only where nobody heard its answer.

    Half of the workers have their task tried again; of the others the whole queue is purged.
    """
    steps = steps_of(WORKS[name], ground(), workers)
    trips = trips_over(steps)
    expected = []
    killed = start(WORKS[name], [ground() for _ in trips], [{"trip": trip} for trip in trips], workers)
    for trip, struck in zip(trips, killed, strict=True):
        life, site = finish(struck, workers), struck.ground
        assert (life.end, len(life.steps)) == ("killed", trip.at), (steps, life)
        assert site.open_channels() <= {channel.id for channel in site.calendar().channels}
        expected.append(tells(site))
        if trip.at % 2 and trip != BEFORE_ANYTHING:
            site.purge()
    settle([struck.ground for struck in killed], workers)
    for trip, struck, times in zip(trips, killed, expected, strict=True):
        struck.ground.check()
        told = struck.ground.left_with(struck.ground.title)
        assert len(told) == (1 if struck.ground.title == FIRST_TITLE else times), (steps, trip, told)
        assert is_watched(struck.ground), (steps, trip)
