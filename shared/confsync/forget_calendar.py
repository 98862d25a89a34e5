"""Forget the events of a removed calendar: its part in conferences, conferences that nothing else holds, and its links.

    a page of the conferences that know an event of it -> one transaction takes it out of each, and deletes those that
    know no other -> next page -> from the first one again, until nothing was left to take out
    -> page after page of its links is deleted -> nothing is left: noted

A conference is found by what it knows itself: an event that got another one since, that never came, or that was met
where it moved to has no link that leads there. Each step may be repeated, and each checks that the calendar is still
the one that was removed: it may have been added again. It must never tell a conferencing system anything, end a
conference, or delete one while a call may be under way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from confsync.core import calendar_states, effects, replacing
from confsync.core.conference import Conference
from confsync.core.forgetting import without_calendar
from confsync.core.records import Calendar, Link, Record
from confsync.core.rules import Rules
from confsync.errors import BudgetSpent, FenceLost
from confsync.ports import Outside, Transaction

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Forgotten:
    """How far it went."""

    links: int = 0
    conferences: int = 0
    again_at: datetime | None = None
    """When the scheduled run goes on; None: nothing is left, or the calendar was added again."""


def forget_calendar(calendar_key: str, outside: Outside, rules: Rules) -> Forgotten:
    """Forget as much as one task may; the calendar stays due until nothing is left.

    Raises:
        StoreUnavailable: what was forgotten stays so; the scheduled run goes on.

    """
    calendar = outside.store.get(Calendar, calendar_key)
    if calendar is None or not calendar_states.is_to_be_forgotten(calendar, outside.now()):
        return Forgotten()
    return _Forgetting(calendar, outside, rules).run()


@dataclass(frozen=True)
class _Page:
    """What became of a page of conferences."""

    changed: int
    deleted: int
    waits_until: datetime | None
    """Until when a call may be under way for a conference that would be deleted."""


class _Forgetting:
    """One worker's way through what is remembered of a removed calendar."""

    def __init__(self, calendar: Calendar, outside: Outside, rules: Rules) -> None:
        self._calendar, self._outside, self._rules = calendar, outside, rules
        self._stop_at = outside.now() + timedelta(seconds=rules.sync_budget_s)
        self._links = self._conferences = 0

    def run(self) -> Forgotten:
        try:
            again_at = self._forget()
        except BudgetSpent:
            again_at = self._calendar.due_at
        except FenceLost:
            again_at = None
        return Forgotten(self._links, self._conferences, again_at)

    def _forget(self) -> datetime | None:
        """Return when to go on; None: nothing is left. The links stay until no conference needs them any more."""
        pages = self._take_out()
        while any(page.changed for page in pages):
            pages = self._take_out()  # what was made meanwhile for such a conference may lie before what was read
        waits_until = max((page.waits_until for page in pages if page.waits_until), default=None)
        if waits_until is None:
            for links in self._pages(self._outside.store.links_of):
                self._delete(links)
        self._finish(waits_until)
        return waits_until

    def _take_out(self) -> list[_Page]:
        """Take the calendar out of all conferences that know an event of it, but for those that have to wait."""
        return [self._take_out_of(found) for found in self._pages(self._outside.store.conferences_of)]

    def _pages(self, read: Callable[..., list[R]]) -> Iterator[list[R]]:
        """Give page after page; raises `BudgetSpent` before one for which no time is left."""
        after = ""
        while found := read(self._calendar.key, after=after, limit=self._rules.chunk_size):
            if self._outside.now() >= self._stop_at:
                raise BudgetSpent
            yield found
            after = found[-1].key

    def _take_out_of(self, found: Sequence[Conference]) -> _Page:
        def body(tx: Transaction) -> _Page:
            self._check(tx.get(Calendar, self._calendar.key))
            conferences = tx.get_many(Conference, [each.key for each in found])
            left = {key: self._left(conference) for key, conference in conferences.items()}
            ending = (conferences[key] for key, each in left.items() if each is None)
            busy = {each.key: until for each in ending if (until := self._busy_until(each)) is not None}
            news = {key: each for key, each in left.items() if key not in busy and each is not conferences[key]}
            return _Page(len(news), _put_or_delete(tx, news), max(busy.values(), default=None))

        page = self._outside.store.transact(body)
        self._conferences += page.deleted
        return page

    def _delete(self, links: Sequence[Link]) -> None:
        def body(tx: Transaction) -> None:
            self._check(tx.get(Calendar, self._calendar.key))
            for link in links:
                tx.delete(Link, link.key)

        self._outside.store.transact(body)
        self._links += len(links)

    def _check(self, stored: Calendar | None) -> None:
        """Raise `FenceLost` where the calendar is not the one that was removed."""
        if not self._is_removed(stored):
            raise FenceLost(f"calendar {self._calendar.key} was added again while it was forgotten")

    def _is_removed(self, stored: Calendar | None) -> bool:
        return stored is not None and stored.fence == self._calendar.fence and stored.state == "removed"

    def _left(self, conference: Conference) -> Conference | None:
        return without_calendar(conference, self._calendar.key, self._outside.now(), self._rules)

    def _busy_until(self, conference: Conference) -> datetime | None:
        """A late answer, or a late landing, is to find the record that it belongs to; None: none can come."""
        now = self._outside.now()
        told = conference.intent.deadline if conference.intent and effects.has_open_intent(conference, now) else None
        made = replacing.awaited_until(conference, now, self._rules)
        return max(filter(None, (told, made)), default=None)

    def _finish(self, waits_until: datetime | None) -> None:
        """Note that nothing is left, or when to go on."""

        def body(tx: Transaction) -> None:
            stored = tx.get(Calendar, self._calendar.key)
            if stored is None or not self._is_removed(stored):
                return
            waiting = calendar_states.forget_at(stored, waits_until)
            tx.put(waiting if waits_until is not None else calendar_states.forgotten(stored))

        self._outside.store.transact(body)


def _put_or_delete(tx: Transaction, left: dict[str, Conference | None]) -> int:
    """Store what is left of each conference; return how many are deleted."""
    for key, conference in left.items():
        if conference is None:
            tx.delete(Conference, key)
        else:
            tx.put(conference)
    return sum(1 for conference in left.values() if conference is None)
