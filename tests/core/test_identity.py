"""Whether what two calendars show is one event."""

from datetime import datetime
from typing import Any

import pytest

from confsync.core.identity import is_same, may_be_same, organizer_key
from tests.core.story import THERE, at, event, referent, stamp

MADE, LATER = at(-99), at(-9)

PAIRS = [
    # what is known of the one, and of the other; whether they may be one event, and whether they certainly are
    ("made at the same time", {"created": MADE}, {"created": MADE}, True, True),
    ("made at another time", {"created": MADE}, {"created": LATER}, False, False),
    ("one does not say when", {"created": MADE}, {}, True, False),
    ("neither says when", {}, {}, True, False),
    ("another iCalUID", {"created": MADE}, {"created": MADE, "ical_uid": "other"}, False, False),
    ("the one has no iCalUID", {"created": MADE, "ical_uid": None}, {"created": MADE}, False, False),
    ("no iCalUID on either", {"created": MADE, "ical_uid": None}, {"created": MADE, "ical_uid": None}, False, False),
    ("another id", {"created": MADE}, {"created": MADE, "event_id": "e2"}, True, False),
]


@pytest.mark.parametrize(("why", "one", "other", "may_be", "certain"), PAIRS)
def test_one_event_in_two_calendars_is_known_by_its_ical_uid_and_when_it_was_made(
    why: str, one: dict[str, Any], other: dict[str, Any], may_be: bool, certain: bool
) -> None:
    """In whatever order they are compared; what could be copied into another event proves nothing."""
    here, there = referent(**one), referent(calendar_key=THERE, **{"ical_uid": "e1@google.com", **other})
    for first, second in ((here, there), (there, here)):
        assert (may_be_same(first, second), is_same(first, second), why) == (may_be, certain, why)


@pytest.mark.parametrize(
    ("created", "uid", "may_be"),
    [(MADE, "e1@google.com", True), (LATER, "e1@google.com", False), (None, "e1@google.com", True), (MADE, "x", False)],
)
def test_an_event_that_is_shown_is_compared_like_one_that_is_recorded(
    created: datetime | None, uid: str, may_be: bool
) -> None:
    """By what its calendar says of it now."""
    stamps: dict[str, Any] = {"created": stamp(created)} if created else {}
    assert may_be_same(referent(created=MADE), event(iCalUID=uid, **stamps)) is may_be


def test_an_organizer_is_the_same_in_every_copy_of_an_event_however_it_is_written() -> None:
    """In one tenant, and unlike that of any other event."""
    own = event(organizer={"email": "ann@example.com", "self": True})
    guests, others = event(organizer={"email": "Ann@Example.com"}), event(organizer={"email": "bob@example.com"})
    assert organizer_key(own, "t") == organizer_key(guests, "t") != ""
    assert organizer_key(own, "u") != organizer_key(own, "t") != organizer_key(others, "t")
    assert organizer_key(event(organizer={"self": True}), "t") == ""
    assert organizer_key(event(organizer=None), "t") == ""
