"""Turns what Google answers, or what went wrong on the way, into confsync's Calendar errors.

Google's *reason* decides, never its status string: the per-minute quota comes as 403 with status PERMISSION_DENIED and
reason rateLimitExceeded. Where there is no known reason the HTTP status decides. It must never put a calendar id, an
address, a token or Google's own text into a message, and never take an answer that Calendar did not write (a proxy's
page, a cut-off body) for a word about the calendar.

Choices that Google's guide leaves open:

- Faults of *our project* (API not enabled, billing off) say nothing about a calendar: unavailable, not access lost,
  so that no calendar is frozen and listed again in full because of them.
- A 403 without a known reason freezes the calendar only if the call was about the whole calendar; about one event or
  channel it is a refusal of that request.
- 404 and 410 about an event or channel mean `UnknownToCalendar`; the adapter knows what each call makes of it.
- 400 `invalid` without a location, sent with both tokens, rejects the page token: starting again is cheap, and a sync
  token that is bad too is rejected next.

https://developers.google.com/workspace/calendar/api/guides/errors
"""

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, Literal

from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError
from httplib2.decode import DecodeLimitError, DecodeRatioError
from httplib2.error import HttpLib2Error

from confsync.adapters.google_calendar_reasons import BY_REASON, BY_STATUS, LOST_GRANTS, OUR_GRANTS, Verdict
from confsync.errors import (
    CalendarAccessLost,
    CalendarError,
    CalendarRequestRejected,
    CalendarUnavailable,
    PageTokenRejected,
    PreconditionFailed,
    SyncTokenRejected,
)

FAILURES = (GoogleAuthError, HttpLib2Error, HTTPException, OSError, zlib.error, DecodeLimitError, DecodeRatioError)
"""Everything that the libraries below raise when no answer was had; time-outs, DNS and TLS errors are OSErrors."""
_CHECK_IAM = "if it stays, check iamcredentials.googleapis.com and the role Service Account Token Creator"


class UnknownToCalendar(PreconditionFailed):
    """Calendar does not know the event or channel (any more)."""


@dataclass(frozen=True)
class Call:
    """One request to Calendar, as far as its refusal has to be understood."""

    operation: str
    """Google's name for the method, such as `events.list`."""
    about: Literal["calendar", "event", "channel"]
    sync_token: bool = False
    """Whether it sent a sync token."""
    page_token: bool = False
    """Whether it sent a page token."""
    if_match: bool = False
    """Whether it was conditional."""


@dataclass(frozen=True)
class _Said:
    """What an error body says."""

    reasons: tuple[str, ...] = ()
    """The most specific first."""
    location: str = ""
    """The parameter that it complains about."""
    readable: bool = True


def refusal(call: Call, status: int, headers: Mapping[str, str], content: bytes) -> CalendarError:
    """Return the error that an answer other than 2xx means; `headers` have lower-case names."""
    said = _read(content)
    verdict = _judge(call, status, said)
    reason = said.reasons[0] if said.reasons else ""
    message = f"{call.operation}: Calendar answered {status} {reason or 'without a reason'}"
    return verdict.error(_with(verdict.advice, message), reason, _retry_after_s(headers))


def failure(call: Call, error: Exception) -> CalendarError:
    """Return the error that an exception of `FAILURES` means."""
    if isinstance(error, RefreshError):
        return _refused_sign_in(call, error)
    if isinstance(error, DefaultCredentialsError):
        return CalendarUnavailable(f"{call.operation}: no credentials; give the function a service account")
    # google-auth wraps what it met.
    met = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    return CalendarUnavailable(f"{call.operation}: no answer ({type(met).__name__})")


def unusable(call: Call, problem: str) -> CalendarUnavailable:
    """Return the error for a 2xx answer that cannot be what Calendar meant to send."""
    return CalendarUnavailable(f"{call.operation}: unusable answer ({problem})")


