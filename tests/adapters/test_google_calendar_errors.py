"""What Google's refusals and the network's failures mean: every reason, every status, every library's exception."""

import http.client
import inspect
import json
import socket
import ssl
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import google.auth.exceptions
import google.oauth2.credentials
import httplib2.decode
import httplib2.error
import pytest

from confsync.adapters.google_calendar import GoogleCalendar
from confsync.adapters.google_calendar_errors import FAILURES, Call, UnknownToCalendar, failure, refusal
from confsync.adapters.google_calendar_reasons import BY_REASON, LOST_GRANTS
from confsync.adapters.sign_in import local
from confsync.core.events import Window
from confsync.errors import (
    CalendarAccessLost,
    CalendarError,
    CalendarQuotaExceeded,
    CalendarRateLimited,
    CalendarRequestRejected,
    CalendarUnavailable,
    ChannelIdTaken,
    PageTokenRejected,
    PreconditionFailed,
    PushNotSupported,
    SyncTokenRejected,
)
from tests.adapters.test_google_calendar_scripted import ANN, LAST_PAGE, Answer, error_body, list_once, scripted

RECORDED = Path(__file__).parents[2].parent / "shared" / "data" / "calendar-payloads"

LIST = Call("events.list", "calendar")
INCREMENTAL = Call("events.list", "calendar", sync_token=True)
NEXT_PAGE = Call("events.list", "calendar", page_token=True)
NEXT_INCREMENTAL_PAGE = Call("events.list", "calendar", sync_token=True, page_token=True)
WATCH = Call("events.watch", "calendar")
GET = Call("events.get", "event")
UPDATE = Call("events.update", "event", if_match=True)
STOP = Call("channels.stop", "channel")

REASONS: list[tuple[str, int, type[CalendarError]]] = [
    ("rateLimitExceeded", 403, CalendarRateLimited),
    ("rateLimitExceeded", 429, CalendarRateLimited),
    ("userRateLimitExceeded", 403, CalendarRateLimited),
    ("concurrentLimitExceeded", 403, CalendarRateLimited),
    ("RATE_LIMIT_EXCEEDED", 429, CalendarRateLimited),
    ("quotaExceeded", 403, CalendarQuotaExceeded),
    ("dailyLimitExceeded", 403, CalendarQuotaExceeded),
    ("RESOURCE_QUOTA_EXCEEDED", 429, CalendarQuotaExceeded),
    ("authError", 401, CalendarAccessLost),
    ("ACCESS_TOKEN_EXPIRED", 401, CalendarAccessLost),
    ("ACCOUNT_STATE_INVALID", 401, CalendarAccessLost),
    ("accountDeleted", 403, CalendarAccessLost),
    ("accountDisabled", 403, CalendarAccessLost),
    ("delegationDenied", 403, CalendarAccessLost),
    ("insufficientPermissions", 403, CalendarAccessLost),
    ("ACCESS_TOKEN_SCOPE_INSUFFICIENT", 403, CalendarAccessLost),
    ("notACalendarUser", 403, CalendarAccessLost),
    ("appNotInstalled", 403, CalendarAccessLost),
    ("domainPolicy", 403, CalendarAccessLost),
    ("USER_BLOCKED_BY_ADMIN", 403, CalendarAccessLost),
    ("requiredAccessLevel", 403, CalendarAccessLost),
    ("accessNotConfigured", 403, CalendarUnavailable),
    ("SERVICE_DISABLED", 403, CalendarUnavailable),
    ("BILLING_DISABLED", 403, CalendarUnavailable),
    ("CONSUMER_INVALID", 403, CalendarUnavailable),
    ("CONSUMER_SUSPENDED", 403, CalendarUnavailable),
    ("USER_PROJECT_DENIED", 403, CalendarUnavailable),
    ("backendError", 500, CalendarUnavailable),
    ("backendError", 503, CalendarUnavailable),
    ("internalError", 500, CalendarUnavailable),
    ("conflict", 409, CalendarUnavailable),
    ("fullSyncRequired", 410, SyncTokenRejected),
    ("updatedMinTooLongAgo", 410, SyncTokenRejected),
    ("duplicate", 409, CalendarRequestRejected),
    ("forbiddenForNonOrganizer", 403, CalendarRequestRejected),
    ("parseError", 400, CalendarRequestRejected),
    ("timeRangeEmpty", 400, CalendarRequestRejected),
    ("pushNotSupportedForRequestedResource", 400, PushNotSupported),
    ("push.pushNotSupportedForRequestedResource", 400, PushNotSupported),
    ("channelIdNotUnique", 400, ChannelIdTaken),
    ("push.channelIdNotUnique", 400, ChannelIdTaken),
    ("push.webhookUrlNotHttps", 400, CalendarRequestRejected),
    ("push.webhookUrlUnauthorized", 401, CalendarRequestRejected),
    ("push.webhookUrlUnauthorized", 403, CalendarRequestRejected),
    ("push.channelTypeNotSupported", 400, CalendarRequestRejected),
]


