"""How the page says when a conference takes place."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.local.vendor.conferences import Conference
from confsync.local.vendor.contract import Desired, Moment
from confsync.local.vendor.words import occurrences_in_words, row, rule_in_words, when_in_words


def _at(local: str, utc: str = "2026-11-24T09:00:00Z") -> Moment:
    return Moment.model_validate({"utc": utc, "tz": "Europe/Berlin", "local": local})


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=10", "every 3 days, 10 times"),
        ("FREQ=WEEKLY;BYDAY=MO", "every week on Monday"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every week on weekdays"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR", "every 2 weeks on Monday, Wednesday and Friday"),
        ("FREQ=WEEKLY;WKST=SU;UNTIL=20261224T225959Z;BYDAY=TU", "every week on Tuesday, until Thu 24 Dec 2026"),
        ("FREQ=WEEKLY;COUNT=1", "every week, once"),
        ("FREQ=MONTHLY;BYDAY=2TU", "every month on the second Tuesday"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "every month on the last Friday"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "every month on day 1 and 15"),
        ("FREQ=YEARLY", "every year"),
        ("FREQ=YEARLY;BYMONTH=3;BYSETPOS=1", "FREQ=YEARLY;BYMONTH=3;BYSETPOS=1"),
        ("FREQ=SECONDLY", "FREQ=SECONDLY"),
        ("FREQ=DAILY;UNTIL=sometime", "every day, until SOMETIME"),
        ("", ""),
    ],
)
def test_plain_rules_are_said_in_words_and_others_as_they_are(rule: str, words: str) -> None:
    """Nothing is left out: a rule with a part that has no words here is shown whole."""
    assert rule_in_words(rule) == words


@given(st.text(alphabet="FREQ=WEKLY;BD,MO-12UNTIL0:"))
def test_no_rule_can_break_the_page(rule: str) -> None:
    """Whatever a vendor stored, the page shows something."""
    assert isinstance(rule_in_words(rule), str)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (None, None, ""),
        (_at("2026-11-24T10:00:00"), None, "Tue 24 Nov 2026, 10:00"),
        (_at("2026-11-24T10:00:00"), _at("2026-11-24T10:30:00"), "Tue 24 Nov 2026, 10:00\u201310:30"),
        (
            _at("2026-11-24T22:00:00"),
            _at("2026-11-25T02:00:00"),
            "Tue 24 Nov 2026, 22:00 \u2013 Wed 25 Nov 2026, 02:00",
        ),
        (Moment(utc=datetime.fromisoformat("2026-11-24T09:00:00Z")), None, "Tue 24 Nov 2026, 09:00"),
        (Moment(date=date(2026, 12, 3)), Moment(date=date(2026, 12, 4)), "Thu 3 Dec 2026, all day"),
        (Moment(date=date(2026, 12, 3)), Moment(date=date(2026, 12, 6)), "Thu 3 Dec 2026 \u2013 Sat 5 Dec 2026"),
        (Moment(date=date(2026, 12, 3)), None, "Thu 3 Dec 2026, all day"),
    ],
)
def test_times_are_told_on_the_clocks_of_the_event(start: Moment | None, end: Moment | None, words: str) -> None:
    """The end day of an all-day event is exclusive; without a local time the one in UTC is told."""
    assert when_in_words(start, end) == words


def test_changed_occurrences_are_told_in_the_order_of_their_dates() -> None:
    """Moved, renamed, cancelled, left out and added ones, one line each."""
    first, second, third = (f"2026-12-0{day}T10:00:00" for day in (1, 2, 3))
    desired = Desired.model_validate(
        {
            "cancelled": [_at(third)],
            "exdates": [{"date": "2026-11-30"}],
            "rdates": [{"date": "2026-12-05"}],
            "overrides": [
                {"original_start": _at(second), "start": _at(second), "end": _at("2026-12-02T11:00:00"), "title": "B"},
                {"original_start": _at(first), "start": _at("2026-12-01T14:00:00")},
                {"original_start": _at("2026-12-04T10:00:00"), "title": "C"},
            ],
        }
    )
    assert occurrences_in_words(desired) == [
        "Mon 30 Nov 2026: cancelled",
        "Tue 1 Dec 2026: moved to Tue 1 Dec 2026, 14:00",
        "Wed 2 Dec 2026: now Wed 2 Dec 2026, 10:00\u201311:00, renamed \u201cB\u201d",
        "Thu 3 Dec 2026: cancelled",
        "Fri 4 Dec 2026: renamed \u201cC\u201d",
        "Sat 5 Dec 2026: added",
    ]


def test_a_row_of_an_empty_conference_has_every_column() -> None:
    """A conference that the add-on has just made has a title and nothing else."""
    made = Conference(
        conference_id="c", desired=Desired(title="New"), changed_at=datetime.fromisoformat("2026-11-22T12:00:00Z")
    )
    assert row(4, made) == {
        "revision": 4,
        "conference_id": "c",
        "state": "live",
        "generation": 0,
        "title": "New",
        "when": "",
        "zone": "",
        "recurrence": "",
        "occurrences": [],
        "organizer": "",
        "guests": 0,
        "replaces": "",
        "replaced_by": [],
    }
