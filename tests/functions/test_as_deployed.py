"""Functions as processes of their own, signed in by a metadata server as on Google Cloud: each way to sign in, secrets
by reference, and what the lines of their logs hold.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from confsync.adapters.sign_in import subject_hash
from confsync.adapters.sqlite import SqliteStore
from confsync.core.channels import SigningKey, sign_channel_token
from confsync.core.records import Calendar, Failure
from confsync.local.calendar_server.serve import running as running_calendar
from confsync.local.stack_ports import HOST, reserve, somebody_listens
from confsync.local.task_server.embedded import running_task_server
from confsync.local.task_server.limits import QueueSettings
from confsync.local.task_server.options import Options
from tests.adapters.google_sign_in import (
    ANN,
    CLIENT_ID,
    CLIENT_SECRET,
    DELEGATE,
    RUNTIME,
    SECRET,
    SIGN,
    Google,
    error,
    running_google,
)
from tests.cli.processes import eventually, running

FUNCTIONS = Path(__file__).parents[2] / "functions"
QUEUES = "projects/p/locations/l/queues"
KEYS, KEY = "k1:MDEyMzQ1Njc4OWFiY2RlZg==", SigningKey("k1", b"0123456789abcdef")
WEBHOOK_SECRET = "whsec_" + "A" * 32
SECRETS = (CLIENT_SECRET, "consent-of-ann", "MDEyMzQ1Njc4OWFiY2RlZg", WEBHOOK_SECRET)
SOLUTION = {"provider": "acme", "names": ["Acme Meet"], "url": "http://127.0.0.1:9/hooks"}
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = {"X-Cloud-Trace-Context": f"{TRACE}/{int(SPAN, 16)};o=1", "Function-Execution-Id": "execution1"}
OF_THE_REQUEST = {
    "logging.googleapis.com/trace": f"projects/p/traces/{TRACE}",
    "logging.googleapis.com/trace_sampled": True,
    "logging.googleapis.com/spanId": SPAN,
    "logging.googleapis.com/labels": {"execution_id": "execution1"},
}
OUT_OF_REACH = "http://127.0.0.1:9"
LOGGING = "logging.googleapis.com/"


@dataclass(frozen=True)
class Deployed:
    """A function that is served."""

    url: str
    out: Path
    err: Path

    def post(
        self, path: str, body: bytes | Mapping[str, Any] = b"", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a request as Google's front end would pass it on."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {**HEADERS, **(headers or {})}
        return httpx.post(self.url + path, content=content, headers=sent, trust_env=False, timeout=60)

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of its log, which all are JSON."""
        return [json.loads(line) for line in self.out.read_text().splitlines()]

    def says(self) -> str:
        """Return all that it ever wrote."""
        return self.out.read_text() + self.err.read_text()


@contextmanager
def deployed(name: str, folder: Path, variables: Mapping[str, str]) -> Iterator[Deployed]:
    """Serve a function as the platform does, until the block ends."""
    port = reserve(name)
    source = FUNCTIONS / name / "main.py"
    words: list[str | Path] = [
        Path(sys.executable).with_name("functions-framework"),
        "--target",
        name,
        "--source",
        source,
    ]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GOOGLE_", "FUNCTION_", "LOG_"))}
    environment = {**inherited, "HOME": str(folder), "THREADS": "4", "WORKERS": "1", **variables}
    with running([*words, "--host", HOST, "--port", str(port.port)], folder, environment) as command:
        assert eventually(lambda: command.process.poll() is not None or somebody_listens(port.port))
        yield Deployed(f"http://{HOST}:{port.port}", command.out, command.err)
    port.release()


@pytest.fixture(scope="module")
def calendar_url() -> Iterator[str]:
    """Serve a Calendar with two users."""
    with running_calendar() as server:
        for email in (ANN, RUNTIME):
            user = {"email": email}
            httpx.post(f"{server.url}/_local/users", json=user, trust_env=False).raise_for_status()
        yield server.url


