"""Tell which of the items that Calendar lists matter: most events of a calendar have nothing to do with us.

It must never fail for an item that cannot be read, or say what stands in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from confsync.core.events import Event, parse_event
from confsync.core.planning import concerns_us
from confsync.core.records import Calendar, Checkpoint, EventRef, Failure, Link
from confsync.core.solutions import Solution, may_be_ours
from confsync.core.terms import Terms
from confsync.leased_reader import event_failure
from confsync.paging import links_of
from confsync.ports import Outside


class ListedItems:
    """The items of one calendar, and what is known of its links."""

    def __init__(self, calendar: Calendar, outside: Outside, terms: Terms) -> None:
        """Know nothing yet."""
        self._calendar, self._outside, self._terms = calendar, outside, terms
        self._known: dict[str, Link] | None = None

    def forget(self) -> None:
        """Read the links anew when they are needed next."""
        self._known = None

    def note(self, links: Iterable[Link]) -> None:
        """Take over links that were just stored."""
        if self._known is not None:
            self._known.update({link.event_id: link for link in links})

    def of_interest(self, items: list[Any], at: Checkpoint) -> tuple[list[Event], list[Failure]]:
        """Return the events that are linked or name a conference of ours, and the items that cannot be read.

        A cheap look before an item is read in full: most events of a calendar have nothing to do with us.
        """
        readable = [item for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]
        failures = [self._failure("", "a listed item has no id")] * (len(items) - len(readable))
        ours = [_names_ours(item, self._terms.solutions) for item in readable]
        known = self._links_of([item for item, is_ours in zip(readable, ours, strict=True) if not is_ours], at)
        events = []
        for item, is_ours in zip(readable, ours, strict=True):
            if is_ours or item["id"] in known or item.get("recurringEventId") in known:
                try:
                    events.append(parse_event(item))
                except ValidationError as error:
                    failures.append(self._failure(item["id"], _without_values(error)))
        links = {link.key: link for link in known.values()}
        mine = [event for event in events if concerns_us(event, links, self._calendar.key, self._terms)]
        return mine, failures

    def _links_of(self, items: list[dict[str, Any]], at: Checkpoint) -> dict[str, Link]:
        """Return links by event id: all of the calendar for a long list, else those of the items."""
        if self._known is None and (at.listing or len(items) > self._terms.rules.chunk_size):
            self._known = {link.event_id: link for link in links_of(self._outside.store, self._calendar.key)}
        if self._known is not None:
            return self._known
        named = (item.get(name) for item in items for name in ("id", "recurringEventId"))
        keys = {Link.key_for(self._calendar.key, id_) for id_ in named if isinstance(id_, str)}
        found = self._outside.store.get_many(Link, keys) if keys else {}
        return {link.event_id: link for link in found.values()}

    def _failure(self, event_id: str, reason: str) -> Failure:
        ref = EventRef(self._calendar.key, event_id)
        return event_failure(self._calendar.tenant, ref, reason, self._outside.now())


def _names_ours(item: Mapping[str, Any], solutions: Sequence[Solution]) -> bool:
    return "conferenceData" in item and may_be_ours(item["conferenceData"], solutions)


def _without_values(error: ValidationError) -> str:
    """Name the fields and what is wrong with them, never what they hold."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return "malformed: " + "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in found[:5])
