"""Read all there is of something in the store, a page at a time.

What is written meanwhile is found behind the last key that was read, and not before it. It must never read a page that
nobody asked for.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Final, TypeVar

from confsync.core.conference import Conference
from confsync.core.records import Calendar, Failure, Link, Record
from confsync.ports import Store

PAGE: Final = 500
"""Records that are read at once."""

R = TypeVar("R", bound=Record)
T = TypeVar("T")


def conferences_of(store: Store, tenant: str) -> Iterator[Conference]:
    """Give each conference of a tenant once, in the order of their keys.

    Raises:
        StoreUnavailable: the store did not answer; what was given so far is not all.

    """
    found = chain.from_iterable(_pages(lambda after: store.all_of(Conference, after=after, limit=PAGE)))
    return (conference for conference in found if conference.tenant == tenant)


def calendars_of(store: Store, tenant: str) -> Iterator[Calendar]:
    """Give each calendar of a tenant once, in the order of their keys.

    Raises:
        StoreUnavailable: the store did not answer; what was given so far is not all.

    """
    found = chain.from_iterable(_pages(lambda after: store.all_of(Calendar, after=after, limit=PAGE)))
    return (calendar for calendar in found if calendar.tenant == tenant)


def failures_of(store: Store, calendar_key: str) -> Iterator[Failure]:
    """Give each failure of a calendar once, in the order of their keys; reads those of all calendars.

    Raises:
        StoreUnavailable: the store did not answer; what was given so far is not all.

    """
    found = chain.from_iterable(_pages(lambda after: store.all_of(Failure, after=after, limit=PAGE)))
    return (failure for failure in found if failure.calendar_key == calendar_key)


def links_of(store: Store, calendar_key: str) -> Iterator[Link]:
    """Give each link of a calendar once, in the order of their keys.

    Raises:
        StoreUnavailable: the store did not answer; what was given so far is not all.

    """
    return chain.from_iterable(pages_of_links(store, calendar_key))


def pages_of_links(store: Store, calendar_key: str) -> Iterator[list[Link]]:
    """Give the links of a calendar in pages, for who reads something else for each page; no page is empty."""
    return _pages(lambda after: store.links_of(calendar_key, after=after, limit=PAGE))


def _pages(read: Callable[[str], list[R]]) -> Iterator[list[R]]:
    """Give page after page until one is empty; a short one may come before the last."""
    after = ""
    while page := read(after):
        yield page
        after = page[-1].key


def in_pages(found: Iterable[T], size: int = PAGE) -> Iterator[list[T]]:
    """Give what is found in lists of this length, the last one perhaps shorter, for who shows a page at a time."""
    rest = iter(found)
    while page := list(islice(rest, size)):
        yield page
