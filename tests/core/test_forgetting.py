"""What is left of an event that moved on, when calendars that it came through are forgotten."""

from typing import Any

import pytest

from confsync.core.forgetting import without_calendar
from confsync.core.rules import Rules
from tests.core.story import HERE, NOW, THERE, at, conference, ref, referent

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


HERE_IT_WAS: dict[str, Any] = {"created": at(-99), "bound_at": at(-9), "organizer": "ann"}
IT_WENT_ON: dict[str, Any] = {"created": at(-99), "bound_at": at(-5), "organizer": "bob"}
AS_IT_WAS = ("live", False)


@pytest.mark.parametrize(
    ("why", "here", "there", "left"),
    [
        ("nobody looked here since", {}, {}, ("live", True)),
        ("it went on from there, out of sight", {}, {"state": "orphaned"}, ("live", True)),
        ("it was missing here before it was seen there", {"state": "gone"}, {}, ("orphaned", False)),
        ("it was lost here and there", {"state": "gone"}, {"state": "gone"}, ("gone", False)),
        ("it was lost there", {}, {"state": "gone"}, AS_IT_WAS),
        ("it was there before it was here", {}, {"bound_at": at(-10)}, AS_IT_WAS),
        ("that is another event", {}, {"created": at(-98)}, AS_IT_WAS),
        ("that is another view of one calendar", {}, {"organizer": "ann"}, AS_IT_WAS),
        ("nobody vouched for it there", {}, {"role": "claimed"}, AS_IT_WAS),
        ("nobody vouched for it here", {"role": "claimed", "state": "gone"}, {}, ("gone", False)),
    ],
)
def test_an_event_that_was_seen_later_in_a_forgotten_calendar_is_not_lost_by_being_missing(
    why: str, here: dict[str, Any], there: dict[str, Any], left: tuple[str, bool]
) -> None:
    """Nobody knows any more where it is; where it was not seen to leave, it may be back."""
    known = {
        ref().link_key: referent(**{**HERE_IT_WAS, **here}),
        ref("e1", THERE).link_key: referent("e1", THERE, **{**IT_WENT_ON, **there}),
    }
    found = without_calendar(conference(referents=known), THERE, NOW, Rules())
    assert found is not None
    one = found.referents[ref().link_key]
    assert (one.state, one.seen_elsewhere, one.continues_in, why) == (*left, None, why)


@pytest.mark.parametrize("places", [("stays", "forgotten"), ("forgotten", "stays")])
def test_an_event_that_was_seen_last_in_a_calendar_that_stays_is_judged_by_that(places: tuple[str, str]) -> None:
    """What is forgotten knew an older state of it."""
    bound = {HERE: at(-9), "stays": at(-5), "forgotten": at(-7)}
    known = {
        ref("e1", place).link_key: referent("e1", place, created=at(-99), bound_at=bound[place], organizer=place)
        for place in (HERE, *places)
    }
    found = without_calendar(conference(referents=known), "forgotten", NOW, Rules())
    assert found is not None
    assert {each.seen_elsewhere for each in found.referents.values()} == {False}
