"""Run many seeds on all cores, each twice if wanted: what they break, what they hit and reach, and where to go on.

It must never lose a failure, nor count a seed that was not played to its end.
"""

import ast
import gc
import hashlib
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

from tests.simulation.coverage import Coverage, lived_with_coverage
from tests.simulation.days import record
from tests.simulation.shrinking import shortened
from tests.simulation.simulation import Simulation, lived
from tests.simulation.tapes import Tapes

CHUNK = 25
PLAYED = ("confsync.", "tests.simulation.", "tests.world")


@cache
def code_version() -> str:
    """Return a hash of what is played: all loaded modules of the product and the simulation, without comments."""
    played = [module for name, module in sys.modules.items() if name.startswith(PLAYED)]
    sources = sorted(module.__file__ for module in played if module.__file__)
    return hashlib.sha256("".join(_statements(Path(source)) for source in sources).encode()).hexdigest()[:16]


def _statements(source: Path) -> str:
    tree = ast.parse(source.read_text())
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            body[:] = [statement for statement in body if not _is_docstring(statement)]
    return ast.dump(tree)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


@dataclass
class Tally:
    """What a range of seeds came to."""

    start: int
    seeds: int = 0
    """How many were played, from `start` on without a gap."""
    failures: dict[int, list[str]] = field(default_factory=dict)
    """By seed: the rules that it broke."""
    reached: Counter[str] = field(default_factory=Counter)
    """Schedules that are counted, by how many seeds met each."""
    sprung: Counter[str] = field(default_factory=Counter)
    """Faults, by how often each sprang."""
    coverage: Coverage = field(default_factory=Coverage)
    trace_hash: int = 0
    """The sum over all seeds: two machines that ran the same seeds of the same version agree."""
    code: str = field(default_factory=code_version)
    """Version of the code that was played."""

    def add(self, other: "Tally") -> None:
        """Count the range that follows this one."""
        if other.start != self.start + self.seeds:
            raise ValueError(f"seeds from {other.start} do not follow {self.start + self.seeds}")
        self.seeds += other.seeds
        self.failures |= other.failures
        self.reached += other.reached
        self.sprung += other.sprung
        self.coverage.add(other.coverage)
        self.trace_hash = (self.trace_hash + other.trace_hash) & 0xFFFFFFFF

    def to_json(self) -> str:
        """Return everything, to go on with later."""
        return json.dumps(vars(self) | {"coverage": self.coverage.to_dict()}, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Tally":
        """Return what `to_json` wrote."""
        kept = json.loads(text)
        failures = {int(seed): broken for seed, broken in kept.pop("failures").items()}
        reached, sprung = Counter(kept.pop("reached")), Counter(kept.pop("sprung"))
        coverage = Coverage.from_dict(kept.pop("coverage"))
        return cls(failures=failures, reached=reached, sprung=sprung, coverage=coverage, **kept)


def check_seed(seed: int, *, twice: bool = True) -> Tally:
    """Play a seed with somebody looking on, and before that with nobody: that the two differ is a broken rule, too."""
    hash_before = lived(record(seed)).trace_hash if twice else None
    day, coverage = lived_with_coverage(record(seed))
    if hash_before not in (None, day.trace_hash):
        day.violations.append("determinism: the same seed played two different days")
    failures = {seed: list(day.violations)} if day.violations else {}
    reached = Counter(dict.fromkeys(day.sometimes.reached, 1))
    return Tally(seed, 1, failures, reached, Counter(day.gate.sprung), coverage, day.trace_hash)


def check_range(start: int, seeds: int, twice_every: int = 1) -> Tally:
    """Play a range of seeds, in this process; see `run`."""
    tally = Tally(start)
    for seed in range(start, start + seeds):
        tally.add(check_seed(seed, twice=seed % twice_every == 0))
    return tally


def _check_chunk(chunk: tuple[int, int], twice_every: int) -> Tally:
    gc.collect()
    return check_range(*chunk, twice_every)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops, and says how far it came
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # and so it ends its workers
    gc.disable()  # days are short and full of cycles: once a chunk is enough, and much faster
    gc.freeze()  # and nothing of what was imported has to be looked through then


def run(
    tally: Tally, until: int, jobs: int, tell: Callable[[Tally], bool], *, chunk: int = CHUNK, twice_every: int = 1
) -> None:
    """Play the seeds from where `tally` ends up to `until`, in order, and count them into it.

    Args:
        jobs: how many processes.
        tell: called after each chunk; whether to stop.
        chunk: how many seeds a process plays before it says so.
        twice_every: which seeds are played twice, to see that they play the same day: multiples of this.

    """
    check, chunks = partial(_check_chunk, twice_every=twice_every), _chunks(tally, until, chunk)
    if jobs == 1:
        _follow(map(check, chunks), tally, tell)
        return
    with get_context("spawn").Pool(jobs, _begin_worker) as pool:
        _follow(pool.imap(check, chunks), tally, tell)


def _follow(tallies: Iterator[Tally], tally: Tally, tell: Callable[[Tally], bool]) -> None:
    for each in tallies:
        tally.add(each)
        if tell(tally):
            return


def _chunks(tally: Tally, until: int, chunk: int) -> Iterator[tuple[int, int]]:
    first = tally.start + tally.seeds
    return ((start, min(chunk, until - start)) for start in range(first, until, chunk))


def rule_of(day: Simulation) -> str:
    """Return the rule that a day broke first; empty where it broke none."""
    return day.violations[0].partition(":")[0] if day.violations else ""


def shortest(tapes: Tapes) -> Tapes:
    """Return shorter tapes that break the same rule."""
    rule = rule_of(lived(tapes))
    return shortened(tapes, lambda tried: rule_of(lived(tried)) == rule) if rule else tapes


class StateFile:
    """Where a long run keeps how far it came."""

    def __init__(self, path: Path, every_s: float = 5) -> None:
        """Keep it at `path`, written anew every few seconds."""
        self._path, self._every_s, self._written_at = path, every_s, 0.0

    def load(self, start: int) -> Tally:
        """Return what is kept of the code as it is now; a new tally where that is nothing.

        Raises:
            ValueError: the file is of a run from another first seed.

        """
        if not self._path.exists():
            return Tally(start)
        tally = Tally.from_json(self._path.read_text())
        if tally.code != code_version():
            return Tally(start)  # what other code did says nothing of this
        if tally.start != start:
            raise ValueError(f"{self._path} begins at seed {tally.start}, not {start}: name another file, or --start")
        return tally

    def save(self, tally: Tally, *, now: bool = False) -> None:
        """Write the tally, unless that was done just before."""
        if now or time.monotonic() - self._written_at > self._every_s:
            written = self._path.with_suffix(".new")
            written.write_text(tally.to_json())
            written.replace(self._path)
            self._written_at = time.monotonic()
