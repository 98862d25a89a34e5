"""What befalls a worker at its ports: it dies or stops at its n-th call, or an answer is lost.

A step is one call of a port, so nothing is under way in the store when a worker dies: a transaction that dies half way
holds its locks for a minute. It must never change what a call does.
"""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from google.api_core.exceptions import ServiceUnavailable
from pydantic import BaseModel, ConfigDict

from confsync.core.capabilities import Capabilities
from confsync.errors import OutcomeUnknown, ProviderBusy
from confsync.ports import ConferenceCall, ConferenceProvider

When = Literal["before", "after"]
Fate = Literal["KILL", "STOP"]
Trouble = Literal["before", "after", "paused"]
"""The commit is lost on its way; its answer is; the process stops with all locks held."""


class Trip(BaseModel):
    """At which call something befalls the worker, counted from 1, and whether before or after that took effect."""

    model_config = ConfigDict(frozen=True)

    at: int
    when: When
    fate: Fate = "KILL"


class Steps:
    """Counts the calls of all ports of one process, and lets one of them be the last."""

    def __init__(self, trip: Trip | None, tell: Callable[[str], None]) -> None:
        """Keep the trip; `tell` is told the name of each call before it leaves."""
        self._trip, self._tell, self._count = trip, tell, 0

    def wire(self, port: str, methods: object) -> Any:
        """Return the port with a wire across each of its methods."""
        return _Wired(port, methods, self)

    def step(self, name: str, call: Callable[[], Any]) -> Any:
        """Make one call."""
        self._count += 1
        number = self._count
        self._tell(name)
        self._trip_over(number, "before")
        try:
            return call()
        finally:
            self._trip_over(number, "after")

    def _trip_over(self, number: int, when: When) -> None:
        if self._trip is not None and (self._trip.at, self._trip.when) == (number, when):
            os.kill(os.getpid(), getattr(signal, f"SIG{self._trip.fate}"))


class _Wired:
    def __init__(self, port: str, methods: object, steps: Steps) -> None:
        self._port, self._methods, self._steps = port, methods, steps

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._methods, name)
        if not callable(found):
            return found
        return lambda *given, **named: self._steps.step(f"{self._port}.{name}", lambda: found(*given, **named))


class NotedProvider:
    """A provider that notes each call as it leaves, in a file that outlives the process."""

    def __init__(self, provider: ConferenceProvider, notes: Path, capabilities: Capabilities, befalls: str) -> None:
        """Keep the real provider.

        Args:
            notes: gets one line for each update and end that leaves.
            capabilities: what is said of the back end.
            befalls: `lost`: the caller is told that the outcome is unknown, and the test lets the call land later;
                `busy`: nothing leaves, and the caller is told to come again; empty: nothing.

        """
        self.capabilities = capabilities
        self._provider, self._notes, self._befalls = provider, notes, befalls

    def update(self, call: ConferenceCall) -> None:
        """Note the call and let it go; see the port."""
        if self._leaves(call):
            self._provider.update(call)

    def end(self, call: ConferenceCall) -> None:
        """Note the call and let it go; see the port."""
        if self._leaves(call):
            self._provider.end(call)

    def host_of(self, conference_id: str) -> str | None:
        """Return who hosts the conference; see the port."""
        return self._provider.host_of(conference_id)

    def _leaves(self, call: ConferenceCall) -> bool:
        if self._befalls == "busy":
            raise ProviderBusy("the test says so", retry_after_s=0.1)
        line = json.dumps(note_of(call) | {"lost": self._befalls == "lost"}) + "\n"
        with self._notes.open("a") as notes:
            notes.write(line)
        if self._befalls == "lost":
            raise OutcomeUnknown("the answer was lost, and the call is still on its way")
        return True


def note_of(call: ConferenceCall) -> dict[str, Any]:
    """Return a call as JSON."""
    state = call.state.model_dump(mode="json") if call.state else None
    return {**call.__dict__, "state": state}


class TroubledCommits:
    """Google's client, with trouble at the n-th commit of a process; see `Trouble`."""

    def __init__(self, client: Any, at: int, trouble: Trouble, tell: Callable[[str], None]) -> None:
        """Keep the client.

        Args:
            client: the real one.
            at: which commit, counted from 1.
            trouble: what befalls it.
            tell: is told the id of the transaction, in hex, before its process stops.

        """
        self._client, self._at, self._trouble, self._tell, self._count = client, at, trouble, tell, 0

    def __getattr__(self, method: str) -> Any:
        """Return the client's method."""
        return getattr(self._client, method)

    def commit(self, request: Any, **how: Any) -> Any:
        """Commit, but for the trouble."""
        self._count += 1
        if self._count != self._at:
            return self._client.commit(request, **how)
        if self._trouble == "paused":
            self._tell(request["transaction"].hex())
            os.kill(os.getpid(), signal.SIGSTOP)
            return self._client.commit(request, **how)
        if self._trouble == "after":
            self._client.commit(request, **how)
        raise ServiceUnavailable("the connection broke")  # type: ignore[no-untyped-call]  # api-core leaves it untyped
