"""When a series takes place next, and when it is over, against an expansion by brute force."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from confsync.core.conference import Times
from confsync.core.recurrence import ENDLESS, MAX_COUNTED, MAX_EXPANDED, instant_of, last_end, next_start
from confsync.core.state import Moment
from tests.core.story import DAY, HOUR, NOW, UNTIMED, times

RECORDED = Path(__file__).parents[2].parent / "shared" / "data" / "calendar-payloads"
PARIS, NEW_YORK = "Europe/Paris", "America/New_York"
ZONES = st.sampled_from([None, "UTC", PARIS, NEW_YORK, "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo"])


def utc(text: str) -> datetime:
    """Read a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, zone: str = PARIS) -> datetime:
    """Read a wall clock."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def days(start: str, end: str, *rules: str, zone: str | None = None) -> Times:
    """Return an all-day event; the end is exclusive."""
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    return Times(start=Moment(day=first), end=Moment(day=last), time_zone=zone, recurrence=rules)


# --- one event -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "expected"),
    [(NOW, NOW + HOUR), (NOW + 1.5 * HOUR, NOW + HOUR), (NOW + 2 * HOUR, None), (NOW + 9 * DAY, None)],
)
def test_a_single_event_is_next_until_it_is_over(now: datetime, expected: datetime | None) -> None:
    """While it runs it is the one that counts."""
    assert next_start(times(), now) == expected
    assert last_end(times()) == NOW + 2 * HOUR


def test_an_event_that_ends_before_it_starts_is_over_when_it_starts() -> None:
    """A false end makes no event older than its start."""
    assert last_end(times(length=-HOUR)) == NOW + HOUR


def test_a_day_counts_from_midnight_in_utc_and_its_end_is_exclusive() -> None:
    """All-day events have no zone."""
    whole_day = days("2026-03-02", "2026-03-03")
    assert next_start(whole_day, NOW) == utc("2026-03-02")
    assert last_end(whole_day) == utc("2026-03-03")
    assert instant_of(Moment(day=date(2, 1, 1))) == datetime(2, 1, 1, tzinfo=UTC)


# --- series --------------------------------------------------------------------------------------------------------

LINES = [
    # rules, last start in local time of Paris (None: endless)
    (("RRULE:FREQ=DAILY",), None),
    (("RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR",), None),
    (("RRULE:FREQ=DAILY;COUNT=3",), "2026-03-04T10:00"),
    (("RRULE:FREQ=DAILY;UNTIL=20260304T090000Z",), "2026-03-04T10:00"),
    (("RRULE:FREQ=DAILY;UNTIL=20260304T085959Z",), "2026-03-03T10:00"),
    (("RRULE:FREQ=DAILY;UNTIL=20260304T225959Z",), "2026-03-04T10:00"),
    (("RRULE:FREQ=DAILY;UNTIL=20260304",), "2026-03-04T10:00"),
    (("RRULE:FREQ=DAILY;UNTIL=20260304;INTERVAL=2",), "2026-03-04T10:00"),
    (("RRULE:FREQ=DAILY;UNTIL=20260304T100000",), "2026-03-04T10:00"),
    (("RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260304T090000Z"), "2026-03-03T10:00"),
    (("RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Paris:20260304T100000"), "2026-03-03T10:00"),
    (("RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=America/New_York:20260304T040000"), "2026-03-03T10:00"),
    (("RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260304T090000Z,20260303T090000Z"), "2026-03-02T10:00"),
    (("RRULE:FREQ=DAILY;COUNT=2", "RDATE:20260320T080000Z"), "2026-03-20T09:00"),
    (("RDATE:20260320T080000Z,20260310T080000Z",), "2026-03-20T09:00"),
    (("RDATE;TZID=Europe/Paris:20260320T090000",), "2026-03-20T09:00"),
    (("RDATE;TZID=America/New_York;VALUE=DATE-TIME:20260320T040000",), "2026-03-20T09:00"),
    (("RDATE;VALUE=PERIOD:20260320T080000Z/PT1H,20260321T080000Z/20260321T090000Z",), "2026-03-21T09:00"),
    (("EXDATE:20260304T090000Z",), "2026-03-02T10:00"),
    (("RRULE:FREQ=DAILY;COUNT=2", "RRULE:FREQ=WEEKLY;COUNT=3"), "2026-03-16T10:00"),
    (("RRULE:FREQ=DAILY;COUNT=2", "RRULE:FREQ=WEEKLY"), None),
    (("EXRULE:FREQ=DAILY;COUNT=2", "RRULE:FREQ=DAILY;COUNT=3"), "2026-03-04T10:00"),
    (("RRULE:FREQ=MONTHLY;COUNT=2;BYDAY=1MO",), "2026-04-06T10:00"),
    (("RRULE:FREQ=YEARLY;COUNT=2",), "2027-03-02T10:00"),
    ((f"RRULE:FREQ=DAILY;COUNT={MAX_COUNTED}",), "2039-11-08T10:00"),
    ((f"RRULE:FREQ=DAILY;COUNT={MAX_COUNTED + 1}",), None),
]


@pytest.mark.parametrize(("rules", "last"), LINES)
def test_the_last_end_of_a_series(rules: tuple[str, ...], last: str | None) -> None:
    """Every form of UNTIL, COUNT, RDATE and EXDATE; an instance as long as the first."""
    series = times(local("2026-03-02T10:00"), HOUR, *rules, zone=PARIS)
    assert last_end(series) == (local(last) + HOUR if last else ENDLESS)


def test_a_series_without_any_instance_left_is_over_with_its_first_end() -> None:
    """All of them were excluded."""
    gone = times(NOW, HOUR, "RRULE:FREQ=DAILY;COUNT=1", "EXDATE:20260302T090000Z")
    assert next_start(gone, NOW - DAY) is None
    assert last_end(gone) == NOW + HOUR


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-01T00:00", "2026-03-02T10:00"),
        ("2026-03-02T10:59", "2026-03-02T10:00"),
        ("2026-03-02T11:00", "2026-03-03T10:00"),
        ("2026-03-28T11:00", "2026-03-29T10:00"),
        ("2026-06-01T08:30", "2026-06-01T10:00"),
        ("2026-10-25T10:30", "2026-10-25T10:00"),
        ("2036-01-01T12:00", "2036-01-02T10:00"),
    ],
)
def test_the_next_start_keeps_its_wall_clock_through_the_year(now: str, expected: str) -> None:
    """Ten o'clock stays ten o'clock when the clocks change."""
    series = times(local("2026-03-02T10:00"), HOUR, "RRULE:FREQ=DAILY", zone=PARIS)
    assert next_start(series, local(now)) == local(expected)


@pytest.mark.parametrize("minutes", range(0, 300, 20))
def test_the_hour_that_is_twice_hides_and_invents_no_instance(minutes: int) -> None:
    """On the night the clocks go back, what is over is over."""
    series = times(local("2026-10-20T02:30"), HOUR / 2, "RRULE:FREQ=DAILY", zone=PARIS)
    now = utc("2026-10-24T22:30") + timedelta(minutes=minutes)
    expected = local("2026-10-25T02:30")
    assert next_start(series, now) == (expected if expected + HOUR / 2 > now else local("2026-10-26T02:30"))


@pytest.mark.parametrize("minutes", range(0, 300, 20))
def test_the_hour_that_is_missing_hides_no_instance(minutes: int) -> None:
    """On the night the clocks go forward, half past two is half past three."""
    series = times(local("2026-03-20T02:30"), HOUR / 2, "RRULE:FREQ=DAILY", zone=PARIS)
    now = utc("2026-03-28T23:30") + timedelta(minutes=minutes)
    expected = utc("2026-03-29T01:30")
    assert next_start(series, now) == (expected if expected + HOUR / 2 > now else local("2026-03-30T02:30"))


@pytest.mark.parametrize("zone", [None, PARIS, NEW_YORK])
def test_days_recur_as_days_whatever_zone_stands_beside_them(zone: str | None) -> None:
    """A weekly Monday stays a Monday."""
    mondays = days("2026-03-02", "2026-03-03", "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260316", zone=zone)
    assert next_start(mondays, utc("2026-03-03")) == utc("2026-03-09")
    assert last_end(mondays) == utc("2026-03-17")
    excluded = days("2026-03-02", "2026-03-03", "RRULE:FREQ=WEEKLY;COUNT=2", "EXDATE;VALUE=DATE:20260309", zone=zone)
    assert last_end(excluded) == utc("2026-03-03")


# --- brute force ---------------------------------------------------------------------------------------------------


def expand(start: datetime, zone: str, every: int, weekly: bool, count: int) -> Iterator[datetime]:
    """Return the starts of a daily or weekly rule, by adding days to a wall clock."""
    wall = start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    for number in range(count):
        moved = wall + timedelta(days=number * every * (7 if weekly else 1))
        yield moved.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True)
class Sample:
    """A daily or weekly rule with some instances left out, asked about some time later."""

    wall: datetime
    zone: str | None
    every: int
    weekly: bool
    count: int
    left_out: frozenset[int]
    length: timedelta
    later: timedelta

    @property
    def start(self) -> datetime:
        """When the first instance starts."""
        return self.wall.replace(microsecond=0, tzinfo=ZoneInfo(self.zone or "UTC")).astimezone(UTC)

    @property
    def rule(self) -> str:
        """The line that stands for it."""
        return f"RRULE:FREQ={'WEEKLY' if self.weekly else 'DAILY'};INTERVAL={self.every};COUNT={self.count}"


SAMPLES = st.builds(
    Sample,
    wall=st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - a wall clock
    zone=ZONES,
    every=st.integers(1, 3),
    count=st.integers(1, 40),
    left_out=st.frozensets(st.integers(0, 39), max_size=4),
    length=st.integers(1, 30 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    later=st.integers(-100, 900 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)),
)


@UNTIMED
@given(SAMPLES)
def test_a_series_agrees_with_an_expansion_by_brute_force(sample: Sample) -> None:
    """Daily and weekly rules with excluded instances, in any zone, at any time."""
    name, start, length = sample.zone or "UTC", sample.start, sample.length
    assume(_is_plain(start, name))
    starts = list(expand(start, name, sample.every, sample.weekly, sample.count))
    gone = [each for n, each in enumerate(starts) if n in sample.left_out and _is_plain(each, name)]
    series = times(start, length, sample.rule, *(f"EXDATE:{each:%Y%m%dT%H%M%SZ}" for each in gone), zone=sample.zone)
    kept = [each for each in starts if each not in gone]
    now = start + sample.later
    expected = [each for each in kept if each + length > now]
    assert next_start(series, now) == (expected[0] if expected else None)
    assert last_end(series) == (kept[-1] + length if kept else start + length)


def _is_plain(instant: datetime, zone: str) -> bool:
    """Whether this time is neither in an hour that is twice nor in one that is missing."""
    shown = instant.astimezone(ZoneInfo(zone))
    return shown.fold == 0 and shown.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) == instant


@given(st.integers(0, 2000))
def test_a_series_is_over_exactly_when_nothing_is_next(minutes: int) -> None:
    """The two questions never contradict each other."""
    series = times(NOW, 3 * HOUR, "RRULE:FREQ=DAILY;COUNT=2", zone=PARIS)
    now = NOW + timedelta(minutes=minutes)
    assert (next_start(series, now) is None) == (last_end(series) <= now)


# --- garbage -------------------------------------------------------------------------------------------------------

UNREADABLE = [
    "RRULE", "RRULE:", "RRULE:FREQ", "RRULE:FREQ=", "RRULE:FREQ=OFTEN", "RRULE:COUNT=3", "RRULE:FREQ=DAILY;COUNT=x",
    "RRULE:FREQ=DAILY;UNTIL=tomorrow", "RRULE:FREQ=DAILY;UNTIL=99999999T999999Z", "RRULE:FREQ=DAILY;COUNT=1;BYDAY=XX",
    "RRULE:FREQ=DAILY;COUNT=3;UNTIL=20270101", "RRULE:FREQ=DAILY;COUNT=3;BYHOUR=99", "RRULE:FREQ=DAILY;COUNT=2;WKST=1",
    "RRULE:FREQ=DAILY;COUNT=3;INTERVAL=0", "RRULE:FREQ=DAILY;COUNT=3;INTERVAL=-1", "RRULE:FREQ=DAILY;INTERVAL=00",
    "RRULE:FREQ=SECONDLY;COUNT=3", "RRULE:FREQ=MINUTELY;COUNT=3", "RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
    "RDATE:", "RDATE:soon", "RDATE:20260320T080000 CET", "RDATE;TZID=Europe/Paris:99999999T999999", "EXDATE:٢٠٢٦٠٣٢٠",
    "RDATE:20260320T080000Z,,", "FREQ=DAILY;COUNT=3", "", "NONSENSE", "RRULE:FREQ=DAILY;COUNT=3\nDTSTART:soon",
]  # fmt: skip


@pytest.mark.parametrize("line", UNREADABLE)
def test_a_rule_that_cannot_be_read_counts_as_endless(line: str) -> None:
    """Nothing is called over because it could not be understood; nor is it expanded for ever."""
    series = times(NOW, HOUR, line)
    assert last_end(series) == ENDLESS
    assert next_start(series, NOW + 900 * DAY) == NOW


@pytest.mark.parametrize("line", ["RRULE:FREQ=SECONDLY", "RRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8;BYMINUTE=0,1,2,3"])
def test_a_rule_with_countless_instances_is_given_up(line: str) -> None:
    """A hostile rule costs a moment, not the worker."""
    series = times(NOW - MAX_EXPANDED * HOUR, HOUR, line)
    assert next_start(series, NOW) == NOW - MAX_EXPANDED * HOUR


WORDS = st.sampled_from(
    ["RRULE", "RDATE", "EXDATE", ":", ";", "=", ",", "FREQ", "DAILY", "WEEKLY", "YEARLY", "COUNT", "UNTIL", "INTERVAL",
     "BYDAY", "BYSETPOS", "BYMONTH", "BYEASTER", "WKST", "MO", "2TU", "-1FR", "0", "1", "-1", "7", "99999999999",
     "20260304", "20260304T090000Z", "20260304T090000", "00010101T000000Z", "99991231T235959Z", "TZID=Europe/Paris",
     "TZID=Mars", "VALUE=DATE", "\n", " ", "٣", "\ud800"]
)  # fmt: skip
GARBAGE = st.lists(st.one_of(WORDS, st.text(max_size=3)), max_size=12).map("".join)
RULE_LIKE = st.lists(WORDS, max_size=8).map(lambda words: "RRULE:FREQ=YEARLY;COUNT=3;" + "".join(words))
EDGES = st.sampled_from([datetime.min.replace(tzinfo=UTC), NOW, datetime.max.replace(tzinfo=UTC)])


@UNTIMED
@given(st.lists(st.one_of(GARBAGE, RULE_LIKE), max_size=3), EDGES, ZONES, st.integers(-9, 10**6))
def test_garbage_never_raises(lines: list[str], start: datetime, zone: str | None, minutes: int) -> None:
    """Whatever stands in a recurrence, at the edges of time too, there is an answer."""
    try:
        end = Moment(instant=start + timedelta(minutes=minutes))
    except OverflowError:
        end = Moment(instant=start)
    series = Times(start=Moment(instant=start), end=end, time_zone=zone, recurrence=tuple(lines))
    assert last_end(series).tzinfo is not None
    found = next_start(series, NOW)
    assert found is None or found.tzinfo is not None


def test_a_whole_era_is_a_length_too() -> None:
    """From the first to the last day that there is."""
    era = Times(start=Moment(day=date.min), end=Moment(day=date.max), recurrence=("RRULE:FREQ=YEARLY",))
    assert next_start(era, NOW) == datetime(1, 1, 1, tzinfo=UTC)


# --- recorded ------------------------------------------------------------------------------------------------------


def recorded_rules() -> list[tuple[str, ...]]:
    """Return every recurrence that was ever recorded."""
    found: set[tuple[str, ...]] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("recurrence"), list):
                found.add(tuple(node["recurrence"]))
            for each in node.values():
                walk(each)
        elif isinstance(node, list):
            for each in node:
                walk(each)

    for path in RECORDED.glob("*.json"):
        walk(json.loads(path.read_text()))
    return sorted(found)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded payloads are not part of the repository")
def test_every_recorded_rule_is_read() -> None:
    """None of them counts as endless for want of understanding."""
    rules = recorded_rules()
    assert len(rules) > 20
    for each in rules:
        series = times(utc("2020-01-03T10:00"), HOUR, *each, zone=PARIS)
        bounded = any(re.search("COUNT|UNTIL", line) for line in each)
        assert (last_end(series) != ENDLESS) == bounded
