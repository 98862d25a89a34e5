"""Misbehaves on request: for the next n calls, or for a share of them.

Set over HTTP (`/_local/faults`) or in process. It must never touch a conference: it only decides what goes wrong.
"""

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from confsync.local.vendor.contract import Answer, problem

CallType = Literal[
    "conference.upsert", "conference.delete", "conference.create", "conference.get", "conference.list", "ping"
]


class Fault(BaseModel):
    """One way to go wrong, and for which calls."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["status", "stale", "hang", "reset", "slow"]
    """An error status; a false `generation-stale`; no answer until the caller gives up; a reset; a late answer."""
    status: int = Field(503, ge=300, le=599)
    """For kind `status`."""
    retry_after: Literal["seconds", "http-date", "iso-8601"] | None = None
    """The form of the header; None: no header."""
    retry_after_s: int = 1
    delay_ms: int = Field(0, ge=0, le=120_000)
    """For kind `slow`."""
    after_effect: bool = False
    """The call is obeyed first; else it has no effect. A slow call is always obeyed."""
    types: frozenset[CallType] = frozenset()
    """Which calls; empty for all."""
    times: int | None = Field(None, ge=1)
    """How many calls; None for all until the faults are cleared."""
    share: float = Field(1.0, gt=0, le=1)
    """Of the calls that are meant, at random."""

    @property
    def name(self) -> str:
        """How the log of calls names it."""
        what = str(self.status) if self.kind == "status" else self.kind
        return f"{what} after effect" if self.after_effect else what


class Faults:
    """The faults that are set, the oldest first."""

    def __init__(self, seed: int = 0) -> None:
        """Start without faults; equal seeds give equal choices."""
        self._set: list[Fault] = []
        self._random = random.Random(seed)  # noqa: S311 - it picks faults, not secrets

    def add(self, fault: Fault) -> None:
        """Set one more fault."""
        self._set.append(fault)

    def clear(self) -> None:
        """Behave from now on."""
        self._set.clear()

    def all(self) -> list[Fault]:
        """Return what is set, with how many times are left."""
        return list(self._set)

    def take(self, call_type: str) -> Fault | None:
        """Return what goes wrong with this call, None for nothing; a counted fault is used up by one."""
        for number, fault in enumerate(self._set):
            if (not fault.types or call_type in fault.types) and self._random.random() < fault.share:
                self._use(number, fault)
                return fault
        return None

    def _use(self, number: int, fault: Fault) -> None:
        if fault.times == 1:
            del self._set[number]
        elif fault.times is not None:
            self._set[number] = fault.model_copy(update={"times": fault.times - 1})


def faulty_answer(fault: Fault, generation: int, now: datetime) -> Answer:
    """Return what a fault of kind `status` or `stale` answers to a call of this generation."""
    if fault.kind == "stale":
        return problem(409, "generation-stale", "a fault was asked for", generation=generation + 5)
    headers = {"retry-after": _retry_after(fault, now)} if fault.retry_after else {}
    return problem(fault.status, "fault", "a fault was asked for", headers)


def _retry_after(fault: Fault, now: datetime) -> str:
    until = (now + timedelta(seconds=fault.retry_after_s)).astimezone(UTC)
    if fault.retry_after == "http-date":
        return format_datetime(until, usegmt=True)
    if fault.retry_after == "iso-8601":
        return until.isoformat()
    return str(fault.retry_after_s)
