"""Which tasks were made for each calendar and each conference, when they are to begin, and which began.

A task that is lost on its way was made all the same. It must never judge, nor know why a worker made one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tests.simulation.oracles.ledger import Worker


@dataclass
class Made:
    """A task that was made."""

    at: datetime
    """When it is to begin."""
    begun: int | None = None
    """Its place in the order in which requests began; None: not yet, or lost."""

    def begins_after(self, turn: int) -> bool:
        """Whether it had not begun when that many requests had."""
        return self.begun is None or self.begun > turn


class Agenda:
    """The tasks of a day, and the order in which requests begin."""

    def __init__(self) -> None:
        """Begin with none."""
        self.turn = 0
        """How many requests have begun."""
        self._arrived: dict[Worker, int] = {}
        self._by_name: dict[str, Made] = {}
        self._of: dict[str, list[Made]] = {}
        """By calendar key or conference key."""

    def watch_task(self, name: str, body: Mapping[str, str], at: datetime) -> None:
        """Note a task that is made, to begin at a time."""
        made = self._by_name[name] = Made(at)
        self._of.setdefault(body.get("calendar_key") or body["conference_key"], []).append(made)

    def watch_begin(self, name: str, worker: Worker) -> None:
        """Note that a request begins; `name` is that of its task, if it is one."""
        self.turn += 1
        self._arrived[worker] = self.turn
        made = self._by_name.get(name)
        if made is not None and made.begun is None:
            made.begun = self.turn

    def forget(self, worker: Worker) -> int:
        """Return as which the request of a worker that ends now began."""
        return self._arrived.pop(worker, 0)

    def has(self, key: str, fits: Callable[[Made], bool]) -> bool:
        """Whether some task of a calendar or a conference fits; the newest are looked at first."""
        return any(fits(made) for made in reversed(self._of.get(key, [])))

    def has_between(self, key: str, first: datetime, last: datetime) -> bool:
        """Whether some task is to begin between two times, both included."""
        return self.has(key, lambda made: first <= made.at <= last)
