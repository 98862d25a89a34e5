"""The conferencing system of a simulation: slow, out of reach, or with an answer that gets lost while the call lands.

It holds its side of the bargain: a call has left for good after 30 s, and lands within a minute or never. An operation
that made a conference is never rejected.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

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
from tests.simulation.gate import Gate
from tests.simulation.instance import Instance
from tests.simulation.scheduler import SECOND
from tests.simulation.tapes import Fault

TIME_OUT_S = 30
LONGEST_FLIGHT_S = 55
_WHEN_OVER = ("after", "landed", "landing")
"""Kinds of faults that happen when the call has left."""


@dataclass(eq=False)
class Flight:
    """A call on its way."""

    call: ConferenceCall
    caller: Instance
    left_at: datetime
    has_landed: bool = False
    is_late: bool = False
    """Whether the caller has stopped waiting, or died."""
    refusal: ConferenceStale | ConferenceGone | None = None
    """Why it had no effect when it landed."""

    @property
    def is_awaited(self) -> bool:
        """Whether a worker still waits for the answer."""
        return not (self.is_late or self.caller.is_dead)


class Watch(Protocol):
    """Who wants to know what is asked of the conferencing system, and what it asks."""

    def watch_call(self, call: ConferenceCall, in_the_air: list[Flight], worker: Instance) -> None:
        """Hear of a call as it leaves; one that makes a conference is heard of as if it told its first state."""

    def hear_answer(self, call: ConferenceCall, worker: Instance, *, is_applied: bool) -> None:
        """Hear that a worker is told what came of its call; not where nobody knows."""

    def watch_create(self, call: CreateCall, worker: Instance) -> None:
        """Hear of a conference that is asked for."""

    def hear_wait(self, conference_id: str, operation_id: str | None, wait_s: float, worker: Instance) -> None:
        """Hear that a worker is told not to come again before; for an operation where it asked for a conference."""


class SimulatedProvider:
    """The `ConferenceProvider` of a simulation; `watch` sees each call as it leaves, and those still in the air."""

    def __init__(self, capabilities: Capabilities, gate: Gate, watch: Watch, reached: Callable[[str], None]) -> None:
        """Start without conferences."""
        self._capabilities, self._gate, self._watch, self._reached = capabilities, gate, watch, reached
        self.created: dict[str, CreatedConference] = {}
        """By operation id."""
        self.made_for: dict[str, str] = {}
        """By the id of a conference that was made on request: the one that it replaces."""
        self._flights: list[Flight] = []
        self._newest_landed: dict[str, int] = {}
        self.calls: list[ConferenceCall] = []
        self.conferences: dict[str, KeptConference] = {}
        """What it holds now, by conference id."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return self._capabilities

    def update(self, call: ConferenceCall) -> None:
        """Keep the state."""
        self._call(call)

    def end(self, call: ConferenceCall) -> None:
        """Keep that it ended."""
        self._call(replace(call, state=None))

    def host_of(self, _: str) -> str | None:
        """Return nobody: this back end does not tell."""
        return None

    def create(self, call: CreateCall) -> CreatedConference:
        """Make a conference, one for each operation; it may be made late, or after the caller gave up or died."""
        caller, fault = self._gate.caller(), self._gate.fault("provider", "create")
        kind = fault.kind if fault else ""
        self._gate.trace(f"provider create for {call.replaces} {call.operation_id} {kind}")
        if kind == "crash-before":
            raise caller.die()
        self._watch.watch_create(call, caller)
        self._let_act(caller, fault, call.replaces, is_over=False)
        self._refuse(caller, kind, fault, (call.replaces, call.operation_id))
        name = f"making of {caller.name} {call.operation_id}"
        self._carry(caller, fault, call.replaces, name, lambda: self._make(call, caller))
        caller.notes["made a conference"] = self._gate.clock.now
        return self.created[call.operation_id]

    def _make(self, call: CreateCall, caller: Instance) -> None:
        """Make a conference, once for each operation."""
        if call.operation_id in self.created:
            return
        conference_id = f"{call.replaces}n{len(self.created)}"
        self.created[call.operation_id] = CreatedConference(conference_id, addon_conference(conference_id))
        self.conferences[conference_id] = KeptConference(1, call.state)
        told = ConferenceCall(call.replaces, conference_id, call.operation_id, 1, call.state)
        self.made_for[conference_id] = call.replaces
        self._watch.watch_call(told, [], caller)
        self.calls.append(told)
        self._gate.trace(f"provider made {conference_id} for {call.operation_id}")

    def _call(self, call: ConferenceCall) -> None:
        caller, fault = self._gate.caller(), self._gate.fault("provider")
        kind = fault.kind if fault else ""
        verb = "update" if call.state else "end"
        self._gate.trace(f"provider {verb} {call.conference_id} {call.generation} {kind}")
        if kind == "crash-before":
            raise caller.die()
        in_the_air = [f for f in self._flights if f.call.conference_id == call.conference_id]
        self._watch.watch_call(call, in_the_air, caller)
        self.calls.append(call)
        self._let_act(caller, fault, call.conference_id, is_over=False)
        try:
            self._refuse(caller, kind, fault, (call.conference_id, None))
        except (ProviderBusy, ProviderRefusesUs, ProviderRejected):
            self._watch.hear_answer(call, caller, is_applied=False)
            raise
        self._fly(Flight(call, caller, self._gate.clock.now), fault)
        self._watch.hear_answer(call, caller, is_applied=True)

    def _refuse(self, caller: Instance, kind: str, fault: Fault | None, asked: tuple[str, str | None]) -> None:
        """Answer without an effect; not that it is never acceptable, where the same operation made a conference before.

        Args:
            asked: which conference is called or replaced, and as which operation where one is asked for.

        """
        if kind in ("busy", "unknown-lost", "refuses", "rejected"):
            self._gate.half(caller, "provider")
        if kind == "busy":
            wait_s = fault.amount if fault and fault.amount > 5 else None
            self._watch.hear_wait(*asked, wait_s or 0, caller)
            raise ProviderBusy("injected", wait_s)
        if kind == "unknown-lost":
            raise OutcomeUnknown("injected")
        if kind == "refuses":
            raise ProviderRefusesUs("injected")
        if kind == "rejected" and asked[1] not in self.created:
            raise ProviderRejected("injected")

    def _fly(self, flight: Flight, fault: Fault | None) -> None:
        """Let the call land, whatever becomes of its caller, and give the answer."""
        self._flights.append(flight)
        name = f"landing of {flight.caller.name} {flight.call.generation}"
        try:
            self._carry(flight.caller, fault, flight.call.conference_id, name, lambda: self._land(flight))
        except OutcomeUnknown:
            flight.is_late = True
            raise
        if flight.refusal is not None:
            raise flight.refusal

    def _let_act(self, caller: Instance, fault: Fault | None, conference_id: str, *, is_over: bool) -> None:
        """Let people act when the call has just left or when it is over, as its fault says."""
        if fault is not None and fault.kind.endswith(_WHEN_OVER) == is_over:
            self._gate.meanwhile(caller, fault, conference_id)

    def _carry(
        self, caller: Instance, fault: Fault | None, conference_id: str, name: str, land: Callable[[], None]
    ) -> None:
        """Let something take effect when its time comes, and the caller wait for the answer, but not for ever.

        Args:
            land: takes effect once, however often it is called.

        """
        kind = fault.kind if fault else ""
        there_us, back_us = self._times(caller, kind, fault)
        if there_us:
            self._gate.clock.at(self._gate.clock.now + timedelta(microseconds=there_us), name, land)
        else:
            land()
        if kind.endswith("landing"):
            self._let_act(caller, fault, conference_id, is_over=True)
        if kind == "crash-landing":
            raise caller.die()
        if kind == "unknown-landing":
            raise OutcomeUnknown("injected")
        self._gate.clock.wait(min(there_us + back_us, TIME_OUT_S * SECOND))
        caller.go_on()
        if there_us + back_us > TIME_OUT_S * SECOND:
            raise OutcomeUnknown("timed out")
        land()
        if not kind.endswith("landing"):
            self._let_act(caller, fault, conference_id, is_over=True)
        if fault is not None and kind == "pause-after":
            self._gate.pause(caller, fault)
        if kind == "crash-after":
            raise caller.die()
        if kind == "unknown-landed":
            raise OutcomeUnknown("injected")

    def _times(self, caller: Instance, kind: str, fault: Fault | None) -> tuple[int, int]:
        """Return how long the call and its answer take, in microseconds."""
        there_us, back_us = (caller.half_us("provider"), caller.half_us("provider")) if self._gate.is_open else (0, 0)
        if fault is not None and kind == "slow-before":
            there_us += fault.amount * SECOND
        if fault is not None and kind == "slow-after":
            back_us += fault.amount * SECOND
        if fault is not None and kind.endswith("landing"):
            there_us += fault.amount * SECOND
        return min(there_us, LONGEST_FLIGHT_S * SECOND), back_us

    def _land(self, flight: Flight) -> None:
        """Let the call take effect, once."""
        if flight.has_landed:
            return
        flight.has_landed = True
        self._flights.remove(flight)
        newest = self._newest_landed.get(flight.call.conference_id, 0)
        if flight.call.generation < newest:
            self._reached("a call landed after a newer one")
        self._newest_landed[flight.call.conference_id] = max(newest, flight.call.generation)
        try:
            self._apply(flight.call)
        except (ConferenceStale, ConferenceGone) as refusal:
            flight.refusal = refusal
        if not flight.is_awaited:
            self._reached("a call landed that nobody waited for")
        self._gate.trace(f"provider landed {flight.call.conference_id} {flight.call.generation} {flight.refusal!r}")

    def _apply(self, call: ConferenceCall) -> None:
        kept = self.conferences.get(call.conference_id)
        if kept is not None and self._capabilities.ordered_writes and kept.generation > call.generation:
            raise ConferenceStale("a newer generation is stored", kept.generation)
        if kept is not None and kept.state is None and call.state is not None and not self._capabilities.restores:
            raise ConferenceGone("it ended")
        self.conferences[call.conference_id] = KeptConference(call.generation, call.state)
