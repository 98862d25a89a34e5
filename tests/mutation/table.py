"""All mutants: the named ones, one rule removed or flipped each, and those made from the syntax trees."""

from pathlib import Path

from tests.mutation import (
    rules_of_calls,
    rules_of_channels,
    rules_of_drafts,
    rules_of_ends,
    rules_of_events,
    rules_of_judging,
    rules_of_leases,
)
from tests.mutation.mutants import MODULES, Mutant, Rule, mutant_of, source_of
from tests.mutation.syntax import mutants_in

RULES: dict[str, tuple[Rule, ...]] = {
    "binding": rules_of_events.BINDING,
    "judging": rules_of_judging.JUDGING,
    "owners": rules_of_judging.OWNERS,
    "driving": rules_of_judging.DRIVING,
    "replacing": rules_of_ends.REPLACING,
    "reviewing": rules_of_ends.REVIEWING,
    "draft": rules_of_drafts.DRAFT,
    "taking": rules_of_drafts.TAKING,
    "series": rules_of_drafts.SERIES,
    "touched": rules_of_drafts.TOUCHED,
    "ending": rules_of_ends.ENDING,
    "desires": rules_of_calls.DESIRES,
    "effects": rules_of_calls.EFFECTS,
    "leases": rules_of_leases.LEASES,
    "projection": rules_of_events.PROJECTION,
    "planning": rules_of_drafts.PLANNING,
    "identity": rules_of_judging.IDENTITY,
    "terms": rules_of_judging.TERMS,
    "channels": rules_of_channels.CHANNELS,
    "refusals": rules_of_channels.REFUSALS,
    "reconciliation": rules_of_channels.RECONCILIATION,
    "calendar_states": rules_of_channels.CALENDAR_STATES,
}


def named(root: Path) -> list[Mutant]:
    """Return the named mutants of the tree; raises `StaleMutantError` where the table is behind it."""
    return [mutant_of(rule, module, source_of(module, root)) for module, rules in RULES.items() for rule in rules]


def from_syntax(root: Path) -> list[Mutant]:
    """Return the mutants made from the syntax trees of the modules."""
    return [mutant for module in MODULES for mutant in mutants_in(module, source_of(module, root))]
