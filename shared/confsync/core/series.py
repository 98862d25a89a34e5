"""A series and its exceptions in a plan in the making.

An instance says nothing on its own: its series is read whole and told as one. An instance with a conference of its own
is an event like any other, and its series remembers it.
"""

from collections.abc import Iterable

from confsync.core.binding import is_older
from confsync.core.draft import Draft
from confsync.core.events import Event
from confsync.core.projection import times_of
from confsync.core.records import EventRef, Link
from confsync.core.recurrence import instant_of, last_end
from confsync.core.sight import Reading, Seen
from confsync.core.terms import claimed_key


def reading_before_binding(draft: Draft, ref: EventRef) -> Reading | None:
    """Return what has to be read before an instance binds for itself: the conference may be its series' own.

    An instance that is no exception shows what its series had when it was read, which may be over by the time the
    series is read: only the exceptions of a series that was read whole are events of their own.
    """
    event, series = draft.sight[ref].event, _series_before_binding(draft, ref)
    return _unread(ref, event, series, draft.sight.get(series)) if event is not None and series is not None else None


def waits_for_series(draft: Draft, ref: EventRef) -> Seen | None:
    """Return how its series is seen, where an instance binds only once that says something."""
    series = _series_before_binding(draft, ref)
    seen = draft.sight.get(series) if series is not None else None
    return seen if seen is not None and seen.says_nothing else None


def _series_before_binding(draft: Draft, ref: EventRef) -> EventRef | None:
    """Return the series of an instance that is about to bind to what it is not bound to yet."""
    event, link = draft.sight[ref].event, draft.links.get(ref.link_key)
    if event is None or event.recurring_event_id is None:
        return None
    named = claimed_key(event, draft.terms)
    binds = event.is_organizers_copy and not event.is_cancelled and named is not None
    is_bound = link is not None and link.conference_key == named and link.series_id is None
    return EventRef(draft.calendar_key, event.recurring_event_id) if binds and not is_bound else None


def _unread(ref: EventRef, instance: Event, series: EventRef, seen: Seen | None) -> Reading | None:
    if seen is None or not _is_shown(seen):
        return Reading(series)
    if seen.event is None or instance.ical_uid is None:
        return None
    if seen.exceptions is None:
        return Reading(series, instance.ical_uid)
    is_exception = any(instance.id == exception.id for exception in seen.exceptions)
    return Reading(ref) if not is_exception and is_older(instance, seen.event) else None


def _is_shown(seen: Seen) -> bool:
    """Whether the series is in sight, as more than an id."""
    return seen.confirmed or seen.event is None or seen.event.updated is not None


def series_of(draft: Draft, ref: EventRef) -> Link | None:
    """Return the link of the series whose conference the event shares as an exception."""
    event, link = draft.sight[ref].event, draft.links.get(ref.link_key)
    series_id = event.recurring_event_id if event else None
    series_id = series_id or (link.series_id if link else None)
    series = draft.links.get(Link.key_for(draft.calendar_key, series_id)) if series_id else None
    if series is None or not series.conference_key or _has_lost_it(draft, series):
        return None
    return series if event is None or _is_part(draft, event, series) else None


def _is_part(draft: Draft, instance: Event, series: Link) -> bool:
    """Whether the instance has no conference but that of its series, if any."""
    return claimed_key(instance, draft.terms) in (None, series.conference_key)


def _has_lost_it(draft: Draft, series: Link) -> bool:
    referent = draft.tie_of(series.ref).referent
    return referent is not None and referent.state == "gone"


def take_exception(draft: Draft, ref: EventRef, series: Link) -> None:
    """An exception says nothing on its own: its series is read whole and told as one."""
    _remember_exception(draft, ref, series)
    _reach(draft, series, [event] if (event := draft.sight[ref].event) else [], whole=False)
    draft.links[series.key] = series.model_copy(update={"has_exceptions": True})
    draft.half_shown.add(series.key)


def _remember_exception(draft: Draft, ref: EventRef, series: Link) -> None:
    """Later its tombstone may hold nothing but its id."""
    tie, of_series = draft.tie_of(ref), series.conference_key
    if tie.referent is not None and tie.referent.state != "gone":
        return
    known = tie.link or Link(
        key=ref.link_key, calendar_key=ref.calendar_key, event_id=ref.event_id, conference_key=of_series
    )
    tied = {"conference_key": of_series, "ical_uid": series.ical_uid, "series_id": series.event_id}
    draft.links[ref.link_key] = known.model_copy(update=tied)


