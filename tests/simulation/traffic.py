"""How requests reach the functions: Calendar's pushes, Cloud Tasks' deliveries, and the add-on's own.

At least once: twice, again while the first still runs, late, out of order, or never. An instance whose dispatch
deadline is over dies, or goes on while its task is delivered again. It must never look into a request.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from confsync.core.tasks import Task
from confsync.errors import ConfsyncError
from confsync.ports import Outside
from tests.simulation.gate import Gate
from tests.simulation.instance import Instance
from tests.simulation.scheduler import Scheduler
from tests.simulation.tapes import Fault, Setting
from tests.world import Crash

Work = Callable[[Outside], object]
MOST_ATTEMPTS = 10
LONGEST_BACKOFF_S = 600


@dataclass
class Request:
    """Something that reaches a function, perhaps more than once."""

    name: str
    work: Work
    again_in_s: Callable[[int], float | None]
    """In how many seconds it is sent again after so many attempts; None: no more."""
    deadline_s: float | None = None
    """How long the sender waits for an answer."""
    about: Mapping[str, str] = field(default_factory=dict)
    """What it is about, for the judges: the body of a task, or the calendar of a push."""


class Traffic:
    """Starts an instance for each delivery of a request, and delivers again what was not answered."""

    def __init__(
        self,
        clock: Scheduler,
        gate: Gate,
        setting: Setting,
        seed: int,
        *,
        outside_of: Callable[[Instance], Outside],
        begun: Callable[[Request, Instance], None],
        ended: Callable[[Request, Instance, object], None],
    ) -> None:
        """Begin with nothing on its way.

        Args:
            outside_of: the ports as one instance holds them.
            begun: called with an instance before it does anything.
            ended: called with what became of an instance: its answer, or the error that ended it.

        """
        self._clock, self._gate, self._setting, self._seed = clock, gate, setting, seed
        self._outside_of, self._begun, self._ended = outside_of, begun, ended
        self._names: Counter[str] = Counter()
        self.running: Counter[str] = Counter()
        """By request: instances that are alive."""
        self.most_at_once = 0
        self.outlived = 0

    def send(self, request: Request, port: str, at: datetime) -> None:
        """Let a request go its way, with the fault of the tape that meets it."""
        fault = self._gate.fault(port)
        kind = fault.kind if fault else ""
        self._gate.trace(f"{port} {request.name} {kind}")
        if kind == "lost":
            return
        self.deliver(request, at + _late(fault, "late"), retried=True)
        if kind in ("twice", "again"):
            self.deliver(request, at + _late(fault, "again"), retried=False)

    def deliver(self, request: Request, at: datetime, *, retried: bool = True) -> None:
        """Let a request arrive at a time, now at the earliest."""
        self._clock.at(at, request.name, partial(self._arrive, request, 0 if retried else MOST_ATTEMPTS))

    def _arrive(self, request: Request, attempt: int) -> None:
        self._names[request.name] += 1
        name = f"{request.name}~{self._names[request.name]}"
        instance = Instance(name, self._seed, self._setting, self._clock)
        self._gate.trace(f"begins {name}")
        self._begun(request, instance)
        self.running[request.name] += 1
        self.most_at_once = max(self.most_at_once, self.running[request.name])
        if request.deadline_s is not None:
            deadline = instance.since + timedelta(seconds=request.deadline_s)
            self._clock.at(deadline, f"deadline of {name}", lambda: self._expire(request, instance, attempt))
        self._clock.begin(instance, lambda: self._run(request, instance, attempt))

    def _run(self, request: Request, instance: Instance, attempt: int) -> None:
        try:
            answer: object = request.work(self._outside_of(instance))
        except (Exception, Crash) as error:  # noqa: BLE001 - whatever escapes is shown to the judges
            answer = error
        instance.is_dead = True
        self.running[request.name] -= 1
        self._gate.trace(
            f"ends {instance.name} {answer!r}" if isinstance(answer, BaseException) else f"ends {instance.name}"
        )
        self._ended(request, instance, answer)
        if isinstance(answer, ConfsyncError | Crash) and not self._is_late(instance):
            self._again(request, attempt)

    def _is_late(self, instance: Instance) -> bool:
        """Whether its sender gave up on it before, and has sent it again already."""
        return "late" in instance.notes

    def _again(self, request: Request, attempt: int) -> None:
        wait_s = request.again_in_s(attempt)
        if wait_s is not None:
            self._clock.after(wait_s, f"{request.name} again", partial(self._arrive, request, attempt + 1))

    def _expire(self, request: Request, instance: Instance, attempt: int) -> None:
        if instance.greenlet is None:
            return
        instance.notes["late"] = self._clock.now
        self._gate.trace(f"deadline of {instance.name}")
        if self._setting.kills_late:
            instance.die()
        else:
            self.outlived += 1
        self._again(request, attempt)


def _late(fault: Fault | None, kind: str) -> timedelta:
    return timedelta(seconds=fault.amount) if fault is not None and fault.kind == kind else timedelta()


def push_again_in_s(attempt: int) -> float | None:
    """Return when Calendar sends a push again that was not answered well."""
    return float(2**attempt) if attempt < 4 else None


def task_again_in_s(attempt: int) -> float | None:
    """Return when Cloud Tasks delivers a task again."""
    return float(min(2**attempt, LONGEST_BACKOFF_S)) if attempt < MOST_ATTEMPTS - 1 else None


class SimulatedQueue:
    """The `TaskQueue` of a simulation: a new task goes to `send`, a used name stays used."""

    def __init__(self, send: Callable[[Task, Instance], None], gate: Gate) -> None:
        """Start empty; `send` gets each new task, and who made it."""
        self._send, self._gate = send, gate
        self._names: set[str] = set()

    def create(self, task: Task) -> bool:
        """Send the task if its name is new."""
        caller = self._gate.caller()
        return self._gate.passing("queue", task.name, lambda: self._create(task, caller))

    def _create(self, task: Task, caller: Instance) -> bool:
        if task.name in self._names:
            return False
        self._names.add(task.name)
        self._send(task, caller)
        return True
