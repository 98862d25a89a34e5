"""Roles: who may see and do what in whose calendar."""

from typing import Any

import pytest

from confsync.local.calendar_server.records import Role
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    CYD,
    TEAM,
    CheckedModel,
    meeting,
    refusal,
    sync,
    weekly,
    with_conference,
)

REDACTED = {"kind", "etag", "id", "status", "htmlLink", "updated", "start", "end", "iCalUID", "visibility"}


@pytest.fixture
def team_event(model: CheckedModel) -> str:
    """Return the id of an event of the team calendar."""
    event = model.insert(ADA, TEAM, with_conference(meeting("Secret", CYD)), {"conferenceDataVersion": 1})
    return str(event["id"])


def test_strangers_find_nothing(model: CheckedModel, team_event: str) -> None:
    """Without any role the calendar does not exist."""
    assert refusal(model.list_events, BOB, TEAM) == (404, "notFound")
    assert refusal(model.get, BOB, TEAM, team_event) == (404, "notFound")
    assert refusal(model.insert, BOB, ADA, meeting()) == (404, "notFound")


@pytest.mark.parametrize("role", ["reader", "freeBusyReader"])
def test_readers_do_not_write(model: CheckedModel, team_event: str, role: Role) -> None:
    """Every write by a reader answers 403 requiredAccessLevel."""
    model.share(TEAM, {BOB: role})
    assert refusal(model.insert, BOB, TEAM, meeting()) == (403, "requiredAccessLevel")
    assert refusal(model.patch, BOB, TEAM, team_event, {}) == (403, "requiredAccessLevel")
    assert refusal(model.delete, BOB, TEAM, team_event) == (403, "requiredAccessLevel")


def test_a_writer_acts_for_the_organizer(model: CheckedModel, team_event: str) -> None:
    """A writer of the organizer's calendar changes the main copy."""
    model.share(TEAM, {BOB: "writer"})
    model.patch(BOB, TEAM, team_event, {"summary": "Bob's"})
    assert model.get(CYD, "primary", team_event)["summary"] == "Bob's"
    assert model.list_events(BOB, TEAM)["accessRole"] == "writer"


def test_a_reader_sees_public_events_whole_and_private_ones_blank(model: CheckedModel, team_event: str) -> None:
    """A private event shows a reader neither title nor organizer nor conference, as if there were none."""
    model.share(TEAM, {BOB: "reader"})
    assert model.get(BOB, TEAM, team_event)["organizer"]["self"] is True
    model.patch(ADA, TEAM, team_event, {"visibility": "private"})
    page = model.list_events(BOB, TEAM)
    assert page["accessRole"] == "reader"
    assert set(page["items"][0]) == REDACTED
    assert page["items"][0]["visibility"] == "private"
    assert set(model.get(BOB, TEAM, team_event)) == REDACTED
    assert model.get(ADA, TEAM, team_event)["summary"] == "Secret"


@pytest.mark.usefixtures("team_event")
def test_free_busy_readers_see_times_alone(model: CheckedModel) -> None:
    """With free/busy access every event is blank, and series come as single events."""
    model.insert(ADA, TEAM, weekly(rule="RRULE:FREQ=WEEKLY;COUNT=3"))
    model.share(TEAM, {BOB: "freeBusyReader"})
    items = sync(model, BOB, TEAM)["items"]
    assert len(items) == 4
    for item in items:
        assert set(item) - {"recurringEventId", "originalStartTime"} == REDACTED


def test_deletions_tell_readers_nothing(model: CheckedModel, team_event: str) -> None:
    """A private event's tombstone is as blank as the event was."""
    model.share(TEAM, {BOB: "freeBusyReader"})
    token = sync(model, BOB, TEAM)["nextSyncToken"]
    model.delete(ADA, TEAM, team_event)
    [item] = sync(model, BOB, TEAM, token)["items"]
    assert set(item) == {"kind", "etag", "id", "status"}


