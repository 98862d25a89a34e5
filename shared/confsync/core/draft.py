"""A plan in the making: events are taken one by one, then each conference that they touched is judged.

Masters of series come before their instances: an instance says nothing on its own, its series is read whole and told as
one. It must never change the records that it was given, only its own copies of the mappings.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from confsync.core.binding import (
    Tie,
    Verdict,
    bound_link,
    bound_referent,
    deletes_also,
    is_deleted_here,
    is_older,
    role_of,
    tie_of,
    verdict,
)
from confsync.core.desires import timed
from confsync.core.driving import over_at
from confsync.core.events import Event
from confsync.core.history import note_promoted, note_referent
from confsync.core.identity import organizer_key
from confsync.core.judging import judge, promote_claims
from confsync.core.projection import times_of
from confsync.core.records import Conference, Link, Referent, ReferentState, Role
from confsync.core.recurrence import instant_of, last_end
from confsync.core.sight import EventRef, Reading, Seen, Sight
from confsync.core.terms import Terms, claimed_conference, claimed_key, holds

MOST_CLAIMS = 20
"""Claims that one conference remembers; those of events that may own it are never refused."""


@dataclass
class Draft:
    """A plan in the making: what is recorded, changed step by step, and what has to be read first."""

    calendar_key: str
    sight: Sight
    terms: Terms
    now: datetime
    links: dict[str, Link]
    conferences: dict[str, Conference]
    readings: set[Reading] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    claims: set[EventRef] = field(default_factory=set)
    """Events that claim a conference for which nobody vouched, seen for the first time."""
    unheard: set[EventRef] = field(default_factory=set)
    """Live owners whose event, as it is shown now, says nothing."""

    def turn(self, ref: EventRef) -> tuple[bool, bool, str]:
        """Masters are taken before their instances, and who owns a conference before those that own it beside him."""
        event, link = self.sight[ref].event, self.links.get(ref.link_key)
        is_instance = bool((event and event.recurring_event_id) or (link and link.series_id))
        known = self.conferences.get(claimed_key(event, self.terms) or "") if event else None
        owns = event is not None and known is not None and self._role_of(ref, event, known) == "owner"
        return is_instance, not owns, ref.event_id

    def _role_of(self, ref: EventRef, event: Event, conference: Conference) -> Role:
        return role_of(ref, event, conference, self.terms.rules.claims)

    def take(self, ref: EventRef) -> None:
        """Record what one event says: as an instance of a series, or for itself."""
        series, unread = self._series_of(ref), self._unread_series_of(ref)
        if series is not None:
            self._take_exception(ref, series)
        elif unread is not None:
            self.readings.add(Reading(unread))
        else:
            self._take_event(ref)

    def _unread_series_of(self, ref: EventRef) -> EventRef | None:
        """Return the series that must be looked at before an instance binds: the conference may be the series' own."""
        event = self.sight[ref].event
        if event is None or event.recurring_event_id is None or ref.link_key in self.links:
            return None
        series = EventRef(self.calendar_key, event.recurring_event_id)
        binds = event.is_organizers_copy and not event.is_cancelled and claimed_key(event, self.terms)
        return series if binds and series not in self.sight else None

    def _series_of(self, ref: EventRef) -> Link | None:
        """Return the link of the series whose conference the event shares as an exception."""
        event, link = self.sight[ref].event, self.links.get(ref.link_key)
        series_id = event.recurring_event_id if event else None
        series_id = series_id or (link.series_id if link else None)
        series = self.links.get(Link.key_for(self.calendar_key, series_id)) if series_id else None
        if series is None or not series.conference_key:
            return None
        if event is None:
            return series
        return series if claimed_key(event, self.terms) in (None, series.conference_key) else None

    def _take_exception(self, ref: EventRef, series: Link) -> None:
        """An exception says nothing on its own: its series is read whole and told as one."""
        self._give_up_own(ref, series)
        self._remember_exception(ref, series)
        self._reach(series, [event] if (event := self.sight[ref].event) else [], whole=False)
        self.links[series.key] = series = series.model_copy(update={"has_exceptions": True})
        if self._is_live_owner(series):
            self._want_whole(EventRef(self.calendar_key, series.event_id), series)

    def _give_up_own(self, ref: EventRef, series: Link) -> None:
        """The exception may have had a conference of its own, or this one before its series had it."""
        seen, tie = self.sight[ref], self._tie_of(ref)
        if tie.link is None or tie.referent is None or tie.referent.state != "live":
            return
        if tie.link.conference_key == series.conference_key:
            self._absorb(ref, seen.event, series)
        else:
            self._follow_verdict(ref, seen, tie, None)

    def _absorb(self, ref: EventRef, event: Event | None, series: Link) -> None:
        """From now on the series stands for its instance."""
        tie = self._tie_of(ref)
        shares = tie.link is not None and tie.link.conference_key == series.conference_key
        if shares and tie.referent is not None and self._is_live_owner(series):
            self._lose(ref, tie, "gone", event)

    def _remember_exception(self, ref: EventRef, series: Link) -> None:
        """Later its tombstone may hold nothing but its id."""
        tie, of_series = self._tie_of(ref), series.conference_key
        if tie.referent is not None and tie.referent.state != "gone":
            return
        known = tie.link or Link(
            key=ref.link_key, calendar_key=ref.calendar_key, event_id=ref.event_id, conference_key=of_series
        )
        tied = {"conference_key": of_series, "ical_uid": series.ical_uid, "series_id": series.event_id}
        self.links[ref.link_key] = known.model_copy(update=tied)

    def _want_whole(self, ref: EventRef, series: Link) -> None:
        capabilities = self.terms.capabilities.get(self.conferences[series.conference_key].provider)
        if series.ical_uid is None or capabilities is None or "occurrences" not in capabilities.carries:
            return
        seen = self.sight.get(ref)
        if seen is not None and seen.says_nothing:
            return
        if seen is None or seen.exceptions is None:
            self.readings.add(Reading(ref, series.ical_uid))
        else:
            self.touched.add(series.conference_key)

    def _is_live_owner(self, link: Link) -> bool:
        return self._tie_of(EventRef(link.calendar_key, link.event_id)).is_live_owner

    def _tie_of(self, ref: EventRef) -> Tie:
        return tie_of(ref, self.links, self.conferences)

    def _take_event(self, ref: EventRef) -> None:
        seen = self.sight[ref]
        named = self._named_by(ref, seen.event) if seen.event else None
        tie = self._tie_of(ref)
        if seen.event is not None and named is not None and seen.as_writer and not _is_old_news(seen.event, tie):
            self._hear_of_organizer(ref, seen.event, named)
        self._follow_verdict(ref, seen, tie, named)

    def _named_by(self, ref: EventRef, event: Event) -> str | None:
        """Return the key of the conference that the event names; what it is tied to counts under any name."""
        tied_to = self.links[ref.link_key].conference_key if ref.link_key in self.links else ""
        conference = self.conferences.get(tied_to)
        is_tied = conference is not None and holds(event, conference, self.terms.solutions)
        return tied_to if is_tied else claimed_key(event, self.terms)

    def _hear_of_organizer(self, ref: EventRef, event: Event, conference_key: str) -> None:
        """The add-on was used by a guest: then the organizer's calendar holds the event that may drive."""
        conference = self.conferences.get(conference_key)
        vouched = conference.registered.get(ref.link_key) if conference else None
        if conference is None or vouched is None or event.is_cancelled:
            return
        is_guests = event.organizer is not None and not event.organizer.is_self
        organizer = organizer_key(event, self.terms.tenant) if is_guests else ""
        if organizer not in ("", vouched.organizer):
            heard = vouched.model_copy(update={"organizer": organizer})
            known = conference.model_copy(update={"registered": {**conference.registered, ref.link_key: heard}})
            self.conferences[conference_key] = promote_claims(known, self.terms.rules.claims)
            self.touched.add(conference_key)

    def _follow_verdict(self, ref: EventRef, seen: Seen, tie: Tie, named: str | None) -> None:
        found = verdict(seen, tie, named)
        if found == "orphaned" and seen.event is not None and _is_bare_instance(seen.event):
            found = self._verdict_of_series(EventRef(self.calendar_key, str(seen.event.recurring_event_id)))
        if tie.link is not None and _is_lost(seen):
            self._look_at_instances(tie.link)
        if found == "confirm":
            self.readings.add(Reading(ref))
        elif found == "bind" and seen.event is not None and named is not None:
            self._bind(ref, seen.event, seen, named, tie)
        elif found in ("gone", "orphaned"):
            self._lose(ref, tie, "gone" if found == "gone" else "orphaned", seen.event)
        elif found == "ignore" and tie.is_live_owner:
            self.unheard.add(ref)

    def _verdict_of_series(self, series: EventRef) -> Verdict:
        """A cancelled instance that names nobody was deleted, unless it went away with its whole series."""
        seen = self.sight.get(series)
        if seen is None:
            self.readings.add(Reading(series))
        if seen is None or seen.event is None:
            return "ignore" if seen is None or seen.says_nothing else "orphaned"
        return "gone" if seen.event.is_organizers_copy or is_deleted_here(seen.event) else "orphaned"

    def _look_at_instances(self, series: Link) -> None:
        """Of an instance with a conference of its own, Calendar may say no more than that its series is gone."""
        instances = {EventRef(self.calendar_key, event_id) for event_id in series.own_instances}
        self.readings.update(Reading(instance) for instance in instances if instance not in self.sight)

    def _bind(self, ref: EventRef, event: Event, seen: Seen, conference_key: str, tie: Tie) -> None:
        conference = self.conferences.get(conference_key) or claimed_conference(event, self.terms)
        referent = bound_referent(ref, event, conference, self.terms.rules.claims)
        if referent is None or self._is_one_claim_too_many(ref, referent, conference):
            self.unheard.add(ref)
            return
        self.conferences[conference_key] = conference
        if referent.role == "claimed" and ref.link_key not in conference.referents:
            self.claims.add(ref)
        if tie.link is not None and tie.link.conference_key != conference_key:
            self._lose(ref, tie, "gone", event)
        link = bound_link(ref, event, conference_key, tie.link)
        self.links[link.key] = link
        self._refer(conference_key, link.key, referent)
        if event.recurring_event_id is not None:
            self._remember_own_instance(event.recurring_event_id, ref.event_id)
        if event.recurrence:
            self._take_series(ref, seen, link, is_new=tie.link is None or tie.link.conference_key != conference_key)

    def _is_one_claim_too_many(self, ref: EventRef, referent: Referent, conference: Conference) -> bool:
        """Anybody can write any conference id into events of their own: a conference's record must not grow by it."""
        claims = sum(known.role == "claimed" for known in conference.referents.values())
        return referent.role == "claimed" and ref.link_key not in conference.referents and claims >= MOST_CLAIMS

    def _take_series(self, ref: EventRef, seen: Seen, link: Link, *, is_new: bool) -> None:
        """Exceptions of a new series may have been listed before it, when they concerned nobody."""
        for exception in seen.exceptions or ():
            exception_ref = EventRef(self.calendar_key, exception.id)
            self._absorb(exception_ref, exception, link)
            self._remember_exception(exception_ref, link)
        if seen.exceptions is not None:
            self._reach(link, seen.exceptions, whole=True)
        if any(self._shares(exception, link.conference_key) for exception in seen.exceptions or ()):
            self.links[link.key] = link.model_copy(update={"has_exceptions": True})
        elif (link.has_exceptions or is_new) and self._is_live_owner(link):
            self._want_whole(ref, link)

    def _remember_own_instance(self, series_id: str, event_id: str) -> None:
        """Its series need not have a conference, and is remembered all the same."""
        key = Link.key_for(self.calendar_key, series_id)
        series = self.links.get(key) or Link(
            key=key, calendar_key=self.calendar_key, event_id=series_id, conference_key=""
        )
        known = tuple(dict.fromkeys((*series.own_instances, event_id)))
        self.links[key] = series.model_copy(update={"own_instances": known})

    def _reach(self, series: Link, exceptions: Iterable[Event], *, whole: bool) -> None:
        """A series goes on until the last of its moved instances is over."""
        tie = self._tie_of(EventRef(series.calendar_key, series.event_id))
        conference = self.conferences.get(series.conference_key)
        if tie.referent is None or conference is None:
            return
        sharing = [e for e in exceptions if not e.is_cancelled and self._shares(e, conference.key)]
        ends = [instant_of(times.end) for e in sharing if (times := times_of(e)) is not None]
        by_rule, known = last_end(tie.referent.times), None if whole else tie.referent.until
        last = max([by_rule, *ends, *([known] if known else [])])
        until = last if last > by_rule else None
        if until != tie.referent.until:
            reaching = {**conference.referents, series.key: tie.referent.model_copy(update={"until": until})}
            self.conferences[conference.key] = conference.model_copy(update={"referents": reaching})

    def _lose(self, ref: EventRef, tie: Tie, state: ReferentState, event: Event | None) -> None:
        if tie.link is None or tie.referent is None:
            return
        moved_to = event.organizer.email if event is not None and event.organizer is not None else None
        is_news = tie.referent.state != state or (state == "orphaned" and tie.referent.moved_to != moved_to)
        since = self.now if tie.referent.state != state else tie.referent.since
        lost = {"state": state, "since": since, "moved_to": moved_to if state == "orphaned" else None}
        self._refer(tie.link.conference_key, ref.link_key, tie.referent.model_copy(update=lost))
        if state == "orphaned" and is_news:
            self._review_now(tie.link.conference_key)
        if state == "gone" and event is not None:
            self._lose_other_views(tie.link.conference_key, tie.referent, event)
        if event is not None and event.updated is not None:
            newer = {"etag": event.etag, "updated": event.updated, "sequence": event.sequence}
            self.links[ref.link_key] = tie.link.model_copy(update=newer)

    def _lose_other_views(self, conference_key: str, lost: Referent, tombstone: Event) -> None:
        """Another person's view of its calendar may never tell that the event was deleted."""
        referents = self.conferences[conference_key].referents
        for key, other in referents.items():
            if other.state == "live" and deletes_also(tombstone, lost, other):
                self._refer(conference_key, key, other.model_copy(update={"state": "gone", "since": self.now}))

    def _review_now(self, conference_key: str) -> None:
        """Where an event moved to is asked at once."""
        conference = self.conferences[conference_key]
        self.conferences[conference_key] = timed(conference.model_copy(update={"review_at": self.now}))

    def _refer(self, conference_key: str, link_key: str, referent: Referent) -> None:
        conference = self.conferences[conference_key]
        referents = {**conference.referents, link_key: referent}
        referring = self._noted(conference.model_copy(update={"referents": referents}), conference, link_key)
        promoted = promote_claims(referring, self.terms.rules.claims)
        self.conferences[conference_key] = note_promoted(promoted, referring.referents, self.now)
        self.touched.add(conference_key)

    def _noted(self, conference: Conference, known: Conference, link_key: str) -> Conference:
        """Say in the history what was seen of the event, if that is new."""
        before, after = known.referents.get(link_key), conference.referents[link_key]
        if before is not None and (before.state, before.role) == (after.state, after.role):
            return conference
        seen = self.sight.get(EventRef(after.calendar_key, after.event_id))
        event = seen.event if seen is not None else None
        shares = event is not None and holds(event, conference, self.terms.solutions)
        return note_referent(conference, before, after, seen, shares=shares, now=self.now)

    def judge_touched(self) -> None:
        """Judge each conference that any event touched, now that all events are taken."""
        for key in sorted(self.touched):
            conference = self.conferences[key]
            capabilities = self.terms.capabilities.get(conference.provider)
            if capabilities is None:  # a provider that was taken out of the settings: nobody could be told
                continue
            judgement = judge(conference, self._sight_of(conference), capabilities, self.now, self.terms.rules)
            self.conferences[key] = judgement.conference
            if judgement.readings:
                self.readings.update(judgement.readings)
                self.readings.update(self._other_owners(judgement.conference))

    def _other_owners(self, conference: Conference) -> set[Reading]:
        """Any of them may turn out to drive: read together, they settle it in one round."""
        upcoming = (r for r in conference.referents.values() if over_at(r) > self.now)
        owners = {EventRef(r.calendar_key, r.event_id) for r in upcoming if (r.role, r.state) == ("owner", "live")}
        return {Reading(ref) for ref in owners if ref.calendar_key == self.calendar_key and ref not in self.sight}

    def _sight_of(self, conference: Conference) -> Sight:
        """Its own events, without what says nothing, and with only those exceptions that share the conference."""
        refs = (EventRef(r.calendar_key, r.event_id) for r in conference.referents.values())
        seen = {ref: self.sight[ref] for ref in refs if ref in self.sight}
        current = {ref: seen for ref, seen in seen.items() if not self._is_outdated(ref, seen)}
        heard = {ref: seen for ref, seen in current.items() if seen.confirmed or ref not in self.unheard}
        return {ref: self._shown(ref, seen, conference.key) for ref, seen in heard.items()}

    def _is_outdated(self, ref: EventRef, seen: Seen) -> bool:
        """Another calendar's own sync may have recorded more since its event was read here."""
        link = self.links.get(ref.link_key)
        foreign = ref.calendar_key != self.calendar_key
        return foreign and link is not None and seen.event is not None and is_older(seen.event, link)

    def _shown(self, ref: EventRef, seen: Seen, conference_key: str) -> Seen:
        event, conference = seen.event, self.conferences[conference_key]
        speaks = event is None or event.is_cancelled or holds(event, conference, self.terms.solutions)
        if ref in self.unheard or not speaks:
            return Seen(None, confirmed=True)  # it may get another one just now, or wait for its own calendar's sync
        if not seen.exceptions:
            return seen
        return replace(seen, exceptions=tuple(e for e in seen.exceptions if self._shares(e, conference_key)))

    def _shares(self, exception: Event, conference_key: str) -> bool:
        return exception.is_cancelled or holds(exception, self.conferences[conference_key], self.terms.solutions)

    def mark_seen(self, own: Sequence[EventRef], listing: int) -> None:
        """Note which links a full listing contained; the sweep reads the others."""
        for ref in own:
            link = self.links.get(ref.link_key)
            if link is not None and not self.sight[ref].missing_from_list:
                self.links[link.key] = link.model_copy(update={"seen_in": listing})

    def readings_once(self) -> set[Reading]:
        """A series that is read whole is not read alone too."""
        whole = {reading.ref for reading in self.readings if reading.series_uid is not None}
        return {r for r in self.readings if r.series_uid is not None or r.ref not in whole}


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
