"""How fast calendars are synced, beside what the emulator allows: two transactions are the least that a sync needs."""

import json
import threading
import time
from collections.abc import Callable, Sequence

import httpx

from confsync.adapters.firestore import FirestoreStore
from confsync.core.records import Calendar
from confsync.ports import Transaction

AT_ONCE = 8
"""As many as the local task server delivers at a time."""


def syncs_per_second(url: str, calendar_keys: Sequence[str], seconds: float) -> float:
    """Return how many quiet syncs a second the worker at `url` does, each calendar one at a time."""

    def sync(number: int, http: httpx.Client) -> None:
        body = json.dumps({"calendar_key": calendar_keys[number % len(calendar_keys)], "kind": "asked"})
        http.post(f"{url}/sync", content=body).raise_for_status()

    return _rate(sync, min(AT_ONCE, len(calendar_keys)), seconds)


def pairs_per_second(store: FirestoreStore, seconds: float) -> float:
    """Return how many pairs of transactions a second the emulator does, each over a calendar of its own."""

    def change(key: str) -> None:
        def body(transaction: Transaction) -> None:
            known = transaction.get(Calendar, key)
            served = known.served + 1 if known else 0
            transaction.put(Calendar(key=key, tenant="raw", calendar_id="c", subject="s", served=served))

        store.transact(body)

    def pair(number: int, _: httpx.Client) -> None:
        change(f"raw{number}")
        change(f"raw{number}")

    return _rate(pair, AT_ONCE, seconds)


def _rate(work: Callable[[int, httpx.Client], None], threads: int, seconds: float) -> float:
    done = [0] * threads
    until = time.monotonic() + seconds

    def run(number: int) -> None:
        with httpx.Client(trust_env=False, timeout=60) as http:
            while time.monotonic() < until:
                work(number, http)
                done[number] += 1

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    began = time.monotonic()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(done) / (time.monotonic() - began)
