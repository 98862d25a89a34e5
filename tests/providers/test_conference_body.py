"""How a conference's state is told to a back end."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from confsync.core.state import ConferenceState, Moment, Occurrence
from confsync.errors import ProviderRejected
from confsync.providers.conference_body import desired_body


def _instant(*parts: int) -> Moment:
    return Moment(instant=datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type, misc]  # parts are year to minute


def _berlin(utc: str, local: str) -> dict[str, Any]:
    return {"utc": utc, "tz": "Europe/Berlin", "local": local}


def test_every_member_is_there_even_where_nothing_is_known() -> None:
    """A back end never has to guess whether a missing member means no change: states are whole."""
    assert desired_body(ConferenceState()) == {
        "title": None,
        "description": None,
        "location": None,
        "visibility": None,
        "start": None,
        "end": None,
        "rrule": [],
        "exdates": [],
        "rdates": [],
        "overrides": [],
        "cancelled": [],
        "organizer": None,
        "attendees": None,
    }


def test_a_series_is_told_with_its_changed_occurrences() -> None:
    """Rules lose their prefix, dates become moments, moved and cancelled occurrences are told apart."""
    state = ConferenceState(
        title="Weekly planning",
        start=_instant(2026, 10, 20, 8),
        end=_instant(2026, 10, 20, 9),
        time_zone="Europe/Berlin",
        recurrence=("RRULE:FREQ=WEEKLY;COUNT=9", "EXDATE;TZID=Europe/Berlin:20261027T100000,20261103T100000"),
        occurrences=(
            Occurrence(original_start=_instant(2026, 11, 10, 9), cancelled=True),
            Occurrence(original_start=_instant(2026, 11, 17, 9), start=_instant(2026, 11, 18, 9), title="Late"),
        ),
        organizer="anna@example.com",
        attendees=("bo@example.com",),
    )
    body = desired_body(state)
    assert body["start"] == _berlin("2026-10-20T08:00:00Z", "2026-10-20T10:00:00")
    assert body["rrule"] == ["FREQ=WEEKLY;COUNT=9"]
    assert body["exdates"] == [
        _berlin("2026-10-27T09:00:00Z", "2026-10-27T10:00:00"),
        _berlin("2026-11-03T09:00:00Z", "2026-11-03T10:00:00"),
    ]
    assert body["cancelled"] == [_berlin("2026-11-10T09:00:00Z", "2026-11-10T10:00:00")]
    assert body["overrides"] == [
        {
            "original_start": _berlin("2026-11-17T09:00:00Z", "2026-11-17T10:00:00"),
            "start": _berlin("2026-11-18T09:00:00Z", "2026-11-18T10:00:00"),
            "end": None,
            "title": "Late",
        }
    ]
    assert body["organizer"] == {"email": "anna@example.com"}
    assert body["attendees"] == [{"email": "bo@example.com"}]


def test_an_all_day_event_has_dates() -> None:
    """A day is no instant: it has neither zone nor time."""
    body = desired_body(ConferenceState(start=Moment(day=date(2026, 12, 3)), end=Moment(day=date(2026, 12, 4))))
    assert (body["start"], body["end"]) == ({"date": "2026-12-03"}, {"date": "2026-12-04"})


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (None, {"utc": "2026-11-24T09:00:00Z", "tz": "UTC", "local": "2026-11-24T09:00:00"}),
        ("Mars/Olympus_Mons", {"utc": "2026-11-24T09:00:00Z", "tz": "Mars/Olympus_Mons"}),
        ("../etc/passwd", {"utc": "2026-11-24T09:00:00Z", "tz": "../etc/passwd"}),
        ("Europe", {"utc": "2026-11-24T09:00:00Z", "tz": "Europe"}),
    ],
)
def test_a_zone_that_is_not_known_has_no_local_time(zone: str | None, expected: dict[str, str]) -> None:
    """Without a zone the event is told in UTC; an unknown one is passed on, since the back end may know it."""
    body = desired_body(ConferenceState(start=_instant(2026, 11, 24, 9), time_zone=zone))
    assert body["start"] == expected


def test_a_date_beyond_the_calendar_has_no_local_time() -> None:
    """The first instant of all cannot be put on a clock west of Greenwich."""
    body = desired_body(ConferenceState(start=_instant(1, 1, 1), time_zone="America/New_York"))
    assert body["start"] == {"utc": "0001-01-01T00:00:00Z", "tz": "America/New_York"}


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        ("EXDATE;VALUE=DATE:20261224", "exdates", [{"date": "2026-12-24"}]),
        ("EXDATE:20261224T090000Z", "exdates", [_berlin("2026-12-24T09:00:00Z", "2026-12-24T10:00:00")]),
        ("EXDATE:20261224T100000", "exdates", [_berlin("2026-12-24T09:00:00Z", "2026-12-24T10:00:00")]),
        (
            "rdate;tzid=Europe/Berlin:20261224T100000",
            "rdates",
            [_berlin("2026-12-24T09:00:00Z", "2026-12-24T10:00:00")],
        ),
        ("RRULE:FREQ=DAILY", "rrule", ["FREQ=DAILY"]),
    ],
)
def test_each_form_of_a_recurrence_line_is_read(line: str, name: str, expected: list[Any]) -> None:
    """Dates stand in three forms; one without a zone is on the clocks of the series."""
    assert desired_body(ConferenceState(time_zone="Europe/Berlin", recurrence=(line,)))[name] == expected


@pytest.mark.parametrize(
    "line",
    [
        "EXRULE:FREQ=DAILY",
        "RRULE:",
        "nonsense",
        "EXDATE:tomorrow",
        "EXDATE;TZID=Mars/Olympus:20261224T100000",
        "RDATE;VALUE=PERIOD:20261224T100000Z/PT1H",
    ],
)
def test_a_line_that_cannot_be_told_is_a_failure(line: str) -> None:
    """A series is never told wrongly: what we cannot translate is rejected before anything is sent."""
    with pytest.raises(ProviderRejected, match=r"expected RRULE|form of RFC 5545"):
        desired_body(ConferenceState(recurrence=(line,)))
