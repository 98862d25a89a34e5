"""What operators and administrators do on some days: about held ends, and about people; and what time does.

Each is a step of the workload tape, by its name. It must never decide what is right; the oracles do.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from confsync.core.conference import Conference
from confsync.core.rules import Rules
from confsync.decide_ends import approve_ends, held_ends, reject_ends
from confsync.local.calendar_server.model import CalendarModel
from confsync.ports import Outside
from tests.simulation.gestures import SUBJECTS
from tests.simulation.scheduler import Scheduler
from tests.simulation.tapes import Setting, Step, Tapes
from tests.simulation.traffic import Request, Traffic
from tests.world import ANN, BOB

Verdict = Literal["approved", "rejected"]
Hear = Callable[[Sequence[str], str], None]
OPERATIONS = ("approve_ends", "reject_ends", "suspend", "reinstate", "forget_deleted")
SALT = 0x0B5E_55ED
"""So that these draws have nothing to do with those of the people's tape."""


class Operators:
    """Those who run the product, and those who run the domain."""

    def __init__(self, model: CalendarModel, clock: Scheduler, traffic: Traffic, rules: Rules, hear: Hear) -> None:
        """Begin with nothing to decide.

        Args:
            hear: called with the conferences and what an operator is about to say of their ends.

        """
        self._model, self._clock, self._traffic, self._rules, self._hear = model, clock, traffic, rules, hear
        self._times = 0

    def do(self, step: Step) -> None:
        """Do what the step says."""
        getattr(self, f"_{step.action}")(step.dice)

    def _approve_ends(self, dice: tuple[int, ...]) -> None:
        self.decide("approved", lambda held: _some(held, dice))

    def _reject_ends(self, dice: tuple[int, ...]) -> None:
        self.decide("rejected", lambda held: _some(held, dice))

    def decide(self, verdict: Verdict, choose: Callable[[list[Conference]], list[Conference]]) -> None:
        """Let an operator look at what is held and say something of some of it, again until it is stored."""
        self._times += 1
        work = partial(self._decide, verdict, choose)
        request = Request(f"operator {self._times} {verdict}", work, lambda attempt: 5.0 if attempt < 5 else None)
        self._traffic.deliver(request, self._clock.now)

    def _decide(
        self, verdict: Verdict, choose: Callable[[list[Conference]], list[Conference]], outside: Outside
    ) -> int:
        keys = [conference.key for conference in choose(held_ends(outside.store, "default"))]
        self._hear(keys, verdict)
        if verdict == "approved":
            return approve_ends(keys, outside, self._rules)
        return reject_ends(keys, outside)

    def _suspend(self, dice: tuple[int, ...]) -> None:
        self._model.suspend((ANN, BOB)[dice[0] % 2])

    def _reinstate(self, _: tuple[int, ...]) -> None:
        self.reinstate_all()

    def reinstate_all(self) -> None:
        """End every suspension."""
        for email in (ANN, BOB):
            self._model.reinstate(email)

    def _forget_deleted(self, dice: tuple[int, ...]) -> None:
        for number, calendar_id in enumerate(SUBJECTS):
            if dice[0] >> number & 1:
                self._model.forget_deleted(calendar_id)


def _some(held: list[Conference], dice: tuple[int, ...]) -> list[Conference]:
    return [conference for number, conference in enumerate(held) if dice[0] >> number % 9 & 1]


def operated(tapes: Tapes) -> Tapes:
    """Return the tapes with what operators, administrators and time do, on some days."""
    dice = random.Random(tapes.seed ^ SALT)  # noqa: S311 - repeatable, not secret
    last_s = max((step.at_s for step in tapes.steps), default=0.0)
    setting, added = _braked(dice, tapes.setting, last_s)
    if dice.random() < 0.2:
        begin_s = dice.uniform(0, last_s)
        added += [("suspend", begin_s), ("reinstate", begin_s + dice.choice((5, 60, 400, 1500)))]
    if setting.forgets and dice.random() < 0.4:
        added += [("forget_deleted", dice.uniform(0, last_s)) for _ in range(3)]
    number = max((step.number for step in tapes.steps), default=0) + 1
    more = [
        Step(number + nth, round(at_s, 1), action, tuple(dice.randrange(1000) for _ in range(6)))
        for nth, (action, at_s) in enumerate(added)
    ]
    return replace(tapes, setting=setting, steps=tuple(sorted((*tapes.steps, *more), key=lambda step: step.at_s)))


def _braked(dice: random.Random, setting: Setting, last_s: float) -> tuple[Setting, list[tuple[str, float]]]:
    """Return a setting with a brake that holds ends, on some days, and what people and operators do then."""
    is_matching, is_braked = dice.random() < 0.2, dice.random() < 0.3
    rules = replace(setting.rules, claims="matching" if is_matching else "registered")
    if not is_braked:
        return replace(setting, rules=rules), []
    rules = replace(
        rules,
        calendar_brake=dice.choice((0, 1, 2)),
        tenant_brake=dice.choice((1, 2, 50)),
        calendar_brake_share=0,
        tenant_brake_share=0,
        brake_s=dice.choice((600, 3600)),
    )
    added = [(action, dice.uniform(0, last_s)) for action in ("delete", "delete", "delete", "restore")]
    said = [dice.choice(("approve_ends", "reject_ends")) for _ in range(dice.randrange(4))]
    return replace(setting, rules=rules), added + [(action, dice.uniform(0, last_s + 90)) for action in said]
