"""The errors of confsync, named by what the caller must do.

It must never import anything: every layer raises or catches these.

    ConfsyncError
    +-- SettingsError                  tell the operator which variable, stop
    +-- SecretError
    |   +-- SecretMissing              an operator must add it, or a user consent
    |   +-- SecretDenied               an operator must grant access
    |   `-- SecretUnavailable          try again
    +-- NotificationRejected           answer 4xx, create no task
    +-- CertificatesUnavailable        answer 503: whether a token is genuine cannot be told now
    +-- RequestMalformed               answer 400; the same body would be refused again
    +-- UnknownCalendar                tell who asked: there is no such calendar
    +-- BudgetSpent                    progress is stored: go on in another task
    +-- StoreError
    |   +-- StoreUnavailable           try the task again
    |   +-- StoreCorrupt               stop; nothing was overwritten
    |   `-- FenceLost                  another worker owns the calendar now: drop everything
    +-- TaskQueueError
    |   +-- TaskQueueUnavailable       answer 503 (receiver) or try the task again
    |   `-- TaskQueueMisconfigured     an operator must act; answer 503
    +-- CalendarError
    |   +-- CalendarUnavailable        try the task again
    |   +-- CalendarRateLimited        wait `retry_after_s`, then go on
    |   +-- CalendarQuotaExceeded      pause this calendar for long, tell the operator
    |   +-- CalendarAccessLost         freeze the calendar, end nothing
    |   +-- SyncTokenRejected          list everything without a token, then sweep
    |   +-- PageTokenRejected          start the listing again
    |   +-- PreconditionFailed         read the event again, plan again
    |   +-- PushNotSupported           poll this calendar
    |   +-- ChannelIdTaken             choose a new channel id
    |   `-- CalendarRequestRejected    our request is wrong: record a failure
    `-- ProviderError
        +-- ProviderBusy               not applied: wait `retry_after_s`, then call again
        +-- OutcomeUnknown             perhaps applied: wait for the intent's deadline, apply as a new generation
        +-- ConferenceStale            raise the generation above `stored_generation`, send the record's state
        +-- ConferenceGone             the back end no longer knows the conference
        +-- ProviderRejected           permanent for this state: record a failure
        `-- ProviderRefusesUs          credentials, address or endpoint are wrong: an operator must act
"""


class ConfsyncError(Exception):
    """Anything that confsync raises on purpose."""


class SettingsError(ConfsyncError):
    """A setting is missing or malformed; the message names variable, value and expected form."""


class SecretError(ConfsyncError):
    """A secret could not be read; the message names it, never its content."""


class SecretMissing(SecretError):
    """There is no such secret or version, or it was disabled or destroyed."""


class SecretDenied(SecretError):
    """This process may not read the secret."""


class SecretUnavailable(SecretError):
    """Secret Manager did not answer in time or reported a passing fault."""


class NotificationRejected(ConfsyncError):
    """A request to the receiver that is no genuine notification: of a channel of ours, or from the vendor's add-on."""

    def __init__(self, message: str, status: int) -> None:
        """Keep the HTTP status (4xx) that the receiver answers."""
        super().__init__(message)
        self.status = status


class CertificatesUnavailable(ConfsyncError):
    """The keys that Google signs its tokens with could not be had."""


class RequestMalformed(ConfsyncError):
    """The body of a request to the worker is none; the message names each wrong field, and what is expected."""


class UnknownCalendar(ConfsyncError):
    """Nothing is stored of the calendar that was named; the message says how calendars are named."""


class BudgetSpent(ConfsyncError):
    """The time of one task is nearly over; a checkpoint says where to go on."""


class StoreError(ConfsyncError):
    """The store could not do what was asked."""


class StoreUnavailable(StoreError):
    """The store did not answer or stayed locked; nothing is known to be written."""


class StoreCorrupt(StoreError):
    """The stored data cannot be read by this version; nothing was overwritten."""


class FenceLost(StoreError):
    """The calendar's fence moved on: this worker may write nothing any more."""


class TaskQueueError(ConfsyncError):
    """A task could not be created."""


class TaskQueueUnavailable(TaskQueueError):
    """The queue did not answer in time or reported a passing fault."""


class TaskQueueMisconfigured(TaskQueueError):
    """The queue does not exist, or this service account may not use it."""


class CalendarError(ConfsyncError):
    """The Calendar API refused or failed; `reason` is Google's machine-readable word."""

    def __init__(self, message: str, reason: str = "", retry_after_s: float | None = None) -> None:
        """Keep Google's reason, and how long it asked to wait (None: it did not say)."""
        super().__init__(message)
        self.reason = reason
        self.retry_after_s = retry_after_s


class CalendarUnavailable(CalendarError):
    """A passing fault: 5xx, a cut-off answer, a time-out."""


class CalendarRateLimited(CalendarError):
    """Too many requests per minute for the user or the project (403 or 429, by reason)."""


class CalendarQuotaExceeded(CalendarError):
    """403 quotaExceeded: the user may be read-only for hours; never retried in a loop."""


class CalendarAccessLost(CalendarError):
    """Access to the calendar is gone: revoked, suspended, unshared, deleted. No one can tell which."""


class SyncTokenRejected(CalendarError):
    """The sync token is expired (410 fullSyncRequired) or malformed (400 invalid)."""


class PageTokenRejected(CalendarError):
    """The page token of an unfinished listing is no longer accepted."""


class PreconditionFailed(CalendarError):
    """412: the event changed since it was read."""


class PushNotSupported(CalendarError):
    """This calendar can never be watched (holidays, birthdays, some group calendars)."""


class ChannelIdTaken(CalendarError):
    """The channel id was used before in this project."""


class CalendarRequestRejected(CalendarError):
    """A permanent refusal of this very request."""


class ProviderError(ConfsyncError):
    """A conferencing system refused or failed."""


class ProviderBusy(ProviderError):
    """The call was not applied; the back end asked to wait (429, 503)."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        """Keep how long to wait, in seconds (None: the back end did not say)."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class OutcomeUnknown(ProviderError):
    """Time-out, reset or 5xx: the call may have been applied, may still be."""


class ConferenceStale(ProviderError):
    """The back end already holds a newer generation of this conference."""

    def __init__(self, message: str, stored_generation: int) -> None:
        """Keep the generation that the back end holds."""
        super().__init__(message)
        self.stored_generation = stored_generation


class ConferenceGone(ProviderError):
    """The back end says that the conference ended for good and cannot be revived."""


class ProviderRejected(ProviderError):
    """The back end will never accept this state (400, 422)."""


class ProviderRefusesUs(ProviderError):
    """401, 403, a redirect, or a disabled endpoint: nothing will work until an operator acts."""
