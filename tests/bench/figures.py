"""What a benchmark measures, compared with what: medians, spreads, ratios, targets. Pure.

It must never turn one noisy run into a verdict without its spread.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """What a figure should reach."""

    bound: Literal["at least", "at most"]
    value: float
    of: Literal["ratio", "ours"] = "ratio"

    def is_met_by(self, value: float) -> bool:
        """Whether the value is good enough."""
        return value >= self.value if self.bound == "at least" else value <= self.value

    def __str__(self) -> str:
        """As in the table."""
        return f"{'>=' if self.bound == 'at least' else '<='} {self.value:g}{' x' if self.of == 'ratio' else ''}"


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    benchmark: str
    what: str
    unit: str
    ours: float
    peer: float | None = None
    peer_is: str = ""
    spread: tuple[float, float] | None = None
    """Smallest and largest of the ratios of the rounds; of ours, where there is no peer."""
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """Ours by the peer's; None without a peer."""
        return self.ours / self.peer if self.peer else None

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        value = self.ratio if self.target.of == "ratio" else self.ours
        return value is not None and self.target.is_met_by(value)

    def to_json(self) -> dict[str, Any]:
        """Return the figure as plain values."""
        target = None if self.target is None else str(self.target)
        return {**vars(self), "ratio": self.ratio, "target": target, "is_met": self.is_met}


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least so many percent of the values do not exceed.

    Raises:
        ValueError: there are no values.

    """
    if not values:
        raise ValueError("a percentile of nothing: no value was measured")
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(rank - 1, 0)]


def median(values: Sequence[float]) -> float:
    """Return the middle value, or the mean of the two in the middle."""
    return (percentile(values, 50) + sorted(values)[len(values) // 2]) / 2


def alternate(sides: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Run each side once to warm it up, then all of them in turn, round by round; return what each gave by round.

    The two sides of a ratio then meet the same noise of the machine.
    """
    for side in sides.values():
        side()
    found: dict[str, list[T]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            found[name].append(side())
    return found


def compared(
    benchmark: str,
    what: str,
    unit: str,
    ours: Sequence[float],
    peer: Sequence[float],
    *,
    peer_is: str,
    target: Target | None = None,
) -> Figure:
    """Return the figure of two sides that were measured in the same rounds."""
    ratios = [mine / theirs for mine, theirs in zip(ours, peer, strict=True) if theirs]
    spread = (min(ratios), max(ratios)) if ratios else None
    return Figure(benchmark, what, unit, median(ours), median(peer), peer_is, spread, target)
