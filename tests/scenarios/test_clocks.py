"""Clock changes and zones of calendars: what was told in local time needs no second word."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.scenarios.expectations import assert_quiet, verbs
from tests.scenarios.worlds import carrying, in_days, weekly
from tests.world import ALL_FIELDS, ANN, BOB, World


@pytest.mark.scenario(59)
@pytest.mark.parametrize(
    "carries", [ALL_FIELDS, ALL_FIELDS - {"time_zone"}], ids=["keeps zones", "keeps the zone of a series only"]
)
def test_a_series_that_crosses_a_clock_change_is_told_once(carries: Any) -> None:
    """It was told in local time with its zone: in March nothing has to be said."""
    world, _ = weekly(carrying(*carries), ["RRULE:FREQ=WEEKLY"], days=9)
    assert world.told("c1").time_zone == "Europe/Berlin"
    for moment in (datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2027, 3, 29, 12, tzinfo=UTC)):
        world.now = world.next_run = moment
        world.advance(2 * 3600)
    assert verbs(world, "c1") == ["update"]
    assert_quiet(world)


@pytest.mark.scenario(59, 6)
def test_a_calendar_that_is_shown_in_another_zone_changes_nothing() -> None:
    """Offsets follow the calendar's zone, instants do not; Bob's answer has the event listed anew."""
    world = World()
    event_id = world.add("Planning", "c1", attendees=[{"email": BOB}], **in_days(9))
    series_id = world.add("Weekly", "c2", recurrence=["RRULE:FREQ=WEEKLY"], attendees=[{"email": BOB}], **in_days(9))
    world.settle()
    shown = world.model.get(ANN, "primary", event_id)["start"]["dateTime"]
    world.model.state.calendars[ANN].time_zone = "America/New_York"
    assert world.model.get(ANN, "primary", event_id)["start"]["dateTime"] != shown
    for answered in (event_id, series_id):
        world.model.patch(BOB, "primary", answered, {"attendees": [{"email": BOB, "responseStatus": "accepted"}]})
    world.settle()
    assert (verbs(world, "c1"), verbs(world, "c2")) == (["update"], ["update"])
    assert_quiet(world)
