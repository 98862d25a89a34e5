"""Conferences that take the place of another in its events: of one that cannot come back, or of one that is shared.

    (none) --a--> reserved --b--> made --c--> (none, or kept for later events)

    a  the reservation is stored before anything is asked of the back end
    b  the back end made it: its id and conference data are stored, and the conference is registered for its events
    c  every event that still names the old conference holds the new one; it is kept for events that come later

No I/O. It must never let one reservation become two conferences: its operation id is the same for every attempt.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from confsync.core.capabilities import Capabilities
from confsync.core.conference import ENDED, Conference, Referent, Replacement
from confsync.core.desires import is_pending, timed
from confsync.core.history import with_note
from confsync.core.projection import fingerprint
from confsync.core.records import key_of
from confsync.core.rules import Rules
from confsync.core.state import ConferenceState

KEPT_MINTS = 10
"""Conferences of duplicates that are remembered for their later parts: a record must not grow."""


def is_beyond_revival(conference: Conference, capabilities: Capabilities) -> bool:
    """Whether the conference ended for good, so that an event that holds it needs another one."""
    ended = conference.applied is not None and conference.applied.fingerprint == ENDED and not is_pending(conference)
    return conference.gone or (ended and not capabilities.restores and capabilities.creates)


def lacks_successor(conference: Conference, owners: Iterable[str]) -> bool:
    """Whether the conference ended for good, and one of these events holds it still."""
    return conference.gone and not set(owners) <= under_way(conference)


def succeed(
    conference: Conference,
    owners: Mapping[str, Referent],
    state: ConferenceState,
    capabilities: Capabilities,
    now: datetime,
) -> Conference:
    """Return the conference given up, with one successor reserved for all events that hold it."""
    given_up = timed(conference.model_copy(update={"gone": True, "call_at": None}))
    known = next((each for each in conference.replacements if each.is_successor), None)
    waiting = set(owners) - under_way(conference)
    if not capabilities.creates or not waiting or (known is not None and known.refused == fingerprint(state)):
        return given_up
    if known is None or known.refused:
        return _reserve(given_up, sorted(waiting), state, now, is_successor=True)
    links = tuple(sorted(waiting.union(known.links)))
    return stored(given_up, _with_links(known, links, now))


def _with_links(known: Replacement, links: Collection[str], now: datetime) -> Replacement:
    """One that is under way stays due when it is: its call may not have been answered yet."""
    return known.model_copy(update={"links": tuple(links), "due_at": known.due_at or now})


def copies_among(owners: Mapping[str, Referent], conference: Conference) -> set[str]:
    """Return the owners that are duplicates of another: in its calendar, made at another time, not vouched for.

    The parts of a split series are no duplicates: they keep the time at which the series was made.
    """
    originals = {key: owner for key, owner in owners.items() if key in conference.registered} or _oldest(owners)
    return {
        key
        for key, owner in owners.items()
        if key not in originals and any(_is_copy_of(owner, original) for original in originals.values())
    }


def _oldest(owners: Mapping[str, Referent]) -> Mapping[str, Referent]:
    dated = {key: owner.created for key, owner in owners.items() if owner.created is not None}
    first = min(dated.values(), default=None)
    return {key: owners[key] for key, created in dated.items() if created == first}


def _is_copy_of(owner: Referent, original: Referent) -> bool:
    dates = (owner.created, original.created)
    return owner.calendar_key == original.calendar_key and None not in dates and dates[0] != dates[1]


def under_way(conference: Conference) -> set[str]:
    """Return the link keys of the events that are to get another conference.

    An event that has got it, and holds the old one again, is to get it once more.
    """
    return {key for each in conference.replacements if each.due_at is not None for key in each.links}


def minted_for(conference: Conference) -> set[str]:
    """Return those of them that are duplicates, and are to get one of their own."""
    mints = (each for each in conference.replacements if each.due_at is not None and not each.is_successor)
    return {key for each in mints for key in each.links}


def refused_for(conference: Conference) -> dict[str, str]:
    """Return the link keys of the events for which none could be made, with the fingerprint of what was refused."""
    return {key: each.refused for each in conference.replacements if each.refused for key in each.links}


def mint(conference: Conference, link_key: str, state: ConferenceState, now: datetime) -> Conference:
    """Return the conference with another one reserved for a duplicate of its event.

    The parts of a duplicate that was split share one.
    """
    known = next((each for each in conference.replacements if _is_for(each, link_key, conference)), None)
    if known is None:
        return _reserve(conference, [link_key], state, now, is_successor=False)
    return stored(conference, _with_links(known, dict.fromkeys((*known.links, link_key)), now))


def _is_for(replacement: Replacement, link_key: str, conference: Conference) -> bool:
    if replacement.is_successor or replacement.refused:
        return False
    events = [event for key in replacement.links if (event := conference.referents.get(key)) is not None]
    return any(_are_parts(event, conference.referents[link_key]) for event in events)


def _are_parts(one: Referent, other: Referent) -> bool:
    return one.calendar_key == other.calendar_key and None is not one.created == other.created


def _reserve(
    conference: Conference, links: Sequence[str], state: ConferenceState, now: datetime, *, is_successor: bool
) -> Conference:
    """What was refused for these events is asked for anew, as another operation."""
    number = conference.replaced + 1
    reserved = Replacement(
        number=number, reserved_at=now, links=tuple(links), is_successor=is_successor, state=state, due_at=now
    )
    others = (each for each in conference.replacements if not (each.refused and set(each.links) <= set(links)))
    update = {"replacements": (*others, reserved), "replaced": number}
    why = "a successor was reserved" if is_successor else "a conference was reserved for a duplicate"
    return with_note(timed(conference.model_copy(update=update)), why, now)


def operation_id(conference: Conference, replacement: Replacement) -> str:
    """Return the id that every attempt to make this one conference carries.

    A back end answers it with the conference that it made for it, though that has ended since: so it must never come
    again for another.
    """
    return "op_" + key_of("create", conference.key, str(replacement.number), replacement.reserved_at.isoformat())


def stored(conference: Conference, replacement: Replacement) -> Conference:
    """Return the conference with this replacement as it is now."""
    return timed(conference.model_copy(update={"replacements": _with(conference, replacement)}))


def with_links_of(conference: Conference, replacement: Replacement) -> Replacement:
    """Return the replacement for the events that it is stored for by now."""
    links = (each.links for each in conference.replacements if each.number == replacement.number)
    return replacement.model_copy(update={"links": next(links, replacement.links)})


def announced(conference: Conference, replacement: Replacement, due_at: datetime) -> Conference:
    """Return the conference with a call for this replacement about to leave; until `due_at` its outcome is open."""
    update = {"due_at": due_at, "attempts": replacement.attempts + 1, "perhaps_made": True}
    return stored(conference, replacement.model_copy(update=update))


def awaited_until(conference: Conference, now: datetime, rules: Rules) -> datetime | None:
    """Return until when a call for a replacement may be answered; None: none is under way."""
    latest = now + timedelta(seconds=rules.intent_s)
    asked_for = (each for each in conference.replacements if each.perhaps_made and each.conference_id is None)
    return max((each.due_at for each in asked_for if each.due_at and now < each.due_at <= latest), default=None)


def waiting(conference: Conference, replacement: Replacement, due_at: datetime, *, perhaps_made: bool) -> Conference:
    """Return the conference with this replacement to go on later."""
    attempts = replacement.attempts + (replacement.conference_id is not None)  # those to make it are counted before
    update = {"due_at": due_at, "perhaps_made": perhaps_made, "attempts": attempts}
    return stored(conference, replacement.model_copy(update=update))


def paused(conference: Conference, until: datetime) -> Conference:
    """Return the conference with nothing done for its replacements before a time."""
    later = (each.model_copy(update={"due_at": until}) if each.due_at else each for each in conference.replacements)
    return timed(conference.model_copy(update={"replacements": tuple(later)}))


def given_up(conference: Conference, replacement: Replacement) -> Conference:
    """Return the conference with this replacement refused for its state, of which titles and guests are forgotten."""
    refused = fingerprint(replacement.state) if replacement.state else ""
    over = {"due_at": None, "state": None, "refused": refused, "perhaps_made": False}
    return stored(conference, replacement.model_copy(update=over))


def cancelled(conference: Conference, replacement: Replacement) -> Conference:
    """Return the conference without a reservation that nobody needs as it is: nothing was made, or it is forgotten."""
    left = tuple(each for each in conference.replacements if each.number != replacement.number)
    return timed(conference.model_copy(update={"replacements": left}))


def done(conference: Conference, replacement: Replacement, relinked: Collection[str]) -> Conference:
    """Return the conference with these events relinked; the replacement is kept for events that come later.

    Where another event was added meanwhile, it stays due.
    """
    if not set(replacement.links) <= set(relinked):
        return conference
    kept = stored(conference, replacement.model_copy(update={"due_at": None, "attempts": 0}))
    minted = [each for each in kept.replacements if _is_kept_mint(each)]
    return kept if len(minted) <= KEPT_MINTS else cancelled(kept, minted[0])


def _is_kept_mint(replacement: Replacement) -> bool:
    return not replacement.is_successor and replacement.due_at is None and not replacement.refused


def _with(conference: Conference, changed: Replacement) -> tuple[Replacement, ...]:
    return tuple(changed if each.number == changed.number else each for each in conference.replacements)
