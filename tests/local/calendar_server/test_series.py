"""Series: instances, exceptions, and what an edit of the whole does to them."""

from datetime import UTC, date, datetime

import pytest

from confsync.local.calendar_server.errors import Json
from confsync.local.calendar_server.recurrence import (
    bounded_starts,
    continued,
    is_occurrence,
    parse_instance_id,
    trimmed,
)
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    START,
    CheckedModel,
    meeting,
    occurrence,
    refusal,
    timed,
    weekly,
)


def test_instances_keep_their_wall_time(model: CheckedModel) -> None:
    """A meeting at ten in Berlin stays at ten when the clocks change, and its id holds UTC."""
    series = model.insert(ADA, "primary", weekly(rule="RRULE:FREQ=WEEKLY;COUNT=5"))
    items = model.instances(ADA, "primary", series["id"])["items"]
    assert [item["start"]["dateTime"][11:] for item in items] == ["10:00:00+01:00"] * 4 + ["10:00:00+02:00"]
    assert items[0]["id"] == f"{series['id']}_20260302T090000Z"
    assert items[4]["id"] == f"{series['id']}_20260330T080000Z"
    assert all(item["iCalUID"] == series["iCalUID"] and "recurrence" not in item for item in items)
    assert items[0]["originalStartTime"] == items[0]["start"]


def test_all_day_instances_have_dates(model: CheckedModel) -> None:
    """The ids and starts of all-day occurrences are days."""
    body = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}, "recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]}
    series = model.insert(ADA, "primary", body)
    items = model.instances(ADA, "primary", series["id"])["items"]
    assert [item["id"] for item in items] == [f"{series['id']}_20260302", f"{series['id']}_20260303"]
    assert items[1]["start"] == items[1]["originalStartTime"] == {"date": "2026-03-03"}
    assert items[1]["end"] == {"date": "2026-03-04"}


def test_instances_can_be_paged_and_bounded(model: CheckedModel) -> None:
    """maxResults, page tokens, time bounds and originalStart select occurrences."""
    series = model.insert(ADA, "primary", weekly(rule="RRULE:FREQ=WEEKLY;COUNT=3"))
    first = model.instances(ADA, "primary", series["id"], {"maxResults": 2})
    last = model.instances(ADA, "primary", series["id"], {"maxResults": 2, "pageToken": first["nextPageToken"]})
    assert (len(first["items"]), len(last["items"])) == (2, 1)
    assert "nextSyncToken" in last
    bounds = {"timeMin": "2026-03-09T00:00:00Z", "timeMax": "2026-03-10T00:00:00Z"}
    assert len(model.instances(ADA, "primary", series["id"], bounds)["items"]) == 1
    original = {"originalStart": "2026-03-16T09:00:00Z"}
    [third] = model.instances(ADA, "primary", series["id"], original)["items"]
    assert third["id"] == occurrence(series["id"], 2)


def test_cancelled_instances_are_shown_on_demand(model: CheckedModel) -> None:
    """Instances leave cancelled occurrences out unless showDeleted is set."""
    series = model.insert(ADA, "primary", weekly(rule="RRULE:FREQ=WEEKLY;COUNT=3"))
    model.delete(ADA, "primary", occurrence(series["id"], 1))
    assert len(model.instances(ADA, "primary", series["id"])["items"]) == 2
    shown = model.instances(ADA, "primary", series["id"], {"showDeleted": True})["items"]
    assert [item["status"] for item in shown] == ["confirmed", "cancelled", "confirmed"]


def test_single_events_have_no_instances(model: CheckedModel) -> None:
    """Only a series has instances."""
    event = model.insert(ADA, "primary", meeting())
    assert refusal(model.instances, ADA, "primary", event["id"]) == (404, "notFound")


def test_an_occurrence_can_be_read_before_it_is_changed(model: CheckedModel) -> None:
    """Any occurrence answers to its id; a time at which there is none does not."""
    series = model.insert(ADA, "primary", weekly())
    third = model.get(ADA, "primary", occurrence(series["id"], 2))
    assert (third["recurringEventId"], third["etag"]) == (series["id"], series["etag"])
    assert refusal(model.get, ADA, "primary", f"{series['id']}_20260303T090000Z") == (404, "notFound")
    assert refusal(model.get, ADA, "primary", f"{series['id']}_20260316") == (404, "notFound")


def test_a_changed_occurrence_keeps_its_original_start(model: CheckedModel) -> None:
    """An exception has its own time, sequence 1, and the start that it replaces."""
    series = model.insert(ADA, "primary", weekly(BOB))
    second = occurrence(series["id"], 1)
    changed = model.patch(ADA, "primary", second, timed(START.replace(day=10)))
    assert changed["start"]["dateTime"] == "2026-03-10T10:00:00+01:00"
    assert changed["originalStartTime"]["dateTime"] == "2026-03-09T10:00:00+01:00"
    assert (changed["sequence"], changed["recurringEventId"]) == (1, series["id"])
    assert model.get(ADA, "primary", series["id"])["etag"] == changed["etag"]
    assert model.get(BOB, "primary", second)["start"] == changed["start"]


