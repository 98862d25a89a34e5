"""Secrets are read with Google's own client, against a local Secret Manager."""

import base64
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from confsync.adapters.secret_manager import SecretManager
from confsync.errors import SecretDenied, SecretError, SecretMissing, SecretUnavailable
from tests.adapters.google_sign_in import RUNTIME, SECRET, TOKEN, Google, error, running_google_for_this_process
from tests.adapters.test_google_calendar_scripted import Answer

VERSION = "projects/p/secrets/s/versions/latest"
NOT_TEXT = Answer(body={"payload": {"data": base64.b64encode(b"\xff\xfe").decode()}})


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Google]:
    """Serve Secret Manager with one secret, and the token endpoint where this process signs in."""
    with running_google_for_this_process(tmp_path) as running:
        running.secrets[VERSION] = "hunter2\r\n"
        yield running


def test_a_secret_is_read_without_the_line_end_behind_it(google: Google) -> None:
    """Who pipes a secret into gcloud adds one without knowing; it is read in this process's name."""
    assert SecretManager(google.url).text(VERSION) == "hunter2"
    (asked,) = google.asked(SECRET)
    assert (asked.path, asked.headers["authorization"]) == (f"/v1/{VERSION}:access", f"Bearer {RUNTIME}")


def test_nobody_is_asked_before_the_first_read(google: Google) -> None:
    """The framework imports, then forks."""
    SecretManager(google.url)
    assert google.server.asked == []


def test_threads_share_one_sign_in(google: Google) -> None:
    """Four threads that read at once connect once."""
    secrets, start = SecretManager(google.url), threading.Barrier(4)

    def read(_: int) -> str:
        start.wait()
        return secrets.text(VERSION)

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(read, range(4))) == {"hunter2"}
    assert len(google.asked(TOKEN)) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_fault_is_asked_again(google: Google, status: int) -> None:
    """Once is enough here."""
    google.fails(SECRET, error(status, "UNAVAILABLE"))
    assert SecretManager(google.url).text(VERSION) == "hunter2"


@pytest.mark.parametrize(
    ("answer", "meaning", "way_out"),
    [
        (error(404, "NOT_FOUND"), SecretMissing, "add a version"),
        (error(400, "FAILED_PRECONDITION"), SecretMissing, "add a version"),
        (NOT_TEXT, SecretMissing, "add a version in UTF-8"),
        (error(403, "PERMISSION_DENIED"), SecretDenied, "grant roles/secretmanager.secretAccessor"),
        (error(401, "UNAUTHENTICATED"), SecretDenied, "grant roles/secretmanager.secretAccessor"),
        (error(503, "UNAVAILABLE"), SecretUnavailable, "did not answer"),
        (Answer(ending="silence"), SecretUnavailable, "did not answer"),
        (Answer(ending="reset"), SecretUnavailable, "did not answer"),
        (Answer(200, b"<html>\xff"), SecretUnavailable, "did not answer"),
        (Answer(200, b"<html>"), SecretUnavailable, "did not answer"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(
    google: Google, answer: Answer, meaning: type[SecretError], way_out: str
) -> None:
    """Missing, denied and unavailable are told apart; a secret is never part of the message."""
    google.secrets[VERSION] = answer
    with pytest.raises(meaning, match=way_out):
        SecretManager(google.url, timeout_s=0.2).text(VERSION)


def test_without_anybody_signed_in_it_is_unavailable(
    google: Google, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where Google's own rules find nobody, the error names that."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nobody.json"))
    with pytest.raises(SecretUnavailable, match="give the function a service account"):
        SecretManager(google.url).text(VERSION)
