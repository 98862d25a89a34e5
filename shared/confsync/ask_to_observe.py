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
    by_calendar: dict[str, list[str]] = {}
    for ref in refs:
        by_calendar.setdefault(ref.calendar_key, []).append(ref.event_id)
    for calendar_key, event_ids in by_calendar.items():
        _ask_calendar(calendar_key, event_ids, outside)
        outside.task_queue.create(tasks.asked_sync(calendar_key, outside.now()))


def _ask_calendar(calendar_key: str, event_ids: list[str], outside: Outside) -> None:
    def body(tx: Transaction) -> None:
        calendar = tx.get(Calendar, calendar_key)
        if calendar is not None:
            tx.put(asked_to_observe(calendar, event_ids, outside.now()))

    outside.store.transact(body)


def asked_to_observe(calendar: Calendar, event_ids: Iterable[str], now: datetime) -> Calendar:
    """Return the calendar with these events to be read by its next sync, at once unless access is lost or it waits.

    A removed one reads nothing any more.
    """
    if calendar.state == "removed":
        return calendar
    asked = with_more_to_observe(calendar, event_ids)
    return asked if calendar.state in ("frozen", "paused") else sync_at_once(asked, now)


def with_more_to_observe(calendar: Calendar, event_ids: Iterable[str]) -> Calendar:
    """Return the calendar with these events to be read by its next sync, whenever that is."""
    return calendar.model_copy(update={"to_observe": tuple(dict.fromkeys((*calendar.to_observe, *event_ids)))})
