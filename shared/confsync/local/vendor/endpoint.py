"""The endpoint of the provider contract: verify, parse, apply, answer.

It knows no web framework, so it can be read as a recipe for any. It must never look at a body whose signature it has
not checked.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from confsync.local.vendor.conferences import Conference, apply, done
from confsync.local.vendor.contract import Answer, Command, Delete, Get, ListAll, Ping, Upsert, parse_command, problem
from confsync.local.vendor.signature import is_signed

T = TypeVar("T")
LARGEST_BODY = 1024 * 1024


class Conferences(Protocol):
    """Where the conferences are kept."""

    def change(self, conference_id: str, body: Callable[[Conference | None], tuple[Conference | None, T]]) -> T:
        """Read one conference, store what `body` returns, and return its answer: all in one transaction."""

    def get(self, conference_id: str) -> Conference | None:
        """Return the conference, None when it is unknown."""

    def page(self, after: str, limit: int) -> list[Conference]:
        """Return up to `limit` conferences whose id is greater than `after`, in the order of their ids."""


def receive(
    headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], conferences: Conferences, now: datetime
) -> Answer:
    """Return the answer to one call; after a 2xx its effect is stored for good."""
    if len(body) > LARGEST_BODY:
        return problem(413, "body-too-large", f"the body has more than {LARGEST_BODY} bytes", {"connection": "close"})
    if not is_signed(headers, body, keys, now):
        return problem(401, "signature-invalid", "no signature of a known key, or the timestamp is too far off")
    command = parse_command(body)
    if isinstance(command, Answer):
        return command
    return _obey(command, headers["webhook-id"], conferences, now)


def _obey(command: Command, operation_id: str, conferences: Conferences, now: datetime) -> Answer:
    match command:
        case Upsert() | Delete():
            return _change(command, operation_id, conferences, now)
        case Get():
            return _get(command, conferences)
        case ListAll():
            return _list(command, conferences)
        case Ping():
            return Answer(200, {"type": "pong"}, "pong")


def _change(command: Upsert | Delete, operation_id: str, conferences: Conferences, now: datetime) -> Answer:
    return conferences.change(command.data.conference_id, lambda stored: apply(stored, command, operation_id, now))


def _get(command: Get, conferences: Conferences) -> Answer:
    conference = conferences.get(command.data.conference_id)
    if conference is None:
        return problem(404, "conference-unknown", "no such conference")
    answer = done(conference, "told")
    desired = conference.desired.model_dump(mode="json")
    return Answer(200, {**answer.body, "key": conference.key, "desired": desired}, answer.outcome)


def _list(command: ListAll, conferences: Conferences) -> Answer:
    limit = command.data.limit
    found = conferences.page(command.data.cursor, limit)
    next_cursor = found[-1].conference_id if len(found) == limit else None
    return Answer(200, {"conferences": [done(one, "").body for one in found], "next_cursor": next_cursor}, "told")
