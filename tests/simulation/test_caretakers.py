"""Days on which operators pause, resume, remove, add again or resync a calendar, and what the oracles make of it."""

from datetime import timedelta

import pytest

from confsync.core.calendar_states import Forget
from tests.simulation.caretakers import CARE, SHARE, cared_for
from tests.simulation.days import record
from tests.simulation.gestures import SUBJECTS
from tests.simulation.simulation import Simulation, lived
from tests.simulation.tapes import Fault, Setting, Step, Tapes
from tests.simulation.test_schedules import ORDERED, OTHER_TITLE, RULES, day, step
from tests.world import ANN, START

OF_ANN = (sorted(SUBJECTS).index(ANN), 0, 0, 0, 0, 0)
SEEDS = 200


def care(number: int, at_s: float, action: str) -> Step:
    """Return a step about Ann's calendar."""
    return step(number, at_s, action, OF_ANN)


def lives(played: Simulation, conference_id: str) -> bool:
    """Whether the conferencing system holds it."""
    return played.provider.conferences[conference_id].state is not None


@pytest.mark.parametrize(("action", "is_alive"), [("delete", False), ("rename", True)])
def test_what_happens_during_a_pause_is_found_when_it_is_over(action: str, is_alive: bool) -> None:
    """A deletion, or another title."""
    missed = step(2, 70, action, OTHER_TITLE)
    played = day(step(0, 0, "create"), care(1, 60, "pause_calendar"), missed, care(3, 500, "resume_calendar"))
    assert lives(played, "c0") is is_alive
    assert "a paused calendar was resumed" in played.sometimes.reached


def test_a_calendar_that_is_left_paused_is_resumed_in_the_evening() -> None:
    """All is right then."""
    played = day(step(0, 0, "create"), care(1, 60, "pause_calendar"), step(2, 70, "delete"))
    assert not lives(played, "c0")


@pytest.mark.parametrize("forget", ["later", "now"])
def test_a_removal_ends_nothing_and_what_is_remembered_is_right_when_it_is_added_again(forget: Forget) -> None:
    """What was deleted meanwhile ends only where the calendar was not forgotten."""
    steps = step(0, 0, "create"), care(1, 60, f"forget_{forget}"), step(2, 70, "delete"), care(3, 500, "add_again")
    played = day(*steps)
    assert lives(played, "c0") is (forget == "now")
    assert ("a removed calendar was forgotten" in played.sometimes.reached) is (forget == "now")
    assert "a removed calendar was added again" in played.sometimes.reached


@pytest.mark.parametrize(("seed", "stays"), [(0, True), (1, False)])
def test_on_some_days_a_removed_calendar_stays_removed_until_it_is_forgotten(seed: int, stays: bool) -> None:
    """A month later, and nothing ended by then."""
    played = day(step(0, 0, "create"), care(1, 60, "forget_later"), step(2, 70, "delete"), seed=seed)
    assert bool(played.sometimes.reached["a removed calendar was forgotten when its time was over"]) is stays
    assert (lives(played, "c0"), len(played.ledger.links_in(ANN))) == ((True, 0) if stays else (False, 1))
    assert (played.clock.now - START > timedelta(days=31)) is stays


def test_a_calendar_that_is_synced_anew_is_listed_in_full() -> None:
    """Once more than when it was added."""
    played = day(step(0, 0, "create"), care(1, 60, "resync_calendar"))
    calendar = played.ledger.calendar(ANN)
    assert calendar is not None
    assert calendar.full_listings > 1


@pytest.mark.parametrize("action", CARE)
def test_what_an_operator_asked_for_is_tried_again_until_it_is_stored(action: str) -> None:
    """A store that is out of reach changes nothing of what the day comes to."""
    lost = Fault(1, "store", 1, "unavailable-before", 0)
    played = day(step(0, 0, "create"), care(1, 60, action), step(2, 90, "rename", OTHER_TITLE), faults=(lost,))
    assert sum(played.gate.sprung.values()) == 1


def test_nothing_is_done_to_a_calendar_that_nobody_added() -> None:
    """The operator is told so, and that is all."""
    steps = tuple(care(number, number, action) for number, action in enumerate(CARE[:-1]))
    played = lived(Tapes(1, Setting(RULES, ORDERED), steps, ()))
    assert (played.violations, played.ledger.calendar(ANN)) == ([], None)


def test_some_days_come_with_it_and_all_others_stay_as_they_were() -> None:
    """By the seed alone; each action is on some of them."""
    tapes = [record(seed) for seed in range(SEEDS)]
    cared = [each for each in tapes if {one.action for one in each.steps} & set(CARE)]
    assert SHARE / 2 < len(cared) / SEEDS < SHARE * 2
    assert {one.action for each in cared for one in each.steps} >= set(CARE)
    plain = [each for each in tapes if each not in cared]
    assert all(cared_for(each) == each for each in plain)


def test_steps_of_caretakers_have_numbers_of_their_own() -> None:
    """Faults are counted from the step before them."""
    for seed in range(SEEDS):
        steps = record(seed).steps
        assert len({one.number for one in steps}) == len(steps)
        assert [one.at_s for one in steps] == sorted(one.at_s for one in steps)
