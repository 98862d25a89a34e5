"""The parameters of events.list and events.instances, checked. Pure.

Source: https://developers.google.com/workspace/calendar/api/v3/reference/events/list
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from . import params as p
from .errors import ApiError, Json, invalid
from .params import Params
from .records import Version
from .recurrence import starts
from .times import span, time_us, to_us, zone
from .tokens import fingerprint

MOST_RESULTS = 2500
_FORBIDDEN_WITH_TOKEN = (
    "iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax",
    "updatedMin",
)  # fmt: skip
_ORDERS = ("startTime", "updated")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list call asks for."""

    max_results: int
    page_token: str | None
    sync_token: str | None
    show_deleted: bool
    single_events: bool
    order_by: str | None
    event_types: tuple[str, ...]
    ical_uid: str | None
    time_min_us: int | None
    time_max_us: int | None
    updated_min_us: int | None
    time_zone: str | None
    max_attendees: int | None
    private_properties: tuple[str, ...]
    shared_properties: tuple[str, ...]

    @property
    def binding(self) -> str:
        """Return the fingerprint of what must equal the first list's parameters when a sync token is used."""
        return fingerprint(self.single_events, self.show_deleted, self.event_types, self.time_zone, self.max_attendees)

    @property
    def page_binding(self) -> str:
        """Return the fingerprint of what must be the same on every page."""
        return fingerprint(
            self.binding, self.order_by, self.ical_uid, self.time_min_us, self.time_max_us, self.updated_min_us,
            self.private_properties, self.shared_properties,
        )  # fmt: skip


def list_query(params: Params) -> ListQuery:
    """Read the parameters of events.list.

    Raises:
        ApiError: 400 for what Google refuses, and for `q`, which this server does not know.
    """
    if p.text(params, "q"):
        raise invalid("The local Calendar server has no free text search: leave q out", "q")
    query = ListQuery(
        max_results=min(p.count(params, "maxResults") or 250, MOST_RESULTS),
        page_token=p.text(params, "pageToken"),
        sync_token=p.text(params, "syncToken"),
        show_deleted=bool(p.flag(params, "showDeleted")),
        single_events=bool(p.flag(params, "singleEvents")),
        order_by=p.text(params, "orderBy"),
        event_types=tuple(sorted(set(p.texts(params, "eventTypes")))),
        ical_uid=p.text(params, "iCalUID"),
        time_min_us=p.moment_us(params, "timeMin"),
        time_max_us=p.moment_us(params, "timeMax"),
        updated_min_us=p.moment_us(params, "updatedMin"),
        time_zone=p.text(params, "timeZone"),
        max_attendees=p.count(params, "maxAttendees"),
        private_properties=tuple(p.texts(params, "privateExtendedProperty")),
        shared_properties=tuple(p.texts(params, "sharedExtendedProperty")),
    )
    _check(params, query)
    return query


def _check(params: Params, query: ListQuery) -> None:
    if query.time_zone is not None:
        zone(query.time_zone)
    if query.order_by is not None and query.order_by not in _ORDERS:
        raise invalid(f"Invalid value for orderBy: {query.order_by!r}", "orderBy")
    if query.order_by == "startTime" and not query.single_events:
        raise ApiError(
            400,
            "badRequest",
            "The requested ordering is not available for the particular query.",
            location="orderBy",
        )
    if None not in (query.time_min_us, query.time_max_us) and query.time_min_us >= query.time_max_us:  # type: ignore[operator]  # both are known
        raise ApiError(
            400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar", location="timeMax"
        )
    if query.sync_token is not None:
        _check_with_token(params)


def _check_with_token(params: Params) -> None:
    for name in _FORBIDDEN_WITH_TOKEN:
        if params.get(name):
            raise invalid(f"{name} cannot be combined with syncToken", name)
    if p.flag(params, "showDeleted") is False:
        raise invalid("showDeleted=false cannot be combined with syncToken", "showDeleted")


def matches(query: ListQuery, version: Version, zone_name: str) -> bool:
    """Tell whether an event passes the filters of a list call; a tombstone without details always does."""
    body = version.body
    if query.event_types and body.get("eventType", "default") not in query.event_types:
        return False
    if query.ical_uid is not None and body.get("iCalUID") != query.ical_uid:
        return False
    if query.updated_min_us is not None and version.updated_us < query.updated_min_us:
        return False
    return _has_properties(query, body) and overlaps(body, query.time_min_us, query.time_max_us, zone_name)


def _has_properties(query: ListQuery, body: Json) -> bool:
    wanted = [("private", pair) for pair in query.private_properties]
    wanted += [("shared", pair) for pair in query.shared_properties]
    properties = body.get("extendedProperties", {})
    return all(properties.get(kind, {}).get(pair.partition("=")[0]) == pair.partition("=")[2] for kind, pair in wanted)


def overlaps(body: Json, time_min_us: int | None, time_max_us: int | None, zone_name: str) -> bool:
    """Tell whether an event, or any occurrence of a series, ends after timeMin and starts before timeMax."""
    if time_min_us is None and time_max_us is None:
        return True
    if "start" not in body or "end" not in body:
        return False
    if time_max_us is not None and time_us(body["start"], zone_name) >= time_max_us:
        return False
    if time_min_us is None or time_us(body["end"], zone_name) > time_min_us:
        return True
    return bool(body.get("recurrence")) and _reaches(body, time_min_us, time_max_us)


def _reaches(master: Json, time_min_us: int, time_max_us: int | None) -> bool:
    length_us = int(span(master).total_seconds() * 1_000_000)
    for start in starts(master):
        moment = start if isinstance(start, datetime) else datetime.combine(start, datetime.min.time(), UTC)
        if time_max_us is not None and to_us(moment) >= time_max_us:
            return False
        if to_us(moment) + length_us > time_min_us:
            return True
    return False
