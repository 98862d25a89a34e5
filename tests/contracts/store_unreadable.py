"""What every store answers about a record that it cannot read."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from confsync.core.conference import Conference
from confsync.core.records import Calendar, Record
from confsync.core.unreadable import Unreadable
from confsync.errors import StoreCorrupt
from confsync.ports import Store
from tests.contracts.store_calls import NOW, calendar, conference, keys_of, put

Damage = Callable[[type[Record], str], None]


def walked(due: Callable[..., list[Any]], before: datetime) -> list[Record | Unreadable]:
    """Return what is due, read in pages of four."""
    found: list[Record | Unreadable] = []
    while len(found) < 99 and (page := due("default", before, 4, found[-1] if found else None)):
        found += page
    return found


class UnreadableContract:
    """Part of `StoreContract`."""

    @pytest.fixture
    def damage(self) -> Damage:
        """Return what makes the content of one stored record unreadable."""
        raise NotImplementedError

    def test_what_is_due_and_cannot_be_read_stands_in_its_place(self, store: Store, damage: Damage) -> None:
        """It says which one it is and the way out, quotes nothing, and the others are given as they are."""
        times = {key: NOW - timedelta(seconds=9 - number) for number, key in enumerate("abc")}
        calendars = [calendar(key, due_at=at, renew_at=at) for key, at in times.items()]
        conferences = [conference(key, due_at=at) for key, at in times.items()]
        put(store, *calendars, *conferences)
        damage(Calendar, "b")
        damage(Conference, "b")
        for (first, _, last), (one, bad, other) in (
            (calendars, store.calendars_due("default", NOW, 9)),
            (calendars, store.channels_due("default", NOW, 9)),
            (conferences, store.conferences_due("default", NOW, 9)),
        ):
            assert (one, other) == (first, last)
            assert isinstance(bad, Unreadable)
            assert (bad.kind, bad.key) == (first.kind, "b")
            assert f"{first.kind} b cannot be read" in bad.reason
            assert "correct or delete this one record" in bad.reason
            assert "Secret" not in repr(bad)

    @pytest.mark.parametrize("bad", ["0", "9", "0123", "4567", "89", "0123456789"])
    def test_a_walk_goes_on_behind_what_cannot_be_read(self, store: Store, damage: Damage, bad: str) -> None:
        """Also where it fills a page, or all of them; each is met once, those that are due at one moment too."""
        for number in range(10):
            at = NOW + timedelta(seconds=number // 4)
            put(store, calendar(str(number), due_at=at, renew_at=at), conference(str(number), due_at=at))
        for key in bad:
            damage(Calendar, key)
            damage(Conference, key)
        soon = NOW + timedelta(minutes=1)
        for due in (store.calendars_due, store.channels_due, store.conferences_due):
            found = walked(due, soon)
            assert keys_of(found) == list("0123456789")
            assert [each.key for each in found if isinstance(each, Unreadable)] == list(bad)

    def test_whoever_asks_for_it_is_refused(self, store: Store, damage: Damage) -> None:
        """Nobody may take it for a record that there is not, and write another in its place."""
        put(store, calendar("a", due_at=NOW), calendar("b", due_at=NOW))
        damage(Calendar, "a")
        for read in (
            lambda: store.get(Calendar, "a"),
            lambda: store.transact(lambda tx: tx.get_many(Calendar, ["a", "b"])),
            lambda: store.all_of(Calendar, after="", limit=9),
        ):
            with pytest.raises(StoreCorrupt, match="calendar a cannot be read"):
                read()
        assert store.get(Calendar, "b") == calendar("b", due_at=NOW)
