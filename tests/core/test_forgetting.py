"""What is left of an event that moved on, when calendars that it came through are forgotten."""

import pytest

from confsync.core.forgetting import without_calendar
from confsync.core.rules import Rules
from tests.core.story import HERE, NOW, conference, ref, referent

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
        ("live", None, ("fourth", "third", "second"), ORPHANED),
        ("gone", None, ("second", "third", "fourth"), ("gone", KEYS[3])),
        ("gone", "unknown", ("second", "third", "fourth"), ("gone", KEYS[3])),
        ("gone", None, ("fourth", "third", "second"), ("gone", KEYS[1])),
    ],
)
def test_an_event_is_followed_past_what_is_forgotten(
    last_state: str, goes_on_to: str | None, forgotten: tuple[str, ...], left: tuple[str, str | None]
) -> None:
    """To the next place that is looked at; else it is out of sight, unless it was lost."""
    states = ("gone", "gone", "gone", last_state)
    homes = (*KEYS[1:], goes_on_to)
    known = {
        key: referent("e1", place, state=state, continues_in=home)
        for key, place, state, home in zip(KEYS, PLACES, states, homes, strict=True)
    }
    found = conference(referents=known)
    for calendar_key in forgotten:
        left_over = without_calendar(found, calendar_key, NOW, Rules())
        assert left_over is not None
        found = left_over
    assert (found.referents[KEYS[0]].state, found.referents[KEYS[0]].continues_in) == left
