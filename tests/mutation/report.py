"""The table of mutants and who killed them: for people, for programs, and for docs/mutation.md."""

import json
from collections.abc import Sequence
from datetime import date

from tests.mutation.equivalents import EQUIVALENT, is_equivalent
from tests.mutation.trial import Outcome

HEAD = """# Mutation of the planner

`make mutation` removes or flips one rule of the planner at a time, in a copy of the tree, and runs the tests until one
fails: the fast tests of the core first, then the exhaustive small scope, then the use cases and the scenarios. A
mutant that no test kills is a hole in the tests. Named mutants break a rule of the design (R1..R21), a row of the table
of Calendar changes (1..60), or a property (S, L); the others come from the syntax trees of the same modules.
"""


def is_survivor(outcome: Outcome) -> bool:
    """Whether a mutant was not killed though it changes something."""
    return not outcome.killed_by and not is_equivalent(outcome.mutant)


def summary(outcomes: Sequence[Outcome]) -> str:
    """Say in one line how it went."""
    equivalent = sum(is_equivalent(each.mutant) and not each.killed_by for each in outcomes)
    late = sum(each.killed_by == "time-out" for each in outcomes)
    survivors = sum(is_survivor(each) for each in outcomes)
    killed = len(outcomes) - equivalent - survivors
    return (
        f"{len(outcomes)} mutants: {killed} killed ({late} of them by time-out), {equivalent} equivalent, "
        f"{survivors} survived"
    )


def line_of(outcome: Outcome) -> str:
    """Return one line about one mutant."""
    verdict = outcome.killed_by or ("equivalent" if is_equivalent(outcome.mutant) else "SURVIVED")
    return f"{outcome.mutant.name:45} {outcome.seconds:6.1f} s  {verdict}  [{outcome.mutant.rule}]"


def as_json(outcomes: Sequence[Outcome]) -> str:
    """Return everything as one JSON object."""
    rows = [
        {
            "mutant": each.mutant.name,
            "rule": each.mutant.rule,
            "killed_by": each.killed_by,
            "equivalent": is_equivalent(each.mutant),
            "seconds": round(each.seconds, 1),
        }
        for each in outcomes
    ]
    return json.dumps({"summary": summary(outcomes), "mutants": rows}, indent=1)


def as_page(named: Sequence[Outcome], from_syntax: Sequence[Outcome], day: date) -> str:
    """Return docs/mutation.md: each named mutant, and of the others what each module's tests were worth."""
    parts = [HEAD, f"Run on {day.isoformat()}.\n", f"## Named mutants\n\n{summary(named)}.\n", _named_table(named)]
    if from_syntax:
        parts += [f"## Mutants from the syntax trees\n\n{summary(from_syntax)}.\n", _module_table(from_syntax)]
    return "\n".join([*parts, _equivalents()])


def _named_table(outcomes: Sequence[Outcome]) -> str:
    rows = [
        f"| {each.mutant.name} | {_cell(each.mutant.rule)} | {_cell(_killer(each))} | {each.seconds:.0f} |"
        for each in outcomes
    ]
    return "\n".join(["| mutant | what it breaks | killed by | seconds |", "|---|---|---|---|", *rows, ""])


def _module_table(outcomes: Sequence[Outcome]) -> str:
    lines = ["| module | mutants | killed | equivalent | survived |", "|---|---|---|---|---|"]
    for module in dict.fromkeys(each.mutant.module for each in outcomes):
        own = [each for each in outcomes if each.mutant.module == module]
        killed, alive = sum(bool(each.killed_by) for each in own), sum(is_survivor(each) for each in own)
        lines.append(f"| {module} | {len(own)} | {killed} | {len(own) - killed - alive} | {alive} |")
    survivors = [f"- `{each.mutant.name}` {each.mutant.rule}" for each in outcomes if is_survivor(each)]
    return "\n".join([*lines, "", *survivors, ""])


def _killer(outcome: Outcome) -> str:
    test = outcome.killed_by.removeprefix("tests/")
    return test or ("equivalent" if is_equivalent(outcome.mutant) else "**survived**")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _equivalents() -> str:
    """Each with its reason: a list that anybody can check."""
    rows = [f"- `{module}`: {what}: {reason}" for (module, what), reason in EQUIVALENT.items()]
    return "\n".join(["## Equivalent mutants", "", "They change nothing that anybody could see.", "", *rows, ""])