def refused(call: Call, status: int, body: object, **headers: str) -> CalendarError:
    """Return what `refusal` makes of a body, given as bytes or as JSON."""
    return refusal(call, status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(("reason", "status", "error"), REASONS)
@pytest.mark.parametrize("call", [LIST, INCREMENTAL, WATCH, UPDATE], ids=lambda call: call.operation)
def test_each_reason_means_one_error(reason: str, status: int, error: type[CalendarError], call: Call) -> None:
    """A known reason has one meaning, whatever was asked; the error carries it without the prefix `push.`."""
    refusal_ = refused(call, status, error_body(reason, status))
    assert type(refusal_) is error
    assert refusal_.reason == reason.removeprefix("push.")


def test_every_reason_of_the_table_is_tested() -> None:
    """A reason that is added to the adapter's table has to be added to the table above."""
    assert {reason.removeprefix("push.") for reason, _, _ in REASONS} == set(BY_REASON)


@pytest.mark.parametrize(
    ("call", "status", "reason", "error"),
    [
        (LIST, 404, "notFound", CalendarAccessLost),
        (WATCH, 404, "notFound", CalendarAccessLost),
        (GET, 404, "notFound", UnknownToCalendar),
        (GET, 410, "deleted", UnknownToCalendar),
        (UPDATE, 404, "notFound", PreconditionFailed),
        (STOP, 404, "notFound", UnknownToCalendar),
        (LIST, 410, "deleted", CalendarAccessLost),
        (INCREMENTAL, 410, "somethingNew", SyncTokenRejected),
        (UPDATE, 412, "conditionNotMet", PreconditionFailed),
        (LIST, 412, "conditionNotMet", CalendarUnavailable),
        (LIST, 403, "forbidden", CalendarAccessLost),
        (LIST, 403, "somethingNew", CalendarAccessLost),
        (UPDATE, 403, "forbidden", CalendarRequestRejected),
        (STOP, 403, "forbidden", CalendarRequestRejected),
        (LIST, 401, "required", CalendarAccessLost),
        (LIST, 400, "required", CalendarRequestRejected),
        (LIST, 409, "somethingNew", CalendarRequestRejected),
        (LIST, 429, "somethingNew", CalendarRateLimited),
        (LIST, 408, "somethingNew", CalendarUnavailable),
        (LIST, 502, "somethingNew", CalendarUnavailable),
        (LIST, 504, "somethingNew", CalendarUnavailable),
        (LIST, 307, "somethingNew", CalendarUnavailable),
    ],
)
def test_other_reasons_are_judged_by_status_and_request(
    call: Call, status: int, reason: str, error: type[CalendarError]
) -> None:
    """Where the reason says too little, what was asked decides how far the refusal reaches."""
    assert isinstance(refused(call, status, error_body(reason, status)), error)


@pytest.mark.parametrize("reason", ["invalid", "badRequest", "invalidParameter"])
@pytest.mark.parametrize(
    ("call", "location", "error"),
    [
        (INCREMENTAL, "", SyncTokenRejected),
        (INCREMENTAL, "syncToken", SyncTokenRejected),
        (INCREMENTAL, "maxResults", CalendarRequestRejected),
        (NEXT_PAGE, "", PageTokenRejected),
        (NEXT_PAGE, "pageToken", PageTokenRejected),
        (NEXT_INCREMENTAL_PAGE, "", PageTokenRejected),
        (NEXT_INCREMENTAL_PAGE, "pageToken", PageTokenRejected),
        (NEXT_INCREMENTAL_PAGE, "syncToken", SyncTokenRejected),
        (LIST, "", CalendarRequestRejected),
        (LIST, "syncToken", CalendarRequestRejected),
        (UPDATE, "", CalendarRequestRejected),
    ],
)
def test_a_malformed_token_is_told_from_a_malformed_request(
    call: Call, location: str, error: type[CalendarError], reason: str
) -> None:
    """400 `invalid` rejects a token only if one was sent and no other parameter is blamed; the page token first."""
    more = {"locationType": "parameter", "location": location} if location else {}
    assert type(refused(call, 400, error_body(reason, 400, **more))) is error


def test_the_status_string_is_never_believed() -> None:
    """The recorded quota error says PERMISSION_DENIED and means a rate limit, in its old form and in its new one."""
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"}]
    new_form = {"error": {"code": 403, "message": "m", "status": "PERMISSION_DENIED", "details": details}}
    assert type(refused(UPDATE, 403, new_form)) is CalendarRateLimited
    unknown = {"error": {"code": 403, "message": "m", "status": "RESOURCE_EXHAUSTED"}}
    assert type(refused(LIST, 403, unknown)) is CalendarAccessLost


def test_the_more_specific_of_two_reasons_is_used() -> None:
    """`forbidden` says nothing; the detail beside it does."""
    body = error_body("forbidden", 403)
    body["error"]["details"] = [{"reason": "SERVICE_DISABLED"}]
    assert type(refused(LIST, 403, body)) is CalendarUnavailable


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>403</html>",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"error": "denied"}',
        b'{"error": null}',
        b'{"error": {"errors": [{"rea',
        {"error": {"message": "from a gateway"}},
    ],
)
@pytest.mark.parametrize("status", [302, 400, 403, 404, 410, 500, 503])
def test_a_refusal_that_google_did_not_write_proves_nothing(body: object, status: int) -> None:
    """A proxy's page neither freezes a calendar nor deletes an event nor rejects a token."""
    for call in (LIST, NEXT_INCREMENTAL_PAGE, GET, UPDATE):
        assert type(refused(call, status, body)) is CalendarUnavailable


