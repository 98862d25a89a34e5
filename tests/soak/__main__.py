"""The soak: the system on Google's Firestore emulator, as real processes, while everything goes wrong.

Three functions (the worker in several processes), the local Calendar, task server and conferencing back end. People
change their calendars at random; pushes are lost, doubled and late, tasks are delivered twice and late, workers are
killed. Then the faults stop, and every conference must equal its event.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import httpx

from confsync.adapters.firestore import FirestoreStore
from confsync.adapters.firestore_calls import build_client
from confsync.core.records import Calendar
from confsync.local.demo_watch import Watch
from confsync.local.stack import Stack, StackOptions
from tests import firestore_emulator
from tests.firestore_emulator import Emulator
from tests.soak.evening import broken_rules
from tests.soak.kills import Kills
from tests.soak.people import People
from tests.soak.rate import pairs_per_second, syncs_per_second

SETTINGS = {
    "END_GRACE_S": "2",
    "RECONCILE_INTERVAL_S": "20",
    "LIST_LAG_S": "3",
    "OVERDUE_AFTER_S": "3",
    "CALENDAR_BRAKE": "100000",
    "TENANT_BRAKE": "100000",
}
"""So that a lost push is found soon, and the many ends of a soak are not held."""
PUSHES = {"lose": {"share": 0.1}, "double": {"share": 0.1}, "late": {"share": 0.2}, "late_ms": 3000}
TASKS = {"twice": 0.1, "twice_after_s": 2, "late": 0.2, "late_s": 3, "unavailable": 0.02, "answer_lost": 0.02}
SETTLE_S = 300.0
"""A killed worker's lease lasts a minute, and a call of unknown outcome is waited for a minute and a half."""

RATE_S, RATE_ROUNDS = 4.0, 6
"""Syncs and the emulator alone are measured in turns; the first round warms up."""


@dataclass(frozen=True)
class Report:
    """What a soak came to."""

    seed: int
    seconds: float
    gestures: int
    kills: int
    calls: int
    conferences: int
    wrong: tuple[str, ...]
    """One line for each conference that does not equal its event."""
    twice: tuple[str, ...]
    """Operations that the back end applied more than once."""
    broken: tuple[str, ...]
    """Rules of the simulation that what is left breaks."""
    settled_after_s: float
    syncs_per_s: float
    pairs_per_s: float
    """Pairs of transactions on the emulator, measured in the same run: no sync needs fewer."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost and nothing done twice."""
        return not (self.wrong or self.twice or self.broken)


