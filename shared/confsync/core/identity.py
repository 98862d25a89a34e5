"""Whether what two calendars show is one event, which moved or was handed over, and whose it is. No I/O.

An id or iCalUID alone proves nothing: whoever was invited knows both, and can write them into an event of their own.
When an event was made cannot be written.
"""

from confsync.core.conference import Referent
from confsync.core.events import Event
from confsync.core.records import key_of


def may_be_same(one: Referent, other: Referent | Event) -> bool:
    """Whether the event that left one calendar may be the one that another shows: nothing speaks against it."""
    apart = None not in (one.created, other.created) and one.created != other.created
    return one.ical_uid is not None and one.ical_uid == other.ical_uid and not apart


def organizer_key(event: Event, tenant: str) -> str:
    """Return the key of the event's organizer, the same in every copy of it; empty where it names none.

    An organizer's copy stands in the calendar that it names, be that a person's own or a secondary one. Nobody can
    write another's into it.
    """
    email = event.organizer.email if event.organizer else None
    return person_key(email, tenant) if email else ""


def person_key(email: str, tenant: str) -> str:
    """Return the key of an organizer by its address, as a tombstone names it."""
    return key_of("organizer", tenant, email.lower())


def is_same(one: Referent, other: Referent) -> bool:
    """Whether both are certainly one event: of two such copies, only one can be the organizer's."""
    known = one.created is not None and one.created == other.created
    return known and one.event_id == other.event_id and may_be_same(one, other)
