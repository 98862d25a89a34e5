"""Whose name Calendar is called in: makers of `credentials_for`, which gives the credentials of one subject.

They keep what they make and refresh nothing before it is used. They must never read a key file: on Google Cloud a
service account signs by IAM.
"""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import google.auth
from google.auth import credentials, impersonated_credentials
from google.auth.exceptions import RefreshError
from google.auth.transport import Request

CredentialsFor = Callable[[str], credentials.Credentials]

CALENDAR_EVENTS = "https://www.googleapis.com/auth/calendar.events"
"""Enough to list, read, write and watch events; sensitive, not restricted."""


def local() -> CredentialsFor:
    """Sign in at the local Calendar server, whose bearer token is the user's e-mail address."""
    return _AddressAsToken


def delegated(
    service_account: str,
    *,
    scopes: Sequence[str] = (CALENDAR_EVENTS,),
    source: Callable[[], credentials.Credentials] | None = None,
    subjects_kept: int = 10_000,
) -> CredentialsFor:
    """Sign in by keyless domain-wide delegation: IAM signs for `service_account`, Google believes it the subject.

    Args:
        service_account: e-mail address of the one whose client id the Workspace administrator authorised for `scopes`.
        scopes: exactly those that were authorised.
        source: who this process is, which needs Service Account Token Creator on `service_account`; None for the
            application default. Asked at the first use.
        subjects_kept: for how many subjects credentials stay in memory, those used last.

    https://developers.google.com/identity/protocols/oauth2/service-account#delegatingauthority

    """
    who_we_are = functools.cache(source or _application_default)

    def impersonate(subject: str) -> credentials.Credentials:
        return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
            source_credentials=who_we_are(),
            target_principal=service_account,
            target_scopes=list(scopes),
            subject=subject,
        )

    return _Kept(impersonate, limit=subjects_kept)


def _application_default() -> credentials.Credentials:
    found, _project = google.auth.default()
    return found


class _AddressAsToken(credentials.Credentials):
    """A token that never expires; refused, it cannot be had anew."""

    def __init__(self, subject: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
        self.token = subject

    def refresh(self, request: Request) -> None:  # noqa: ARG002  # the signature is google-auth's
        message = "the local Calendar server does not know this user"
        raise RefreshError(message, {"error": "invalid_grant"})  # type: ignore[no-untyped-call]  # google-auth leaves it untyped


class _Kept:
    """Keeps the values made last, and makes each of them once, whatever the number of threads."""

    def __init__(self, make: CredentialsFor, limit: int) -> None:
        self._make = make
        self._limit = limit
        self._kept: OrderedDict[str, credentials.Credentials] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, subject: str) -> credentials.Credentials:
        with self._lock:
            if subject not in self._kept:
                self._kept[subject] = self._make(subject)
            self._kept.move_to_end(subject)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
            return self._kept[subject]
