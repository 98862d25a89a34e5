"""Whose name the run calls Calendar in, and what to do when Google refuses that.

It must never read a key file by itself, and never print what it signs in with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import google.auth
from google.auth.credentials import Credentials, with_scopes_if_required
from google.auth.exceptions import DefaultCredentialsError

from confsync.adapters import sign_in
from confsync.errors import CalendarError, SettingsError

SignIn = Literal["adc", "delegated", "local"]

READ: Final = "https://www.googleapis.com/auth/calendar.events.readonly"
WRITE: Final = "https://www.googleapis.com/auth/calendar"
"""To create and delete calendars; `calendar.app.created` would not do, since `events.move` does not accept it."""

_SCOPE_REASONS = ("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "unauthorized_client", "invalid_scope")
_API_REASONS = ("accessNotConfigured", "SERVICE_DISABLED")
_CLOUD = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True)
class Account:
    """Who calls, and how."""

    how: SignIn
    subject: str
    writes: bool
    service_account: str | None = None

    @property
    def scope(self) -> str:
        """Return the one scope that the run needs."""
        return WRITE if self.writes else READ

    def credentials(self) -> Credentials:
        """Return credentials for the subject; nothing is asked of Google yet, unless it has to be.

        Raises:
            SettingsError: something is missing; the message says what.

        """
        if self.how == "local":
            return sign_in.local()(self.subject)
        if self.how == "adc":
            return self._application_default()
        if self.service_account is None:
            raise SettingsError("--sign-in delegated needs --service-account, the account that may act for users")
        return sign_in.delegated(self.service_account, scopes=(self.scope,))(self.subject)

    def way_out(self, error: CalendarError) -> str:
        """Return what to do about a refusal, as far as it depends on the way of signing in."""
        if error.reason in _SCOPE_REASONS:
            return self._more_scopes()
        if error.reason in _API_REASONS:
            return _ENABLE[self.how]
        if error.reason == "invalid_grant" and self.how == "adc":
            return f"the sign-in has expired; again: {self._login()}"
        if error.reason == "notFound":
            return f"check --calendar, and that it is shared with {self.subject}"
        return ""

    def _application_default(self) -> Credentials:
        try:
            found, _project = google.auth.default()
        except DefaultCredentialsError:
            raise SettingsError(f"nobody is signed in on this machine; run: {self._login()}") from None
        # A user's credentials have the scopes that were granted; asking for fewer by name would be refused.
        scoped: Credentials = with_scopes_if_required(found, [self.scope])  # type: ignore[no-untyped-call]  # google-auth
        return scoped

    def _login(self) -> str:
        return f"gcloud auth application-default login --scopes={_CLOUD},{self.scope}"

    def _more_scopes(self) -> str:
        if self.how == "adc":
            return f"sign in with the scope: {self._login()}"
        return f"authorise {self.scope} for {self.service_account}'s client id in the Admin console"


_ENABLE: Final[Mapping[SignIn, str]] = {
    "adc": (
        "run: gcloud services enable calendar-json.googleapis.com --project PROJECT && "
        "gcloud auth application-default set-quota-project PROJECT"
    ),
    "delegated": "run: gcloud services enable calendar-json.googleapis.com --project PROJECT",
    "local": "",
}
