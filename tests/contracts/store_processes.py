"""Child processes that use a SQLite store, forked by this script (see `tests.forking`), which must never open it."""

import os
import signal
import time

from confsync.adapters.sqlite import SqliteStore
from confsync.core.conference import Conference, Desired
from confsync.core.records import Calendar
from confsync.core.state import ConferenceState
from confsync.ports import Store, Transaction
from tests.forking import forked, serve

BULK = "x" * 60_000
"""Makes a commit long enough to be hit in its middle."""


def step(store: Store) -> int:
    """Raise the counter that stands in two records, one of them big; return it."""

    def body(transaction: Transaction) -> int:
        old = transaction.get(Calendar, "a")
        number = 1 if old is None else old.served + 1
        state = ConferenceState(description=f"{number} {BULK}")
        transaction.put(Calendar(key="a", tenant="t", calendar_id="c", subject="s", served=number))
        desired = Desired(generation=number, fingerprint="f", state=state)
        transaction.put(Conference(key="b", tenant="t", provider="p", conference_id="c", desired=desired))
        return number

    return store.transact(body)


def kill_writer(path: str, acknowledged: int, delay_s: float) -> dict[str, int]:
    """Let a child count without end; kill it `delay_s` after its so many-th answer; return the last one that came."""
    receiving, sending = os.pipe()
    child = forked(lambda: _count_for_ever(path, sending))
    os.close(sending)
    answers = os.fdopen(receiving)
    last = 0
    for _ in range(acknowledged):
        last = int(answers.readline())
    time.sleep(delay_s)  # any moment will do: nothing is waited for
    os.kill(child, signal.SIGKILL)
    last = max([last, *(int(line) for line in answers if line.endswith("\n"))])
    return {"acknowledged": last, "status": os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}


def count_together(path: str, processes: int, times: int) -> dict[str, list[int]]:
    """Let children that start at the same moment count so many times each; return how each ended."""
    waiting, starting = os.pipe()
    children = [forked(lambda: _count_when_told(path, times, waiting, starting)) for _ in range(processes)]
    os.close(waiting)
    os.close(starting)
    return {"statuses": [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]}


def _count_for_ever(path: str, sending: int) -> None:
    store = SqliteStore(path, busy_timeout_s=60)
    while True:
        os.write(sending, f"{step(store)}\n".encode())


def _count_when_told(path: str, times: int, waiting: int, starting: int) -> None:
    os.close(starting)
    os.read(waiting, 1)  # ends when the parent has closed its side, that is for all at once
    store = SqliteStore(path, busy_timeout_s=60)
    for _ in range(times):
        step(store)


if __name__ == "__main__":
    serve({"kill_writer": kill_writer, "count_together": count_together})
