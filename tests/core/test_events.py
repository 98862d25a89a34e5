"""Reading Calendar's events: what is sent, left out, odd or unknown."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from confsync.core.events import Event, EventTime, parse_event, parse_page
from confsync.core.projection import times_of
from confsync.core.state import Moment

RECORDED = Path(__file__).parents[2].parent / "shared" / "data" / "calendar-payloads"
recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded payloads are not part of the repository")


def event(**fields: Any) -> Event:
    """Parse an event with these wire fields."""
    return parse_event({"id": "e1", **fields})


def moment(**time: str) -> Moment:
    """Parse a start time and return its moment."""
    return EventTime.model_validate(time).moment()


def instant(year: int, month: int, day: int, hour: int) -> Moment:
    """Return a moment in UTC."""
    return Moment(instant=datetime(year, month, day, hour, tzinfo=UTC))


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ({"dateTime": "2026-03-01T10:00:00Z"}, instant(2026, 3, 1, 10)),
        ({"dateTime": "2026-03-01T10:00:00+01:00", "timeZone": "Europe/Paris"}, instant(2026, 3, 1, 9)),
        ({"dateTime": "2026-03-01T13:00:00-03:00", "timeZone": "America/Los_Angeles"}, instant(2026, 3, 1, 16)),
        ({"dateTime": "2026-03-01T10:00:00", "timeZone": "Europe/Paris"}, instant(2026, 3, 1, 9)),
        ({"dateTime": "2026-07-01T10:00:00", "timeZone": "Europe/Paris"}, instant(2026, 7, 1, 8)),
        ({"dateTime": "2026-03-01T10:00:00"}, instant(2026, 3, 1, 10)),
        ({"dateTime": "2026-03-01T10:00:00", "timeZone": "Mars/Olympus"}, instant(2026, 3, 1, 10)),
        ({"dateTime": "2026-03-01T10:00:00", "timeZone": "../../etc/passwd"}, instant(2026, 3, 1, 10)),
        ({"dateTime": "2026-03-01T10:00:00", "timeZone": ""}, instant(2026, 3, 1, 10)),
        ({"date": "2026-03-01"}, Moment(day=date(2026, 3, 1))),
        ({"date": "2026-03-01", "timeZone": "Europe/Paris"}, Moment(day=date(2026, 3, 1))),
        ({}, Moment()),
        ({"dateTimes": "2026-03-01T10:00:00Z"}, Moment()),
    ],
)
def test_a_time_is_an_instant_or_a_day(time: dict[str, str], expected: Moment) -> None:
    """The offset counts, then the zone, then UTC; a day stays a day; an unknown key is no time."""
    assert moment(**time) == expected


@pytest.mark.parametrize("value", ["tomorrow", "2026-02-30T10:00:00Z", "2026-03-01T23:59:60Z", "2026-03-01T25:00:00Z"])
def test_what_is_no_time_is_malformed(value: str) -> None:
    """A time that does not exist is reported, not moved."""
    with pytest.raises(ValidationError):
        moment(dateTime=value)


def test_two_offsets_of_one_instant_are_the_same_moment() -> None:
    """The offset follows the calendar's zone, so it must not make a difference."""
    assert moment(dateTime="2026-03-01T13:00:00-03:00") == moment(dateTime="2026-03-01T17:00:00+01:00")


def test_an_event_without_a_readable_time_has_no_times() -> None:
    """Start and end under an unknown key leave the event without times, not with wrong ones."""
    assert times_of(event(start={"dateTimes": "x"}, end={"dateTimes": "y"})) is None


def test_a_time_stamp_in_the_year_zero_is_left_out() -> None:
    """Calendar has events that were last changed in the year zero."""
    assert event(updated="0000-12-31T00:00:00.000Z").updated is None
    assert event(updated="2026-03-01T10:00:00.123Z").updated == datetime(2026, 3, 1, 10, 0, 0, 123000, UTC)
    assert event().updated is None


