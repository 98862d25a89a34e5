"""The mutation table of the simulation fits the production code, and the simulation is not blind to it.

`python -m tests.simulation.mutants` tries every mutant; here only a few that are noticed at once.
"""

import builtins
import dis
import json
from contextlib import suppress
from pathlib import Path
from types import CodeType

import pytest

from confsync.core import leases
from confsync.core.records import Calendar
from tests.simulation.mutants.__main__ import chosen, load, main, save
from tests.simulation.mutants.report import BEGIN, END, as_json, as_page, survivors, write_page
from tests.simulation.mutants.switches import Mutant, StaleMutantError, bodies_of, mutant, removed
from tests.simulation.mutants.table import MUTANTS, UNSEEN, UNTRIED
from tests.simulation.mutants.trial import EndlessDayError, Outcome, limited_to, noticed_by, try_seeds

CHEAP = ("token-before-effects", "call-without-intent", "rejected-token-is-kept", "a-task-for-each-notification")
WITHIN = 100
RULES = {f"R{number}" for number in range(1, 22)}
THIRTEEN = 13
"""Rules that the prototype of testing.md lost one at a time."""
STALE = [
    ("core.leases:claims", "fence", "x", "core.leases:claims does not exist"),
    ("core.leases:Claim.granted", "fence", "x", "does not exist"),
    ("core.leases:Claim", "fence", "x", "is no function"),
    ("core.leases:claim", "nowhere to be found", "x", "occurs 0 times"),
    ("core.leases:claim", "calendar", "x", "times in confsync.core.leases:claim, not once"),
]


@pytest.mark.parametrize("each", MUTANTS, ids=lambda each: each.name)
def test_each_mutant_changes_the_code_of_the_functions_that_it_names(each: Mutant) -> None:
    """A rule that moved in the production code fails here, and does not drop out of the table unseen."""
    assert all(_instructions(code) != _instructions(function.__code__) for function, code in bodies_of(each).items())


def _instructions(code: CodeType) -> list[object]:
    """Return what a body does, with the bodies inside it, wherever it stands in its file."""
    constants = (_instructions(c) if isinstance(c, CodeType) else c for c in code.co_consts)
    return [code.co_code, code.co_names, *constants]


