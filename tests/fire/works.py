"""The pieces of work at which a worker is struck, and how it is struck there on many grounds at once."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confsync.core.channels import active_channel
from confsync.core.tasks import SYNC, UPDATE, Task
from tests.fire.ground import Ground
from tests.fire.jobs import Job, utc_now
from tests.fire.tripwires import Trip
from tests.fire.workers import Life, Workers

NEW_TITLE, NEWEST_TITLE = "Kick-off, postponed", "Kick-off, postponed again"
PATIENCE_S = 20.0
LONG_INTENT_S = 4.0
"""So long that a slow machine comes to what a test does within an intent."""


@dataclass(frozen=True)
class Work:
    """One piece of work: how it comes about, and which request it is."""

    begin: Callable[[Ground], None]
    path: str = SYNC
    """Of the task; `/renew` for the scheduled run, which is no task."""
    after_sync: Mapping[str, Any] | None = None
    """How the sync that comes before it differs from any other, as in `Job`; None: none comes before it."""


def rename(ground: Ground) -> None:
    """Let the person rename the event."""
    ground.rename(NEW_TITLE)


def rename_without_token(ground: Ground) -> None:
    """Let the person rename the event in a calendar that has to be listed in full."""
    ground.expire_sync_token()
    ground.rename(NEW_TITLE)


def let_channel_be_due(ground: Ground) -> None:
    """Let the channel be due for renewal."""
    due = ground.calendar().model_copy(update={"renew_at": utc_now()})
    ground.store.transact(lambda tx: tx.put(due))


WORKS = {
    "change": Work(rename),
    "change without token": Work(rename_without_token),
    "update": Work(rename, UPDATE, after_sync={"befalls": "busy"}),
    "end": Work(Ground.delete, UPDATE, after_sync={"rules": {"inline_updates": 0}}),
    "renewal": Work(let_channel_be_due, "/renew"),
}


@dataclass(frozen=True)
class Struck:
    """A ground, the worker on it, and the task that it works on."""

    ground: Ground
    job: Job
    task: Task | None
    pid: int


def start(work: Work, grounds: Sequence[Ground], befalls: Sequence[Any], workers: Workers) -> list[Struck]:
    """Bring the work about on each ground, and start a worker for it that something befalls; see `Job`."""
    for ground in grounds:
        work.begin(ground)
    if work.after_sync is not None:
        _run_syncs(grounds, work.after_sync, workers)
    tasks = [None if work.path == "/renew" else due_task(ground, work.path) for ground in grounds]
    jobs = [
        Job(path=work.path, body=dict(task.body) if task else {}, **what)
        for task, what in zip(tasks, befalls, strict=True)
    ]
    return [
        Struck(ground, job, task, workers.start(job, ground.site))
        for ground, job, task in zip(grounds, jobs, tasks, strict=True)
    ]


def _run_syncs(grounds: Sequence[Ground], how: Mapping[str, Any], workers: Workers) -> None:
    tasks = [due_task(ground, SYNC) for ground in grounds]
    started = [
        workers.start(ground.deliver(task, **how), ground.site) for ground, task in zip(grounds, tasks, strict=True)
    ]
    for ground, task, pid in zip(grounds, tasks, started, strict=True):
        ground.answered(task, workers.wait(pid))


def finish(struck: Struck, workers: Workers) -> Life:
    """Wait until the worker is done, dead or stopped."""
    life = workers.wait(struck.pid)
    if struck.task and life.end != "stopped":
        struck.ground.answered(struck.task, life)
    return life


def due_task(ground: Ground, path: str) -> Task:
    """Return the task on this path, once it is due."""
    give_up_at = time.monotonic() + PATIENCE_S
    while not (found := [task for task in ground.due() if task.path == path]):
        assert time.monotonic() < give_up_at, ground.waiting()
        time.sleep(0.02)
    return found[0]


def sync(ground: Ground, workers: Workers, **befalls: Any) -> None:
    """Run the sync that is due, with what befalls it; see `Job`."""
    task = due_task(ground, SYNC)
    ground.answered(task, workers.run(ground.deliver(task, **befalls), ground.site))


def steps_of(work: Work, ground: Ground, workers: Workers) -> list[str]:
    """Return the calls of its ports that an undisturbed worker makes for a piece of work."""
    (struck,) = start(work, [ground], [{}], workers)
    life = finish(struck, workers)
    assert (life.end, life.error) == ("done", ""), life
    return life.steps


WRITES = ("store.transact", "queue.create", "provider.update", "provider.end", "calendar.watch_events")


def trips_over(steps: Sequence[str]) -> list[Trip]:
    """Return every moment at which a worker may die: a call that only reads leaves the same before and after it."""
    before = [Trip(at=n, when="before") for n in range(1, len(steps) + 1)]
    return before + [Trip(at=n, when="after") for n, name in enumerate(steps, 1) if name in WRITES]


def tells(ground: Ground) -> int:
    """Return how often the back end has to be told: again, where a call left and nobody stored what became of it."""
    nobody_heard = bool(ground.left_with(ground.title)) and ground.conference().intent is not None
    return 2 if nobody_heard else 1


def is_watched(ground: Ground) -> bool:
    """Whether the calendar has an active channel, and Calendar pushes to it."""
    channel = active_channel(ground.calendar())
    return channel is not None and channel.id in ground.open_channels()