@pytest.fixture(scope="module")
def tasks_url() -> Iterator[str]:
    """Serve the queues."""
    options = Options(queues=((f"{QUEUES}/sync", QueueSettings()), (f"{QUEUES}/conferences", QueueSettings())))
    with running_task_server(options) as endpoints:
        yield endpoints.url


@pytest.fixture
def google() -> Iterator[Google]:
    """Serve Google's side of signing in, with the secrets of a deployment."""
    with running_google() as running_one:
        running_one.secrets = {
            f"projects/p/secrets/calendar-token-{subject_hash(ANN)}/versions/latest": "consent-of-ann\n",
            "projects/p/secrets/oauth-client/versions/latest": CLIENT_SECRET,
            "projects/p/secrets/channel-keys/versions/2": KEYS,
            "projects/p/secrets/webhook/versions/latest": WEBHOOK_SECRET,
        }
        yield running_one


@pytest.fixture
def variables(google: Google, calendar_url: str, tasks_url: str, tmp_path: Path) -> dict[str, str]:
    """Return the variables of a deployment whose secrets are references."""
    metadata = google.url.removeprefix("http://")
    solution = {**SOLUTION, "secrets": ["secret:projects/p/secrets/webhook/versions/latest"]}
    return {
        "GCE_METADATA_HOST": metadata,
        "GCE_METADATA_IP": metadata,
        "CLOUDSDK_CONFIG": str(tmp_path),
        "NO_PROXY": HOST,
        "TASK_QUEUE": f"{QUEUES}/sync",
        "CONFERENCE_QUEUE": f"{QUEUES}/conferences",
        "TASKS_ENDPOINT": tasks_url,
        "SYNC_CALENDAR_URL": OUT_OF_REACH,
        "NOTIFICATION_URL": OUT_OF_REACH,
        "CHANNEL_TOKEN_KEYS": "secret:projects/p/secrets/channel-keys/versions/2",
        "SIGN_IN_ENDPOINT": google.url,
        "CALENDAR_ENDPOINT": f"{calendar_url}/calendar/v3/",
        "CONFERENCE_SOLUTIONS": json.dumps([solution]),
        "STORE": f"sqlite:{tmp_path}/confsync.db",
        "DELEGATE": DELEGATE,
        "OAUTH_CLIENT_ID": CLIENT_ID,
        "OAUTH_CLIENT_SECRET": "secret:projects/p/secrets/oauth-client/versions/latest",
        "REFRESH_TOKEN_SECRET": "projects/p/secrets/calendar-token-{subject_hash}/versions/latest",
    }


def is_clean(function: Deployed) -> bool:
    """Whether no address and no secret stands in what a function wrote."""
    says = function.says()
    return not any(text in says for text in (ANN, RUNTIME, "ann@", *SECRETS))


@pytest.mark.parametrize(
    ("mode", "subject"), [("delegated", ANN), ("shared", RUNTIME), ("refresh_token", ANN)], ids=str
)
def test_a_calendar_is_synced_in_the_subjects_name(
    google: Google, variables: dict[str, str], tmp_path: Path, mode: str, subject: str
) -> None:
    """The worker signs in, opens a channel and lists; its log holds one line of this request, and nobody's address."""
    body = {"calendar_id": "primary", "subject": subject}
    with deployed("sync_calendar", tmp_path, {**variables, "SIGN_IN": mode}) as worker:
        answer = worker.post("/initialize", body)
        assert (answer.status_code, answer.json()["sync"]["status"]) == (200, "synced"), worker.says()
        (line,) = worker.lines()
        assert is_clean(worker)
    assert {name: value for name, value in line.items() if name.startswith(LOGGING)} == OF_THE_REQUEST
    assert line["severity"] == "INFO"
    assert len(google.asked(SIGN)) == (1 if mode == "delegated" else 0)
    assert len(google.asked(SECRET)) == (4 if mode == "refresh_token" else 3)


