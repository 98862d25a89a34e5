"""Which keys the open channels were signed with: what an operator has to know before a key may go.

No I/O. It must never call a key free while a channel that it signed may still announce something.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from confsync.core.channels import is_over
from confsync.core.leases import is_synced
from confsync.core.records import Calendar, Channel
from confsync.core.rules import Rules


@dataclass
class KeyUse:
    """How one key is used."""

    key_id: str
    channels: int = 0
    """Channels of it that are open, or may be."""
    latest: datetime | None = None
    """When the last of them expires; None: there is none."""
    signs: bool = False
    """Whether new channels are signed with it."""
    is_known: bool = True
    """Whether the settings have it: of an unknown one each notification is refused."""

    @property
    def may_go(self) -> bool:
        """Whether the settings can do without it now."""
        return self.is_known and not self.signs and not self.channels


def uses_of_keys(calendars: Iterable[Calendar], key_ids: Sequence[str], now: datetime, rules: Rules) -> list[KeyUse]:
    """Return how each key is used, those of the settings first, in their order; the first one signs."""
    uses = {key_id: KeyUse(key_id, signs=number == 0) for number, key_id in enumerate(key_ids)}
    for channel in (channel for calendar in calendars for channel in live_channels(calendar, now, rules)):
        use = uses.setdefault(channel.key_id, KeyUse(channel.key_id, is_known=False))
        expires_at = expiry(channel, rules)
        use.channels += 1
        use.latest = max(use.latest or expires_at, expires_at)
    return list(uses.values())


def live_channels(calendar: Calendar, now: datetime, rules: Rules) -> Iterator[Channel]:
    """Give the channels that are open or may be; none of a calendar that is left alone: nobody waits for their word."""
    for channel in calendar.channels if is_synced(calendar) else ():
        if not is_over(channel, now) and expiry(channel, rules) > now:
            yield channel


def expiry(channel: Channel, rules: Rules) -> datetime:
    """Return when the channel expires at the latest; of a pending one Calendar has not told yet."""
    return channel.expires_at or channel.created_at + timedelta(seconds=rules.channel_ttl_s)
