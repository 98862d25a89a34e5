"""Plays that no clock brings about: people act while a call is under way, and what is refused once stays refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference, Replacement
from confsync.core.records import Calendar
from confsync.core.replacing import operation_id
from confsync.ports import CreateCall
from tests.simulation.gestures import ELSEWHERE
from tests.simulation.mutants.switches import removed
from tests.simulation.mutants.table import MUTANTS
from tests.simulation.recording import record
from tests.simulation.runs import rule_of
from tests.simulation.shrinking import shortened
from tests.simulation.simulation import Simulation, lived
from tests.simulation.tapes import Fault, Meanwhile, Setting, Step, Tapes
from tests.simulation.test_oracles import Worker
from tests.simulation.test_schedules import EVERY_CALENDAR, ORDERED, OTHER_TITLE, RULES, SINGLE_OF_ANN, day, step
from tests.simulation.themes import FAULTS, SORTS
from tests.world import ALL_FIELDS, ANN, START

FOR_GOOD = Capabilities(ALL_FIELDS, ordered_writes=True, creates=True)
ENDED_AND_RESTORED = (step(0, 0, "create"), step(1, 60, "delete"), step(2, 200, "restore"))
"""With a back end that cannot take an end back, the event then gets another conference."""


def act(action: str, dice: tuple[int, ...] = SINGLE_OF_ANN) -> Meanwhile:
    """Return what people do meanwhile."""
    return Meanwhile(action, dice)


def replaced(*faults: Fault) -> Simulation:
    """Return a day on which an event gets another conference, unless people act meanwhile."""
    parts = Setting(replace(RULES, draft_s=60), FOR_GOOD, begin=EVERY_CALENDAR)
    played = lived(Tapes(0, parts, ENDED_AND_RESTORED, faults))
    assert not played.violations, "\n".join([*played.violations, *played.lines])
    return played


def named(played: Simulation) -> set[str | None]:
    """Return the conferences that Ann's events name in the evening."""
    return {fact.conference_id for _, fact in played.truth.newest_in(ANN)}


# People


@pytest.mark.parametrize("nth", [1, 2])
def test_an_event_that_changes_before_it_is_written_keeps_what_people_gave_it(nth: int) -> None:
    """Between the reading and the write, or on the way of the write: the other conference stays."""
    kind = ("step-after", "step-before")[nth - 1]
    assert named(replaced()) == {"c0n0"}
    meddled = replaced(Fault(0, "rewrite", nth, kind, 0, act("replace_conference")))
    assert named(meddled) == {f"c{Fault(0, 'rewrite', nth, kind, 0).number}"}
    assert any("PreconditionFailed" in line for line in meddled.lines or [])


def test_a_conference_whose_maker_dies_while_its_event_goes_is_ended() -> None:
    """It was announced before it was asked for: the same operation finds it again."""
    played = replaced(Fault(0, "create", 1, "crash-after", 0, act("delete")))
    assert {name: kept.state for name, kept in played.provider.conferences.items()} == {"c0": None, "c0n0": None}


@pytest.mark.parametrize(("lost", "holds"), [("unknown-landed", "c0n0"), ("unknown-lost", "c0")])
def test_only_an_operation_that_made_no_conference_is_rejected(lost: str, holds: str) -> None:
    """The contract: the same operation again is answered with what it made, whatever has changed since."""
    rejected = Fault(0, "create", 1, "rejected", 0)
    played = replaced(Fault(0, "create", 1, lost, 0, then=rejected))
    assert played.gate.sprung["create rejected"] == 1
    assert named(played) == {holds}
    assert played.provider.conferences.keys() == {"c0", holds}


def test_what_people_take_back_after_a_lost_answer_is_told_again() -> None:
    """The back end may hold what nobody heard of: the old title goes out although it was told before."""
    busy = Fault(1, "provider", 1, "busy", 20, act("undo"))
    lost = Fault(1, "provider", 1, "unknown-landed", 0, then=busy)
    played = day(step(0, 0, "create"), step(1, 60, "rename", OTHER_TITLE), faults=(lost,))
    told = [call.state.title for call in played.provider.calls if call.state]
    assert told == ["Title 0", "Title 1", "Title 1", "Title 0"]


def test_an_event_that_comes_back_during_the_last_look_keeps_its_conference() -> None:
    """The reader is held up with what it saw, and a sync hears of the event before it goes on."""
    held_up = Fault(0, "look", 1, "pause-after", 20, act("restore"))
    played = day(step(0, 0, "create"), step(1, 60, "delete"), faults=(held_up,))
    assert played.gate.sprung["look pause-after"]
    assert played.provider.conferences["c0"].state is not None


