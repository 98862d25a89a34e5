"""Which of several live owners a conference follows, and until when."""

from datetime import datetime
from itertools import permutations
from typing import Any

import pytest

from confsync.core.conference import Referent, Times
from confsync.core.driving import driver_of, handover_time, over_at, why_driver
from confsync.core.recurrence import ENDLESS
from tests.core.story import DAY, HOUR, NOW, at, referent, times

DAILY = "RRULE:FREQ=DAILY"
THREE_DAYS = "RRULE:FREQ=DAILY;COUNT=3"
COMING, OVER = times(at(60)), times(at(-300))


@pytest.mark.parametrize(
    ("when", "until", "end"),
    [
        (times(at(60)), None, at(120)),
        (times(at(60), HOUR, THREE_DAYS), None, at(120) + 2 * DAY),
        (times(at(60), HOUR, THREE_DAYS), at(120) + 9 * DAY, at(120) + 9 * DAY),
        (times(at(60), HOUR, THREE_DAYS), at(120), at(120) + 2 * DAY),
        (times(at(60), HOUR, DAILY), at(120), ENDLESS),
    ],
)
def test_an_event_is_over_after_its_last_instance_also_one_that_was_moved(
    when: Times, until: datetime | None, end: datetime
) -> None:
    """A moved instance may outlast the rule, and never shortens it."""
    assert over_at(referent(times=when, until=until)) == end


EQUALS = [
    ("the one that the add-on vouched for", {"a": at(-9), "b": at(-8)}, {"b"}, "b"),
    ("of two that it vouched for the older", {"a": at(-8), "b": at(-9)}, {"a", "b"}, "b"),
    ("the older of two that it did not", {"a": at(-8), "b": at(-9)}, set(), "b"),
    ("one that says when it was made", {"a": None, "b": at(-9)}, set(), "b"),
    ("the first by its key", {"a": at(-9), "b": at(-9)}, set(), "a"),
    ("the first by its key", {"a": None, "b": None}, set(), "a"),
]


@pytest.mark.parametrize("when", [COMING, OVER], ids=["coming", "over"])
@pytest.mark.parametrize(("why", "made", "registered", "driver"), EQUALS)
def test_of_owners_at_the_same_time_the_one_that_has_stood_for_it_longest_drives(
    why: str, made: dict[str, datetime | None], registered: set[str], driver: str, when: Times
) -> None:
    """Whether it is to come or over, and in whatever order they were recorded."""
    owners = {key: referent(key, times=when, created=created) for key, created in made.items()}
    for order in permutations(owners.items()):
        assert (driver_of(dict(order), registered, NOW), why) == (driver, why)


@pytest.mark.parametrize(("first", "second"), [(at(30), at(60)), (at(-30), at(30)), (at(-200), at(-300))])
def test_being_vouched_for_matters_only_among_equals(first: datetime, second: datetime) -> None:
    """The next occurrence comes before it, and of what is over the last end."""
    owners = {"a": referent("a", times=times(first)), "b": referent("b", times=times(second), created=at(-999))}
    assert driver_of(owners, {"b"}, NOW) == "a"


def test_an_only_owner_drives_whenever_it_is() -> None:
    """There is nothing to compare."""
    assert driver_of({"a": referent(times=OVER)}, set(), NOW) == "a"


def test_of_owners_that_are_over_one_whose_instance_was_moved_beyond_the_other_drives() -> None:
    """It ended last."""
    moved = referent("a", times=times(at(-400)), until=at(-100))
    assert driver_of({"a": moved, "b": referent("b", times=times(at(-200)))}, set(), NOW) == "a"


@pytest.mark.parametrize(
    ("when", "why"), [(COMING, "it took place next"), (times(at(-30)), "it took place next"), (OVER, "it ended last")]
)
def test_the_choice_is_explained_by_the_rule_that_made_it(when: Times, why: str) -> None:
    """What runs now counts as next."""
    assert why_driver(referent(times=when), NOW) == why


HANDOVERS = [
    ("when its occurrence ends and another comes", {"a": times(at(60)), "b": times(at(300))}, at(120)),
    ("when what runs now ends", {"a": times(at(-30)), "b": times(at(300))}, at(30)),
    ("when the next instance of a series ends", {"a": times(at(60), HOUR, DAILY), "b": times(at(300))}, at(120)),
    ("though the other runs already then", {"a": times(at(60)), "b": times(at(90))}, at(120)),
    ("never when the other is over", {"a": times(at(60)), "b": OVER}, None),
    ("never when the other is over by then", {"a": times(at(60), 5 * HOUR), "b": times(at(90))}, None),
    ("when one of several others comes", {"a": times(at(60)), "b": OVER, "c": times(at(300))}, at(120)),
    ("never when it is over itself", {"a": OVER, "b": times(at(-400))}, None),
    ("never when it is the only one", {"a": times(at(60))}, None),
]


@pytest.mark.parametrize(("when", "owners", "expected"), HANDOVERS)
def test_another_owner_may_drive_when_the_drivers_occurrence_is_over(
    when: str, owners: dict[str, Any], expected: datetime | None
) -> None:
    """Though nobody edits anything."""
    known: dict[str, Referent] = {key: referent(key, times=at_which) for key, at_which in owners.items()}
    assert (handover_time("a", known, NOW), when) == (expected, when)


@pytest.mark.parametrize("driver", [None, "z"])
def test_a_conference_that_no_owner_drives_is_handed_over_at_no_time(driver: str | None) -> None:
    """All its owners have conferences of their own on the way, or the driver was lost."""
    assert handover_time(driver, {"a": referent("a"), "b": referent("b", times=times(at(300)))}, NOW) is None
