"""What an operator says of the ends that a brake holds: which there are, approve, reject (rule R10).

It must never end a conference itself: an approved end goes the usual way, with a last look at every owner.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from confsync.core import brake, tasks
from confsync.core.conference import Conference
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.paging import conferences_of
from confsync.ports import Outside, Store, Transaction


def held_ends(store: Store, tenant: str) -> list[Conference]:
    """Return the conferences of a tenant whose end is held, the longest held first."""
    own = conferences_of(store, tenant)
    held = [(each.hold.since, each.conference_id, each) for each in own if each.hold is not None]
    return [conference for _, _, conference in sorted(held, key=lambda row: row[:2])]


def calendars_of(held: Sequence[Conference], store: Store) -> Mapping[str, str]:
    """Return the ids of all calendars that their events stand in, by calendar key."""
    keys = {referent.calendar_key for each in held for referent in each.referents.values()}
    return {key: calendar.calendar_id for key, calendar in store.get_many(Calendar, keys).items()}


def approve_ends(conference_keys: Iterable[str], outside: Outside, rules: Rules) -> int:
    """Let these ends go on, the usual way; return how many of them were still held.

    Raises:
        StoreUnavailable, TaskQueueError: what was approved stays approved; do it again for the others.

    """
    freed = [_decide(key, brake.approved, outside) for key in conference_keys]
    approved = [conference for conference in freed if conference is not None]
    for conference in approved:
        outside.task_queue.create(tasks.conference_update(conference, outside.now(), rules))
    return len(approved)


def reject_ends(conference_keys: Iterable[str], outside: Outside) -> int:
    """Keep these conferences until an event holds them again; return how many of their ends were still held.

    Raises:
        StoreUnavailable: what was rejected stays rejected; do it again for the others.

    """
    return sum(1 for key in conference_keys if _decide(key, brake.rejected, outside) is not None)


def _decide(
    conference_key: str, decided: Callable[[Conference, datetime], Conference], outside: Outside
) -> Conference | None:
    """Record what the operator said; None where the end is not held any more."""

    def body(tx: Transaction) -> Conference | None:
        conference = tx.get(Conference, conference_key)
        if conference is None or conference.brake != "held":
            return None
        changed = decided(conference, outside.now())
        tx.put(changed)
        return changed

    return outside.store.transact(body)