def test_what_follows_a_fault_waits_for_the_next_call_of_its_port() -> None:
    """Whatever step came between: it is one coincidence."""
    again = Fault(0, "provider", 1, "busy", 0)
    played = day(step(0, 0, "create"), step(1, 60, "rename", OTHER_TITLE), faults=(replace(again, then=again),))
    assert played.gate.sprung["provider busy"] == 2


# What stays refused


def test_an_event_that_calendar_refuses_to_show_blocks_no_other() -> None:
    """It is refused until the end; the other event of its calendar is told and ended as ever."""
    played = day(
        step(0, 0, "create"),
        step(1, 1, "create", (4, 1, 0, 1, 1, 0)),
        step(2, 60, "delete", (1, 0, 0, 0, 0, 0)),
        step(3, 200, "delete"),
        faults=(Fault(2, "event", 1, "refused", 0),),
    )
    assert len(played.calendar.refused) == 1
    states = [kept.state is None for _, kept in sorted(played.provider.conferences.items())]
    assert states == [False, True]


def test_a_listing_whose_page_was_refused_begins_anew() -> None:
    """No page token of it is taken any more, however often it is sent."""
    creates = tuple(step(number, number, "create") for number in range(3))
    expire = step(3, 60, "expire_tokens", (0, 0, 0, 0, 0, 0))
    refused = Fault(4, "page", 1, "page_token", 0)
    played = day(*creates, expire, step(4, 61, "rename", OTHER_TITLE), faults=(refused,), page_size=1)
    assert played.gate.sprung["page page_token"] == 1


def test_an_event_that_moved_out_of_sight_keeps_its_conference_where_calendar_knows_it_no_more() -> None:
    """A 404 without a full listing is no proof."""
    move = step(1, 60, "move", (0, 3, 0, 0, 0, 0))
    played = day(step(0, 0, "create"), move, forgets_moved=True)
    assert played.people.places[0].calendar_id == ELSEWHERE
    assert played.provider.conferences["c0"].state is not None


# The tapes


def test_the_sorts_of_calls_that_have_faults_are_known() -> None:
    """A fault of an unknown sort would never spring."""
    assert set(SORTS) < FAULTS.keys()
    wanted = set(FAULTS)
    for seed in range(200):
        wanted -= {name.partition(" ")[0] for name in lived(record(seed)).gate.sprung}
        if not wanted:
            return
    pytest.fail(f"no fault sprang at {wanted}")


def test_what_comes_with_a_fault_is_left_out_where_it_does_not_matter() -> None:
    """A shortened day shows only what it takes."""
    rich = Fault(0, "provider", 1, "busy", 0, act("undo"), Fault(0, "provider", 1, "busy", 0, act("rename")))
    tapes = Tapes(0, Setting(RULES, ORDERED), (Step(0, 0, "create", SINGLE_OF_ANN),), (rich,))
    shorter = shortened(tapes, lambda tried: any(fault.then is not None for fault in tried.faults))
    assert shorter.faults == (replace(rich, meanwhile=None),)


# The oracles


def announced(
    *, perhaps_made: bool, open_for_s: float | None = 90, made_as: str | None = None
) -> tuple[Simulation, CreateCall]:
    """Return a day in whose store a replacement is reserved, announced or not, and its call.

    Args:
        open_for_s: in how many seconds others may ask for it; None: it is not due any more.
        made_as: id of the conference that is known to be made for it.

    """
    due_at = None if open_for_s is None else START + timedelta(seconds=open_for_s)
    made = Simulation(Tapes(0, Setting(RULES, FOR_GOOD), (), ()))
    reserved = Replacement(
        number=1, reserved_at=START, links=("l",), is_successor=True, due_at=due_at, perhaps_made=perhaps_made
    ).model_copy(update={"conference_id": made_as})
    key = Conference.key_for("default", "acme", "c0")
    old = Conference(
        key=key, tenant="default", provider="acme", conference_id="c0", replacements=(reserved,), replaced=1
    )
    made.store.committed["conference"][key] = old
    return made, CreateCall(operation_id(old, reserved), "c0", None)  # type: ignore[arg-type]


@pytest.mark.parametrize("perhaps_made", [True, False])
def test_a_conference_is_asked_for_only_after_somebody_noted_it(*, perhaps_made: bool) -> None:
    """R15: who dies while it is made leaves word of it."""
    made, call = announced(perhaps_made=perhaps_made)
    made.oracles.calls.watch_create(call, Worker())
    assert bool(made.violations) is not perhaps_made


