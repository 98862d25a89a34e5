"""Sync tokens: what an incremental list shows, and when a token is refused."""

import pytest

from confsync.local.calendar_server.errors import Json
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    TEAM,
    CheckedModel,
    Clock,
    by_id,
    changes_of,
    meeting,
    refusal,
    sync,
    weekly,
)


def listed(model: CheckedModel, params: Json, user: str = ADA, calendar_id: str = "primary") -> tuple[int, str]:
    """Return how a list call is refused."""
    return refusal(model.list_events, user, calendar_id, params)


def test_nothing_changed_nothing_listed(model: CheckedModel) -> None:
    """An incremental list without changes is empty and ends with a token that works as well."""
    model.insert(ADA, "primary", meeting())
    token = sync(model, ADA)["nextSyncToken"]
    again = sync(model, ADA, token=token)
    assert again["items"] == []
    assert sync(model, ADA, token=again["nextSyncToken"])["items"] == []


def test_only_the_last_state_of_an_event_is_listed(model: CheckedModel) -> None:
    """Two edits between two lists are one item, in the newest state."""
    event = model.insert(ADA, "primary", meeting())

    def edit_twice() -> None:
        model.patch(ADA, "primary", event["id"], {"summary": "One"})
        model.patch(ADA, "primary", event["id"], {"summary": "Two"})

    assert [item["summary"] for item in changes_of(model, ADA, edit_twice)] == ["Two"]


def test_a_token_can_be_used_twice(model: CheckedModel) -> None:
    """An old token still answers, with more: it is a position, not a queue."""
    token = sync(model, ADA)["nextSyncToken"]
    model.insert(ADA, "primary", meeting())
    assert len(sync(model, ADA, token=token)["items"]) == len(sync(model, ADA, token=token)["items"]) == 1


def test_what_changes_while_paging_is_in_the_next_list(model: CheckedModel) -> None:
    """The end of a list is pinned with its first page; what moves behind it is shown next time, never lost."""
    for number in range(6):
        model.insert(ADA, "primary", meeting(f"old {number}", id=f"event{number}"))
    seen: dict[str, str] = {}
    params: Json = {"showDeleted": True, "maxResults": 2}
    page = model.list_events(ADA, "primary", params)
    model.patch(ADA, "primary", "event5", {"summary": "new 5"})
    model.delete(ADA, "primary", "event0")
    model.insert(ADA, "primary", meeting("new 0", id="aaaaa"))
    while True:
        seen |= {item["id"]: item["status"] for item in page["items"]}
        if "nextPageToken" not in page:
            break
        page = model.list_events(ADA, "primary", params | {"pageToken": page["nextPageToken"]})
    assert set(seen) == {f"event{number}" for number in range(6)}
    after = by_id(sync(model, ADA, token=page["nextSyncToken"])["items"])
    assert set(after) == {"event5", "event0", "aaaaa"}
    assert after["event0"]["status"] == "cancelled"


def test_incremental_pages_are_pinned_too(model: CheckedModel) -> None:
    """An event that changes again while an incremental list is paged comes with the next one."""
    token = sync(model, ADA)["nextSyncToken"]
    for number in range(4):
        model.insert(ADA, "primary", meeting(id=f"event{number}"))
    params: Json = {"showDeleted": True, "syncToken": token, "maxResults": 2}
    first = model.list_events(ADA, "primary", params)
    model.patch(ADA, "primary", "event3", {"summary": "New"})
    last = model.list_events(ADA, "primary", params | {"pageToken": first["nextPageToken"]})
    assert [item["id"] for item in first["items"] + last["items"]] == ["event0", "event1", "event2"]
    assert [item["id"] for item in sync(model, ADA, token=last["nextSyncToken"])["items"]] == ["event3"]


