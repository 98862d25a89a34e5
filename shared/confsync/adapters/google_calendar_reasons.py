"""Google's machine-readable reasons and what each of them means to confsync, as one table.

Plain data. It must never hold a reason whose meaning depends on the request: `google_calendar_errors` judges those
(notFound, deleted, invalid, forbidden, conditionNotMet) by what was asked.

https://developers.google.com/workspace/calendar/api/guides/errors and
https://cloud.google.com/apis/design/errors (ErrorReason, in capitals)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from confsync.errors import (
    CalendarAccessLost,
    CalendarError,
    CalendarQuotaExceeded,
    CalendarRateLimited,
    CalendarRequestRejected,
    CalendarUnavailable,
    ChannelIdTaken,
    PushNotSupported,
    SyncTokenRejected,
)


@dataclass(frozen=True)
class Verdict:
    """Which error a refusal is, and what an operator can do about it."""

    error: type[CalendarError]
    advice: str = ""


_SCOPES = "authorise the scope calendar.events for the service account's client id in the Admin console"
_SIGN_IN = "Google refuses this sign-in"
_SWITCHED_OFF = "Calendar is switched off for the user, or the administrator blocks this application"
_ROLE = "share the calendar with the subject as writer"
_API = "enable the Google Calendar API in the project"
_PROJECT = "the project may not call the Calendar API; check its billing and state"
_QUOTA = "the user or project used up a long-term limit; ask Google for more or wait"

_SLOW_DOWN = Verdict(CalendarRateLimited)
_PAUSE = Verdict(CalendarQuotaExceeded, _QUOTA)
_LATER = Verdict(CalendarUnavailable)
_WRONG = Verdict(CalendarRequestRejected)
_LIST_ALL = Verdict(SyncTokenRejected)

BY_REASON: Mapping[str, Verdict] = {
    # How much may be asked.
    "rateLimitExceeded": _SLOW_DOWN,
    "userRateLimitExceeded": _SLOW_DOWN,
    "concurrentLimitExceeded": _SLOW_DOWN,
    "RATE_LIMIT_EXCEEDED": _SLOW_DOWN,
    "quotaExceeded": _PAUSE,
    "dailyLimitExceeded": _PAUSE,
    "RESOURCE_QUOTA_EXCEEDED": _PAUSE,
    # Whose calendar may be read and written.
    "authError": Verdict(CalendarAccessLost, _SIGN_IN),
    "ACCESS_TOKEN_EXPIRED": Verdict(CalendarAccessLost, _SIGN_IN),
    "ACCOUNT_STATE_INVALID": Verdict(CalendarAccessLost, _SIGN_IN),
    "accountDeleted": Verdict(CalendarAccessLost, _SIGN_IN),
    "accountDisabled": Verdict(CalendarAccessLost, _SIGN_IN),
    "delegationDenied": Verdict(CalendarAccessLost, _SCOPES),
    "insufficientPermissions": Verdict(CalendarAccessLost, _SCOPES),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": Verdict(CalendarAccessLost, _SCOPES),
    "notACalendarUser": Verdict(CalendarAccessLost, _SWITCHED_OFF),
    "appNotInstalled": Verdict(CalendarAccessLost, _SWITCHED_OFF),
    "domainPolicy": Verdict(CalendarAccessLost, _SWITCHED_OFF),
    "USER_BLOCKED_BY_ADMIN": Verdict(CalendarAccessLost, _SWITCHED_OFF),
    "requiredAccessLevel": Verdict(CalendarAccessLost, _ROLE),
    # Our project, not the calendar.
    "accessNotConfigured": Verdict(CalendarUnavailable, _API),
    "SERVICE_DISABLED": Verdict(CalendarUnavailable, _API),
    "BILLING_DISABLED": Verdict(CalendarUnavailable, _PROJECT),
    "CONSUMER_INVALID": Verdict(CalendarUnavailable, _PROJECT),
    "CONSUMER_SUSPENDED": Verdict(CalendarUnavailable, _PROJECT),
    "USER_PROJECT_DENIED": Verdict(CalendarUnavailable, _PROJECT),
    # Passing faults.
    "backendError": _LATER,
    "internalError": _LATER,
    "conflict": _LATER,
    # What was asked for.
    "fullSyncRequired": _LIST_ALL,
    "updatedMinTooLongAgo": _LIST_ALL,
    "duplicate": _WRONG,
    "forbiddenForNonOrganizer": Verdict(CalendarRequestRejected, "only the organizer may change this"),
    "parseError": _WRONG,
    "timeRangeEmpty": _WRONG,
    # Push channels.
    "pushNotSupportedForRequestedResource": Verdict(PushNotSupported),
    "channelIdNotUnique": Verdict(ChannelIdTaken),
    "webhookUrlNotHttps": Verdict(CalendarRequestRejected, "the receiver's address must begin with https://"),
    "webhookUrlUnauthorized": Verdict(
        CalendarRequestRejected, "Google will not push to the receiver's address; verify its domain for the project"
    ),
    "channelTypeNotSupported": _WRONG,
}
"""By reason, without the prefix `push.`; for each reason one meaning, whatever the HTTP status."""

BY_STATUS: Mapping[int, Verdict] = {
    401: Verdict(CalendarAccessLost, _SIGN_IN),
    408: _LATER,
    # Without a condition of ours, a 412 passes.
    412: _LATER,
    429: _SLOW_DOWN,
}
"""By HTTP status, where Google gives no reason that is known; only those that a request does not colour."""

LOST_GRANTS: Mapping[str, str] = {
    "invalid_grant": "the user is suspended, deleted or has withdrawn consent, or this machine's clock is wrong",
    "unauthorized_client": f"{_SCOPES}; a refresh token must be of the OAuth client that is set",
    "invalid_scope": _SCOPES,
    "access_denied": _SWITCHED_OFF,
    "admin_policy_enforced": _SWITCHED_OFF,
    "secret_missing": "no refresh token of this user is in Secret Manager; let the user consent, and store it",
    "wrong_subject": "with SIGN_IN=shared the subject of a calendar is the function's own service account",
}
"""Error codes of the token endpoint, and of our own sign-in, that mean lost access, with the way out; all others may
pass.

https://www.rfc-editor.org/rfc/rfc6749#section-5.2 and https://developers.google.com/identity/protocols/oauth2
"""

OUR_GRANTS: Mapping[str, str] = {
    "invalid_client": "OAUTH_CLIENT_ID or OAUTH_CLIENT_SECRET is wrong",
    "deleted_client": "the OAuth client was deleted; create another one",
    "disabled_client": "the OAuth client is disabled; enable it",
    "secret_denied": "grant the function roles/secretmanager.secretAccessor on the users' secrets",
}
"""Those that are the trouble of our project, and so of all users at once: no calendar is frozen because of them."""