def test_exceptions_inherit_what_they_did_not_override(model: CheckedModel) -> None:
    """A new title of the series reaches an exception that was only moved, and not one that was renamed."""
    series = model.insert(ADA, "primary", weekly(BOB))
    moved, renamed = occurrence(series["id"], 1), occurrence(series["id"], 2)
    model.patch(ADA, "primary", moved, timed(START.replace(day=10)))
    model.patch(ADA, "primary", renamed, {"summary": "Special"})
    model.patch(ADA, "primary", series["id"], {"summary": "All", "location": "Room"})
    for user in (ADA, BOB):
        assert model.get(user, "primary", moved)["summary"] == "All"
        assert model.get(user, "primary", renamed)["summary"] == "Special"
        assert model.get(user, "primary", renamed)["location"] == "Room"


def test_a_new_rule_gives_up_exceptions_without_occurrence(model: CheckedModel) -> None:
    """When the series moves to another time, exceptions of the old times are gone and new occurrences are plain."""
    series = model.insert(ADA, "primary", weekly())
    second = occurrence(series["id"], 1)
    model.patch(ADA, "primary", second, {"summary": "Special"})
    model.patch(ADA, "primary", series["id"], timed(START.replace(hour=11)))
    assert set(model.get(ADA, "primary", second)) == {"kind", "etag", "id", "status"}
    titles = {item["summary"] for item in model.instances(ADA, "primary", series["id"])["items"]}
    assert titles == {"Weekly"}


def test_a_given_up_exception_does_not_cancel_the_occurrence(model: CheckedModel) -> None:
    """When the old time comes back, so does a plain occurrence."""
    series = model.insert(ADA, "primary", weekly())
    second = occurrence(series["id"], 1)
    model.patch(ADA, "primary", second, {"summary": "Special"})
    model.patch(ADA, "primary", series["id"], timed(START.replace(hour=11)))
    model.patch(ADA, "primary", series["id"], timed())
    assert model.get(ADA, "primary", second)["summary"] == "Weekly"
    assert model.patch(ADA, "primary", second, {"summary": "Again"})["summary"] == "Again"


def test_a_cancelled_occurrence_comes_back(model: CheckedModel) -> None:
    """Confirming a cancelled occurrence restores it alone, for guests too."""
    series = model.insert(ADA, "primary", weekly(BOB))
    second = occurrence(series["id"], 1)
    model.delete(ADA, "primary", second)
    assert model.get(BOB, "primary", second)["status"] == "cancelled"
    model.patch(ADA, "primary", second, {"status": "confirmed"})
    for user in (ADA, BOB):
        assert model.get(user, "primary", second)["status"] == "confirmed"


BERLIN = {
    "start": {"dateTime": "2026-03-02T09:00:00Z", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-03-02T10:00:00Z", "timeZone": "Europe/Berlin"},
}


def starts_of(*rule: str, **times: Json) -> list[str]:
    """Return the starts of a rule as short text."""
    return [f"{start:%m%d-%H}" for start in bounded_starts({**BERLIN, **times, "recurrence": list(rule)})]


def test_rules_with_exclusions_and_additions() -> None:
    """EXDATE and RDATE are read in UTC, in a named zone, and as wall time."""
    lines = ("RRULE:FREQ=DAILY;COUNT=4", "EXDATE;TZID=Europe/Berlin:20260303T100000", "EXDATE:20260304T090000Z")
    assert starts_of(*lines, "RDATE:20260310T120000Z") == ["0302-09", "0305-09", "0310-12"]


def test_until_is_inclusive_and_in_utc() -> None:
    """An UNTIL at the very start of an occurrence includes it; one as a date includes the day."""
    assert starts_of("RRULE:FREQ=DAILY;UNTIL=20260304T090000Z")[-1] == "0304-09"
    assert starts_of("RRULE:FREQ=DAILY;UNTIL=20260304T085959Z")[-1] == "0303-09"
    assert starts_of("RRULE:FREQ=DAILY;UNTIL=20260304")[-1] == "0304-09"


@pytest.mark.parametrize(
    ("event_id", "wanted"),
    [
        ("abc_20260302T090000Z", ("abc", datetime(2026, 3, 2, 9, tzinfo=UTC))),
        ("abc_20260302", ("abc", date(2026, 3, 2))),
        ("abc_R20260302T090000", None),
        ("abc_20261332T090000Z", None),
        ("abc", None),
    ],
)
def test_instance_ids_are_read(event_id: str, wanted: object) -> None:
    """Root and start come out of an instance id, and of nothing else."""
    assert parse_instance_id(event_id) == wanted


def test_occurrence_kinds_do_not_mix() -> None:
    """A timed series has no occurrence on a date as such."""
    master = {**BERLIN, "recurrence": ["RRULE:FREQ=DAILY"]}
    assert is_occurrence(master, datetime(2026, 3, 5, 9, tzinfo=UTC))
    assert not is_occurrence(master, date(2026, 3, 5))


def test_cutting_a_rule() -> None:
    """The old part ends with the previous local day, in UTC behind FREQ; a COUNT is shared between the parts."""
    cut = datetime(2026, 3, 16, 9, tzinfo=UTC)
    counted = {**BERLIN, "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=5;BYDAY=MO", "EXDATE:20260309T090000Z"]}
    assert trimmed(counted, cut)[0] == "RRULE:FREQ=WEEKLY;UNTIL=20260315T225959Z;BYDAY=MO"
    # The excluded occurrence is not counted as one that took place before the cut; the rule still counts it.
    assert continued(counted, cut)[0].startswith("RRULE:FREQ=WEEKLY;COUNT=")
    days = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}, "recurrence": ["RRULE:FREQ=DAILY"]}
    assert trimmed(days, date(2026, 3, 5)) == ["RRULE:FREQ=DAILY;UNTIL=20260304"]
