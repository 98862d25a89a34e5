"""What Firestore's refusals mean, in confsync's words.

It must never quote what a record holds; Firestore's own messages name fields, sizes and permissions only.
"""

from google.api_core.exceptions import (
    FailedPrecondition,
    GoogleAPICallError,
    GoogleAPIError,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    RetryError,
    Unauthenticated,
)
from google.auth.exceptions import GoogleAuthError, TransportError

from confsync.errors import SettingsError, StoreError, StoreUnavailable

FAILURES = (GoogleAPIError, GoogleAuthError)
"""All that Google's client raises."""

_WAYS_OUT: tuple[tuple[type[GoogleAPICallError], str], ...] = (
    (NotFound, "Create the database (Native mode), or correct STORE"),
    (PermissionDenied, "Grant this service account roles/datastore.user on the project, or correct STORE"),
    (Unauthenticated, "Give this process credentials of a service account"),
    (FailedPrecondition, "Is the database in Native mode, and are the indexes of terraform/firestore.json there?"),
)


_EXPIRED = ("transaction has expired", "transaction is invalid or closed")
"""How Firestore, and its emulator, say that a transaction is over; its code is the one of any invalid request."""


def is_expiry(error: InvalidArgument) -> bool:
    """Whether a transaction took too long.

    https://github.com/googleapis/nodejs-firestore/pull/1347
    """
    return any(words in str(error.message).lower() for words in _EXPIRED)


def translated(error: Exception, database: str) -> StoreError | SettingsError:
    """Return our error for one of the client's or of google-auth's."""
    reason = f"Firestore {database} refused or failed ({type(error).__name__}: {_message(error)})"
    if isinstance(error, GoogleAuthError) and not (error.retryable or isinstance(error, TransportError)):
        return SettingsError(f"{reason}. Give this process credentials of a service account")
    for refusal, way_out in _WAYS_OUT:
        if isinstance(error, refusal):
            return SettingsError(f"{reason}. {way_out}")
    if isinstance(error, InvalidArgument):
        return StoreError(f"{reason}. A record may have 1 MiB, a transaction 10 MiB")
    return StoreUnavailable(f"{reason}. Try again later")


def _message(error: Exception) -> str:
    if isinstance(error, RetryError) and error.cause is not None:
        return f"given up after {_message(error.cause)}"
    return str(error.message) if isinstance(error, GoogleAPICallError) else str(error)
