"""What is left of a conference when calendars are forgotten, of an event that moved on through them; when to look."""

from datetime import datetime, timedelta

import pytest

from confsync.core.forgetting import until_forgotten, without_calendars
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from tests.core.story import DAY, HERE, NOW, conference, ref, referent

PLACES = (HERE, "second", "third", "fourth")
KEYS = [ref("e1", place).link_key for place in PLACES]
ORPHANED = ("orphaned", None)


@pytest.mark.parametrize(
    ("last_state", "goes_on_to", "forgotten", "left"),
    [
        ("live", None, ("fourth",), ("gone", KEYS[1])),
        ("live", None, ("second",), ("gone", KEYS[2])),
        ("live", None, ("second", "third"), ("gone", KEYS[3])),
        ("live", None, ("second", "third", "fourth"), ORPHANED),
        ("orphaned", None, ("second", "third", "fourth"), ORPHANED),
        ("gone", None, ("second", "third", "fourth"), ("gone", KEYS[1])),
        ("gone", "unknown", ("second", "third", "fourth"), ("gone", KEYS[1])),
        ("gone", KEYS[1], ("second", "third", "fourth"), ("gone", KEYS[1])),
    ],
)
def test_an_event_is_followed_past_what_is_forgotten(
    last_state: str, goes_on_to: str | None, forgotten: tuple[str, ...], left: tuple[str, str | None]
) -> None:
    """To the next place that is looked at; else it is out of sight, unless it was lost; a ring has no end."""
    states = ("gone", "gone", "gone", last_state)
    homes = (*KEYS[1:], goes_on_to)
    known = {
        key: referent("e1", place, state=state, continues_in=home)
        for key, place, state, home in zip(KEYS, PLACES, states, homes, strict=True)
    }
    found = without_calendars(conference(referents=known), forgotten, NOW, Rules())
    assert found is not None
    assert (found.referents[KEYS[0]].state, found.referents[KEYS[0]].continues_in) == left


SOON = NOW + timedelta(seconds=Rules().frozen_retry_s)
MONTH_ON = NOW + 31 * DAY
ACTIVE = Calendar(key=HERE, tenant="default", calendar_id=HERE, subject=HERE, due_at=NOW + DAY)


@pytest.mark.parametrize(
    ("state", "forget_at", "review_at", "again"),
    [
        ("active", NOW + DAY, MONTH_ON, MONTH_ON),
        ("paused", None, None, None),
        ("removed", NOW + 5 * DAY, MONTH_ON, NOW + 5 * DAY),
        ("removed", NOW + 5 * DAY, None, NOW + 5 * DAY),
        ("removed", NOW + 5 * DAY, NOW + DAY, NOW + DAY),
        ("removed", NOW, MONTH_ON, SOON),
        ("removed", None, MONTH_ON, SOON),
    ],
)
def test_a_look_comes_again_as_soon_as_a_removed_calendar_is_forgotten(
    state: str, forget_at: datetime | None, review_at: datetime | None, again: datetime | None
) -> None:
    """Or soon, where that is under way or was done since."""
    calendar = ACTIVE.model_copy(update={"state": state, "due_at": forget_at})
    found = until_forgotten(conference(review_at=review_at, due_at=review_at), [calendar], NOW, Rules())
    assert (found.review_at, found.due_at) == (again, again)
