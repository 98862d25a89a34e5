"""The outside world on one page: what the use cases ask of it, and nothing about how it is done.

It must never import an adapter or a library of Google's.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference
from confsync.core.events import Event, EventPage, Window
from confsync.core.records import Calendar, Link, Record
from confsync.core.state import ConferenceState
from confsync.core.tasks import Task
from confsync.core.unreadable import Due

R = TypeVar("R", bound=Record)
T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Address:
    """One calendar, seen as one user."""

    calendar_id: str
    """Never `primary`."""
    subject: str
    """The user on whose behalf we call (e-mail address)."""


@dataclass(frozen=True)
class WatchedChannel:
    """What Calendar answers to a watch request."""

    resource_id: str
    expires_at: datetime


class CalendarApi(Protocol):
    """Google Calendar. Every method raises `CalendarError` and its children, never a library's error.

    It does not retry, wait or log: the use cases decide.
    """

    def list_events(self, at: Address, *, sync_token: str | None, page_token: str | None, window: Window) -> EventPage:
        """Return one page of events; `window` counts only when there is no sync token.

        Raises:
            SyncTokenRejected, PageTokenRejected: the listing has to be started again.

        """

    def list_series(self, at: Address, ical_uid: str) -> tuple[Event, ...]:
        """Return the master of a series and all its exceptions, cancelled ones too, in no order."""

    def get_event(self, at: Address, event_id: str) -> Event | None:
        """Return the event (also a cancelled one), None when Calendar does not know it."""

    def write_conference_data(
        self, at: Address, event_id: str, etag: str, conference_data: Mapping[str, Any] | None
    ) -> Event:
        """Replace the event's conference data if its etag is still `etag`; notify nobody.

        Raises:
            PreconditionFailed: the event changed meanwhile.

        """

    def watch_events(
        self, at: Address, *, channel_id: str, channel_token: str, address: str, ttl_s: int
    ) -> WatchedChannel:
        """Open a push channel. Raises `PushNotSupported` or `ChannelIdTaken` where Calendar says so."""

    def stop_channel(self, at: Address, channel_id: str, resource_id: str) -> None:
        """Stop a push channel; one that is already gone is no error."""


@dataclass(frozen=True)
class ConferenceCall:
    """One call to a conferencing system."""

    conference_key: str
    """Ours, stable, opaque."""
    conference_id: str
    """The back end's own."""
    operation_id: str
    """`op_` + 32 hex digits; the same for each attempt at the same generation and verb."""
    generation: int
    """Rises with every new state, never falls."""
    state: ConferenceState | None = None
    """Whole; None when the conference ends."""


@dataclass(frozen=True)
class CreateCall:
    """A request for a conference that is to take the place of another one in an event."""

    operation_id: str
    """`op_` + 32 hex digits; the same for every attempt: the back end makes one conference of all of them."""
    replaces: str
    """Conference id that the event has named so far."""
    state: ConferenceState
    """What the new conference is to be; it counts as generation 1."""


@dataclass(frozen=True)
class CreatedConference:
    """A conference that was made on request."""

    conference_id: str
    conference_data: Mapping[str, Any]
    """What the event is to hold: Calendar's conferenceData, with this conference's id in it."""


class ConferenceProvider(Protocol):
    """A conferencing system. Calls time out within 30 s; every method raises `ProviderError` and its children.

    None of them retries, follows redirects or waits.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this system can do; the same value each time."""

    def update(self, call: ConferenceCall) -> None:
        """Make the conference what `call.state` says; an ended one comes back where it `restores`."""

    def end(self, call: ConferenceCall) -> None:
        """End the conference; an unknown one counts as ended."""

    def create(self, call: CreateCall) -> CreatedConference:
        """Make a conference, or return the one that the same operation made before; only where it `creates`.

        Raises:
            ProviderRejected: among others; no attempt at this operation made one that an event could hold.

        """

    def host_of(self, conference_id: str) -> str | None:
        """Return the e-mail address of the conference's host, None when it is unknown; only where it `tells_host`."""


