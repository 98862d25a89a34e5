"""What an event's body says: its conference, its times, its instances, and the state that it gives its conference.

Computed by other means than the product's, so that the two can disagree. It must never know when a body was true.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from confsync.core.state import ConferenceState, Field, Moment, Occurrence
from confsync.local.calendar_server.recurrence import starts
from tests.world import SOLUTION

FAR = datetime(2100, 1, 1, tzinfo=UTC)


def status_of(body: Mapping[str, Any]) -> object:
    """Return how far a request for a conference has come; None where there is none."""
    return body.get("conferenceData", {}).get("createRequest", {}).get("status", {}).get("statusCode")


def conference_of(body: Mapping[str, Any]) -> str | None:
    """Return the id of a conference of the sample solution."""
    data = body.get("conferenceData", {})
    if data.get("conferenceSolution", {}).get("name") not in SOLUTION.names:
        return None
    return str(data["conferenceId"])


def moment(time: Mapping[str, Any]) -> Moment:
    """Return a time of an event as an instant in UTC or a day."""
    if "date" in time:
        return Moment(day=date.fromisoformat(time["date"]))
    return Moment(instant=datetime.fromisoformat(time["dateTime"]).astimezone(UTC))


def _instant(time: Mapping[str, Any]) -> datetime:
    found = moment(time)
    if found.instant is not None:
        return found.instant
    assert found.day is not None
    return datetime.combine(found.day, datetime.min.time(), UTC)


def _length(body: Mapping[str, Any]) -> timedelta:
    return _instant(body["end"]) - _instant(body["start"])


def _zone(body: Mapping[str, Any], carries: Iterable[Field]) -> str | None:
    needed = "time_zone" in carries or ("recurrence" in carries and body.get("recurrence"))
    return body["start"].get("timeZone") if needed else None


def _instances(body: Mapping[str, Any]) -> list[datetime]:
    """Return the first instances of a series, or the one of a single event; enough for one day."""
    if not body.get("recurrence"):
        return [_instant(body["start"])]
    found = islice(starts(dict(body)), 150)
    return [s if isinstance(s, datetime) else datetime.combine(s, datetime.min.time(), UTC) for s in found]


def next_start(body: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return the start of the instance that runs now or comes next."""
    length = _length(body)
    return next((start for start in _instances(body) if start + length > now), None)


def over_at(body: Mapping[str, Any]) -> datetime:
    """Return when the last instance is over; a day far off for an endless series."""
    if "start" not in body or "end" not in body:
        return FAR
    endless = any("UNTIL" not in line and "COUNT" not in line for line in body.get("recurrence", ()))
    return FAR if endless else _instances(body)[-1] + _length(body) if _instances(body) else _instant(body["end"])


def state_of(body: Mapping[str, Any], carries: frozenset[Field]) -> ConferenceState:
    """Return what an event gives its conference, but for changed occurrences."""
    has = carries.__contains__
    return ConferenceState(
        title=body.get("summary", "") if has("title") else None,
        description=body.get("description") if has("description") else None,
        location=body.get("location") if has("location") else None,
        start=moment(body["start"]) if has("time") else None,
        end=moment(body["end"]) if has("time") else None,
        time_zone=_zone(body, carries),
        recurrence=tuple(body.get("recurrence", ())) if has("recurrence") else (),
        organizer=body["organizer"]["email"] if has("organizer") else None,
        attendees=tuple(sorted(a["email"] for a in body.get("attendees", ()))) if has("attendees") else None,
        visibility=body.get("visibility") if has("visibility") else None,
    )


def changed_occurrence(
    body: Mapping[str, Any], master: Mapping[str, Any], carries: frozenset[Field]
) -> Occurrence | None:
    """Return how an exception differs from what its series says of it; None where it does not."""
    original = moment(body["originalStartTime"])
    title = body.get("summary", "") if body.get("summary", "") != master.get("summary", "") else None
    title = title if "title" in carries else None
    start, end = moment(body["start"]), moment(body["end"])
    timed = "time" in carries
    if title is None and not (timed and (start != original or _length(body) != _length(master))):
        return None
    return Occurrence(original_start=original, start=start if timed else None, end=end if timed else None, title=title)
