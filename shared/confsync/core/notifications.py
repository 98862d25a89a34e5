"""Push notifications: their headers, and nothing else of them.

A notification has no body and no signature; the channel token is its only proof. It must never be trusted for more
than "sync this calendar".

https://developers.google.com/workspace/calendar/api/guides/push
"""

from dataclasses import dataclass
from typing import Protocol

from confsync.errors import NotificationRejected

MAX_CHANNEL_ID = 64
MAX_CHANNEL_TOKEN = 256
MAX_RESOURCE_ID = 256
RESOURCE_STATES = ("sync", "exists", "not_exists")


class Headers(Protocol):
    """The headers of a request, whatever the case of their names."""

    def get(self, key: str, default: str, /) -> str:
        """Return the value of a header."""


@dataclass(frozen=True)
class Notification:
    """What the headers of one push say."""

    channel_id: str
    channel_token: str
    resource_id: str
    resource_state: str
    """`sync` right after a channel was opened, else `exists` (also for deletions) or `not_exists`."""

    @classmethod
    def from_headers(cls, headers: Headers) -> "Notification":
        """Return the notification in `headers`.

        Raises:
            NotificationRejected: a header is missing, too long or has an unknown value.

        """
        notification = cls(
            channel_id=_bounded(headers, "X-Goog-Channel-ID", MAX_CHANNEL_ID),
            channel_token=_bounded(headers, "X-Goog-Channel-Token", MAX_CHANNEL_TOKEN),
            resource_id=_bounded(headers, "X-Goog-Resource-ID", MAX_RESOURCE_ID),
            resource_state=_bounded(headers, "X-Goog-Resource-State", MAX_RESOURCE_ID),
        )
        if notification.resource_state not in RESOURCE_STATES:
            raise NotificationRejected(
                f"X-Goog-Resource-State is none of {', '.join(RESOURCE_STATES)}: not a Calendar notification", 400
            )
        return notification


def _bounded(headers: Headers, name: str, longest: int) -> str:
    value = headers.get(name, "")
    if not value:
        raise NotificationRejected(f"header {name} is missing: not a Calendar notification", 400)
    if len(value) > longest:
        raise NotificationRejected(f"header {name} has {len(value)} characters, more than {longest}", 400)
    return value