def test_an_event_in_the_year_zero_is_malformed() -> None:
    """A day that Python cannot hold is reported as malformed, event by event, rather than moved."""
    with pytest.raises(ValidationError) as caught:
        event(start={"date": "0000-01-01"}, end={"date": "0000-01-02"})
    assert caught.value.errors()[0]["loc"] == ("start", "date")


@pytest.mark.parametrize("fields", [{"id": ""}, {"id": None}, {"id": 7}])
def test_an_event_needs_an_id(fields: dict[str, Any]) -> None:
    """Without an id nothing can be recorded about an event."""
    with pytest.raises(ValidationError):
        parse_event(fields)


def test_unknown_enum_values_are_kept_as_they_are() -> None:
    """A status or event type of tomorrow is no error and not taken for cancelled."""
    odd = event(status="pending", eventType="custom", visibility="interstellar")
    assert (odd.status, odd.event_type, odd.visibility, odd.is_cancelled) == (
        "pending",
        "custom",
        "interstellar",
        False,
    )


def test_unknown_fields_are_ignored_at_every_depth() -> None:
    """What Google adds one day does not disturb."""
    odd = event(hologram={}, start={"date": "2026-03-01", "era": "AD"}, conferenceData={"aura": 1})
    assert odd.start is not None
    assert odd.start.day == date(2026, 3, 1)
    assert "hologram" not in odd.model_dump()


def test_an_event_cannot_be_changed() -> None:
    """Observations are values."""
    with pytest.raises(ValidationError):
        event().summary = "changed"  # type: ignore[misc]  # that is the point


def test_a_tombstone_with_only_an_id_says_nothing_else() -> None:
    """The commonest form of deletion leaves every other field unknown, not empty-handed guesses."""
    tombstone = event(status="cancelled")
    assert tombstone.is_cancelled
    assert not tombstone.is_readable
    assert not tombstone.is_organizers_copy
    assert (tombstone.organizer, tombstone.start, tombstone.conference_data, tombstone.summary) == (None,) * 4
    assert times_of(tombstone) is None


def test_a_cancelled_instance_names_its_series_and_its_time() -> None:
    """The time zone of the original start may be missing."""
    instance = event(
        status="cancelled", recurringEventId="m", originalStartTime={"dateTime": "2015-06-03T01:00:00+00:00"}
    )
    assert instance.recurring_event_id == "m"
    assert instance.original_start_time is not None
    assert instance.original_start_time.moment() == instant(2015, 6, 3, 1)


def test_a_redacted_event_is_not_readable() -> None:
    """With free/busy access there is no organizer, so a missing conference proves nothing."""
    redacted = event(status="confirmed", visibility="private", start={"date": "2026-03-01"})
    assert not redacted.is_readable
    assert redacted.conference_data is None


@pytest.mark.parametrize(
    ("organizer", "locked", "expected"),
    [
        ({"email": "a@example.com", "self": True}, False, True),
        ({"email": "a@example.com", "self": True}, True, False),
        ({"email": "a@example.com", "self": False}, False, False),
        ({"email": "a@example.com"}, False, False),
        ({"displayName": "A"}, False, False),
        (None, False, False),
    ],
)
def test_only_the_organizers_unlocked_copy_drives(
    organizer: dict[str, Any] | None, locked: bool, expected: bool
) -> None:
    """Google leaves `self` out rather than sending false; a locked copy is somebody else's."""
    assert event(organizer=organizer, locked=locked).is_organizers_copy is expected


@pytest.mark.parametrize(
    ("conference_data", "pending"),
    [
        ({"createRequest": {"requestId": "r", "status": {"statusCode": "pending"}}}, True),
        ({"createRequest": {"status": {"statusCode": "success"}}, "conferenceId": "c"}, False),
        ({"createRequest": {"status": {"statusCode": "failure"}}}, False),
        ({"createRequest": {"requestId": "r"}}, False),
        ({"conferenceId": "c"}, False),
        ({}, False),
    ],
)
def test_a_conference_that_is_being_created_is_pending(conference_data: dict[str, Any], pending: bool) -> None:
    """Only an unfinished request makes the absence of a conference meaningless."""
    data = event(conferenceData=conference_data).conference_data
    assert data is not None
    assert data.is_pending is pending


