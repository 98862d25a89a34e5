"""A mutant of the simulation: production code with one rule removed, by a switch that exists only here.

A switch gives a function of the production code the body that it would have without the rule, for the length of a
`with` block: its source with one text replaced, compiled anew. No file is changed. It must never leave a switch on,
nor remove nothing: a text that does not occur exactly once is refused.
"""

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from types import CodeType, FunctionType


class StaleMutantError(AssertionError):
    """A switch does not fit the production code any more: the table has to follow."""


@dataclass(frozen=True)
class Switch:
    """One text of one function, and what stands in its place when the rule is removed."""

    place: str
    """Module and function, as in `confsync.core.leases:claim` or `confsync.listing:Listing.run`."""
    old: str
    """Occurs exactly once in the function; lines below the first keep their indentation within the module."""
    new: str


@dataclass(frozen=True)
class Mutant:
    """A rule, and the switches that remove it."""

    name: str
    rule: str
    """Which rule of the design it removes: R1 to R21, or a property S or L."""
    breaks: str
    """What happens without it, in one sentence."""
    switches: tuple[Switch, ...]


def mutant(name: str, rule: str, breaks: str, *switches: tuple[str, str, str]) -> Mutant:
    """Return a mutant; each of its switches is a place below `confsync`, the old text and the new one."""
    return Mutant(name, rule, breaks, tuple(Switch(f"confsync.{place}", old, new) for place, old, new in switches))


@contextmanager
def removed(mutant: Mutant) -> Iterator[None]:
    """Remove the rule inside the block: whoever holds a reference to one of its functions sees the new body.

    Raises:
        StaleMutantError: the production code has changed, and the mutant has to follow.

    """
    bodies = bodies_of(mutant)
    before = {function: function.__code__ for function in bodies}
    try:
        for function, code in bodies.items():
            function.__code__ = code
        yield
    finally:
        for function, code in before.items():
            function.__code__ = code


@lru_cache(maxsize=1024)
def bodies_of(mutant: Mutant) -> dict[FunctionType, CodeType]:
    """Return the functions that a mutant changes, each with its body without the rule.

    Raises:
        StaleMutantError: one of them is gone, or a text does not occur exactly once in it.

    """
    places = dict.fromkeys(switch.place for switch in mutant.switches)
    functions = {place: function_at(place, mutant.name) for place in places}
    return {function: _body(place, function, mutant) for place, function in functions.items()}


def function_at(place: str, name: str) -> FunctionType:
    """Return the function that a switch of the mutant `name` changes; raises StaleMutantError where it is gone."""
    module_name, _, path = place.partition(":")
    found: object = import_module(module_name)
    for part in path.split("."):
        if not hasattr(found, part):
            raise StaleMutantError(f"mutant {name}: {place} does not exist; name the function that has the rule now")
        found = inspect.getattr_static(found, part)
    if isinstance(found, property):
        found = found.fget
    if not isinstance(found, FunctionType):
        raise StaleMutantError(f"mutant {name}: {place} is no function; name the function that has the rule now")
    return found


def _body(place: str, function: FunctionType, mutant: Mutant) -> CodeType:
    source = inspect.getsource(function)
    for switch in mutant.switches:
        if switch.place == place:
            source = _without(switch, source, mutant.name)
    scope = dict(function.__globals__)
    exec(compile(textwrap.dedent(source), place, "exec"), scope)  # noqa: S102 - our own source
    changed = scope[function.__name__]
    changed = changed.fget if isinstance(changed, property) else changed
    assert isinstance(changed, FunctionType)
    return changed.__code__


def _without(switch: Switch, source: str, name: str) -> str:
    found = source.count(switch.old)
    if found != 1:
        raise StaleMutantError(
            f"mutant {name}: its text occurs {found} times in {switch.place}, not once; bring "
            f"tests/simulation/mutants up to date: {switch.old!r}"
        )
    return source.replace(switch.old, switch.new)
