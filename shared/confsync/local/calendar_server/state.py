"""Everything the server knows, and operations that change it whole or not at all. Clock and ids are passed in.

An operation collects drafts and applies them at its end: one stamp, hence one etag, for every event that it touched.
When a part of a series is touched, its master and all exceptions are sent again, as Google does.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from .errors import Json, account_suspended, calendar_deleted, not_found, writer_needed
from .records import Calendar, Channel, Entry, Options, Role, Tombstone, User, Version, role_at_least
from .recurrence import root_of
from .times import to_us


class State:
    """Users, calendars and channels, with a mark on everything that has changed since it was last stored."""

    def __init__(self, now: Callable[[], datetime], new_id: Callable[[], str], secret: str, options: Options) -> None:
        self.now = now
        self.new_id = new_id
        self.secret = secret
        self.options = options
        self.users: dict[str, User] = {}
        self.calendars: dict[str, Calendar] = {}
        self.channels: dict[str, Channel] = {}
        self.last_stamp_us = 0
        self.list_change = 0
        self.dirty: set[tuple[str, str, str]] = set()
        """(kind, id, event id or "") of each record that is not stored yet."""

    def clear(self) -> None:
        """Forget everyone and everything; stamps go on, so that no etag comes twice."""
        self.users.clear()
        self.calendars.clear()
        self.channels.clear()
        self.dirty.clear()

    def now_us(self) -> int:
        """Return the time in microseconds."""
        return to_us(self.now())

    def next_stamp_us(self) -> int:
        """Return a stamp that is later than all before, even when the clock stands still."""
        self.last_stamp_us = max(self.now_us(), self.last_stamp_us + 1)
        return self.last_stamp_us

    def calendar_for(self, email: str, calendar_id: str, wanted: Role = "freeBusyReader") -> Calendar:
        """Return a calendar that a user may use in the wanted role.

        Raises:
            ApiError: 401 for a suspended user, 404 when it does not exist or is hidden from the user, 403 when the role
                is too low; for a deleted calendar as the options say.
        """
        self.check_account(email)
        calendar = self.calendars.get(email if calendar_id == "primary" else calendar_id)
        if calendar is None or calendar.shared_as(email) == "none":
            raise not_found()
        if calendar.deleted:
            raise calendar_deleted(self.options.deleted_calendar)
        if not role_at_least(calendar.role_of(email), wanted):
            raise writer_needed()
        return calendar

    def check_account(self, email: str) -> None:
        """Refuse a suspended user.

        Raises:
            ApiError: 401.
        """
        user = self.users.get(email)
        if user is not None and user.suspended:
            raise account_suspended()

    def live_calendar(self, calendar_id: str) -> Calendar | None:
        """Return a calendar that exists and is not deleted, or None."""
        calendar = self.calendars.get(calendar_id)
        return None if calendar is None or calendar.deleted else calendar

    def mark(self, kind: str, record_id: str, event_id: str = "") -> None:
        """Remember that a record must be stored."""
        self.dirty.add((kind, record_id, event_id))

    def touch_list(self, calendar: Calendar) -> None:
        """Record that a calendar's entry in calendar lists has changed."""
        self.list_change += 1
        for email in self.users:
            if email in calendar.roles:
                self.users[email].list_change = self.list_change
                self.mark("user", email)
        self.mark("calendar", calendar.id)

    def apply(self, calendar: Calendar, event_id: str, version: Version) -> None:
        """Make a version the newest of its event and index it."""
        entry = calendar.entries.pop(event_id, None)
        first_change = entry.first_change if entry else version.change
        calendar.entries[event_id] = Entry(version, self._still_shown(entry, version), first_change)
        master_id = version.master_id
        if master_id is not None:
            calendar.exceptions.setdefault(master_id, set()).add(event_id)
        elif version.body.get("recurrence"):
            calendar.families.setdefault(root_of(event_id), set()).add(event_id)
        calendar.change = max(calendar.change, version.change)
        calendar.updated_us = max(calendar.updated_us, version.updated_us)

    def _still_shown(self, entry: Entry | None, newest: Version) -> tuple[Version, ...]:
        if entry is None:
            return ()
        versions = (*entry.older, entry.newest)
        # A caller who is paging may not have come to the last change that lists tell of.
        needed = {newest.unlisted_after} | ({v.change for v in self._lagging(versions)})
        return tuple(v for v in versions if v.change in needed)

    def _lagging(self, versions: tuple[Version, ...]) -> list[Version]:
        if not self.options.list_lag_ms:
            return []
        hidden_after_us = self.now_us() - self.options.list_lag_ms * 1000
        shown = [v for v in versions if v.stamp_us <= hidden_after_us][-1:]
        return shown + [v for v in versions if v.stamp_us > hidden_after_us]


