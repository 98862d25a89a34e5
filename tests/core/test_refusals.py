"""What each refusal to open a push channel makes of a calendar: nothing that may be open is forgotten."""

from datetime import datetime, timedelta

import pytest

from confsync.core.records import Calendar, Channel
from confsync.core.refusals import Refusal, after_refusal, refusal
from confsync.errors import (
    CalendarAccessLost,
    CalendarError,
    CalendarQuotaExceeded,
    CalendarRateLimited,
    CalendarRequestRejected,
    CalendarUnavailable,
    ChannelIdTaken,
    PushNotSupported,
)
from tests.core.story import DAY, HERE, NOW, RULES

PASSING = (CalendarUnavailable, CalendarRateLimited, ChannelIdTaken)
LASTING = (CalendarQuotaExceeded, CalendarRequestRejected)
HOUR = timedelta(hours=1)

ACTIVE = Channel(id="old", state="active", created_at=NOW - DAY, resource_id="r1", expires_at=NOW + DAY)
PENDING = Channel(id="new", state="pending", created_at=NOW)


def asking(**fields: object) -> Calendar:
    """Return a calendar that waits for the answer to `watch`."""
    known = {"key": HERE, "tenant": "default", "calendar_id": "ann@example.com", "subject": "ann@example.com"}
    return Calendar.model_validate({**known, "channels": (ACTIVE, PENDING), "renew_at": NOW, **fields})


def refused(error: CalendarError, **fields: object) -> Calendar:
    """Return such a calendar after the refusal."""
    return after_refusal(error, asking(**fields), "new", NOW, RULES)


def renewed_at(calendar: Calendar) -> datetime:
    """Return when the calendar is asked for again."""
    assert calendar.renew_at is not None
    return calendar.renew_at


@pytest.mark.parametrize("kind", [*PASSING, *LASTING])
def test_a_channel_is_tried_again_and_only_one_that_may_be_open_stays_known(kind: type[CalendarError]) -> None:
    """The one in use stays in any case."""
    calendar = refused(kind("no", "word"))
    assert calendar.channels == ((ACTIVE, PENDING) if kind is CalendarUnavailable else (ACTIVE,))
    assert (calendar.state, calendar.failed_renewals, calendar.channel_error) == ("active", 1, "word")
    assert renewed_at(calendar) > NOW


@pytest.mark.parametrize("kind", [*PASSING, *LASTING])
def test_calendar_is_left_alone_for_as_long_as_it_asked(kind: type[CalendarError]) -> None:
    """However it refused."""
    assert renewed_at(refused(kind("no", "word", 2 * 3600))) == NOW + 2 * HOUR


def test_a_quota_that_is_used_up_is_waited_for() -> None:
    """A user may be read-only for hours."""
    assert renewed_at(refused(CalendarQuotaExceeded("no", "word"))) == NOW + timedelta(seconds=RULES.quota_pause_s)


def test_a_calendar_that_cannot_be_watched_is_polled() -> None:
    """It has no channel, and is synced at once."""
    calendar = refused(PushNotSupported("no", "word"))
    assert (calendar.state, calendar.reason, calendar.channels, calendar.due_at) == ("poll_only", "word", (), NOW)


def test_a_calendar_without_access_is_frozen_and_asked_again_slowly() -> None:
    """Its fence rises, so that whoever syncs it may write nothing any more."""
    calendar = refused(CalendarAccessLost("no", "word"))
    assert (calendar.state, calendar.reason, calendar.channel_error, calendar.fence) == ("frozen", "word", "word", 1)
    assert (calendar.channels, calendar.renew_at) == ((ACTIVE,), NOW + timedelta(seconds=RULES.frozen_retry_s))


def test_a_frozen_calendar_keeps_the_time_of_its_own_next_try() -> None:
    """Nothing changes but what is known of its channel."""
    calendar = refused(CalendarAccessLost("no", "word"), state="frozen", reason="gone", due_at=NOW + HOUR)
    assert (calendar.state, calendar.reason, calendar.fence, calendar.due_at) == ("frozen", "gone", 0, NOW + HOUR)
    assert (calendar.channels, calendar.channel_error) == ((ACTIVE,), "word")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (PushNotSupported, "poll_only"),
        (CalendarAccessLost, "frozen"),
        *((kind, "deferred") for kind in (*PASSING, *LASTING)),
    ],
)
def test_an_operator_hears_once_of_what_does_not_pass_by_itself(kind: type[CalendarError], status: str) -> None:
    """The reason that is stored already is no news."""
    error = kind("no", "word")
    said = refusal(error, asking())
    assert (said.status, said.reason, said.alert) == (status, "word", kind not in PASSING)
    for known in (asking(channel_error="word"), asking(reason="word")):
        assert not refusal(error, known).alert


def test_a_calendar_that_is_frozen_already_is_no_news() -> None:
    """Whatever the reason is called this time."""
    error = CalendarAccessLost("no", "word")
    assert refusal(error, asking(state="frozen", reason="gone")) == Refusal("frozen", "word", alert=False)


def test_a_refusal_without_a_reason_is_told_in_its_own_words() -> None:
    """Google does not always say a word."""
    error = CalendarRequestRejected("the address is no URL")
    assert refusal(error, asking()).reason == "the address is no URL"
    assert refused(error).channel_error == "the address is no URL"
