"""What is remembered of a conference: the events that hold it, what it should be, and what its back end was told.

Titles, descriptions and attendees stand only in `Conference.desired.state` and `Replacement.state`, and only until that
state is confirmed. Who may change a conference, and when, is said in `judging`, `desires`, `effects` and `replacing`.
"""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from confsync.core.records import EventRef, Record, Value, key_of
from confsync.core.state import ConferenceState, Moment


class Times(Value):
    """When an event takes place."""

    start: Moment
    end: Moment
    time_zone: str | None = None
    recurrence: tuple[str, ...] = ()


Role = Literal["owner", "claimed"]
"""`claimed`: an organizer's copy that names the conference, but nobody vouched for it; it drives and ends nothing."""
ReferentState = Literal["live", "gone", "orphaned"]
"""`orphaned`: the event moved out of sight; its conference is kept."""


class Referent(Value):
    """An event as its conference judges it: whether it lives, and what it may decide."""

    calendar_key: str
    event_id: str
    ical_uid: str | None
    organizer: str = ""
    """Key of the event's organizer; empty where it names none."""
    role: Role
    state: ReferentState
    times: Times
    until: datetime | None = None
    """End of the last instance that was moved; a series may go on after its rule is over."""
    created: datetime | None = None
    """When the event was made: the parts of a split series share it, a duplicate has its own; a move keeps it."""
    bound_at: datetime | None = None
    """The event's `updated` when it was bound: of two copies of one event, the newer one is where it is now."""
    since: datetime | None = None
    """When it was found gone or orphaned; of an orphan, when it was last said anew where it is now."""
    moved_to: str | None = None
    """For an orphaned event: its organizer now, where its tombstone names one."""
    was_lost: bool = False
    """For an orphaned event: whether it had been seen without the conference before it moved."""
    continues_in: str | None = None
    """Link key of the same event in the calendar that it moved to: what became of it is known there."""
    never_held: bool = False
    """Whether its calendar never showed it with the conference, not even as it was deleted: it came without."""
    seen_elsewhere: bool = False
    """Whether another calendar, forgotten since, showed it later than this one: that it is missing here is no proof."""

    @property
    def ref(self) -> EventRef:
        """The event that refers to the conference."""
        return EventRef(self.calendar_key, self.event_id)


class Registration(Value):
    """An event that is to hold a conference, by the word of the add-on that made it."""

    calendar_key: str
    event_id: str
    at: datetime
    """When the add-on said so; the event may appear later, or never."""
    organizer: str = ""
    """Where the add-on was used by a guest: the key of the organizer, in whose calendar the event may own it."""
    unwritten: bool = False
    """Whether confsync had the conference made for the event, and has not begun to write it there: so none holds it."""

    @property
    def ref(self) -> EventRef:
        """The event that the add-on named."""
        return EventRef(self.calendar_key, self.event_id)


class Desired(Value):
    """What a conference should be."""

    generation: int
    fingerprint: str
    """Of the state as the provider can carry it; `ended` for an ended one."""
    state: ConferenceState | None = None
    """None once it is applied and confirmed, and for an ended conference."""
    field_hashes: dict[str, str] = Field(default_factory=dict)
    """8 hex digits for each field of the state: which fields changed can be told without keeping what they hold."""
    since: datetime | None = None
    """When it began to differ from what the back end was told."""

    @property
    def ended(self) -> bool:
        """Whether the conference should not exist."""
        return self.fingerprint == ENDED


ENDED = "ended"


class Applied(Value):
    """What the back end was last told, and confirmed."""

    generation: int
    """Newest one that needs no call: a newer desired state does."""
    fingerprint: str
    """`UNKNOWN` where a call may or may not have been applied since."""
    field_hashes: dict[str, str] = Field(default_factory=dict)
    """Of the state that was last confirmed."""
    at: datetime | None = None
    """When it was confirmed."""


UNKNOWN = ""


Verb = Literal["update", "end"]