def test_some_statuses_are_clear_without_a_body() -> None:
    """A refused token, a failed condition and a rate limit need no reason."""
    assert type(refused(LIST, 401, b"")) is CalendarAccessLost
    assert type(refused(UPDATE, 412, b"")) is PreconditionFailed
    assert type(refused(LIST, 429, b"")) is CalendarRateLimited


@pytest.mark.parametrize(
    "error",
    [
        {"code": 403, "message": "m", "errors": "many"},
        {"code": 403, "message": "m", "errors": [7], "details": {"reason": "x"}},
        {"code": 403, "message": "m", "errors": [{"reason": ["quotaExceeded"]}]},
        {"code": 403, "message": "m", "errors": [{"reason": "ann@example.com is not allowed"}]},
    ],
)
def test_odd_error_bodies_are_judged_by_status(error: dict[str, Any]) -> None:
    """Whatever stands where a reason should be, nothing breaks and nothing of it is passed on."""
    found = refused(LIST, 403, {"error": error})
    assert (type(found), found.reason) == (CalendarAccessLost, "")
    assert "@" not in str(found)


def test_messages_name_operation_and_reason_and_the_way_out() -> None:
    """An operator reads what was asked, Google's word and what to do; no address and nothing of Google's text."""
    assert str(refused(LIST, 403, error_body("accessNotConfigured", 403))) == (
        "events.list: Calendar answered 403 accessNotConfigured; enable the Google Calendar API in the project"
    )
    assert str(refused(LIST, 500, error_body("", 500))) == "events.list: Calendar answered 500 without a reason"


SENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17.0),
        (" 0 ", 0.0),
        (format_datetime(SENT + timedelta(minutes=2), usegmt=True), 120.0),
        (format_datetime(SENT - timedelta(minutes=2), usegmt=True), 0.0),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("inf", None),
        ("", None),
        ("Wed, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_carried_over(value: str, seconds: float | None) -> None:
    """Seconds count as they are, a date from the answer's own date, and anything else says nothing."""
    headers = {"retry-after": value, "date": format_datetime(SENT, usegmt=True)}
    assert refused(LIST, 429, error_body("rateLimitExceeded", 429), **headers).retry_after_s == seconds


def test_retry_after_survives_the_way_through_the_library() -> None:
    """The header's name is found whatever its case."""
    answer = Answer(429, error_body("rateLimitExceeded", 429), {"RETRY-After": "7"})
    with scripted(answer) as server, pytest.raises(CalendarRateLimited) as caught:
        list_once(server.calendar())
    assert caught.value.retry_after_s == 7.0


def test_a_retry_after_date_needs_the_date_of_the_answer() -> None:
    """Without a `Date` header a date is no duration; no clock is asked."""
    headers = {"retry-after": format_datetime(SENT, usegmt=True)}
    assert refused(LIST, 503, error_body("backendError", 503), **headers).retry_after_s is None


def _exceptions(module: ModuleType) -> list[type[Exception]]:
    found = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, Exception)]
    return [kind for kind in found if kind.__module__ == module.__name__]


