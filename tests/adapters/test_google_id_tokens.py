"""Tokens that Google signed: which count, and what becomes of them while the certificates cannot be had."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from confsync.adapters.google_id_tokens import GoogleIdTokens
from confsync.errors import CertificatesUnavailable, NotificationRejected
from tests.adapters.google_keys import (
    ADDON,
    ANN,
    AUDIENCE,
    CLIENT_ID,
    GoogleKeys,
    certificate,
    running_google_keys,
    system_token,
    user_token,
)
from tests.adapters.test_google_calendar_scripted import Answer


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleKeys]:
    """Serve Google's certificates."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_google_keys() as running:
        yield running


class Clock:
    """Seconds that only a test moves."""

    def __init__(self) -> None:
        """Start somewhere."""
        self.at = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.at


def status_of(verifier: GoogleIdTokens, id_token: str, audience: str = AUDIENCE) -> int:
    """Return the status of a refusal."""
    with pytest.raises(NotificationRejected) as refused:
        verifier.email_of(id_token, audience)
    assert id_token not in str(refused.value)
    return refused.value.status


def encoded(part: object) -> str:
    """Return a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_a_token_of_google_says_who_it_is(google: GoogleKeys) -> None:
    """The add-on's service account for the endpoint, the user for the add-on's client; one fetch serves both."""
    verifier = GoogleIdTokens(google.url)
    assert verifier.email_of(system_token(), AUDIENCE) == ADDON
    assert verifier.email_of(user_token(key="next", iss="accounts.google.com"), CLIENT_ID) == ANN
    assert google.asked == ["/oauth2/v1/certs"]


def headed(**header: object) -> str:
    """Return a good token under another header."""
    return f"{encoded(header)}.{system_token().partition('.')[2]}"


REFUSED: Mapping[str, tuple[Callable[[], str], int]] = {
    "forged": (lambda: system_token(key="stranger", kid="now"), 401),
    "unknown key": (lambda: system_token(kid="unknown"), 401),
    "for others": (lambda: system_token(aud="https://other.example.com/addon"), 401),
    "for nearly us": (lambda: system_token(aud=AUDIENCE + "/"), 401),
    "for a list": (lambda: system_token(aud=[AUDIENCE]), 401),
    "for nobody": (lambda: system_token(aud=None), 401),
    "from others": (lambda: system_token(iss="https://accounts.example.com"), 401),
    "from nobody": (lambda: system_token(iss=None), 401),
    "expired": (lambda: system_token(iat=time.time() - 7200, exp=time.time() - 60), 401),
    "early": (lambda: system_token(iat=time.time() + 60), 401),
    "without end": (lambda: system_token(exp=None), 401),
    "end in words": (lambda: system_token(exp="tomorrow"), 401),
    "no address": (lambda: system_token(email=None), 403),
    "number as address": (lambda: system_token(email=7), 403),
    "not said to be verified": (lambda: system_token(email_verified=None), 403),
    "verified in words": (lambda: system_token(email_verified="true"), 403),
    "no signature": (lambda: system_token().rpartition(".")[0] + ".", 401),
    "alg none": (lambda: f"{headed(alg='none', kid='now').rpartition('.')[0]}.", 401),
    "alg HS256": (lambda: headed(alg="HS256", kid="now"), 401),
    "alg ES256": (lambda: headed(alg="ES256", kid="now"), 401),
    "no kid": (lambda: headed(alg="RS256"), 401),
    "kid a list": (lambda: headed(alg="RS256", kid=["now"]), 401),
    "alg a list": (lambda: headed(alg=["RS256"], kid="now"), 401),
    "deep": (lambda: f"{base64.urlsafe_b64encode(b'[' * 5000).decode()}.e30.e30", 401),
    "lists": (lambda: "W10.W10.W10", 401),
    "letters": (lambda: "a.b.c", 401),
    "not ASCII": (lambda: "\u00fc.\u00fc.\u00fc", 401),
    "surrogates": (lambda: "\udc80.\udc80.\udc80", 401),
    "one part": (lambda: "aaaa", 401),
}


@pytest.mark.parametrize("name", REFUSED)
def test_any_other_token_proves_nothing(google: GoogleKeys, name: str) -> None:
    """Forged, of an unknown key, for others, from others, expired, early, incomplete, or no token at all."""
    make, status = REFUSED[name]
    assert status_of(GoogleIdTokens(google.url), make()) == status


def test_clocks_may_differ_a_little(google: GoogleKeys) -> None:
    """Ten seconds either way."""
    verifier = GoogleIdTokens(google.url)
    now = int(time.time())
    assert verifier.email_of(system_token(iat=now + 5), AUDIENCE) == ADDON
    assert verifier.email_of(system_token(iat=now - 3600, exp=now - 2), AUDIENCE) == ADDON


def test_certificates_are_kept_as_long_as_google_says(google: GoogleKeys) -> None:
    """Less the time that they spent in some cache on the way."""
    clock, google.age = Clock(), "19000"
    verifier = GoogleIdTokens(google.url, clock=clock)
    for clock.at, fetches in ((1000, 1), (1999, 1), (2000, 2)):
        assert verifier.email_of(system_token(), AUDIENCE) == ADDON
        assert len(google.asked) == fetches


@pytest.mark.parametrize("cache_control", ["", "no-store", "max-age=0", "max-age=99999999999", "max-age=soon"])
def test_certificates_are_kept_for_a_minute_at_least(google: GoogleKeys, cache_control: str) -> None:
    """Whatever is said of them: a storm of notifications is no storm of fetches."""
    clock, google.cache_control = Clock(), cache_control
    verifier = GoogleIdTokens(google.url, clock=clock)
    for clock.at, fetches in ((1000, 1), (1059, 1), (1000 + 24 * 3600, 2)):
        assert verifier.email_of(system_token(), AUDIENCE) == ADDON
        assert len(google.asked) == fetches


def test_a_rotated_key_is_fetched_when_it_is_first_used(google: GoogleKeys) -> None:
    """And a key that is no longer published counts for nothing from then on."""
    clock = Clock()
    verifier = GoogleIdTokens(google.url, clock=clock)
    verifier.email_of(system_token(), AUDIENCE)
    google.published = {"next": certificate("next"), "after": certificate("after")}
    assert verifier.email_of(system_token(), AUDIENCE) == ADDON
    clock.at += 60
    assert verifier.email_of(system_token(key="after"), AUDIENCE) == ADDON
    assert status_of(verifier, system_token()) == 401


def test_made_up_keys_cost_a_fetch_a_minute(google: GoogleKeys) -> None:
    """Strangers cannot make this process ask Google at will."""
    clock = Clock()
    verifier = GoogleIdTokens(google.url, clock=clock)
    for number in range(30):
        clock.at += 5
        assert status_of(verifier, system_token(kid=f"made-up-{number}")) == 401
    assert len(google.asked) == 3


@pytest.mark.parametrize(
    "broken",
    [
        Answer(503),
        Answer(404, {"error": "none"}),
        Answer(body=b"<html>"),
        Answer(body=b"[]"),
        Answer(body={"now": "no certificate"}),
        Answer(body={"now": 7}),
        Answer(body=b"x" * 100, ending="cut"),
        Answer(ending="reset"),
        Answer(ending="silence"),
    ],
    ids=lambda answer: f"{answer.status} {answer.ending} {answer.content[:10]!r}",
)
def test_without_certificates_nothing_is_decided(google: GoogleKeys, broken: Answer) -> None:
    """Neither accepted nor refused; a moment later they are asked for again, not before."""
    clock, google.broken = Clock(), broken
    verifier = GoogleIdTokens(google.url, timeout_s=0.3, clock=clock)
    for _ in range(3):
        with pytest.raises(CertificatesUnavailable):
            verifier.email_of(system_token(), AUDIENCE)
    assert len(google.asked) == 1
    google.broken, clock.at = None, clock.at + 5
    assert verifier.email_of(system_token(), AUDIENCE) == ADDON


def test_an_error_is_no_certificate_whatever_it_holds(google: GoogleKeys) -> None:
    """Only a good answer is kept."""
    google.broken = Answer(500, google.published)
    with pytest.raises(CertificatesUnavailable):
        GoogleIdTokens(google.url).email_of(system_token(), AUDIENCE)


def test_nobody_there_is_no_proof_either() -> None:
    """The server is down."""
    with pytest.raises(CertificatesUnavailable):
        GoogleIdTokens("http://127.0.0.1:9").email_of(system_token(), AUDIENCE)


def test_known_keys_count_while_a_new_one_cannot_be_fetched(google: GoogleKeys) -> None:
    """Only the token of the unknown key has to wait; but what is kept too long counts no more."""
    clock = Clock()
    verifier = GoogleIdTokens(google.url, clock=clock)
    verifier.email_of(system_token(), AUDIENCE)
    google.broken, clock.at = Answer(503), clock.at + 60
    with pytest.raises(CertificatesUnavailable):
        verifier.email_of(system_token(key="after"), AUDIENCE)
    assert verifier.email_of(system_token(), AUDIENCE) == ADDON
    clock.at += 20000
    with pytest.raises(CertificatesUnavailable):
        verifier.email_of(system_token(), AUDIENCE)


def test_many_threads_share_one_fetch(google: GoogleKeys) -> None:
    """A cold start in a storm."""
    verifier, together = GoogleIdTokens(google.url), threading.Barrier(8)

    def email(_: int) -> str:
        together.wait()
        return verifier.email_of(system_token(), AUDIENCE)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(email, range(8))) == {ADDON}
    assert len(google.asked) == 1
