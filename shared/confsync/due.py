"""What is due in the store, a page at a time, the oldest first; what of it cannot be read is noted and stepped over.

It must never let a record that cannot be read hold up another.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, Protocol, TypeVar

from confsync.core.conference import Conference
from confsync.core.records import Calendar
from confsync.core.unreadable import Due, Unreadable

R = TypeVar("R", Calendar, Conference)

PAGE: Final = 200
"""Records that are read and dealt with at a time: what a run holds in memory does not depend on what is due."""

MOST_UNREADABLE: Final = 10_000
"""Records that a walk steps over at most: where it is more, the store is damaged as a whole, or of another version."""

Noted = dict[tuple[str, str], Unreadable]
"""By kind and key: a calendar may be due in two ways, and is one record."""


class Query(Protocol[R]):
    """How the store is asked for what is due, a page at a time."""

    def __call__(self, tenant: str, before: datetime, limit: int, after: Due[R] | None = None) -> list[Due[R]]: ...


def pages_due(query: Query[R], tenant: str, before: datetime, most: int, unreadable: Noted) -> Iterator[list[R]]:
    """Yield what is due in pages, none of them empty.

    Args:
        query: asks the store.
        tenant: whose records.
        before: until when they are due: what falls due meanwhile is left to the next walk.
        most: how many records at most; what cannot be read counts to nothing, else it could use up a run.
        unreadable: takes what cannot be read.

    """
    last: Due[R] | None = None
    skipped = 0
    while most > 0 and skipped < MOST_UNREADABLE:
        limit = min(PAGE, most)
        found = query(tenant, before, limit, last)
        unreadable |= {(each.kind, each.key): each for each in found if isinstance(each, Unreadable)}
        if page := [each for each in found if not isinstance(each, Unreadable)]:
            yield page
        if len(found) < limit or found[-1] == last:  # a key that is damaged too may be found behind itself
            return
        most, skipped, last = most - len(page), skipped + len(found) - len(page), found[-1]
