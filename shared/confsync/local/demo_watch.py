"""Watches a stack from outside: what each part counted, whether anything is still to come, what the end result is.

It asks the servers' own `/_local/` pages and reads the worker's log. It must never change anything.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from confsync.local.demo_comparison import Json, Verdict, compare
from confsync.local.stack import Stack
from confsync.local.stack_parts import SOLUTION_NAME

_LOOK_EVERY_S = 0.03
_MOST_SHOWN = 300


@dataclass(frozen=True)
class Counts:
    """What happened since the start."""

    notifications: int = 0
    """Pushes that reached the receiver."""
    tasks: int = 0
    """Tasks created."""
    syncs: int = 0
    """Syncs that were committed."""
    calls: int = 0
    """Calls to the conferencing back end."""

    def since(self, before: "Counts") -> "Counts":
        """Return what was added since `before`."""
        return Counts(
            self.notifications - before.notifications,
            self.tasks - before.tasks,
            self.syncs - before.syncs,
            self.calls - before.calls,
        )


class Watch:
    """Looks at one running stack; close it in the end."""

    def __init__(self, stack: Stack, calendars: dict[str, str], quiet_ahead_s: float) -> None:
        """Look on.

        Args:
            stack: it runs.
            calendars: id and owner of each calendar that takes part.
            quiet_ahead_s: a task that is to run later than this from now belongs to the future, not to now.

        """
        self._urls = stack.urls
        self._worker_log = stack.log_of("sync_calendar")
        self._calendars = calendars
        self._ahead = timedelta(seconds=quiet_ahead_s)
        self._http = httpx.Client(trust_env=False, timeout=10)
        self._read_to = self._syncs = self._calls = self._last_call = 0

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def counts(self) -> Counts:
        """Return what the parts counted so far."""
        return Counts(
            self._get(f"{self._urls.calendar}/_local/pushes")["delivered"],
            self._get(f"{self._urls.tasks}/_local/stats")["overall"].get("created", 0),
            self._count_syncs(),
            self._count_calls(),
        )

    def in_flight(self) -> int:
        """Return how many tasks are at the worker."""
        return int(self._get(f"{self._urls.tasks}/_local/stats")["overall"].get("in_flight", 0))

    def is_quiet(self) -> bool:
        """Whether every push is delivered and no task is under way or due soon."""
        self._http.post(f"{self._urls.calendar}/_local/settle_pushes").raise_for_status()
        soon = datetime.now(UTC) + self._ahead
        waiting = self._get(f"{self._urls.tasks}/_local/tasks")["waiting"]
        return all(datetime.fromisoformat(task["schedule_time"]) > soon for task in waiting)

    def conferences(self) -> list[Json]:
        """Return everything that the back end holds."""
        found: list[Json] = self._get(f"{self._urls.vendor}/_local/conferences")["conferences"]
        return found

    def verdicts(self) -> tuple[Verdict, ...]:
        """Compare all calendars with the back end."""
        events = [event for calendar_id in self._calendars for event in self._events(calendar_id)]
        return compare(events, self.conferences(), solution=SOLUTION_NAME, now=datetime.now(UTC))

    def last_told(self, since: datetime) -> datetime | None:
        """Return when a conference last changed at the back end, None when none did since then."""
        told = (c["changed_at"] for c in self.conferences() if c["generation"])
        return max((at for at in map(datetime.fromisoformat, told) if at > since), default=None)

    def workers_last_words(self) -> str:
        """Return the last line of the worker's log, for a message."""
        lines = self._worker_log.read_bytes()[-_MOST_SHOWN:].decode(errors="replace").split("\n")
        return f"the worker's log ends with: {next((line for line in reversed(lines) if line.strip()), '(nothing)')}"

    def _events(self, calendar_id: str) -> list[Json]:
        events: list[Json] = []
        params = {"showDeleted": "true", "maxResults": "2500"}
        while True:
            page = self._get(
                f"{self._urls.calendar_api}/calendars/{calendar_id}/events",
                params,
                {"Authorization": f"Bearer {self._calendars[calendar_id]}"},
            )
            events += page["items"]
            if "nextPageToken" not in page:
                return events
            params = {**params, "pageToken": page["nextPageToken"]}

    def _count_syncs(self) -> int:
        """Read on in the worker's log; a line that is not complete yet is left for the next time."""
        with self._worker_log.open("rb") as log:
            log.seek(self._read_to)
            new, newline, _ = log.read().rpartition(b"\n")
        self._read_to += len(new) + len(newline)
        self._syncs += sum(_is_committed_sync(line) for line in new.splitlines())
        return self._syncs

    def _count_calls(self) -> int:
        new = self._get(f"{self._urls.vendor}/_local/calls", {"after": str(self._last_call)})["calls"]
        self._last_call = new[-1]["number"] if new else self._last_call
        self._calls += len(new)
        return self._calls

    def _get(self, url: str, params: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> Any:
        return self._http.get(url, params=params, headers=headers).raise_for_status().json()


def _is_committed_sync(line: bytes) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    if not isinstance(entry, dict):
        return False
    sync = entry.get("sync") or (entry.get("initialize") or {}).get("sync") or {}
    return sync.get("status") == "synced"


def wait_until(happened: Callable[[], object], within_s: float) -> bool:
    """Look again and again until it happened; return whether it did in time."""
    deadline = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True
