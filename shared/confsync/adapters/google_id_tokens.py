"""ID tokens that Google signed, verified with the certificates that Google publishes.

Certificates are kept for as long as Google says, and fetched again when a token names one that is not among them: keys
rotate. Whatever strangers send, they are fetched once a minute at most. It must never let a token pass because they
cannot be had, nor keep, log or show a token.

https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
"""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.auth import crypt, jwt
from google.auth.exceptions import GoogleAuthError
from google.auth.transport import Response
from google.auth.transport.requests import Request

from confsync.errors import CertificatesUnavailable, NotificationRejected

CERTIFICATES: Final = "/oauth2/v1/certs"
"""Path of Google's certificates: PEM by key id."""
_GOOGLE: Final = "https://www.googleapis.com"
_ISSUERS: Final = ("https://accounts.google.com", "accounts.google.com")
_SKEW_S: Final = 10
"""More than our clock and Google's differ."""
_AGAIN_S: Final = 60.0
"""Nobody asks for certificates again before this."""
_AGAIN_AFTER_FAILURE_S: Final = 5.0
_LONGEST_S: Final = 24 * 3600.0
_UNREADABLE = (GoogleAuthError, ValueError, TypeError, RecursionError)
"""What google-auth raises for a token that somebody made up."""


class GoogleIdTokens:
    """The `IdTokens` port. Safe to share between threads; nobody is asked before the first token."""

    def __init__(
        self, endpoint: str | None = None, *, timeout_s: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep the settings.

        Args:
            endpoint: `http://HOST:PORT` where the certificates are served; None for Google's.
            timeout_s: longest wait for them.
            clock: seconds that only rise; what the certificates' age is measured with.

        """
        self._certificates = _Certificates((endpoint or _GOOGLE).rstrip("/") + CERTIFICATES, timeout_s, clock)

    def email_of(self, id_token: str, audience: str) -> str:
        """Return the verified e-mail address in a token that Google signed for `audience`.

        Raises:
            NotificationRejected: 401 when the token is malformed, forged, expired, for another audience or from another
                issuer; 403 when Google signed it, but vouches for no address.
            CertificatesUnavailable: the certificates could not be had.

        """
        claims = self._verified(id_token, audience)
        if claims.get("iss") not in _ISSUERS:
            raise NotificationRejected("the ID token is not from Google's sign-in", 401)
        email = claims.get("email")
        if not isinstance(email, str) or not email or claims.get("email_verified") is not True:
            raise NotificationRejected("the ID token has no verified e-mail address; ask for userinfo.email", 403)
        return email

    def _verified(self, id_token: str, audience: str) -> Mapping[str, Any]:
        try:
            key_id = jwt.decode_header(id_token).get("kid")  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
        except _UNREADABLE:
            raise NotificationRejected("the ID token is malformed", 401) from None
        certificate = self._certificates.of(key_id)
        try:
            claims: Mapping[str, Any] = jwt.decode(  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
                id_token, certs=certificate, audience=audience, clock_skew_in_seconds=_SKEW_S
            )
        except _UNREADABLE:
            raise NotificationRejected("the ID token is forged, expired or for another audience", 401) from None
        return claims


@dataclass(frozen=True)
class _Kept:
    by_key_id: Mapping[str, str]
    until: float


class _Certificates:
    """Certificates as Google publishes them; one thread at a time fetches, and the others go on with what is known."""

    def __init__(self, url: str, timeout_s: float, clock: Callable[[], float]) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._clock = clock
        self._fetching = threading.Lock()
        self._kept = _Kept({}, until=float("-inf"))
        self._not_before = float("-inf")
        self._failed = False

    def of(self, key_id: object) -> str:
        """Return the certificate of a key."""
        found = self._known(key_id)
        if found is None:
            with self._fetching:
                found = self._fetched(key_id)
        if found is None:
            raise NotificationRejected("the ID token was signed with a key that Google does not publish", 401)
        return found

    def _known(self, key_id: object) -> str | None:
        kept = self._kept
        return kept.by_key_id.get(key_id) if isinstance(key_id, str) and self._clock() < kept.until else None

    def _fetched(self, key_id: object) -> str | None:
        """Fetch, unless that happened a moment ago, perhaps by the thread that this one waited for."""
        now = self._clock()
        if now >= self._not_before:
            self._failed, self._not_before = True, now + _AGAIN_AFTER_FAILURE_S
            self._kept = self._fetch(now)
            self._failed, self._not_before = False, now + _AGAIN_S
        if self._failed:
            raise CertificatesUnavailable("Google's certificates did not come a moment ago; try again")
        return self._known(key_id)

    def _fetch(self, now: float) -> _Kept:
        try:
            answer = Request()(self._url, timeout=self._timeout_s)
            certificates = _read(answer)
        except _UNREADABLE as error:
            raise CertificatesUnavailable(f"no certificates from {self._url} ({type(error).__name__})") from None
        return _Kept(certificates, until=now + max(_AGAIN_S, min(_max_age_s(answer.headers), _LONGEST_S)))


def _read(answer: Response) -> Mapping[str, str]:
    """Return PEM by key id; raises ValueError or TypeError for anything else, and for a certificate without a key."""
    if answer.status != 200:
        raise ValueError(answer.status)
    certificates = json.loads(answer.data)
    if not isinstance(certificates, dict):
        raise TypeError(type(certificates))
    for pem in certificates.values():
        crypt.RSAVerifier.from_string(pem)  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
    return certificates


def _max_age_s(headers: Mapping[str, str]) -> float:
    """Return for how much longer an answer may be kept."""
    found = re.search(r"\bmax-age=(\d{1,9})", headers.get("cache-control", ""))
    age = re.match(r"\d{1,9}", headers.get("age", ""))
    return float(found[1]) - (float(age[0]) if age else 0) if found else 0.0
