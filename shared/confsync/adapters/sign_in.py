"""Whose name Calendar is called in: makers of `credentials_for`, which gives the credentials of one subject.

They keep what they make and ask nobody before it is used, since the framework imports, then forks. They must never
read a key file by themselves: on Google Cloud a service account signs by IAM.

    local          the local Calendar server's users
    delegated      any user of a Workspace domain, by keyless domain-wide delegation
    shared         the function's own service account, which calendars are shared with
    refresh_token  each user who gave consent to an OAuth client
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from google.auth import credentials, impersonated_credentials
from google.auth.exceptions import RefreshError, TransportError
from google.auth.transport import Request
from google.oauth2.credentials import Credentials as UserCredentials

from confsync.adapters.sign_in_credentials import Own, SignedIn, Source, application_default
from confsync.errors import SecretDenied, SecretMissing, SecretUnavailable

CredentialsFor = Callable[[str], credentials.Credentials]

CALENDAR_EVENTS = "https://www.googleapis.com/auth/calendar.events"
"""Enough to list, read, write and watch events; sensitive, not restricted."""
IAM = "https://www.googleapis.com/auth/iam"
"""Enough to have something signed; what may be signed, IAM's roles say."""
TOKEN_ENDPOINT = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address


@dataclass(frozen=True)
class OAuthClient:
    """The OAuth client that the users gave their consent to."""

    client_id: str
    client_secret: str = field(repr=False)


def subject_hash(subject: str) -> str:
    """Return what stands for a subject in the name of a secret: SHA-256 of the address in lower case, in hex."""
    return hashlib.sha256(subject.strip().lower().encode()).hexdigest()


def local() -> CredentialsFor:
    """Sign in at the local Calendar server, whose bearer token is the user's e-mail address."""
    return _AddressAsToken


def delegated(
    service_account: str,
    *,
    scopes: Sequence[str] = (CALENDAR_EVENTS,),
    source: Source | None = None,
    endpoint: str | None = None,
    subjects_kept: int = 10_000,
) -> CredentialsFor:
    """Sign in by keyless domain-wide delegation: IAM signs for `service_account`, Google believes it the subject.

    Args:
        service_account: e-mail address of the one whose client id the Workspace administrator authorised for `scopes`.
        scopes: exactly those that were authorised.
        source: who this process is, which needs Service Account Token Creator on `service_account`; None for the
            application default. Asked at the first use, and its token shared by all subjects.
        endpoint: where token endpoint and IAM are served; None for Google's.
        subjects_kept: for how many subjects credentials stay in memory, those used last.

    https://developers.google.com/identity/protocols/oauth2/service-account#delegatingauthority

    """
    who_we_are = Own(source or application_default, (IAM,), endpoint).credentials

    def impersonate(subject: str) -> credentials.Credentials:
        as_subject = impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
            source_credentials=who_we_are,
            target_principal=service_account,
            target_scopes=list(scopes),
            subject=subject,
        )

        def sign_in(request: Request, _: str | None) -> credentials.Credentials:
            as_subject.refresh(request)  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
            return as_subject

        return SignedIn(sign_in, endpoint)

    return _Kept(impersonate, limit=subjects_kept)


def shared(
    *,
    scopes: Sequence[str] = (CALENDAR_EVENTS,),
    source: Source | None = None,
    endpoint: str | None = None,
    subjects_kept: int = 10_000,
) -> CredentialsFor:
    """Sign in as the function's own service account, with which calendars are shared; it is the only subject.

    Another subject is refused as `wrong_subject`: its `primary` would be the service account's own calendar. Where
    the credentials do not tell their address (a user's, on a developer's machine), any subject is taken for theirs.
    """
    own = Own(source or application_default, scopes, endpoint)

    def as_own(subject: str) -> credentials.Credentials:
        def sign_in(request: Request, refused: str | None) -> credentials.Credentials:
            own.credentials.renew(request, refused)
            if (own.address or subject).lower() != subject.lower():
                raise _refused("wrong_subject")
            return own.credentials

        return SignedIn(sign_in, endpoint)

    return _Kept(as_own, limit=subjects_kept)


def refresh_token(
    client: OAuthClient,
    token_of: Callable[[str], str],
    *,
    endpoint: str | None = None,
    subjects_kept: int = 10_000,
) -> CredentialsFor:
    """Sign in as a user who gave consent to an OAuth client, by the refresh token that was kept of it.

    No scopes are asked for: the token has those that were consented to, and fewer by name would be refused.

    Args:
        client: the one that the tokens were issued to.
        token_of: the refresh token of a subject, which raises `SecretMissing` for nobody's; asked at the first use,
            and again when the token that it gave earlier is refused, so that a new consent counts at once.
        endpoint: where the token endpoint is served; None for Google's.
        subjects_kept: for how many subjects credentials stay in memory, those used last.

    https://developers.google.com/identity/protocols/oauth2/web-server#offline

    """

    def as_user(subject: str) -> credentials.Credentials:
        return SignedIn(_Consent(client, lambda: _read(token_of, subject)).sign_in, endpoint)

    return _Kept(as_user, limit=subjects_kept)


def _refused(code: str) -> RefreshError:
    return RefreshError(code, {"error": code})  # type: ignore[no-untyped-call]  # google-auth leaves it untyped


def _read(token_of: Callable[[str], str], subject: str) -> str:
    try:
        return token_of(subject)
    except SecretMissing:
        raise _refused("secret_missing") from None
    except SecretDenied:
        raise _refused("secret_denied") from None
    except SecretUnavailable as error:
        raise TransportError(error) from None  # type: ignore[no-untyped-call]  # google-auth leaves it untyped


class _Consent:
    """The consent of one user."""

    def __init__(self, client: OAuthClient, read: Callable[[], str]) -> None:
        self._client = client
        self._read = read
        self._kept: UserCredentials | None = None

    def sign_in(self, request: Request, _: str | None) -> credentials.Credentials:
        """Return credentials with a new token. One thread at a time comes here."""
        kept, self._kept = self._kept, None
        if kept is None or not self._still_good(kept, request):
            kept = self._user(self._read())
            kept.refresh(request)  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
        self._kept = kept
        return kept

    @staticmethod
    def _still_good(kept: UserCredentials, request: Request) -> bool:
        try:
            kept.refresh(request)  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
        except RefreshError as error:
            if error.retryable:
                raise
            return False
        return True

    def _user(self, token: str) -> UserCredentials:
        return UserCredentials(  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
            None,
            refresh_token=token,
            token_uri=TOKEN_ENDPOINT,
            client_id=self._client.client_id,
            client_secret=self._client.client_secret,
        )


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
