"""Cloud Scheduler in small: posts to a URL at a fixed interval.

It must never run one job twice at once: a tick that comes while the last run is under way is skipped.
Source: https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from confsync.local.task_server.identity import Identities

USER_AGENT = "Google-Cloud-Scheduler"
ATTEMPT_DEADLINE_S = 180.0


@dataclass(frozen=True)
class Job:
    """What to post to, and how often; the first run comes one interval after the start."""

    name: str
    url: str
    interval_s: float


@dataclass
class JobCounts:
    """What came of a job since the server started."""

    runs: int = 0
    failures: int = 0
    skipped: int = 0
    last_status: int | None = None
    """HTTP status; None: never run, or no answer."""


class Scheduler:
    """Runs jobs until cancelled."""

    def __init__(
        self,
        jobs: tuple[Job, ...],
        client: httpx.AsyncClient,
        identities: Identities,
        *,
        service_account_email: str,
        now: Callable[[], datetime],
    ) -> None:
        """Post through this client, as this service account; the audience is the job's URL."""
        self.counts = {job.name: JobCounts() for job in jobs}
        self._jobs = jobs
        self._client = client
        self._identities = identities
        self._email = service_account_email
        self._now = now

    async def run(self) -> None:
        """Run all jobs for ever."""
        async with asyncio.TaskGroup() as group:
            for job in self._jobs:
                group.create_task(self._repeat(job))

    async def _repeat(self, job: Job) -> None:
        loop = asyncio.get_running_loop()
        next_at = loop.time() + job.interval_s
        while True:
            await asyncio.sleep(next_at - loop.time())
            await self._run_once(job)
            missed = max(0, int((loop.time() - next_at) // job.interval_s))
            self.counts[job.name].skipped += missed
            next_at += job.interval_s * (missed + 1)

    async def _run_once(self, job: Job) -> None:
        counts = self.counts[job.name]
        counts.runs += 1
        counts.last_status = await self._post(job)
        counts.failures += counts.last_status is None or not 200 <= counts.last_status < 300

    async def _post(self, job: Job) -> int | None:
        try:
            async with asyncio.timeout(ATTEMPT_DEADLINE_S):
                response = await self._client.post(job.url, headers=self._headers(job), content=b"")
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL):
            return None
        return response.status_code

    def _headers(self, job: Job) -> dict[str, str]:
        now = self._now()
        return {
            "Authorization": f"Bearer {self._identities.token(self._email, job.url, now)}",
            "User-Agent": USER_AGENT,
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": job.name,
            "X-CloudScheduler-ScheduleTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
