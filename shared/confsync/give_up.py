"""Give up a task whose last attempt failed: leave in the store what it was for, so that only time is lost.

    a sync    asked for once more and due at once, so that the next scheduled run starts it; and a failure
    an update due as before, since a conference is due until its back end was told; and a failure

It must never do the work, take a lease, or put anything off: a note that comes too early costs one task.
"""

from datetime import datetime

from confsync.core import leases
from confsync.core.conference import Conference
from confsync.core.records import Calendar, Failure, key_of
from confsync.ports import Outside, Transaction


def give_up_sync(calendar_key: str, reason: str, outside: Outside) -> bool:
    """Leave a sync to the scheduled run; False, and nothing is written, where the calendar is unknown.

    Raises:
        StoreUnavailable: no note could be left; the calendar is due as before, in a reconcile interval at the latest.

    """
    now = outside.now()

    def body(tx: Transaction) -> bool:
        calendar = tx.get(Calendar, calendar_key)
        if calendar is None:
            return False
        failure = _counted(tx, _failure(calendar.tenant, reason, now, calendar_key=calendar_key))
        tx.put(leases.ask_again(calendar, now))
        tx.put(failure)
        return True

    return outside.store.transact(body)


def give_up_update(conference_key: str, reason: str, outside: Outside) -> bool:
    """Leave an update to the scheduled run; False, and nothing is written, where the conference is unknown.

    Raises:
        StoreUnavailable: no note could be left; the conference is due as before.

    """
    now = outside.now()

    def body(tx: Transaction) -> bool:
        conference = tx.get(Conference, conference_key)
        if conference is None:
            return False
        tx.put(_counted(tx, _failure(conference.tenant, reason, now, conference_key=conference_key)))
        return True

    return outside.store.transact(body)


def _failure(tenant: str, reason: str, now: datetime, *, calendar_key: str = "", conference_key: str = "") -> Failure:
    return Failure(
        key=key_of("failure", calendar_key, conference_key, "last attempt"),
        tenant=tenant,
        calendar_key=calendar_key,
        conference_key=conference_key,
        reason=reason,
        first_at=now,
        last_at=now,
    )


def _counted(tx: Transaction, failure: Failure) -> Failure:
    return failure.after(tx.get(Failure, failure.key))
