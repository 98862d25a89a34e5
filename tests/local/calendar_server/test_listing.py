"""events.list: pages, filters, orders, what the page itself says."""

from typing import Any

import pytest

from confsync.local.calendar_server.errors import Json
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    START,
    CheckedModel,
    Clock,
    by_id,
    meeting,
    refusal,
    sync,
    timed,
    weekly,
)

LATER = "2026-03-02T09:30:00Z"


def titles(items: list[Json]) -> list[str]:
    """Return the titles of items, sorted."""
    return sorted(str(item.get("summary", item["id"])) for item in items)


def test_the_page_says_whose_events_these_are(model: CheckedModel) -> None:
    """The envelope carries the calendar's title, zone, and the reader's role."""
    page = model.list_events(ADA, "primary")
    assert (page["kind"], page["summary"], page["timeZone"], page["accessRole"]) == (
        "calendar#events",
        ADA,
        "Europe/Berlin",
        "owner",
    )
    assert page["items"] == []


def test_pages_hold_250_unless_told(model: CheckedModel) -> None:
    """The default page has 250 events, and maxResults is capped at 2500."""
    for number in range(251):
        model.insert(ADA, "primary", meeting(f"{number}"))
    first = model.list_events(ADA, "primary")
    assert len(first["items"]) == 250
    assert "nextSyncToken" not in first
    last = model.list_events(ADA, "primary", {"pageToken": first["nextPageToken"]})
    assert len(last["items"]) == 1
    assert "nextPageToken" not in last
    assert "nextSyncToken" in last
    assert len(model.list_events(ADA, "primary", {"maxResults": 99999})["items"]) == 251


def test_a_cap_makes_pages_small(model: CheckedModel) -> None:
    """The page cap overrules maxResults, and paging still finds everything once."""
    for number in range(7):
        model.insert(ADA, "primary", meeting(f"{number}"))
    model.options.page_cap = 2
    assert len(model.list_events(ADA, "primary", {"maxResults": 5})["items"]) == 2
    assert len(by_id(sync(model, ADA)["items"])) == 7


def test_deleted_events_are_counted_and_then_left_out(model: CheckedModel) -> None:
    """A page may be empty and still name a next page."""
    for number in range(4):
        model.insert(ADA, "primary", meeting(id=f"event{number}"))
    for number in range(2):
        model.delete(ADA, "primary", f"event{number}")
    page = model.list_events(ADA, "primary", {"maxResults": 2})
    assert page["items"] == []
    assert "nextPageToken" in page
    assert titles(sync(model, ADA, showDeleted=False, maxResults=2)["items"]) == ["Planning", "Planning"]


def test_empty_pages_on_demand(model: CheckedModel) -> None:
    """The knob makes the next pages empty, and nothing is lost by it."""
    model.insert(ADA, "primary", meeting())
    model.options.empty_pages = 2
    assert model.list_events(ADA, "primary")["items"] == []
    assert len(sync(model, ADA)["items"]) == 1


def test_time_bounds_select_by_overlap(model: CheckedModel) -> None:
    """An event is listed that ends after timeMin and starts before timeMax."""
    model.insert(ADA, "primary", meeting("nine"))
    model.insert(ADA, "primary", meeting("ten") | timed(START.replace(hour=10)))
    bounds = {"timeMin": "2026-03-02T10:00:00Z"}
    assert titles(model.list_events(ADA, "primary", bounds)["items"]) == ["ten"]
    bounds = {"timeMin": "2026-03-02T08:00:00Z", "timeMax": "2026-03-02T11:00:00+01:00"}
    assert titles(model.list_events(ADA, "primary", bounds)["items"]) == ["nine"]


def test_a_series_is_listed_while_any_occurrence_overlaps(model: CheckedModel) -> None:
    """The master appears for a window in which the series has an occurrence, and not behind its end."""
    model.insert(ADA, "primary", weekly(rule="RRULE:FREQ=WEEKLY;COUNT=3"))
    assert len(model.list_events(ADA, "primary", {"timeMin": "2026-03-16T09:30:00Z"})["items"]) == 1
    assert model.list_events(ADA, "primary", {"timeMin": "2026-03-16T10:00:00Z"})["items"] == []
    gap = {"timeMin": "2026-03-03T00:00:00Z", "timeMax": "2026-03-08T00:00:00Z"}
    assert model.list_events(ADA, "primary", gap)["items"] == []


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"timeMin": LATER, "timeMax": "2026-03-01T00:00:00Z"}, "timeRangeEmpty"),
        ({"timeMin": "2026-03-01T00:00:00"}, "badRequest"),
        ({"timeMin": "today"}, "invalid"),
        ({"maxResults": 0}, "invalid"),
        ({"maxResults": "many"}, "invalid"),
        ({"showDeleted": "maybe"}, "invalid"),
        ({"orderBy": "summary"}, "invalid"),
        ({"orderBy": "startTime"}, "badRequest"),
        ({"timeZone": "Mars/Olympus"}, "invalid"),
        ({"q": "lunch"}, "invalid"),
        ({"pageToken": "x"}, "invalid"),
    ],
)
def test_unusable_parameters_are_refused(model: CheckedModel, params: Json, reason: str) -> None:
    """A list call with a parameter that cannot be understood answers 400."""
    assert refusal(model.list_events, ADA, "primary", params) == (400, reason)


def test_event_types_and_ical_uid_select(model: CheckedModel) -> None:
    """eventTypes may be repeated; iCalUID selects one event."""
    model.insert(ADA, "primary", meeting("work"))
    focus = model.insert(ADA, "primary", meeting("focus", eventType="focusTime"))
    assert titles(model.list_events(ADA, "primary", {"eventTypes": "default"})["items"]) == ["work"]
    assert len(model.list_events(ADA, "primary", {"eventTypes": ["default", "focusTime"]})["items"]) == 2
    assert titles(model.list_events(ADA, "primary", {"iCalUID": focus["iCalUID"]})["items"]) == ["focus"]


