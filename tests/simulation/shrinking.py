"""Shorten the tapes of a day that does something worth looking at, as long as it still does it.

Steps and faults are left out, then the parts are set as tame as they can be. Names, ids and latencies come from the
seed and from what is left, so what stays plays as it did.
"""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import TypeVar

from confsync.core.rules import Rules
from tests.simulation.tapes import Fault, Setting, Step, Tapes

T = TypeVar("T")
Holds = Callable[[Tapes], bool]
MOST_DAYS = 600
TAME_RULES = (
    "chunk_size",
    "inline_updates",
    "starts_per_run",
    "renewals_per_run",
    "window_s",
    "duplicates",
    "claims",
    "tenant_brake",
)


def shortened(tapes: Tapes, holds: Holds, most_days: int = MOST_DAYS) -> Tapes:
    """Return tapes of which `holds` is still true, with fewer steps and faults, in a tamer setting.

    Args:
        holds: plays a day and says whether what is looked for happens.
        most_days: how many days are played at most.

    """
    days = iter(range(most_days))

    def still(tried: Tapes) -> bool:
        return next(days, None) is not None and holds(tried)

    tapes = _plainer(_without_faults(_without_steps(_without_faults(tapes, still), still), still), still)
    for tamer in _tamer(tapes.setting):
        tried = replace(tapes, setting=tamer(tapes.setting))
        if tried.setting != tapes.setting and still(tried):
            tapes = tried
    return _without_steps(_without_faults(tapes, still), still)


def _without_steps(tapes: Tapes, still: Holds) -> Tapes:
    def holds(fewer: list[Step]) -> bool:
        return still(replace(tapes, steps=tuple(fewer)))

    return replace(tapes, steps=tuple(_fewest(list(tapes.steps), holds)))


def _without_faults(tapes: Tapes, still: Holds) -> Tapes:
    def holds(fewer: list[Fault]) -> bool:
        return still(replace(tapes, faults=tuple(fewer)))

    return replace(tapes, faults=tuple(_fewest(list(tapes.faults), holds)))


def _plainer(tapes: Tapes, still: Holds) -> Tapes:
    """Leave out what comes with a fault, and what follows it."""
    for number, fault in enumerate(tapes.faults):
        for plain in (
            replace(fault, meanwhile=None, then=None),
            replace(fault, then=None),
            replace(fault, meanwhile=None),
        ):
            tried = replace(tapes, faults=(*tapes.faults[:number], plain, *tapes.faults[number + 1 :]))
            if plain != tapes.faults[number] and still(tried):
                tapes = tried
                break
    return tapes


def _tamer(setting: Setting) -> Iterator[Callable[[Setting], Setting]]:
    """Give ways to set one part as tame as it can be; calls without latency come first."""
    for part in fields(setting):
        if part.name not in ("rules", "capabilities"):
            yield lambda old, name=part.name, tame=part.default: replace(old, **{name: tame})  # type: ignore[misc]
    for name in TAME_RULES:
        tame = getattr(Rules(), name)
        yield lambda old, name=name, tame=tame: replace(old, rules=replace(old.rules, **{name: tame}))  # type: ignore[misc]


def _fewest(items: list[T], holds: Callable[[list[T]], bool]) -> list[T]:
    size = len(items)
    while size:
        for begin in range(0, len(items), size):
            fewer = items[:begin] + items[begin + size :]
            if len(fewer) < len(items) and holds(fewer):
                items = fewer
                break
        else:
            size //= 2
    return items
