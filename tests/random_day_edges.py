"""The ports of a random day: each passes a call on, and lets the faults of the tape spring before or after its effect.

They must never change what a call means: a fault is an error of the port, the death of the worker, or time that passes
while everybody else goes on.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

from confsync.core.events import Event, EventPage, Window
from confsync.core.records import Record
from confsync.core.tasks import Task
from confsync.errors import (
    CalendarAccessLost,
    CalendarQuotaExceeded,
    CalendarRateLimited,
    CalendarRequestRejected,
    CalendarUnavailable,
    PageTokenRejected,
    StoreUnavailable,
    SyncTokenRejected,
    TaskQueueUnavailable,
)
from confsync.ports import Address, CalendarApi, WatchedChannel
from tests.random_day_tape import Fault
from tests.world import Crash

R = TypeVar("R", bound=Record)
T = TypeVar("T")


class Stage(Protocol):
    """What the ports need of the day."""

    @property
    def now(self) -> datetime:
        """The time."""

    def pause(self, seconds: float) -> None:
        """Let time pass in the middle of a call, with everything that happens meanwhile."""

    def trace(self, line: str) -> None:
        """Write down what happened."""


class Gate:
    """Counts the calls of each port since the last step, and hands out the faults that are armed for them."""

    def __init__(self, stage: Stage, faults: Iterable[Fault]) -> None:
        """Arm the faults of the tape."""
        self.stage = stage
        self.is_open = True
        """Whether faults may spring; they stop at the end of the day."""
        self._armed = {(fault.step, fault.port, fault.nth): fault for fault in faults}
        self._counts: Counter[str] = Counter()
        self._step = -1
        self.sprung: Counter[str] = Counter()

    def begin(self, step: int) -> None:
        """Count anew from this step on."""
        self._step = step
        self._counts.clear()

    def fault(self, port: str, name: str) -> Fault | None:
        """Return the fault that is armed for this call."""
        self._counts[port] += 1
        fault = self._armed.pop((self._step, port, self._counts[port]), None) if self.is_open else None
        self.stage.trace(f"{port} {name} {fault.kind if fault else ''}")
        if fault is not None:
            self.sprung[f"{port} {fault.kind}"] += 1
        return fault

    def passing(self, port: str, name: str, effect: Callable[[], T]) -> T:
        """Do what the call does, with its fault."""
        fault = self.fault(port, name)
        self.spring(fault, name, "before")
        answer = effect()
        self.spring(fault, name, "after")
        return answer

    def spring(self, fault: Fault | None, name: str, when: str) -> None:
        """Let the fault happen, if this is its time."""
        if fault is None:
            return
        kind, _, its_time = fault.kind.partition("-")
        if (its_time or "before") != when:
            return
        if kind == "crash":
            raise Crash
        if kind == "pause":
            self.stage.pause(fault.amount)
        elif fault.port == "calendar":
            _refuse(kind, name, fault.amount)
        else:
            raise {"store": StoreUnavailable, "queue": TaskQueueUnavailable}[fault.port]("injected")


def _refuse(kind: str, name: str, amount: int) -> None:
    """Raise what Calendar may answer to this call."""
    if kind == "unavailable":
        raise CalendarUnavailable("injected")
    if kind == "rate":
        raise CalendarRateLimited("injected", "rateLimitExceeded", amount)
    if kind == "quota":
        raise CalendarQuotaExceeded("injected", "quotaExceeded")
    if kind == "access" and name != "channels.stop":
        raise CalendarAccessLost("injected", "notFound")
    if kind == "rejected" and name in ("events.list", "events.list more", "events.watch"):
        raise CalendarRequestRejected("injected", "badRequest")
    if kind == "sync_token" and name == "events.list":
        raise SyncTokenRejected("injected", "fullSyncRequired")
    if kind == "page_token" and name == "events.list more":
        raise PageTokenRejected("injected", "invalid")


class DayCalendar:
    """The `CalendarApi` of the day."""

    def __init__(self, api: CalendarApi, gate: Gate, watch: Callable[[str], None]) -> None:
        """Pass calls on to `api`; `watch` hears of each listing that begins, with its calendar id."""
        self._api, self._gate, self._watch = api, gate, watch

    def list_events(self, at: Address, *, sync_token: str | None, page_token: str | None, window: Window) -> EventPage:
        """Return one page."""
        name = "events.list more" if page_token else "events.list" if sync_token else "events.list all"
        if page_token is None:
            self._watch(at.calendar_id)
        return self._gate.passing(
            "calendar",
            name,
            lambda: self._api.list_events(at, sync_token=sync_token, page_token=page_token, window=window),
        )

    def list_series(self, at: Address, ical_uid: str) -> tuple[Event, ...]:
        """Return a series."""
        return self._gate.passing("calendar", "events.list series", lambda: self._api.list_series(at, ical_uid))

    def get_event(self, at: Address, event_id: str) -> Event | None:
        """Return an event."""
        return self._gate.passing("calendar", f"events.get {event_id}", lambda: self._api.get_event(at, event_id))

    def write_conference_data(
        self, at: Address, event_id: str, etag: str, conference_data: Mapping[str, Any] | None
    ) -> Event:
        """Write conference data."""
        return self._gate.passing(
            "calendar",
            f"events.update {event_id}",
            lambda: self._api.write_conference_data(at, event_id, etag, conference_data),
        )

    def watch_events(
        self, at: Address, *, channel_id: str, channel_token: str, address: str, ttl_s: int
    ) -> WatchedChannel:
        """Open a channel."""
        return self._gate.passing(
            "calendar",
            "events.watch",
            lambda: self._api.watch_events(
                at, channel_id=channel_id, channel_token=channel_token, address=address, ttl_s=ttl_s
            ),
        )

    def stop_channel(self, at: Address, channel_id: str, resource_id: str) -> None:
        """Stop a channel."""
        self._gate.passing("calendar", "channels.stop", lambda: self._api.stop_channel(at, channel_id, resource_id))


class DayQueue:
    """The `TaskQueue` of the day: a new task goes to `send`, a used name stays used."""

    def __init__(self, send: Callable[[Task], None], gate: Gate) -> None:
        """Start empty."""
        self._send, self._gate = send, gate
        self._names: set[str] = set()

    def create(self, task: Task) -> bool:
        """Send the task if its name is new."""
        return self._gate.passing("queue", task.name, lambda: self._create(task))

    def _create(self, task: Task) -> bool:
        if task.name in self._names:
            return False
        self._names.add(task.name)
        self._send(task)
        return True