def test_extended_properties_select(model: CheckedModel) -> None:
    """Events are found by private and shared properties."""
    model.insert(ADA, "primary", meeting("a", extendedProperties={"private": {"k": "1"}, "shared": {"s": "x"}}))
    model.insert(ADA, "primary", meeting("b", extendedProperties={"private": {"k": "2"}}))
    assert titles(model.list_events(ADA, "primary", {"privateExtendedProperty": "k=1"})["items"]) == ["a"]
    assert titles(model.list_events(ADA, "primary", {"sharedExtendedProperty": ["s=x"]})["items"]) == ["a"]


def test_updated_min_includes_the_deleted(model: CheckedModel, clock: Clock) -> None:
    """updatedMin shows what changed since then, deletions too, and refuses to look back too far."""
    model.insert(ADA, "primary", meeting("old"))
    gone = model.insert(ADA, "primary", meeting("gone"))
    clock.advance(hours=1)
    since = {"updatedMin": clock().isoformat()}
    model.delete(ADA, "primary", gone["id"])
    assert [item["status"] for item in model.list_events(ADA, "primary", since)["items"]] == ["cancelled"]
    long_ago = {"updatedMin": "2020-01-01T00:00:00Z"}
    assert refusal(model.list_events, ADA, "primary", long_ago) == (410, "updatedMinTooLongAgo")


@pytest.mark.parametrize("order", ["updated", "startTime"])
def test_ordered_lists_have_no_sync_token(model: CheckedModel, order: str) -> None:
    """A list in an order of time is sorted across pages and ends with neither token."""
    for hour in (11, 9, 10):
        model.insert(ADA, "primary", meeting(f"{hour}") | timed(START.replace(hour=hour)))
    params: Json = {"orderBy": order, "singleEvents": True, "maxResults": 2}
    first = model.list_events(ADA, "primary", params)
    last = model.list_events(ADA, "primary", params | {"pageToken": first["nextPageToken"]})
    wanted = ["9", "10", "11"] if order == "startTime" else ["11", "9", "10"]
    assert [item["summary"] for item in first["items"] + last["items"]] == wanted
    assert "nextSyncToken" not in last
    assert "nextPageToken" not in last


def test_single_events_unfold_a_series(model: CheckedModel) -> None:
    """With singleEvents the occurrences come instead of the master, the changed one in place of the original."""
    series = model.insert(ADA, "primary", weekly(rule="RRULE:FREQ=WEEKLY;COUNT=3"))
    second = model.list_events(ADA, "primary", {"singleEvents": True})["items"][1]
    model.patch(ADA, "primary", second["id"], {"summary": "Special"})
    items = model.list_events(ADA, "primary", {"singleEvents": True})["items"]
    assert titles(items) == ["Special", "Weekly", "Weekly"]
    assert all(item["recurringEventId"] == series["id"] and "recurrence" not in item for item in items)


def test_cancelled_occurrences_are_listed_without_show_deleted(model: CheckedModel) -> None:
    """A series' cancelled occurrences come with it, for the rule alone would show them; single events do not."""
    series = model.insert(ADA, "primary", weekly(rule="RRULE:FREQ=WEEKLY;COUNT=2"))
    first = model.instances(ADA, "primary", series["id"])["items"][0]
    model.delete(ADA, "primary", first["id"])
    assert [item["status"] for item in model.list_events(ADA, "primary")["items"]] == ["confirmed", "cancelled"]
    unfolded = model.list_events(ADA, "primary", {"singleEvents": True})["items"]
    assert [item["status"] for item in unfolded] == ["confirmed"]


def test_list_time_zone_and_max_attendees_shape_the_items(model: CheckedModel) -> None:
    """timeZone sets the offset of all times, maxAttendees cuts guest lists."""
    model.insert(ADA, "primary", meeting("x", BOB, "dan@elsewhere.example"))
    page = model.list_events(ADA, "primary", {"timeZone": "UTC", "maxAttendees": 1})
    assert page["timeZone"] == "UTC"
    assert page["items"][0]["start"]["dateTime"] == "2026-03-02T09:00:00Z"
    assert page["items"][0]["attendeesOmitted"] is True


def test_page_tokens_belong_to_their_list(model: CheckedModel) -> None:
    """A page token is refused with other parameters and in another calendar."""
    for number in range(3):
        model.insert(ADA, "primary", meeting(f"{number}"))
    token = model.list_events(ADA, "primary", {"maxResults": 1})["nextPageToken"]
    wrong: list[dict[str, Any]] = [{"showDeleted": True}, {"timeMin": LATER}, {"singleEvents": True}]
    for params in wrong:
        assert refusal(model.list_events, ADA, "primary", {"pageToken": token, **params}) == (400, "invalid")
    assert refusal(model.list_events, BOB, "primary", {"pageToken": token}) == (400, "invalid")


def test_lagging_lists_lose_nothing_between_pages(model: CheckedModel, clock: Clock) -> None:
    """An event that changed again too recently to be seen is shown as it was, wherever its page is."""
    token = sync(model, ADA)["nextSyncToken"]
    model.options.list_lag_ms = 5000
    first, second = (model.insert(ADA, "primary", meeting(f"{n}"))["id"] for n in range(2))
    clock.advance(seconds=10)
    model.patch(ADA, "primary", first, {"summary": "0 again"})
    items = sync(model, ADA, token=token, maxResults=1)["items"]
    assert [(item["id"], item["summary"]) for item in items] == [(first, "0"), (second, "1")]
