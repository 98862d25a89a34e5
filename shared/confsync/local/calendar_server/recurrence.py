"""Recurrence rules of stored events: which occurrences there are, how they are named, how a series is cut. Pure.

Rules are evaluated in the wall time of the series' zone, so that a meeting at 9 stays at 9 across a change of clocks.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice

from dateutil.rrule import rrule, rruleset, rrulestr

from .errors import Json, invalid
from .times import is_all_day, parse_instant, span, utc_text, zone

Start = date | datetime
"""When an occurrence begins: a UTC time, or a date in an all-day series."""

MOST_INSTANCES = 730
"""Endless series are unfolded this far: Google stops too, at a place that it does not publish."""

_PART = re.compile(r"(.+)_R(\d{8}(?:T\d{6})?)")
_INSTANCE = re.compile(r"(.+)_(\d{8}(?:T\d{6}Z)?)")


def root_of(master_id: str) -> str:
    """Return the id of the series that a split part descends from."""
    match = _PART.fullmatch(master_id)
    return match[1] if match else master_id


def instance_id(master_id: str, start: Start) -> str:
    """Name one occurrence: `<root>_<UTC stamp>Z`, or `<root>_<date>` in an all-day series."""
    return f"{root_of(master_id)}_{_stamp(start)}{'Z' if isinstance(start, datetime) else ''}"


def part_id(master_id: str, start: Start) -> str:
    """Name the part of a series that begins at `start`: `<root>_R<UTC stamp>`."""
    return f"{root_of(master_id)}_R{_stamp(start)}"


def _stamp(start: Start) -> str:
    return f"{start:%Y%m%dT%H%M%S}" if isinstance(start, datetime) else f"{start:%Y%m%d}"


def parse_instance_id(event_id: str) -> tuple[str, Start] | None:
    """Return root and start that an instance id names, or None when it is no such id."""
    match = _INSTANCE.fullmatch(event_id)
    if match is None:
        return None
    try:
        if len(match[2]) == 8:
            return match[1], date.fromisoformat(match[2])
        return match[1], datetime.strptime(match[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def check_recurrence(event: Json) -> None:
    """Refuse rules that cannot be read.

    Raises:
        ApiError: 400.
    """
    try:
        next(starts(event), None)
    except (ValueError, TypeError, AttributeError):
        raise invalid(f"Invalid recurrence rule: {event['recurrence']!r}") from None


def starts(master: Json) -> Iterator[Start]:
    """Yield the starts of all occurrences, earliest first; endless for an endless rule."""
    if is_all_day(master):
        for day in _rules(_first(master), tuple(master["recurrence"]), None):
            yield day.date()
        return
    zone_name = master["start"]["timeZone"]
    for local in _rules(_first(master), tuple(master["recurrence"]), zone_name):
        yield local.replace(tzinfo=zone(zone_name)).astimezone(UTC)


def is_occurrence(master: Json, start: Start) -> bool:
    """Tell whether a series has an occurrence that begins at `start`."""
    if not master.get("recurrence") or isinstance(start, datetime) == is_all_day(master):
        return False
    zone_name = None if is_all_day(master) else master["start"]["timeZone"]
    local = _to_local(start, zone_name)
    return _is_start(local, _first(master), tuple(master["recurrence"]), zone_name)


def count_before(master: Json, start: Start) -> int:
    """Return how many occurrences begin before `start`."""
    zone_name = None if is_all_day(master) else master["start"]["timeZone"]
    rules = _rules(_first(master), tuple(master["recurrence"]), zone_name)
    return len(rules.between(_first(master), _to_local(start, zone_name) - timedelta(seconds=1), inc=True))


def _first(master: Json) -> datetime:
    start = master["start"]
    if "date" in start:
        return datetime.combine(date.fromisoformat(start["date"]), datetime.min.time())
    return _to_local(parse_instant(start["dateTime"]), start["timeZone"])


def _to_local(start: Start, zone_name: str | None) -> datetime:
    if isinstance(start, datetime):
        return start.astimezone(zone(zone_name or "UTC")).replace(tzinfo=None)
    return datetime.combine(start, datetime.min.time())


@lru_cache(maxsize=1024)  # a series is asked for the same few starts again and again
def _is_start(local: datetime, first: datetime, lines: tuple[str, ...], zone_name: str | None) -> bool:
    return bool(_rules(first, lines, zone_name).between(local, local, inc=True))


@lru_cache(maxsize=1024)
def _rules(first: datetime, lines: tuple[str, ...], zone_name: str | None) -> rruleset:
    rules = rruleset(cache=True)
    for line in lines:
        name, _, value = line.partition(":")
        kind = name.split(";")[0].upper()
        if kind == "RRULE":
            rules.rrule(_rule(_localised(value, zone_name), first))
        elif kind in ("EXDATE", "RDATE"):
            for text in value.split(","):
                moment = _parse_moment(text, name, zone_name)
                (rules.exdate if kind == "EXDATE" else rules.rdate)(moment)
        else:
            raise ValueError(line)
    return rules


def _rule(text: str, first: datetime) -> rrule:
    parsed = rrulestr(text, dtstart=first)
    if not isinstance(parsed, rrule):
        raise TypeError(f"{text!r} is more than one rule")
    return parsed


def _localised(rule: str, zone_name: str | None) -> str:
    """Rewrite UNTIL, which is in UTC, to the wall time in which the rule is evaluated."""

    def local_until(match: re.Match[str]) -> str:
        moment = _parse_moment(match[1], "", zone_name)
        if len(match[1]) == 8 and zone_name is not None:
            moment += timedelta(days=1, seconds=-1)
        return f"UNTIL={moment:%Y%m%dT%H%M%S}"

    return re.sub(r"UNTIL=([0-9TZ]+)", local_until, rule)


def _parse_moment(text: str, name: str, zone_name: str | None) -> datetime:
    if len(text) == 8:
        return datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007  (wall time, as RFC 5545 writes it)
    moment = datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007  (the zone is added below)
    own_zone = re.search(r"TZID=([^;:]+)", name)
    if not text.endswith("Z") and own_zone is None:
        return moment
    source = UTC if text.endswith("Z") else zone(own_zone[1] if own_zone else "UTC")
    return moment.replace(tzinfo=source).astimezone(zone(zone_name or "UTC")).replace(tzinfo=None)


def instance_body(master: Json, start: Start) -> Json:
    """Build the body of an occurrence that is stored nowhere yet."""
    body = {name: value for name, value in master.items() if name != "recurrence"}
    body["start"] = start_json(master, start)
    body["end"] = end_json(master, start)
    body["originalStartTime"] = body["start"]
    return body


def start_json(master: Json, start: Start) -> Json:
    """Write an occurrence's start in the stored form."""
    if isinstance(start, datetime):
        return {"dateTime": utc_text(start), "timeZone": master["start"]["timeZone"]}
    return {"date": start.isoformat()}


