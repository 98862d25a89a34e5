"""The conferencing system of a random day: slow, out of reach, or with an answer that gets lost while the call lands.

It holds its side of the bargain: a call has left for good after 30 s, and lands within a minute or never.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from confsync.core.capabilities import Capabilities
from confsync.errors import (
    ConferenceGone,
    ConferenceStale,
    OutcomeUnknown,
    ProviderBusy,
    ProviderRefusesUs,
    ProviderRejected,
)
from confsync.local.calendar_server.people import addon_conference
from confsync.local.in_process import KeptConference
from confsync.ports import ConferenceCall, CreateCall, CreatedConference
from tests.random_day_edges import Gate
from tests.random_day_tape import Fault
from tests.world import Crash

TIME_OUT = timedelta(seconds=30)
LONGEST_FLIGHT_S = 55


@dataclass
class Flight:
    """A call on its way."""

    call: ConferenceCall
    lands_at: datetime
    is_awaited: bool = False
    """Whether a worker still waits for the answer."""
    refusal: ConferenceStale | ConferenceGone | None = None
    """Why it had no effect when it landed."""


class DayProvider:
    """The `ConferenceProvider` of the day; `watch` sees each call as it leaves, and those still in the air."""

    def __init__(
        self,
        capabilities: Capabilities,
        gate: Gate,
        watch: Callable[[ConferenceCall, list[Flight]], None],
        made_for: dict[str, str],
    ) -> None:
        """Start without conferences."""
        self._capabilities, self._gate, self._watch = capabilities, gate, watch
        self._hosts: dict[str, str] = {}
        self.created: dict[str, CreatedConference] = {}
        """By operation id."""
        self.made_for = made_for
        self._flights: list[Flight] = []
        self.calls: list[ConferenceCall] = []
        self._conferences: dict[str, KeptConference] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return self._capabilities

    @property
    def conferences(self) -> dict[str, KeptConference]:
        """What it holds now, by conference id."""
        self._land()
        return self._conferences

    def update(self, call: ConferenceCall) -> None:
        """Keep the state."""
        self._call(call)

    def end(self, call: ConferenceCall) -> None:
        """Keep that it ended."""
        self._call(replace(call, state=None))

    def create(self, call: CreateCall) -> CreatedConference:
        """Make a conference, one for each operation; at once or not at all, whatever becomes of the answer."""
        fault = self._gate.fault("provider", f"create for {call.replaces}")
        kind = fault.kind if fault else ""
        self._refuse(kind, fault)
        if call.operation_id not in self.created:
            conference_id = f"{call.replaces}n{len(self.created)}"
            self.created[call.operation_id] = CreatedConference(conference_id, addon_conference(conference_id))
            self._conferences[conference_id] = KeptConference(1, call.state)
            self._watch_created(conference_id, call)
        if kind.startswith(("crash", "unknown")):
            self._lose_answer(kind, fault)
        return self.created[call.operation_id]

    def _watch_created(self, conference_id: str, call: CreateCall) -> None:
        told = ConferenceCall(call.replaces, conference_id, call.operation_id, 1, call.state)
        self.made_for[conference_id] = call.replaces
        self._watch(told, [])
        self.calls.append(told)

    def host_of(self, conference_id: str) -> str | None:
        """Return nobody: this back end does not tell."""
        return self._hosts.get(conference_id)

    def _call(self, call: ConferenceCall) -> None:
        self._land()
        self._watch(call, [flight for flight in self._flights if flight.call.conference_id == call.conference_id])
        self.calls.append(call)
        verb = "update" if call.state else "end"
        fault = self._gate.fault("provider", f"{verb} {call.conference_id} {call.generation}")
        kind = fault.kind if fault else ""
        self._refuse(kind, fault)
        if kind in ("unknown-landing", "crash-landing") and fault is not None:
            self._flights.append(Flight(call, self._in(min(fault.amount, LONGEST_FLIGHT_S))))
        elif kind == "slow-before" and fault is not None:
            self._slowly(call, min(fault.amount, 25))
            return
        else:
            self._apply(call)
        self._lose_answer(kind, fault)

    def _refuse(self, kind: str, fault: Fault | None) -> None:
        """Answer without an effect."""
        if kind == "crash-before":
            raise Crash
        if kind == "busy":
            raise ProviderBusy("injected", fault.amount if fault and fault.amount > 5 else None)
        if kind == "unknown-lost":
            raise OutcomeUnknown("injected")
        if kind == "refuses":
            raise ProviderRefusesUs("injected")
        if kind == "rejected":
            raise ProviderRejected("injected")

    def _lose_answer(self, kind: str, fault: Fault | None) -> None:
        if kind.startswith("crash"):
            raise Crash
        if kind.startswith("unknown"):
            raise OutcomeUnknown("injected")
        if kind == "slow-after" and fault is not None:
            left_at = self._gate.stage.now
            self._gate.stage.pause(min(fault.amount, 25))
            self._time_out(left_at)

    def _slowly(self, call: ConferenceCall, seconds: int) -> None:
        """Take effect when time has passed; who waited too long does not hear of it."""
        left_at = self._gate.stage.now
        flight = Flight(call, self._in(seconds), is_awaited=True)
        self._flights.append(flight)
        self._gate.stage.pause(seconds)
        self._land()
        self._time_out(left_at)
        if flight.refusal is not None:
            raise flight.refusal

    def _time_out(self, left_at: datetime) -> None:
        if self._gate.stage.now - left_at > TIME_OUT:
            raise OutcomeUnknown("injected: timed out")

    def _in(self, seconds: float) -> datetime:
        return self._gate.stage.now + timedelta(seconds=seconds)

    def _land(self) -> None:
        """Let the calls take effect that have landed meanwhile, in the order in which they did."""
        due = sorted((f for f in self._flights if f.lands_at <= self._gate.stage.now), key=lambda f: f.lands_at)
        self._flights = [flight for flight in self._flights if flight not in due]
        for flight in due:
            try:
                self._apply(flight.call)
            except (ConferenceStale, ConferenceGone) as refusal:
                flight.refusal = refusal

    def _apply(self, call: ConferenceCall) -> None:
        kept = self._conferences.get(call.conference_id)
        if kept is not None and self._capabilities.ordered_writes and kept.generation > call.generation:
            raise ConferenceStale("a newer generation is stored", kept.generation)
        if kept is not None and kept.state is None and call.state is not None and not self._capabilities.restores:
            raise ConferenceGone("it ended")
        self._conferences[call.conference_id] = KeptConference(call.generation, call.state)
