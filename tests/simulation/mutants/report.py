"""The table of mutants and how soon each was noticed: for people, for programs, and for docs/simulation.md.

It must never hide a mutant that nobody noticed.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.simulation.mutants.switches import Mutant
from tests.simulation.mutants.table import UNSEEN
from tests.simulation.mutants.trial import Outcome

BEGIN = "<!-- mutants: written by `python -m tests.simulation.mutants --write` -->"
END = "<!-- end of mutants -->"
HEAD = (
    "| rule removed | rule | what it breaks | bad seeds | first seed | noticed by | seeds for 95 % |",
    "|---|---|---|---|---|---|---|",
)

Outcomes = Mapping[str, Outcome]


def survivors(mutants: Sequence[Mutant], outcomes: Outcomes) -> list[str]:
    """Return the mutants that were never noticed, without those of which the simulation can show nothing."""
    return [each.name for each in mutants if not outcomes[each.name].caught and each.name not in UNSEEN]


def share_of(outcome: Outcome) -> str:
    """Return the share of bad seeds in per cent, with as many digits as the seeds are worth."""
    if not outcome.caught:
        return f"0 of {outcome.seeds}"
    return f"{outcome.share:.0%}" if outcome.share >= 0.1 else f"{outcome.share:.2%}"


def line_of(mutant: Mutant, outcome: Outcome) -> str:
    """Return one line about one mutant."""
    known = f"first {outcome.first}, by {', '.join(outcome.oracles)}" if outcome.caught else _fate(mutant)
    anyhow = f", broken anyhow: {outcome.broken_anyhow}" if outcome.broken_anyhow else ""
    return f"{mutant.name:34} {mutant.rule:9} {share_of(outcome):>12}  {known}{anyhow}"


def as_table(mutants: Sequence[Mutant], outcomes: Outcomes) -> str:
    """Return the table for a terminal."""
    return "\n".join([*(line_of(each, outcomes[each.name]) for each in mutants), "", summary(mutants, outcomes)])


def summary(mutants: Sequence[Mutant], outcomes: Outcomes) -> str:
    """Say in one line how it went."""
    caught = [each for each in mutants if outcomes[each.name].caught]
    unseen = [each for each in mutants if not outcomes[each.name].caught and each.name in UNSEEN]
    left = survivors(mutants, outcomes)
    return f"{len(mutants)} rules removed: {len(caught)} noticed, {len(unseen)} out of sight, {len(left)} survived"


def as_json(mutants: Sequence[Mutant], outcomes: Outcomes) -> str:
    """Return everything as one JSON object."""
    rows = [_row(each, outcomes[each.name]) for each in mutants]
    return json.dumps({"summary": summary(mutants, outcomes), "mutants": rows}, indent=1)


def _row(mutant: Mutant, outcome: Outcome) -> dict[str, object]:
    return {
        "name": mutant.name,
        "rule": mutant.rule,
        "breaks": mutant.breaks,
        "seeds": outcome.seeds,
        "caught": len(outcome.caught),
        "share": outcome.share,
        "first": outcome.first,
        "oracles": outcome.oracles,
        "seeds_needed": outcome.seeds_needed,
        "out_of_sight": UNSEEN.get(mutant.name),
    }


def write_page(page: Path, mutants: Sequence[Mutant], outcomes: Outcomes) -> None:
    """Put the table between the marks of a page.

    Raises:
        ValueError: the page has no such marks.

    """
    text = page.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{page} needs one line {BEGIN!r} and one line {END!r} after it")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n\n{as_page(mutants, outcomes)}\n\n{END}{after}", encoding="utf-8")


def as_page(mutants: Sequence[Mutant], outcomes: Outcomes) -> str:
    """Return the table as Markdown: first what was noticed, the rarest last; then what was not, and why."""
    seen = [each for each in mutants if outcomes[each.name].caught]
    rows = [_cells(each, outcomes[each.name]) for each in sorted(seen, key=lambda m: -outcomes[m.name].share)]
    parts = [f"{summary(mutants, outcomes)}.", "", *HEAD, *rows]
    for title, names in _kinds_of_silence(mutants, outcomes).items():
        if names:
            parts += ["", f"### {title}", "", *names]
    return "\n".join(parts)


def _kinds_of_silence(mutants: Sequence[Mutant], outcomes: Outcomes) -> dict[str, list[str]]:
    """Return what was not noticed, as lines of a list, by why."""
    hidden = [each for each in mutants if not outcomes[each.name].caught]
    lines = {m.name: f"- `{m.name}` ({m.rule}, {outcomes[m.name].seeds} seeds). {m.breaks} {_fate(m)}" for m in hidden}
    return {
        "Survived: holes of the simulation": [line for name, line in lines.items() if name not in UNSEEN],
        "Out of sight": [line for name, line in lines.items() if name in UNSEEN],
    }


def _cells(mutant: Mutant, outcome: Outcome) -> str:
    cells = (
        f"`{mutant.name}`",
        mutant.rule,
        mutant.breaks,
        share_of(outcome),
        str(outcome.first),
        ", ".join(outcome.oracles),
        str(outcome.seeds_needed),
    )
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _fate(mutant: Mutant) -> str:
    if mutant.name in UNSEEN:
        return f"Out of sight: {UNSEEN[mutant.name]}"
    return "SURVIVED"