def end_json(master: Json, start: Start) -> Json:
    """Write an occurrence's end in the stored form: the master's wall-clock length after its start."""
    if not isinstance(start, datetime):
        return {"date": (start + span(master)).isoformat()}
    return {"dateTime": utc_text(start + span(master)), "timeZone": master["end"]["timeZone"]}


def start_of(event_time: Json) -> Start:
    """Return the start that a stored originalStartTime names."""
    if "date" in event_time:
        return date.fromisoformat(event_time["date"])
    return parse_instant(event_time["dateTime"])


def bounded_starts(master: Json) -> list[Start]:
    """Return the starts of a series, at most MOST_INSTANCES of them."""
    return list(islice(starts(master), MOST_INSTANCES))


def trimmed(master: Json, start: Start) -> list[str]:
    """Return the rules of a series that ends before `start`: UNTIL is the end of the previous local day, in UTC."""
    if isinstance(start, datetime):
        local_zone = zone(master["start"]["timeZone"])
        day = start.astimezone(local_zone).replace(hour=0, minute=0, second=0)
        until = f"{(day - timedelta(seconds=1)).astimezone(UTC):%Y%m%dT%H%M%SZ}"
    else:
        until = f"{start - timedelta(days=1):%Y%m%d}"
    return [_with_part(line, f"UNTIL={until}") for line in master["recurrence"]]


def continued(master: Json, start: Start) -> list[str]:
    """Return the rules of the part that begins at `start`: a COUNT loses what came before."""

    def rest(match: re.Match[str]) -> str:
        return f"COUNT={int(match[1]) - count_before(master, start)}"

    return [re.sub(r"COUNT=(\d+)", rest, line) for line in master["recurrence"]]


def _with_part(line: str, part: str) -> str:
    name, _, rule = line.partition(":")
    if name.upper() != "RRULE":
        return line
    pieces = [piece for piece in rule.split(";") if not piece.upper().startswith(("UNTIL=", "COUNT="))]
    # Google writes UNTIL right behind FREQ.
    return "RRULE:" + ";".join([pieces[0], part, *pieces[1:]])
