"""Reading what is due in pages: what cannot be read never holds up, nor ends, the walk."""

from datetime import datetime

from confsync.core.records import Calendar
from confsync.core.unreadable import Due, Unreadable
from confsync.due import MOST_UNREADABLE, PAGE, Noted, pages_due
from tests.contracts.store_calls import NOW, calendar

BAD = Unreadable("calendar", "\ufffd", NOW.isoformat(), "calendar \ufffd cannot be read")


class Damaged:
    """A store that finds a record whose key is damaged too behind itself, as SQLite does; every page is full of it."""

    def __init__(self) -> None:
        """Nobody has asked."""
        self.asked = 0

    def due(self, tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None) -> list[Due[Calendar]]:
        """Return the same, whatever was read before."""
        del tenant, before, after
        self.asked += 1
        assert self.asked < 9, "a walk that never ends"
        return [BAD] * limit


def test_a_walk_ends_where_a_page_leads_nowhere() -> None:
    """What was found is noted, once."""
    store, noted = Damaged(), Noted()
    assert list(pages_due(store.due, "default", NOW, 3 * PAGE, noted)) == []
    assert (store.asked, list(noted.values())) == (2, [BAD])


def test_no_more_is_asked_for_than_may_be_done() -> None:
    """A page that is short is the last."""
    asked: list[int] = []

    def due(tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None) -> list[Due[Calendar]]:
        del tenant, before, after
        asked.append(limit)
        return [calendar(str(len(asked)), due_at=NOW)] * (limit if len(asked) < 2 else limit - 1)

    pages = list(pages_due(due, "default", NOW, PAGE + 7, {}))
    assert (asked, [len(page) for page in pages]) == ([PAGE, 7], [PAGE, 6])


def test_a_store_that_cannot_be_read_at_all_is_not_walked_through() -> None:
    """A run has to end, and its memory is bounded."""
    asked: list[int] = []

    def due(tenant: str, before: datetime, limit: int, after: Due[Calendar] | None = None) -> list[Due[Calendar]]:
        del tenant, before, after
        asked.append(limit)
        return [Unreadable("calendar", f"{len(asked)}.{number}", "", "cannot be read") for number in range(limit)]

    noted = Noted()
    assert list(pages_due(due, "default", NOW, PAGE, noted)) == []
    assert (len(noted), len(asked)) == (MOST_UNREADABLE, MOST_UNREADABLE // PAGE)