class Intent(Value):
    """A call that is under way, or whose outcome is unknown."""

    generation: int
    verb: Verb
    deadline: datetime
    field_hashes: dict[str, str] = Field(default_factory=dict)
    """Of the state that it tells."""


class Replacement(Value):
    """A reservation: a conference that is about to take the place of this one in an event of its own."""

    number: int
    """Of all replacements of this conference."""
    reserved_at: datetime
    """It makes the operation id new, also for a conference that was forgotten, and whose numbers begin anew."""
    links: tuple[str, ...]
    """Keys of the links whose events are to hold the new conference."""
    is_successor: bool
    """Whether it is for all events, since this conference cannot come back; else for a duplicate."""
    state: ConferenceState | None = None
    """What it is to be; None once it is made."""
    due_at: datetime | None = None
    """When to go on; while a call may be under way, when its outcome counts as unknown. None: done, or given up."""
    conference_id: str | None = None
    """Of the new conference, once it is made."""
    conference_data: str | None = None
    """What the event is to hold instead, in JSON."""
    attempts: int = 0
    perhaps_made: bool = False
    """Whether a call may have made it though no answer came: then it is asked for again, to know what to end."""
    refused: str = ""
    """Fingerprint of the state for which the back end will not make it; another state is asked for again."""


class Hold(Value):
    """Why the brake holds a decided end."""

    since: datetime
    scope: Literal["calendar", "tenant"]
    calendar_key: str = ""
    """Of the calendar whose brake it is; empty for the tenant's."""
    count: int
    """Most ends that were decided within the time of the brake, as they were counted then."""
    limit: int


NoteKind = Literal["seen", "decided", "done"]


class Note(Value):
    """One line of a conference's history."""

    at: datetime
    kind: NoteKind = "decided"
    what: str
    """What was seen of an event, decided and why, or done and with what result; without titles or names."""
    event_id: str = ""
    """The event that it was seen of, or that decided."""


class Conference(Record):
    """A conference in a conferencing system: what it is tied to, should be, and was told."""

    kind: ClassVar[str] = "conference"

    tenant: str
    provider: str
    conference_id: str
    registered: dict[str, Registration] = Field(default_factory=dict)
    """The events that the add-on vouched for, by link key."""
    referents: dict[str, Referent] = Field(default_factory=dict)
    """By link key."""
    driver: str | None = None
    """Key of the link whose event the conference follows."""
    desired: Desired | None = None
    applied: Applied | None = None
    refused: int = 0
    """Newest generation that the back end refused for good; only a newer one is sent."""
    intent: Intent | None = None
    due_at: datetime | None = None
    """The earliest of the times below at which something has to be done."""
    call_at: datetime | None = None
    """When the desired state may be told; None when there is nothing to tell."""
    wait_until: datetime | None = None
    """The back end asked not to be called before, whatever there is to tell."""
    end_after: datetime | None = None
    """When the grace period of a decided end is over, or its owners are looked at once more."""
    decided_at: datetime | None = None
    """When its end was decided last: the brake counts from then on."""
    brake: Literal["none", "held", "approved", "rejected"] = "none"
    """What the brake, and after it an operator, said of a decided end; it stands until an event holds it again."""
    hold: Hold | None = None
    """While it is held: why."""
    review_at: datetime | None = None
    """When to look at it again though nothing changed: another event drives, a draft was discarded, it is forgotten."""
    adopted: bool = False
    """Whether what counts as told was found in its event, and never told, since nobody vouched for it."""
    gone: bool = False
    """Whether the back end said that it ended for good: it is not told anything any more."""
    replacements: tuple[Replacement, ...] = ()
    """Conferences that are to take its place in events."""
    replaced: int = 0
    """How many replacements were begun."""
    attempts: int = 0
    last_error: str = ""
    history: tuple[Note, ...] = ()

    @staticmethod
    def key_for(tenant: str, provider: str, conference_id: str) -> str:
        """Return the key of a conference of one tenant in one conferencing system."""
        return key_of("conference", tenant, provider, conference_id)
