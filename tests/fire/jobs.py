"""What one worker does in its life: a production use case, on the real adapters.

It must never call anything before the process was forked.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from confsync.adapters import sign_in
from confsync.adapters.firestore import FirestoreStore
from confsync.adapters.firestore_calls import build_client
from confsync.adapters.google_calendar import GoogleCalendar
from confsync.core.channels import PushTerms, SigningKey
from confsync.core.rules import Rules
from confsync.core.solutions import Solution
from confsync.core.state import ConferenceState
from confsync.core.terms import Terms
from confsync.initialize_syncing import InitializeRequest, initialize_syncing
from confsync.ports import ConferenceCall, Outside
from confsync.providers.http import CONTRACT, HttpProvider
from confsync.renew_channels import renew_channels
from confsync.sync_calendar import SyncRequest, sync_calendar
from confsync.update_conference import update_conference
from tests.fire.folder_queue import FolderQueue
from tests.fire.tripwires import NotedProvider, Steps, Trip, Trouble, TroubledCommits

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PUSH = PushTerms("https://receiver.example.com/", (SigningKey("k1", b"0123456789abcdef"),))
SOLUTION = Solution(provider="acme", names=frozenset({"Sample Meetings"}))
QUICK = Rules(
    window_s=0.3,
    skew_s=0.2,
    lease_s=1.5,
    extend_every_s=0.5,
    task_s=20,
    lag_s=0.3,
    intent_s=1.5,
    leave_within_s=0.5,
    grace_s=0.2,
    backoff_max_s=0.3,
    renewal_retry_s=0.5,
    overdue_s=0.3,
)
"""Short enough that leases and intents pass in real time."""


class Site(BaseModel):
    """Where the servers and the files of one test are."""

    model_config = ConfigDict(frozen=True)

    emulator: str
    database: str
    calendar_url: str
    vendor_endpoint: str
    folder: Path
    """Holds the folder `tasks` and the file `calls`."""
    ordered: bool = True
    """What confsync is told of the back end: whether it orders writes."""
    rules: dict[str, Any] = Field(default_factory=dict)
    """What differs from `QUICK`."""


class Job(BaseModel):
    """One worker's life, and what befalls it."""

    model_config = ConfigDict(frozen=True)

    path: str
    """`/sync` or `/update` as in a task, `/renew` for the scheduled run, `/land` for a call that was on its way."""
    body: dict[str, Any] = Field(default_factory=dict)
    trip: Trip | None = None
    befalls: str = ""
    """What befalls its calls to the back end; see `NotedProvider`."""
    rules: dict[str, Any] = Field(default_factory=dict)
    """What differs from the rules of the site."""
    trouble: tuple[int, Trouble] | None = None
    """With which of its commits there is trouble, and what."""


def perform(job: Job, site: Site, tell: Callable[[str], None]) -> str:
    """Do the job and return how the outcome calls itself; raises whatever the use case raises."""
    outside, terms = outside_of(site, job, tell), terms_of(site, **job.rules)
    if job.path == "/sync":
        return sync_calendar(SyncRequest(**job.body), outside, terms).status
    if job.path == "/update":
        return update_conference(job.body["conference_key"], outside, terms).status
    if job.path == "/land":
        _let_land(job.body, site)
        return "landed"
    renew_channels(outside, PUSH, terms)
    return "renewed"


def outside_of(site: Site, job: Job | None = None, tell: Callable[[str], None] | None = None) -> Outside:
    """Return the real parts; where somebody is told of each step, with a wire across each port."""

    def connect() -> Any:
        client = build_client(site.emulator)
        return TroubledCommits(client, *job.trouble, tell) if job and job.trouble and tell else client

    wire = Steps(job.trip, tell).wire if job and tell else lambda _, port: port
    endpoint = f"{site.calendar_url}/calendar/v3/"
    capabilities = replace(CONTRACT, ordered_writes=site.ordered)
    provider = NotedProvider(_provider(site), site.folder / "calls", capabilities, job.befalls if job else "")
    return Outside(
        store=wire("store", FirestoreStore(site.database, connect)),
        calendar_api=wire("calendar", GoogleCalendar(sign_in.local(), endpoint=endpoint)),
        task_queue=wire("queue", FolderQueue(site.folder / "tasks")),
        providers={"acme": wire("provider", provider)},
        now=utc_now,
        new_id=lambda: str(uuid.uuid4()),
    )


def terms_of(site: Site, **rules: Any) -> Terms:
    """Return what stays the same for all plans of a worker."""
    capabilities = {"acme": replace(CONTRACT, ordered_writes=site.ordered)}
    return Terms("default", [SOLUTION], capabilities, replace(QUICK, **{**site.rules, **rules}))


def initialize(site: Site, outside: Outside, subject: str, conference_id: str, event_id: str) -> None:
    """Do what the add-on asks for after it created a conference."""
    request = InitializeRequest(
        calendar_id="primary", subject=subject, conference_id=conference_id, event_id=event_id, provider=None
    )
    done = initialize_syncing(request, outside, terms_of(site), PUSH)
    assert done.is_complete, done


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def _provider(site: Site) -> HttpProvider:
    return HttpProvider(site.vendor_endpoint, [SECRET], now=utc_now)


def _let_land(note: dict[str, Any], site: Site) -> None:
    """Deliver a call that was noted as lost, whatever the back end says of it."""
    state = ConferenceState.model_validate_json(json.dumps(note["state"])) if note["state"] else None
    names = ("conference_key", "conference_id", "operation_id", "generation")
    call = ConferenceCall(**{name: note[name] for name in names}, state=state)
    provider = _provider(site)
    if state is None:
        provider.end(call)
    else:
        provider.update(call)
