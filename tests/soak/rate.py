"""How fast calendars are synced, beside what the emulator allows: two transactions are the least that a sync needs.

Both sides change the same records in the same way through the same store, one calendar for each of as many threads. It
must never spend on asking what it is to measure: all of this runs on the processors of the worker and the emulator.
"""

import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime

from confsync.adapters.firestore import FirestoreStore
from confsync.core import leases
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.ports import Transaction

AT_ONCE = 8
"""As many as the local task server delivers at a time."""
_RULES = Rules()


def syncs_per_second(url: str, calendar_keys: Sequence[str], seconds: float) -> float:
    """Return how many quiet syncs a second the worker at `url` does, each calendar one at a time.

    Raises:
        AssertionError: the worker refused one.

    """

    def syncs(calendar_key: str, is_over: Callable[[], bool]) -> int:
        done, body = 0, json.dumps({"calendar_key": calendar_key, "kind": "asked"})
        with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)) as worker:
            while not is_over():
                worker.request("POST", "/sync", body)
                answer = worker.getresponse()
                answer.read()
                assert answer.status == 200, f"/sync answered {answer.status}"
                done += 1
        return done

    return _rate(syncs, calendar_keys[:AT_ONCE], seconds)


def pairs_per_second(store: FirestoreStore, calendars: Sequence[Calendar], seconds: float) -> float:
    """Return how many pairs of transactions a second the emulator does: a lease is taken and given back.

    Args:
        store: an empty one.
        calendars: as syncs have left them.
        seconds: how long to go on.

    """

    def pairs(key: str, is_over: Callable[[], bool]) -> int:
        done = 0
        while not is_over():
            store.transact(changed(key, lambda calendar, now: leases.claim(calendar, "raw", now, _RULES).calendar))
            store.transact(changed(key, leases.release))
            done += 1
        return done

    def changed(key: str, change: Callable[[Calendar, datetime], Calendar]) -> Callable[[Transaction], None]:
        def body(transaction: Transaction) -> None:
            known = transaction.get(Calendar, key)
            assert known is not None, f"calendar {key} is gone"
            transaction.put(change(known, datetime.now(UTC)))

        return body

    for calendar in calendars:
        store.transact(lambda transaction, new=calendar: transaction.put(new))  # type: ignore[misc]  # bound at once
    return _rate(pairs, [calendar.key for calendar in calendars[:AT_ONCE]], seconds)


def _rate(work: Callable[[str, Callable[[], bool]], int], keys: Sequence[str], seconds: float) -> float:
    """Return how much is done a second by one thread for each key; raises what the first of them raises."""
    done: dict[str, int] = {}
    began = time.monotonic()

    def run(key: str) -> None:
        done[key] = work(key, lambda: time.monotonic() > began + seconds)

    threads = [threading.Thread(target=run, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(keys), "a thread broke off: see above"
    return sum(done.values()) / (time.monotonic() - began)