class TaskQueue(Protocol):
    """The queue between the functions: fast, at least once, in no order, and never the truth."""

    def create(self, task: Task) -> bool:
        """Create the task; False when its name was used already. Raises `TaskQueueError`."""


class IdTokens(Protocol):
    """Tokens that Google signs to say who somebody is."""

    def email_of(self, id_token: str, audience: str) -> str:
        """Return the verified e-mail address of whom Google signed this token for, when it is meant for `audience`.

        Raises:
            NotificationRejected: the token proves nothing.
            CertificatesUnavailable: whether it proves anything cannot be told now.

        """


class Transaction(Protocol):
    """A consistent view. All reads come before the first write; writes take effect together or not at all."""

    def get(self, kind: type[R], key: str) -> R | None:
        """Return the record, None when there is none. Raises `StoreError` after the first write."""

    def get_many(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Return the records that exist, by key. Raises `StoreError` after the first write."""

    def put(self, record: Record) -> None:
        """Create or replace the record when the transaction commits."""

    def delete(self, kind: type[Record], key: str) -> None:
        """Delete the record, if any, when the transaction commits."""


class Store(Protocol):
    """The records of confsync. Every method raises `StoreUnavailable` when the store cannot answer.

    A record that cannot be read is `StoreCorrupt`; only what is due is given with an `Unreadable` in its place.
    """

    def transact(self, body: Callable[[Transaction], T]) -> T:
        """Run `body`, perhaps several times, and commit what its last run wrote; its errors roll back.

        Serializable. `body` has no side effects and makes no remote call.
        """

    def get(self, kind: type[R], key: str) -> R | None:
        """Return the newest committed record, None when there is none."""

    def get_many(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Return the newest committed records that exist, by key."""

    def links_of(self, calendar_key: str, *, after: str, limit: int) -> list[Link]:
        """Return up to `limit` links of a calendar whose key is greater than `after`, in the order of their keys."""

    def conferences_of(self, calendar_key: str, *, after: str, limit: int) -> list[Conference]:
        """Return up to `limit` conferences that know an event of a calendar, as `links_of` does its links.

        An event that a conference was only told of counts, too; see `core.forgetting.calendars_of`.
        """

    def calendars_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None
    ) -> list[Due[Calendar]]:
        """Return up to `limit` calendars of a tenant with `due_at` at or before `before`, the oldest first.

        Args:
            after: go on behind this one, as it was read.

        """

    def calendars_of(self, tenant: str, subject: str, limit: int) -> list[Calendar]:
        """Return up to `limit` calendars of a tenant as `subject` sees them, in the order of their keys."""

    def channels_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None
    ) -> list[Due[Calendar]]:
        """Return up to `limit` calendars of a tenant with `renew_at` at or before `before`, the oldest first.

        Args:
            after: go on behind this one, as it was read.

        """

    def conferences_due(
        self, tenant: str, before: datetime, limit: int, after: Due[Conference] | None = None
    ) -> list[Due[Conference]]:
        """Return up to `limit` conferences of a tenant with `due_at` at or before `before`, the oldest first.

        Args:
            after: go on behind this one, as it was read.

        """

    def all_of(self, kind: type[R], *, after: str, limit: int) -> list[R]:
        """Return up to `limit` records whose key is greater than `after`, in the order of their keys."""


class AtOnce(Protocol):
    """Does the same for each of many, several at once."""

    def __call__(self, do: Callable[[A], B], each: Iterable[A], /) -> Iterable[B]:
        """Yield what `do` returns, in the order of `each`; raise what the first of them raises."""


def in_turn(do: Callable[[A], B], each: Iterable[A], /) -> Iterable[B]:
    """Do one after the other."""
    return map(do, each)


@dataclass(frozen=True)
class Outside:
    """Everything a use case may reach, in one value."""

    store: Store
    calendar_api: CalendarApi
    task_queue: TaskQueue
    providers: Mapping[str, ConferenceProvider]
    """By the name that a conference solution's settings give."""
    now: Callable[[], datetime]
    """The current time in UTC."""
    new_id: Callable[[], str]
    """A fresh id that nobody can guess, for channels and lease holders."""
    at_once: AtOnce = in_turn
    """How the scheduled run does the same for many."""
