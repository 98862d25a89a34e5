"""Credentials whose token a procedure gets, once for all threads that wait for it, and how Google is called for it.

It must never wait for long: what does not answer soon is left to the task's next attempt.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import google.auth
from google.auth import credentials
from google.auth.exceptions import TransportError
from google.auth.transport import Request

GetToken = Callable[[Request, str | None], credentials.Credentials]
"""Signs in over the given transport and returns credentials with a good token, another than the one refused."""

Source = Callable[[Sequence[str]], credentials.Credentials]
"""Who this process is, with the given scopes."""

_PAUSES_S = (0.2, 0.8)
_PASSING = frozenset({429, 500, 502, 503, 504})
_GOOGLES = frozenset({"oauth2.googleapis.com", "iamcredentials.googleapis.com"})


def application_default(scopes: Sequence[str]) -> credentials.Credentials:
    """Return who this process is by Google's own rules: on Google Cloud its service account."""
    found, _project = google.auth.default(scopes=list(scopes))
    return found


class SignedIn(credentials.Credentials):
    """One token for all threads. google-auth's own classes would let each of them ask for one at the same time."""

    def __init__(self, get_token: GetToken, endpoint: str | None = None, patience_s: float = 30.0) -> None:
        """Keep the procedure.

        Args:
            get_token: may wait for the network; one thread at a time calls it.
            endpoint: where Google's token endpoint and IAM are served; None for Google's own.
            patience_s: longest wait for another thread that signs in as the same.

        """
        super().__init__()  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
        self._get_token = get_token
        self._endpoint = endpoint
        self._patience_s = patience_s
        self._lock = threading.Lock()

    def __copy__(self) -> "SignedIn":
        """Return the same: google-auth copies a source of impersonation, and each copy would want its own token."""
        return self

    def refresh(self, request: Request) -> None:
        """Get a new token; see google-auth."""
        self.renew(request, self.token)

    def renew(self, request: Request, refused: str | None) -> None:
        """Get a token other than `refused`, unless another thread got one meanwhile.

        Raises:
            GoogleAuthError, OSError: no token was had.

        """
        if not self._lock.acquire(timeout=self._patience_s):
            message = "another thread has not finished to sign in"
            raise TransportError(message)  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
        try:
            if self.token == refused or not self.valid:
                found = self._get_token(Calling(request, self._endpoint), refused)
                self.expiry, self.token = found.expiry, found.token
        finally:
            self._lock.release()


class Own:
    """Who this process is: found at the first use, one token for all.

    google-auth's own class would also look for a regional access boundary, by a call that nobody asked for.
    """

    def __init__(self, source: Source, scopes: Sequence[str], endpoint: str | None = None) -> None:
        """Keep who is to be asked, what for, and the place of Google's token endpoint."""
        self._source = source
        self._scopes = scopes
        self._found: credentials.Credentials | None = None
        self.credentials = SignedIn(self._sign_in, endpoint)

    @property
    def address(self) -> str | None:
        """E-mail address of the service account, as soon as it is known."""
        address: str | None = getattr(self._found, "service_account_email", None)
        return address if address and "@" in address else None

    def _sign_in(self, request: Request, _: str | None) -> credentials.Credentials:
        # One thread at a time comes here.
        if self._found is None:
            self._found = self._source(self._scopes)
        self._found.refresh(request)  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
        return self._found


class Calling(Request):
    """A transport that repeats a signature which IAM did not give: the one call that google-auth does not repeat."""

    def __init__(
        self, request: Request, endpoint: str | None = None, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Keep the transport and the place of Google's token endpoint and IAM."""
        self._request = request
        self._endpoint = endpoint
        self._pause = pause

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002  # the connection has its own; httplib2 would only complain
        **more: Any,
    ) -> Any:
        """Make the request and return its answer, whatever the status."""
        for pause_s in _PAUSES_S if url.endswith(":signJwt") else ():
            answer = self._request(self._placed(url), method=method, body=body, headers=headers, **more)
            if answer.status not in _PASSING:
                return answer
            self._pause(pause_s)
        return self._request(self._placed(url), method=method, body=body, headers=headers, **more)

    def _placed(self, url: str) -> str:
        parts = urlsplit(url)
        if self._endpoint is None or parts.netloc not in _GOOGLES:
            return url
        return self._endpoint.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")
