"""The last look before a conference ends."""

import pytest

from confsync.core.ending import is_end_due, owners_still_there, owners_to_read
from confsync.core.sight import Seen
from tests.core.story import (
    ACME,
    NOW,
    THERE,
    at,
    conference,
    event,
    instance,
    pending,
    ref,
    referent,
    series,
    stub,
    tombstone,
)

GONE = {
    ref().link_key: referent("e1", state="gone"),
    ref("e2", THERE).link_key: referent("e2", THERE, state="gone"),
    ref("e3").link_key: referent("e3", role="claimed"),
}
LOST = series(conference=None)
ENDING = conference(referents=GONE, end_after=at(1))


def test_an_end_is_due_when_its_grace_is_over() -> None:
    """Not before, and not where none was decided."""
    assert not is_end_due(ENDING, NOW)
    assert is_end_due(ENDING, at(1))
    assert not is_end_due(conference(), at(1))


def test_every_owner_that_ever_was_is_read_again_and_no_claim() -> None:
    """In whatever calendar it was."""
    assert {reading.ref for reading in owners_to_read(ENDING)} == {ref(), ref("e2", THERE)}


@pytest.mark.parametrize(
    ("why", "seen", "there"),
    [
        ("deleted", Seen(tombstone(), confirmed=True), False),
        ("an id only", Seen(stub(), confirmed=True), False),
        ("unknown to Calendar", Seen(None, confirmed=True), False),
        ("has no conference", Seen(event(conference=None), confirmed=True), False),
        ("has another of ours", Seen(event(conference="c2"), confirmed=True), False),
        ("has one of somebody else", Seen(event(conferenceData={"conferenceId": "x9"}), confirmed=True), False),
        (
            "has it by a name that no setting knows",
            Seen(event(conferenceData={"conferenceId": "c1"}), confirmed=True),
            True,
        ),
        (
            "lost it, and so did its instance",
            Seen(LOST, confirmed=True, exceptions=(instance(LOST, 1, conference=None),)),
            False,
        ),
        ("lost it, its instance is cancelled", Seen(LOST, confirmed=True, exceptions=(tombstone(),)), False),
        ("moved to another organizer", Seen(tombstone(organizer={"email": "bo@example.com"}), confirmed=True), True),
        ("lost it, but an instance has it", Seen(LOST, confirmed=True, exceptions=(instance(LOST, 1),)), True),
        ("has it after all", Seen(event(), confirmed=True), True),
        ("gets one just now", Seen(pending(), confirmed=True), True),
        ("is shown without details", Seen(event(conference=None, organizer=None), confirmed=True), True),
        ("is somebody else's copy", Seen(event(conference=None, own=False), confirmed=True), True),
        ("could not be read", Seen(None), True),
        ("was only listed as deleted", Seen(tombstone()), True),
    ],
)
def test_an_owner_is_there_unless_the_contrary_is_known(why: str, seen: Seen, there: bool) -> None:
    """Doubt keeps a conference alive."""
    sight = {ref(): seen, ref("e2", THERE): Seen(None, confirmed=True)}
    assert (owners_still_there(ENDING, sight, [ACME]), why) == ([ref()] if there else [], why)


def test_an_owner_that_nobody_read_is_there() -> None:
    """It was not even tried."""
    assert owners_still_there(ENDING, {}, [ACME]) == [reading.ref for reading in owners_to_read(ENDING)]
