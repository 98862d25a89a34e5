"""Write a new conference into an event that still names the old one, if it did not change since it was read.

It must never write an event that names anything else, or notify a guest.
"""

import json

from confsync.core import leases, reviewing
from confsync.core.conference import Conference, Referent, Registration
from confsync.core.events import Event
from confsync.core.owners import owners_of
from confsync.core.records import Calendar
from confsync.core.sight import Seen
from confsync.core.terms import claimed_key
from confsync.errors import CalendarAccessLost, CalendarError, CalendarQuotaExceeded, CalendarRequestRejected
from confsync.ports import Outside, Transaction
from confsync.reading import address_of, is_doubtful, shows_in_full
from confsync.stored_replacement import StoredReplacement


def relink_event(link_key: str, made: StoredReplacement) -> float:
    """Write the new conference into one event; return 0, or in how many seconds to try again."""
    referent = owners_of(made.old, "live").get(link_key)
    calendar = made.outside.store.get(Calendar, referent.calendar_key) if referent else None
    if referent is None or calendar is None:
        return 0.0
    rules = made.terms.rules
    if not leases.is_synced(calendar):
        return rules.frozen_retry_s
    try:
        if not _write(link_key, referent, calendar, made):
            made.cancel()  # the new conference ended and was forgotten, long ago
    except (CalendarAccessLost, CalendarQuotaExceeded, CalendarRequestRejected) as error:
        return error.retry_after_s or rules.frozen_retry_s
    except CalendarError as error:
        return error.retry_after_s or rules.backoff_s(made.replacement.attempts + 1)
    return 0.0


def _write(link_key: str, referent: Referent, calendar: Calendar, made: StoredReplacement) -> bool:
    """Write into the event as it is now, if it still names the old conference; raise where it changes meanwhile.

    False: the new conference is unknown.
    """
    at, event_id, api = address_of(calendar), referent.event_id, made.outside.calendar_api
    event = _shown_in_full(event_id, calendar, made.outside)
    if event is None or not _is_named_by(event, made):
        return True
    if not _vouch(link_key, referent, made):
        return False
    api.write_conference_data(at, event_id, event.etag, json.loads(made.replacement.conference_data or "null"))
    return True


def _shown_in_full(event_id: str, calendar: Calendar, outside: Outside) -> Event | None:
    """Return the event as a writer is shown it; raise `CalendarAccessLost` where nobody reads its calendar as one."""
    api, at = outside.calendar_api, address_of(calendar)
    event = api.get_event(at, event_id)
    if not is_doubtful(Seen(event)):
        return event
    if not shows_in_full(calendar, calendar.sync_token, outside):
        raise CalendarAccessLost("the event is not shown in full any more", reason="accessRole")
    return api.get_event(at, event_id)


def _is_named_by(event: Event, made: StoredReplacement) -> bool:
    shown = event.is_organizers_copy and not event.is_cancelled
    return shown and claimed_key(event, made.terms) == made.old.key


def _vouch(link_key: str, referent: Referent, made: StoredReplacement) -> bool:
    """Before each attempt the new conference expects its event anew, wherever that is now; False: it is unknown.

    It expects none in a calendar that was forgotten meanwhile, with all that the old one knew of it.
    """
    key = Conference.key_for(made.old.tenant, made.old.provider, str(made.replacement.conference_id))
    word = Registration(calendar_key=referent.calendar_key, event_id=referent.event_id, at=made.outside.now())

    def body(tx: Transaction) -> bool:
        successor, old = tx.get(Conference, key), tx.get(Conference, made.old.key)
        if successor is not None and old is not None and link_key in old.referents:
            tx.put(reviewing.expecting(successor, {link_key: word}, made.terms.rules))
        return successor is not None

    return made.outside.store.transact(body)
