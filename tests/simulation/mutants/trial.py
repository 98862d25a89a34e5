"""Play seeds with a rule removed until the oracles have noticed it often enough, or the seeds are over.

It must never count a seed that is broken without the mutant too, nor one that was not played to its end.
"""

import gc
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from types import FrameType

from tests.simulation.days import record
from tests.simulation.mutants.switches import Mutant, removed
from tests.simulation.runs import rule_of
from tests.simulation.simulation import lived

LONGEST_DAY_S = 30
"""Of computing: a day of usual length takes a thirtieth of a second."""
COLLECT_EVERY = 50


@dataclass
class Outcome:
    """What came of a mutant's seeds, from seed 0 on without a gap."""

    name: str
    seeds: int = 0
    caught: dict[int, str] = field(default_factory=dict)
    """By seed: the oracle that noticed it first."""
    broken_anyhow: list[int] = field(default_factory=list)
    """Seeds that break a rule without the mutant too; not counted as caught."""

    @property
    def share(self) -> float:
        """Share of seeds in which it was noticed."""
        return len(self.caught) / self.seeds if self.seeds else 0.0

    @property
    def first(self) -> int | None:
        """The first seed in which it was noticed."""
        return min(self.caught, default=None)

    @property
    def seeds_needed(self) -> int | None:
        """How many seeds notice it in 95 of 100 runs."""
        return max(1, round(3 / self.share)) if self.caught else None

    @property
    def oracles(self) -> list[str]:
        """Who noticed it, the most frequent first."""
        return [oracle for oracle, _ in Counter(self.caught.values()).most_common()]

    def to_dict(self) -> dict[str, object]:
        """Return everything, to go on with later."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: dict[str, object]) -> "Outcome":
        """Return what `to_dict` gave, also after it went through JSON."""
        name, seeds, caught, anyhow = (kept[key] for key in ("name", "seeds", "caught", "broken_anyhow"))
        assert isinstance(name, str)
        assert isinstance(seeds, int)
        assert isinstance(caught, dict)
        assert isinstance(anyhow, list)
        return cls(name, seeds, {int(seed): str(oracle) for seed, oracle in caught.items()}, anyhow)


class EndlessDayError(BaseException):
    """A day did not end: without the rule, work is done again and again in no time. Nothing may swallow it."""


def try_seeds(mutant: Mutant, outcome: Outcome, until: int, enough: int, tell: Callable[[Outcome], object]) -> None:
    """Go on from where `outcome` ends up to seed `until`, or until it was caught `enough` times.

    Raises:
        StaleMutantError: the production code has changed, and the mutant has to follow.

    """
    with _without_garbage_collection():
        while outcome.seeds < until and len(outcome.caught) < enough:
            seed = outcome.seeds
            oracle = noticed_by(mutant, seed)
            if oracle and rule_of(lived(record(seed))):
                outcome.broken_anyhow.append(seed)
            elif oracle:
                outcome.caught[seed] = oracle
            outcome.seeds += 1
            if outcome.seeds % COLLECT_EVERY == 0:
                gc.collect()
                tell(outcome)


def noticed_by(mutant: Mutant, seed: int) -> str:
    """Return which oracle notices first that the rule is removed on the day of a seed; empty where none does."""
    try:
        with removed(mutant), limited_to(LONGEST_DAY_S):
            return rule_of(lived(record(seed)))
    except EndlessDayError:
        return "endless"
    except Exception as error:  # noqa: BLE001 - a simulation that breaks off has noticed it, whatever the error is
        return f"broke off: {type(error).__name__}"


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Days are short and full of cycles: now and then is enough, and much faster."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def limited_to(seconds: float) -> Iterator[None]:
    """Raise `EndlessDayError` in the block once it has computed for so long."""

    def stop(_: int, __: FrameType | None) -> None:
        raise EndlessDayError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
