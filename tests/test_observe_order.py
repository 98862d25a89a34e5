"""In which order events are read: the same whatever asked for them, so that a run can be repeated call by call."""

from dataclasses import replace
from typing import Any

from confsync.core import leases
from confsync.core.records import EventRef
from confsync.core.sight import Reading
from confsync.leased_reader import LeasedReader
from tests.world import World


class Recording:
    """A Calendar that remembers which events were read."""

    def __init__(self, api: Any) -> None:
        """Pass every call on to `api`."""
        self._api = api
        self.read: list[str] = []

    def get_event(self, at: Any, event_id: str) -> Any:
        """Read an event."""
        self.read.append(event_id)
        return self._api.get_event(at, event_id)

    def __getattr__(self, name: str) -> Any:
        """Return any other call of the Calendar."""
        return getattr(self._api, name)


def test_events_are_read_in_one_order() -> None:
    """A plan asks for a set, and the order of a set differs from process to process."""
    world = World()
    world.initialize()
    event_ids = [world.create(f"M{n}", None) for n in range(6)]
    calendar = leases.claim(world.calendar(), "worker", world.now, world.rules).calendar
    api = Recording(world.calendar_api)
    reader = LeasedReader(calendar, replace(world.outside, calendar_api=api), world.rules)
    reader.read([Reading(EventRef(calendar.key, each)) for each in reversed(event_ids)], calendar.sync_token)
    assert api.read == sorted(event_ids)
