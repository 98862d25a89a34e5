"""Whose name Calendar is called in: local sign-in and keyless delegation, as far as they go without Google."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import DefaultCredentialsError, RefreshError
from google.auth.impersonated_credentials import Credentials as Impersonated

from confsync.adapters import sign_in


def no_request(*_: object, **__: object) -> None:
    """Stand where google-auth wants its transport, and refuse to be used."""
    raise AssertionError("nothing may be asked of the network here")


def test_the_local_token_is_the_subjects_address() -> None:
    """The local Calendar server takes the bearer token for the user's name; it never expires."""
    credentials = sign_in.local()("ann@example.com")
    headers: dict[str, str] = {}
    credentials.before_request(no_request, "GET", "http://127.0.0.1/", headers)  # type: ignore[no-untyped-call]  # untyped
    assert headers == {"authorization": "Bearer ann@example.com"}
    assert credentials.valid


def test_a_refused_local_token_cannot_be_had_anew() -> None:
    """The error reads like a withdrawn grant, so that it ends as lost access."""
    with pytest.raises(RefreshError) as caught:
        sign_in.local()("ann@example.com").refresh(no_request)  # type: ignore[no-untyped-call]  # untyped
    assert caught.value.args[1] == {"error": "invalid_grant"}


def test_delegation_asks_for_nothing_before_it_is_used() -> None:
    """Making it neither reads credentials nor touches the network: the framework imports, then forks."""
    sign_in.delegated("dwd@project.iam.gserviceaccount.com", source=no_request)  # type: ignore[arg-type]  # never called


def _anonymous() -> Credentials:
    return AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth leaves it untyped


def test_delegation_signs_in_as_the_subject_with_its_scope() -> None:
    """Each subject has its own credentials of the delegating service account, made once and not yet fetched."""
    asked = []

    def source() -> Credentials:
        asked.append("source")
        return _anonymous()

    credentials_for = sign_in.delegated("dwd@project.iam.gserviceaccount.com", source=source)
    ann, bob = credentials_for("ann@example.com"), credentials_for("bob@example.com")
    assert isinstance(ann, Impersonated)
    assert (ann._subject, ann._target_principal) == ("ann@example.com", "dwd@project.iam.gserviceaccount.com")
    assert ann._target_scopes == ["https://www.googleapis.com/auth/calendar.events"]
    assert ann is credentials_for("ann@example.com")
    assert ann is not bob
    assert (ann.token, asked) == (None, ["source"])


def test_without_a_source_the_application_default_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Google's own rules say who the process is; where they find nobody, google-auth says so."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nobody.json"))
    with pytest.raises(DefaultCredentialsError):
        sign_in.delegated("dwd@project.iam.gserviceaccount.com")("ann@example.com")


def test_the_credentials_that_were_used_last_are_kept() -> None:
    """The number of subjects is bounded; who was away for longest signs in anew."""
    credentials_for = sign_in.delegated("dwd@project.iam.gserviceaccount.com", source=_anonymous, subjects_kept=2)
    ann, bob = credentials_for("ann"), credentials_for("bob")
    assert credentials_for("ann") is ann
    credentials_for("cid")
    assert credentials_for("ann") is ann
    assert credentials_for("bob") is not bob


def test_threads_get_the_same_credentials() -> None:
    """Eight threads that want one subject at once share one object, and so one token."""
    asked: list[str] = []
    start, meeting = threading.Barrier(8), threading.Barrier(2)

    def source() -> Credentials:
        asked.append("source")
        # Waits for a second thread, which must not come.
        with suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=0.05)
        return _anonymous()

    credentials_for = sign_in.delegated("dwd@project.iam.gserviceaccount.com", source=source)

    def get(_: int) -> int:
        start.wait()
        return id(credentials_for("ann@example.com"))

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(get, range(8)))) == 1
    assert asked == ["source"]


class _Answer:
    def __init__(self, data: bytes) -> None:
        self.status, self.data, self.headers = 200, data, {"content-type": "application/json"}


class _Runtime(Credentials):
    """Who the function is on Google Cloud."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
        self.token = "runtime"

    def refresh(self, request: object) -> None:
        raise AssertionError(request)


def test_a_token_is_signed_for_by_iam_and_granted_to_the_subject() -> None:
    """One signature in the function's own name, one grant for the signed claim, and no key file anywhere."""
    asked: list[tuple[str, dict[str, str], bytes]] = []

    def google(*, url: str, headers: dict[str, str], body: bytes, **_: object) -> _Answer:
        asked.append((url, headers, body))
        return _Answer(b'{"signedJwt": "jwt"}' if "signJwt" in url else b'{"access_token": "a", "expires_in": 3600}')

    credentials = sign_in.delegated("dwd@project.iam.gserviceaccount.com", source=_Runtime)("ann@example.com")
    credentials.refresh(google)  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
    (sign_url, sign_headers, claim), (grant_url, _, assertion) = asked
    assert "iamcredentials.googleapis.com" in sign_url
    assert sign_headers["authorization"] == "Bearer runtime"
    assert json.loads(json.loads(claim)["payload"])["sub"] == "ann@example.com"
    assert (grant_url, b"assertion=jwt" in assertion) == ("https://oauth2.googleapis.com/token", True)
    assert credentials.token == "a"
    assert credentials.valid