@pytest.mark.parametrize(
    "kind",
    [
        *_exceptions(httplib2.error),
        *_exceptions(httplib2.decode),
        *_exceptions(http.client),
        *_exceptions(google.auth.exceptions),
        *[ssl.SSLError, ssl.SSLCertVerificationError, socket.gaierror, TimeoutError, ConnectionResetError, zlib.error],
    ],
)
def test_every_exception_of_the_libraries_is_mapped(kind: Any) -> None:
    """A new exception of a library below fails here before it fails in production."""
    assert issubclass(kind, FAILURES)
    assert type(failure(LIST, kind.__new__(kind))) is CalendarUnavailable


def refresh_error(*arguments: object, retryable: bool = False) -> google.auth.exceptions.RefreshError:
    """Return what google-auth raises when it cannot renew a token."""
    return google.auth.exceptions.RefreshError(*arguments, retryable=retryable)  # type: ignore[no-untyped-call]  # google-auth leaves it untyped


@pytest.mark.parametrize("code", LOST_GRANTS)
def test_a_refused_grant_is_lost_access(code: str) -> None:
    """Both forms in which google-auth passes on the token endpoint's word are understood."""
    for error in (refresh_error(f"{code}: Bad Request", {"error": code}), refresh_error(f"{code}: Bad Request")):
        found = failure(LIST, error)
        assert (type(found), found.reason) == (CalendarAccessLost, code)


@pytest.mark.parametrize(
    "error",
    [
        refresh_error("server_error: None", {"error": "server_error"}, retryable=True),
        refresh_error("Unable to acquire impersonated credentials", '{"error": {"code": 403}}'),
        refresh_error("No access token in response.", {}),
        refresh_error({"error": ["invalid_grant"]}),
        refresh_error(),
    ],
)
def test_other_trouble_with_signing_in_passes(error: google.auth.exceptions.RefreshError) -> None:
    """What is our service account's trouble, or the token endpoint's, freezes no calendar."""
    assert type(failure(LIST, error)) is CalendarUnavailable


def _recorded() -> list[Path]:
    return sorted(RECORDED.glob("error-*.json"))


RECORDED_MEANINGS: dict[str, tuple[str, type[CalendarError]]] = {
    "error-400-invalid-synctoken-recorded": ("list", SyncTokenRejected),
    "error-400-pushnotsupported": ("watch", PushNotSupported),
    "error-400-timerangeempty": ("list", CalendarRequestRejected),
    "error-400-webhookurlnothttps": ("watch", CalendarRequestRejected),
    "error-403-appnotinstalled": ("list", CalendarAccessLost),
    "error-403-forbiddenfornonorganizer": ("write", CalendarRequestRejected),
    "error-403-quota-per-minute-permission-denied": ("list", CalendarRateLimited),
    "error-403-quotaexceeded": ("list", CalendarQuotaExceeded),
    "error-403-requiredaccesslevel": ("watch", CalendarAccessLost),
    "error-403-userratelimitexceeded": ("list", CalendarRateLimited),
    "error-404-notfound": ("list", CalendarAccessLost),
    "error-409-duplicate": ("write", CalendarRequestRejected),
    "error-410-fullsyncrequired-doc": ("list", SyncTokenRejected),
    "error-410-fullsyncrequired-recorded": ("list", SyncTokenRejected),
    "error-410-updatedmintoolongago": ("list", SyncTokenRejected),
    "error-429-ratelimitexceeded": ("list", CalendarRateLimited),
    "error-500-backenderror": ("list", CalendarUnavailable),
}


