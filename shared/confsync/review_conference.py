"""Look at a conference again although nothing changed in Calendar, and start what follows.

    another event drives now  -> ask its calendar to read it
    its event moved           -> look where it went: ask that calendar to read it, or learn that it was lost there
    its event never appeared  -> begin the grace period
    all is over for long      -> forget it

It must never end a conference, and never forget one that an event may still hold.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from confsync.ask_to_observe import ask_to_observe, asked_within, start_asked
from confsync.core import leases, reviewing
from confsync.core.binding import is_deleted_here
from confsync.core.brake import newly_decided
from confsync.core.conference import Conference, Referent
from confsync.core.driving import over_at
from confsync.core.ending import may_live_unseen, shows_another
from confsync.core.identity import may_be_same, organizer_key
from confsync.core.judging import judge
from confsync.core.owners import new_owners, owners_of
from confsync.core.records import Calendar, EventRef, Link
from confsync.core.reviewing import NewHome
from confsync.core.rules import Rules
from confsync.core.sight import Reading
from confsync.core.terms import Terms, holds
from confsync.errors import CalendarError
from confsync.hold_end import count_ends
from confsync.looking import look_at_owners
from confsync.paging import links_of
from confsync.ports import Outside, Transaction
from confsync.reading import address_of, read_event, shows_in_full

CALENDARS_AT_MOST = 50
"""Of one user, in which an event is looked for that moved out of sight."""


def review_conference(conference_key: str, outside: Outside, terms: Terms) -> None:
    """Do what a review that is due comes to; nothing when none is due."""
    conference = outside.store.get(Conference, conference_key)
    if conference is None or not reviewing.is_review_due(conference, outside.now()):
        return
    match reviewing.review(conference, outside.now(), terms.rules):
        case "hand over":
            _hand_over(conference, outside, terms.rules)
        case "look for it":
            _look_for_orphans(conference, outside, terms)
        case "discarded":
            _discard(conference, outside, terms)
        case "forget":
            _forget(conference, outside)
        case "nothing":
            _change(conference, lambda c: reviewing.wait_on(c, outside.now(), terms.rules), outside, terms.rules)


def _discard(conference: Conference, outside: Outside, terms: Terms) -> None:
    """Decide the end of a draft, unless its event lives where nobody can follow it: that would be taken back.

    Where nobody can look, nothing is decided either: it would count in the brake, and be shown to operators.
    """
    sight, wait_s = look_at_owners(conference, outside, terms)
    if wait_s:
        again = outside.now() + timedelta(seconds=wait_s)
        _change(conference, lambda c: reviewing.reviewed(c, again), outside, terms.rules)
        return
    lives_unseen = may_live_unseen(conference, sight, terms.solutions)
    change = reviewing.kept_unseen if lives_unseen else reviewing.discarded
    _change(conference, lambda c: change(c, outside.now(), terms.rules), outside, terms.rules)


def _change(
    conference: Conference, change: reviewing.Change, outside: Outside, rules: Rules, seen_in: Collection[str] = ()
) -> None:
    """Change the stored conference, unless its events changed meanwhile: then it was judged anew.

    A claim that became an owner by that is to be read, since nobody did yet.

    Args:
        seen_in: calendars that it comes to know of. Where one was removed meanwhile, nothing is changed: it may be
            forgotten already, and nobody would take it out again.

    """

    def body(tx: Transaction) -> list[Calendar]:
        stored, calendars = tx.get(Conference, conference.key), tx.get_many(Calendar, seen_in) if seen_in else {}
        if stored is None or not _is_same(stored, conference) or _is_any_removed(calendars.values()):
            return []
        changed = change(stored)
        decided = newly_decided({stored.key: stored}, [changed])
        brakes = count_ends(tx, stored.tenant, decided, now=outside.now(), rules=rules)
        asked = asked_within(tx, new_owners(stored, changed), outside.now())
        for each in (*brakes, *asked, changed):
            tx.put(each)
        return asked

    start_asked(outside.store.transact(body), outside)


def _is_any_removed(calendars: Iterable[Calendar]) -> bool:
    return any(calendar.state == "removed" for calendar in calendars)


def _is_same(stored: Conference, conference: Conference) -> bool:
    seen = (conference.referents, conference.registered, conference.review_at)
    return (stored.referents, stored.registered, stored.review_at) == seen


def _hand_over(conference: Conference, outside: Outside, rules: Rules) -> None:
    """The sync that reads the events judges the conference, and says when to look again: by its own clock, at once."""
    now = outside.now()
    owners = [owner for owner in owners_of(conference, "live").values() if over_at(owner) > now]
    again = now + timedelta(seconds=rules.frozen_retry_s) if owners else None
    _change(conference, lambda c: reviewing.reviewed(c, again), outside, rules)
    ask_to_observe([owner.ref for owner in owners], outside)


@dataclass(frozen=True)
class _Search:
    """Where an event that moved out of sight may be."""

    orphan_key: str
    orphan: Referent
    calendar: Calendar

    @property
    def ref(self) -> EventRef:
        return EventRef(self.calendar.key, self.orphan.event_id)


def _look_for_orphans(conference: Conference, outside: Outside, terms: Terms) -> None:
    """Look in the calendars that the tombstones name; give up when the time is over."""
    now, orphans = outside.now(), owners_of(conference, "orphaned")
    give_up_at = max(reviewing.give_up_at(orphan, now, terms.rules) for orphan in orphans.values())
    if give_up_at <= now:
        _change(conference, lambda c: reviewing.kept_for_good(c, now), outside, terms.rules)
        return
    searches = [search for key in orphans for search in _searches(key, conference, outside, terms)]
    looks = [(search, _lost_home(search, conference, outside, terms)) for search in searches]
    lost = [home for _, home in looks if home is not None]
    ask_to_observe([search.ref for search, home in looks if home is None], outside)
    capabilities = terms.capabilities.get(conference.provider)

    def settle(stored: Conference) -> Conference:
        found_at = outside.now()  # the search took its time, and the grace period begins now
        for home in lost:
            stored = reviewing.lost_there(stored, home, found_at)
        again = reviewing.reviewed(stored, min(give_up_at, found_at + timedelta(seconds=terms.rules.search_s)))
        return judge(again, {}, capabilities, found_at, terms.rules).conference if lost else again

    _change(conference, settle, outside, terms.rules, {home.calendar_key for home in lost})


def _searches(orphan_key: str, conference: Conference, outside: Outside, terms: Terms) -> list[_Search]:
    """Return where to look: in the calendar of the organizer that the tombstone names, else in all of the same user.

    What was only looked at there, or seen with another conference since, may be back, or have gone further: no sync
    would tell.
    """
    orphan = conference.referents[orphan_key]
    left, link = outside.store.get(Calendar, orphan.calendar_key), outside.store.get(Link, orphan_key)
    if left is None:
        return []
    found = outside.store.calendars_of(terms.tenant, left.subject, CALENDARS_AT_MOST)
    is_heard_of = link is not None and link.conference_key == conference.key
    moved_to = (orphan.moved_to if is_heard_of else None) or _named_there(orphan, left, outside) or orphan.moved_to
    if moved_to is not None:
        own = Calendar.key_for(terms.tenant, moved_to, moved_to)
        found = [c for c in found if c.calendar_id == moved_to] or list(
            outside.store.get_many(Calendar, [own]).values()
        )
    places = [c for c in found if c.key != left.key]
    if not is_heard_of:
        places.append(left)
    return [_Search(orphan_key, orphan, place) for place in places if place.state in ("active", "poll_only")]


def _named_there(orphan: Referent, left: Calendar, outside: Outside) -> str | None:
    """Return which other organizer what is left of the event names now."""
    if not leases.is_synced(left):
        return None
    try:
        event = read_event(Reading(orphan.ref), address_of(left), outside).event
    except CalendarError:
        return None
    return event.organizer_elsewhere if event is not None else None


def _lost_home(search: _Search, conference: Conference, outside: Outside, terms: Terms) -> NewHome | None:
    """Return where the event is shown to be lost; None: not there.

    Only the calendar that organizes the event now proves that it was deleted, or holds another conference. That it
    holds none there proves nothing, the move itself may have dropped it; but where it had lost it before, that it was
    not put back.
    """
    try:
        event = read_event(Reading(search.ref), address_of(search.calendar), outside).event
        if event is None or not may_be_same(search.orphan, event):
            return None
        if not shows_in_full(search.calendar, search.calendar.sync_token, outside):
            return None
    except CalendarError:
        return None
    has_one = event.conference_data is not None and event.conference_data.conference_id is not None
    if not (
        is_deleted_here(event)
        or ((has_one or search.orphan.was_lost) and shows_another(event, conference, terms.solutions))
    ):
        return None
    return NewHome(
        search.orphan_key,
        search.ref.link_key,
        search.calendar.key,
        organizer_key(event, terms.tenant),
        changed_at=event.updated,
        held=holds(event, conference, terms.solutions),
    )


def _forget(conference: Conference, outside: Outside) -> None:
    """Delete the conference and the links of its events; an undelete is not possible any more."""
    keys = _links_of(conference, outside)

    def body(tx: Transaction) -> None:
        stored = tx.get(Conference, conference.key)
        links = tx.get_many(Link, keys)
        if stored is None or not _is_same(stored, conference):
            return
        for link in links.values():
            if link.conference_key != conference.key:
                continue
            if link.own_instances:
                tx.put(link.model_copy(update={"conference_key": ""}))  # other conferences depend on this series
            else:
                tx.delete(Link, link.key)
        tx.delete(Conference, conference.key)

    outside.store.transact(body)


def _links_of(conference: Conference, outside: Outside) -> set[str]:
    """Return the keys of the links of its events, and of the exceptions of its series."""
    keys = {*conference.referents, *conference.registered}
    links = outside.store.get_many(Link, keys).values()
    calendars = {link.calendar_key for link in links if link.has_exceptions}
    return keys | {key for calendar in calendars for key in _exceptions_in(calendar, conference.key, outside)}


def _exceptions_in(calendar_key: str, conference_key: str, outside: Outside) -> Iterable[str]:
    links = links_of(outside.store, calendar_key)
    return (link.key for link in links if link.series_id and link.conference_key == conference_key)
