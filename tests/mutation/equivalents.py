"""Mutants that change nothing that anybody could see, each with the reason. Everything else has to be killed."""

from collections.abc import Iterable

from tests.mutation.mutants import Mutant

EQUIVALENT: dict[tuple[str, str], str] = {}
"""By module and by what is changed (of a named mutant its name), so that no line number has to be kept up."""


def key_of(mutant: Mutant) -> tuple[str, str]:
    """Return under which key a mutant is listed as equivalent."""
    name = mutant.name.partition(".")[2]
    return (mutant.module, mutant.rule.partition(": ")[2] if name[0].isdigit() else name)


def is_equivalent(mutant: Mutant) -> bool:
    """Whether the mutant is listed as one that changes nothing."""
    return key_of(mutant) in EQUIVALENT


def unused(mutants: Iterable[Mutant]) -> list[tuple[str, str]]:
    """Return the entries that stand for no mutant any more."""
    known = {key_of(mutant) for mutant in mutants}
    return sorted(set(EQUIVALENT) - known)
