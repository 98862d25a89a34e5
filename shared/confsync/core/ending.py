"""The last look before a conference ends: every event that owned it, or was to own it, is read again.

It must never find that a conference may end because something could not be read.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from confsync.core.binding import deletes_also, is_deleted_here
from confsync.core.conference import Conference, Referent, Registration
from confsync.core.events import Event
from confsync.core.identity import is_same, organizer_key
from confsync.core.records import EventRef
from confsync.core.sight import Reading, Seen, Sight
from confsync.core.solutions import Solution
from confsync.core.terms import holds


def is_ending(conference: Conference) -> bool:
    """Whether an end was decided, or is wanted."""
    return conference.end_after is not None or (conference.desired is not None and conference.desired.ended)


def is_end_due(conference: Conference, now: datetime) -> bool:
    """Whether the grace period of a decided end is over."""
    return conference.end_after is not None and conference.end_after <= now


def owners_to_read(conference: Conference) -> list[Reading]:
    """Return what has to be read again before the end; a series whole, since its exceptions may hold the conference.

    These are its owners, and the events that are to own it by the word of the add-on, but for those that cannot have
    got it.
    """
    owners = {key: referent for key, referent in conference.referents.items() if referent.role == "owner"}
    expected = (word for key, word in conference.registered.items() if key not in owners and not word.unwritten)
    unseen = (word for word in expected if not _is_copy_of_owner(word, owners.values()))
    return [*map(_reading, owners.values()), *(Reading(word.ref) for word in unseen)]


def _is_copy_of_owner(word: Registration, owners: Iterable[Referent]) -> bool:
    """Whether the add-on was used in a guest's copy of what one of these is the organizer's copy of."""
    copied = (word.event_id, word.organizer)
    return bool(word.organizer) and any((owner.event_id, owner.organizer) == copied for owner in owners)


def _reading(owner: Referent) -> Reading:
    return Reading(owner.ref, owner.ical_uid if owner.times.recurrence else None)


def owners_still_there(
    conference: Conference, sight: Sight, solutions: Sequence[Solution], tied_elsewhere: Collection[EventRef] = ()
) -> list[EventRef]:
    """Return the owners that have the conference after all, or that nobody could read; none when it may end.

    Args:
        tied_elsewhere: those that are known with another conference since; where they moved then says nothing of this.

    """
    refs = [reading.ref for reading in owners_to_read(conference)]
    left = (ref for ref in refs if not _is_gone(ref, conference, sight, solutions, ref in tied_elsewhere))
    return [ref for ref in left if not _was_lost_elsewhere(ref, conference, sight, solutions)]


def _was_lost_elsewhere(ref: EventRef, conference: Conference, sight: Sight, solutions: Sequence[Solution]) -> bool:
    """Whether the event that cannot be read here is one that another owner's calendar shows to have lost it.

    It is shown deleted in another view of this calendar, or without the conference where it moved on to.
    """
    owner, here = conference.referents.get(ref.link_key), sight.get(ref)
    if owner is None or (here is not None and here.confirmed):
        return False
    is_deleted = any(_shows_deletion(other, owner, sight) for other in conference.referents.values())
    return is_deleted or _is_without_it_where_it_went(owner, conference, sight, solutions)


def _is_without_it_where_it_went(
    owner: Referent, conference: Conference, sight: Sight, solutions: Sequence[Solution]
) -> bool:
    """The organizer's copy of an event is in one calendar alone."""
    home = conference.referents.get(owner.continues_in or "")
    event = _read(sight.get(home.ref)) if home is not None else None
    return event is not None and shows_another(event, conference, solutions)


def _shows_deletion(other: Referent, owner: Referent, sight: Sight) -> bool:
    event = _read(sight.get(other.ref)) if other.role == "owner" else None
    return event is not None and deletes_also(event, other, owner)


