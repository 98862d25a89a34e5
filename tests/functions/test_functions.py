"""The three functions as functions-framework serves them: doors, status codes, one log line, settings."""

import json
import os
from datetime import UTC, datetime
from functools import partial
from math import floor
from pathlib import Path

import pytest
from functions_framework import create_app
from werkzeug.test import Client, TestResponse

from confsync.adapters.sqlite import SqliteStore
from confsync.core.brake import Scope
from confsync.core.channels import SigningKey, sign_channel_token
from confsync.core.conference import Conference
from confsync.core.records import Brake, Calendar, Record
from confsync.core.rules import Rules
from confsync.local.task_server.embedded import running_task_server
from confsync.local.task_server.limits import QueueSettings
from confsync.local.task_server.options import Options
from confsync.ports import Transaction
from tests.contracts.store_damage import damage_in_sqlite
from tests.local.task_server.support import control

FUNCTIONS = Path(__file__).parents[2] / "functions"
QUEUES = "projects/p/locations/l/queues"
KEY = SigningKey("k1", b"0123456789abcdef")
CALENDAR = "c" * 32
SOLUTIONS = [
    {"provider": "acme", "names": ["Acme Meet"], "url": "http://127.0.0.1:9/hooks", "secrets": ["whsec_" + "A" * 32]}
]
WORKER = {
    "TASK_QUEUE": f"{QUEUES}/sync",
    "CONFERENCE_QUEUE": f"{QUEUES}/conferences",
    "TASKS_ENDPOINT": "http://127.0.0.1:9",
    "SYNC_CALENDAR_URL": "http://127.0.0.1:9",
    "NOTIFICATION_URL": "http://127.0.0.1:9",
    "CHANNEL_TOKEN_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZg==",
    "SIGN_IN": "local",
    "CALENDAR_ENDPOINT": "http://127.0.0.1:9/calendar/v3/",
    "CONFERENCE_SOLUTIONS": json.dumps(SOLUTIONS),
}


def served(name: str) -> Client:
    """Return a client of a function, freshly loaded from its source file."""
    return Client(create_app(name, str(FUNCTIONS / name / "main.py")))  # type: ignore[no-untyped-call]


def notification(**changes: str) -> dict[str, str]:
    """Return the headers of a genuine notification, changed."""
    return {
        "X-Goog-Channel-ID": "channel-1",
        "X-Goog-Channel-Token": sign_channel_token(KEY, "channel-1", CALENDAR),
        "X-Goog-Resource-ID": "resource-1",
        "X-Goog-Resource-State": "exists",
        **changes,
    }


def _put(record: Record, tx: Transaction) -> None:
    tx.put(record)


def last_log(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """Return the last line of the log, which is JSON."""
    line: dict[str, object] = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    return line


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Set what a worker needs; every server it names is out of reach."""
    for name, value in WORKER.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STORE", f"sqlite:{tmp_path}/confsync.db")
    return monkeypatch


def test_a_notification_becomes_a_task(settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is 204, and the log has one line without a token."""
    options = Options(queues=((f"{QUEUES}/sync", QueueSettings()), (f"{QUEUES}/conferences", QueueSettings())))
    with running_task_server(options) as endpoints:
        settings.setenv("TASKS_ENDPOINT", endpoints.url)
        answer = served("receive_notification").post("/", headers=notification())
    assert (answer.status_code, answer.data) == (204, b"")
    log = last_log(capsys)
    assert (log["severity"], log["task"], log["calendar_key"]) == ("INFO", "leading", CALENDAR)


def test_a_queue_out_of_reach_lets_calendar_send_it_again(
    settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """503 is the one code that makes Calendar repeat a notification."""
    del settings
    assert served("receive_notification").post("/", headers=notification()).status_code == 503
    assert last_log(capsys)["severity"] == "ERROR"


@pytest.mark.parametrize("transport", ["rest", "grpc"])
@pytest.mark.parametrize(
    ("refusal", "queue", "way_out"),
    [
        ("", "missing", "Create the queue or correct its path"),
        ("denied", "sync", "Grant this service account roles/cloudtasks.enqueuer"),
        ("aborted", "sync", "Try again later"),
        ("deadline", "sync", "Try again later"),
        ("unavailable", "sync", "Try again later"),
        ("answer_lost", "sync", "Try again later"),
    ],
)
def test_whatever_the_queue_refuses_lets_calendar_send_it_again(  # noqa: PLR0917 - fixtures and a table
    settings: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    transport: str,
    refusal: str,
    queue: str,
    way_out: str,
) -> None:
    """503; the log names the queue and the way out. Once that is taken, the same notification becomes a task."""
    with running_task_server(Options(grpc_port=0, queues=((f"{QUEUES}/sync", QueueSettings()),))) as server:
        control(server.url, "faults", "POST", {refusal: 1} if refusal else {})
        settings.setenv("TASKS_ENDPOINT", server.url if transport == "rest" else str(server.grpc))
        settings.setenv("TASK_QUEUE", f"{QUEUES}/{queue}")
        answer = served("receive_notification").post("/", headers=notification())
        log = last_log(capsys)
        control(server.url, "faults", "DELETE")
        settings.setenv("TASK_QUEUE", f"{QUEUES}/sync")
        again = served("receive_notification").post("/", headers=notification())
    assert (answer.status_code, again.status_code) == (503, 204)
    assert log["severity"] == "ERROR"
    assert f"{QUEUES}/{queue}" in str(log["reason"])
    assert way_out in str(log["reason"])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        (notification(**{"X-Goog-Resource-State": "change"}), 400),
        (notification(**{"X-Goog-Channel-ID": "x" * 20000}), 400),
        (notification(**{"X-Goog-Channel-Token": "v1.k1." + CALENDAR + ".00"}), 403),
    ],
)
def test_junk_is_refused_with_one_log_line(
    settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], headers: dict[str, str], status: int
) -> None:
    """No task is made: the queue is out of reach, and would have answered 503."""
    del settings
    assert served("receive_notification").post("/", headers=headers).status_code == status
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["severity"] == "WARNING"


