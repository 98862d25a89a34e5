"""What every store shares: how a record becomes a row or document, and the rule that reads come before writes.

It must never touch a file, the network or the clock.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Protocol, TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from confsync.core.conference import Conference
from confsync.core.forgetting import calendars_of
from confsync.core.records import Brake, Calendar, Failure, Link, Record
from confsync.core.unreadable import Due, Unreadable
from confsync.errors import StoreCorrupt, StoreError

R = TypeVar("R", bound=Record)

RECORDS: tuple[type[Record], ...] = (Calendar, Link, Conference, Failure, Brake)

TENANT: Final = "tenant"
QUERIED: Mapping[str, tuple[str, ...]] = {
    "calendar": (TENANT, "due_at", "renew_at", "subject"),
    "link": ("calendar_key",),
    "conference": (TENANT, "due_at"),
    "failure": (),
    "brake": (),
}
"""By kind: the fields that queries ask for, so that they are kept beside the JSON.

Where the tenant is one, each of the others is asked for within a tenant: several may share a store, and what is due to
one is neither served nor delayed by another's.
"""

CALENDARS: Final = "calendar_keys"
"""Of a conference: the calendars whose events it knows, each of which finds it."""

FAILURES_LAST = timedelta(days=90)
"""A failure that did not come back for so long may be deleted by the store itself."""


def sortable(moment: datetime) -> str:
    """Return `moment` in UTC as text of fixed width: the order of such texts is the order in time.

    Raises:
        StoreError: `moment` has no time zone, so nobody can tell which instant it is.

    """
    if moment.tzinfo is None:
        raise StoreError(f"{moment.isoformat()} has no time zone: give every time in UTC")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def encode(record: Record) -> str:
    """Return the record as JSON; raises `StoreError` for what JSON in UTF-8 cannot carry."""
    try:
        return record.model_dump_json()
    except PydanticSerializationError:
        message = f"{record.kind} {record.key} cannot be written as JSON in UTF-8 (a lone surrogate?)"
        raise StoreError(message) from None  # the library's message may quote a title


class DueRow(NamedTuple):
    """What a store keeps of a record that is due."""

    key: str
    due: str
    """In the form of `sortable`."""
    body: str | bytes


def decode(kind: type[R], key: str, body: str | bytes, where: str) -> R:
    """Return the record that `body` holds as JSON.

    Raises:
        StoreCorrupt: it is no such record; the message names `where`, kind and key, never the content.

    """
    try:
        record = kind.model_validate_json(body)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['type']}" for e in error.errors())
        raise _unreadable(where, kind, key, faults) from None  # the library's message quotes the content
    if record.key != key:
        raise _unreadable(where, kind, key, f"it says that its key is {record.key}")
    return record


class Decode(Protocol):
    """Makes a record of its JSON, see `decode`."""

    def __call__(self, kind: type[R], key: str, body: str | bytes, where: str, /) -> R:
        """Return the record."""


def decode_due(kind: type[R], row: DueRow, where: str, decode: Decode = decode) -> Due[R]:
    """Return the record, or what stands in its place where it cannot be read."""
    try:
        return decode(kind, row.key, row.body, where)
    except StoreCorrupt as error:
        return Unreadable(kind.kind, row.key, row.due, str(error))


def _unreadable(where: str, kind: type[Record], key: str, why: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"{where}: {kind.kind} {key} cannot be read ({why}). Nothing was overwritten: "
        "correct or delete this one record, or restore a backup"
    )


def searched(kind: str) -> tuple[str, ...]:
    """Return the queried fields that a query may search by: all but the tenant, which only narrows it."""
    return tuple(name for name in QUERIED[kind] if name != TENANT)


def columns(record: Record) -> tuple[str | None, ...]:
    """Return the values of the queried fields as text, times in the form of `sortable`."""
    return tuple(_column(getattr(record, name)) for name in QUERIED[record.kind])


def _column(value: datetime | str | None) -> str | None:
    return sortable(value) if isinstance(value, datetime) else value


def calendar_keys(record: Record) -> tuple[str, ...]:
    """Return the keys of the calendars whose events a conference knows; none for any other record."""
    return tuple(sorted(calendars_of(record))) if isinstance(record, Conference) else ()


def expires_at(record: Record) -> datetime | None:
    """Return when the store may delete the record by itself, sooner or later; None: never."""
    return record.last_at + FAILURES_LAST if isinstance(record, Failure) else None


def due_place(record: Due[Record] | None, field: str) -> tuple[str, str]:
    """Return where a record stands in the order of what is due by `field`; before everything for None."""
    if isinstance(record, Unreadable):
        return record.due, record.key
    moment = getattr(record, field, None)
    return (sortable(moment), record.key) if record is not None and moment is not None else ("", "")


class Reads(Protocol):
    """How a store reads inside a transaction."""

    def __call__(self, kind: type[R], keys: tuple[str, ...]) -> dict[str, R]:
        """Return the records that exist, by key."""


class Write:
    """A record that is to be written, as the store keeps it; encoded at once so that the body sees the error."""

    __slots__ = ("body", "calendar_keys", "columns", "expires_at")

    def __init__(self, record: Record) -> None:
        """Encode `record`; raises `StoreError` when it cannot be stored."""
        self.body = encode(record)
        self.columns = columns(record)
        self.calendar_keys = calendar_keys(record)
        self.expires_at = expires_at(record)


class BufferedTransaction:
    """The `Transaction` of every store: reads go through `reads`, writes wait until the store commits them."""

    def __init__(self, reads: Reads) -> None:
        """Start with nothing written."""
        self._reads = reads
        self._ended = False
        self.writes: dict[tuple[str, str], Write | None] = {}
        """By kind and key, in the order of the first write to it; None deletes."""

    def get(self, kind: type[R], key: str) -> R | None:
        """Return the record, None when there is none. Raises `StoreError` after the first write."""
        return self.get_many(kind, (key,)).get(key)

    def get_many(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Return the records that exist, by key. Raises `StoreError` after the first write."""
        self._must_run()
        if self.writes:
            raise StoreError(f"a transaction read {kind.kind} after its first write: move all reads before the writes")
        return self._reads(kind, tuple(keys))

    def put(self, record: Record) -> None:
        """Create or replace the record when the transaction commits. Raises `StoreError` if it cannot be stored."""
        self._must_run()
        self.writes[record.kind, record.key] = Write(record)

    def delete(self, kind: type[Record], key: str) -> None:
        """Delete the record, if any, when the transaction commits."""
        self._must_run()
        self.writes[kind.kind, key] = None

    def end(self) -> None:
        """Refuse any further use: what is done now would be lost."""
        self._ended = True

    def _must_run(self) -> None:
        if self._ended:
            raise StoreError("a transaction was used after its body returned: do everything inside the body")
