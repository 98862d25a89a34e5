"""Compares what Calendar shows with what the conferencing back end holds: plain JSON against plain JSON.

It is the referee, so it must never import the code that it judges: nothing of `confsync.core` or of the use cases.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

Json = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """One conference: whether the back end holds what the calendar shows."""

    conference_id: str
    title: str
    state: str
    """As the back end has it: live, ended or missing."""
    differences: tuple[str, ...]
    """One line each; empty when all is the same."""


def compare(
    events: Sequence[Json], conferences: Iterable[Json], *, solution: str, now: datetime
) -> tuple[Verdict, ...]:
    """Return one verdict for each conference that an event has, or that the back end was ever told of.

    Args:
        events: of all calendars, as `events.list` shows them with `showDeleted=true`: masters, exceptions, tombstones.
        conferences: as the sample vendor's `/_local/conferences` shows them.
        solution: name of the conference solution; events with another one are none of ours.
        now: decides which part of a split series counts: the one with the next occurrence.

    """
    held = {conference["conference_id"]: conference for conference in conferences}
    wanted = _by_conference(events, solution)
    told = {id_ for id_, conference in held.items() if conference["generation"]}
    return tuple(
        _verdict(id_, wanted.get(id_, []), held.get(id_), events, solution=solution, now=now)
        for id_ in sorted(told | wanted.keys())
    )


def _by_conference(events: Sequence[Json], solution: str) -> dict[str, list[Json]]:
    """Return the organizers' own events that are not cancelled; exceptions belong to their series."""
    found: dict[str, list[Json]] = {}
    for event in events:
        own = event.get("organizer", {}).get("self") and event["status"] != "cancelled"
        conference_id = conference_of(event, solution)
        if own and conference_id and "recurringEventId" not in event:
            found.setdefault(conference_id, []).append(event)
    return found


def conference_of(event: Mapping[str, Any], solution: str) -> str | None:
    """Return the id of the event's conference, None when it has none of this solution."""
    conference = event.get("conferenceData", {})
    named = conference.get("conferenceSolution", {}).get("name")
    return conference.get("conferenceId") if named == solution else None


def _verdict(
    conference_id: str, wanted: list[Json], held: Json | None, events: Sequence[Json], *, solution: str, now: datetime
) -> Verdict:
    state = held["state"] if held else "missing"
    if not wanted:
        title = (held or {}).get("desired", {}).get("title") or ""
        wrong = () if state == "ended" else (f"no event has it any more, but the back end says {state}",)
        return Verdict(conference_id, title, state, wrong)
    starts = {event["id"]: next_start(event, now) or datetime.max.replace(tzinfo=UTC) for event in wanted}
    next_ones = sorted(
        (event for event in wanted if starts[event["id"]] == min(starts.values())), key=lambda e: e["id"]
    )
    title = next_ones[0].get("summary", "")
    if held is None or state != "live":
        return Verdict(conference_id, title, state, (f"the event is there, but the back end says {state}",))
    found = _found(held)
    expected = (_expected(event, _parts_of(event, events, solution)) for event in next_ones)
    differences = (tuple(_differences(each, found)) for each in expected)
    return Verdict(conference_id, title, state, min(differences, key=len))  # of two at once either may drive


def _parts_of(series: Json, events: Sequence[Json], solution: str) -> list[Json]:
    """Return the exceptions that are told with their series."""
    conference_id = str(conference_of(series, solution))
    exceptions = (one for one in events if one.get("recurringEventId") == series["id"])
    return [one for one in exceptions if _belongs(one, conference_id, solution)]


def _belongs(exception: Json, conference_id: str, solution: str) -> bool:
    """A tombstone that names another organizer tells of a move; the series came back without it."""
    if exception["status"] == "cancelled":
        return "organizer" not in exception or bool(exception["organizer"].get("self"))
    return conference_of(exception, solution) == conference_id


def _differences(expected: Json, found: Json) -> Iterable[str]:
    for name, value in expected.items():
        if found[name] != value:
            yield f"{name}: the calendar shows {value!r}, the back end has {found[name]!r}"


