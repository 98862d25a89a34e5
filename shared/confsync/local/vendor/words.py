"""Says in words when a conference takes place, for the people who look at the page.

What it does not understand it shows as it is. It must never decide anything.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from confsync.local.vendor.conferences import Conference
from confsync.local.vendor.contract import Desired, Moment, Override

_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_DAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
_WHICH = {"1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth", "-1": "last"}
_PLAIN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "WKST"}


def row(revision: int, conference: Conference) -> dict[str, Any]:
    """Return what the page shows of a conference."""
    desired = conference.desired
    return {
        "revision": revision,
        "conference_id": conference.conference_id,
        "state": conference.state,
        "generation": conference.generation,
        "title": desired.title or "",
        "when": when_in_words(desired.start, desired.end),
        "zone": _zone_in_words(desired),
        "recurrence": "; ".join(rule_in_words(rule) for rule in desired.rrule),
        "occurrences": occurrences_in_words(desired),
        "organizer": desired.organizer.email if desired.organizer else "",
        "guests": len(desired.attendees or ()),
        "replaces": conference.replaces or "",
        "replaced_by": list(conference.replaced_by),
    }


def when_in_words(start: Moment | None, end: Moment | None) -> str:
    """Return for example `Tue 24 Nov 2026, 10:00-10:30`, on the clocks of the event's zone."""
    if start is None:
        return ""
    if start.date is not None:
        return _days_in_words(start.date, end.date if end else None)
    begin, finish = _local(start), _local(end) if end and end.utc else None
    text = f"{_day(begin)}, {begin:%H:%M}"
    if finish is None:
        return text
    return (
        f"{text}\u2013{finish:%H:%M}"
        if finish.date() == begin.date()
        else f"{text} \u2013 {_day(finish)}, {finish:%H:%M}"
    )


def _days_in_words(first: date, end: date | None) -> str:
    """The end day is exclusive, as in Calendar."""
    last = end - timedelta(days=1) if end else first
    return f"{_day(first)}, all day" if last <= first else f"{_day(first)} \u2013 {_day(last)}"


def _local(moment: Moment) -> datetime:
    return (moment.local or moment.utc or datetime.min.replace(tzinfo=UTC)).replace(tzinfo=None)


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def _zone_in_words(desired: Desired) -> str:
    if desired.start is None or desired.start.date is not None:
        return ""
    return desired.start.tz if desired.start.tz and desired.start.local else "UTC"


def rule_in_words(rule: str) -> str:
    """Return for example `every 2 weeks on Monday and Friday, 10 times`; a rule that is not plain stays as it is."""
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";") if part)
    unit = _UNITS.get(parts.get("FREQ", ""))
    if unit is None or not parts.keys() <= _PLAIN:
        return rule
    interval = parts.get("INTERVAL", "1")
    every = f"every {unit}" if interval == "1" else f"every {interval} {unit}s"
    return every + _on_days(parts) + _bound(parts)


def _on_days(parts: dict[str, str]) -> str:
    if "BYDAY" in parts:
        days = parts["BYDAY"].split(",")
        return " on weekdays" if days == list(_DAYS)[:5] else f" on {_listed([_day_name(day) for day in days])}"
    return f" on day {_listed(parts['BYMONTHDAY'].split(','))}" if "BYMONTHDAY" in parts else ""


def _day_name(day: str) -> str:
    name, number = _DAYS.get(day[-2:], day), day[:-2].removeprefix("+")
    return f"the {_WHICH.get(number, number)} {name}" if number else name


def _bound(parts: dict[str, str]) -> str:
    if "COUNT" in parts:
        return ", once" if parts["COUNT"] == "1" else f", {parts['COUNT']} times"
    if "UNTIL" not in parts:
        return ""
    try:
        return f", until {_day(datetime.strptime(parts['UNTIL'][:8], '%Y%m%d').date())}"  # noqa: DTZ007 - only its day counts
    except ValueError:
        return f", until {parts['UNTIL']}"


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def occurrences_in_words(desired: Desired) -> list[str]:
    """Return one line for each occurrence that differs from its series, in the order of their dates."""
    moved = [(override.original_start, _override_in_words(override)) for override in desired.overrides]
    left_out = [(moment, "cancelled") for moment in (*desired.cancelled, *desired.exdates)]
    added = [(moment, "added") for moment in desired.rdates]
    every = sorted((*moved, *left_out, *added), key=lambda pair: _date(pair[0]))
    return [f"{_day(_date(moment))}: {words}" for moment, words in every]


def _override_in_words(override: Override) -> str:
    when = when_in_words(override.start, override.end)
    moved = f"moved to {when}" if override.start != override.original_start else f"now {when}"
    renamed = f"renamed \u201c{override.title}\u201d" if override.title else ""
    return ", ".join(part for part in (moved if when else "", renamed) if part)


def _date(moment: Moment) -> date:
    return moment.date or _local(moment).date()
