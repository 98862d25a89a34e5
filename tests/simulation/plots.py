"""Plots: on some days people and operators do several things in one order, each soon after the other.

Chance alone hardly ever brings three such things about: an event moves, the calendar that it moved to is forgotten, and
the last other event of its conference is deleted. A plot is played first, and the day's own steps follow, as many as
keep the day as long as it was. It must never decide what is right; the oracles do.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from tests.simulation.gestures import SUBJECTS, TEAM
from tests.simulation.tapes import Fault, Meanwhile, Setting, Step, Tapes
from tests.world import ANN, BOB

SALT = 0x9107_7ED5
"""So that these draws have nothing to do with those of other tapes."""
SHARE, LATER_SHARE = 0.06, 0.04
KEYS = sorted(SUBJECTS)
"""As caretakers' dice count the calendars."""
CREATED_IN = {ANN: 0, BOB: 2, TEAM: 3}
"""As the dice of who makes an event count them."""
MOVED_TO = {TEAM: 0, BOB: 1, ANN: 2}
"""As the dice of who moves one count them."""
UPHEAVAL = (
    *2 * ("forget_now", "add_again", "resync_calendar", "move", "move", "move_back", "delete", "register_again"),
    *("pause_calendar", "resume_calendar", "forget_later", "duplicate", "copy_across", "restore", "rename", "create"),
)  # fmt: skip


LOSSES = (
    *3 * ("delete", "delete", "remove_conference"),
    *("move", "move", "retime", "rename_past", "restore", "put_back_conference", "forget_now", "replace_conference"),
)
JOURNEY = (
    *3 * ("move", "move", "change_owner", "remove_conference", "put_back_conference"),
    *2 * ("move_back", "suspend", "reinstate", "delete", "restore", "replace_conference"),
    *("invite", "reduce_role", "return_role", "forget_now", "forget_later", "add_again", "resync_calendar"),
    *("register_again", "give_away", "forget_deleted", "rename"),
)


@dataclass(frozen=True)
class Act:
    """Something that somebody does, so many seconds after what was done before."""

    after_s: float
    action: str
    dice: tuple[int, ...]
    fault: tuple[str, str, int, int] | None = None
    """What goes wrong after it: port, kind, seconds, and at which call."""
    meanwhile: str = ""
    """What people do then."""


Plot = Callable[[random.Random], Iterator[Act]]


def forgotten_under_a_call(dice: random.Random) -> Iterator[Act]:
    """A calendar is forgotten and added again while a call about one of its conferences is still to land."""
    calendar_id = dice.choice(KEYS)
    yield _create(dice, calendar_id)
    kind = dice.choice(("slow-before", "slow-before", "crash-landing", "unknown-landing"))
    yield Act(dice.choice((40, 70, 100)), "rename", _numbers(dice), ("provider", kind, dice.choice((25, 45, 54)), 1))
    yield _care(dice, dice.choice((7, 10, 15)), "forget_now", calendar_id)
    yield Act(dice.choice((0.5, 2, 5)), "register_again", _numbers(dice, 0))


def moved_where_nobody_looks(dice: random.Random) -> Iterator[Act]:
    """One of two events moves to a calendar that is forgotten then, and the other one is deleted."""
    calendar_id, destination = dice.sample(KEYS, 2)
    yield _create(dice, calendar_id)
    yield _care(dice, 1, "add_again", destination)
    yield Act(dice.choice((20, 60)), "duplicate", _numbers(dice, 0))
    yield Act(dice.choice((20, 60)), "move", _numbers(dice, 1, MOVED_TO[destination]))
    yield _care(dice, dice.choice((30, 60, 90)), dice.choice(("forget_now", "forget_now", "forget_later")), destination)
    yield Act(dice.choice((20, 60)), "delete", _numbers(dice, 0))


def asked_for_without_access(dice: random.Random) -> Iterator[Act]:
    """An event is deleted, which nobody hears of, then the role is reduced, and then the event is asked for."""
    yield _create(dice, TEAM)
    yield Act(dice.choice((80, 120)), "delete", _numbers(dice, 0), ("push", "lost", 0, 1))
    yield Act(dice.choice((0.3, 2)), "reduce_role", _numbers(dice))
    yield Act(dice.choice((5, 70, 100)), "register_again", _numbers(dice, 0))
    yield Act(dice.choice((60, 200, 400)), "return_role", _numbers(dice))


def saved_after_all(dice: random.Random) -> Iterator[Act]:
    """The event of a draft comes just when it is looked for the last time."""
    numbers = _numbers(dice)
    look = ("look", dice.choice(("pause-after", "pause-after", "step-after")), dice.choice((8, 20, 45)), 2)
    yield _care(dice, 0, "add_again", ANN)
    yield Act(dice.choice((0, 30)), "discard_draft", numbers, look, "save_draft")
    yield Act(dice.choice((140, 170)), "rename", _numbers(dice, 0))