@pytest.mark.parametrize("each", MUTANTS, ids=lambda each: each.name)
def test_no_mutant_names_what_its_module_does_not_know(each: Mutant) -> None:
    """It would be noticed because it breaks off, and not because the rule is gone."""
    for function, code in bodies_of(each).items():
        known = {*vars(builtins), *function.__globals__}
        assert {i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"} <= known


def test_each_rule_is_removed_by_some_mutant_or_named_with_the_reason_why_none_can() -> None:
    """No rule of the design is left out without a word."""
    assert {each.rule for each in MUTANTS if each.rule in RULES} | UNTRIED.keys() == RULES


def test_the_rules_that_the_prototype_lost_are_all_in_the_table() -> None:
    """Each of the thirteen is named by the mutant that removes it here."""
    assert sum("testing.md" in each.breaks for each in MUTANTS) >= THIRTEEN


def test_each_mutant_has_a_name_of_its_own_and_reasons_are_given_for_mutants_only() -> None:
    """The table is keyed by name."""
    names = {each.name for each in MUTANTS}
    assert len(names) == len(MUTANTS)
    assert names >= UNSEEN.keys()


@pytest.mark.parametrize(("place", "old", "new", "complaint"), STALE)
def test_a_mutant_that_the_code_has_left_behind_is_refused(place: str, old: str, new: str, complaint: str) -> None:
    """It says which mutant and which place, whether the function or the text is gone."""
    stale = mutant("stale", "R2", "Nothing.", (place, old, new))
    with pytest.raises(StaleMutantError, match=f"mutant stale: .*{complaint}"), removed(stale):
        pytest.fail("it was not refused")


def test_a_rule_is_removed_inside_the_block_only() -> None:
    """Also where the block ends by an error, and for whoever imported the function before."""
    (lawless,) = chosen(["every-full-listing-has-a-window"])
    calendar = Calendar(key="c", tenant="t", calendar_id="c", subject="s", sync_generation=3)
    found = []
    with suppress(KeyError), removed(lawless):
        found.append(leases.is_first_sync(calendar))
        raise KeyError
    found.append(leases.is_first_sync(calendar))
    assert found == [True, False]


@pytest.mark.parametrize("name", CHEAP)
def test_a_crude_mutant_is_noticed_at_once(name: str) -> None:
    """The simulation is not blind."""
    (each,) = chosen([name])
    assert any(noticed_by(each, seed) for seed in range(WITHIN))


def test_a_day_without_end_is_stopped() -> None:
    """A rule that is gone may make work go round for ever in no time."""
    with pytest.raises(EndlessDayError), limited_to(0.05):
        _work_for_ever()


def _work_for_ever() -> None:
    while True:
        pass


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    """In two parts with the state stored between them: the same as in one go."""
    (each,) = chosen(["token-before-effects"])
    whole, part, state = Outcome(each.name), Outcome(each.name), tmp_path / "state.json"
    try_seeds(each, whole, 8, 5, lambda _: None)
    try_seeds(each, part, 5, 5, lambda _: None)
    save(state, {each.name: part})
    resumed = load(state)[each.name]
    try_seeds(each, resumed, 8, 5, lambda _: None)
    assert resumed == whole
    assert whole.caught


def test_a_mutant_that_nobody_noticed_survives_unless_nothing_can_show_it() -> None:
    """The command fails for it, and the table says so."""
    blind, unseen = MUTANTS[0], next(each for each in MUTANTS if each.name in UNSEEN)
    outcomes = {each.name: Outcome(each.name, seeds=9) for each in (blind, unseen)}
    assert survivors([blind, unseen], outcomes) == [blind.name]
    page = as_page([blind, unseen], outcomes)
    assert "SURVIVED" in page
    assert UNSEEN[unseen.name] in page


def test_the_figures_follow_from_the_seeds() -> None:
    """Share of bad seeds, the first, who noticed, and three by the share."""
    outcome = Outcome(MUTANTS[0].name, seeds=60, caught={7: "S1", 9: "L1", 30: "L1"})
    (row,) = json.loads(as_json([MUTANTS[0]], {outcome.name: outcome}))["mutants"]
    figures = (row["share"], row["first"], row["oracles"], row["seeds_needed"])
    assert figures == (0.05, 7, ["L1", "S1"], 60)


def test_the_table_is_written_between_its_marks_and_nowhere_else(tmp_path: Path) -> None:
    """Twice gives the same page; a page without the marks is left alone."""
    page, outcomes = tmp_path / "page.md", {MUTANTS[0].name: Outcome(MUTANTS[0].name, 3, {1: "S1"})}
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_page(page, MUTANTS[:1], outcomes)
    once = page.read_text()
    write_page(page, MUTANTS[:1], outcomes)
    assert page.read_text() == once
    assert once.startswith("before\n")
    assert once.endswith("after\n")
    assert MUTANTS[0].breaks in once
    assert "old" not in once
    page.write_text("nothing")
    with pytest.raises(ValueError, match="needs one line"):
        write_page(page, MUTANTS[:1], outcomes)


def test_the_command_fails_when_a_mutant_survives(capsys: pytest.CaptureFixture[str]) -> None:
    """No seed at all notices nothing."""
    assert main(["--only", "no-sweep", "--seeds", "0"]) == 1
    assert "1 survived" in capsys.readouterr().out


def test_an_unknown_mutant_is_refused() -> None:
    """A typing error must not look like a clean run."""
    with pytest.raises(SystemExit, match="no mutant is called nonsense"):
        chosen(["nonsense"])
