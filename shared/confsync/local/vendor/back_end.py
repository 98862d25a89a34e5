"""What the parts of the sample vendor's server share: storage, keys, faults, clock, and the bell that tells of changes.

It belongs to one event loop. It must never hold a request.
"""

import asyncio
import contextlib
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from confsync.local.vendor.conferences import Conference
from confsync.local.vendor.faults import Faults
from confsync.local.vendor.storage import Storage


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def random_id() -> str:
    """Return a conference id like `482-193-5560`."""
    digits = f"{secrets.randbelow(10**10):010}"
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"


class BackEnd:
    """The sample vendor's back end while it runs."""

    def __init__(
        self,
        storage: Storage,
        keys: Sequence[bytes],
        now: Callable[[], datetime] = utc_now,
        *,
        restores: bool = True,
        new_id: Callable[[], str] = random_id,
    ) -> None:
        """Start with no faults.

        Args:
            storage: where the conferences are.
            keys: the signing keys that count, two during a rotation.
            now: the current time in UTC.
            restores: whether ended conferences come back under their old id.
            new_id: conference ids, which may be in use already.

        """
        self.storage = storage
        self.keys = keys
        self.now = now
        self.restores = restores
        self._new_id = new_id
        self.faults = Faults()
        self.closing = asyncio.Event()
        """Set when the server stops: whoever waits gives up."""
        self._bell = asyncio.Event()

    def log(self, entry: dict[str, Any]) -> None:
        """Add a call to the log and ring; a log that cannot be written is no reason to refuse a call."""
        with contextlib.suppress(sqlite3.Error):
            self.storage.log(entry)
        self.ring()

    def add(self, conference: Conference) -> None:
        """Store a new conference and ring."""
        self.storage.change(conference.conference_id, lambda _: (conference, None))
        self.ring()

    def new_id(self) -> str:
        """Return an id that no conference has."""
        return next(found for found in iter(self._new_id, None) if self.storage.get(found) is None)

    def ring(self) -> None:
        """Wake everyone who waits for the next change."""
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    def next_ring(self) -> asyncio.Event:
        """Return what is set at the next change: take it before looking, so that no change is missed in between."""
        return self._bell

    def close(self) -> None:
        """Wake everyone for the last time."""
        self.closing.set()
        self.ring()
