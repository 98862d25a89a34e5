"""What one event changes in a plan in the making: as an instance of a series, or for itself.

It follows the verdict of `binding`, and decides nothing.
"""

from confsync.core import series
from confsync.core.binding import Tie, Verdict, bound_link, bound_referent, is_deleted_here, is_older, verdict
from confsync.core.conference import Conference, Referent
from confsync.core.draft import Draft
from confsync.core.events import Event
from confsync.core.identity import organizer_key
from confsync.core.owners import promote_claims
from confsync.core.records import EventRef, Link
from confsync.core.sight import Reading, Seen
from confsync.core.terms import claimed_conference, claimed_key

MOST_CLAIMS = 20
"""Claims that one conference remembers; those of events that may own it are never refused."""


def turn(draft: Draft, ref: EventRef) -> tuple[bool, bool, str]:
    """Masters are taken before their instances, and who owns a conference before those that own it beside him."""
    event, link = draft.sight[ref].event, draft.links.get(ref.link_key)
    is_instance = bool((event and event.recurring_event_id) or (link and link.series_id))
    known = draft.conferences.get(claimed_key(event, draft.terms) or "") if event else None
    owns = event is not None and known is not None and draft.role_of(ref, event, known) == "owner"
    return is_instance, not owns, ref.event_id


def take(draft: Draft, ref: EventRef) -> None:
    """Record what one event says: as an instance of a series, or for itself."""
    link, unread = series.series_of(draft, ref), series.reading_before_binding(draft, ref)
    if link is not None:
        _give_up_own(draft, ref, link)
        series.take_exception(draft, ref, link)
    elif unread is not None:
        draft.readings.add(unread)
    elif (of_series := series.waits_for_series(draft, ref)) is not None:
        draft.waiting[ref] = of_series
    else:
        _take_event(draft, ref)


def _give_up_own(draft: Draft, ref: EventRef, link: Link) -> None:
    """The exception may have had a conference of its own, or this one before its series had it."""
    seen, tie = draft.sight[ref], draft.tie_of(ref)
    if tie.link is None or tie.referent is None or tie.referent.state != "live":
        return
    if tie.link.conference_key != link.conference_key:
        _follow_verdict(draft, ref, seen, tie, None)
    elif draft.is_live_owner(link):
        series.absorb(draft, ref, seen.event, link)
    else:
        _take_event(draft, ref)  # neither drives, so neither stands for the other


def _take_event(draft: Draft, ref: EventRef) -> None:
    seen = draft.sight[ref]
    named = draft.named_by(ref, seen.event) if seen.event else None
    tie = draft.tie_of(ref)
    if seen.event is not None and named is not None and seen.as_writer and not _is_old_news(seen.event, tie):
        _hear_of_organizer(draft, ref, seen.event, named)
    _follow_verdict(draft, ref, seen, tie, named)


def _hear_of_organizer(draft: Draft, ref: EventRef, event: Event, conference_key: str) -> None:
    """The add-on was used by a guest: then the organizer's calendar holds the event that may drive."""
    conference = draft.conferences.get(conference_key)
    vouched = conference.registered.get(ref.link_key) if conference else None
    if conference is None or vouched is None or event.is_cancelled:
        return
    is_guests = event.organizer is not None and not event.organizer.is_self
    organizer = organizer_key(event, draft.terms.tenant) if is_guests else ""
    if organizer not in ("", vouched.organizer):
        heard = vouched.model_copy(update={"organizer": organizer})
        known = conference.model_copy(update={"registered": {**conference.registered, ref.link_key: heard}})
        draft.conferences[conference_key] = promote_claims(known, draft.terms.rules.claims)
        draft.touched.add(conference_key)


