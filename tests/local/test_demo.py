"""The referee of the demo: it sees every difference between calendar and back end, and none where there is none."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from confsync.local.demo_comparison import Verdict, compare, next_start

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SOLUTION = "Sample Meetings"
Json = dict[str, Any]


def _event(**more: Any) -> Json:
    event = {
        "id": "kickoff",
        "status": "confirmed",
        "summary": "Kick-off",
        "start": {"dateTime": "2026-11-24T10:00:00+01:00", "timeZone": "Europe/Zurich"},
        "end": {"dateTime": "2026-11-24T10:30:00+01:00", "timeZone": "Europe/Zurich"},
        "organizer": {"email": "anna@example.com", "self": True},
        "attendees": [{"email": "ben@example.com"}, {"email": "anna@example.com"}],
        "conferenceData": {"conferenceId": "c1", "conferenceSolution": {"name": SOLUTION}},
    }
    return {**event, **more}


def _held(**desired: Any) -> Json:
    full = {
        "title": "Kick-off",
        "description": None,
        "location": None,
        "visibility": None,
        "start": _moment("2026-11-24T09:00:00Z"),
        "end": _moment("2026-11-24T09:30:00Z"),
        "rrule": [],
        "rdates": [],
        "exdates": [],
        "overrides": [],
        "cancelled": [],
        "organizer": {"email": "anna@example.com"},
        "attendees": [{"email": "anna@example.com"}, {"email": "ben@example.com"}],
    }
    return {"conference_id": "c1", "generation": 3, "state": "live", "desired": {**full, **desired}}


def _moment(utc: str) -> Json:
    return {"date": None, "utc": utc, "tz": "Europe/Zurich", "local": None}


UNTIL_DECEMBER = "RRULE:FREQ=WEEKLY;UNTIL=20261201T090000Z"
WEEKLY = {"recurrence": ["RRULE:FREQ=WEEKLY"]}
MOVED = {
    "id": "kickoff_20261201T090000Z",
    "recurringEventId": "kickoff",
    "originalStartTime": {"dateTime": "2026-12-01T10:00:00+01:00"},
    "start": {"dateTime": "2026-12-02T15:00:00+01:00"},
    "end": {"dateTime": "2026-12-02T15:30:00+01:00"},
}
CANCELLED = {
    "id": "kickoff_20261208T090000Z",
    "status": "cancelled",
    "recurringEventId": "kickoff",
    "originalStartTime": {"dateTime": "2026-12-08T10:00:00+01:00"},
}
OVERRIDE = {
    "original_start": _moment("2026-12-01T09:00:00Z"),
    "start": _moment("2026-12-02T14:00:00Z"),
    "end": _moment("2026-12-02T14:30:00Z"),
    "title": None,
}
SERIES = [_event(**WEEKLY), _event(**MOVED), CANCELLED]
HELD_SERIES = _held(rrule=["FREQ=WEEKLY"], overrides=[OVERRIDE], cancelled=[_moment("2026-12-08T09:00:00Z")])


def _compare(events: list[Json], conferences: list[Json]) -> tuple[Verdict, ...]:
    return compare(events, conferences, solution=SOLUTION, now=NOW)


def _differences(events: list[Json], *conferences: Json) -> str:
    (verdict,) = _compare(events, list(conferences))
    return "; ".join(verdict.differences)


def test_equal_states_have_no_difference() -> None:
    """The same instants, people and words count as equal, however each side writes them."""
    assert _differences([_event()], _held()) == ""
    assert _differences(SERIES, HELD_SERIES) == ""


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"title": "Kick-of"}, "title"),
        ({"description": "bring cake"}, "description"),
        ({"location": "Room 1"}, "location"),
        ({"visibility": "private"}, "visibility"),
        ({"start": _moment("2026-11-24T09:01:00Z")}, "start"),
        ({"end": _moment("2026-11-24T10:00:00Z")}, "end"),
        ({"rrule": ["FREQ=DAILY"]}, "rules"),
        ({"cancelled": [_moment("2026-12-08T09:00:00Z")]}, "cancelled"),
        ({"overrides": [OVERRIDE]}, "changed"),
        ({"organizer": {"email": "ben@example.com"}}, "organizer"),
        ({"attendees": [{"email": "anna@example.com"}]}, "attendees"),
    ],
)
def test_each_field_that_differs_is_named(wrong: Json, named: str) -> None:
    """A single wrong field is found and named, with both values; a rule brings its zone with it."""
    found = _differences([_event()], _held(**wrong))
    assert f"{named}: the calendar shows" in found
    assert found.count("the calendar shows") == 1 + (named == "rules")


def test_a_conference_that_was_only_made_differs_from_its_event() -> None:
    """The back end may hold no more than a title: then all else is missing, which is a difference and no breakdown."""
    nothing = dict.fromkeys(_held()["desired"])
    found = _differences([_event()], {**_held(**nothing), "generation": 0})
    assert all(name in found for name in ("title", "start", "organizer", "attendees"))


@pytest.mark.parametrize("lost", [{"overrides": []}, {"cancelled": []}, {"rrule": ["FREQ=WEEKLY;COUNT=9"]}])
def test_a_series_told_wrongly_differs(lost: Json) -> None:
    """A moved or cancelled occurrence that the back end does not know is a difference, so is another rule."""
    wrong = copy.deepcopy(HELD_SERIES)
    wrong["desired"].update(lost)
    assert _differences(SERIES, wrong)


def test_an_occurrence_that_moved_away_with_its_series_is_not_cancelled() -> None:
    """What it left behind names another organizer; the series came back without it."""
    left = {**CANCELLED, "id": "kickoff_20261215T090000Z", "organizer": {"email": "somebody@example.com"}}
    left["originalStartTime"] = {"dateTime": "2026-12-15T10:00:00+01:00"}
    assert _differences([*SERIES, left], HELD_SERIES) == ""
    own = {**left, "organizer": {"email": "anna@example.com", "self": True}}
    assert _differences([*SERIES, own], HELD_SERIES).startswith("cancelled")


def test_a_series_in_another_zone_differs() -> None:
    """A series repeats by the clocks of its zone, so the zone counts; for a single event only the instant does."""
    wrong = copy.deepcopy(HELD_SERIES)
    wrong["desired"]["start"]["tz"] = "UTC"
    assert _differences(SERIES, wrong).startswith("zone")
    assert _differences([_event()], _held(start={**_moment("2026-11-24T09:00:00Z"), "tz": "UTC"})) == ""


@pytest.mark.parametrize("state", ["ended", "missing"])
def test_a_live_event_needs_a_live_conference(state: str) -> None:
    """A conference that ended, or never was, while its event is there is a difference."""
    held = [] if state == "missing" else [{**_held(), "state": state}]
    assert state in _differences([_event()], *held)


@pytest.mark.parametrize(
    "events",
    [
        [],
        [_event(status="cancelled")],
        [_event(conferenceData={"conferenceId": "c1", "conferenceSolution": {"name": "Google Meet"}})],
        [_event(organizer={"email": "somebody@example.com"})],
    ],
)
def test_a_conference_without_an_event_has_to_be_ended(events: list[Json]) -> None:
    """Only an organizer's own living event keeps a conference; without one the back end must have ended it."""
    assert "live" in _differences(events, _held())
    assert _differences(events, {**_held(), "state": "ended"}) == ""


