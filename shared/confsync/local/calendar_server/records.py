"""What the server remembers: users, calendars, versions of events, channels, options. Data and lookups only."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from .errors import DeletedCalendar, Json

Role = Literal["owner", "writer", "reader", "freeBusyReader", "none"]


class Tombstone(StrEnum):
    """Why an event is cancelled; decides which of the recorded shapes a caller sees."""

    DELETED = "deleted"
    """Deleted by the organizer: details are kept."""
    REMOVED = "removed"
    """Removed by a guest from the own calendar: details are kept."""
    ID_ONLY = "id_only"
    """Gone for this calendar: nothing but the id is left."""
    EXCEPTION = "exception"
    """A cancelled occurrence of a series that lives on."""
    ORPHAN = "orphan"
    """A changed occurrence that its series no longer has ("this and following"): nothing but the id is left."""
    MOVED = "moved"
    """Moved to another calendar while the old organizer stays a guest: details with the new organizer."""
    SCRUBBED = "scrubbed"
    """Deleted for ever: a false day in the year 2000."""


WITH_DETAILS = (Tombstone.DELETED, Tombstone.REMOVED)
"""Tombstones of series whose exceptions keep their details too."""


@dataclass(frozen=True, slots=True)
class Version:
    """One event as it stands in one calendar after one change."""

    body: Json
    """The resource without what depends on the reader (kind, etag, htmlLink, updated, self). Never changed in place."""
    change: int
    """Position in the calendar's sequence of changes."""
    stamp_us: int
    """When it was changed; the etag is made from it."""
    updated_us: int
    """When its main data was changed: edits of reminders do not move it."""
    tombstone: Tombstone | None = None
    verbatim: bool = False
    """True when the body is a recorded payload that must be served exactly as it is."""
    former: tuple[Json, ...] = ()
    """What it was before, as far as lists must take it back: a series' start, end and rules; an exception's series."""
    unlisted_after: int | None = None
    """The last change that lists tell of, where that is not this one: edits of reminders may be left out."""

    @property
    def listed_change(self) -> int:
        """Return the change of which incremental lists tell."""
        return self.change if self.unlisted_after is None else self.unlisted_after

    @property
    def cancelled(self) -> bool:
        """Tell whether the event is a tombstone here."""
        return self.tombstone is not None or (self.verbatim and self.body.get("status") == "cancelled")

    @property
    def master_id(self) -> str | None:
        """Return the id of the series that this exception belongs to, or None."""
        return self.body.get("recurringEventId")

    @property
    def etag(self) -> str:
        """Return the etag: twice the microseconds of the change, as Google's are."""
        return self.body["etag"] if self.verbatim and "etag" in self.body else f'"{self.stamp_us * 2}"'


@dataclass(slots=True)
class Entry:
    """The versions of one event in one calendar: the newest, and older ones that lists may still have to show."""

    newest: Version
    older: tuple[Version, ...] = ()
    first_change: int = 0
    """Position at which the calendar got the event."""


@dataclass(slots=True)
class User:
    """A person with an account; the primary calendar has the same id."""

    email: str
    list_change: int = 0
    """Position in the user's sequence of calendar list changes."""
    suspended: bool = False
    """True while every call in this user's name is refused."""


@dataclass(slots=True)
class Calendar:
    """A calendar and its events."""

    id: str
    summary: str
    time_zone: str
    primary: bool = False
    owner: str = ""
    roles: dict[str, Role] = field(default_factory=dict)
    """Role of each user by e-mail; `*` is everyone else."""
    push_supported: bool = True
    description: str = ""
    epoch: int = 0
    """Raised to expire all sync tokens."""
    forgotten_change: int = 0
    """The last change of a tombstone that is forgotten: sync tokens from before it expire."""
    change: int = 0
    updated_us: int = 0
    deleted: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)
    """By event id, in the order of the newest change."""
    exceptions: dict[str, set[str]] = field(default_factory=dict)
    """Ids of the stored exceptions of each series."""
    families: dict[str, set[str]] = field(default_factory=dict)
    """Ids of all parts of a series, by the root of their ids."""

    def role_of(self, email: str) -> Role:
        """Return what a user may do here."""
        return "none" if self.deleted else self.shared_as(email)

    def shared_as(self, email: str) -> Role:
        """Return the role that a user was given, be the calendar deleted or not."""
        return self.roles.get(email) or self.roles.get("*") or "none"


@dataclass(slots=True)
class Channel:
    """A notification channel. Source: https://developers.google.com/workspace/calendar/api/guides/push"""

    id: str
    user: str
    calendar_id: str
    resource_id: str
    resource_uri: str
    address: str
    token: str | None
    expires_us: int
    message_number: int = 0
    stopped: bool = False


@dataclass(slots=True)
class Options:
    """What Google does not promise, or what a test wants to see otherwise.

    Variants, of which nobody outside Google knows which is real, have their default from recordings or, where there is
    none, from the documentation. Rows are those of the table of calendar changes.
    """

    organizer_tombstones: Literal["full", "id_only"] = "full"
    """Both forms were recorded for the organizer's own calendar."""
    tombstone_days: float = 30
    """A full list with showDeleted has tombstones that are younger than this."""
    page_cap: int | None = None
    """Upper bound of the page size, whatever maxResults says."""
    empty_pages: int = 0
    """The next n lists answer with an empty page and a page token."""
    list_lag_ms: int = 0
    """A change becomes visible to lists this long after it happened (and was pushed)."""
    token_max_age_s: float | None = None
    """Sync tokens older than this answer 410."""
    meet: Literal["success", "pending", "failure"] = "success"
    """What becomes of a createRequest for Meet at first."""
    channel_ttl_cap_s: float = 30 * 86400
    """The internal limit of a channel's life."""
    split_keeps_conference: bool = True
    """Row 26: the new part of "this and following" carries the conference. Recorded so; API clients that cut a series
    themselves may leave it out."""
    duplicate_keeps_conference: bool = True
    """Row 33: the web page's Duplicate copies the conference. Not recorded."""
    restore_keeps_conference: bool = True
    """Row 35: an event restored from the trash has its conference again. Not recorded."""
    move_keeps_conference: bool = True
    """Row 19: events.move takes the conference along. Not recorded."""
    tombstone_conference: bool = True
    """Row 12: cancelled events that keep their details keep the conference too, in get and in lists with showDeleted.
    Recorded so; a vendor reports the contrary."""
    deleted_calendar: DeletedCalendar = "notFound"
    """Row 46: what calls about a deleted calendar answer to whoever had access: 404 `notFound`, 403 `forbidden` or 410
    `deleted`. Not recorded."""
    gone_is_unknown: bool = False
    """Row 19: events.get of an event of which a calendar has nothing but the id, such as one that moved away, answers
    404, while lists tell of it as cancelled. Not recorded."""
    lists_reminder_edits: bool = True
    """Row 10: incremental lists tell of an edit of reminders only. `updated` stays either way, as documented."""


def role_at_least(role: Role, wanted: Role) -> bool:
    """Tell whether a role includes another."""
    order: tuple[Role, ...] = ("none", "freeBusyReader", "reader", "writer", "owner")
    return order.index(role) >= order.index(wanted)