def ask(calendar: GoogleCalendar, what: str) -> object:
    """Make one call of each kind."""
    if what == "list":
        return list_once(calendar, "s0")
    if what == "watch":
        return calendar.watch_events(ANN, channel_id="c", channel_token="t", address="https://example.com", ttl_s=60)
    return calendar.write_conference_data(ANN, "e1", '"1"', None)


@pytest.mark.skipif(not _recorded(), reason="the recorded payloads are not part of the repository")
@pytest.mark.parametrize("name", RECORDED_MEANINGS)
def test_recorded_refusals_mean_what_they_should(name: str) -> None:
    """Each recorded error body, served over HTTP with its status, comes out as the right error."""
    payload = json.loads((RECORDED / f"{name}.json").read_text())["payload"]
    status, body = (payload["status"], payload["body"]) if "body" in payload else (payload["error"]["code"], payload)
    what, error = RECORDED_MEANINGS[name]
    with scripted(Answer(status, body)) as server, pytest.raises(error) as caught:
        ask(server.calendar(), what)
    assert type(caught.value) is error


@pytest.mark.skipif(not _recorded(), reason="the recorded payloads are not part of the repository")
def test_every_recorded_refusal_is_tested() -> None:
    """A payload that is added to the collection has to be given a meaning."""
    tested = {*RECORDED_MEANINGS, "error-400-invalid-grant-recorded"}
    assert {path.stem for path in _recorded()} == tested


def _user_credentials(token_uri: str) -> google.oauth2.credentials.Credentials:
    return google.oauth2.credentials.Credentials(  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
        token=None, refresh_token="r", token_uri=token_uri, client_id="c", client_secret="s"
    )


def test_a_withdrawn_grant_is_lost_access_before_calendar_is_asked() -> None:
    """The token endpoint's recorded `invalid_grant`, through google-auth itself, ends as lost access."""
    answer = Answer(400, {"error": "invalid_grant", "error_description": "Bad Request"})
    with scripted(answer) as server, scripted(Answer(body=LAST_PAGE)) as calendar_server:
        credentials = _user_credentials(server.url)
        calendar = calendar_server.calendar(credentials_for=lambda _: credentials)
        with pytest.raises(CalendarAccessLost) as caught:
            list_once(calendar)
    assert (caught.value.reason, calendar_server.asked) == ("invalid_grant", [])


def test_a_token_endpoint_out_of_reach_is_a_passing_fault() -> None:
    """Nobody loses access because the token endpoint cannot be reached."""
    with scripted(Answer(body=LAST_PAGE)) as server:
        credentials = _user_credentials(f"http://127.0.0.1:{_closed_port()}/token")
        with pytest.raises(CalendarUnavailable):
            list_once(server.calendar(credentials_for=lambda _: credentials))


def test_missing_credentials_are_told_to_the_operator() -> None:
    """Without application default credentials nothing works until someone acts; no calendar is frozen for it."""

    def none(_: str) -> google.oauth2.credentials.Credentials:
        raise google.auth.exceptions.DefaultCredentialsError

    with scripted(Answer()) as server, pytest.raises(CalendarUnavailable, match="service account"):
        list_once(server.calendar(credentials_for=none))


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_refused_connection_is_a_passing_fault() -> None:
    """Nobody listens: the task is tried again."""
    calendar = GoogleCalendar(local(), endpoint=f"http://127.0.0.1:{_closed_port()}/calendar/v3/")
    with pytest.raises(CalendarUnavailable, match="ConnectionRefusedError"):
        list_once(calendar)


def test_a_reset_connection_is_a_passing_fault() -> None:
    """The connection breaks before the answer."""
    with scripted(Answer(ending="reset")) as server, pytest.raises(CalendarUnavailable):
        list_once(server.calendar())


def test_silence_is_a_passing_fault() -> None:
    """A server that never answers costs one time-out."""
    with scripted(Answer(ending="silence")) as server, pytest.raises(CalendarUnavailable, match="TimeoutError"):
        list_once(server.calendar(timeout_s=0.05))


def test_a_tls_failure_is_a_passing_fault() -> None:
    """A peer that speaks no TLS, or shows a wrong certificate, says nothing about the calendar."""
    with scripted(Answer()) as server:
        calendar = GoogleCalendar(local(), endpoint=server.url.replace("http:", "https:"), timeout_s=5)
        with pytest.raises(CalendarUnavailable, match="SSL"):
            calendar.list_events(ANN, sync_token=None, page_token=None, window=Window())
