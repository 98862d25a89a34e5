"""What the store says of a random day, as its oracles read it: committed records, and the workers that write them."""

from dataclasses import dataclass, field
from datetime import datetime

from confsync.core.records import Calendar, Conference, Link
from tests.random_day_gestures import SUBJECTS
from tests.random_day_store import DayStore

KEYS = {Calendar.key_for("default", calendar_id, subject): calendar_id for calendar_id, subject in SUBJECTS.items()}


@dataclass
class Worker:
    """One run of one function, from its request to its answer."""

    since: datetime
    fences: dict[str, int] = field(default_factory=dict)
    """By calendar key: the fence under which it claimed the calendar."""


class Ledger:
    """What the store says of a day, as the oracles read it."""

    def __init__(self, store: DayStore) -> None:
        """Read the committed records of `store`."""
        self._store = store

    def calendar(self, calendar_id: str) -> Calendar | None:
        """Return a synced calendar."""
        key = Calendar.key_for("default", calendar_id, SUBJECTS[calendar_id])
        found = self._store.committed.get(("calendar", key))
        return found if isinstance(found, Calendar) else None

    def conference(self, conference_id: str) -> Conference | None:
        """Return a conference by the back end's id."""
        found = self._store.committed.get(("conference", Conference.key_for("default", "acme", conference_id)))
        return found if isinstance(found, Conference) else None

    def link(self, calendar_key: str, event_id: str) -> Link | None:
        """Return the link of an event."""
        found = self._store.committed.get(("link", Link.key_for(calendar_key, event_id)))
        return found if isinstance(found, Link) else None

    def conferences(self) -> list[Conference]:
        """Return all conferences."""
        return [record for record in self._store.committed.values() if isinstance(record, Conference)]


def is_pending(conference: Conference) -> bool:
    """Whether something still has to be told."""
    told = max(conference.applied.generation if conference.applied else 0, conference.refused)
    return conference.desired is not None and conference.desired.generation > told


def ends(conference: Conference | None) -> bool:
    return conference is not None and conference.desired is not None and conference.desired.ended


def went_back(before: Link, after: Link) -> bool:
    """Whether less is recorded of an event than was."""
    return before.updated is not None and (after.updated is None or after.updated < before.updated)
