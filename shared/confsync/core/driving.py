"""Which of several live owners a conference follows, and until when. No I/O.

The parts of a split series and the duplicates of an event share one conference, which can be told only one state.
"""

from collections.abc import Collection
from datetime import UTC, datetime

from confsync.core.conference import Referent
from confsync.core.recurrence import last_end, next_end, next_start

LATEST = datetime.max.replace(tzinfo=UTC)


def over_at(owner: Referent) -> datetime:
    """Return the end of the event's last instance, also of one that was moved."""
    end = last_end(owner.times)
    return max(end, owner.until) if owner.until is not None else end


def driver_of(owners: dict[str, Referent], registered: Collection[str], now: datetime) -> str:
    """Return the owner with the earliest next occurrence, else the one that ended last.

    Where they are equal it is one that the add-on vouched for, then the one that was made first.
    """
    if len(owners) == 1:
        return next(iter(owners))

    def seniority(key: str) -> tuple[bool, datetime, str]:
        return key not in registered, owners[key].created or LATEST, key

    upcoming = {key: start for key in owners if (start := next_start(owners[key].times, now)) is not None}
    if upcoming:
        return min(upcoming, key=lambda key: (upcoming[key], seniority(key)))
    last = max(over_at(owner) for owner in owners.values())
    return min((key for key, owner in owners.items() if over_at(owner) == last), key=seniority)


def why_driver(owner: Referent, now: datetime) -> str:
    """Return why `driver_of` chose this owner, in words for the history."""
    return "it ended last" if next_start(owner.times, now) is None else "it took place next"


def handover_time(driver: str | None, owners: dict[str, Referent], now: datetime) -> datetime | None:
    """Return when another owner may have the earliest next occurrence though nothing changed; None: never."""
    if driver not in owners or len(owners) == 1:
        return None
    end = next_end(owners[driver].times, now)
    others = (owner for key, owner in owners.items() if key != driver)
    return end if end is not None and any(next_start(other.times, end) is not None for other in others) else None
