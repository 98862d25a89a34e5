"""Whose name Calendar is called in: each way to sign in, through Google's own clients, against a local Google."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs

import httplib2
import pytest
from google.auth.credentials import Credentials
from google.auth.exceptions import RefreshError, TransportError
from google_auth_httplib2 import Request

from confsync.adapters import sign_in
from confsync.adapters.google_calendar import GoogleCalendar
from confsync.adapters.secret_manager import SecretManager
from confsync.adapters.sign_in import CredentialsFor, OAuthClient, subject_hash
from confsync.adapters.sign_in_credentials import Calling, SignedIn
from confsync.core.events import Window
from confsync.errors import CalendarAccessLost, CalendarUnavailable
from confsync.ports import Address
from tests.adapters.google_sign_in import (
    ANN,
    CALENDAR_EVENTS,
    CLIENT_ID,
    CLIENT_SECRET,
    DELEGATE,
    RUNTIME,
    SECRET,
    SIGN,
    TOKEN,
    Google,
    claims_of,
    error,
    running_google_for_this_process,
)
from tests.adapters.test_google_calendar_scripted import LAST_PAGE, Answer, Scripted, list_once, scripted

CLIENT = OAuthClient(CLIENT_ID, CLIENT_SECRET)
SILENCE = Answer(ending="silence")
BUSY = error(503, "UNAVAILABLE")


def secret_of(subject: str) -> str:
    """Return where a user's refresh token is."""
    return f"projects/p/secrets/calendar-token-{subject_hash(subject)}/versions/latest"


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Google]:
    """Serve Google's side of signing in; Ann has given her consent."""
    with running_google_for_this_process(tmp_path) as running:
        running.secrets[secret_of(ANN)] = "consent-of-ann\n"
        yield running


@pytest.fixture
def calendar() -> Iterator[Scripted]:
    """Serve a Calendar that shows an empty list to everybody."""
    with scripted(Answer(body=LAST_PAGE)) as running:
        yield running


def delegated(google: Google) -> CredentialsFor:
    """Sign in by domain-wide delegation."""
    return sign_in.delegated(DELEGATE, endpoint=google.url)


def shared(google: Google) -> CredentialsFor:
    """Sign in as the function itself."""
    return sign_in.shared(endpoint=google.url)


def refresh_token(google: Google) -> CredentialsFor:
    """Sign in by the users' consents."""
    secrets = SecretManager(google.url, timeout_s=0.5)
    return sign_in.refresh_token(CLIENT, lambda subject: secrets.text(secret_of(subject)), endpoint=google.url)


def look(adapter: GoogleCalendar, subject: str) -> None:
    """Make one call in a subject's name."""
    at = Address("team@example.com", subject)
    adapter.list_events(at, sync_token=None, page_token=None, window=Window())


def subject_of(google: Google, body: bytes) -> str:
    """Return whom a request to the token endpoint was for."""
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    if "assertion" not in form:
        return google.consents[form["refresh_token"]]
    claims = claims_of(form["assertion"])
    return claims.get("sub", claims["iss"])


def asked_for(google: Google, subject: str) -> list[bytes]:
    """Return what the token endpoint was asked for a subject."""
    return [asked.body for asked in google.asked(TOKEN) if subject_of(google, asked.body) == subject]


Mode = Callable[[Google], CredentialsFor]
OF_USERS = pytest.mark.parametrize("mode", [delegated, refresh_token])


@pytest.mark.parametrize(("mode", "subject"), [(delegated, ANN), (shared, RUNTIME), (refresh_token, ANN)])
def test_calendar_is_called_in_the_subjects_name(google: Google, calendar: Scripted, mode: Mode, subject: str) -> None:
    """The token is had before the first call, and serves the next ones too."""
    adapter = calendar.calendar(credentials_for=mode(google))
    for _ in range(3):
        look(adapter, subject)
    assert [asked.headers["authorization"] for asked in calendar.asked] == [f"Bearer {subject}"] * 3
    assert len(asked_for(google, subject)) == 1


@pytest.mark.parametrize("mode", [delegated, shared, refresh_token])
def test_nothing_is_asked_before_the_first_use(google: Google, mode: Mode) -> None:
    """The framework imports, then forks; and credentials are made under a lock."""
    assert mode(google)(ANN).token is None
    assert google.server.asked == []


def test_delegation_asks_for_no_more_than_it_needs(google: Google, calendar: Scripted) -> None:
    """In the function's own name only a signature, in the user's only events."""
    list_once(calendar.calendar(credentials_for=delegated(google)))
    own, granted = google.asked(TOKEN)
    assert claims_of(parse_qs(own.body.decode())["assertion"][0])["scope"] == "https://www.googleapis.com/auth/iam"
    claims = claims_of(parse_qs(granted.body.decode())["assertion"][0])
    assert (claims["iss"], claims["sub"], claims["scope"]) == (DELEGATE, ANN, CALENDAR_EVENTS)


