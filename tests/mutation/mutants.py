"""What a mutant is: one module of the core with one rule removed or flipped. Values only."""

from dataclasses import dataclass
from pathlib import Path

CORE = "shared/confsync/core"
MODULES = (
    "binding",
    "judging",
    "owners",
    "driving",
    "replacing",
    "reviewing",
    "draft",
    "taking",
    "series",
    "touched",
    "ending",
    "desires",
    "effects",
    "leases",
    "projection",
    "planning",
    "identity",
    "terms",
)
"""The modules that decide."""


class StaleMutantError(AssertionError):
    """A mutant's text does not occur exactly once: the module changed, and the table has to follow."""


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    name: str
    module: str
    """Name of a module of the core."""
    rule: str
    """What is broken: a rule of the design, a row of the table of Calendar changes, or the change itself."""
    source: str
    """The whole module, as changed."""

    @property
    def path(self) -> str:
        """Path of the module, from the root of the tree."""
        return f"{CORE}/{self.module}.py"


@dataclass(frozen=True)
class Rule:
    """A named mutant as the table holds it: a text of the module, what stands in its place, what that breaks."""

    name: str
    old: str
    new: str
    """Empty: the statement is left out."""
    breaks: str


def source_of(module: str, root: Path) -> str:
    """Return the source of a module of the core."""
    return (root / CORE / f"{module}.py").read_text(encoding="utf-8")


def mutant_of(rule: Rule, module: str, source: str) -> Mutant:
    """Return the module with the rule broken.

    Raises:
        StaleMutantError: the text does not occur exactly once.

    """
    found = source.count(rule.old)
    if found != 1:
        raise StaleMutantError(
            f"mutant {module}.{rule.name}: its text occurs {found} times in {module}.py, not once; bring "
            f"tests/mutation up to date: {rule.old!r}"
        )
    new = rule.new or ("pass\n" if rule.old.endswith("\n") else "pass")
    return Mutant(f"{module}.{rule.name}", module, rule.breaks, source.replace(rule.old, new))
