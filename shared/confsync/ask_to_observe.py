"""Ask for events to be read: by the next sync of their calendar, whether Calendar lists them or not.

It must never read them itself: only a sync holds the lease of their calendar.
"""

from collections.abc import Iterable
from datetime import datetime

from confsync.core import tasks
from confsync.core.channels import sync_at_once
from confsync.core.records import Calendar, EventRef
from confsync.ports import Outside, Transaction


def ask_to_observe(refs: Iterable[EventRef], outside: Outside) -> None:
    """Have each calendar read these events of its own at once."""
    by_calendar: dict[str, list[EventRef]] = {}
    for ref in refs:
        by_calendar.setdefault(ref.calendar_key, []).append(ref)
    for own in by_calendar.values():
        start_asked(_ask(own, outside), outside)


def _ask(refs: Iterable[EventRef], outside: Outside) -> list[Calendar]:
    def body(tx: Transaction) -> list[Calendar]:
        asked = asked_within(tx, refs, outside.now())
        for calendar in asked:
            tx.put(calendar)
        return asked

    return outside.store.transact(body)


def asked_within(tx: Transaction, refs: Iterable[EventRef], now: datetime) -> list[Calendar]:
    """Return the calendars of these events, asked to read them, for a transaction that wrote nothing yet to store."""
    ids: dict[str, list[str]] = {}
    for ref in refs:
        ids.setdefault(ref.calendar_key, []).append(ref.event_id)
    if not ids:
        return []
    return [asked_to_observe(calendar, ids[key], now) for key, calendar in tx.get_many(Calendar, ids).items()]


def start_asked(calendars: Iterable[Calendar], outside: Outside) -> None:
    """Start the syncs of calendars that were asked, once that is stored."""
    for calendar in calendars:
        outside.task_queue.create(tasks.asked_sync(calendar.key, outside.now()))


def asked_to_observe(calendar: Calendar, event_ids: Iterable[str], now: datetime) -> Calendar:
    """Return the calendar with these events to be read by its next sync, at once unless access is lost or it waits.

    A removed one reads nothing any more.
    """
    if calendar.state == "removed":
        return calendar
    asked = with_more_to_observe(calendar, event_ids)
    return asked if calendar.state in ("frozen", "paused") else sync_at_once(asked, now)


def with_more_to_observe(calendar: Calendar, event_ids: Iterable[str]) -> Calendar:
    """Return the calendar with these events to be read by its next sync, whenever that is.

    One of which that was asked before may be read at this moment, as it was: it is read once more.
    """
    waiting = calendar.to_observe
    more = (event_id for event_id in dict.fromkeys(event_ids) if waiting.count(event_id) < 2)
    return calendar.model_copy(update={"to_observe": (*waiting, *more)})
