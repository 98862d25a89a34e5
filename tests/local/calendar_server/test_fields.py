"""Partial responses: nested selectors, and no mercy for wrong ones."""

import pytest

from confsync.local.calendar_server.errors import ApiError, Json
from confsync.local.calendar_server.fields import check_fields, select

PAGE: Json = {
    "kind": "calendar#events",
    "nextSyncToken": "t",
    "items": [
        {
            "id": "1",
            "summary": "x",
            "start": {"dateTime": "d", "timeZone": "z"},
            "attendees": [{"email": "a", "self": True}],
            "extendedProperties": {"private": {"k": "v"}},
        }
    ],
}


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ("kind", {"kind": "calendar#events"}),
        (
            "items(id,start/dateTime),nextSyncToken",
            {"items": [{"id": "1", "start": {"dateTime": "d"}}], "nextSyncToken": "t"},
        ),
        ("items/id", {"items": [{"id": "1"}]}),
        ("items/start(dateTime,timeZone)", {"items": [{"start": {"dateTime": "d", "timeZone": "z"}}]}),
        ("items(attendees(email)),items/summary", {"items": [{"summary": "x", "attendees": [{"email": "a"}]}]}),
        ("items/extendedProperties/private/k", {"items": [{"extendedProperties": {"private": {"k": "v"}}}]}),
        ("items(id),items", {"items": PAGE["items"]}),
        ("*", PAGE),
        ("items/*", {"items": PAGE["items"]}),
        (None, PAGE),
        ("nextPageToken", {}),
        (" kind , items( id ) ", {"kind": "calendar#events", "items": [{"id": "1"}]}),
    ],
)
def test_selectors(fields: str | None, wanted: Json) -> None:
    """Only what is selected is answered, at every depth."""
    assert select(PAGE, fields, "Events") == wanted


@pytest.mark.parametrize(
    "fields",
    [
        "nosuch",
        "items(id",
        "items)",
        "items(id,conferencData)",
        "items/start/nosuch",
        "items//id",
        ",",
        "items(",
        "kind,",
    ],
)
def test_wrong_selectors_are_refused(fields: str) -> None:
    """A selector that cannot be read, or that names nothing, answers 400 invalidParameter."""
    with pytest.raises(ApiError, match="Invalid field selection") as caught:
        check_fields(fields, "Events")
    assert (caught.value.status, caught.value.reason) == (400, "invalidParameter")
