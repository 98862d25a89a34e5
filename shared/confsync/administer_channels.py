"""What an operator does to push channels: have them renewed soon, stop one, see which keys they need.

Renewing is left to the scheduled run, which knows how much of it Calendar bears: here it is only made due. It must
never leave a calendar without a channel for longer than until the next run.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal

from confsync.core import channels
from confsync.core.channel_keys import KeyUse, live_channels, uses_of_keys
from confsync.core.leases import is_synced
from confsync.core.records import Calendar, Channel
from confsync.core.rules import Rules
from confsync.errors import UnknownCalendar
from confsync.paging import calendars_of
from confsync.ports import Outside, Store, Transaction
from confsync.reading import address_of

Condition = Callable[[Calendar], bool]


def is_watched(calendar: Calendar) -> bool:
    """Whether a channel of the calendar is open, or should be."""
    return calendar.state == "active"


def signed_with(key_id: str, now: datetime, rules: Rules) -> Condition:
    """Return whether a calendar has an open channel that was signed with a key."""
    return lambda calendar: any(channel.key_id == key_id for channel in live_channels(calendar, now, rules))


def renew_soon(calendars: Iterable[Calendar], is_meant: Condition, outside: Outside) -> int:
    """Make the channels of these calendars due; return how many, those that were due already too.

    Raises:
        StoreUnavailable: what was made due stays so; do it again for the others.

    """
    return sum(1 for calendar in calendars if is_meant(calendar) and _make_due(calendar.key, is_meant, outside))


def _make_due(calendar_key: str, is_meant: Condition, outside: Outside) -> bool:
    def body(tx: Transaction) -> bool:
        now, stored = outside.now(), tx.get(Calendar, calendar_key)
        if stored is None or not is_synced(stored) or not is_meant(stored):
            return False
        if stored.renew_at is None or stored.renew_at > now:
            tx.put(channels.retry_at(stored, now))
        return True

    return outside.store.transact(body)


Stopped = Literal["stopped", "replaced soon", "unknown"]


def stop_channel(calendar_key: str, channel_id: str, resource_id: str, outside: Outside) -> Stopped:
    """Stop one channel; where it was the active one, the next run opens another and asks for a sync.

    Args:
        resource_id: of a channel that is not remembered, as a notification showed it; else empty.

    Returns:
        `unknown`, and nothing is done, where the channel is not remembered and its resource is not given.

    Raises:
        UnknownCalendar: there is none of this key.
        CalendarError: it is not stopped; do it again.
        StoreUnavailable: do it again.

    """
    calendar, channel = _retire(calendar_key, channel_id, outside)
    resource_id = resource_id or (channel.resource_id or "" if channel else "")
    if not resource_id:
        return "unknown"
    outside.calendar_api.stop_channel(address_of(calendar), channel_id, resource_id)
    _change(calendar_key, lambda stored: channels.forget_channel(stored, channel_id), outside)
    return "replaced soon" if channel is not None and channel.state == "active" else "stopped"


def _retire(calendar_key: str, channel_id: str, outside: Outside) -> tuple[Calendar, Channel | None]:
    """Store that the channel is to be stopped; return it as it was before."""
    found: list[Channel | None] = [None]

    def change(calendar: Calendar) -> Calendar:
        found[:] = [next((each for each in calendar.channels if each.id == channel_id), None)]
        return channels.retire_channel(calendar, channel_id, outside.now())

    return _change(calendar_key, change, outside), found[0]


def _change(calendar_key: str, change: Callable[[Calendar], Calendar], outside: Outside) -> Calendar:
    def body(tx: Transaction) -> Calendar:
        stored = tx.get(Calendar, calendar_key)
        if stored is None:
            raise UnknownCalendar(f"no calendar has the key {calendar_key}; confsync calendars list shows them")
        tx.put(changed := change(stored))
        return changed

    return outside.store.transact(body)


def key_uses(store: Store, tenant: str, key_ids: Sequence[str], now: datetime, rules: Rules) -> list[KeyUse]:
    """Return how each key of channel tokens is used by a tenant's channels.

    Raises:
        StoreUnavailable: the store did not answer.

    """
    return uses_of_keys(calendars_of(store, tenant), key_ids, now, rules)
