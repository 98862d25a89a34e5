"""Events that Calendar refused to show: read again once a day, a few times."""

from datetime import datetime, timedelta

from confsync.ask_to_observe import with_more_to_observe
from confsync.core import leases
from confsync.core.records import Calendar, Unread
from confsync.core.rereading import MOST_UNREAD, asked_again, noted
from confsync.core.rules import Rules
from tests.core.story import DAY, NOW

RULES = Rules()


def calendar(*unread: Unread, to_observe: tuple[str, ...] = ()) -> Calendar:
    """Return a calendar that remembers these events."""
    return Calendar(
        key="c", tenant="t", calendar_id="a@example.com", subject="a@example.com", unread=unread, to_observe=to_observe
    )


def refused(event_id: str = "e1", again_at: datetime = NOW, rereads: int = 0) -> Unread:
    """Return what is remembered of a refused event."""
    return Unread(event_id=event_id, again_at=again_at, rereads=rereads)


def test_a_refused_event_is_read_again_a_day_later() -> None:
    """And not before, however often a sync runs."""
    known = noted(calendar(), ["e1"], (), NOW, RULES)
    assert known.unread == (refused(again_at=NOW + DAY),)
    assert asked_again(known, NOW + DAY - timedelta(seconds=1)).to_observe == ()
    assert asked_again(known, NOW + DAY).to_observe == ("e1",)


def test_a_worker_that_takes_the_lease_reads_what_is_due() -> None:
    """Behind what waits already, and each event once."""
    known = calendar(refused("e1"), refused("e2"), refused("e3", NOW + DAY), to_observe=("e9", "e2"))
    assert leases.claim(known, "w", NOW, RULES).calendar.to_observe == ("e9", "e2", "e1")


def test_an_event_that_is_asked_for_again_and_again_waits_twice_at_most() -> None:
    """Once for a reading that may be under way, once for the one after it."""
    known = calendar()
    for _ in range(3):
        known = with_more_to_observe(known, ["e1", "e2", "e1"])
    assert known.to_observe == ("e1", "e2", "e1", "e2")


def test_an_event_that_is_shown_is_forgotten() -> None:
    """The others are not."""
    assert noted(calendar(refused("e1"), refused("e2")), (), {"e1"}, NOW, RULES).unread == (refused("e2"),)


def test_only_a_reading_that_was_due_counts() -> None:
    """An event may change many times a day, and each change asks for it."""
    waiting = calendar(refused(again_at=NOW + DAY, rereads=3))
    assert noted(waiting, ["e1"], (), NOW, RULES) is waiting
    assert noted(waiting, ["e1"], (), NOW + DAY, RULES).unread == (refused(again_at=NOW + 2 * DAY, rereads=4),)


def test_what_was_refused_too_often_is_left_to_an_operator() -> None:
    """The last of seven second tries."""
    assert noted(calendar(refused(rereads=5)), ["e1"], (), NOW, RULES).unread[0].rereads == 6
    assert noted(calendar(refused(rereads=6)), ["e1"], (), NOW, RULES).unread == ()


def test_a_calendar_remembers_only_so_many() -> None:
    """Those that it remembers are still counted."""
    full = calendar(*(refused(f"e{n}") for n in range(MOST_UNREAD)))
    after = noted(full, ["e0", "new"], (), NOW, RULES).unread
    assert len(after) == MOST_UNREAD
    assert after[0] == refused("e0", NOW + DAY, 1)
