"""One person, one event with a conference, and what confsync knows of them: all that one test of workers looks at.

The test is the queue and the scheduler: it starts a worker for each task that is due. After each of them it looks at
what must never happen. It must never tell a worker what is true.
"""

import json
import time
import uuid
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from confsync.adapters.firestore_calls import build_client
from confsync.core import desires
from confsync.core.channels import active_channel, sign_channel_token
from confsync.core.conference import Conference
from confsync.core.records import Calendar
from confsync.core.tasks import Task
from confsync.local.calendar_server.people import Person, addon_conference
from confsync.local.calendar_server.serve import RunningServer
from confsync.local.vendor.server import Vendor
from confsync.ports import Store
from confsync.receive_notification import receive_notification
from tests.fire.folder_queue import FolderQueue
from tests.fire.jobs import PUSH, QUICK, Job, Site, initialize, outside_of, utc_now
from tests.fire.workers import Life, Workers

SOON = timedelta(minutes=1)
"""What is due later is no business of a test."""
FIRST_TITLE = "Kick-off"


@dataclass(frozen=True)
class Servers:
    """Where everything runs that is not confsync's."""

    emulator: str
    calendar: RunningServer
    vendor: Vendor


class Ground:
    """A synced calendar with one event, whose conference the back end was told."""

    def __init__(self, servers: Servers, database: str, folder: Path, **more: Any) -> None:
        """Create person and event, and do what the add-on asks for; `more` is for `Site`."""
        name = uuid.uuid4().hex[:12]
        self.email, self.conference_id = f"{name}@example.com", f"c-{name}"
        (folder / name / "tasks").mkdir(parents=True)
        self.site = Site(
            emulator=servers.emulator,
            database=database,
            calendar_url=servers.calendar.url,
            vendor_endpoint=servers.vendor.endpoint,
            folder=folder / name,
            **more,
        )
        self._vendor, self._calendar_server = servers.vendor, servers.calendar
        httpx.post(f"{servers.calendar.url}/_local/users", json={"email": self.email}).raise_for_status()
        self.person = Person(servers.calendar.url, self.email)
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
        conference = addon_conference(self.conference_id)
        self.event_id = str(self.person.create(FIRST_TITLE, tomorrow, conference=conference)["id"])
        self.title: str | None = FIRST_TITLE
        """What the event says now; None: it was deleted."""
        self._queue = FolderQueue(self.site.folder / "tasks")
        self._finished: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._next_run = 0.0
        self.calendar_key = Calendar.key_for("default", self.email, self.email)
        self.conference_key = Conference.key_for("default", "acme", self.conference_id)
        outside = outside_of(self.site)
        self.store: Store = outside.store
        initialize(self.site, outside, self.email, self.conference_id, self.event_id)
        self._seen, self._reached = self.calendar(), 0
        assert self.told() == (FIRST_TITLE, 1)

    # What people and Google do

    def rename(self, title: str) -> None:
        """Let the person rename the event, and Calendar say so."""
        self.person.rename(self.event_id, title)
        self.title = title
        self.notify()

    def delete(self) -> None:
        """Let the person delete the event, and Calendar say so."""
        self.person.delete(self.event_id)
        self.title = None
        self.notify()

    def restore(self) -> None:
        """Let the person take the event out of the trash, and Calendar say so."""
        self.title = str(self.person.restore(self.event_id)["summary"])
        self.notify()

    def expire_sync_token(self) -> None:
        """Let Calendar forget up to where the calendar was synced."""
        named = {"calendar_id": self.email}
        httpx.post(f"{self._calendar_server.url}/_local/expire_sync_tokens", json=named).raise_for_status()

    def open_channels(self) -> set[str]:
        """Return the ids of the channels that Calendar pushes to."""
        return {channel.id for channel in self._calendar_server.service.model.open_channels(self.email)}

    def notify(self) -> None:
        """Send a notification through the open channel."""
        channel = active_channel(self.calendar())
        assert channel is not None
        headers = {
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Channel-Token": sign_channel_token(PUSH.keys[0], channel.id, self.calendar_key),
            "X-Goog-Resource-ID": channel.resource_id or "",
            "X-Goog-Resource-State": "exists",
        }
        receive_notification(headers, PUSH.keys, self._queue, utc_now(), rules=QUICK)

    def purge(self) -> None:
        """Lose every task that waits."""
        self._finished |= {task.name for task in self._queue.created()}

    def end_transaction(self, transaction: bytes) -> None:
        """Let Firestore take back the locks of a transaction, as it does when nobody goes on with it for a minute."""
        build_client(self.site.emulator).rollback({"database": self.site.database, "transaction": transaction})

    # Tasks

    def due(self) -> list[Task]:
        """Return the tasks that may start now."""
        now, moment = utc_now(), time.monotonic()
        return [
            task
            for task in self.waiting()
            if (task.schedule_time or now) <= now and self._not_before.get(task.name, 0) <= moment
        ]

    def waiting(self) -> list[Task]:
        """Return the tasks that are not finished and concern this test."""
        until = utc_now() + SOON
        unfinished = [task for task in self._queue.created() if task.name not in self._finished]
        return [task for task in unfinished if (task.schedule_time or until) <= until]

    def deliver(self, task: Task, **befalls: Any) -> Job:
        """Return the job that a task is for."""
        return Job(path=task.path, body=dict(task.body), **befalls)

    def answered(self, task: Task, life: Life) -> None:
        """Finish a task whose worker answered; let the other one be tried again soon."""
        if life.end == "done" and not life.error:
            assert life.status == 0, life
            self._finished.add(task.name)
        self._not_before[task.name] = time.monotonic() + 0.1
        self.look()

    def is_time_to_run(self) -> bool:
        """Whether the scheduled run is due, which a test has twice a second."""
        if time.monotonic() < self._next_run:
            return False
        self._next_run = time.monotonic() + 0.5
        return True

    # What is to be seen

    def calendar(self) -> Calendar:
        """Return the stored calendar."""
        found = self.store.get(Calendar, self.calendar_key)
        assert found is not None
        return found

    def conference(self) -> Conference:
        """Return the stored conference."""
        found = self.store.get(Conference, self.conference_key)
        assert found is not None
        return found

    def told(self) -> tuple[str | None, int]:
        """Return title and generation that the back end holds; no title when the conference ended."""
        kept = self._vendor.back_end.storage.get(self.conference_id)
        assert kept is not None
        return (kept.desired.title if kept.state == "live" else None), kept.generation

    def logged(self) -> list[dict[str, Any]]:
        """Return what the back end logged of this conference's calls, in the order in which they landed."""
        calls: list[dict[str, Any]] = self._vendor.back_end.storage.calls_after(0, 10**9)
        return [call for call in calls if call["conference_id"] == self.conference_id]

    def left(self) -> list[dict[str, Any]]:
        """Return the calls as they left the workers; see `tripwires.note_of`."""
        return [json.loads(line) for line in (self.site.folder / "calls").read_text().splitlines()]

    def landed(self, title: str | None) -> list[dict[str, Any]]:
        """Return what the back end logged of the calls that told this title, in the order in which they landed."""
        operations = {call["operation_id"] for call in self.left_with(title)}
        return [call for call in self.logged() if call["operation_id"] in operations]

    def left_with(self, title: str | None) -> list[dict[str, Any]]:
        """Return the calls that told this title; None: those that ended the conference."""
        return [call for call in self.left() if (call["state"] or {}).get("title") == title]

    def is_settled(self) -> bool:
        """Whether nothing is left to do."""
        if self.waiting():
            return False
        calendar, conference, now = self.calendar(), self.conference(), utc_now()
        has_synced = calendar.lease is None and calendar.requested == calendar.served and not calendar.to_observe
        has_told = conference.intent is None and not desires.is_pending(conference) and conference.end_after is None
        is_watched = calendar.renew_at is not None and calendar.renew_at > now
        return has_synced and has_told and is_watched

    def look(self) -> None:
        """Check that nothing went backwards since the last look."""
        before, now = self._seen, self.calendar()
        self._seen = now
        assert now.fence >= before.fence, (before, now)
        assert now.sync_generation >= before.sync_generation, (before, now)
        if now.sync_token not in (before.sync_token, None):
            assert now.sync_generation > before.sync_generation, "the sync token moved without a commit"
            assert self._reached <= _reach(now.sync_token), "the sync token went backwards"
            self._reached = _reach(now.sync_token)

    def check(self) -> None:
        """Check that the back end holds what the event says, and was told each generation as one state, once."""
        assert self.told()[0] == self.title
        operations = [call["operation_id"] for call in self.left()]
        assert len(set(operations)) == len(operations), "a call left twice under one operation id"
        generations = [call["generation"] for call in self.left()]
        assert len(set(generations)) == len(generations), "two calls left under one generation"
        applied = self.conference().applied
        assert applied is not None
        assert applied.generation == self.told()[1]


