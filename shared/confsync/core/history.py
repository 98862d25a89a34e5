"""The short history of a conference: what was seen of its events, what was decided and why, what was done.

A line is added only when something changes, since a plan asks for it often. It must never hold what a field of an event
holds: fields are named, and compared by a short hash that differs from conference to conference.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final, get_args

from confsync.core.conference import Conference, Desired, Note, NoteKind, Referent
from confsync.core.events import Event
from confsync.core.sight import Seen
from confsync.core.state import ConferenceState, Field

HISTORY_LENGTH: Final = 20
FIELDS: Final[tuple[str, ...]] = get_args(Field)

GRACE_BEGAN: Final = "grace began"
"""How the line begins that says why a conference is to end."""


def with_note(
    conference: Conference, what: str, now: datetime, kind: NoteKind = "decided", event_id: str = ""
) -> Conference:
    """Return the conference with one more line of history; a repeated line is kept once."""
    note = Note(at=now, kind=kind, what=what, event_id=event_id)
    last = conference.history[-1] if conference.history else None
    if last is not None and (last.kind, last.what, last.event_id) == (kind, what, event_id):
        return conference
    return conference.model_copy(update={"history": (*conference.history, note)[-HISTORY_LENGTH:]})


def field_hashes(state: ConferenceState | None, conference_key: str) -> dict[str, str]:
    """Return 8 hex digits for each field that the state holds; equal ones for equal contents of one conference.

    Args:
        state: None for an ended conference, which has no fields.

    """
    if state is None:
        return {}
    held = state.model_dump(mode="json", exclude_defaults=True)
    times = {name: held.pop(name) for name in ("start", "end") if name in held}
    fields = {**held, **({"time": times} if times else {})}
    return {name: _short_hash(conference_key, name, value) for name, value in fields.items()}


def _short_hash(conference_key: str, name: str, value: object) -> str:
    return hashlib.sha256(json.dumps((conference_key, name, value)).encode()).hexdigest()[:8]


def changed_fields(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the fields whose hashes differ, in the order in which a state lists them."""
    return tuple(name for name in FIELDS if before.get(name) != after.get(name))


def note_wanted(conference: Conference, before: Desired | None, now: datetime) -> Conference:
    """Return the conference with a line about its new desired state: which fields changed, and in which event."""
    wanted, event_id = conference.desired, _driving_event(conference)
    if wanted is None:
        return conference
    generation = f"(generation {wanted.generation})"
    if wanted.ended:
        return with_note(conference, f"end wanted {generation}", now)
    if before is None or before.ended:
        what = "restore" if before else "first state"
        return with_note(conference, f"{what} wanted {generation}", now, event_id=event_id)
    changed = ", ".join(changed_fields(before.field_hashes, wanted.field_hashes)) or "state"
    return with_note(conference, f"{changed} changed {generation}", now, "seen", event_id)


def _driving_event(conference: Conference) -> str:
    driver = conference.referents.get(conference.driver or "")
    return driver.event_id if driver else ""


def note_referent(
    conference: Conference, before: Referent | None, after: Referent, seen: Seen | None, *, shares: bool, now: datetime
) -> Conference:
    """Return the conference with a line about one of its events, whose state or role is new.

    Args:
        before: what was recorded of the event; None: nothing.
        seen: the event as it is shown now.
        shares: whether the event, as it is shown now, names this very conference.

    """
    what = _appearance(before, after) if after.state == "live" else _loss(after, seen, shares=shares)
    return with_note(conference, what, now, "seen", after.event_id)


def _appearance(before: Referent | None, after: Referent) -> str:
    again = " again" if before is not None and before.state != "live" else ""
    unvouched = "" if after.role == "owner" else "; nobody vouched for it"
    return f"the event held this conference{again}{unvouched}"


def _loss(after: Referent, seen: Seen | None, *, shares: bool) -> str:
    event = seen.event if seen is not None else None
    if event is None:
        missing = seen is not None and seen.missing_from_list
        return "the event was missing from a full listing" if missing else "its calendar did not know the event"
    if event.is_cancelled:
        return "the event was deleted" if after.state == "gone" else "the event moved out of sight"
    if not event.is_organizers_copy:
        return "the event had another organizer"
    return _loss_of_a_live_event(event, shares=shares)


def _loss_of_a_live_event(event: Event, *, shares: bool) -> str:
    if shares:
        return "the event was part of a series that held this conference"
    return "the event lost its conference" if event.conference_data is None else "the event held another conference"


def note_promoted(conference: Conference, before: Mapping[str, Referent], now: datetime) -> Conference:
    """Return the conference with a line for each claim that became an owner."""
    if conference.referents is before:
        return conference
    for key, referent in conference.referents.items():
        known = before.get(key)
        if known is not None and (known.role, referent.role) == ("claimed", "owner"):
            conference = with_note(
                conference, "claim promoted: the event owned it from here on", now, event_id=referent.event_id
            )
    return conference


def note_driver(conference: Conference, why: str, now: datetime) -> Conference:
    """Return the conference with a line about the event that drives it from now on."""
    return with_note(conference, f"the event drove from here on: {why}", now, event_id=_driving_event(conference))


def note_held(conference: Conference, event_id: str, now: datetime) -> Conference:
    """Return the conference with a line about a decided end that was taken back."""
    return with_note(conference, "end cancelled: an event held it", now, event_id=event_id)


def why_no_owner(conference: Conference) -> str:
    """Return why a conference is left without an owner: what was seen last."""
    lost = next((note.what for note in reversed(conference.history) if note.kind == "seen"), None)
    return f"no owner was left; {lost}" if lost else "no owner was left"


def end_note(conference: Conference) -> Note | None:
    """Return the line that says when and why the end was decided; None when it was forgotten."""
    return next((note for note in reversed(conference.history) if note.what.startswith(GRACE_BEGAN)), None)