def test_the_shared_account_asks_for_events_only(google: Google, calendar: Scripted) -> None:
    """One scope, in its own name."""
    adapter = calendar.calendar(credentials_for=shared(google))
    look(adapter, RUNTIME)
    (own,) = google.asked(TOKEN)
    assert claims_of(parse_qs(own.body.decode())["assertion"][0])["scope"] == CALENDAR_EVENTS


def test_a_consent_is_used_with_the_scopes_that_it_has(google: Google, calendar: Scripted) -> None:
    """Google refuses scopes that were not consented to by these very names, fewer ones too."""
    list_once(calendar.calendar(credentials_for=refresh_token(google)))
    (asked,) = asked_for(google, ANN)
    assert b"scope" not in asked


def test_all_subjects_share_the_functions_own_token(google: Google, calendar: Scripted) -> None:
    """A thousand users cost a thousand signatures, but one token of the function."""
    google.users.add("bob@example.com")
    adapter = calendar.calendar(credentials_for=delegated(google))
    for subject in (ANN, "bob@example.com"):
        look(adapter, subject)
    assert [subject_of(google, asked.body) for asked in google.asked(TOKEN)] == [RUNTIME, ANN, "bob@example.com"]


@pytest.mark.parametrize(("mode", "ending"), [(delegated, SIGN), (delegated, TOKEN), (refresh_token, SECRET)])
def test_a_passing_fault_is_asked_again_at_once(google: Google, calendar: Scripted, mode: Mode, ending: str) -> None:
    """503, then success: the sync does not notice."""
    google.fails(ending, BUSY)
    list_once(calendar.calendar(credentials_for=mode(google)))
    assert len(calendar.asked) == 1


def test_a_signature_is_asked_for_three_times_at_most(google: Google) -> None:
    """IAM that stays down is left to the next attempt of the task; nobody waits for longer than a second."""
    waited: list[float] = []
    with scripted(BUSY) as server:
        calling = Calling(Request(httplib2.Http()), server.url, waited.append)
        answer = calling("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/x:signJwt", "POST")
    assert (answer.status, len(server.asked), google.server.asked) == (503, 3, [])
    assert sum(waited) <= 1


@OF_USERS
def test_a_withdrawn_grant_is_lost_access(google: Google, calendar: Scripted, mode: Mode) -> None:
    """The calendar is frozen, whatever the way to sign in; Calendar is not asked."""
    google.users.clear()
    google.consents.clear()
    with pytest.raises(CalendarAccessLost) as caught:
        list_once(calendar.calendar(credentials_for=mode(google)))
    assert (caught.value.reason, calendar.asked) == ("invalid_grant", [])


@pytest.mark.parametrize(
    ("mode", "ending"),
    [(delegated, SIGN), (delegated, TOKEN), (shared, TOKEN), (refresh_token, TOKEN), (refresh_token, SECRET)],
)
def test_who_does_not_answer_in_time_is_asked_another_time(
    google: Google, calendar: Scripted, mode: Mode, ending: str
) -> None:
    """A slow Google is no word about a calendar."""
    google.fails(ending, *[SILENCE] * 5)
    adapter = calendar.calendar(credentials_for=mode(google), timeout_s=0.3)
    with pytest.raises(CalendarUnavailable):
        list_once(adapter)
    assert calendar.asked == []


@pytest.mark.parametrize(
    ("refusal", "lost", "reason"),
    [
        (error(404, "NOT_FOUND"), CalendarAccessLost, "secret_missing"),
        (error(400, "FAILED_PRECONDITION"), CalendarAccessLost, "secret_missing"),
        (error(403, "PERMISSION_DENIED"), CalendarUnavailable, "secret_denied"),
        (error(500, "INTERNAL"), CalendarUnavailable, ""),
    ],
)
def test_without_a_users_secret_only_this_user_is_lost(
    google: Google, calendar: Scripted, refusal: Answer, lost: type[Exception], reason: str
) -> None:
    """Who never consented freezes; what is our project's trouble freezes nobody."""
    google.secrets[secret_of(ANN)] = refusal
    with pytest.raises(lost) as caught:
        list_once(calendar.calendar(credentials_for=refresh_token(google)))
    assert getattr(caught.value, "reason", "") == reason
    assert ANN not in str(caught.value)


def test_a_wrong_oauth_client_freezes_nobody(google: Google, calendar: Scripted) -> None:
    """A client secret that was changed by mistake concerns all users at once, and says which setting."""
    client = OAuthClient(CLIENT_ID, "another")
    credentials_for = sign_in.refresh_token(client, lambda _: "consent-of-ann", endpoint=google.url)
    with pytest.raises(CalendarUnavailable, match="invalid_client; OAUTH_CLIENT_ID or OAUTH_CLIENT_SECRET is wrong"):
        list_once(calendar.calendar(credentials_for=credentials_for))


def test_a_new_consent_counts_at_once(google: Google, calendar: Scripted) -> None:
    """A refresh token that worked and is refused now is read anew before anybody is called lost."""
    google.expires_in = 1
    adapter = calendar.calendar(credentials_for=refresh_token(google))
    list_once(adapter)
    google.consents = {"second-consent-of-ann": ANN}
    google.secrets[secret_of(ANN)] = "second-consent-of-ann"
    list_once(adapter)
    list_once(adapter)
    assert (len(calendar.asked), len(google.asked(SECRET))) == (3, 2)