def settle(grounds: list[Ground], workers: Workers, *, at_once: int = 4, give_up_s: float = 60) -> None:
    """Run tasks, and twice a second the scheduled run, until nothing is left to do anywhere."""
    give_up_at = time.monotonic() + give_up_s
    restless = list(grounds)
    while restless := [ground for ground in restless if not ground.is_settled()]:
        assert time.monotonic() < give_up_at, [(g.calendar(), g.conference(), g.waiting()) for g in restless]
        if not any([_deliver_due(restless, workers, at_once), _run_scheduled(restless, workers)]):
            time.sleep(0.02)


def _deliver_due(grounds: list[Ground], workers: Workers, at_once: int) -> bool:
    """Start one task on each ground that has any: contention is the matter of one test only."""
    due = [(ground, tasks[0]) for ground in grounds if (tasks := ground.due())]
    for batch in (due[i : i + at_once] for i in range(0, len(due), at_once)):
        started = [(ground, task, workers.start(ground.deliver(task), ground.site)) for ground, task in batch]
        for ground, task, pid in started:
            ground.answered(task, workers.wait(pid))
    return bool(due)


def _run_scheduled(grounds: list[Ground], workers: Workers) -> bool:
    """Run it where no task is left that would do: it is the last resort."""
    chosen = [ground for ground in grounds if not ground.waiting() and ground.is_time_to_run()]
    started = [(ground, workers.start(Job(path="/renew"), ground.site)) for ground in chosen]
    for ground, pid in started:
        assert workers.wait(pid).outcome == "renewed"
        ground.look()
    return bool(chosen)


def _reach(sync_token: str | None) -> int:
    """Return up to which change the bearer of the local server's token knows everything."""
    assert sync_token is not None
    upto: int = json.loads(urlsafe_b64decode(sync_token)[9:])[3]
    return upto
