"""Reading all of something from the store: each record once, whatever the size of a page."""

from collections.abc import Iterable
from itertools import islice

import pytest

from confsync.adapters.memory import MemoryStore
from confsync.core.conference import Conference
from confsync.core.records import Link, Record
from confsync.paging import PAGE, conferences_of, links_of, pages_of_links
from confsync.ports import Transaction

SIZES = pytest.mark.parametrize("count", [0, 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 1])


def stored(records: Iterable[Record]) -> MemoryStore:
    """Return a store that holds these records."""
    store = MemoryStore()

    def body(tx: Transaction) -> None:
        for record in records:
            tx.put(record)

    store.transact(body)
    return store


def conferences(count: int, tenant: str = "mine") -> list[Conference]:
    """Return so many conferences of a tenant, in the order of their keys."""
    ids = [f"{number:05d}-{tenant}" for number in range(count)]
    return [Conference(key=id_, tenant=tenant, provider="acme", conference_id=id_) for id_ in ids]


def links(count: int, calendar_key: str = "mine") -> list[Link]:
    """Return so many links of a calendar, in the order of their keys."""
    ids = [f"{number:05d}-{calendar_key}" for number in range(count)]
    return [Link(key=id_, calendar_key=calendar_key, event_id=id_, conference_key="c") for id_ in ids]


@SIZES
def test_each_conference_of_a_tenant_is_given_once_and_none_of_another(count: int) -> None:
    """In the order of their keys, also where a page ends with the last of them."""
    own = conferences(count)
    store = stored([*own, *conferences(3, "another")])
    assert list(conferences_of(store, "mine")) == own


@SIZES
def test_each_link_of_a_calendar_is_given_once_and_none_of_another(count: int) -> None:
    """In the order of their keys, one by one or in pages."""
    own = links(count)
    store = stored([*own, *links(3, "another")])
    assert list(links_of(store, "mine")) == own
    assert [link for page in pages_of_links(store, "mine") for link in page] == own


def test_no_page_of_links_is_empty_or_too_long() -> None:
    """What is read for each page is neither read in vain nor for more than one page."""
    store = stored(links(2 * PAGE + 1))
    assert [len(page) for page in pages_of_links(store, "mine")] == [PAGE, PAGE, 1]


def test_no_page_is_read_before_it_is_asked_for() -> None:
    """Who needs only the first few conferences reads one page."""
    store, calls = stored(conferences(2 * PAGE)), list[str]()
    store.on_call = calls.append
    found = conferences_of(store, "mine")
    assert calls == []
    assert len(list(islice(found, 3))) == 3
    assert calls == ["all_of"]
    assert len(list(found)) == 2 * PAGE - 3
    assert calls == ["all_of"] * 3


def test_a_conference_that_is_deleted_meanwhile_hides_no_other_one() -> None:
    """The next page begins behind a key, not behind a number of records."""
    own = conferences(PAGE + 2)
    store = stored(own)
    found = conferences_of(store, "mine")
    given = list(islice(found, PAGE))
    store.transact(lambda tx: tx.delete(Conference, given[-1].key))
    assert given + list(found) == own
