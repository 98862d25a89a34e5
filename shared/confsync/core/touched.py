"""The conferences that a plan in the making touched: each is judged by what its own events show.

It must never judge by an event that says nothing now, or that shows another conference.
"""

from dataclasses import replace

from confsync.core.binding import is_older
from confsync.core.conference import Conference
from confsync.core.draft import Draft
from confsync.core.driving import over_at
from confsync.core.judging import judge
from confsync.core.records import EventRef
from confsync.core.sight import Reading, Seen, Sight
from confsync.core.terms import holds


def judge_touched(draft: Draft) -> None:
    """Judge each conference that any event touched, now that all events are taken."""
    for key in sorted(draft.touched):
        conference = draft.conferences[key]
        capabilities = draft.terms.capabilities.get(conference.provider)
        judgement = judge(conference, _sight_of(draft, conference), capabilities, draft.now, draft.terms.rules)
        draft.conferences[key] = judgement.conference
        if judgement.readings:
            draft.readings.update(judgement.readings)
            draft.readings.update(_other_owners(draft, judgement.conference))


def _other_owners(draft: Draft, conference: Conference) -> set[Reading]:
    """Any of them may turn out to drive: read together, they settle it in one round."""
    upcoming = (r for r in conference.referents.values() if over_at(r) > draft.now)
    owners = {r.ref for r in upcoming if (r.role, r.state) == ("owner", "live")}
    return {Reading(ref) for ref in owners if ref.calendar_key == draft.calendar_key and ref not in draft.sight}


def _sight_of(draft: Draft, conference: Conference) -> Sight:
    """Its own events, without what must be confirmed, and with only those exceptions that share the conference."""
    refs = (r.ref for r in conference.referents.values())
    seen = {ref: draft.sight[ref] for ref in refs if ref in draft.sight}
    current = {ref: seen for ref, seen in seen.items() if not _is_outdated(draft, ref, seen)}
    heard = {ref: seen for ref, seen in current.items() if _was_heard(draft, ref, seen)}
    return {ref: _shown(draft, ref, seen, conference.key) for ref, seen in heard.items()}


def _was_heard(draft: Draft, ref: EventRef, seen: Seen) -> bool:
    """What was asked for in vain is not asked for again: it would hold up its whole calendar (rule R18)."""
    return seen.confirmed or seen.says_nothing or ref not in draft.unheard


def _is_outdated(draft: Draft, ref: EventRef, seen: Seen) -> bool:
    """Another calendar's own sync may have recorded more since its event was read here."""
    link = draft.links.get(ref.link_key)
    foreign = ref.calendar_key != draft.calendar_key
    return foreign and link is not None and seen.event is not None and is_older(seen.event, link)


def _shown(draft: Draft, ref: EventRef, seen: Seen, conference_key: str) -> Seen:
    event, conference = seen.event, draft.conferences[conference_key]
    speaks = event is None or event.is_cancelled or holds(event, conference, draft.terms.solutions)
    if seen.says_nothing:
        return seen
    if ref in draft.unheard or not speaks:
        return Seen(None, confirmed=True)  # it may get another one just now, or wait for its own calendar's sync
    if not seen.exceptions:
        return seen
    return replace(seen, exceptions=tuple(e for e in seen.exceptions if draft.shares(e, conference_key)))