def test_what_another_worker_has_got_meanwhile_may_be_asked_for() -> None:
    """The back end answers with the same conference."""
    made, call = announced(perhaps_made=False, open_for_s=None, made_as="c0n0")
    made.oracles.calls.watch_create(call, Worker())
    assert made.violations == []


@pytest.mark.parametrize(("open_for_s", "is_too_late"), [(60, False), (59, True), (None, True)])
def test_a_conference_is_asked_for_only_while_nobody_else_may_ask_for_it(
    *, open_for_s: float | None, is_too_late: bool
) -> None:
    """R14: what leaves now lands within a minute."""
    made, call = announced(perhaps_made=True, open_for_s=open_for_s)
    made.oracles.calls.watch_create(call, Worker())
    assert [each.partition(":")[0] for each in made.violations] == ["R14"] * is_too_late


MOVED_OUT_OF_SIGHT = (step(0, 0, "create"), step(1, 60, "move", (0, 3, 0, 0, 0, 0)))


def test_a_conference_that_ends_although_its_event_moved_with_it_is_reported() -> None:
    """R9: also where no sync ever met the event in its new calendar."""
    (mutant,) = (each for each in MUTANTS if each.name == "unknown-is-gone")
    tapes = Tapes(0, Setting(RULES, ORDERED, begin=EVERY_CALENDAR, forgets_moved=True), MOVED_OUT_OF_SIGHT, ())
    assert lived(tapes).violations == []
    with removed(mutant):
        assert rule_of(lived(tapes)) == "R9 moved"


@pytest.mark.parametrize(("seed", "moved_at", "skew_ms"), [(0, 169, 0), (1, 168.6, 950)])
def test_an_event_that_came_back_unseen_and_left_only_its_id_excuses_the_end(
    seed: int, moved_at: float, skew_ms: int
) -> None:
    """R9: it was deleted as far as anybody saw, and what was deleted may lose its details too.

    On the second day that was seen by a clock that is fast.
    """
    back = (step(2, 168.5, "restore"), step(3, moved_at, "move", (0, 3, 0, 0, 0, 0)))
    steps = (step(0, 0, "create"), step(1, 168, "delete"), *back)
    played = lived(Tapes(seed, Setting(RULES, ORDERED, begin=0, skew_ms=skew_ms), steps, ()))
    assert played.violations == []
    assert played.provider.conferences["c0"].state is None


def test_a_moved_event_that_a_full_listing_did_not_show_excuses_the_end() -> None:
    """R5: of an event that is forgotten where it was nobody can tell that it moved."""
    listed = (*MOVED_OUT_OF_SIGHT, step(2, 60.1, "expire_tokens", (0, 0, 0, 0, 0, 0)))
    played = day(*listed, faults=(Fault(1, "push", 1, "lost", 0),), forgets_moved=True, forgets=True)
    assert played.provider.conferences["c0"].state is None


def test_a_full_listing_excuses_the_end_in_the_very_instant_of_the_move() -> None:
    """R5: what the move announces is listed without delay, and whole, since the token had expired."""
    create, move = MOVED_OUT_OF_SIGHT
    expired = step(2, 59, "expire_tokens", (0, 0, 0, 0, 0, 0))
    played = day(create, expired, move, forgets_moved=True, forgets=True)
    assert played.provider.conferences["c0"].state is None


@pytest.mark.parametrize("is_listed", [False, True])
def test_only_a_full_listing_that_got_on_after_a_change_counts_as_one_since(*, is_listed: bool) -> None:
    """R9: two things of one instant have an order too."""
    played = Simulation(Tapes(0, Setting(RULES, ORDERED), (), ()))
    judge, truth = played.oracles.calendars, played.truth
    before = Calendar(key="k", tenant="t", calendar_id=ANN, subject=ANN)
    truth.noted = 7 if is_listed else 6
    judge.watch(before, before.model_copy(update={"full_listings": 1}), START, Worker())
    assert judge.listed_since("k", 7) is is_listed
    assert not judge.listed_since("another", 7)


@pytest.mark.parametrize(("asked", "broken"), [(1, []), (2, ["R4 asked again"])])
def test_a_calendar_is_free_only_when_all_that_was_asked_for_is_served(asked: int, broken: list[str]) -> None:
    """R4: a sync that committed lists again for what came meanwhile."""
    played = Simulation(Tapes(0, Setting(RULES, ORDERED), (), ()))
    before = Calendar(key="k", tenant="t", calendar_id=ANN, subject=ANN, requested=asked, due_at=START)
    after = before.model_copy(update={"served": 1, "sync_generation": 1})
    judge = played.oracles.calendars
    judge.covers[""] = asked
    judge.watch(before, after, START, Worker(fences={"k": 0}))
    assert [each.partition(":")[0] for each in played.violations] == broken
