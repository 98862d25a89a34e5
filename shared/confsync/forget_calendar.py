"""Forget the events of a removed calendar: its links, its part in conferences, and conferences that nothing else holds.

    links of a page -> one transaction deletes them and what only they held -> next page -> nothing is left: noted

Each step may be repeated, and each checks that the calendar is still the one that was removed: it may have been added
again. It must never tell a conferencing system anything, end a conference, or delete one while a call may be under way.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from confsync.core import calendar_states, effects, replacing
from confsync.core.conference import Conference
from confsync.core.forgetting import calendars_of, without_calendars
from confsync.core.records import Calendar, Link
from confsync.core.rules import Rules
from confsync.ports import Outside, Transaction


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
    links: int
    conferences: int
    waits_until: datetime | None
    """Until when a call may be under way for a conference that would be deleted."""


class _Forgetting:
    """One worker's way through the links of a removed calendar."""

    def __init__(self, calendar: Calendar, outside: Outside, rules: Rules) -> None:
        self._calendar, self._outside, self._rules = calendar, outside, rules
        self._stop_at = outside.now() + timedelta(seconds=rules.sync_budget_s)

    def run(self) -> Forgotten:
        links, conferences, waits, after = 0, 0, list[datetime](), ""
        while found := self._outside.store.links_of(self._calendar.key, after=after, limit=self._rules.chunk_size):
            if self._outside.now() >= self._stop_at:
                return Forgotten(links, conferences, self._calendar.due_at)
            page = self._forget(found)
            if page is None:
                return Forgotten(links, conferences)
            links, conferences, after = links + page.links, conferences + page.conferences, found[-1].key
            waits += [page.waits_until] if page.waits_until else []
        return Forgotten(links, conferences, self._finish(max(waits, default=None)))

    def _forget(self, found: list[Link]) -> _Page | None:
        """Delete a page of links and what only they held; None: the calendar is not the one that was removed."""

        def body(tx: Transaction) -> _Page | None:
            if not self._is_removed(tx.get(Calendar, self._calendar.key)):
                return None
            links = tx.get_many(Link, [link.key for link in found])
            conferences = tx.get_many(Conference, {link.conference_key for link in links.values()} - {""})
            left = {key: self._left(conference) for key, conference in conferences.items()}
            ending = (conferences[key] for key, each in left.items() if each is None)
            busy = {each.key: until for each in ending if (until := self._busy_until(each)) is not None}
            gone = [key for key, link in links.items() if link.conference_key not in busy]
            for key in gone:
                tx.delete(Link, key)
            deleted = _put_or_delete(tx, {key: each for key, each in left.items() if key not in busy})
            return _Page(len(gone), deleted, max(busy.values(), default=None))

        return self._outside.store.transact(body)

    def _is_removed(self, stored: Calendar | None) -> bool:
        return stored is not None and stored.fence == self._calendar.fence and stored.state == "removed"

    def _left(self, conference: Conference) -> Conference | None:
        return without_calendars(conference, {self._calendar.key}, self._outside.now(), self._rules)

    def _busy_until(self, conference: Conference) -> datetime | None:
        return _busy_until(conference, self._outside.now(), self._rules)

    def _finish(self, waits_until: datetime | None) -> datetime | None:
        """Note that nothing is left, or when to go on."""

        def body(tx: Transaction) -> None:
            stored = tx.get(Calendar, self._calendar.key)
            if stored is None or not self._is_removed(stored):
                return
            waiting = calendar_states.forget_at(stored, waits_until)
            tx.put(waiting if waits_until is not None else calendar_states.forgotten(stored))

        self._outside.store.transact(body)
        return waits_until


def _busy_until(conference: Conference, now: datetime, rules: Rules) -> datetime | None:
    """A late answer, or a late landing, is to find the record that it belongs to; None: none can come."""
    told = conference.intent.deadline if conference.intent and effects.has_open_intent(conference, now) else None
    made = replacing.awaited_until(conference, now, rules)
    return max(filter(None, (told, made)), default=None)


def _put_or_delete(tx: Transaction, left: dict[str, Conference | None]) -> int:
    """Store what is left of each conference; return how many are deleted."""
    for key, conference in left.items():
        if conference is None:
            tx.delete(Conference, key)
        else:
            tx.put(conference)
    return sum(1 for conference in left.values() if conference is None)


def drop_forgotten(conference: Conference, outside: Outside, rules: Rules) -> bool:
    """Take out of a conference the events of calendars that are forgotten; whether there were any.

    Some of them have no link that would lead here: events that never came, or that were met where they moved to.
    """
    if not _forgotten_of(outside.store.get_many(Calendar, calendars_of(conference)).values()):
        return False

    def body(tx: Transaction) -> bool:
        now, stored = outside.now(), tx.get(Conference, conference.key)
        if stored is None or _busy_until(stored, now, rules) is not None:
            return False
        forgotten = _forgotten_of(tx.get_many(Calendar, sorted(calendars_of(stored))).values())
        left = without_calendars(stored, forgotten, now, rules)
        if forgotten:
            _put_or_delete(tx, {stored.key: left})
        return bool(forgotten)

    return outside.store.transact(body)


def _forgotten_of(calendars: Iterable[Calendar]) -> set[str]:
    return {calendar.key for calendar in calendars if calendar_states.is_forgotten(calendar)}
