"""The whole tape of a seed: what people do, what goes wrong, and what operators and administrators do.

It must never depend on anything but the seed.
"""

import random
from dataclasses import replace

from tests.simulation import recording
from tests.simulation.caretakers import cared_for
from tests.simulation.operators import operated
from tests.simulation.plots import plotted
from tests.simulation.tapes import Step, Tapes

LATER_ACTIONS = ("give_away",)
"""What people do on a few days only, so that all other days stay what they were."""
SALT = 0x61F7_ED00
SHARE = 0.08


def record(seed: int) -> Tapes:
    """Return the tapes of a seed."""
    return cared_for(_with_gifts(operated(plotted(recording.record(seed)))))


def _with_gifts(tapes: Tapes) -> Tapes:
    """Return the tapes with an event that is given away, on some days."""
    dice = random.Random(tapes.seed ^ SALT)  # noqa: S311 - repeatable, not secret
    if dice.random() >= SHARE:
        return tapes
    number = max(step.number for step in tapes.steps) + 1
    numbers = tuple(dice.randrange(1000) for _ in range(6))
    gift = Step(number, round(dice.uniform(0, tapes.steps[-1].at_s + 100), 1), LATER_ACTIONS[0], numbers)
    return replace(tapes, steps=tuple(sorted((*tapes.steps, gift), key=lambda step: step.at_s)))
