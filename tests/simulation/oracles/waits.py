"""Nobody is told anything before the time for which the conferencing system, or the product itself, put it off (S5).

What a back end allows in a minute or a day is its own secret: it says "not before", and that is the budget. It must
never count calls.
"""

from datetime import datetime, timedelta

from confsync.core.conference import Conference
from tests.simulation.oracles.ledger import Complaints, Ledger, Worker


class WaitJudge:
    """Remembers who was asked to wait until when, once that is stored, and judges calls as they leave."""

    def __init__(self, ledger: Ledger, complaints: Complaints, skew: timedelta) -> None:
        """Clocks of workers are wrong by `skew` at most: one stores the time, another one reads it."""
        self._ledger, self._complaints, self._skew = ledger, complaints, skew
        self._heard: dict[tuple[str, Worker], dict[str, datetime]] = {}
        self._until: dict[str, datetime] = {}
        """By operation, or conference for what is told: what a worker heard and stored."""

    def hear(self, conference_key: str, what: str, until: datetime, worker: Worker) -> None:
        """Note that a worker is told to wait; it may die before it can store that.

        Args:
            what: the operation that makes a conference, or the key of the conference that was told something.

        """
        self._heard.setdefault((conference_key, worker), {})[what] = until

    def forget(self, key: str) -> None:
        """Note that the product was allowed to forget the conference, and who has to wait for what."""
        self._until.pop(key, None)

    def watch_commit(self, after: Conference, worker: Worker) -> None:
        """Whoever stores something of the conference after it heard to wait, knows."""
        self._until |= self._heard.pop((after.key, worker), {})

    def watch(self, conference_key: str, what: str, now: datetime, worker: Worker) -> None:
        """Judge a call as it leaves."""
        asked = self._until.get(what)
        if asked is not None and now < asked - 2 * self._skew:
            self._complaints.add("S5", f"{what} goes out at {now}, and was to wait until {asked}")
        stored = self._ledger.conference_at(conference_key)
        waits = stored.wait_until if stored and what == conference_key else None
        if stored is not None and waits is not None and worker.now() < waits:
            self._complaints.add("S5", f"{stored.conference_id} is called before its stored {waits}")
