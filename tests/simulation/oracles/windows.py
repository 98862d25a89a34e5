"""A storm of notifications costs at most two tasks per window (section 5 of the architecture).

It must never count tasks that something else than a notification asked for.
"""

from collections import Counter
from collections.abc import Mapping
from math import floor

from tests.simulation.oracles.ledger import Complaints, Worker


class WindowJudge:
    """Counts the tasks that notifications make, by calendar and window."""

    def __init__(self, window_s: float, skew_s: float, complaints: Complaints) -> None:
        """Clocks of instances are wrong by `skew_s` at most: one true window then meets several of theirs."""
        self._window_s, self._skew_s, self._complaints = window_s, skew_s, complaints
        self._made: Counter[tuple[str, int]] = Counter()

    def watch(self, body: Mapping[str, str], worker: Worker) -> None:
        """Judge a task that a worker makes: its window is the one in which the notification arrived."""
        if body.get("kind") not in ("leading", "trailing"):
            return
        window = floor(worker.since.timestamp() / self._window_s)
        place = body["calendar_key"], window
        self._made[place] += 1
        begins_s, ends_s = window * self._window_s - self._skew_s, (window + 1) * self._window_s + self._skew_s
        theirs = floor((ends_s - 1e-6) / self._window_s) - floor(begins_s / self._window_s) + 1
        if self._made[place] > 2 * theirs:
            self._complaints.add("windows", f"{self._made[place]} tasks of notifications in one window")
