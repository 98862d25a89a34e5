"""How long a back end asks to wait."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.providers.retry_after import LONGEST_WAIT_S, parse_retry_after

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("120", 120),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("-5", 0),
        ("99999999", LONGEST_WAIT_S),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30),
        ("Sunday, 22-Nov-26 12:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("Tue, 01 Jan 2036 00:00:00 GMT", LONGEST_WAIT_S),
        ("2026-11-22T12:01:00Z", 60),
        ("2026-11-22T13:01:00+01:00", 60),
        ("2026-11-22T12:01:00", 60),
        ("2026-11-23T00:00:00Z", 43_200),
        ("1999-01-01T00:00:00Z", 0),
        (None, None),
        ("", None),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("1e9", None),
        ("\u0661\u0662", None),
        ("5, 10", None),
        ("9" * 400, None),
        ("Sun, 99 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_three_forms_are_read_and_bounded(value: str | None, wait_s: float | None) -> None:
    """Seconds, HTTP dates and ISO 8601 are read; the past is now, more than a day is a day, the rest says nothing."""
    assert parse_retry_after(value, NOW) == wait_s


@given(st.text())
def test_no_value_can_break_it(value: str) -> None:
    """Whatever stands in the header, the wait is None or between nothing and a day."""
    wait_s = parse_retry_after(value, NOW)
    assert wait_s is None or 0 <= wait_s <= LONGEST_WAIT_S
