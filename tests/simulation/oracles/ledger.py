"""What the store says, as the oracles read it: committed records, and the workers that write them.

It must never write, and never know which store it is.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from confsync.core.conference import Conference
from confsync.core.records import Calendar, Link, Record
from confsync.local.calendar_server.tokens import decode_sync

FAR = datetime(2100, 1, 1, tzinfo=UTC)


class Worker(Protocol):
    """One run of one function, from its request to its answer."""

    @property
    def name(self) -> str:
        """Its own name."""

    @property
    def since(self) -> datetime:
        """The true time at which it began."""

    @property
    def read_at(self) -> datetime:
        """The true time at which the transaction began that it committed last, so what that found is as old."""

    @property
    def fences(self) -> dict[str, int]:
        """By calendar key: the fence under which it claimed the calendar."""

    def now(self) -> datetime:
        """Return the time by its own clock."""


class Complaints:
    """Which rules were broken, in the order in which they were."""

    def __init__(self) -> None:
        """Begin with none."""
        self.all: list[str] = []

    def add(self, rule: str, detail: str) -> None:
        """Record that a rule was broken."""
        self.all.append(f"{rule}: {detail}")


class Ledger:
    """Committed records by what the oracles know of them."""

    def __init__(
        self, committed: Mapping[str, Mapping[str, Record]], calendar_ids: Mapping[str, str], provider: str = "acme"
    ) -> None:
        """Read the committed records, by kind and then by key.

        Args:
            committed: the newest ones; whoever keeps it changes it with each commit.
            calendar_ids: of the synced calendars, by calendar key.
            provider: whose conferences they are.

        """
        self._committed, self.calendar_ids, self._provider = committed, calendar_ids, provider
        self._keys = {calendar_id: key for key, calendar_id in calendar_ids.items()}
        self._conference_keys: dict[str, str] = {}

    def calendar(self, calendar_id: str) -> Calendar | None:
        """Return a synced calendar."""
        found = self._committed["calendar"].get(self._keys.get(calendar_id, ""))
        return found if isinstance(found, Calendar) else None

    def key(self, calendar_id: str) -> str:
        """Return the key of a synced calendar; raises KeyError where nobody syncs it."""
        return self._keys[calendar_id]

    def calendars(self) -> dict[str, Calendar]:
        """Return the calendars that are stored, by calendar id."""
        found = {calendar_id: self.calendar(calendar_id) for calendar_id in self._keys}
        return {calendar_id: calendar for calendar_id, calendar in found.items() if calendar is not None}

    def conference(self, conference_id: str) -> Conference | None:
        """Return a conference by the back end's id."""
        if conference_id not in self._conference_keys:
            self._conference_keys[conference_id] = Conference.key_for("default", self._provider, conference_id)
        return self.conference_at(self._conference_keys[conference_id])

    def conference_at(self, key: str) -> Conference | None:
        """Return a conference by its key."""
        found = self._committed["conference"].get(key)
        return found if isinstance(found, Conference) else None

    def link(self, calendar_key: str, event_id: str) -> Link | None:
        """Return the link of an event."""
        found = self._committed["link"].get(Link.key_for(calendar_key, event_id))
        return found if isinstance(found, Link) else None

    def links_in(self, calendar_id: str) -> list[Link]:
        """Return the stored links of a synced calendar."""
        links = (link for link in self._committed["link"].values() if isinstance(link, Link))
        return [link for link in links if link.calendar_key == self._keys[calendar_id]]

    def conferences(self) -> list[Conference]:
        """Return all conferences."""
        return [record for record in self._committed["conference"].values() if isinstance(record, Conference)]

    def held(self) -> list[Conference]:
        """Return the conferences whose end waits for an operator."""
        return [conference for conference in self.conferences() if conference.brake == "held"]

    def next_due(self, overdue: timedelta) -> datetime:
        """Return when the scheduled run has something to do next: to renew, or to start what is overdue by then."""
        calendars, conferences = self.calendars().values(), self.conferences()
        due = [*(calendar.due_at for calendar in calendars), *(conference.due_at for conference in conferences)]
        times = [*(calendar.renew_at for calendar in calendars), *(at + overdue for at in due if at is not None)]
        return min((at for at in times if at is not None), default=FAR)


@lru_cache(maxsize=256)  # each token is looked at by several judges
def covered_by(secret: str, sync_token: str) -> int:
    """Return the position in its calendar's changes up to which a sync token of the Calendar server covers them."""
    return decode_sync(secret, sync_token).upto


def is_pending(conference: Conference) -> bool:
    """Whether something still has to be told, and does not wait for an operator."""
    if conference.brake == "held" and ends(conference):
        return False
    told = max(conference.applied.generation if conference.applied else 0, conference.refused)
    return conference.desired is not None and conference.desired.generation > told


def ends(conference: Conference | None) -> bool:
    """Whether the conference is to end."""
    return conference is not None and conference.desired is not None and conference.desired.ended


def went_back(before: Link, after: Link) -> bool:
    """Whether less is recorded of an event than was."""
    return before.updated is not None and (after.updated is None or after.updated < before.updated)