def remembered_for_a_month(dice: random.Random) -> Iterator[Act]:
    """A calendar is removed, and nobody wants it back today: some of its events live on elsewhere."""
    calendar_id, other = dice.sample(KEYS, 2)
    for each in (calendar_id, calendar_id, other):
        yield _create(dice, each)
    yield Act(dice.choice((30, 60)), dice.choice(("copy_across", "move", "duplicate", "delete")), _numbers(dice))
    yield _care(dice, dice.choice((2, 20, 60)), "forget_later", calendar_id)
    for action in dice.sample(("delete", "rename", "restore", "move", "register_again"), 2):
        yield Act(dice.choice((2, 20, 60)), action, _numbers(dice))


def upheaval(dice: random.Random) -> Iterator[Act]:
    """Calendars come and go, and events move between them."""
    for calendar_id in KEYS:
        yield _create(dice, calendar_id)
    for _ in range(dice.randint(6, 12)):
        yield Act(dice.choice((0.3, 2, 5, 10, 30, 60)), dice.choice(UPHEAVAL), _numbers(dice))


def a_dozen_copies(dice: random.Random) -> Iterator[Act]:
    """One conference is held by more events than it remembers of the past, and most of them are lost again."""
    yield _create(dice, dice.choice(KEYS))
    for _ in range(dice.randint(9, 13)):
        yield Act(dice.choice((0.3, 2)), dice.choice((*5 * ("duplicate",), "copy_across")), _numbers(dice))
    for _ in range(dice.randint(8, 14)):
        yield Act(dice.choice((0.3, 2, 10, 40)), dice.choice(LOSSES), _numbers(dice))


def moved_on_and_on(dice: random.Random) -> Iterator[Act]:
    """One event goes from calendar to calendar, and loses its conference and gets it back on the way."""
    yield _create(dice, dice.choice(KEYS))
    for _ in range(dice.randint(6, 10)):
        first = (0, 0) if (action := dice.choice(JOURNEY)) == "put_back_conference" else (0,)
        fault = ("push", "lost", 0, 1) if dice.random() < 0.3 else None
        yield Act(dice.choice((0.3, 2, 10, 40, 70, 150)), action, _numbers(dice, *first), fault)


PLOTS: tuple[Plot, ...] = (
    forgotten_under_a_call,
    moved_where_nobody_looks,
    asked_for_without_access,
    saved_after_all,
    remembered_for_a_month,
    upheaval,
)
LATER_PLOTS: tuple[Plot, ...] = (a_dozen_copies, moved_on_and_on, moved_on_and_on)
"""Those that came later, on days of their own, so that all other days stay what they were."""


def plotted(tapes: Tapes) -> Tapes:
    """Return the tapes with a plot before anything else, on some days."""
    dice = random.Random(tapes.seed ^ SALT)  # noqa: S311 - repeatable, not secret
    drawn = dice.random()
    if drawn >= SHARE + LATER_SHARE:
        return tapes
    return begun_with(dice.choice(PLOTS if drawn < SHARE else LATER_PLOTS), dice, tapes)


def begun_with(plot: Plot, dice: random.Random, tapes: Tapes) -> Tapes:
    """Return the tapes with this plot before anything else."""
    acts = [*plot(dice)]
    number = max((step.number for step in tapes.steps), default=-1) + 1
    moments = [round(at_s, 1) for at_s in accumulate(act.after_s for act in acts)]
    steps = [
        Step(number + n, at_s, act.action, act.dice) for n, (at_s, act) in enumerate(zip(moments, acts, strict=True))
    ]
    faults = [_fault(step, act) for step, act in zip(steps, acts, strict=True) if act.fault is not None]
    rest = tapes.steps[: max(len(tapes.steps) - len(steps), 0)]
    begin_s = moments[-1] + dice.choice((5, 60, 200))
    later = [replace(step, at_s=round(step.at_s + begin_s, 1)) for step in rest]
    setting = _set_for(plot, tapes.setting)
    return Tapes(tapes.seed, setting, (*steps, *later), (*tapes.faults, *faults))


def _set_for(plot: Plot, setting: Setting) -> Setting:
    """Return a setting in which the plot can take its course."""
    rules, able = setting.rules, setting.capabilities
    if plot is forgotten_under_a_call:
        return replace(setting, capabilities=replace(able, ordered_writes=False))
    if plot is moved_where_nobody_looks:
        return replace(setting, rules=replace(rules, duplicates="share"))
    if plot is saved_after_all:
        return replace(setting, rules=replace(rules, draft_s=60))
    return setting


def _fault(step: Step, act: Act) -> Fault:
    assert act.fault is not None
    port, kind, amount, nth = act.fault
    return Fault(step.number, port, nth, kind, amount, Meanwhile(act.meanwhile, act.dice) if act.meanwhile else None)


def _create(dice: random.Random, calendar_id: str) -> Act:
    """Make an event that the add-on vouches for soon; often not a series."""
    numbers = _numbers(dice, CREATED_IN[calendar_id], dice.choice((1, 2, 4, dice.randrange(1000))))
    return Act(0, "create", (*numbers[:5], dice.choice((0, 1, 2))))


def _care(dice: random.Random, after_s: float, action: str, calendar_id: str) -> Act:
    return Act(after_s, action, _numbers(dice, KEYS.index(calendar_id)))


def _numbers(dice: random.Random, *first: int) -> tuple[int, ...]:
    return (*first, *(dice.randrange(1000) for _ in range(6 - len(first))))
