"""Writes a conference's state as the provider contract tells it to a back end.

Pure: it reads no clock and calls nobody. It must never leave out a part of the state that it could not translate: a
series told wrongly is worse than one reported as a failure.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from confsync.core.state import ConferenceState, Moment, Occurrence
from confsync.errors import ProviderRejected

Json = dict[str, Any]

_LISTS = {"RRULE": "rrule", "EXDATE": "exdates", "RDATE": "rdates"}


def desired_body(state: ConferenceState) -> Json:
    """Return the member `desired` of a call: whole, every key present, null or empty where there is nothing to say.

    Raises:
        ProviderRejected: a recurrence line cannot be translated.

    """
    zone = state.time_zone
    return {
        "title": state.title,
        "description": state.description,
        "location": state.location,
        "visibility": state.visibility,
        "start": _moment(state.start, zone),
        "end": _moment(state.end, zone),
        **_recurrence(state.recurrence, zone),
        "overrides": [_override(found, zone) for found in state.occurrences if not found.cancelled],
        "cancelled": [_moment(found.original_start, zone) for found in state.occurrences if found.cancelled],
        "organizer": {"email": state.organizer} if state.organizer else None,
        "attendees": _attendees(state.attendees),
    }


def _attendees(emails: tuple[str, ...] | None) -> list[Json] | None:
    """Null means unknown, which is not the same as nobody."""
    return None if emails is None else [{"email": email} for email in emails]


def _override(occurrence: Occurrence, zone: str | None) -> Json:
    return {
        "original_start": _moment(occurrence.original_start, zone),
        "start": _moment(occurrence.start, zone),
        "end": _moment(occurrence.end, zone),
        "title": occurrence.title,
    }


def _moment(moment: Moment | None, zone: str | None) -> Json | None:
    if moment is None:
        return None
    if moment.instant is None:
        return {"date": moment.day.isoformat()} if moment.day else None
    return {"utc": _utc(moment.instant), **_local(moment.instant, zone or "UTC")}


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _local(instant: datetime, zone: str) -> Json:
    """A zone that this machine does not know is passed on without a local time: the back end may know it."""
    found = _zone(zone)
    try:
        local = instant.astimezone(found).replace(tzinfo=None) if found else None
    except OverflowError:
        local = None
    return {"tz": zone, "local": local.isoformat(timespec="seconds")} if local else {"tz": zone}


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _recurrence(lines: Iterable[str], zone: str | None) -> Json:
    """Sort the lines into the three lists; dates become the same form as all other moments."""
    lists: Json = {"rrule": [], "exdates": [], "rdates": []}
    for line in lines:
        head, _, value = line.strip().partition(":")
        name, *parameters = head.split(";")
        name = name.upper()
        if name not in _LISTS or not value:
            raise ProviderRejected(f"recurrence line of kind {name[:20]!r} is unknown; expected RRULE, EXDATE or RDATE")
        found = [value] if name == "RRULE" else _dates(name, parameters, value, zone)
        lists[_LISTS[name]].extend(found)
    return lists


def _dates(name: str, parameters: Iterable[str], value: str, zone: str | None) -> list[Json | None]:
    own_zone = next((text.partition("=")[2] for text in parameters if text.upper().startswith("TZID=")), zone)
    try:
        return [_moment(_parse_date(text.strip(), own_zone), own_zone) for text in value.split(",")]
    except (ValueError, OverflowError):
        raise ProviderRejected(f"{name} line has a date that is not in a form of RFC 5545") from None


def _parse_date(text: str, zone: str | None) -> Moment:
    """Read `20261224`, `20261224T180000` (in the zone) or `20261224T180000Z`; a period is none of these."""
    if len(text) == len("20261224"):
        return Moment(day=date.fromisoformat(text))
    local = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - the zone follows in the next lines
    known = UTC if text.endswith("Z") else _zone(zone or "UTC")
    if known is None:
        raise ValueError(zone)
    return Moment(instant=local.replace(tzinfo=known).astimezone(UTC))
