"""What every store answers to queries."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.core.conference import Conference, Referent, Registration
from confsync.core.records import Link, Record
from confsync.errors import StoreError
from confsync.ports import Store, Transaction
from tests.contracts.store_calls import (
    NOW,
    calendar,
    conference,
    delete,
    failure,
    keys_of,
    knowing,
    link,
    on_one_store,
    put,
)
from tests.contracts.strategies import values

_TENANTS = ("a", "a/2026", "a/", "A", "aa", "", "0", "7/a", "é \x00\U0010ffff")
"""Names that begin as others do, or look like a part of an index entry."""


class QueriesContract:
    """Part of `StoreContract`."""

    def test_links_come_in_pages_in_the_order_of_their_keys(self, store: Store) -> None:
        """Going on after the last key of each page visits every link of the calendar once, and no other's."""
        put(store, *(link(f"{n:02}", "mine") for n in (3, 1, 4, 0, 2)), link("015", "other"))
        pages, after = [], ""
        while page := store.links_of("mine", after=after, limit=2):
            pages.append(keys_of(page))
            after = page[-1].key
        assert pages == [["00", "01"], ["02", "03"], ["04"]]
        assert store.links_of("nobody", after="", limit=2) == []

    def test_links_are_whole(self, store: Store) -> None:
        """A page holds the links as they were written."""
        put(store, written := link("a", "mine", updated=NOW, etag='"1"'))
        assert store.links_of("mine", after="", limit=5) == [written]

    def test_link_that_changed_its_calendar_moves(self, store: Store) -> None:
        """Queries follow the newest state of a record."""
        put(store, link("a", "old"))
        put(store, link("a", "new"))
        assert store.links_of("old", after="", limit=5) == []
        assert keys_of(store.links_of("new", after="", limit=5)) == ["a"]

    def test_conferences_are_found_by_each_calendar_of_their_events(self, store: Store) -> None:
        """In pages, in the order of their keys; an event that is to come counts, and of two in one calendar, one."""
        mine = [knowing("b", "mine", "other"), knowing("a", "mine"), knowing("c", "other", registered=["mine"])]
        both = knowing("d", "mine", registered=["mine"])
        put(store, *mine, both, knowing("aa", "other"), conference("e"), link("f", "mine"))
        pages, after = [], ""
        while page := store.conferences_of("mine", after=after, limit=2):
            pages.append(page)
            after = page[-1].key
        assert pages == [[mine[1], mine[0]], [mine[2], both]]
        assert keys_of(store.conferences_of("other", after="a", limit=9)) == ["aa", "b", "c"]
        assert store.conferences_of("mine", after="", limit=0) == []
        assert store.conferences_of("nobody", after="", limit=9) == store.conferences_of("", after="", limit=9) == []

    def test_a_conference_that_forgets_a_calendar_is_not_found_by_it(self, store: Store) -> None:
        """Queries follow the newest state of a record, and what was deleted is not found."""
        put(store, knowing("a", "old", "kept"), knowing("b", "kept"))
        put(store, knowing("a", "kept", registered=["new"]))
        delete(store, Conference, "b")
        assert store.conferences_of("old", after="", limit=9) == []
        assert keys_of(store.conferences_of("kept", after="", limit=9)) == ["a"]
        assert keys_of(store.conferences_of("new", after="", limit=9)) == ["a"]

    def test_all_records_come_in_pages(self, store: Store) -> None:
        """Every kind can be walked through in the order of its keys."""
        for make in (calendar, link, conference, failure):
            kind = type(make("x"))
            put(store, *(make(key) for key in ("b", "d", "a", "c")))
            assert keys_of(store.all_of(kind, after="", limit=3)) == ["a", "b", "c"]
            assert keys_of(store.all_of(kind, after="c", limit=3)) == ["d"]
            assert store.all_of(kind, after="d", limit=3) == []

    def test_due_calendars_come_oldest_first(self, store: Store) -> None:
        """The limit cuts off the newest, the moment itself counts as due, and later ones are left out."""
        put(store, *_with_times(calendar, "due_at"), calendar("never"), calendar("elsewhere", renew_at=NOW))
        assert keys_of(store.calendars_due("default", NOW, 10)) == ["past", "earlier", "just", "now"]
        assert keys_of(store.calendars_due("default", NOW, 2)) == ["past", "earlier"]

    def test_a_subjects_calendars_come_in_the_order_of_their_keys(self, store: Store) -> None:
        """Those of others do not, and a changed subject is followed."""
        put(store, *(calendar(key, subject="ann") for key in ("b", "d", "a")), calendar("c", subject="bob"))
        assert keys_of(store.calendars_of("default", "ann", 2)) == ["a", "b"]
        put(store, calendar("a", subject="bob"))
        assert keys_of(store.calendars_of("default", "ann", 9)) == ["b", "d"]

    def test_due_channels_come_oldest_first(self, store: Store) -> None:
        """The same holds for `renew_at`, which has nothing to do with `due_at`."""
        put(store, *_with_times(calendar, "renew_at"), calendar("never"), calendar("elsewhere", due_at=NOW))
        assert keys_of(store.channels_due("default", NOW, 10)) == ["past", "earlier", "just", "now"]
        assert keys_of(store.channels_due("default", NOW, 2)) == ["past", "earlier"]

    def test_due_conferences_come_oldest_first(self, store: Store) -> None:
        """The same holds for conferences."""
        put(store, *_with_times(conference, "due_at"), conference("never"), conference("elsewhere", end_after=NOW))
        assert keys_of(store.conferences_due("default", NOW, 10)) == ["past", "earlier", "just", "now"]
        assert keys_of(store.conferences_due("default", NOW, 2)) == ["past", "earlier"]

    def test_what_is_due_can_be_walked_through_in_pages(self, store: Store) -> None:
        """Each once, also those that are due at one moment, across the end of a page and among all shards."""
        moments = {f"{number:02}": NOW + timedelta(seconds=number // 7) for number in range(30)}
        put(store, *(make(key, due_at=at) for key, at in moments.items() for make in (calendar, conference)))
        assert _walked(store.calendars_due) == _walked(store.conferences_due) == sorted(moments)[:28]

    @pytest.mark.parametrize("tenant", _TENANTS)
    def test_tenants_that_share_a_store_see_only_their_own(self, store: Store, tenant: str) -> None:
        """Also where one's name begins as another's does; nobody else's backlog counts to a limit, however old."""
        put(store, *(record for number, name in enumerate(_TENANTS) for record in _of_tenant(name, number)))
        mine = [f"{_TENANTS.index(tenant)}{letter}" for letter in "abc"]
        for due in (store.calendars_due, store.channels_due, store.conferences_due):
            assert keys_of(due(tenant, NOW, 99)) == mine
            assert keys_of(due(tenant, NOW, 2)) == mine[:2]
        assert keys_of(store.calendars_of(tenant, "ann", 99)) == mine
        assert keys_of(store.calendars_of(tenant, "ann", 2)) == mine[:2]

    def test_a_tenant_without_records_sees_none(self, store: Store) -> None:
        """Nobody gets what lies beside its place."""
        put(store, *_of_tenant("a", 0), *_of_tenant("c", 1))
        for nobody in ("b", "", "a/"):
            assert store.calendars_due(nobody, NOW, 9) == store.channels_due(nobody, NOW, 9) == []
            assert store.conferences_due(nobody, NOW, 9) == []
            assert store.calendars_of(nobody, "ann", 9) == []

    def test_a_subject_is_not_taken_for_a_part_of_a_tenants_name(self, store: Store) -> None:
        """Two pairs that read the same when they are written side by side are two."""
        put(store, calendar("1", tenant="a", subject="b/ann"), calendar("2", tenant="a/b", subject="ann"))
        assert keys_of(store.calendars_of("a", "b/ann", 9)) == ["1"]
        assert keys_of(store.calendars_of("a/b", "ann", 9)) == ["2"]

    def test_a_record_that_changed_its_tenant_moves(self, store: Store) -> None:
        """Queries follow the newest state of a record."""
        put(store, calendar("a", tenant="old", due_at=NOW, renew_at=NOW))
        put(store, moved := calendar("a", tenant="new", due_at=NOW, renew_at=NOW))
        assert store.calendars_due("old", NOW, 9) == store.channels_due("old", NOW, 9) == []
        assert store.calendars_of("old", "ann", 9) == []
        assert store.calendars_due("new", NOW, 9) == store.channels_due("new", NOW, 9) == [moved]
        assert store.calendars_of("new", "ann", 9) == [moved]

    def test_what_was_served_is_no_longer_due(self, store: Store) -> None:
        """A time that was cleared, put off or deleted with its record is not found any more."""
        put(store, *(conference(key, due_at=NOW) for key in ("cleared", "later", "deleted", "left")))
        put(store, conference("cleared"), conference("later", due_at=NOW + timedelta(seconds=1)))
        delete(store, Conference, "deleted")
        assert keys_of(store.conferences_due("default", NOW, 10)) == ["left"]

    def test_due_times_are_instants_in_any_zone(self, store: Store) -> None:
        """Zones change neither what is due nor the order."""
        east, west = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
        put(store, calendar("second", due_at=NOW.astimezone(east)))
        put(store, calendar("first", due_at=(NOW - timedelta(microseconds=1)).astimezone(west)))
        assert keys_of(store.calendars_due("default", NOW.astimezone(west), 10)) == ["first", "second"]
        assert keys_of(store.calendars_due("default", (NOW - timedelta(microseconds=1)).astimezone(east), 10)) == [
            "first"
        ]

    def test_moment_without_zone_cannot_be_asked_about(self, store: Store) -> None:
        """A query with a time that could be any of 24 hours is refused."""
        with pytest.raises(StoreError, match="time zone"):
            store.calendars_due("default", NOW.replace(tzinfo=None), 10)

    @on_one_store
    @given(data=st.data())
    def test_every_query_agrees_with_a_plain_model(self, store: Store, data: st.DataObject) -> None:
        """After any transactions, each query answers as a dictionary of the records would."""
        _empty(store)
        model = _play(store, data.draw(_histories))
        links = sorted((r for r in model.values() if isinstance(r, Link)), key=lambda r: r.key)
        own = [r for r in model.values() if isinstance(r, Conference) and r.tenant == "t"]
        times = sorted(r.due_at for r in own if r.due_at is not None)
        mine = [r for r in links if r.calendar_key == "c1" and r.key > "0"]
        due = store.conferences_due("t", _MOMENTS[1], 3)
        assert store.all_of(Link, after="", limit=1000) == links
        assert store.links_of("c1", after="0", limit=2) == mine[:2]
        known = sorted(
            (r for r in model.values() if isinstance(r, Conference) and "c1" in _known(r)), key=lambda r: r.key
        )
        assert store.conferences_of("c1", after="0", limit=2) == [r for r in known if r.key > "0"][:2]
        assert [r.due_at for r in due if isinstance(r, Conference)] == [at for at in times if at <= _MOMENTS[1]][:3]
        assert all(model[Conference, r.key] == r and r.tenant == "t" for r in due)


def _known(conference: Conference) -> list[str]:
    events = [*(each.ref for each in conference.referents.values()), *(e.ref for e in conference.registered.values())]
    return [event.calendar_key for event in events]


def _of_tenant(tenant: str, number: int) -> list[Record]:
    """Return three records of each kind that come in the order of their keys; those of a higher number are older."""
    records: list[Record] = []
    for place, letter in enumerate("abc"):
        key, at = f"{number}{letter}", NOW - timedelta(days=number, seconds=-place - 1, minutes=1)
        records += [
            calendar(key, tenant=tenant, due_at=at, renew_at=at),
            conference(key, tenant=tenant, due_at=at),
        ]
    return records


def _with_times(make: Callable[..., Record], field: str) -> list[Record]:
    """Return one record per moment around NOW, named after it, in no order."""
    microsecond = timedelta(microseconds=1)
    times = {
        "now": NOW,
        "after": NOW + microsecond,
        "past": datetime(1969, 7, 20, tzinfo=UTC),
        "just": NOW - microsecond,
        "future": datetime(9999, 12, 31, tzinfo=UTC),
        "earlier": NOW.replace(microsecond=0),
    }
    return [make(key, **{field: at}) for key, at in times.items()]


_MOMENTS = (NOW.replace(microsecond=0), NOW, NOW + timedelta(microseconds=1))
_few_tenants = st.sampled_from(["t", "t", "t/2026", "tt", ""])
_few_keys = st.sampled_from(["0", "00", "1", "9", "a", "Z"])
_few_calendars = st.sampled_from(["c1", "c2"])
_put = st.one_of(
    values(Link, key=_few_keys, calendar_key=_few_calendars),
    values(
        Conference,
        key=_few_keys,
        tenant=_few_tenants,
        due_at=st.sampled_from([None, *_MOMENTS]),
        referents=st.dictionaries(_few_keys, values(Referent, calendar_key=_few_calendars), max_size=2),
        registered=st.dictionaries(_few_keys, values(Registration, calendar_key=_few_calendars), max_size=2),
    ),
).map(lambda record: (type(record), record.key, record))
_delete = st.tuples(st.sampled_from([Link, Conference]), _few_keys, st.none())
_histories = st.lists(st.lists(_put | _delete, max_size=5), max_size=5)
_Write = tuple[type[Record], str, Record | None]


def _play(store: Store, history: list[list[Any]]) -> dict[tuple[type[Record], str], Record]:
    """Run each list of writes as one transaction; return what a dictionary would hold after them."""
    model: dict[tuple[type[Record], str], Record] = {}
    for writes in history:
        store.transact(partial(_write_all, writes))
        for kind, key, record in writes:
            if record is None:
                model.pop((kind, key), None)
            else:
                model[kind, key] = record
    return model


def _write_all(writes: list[_Write], transaction: Transaction) -> None:
    for kind, key, record in writes:
        if record is None:
            transaction.delete(kind, key)
        else:
            transaction.put(record)


def _empty(store: Store) -> None:
    kinds: tuple[type[Record], ...] = (Link, Conference)
    stored = [record for kind in kinds for record in store.all_of(kind, after="", limit=1000)]
    store.transact(partial(_write_all, [(type(record), record.key, None) for record in stored]))


def _walked(due: Callable[..., list[Any]]) -> list[str]:
    """Return the keys of what is due within three seconds, read in pages of four."""
    walked: list[str] = []
    last = None
    while len(walked) < 99 and (page := due("default", NOW + timedelta(seconds=3), 4, last)):  # a walk that never ends
        walked += keys_of(page)
        last = page[-1]
    return walked
