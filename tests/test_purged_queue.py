"""A queue that somebody purges: the next scheduled runs start everything again, through Google's client."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from confsync.adapters.cloud_tasks import CloudTasksQueue, CloudTasksSettings, build_client
from confsync.core.tasks import SYNC, UPDATE
from confsync.doors import DOORS
from confsync.local.task_server.server import Endpoints
from confsync.ports import Outside
from confsync.receive_notification import receive_notification
from confsync.renew_channels import renew_channels
from confsync.sync_calendar import SyncRequest, sync_calendar
from tests.conftest import ServeQueues
from tests.local.task_server.support import LOCATION, Answer, Received, Worker, wait_for_stats
from tests.world import ANN, PUSH, World, times

QUEUES = {SYNC: f"{LOCATION}/queues/sync", UPDATE: f"{LOCATION}/queues/conferences"}
PROVIDER_QUEUE = f"{LOCATION}/queues/acme"


@pytest.fixture
def server(serve_queues: ServeQueues) -> Endpoints:
    """A task server with a queue for the syncs, one for conferences, and one for those of the provider."""
    return serve_queues(*QUEUES.values(), PROVIDER_QUEUE)


class Deployment:
    """A world whose tasks go through Cloud Tasks' protocol; its clock starts at the real time and is moved by hand."""

    def __init__(self, server: Endpoints, worker: Worker) -> None:
        """Let the worker's doors answer what the queues deliver."""
        self.world = World()
        self.world.lose_pushes = True
        self.world.now = datetime.now(UTC)
        self._client = build_client(server.url)
        settings = CloudTasksSettings(QUEUES, worker.url, provider_queues={"acme": PROVIDER_QUEUE})
        self._queue = CloudTasksQueue(settings, lambda: self._client)
        worker.answer = self._answer

    @property
    def outside(self) -> Outside:
        """The ports of the world, but for the queue."""
        return replace(self.world.outside, task_queue=self._queue)

    def _answer(self, received: Received) -> Answer:
        return Answer(DOORS[received.path](received.body, self.outside, self.world.terms, PUSH)[1])

    def pause(self) -> None:
        """Let the tasks wait."""
        for name in (*QUEUES.values(), PROVIDER_QUEUE):
            self._client.pause_queue(name=name)

    def resume(self) -> None:
        """Let the tasks run."""
        for name in (*QUEUES.values(), PROVIDER_QUEUE):
            self._client.resume_queue(name=name)

    def purge(self) -> dict[str, int]:
        """Delete all tasks; return how many there were, by queue."""
        waiting = {name: len(list(self._client.list_tasks(parent=name))) for name in (*QUEUES.values(), PROVIDER_QUEUE)}
        for name in waiting:
            self._client.purge_queue(name=name)
        return {name.rpartition("/")[2]: count for name, count in waiting.items()}

    def notify(self) -> None:
        """Send a notification of Ann's calendar to the receiver."""
        (channel,) = self.world.model.open_channels(ANN)
        headers = {
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Channel-Token": channel.token or "",
            "X-Goog-Resource-ID": channel.resource_id,
            "X-Goog-Resource-State": "exists",
        }
        receive_notification(headers, PUSH.keys, self._queue, self.world.now, rules=self.world.rules)

    def scheduled_run(self, after_s: float) -> tuple[int, int]:
        """Let time pass, then run renew_channels; return how many syncs and updates it started."""
        self.world.now += timedelta(seconds=after_s)
        outcome = renew_channels(self.outside, PUSH, self.world.terms)
        return outcome.syncs_started, outcome.updates_started


def test_a_purged_queue_costs_only_time(server: Endpoints, worker: Worker) -> None:
    """The sync that a notification asked for, the update of a conference, and the end that waited for its grace."""
    deployed = Deployment(server, worker)
    world = deployed.world
    tomorrow = times(world.now + timedelta(days=1))
    renamed, deleted = (world.add("Planning", name, **tomorrow) for name in ("c1", "c2"))
    world.settle()
    deployed.pause()

    world.edit(renamed, summary="Renamed")
    world.delete(deleted)
    deployed.notify()
    assert deployed.purge() == {"sync": 1, "conferences": 0, "acme": 0}
    assert deployed.scheduled_run(world.rules.reconcile_s) == (1, 0)
    assert deployed.purge() == {"sync": 1, "conferences": 0, "acme": 0}

    world.providers.clear()
    assert sync_calendar(SyncRequest(world.calendar().key), deployed.outside, world.terms).status == "synced"
    world.providers["acme"] = world.provider
    assert deployed.purge() == {"sync": 0, "conferences": 0, "acme": 2}

    assert deployed.scheduled_run(world.rules.refused_pause_s + 60) == (0, 2)
    deployed.resume()
    wait_for_stats(server.url, succeeded=2)
    assert (world.told("c1").title, world.told("c2")) == ("Renamed", None)
    told = {json.loads(received.body)["conference_key"] for received in worker.received}
    assert told == {world.conference(name).key for name in ("c1", "c2")}
