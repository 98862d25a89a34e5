"""The worker behind a real queue: what is left in the store when the last attempt of a task has failed."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from functions_framework import create_app
from werkzeug.test import Client

from confsync.adapters.cloud_tasks import CloudTasksQueue, CloudTasksSettings, build_client
from confsync.adapters.sqlite import SqliteStore
from confsync.core.conference import Conference, Desired
from confsync.core.records import Calendar, Failure, Record
from confsync.core.tasks import Task
from confsync.local.task_server.server import Endpoints
from confsync.ports import Transaction
from tests.conftest import ServeQueues
from tests.functions.test_functions import FUNCTIONS, QUEUES, WORKER
from tests.local.task_server.support import Answer, Received, Worker, wait_for_stats

ATTEMPTS = 3
PATHS = {"/sync": f"{QUEUES}/sync", "/update": f"{QUEUES}/conferences"}
CALENDAR, CONFERENCE = "c" * 32, "d" * 32


@pytest.fixture
def server(serve_queues: ServeQueues) -> Endpoints:
    """A task server that tries three times."""
    return serve_queues(*(f"{name}?maxAttempts={ATTEMPTS}&minBackoff=0.01&maxBackoff=0.02" for name in PATHS.values()))


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Endpoints) -> SqliteStore:
    """The store of a worker; neither Calendar nor the vendor is within its reach."""
    given = {**WORKER, "STORE": f"sqlite:{tmp_path}/confsync.db", "TASKS_ENDPOINT": server.url}
    for name, value in {**given, "TASK_ATTEMPTS": str(ATTEMPTS)}.items():
        monkeypatch.setenv(name, value)
    return SqliteStore(f"{tmp_path}/confsync.db")


def serve(worker: Worker) -> None:
    """Let the function answer what the queue sends."""
    client = Client(create_app("sync_calendar", str(FUNCTIONS / "sync_calendar" / "main.py")))  # type: ignore[no-untyped-call]

    def answer(received: Received) -> Answer:
        return Answer(client.post(received.path, data=received.body, headers=dict(received.headers)).status_code)

    worker.answer = answer


def send(server: Endpoints, worker: Worker, path: str, body: dict[str, str]) -> None:
    """Put a task into its queue, which tries it until nothing is left of it."""
    queue = CloudTasksQueue(CloudTasksSettings(PATHS, worker.url), lambda: build_client(server.url))
    queue.create(Task("t", path, body))
    wait_for_stats(server.url, dropped=1)


def put(store: SqliteStore, record: Record) -> None:
    """Store a record."""
    store.transact(partial(_put, record))


def _put(record: Record, tx: Transaction) -> None:
    tx.put(record)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines of the log."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def a_calendar() -> Calendar:
    """Return a calendar that is quiet for hours."""
    due_at = datetime.now(UTC) + timedelta(hours=6)
    return Calendar(key=CALENDAR, tenant="default", calendar_id="ann@example.com", subject="a@b.c", due_at=due_at)


def test_a_sync_whose_last_attempt_failed_is_left_to_the_scheduled_run(
    server: Endpoints, store: SqliteStore, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three attempts, one failure, one line that says so, and the calendar is due."""
    put(store, a_calendar())
    serve(worker)
    send(server, worker, "/sync", {"calendar_key": CALENDAR})
    calendar, failures = store.get(Calendar, CALENDAR), store.all_of(Failure, after="", limit=9)
    assert calendar is not None
    assert calendar.due_at is not None
    assert calendar.due_at <= datetime.now(UTC)
    assert calendar.requested == ATTEMPTS + 1 > calendar.served
    assert [(failure.calendar_key, failure.count) for failure in failures] == [(CALENDAR, 1)]
    assert failures[0].reason.startswith("CalendarUnavailable: ")
    messages = [line["message"] for line in lines(capsys)]
    assert messages.count("/sync broke off") == ATTEMPTS
    assert messages.count("/sync: last attempt failed; the scheduled run goes on") == 1


def test_an_update_whose_last_attempt_failed_is_left_to_the_scheduled_run(
    server: Endpoints, store: SqliteStore, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conference stays due: the queue for what has to wait is missing here, so no attempt ends well."""
    monkeypatch.setenv("CONFERENCE_QUEUE", f"{QUEUES}/missing")
    now = datetime.now(UTC)
    wanted = Desired(generation=1, fingerprint="ended", since=now)
    due = {"provider": "acme", "conference_id": "c1", "desired": wanted, "call_at": now, "due_at": now}
    put(store, Conference.model_validate({"key": CONFERENCE, "tenant": "default", **due}))
    serve(worker)
    send(server, worker, "/update", {"conference_key": CONFERENCE})
    conference, failures = store.get(Conference, CONFERENCE), store.all_of(Failure, after="", limit=9)
    assert conference is not None
    assert conference in store.conferences_due("default", datetime.now(UTC) + timedelta(minutes=5), 9)
    assert [(failure.conference_key, failure.count) for failure in failures] == [(CONFERENCE, 1)]
    assert failures[0].reason.startswith("TaskQueueMisconfigured: ")


@pytest.mark.parametrize("count", [None, "-", "99"])
def test_without_a_queue_nobody_tries_again(store: SqliteStore, worker: Worker, count: str | None) -> None:
    """A missing or forged header costs one early note, and the calendar's next sync comes sooner."""
    put(store, a_calendar())
    serve(worker)
    headers = {} if count is None else {"x-cloudtasks-taskretrycount": count}
    body = json.dumps({"calendar_key": CALENDAR}).encode()
    received = Received("POST", "/sync", headers, body, datetime.now(UTC))
    assert worker.answer(received) == Answer(500)
    assert [failure.count for failure in store.all_of(Failure, after="", limit=9)] == [1]


def test_a_fault_of_ours_is_left_by_its_name_alone(
    store: SqliteStore, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time that no calendar has: such an error may quote anything, a title too, and is answered by the framework."""
    monkeypatch.setenv("CLOCK_SKEW_S", "1e12")
    put(store, a_calendar())
    serve(worker)
    body = json.dumps({"calendar_key": CALENDAR}).encode()
    assert worker.answer(Received("POST", "/sync", {}, body, datetime.now(UTC))) == Answer(500)
    (failure,) = store.all_of(Failure, after="", limit=9)
    assert failure.reason == "OverflowError"


def test_a_request_that_is_none_leaves_nothing(store: SqliteStore, worker: Worker) -> None:
    """It names no calendar."""
    serve(worker)
    for body in (b"", b"{}", b"[]"):
        assert worker.answer(Received("POST", "/sync", {}, body, datetime.now(UTC))) == Answer(400)
    assert store.all_of(Failure, after="", limit=9) == []
