"""The add-on's door of the receiver as functions-framework serves it, with tokens that Google's keys really signed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.local.task_server.embedded import running_task_server
from confsync.local.task_server.limits import QueueSettings
from confsync.local.task_server.options import Options
from confsync.sync_calendar import SyncRequest, sync_calendar
from tests.adapters.google_keys import (
    ADDON,
    ANN,
    AUDIENCE,
    CLIENT_ID,
    GoogleKeys,
    event,
    running_google_keys,
    system_token,
    user_token,
)
from tests.adapters.test_google_calendar_scripted import Answer
from tests.functions.test_functions import FUNCTIONS, QUEUES, WORKER, last_log, notification, served
from tests.local.task_server.support import control, running_worker
from tests.world import World

SETTINGS = {**WORKER, "ADDON_SERVICE_ACCOUNT": ADDON, "ADDON_AUDIENCE": AUDIENCE, "ADDON_CLIENT_ID": CLIENT_ID}
ONLY_FOR_AN_ADDON = ("confsync.core.addon", "confsync.receive_addon_notification", "confsync.adapters.google_id_tokens")


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleKeys]:
    """Serve Google's certificates to a receiver whose queue is out of reach."""
    with running_google_keys() as running:
        for name, value in {**SETTINGS, "SIGN_IN_ENDPOINT": running.url, "NO_PROXY": "127.0.0.1"}.items():
            monkeypatch.setenv(name, value)
        yield running


def announce(body: bytes | None = None, authorization: str | None = None, path: str = "/addon") -> TestResponse:
    """Call the receiver as the add-on's platform does when a calendar changed."""
    headers = {"Authorization": authorization or f"Bearer {system_token()}", "Content-Type": "application/json"}
    return served("receive_notification").post(path, data=body or event(userIdToken=user_token()), headers=headers)


def test_a_change_that_the_addon_announces_reaches_the_back_end(
    google: GoogleKeys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the signed request over the queue to the sync; the platform gets an empty JSON object, the log no token."""
    del google
    world = World(rules=Rules(ingress="addon"))
    event_id = world.add("Planning", "c1")
    world.edit(event_id, summary="Planning II")
    with (
        running_worker() as worker,
        running_task_server(Options(queues=((f"{QUEUES}/sync", QueueSettings()),))) as queue,
    ):
        monkeypatch.setenv("TASKS_ENDPOINT", queue.url)
        monkeypatch.setenv("SYNC_CALENDAR_URL", worker.url)
        answer = announce()
        (received,) = worker.wait_for(1)
    assert (answer.status_code, answer.json, answer.mimetype) == (200, {}, "application/json")
    log = last_log(capsys)
    assert (log["severity"], log["task"], log["calendar_key"]) == (
        "INFO",
        "leading",
        Calendar.key_for("default", ANN, ANN),
    )
    assert not [word for word in ("ya29", "eyJ", ANN) if word in json.dumps(log)]
    sync_calendar(SyncRequest(**json.loads(received.body)), world.outside, world.terms)
    assert world.told("c1").title == "Planning II"


def test_the_queue_out_of_reach_or_google_s_certificates_are_503(google: GoogleKeys) -> None:
    """No task could be made: whoever sends it may send it again."""
    assert announce().status_code == 503
    google.broken = Answer(503)
    assert announce().status_code == 503


@pytest.mark.parametrize(
    ("body", "authorization", "status"),
    [
        ("good", "Bearer " + "a.b.c", 401),
        ("good", "Basic eA==", 401),
        ("good", "forged", 401),
        ("good", "stranger", 403),
        ("user forged", "good", 401),
        ("no user", "good", 401),
        ("[]", "good", 400),
        ("long", "good", 413),
    ],
)
def test_junk_is_refused_with_one_log_line(
    google: GoogleKeys, capsys: pytest.CaptureFixture[str], body: str, authorization: str, status: int
) -> None:
    """No task is made: the queue is out of reach, and would have answered 503."""
    del google
    bodies = {
        "good": event(userIdToken=user_token()),
        "user forged": event(userIdToken=user_token(key="x", kid="now")),
        "no user": event(),
        "long": b" " * 300_000,
    }
    tokens = {
        "good": system_token(),
        "forged": system_token(key="x", kid="now"),
        "stranger": system_token(email="service-9@gcp-sa-gsuiteaddons.iam.gserviceaccount.com"),
    }
    sent = bodies.get(body, body.encode())
    header = f"Bearer {tokens[authorization]}" if authorization in tokens else authorization
    assert announce(sent, header).status_code == status
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["severity"] == "WARNING"


def test_the_door_is_closed_where_no_addon_is_named(
    google: GoogleKeys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """404, and Google is not asked."""
    monkeypatch.setenv("ADDON_SERVICE_ACCOUNT", "")
    assert announce().status_code == 404
    assert "ADDON_SERVICE_ACCOUNT is not set" in str(last_log(capsys)["reason"])
    assert not google.asked


@pytest.mark.parametrize("name", ["ADDON_AUDIENCE", "ADDON_CLIENT_ID"])
def test_an_addon_that_is_half_described_is_an_operators_business(
    google: GoogleKeys, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The missing variable is named; no token is believed without it."""
    monkeypatch.setenv(name, "")
    assert announce().status_code == 503
    log = last_log(capsys)
    assert log["severity"] == "CRITICAL"
    assert f"{name} is not set, and ADDON_SERVICE_ACCOUNT needs it; expected: " in str(log["reason"])
    assert not google.asked


def test_pushes_come_through_beside_it(google: GoogleKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each door takes its own kind only."""
    options = Options(queues=((f"{QUEUES}/sync", QueueSettings()),))
    with running_task_server(options) as queue:
        monkeypatch.setenv("TASKS_ENDPOINT", queue.url)
        receiver = served("receive_notification")
        assert receiver.post("/", headers=notification()).status_code == 204
        assert receiver.post("/addon", headers=notification()).status_code == 400
        assert announce(path="/").status_code == 400
        assert announce(path="/addon/").status_code == 200
        assert control(queue.url, "stats")["queues"][f"{QUEUES}/sync"]["created"] == 2
    assert len(google.asked) == 1


def test_a_receiver_without_an_addon_loads_nothing_for_one() -> None:
    """Its cold start is what everybody waits for."""
    program = (
        "import sys, importlib.util as u; s = u.spec_from_file_location('main', sys.argv[1]); "
        "m = u.module_from_spec(s); s.loader.exec_module(m); m._task_queue(); m._addon(); "
        f"print([n for n in {ONLY_FOR_AN_ADDON!r} if n in sys.modules])"
    )
    words = [sys.executable, "-W", "ignore", "-c", program, str(FUNCTIONS / "receive_notification" / "main.py")]
    environment = {**WORKER, "PYTHONPATH": str(Path(__file__).parents[2] / "shared")}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