def absorb(draft: Draft, ref: EventRef, event: Event | None, series: Link) -> None:
    """From now on the series stands for its instance."""
    tie = draft.tie_of(ref)
    shares = tie.link is not None and tie.link.conference_key == series.conference_key
    if shares and tie.referent is not None and draft.is_live_owner(series):
        draft.lose(ref, tie, "gone", event)


def release(draft: Draft, ref: EventRef, seen: Seen, lost: Link) -> None:
    """The series lost its conference: each exception that kept it holds it alone from now on."""
    if seen.exceptions is None:
        draft.readings.add(Reading(ref, lost.ical_uid))
        return
    keeping = (e for e in seen.exceptions if not e.is_cancelled and draft.shares(e, lost.conference_key))
    refs = (EventRef(draft.calendar_key, exception.id) for exception in keeping)
    draft.readings.update(Reading(exception) for exception in refs if exception not in draft.sight)


def take_series(draft: Draft, seen: Seen, link: Link, *, has_unseen: bool) -> None:
    """Record a series, with its exceptions where it was read whole, or ask for them.

    Those of a new series may have been listed before it, when they concerned nobody; those of one that changed may be
    on the next page of the listing.
    """
    parts = [exception for exception in seen.exceptions or () if _is_part(draft, exception, link)]
    for exception in parts:
        exception_ref = EventRef(draft.calendar_key, exception.id)
        absorb(draft, exception_ref, exception, link)
        _remember_exception(draft, exception_ref, link)
    if seen.exceptions is not None:
        _reach(draft, link, seen.exceptions, whole=True)
    if parts:
        draft.links[link.key] = link.model_copy(update={"has_exceptions": True})
    elif link.has_exceptions or has_unseen:
        draft.half_shown.add(link.key)


def remember_own_instance(draft: Draft, series_id: str, event_id: str) -> None:
    """Its series need not have a conference, and is remembered all the same."""
    key = Link.key_for(draft.calendar_key, series_id)
    series = draft.links.get(key) or Link(
        key=key, calendar_key=draft.calendar_key, event_id=series_id, conference_key=""
    )
    known = tuple(dict.fromkeys((*series.own_instances, event_id)))
    draft.links[key] = series.model_copy(update={"own_instances": known})


def read_whole(draft: Draft) -> None:
    """Ask for the exceptions of each series that owns its conference, now that all events are taken.

    It may own only since another one of them was taken, which came after it and its exceptions.
    """
    for key in sorted(draft.half_shown):
        series = draft.links[key]
        if draft.is_live_owner(series):
            _want_whole(draft, series)


def _want_whole(draft: Draft, series: Link) -> None:
    capabilities = draft.terms.capabilities.get(draft.conferences[series.conference_key].provider)
    if series.ical_uid is None or capabilities is None or "occurrences" not in capabilities.carries:
        return
    seen = draft.sight.get(series.ref)
    if seen is not None and seen.says_nothing:
        return
    if seen is None or seen.exceptions is None:
        draft.readings.add(Reading(series.ref, series.ical_uid))
    else:
        draft.touched.add(series.conference_key)


def _reach(draft: Draft, series: Link, exceptions: Iterable[Event], *, whole: bool) -> None:
    """A series goes on until the last of its moved instances is over."""
    tie = draft.tie_of(series.ref)
    conference = draft.conferences.get(series.conference_key)
    if tie.referent is None or conference is None:
        return
    sharing = [e for e in exceptions if not e.is_cancelled and draft.shares(e, conference.key)]
    ends = [instant_of(times.end) for e in sharing if (times := times_of(e)) is not None]
    by_rule, known = last_end(tie.referent.times), None if whole else tie.referent.until
    last = max([by_rule, *ends, *([known] if known else [])])
    until = last if last > by_rule else None
    if until != tie.referent.until:
        reaching = {**conference.referents, series.key: tie.referent.model_copy(update={"until": until})}
        draft.conferences[conference.key] = conference.model_copy(update={"referents": reaching})
