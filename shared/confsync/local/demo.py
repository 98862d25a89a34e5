"""Plays the day through a running stack, scene by scene, and judges the end: what `confsync demo` shows.

It must never print: it reports rows as they come, and a result.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from confsync.local.calendar_server.errors import ApiError
from confsync.local.demo_comparison import Verdict
from confsync.local.demo_day import CALENDARS, GRACE_S, RECONCILE_S, Day, Scene
from confsync.local.demo_watch import Counts, Watch, wait_until
from confsync.local.stack import Stack, StackOptions

WINDOW_S, SKEW_S = 1.0, 0.5
_WITHIN_S = 20.0
"""Longest wait for what a scene is to bring about."""
_MOST_PROBLEMS = 3
"""After so many the day is broken off: each scene builds on those before it."""

OPTIONS = StackOptions(
    settings={
        "COALESCING_WINDOW_S": str(WINDOW_S),
        "CLOCK_SKEW_S": str(SKEW_S),
        "END_GRACE_S": str(GRACE_S),
        "OVERDUE_AFTER_S": "0.5",
    },
    renew_every_s=1,
)
"""Shorter times than in production, so that a day passes in half a minute."""

SHORTENED = (
    f"coalescing window {WINDOW_S:g} s (production 2 s)",
    f"grace before an end {GRACE_S:g} s (60 s)",
    f"reconciliation in the last actions {RECONCILE_S:g} s (6 h)",
)
"""What people have to know of the times above."""


@dataclass(frozen=True)
class Row:
    """What one scene led to."""

    action: str
    counts: Counts
    latency_ms: float | None
    """From the last write until the back end had it; None where nothing was to happen."""
    problem: str = ""
    """What went otherwise than it should; empty when all went well."""
    was_done: bool = True
    """Whether the scene could be played at all."""


@dataclass(frozen=True)
class Result:
    """The whole day."""

    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def is_good(self) -> bool:
        """Whether every scene went as it should and the back end holds exactly what the calendars show."""
        return not any(row.problem for row in self.rows) and not any(v.differences for v in self.verdicts)


def play(stack: Stack, begin: Callable[[str], None], report: Callable[[Row], None]) -> Result:
    """Play the day.

    Args:
        stack: it runs with `OPTIONS` and an empty folder.
        begin: told the title of each scene before it begins.
        report: told each row when its scene is over.

    Raises:
        StackError: a part of the stack ended by itself.

    """
    with closing(Watch(stack, CALENDARS, WINDOW_S + SKEW_S)) as watch, closing(Day(stack, watch)) as day:
        day.prepare()
        rows: list[Row] = []
        for scene in day.scenes():
            begin(scene.title)
            _wait_for_next_window()
            rows.append(_play(scene, day, watch))
            report(rows[-1])
            stack.check()
            if not rows[-1].was_done or sum(bool(row.problem) for row in rows) >= _MOST_PROBLEMS:
                break
        return Result(tuple(rows), watch.verdicts())


def _wait_for_next_window() -> None:
    """Let each scene be an isolated change: a second one in the same coalescing window has to wait for its end."""
    time.sleep(WINDOW_S - time.time() % WINDOW_S)


def _play(scene: Scene, day: Day, watch: Watch) -> Row:
    before = watch.counts()
    try:
        scene.act()
    except (ApiError, httpx.HTTPError) as error:
        problem = f"it could not be done: {str(error).partition(chr(10))[0]}; {watch.workers_last_words()}"
        return Row(scene.title, watch.counts().since(before), None, problem, was_done=False)
    problem = _miss(day.written_at, watch) if scene.expects == "update" else ""
    if not wait_until(watch.is_quiet, _WITHIN_S):
        problem = problem or f"the system was still busy after {_WITHIN_S:g} s"
    counts = watch.counts().since(before)
    if scene.expects == "nothing":
        return Row(scene.title, counts, None, problem or _excess(counts))
    had_it = watch.last_told(day.written_at)
    return Row(scene.title, counts, _ms(day.written_at, had_it) if had_it and not problem else None, problem)


def _miss(written_at: datetime, watch: Watch) -> str:
    """Wait until the back end has it; return what is missing."""

    def has_it() -> bool:
        return watch.last_told(written_at) is not None and not any(v.differences for v in watch.verdicts())

    if wait_until(has_it, _WITHIN_S):
        return ""
    wrong = [f"{v.conference_id}: {'; '.join(v.differences)}" for v in watch.verdicts() if v.differences]
    return f"after {_WITHIN_S:g} s the back end does not have it: {' | '.join(wrong) or 'it was told nothing'}"


def _excess(counts: Counts) -> str:
    return f"nothing was to happen, but the back end was called {counts.calls} times" if counts.calls else ""


def _ms(start: datetime, end: datetime) -> float:
    return round((end.astimezone(UTC) - start).total_seconds() * 1000, 1)
