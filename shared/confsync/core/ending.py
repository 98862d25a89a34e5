"""The last look before a conference ends: every owner it ever had is read again.

It must never find that a conference may end because something could not be read.
"""

from collections.abc import Sequence
from datetime import datetime

from confsync.core.events import Event
from confsync.core.records import Conference
from confsync.core.sight import EventRef, Sight
from confsync.core.solutions import Solution, claim_of


def is_end_due(conference: Conference, now: datetime) -> bool:
    """Whether the grace period of a decided end is over."""
    return conference.end_after is not None and conference.end_after <= now


def owners_to_read(conference: Conference) -> list[EventRef]:
    """Return the events that have to be read again before the end."""
    owners = (referent for referent in conference.referents.values() if referent.role == "owner")
    return [EventRef(owner.calendar_key, owner.event_id) for owner in owners]


def owners_still_there(conference: Conference, sight: Sight, solutions: Sequence[Solution]) -> list[EventRef]:
    """Return the owners that have the conference after all, or that nobody could read; none when it may end."""
    return [ref for ref in owners_to_read(conference) if not _is_gone(ref, conference, sight, solutions)]


def _is_gone(ref: EventRef, conference: Conference, sight: Sight, solutions: Sequence[Solution]) -> bool:
    seen = sight.get(ref)
    if seen is None or not seen.confirmed:
        return False
    return seen.event is None or seen.event.is_cancelled or _has_another(seen.event, conference, solutions)


def _has_another(event: Event, conference: Conference, solutions: Sequence[Solution]) -> bool:
    """Only an organizer's copy, shown in full, proves that the conference was removed from it."""
    claim = claim_of(event, solutions)
    names_it = claim is not None and (claim.provider, claim.conference_id) == (
        conference.provider,
        conference.conference_id,
    )
    pending = event.conference_data is not None and event.conference_data.is_pending
    return event.is_organizers_copy and not names_it and not pending