def main(arguments: list[str]) -> int:
    """Run; status 0 when clean, 1 when not, 2 when the emulator is missing."""
    options = _parsed(arguments)
    if lacking := firestore_emulator.missing():
        sys.stderr.write(f"{lacking}\n")
        return 2
    report = soak(options.seconds, options.seed, options.people, options.workers)
    sys.stdout.write(json.dumps(asdict(report)) + "\n" if options.json else _table(report))
    return 0 if report.is_clean else 1


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120, help="how long people and faults go on (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of gestures and kills (random)")
    parser.add_argument("--people", type=int, default=8, help="each with a calendar (%(default)s)")
    parser.add_argument("--workers", type=int, default=3, help="processes of the worker (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(arguments)


def soak(seconds: float, seed: int, how_many: int, workers: int) -> Report:
    """Let people and faults go on for so long, then settle, compare and measure."""
    dice = random.Random(seed)
    with ExitStack() as cleanup:
        emulator = Emulator()
        cleanup.callback(emulator.stop)
        database = emulator.new_database()
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        stack = cleanup.enter_context(Stack(folder, _options(emulator, database, workers)))
        people = cleanup.enter_context(closing(People(stack, how_many, dice)))
        watch = cleanup.enter_context(closing(Watch(stack, {e: e for e in people.emails}, quiet_ahead_s=15)))
        people.begin()
        with _faults(stack), Kills(stack, ("sync_calendar", "renew_channels"), 5, random.Random(seed)) as kills:
            _go_on(people, seconds)
        settled_after_s = _settle(watch)
        syncs_per_s, pairs_per_s = _rates(stack, emulator, database, people)
        wrong = tuple(
            f"{v.conference_id} {v.title!r}: {'; '.join(v.differences)}" for v in watch.verdicts() if v.differences
        )
        calls = _calls(stack)
        applied = Counter(call["operation_id"] for call in calls if call["outcome"] in ("applied", "ended", "created"))
        held = watch.conferences()
        broken = broken_rules(stack, _store(emulator, database), people.words, held)
        return Report(
            seed=seed,
            seconds=seconds,
            gestures=people.gestures,
            kills=kills.count,
            calls=len(calls),
            conferences=len(held),
            wrong=wrong,
            twice=tuple(operation for operation, times in applied.items() if times > 1),
            broken=broken,
            settled_after_s=round(settled_after_s, 1),
            syncs_per_s=round(syncs_per_s, 1),
            pairs_per_s=round(pairs_per_s, 1),
        )


def _options(emulator: Emulator, database: str, workers: int) -> StackOptions:
    store = {"STORE": f"firestore:{database}", "FIRESTORE_EMULATOR_HOST": emulator.host}
    several = {"sync_calendar": {"WORKERS": str(workers)}}
    return StackOptions(settings={**SETTINGS, **store}, environment=several, renew_every_s=5, start_within_s=60)


@contextmanager
def _faults(stack: Stack) -> Iterator[None]:
    """Let pushes and tasks go wrong until the block is left."""
    calendar, tasks = f"{stack.urls.calendar}/_local/faults", f"{stack.urls.tasks}/_local/faults"
    with httpx.Client(trust_env=False, timeout=30) as http:
        http.post(calendar, json={"pushes": PUSHES}).raise_for_status()
        http.post(tasks, json=TASKS).raise_for_status()
        yield
        http.delete(calendar).raise_for_status()
        http.delete(tasks).raise_for_status()


def _go_on(people: People, seconds: float) -> None:
    began = shown = time.monotonic()
    while time.monotonic() < began + seconds:
        people.act()
        time.sleep(0.05)
        if sys.stderr.isatty() and time.monotonic() > shown + 5:
            shown = time.monotonic()
            sys.stderr.write(f"\r{shown - began:.0f} of {seconds:g} s, {people.gestures} gestures ")


def _settle(watch: Watch) -> float:
    """Wait until every conference equals its event and nothing is on its way; return how long that took."""
    began = time.monotonic()
    while time.monotonic() < began + SETTLE_S:
        if watch.is_quiet() and not any(verdict.differences for verdict in watch.verdicts()):
            break
        time.sleep(1)
    return time.monotonic() - began


def _rates(stack: Stack, emulator: Emulator, database: str, people: People) -> tuple[float, float]:
    """One process on either side, as an instance is one: several share the processors and tell nothing more."""
    keys = [Calendar.key_for("default", email, email) for email in people.emails]
    stack.stop("sync_calendar")
    stack.start("sync_calendar", {"WORKERS": "1"})
    synced, raw = (_store(emulator, each) for each in (database, emulator.new_database()))
    calendars = list(synced.get_many(Calendar, keys).values())
    rates = [
        (syncs_per_second(stack.urls.sync_calendar, keys, RATE_S), pairs_per_second(raw, calendars, RATE_S))
        for _ in range(RATE_ROUNDS)
    ]
    return median(syncs for syncs, _ in rates[1:]), median(pairs for _, pairs in rates[1:])


def _store(emulator: Emulator, database: str) -> FirestoreStore:
    return FirestoreStore(database, lambda: build_client(emulator.host))


def _calls(stack: Stack) -> list[dict[str, str]]:
    with httpx.Client(trust_env=False, timeout=30) as http:
        found: list[dict[str, str]] = http.get(f"{stack.urls.vendor}/_local/calls").raise_for_status().json()["calls"]
    return found


def _table(report: Report) -> str:
    share = report.syncs_per_s / report.pairs_per_s if report.pairs_per_s else 0.0
    lines = [
        f"seed {report.seed}: {report.gestures} gestures in {report.seconds:g} s, {report.kills} workers killed, "
        f"{report.calls} calls to the back end",
        f"settled after {report.settled_after_s:g} s: {report.conferences} conferences, {len(report.wrong)} wrong, "
        f"{len(report.twice)} operations applied twice, {len(report.broken)} rules of the simulation broken",
        *(f"  {line}" for line in (*report.wrong, *report.twice, *report.broken)),
        f"{report.syncs_per_s:g} syncs/s; the emulator alone does {report.pairs_per_s:g} pairs of transactions/s "
        f"(share {share:.2f}; goal 0.7)",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
