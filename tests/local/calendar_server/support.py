"""What these tests share: a clock, people, and a model whose every answer is checked against Google's schemas."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import count
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx
import pytest
from jsonschema import Draft202012Validator

from confsync.local.calendar_server.errors import ApiError, Json
from confsync.local.calendar_server.fields import schemas
from confsync.local.calendar_server.model import CalendarModel
from confsync.local.calendar_server.people import addon_conference

ADA, BOB, CYD = "ada@example.com", "bob@example.com", "cyd@example.com"
TEAM = "team@group.calendar.google.com"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

_FORMATS: dict[str, Json] = {
    "int64": {"pattern": r"^-?[0-9]+$"},
    "date-time": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
    "date": {"pattern": r"^\d{4}-\d\d-\d\d$"},
}


class Clock:
    """A clock that moves a little with every look, and further when told."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        self.time += timedelta(milliseconds=7)
        return self.time

    def advance(self, **by: float) -> None:
        """Let time pass."""
        self.time += timedelta(**by)


def plain_http(url: str, user: str | None = None) -> httpx.Client:
    """Return a client for plain http on this machine; authorities, which take long to load, are not needed."""
    headers = {"Authorization": f"Bearer {user}"} if user else {}
    return httpx.Client(base_url=url, headers=headers, trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def _strict(schema: Json) -> Json:
    """Turn a schema of the discovery document into a JSON Schema that allows nothing unknown."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    out: Json = {"type": schema["type"]}
    out |= _FORMATS.get(schema.get("format", ""), {})
    if schema["type"] == "array":
        out["items"] = _strict(schema["items"])
    if schema["type"] == "object":
        out["properties"] = {name: _strict(inner) for name, inner in schema.get("properties", {}).items()}
        extra = schema.get("additionalProperties")
        out["additionalProperties"] = _strict(extra) if extra else False
    return out


@lru_cache
def validator(name: str) -> Draft202012Validator:
    """Return a strict validator for one of Google's schemas."""
    definitions = {key: _strict(schema) for key, schema in schemas().items()}
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions})


def check(answer: Json, schema: str) -> Json:
    """Fail unless an answer is valid and nothing but valid."""
    problems = [f"{error.json_path}: {error.message}" for error in validator(schema).iter_errors(answer)]
    assert not problems, problems
    return answer


class CheckedModel(CalendarModel):
    """The model, every answer of which must fit Google's schema; the methods are the model's."""

    def get(self, *args: Any, **kwargs: Any) -> Json:
        return check(super().get(*args, **kwargs), "Event")

    def insert(self, *args: Any, **kwargs: Any) -> Json:
        return check(super().insert(*args, **kwargs), "Event")

    def import_(self, *args: Any, **kwargs: Any) -> Json:
        return check(super().import_(*args, **kwargs), "Event")

    def update(self, *args: Any, **kwargs: Any) -> Json:
        return check(super().update(*args, **kwargs), "Event")

    def patch(self, *args: Any, **kwargs: Any) -> Json:
        return check(super().patch(*args, **kwargs), "Event")

    def move(self, *args: Any, **kwargs: Any) -> Json:
        return check(super().move(*args, **kwargs), "Event")

    def list_events(self, *args: Any, **kwargs: Any) -> Json:
        return check(super().list_events(*args, **kwargs), "Events")

    def instances(self, *args: Any, **kwargs: Any) -> Json:
        return check(super().instances(*args, **kwargs), "Events")

    def watch(self, *args: Any, **kwargs: Any) -> Json:
        return check(super().watch(*args, **kwargs), "Channel")

    def calendar_list(self, *args: Any, **kwargs: Any) -> Json:
        return check(super().calendar_list(*args, **kwargs), "CalendarList")

    def calendar_get(self, *args: Any, **kwargs: Any) -> Json:
        return check(super().calendar_get(*args, **kwargs), "Calendar")


def new_ids() -> Iterator[str]:
    """Yield ids that look like Google's and are the same in every run."""
    return (f"{number:026d}" for number in count(1))


def a_model(clock: Clock) -> CheckedModel:
    """Return a server with Ada, Bob and Cyd and Ada's team calendar; `model.changed` collects what was announced."""
    ids = new_ids()
    model = CheckedModel(clock, lambda: next(ids))
    for email in (ADA, BOB, CYD):
        model.add_user(email, "Europe/Berlin")
    model.add_calendar(TEAM, ADA, summary="Team", time_zone="UTC")
    return model


def timed(start: datetime = START, hours: float = 1, zone: str = "Europe/Berlin") -> Json:
    """Return start and end of a timed event."""
    end = start + timedelta(hours=hours)
    return {
        "start": {"dateTime": start.isoformat(), "timeZone": zone},
        "end": {"dateTime": end.isoformat(), "timeZone": zone},
    }


def meeting(summary: str = "Planning", *guests: str, **more: Any) -> Json:
    """Return the body of a timed event."""
    body: Json = {"summary": summary, **timed()}
    if guests:
        body["attendees"] = [{"email": guest} for guest in guests]
    return body | more


def weekly(*guests: str, rule: str = "RRULE:FREQ=WEEKLY", **more: Any) -> Json:
    """Return the body of a series that begins at START."""
    return meeting("Weekly", *guests, recurrence=[rule], **more)


def with_conference(body: Json, conference_id: str = "c1") -> Json:
    """Return a body with an add-on's conference."""
    return {**body, "conferenceData": addon_conference(conference_id)}


def occurrence(series_id: str, weeks: int, start: datetime = START) -> str:
    """Return the id of an occurrence of a weekly series in Berlin time."""
    local = start.astimezone(ZoneInfo("Europe/Berlin")) + timedelta(weeks=weeks)
    return f"{series_id}_{local.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def refusal(call: Any, *args: Any, **kwargs: Any) -> tuple[int, str]:
    """Return status and reason with which a call is refused."""
    with pytest.raises(ApiError) as caught:
        call(*args, **kwargs)
    error = caught.value
    body = error.to_json()["error"]
    assert body["code"] == error.status
    assert body["errors"][0]["reason"] == error.reason
    return error.status, error.reason


def sync(
    model: CalendarModel, user: str, calendar_id: str = "primary", token: str | None = None, **params: Any
) -> Json:
    """List all pages; the items of all of them, and the last page's token."""
    wanted: dict[str, Any] = {"showDeleted": True, **params}
    if token is not None:
        wanted["syncToken"] = token
    items: list[Json] = []
    while True:
        page = model.list_events(user, calendar_id, wanted)
        items += page["items"]
        if "nextPageToken" not in page:
            return {**page, "items": items}
        assert "nextSyncToken" not in page
        wanted["pageToken"] = page["nextPageToken"]


def changes_of(model: CalendarModel, user: str, act: Any, calendar_id: str = "primary", **params: Any) -> list[Json]:
    """Return what an incremental list shows of whatever `act` does."""
    token = sync(model, user, calendar_id, **params)["nextSyncToken"]
    act()
    return cast("list[Json]", sync(model, user, calendar_id, token, **params)["items"])


def by_id(items: list[Json]) -> dict[str, Json]:
    """Index events by id; no id may come twice."""
    found = {item["id"]: item for item in items}
    assert len(found) == len(items)
    return found