def test_a_draft_that_nobody_was_told_of_is_left_out() -> None:
    """A conference that was made but never attached to an event is nobody's difference."""
    assert _compare([], [{**_held(), "generation": 0}]) == ()


def test_of_a_split_series_the_part_with_the_next_occurrence_counts() -> None:
    """The later part is compared only once the earlier one is over."""
    later = _event(id="later", summary="New format", **WEEKLY)
    later["start"] = {"dateTime": "2026-12-15T10:00:00+01:00", "timeZone": "Europe/Zurich"}
    later["end"] = {"dateTime": "2026-12-15T10:30:00+01:00", "timeZone": "Europe/Zurich"}
    earlier = _event(recurrence=["RRULE:FREQ=WEEKLY;UNTIL=20261214T225959Z"])
    held = _held(rrule=["FREQ=WEEKLY;UNTIL=20261214T225959Z"])
    assert _differences([later, earlier], held) == ""
    (verdict,) = compare([later, earlier], [held], solution=SOLUTION, now=datetime(2026, 12, 9, tzinfo=UTC))
    assert any(difference.startswith("title") for difference in verdict.differences)


@pytest.mark.parametrize("copy_id", ["a-copy", "z-copy"])
def test_of_a_duplicate_at_the_same_time_either_may_count(copy_id: str) -> None:
    """Which one drives, nobody but confsync can tell; a third title would be wrong."""
    both = [_event(), _event(id=copy_id, summary="Copy")]
    assert _differences(both, _held()) == ""
    assert "title" in _differences([_event(summary="Third"), _event(id=copy_id, summary="Copy")], _held())


@pytest.mark.parametrize(
    ("recurrence", "now", "expected"),
    [
        (None, NOW, datetime(2026, 11, 24, 9, tzinfo=UTC)),
        (None, datetime(2026, 11, 24, 9, 15, tzinfo=UTC), datetime(2026, 11, 24, 9, tzinfo=UTC)),
        (None, datetime(2026, 11, 24, 10, tzinfo=UTC), None),
        ("RRULE:FREQ=WEEKLY", datetime(2027, 3, 30, tzinfo=UTC), datetime(2027, 3, 30, 8, tzinfo=UTC)),
        (UNTIL_DECEMBER, datetime(2026, 11, 25, tzinfo=UTC), datetime(2026, 12, 1, 9, tzinfo=UTC)),
        (f"{UNTIL_DECEMBER};BYDAY=TU", datetime(2026, 12, 2, tzinfo=UTC), None),
    ],
)  # fmt: skip
def test_the_next_occurrence_follows_the_clocks_of_the_zone(
    recurrence: str | None, now: datetime, expected: datetime | None
) -> None:
    """A running event counts as next; after a change of clocks the same local hour is another instant."""
    event = _event(**({"recurrence": [recurrence]} if recurrence else {}))
    assert next_start(event, now) == expected
