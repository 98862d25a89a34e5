"""Read one event as Calendar shows it at this moment, and tell whether the answer speaks of the event.

It must never take for a fact what a reader without full access is shown.
"""

from confsync.core.events import Window
from confsync.core.records import Calendar
from confsync.core.sight import Reading, Seen
from confsync.errors import CalendarRequestRejected
from confsync.ports import Address, Outside

ATTEMPTS_AT_ONE_MOMENT = 3
"""How often a series is read at most, that keeps changing meanwhile: it and its exceptions are to be of one moment."""


def read_event(reading: Reading, at: Address, outside: Outside) -> Seen:
    """Return the event as Calendar shows it now, with all its exceptions when the reading names a series."""
    try:
        return _answer(reading, at, outside)
    except CalendarRequestRejected:
        return Seen(None, unreadable=True)  # one event must not block its calendar


def _answer(reading: Reading, at: Address, outside: Outside) -> Seen:
    api, event_id = outside.calendar_api, reading.ref.event_id
    if reading.series_uid is None:
        return Seen(api.get_event(at, event_id), confirmed=True)
    for _ in range(ATTEMPTS_AT_ONE_MOMENT):
        parts = api.list_series(at, reading.series_uid)
        master = api.get_event(at, event_id)  # a list may lag, and confirms nothing
        if master is None or not any(part.id == event_id and part.etag != master.etag for part in parts):
            break
    exceptions = tuple(event for event in parts if event.recurring_event_id == event_id)
    return Seen(master, confirmed=True, exceptions=exceptions)


def is_doubtful(seen: Seen) -> bool:
    """Whether the event is shown as it would be to somebody who lost access: not at all, or in part."""
    if seen.event is None:
        return not seen.unreadable
    return not (seen.event.is_readable or seen.event.is_cancelled)


def shows_in_full(calendar: Calendar, sync_token: str | None, outside: Outside) -> bool:
    """Whether the calendar can be listed as writer right now: only then does a 404 speak of the event.

    Lists what changed since `sync_token`, and uses none of it.
    """
    if sync_token is None:
        return False
    page = outside.calendar_api.list_events(
        address_of(calendar), sync_token=sync_token, page_token=None, window=Window()
    )
    return page.read_as_writer


def address_of(calendar: Calendar) -> Address:
    """Return how to reach the calendar."""
    return Address(calendar.calendar_id, calendar.subject)
