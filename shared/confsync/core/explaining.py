"""Why a conference is as it is, from its record alone: `confsync explain` shows it.

Pure. It must never show what an event holds: ids, times and names of fields are all there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from confsync.core.conference import Conference, Note, Referent
from confsync.core.desires import is_pending
from confsync.core.driving import why_driver
from confsync.core.outlook import Step, outlook
from confsync.core.owners import owners_of
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.core.state import Moment

State = Literal["live", "ending", "held", "ended", "kept", "claimed", "waiting"]
"""An event holds it; its end is decided; the brake holds that; it ended; no event in sight holds it, and it stays;
events claim it that nobody vouched for; no event was seen to hold it yet."""


@dataclass(frozen=True)
class EventLine:
    """One event that refers to the conference."""

    event_id: str
    calendar_id: str
    """Empty where the calendar is not known any more."""
    subject: str
    role: str
    state: str
    start: str
    """A time in UTC, or a day."""
    end: str
    is_recurring: bool
    drives: str
    """Why it is the one that the conference follows; empty for every other."""


@dataclass(frozen=True)
class Explanation:
    """Everything that is known of one conference, but what its events hold."""

    conference_key: str
    conference_id: str
    provider: str
    state: State
    mode: str
    events: tuple[EventLine, ...]
    registered: tuple[str, ...]
    """Ids of the events that the add-on vouched for."""
    told: str
    """What the back end was told last."""
    waits: tuple[Step, ...]
    """What would be done, at once or later; in the mode `observe` none of it is."""
    review_at: datetime | None
    """When it is looked at again although nothing changes."""
    last_error: str
    history: tuple[Note, ...]


def explain(conference: Conference, calendars: Mapping[str, Calendar], now: datetime, rules: Rules) -> Explanation:
    """Return what is known of the conference.

    Args:
        calendars: by key, those of its events, as far as they are known.

    """
    return Explanation(
        conference_key=conference.key,
        conference_id=conference.conference_id,
        provider=conference.provider,
        state=state_of(conference),
        mode=rules.mode,
        events=tuple(_event_line(key, conference, calendars, now) for key in _by_start(conference)),
        registered=tuple(registration.event_id for registration in conference.registered.values()),
        told=_told(conference, now),
        waits=outlook(conference, now, rules),
        review_at=conference.review_at,
        last_error=conference.last_error,
        history=conference.history,
    )


def state_of(conference: Conference) -> State:
    """Return in one word how it stands with the conference."""
    ends = conference.desired is not None and conference.desired.ended
    if conference.brake == "held":
        return "held"
    if conference.gone or (ends and not is_pending(conference)):
        return "ended"
    if ends or conference.end_after is not None:
        return "ending"
    return _state_by_events(conference)


def _state_by_events(conference: Conference) -> State:
    if owners_of(conference, "live"):
        return "live"
    if any(referent.role == "owner" for referent in conference.referents.values()):
        return "kept"
    return "claimed" if conference.referents else "waiting"


def _by_start(conference: Conference) -> list[str]:
    return sorted(conference.referents, key=lambda key: (conference.referents[key].times.start.sort_key, key))


def _event_line(key: str, conference: Conference, calendars: Mapping[str, Calendar], now: datetime) -> EventLine:
    referent = conference.referents[key]
    calendar = calendars.get(referent.calendar_key)
    return EventLine(
        event_id=referent.event_id,
        calendar_id=calendar.calendar_id if calendar else "",
        subject=calendar.subject if calendar else "",
        role=referent.role,
        state=referent.state,
        start=_when(referent.times.start),
        end=_when(referent.times.end),
        is_recurring=bool(referent.times.recurrence),
        drives=_why_it_drives(referent, conference, now) if key == conference.driver else "",
    )


def _when(moment: Moment) -> str:
    return moment.instant.isoformat() if moment.instant is not None else str(moment.day)


def _why_it_drives(referent: Referent, conference: Conference, now: datetime) -> str:
    owners = owners_of(conference, "live")
    if not owners:
        return "none is left; it was the last"
    return "the only owner" if len(owners) == 1 else why_driver(referent, now)


def _told(conference: Conference, now: datetime) -> str:
    told, intent = conference.applied, conference.intent
    parts = []
    if told is not None:
        when = f" at {told.at:%Y-%m-%d %H:%M:%SZ}" if told.at else ""
        parts.append(f"generation {told.generation}{when}" + ("" if told.fingerprint else ", but perhaps more since"))
    if intent is not None:
        outcome = "under way" if intent.deadline > now else "with unknown outcome"
        parts.append(f"{intent.verb} of generation {intent.generation} {outcome}")
    if conference.refused:
        parts.append(f"generation {conference.refused} was refused for good")
    return "; ".join(parts) or "nothing"