@pytest.mark.parametrize("name", ["receive_notification", "renew_channels"])
def test_only_post_is_answered(settings: pytest.MonkeyPatch, name: str) -> None:
    """Anything else is 405."""
    del settings
    assert served(name).get("/").status_code == 405


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/", b"", 404, "POST to one of"),
        ("/nothing", b"{}", 404, "POST to one of"),
        ("/sync", b"", 400, "bad request: body: "),
        ("/sync", b"{}", 400, "bad request: calendar_key: "),
        ("/sync", b"[]", 400, "bad request: body: "),
        ("/update", b"not json", 400, "bad request: body: "),
        ("/update", b"{}", 400, "bad request: conference_key: "),
        ("/initialize", b'{"calendar_id": "primary"}', 400, "bad request: subject: "),
        ("/sync", b'{"calendar_key": "unknown"}', 200, ""),
        ("/update", b'{"conference_key": "unknown"}', 200, ""),
    ],
)
def test_the_workers_doors(settings: pytest.MonkeyPatch, path: str, body: bytes, status: int, says: str) -> None:
    """Bad requests are told what is wrong; work for what is unknown is done."""
    del settings
    answer: TestResponse = served("sync_calendar").post(path, data=body)
    assert answer.status_code == status
    assert says in answer.text


def test_initialising_without_calendar_is_to_be_tried_again(
    settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Calendar is out of reach: 500, and what was stored is healed by the next run of renew_channels."""
    del settings
    body = {"calendar_id": "primary", "subject": "ann@example.com"}
    answer = served("sync_calendar").post("/initialize", data=json.dumps(body))
    assert answer.status_code == 500
    assert last_log(capsys)["error"] == "CalendarUnavailable"


def test_an_idle_renewal_run_succeeds(settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It needs the store only."""
    del settings
    assert served("renew_channels").post("/").status_code == 200
    assert last_log(capsys)["message"] == "renewal run"


def test_a_record_that_cannot_be_read_is_said_once_in_each_run_and_breaks_nothing_off(
    settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error in the log says which one it is and the way out, though it is due in two ways."""
    path, long_ago = Path(os.environ["STORE"].removeprefix("sqlite:")), datetime(2026, 1, 1, tzinfo=UTC)
    due = {"due_at": long_ago, "renew_at": long_ago}
    stored = Calendar(key="c1", tenant="default", calendar_id="ann@example.com", subject="ann@example.com", **due)
    SqliteStore(path).transact(partial(_put, stored))
    damage_in_sqlite(path, Calendar, "c1")
    del settings
    for _ in range(2):
        assert served("renew_channels").post("/").status_code == 200
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        (named,) = line["renewal"]["unreadable_named"]
        assert (line["severity"], line["message"], line["renewal"]["unreadable"]) == ("ERROR", "renewal run", 1)
        assert "table calendar: calendar c1 cannot be read" in named
        assert "correct or delete this one record" in named


def test_a_held_end_calls_for_an_operator(settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The log has one critical line for all that one brake holds: which scope, how many, the limit, what to do."""
    now = datetime.now(UTC)
    decided = {floor(now.timestamp() / 60): Rules().tenant_brake + 1}
    brake = Brake(key=Scope("default").keys[0], tenant="default", decided=decided)
    due = {"tenant": "default", "provider": "acme", "end_after": now, "due_at": now}
    ends = [Conference(key=key, conference_id=key, **due) for key in ("c1", "c2")]
    store = SqliteStore(os.environ["STORE"].removeprefix("sqlite:"))
    for record in (brake, *ends):
        store.transact(partial(_put, record))
    del settings
    worker = served("sync_calendar")
    statuses = [worker.post("/update", json={"conference_key": end.key}).status_code for end in ends]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (alert,) = [line for line in lines if line["severity"] == "CRITICAL"]
    assert statuses == [200, 200]
    assert "confsync ends list" in alert["message"]
    assert (alert["scope"], alert["count"], alert["limit"]) == ("tenant", 51, 50)
    assert [line["message"] for line in lines if line is not alert] == ["conference held"] * 2


@pytest.mark.parametrize("name", ["receive_notification", "sync_calendar", "renew_channels"])
def test_a_missing_setting_is_named_in_the_log(
    settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The function answers so that the work comes again, and says which variable is missing and its form."""
    settings.delenv("CHANNEL_TOKEN_KEYS")
    path = "/sync" if name == "sync_calendar" else "/"
    answer = served(name).post(path, headers=notification(), data=b'{"calendar_key": "x"}')
    log = last_log(capsys)
    assert answer.status_code in (500, 503)
    assert log["severity"] == "CRITICAL"
    assert "CHANNEL_TOKEN_KEYS is not set; expected: id:base64" in str(log["reason"])
