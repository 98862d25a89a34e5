"""What nobody outside Google knows, in both variants: deleted calendars, edits of reminders; setting it over HTTP."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from confsync.adapters.google_calendar_errors import Call
from confsync.adapters.google_calendar_errors import refusal as understood
from confsync.errors import CalendarAccessLost
from confsync.local.calendar_server.errors import ApiError, Json
from confsync.local.calendar_server.people import Person, addon_conference
from confsync.local.calendar_server.records import Options
from confsync.local.calendar_server.serve import RunningServer
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    CYD,
    START,
    TEAM,
    CheckedModel,
    by_id,
    changes_of,
    meeting,
    occurrence,
    plain_http,
    refusal,
    sync,
    weekly,
)

BOTH = pytest.mark.parametrize("listed", [True, False])
REMIND = {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}}


@pytest.fixture
def http(server: RunningServer) -> Iterator[httpx.Client]:
    """Return Ada's connection."""
    with plain_http(server.url, ADA) as client:
        yield client


def a_series(model: CheckedModel) -> tuple[str, str]:
    """Create a series with Bob whose second occurrence is changed; both ids."""
    series = model.insert(ADA, "primary", weekly(BOB))
    special = occurrence(series["id"], 1)
    model.patch(ADA, "primary", special, {"summary": "Special"})
    return series["id"], special


# Row 46

ANSWERS = [("notFound", 404, "notFound"), ("deleted403", 403, "forbidden"), ("gone", 410, "deleted")]


@pytest.mark.parametrize(("form", "status", "reason"), ANSWERS)
def test_a_deleted_calendar_answers_in_one_form(model: CheckedModel, form: Any, status: int, reason: str) -> None:
    """Lists, reads, writes and watches answer alike to everyone who had access; to others it was never there."""
    event = model.insert(ADA, TEAM, meeting())
    model.share(TEAM, {BOB: "reader"})
    token = sync(model, ADA, TEAM)["nextSyncToken"]
    model.options.deleted_calendar = form
    model.calendar_delete(ADA, TEAM)
    channel = {"id": "c1", "type": "web_hook", "address": "https://hooks.example.com/"}
    answers = {
        refusal(model.list_events, ADA, TEAM),
        refusal(model.list_events, ADA, TEAM, {"syncToken": token, "showDeleted": True}),
        refusal(model.list_events, BOB, TEAM),
        refusal(model.get, ADA, TEAM, event["id"]),
        refusal(model.patch, ADA, TEAM, event["id"], {"summary": "x"}),
        refusal(model.watch, ADA, TEAM, channel),
        refusal(model.calendar_get, ADA, TEAM),
        refusal(model.calendar_delete, ADA, TEAM),
    }
    assert answers == {(status, reason)}
    assert refusal(model.list_events, CYD, TEAM) == (404, "notFound")


@pytest.mark.parametrize(("form", "status", "reason"), ANSWERS)
def test_a_deleted_calendar_is_lost_access(model: CheckedModel, form: Any, status: int, reason: str) -> None:
    """Whatever the form, confsync's adapter takes the refused list for lost access."""
    del reason
    model.options.deleted_calendar = form
    model.calendar_delete(ADA, TEAM)
    with pytest.raises(ApiError) as caught:
        model.list_events(ADA, TEAM)
    content = httpx.Response(status, json=caught.value.to_json()).content
    assert isinstance(understood(Call("events.list", "calendar"), status, {}, content), CalendarAccessLost)


# Row 10


@BOTH
def test_an_edit_of_reminders_may_be_listed(model: CheckedModel, *, listed: bool) -> None:
    """An incremental list tells of it or not; `updated` stays, the etag changes, and a full list has it either way."""
    model.options.lists_reminder_edits = listed
    series_id, special = a_series(model)
    before = by_id(sync(model, ADA)["items"])
    items = changes_of(model, ADA, lambda: model.patch(ADA, "primary", special, REMIND))
    assert [item["id"] for item in items] == ([series_id, special] if listed else [])
    after = by_id(sync(model, ADA)["items"])
    assert after[special]["reminders"] == REMIND["reminders"]
    assert all(after[name]["updated"] == before[name]["updated"] for name in after)
    assert after[special]["etag"] != before[special]["etag"]


@BOTH
def test_reminders_of_one_occurrence_leave_updated(model: CheckedModel, *, listed: bool) -> None:
    """An occurrence that becomes an exception for its reminder alone has the series' `updated`."""
    model.options.lists_reminder_edits = listed
    series_id, _ = a_series(model)
    third = occurrence(series_id, 2)
    before = model.get(ADA, "primary", third)
    items = changes_of(model, ADA, lambda: model.patch(ADA, "primary", third, REMIND))
    assert (third in by_id(items)) is listed
    assert model.get(ADA, "primary", third)["updated"] == before["updated"]