def test_every_page_needs_the_sync_token(model: CheckedModel) -> None:
    """A page token of an incremental list is refused without the sync token, and with another one."""
    token = sync(model, ADA)["nextSyncToken"]
    for number in range(3):
        model.insert(ADA, "primary", meeting(f"{number}"))
    params: Json = {"showDeleted": True, "syncToken": token, "maxResults": 1}
    page = model.list_events(ADA, "primary", params)["nextPageToken"]
    assert listed(model, {"showDeleted": True, "pageToken": page}) == (400, "invalid")
    newer = sync(model, ADA)["nextSyncToken"]
    assert listed(model, {"showDeleted": True, "pageToken": page, "syncToken": newer}) == (400, "invalid")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iCalUID", "x@example.com"),
        ("orderBy", "updated"),
        ("privateExtendedProperty", "a=b"),
        ("sharedExtendedProperty", ["a=b"]),
        ("q", "lunch"),
        ("timeMin", "2026-01-01T00:00:00Z"),
        ("timeMax", "2026-01-01T00:00:00Z"),
        ("updatedMin", "2026-03-01T00:00:00Z"),
        ("showDeleted", False),
    ],
)
def test_parameters_that_forbid_a_sync_token(model: CheckedModel, name: str, value: object) -> None:
    """Each parameter that Google forbids together with a sync token answers 400."""
    token = sync(model, ADA)["nextSyncToken"]
    assert listed(model, {"showDeleted": True, "syncToken": token, name: value}) == (400, "invalid")


@pytest.mark.parametrize(
    "changed",
    [
        {"singleEvents": True},
        {"showDeleted": None},
        {"eventTypes": "default"},
        {"timeZone": "UTC"},
        {"maxAttendees": 3},
    ],
)
def test_other_parameters_than_the_first_lists_are_refused(model: CheckedModel, changed: Json) -> None:
    """A token belongs to the parameters of its first list: a mistake shows as 400."""
    token = sync(model, ADA)["nextSyncToken"]
    params = {"showDeleted": True, "syncToken": token} | changed
    assert listed(model, {k: v for k, v in params.items() if v is not None}) == (400, "invalid")


def test_page_size_is_not_bound(model: CheckedModel) -> None:
    """maxResults may differ from list to list."""
    token = sync(model, ADA, maxResults=10)["nextSyncToken"]
    assert sync(model, ADA, token=token, maxResults=3)["items"] == []


@pytest.mark.parametrize("token", ["x", "AAAA", "CJ_ewo2CoIwDEJ_ewo2CoIwDGAUg79XP3wIo79XP3wI=", "ä", "\n"])
def test_a_malformed_token_is_400_and_not_410(model: CheckedModel, token: str) -> None:
    """What was never a token answers `invalid`, in the recorded words."""
    assert listed(model, {"syncToken": token}) == (400, "invalid")


def test_tokens_cannot_be_changed_or_swapped(model: CheckedModel) -> None:
    """A token with one other letter, of another calendar, or of another kind is malformed."""
    token = sync(model, ADA)["nextSyncToken"]
    changed = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
    assert listed(model, {"showDeleted": True, "syncToken": changed}) == (400, "invalid")
    assert listed(model, {"showDeleted": True, "syncToken": token}, calendar_id=TEAM) == (400, "invalid")
    for number in range(2):
        model.insert(ADA, "primary", meeting(f"{number}"))
    page = model.list_events(ADA, "primary", {"maxResults": 1})["nextPageToken"]
    assert listed(model, {"syncToken": page}) == (400, "invalid")


def test_expired_tokens_ask_for_a_full_sync(model: CheckedModel) -> None:
    """Expiring one calendar's tokens leaves the others alone; a fresh full list works again."""
    token, team = sync(model, ADA)["nextSyncToken"], sync(model, ADA, TEAM)["nextSyncToken"]
    model.expire_sync_tokens(ADA)
    assert listed(model, {"showDeleted": True, "syncToken": token}) == (410, "fullSyncRequired")
    assert sync(model, ADA, TEAM, token=team)["items"] == []
    model.expire_sync_tokens()
    assert listed(model, {"showDeleted": True, "syncToken": team}, calendar_id=TEAM) == (410, "fullSyncRequired")
    assert sync(model, ADA, token=sync(model, ADA)["nextSyncToken"])["items"] == []


def test_tokens_expire_with_age(model: CheckedModel, clock: Clock) -> None:
    """With a set age, a token that is older answers 410."""
    model.options.token_max_age_s = 60
    token = sync(model, ADA)["nextSyncToken"]
    clock.advance(seconds=59)
    newer = sync(model, ADA, token=token)["nextSyncToken"]
    clock.advance(seconds=30)
    assert listed(model, {"showDeleted": True, "syncToken": token}) == (410, "fullSyncRequired")
    assert sync(model, ADA, token=newer)["items"] == []