def _expected(event: Json, exceptions: Iterable[Json]) -> Json:
    """Write an event the way `_found` writes a conference."""
    series = "recurrence" in event
    return {
        "title": event.get("summary", ""),
        "description": event.get("description"),
        "location": event.get("location"),
        "visibility": event.get("visibility"),
        "start": _instant(event["start"]),
        "end": _instant(event["end"]),
        "zone": event["start"].get("timeZone") if series else None,
        "rules": [line.partition(":")[2] for line in event.get("recurrence", []) if line.startswith("RRULE")],
        "cancelled": sorted(_instant(one["originalStartTime"]) for one in exceptions if one["status"] == "cancelled"),
        "changed": sorted(filter(None, (_change(event, one) for one in exceptions if one["status"] != "cancelled"))),
        "organizer": event["organizer"]["email"],
        "attendees": sorted(guest["email"] for guest in event.get("attendees", [])),
    }


def _change(event: Json, exception: Json) -> tuple[str, str, str, str] | None:
    """Return original start, start, end and own title of an occurrence; None when nothing of it is its own."""
    original, start, end = (_instant(exception[name]) for name in ("originalStartTime", "start", "end"))
    title = exception.get("summary", "") if exception.get("summary") != event.get("summary") else ""
    moved = start != original or _length(exception) != _length(event)
    return (original, start, end, title) if moved or title else None


def _length(event: Json) -> timedelta:
    return _parsed(event["end"]) - _parsed(event["start"])


def _found(held: Json) -> Json:
    desired = held["desired"]
    series = bool(desired["rrule"] or desired["rdates"])
    return {
        "title": desired["title"],
        "description": desired["description"],
        "location": desired["location"],
        "visibility": desired["visibility"],
        "start": _moment(desired["start"]),
        "end": _moment(desired["end"]),
        "zone": desired["start"]["tz"] if series and desired["start"] else None,
        "rules": list(desired["rrule"] or []),
        "cancelled": sorted(_moment(moment) for moment in desired["cancelled"] or []),
        "changed": sorted(
            (_moment(one["original_start"]), _moment(one["start"]), _moment(one["end"]), one["title"] or "")
            for one in desired["overrides"] or []
        ),
        "organizer": (desired["organizer"] or {}).get("email"),
        "attendees": sorted(guest["email"] for guest in desired["attendees"] or []),
    }


def _moment(moment: Json | None) -> str:
    """Write the vendor's form of a point in time."""
    if moment is None:
        return "never"
    return str(moment["date"] or _utc(datetime.fromisoformat(moment["utc"])))


def _instant(time: Json) -> str:
    """Write Calendar's form of a point in time the same way."""
    return str(time["date"]) if "date" in time else _utc(datetime.fromisoformat(time["dateTime"]))


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _parsed(time: Json) -> datetime:
    if "date" in time:
        return datetime.combine(date.fromisoformat(time["date"]), datetime.min.time(), UTC)
    return datetime.fromisoformat(time["dateTime"])


def next_start(event: Json, now: datetime) -> datetime | None:
    """Return when the event takes place next, None when it is over; exceptions are not looked at."""
    start, length = _parsed(event["start"]), _length(event)
    if "recurrence" not in event:
        return start if start + length > now else None
    zone = ZoneInfo(event["start"].get("timeZone", "UTC"))
    local = start.astimezone(zone).replace(tzinfo=None)
    rule = rrulestr("\n".join(_local_until(line, zone) for line in event["recurrence"]), dtstart=local)
    found = rule.after((now - length).astimezone(zone).replace(tzinfo=None))
    return found.replace(tzinfo=zone) if found else None


def _local_until(line: str, zone: ZoneInfo) -> str:
    """Repeat by the clocks of the zone: an end given in UTC is written in their time."""
    head, until, rest = line.partition("UNTIL=")
    stamp, semicolon, tail = rest.partition(";")
    if not until or not stamp.endswith("Z"):
        return line
    instant = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return f"{head}UNTIL={instant.astimezone(zone):%Y%m%dT%H%M%S}{semicolon}{tail}"
