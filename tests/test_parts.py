"""The parts that settings choose: which queue a task goes to, and how Google is reached."""

import json
from pathlib import Path

import pytest

from confsync import parts
from confsync.adapters.cloud_tasks import CloudTasksQueue
from confsync.core.tasks import Task
from confsync.local.task_server.embedded import running_task_server
from confsync.local.task_server.options import Options, parse_queue
from confsync.settings import ReceiveNotificationSettings, WorkerSettings
from tests.local.task_server.support import LOCATION, control
from tests.test_settings import GOOD, SOLUTION

SYNC, OTHERS, ZOOM = (f"{LOCATION}/queues/{name}" for name in ("sync", "conferences", "zoom"))


def test_syncs_and_each_providers_updates_wait_in_queues_of_their_own() -> None:
    """A provider without one shares CONFERENCE_QUEUE with all others."""
    entries = [SOLUTION, {**SOLUTION, "provider": "zoom", "queue": ZOOM}]
    queues = {"TASK_QUEUE": SYNC, "CONFERENCE_QUEUE": OTHERS, "CONFERENCE_SOLUTIONS": json.dumps(entries)}
    slow = "maxDispatchesPerSecond=0.01&maxBurstSize=1"
    options = Options(queues=tuple(parse_queue(f"{name}?{slow}") for name in (SYNC, OTHERS, ZOOM)))
    with running_task_server(options) as server:
        settings = WorkerSettings.from_mapping({**GOOD, **queues, "TASKS_ENDPOINT": server.url})
        queue = parts.task_queue(settings)
        for number, provider in enumerate(["zoom", "zoom", "acme"]):
            queue.create(Task(f"t{number}", "/update", {}, provider=provider))
        queue.create(Task("t", "/sync", {}))
        figures = control(server.url, "stats")["queues"]
    assert {name: figures[name]["created"] for name in figures} == {SYNC: 1, OTHERS: 1, ZOOM: 2}


@pytest.mark.parametrize(("said", "kind"), [({}, "grpc"), ({"TASKS_TRANSPORT": "rest"}, "rest")])
def test_google_is_reached_as_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: dict[str, str], kind: str
) -> None:
    """Over gRPC unless they say REST; nothing is sent before the first task."""
    user = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    (tmp_path / "user.json").write_text(json.dumps({**user, "quota_project_id": "p"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "user.json"))
    queue = parts.task_queue(ReceiveNotificationSettings.from_mapping({**GOOD, **said}))
    assert isinstance(queue, CloudTasksQueue)
    with queue._client.get() as client:
        assert client.transport.kind == kind
