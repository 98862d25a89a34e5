"""Instants, zones and the start and end of events. Must never read a clock.

Stored times are canonical: `{"date": ...}` or `{"dateTime": "...Z", "timeZone": zone}`; the offset that a caller sees
follows the calendar's zone.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from .errors import ApiError, Json, invalid, required

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Return microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def from_us(instant_us: int) -> datetime:
    """Return the UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=instant_us)


def rfc3339_ms(instant_us: int) -> str:
    """Write an instant with milliseconds, as `updated` has them."""
    return from_us(instant_us).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339_s(instant_us: int) -> str:
    """Write an instant cut to whole seconds but with three zeros, as `created` has them."""
    return f"{from_us(instant_us):%Y-%m-%dT%H:%M:%S}.000Z"


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """Return the zone of a tz database name.

    Raises:
        ApiError: 400 for a name that the tz database does not know.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise invalid(f"Invalid time zone definition: {name!r}", "timeZone") from None


@lru_cache(maxsize=4096)
def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 time; one without offset stays naive.

    Raises:
        ApiError: 400 for anything else.
    """
    try:
        return datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise invalid(f"Invalid value for: Invalid format: {text!r}") from None


def instant_us(text: str, location: str) -> int:
    """Read a query parameter such as timeMin, for which the offset is mandatory."""
    instant = parse_instant(text)
    if instant.tzinfo is None:
        raise ApiError(400, "badRequest", f"Bad Request: {location} needs an offset, got {text!r}")
    return to_us(instant)


def canonical_time(value: Json, default_zone: str, name: str) -> Json:
    """Bring a start, end or originalStartTime into the stored form.

    Args:
        name: `start` or `end`, for messages.

    Raises:
        ApiError: 400 when neither date nor dateTime can be read.
    """
    if value.get("date"):
        return {"date": _parse_date(value["date"]).isoformat()}
    if not value.get("dateTime"):
        raise required(f"Missing {name} time.")
    zone_name = value.get("timeZone") or default_zone
    instant = parse_instant(value["dateTime"])
    if instant.tzinfo is None:
        if not value.get("timeZone"):
            raise required(f"Missing time zone definition for {name} time.")
        instant = instant.replace(tzinfo=zone(zone_name))
    zone(zone_name)
    return {"dateTime": utc_text(instant), "timeZone": zone_name}


def _parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except (ValueError, TypeError):
        raise invalid(f"Invalid date: {text!r}") from None


def utc_text(instant: datetime) -> str:
    """Write an instant in UTC to the second."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def render_time(value: Json, zone_name: str) -> Json:
    """Return a stored time as a caller sees it whose zone is `zone_name`."""
    if "dateTime" not in value:
        return dict(value)
    return {**value, "dateTime": in_zone(value["dateTime"], zone_name)}


@lru_cache(maxsize=16384)
def in_zone(utc: str, zone_name: str) -> str:
    """Rewrite a UTC time with the offset of a zone."""
    local = parse_instant(utc).astimezone(zone(zone_name))
    text = local.isoformat(timespec="seconds")
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def time_us(value: Json, zone_name: str) -> int:
    """Return the instant of a stored time; a date begins at midnight in `zone_name`."""
    if "date" in value:
        midnight = datetime.combine(date.fromisoformat(value["date"]), datetime.min.time(), zone(zone_name))
        return to_us(midnight)
    return to_us(parse_instant(value["dateTime"]))


def is_all_day(event: Json) -> bool:
    """Tell whether an event has dates instead of times."""
    return "date" in event.get("start", {})


def span(event: Json) -> timedelta:
    """Return how long an event lasts."""
    start, end = event["start"], event["end"]
    if "date" in start:
        return date.fromisoformat(end["date"]) - date.fromisoformat(start["date"])
    return parse_instant(end["dateTime"]) - parse_instant(start["dateTime"])
