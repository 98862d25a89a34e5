"""When an event takes place next, and when it is over for good, also for recurring events.

Rules that cannot be read count as endless: nothing is called over because it could not be understood. It must never
decide what a conference is told; the recurrence lines are passed on as they are.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr

from confsync.core.conference import Times
from confsync.core.events import zone_named
from confsync.core.state import Moment

ENDLESS = datetime.max.replace(tzinfo=UTC)
MAX_COUNTED = 5000
"""Instances of a counted rule that are expanded at most; longer ones count as endless."""
MAX_EXPANDED = 50_000
"""Instances that are expanded to find the next one: daily ones of 136 years."""
CLOCK_CHANGE = timedelta(days=1)
"""More than any clock ever changes: within it, the order of wall clocks is not that of instants."""
UNREADABLE = (ValueError, OverflowError, LookupError, TypeError)
"""What dateutil raises for a rule that it cannot read or expand."""


def next_start(times: Times, now: datetime) -> datetime | None:
    """Return the start of the instance that runs at `now` or comes next; None when the last one is over."""
    start, end = _start(times), _end(times)
    if not times.recurrence:
        return start if end > now else None
    try:
        return _first_after(times, now - (end - start))
    except UNREADABLE:
        return start


def next_end(times: Times, now: datetime) -> datetime | None:
    """Return the end of the instance that runs at `now` or comes next; None when the last one is over."""
    start = next_start(times, now)
    return start + (_end(times) - _start(times)) if start is not None else None


@lru_cache(maxsize=4096)  # some rules are slow to expand, and a plan asks several times
def last_end(times: Times) -> datetime:
    """Return the end of the last instance; `ENDLESS` for a series without end or with an unreadable rule."""
    if not times.recurrence:
        return _end(times)
    if any(_is_unbounded(line) for line in times.recurrence):
        return ENDLESS
    try:
        return _last_of_bounded(times)
    except UNREADABLE:
        return ENDLESS


def _is_unbounded(line: str) -> bool:
    return line.startswith("RRULE") and "UNTIL=" not in line and "COUNT=" not in line


def _last_of_bounded(times: Times) -> datetime:
    instances = list(islice(_expand(times), MAX_COUNTED + 1))
    if len(instances) > MAX_COUNTED:
        return ENDLESS
    return _from_local(instances[-1], times) + (_end(times) - _start(times)) if instances else _end(times)


def _first_after(times: Times, after: datetime) -> datetime | None:
    around = _to_local(after, _zone(times)) - CLOCK_CHANGE
    for number, local in enumerate(_expand(times)):
        if number > MAX_EXPANDED:
            raise ValueError(f"more than {MAX_EXPANDED} instances before the next one")
        if local > around and (instant := _from_local(local, times)) > after:
            return instant
    return None


def _expand(times: Times) -> rruleset:
    """Return the instances as naive local times: rules are about wall clocks, which dateutil keeps apart from zones.

    A list of dates is kept beside the start; a rule produces the start by itself.
    """
    zone = _zone(times)
    start = _to_local(_start(times), zone)
    lines = [_in_local_time(line, zone) for line in times.recurrence if line.startswith(("RRULE", "RDATE", "EXDATE"))]
    found = rrulestr("\n".join(lines), dtstart=start, forceset=True)
    if not any(line.startswith("RRULE") for line in lines):
        found.rdate(start)
    return found


_UTC_STAMP = re.compile(r"\d{8}T\d{6}Z")
_DATE_ONLY_UNTIL = re.compile(r"(?<=UNTIL=)(\d{8})(?![T\d])")
_DATES = re.compile(r"^(RDATE|EXDATE)([^:]*):(.*)$")
_DATE = re.compile(r"^\d{8}(T\d{6}Z?)?$", re.ASCII)
_TZID = re.compile(r";TZID=([^;:]+)")
_ENDLESS_LOOP = re.compile(r"FREQ=(SECONDLY|MINUTELY|HOURLY)|INTERVAL=0+(?!\d)|COUNT=.*UNTIL=|UNTIL=.*COUNT=")
"""What Calendar does not offer, RFC 5545 forbids, and dateutil expands for hours or for ever."""


def _in_local_time(line: str, zone: ZoneInfo) -> str:
    """Turn UTC stamps into local ones, and make a date-only UNTIL cover its day."""
    if _ENDLESS_LOOP.search(line):
        raise ValueError("a rule that is not expanded")
    line = _UTC_STAMP.sub(lambda match: _local_stamp(match.group(), zone), _without_parameters(line))
    return _DATE_ONLY_UNTIL.sub(r"\1T235959", line)


def _without_parameters(line: str) -> str:
    """Turn the dates of RDATE and EXDATE into UTC stamps where a TZID says in which zone they are; drop the rest."""
    dates = _DATES.match(line)
    if dates is None:
        return line
    name, parameters, values = dates.groups()
    zone = _TZID.search(parameters)
    starts = [_start_of_period(value, zone.group(1) if zone else None) for value in values.split(",")]
    return f"{name}:{','.join(starts)}"


def _start_of_period(value: str, zone_name: str | None) -> str:
    start = value.partition("/")[0]
    if not _DATE.match(start):
        raise ValueError("a date that is no date")
    if zone_name is None or len(start) != len("20260301T100000"):
        return start
    local = datetime.strptime(start, "%Y%m%dT%H%M%S").replace(tzinfo=zone_named(zone_name))
    return local.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _local_stamp(stamp: str, zone: ZoneInfo) -> str:
    instant = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return _to_local(instant, zone).strftime("%Y%m%dT%H%M%S")


def _zone(times: Times) -> ZoneInfo:
    """Days have no zone: they count from their midnight in UTC."""
    return zone_named(times.time_zone if times.start.instant is not None else None)


def _to_local(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _from_local(local: datetime, times: Times) -> datetime:
    return local.replace(tzinfo=_zone(times)).astimezone(UTC)


def _start(times: Times) -> datetime:
    return instant_of(times.start)


def _end(times: Times) -> datetime:
    return max(instant_of(times.end), instant_of(times.start))


def instant_of(moment: Moment) -> datetime:
    """Return the moment in UTC; a day counts from its midnight in UTC."""
    return datetime.fromisoformat(moment.sort_key)