@pytest.mark.parametrize("mode", ["delegated", "refresh_token"])
def test_a_withdrawn_consent_freezes_the_calendar(
    google: Google, variables: dict[str, str], tmp_path: Path, mode: str
) -> None:
    """The add-on is told, the log says why, and neither names the user."""
    google.users.clear()
    google.consents.clear()
    with deployed("sync_calendar", tmp_path, {**variables, "SIGN_IN": mode}) as worker:
        answer = worker.post("/initialize", {"calendar_id": "primary", "subject": ANN})
        assert (answer.status_code, answer.json()["channel"]["status"]) == (403, "frozen"), worker.says()
        assert answer.json()["channel"]["reason"] == "invalid_grant"
        assert is_clean(worker)


@pytest.mark.parametrize("by_framework", ["", "true"], ids=["alone", "LOG_EXECUTION_ID"])
def test_a_notification_is_logged_once_with_its_request(
    variables: dict[str, str], tmp_path: Path, by_framework: str
) -> None:
    """Also where the framework adds the execution id by itself: each field stands there once."""
    headers = {
        "X-Goog-Channel-ID": "channel-1",
        "X-Goog-Channel-Token": sign_channel_token(KEY, "channel-1", "c" * 32),
        "X-Goog-Resource-ID": "resource-1",
        "X-Goog-Resource-State": "exists",
    }
    given = {**variables, "LOG_EXECUTION_ID": by_framework}
    with deployed("receive_notification", tmp_path, given) as receiver:
        assert receiver.post("/", headers=headers).status_code == 204, receiver.says()
        (line,) = receiver.lines()
        raw = receiver.out.read_text()
        assert is_clean(receiver)
    assert (line["message"], line["severity"]) == ("notification received", "INFO")
    assert {**OF_THE_REQUEST, f"{LOGGING}spanId": line[f"{LOGGING}spanId"]}.items() <= line.items()
    assert [raw.count(f'"{LOGGING}{field}"') for field in ("trace", "spanId", "labels")] == [1, 1, 1]


def test_a_secret_that_is_not_there_is_named_until_it_is(
    google: Google, variables: dict[str, str], tmp_path: Path
) -> None:
    """Wrong settings are critical; a Secret Manager out of order is not; both pass without a new start."""
    version = "projects/p/secrets/channel-keys/versions/2"
    keys = google.secrets.pop(version)
    with deployed("receive_notification", tmp_path, variables) as receiver:
        assert receiver.post("/").status_code == 503
        google.secrets[version] = error(503, "UNAVAILABLE")
        assert receiver.post("/").status_code == 503
        google.secrets[version] = keys
        assert receiver.post("/").status_code == 400
        missing, unavailable, rejected = receiver.lines()
    assert (missing["severity"], missing["error"]) == ("CRITICAL", "SettingsError")
    assert f"CHANNEL_TOKEN_KEYS: {version} does not exist" in missing["reason"]
    assert (unavailable["severity"], unavailable["error"]) == ("ERROR", "SecretUnavailable")
    assert rejected["severity"] == "WARNING"


def test_what_nobody_expected_is_one_line_with_a_severity(variables: dict[str, str], tmp_path: Path) -> None:
    """Also a ValueError, which is no bad request of its sender; the line and the failure leave out what it quotes.

    The framework would write it without a severity, with the error's text, and in several lines.
    """
    store = SqliteStore(variables["STORE"].removeprefix("sqlite:"))
    subject = f"{ANN}\nPlanning"  # no header can hold it: the library that is to send it says so, and quotes it
    calendar = Calendar(key="c" * 32, tenant="default", calendar_id="primary", subject=subject)
    store.transact(lambda tx: tx.put(calendar))
    with deployed("sync_calendar", tmp_path, {**variables, "SIGN_IN": "local"}) as worker:
        assert worker.post("/sync", {"calendar_key": calendar.key}).status_code == 500
        given_up, line = worker.lines()
        assert is_clean(worker)
        assert "Planning" not in worker.says()
        assert "Traceback" not in worker.err.read_text()
    (failure,) = store.all_of(Failure, after="", limit=9)
    assert (line["severity"], line["error"]) == ("ERROR", "ValueError")
    assert "http/client.py" in line["stack_trace"]
    assert OF_THE_REQUEST.items() <= line.items()
    assert (failure.reason, given_up["reason"]) == ("ValueError", "ValueError")
