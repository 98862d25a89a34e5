"""What confsync remembers: its five kinds of records, as frozen values that know how to become JSON.

They hold no behaviour beyond simple questions; who may change them, and when, is said in `leases`, `channels`,
`planning` and `effects`. Titles, descriptions and attendees stand only in `Conference.desired.state`, and only until
that state is confirmed. Keys are hashes, so no key range grows hot.
"""

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict

from confsync.core.state import ConferenceState, Moment


@lru_cache(maxsize=4096)  # a plan asks for each key a dozen times
def key_of(*parts: str) -> str:
    """Return 32 hex digits that stand for `parts`; no two lists of parts share one."""
    framed = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(framed.encode()).hexdigest()[:32]


class Value(BaseModel):
    """Part of a record."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Record(Value):
    """Something that is stored under its key."""

    kind: ClassVar[str]
    key: str


class Lease(Value):
    """The right of one worker to sync one calendar."""

    holder: str
    fence: int
    expires_at: datetime


class Checkpoint(Value):
    """How far an unfinished listing has come; saved with the observations of its page."""

    phase: Literal["list", "sweep"] = "list"
    listing: int = 0
    """Number of a full listing (one without a sync token); 0 for an incremental one."""
    parameters_version: int
    """Version of the list parameters that its tokens belong to."""
    page_token: str | None = None
    swept_to: str = ""
    """Key of the last link that was swept."""
    started_at: datetime
    requested: int
    """The calendar's `requested` before page 1."""
    next_sync_token: str | None = None
    """Set once the last page was recorded."""


class Channel(Value):
    """A push channel of a calendar."""

    id: str
    state: Literal["pending", "active", "retiring"]
    created_at: datetime
    resource_id: str | None = None
    expires_at: datetime | None = None
    key_id: str = ""
    """Which key signed its channel token."""


class Calendar(Record):
    """One calendar, seen as one user, and where its sync stands."""

    kind: ClassVar[str] = "calendar"

    tenant: str
    calendar_id: str
    subject: str
    state: Literal["active", "frozen", "poll_only", "paused", "removed"] = "active"
    reason: str = ""
    """Why it is frozen, in Google's word."""
    fence: int = 0
    """Rises with every claim and every change of state; a write with an older fence is refused."""
    lease: Lease | None = None
    sync_token: str | None = None
    parameters_version: int = 0
    """Version of the list parameters that the sync token belongs to."""
    sync_generation: int = 0
    """How many syncs were committed."""
    full_listings: int = 0
    """How many listings without a sync token were begun; each marks what it saw with its number."""
    requested: int = 0
    """How often a sync was asked for."""
    served: int = 0
    """The `requested` that the last committed listing covers."""
    checkpoint: Checkpoint | None = None
    to_observe: tuple[str, ...] = ()
    """Ids of events that were registered and have to be read again."""
    channels: tuple[Channel, ...] = ()
    renew_at: datetime | None = None
    due_at: datetime | None = None
    last_synced_at: datetime | None = None
    last_error: str = ""

    @staticmethod
    def key_for(tenant: str, calendar_id: str, subject: str) -> str:
        """Return the key of a calendar as `subject` sees it."""
        return key_of("calendar", tenant, calendar_id, subject)


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


class Link(Record):
    """One event's tie to one conference: what its calendar last showed of it."""

    kind: ClassVar[str] = "link"

    calendar_key: str
    event_id: str
    conference_key: str
    ical_uid: str | None = None
    series_id: str | None = None
    """For an exception of a linked series: the event id of that series. Such a link is no referent of its own."""
    own_instances: tuple[str, ...] = ()
    """For a series: ids of the instances that have a conference of their own."""
    has_exceptions: bool = False
    """Whether the series was ever seen with exceptions: then it is always read whole."""
    etag: str = ""
    updated: datetime | None = None
    sequence: int = 0
    seen_in: int = 0
    """Number of the full listing that last contained the event."""

    @staticmethod
    def key_for(calendar_key: str, event_id: str) -> str:
        """Return the key of an event's link."""
        return key_of("link", calendar_key, event_id)


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
    """When it was found gone or orphaned."""
    moved_to: str | None = None
    """For an orphaned event: its organizer now, where its tombstone names one."""
    continues_in: str | None = None
    """Link key of the same event in the calendar that it moved to: what became of it is known there."""


class Registration(Value):
    """An event that is to hold a conference, by the word of the add-on that made it."""

    calendar_key: str
    event_id: str
    at: datetime
    """When the add-on said so; the event may appear later, or never."""
    organizer: str = ""
    """Where the add-on was used by a guest: the key of the organizer, in whose calendar the event may own it."""


class Desired(Value):
    """What a conference should be."""

    generation: int
    fingerprint: str
    """Of the state as the provider can carry it; `ended` for an ended one."""
    state: ConferenceState | None = None
    """None once it is applied and confirmed, and for an ended conference."""
    field_hashes: dict[str, str] = {}
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
    field_hashes: dict[str, str] = {}
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
    field_hashes: dict[str, str] = {}
    """Of the state that it tells."""


class Replacement(Value):
    """A reservation: a conference that is about to take the place of this one in an event of its own."""

    number: int
    """Of all replacements of this conference: it makes the operation id new."""
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
    registered: dict[str, Registration] = {}
    """The events that the add-on vouched for, by link key."""
    referents: dict[str, Referent] = {}
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
    """When the grace period of a decided end is over."""
    brake: Literal["none", "held", "approved", "rejected"] = "none"
    """What the brake, and after it an operator, said of a decided end; it stands until an event holds it again."""
    hold: Hold | None = None
    """While it is held: why."""
    review_at: datetime | None = None
    """When to look at it again though nothing changed: another event drives, a draft was discarded, it is forgotten."""
    adopted: bool = False
    """Whether it was recorded as its event shows it, without a call, since nobody vouched for it."""
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


class Failure(Record):
    """Something that could not be done. Holds ids, never titles; replaying it reads the event again."""

    kind: ClassVar[str] = "failure"

    tenant: str
    calendar_key: str = ""
    event_id: str = ""
    conference_key: str = ""
    reason: str
    count: int = 1
    first_at: datetime
    last_at: datetime

    def after(self, known: Self | None) -> Self:
        """Return this failure, counted after the one that is known: what comes back does not pile up."""
        if known is None:
            return self
        return self.model_copy(update={"count": known.count + 1, "first_at": known.first_at})


class Brake(Record):
    """How many ends were decided of late, of a calendar or in a share of a tenant, and among how many conferences."""

    kind: ClassVar[str] = "brake"

    tenant: str
    calendar_key: str = ""
    """Empty for a tenant's."""
    decided: dict[int, int] = {}
    """How many, by the minute (since 1970)."""
    size: int = 0
    """How many conferences there were when they were last counted."""
    sized_at: datetime | None = None
    alerted_at: datetime | None = None
    """When an operator was last told that ends are held."""

    @staticmethod
    def key_for(tenant: str, calendar_key: str, share: str = "") -> str:
        """Return the key of a calendar's brake, or of one share of its tenant's."""
        return key_of("brake", tenant, calendar_key, share)


RECORDS: tuple[type[Record], ...] = (Calendar, Link, Conference, Failure, Brake)