@BOTH
def test_a_guests_reminder_may_be_listed(model: CheckedModel, *, listed: bool) -> None:
    """A guest's own reminder concerns the own copy only."""
    model.options.lists_reminder_edits = listed
    event = model.insert(ADA, "primary", meeting("Planning", BOB))
    token = sync(model, ADA)["nextSyncToken"]
    items = changes_of(model, BOB, lambda: model.patch(BOB, "primary", event["id"], REMIND))
    assert bool(items) is listed
    assert sync(model, ADA, token=token)["items"] == []


def test_an_unlisted_edit_hides_no_other_change(model: CheckedModel) -> None:
    """A change before or after an edit of reminders is listed with it."""
    model.options.lists_reminder_edits = False
    event_id = model.insert(ADA, "primary", meeting())["id"]

    def rename_and_remind() -> None:
        model.patch(ADA, "primary", event_id, {"summary": "New"})
        model.patch(ADA, "primary", event_id, REMIND)

    [item] = changes_of(model, ADA, rename_and_remind)
    assert (item["summary"], item["reminders"]) == ("New", REMIND["reminders"])
    assert len(changes_of(model, ADA, lambda: model.patch(ADA, "primary", event_id, {"summary": "Newer"}))) == 1


def test_an_unlisted_edit_between_pages_hides_nothing(model: CheckedModel) -> None:
    """A caller who has not come to an event is told of its last listed change though its reminders change meanwhile."""
    model.options.lists_reminder_edits = False
    token = sync(model, ADA)["nextSyncToken"]
    first, second = (model.insert(ADA, "primary", meeting(f"{n}"))["id"] for n in range(2))
    params: Json = {"showDeleted": True, "syncToken": token, "maxResults": 1}
    page = model.list_events(ADA, "primary", params)
    for minutes in (5, 6):
        model.patch(ADA, "primary", second, {"reminders": {"overrides": [{"method": "popup", "minutes": minutes}]}})
    items = page["items"] + model.list_events(ADA, "primary", {**params, "pageToken": page["nextPageToken"]})["items"]
    assert [item["id"] for item in items] == [first, second]


# Over HTTP

OTHERS = {
    "split_keeps_conference": False,
    "duplicate_keeps_conference": False,
    "restore_keeps_conference": False,
    "move_keeps_conference": False,
    "tombstone_conference": False,
    "deleted_calendar": "gone",
    "gone_is_unknown": True,
    "lists_reminder_edits": False,
}


def test_variants_are_set_and_taken_back_over_http(server: RunningServer, http: httpx.Client) -> None:
    """Each switch is set by name, null sets one back, and clearing all faults sets back the rest."""
    options, plain = server.service.model.options, Options()
    http.post("/_local/faults", json={"variants": OTHERS}).raise_for_status()
    assert {name: getattr(options, name) for name in OTHERS} == OTHERS
    http.post("/_local/faults", json={"variants": {"deleted_calendar": None}}).raise_for_status()
    assert (options.deleted_calendar, options.tombstone_conference) == ("notFound", False)
    http.delete("/_local/faults").raise_for_status()
    assert {name: getattr(options, name) for name in OTHERS} == {name: getattr(plain, name) for name in OTHERS}


@pytest.mark.parametrize("wrong", [{"deleted_calendar": "lost"}, {"split_keeps_conference": "often"}, {"split": True}])
def test_wrong_variants_are_refused(http: httpx.Client, wrong: Json) -> None:
    """An unknown switch or value answers 400 and names it."""
    answer = http.post("/_local/faults", json={"variants": wrong})
    assert answer.status_code == 400
    assert f"variants.{next(iter(wrong))}" in answer.json()["error"]["message"]


def test_people_meet_the_variants(server: RunningServer, http: httpx.Client) -> None:
    """What people do over HTTP follows the switches."""
    http.post("/_local/faults", json={"variants": OTHERS}).raise_for_status()
    with Person(server.url, ADA) as ada:
        event = ada.create("Planning", START, conference=addon_conference("c1"))
        assert "conferenceData" not in ada.duplicate(event["id"])
        ada.delete(event["id"])
        assert "conferenceData" not in ada.see(event["id"])
        assert "conferenceData" not in ada.restore(event["id"])
        team = ada.create_calendar("Other", "Europe/Berlin")
        ada.delete_calendar(team["id"])
        with pytest.raises(ApiError, match="410 deleted"):
            ada.create("Late", START, calendar_id=team["id"])