def test_a_change_of_role_expires_the_readers_token(model: CheckedModel) -> None:
    """Who may see less or more than before must list everything again."""
    model.share(TEAM, {BOB: "writer"})
    token = sync(model, BOB, TEAM)["nextSyncToken"]
    model.share(TEAM, {BOB: "reader"})
    assert listed(model, {"showDeleted": True, "syncToken": token}, BOB, TEAM) == (410, "fullSyncRequired")


def test_a_full_list_has_young_tombstones_only_on_demand(model: CheckedModel, clock: Clock) -> None:
    """Deleted events are in a full list with showDeleted alone, and only while they are young."""
    event = model.insert(ADA, "primary", meeting())
    model.delete(ADA, "primary", event["id"])
    assert model.list_events(ADA, "primary")["items"] == []
    assert [item["status"] for item in sync(model, ADA)["items"]] == ["cancelled"]
    clock.advance(days=31)
    assert sync(model, ADA)["items"] == []


def test_an_incremental_list_has_old_tombstones_too(model: CheckedModel, clock: Clock) -> None:
    """However old a token is, a deletion behind it is told."""
    event = model.insert(ADA, "primary", meeting())
    token = sync(model, ADA)["nextSyncToken"]
    model.delete(ADA, "primary", event["id"])
    clock.advance(days=90)
    assert [item["id"] for item in sync(model, ADA, token=token)["items"]] == [event["id"]]


def test_lists_may_lag_behind_the_announcement(model: CheckedModel, clock: Clock) -> None:
    """With a lag, a change is announced before lists show it; until then they show what was, and nothing is lost."""
    event = model.insert(ADA, "primary", meeting("Old"))
    token = sync(model, ADA)["nextSyncToken"]
    model.options.list_lag_ms = 5000
    clock.advance(seconds=10)
    announced: list[str] = []
    model.on_change = announced.append
    model.patch(ADA, "primary", event["id"], {"summary": "New"})
    model.insert(ADA, "primary", meeting("Newer"))
    assert announced == [ADA, ADA]
    early = sync(model, ADA, token=token)
    assert early["items"] == []
    full = sync(model, ADA)
    assert [item["summary"] for item in full["items"]] == ["Old"]
    clock.advance(seconds=10)
    for late in (early, full):
        items = sync(model, ADA, token=late["nextSyncToken"])["items"]
        assert [item["summary"] for item in items] == ["New", "Newer"]


def test_a_series_and_its_exceptions_come_together(model: CheckedModel) -> None:
    """Any edit sends the master and all its exceptions again, under one etag, the master first."""
    series = model.insert(ADA, "primary", weekly())
    ids = [item["id"] for item in model.instances(ADA, "primary", series["id"], {"maxResults": 3})["items"]]
    model.patch(ADA, "primary", ids[1], {"summary": "Special"})
    model.delete(ADA, "primary", ids[2])
    items = changes_of(model, ADA, lambda: model.patch(ADA, "primary", series["id"], {"location": "Room"}))
    assert [item["id"] for item in items] == [series["id"], ids[1], ids[2]]
    assert len({item["etag"] for item in items}) == 1


def test_single_events_lists_tell_which_occurrences_went(model: CheckedModel) -> None:
    """Whoever syncs unfolded occurrences is told of those that a shorter rule no longer has."""
    series = model.insert(ADA, "primary", weekly(rule="RRULE:FREQ=WEEKLY;COUNT=4"))
    rule = {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2"]}
    items = changes_of(model, ADA, lambda: model.patch(ADA, "primary", series["id"], rule), singleEvents=True)
    assert [item["status"] for item in items] == ["confirmed"] * 2 + ["cancelled"] * 2
    gone = changes_of(model, ADA, lambda: model.delete(ADA, "primary", series["id"]), singleEvents=True)
    assert {item["status"] for item in gone} == {"cancelled"}
    assert all(item["recurringEventId"] == series["id"] for item in gone)
