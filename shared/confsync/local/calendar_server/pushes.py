"""Push notifications over HTTP: an empty POST with headers to every open channel of a changed calendar.

Each push is a task of its own, as with Google: they may overtake each other. Only 500, 502, 503 and 504 are tried
again, a bounded number of times.
Source: https://developers.google.com/workspace/calendar/api/guides/push
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any

import httpx

from .channels import open_channels
from .errors import Json
from .faults import Faults
from .records import Channel
from .state import State
from .times import from_us

_RETRIED = (500, 502, 503, 504)
_ACCEPTED = (102, 200, 201, 202, 204)
_USER_AGENT = "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"
_MOST_AT_ONCE = 64
_LARGEST_STEP = 500


@dataclass(slots=True)
class Counts:
    """What became of pushes."""

    total: Counter[str] = field(default_factory=Counter)
    by_channel: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, channel_id: str, outcome: str) -> None:
        """Count one outcome: sent, delivered, retried, lost or failed."""
        self.total[outcome] += 1
        self.by_channel.setdefault(channel_id, Counter())[outcome] += 1

    def to_json(self) -> Json:
        """Return all counters."""
        names = ("sent", "delivered", "retried", "lost", "failed")
        totals: Json = {name: self.total[name] for name in names}
        return totals | {"channels": {key: dict(value) for key, value in self.by_channel.items()}}


class Pushes:
    """Sends pushes on the event loop that it is used on.

    Args:
        keep: called when message numbers were given out, to store them before they are sent.
    """

    def __init__(self, state: State, faults: Faults, client: httpx.AsyncClient, keep: Callable[[], None]) -> None:
        self._state = state
        self._faults = faults
        self._client = client
        self._keep = keep
        self._slots = asyncio.Semaphore(_MOST_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self.counts = Counts()

    def announce(self, calendar_id: str) -> None:
        """Start telling all channels of a calendar that something has changed."""
        for channel in open_channels(self._state, calendar_id):
            self._start_push(channel)
        for channel in open_channels(self._state, calendar_id, stopped=True):
            if self._faults.happens(self._faults.pushes.zombie):
                self._start_push(channel)

    def _start_push(self, channel: Channel) -> None:
        knobs = self._faults.pushes
        headers = self._headers(channel, "exists")
        if self._faults.happens(knobs.lose):
            self.counts.add(channel.id, "lost")
            return
        delay_s = knobs.late_ms / 1000 if self._faults.happens(knobs.late) else 0.0
        for _ in range(2 if self._faults.happens(knobs.double) else 1):
            self._start(self._deliver(channel, headers, delay_s))

    async def greet(self, channel: Channel) -> None:
        """Send the first message of a channel and wait until it is delivered or given up."""
        await self.start_sync_message(channel)

    def start_sync_message(self, channel: Channel) -> "asyncio.Task[None]":
        """Start sending the first message of a channel."""
        return self._start(self._deliver(channel, self._headers(channel, "sync"), 0.0))

    def _headers(self, channel: Channel, resource_state: str) -> dict[str, str]:
        step = 1 if resource_state == "sync" else self._faults.dice.randint(1, _LARGEST_STEP)
        channel.message_number += step
        self._state.mark("channel", channel.id)
        self._keep()
        headers = {
            "User-Agent": _USER_AGENT,
            "Content-Length": "0",
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Channel-Expiration": format_datetime(from_us(channel.expires_us), usegmt=True),
            "X-Goog-Resource-State": resource_state,
            "X-Goog-Message-Number": str(channel.message_number),
            "X-Goog-Resource-ID": channel.resource_id,
            "X-Goog-Resource-URI": channel.resource_uri,
        }
        return headers | ({"X-Goog-Channel-Token": channel.token} if channel.token else {})

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _deliver(self, channel: Channel, headers: dict[str, str], delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        self.counts.add(channel.id, "sent")
        wait_s = self._faults.pushes.first_retry_ms / 1000
        for attempt in range(self._faults.pushes.attempts):
            if attempt:
                self.counts.add(channel.id, "retried")
                await asyncio.sleep(wait_s * (0.5 + self._faults.dice.random()))
                wait_s *= 2
            status = await self._post(channel.address, headers)
            if status in _ACCEPTED:
                self.counts.add(channel.id, "delivered")
                return
            if status not in _RETRIED:
                break
        self.counts.add(channel.id, "failed")

    async def _post(self, address: str, headers: dict[str, str]) -> int:
        """Return the receiver's status; a receiver that cannot be reached counts as 503."""
        async with self._slots:
            try:
                return (await self._client.post(address, headers=headers)).status_code
            except httpx.HTTPError:
                return 503

    async def settled(self) -> None:
        """Wait until every push that has been started is delivered or given up."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def drop(self) -> None:
        """Give up all pushes that are still under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Drop all pushes and the connections."""
        await self.drop()
        await self._client.aclose()