def test_the_refresh_token_is_read_once(google: Google, calendar: Scripted) -> None:
    """Access tokens are renewed without Secret Manager."""
    google.expires_in = 1
    adapter = calendar.calendar(credentials_for=refresh_token(google))
    for _ in range(3):
        list_once(adapter)
    assert (len(asked_for(google, ANN)), len(google.asked(SECRET))) == (3, 1)


def test_the_shared_account_acts_for_nobody_else(google: Google, calendar: Scripted) -> None:
    """Another subject's `primary` would be the account's own calendar."""
    with pytest.raises(CalendarAccessLost, match="SIGN_IN=shared") as caught:
        list_once(calendar.calendar(credentials_for=shared(google)))
    assert (caught.value.reason, calendar.asked) == ("wrong_subject", [])


@pytest.mark.parametrize(("mode", "subject"), [(delegated, ANN), (shared, RUNTIME), (refresh_token, ANN)])
def test_a_token_that_calendar_refuses_is_had_anew_once(google: Google, mode: Mode, subject: str) -> None:
    """A 401 may mean a token that was revoked early; the second one is lost access."""
    answers = iter([Answer(401), Answer(body=LAST_PAGE)])
    with scripted(lambda _: next(answers)) as calendar:
        adapter = calendar.calendar(credentials_for=mode(google))
        look(adapter, subject)
    assert len(asked_for(google, subject)) == 2


@OF_USERS
def test_threads_that_want_the_same_subject_ask_once(google: Google, calendar: Scripted, mode: Mode) -> None:
    """Eight threads at once share one object, and one token."""
    adapter = calendar.calendar(credentials_for=mode(google))
    start = threading.Barrier(8)

    def get(_: int) -> None:
        start.wait()
        list_once(adapter)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(get, range(8)))
    assert (len(asked_for(google, ANN)), len(calendar.asked)) == (1, 8)


def test_without_anybody_signed_in_calendar_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, calendar: Scripted
) -> None:
    """Google's own rules say who the process is; where they find nobody, the operator is told."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nobody.json"))
    with pytest.raises(CalendarUnavailable, match="give the function a service account"):
        list_once(calendar.calendar(credentials_for=sign_in.delegated(DELEGATE)))


def test_the_credentials_that_were_used_last_are_kept() -> None:
    """The number of subjects is bounded; who was away for longest signs in anew."""
    credentials_for = sign_in.delegated(DELEGATE, subjects_kept=2)
    ann, bob = credentials_for("ann"), credentials_for("bob")
    assert credentials_for("ann") is ann
    credentials_for("cid")
    assert credentials_for("ann") is ann
    assert credentials_for("bob") is not bob


def test_a_thread_does_not_wait_for_ever_for_another() -> None:
    """A sign-in that hangs holds up no more than the wait that is allowed."""
    inside, done = threading.Event(), threading.Event()

    def hang(*_: object) -> Credentials:
        inside.set()
        done.wait()
        return sign_in.local()(ANN)

    credentials = SignedIn(hang, patience_s=0.01)
    request = Request(httplib2.Http())
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(credentials.refresh, request)
        inside.wait()
        with pytest.raises(TransportError, match="has not finished"):
            credentials.refresh(request)
        done.set()
        first.result()
    assert credentials.token == ANN


def test_nothing_that_is_kept_shows_a_secret(google: Google) -> None:
    """Neither the client nor the credentials, whatever prints them."""
    credentials = refresh_token(google)(ANN)
    credentials.refresh(Request(httplib2.Http()))  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
    shown = repr(CLIENT) + str(CLIENT) + repr(credentials) + str(credentials)
    assert not {CLIENT_SECRET, "consent-of-ann"} & set(shown.split())
    assert CLIENT_SECRET not in shown


def test_the_hash_of_a_subject_is_that_of_sha256sum() -> None:
    """`printf %s ann@example.com | sha256sum`, whatever the case of the address."""
    assert subject_hash("Ann@Example.com") == "71d4f55f72fa128dfb468a1a3901507c804b74316488744d769d7f4b16696476"


def test_the_local_token_is_the_subjects_address() -> None:
    """The local Calendar server takes the bearer token for the user's name; it never expires."""
    credentials = sign_in.local()(ANN)
    headers: dict[str, str] = {}
    credentials.before_request(None, "GET", "http://127.0.0.1/", headers)  # type: ignore[no-untyped-call]  # untyped
    assert headers == {"authorization": f"Bearer {ANN}"}
    assert credentials.valid


def test_a_refused_local_token_cannot_be_had_anew() -> None:
    """The error reads like a withdrawn grant, so that it ends as lost access."""
    with pytest.raises(RefreshError) as caught:
        sign_in.local()(ANN).refresh(None)  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
    assert caught.value.args[1] == {"error": "invalid_grant"}
