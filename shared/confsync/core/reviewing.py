"""Looking at a conference again although nothing changed: whose event never came, moved, is over, or may be forgotten.

`review_conference` does what is decided here. No I/O. It must never decide that a conference ends: `judging` and the
last look do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from confsync.core.conference import UNKNOWN, Applied, Conference, Desired, Referent, Registration
from confsync.core.desires import cancel_end, is_pending, keep, timed, without_wanted_end
from confsync.core.driving import over_at
from confsync.core.history import note_promoted, with_note
from confsync.core.judging import (
    OUT_OF_SIGHT,
    begin_grace,
    draft_time,
    forget_time,
    last_seen_lost,
    last_word,
)
from confsync.core.owners import is_deserted, owners_of, promote_claims, was_owned
from confsync.core.rules import Rules

Finding = Literal["hand over", "look for it", "discarded", "forget", "nothing"]
"""What a review comes to: let another event drive; ask where an event moved to; end it; forget it; wait on."""


def is_review_due(conference: Conference, now: datetime) -> bool:
    """Whether the time has come to look again."""
    return conference.review_at is not None and conference.review_at <= now


def review(conference: Conference, now: datetime, rules: Rules) -> Finding:
    """Return what is to be done about a conference whose review is due."""
    if owners_of(conference, "live"):
        return "hand over"
    if owners_of(conference, "orphaned"):
        return "look for it"
    if any(referent.state == "live" for referent in conference.referents.values()):
        return "nothing"
    # Without either it was made here, for events that were forgotten meanwhile: nobody else stores such a one.
    was_expected = conference.registered or not conference.referents
    if was_expected and not was_owned(conference) and not _has_ended(conference):
        return "discarded"
    is_old = forget_time(conference, now, rules) <= now
    is_empty = is_deserted(conference) or not conference.referents
    return "forget" if is_old and is_empty and _is_settled(conference) else "nothing"


def _has_ended(conference: Conference) -> bool:
    return conference.gone or (conference.desired is not None and conference.desired.ended)


def _is_settled(conference: Conference) -> bool:
    """Nothing is left to tell, to end or to replace."""
    waits = is_pending(conference) or conference.end_after is not None or conference.brake == "held"
    return not waits and all(replacement.due_at is None for replacement in conference.replacements)


def registered(conference: Conference, vouched: Mapping[str, Registration], rules: Rules) -> Conference:
    """Return the conference with these events vouched for; one of them may still appear, or never."""
    known = conference.model_copy(update={"registered": {**conference.registered, **vouched}, "gone": False})
    if conference.adopted or conference.gone:
        known = known.model_copy(update=_untold(conference))
    for registration in vouched.values():
        known = with_note(known, "the add-on vouched for it", registration.at, "seen", registration.event_id)
        known = _with_claims_promoted(known, registration, rules)
    return expecting(known, {}, rules)


def _with_claims_promoted(conference: Conference, word: Registration, rules: Rules) -> Conference:
    """Let the claims that the word covers hold the conference at once: it may be long until their calendar is read."""
    promoted = promote_claims(conference, rules.claims)
    if promoted is conference:
        return conference
    noted = note_promoted(promoted, conference.referents, word.at)
    return without_wanted_end(cancel_end(noted, word.event_id, word.at))


def _untold(conference: Conference) -> dict[str, object]:
    """The word is worth a call: its back end was never told what it is, or holds nothing any more."""
    desired, told = conference.desired, conference.applied
    if desired is None:
        return {}
    if told is not None and is_pending(conference):
        return {"applied": Applied(generation=told.generation, fingerprint=UNKNOWN), "adopted": False}
    generation = desired.generation
    unknown = Applied(generation=generation, fingerprint=UNKNOWN)
    return {"desired": Desired(generation=generation, fingerprint=UNKNOWN), "applied": unknown, "adopted": False}


def expecting(conference: Conference, events: Mapping[str, Registration], rules: Rules) -> Conference:
    """Return the conference with these events to hold it; while none was seen to, that is looked at after a while."""
    known = conference.model_copy(update={"registered": {**conference.registered, **events}})
    if was_owned(conference) or any(claim.state == "live" for claim in conference.referents.values()):
        return known
    return reviewed(known, draft_time(known, rules))


def reviewed(conference: Conference, at: datetime | None) -> Conference:
    """Return the conference with its next review at another time, or with none."""
    return timed(conference.model_copy(update={"review_at": at}))


def wait_on(conference: Conference, now: datetime, rules: Rules) -> Conference:
    """Return the conference to be looked at again when it may be forgotten."""
    forget_at = forget_time(conference, now, rules)
    return reviewed(conference, forget_at if forget_at > now else now + timedelta(seconds=rules.retention_s))


def discarded(conference: Conference, now: datetime, rules: Rules) -> Conference:
    """Return the conference with its end decided: the event that it was made for never came."""
    waiting = reviewed(conference, now + timedelta(seconds=rules.retention_s))
    return begin_grace(waiting, "its event never appeared", now, rules)


def kept_unseen(conference: Conference, now: datetime, rules: Rules) -> Conference:
    """Return the conference kept, since the event that it was made for may hold it where nobody can see.

    The event may come back, with another conference: so it is looked at again, as often and as long as an orphan is.
    """
    kept = keep(conference, "kept: its event may hold it where nobody can see", now)
    expected_since = last_word(conference) if conference.registered else last_seen_lost(conference) or now
    again, give_up = now + timedelta(seconds=rules.search_s), expected_since + timedelta(seconds=rules.orphan_s)
    return reviewed(kept, again if again < give_up else None)


def out_of_sight(conference: Conference, moved_to: Mapping[str, str], now: datetime) -> Conference:
    """Return the conference kept, since these events left for where nobody can look, and looked for at once.

    Args:
        moved_to: whom each names as its organizer now, by link key.

    """
    left = {"state": "orphaned", "since": now, "was_lost": True}
    orphans = {
        key: conference.referents[key].model_copy(update={**left, "moved_to": email}) for key, email in moved_to.items()
    }
    known = conference.model_copy(update={"referents": {**conference.referents, **orphans}})
    return reviewed(keep(known, OUT_OF_SIGHT, now), now)


def give_up_at(orphan: Referent, now: datetime, rules: Rules) -> datetime:
    """Return how long an event that moved out of sight is looked for: a month, or until it is over."""
    return min((orphan.since or now) + timedelta(seconds=rules.orphan_s), over_at(orphan))


def kept_for_good(conference: Conference, now: datetime) -> Conference:
    """Return the conference left alone: its event lives on where nobody can see it, for all that is known."""
    return with_note(reviewed(conference, None), "kept for good: its event was not found again", now)


Change = Callable[[Conference], Conference]


@dataclass(frozen=True)
class NewHome:
    """Where an event that moved out of sight was found, deleted or without the conference."""

    orphan_key: str
    """Link key of the orphan."""
    link_key: str
    calendar_key: str
    organizer: str
    """Key of its organizer there."""
    changed_at: datetime | None
    """The event's `updated` there."""
    held: bool
    """Whether it is shown to have had the conference there, before it was lost."""


def lost_there(conference: Conference, home: NewHome, now: datetime) -> Conference:
    """Return the conference with its orphan gone: the calendar that it moved to shows that it was lost there."""
    orphan = conference.referents.get(home.orphan_key)
    if orphan is None or orphan.state != "orphaned":
        return conference
    moved = orphan.model_copy(update={"state": "gone", "since": now, "continues_in": home.link_key})
    known_there = conference.referents.get(home.link_key)
    held_before = known_there is not None and known_there.role == "owner" and not known_there.never_held
    never_held = not (home.held or held_before)
    there = {"calendar_key": home.calendar_key, "organizer": home.organizer, "bound_at": home.changed_at}
    deleted = moved.model_copy(update={**there, "moved_to": None, "continues_in": None, "never_held": never_held})
    known = {**conference.referents, home.orphan_key: moved, home.link_key: deleted}
    return conference.model_copy(update={"referents": known})