@pytest.mark.usefixtures("team_event")
def test_everyone_may_be_given_a_role(model: CheckedModel) -> None:
    """`*` is whoever has no role of their own."""
    model.share(TEAM, {"*": "reader", CYD: "none"})
    assert model.list_events(BOB, TEAM)["accessRole"] == "reader"
    assert refusal(model.list_events, CYD, TEAM) == (404, "notFound")


def test_a_deleted_calendar_is_not_found(model: CheckedModel, team_event: str) -> None:
    """Owners delete secondary calendars, never primary ones; then nobody finds them."""
    model.share(TEAM, {BOB: "writer"})
    assert refusal(model.calendar_delete, BOB, TEAM) == (403, "requiredAccessLevel")
    assert refusal(model.calendar_delete, ADA, "primary") == (403, "cannotDeletePrimary")
    model.calendar_delete(ADA, TEAM)
    assert refusal(model.list_events, ADA, TEAM) == (404, "notFound")
    assert refusal(model.get, ADA, TEAM, team_event) == (404, "notFound")


def test_clearing_deletes_everything_at_once(model: CheckedModel) -> None:
    """calendars.clear leaves tombstones of all events, guests' included."""
    ids = [model.insert(ADA, "primary", meeting(f"{n}", BOB))["id"] for n in range(3)]
    announced: list[str] = []
    model.on_change = announced.append
    model.calendar_clear(ADA, "primary")
    assert {model.get(BOB, "primary", event_id)["status"] for event_id in ids} == {"cancelled"}
    assert sorted(announced) == [ADA, BOB]


def test_the_calendar_list_has_roles_and_a_sync_token(model: CheckedModel) -> None:
    """Each user lists what is shared with them; the token tells of changes and of access that was lost."""
    listed = model.calendar_list(ADA)
    assert {item["id"]: item["accessRole"] for item in listed["items"]} == {ADA: "owner", TEAM: "owner"}
    assert [item.get("primary") for item in listed["items"]] == [True, None]
    token = model.calendar_list(BOB)["nextSyncToken"]
    assert model.calendar_list(BOB, {"syncToken": token})["items"] == []
    model.share(TEAM, {BOB: "reader"})
    changed = model.calendar_list(BOB, {"syncToken": token})
    assert {item["id"] for item in changed["items"]} == {BOB, TEAM}
    model.share(TEAM, {BOB: "none"})
    lost = model.calendar_list(BOB, {"syncToken": changed["nextSyncToken"]})["items"]
    assert [item.get("deleted") for item in lost if item["id"] == TEAM] == [True]
    assert model.calendar_get(ADA, "primary")["id"] == ADA
    assert model.calendar_list_get(ADA, TEAM)["summary"] == "Team"


def test_nothing_is_done_in_a_suspended_users_name(model: CheckedModel, team_event: str) -> None:
    """Without HTTP too, every method answers 401 to the user and not to others; an unknown user cannot be suspended."""
    model.share(TEAM, {BOB: "writer"})
    channel = model.watch(ADA, TEAM, {"id": "c1", "type": "web_hook", "address": "https://hooks.example.com/"})
    model.suspend("Ada@Example.com")
    calls: tuple[tuple[Any, ...], ...] = (
        (model.list_events, TEAM),
        (model.get, TEAM, team_event),
        (model.watch, TEAM, {}),
        (model.stop, channel),
        (model.calendar_list,),
        (model.calendar_get, TEAM),
        (model.calendar_insert, {"summary": "Other"}),
        (model.change_owner, TEAM, team_event, BOB),
    )
    for call, *arguments in calls:
        assert refusal(call, ADA, *arguments) == (401, "authError")
    assert model.get(BOB, TEAM, team_event)["status"] == "confirmed"
    model.reinstate(ADA)
    model.stop(ADA, channel)
    assert refusal(model.suspend, "nobody@example.com") == (404, "notFound")