def _follow_verdict(draft: Draft, ref: EventRef, seen: Seen, tie: Tie, named: str | None) -> None:
    found = verdict(seen, tie, named)
    if found == "orphaned" and seen.event is not None and _is_bare_instance(seen.event):
        found = _verdict_of_series(draft, EventRef(draft.calendar_key, str(seen.event.recurring_event_id)))
    if tie.link is not None and _is_lost(seen):
        _look_at_instances(draft, tie.link)
    if found == "confirm":
        draft.readings.add(Reading(ref))
    elif found == "bind" and seen.event is not None and named is not None:
        _bind(draft, ref, seen.event, seen, named)
    elif found == "gone":
        _lose(draft, ref, seen, tie)
    elif found == "orphaned":
        draft.lose(ref, tie, "orphaned", seen.event)
    elif found == "ignore" and tie.is_live_owner:
        draft.unheard.add(ref)


def _verdict_of_series(draft: Draft, master: EventRef) -> Verdict:
    """A cancelled instance that names nobody was deleted, unless it went away with its whole series."""
    seen = draft.sight.get(master)
    if seen is None:
        draft.readings.add(Reading(master))
    if seen is None or seen.event is None:
        return "ignore" if seen is None or seen.says_nothing else "orphaned"
    return "gone" if seen.event.is_organizers_copy or is_deleted_here(seen.event) else "orphaned"


def _look_at_instances(draft: Draft, link: Link) -> None:
    """Of an instance with a conference of its own, Calendar may say no more than that its series is gone."""
    instances = {EventRef(draft.calendar_key, event_id) for event_id in link.own_instances}
    draft.readings.update(Reading(instance) for instance in instances if instance not in draft.sight)


def _bind(draft: Draft, ref: EventRef, event: Event, seen: Seen, conference_key: str) -> None:
    tie = draft.tie_of(ref)
    conference = draft.conferences.get(conference_key) or claimed_conference(event, draft.terms)
    referent = bound_referent(ref, event, conference, draft.terms.rules.claims)
    if referent is None or _is_one_claim_too_many(ref, referent, conference):
        draft.unheard.add(ref)
        return
    draft.conferences[conference_key] = conference
    if referent.role == "claimed" and ref.link_key not in conference.referents:
        draft.claims.add(ref)
    if tie.link is not None and tie.link.conference_key != conference_key:
        _lose(draft, ref, seen, tie)
    link = bound_link(ref, event, conference_key, tie.link)
    draft.links[link.key] = link
    draft.refer(conference_key, link.key, referent)
    if event.recurring_event_id is not None:
        series.remember_own_instance(draft, event.recurring_event_id, ref.event_id)
    if event.recurrence:
        held_it = tie.link is not None and tie.link.conference_key == conference_key and tie.is_live_owner
        is_half_seen = draft.is_part and tie.link is not None and tie.link.etag != event.etag
        series.take_series(draft, seen, link, has_unseen=is_half_seen or not held_it)


def _lose(draft: Draft, ref: EventRef, seen: Seen, tie: Tie) -> None:
    """Record that the event has its conference no more; exceptions of a series may have kept it, unless it is unknown.

    A removed calendar may have been added again when its conferences were forgotten, and its links were not.
    """
    draft.lose(ref, tie, "gone", seen.event)
    lives_on, lost = seen.event is not None and not seen.event.is_cancelled, tie.link
    if lives_on and lost is not None and lost.has_exceptions and lost.conference_key in draft.conferences:
        series.release(draft, ref, seen, lost)


def _is_one_claim_too_many(ref: EventRef, referent: Referent, conference: Conference) -> bool:
    """Anybody can write any conference id into events of their own: a conference's record must not grow by it."""
    claims = sum(known.role == "claimed" for known in conference.referents.values())
    return referent.role == "claimed" and ref.link_key not in conference.referents and claims >= MOST_CLAIMS


def _is_old_news(event: Event, tie: Tie) -> bool:
    return tie.link is not None and is_older(event, tie.link)


def _is_bare_instance(event: Event) -> bool:
    """Whether this is a cancelled instance of which nothing is shown but what it is an instance of."""
    return event.is_cancelled and event.recurring_event_id is not None and event.organizer is None


def _is_lost(seen: Seen) -> bool:
    """Whether the event is no longer this calendar's, as far as is shown."""
    if seen.event is None:
        return seen.confirmed and not seen.says_nothing
    return seen.event.is_cancelled or (seen.event.is_readable and not seen.event.is_organizers_copy)
