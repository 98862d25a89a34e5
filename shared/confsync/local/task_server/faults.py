"""Faults on demand: what a real queue does rarely, often enough to be tested.

It must never break what Cloud Tasks promises: every fault here is one that its documentation allows, but for `lose`,
which stands for a task lost on the way.
"""

import random
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

CreateFault = Literal["denied", "aborted", "unavailable", "deadline", "answer_lost", "lose"]
Probability = Field(default=0.0, ge=0.0, le=1.0)


class Faults(BaseModel):
    """Which faults happen how often: probabilities between 0 and 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queue: str | None = None
    """Full name of the only queue concerned; None: all."""
    denied: float = Probability
    """Create is answered PERMISSION_DENIED without effect, as to a caller without the role."""
    aborted: float = Probability
    """Create is answered ABORTED without effect; on REST it has the status of a name in use."""
    unavailable: float = Probability
    """Create is answered UNAVAILABLE without effect."""
    deadline: float = Probability
    """Create is answered DEADLINE_EXCEEDED without effect."""
    answer_lost: float = Probability
    """Create takes effect and is answered UNAVAILABLE."""
    lose: float = Probability
    """Create is answered well, and the task never runs."""
    twice: float = Probability
    """A task is delivered twice."""
    twice_after_s: float = Field(default=0.0, ge=0.0, le=600.0)
    """Up to so many seconds between the two deliveries."""
    late: float = Probability
    """A task's first delivery is late, so that tasks overtake each other."""
    late_s: float = Field(default=1.0, ge=0.0, le=600.0)
    """Up to so many seconds late."""
    times: int | None = Field(default=None, ge=0)
    """Stop after so many faults; None: go on until they are removed."""
    seed: int | None = None
    """Makes the choice of the tasks repeatable."""


class FaultDice:
    """Decides for each task whether a fault hits it."""

    def __init__(self) -> None:
        """Start without faults."""
        self.set(Faults())

    def set(self, faults: Faults) -> None:
        """Replace all faults."""
        self.faults = faults
        self.hits = 0
        self._random = random.Random(faults.seed)  # noqa: S311 - chooses victims, guards nothing

    def on_create(self, queue: str) -> CreateFault | None:
        """Return what happens to this create, None for nothing."""
        faults = self.faults
        chances = {fault: float(getattr(faults, fault)) for fault in get_args(CreateFault)}
        return next((fault for fault, probability in chances.items() if self._hit(queue, probability)), None)

    def lateness_s(self, queue: str) -> float:
        """Return how many seconds the first delivery of a task is late."""
        return self._random.uniform(0, self.faults.late_s) if self._hit(queue, self.faults.late) else 0.0

    def second_delivery_after_s(self, queue: str) -> float | None:
        """Return after how many seconds the request is sent again, None: not at all."""
        if not self._hit(queue, self.faults.twice):
            return None
        return self._random.uniform(0, self.faults.twice_after_s)

    def _hit(self, queue: str, probability: float) -> bool:
        faults = self.faults
        if not probability or (faults.queue not in {None, queue}):
            return False
        if faults.times is not None and self.hits >= faults.times:
            return False
        hit = self._random.random() < probability
        self.hits += hit
        return hit
