"""A task as the queue keeps it, and what happens to it. Plain values.

It must never hold what cannot be written to the journal.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from pydantic import ConfigDict

from confsync.local.task_server.limits import RetryConfig


@dataclass(frozen=True)
class Identity:
    """Whose OIDC token a request carries."""

    service_account_email: str
    audience: str
    """Empty: the URL of the request."""


@dataclass(frozen=True)
class Call:
    """The HTTP request that a task is."""

    __pydantic_config__: ClassVar[ConfigDict] = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}
    # the journal writes it as JSON, and a body need not be text

    url: str
    method: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    identity: Identity | None = None


@dataclass(frozen=True)
class Attempt:
    """One dispatch, as the API shows it."""

    schedule_time: datetime
    dispatch_time: datetime
    response_time: datetime | None = None
    """None: under way, or never answered."""
    code: int = 0
    """A number of google.rpc.Code."""
    message: str = ""


@dataclass(frozen=True)
class TaskRecord:
    """One task. Counts include attempts under way; what the journal holds is as of the last outcome."""

    task_id: str
    call: Call
    create_time: datetime
    schedule_time: datetime
    dispatch_deadline_s: float
    named: bool
    """The caller chose the id, so it stays blocked after the task."""
    retry: RetryConfig | None = None
    """None: the queue's."""
    dispatch_count: int = 0
    response_count: int = 0
    execution_count: int = 0
    """Responses that were not 5xx."""
    first_attempt: Attempt | None = None
    last_attempt: Attempt | None = None
    previous_status: int | None = None
    """HTTP status of the last answer."""
    retry_reason: str = ""


@dataclass(frozen=True)
class Dispatch:
    """One request that has to leave now."""

    queue: str
    number: int
    """Unique within the queue while the server runs; the outcome is reported under it."""
    task: TaskRecord
    """As it was before this attempt: its `dispatch_count` is the retry count."""
    dispatch_time: datetime
    forced: bool = False
    """Asked for by RunTask: a failure counts the retry delay from here."""
    echo: bool = False
    """A second delivery that a fault asked for: its outcome means nothing."""


@dataclass(frozen=True)
class Outcome:
    """What a dispatch came to."""

    status: int | None
    """HTTP status; None: no answer."""
    code: int
    """A number of google.rpc.Code; 0 only for 2xx."""
    message: str = ""
    retry_after_s: float | None = None

    @property
    def success(self) -> bool:
        """Only 2xx is success."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def overloaded(self) -> bool:
        """Whether the worker said that there is too much for it, which slows the whole queue down."""
        return self.status in {429, 503}


@dataclass
class Counts:
    """What happened in a queue since the server started."""

    created: int = 0
    duplicates: int = 0
    """Refused because the name was in use."""
    dispatched: int = 0
    succeeded: int = 0
    failed: int = 0
    """Attempts, not tasks."""
    retried: int = 0
    dropped: int = 0
    """Tasks given up: no attempts left, or too old."""
    deleted: int = 0
    """By DeleteTask and PurgeQueue."""
    lost: int = 0
    """By a fault."""
    echoed: int = 0
    """Second deliveries by a fault."""


@dataclass(frozen=True)
class Ended:
    """A task that is no more, for the list of recent ones."""

    queue: str
    task: TaskRecord
    how: str
    """`succeeded`, `dropped`, `deleted` or `lost`."""
    at: datetime
