"""What confsync remembers, as frozen values that know how to become JSON; of a conference, see `conference`.

They hold no behaviour beyond simple questions; who may change them, and when, is said in `leases`, `channels` and
`planning`. Keys are hashes, so no key range grows hot.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict


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
    listing_version: str
    """What its tokens belong to; see `Terms.listing_version`."""
    page_token: str | None = None
    swept_to: str = ""
    """Key of the last link that was swept."""
    started_at: datetime
    requested: int
    """The calendar's `requested` before page 1."""
    next_sync_token: str | None = None
    """Set once the last page was recorded."""
    missed: int | None = None
    """Changes found so far of which no notification told; None for a listing that something asked for."""


class Channel(Value):
    """A push channel of a calendar."""

    id: str
    state: Literal["pending", "active", "retiring"]
    created_at: datetime
    resource_id: str | None = None
    expires_at: datetime | None = None
    key_id: str = ""
    """Which key signed its channel token."""


class Unread(Value):
    """An event that Calendar refused to show."""

    event_id: str
    again_at: datetime
    """When it may be asked for again."""
    rereads: int = 0
    """How often that was in vain."""


CalendarState = Literal["active", "frozen", "poll_only", "paused", "removed"]


class Calendar(Record):
    """One calendar, seen as one user, and where its sync stands."""

    kind: ClassVar[str] = "calendar"

    tenant: str
    calendar_id: str
    subject: str
    state: CalendarState = "active"
    reason: str = ""
    """Why it is frozen or polled, in Google's word; why it is paused, in an operator's."""
    fence: int = 0
    """Rises with every claim and every change of state; a write with an older fence is refused."""
    lease: Lease | None = None
    sync_token: str | None = None
    listing_version: str = ""
    """What the sync token belongs to; see `Terms.listing_version`."""
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
    """Ids of events that have to be read, in order; twice where one was asked for again, perhaps while it was read."""
    unread: tuple[Unread, ...] = ()
    """Events that Calendar refused to show, to be read again slowly."""
    channels: tuple[Channel, ...] = ()
    renew_at: datetime | None = None
    due_at: datetime | None = None
    failed_renewals: int = 0
    """Tries in a row in which no channel could be opened."""
    channel_error: str = ""
    """Why the last of them failed."""
    last_synced_at: datetime | None = None
    quota_until: datetime | None = None
    """Calendar's quota of this user is used up until then, and nobody asks before."""
    failed_syncs: int = 0
    """Syncs in a row that broke off."""
    last_error: str = ""
    missed: int = 0
    """Changes that a reconciliation found and of which no notification told, all in all."""
    missed_of_late: int = 0
    """Reconciliations that found such changes, less those that found none; each halves the interval."""
    last_missed_at: datetime | None = None

    @staticmethod
    def key_for(tenant: str, calendar_id: str, subject: str) -> str:
        """Return the key of a calendar as `subject` sees it."""
        return key_of("calendar", tenant, calendar_id, subject)


@dataclass(frozen=True, order=True)
class EventRef:
    """Names one event in one calendar."""

    calendar_key: str
    event_id: str

    @property
    def link_key(self) -> str:
        """Key of the link that the event has, or would have."""
        return Link.key_for(self.calendar_key, self.event_id)


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

    @property
    def ref(self) -> EventRef:
        """The event that is tied."""
        return EventRef(self.calendar_key, self.event_id)

    @staticmethod
    def key_for(calendar_key: str, event_id: str) -> str:
        """Return the key of an event's link."""
        return key_of("link", calendar_key, event_id)


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
