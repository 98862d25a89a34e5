"""The endpoint of the provider contract: verify, parse, apply, answer.

It knows no web framework, so it can be read as a recipe for any. It must never look at a body whose signature it has
not checked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from confsync.local.vendor.conferences import Conference, apply, created, done
from confsync.local.vendor.contract import (
    Answer,
    Command,
    Create,
    Delete,
    Get,
    ListAll,
    Ping,
    Upsert,
    parse_command,
    problem,
)
from confsync.local.vendor.offer import conference_data
from confsync.local.vendor.signature import is_signed

T = TypeVar("T")
LARGEST_BODY = 1024 * 1024


class Conferences(Protocol):
    """Where the conferences are kept."""

    def change(self, conference_id: str, body: Callable[[Conference | None], tuple[Conference | None, T]]) -> T:
        """Read one conference, store what `body` returns, and return its answer: all in one transaction."""

    def make(self, operation_id: str, body: Callable[[], Conference]) -> tuple[Conference, bool]:
        """Return what the operation made before, else store what `body` returns; and whether it is new.

        All in one transaction, which also marks the conference that is replaced.
        """

    def get(self, conference_id: str) -> Conference | None:
        """Return the conference, None when it is unknown."""

    def page(self, after: str, limit: int) -> list[Conference]:
        """Return up to `limit` conferences whose id is greater than `after`, in the order of their ids."""


@dataclass(frozen=True)
class House:
    """How this back end is set up."""

    join_address: str
    """What every link into a conference begins with, the conference's id follows."""
    new_id: Callable[[], str]
    """A conference id that is not in use."""
    restores: bool = True
    """Ended conferences come back under their old id."""


def receive(
    headers: Mapping[str, str],
    body: bytes,
    keys: Sequence[bytes],
    conferences: Conferences,
    now: datetime,
    *,
    house: House,
) -> Answer:
    """Return the answer to one call; after a 2xx its effect is stored for good."""
    if len(body) > LARGEST_BODY:
        return problem(413, "body-too-large", f"the body has more than {LARGEST_BODY} bytes", {"connection": "close"})
    if not is_signed(headers, body, keys, now):
        return problem(401, "signature-invalid", "no signature of a known key, or the timestamp is too far off")
    command = parse_command(body)
    if isinstance(command, Answer):
        return command
    return _obey(command, headers["webhook-id"], conferences, now, house)


def _obey(command: Command, operation_id: str, conferences: Conferences, now: datetime, house: House) -> Answer:
    match command:
        case Upsert() | Delete():
            return _change(command, operation_id, conferences, now, house)
        case Create():
            return _create(command, operation_id, conferences, now, house)
        case Get():
            return _get(command, conferences)
        case ListAll():
            return _list(command, conferences)
        case Ping():
            return Answer(200, {"type": "pong"}, "pong")


def _change(
    command: Upsert | Delete, operation_id: str, conferences: Conferences, now: datetime, house: House
) -> Answer:
    def body(stored: Conference | None) -> tuple[Conference | None, Answer]:
        return apply(stored, command, operation_id, now, restores=house.restores)

    return conferences.change(command.data.conference_id, body)


def _create(command: Create, operation_id: str, conferences: Conferences, now: datetime, house: House) -> Answer:
    """An operation makes one conference: the same id again is a repetition, whatever its content."""
    made, is_new = conferences.make(operation_id, lambda: created(command, house.new_id(), operation_id, now))
    data = conference_data(made.conference_id, house.join_address)
    body = {"conference_id": made.conference_id, "conference_data": data}
    return Answer(201, body, "created") if is_new else Answer(200, body, "repeated")


def _get(command: Get, conferences: Conferences) -> Answer:
    conference = conferences.get(command.data.conference_id)
    if conference is None:
        return problem(404, "conference-unknown", "no such conference")
    answer = done(conference, "told")
    desired = conference.desired.model_dump(mode="json")
    host = {"email": conference.host} if conference.host else None
    return Answer(200, {**answer.body, "key": conference.key, "desired": desired, "host": host}, answer.outcome)


def _list(command: ListAll, conferences: Conferences) -> Answer:
    limit = command.data.limit
    found = conferences.page(command.data.cursor, limit)
    next_cursor = found[-1].conference_id if len(found) == limit else None
    return Answer(200, {"conferences": [done(one, "").body for one in found], "next_cursor": next_cursor}, "told")
