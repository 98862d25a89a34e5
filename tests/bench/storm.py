"""A thousand edits of one calendar as fast as they can be made, through the whole local stack: what they cost.

None of them may be lost. It must never count before the stack is at rest.
"""

import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from confsync.local.calendar_server.people import Person
from tests.bench.figures import Figure, Target
from tests.bench.served_stack import Owned, ServedStack, served_stack

NAME = "storm"
EDITS, EDITORS, EVENTS = 1000, 8, 5
_NONE = Target("at most", 0, "ours")


def measure() -> list[Figure]:
    """Edit, wait for rest, count."""
    with served_stack() as served:
        owned = served.user(0)
        events = [owned, *(served.event_of(owned.person) for _ in range(EVENTS - 1))]
        served.settle()
        before = _counts(served)
        seconds = _edit_all(served, events)
        served.settle(within_s=90)
        counts = _counts(served) - before
        lost = _lost(served, events)
    return _figures(seconds, counts, lost)


def _edit_all(served: ServedStack, events: list[Owned]) -> float:
    """Edit from several browsers at once; the last title of each event is the highest number."""
    started = time.perf_counter()
    with ExitStack() as cleanup, ThreadPoolExecutor(EDITORS) as editors:
        email = events[0].person.email
        browsers = [cleanup.enter_context(Person(served.stack.urls.calendar, email)) for _ in range(EDITORS)]
        list(editors.map(lambda browser, turn: _edit(browser, events, turn), browsers, range(EDITORS)))
    return time.perf_counter() - started


def _edit(browser: Person, events: list[Owned], turn: int) -> None:
    for number in range(turn, EDITS, EDITORS):
        browser.rename(events[number % len(events)].event_id, f"draft {number}")


def _counts(served: ServedStack) -> Counter[str]:
    urls = served.stack.urls
    tasks: Mapping[str, Any] = served.get(f"{urls.tasks}/_local/stats")["overall"]
    pushes: Mapping[str, Any] = served.get(f"{urls.calendar}/_local/pushes")
    calls = served.calls(0)
    return Counter(
        {
            "notifications": int(pushes["delivered"]),
            "tasks": int(tasks.get("created", 0)),
            "syncs": served.committed_syncs(),
            "calls": int(calls[-1]["number"]) if calls else 0,
        }
    )


def _lost(served: ServedStack, events: list[Owned]) -> int:
    """Return how many events the back end does not hold as Calendar shows them."""
    held = served.titles()
    shown = {owned.conference_id: owned.person.see(owned.event_id)["summary"] for owned in events}
    return sum(held.get(conference_id) != title for conference_id, title in shown.items())


def _figures(seconds: float, counts: Counter[str], lost: int) -> list[Figure]:
    notifications = float(counts["notifications"])

    def beside(what: str, name: str) -> Figure:
        return Figure(NAME, what, "", float(counts[name]), notifications, "notifications")

    return [
        Figure(NAME, f"{EDITS} edits of {EVENTS} events in one calendar, made in", "s", seconds),
        beside("tasks created", "tasks"),
        beside("syncs committed", "syncs"),
        beside("provider calls", "calls"),
        Figure(NAME, "events whose last change was lost", "", float(lost), target=_NONE),
    ]
