"""Days on which operators and administrators act: what a brake holds, who is suspended, what Calendar forgets."""

from dataclasses import replace

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.rules import Rules
from tests.simulation.days import record
from tests.simulation.operators import OPERATIONS, operated
from tests.simulation.simulation import Simulation, lived
from tests.simulation.tapes import Fault, Setting, Step, Tapes
from tests.simulation.test_schedules import OTHER_TITLE, RULES, step
from tests.world import ALL_FIELDS

NOTHING_PASSES = replace(RULES, calendar_brake=0, calendar_brake_share=0)
ONE_PASSES = replace(RULES, calendar_brake=1, calendar_brake_share=0)
ALL = (511, 0, 0, 0, 0, 0)
OLDER = (1, 0, 0, 0, 0, 0)
CREATING = Capabilities(ALL_FIELDS, ordered_writes=True, restores=False, creates=True)


def day(
    *steps: Step,
    rules: Rules = RULES,
    capabilities: Capabilities = CREATING,
    faults: tuple[Fault, ...] = (),
    forgets: bool = False,
) -> Simulation:
    """Return a day that was played with every calendar initialised; it broke no rule."""
    setting = Setting(rules, capabilities, begin=7, forgets=forgets)
    played = lived(Tapes(0, setting, steps, faults))
    assert not played.violations, "\n".join([*played.violations, *played.lines])
    return played


def brake_of(played: Simulation, conference_id: str) -> str:
    """Return what the brake, or an operator, said of a conference's end."""
    found = played.ledger.conference(conference_id)
    assert found is not None
    return found.brake


def lives(played: Simulation, conference_id: str) -> bool:
    """Whether the conferencing system holds it."""
    return played.provider.conferences[conference_id].state is not None


def test_an_end_that_an_operator_approves_is_told() -> None:
    """It waits for the operator, and then goes the usual way."""
    played = day(step(0, 0, "create"), step(1, 60, "delete"), step(2, 200, "approve_ends", ALL), rules=NOTHING_PASSES)
    assert (brake_of(played, "c0"), lives(played, "c0")) == ("approved", False)


def test_an_end_that_an_operator_rejects_is_never_told() -> None:
    """The conference lives on, though nothing holds it."""
    played = day(step(0, 0, "create"), step(1, 60, "delete"), step(2, 200, "reject_ends", ALL), rules=NOTHING_PASSES)
    assert (brake_of(played, "c0"), lives(played, "c0")) == ("rejected", True)


def test_an_event_that_comes_back_takes_its_conference_from_the_brake() -> None:
    """Nobody has to decide any more, and updates flow."""
    steps = step(0, 0, "create"), step(1, 60, "delete"), step(2, 200, "restore"), step(3, 260, "rename", OTHER_TITLE)
    played = day(*steps, rules=NOTHING_PASSES)
    assert (brake_of(played, "c0"), lives(played, "c0")) == ("none", True)


def test_what_nobody_limits_is_not_held() -> None:
    """One end passes; of two that are decided at once both wait, and operators decide in the evening."""
    one = day(step(0, 0, "create"), step(1, 60, "delete"), rules=ONE_PASSES)
    assert (brake_of(one, "c0"), lives(one, "c0")) == ("none", False)
    creates = step(0, 0, "create"), step(1, 1, "create")
    two = day(*creates, step(2, 60, "delete"), step(3, 60, "delete", OLDER), rules=ONE_PASSES)
    assert {brake_of(two, "c0"), brake_of(two, "c1")} <= {"approved", "rejected"}


def test_a_suspended_person_loses_no_conference() -> None:
    """What others change meanwhile is found when the suspension ends."""
    in_bobs = (2, 1, 0, 1, 0, 0)
    suspended = step(1, 60, "suspend", OLDER), step(2, 61, "rename", OTHER_TITLE)
    played = day(step(0, 0, "create", in_bobs), *suspended, step(3, 500, "reinstate"))
    assert lives(played, "c0")


def test_the_conference_of_a_deleted_event_that_calendar_forgot_ends() -> None:
    """The event is unknown (404) and its token is too old: the sweep of a full listing finds that it is gone."""
    lost = Fault(1, "push", 1, "lost", 0)
    played = day(
        step(0, 0, "create"), step(1, 60, "delete"), step(2, 70, "forget_deleted", ALL), faults=(lost,), forgets=True
    )
    assert not lives(played, "c0")


@pytest.mark.parametrize("kind", ["unknown-landing", "crash-landing", "slow-before", "unknown-lost", "crash-after"])
def test_a_conference_that_is_made_after_its_caller_gave_up_is_the_one_that_its_event_gets(kind: str) -> None:
    """It is asked for again under the same operation: there is one successor, and the event holds it."""
    fault = Fault(2, "provider", 1, kind, 40)
    played = day(step(0, 0, "create"), step(1, 60, "delete"), step(2, 300, "restore"), faults=(fault,))
    assert sum(played.gate.sprung.values()) == 1
    assert [lives(played, made) for made in played.provider.made_for] == [True]


def test_days_with_operations_come_from_the_seed_alone() -> None:
    """Whoever draws the same seed gets the same day; each operation is on some."""
    assert operated(record(3)) == operated(record(3))
    assert {s.action for seed in range(60) for s in record(seed).steps} >= set(OPERATIONS)


def test_steps_of_operators_have_numbers_of_their_own() -> None:
    """Faults are counted from the step before them."""
    for seed in range(20):
        numbers = [each.number for each in record(seed).steps]
        assert len(numbers) == len(set(numbers))
        assert [each.at_s for each in record(seed).steps] == sorted(each.at_s for each in record(seed).steps)