def _is_gone(
    ref: EventRef, conference: Conference, sight: Sight, solutions: Sequence[Solution], is_tied_elsewhere: bool
) -> bool:
    seen = sight.get(ref)
    if seen is None or not seen.confirmed:
        return False
    exceptions = [event for event in seen.exceptions or () if not event.is_cancelled]
    if any(holds(event, conference, solutions) for event in exceptions):
        return False
    if seen.event is None or shows_another(seen.event, conference, solutions):
        return True
    known = conference.referents.get(ref.link_key)
    if known is None or _is_unseen(ref, conference):
        return is_deleted_here(seen.event)
    # Its tombstone may name anybody: what became of the conference after the event had moved on is known elsewhere.
    moved_on = _is_known_where_it_went(known, seen.event, conference) or is_tied_elsewhere
    left = seen.event.is_cancelled or (seen.event.is_readable and not seen.event.is_organizers_copy)
    return left if moved_on else _is_deleted(seen.event)


def _is_known_where_it_went(owner: Referent, event: Event, conference: Conference) -> bool:
    """Whether it is known where the event went: the one whom it names as its organizer has it, which is read too."""
    named = organizer_key(event, conference.tenant)
    there = (each for each in conference.referents.values() if each.role == "owner" and each.ref != owner.ref)
    return owner.continues_in is not None or any(each.organizer == named and is_same(owner, each) for each in there)


def _is_deleted(event: Event) -> bool:
    """A tombstone that names another organizer tells of a move; that of an event known to be gone may hold nothing."""
    return event.is_cancelled and (event.organizer is None or event.organizer.is_self)


def left_unseen(conference: Conference, sight: Sight, out_of_sight: Collection[EventRef]) -> dict[str, str]:
    """Return the owners that are shown to have left, by link key, and whom they name as their organizer now.

    Args:
        out_of_sight: those of which no sync tells, and that may hold the conference again by now.

    """
    known = {key: owner for key, owner in conference.referents.items() if owner.ref in out_of_sight}
    return {
        key: email
        for key, owner in known.items()
        if owner.role == "owner"
        and (event := _read(sight.get(owner.ref))) is not None
        and (email := event.organizer_elsewhere) is not None
        and not _is_known_where_it_went(owner, event, conference)
    }


def _read(seen: Seen | None) -> Event | None:
    return seen.event if seen is not None and seen.confirmed else None


def may_live_unseen(conference: Conference, sight: Sight, solutions: Sequence[Solution]) -> bool:
    """Whether the conference is held where, or in a way, that nobody can follow.

    An event moved away before anybody saw it, or names the conference under a name that no setting knows; or a series
    got another organizer, who shows this calendar one occurrence of it.
    """
    if any(_is_guest_of_one(seen, conference, solutions) for seen in sight.values() if seen.confirmed):
        return True
    expected = (sight.get(reading.ref) for reading in owners_to_read(conference) if _is_unseen(reading.ref, conference))
    events = [seen.event for seen in expected if seen is not None and seen.confirmed and seen.event is not None]
    return any(
        _is_elsewhere(event) or (not event.is_cancelled and holds(event, conference, solutions)) for event in events
    )


def _is_guest_of_one(seen: Seen, conference: Conference, solutions: Sequence[Solution]) -> bool:
    """Whether of a series that is not shown an occurrence holds the conference in another organizer's name."""
    shown = [event for event in seen.exceptions or () if not event.is_cancelled and not event.is_organizers_copy]
    return seen.event is None and any(event.is_readable and holds(event, conference, solutions) for event in shown)


def _is_unseen(ref: EventRef, conference: Conference) -> bool:
    known = conference.referents.get(ref.link_key)
    return known is None or known.role != "owner"


def _is_elsewhere(event: Event) -> bool:
    return not is_deleted_here(event) if event.is_cancelled else event.is_readable and not event.is_organizers_copy


def shows_another(event: Event, conference: Conference, solutions: Sequence[Solution]) -> bool:
    """Only an organizer's copy, shown in full, proves that the conference was removed from it."""
    pending = event.conference_data is not None and event.conference_data.is_pending
    shown = event.is_organizers_copy and not event.is_cancelled
    return shown and not pending and not holds(event, conference, solutions)