def _refused_sign_in(call: Call, error: RefreshError) -> CalendarError:
    code = _grant_code(error)
    if code in LOST_GRANTS:
        return CalendarAccessLost(f"{call.operation}: sign-in refused, {code}; {LOST_GRANTS[code]}", code)
    advice = OUR_GRANTS.get(code, _CHECK_IAM)
    return CalendarUnavailable(f"{call.operation}: sign-in failed, {code or 'no code given'}; {advice}", code)


def _grant_code(error: RefreshError) -> str:
    """The token endpoint's `error`; google-auth passes the body on, sometimes only as text in front of a colon."""
    bodies = [argument for argument in error.args if isinstance(argument, dict)]
    code = bodies[0].get("error", "") if bodies else str(error.args[0] if error.args else "").partition(":")[0]
    return _word(code)


def _judge(call: Call, status: int, said: _Said) -> Verdict:
    if not said.readable and status not in (401, 412, 429):
        return Verdict(CalendarUnavailable, "the answer was not written by Calendar; check the endpoint and proxies")
    rejected_token = _rejected_token(call, status, said)
    if rejected_token is not None:
        return Verdict(rejected_token)
    for reason in said.reasons:
        if reason in BY_REASON:
            return BY_REASON[reason]
    return _by_status(call, status)


def _rejected_token(call: Call, status: int, said: _Said) -> type[CalendarError] | None:
    """A malformed token is 400 `invalid`, often without saying which parameter it means."""
    if status != 400 or not {"invalid", "badRequest", "invalidParameter"}.intersection(said.reasons):
        return None
    if call.page_token and said.location in ("", "pageToken"):
        return PageTokenRejected
    if call.sync_token and said.location in ("", "syncToken"):
        return SyncTokenRejected
    return None


def _by_status(call: Call, status: int) -> Verdict:
    if status in (404, 410):
        return _gone(call, status)
    if status == 403 and call.about == "calendar":
        return Verdict(CalendarAccessLost, "check how the calendar is shared with the subject")
    if status == 412 and call.if_match:
        return Verdict(PreconditionFailed, "read the event again")
    if status in BY_STATUS:
        return BY_STATUS[status]
    return Verdict(CalendarRequestRejected if 400 <= status < 500 else CalendarUnavailable)


def _gone(call: Call, status: int) -> Verdict:
    if call.about != "calendar":
        return Verdict(UnknownToCalendar)
    if status == 410 and call.sync_token:
        return Verdict(SyncTokenRejected)
    return Verdict(CalendarAccessLost, "the calendar was deleted or is no longer shared with the subject")


def _read(content: bytes) -> _Said:
    """Read `{"error": {"errors": [...], "details": [...]}}`, old form and new."""
    try:
        error = json.loads(content)["error"]
        is_googles = {"code", "message"} <= error.keys()
    except (ValueError, KeyError, TypeError, AttributeError):
        is_googles = False
    if not is_googles:
        return _Said(readable=False)
    first, detail = _first(error.get("errors")), _first(error.get("details"))
    reasons = (_word(first.get("reason")), _word(detail.get("reason")))
    return _Said(tuple(filter(None, reasons)), str(first.get("location") or ""))


def _first(items: Any) -> Mapping[str, Any]:
    found = items[0] if isinstance(items, list) and items else {}
    return found if isinstance(found, dict) else {}


def _word(value: Any) -> str:
    """A reason is one short word; anything else from outside does not reach messages and logs."""
    match = re.fullmatch(r"(push\.)?([A-Za-z][A-Za-z0-9_]{0,79})", value) if isinstance(value, str) else None
    return match[2] if match else ""


def _with(advice: str, message: str) -> str:
    return f"{message}; {advice}" if advice else message


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read seconds or an HTTP date; a date counts from the answer's own `Date`, so that no clock is compared."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return float(value)
    until, sent = _http_date(value), _http_date(headers.get("date", ""))
    return max((until - sent).total_seconds(), 0.0) if until and sent else None


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else None
