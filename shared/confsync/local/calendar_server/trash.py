"""What becomes of deleted events in the end: they are forgotten as if they had never been. Pure.

Nothing may be forgotten that a living series needs: its cancelled occurrences stay as long as it does.
"""

from .records import Calendar, Tombstone, Version
from .state import State

_DAY_US = 86400 * 1_000_000


def forget_deleted(state: State, calendar: Calendar) -> list[str]:
    """Forget the tombstones of a calendar that are older than `tombstone_days` and return their ids.

    Sync tokens from before those deletions expire: an incremental list could not tell of them any more.
    """
    limit_us = state.now_us() - int(state.options.tombstone_days * _DAY_US)
    gone = [event_id for event_id, entry in calendar.entries.items() if _is_over(calendar, entry.newest, limit_us)]
    gone += _exceptions_of(calendar, set(gone))
    for event_id in gone:
        version = calendar.entries.pop(event_id).newest
        calendar.forgotten_change = max(calendar.forgotten_change, version.change)
        state.mark("event", calendar.id, event_id)
    for ids in (*calendar.exceptions.values(), *calendar.families.values()):
        ids.difference_update(gone)
    state.mark("calendar", calendar.id)
    return sorted(gone)


def _is_over(calendar: Calendar, version: Version, limit_us: int) -> bool:
    if not version.cancelled or version.stamp_us > limit_us:
        return False
    return version.tombstone is Tombstone.ORPHAN or not _series_lives(calendar, version)


def _series_lives(calendar: Calendar, version: Version) -> bool:
    series = calendar.entries.get(version.master_id or "")
    return series is not None and not series.newest.cancelled


def _exceptions_of(calendar: Calendar, masters: set[str]) -> list[str]:
    """Return the exceptions that go with their series and are not named yet; some may be another series' by now."""
    found = {event_id for master_id in masters for event_id in calendar.exceptions.get(master_id, ())} - masters
    return [event_id for event_id in found if calendar.entries[event_id].newest.master_id in masters]
