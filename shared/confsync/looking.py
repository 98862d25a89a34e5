"""Look at every event that may hold a conference, as it is at this moment, before its end is decided or wanted.

It must never take for gone what could not be read.
"""

from confsync.core import ending, leases
from confsync.core.conference import Conference
from confsync.core.records import Calendar, EventRef
from confsync.core.sight import Reading, Seen
from confsync.core.terms import Terms
from confsync.errors import CalendarAccessLost, CalendarError, CalendarQuotaExceeded
from confsync.ports import Outside
from confsync.reading import address_of, is_doubtful, read_event, shows_in_full


def look_at_owners(conference: Conference, outside: Outside, terms: Terms) -> tuple[dict[EventRef, Seen], float]:
    """Return each of them as it is now, and for how many seconds an end has to wait for those that nobody can read."""
    looks = {reading.ref: _look(reading, outside, terms) for reading in ending.owners_to_read(conference)}
    sight = {ref: seen for ref, (seen, _) in looks.items()}
    return sight, max((wait_s for _, wait_s in looks.values()), default=0.0)


def _look(reading: Reading, outside: Outside, terms: Terms) -> tuple[Seen, float]:
    """Return the event as it is now; or nothing confirmed, and how long the end has to wait because of that."""
    rules = terms.rules
    calendar = outside.store.get(Calendar, reading.ref.calendar_key)
    if calendar is None or not leases.is_synced(calendar) or not _is_current(calendar, terms):
        return Seen(None), rules.frozen_retry_s
    try:
        seen = read_event(reading, address_of(calendar), outside)
        is_proof = shows_in_full(calendar, calendar.sync_token, outside)
        if is_proof and is_doubtful(seen):
            seen = read_event(reading, address_of(calendar), outside)  # access may have been lost for a moment
    except (CalendarAccessLost, CalendarQuotaExceeded) as error:
        return Seen(None), error.retry_after_s or rules.frozen_retry_s
    except CalendarError as error:
        return Seen(None), error.retry_after_s or rules.grace_s
    return (seen, 0.0) if is_proof and not seen.unreadable else (Seen(None), rules.frozen_retry_s)


def _is_current(calendar: Calendar, terms: Terms) -> bool:
    """Whether it was listed since the solutions are what they are: else it may have copies that nobody recognised."""
    return calendar.sync_token == leases.usable_token(calendar, terms.listing_version)
