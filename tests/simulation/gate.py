"""What every port call goes through: time on the way there and back, the faults of the tape, the death of the caller.

    leaves -> half of the latency -> takes effect -> other half -> answers

Others go on in both halves. It must never change what a call means: a fault is an error of the port, the death of the
worker, or time.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

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
from tests.simulation.instance import Instance
from tests.simulation.scheduler import SECOND, Scheduler
from tests.simulation.tapes import Fault
from tests.world import Crash

T = TypeVar("T")
OF_CALENDAR = ("calendar", "page", "event", "look", "rewrite")
"""The port, and four sorts of its calls that are counted on their own too: see `themes.FAULTS`."""
OF_THE_DAY = ("look", "create", "rewrite")
"""Sorts of calls that are so rare that they are counted from the beginning of the day, not from a step on."""
CLIENT_TIME_OUT_S = 30
"""After this a client gives up waiting, while its call may still land."""


class Gate:
    """Counts the calls of each port since the last step, and hands out the faults that are armed for them."""

    def __init__(self, clock: Scheduler, trace: Callable[[str], None], faults: Iterable[Fault]) -> None:
        """Arm the faults of the tape."""
        self.clock, self.trace = clock, trace
        self.is_open = True
        """Whether faults may spring and calls take time; both stop at the end of the day."""
        self._armed = {(_since(fault.port, fault.step), fault.port, fault.nth): fault for fault in faults}
        self._awaited = {port for _, port, _ in self._armed}
        """Ports whose calls are counted: those of which the tape knows a fault."""
        self._next: dict[str, Fault] = {}
        """By port: what follows a fault that sprang."""
        self.people_act: Callable[[Fault, str], None] = lambda _, __: None
        """Lets people do what a fault says, to the event or the conference of this id."""
        self._counts: Counter[str] = Counter()
        self._step = -1
        self.sprung: Counter[str] = Counter()

    def begin(self, step: int) -> None:
        """Count anew from this step on."""
        self._step = step
        for port in self._counts.keys() - set(OF_THE_DAY):
            del self._counts[port]

    def caller(self) -> Instance:
        """Return the instance that calls; raises Crash where it is dead."""
        running = self.clock.running
        if not isinstance(running, Instance):
            raise TypeError("a port was called by nobody: only instances call ports")
        if running.is_dead:
            raise Crash
        return running

    def fault(self, *ports: str) -> Fault | None:
        """Return the fault that is armed for the next call of this port, or of the sort of calls that it is."""
        if not self.is_open or self._awaited.isdisjoint(ports):
            return None
        found = None
        for port in ports:
            self._counts[port] += 1
            found = self._next.pop(port, None) or self._armed.pop(self._place_of(port), None) or found
        if found is not None:
            self.sprung[f"{found.port} {found.kind}"] += 1
            if found.then is not None:
                self._next[found.port] = found.then
        return found

    def _place_of(self, port: str) -> tuple[int, str, int]:
        """Return where on the tape the call of this port stands that is being made."""
        return _since(port, self._step), port, self._counts[port]

    def meanwhile(self, caller: Instance, fault: Fault, about: str) -> None:
        """Let people do what the fault says, while the caller waits."""
        if fault.meanwhile is not None:
            self.clock.after(0, f"meanwhile {caller.name}", lambda: self.people_act(fault, about))
            self.clock.wait(1)
            caller.go_on()

    def half(self, caller: Instance, port: str) -> None:
        """Let half a call's time pass; raises Crash where the caller died meanwhile."""
        self.clock.wait(caller.half_us(port) if self.is_open else 0)
        if caller.is_dead:
            raise Crash

    def passing(
        self, port: str, name: str, effect: Callable[[], T], *, sorts: Iterable[str] = (), about: str = ""
    ) -> T:
        """Do what the call does, with its fault.

        Args:
            sorts: of calls that are counted on their own too.
            about: id of the event that the call is about.

        """
        caller, fault = self.caller(), self.fault(port, *sorts)
        self.trace(f"{port} {name} {fault.kind}" if fault else f"{port} {name}")
        try:
            if fault is not None:
                self._spring(caller, fault, name, "before", effect, about=about)
            self.half(caller, port)
            answer = effect()
            self.half(caller, port)
            if fault is not None:
                self._spring(caller, fault, name, "after", effect, about=about)
        except Exception as error:
            self.trace(f"{port} {name} raised {error!r}")
            raise
        else:
            return answer

    def within(self, name: str) -> Fault | None:
        """Let a moment pass inside a transaction; return a fault that the store itself has to bring about."""
        caller, fault = self.caller(), self.fault("transaction")
        if fault is not None:
            self.trace(f"transaction {name} {fault.kind}")
            self._spring(caller, fault, name, "before", lambda: None)
        self.half(caller, "transaction")
        return fault

    def _spring(
        self, caller: Instance, fault: Fault, name: str, when: str, effect: Callable[[], object], *, about: str = ""
    ) -> None:
        """Let the fault happen, if this is its time."""
        kind, _, its_time = fault.kind.partition("-")
        if (its_time or "before") != when:
            return
        self.meanwhile(caller, fault, about)
        if kind == "crash":
            raise caller.die()
        if kind == "pause":
            self.pause(caller, fault)
        elif kind == "landing":
            self._time_out(caller, fault, name, effect)
        elif fault.port in OF_CALENDAR:
            _refuse(kind, name, fault.amount)
        elif kind == "unavailable":
            raise _unavailable(fault.port)

    def pause(self, caller: Instance, fault: Fault) -> None:
        """Hold the caller up."""
        caller.notes.setdefault("paused", self.clock.now)
        self.clock.wait(fault.amount * SECOND)
        caller.go_on()

    def _time_out(self, caller: Instance, fault: Fault, name: str, effect: Callable[[], object]) -> None:
        """The client gives up; the call takes effect later, and nobody hears what came of it."""

        def land() -> None:
            self.trace(f"{fault.port} {name} lands")
            self.sprung[f"{fault.port} landed"] += 1
            _silently(effect)

        self.clock.after(fault.amount, f"landing of {caller.name} {caller.calls}", land)
        self.clock.wait(CLIENT_TIME_OUT_S * SECOND)
        caller.go_on()
        raise _unavailable(fault.port)


def _since(port: str, step: int) -> int:
    """Return from which step on the calls of a port are counted."""
    return 0 if port in OF_THE_DAY else step


def _silently(effect: Callable[[], object]) -> None:
    try:
        effect()
    except Exception as refusal:  # noqa: BLE001 - nobody waits for the answer any more, whatever it is
        del refusal


def _unavailable(port: str) -> Exception:
    if port in OF_CALENDAR:
        return CalendarUnavailable("injected")
    return {"store": StoreUnavailable, "queue": TaskQueueUnavailable}[port]("injected")


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
    if kind == "refused" or (kind == "rejected" and name in ("events.list", "events.list more", "events.watch")):
        raise CalendarRequestRejected("injected", "badRequest")
    if kind == "sync_token" and name == "events.list":
        raise SyncTokenRejected("injected", "fullSyncRequired")
    if kind == "page_token" and name == "events.list more":
        raise PageTokenRejected("injected", "invalid")