def test_a_conference_without_a_solution_is_read() -> None:
    """Some add-ons leave the solution out; the rest still counts."""
    data = event(conferenceData={"conferenceId": "c", "entryPoints": [{"uri": "x"}]}).conference_data
    assert data is not None
    assert (data.conference_id, data.solution.key.type, data.entry_points[0].uri) == ("c", None, "x")


def test_null_is_no_conference() -> None:
    """An explicit null reads like a missing field."""
    assert event(conferenceData=None, organizer=None, summary=None).conference_data is None


def test_an_event_reads_the_same_from_bytes() -> None:
    """A single event arrives as bytes, an item of a page as an object."""
    fields = {"id": "e1", "iCalUID": "u", "updated": "2026-03-01T10:00:00Z", "recurrence": ["RRULE:FREQ=DAILY"]}
    assert parse_event(json.dumps(fields).encode()) == parse_event(fields)


def test_items_of_a_page_stay_raw() -> None:
    """A page is read even if one of its items cannot be."""
    page = parse_page(b'{"items": [{"id": ""}, null, {"id": "e1"}], "nextSyncToken": "s"}')
    assert page.items == [{"id": ""}, None, {"id": "e1"}]


@pytest.mark.parametrize(
    ("role", "expected"),
    [("owner", True), ("writer", True), ("reader", False), ("freeBusyReader", False), ("none", False), (None, False)],
)
def test_only_writers_see_events_in_full(role: str | None, expected: bool) -> None:
    """The access role of the listing tells whether absences prove anything."""
    page = parse_page(json.dumps({"accessRole": role, "nextSyncToken": "s"}).encode())
    assert page.read_as_writer is expected


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"items": {}}', b'{"nextPageToken": 7}'])
def test_what_is_no_page_is_refused(content: bytes) -> None:
    """Neither a cut-off answer nor another shape passes for a page."""
    with pytest.raises(ValidationError):
        parse_page(content)


def recorded_listings() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield file name and body of each recorded listing, and of single events as a listing of one."""
    for path in sorted(RECORDED.glob("*.json")):
        document = json.loads(path.read_text())
        if document["kind"] == "events_list":
            payload = document["payload"]
            yield path.stem, payload if isinstance(payload, dict) else {"items": payload}
        elif document["kind"] == "event":
            yield path.stem, {"items": [document["payload"]]}


@recorded
def test_every_recorded_event_can_be_read() -> None:
    """Hundreds of events from other systems' tests parse, and those with times have them as instants or days."""
    ids = []
    for name, listing in recorded_listings():
        for body in parse_page(json.dumps(listing).encode()).items:
            if "id" not in body or name == "nylas-unparseable-year-zero":
                continue
            found = parse_event(body)
            ids.append(found.id)
            assert (times_of(found) is None) == ("start" not in body or name == "northworld-event-missing-datetime")
    assert len(ids) > 500


def _recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())["payload"]


@recorded
def test_recorded_oddities_are_read_as_they_are_meant() -> None:
    """A choice of recorded payloads, each with the fact it was kept for."""
    assert parse_event(_recorded("event-created-year-zero")).updated is None
    assert parse_event(_recorded("pipedream-event-nonsense-values")).event_type == "custom"
    (deleted,) = _recorded("compass-delete-all-1-idonly-tombstone")["items"]
    assert parse_event(deleted).is_cancelled
    (redacted,) = _recorded("freebusyreader-redacted-list")["items"]
    assert not parse_event(redacted).is_readable
    assert not parse_page(json.dumps(_recorded("freebusyreader-redacted-list")).encode()).read_as_writer
    copy = parse_event(_recorded("zoom-addon-attendee-copy-split-master-cancelled"))
    assert copy.conference_data is not None
    assert copy.conference_data.solution.key.type == "addOn"
    assert not copy.is_organizers_copy
    assert times_of(parse_event(_recorded("northworld-event-missing-datetime"))) is None
