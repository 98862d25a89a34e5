"""What the first simulation found, each as the shortest day that shows it."""

from datetime import timedelta

from tests.world import ANN, BOB, World, times


def test_an_event_that_moved_to_a_synced_calendar_and_loses_its_conference_there_ends_it() -> None:
    """It was out of sight only until its new calendar showed it: what it left behind keeps nothing."""
    world = World()
    world.model.share(BOB, {ANN: "writer"})
    world.initialize(who=BOB)
    event_id = world.add("Planning", "c1")
    world.settle()
    world.model.move(ANN, "primary", event_id, {"destination": BOB})
    world.settle()
    assert world.told("c1") is not None
    world.edit(event_id, who=BOB, conferenceData=None)
    world.settle()
    assert world.told("c1") is None


def test_a_change_that_came_while_another_event_drove_is_told_when_that_one_is_gone() -> None:
    """Who drives is recorded even while the driver cannot be followed, so the one after it is read anew."""
    world = World()
    event_id = world.add("Planning", "c1")
    copy_id = world.create("Planning", "c1", **times(world.now + timedelta(days=2)))
    world.settle()
    world.model.options.meet = "pending"
    request = {"createRequest": {"requestId": "r1", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    world.edit(copy_id, conferenceData=request)
    later = world.now + timedelta(days=5)
    world.edit(event_id, **times(later))
    world.settle()
    world.model.settle_conferences(ANN)
    world.settle()
    assert world.told("c1").start.instant == later


def test_a_series_in_a_lagging_list_loses_nothing() -> None:
    """Only reading an event on its own confirms what became of it; a list of its series may show the past."""
    world = World()
    world.model.options.organizer_tombstones = "id_only"
    series_id = world.add("Weekly", "c1", recurrence=["RRULE:FREQ=WEEKLY;COUNT=8"])
    world.settle()
    world.model.options.list_lag_ms = 3000
    world.delete(series_id)
    world.advance(2)
    world.edit(series_id, status="confirmed")
    world.advance(2)
    world.push(ANN)
    world.advance(0)
    assert [referent.state for referent in world.conference("c1").referents.values()] == ["live"]


def test_a_registration_while_access_is_lost_moves_nothing_out_of_sight() -> None:
    """Without a sync token nothing proves that a calendar shows its events: an unknown one says nothing yet."""
    world = World()
    team = "team@group.example.com"
    world.model.add_calendar(team, BOB, roles={ANN: "owner"})
    event_id = world.add("Planning", "c1", calendar_id=team)
    world.settle()
    world.model.share(team, {ANN: "none"})
    world.push(team)
    world.advance(10)
    assert world.calendar(calendar_id=team).state == "frozen"
    world.initialize("c1", event_id, calendar_id=team)
    assert [referent.state for referent in world.conference("c1").referents.values()] == ["live"]
