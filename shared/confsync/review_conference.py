"""Look at a conference again although nothing changed in Calendar, and start what follows.

    another event drives now  -> ask its calendar to read it
    its event moved           -> look where it went: ask that calendar to read it, or learn that it was lost there
    its event never appeared  -> begin the grace period
    all is over for long      -> forget it

It must never end a conference, and never forget one that an event may still hold.
"""

from collections.abc import Collection, Iterable
from datetime import timedelta

from confsync.ask_to_observe import ask_to_observe, asked_within, start_asked
from confsync.core import reviewing
from confsync.core.brake import newly_decided
from confsync.core.conference import Conference
from confsync.core.driving import over_at
from confsync.core.ending import may_live_unseen
from confsync.core.judging import judge
from confsync.core.owners import new_owners, owners_of
from confsync.core.records import Calendar, Link
from confsync.core.rules import Rules
from confsync.core.terms import Terms
from confsync.hold_end import count_ends
from confsync.looking import look_at_owners
from confsync.paging import links_of
from confsync.ports import Outside, Transaction
from confsync.searching import search_for


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


def _look_for_orphans(conference: Conference, outside: Outside, terms: Terms) -> None:
    """Look in the calendars that the tombstones name; give up when the time is over."""
    now, orphans = outside.now(), owners_of(conference, "orphaned")
    give_up_at = max(reviewing.give_up_at(orphan, now, terms.rules) for orphan in orphans.values())
    if give_up_at <= now:
        _change(conference, lambda c: reviewing.kept_for_good(c, now), outside, terms.rules)
        return
    lost, not_lost = search_for(orphans, conference, outside, terms)
    ask_to_observe(not_lost, outside)
    capabilities = terms.capabilities.get(conference.provider)

    def settle(stored: Conference) -> Conference:
        found_at = outside.now()  # the search took its time, and the grace period begins now
        for home in lost:
            stored = reviewing.lost_there(stored, home, found_at)
        again = reviewing.reviewed(stored, min(give_up_at, found_at + timedelta(seconds=terms.rules.search_s)))
        return judge(again, {}, capabilities, found_at, terms.rules).conference if lost else again

    _change(conference, settle, outside, terms.rules, {home.calendar_key for home in lost})


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
