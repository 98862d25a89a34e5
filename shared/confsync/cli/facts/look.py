"""The read-only part: list a calendar as confsync does and in a few other ways, and see what that answers.

It must never write; the `Api` that it is given refuses to.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from confsync.adapters.google_calendar import LIST_PARAMETERS
from confsync.adapters.google_calendar_errors import Call
from confsync.cli.facts.api import UNMASKED, Api, Json
from confsync.cli.facts.inventory import findings, notice
from confsync.cli.facts.redaction import known_word, reason_word
from confsync.cli.facts.report import Finding, not_settled, yes_or_no

_TOKENS_ONLY: Final = "accessRole,nextPageToken,nextSyncToken"
_MALFORMED: Final = "confsync-facts"


def look(api: Api, calendar_id: str, now: datetime) -> Iterator[Finding]:
    """Answer what a calendar shows by itself.

    Raises:
        CalendarError: the calendar cannot be listed.

    """
    last = _last_page(api, calendar_id, LIST_PARAMETERS)
    role = last.get("accessRole")
    yield yes_or_no("reads_in_full", "look", role in ("writer", "owner"), accessRole=known_word("accessRole", role))
    yield _own_token(api, calendar_id, last.get("nextSyncToken"))
    for question, parameters in _other_lists(now):
        yield _gives_token(api, calendar_id, question, parameters)
    yield _malformed_token(api, calendar_id)
    yield from findings([notice(item) for page in api.pages(calendar_id, **UNMASKED) for item in page.get("items", ())])


def _last_page(api: Api, calendar_id: str, parameters: Mapping[str, Any]) -> Json:
    *_, last = api.pages(calendar_id, **parameters)
    return last


def _own_token(api: Api, calendar_id: str, sync_token: str | None) -> Finding:
    if sync_token is None:
        return yes_or_no("own_parameters_give_token", "look", truth=False)
    pages = list(api.pages(calendar_id, **LIST_PARAMETERS, syncToken=sync_token))
    listed = sum(len(page.get("items", ())) for page in pages)
    given = "nextSyncToken" in pages[-1]
    return yes_or_no("own_parameters_give_token", "look", given, items_of_the_next_list=listed)


def _other_lists(now: datetime) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield lists that are refused beside a token, as narrow as they can be without leaving out what is in question."""
    common = {"maxResults": 2500, "fields": _TOKENS_ONLY}
    yield "order_by_updated_gives_token", common | {"orderBy": "updated", "showDeleted": True}
    soon = {"timeMin": now.isoformat(timespec="seconds"), "timeMax": _text(now + timedelta(days=7))}
    yield "order_by_start_gives_token", common | soon | {"orderBy": "startTime", "singleEvents": True}
    yield "updated_min_gives_token", common | {"updatedMin": _text(now - timedelta(days=1)), "showDeleted": True}


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _gives_token(api: Api, calendar_id: str, question: str, parameters: Mapping[str, Any]) -> Finding:
    first = api.ask(Call("events.list", "calendar"), api.events.list(calendarId=calendar_id, **parameters))
    if first.error is not None:
        return not_settled(question, "look", status=first.status, reason=reason_word(first.reason))
    pages = list(api.pages(calendar_id, **parameters))
    return yes_or_no(question, "look", "nextSyncToken" in pages[-1], pages=len(pages))


def _malformed_token(api: Api, calendar_id: str) -> Finding:
    call = Call("events.list", "calendar", sync_token=True)
    reply = api.ask(call, api.events.list(calendarId=calendar_id, **LIST_PARAMETERS, syncToken=_MALFORMED))
    evidence = {"status": reply.status, "reason": reason_word(reply.reason)}
    return yes_or_no("malformed_token_is_400", "look", reply.status == 400, **evidence)
