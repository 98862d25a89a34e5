"""When an event takes place next, and when it is over for good, also for recurring events.

Rules that cannot be read count as endless: nothing is called over because it could not be understood. It must never
decide what a conference is told; the recurrence lines are passed on as they are.
"""

import re
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr

from confsync.core.events import zone_named
from confsync.core.records import Times
from confsync.core.state import Moment

ENDLESS = datetime.max.replace(tzinfo=UTC)
MAX_COUNTED = 5000
"""Instances of a counted rule that are expanded at most; longer ones count as endless."""


def next_start(times: Times, now: datetime) -> datetime | None:
    """Return the start of the instance that runs at `now` or comes next; None when the last one is over."""
    start, end = _start(times), _end(times)
    if not times.recurrence:
        return start if end > now else None
    return _first_after(times, start, now - (end - start))


def last_end(times: Times) -> datetime:
    """Return the end of the last instance; `ENDLESS` for a series without end or with an unreadable rule."""
    if not times.recurrence:
        return _end(times)
    if not any(part in line for line in times.recurrence for part in ("UNTIL=", "COUNT=")):
        return ENDLESS if any("RRULE" in line for line in times.recurrence) else _end(times)
    return _last_of_bounded(times)


def _last_of_bounded(times: Times) -> datetime:
    start = _start(times)
    try:
        instances = list(islice(_expand(times, start), MAX_COUNTED + 1))
    except (ValueError, OverflowError):
        return ENDLESS
    if len(instances) > MAX_COUNTED:
        return ENDLESS
    return _from_local(instances[-1], times) + (_end(times) - start) if instances else _end(times)


def _first_after(times: Times, start: datetime, after: datetime) -> datetime | None:
    try:
        found = _expand(times, start).after(_to_local(after, zone_named(times.time_zone)))
    except (ValueError, OverflowError):
        return start
    return _from_local(found, times) if found else None


def _expand(times: Times, start: datetime) -> rruleset:
    """Return the instances as naive local times: rules are about wall clocks, which dateutil keeps apart from zones."""
    zone = zone_named(times.time_zone)
    lines = [_in_local_time(line, zone) for line in times.recurrence if line.startswith(("RRULE", "RDATE", "EXDATE"))]
    found = rrulestr("\n".join(lines), dtstart=_to_local(start, zone), forceset=True)
    if not isinstance(found, rruleset):
        raise TypeError("dateutil answered a single rule where a set was forced")
    return found


_UTC_STAMP = re.compile(r"\d{8}T\d{6}Z")
_DATE_ONLY_UNTIL = re.compile(r"(?<=UNTIL=)(\d{8})(?![T\d])")
_PARAMETERS = re.compile(r"^(RDATE|EXDATE)[^:]*")


def _in_local_time(line: str, zone: ZoneInfo) -> str:
    """Turn UTC stamps into local ones, make a date-only UNTIL cover its day, drop parameters such as TZID."""
    line = _UTC_STAMP.sub(lambda match: _local_stamp(match.group(), zone), line)
    line = _DATE_ONLY_UNTIL.sub(r"\1T235959", line)
    return _PARAMETERS.sub(r"\1", line)


def _local_stamp(stamp: str, zone: ZoneInfo) -> str:
    instant = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return _to_local(instant, zone).strftime("%Y%m%dT%H%M%S")


def _to_local(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _from_local(local: datetime, times: Times) -> datetime:
    return local.replace(tzinfo=zone_named(times.time_zone)).astimezone(UTC)


def _start(times: Times) -> datetime:
    return instant_of(times.start)


def _end(times: Times) -> datetime:
    return max(instant_of(times.end), instant_of(times.start))


def instant_of(moment: Moment) -> datetime:
    """Return the moment in UTC; a day counts from its midnight in UTC."""
    return datetime.fromisoformat(moment.sort_key)
