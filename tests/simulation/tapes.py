"""What happens in a simulation, written down before it begins: plain values, so it can be played twice and shortened.

The workload tape says what people do; the schedule tape what goes wrong, how long calls take and how the parts are
set. It must never look at the system: a step that is impossible when its time comes does nothing.
"""

from dataclasses import dataclass
from typing import Literal
from zlib import crc32

from confsync.core.capabilities import Capabilities
from confsync.core.rules import Rules
from tests.world import ALL_FIELDS

Latency = Literal["none", "quick", "slow", "tail"]


@dataclass(frozen=True)
class Step:
    """Something that somebody does."""

    number: int
    at_s: float
    """Since the day began."""
    action: str
    dice: tuple[int, ...]
    """Numbers by which the step chooses among what there is at its time."""


@dataclass(frozen=True)
class Meanwhile:
    """What people do while a call is under way: to the event that it is about, else to the newest."""

    action: str
    dice: tuple[int, ...]
    """As those of a step."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong at the n-th call of a port after a step."""

    step: int
    port: str
    nth: int
    kind: str
    amount: int
    """Seconds, where the kind needs some."""
    meanwhile: Meanwhile | None = None
    """Done just before it goes wrong; of a fault of the kind `step` this is all."""
    then: "Fault | None" = None
    """What goes wrong at the next call of the same port, whatever step that follows."""

    @property
    def number(self) -> int:
        """The number under which people act at this fault: no step has it, nor another fault of most."""
        return 1000 * (self.step + 1) + crc32(f"{self.port} {self.nth} {self.then is None}".encode()) % 1000

    def __str__(self) -> str:
        """Show where it happens, what, and what comes with it."""
        also = f", meanwhile {self.meanwhile.action} {self.meanwhile.dice}" if self.meanwhile else ""
        return f"{self.port} call {self.nth}: {self.kind} {self.amount}{also}" + (
            f"; then {self.then}" if self.then else ""
        )


@dataclass(frozen=True)
class Setting:
    """How the parts are set for the day; the defaults are the tamest."""

    rules: Rules
    capabilities: Capabilities
    latency: Latency = "none"
    """How long calls take; also `none` lets others go on at every call."""
    skew_ms: int = 0
    """Clocks of instances are wrong by this much at most."""
    kills_late: bool = True
    """Whether an instance dies at the dispatch deadline; else it goes on, while the task is delivered again."""
    page_size: int = 2500
    lag_s: int = 0
    """Lists show a change this long after it happened."""
    id_only: bool = False
    """Whether listed tombstones hold nothing but their id."""
    forgets: bool = False
    """Whether a full listing shows no tombstones."""
    forgets_moved: bool = False
    """Whether an event that moved away is unknown where it was, when it is asked for on its own."""
    empty_pages: int = 0
    begin: int = 0
    """Which calendars are initialised before the first step, a bit each."""
    is_polled: bool = False
    """Whether the team calendar cannot be watched."""


@dataclass(frozen=True)
class Tapes:
    """A whole day, before it is played."""

    seed: int
    setting: Setting
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        """Show the setting, and each step with the faults that follow it."""
        lines = [f"seed {self.seed}", f"  {_differing(self.setting)}"]
        for step in self.steps:
            lines.append(f"  {step.at_s:7.1f} s  #{step.number} {step.action} {step.dice}")
            lines += [f"             ! {f}" for f in self.faults if f.step == step.number]
        early = [f for f in self.faults if f.step not in {step.number for step in self.steps}]
        return "\n".join([*lines, *(f"             ! after step {f.step}: {f}" for f in early)])


def _differing(setting: Setting) -> str:
    """Show only what is not as in production."""
    usual, able = Rules(), setting.capabilities
    rules = {name: value for name, value in vars(setting.rules).items() if value != getattr(usual, name)}
    others = {name: value for name, value in vars(setting).items() if name not in ("rules", "capabilities")}
    carries = sorted(able.carries) if able.carries != ALL_FIELDS else "all"
    back_end = {"ordered": able.ordered_writes, "restores": able.restores, "creates": able.creates}
    return f"{rules} {others} carries {carries} {back_end}"
