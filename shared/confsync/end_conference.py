"""Carry out a decided end as far as to want it: when the grace period is over, look at every owner once more.

    held already? -> keep;  too many ends? -> `hold_end`
    read every owner again -> want the end, wait for what could not be read, or look for what left

It must never want an end because something could not be read, nor call the conferencing system: `update_conference`
does.
"""

from collections.abc import Callable
from datetime import datetime

from confsync.ask_to_observe import ask_to_observe
from confsync.call_back_end import not_configured
from confsync.core import brake, desires, ending, judging, reviewing
from confsync.core.binding import is_covered
from confsync.core.conference import Conference
from confsync.core.records import Calendar, EventRef, Link
from confsync.core.rules import Rules
from confsync.core.terms import Terms
from confsync.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefusesUs,
)
from confsync.hold_end import HeldEnd, decide_anew, hold_end
from confsync.looking import look_at_owners
from confsync.ports import Outside, Transaction

ENDS_LATER = "end waits for its owners"
HOST_UNKNOWN = "end waits: the back end did not say who hosts it"


def decide_end(conference_key: str, outside: Outside, terms: Terms) -> HeldEnd | None:
    """When the grace period is over, look at every owner once more, then want the end or keep the conference.

    Where too many ends were decided it is held instead, and so is one that is wanted already; that is returned. While
    its provider is not configured it waits, since what its events hold depends on the settings.
    """
    conference = outside.store.get(Conference, conference_key)
    if conference is None:
        return None
    is_due = ending.is_end_due(conference, outside.now())
    if is_due and (reason := not_configured(conference, outside)):
        _change(conference, lambda c, now: desires.postpone_end(c, terms.rules.refused_pause_s, reason, now), outside)
        return None
    if is_due and judging.was_held(conference, outside.now()):
        _keep_held(conference_key, outside)
        return None
    if not brake.was_put_off(conference, terms.rules) and decide_anew(conference, outside, terms.rules):
        return None
    held = hold_end(conference, outside, terms.rules)
    if is_due and held is None:
        _look_once_more(conference, outside, terms)
    return held


def _look_once_more(conference: Conference, outside: Outside, terms: Terms) -> None:
    sight, wait_s = look_at_owners(conference, outside, terms)
    tied_elsewhere, out_of_sight = _without_sync(conference, outside)
    left_unseen = ending.left_unseen(conference, sight, out_of_sight)
    still_there = ending.owners_still_there(conference, sight, terms.solutions, tied_elsewhere)
    if not still_there and not _may_end(conference, outside, terms):
        return
    if not still_there and decide_anew(conference, outside, terms.rules):
        return  # it was put off for long, and counts once more now that it could end

    def body(tx: Transaction) -> None:
        now, stored = outside.now(), tx.get(Conference, conference.key)
        if stored is None or not _is_same(stored, conference):
            return  # a sync changed it meanwhile, and judged it anew
        if ending.may_live_unseen(conference, sight, terms.solutions):
            tx.put(reviewing.kept_unseen(stored, now, terms.rules))
        elif left_unseen:
            tx.put(reviewing.out_of_sight(stored, left_unseen, now))
        elif still_there:
            tx.put(desires.postpone_end(stored, wait_s or _patience_s(stored, terms.rules), ENDS_LATER, now))
        else:
            tx.put(desires.desire_end(stored, now))

    outside.store.transact(body)
    ask_to_observe(still_there, outside)  # its calendar may never list again what was seen here


def _without_sync(conference: Conference, outside: Outside) -> tuple[list[EventRef], list[EventRef]]:
    """Return the events of which no sync tells this conference any more: those known with another one, and the others.

    They were seen with another conference since, where it may be out of sight too; or they were only looked at.
    """
    refs = {key: event.ref for key, event in conference.referents.items()}
    ties = {key: link.conference_key for key, link in outside.store.get_many(Link, refs).items()}
    tied_elsewhere = set(ties.values()) - {"", conference.key}
    others = outside.store.get_many(Conference, tied_elsewhere) if tied_elsewhere else {}
    known: list[EventRef] = []
    out_of_sight: list[EventRef] = []
    for key, ref in refs.items():
        tie = ties.get(key, "")
        if tie == conference.key:
            continue
        other = others.get(tie)
        event = other.referents.get(key) if other is not None else None
        # A claim that moved counts as gone: nobody looks where it went.
        is_known = tie != "" and (event is None or (event.state, event.role) == ("gone", "owner"))
        (known if is_known else out_of_sight).append(ref)
    return known, out_of_sight


def _is_same(stored: Conference, conference: Conference) -> bool:
    judged = (conference.referents, conference.registered, conference.end_after)
    return (stored.referents, stored.registered, stored.end_after) == judged


def _may_end(conference: Conference, outside: Outside, terms: Terms) -> bool:
    """Whether the conference is known to be its events' own; one that nobody vouched for may be somebody else's.

    Where it is not, it is kept; where the back end does not answer, the end waits.
    """
    provider = outside.providers[conference.provider]
    if _is_vouched_for(conference) or not provider.capabilities.tells_host:
        return True
    try:
        host = provider.host_of(conference.conference_id)
    except ProviderError as error:
        wait_s = _pause_s(error, terms.rules)
        _change(conference, lambda c, now: desires.postpone_end(c, wait_s, HOST_UNKNOWN, now), outside)
        return False
    if host is not None and host.lower() in _organizers(conference, outside):
        return True
    _change(conference, lambda c, now: desires.keep(c, "kept: its host is somebody else", now), outside)
    return False


def _is_vouched_for(conference: Conference) -> bool:
    """Whether the add-on's word covers those who held the conference; where nobody ever did, those who were to.

    One that knows of no event was made here, for events that were forgotten before it was there.
    """
    owners = [referent for referent in conference.referents.values() if referent.role == "owner"]
    if not owners:
        return bool(conference.registered) or not conference.referents
    return any(is_covered(conference, owner.calendar_key, owner.organizer) for owner in owners)


def _pause_s(error: ProviderError, rules: Rules) -> float:
    if isinstance(error, ProviderRefusesUs):
        return rules.refused_pause_s
    asked = error.retry_after_s if isinstance(error, ProviderBusy) else None
    return asked or rules.grace_s


def _organizers(conference: Conference, outside: Outside) -> set[str]:
    """An organizer's copy stands in the organizer's calendar."""
    keys = {referent.calendar_key for referent in conference.referents.values() if referent.role == "owner"}
    calendars = outside.store.get_many(Calendar, sorted(keys)).values()
    return {name.lower() for calendar in calendars for name in (calendar.calendar_id, calendar.subject)}


def _change(conference: Conference, change: Callable[[Conference, datetime], Conference], outside: Outside) -> None:
    def body(tx: Transaction) -> None:
        stored = tx.get(Conference, conference.key)
        if stored is not None and _is_same(stored, conference):
            tx.put(change(stored, outside.now()))

    outside.store.transact(body)


def _patience_s(conference: Conference, rules: Rules) -> float:
    """An end that has waited before is in no hurry."""
    has_waited = any(note.what == ENDS_LATER for note in conference.history[-1:])
    return rules.frozen_retry_s if has_waited else rules.grace_s


def _keep_held(conference_key: str, outside: Outside) -> None:
    def body(tx: Transaction) -> None:
        now, stored = outside.now(), tx.get(Conference, conference_key)
        if stored is not None and ending.is_end_due(stored, now) and judging.was_held(stored, now):
            tx.put(desires.keep(stored, "kept: it was held already", now))

    outside.store.transact(body)
