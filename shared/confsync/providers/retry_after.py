"""Reads `Retry-After` in the three forms that back ends send: seconds, an HTTP date, an ISO 8601 date and time.

RFC 9110 knows the first two; Zoom sends the third for its daily limits. It must never return a wait that a caller could
not survive: the past counts as now, and more than a day as a day.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT_S = 86_400.0

_SECONDS = re.compile(r"-?\d{1,15}(\.\d{1,9})?", re.ASCII)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return how many seconds to wait, between 0 and `LONGEST_WAIT_S`; None when the value says nothing."""
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return _bounded(float(text))
    moment = _parse_iso(text) or _parse_http_date(text)
    return _bounded((moment - now).total_seconds()) if moment else None


def _bounded(wait_s: float) -> float:
    return min(max(wait_s, 0.0), LONGEST_WAIT_S)


def _parse_iso(text: str) -> datetime | None:
    try:
        return _in_utc(datetime.fromisoformat(text))
    except ValueError:
        return None


def _parse_http_date(text: str) -> datetime | None:
    try:
        return _in_utc(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
