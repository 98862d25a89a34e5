"""The plan: what to record, given what Calendar shows and what was recorded before.

    sight + links + conferences --plan--> links', conferences'   (or: what has to be read first)

Each event is judged on its own (`binding`), then each conference that any of them touched (`judging`). The plan is a
pure function, so it can be made again inside a transaction, and again after a crash, with the same result. The full
scenario table extends `binding.verdict` and `judging.judge`; nothing else decides (`taking` and `series` carry it out).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from confsync.core import series, taking, touched
from confsync.core.conference import Conference
from confsync.core.draft import Draft
from confsync.core.events import Event
from confsync.core.records import EventRef, Link
from confsync.core.sight import Reading, Seen, Sight
from confsync.core.terms import Terms, claimed_key


@dataclass(frozen=True)
class Recorded:
    """The records that a plan starts from."""

    links: Mapping[str, Link]
    conferences: Mapping[str, Conference]


@dataclass(frozen=True)
class Plan:
    """What differs from what was recorded; not to be stored while `readings` is not empty."""

    links: tuple[Link, ...]
    conferences: tuple[Conference, ...]
    readings: frozenset[Reading]
    claims: frozenset[EventRef]
    """Events that claim a conference for which nobody vouched, seen for the first time."""
    announced: str = ""
    """Key of the conference among those whose call is announced with them: it has to leave once they are stored."""
    waiting: Sight = field(default_factory=dict)
    """Instances that nobody can understand while their series says nothing, which is how that is seen."""


def link_keys(sight: Sight, calendar_key: str) -> set[str]:
    """Return the keys of the links that a plan for this sight needs: of each event and of each exception's series.

    Of other calendars, those of the events themselves, to see whether more was recorded of them since.
    """
    own = [(ref, seen) for ref, seen in sight.items() if ref.calendar_key == calendar_key]
    masters = [seen.event.recurring_event_id for _, seen in own if seen.event and seen.event.recurring_event_id]
    exceptions = [event.id for _, seen in own for event in seen.exceptions or ()]
    return {ref.link_key for ref in sight} | {Link.key_for(calendar_key, id_) for id_ in (*masters, *exceptions)}


def series_keys(links: Mapping[str, Link]) -> set[str]:
    """Return the keys of the links of the series of these exceptions, which may show nothing but their ids."""
    of_series = (link for link in links.values() if link.series_id is not None)
    return {Link.key_for(link.calendar_key, str(link.series_id)) for link in of_series} - set(links)


def conference_keys(sight: Sight, links: Mapping[str, Link], terms: Terms) -> set[str]:
    """Return the keys of the conferences that a plan needs: those linked, and those that events name."""
    named = (claimed_key(seen.event, terms) for seen in sight.values() if seen.event)
    return {key for key in (*named, *(link.conference_key for link in links.values())) if key}


def concerns_us(event: Event, links: Mapping[str, Link], calendar_key: str, terms: Terms) -> bool:
    """Whether the event is linked, names a conference of ours, or is an exception of a linked series."""
    if Link.key_for(calendar_key, event.id) in links or claimed_key(event, terms) is not None:
        return True
    return event.recurring_event_id is not None and Link.key_for(calendar_key, event.recurring_event_id) in links


def plan(
    calendar_key: str,
    sight: Sight,
    recorded: Recorded,
    terms: Terms,
    *,
    now: datetime,
    listing: int = 0,
    is_part: bool = False,
    is_sweep: bool = False,
) -> Plan:
    """Return what to record of the events of one calendar.

    Args:
        calendar_key: the calendar that is synced; events of others in `sight` are only looked at, never recorded.
        listing: number of the full listing that `sight` belongs to; 0 for an incremental one.
        is_part: whether the same listing shows more events after these.
        is_sweep: whether that listing is complete: what it did not show is missing from it.

    """
    if is_sweep:
        sight = _swept(sight, calendar_key, recorded.links, listing)
    elif listing:
        sight = _left_to_sweep(sight, calendar_key, recorded.links, listing)
    draft = Draft(calendar_key, sight, terms, now, dict(recorded.links), dict(recorded.conferences), is_part)
    own = [ref for ref in sight if ref.calendar_key == calendar_key]
    for ref in sorted(own, key=lambda ref: taking.turn(draft, ref)):
        taking.take(draft, ref)
    series.read_whole(draft)
    touched.judge_touched(draft)
    if listing:
        draft.mark_seen([ref for ref in own if sight[ref].listed or sight[ref].event is not None], listing)
    return _difference(draft, recorded)


def _swept(sight: Sight, calendar_key: str, links: Mapping[str, Link], listing: int) -> dict[EventRef, Seen]:
    """Return the sight with each event marked that the listing did not show, also one that only the plan asked for."""
    linked = ((ref, links.get(ref.link_key)) for ref in sight if ref.calendar_key == calendar_key)
    missing = [ref for ref, link in linked if link is not None and link.seen_in != listing]
    return {**sight, **{ref: replace(sight[ref], missing_from_list=True) for ref in missing}}


def _left_to_sweep(sight: Sight, calendar_key: str, links: Mapping[str, Link], listing: int) -> dict[EventRef, Seen]:
    """Return the sight in which nothing follows yet from an event that is unknown, and was not listed so far.

    The sweep reads it once more, when the complete listing can tell whether it was deleted or moved away.
    """
    unknown = [ref for ref, seen in sight.items() if seen.event is None and not seen.listed]
    linked = ((ref, links.get(ref.link_key)) for ref in unknown if ref.calendar_key == calendar_key)
    unlisted = [ref for ref, link in linked if link is not None and link.seen_in != listing and link.series_id is None]
    return {**sight, **{ref: replace(sight[ref], unproven=True) for ref in unlisted}}


def _difference(draft: Draft, recorded: Recorded) -> Plan:
    links, conferences = recorded.links, recorded.conferences
    return Plan(
        links=tuple(link for key, link in draft.links.items() if links.get(key) != link),
        conferences=tuple(found for key, found in draft.conferences.items() if conferences.get(key) != found),
        readings=frozenset(draft.readings_once()),
        claims=frozenset(draft.claims),
        waiting=draft.waiting,
    )