@dataclass(frozen=True, slots=True)
class Draft:
    """What an operation will make of one event in one calendar."""

    body: Json
    tombstone: Tombstone | None
    quiet: bool
    """True when only reminders changed, so that `updated` stays."""
    verbatim: bool = False


class Operation:
    """A set of changes with one stamp. Nothing is visible outside before `commit`."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.stamp_us = state.next_stamp_us()
        self.drafts: dict[tuple[str, str], Draft] = {}

    def read(self, calendar: Calendar, event_id: str) -> Version | None:
        """Return an event as this operation leaves it, or None when the calendar never had it."""
        draft = self.drafts.get((calendar.id, event_id))
        entry = calendar.entries.get(event_id)
        if draft is None:
            return entry.newest if entry else None
        return self._version(calendar, event_id, draft, 0)

    def write(
        self,
        calendar: Calendar,
        event_id: str,
        body: Json,
        tombstone: Tombstone | None = None,
        *,
        quiet: bool = False,
        verbatim: bool = False,
    ) -> None:
        """Plan one event's next version."""
        earlier = self.drafts.get((calendar.id, event_id))
        still_quiet = quiet and (earlier is None or earlier.quiet)
        self.drafts[calendar.id, event_id] = Draft(body, tombstone, still_quiet, verbatim)

    def commit(self) -> list[str]:
        """Apply all drafts.

        Returns:
            The ids of the changed calendars, each once.
        """
        self._touch_siblings()
        changed: dict[str, None] = {}
        for (calendar_id, event_id), draft in sorted(self.drafts.items(), key=_series_order):
            calendar = self.state.calendars[calendar_id]
            version = self._version(calendar, event_id, draft, calendar.change + 1)
            self.state.apply(calendar, event_id, version)
            self.state.mark("event", calendar_id, event_id)
            changed[calendar_id] = None
        for calendar_id in changed:
            self.state.mark("calendar", calendar_id)
        return list(changed)

    def _version(self, calendar: Calendar, event_id: str, draft: Draft, change: int) -> Version:
        entry = calendar.entries.get(event_id)
        before = entry.newest if entry else None
        former = _former_rules(before, draft.body) if before else ()
        version = Version(draft.body, change, self.stamp_us, self.stamp_us, draft.tombstone, draft.verbatim, former)
        return self._quietened(calendar, version, before) if draft.quiet else version

    def _quietened(self, calendar: Calendar, version: Version, before: Version | None) -> Version:
        """Leave `updated` as it was; an occurrence that was not stored has it from its series."""
        series = calendar.entries.get(version.master_id or "")
        earlier = before or (series.newest if series else version)
        if self.state.options.lists_reminder_edits:
            return replace(version, updated_us=earlier.updated_us)
        listed = before.listed_change if before else 0
        return replace(version, updated_us=earlier.updated_us, unlisted_after=listed)

    def _touch_siblings(self) -> None:
        for (calendar_id, event_id), draft in list(self.drafts.items()):
            if draft.verbatim:
                continue
            calendar = self.state.calendars[calendar_id]
            master_id = draft.body.get("recurringEventId") or event_id
            siblings = {master_id} | calendar.exceptions.get(master_id, set())
            for sibling_id in siblings - {event_id}:
                self._touch(calendar, sibling_id, quiet=draft.quiet)

    def _touch(self, calendar: Calendar, event_id: str, *, quiet: bool) -> None:
        entry = calendar.entries.get(event_id)
        draft = self.drafts.get((calendar.id, event_id))
        if draft is not None:
            self.drafts[calendar.id, event_id] = replace(draft, quiet=draft.quiet and quiet)
        elif entry is not None and entry.newest.tombstone is not Tombstone.ORPHAN:
            newest = entry.newest
            self.drafts[calendar.id, event_id] = Draft(newest.body, newest.tombstone, quiet, newest.verbatim)


_RULES = ("start", "end", "recurrence")
_MOST_FORMER_RULES = 8


def _former_rules(before: Version, body: Json) -> tuple[Json, ...]:
    """Remember what lists must take back: former rules of a series, former series of an exception."""
    if before.master_id is not None:
        moved = before.master_id != body.get("recurringEventId")
        return (*before.former, {"recurringEventId": before.master_id}) if moved else before.former
    recurs = "recurrence" in before.body or "recurrence" in body
    if not recurs or all(before.body.get(name) == body.get(name) for name in _RULES):
        return before.former
    rules = {name: before.body[name] for name in _RULES if name in before.body}
    return (*before.former, rules)[-_MOST_FORMER_RULES:]


def _series_order(item: tuple[tuple[str, str], Draft]) -> tuple[str, str, bool, str]:
    (calendar_id, event_id), draft = item
    master_id = draft.body.get("recurringEventId")
    return calendar_id, master_id or event_id, master_id is not None, event_id
