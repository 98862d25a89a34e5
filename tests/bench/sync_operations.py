"""How many operations one notification costs: store transactions and reads, Calendar calls, provider calls, tasks.

Counted on the production use cases with in-process parts, so the figures are exact. It must never measure time.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from confsync.adapters.memory import MemoryStore
from confsync.core.conference import Conference
from confsync.core.records import Calendar, Link, Record
from confsync.core.unreadable import Due
from confsync.ports import Transaction
from tests.bench.figures import Figure, Target
from tests.world import START, World, times

NAME = "sync_operations"
COUNTED = ("store transactions", "other store reads", "Calendar calls", "provider calls", "tasks created")
_NO_CALL = Target("at most", 0, "ours")

R = TypeVar("R", bound=Record)
T = TypeVar("T")


class CountingStore:
    """A store that counts what it is asked for."""

    def __init__(self) -> None:
        """Begin empty."""
        self.counts: Counter[str] = Counter()
        self._store = MemoryStore()

    def transact(self, body: Callable[[Transaction], T]) -> T:
        """Run a transaction."""
        self.counts["store transactions"] += 1
        return self._store.transact(body)

    def get(self, kind: type[R], key: str) -> R | None:
        """Read a record."""
        return self._read().get(kind, key)

    def get_many(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Read records."""
        return self._read().get_many(kind, keys)

    def links_of(self, calendar_key: str, *, after: str, limit: int) -> list[Link]:
        """Read a calendar's links."""
        return self._read().links_of(calendar_key, after=after, limit=limit)

    def conferences_of(self, calendar_key: str, *, after: str, limit: int) -> list[Conference]:
        """Read the conferences that know an event of a calendar."""
        return self._read().conferences_of(calendar_key, after=after, limit=limit)

    def calendars_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None
    ) -> list[Due[Calendar]]:
        """Read what is due."""
        return self._read().calendars_due(tenant, before, limit, after)

    def calendars_of(self, tenant: str, subject: str, limit: int) -> list[Calendar]:
        """Read the calendars of a subject."""
        return self._read().calendars_of(tenant, subject, limit)

    def channels_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None
    ) -> list[Due[Calendar]]:
        """Read what is due."""
        return self._read().channels_due(tenant, before, limit, after)

    def conferences_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Conference] | None = None
    ) -> list[Due[Conference]]:
        """Read what is due."""
        return self._read().conferences_due(tenant, before, limit, after)

    def all_of(self, kind: type[R], *, after: str, limit: int) -> list[R]:
        """Read all records of a kind."""
        return self._read().all_of(kind, after=after, limit=limit)

    def _read(self) -> MemoryStore:
        self.counts["other store reads"] += 1
        return self._store


class _CountedWorld:
    """A calendar with an event and a series, each with a conference; at rest."""

    def __init__(self) -> None:
        self.store = CountingStore()
        self.world = World(store=self.store)
        self.event = self.world.add("Kick-off", "conf-1")
        self.series = self.world.add("Weekly", "conf-2", recurrence=["RRULE:FREQ=WEEKLY"])
        self.world.settle()

    def cost_of(self, change: Callable[[], object]) -> Counter[str]:
        """Return what one change costs until the task that it starts at once is done."""
        before = self._counts()
        change()
        for task in self.world.queue.pop_due(self.world.now):
            self.world.run(task)
        return self._counts() - before

    def _counts(self) -> Counter[str]:
        world = self.world
        others = {
            "Calendar calls": len(world.calendar_calls),
            "provider calls": len(world.provider.calls),
            "tasks created": len(world.queue.created),
        }
        return self.store.counts + Counter(others)

    def remind(self) -> None:
        """Change what only its owner sees."""
        self.world.edit(self.event, reminders={"useDefault": False, "overrides": []})

    def nothing(self) -> None:
        """Push without a change."""
        self.world.push("ann@example.com")

    def rename(self) -> None:
        """Rename the single event."""
        self.world.edit(self.event, summary="Kick-off, postponed")

    def rename_series(self) -> None:
        """Rename the whole series."""
        self.world.edit(self.series, summary="Weekly planning")

    def move_occurrence(self) -> None:
        """Move one occurrence of the series by an hour."""
        occurrences = self.world.model.instances("ann@example.com", "primary", self.series, {})["items"]
        moved = datetime.fromisoformat(occurrences[2]["start"]["dateTime"]).replace(hour=(START.hour + 3) % 24)
        self.world.edit(occurrences[2]["id"], **times(moved))


def measure() -> list[Figure]:
    """Count each kind of change in a world of its own."""
    changes: dict[str, tuple[Callable[[_CountedWorld], None], bool]] = {
        "notification without a change": (_CountedWorld.nothing, True),
        "reminder changed": (_CountedWorld.remind, True),
        "event renamed": (_CountedWorld.rename, False),
        "series renamed": (_CountedWorld.rename_series, False),
        "occurrence moved": (_CountedWorld.move_occurrence, False),
    }
    return [figure for what, (change, is_quiet) in changes.items() for figure in _figures(what, change, is_quiet)]


def _figures(what: str, change: Callable[[_CountedWorld], None], is_quiet: bool) -> list[Figure]:
    counted = _CountedWorld()
    cost = counted.cost_of(lambda: change(counted))
    goals = {"provider calls": _NO_CALL if is_quiet else Target("at most", 1, "ours")}
    return [Figure(NAME, f"{what}: {name}", "", float(cost[name]), target=goals.get(name)) for name in COUNTED]
