"""What operators do to whole calendars on some days: pause and resume, remove and add again, sync anew.

Each is a step of the workload tape, by its name. It must never decide what is right; the oracles do.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from confsync.administer_calendar import pause_calendar, remove_calendar, resume_calendar, resync_calendar
from confsync.core.calendar_states import Forget
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.errors import UnknownCalendar
from confsync.ports import Outside
from tests.simulation.gestures import SUBJECTS
from tests.simulation.scheduler import Scheduler
from tests.simulation.tapes import Step, Tapes
from tests.simulation.traffic import Request, Traffic
from tests.world import PUSH

Work = Callable[[str, Outside], object]
"""What is done with the calendar of a key."""
Added = tuple[str, float, tuple[int, ...]]
"""Action, second of the day, dice."""

CARE = ("pause_calendar", "resume_calendar", "resync_calendar", "forget_later", "forget_now", "add_again")
MEANWHILE = (
    "delete",
    "delete",
    "rename",
    "move",
    "restore",
    "duplicate",
    "register_again",
    "reduce_role",
    "return_role",
)
"""What people do in a calendar that is left alone: each is missed, and found later."""
SALT = 0xCA1E_DA25
"""So that these draws have nothing to do with those of other tapes."""
SHARE = 0.2
AGAIN_S = 5


class Caretakers:
    """Those who decide which calendars are synced."""

    def __init__(
        self,
        clock: Scheduler,
        traffic: Traffic,
        rules: Rules,
        register: Callable[[str], None],
        hear: Callable[[str], object],
        *,
        leaves_some: bool,
    ) -> None:
        """Begin with nothing done.

        Args:
            register: adds a calendar, also one that was removed.
            hear: called with a calendar that is about to be forgotten at once.
            leaves_some: whether a calendar that was removed stays so in the evening.

        """
        self._clock, self._traffic, self._rules = clock, traffic, rules
        self._register, self._hear = register, hear
        self._leaves_some = leaves_some
        self._times = 0
        self._is_over = False

    @property
    def has_acted(self) -> bool:
        """Whether they did anything today."""
        return self._times > 0

    def do(self, step: Step) -> None:
        """Do what the step says, to one of the calendars."""
        calendar_ids = sorted(SUBJECTS)
        getattr(self, f"_{step.action}")(calendar_ids[step.dice[0] % len(calendar_ids)])

    def stop(self) -> None:
        """Try nothing again from now on, what failed before it was stored neither."""
        self._is_over = True

    def put_right(self, calendars: dict[str, Calendar]) -> None:
        """Resume what is paused, and add again what was removed, unless that is to stay so."""
        for calendar_id, calendar in calendars.items():
            if calendar.state == "paused":
                self._resume_calendar(calendar_id)
            elif calendar.state == "removed" and not self._leaves_some:
                self._register(calendar_id)

    def _pause_calendar(self, calendar_id: str) -> None:
        self._ask("pauses", calendar_id, lambda key, outside: pause_calendar(key, "its owner is away", outside))

    def _resume_calendar(self, calendar_id: str) -> None:
        self._ask("resumes", calendar_id, lambda key, outside: resume_calendar(key, outside, PUSH, self._rules))

    def _resync_calendar(self, calendar_id: str) -> None:
        self._ask("resyncs", calendar_id, resync_calendar)

    def _forget_later(self, calendar_id: str) -> None:
        self._remove(calendar_id, "later")

    def _forget_now(self, calendar_id: str) -> None:
        self._hear(calendar_id)
        self._remove(calendar_id, "now")

    def _remove(self, calendar_id: str, forget: Forget) -> None:
        self._ask("removes", calendar_id, lambda key, outside: remove_calendar(key, forget, outside, self._rules))

    def _add_again(self, calendar_id: str) -> None:
        self._times += 1
        self._register(calendar_id)

    def _ask(self, what: str, calendar_id: str, work: Work) -> None:
        """Let an operator do it, again until it is stored."""
        self._times += 1
        key = Calendar.key_for("default", calendar_id, SUBJECTS[calendar_id])
        name = f"caretaker {self._times} {what} {calendar_id}"
        request = Request(name, partial(_if_known, work, key), lambda _: None if self._is_over else AGAIN_S)
        self._traffic.deliver(request, self._clock.now)


def _if_known(work: Work, key: str, outside: Outside) -> object:
    try:
        return work(key, outside)
    except UnknownCalendar:
        return None  # nobody added it yet


def cared_for(tapes: Tapes) -> Tapes:
    """Return the tapes with what is done to whole calendars, on some days, and what people do there meanwhile."""
    dice = random.Random(tapes.seed ^ SALT)  # noqa: S311 - repeatable, not secret
    if dice.random() >= SHARE:
        return tapes
    last_s = max((step.at_s for step in tapes.steps), default=0.0)
    added = [each for _ in range(dice.choice((1, 1, 2, 3))) for each in _care(dice, last_s)]
    number = max((step.number for step in tapes.steps), default=0) + 1
    more = [Step(number + nth, round(at_s, 1), action, numbers) for nth, (action, at_s, numbers) in enumerate(added)]
    return replace(tapes, steps=tuple(sorted((*tapes.steps, *more), key=lambda step: step.at_s)))


def _care(dice: random.Random, last_s: float) -> list[Added]:
    """Return what is done to one calendar; what is begun is often taken back, and not always in its order."""
    begin_s, gap_s, which = dice.uniform(0, last_s), dice.choice((0, 3, 40, 400, 1500)), _numbers(dice)
    begins, ends = dice.choice(
        (
            ("pause_calendar", "resume_calendar"),
            ("pause_calendar", "resume_calendar"),
            ("pause_calendar", "forget_now"),
            ("forget_later", "add_again"),
            ("forget_now", "add_again"),
            ("resync_calendar", "resync_calendar"),
        )
    )
    acts = [(dice.choice(MEANWHILE), begin_s + dice.uniform(0, gap_s + 5), _numbers(dice)) for _ in range(3)]
    return [(begins, begin_s, which), *acts, (ends, begin_s + gap_s, which)]


def _numbers(dice: random.Random) -> tuple[int, ...]:
    return tuple(dice.randrange(1000) for _ in range(6))
