"""The rows of the scenario table, one verdict each; the plan's tests play them in full."""

from typing import Any

import pytest

from confsync.core.binding import (
    Tie,
    Verdict,
    bound_link,
    bound_referent,
    deletes_also,
    is_older,
    role_of,
    tie_of,
    verdict,
)
from confsync.core.conference import Referent, Role
from confsync.core.events import Event
from confsync.core.records import Link
from confsync.core.sight import Seen
from tests.core.story import (
    HERE,
    NOW,
    THERE,
    at,
    conference,
    conference_key,
    event,
    pending,
    ref,
    referent,
    stub,
    timeless,
    tombstone,
)

C1, C2 = conference_key("c1"), conference_key("c2")
LINK = Link(key=ref().link_key, calendar_key=HERE, event_id="e1", conference_key=C1, updated=NOW, sequence=1)
UNTIED = Tie(None, None)


def tied(**fields: object) -> Tie:
    """Return an event's tie to the first conference."""
    return Tie(LINK, referent(**fields))  # type: ignore[arg-type]  # fields of a referent


OWNER, CLAIM = tied(), tied(role="claimed")
ORPHAN, GONE = tied(state="orphaned"), tied(state="gone")
MOVED_ON, GONE_CLAIM = tied(state="gone", continues_in="elsewhere"), tied(role="claimed", state="gone")
AWAY = Tie(LINK, MOVED_ON.referent, referent("e1", THERE, bound_at=at(3)))
WITNESS = Tie(LINK, None)
FOREIGN = {"email": "bob@example.com"}

ROWS: list[tuple[str, Event | None, Tie, str | None, Verdict, Verdict]] = [
    # what it is, the event, what is recorded, what it names; the verdict on a list item, and on a reading
    ("a deletion", tombstone(), OWNER, None, "confirm", "gone"),
    ("a deletion by a moved-away organizer", tombstone(organizer=FOREIGN), OWNER, None, "confirm", "orphaned"),
    ("an id only", stub(), OWNER, None, "confirm", "orphaned"),
    ("a deleted claim", tombstone(), CLAIM, None, "gone", "gone"),
    ("an id only of a claim", stub(), CLAIM, None, "confirm", "gone"),
    ("a deletion of what moved away", tombstone(), ORPHAN, None, "confirm", "gone"),
    ("another deletion", tombstone(), GONE, None, "ignore", "ignore"),
    ("a deletion that was a move after all", tombstone(organizer=FOREIGN), GONE, None, "confirm", "orphaned"),
    ("a move of what is known where it moved to", tombstone(organizer=FOREIGN), MOVED_ON, None, "ignore", "ignore"),
    ("a move of a claim that was gone", tombstone(organizer=FOREIGN), GONE_CLAIM, None, "ignore", "ignore"),
    ("an id only of what was deleted", stub(), GONE, None, "confirm", "ignore"),
    ("a deletion of what is not recorded", tombstone(), UNTIED, None, "ignore", "ignore"),
    ("a deleted witness", tombstone(), WITNESS, None, "ignore", "ignore"),
    ("an older deletion", tombstone(updated=-5), OWNER, None, "ignore", "ignore"),
    ("unknown to Calendar", None, OWNER, None, "ignore", "orphaned"),
    ("a claim unknown to Calendar", None, CLAIM, None, "ignore", "gone"),
    ("unknown, and moved before", None, ORPHAN, None, "ignore", "ignore"),
    ("unknown and not recorded", None, UNTIED, None, "ignore", "ignore"),
    ("redacted", event(conference=None, organizer=None, updated=5), OWNER, None, "ignore", "ignore"),
    ("a foreign copy", event(own=False, updated=5), OWNER, C1, "confirm", "orphaned"),
    ("a locked copy", event(locked=True, updated=5), OWNER, C1, "confirm", "orphaned"),
    ("a claim that became foreign", event(own=False, updated=5), CLAIM, C1, "gone", "gone"),
    ("a foreign copy, not recorded", event(own=False), UNTIED, C1, "ignore", "ignore"),
    ("the conference removed", event(conference=None, updated=5), OWNER, None, "confirm", "gone"),
    ("a claim without it", event(conference=None, updated=5), CLAIM, None, "gone", "gone"),
    ("the conference in the making", pending(), OWNER, None, "ignore", "ignore"),
    ("no conference, not recorded", event(conference=None), UNTIED, None, "ignore", "ignore"),
    ("the conference", event(updated=5), OWNER, C1, "bind", "bind"),
    ("the conference, first seen", event(), UNTIED, C1, "bind", "bind"),
    ("the conference again", event(updated=5), GONE, C1, "bind", "bind"),
    ("the conference back in sight", event(updated=5), ORPHAN, C1, "bind", "bind"),
    ("a return without a conference", event(conference=None, updated=5), AWAY, None, "confirm", "gone"),
    ("a return to be deleted", tombstone(), AWAY, None, "confirm", "gone"),
    ("what came before it went on", event(conference=None, updated=3), AWAY, None, "ignore", "ignore"),
    ("a return to a guest's copy", event(conference=None, own=False, updated=5), AWAY, None, "ignore", "ignore"),
    ("a conference in the making after a return", pending(updated=5), AWAY, None, "ignore", "ignore"),
    ("another conference", event(updated=5), OWNER, C2, "confirm", "bind"),
    ("another conference after a move", event(updated=5), ORPHAN, C2, "confirm", "bind"),
    ("another conference of a claim", event(updated=5), CLAIM, C2, "bind", "bind"),
    ("another conference after all", event(updated=5), GONE, C2, "bind", "bind"),
    ("an older item", event(updated=-5), OWNER, C1, "ignore", "ignore"),
    ("without a time stamp", event(updated=None), OWNER, C1, "confirm", "bind"),
    ("without a time stamp, first seen", event(updated=None), UNTIED, C1, "bind", "bind"),
]


@pytest.mark.parametrize(("what", "shown", "tie", "named", "listed", "read"), ROWS, ids=[row[0] for row in ROWS])
def test_what_an_event_says(  # noqa: PLR0917 - the columns of the table
    what: str, shown: Event | None, tie: Tie, named: str | None, listed: Verdict, read: Verdict
) -> None:
    """Once on a list item, once on a reading."""
    assert (verdict(Seen(shown), tie, named), what) == (listed, what)
    assert (verdict(Seen(shown, confirmed=True), tie, named), what) == (read, what)


@pytest.mark.parametrize("shown", [event(updated=5), event(conference=None, updated=5), event(own=False, updated=5)])
def test_an_event_that_is_not_shown_in_full_says_nothing(shown: Event) -> None:
    """Whatever it seems to say."""
    assert verdict(Seen(shown, confirmed=True, as_writer=False), OWNER, None) == "ignore"


def test_an_answer_that_cannot_be_read_says_nothing() -> None:
    """It is neither there nor gone."""
    assert verdict(Seen(None, confirmed=True, missing_from_list=True, unreadable=True), OWNER, None) == "ignore"


def test_a_live_owner_that_a_complete_listing_lacks_and_nobody_can_read_is_gone() -> None:
    """The one case in which 404 counts."""
    assert verdict(Seen(None, confirmed=True, missing_from_list=True), OWNER, None) == "gone"
    assert verdict(Seen(None, missing_from_list=True), OWNER, None) == "ignore"


def test_a_live_owner_that_was_seen_elsewhere_later_is_out_of_sight_where_a_complete_listing_lacks_it() -> None:
    """Its move left no more than a deletion does; what is shown of it says as much as of any other."""
    moved = tied(seen_elsewhere=True)
    assert verdict(Seen(None, confirmed=True, missing_from_list=True), moved, None) == "orphaned"
    assert verdict(Seen(tombstone(), confirmed=True), moved, None) == "gone"
    known = conference(referents=held(referent(seen_elsewhere=True)))
    back = bound_referent(ref(), event(updated=5), known, "registered")
    assert back is not None
    assert (back.state, back.seen_elsewhere) == ("live", False)


@pytest.mark.parametrize(
    ("updated", "sequence", "older"),
    [(-1, 9, True), (0, 0, True), (0, 1, False), (0, 2, False), (1, 0, False), (None, 0, False)],
)
def test_an_item_is_older_by_its_time_stamp_then_by_its_sequence(
    updated: float | None, sequence: int, older: bool
) -> None:
    """Equal is not older: a reminder may have changed."""
    assert is_older(event(updated=updated, sequence=sequence), LINK) is older
    assert not is_older(event(updated=updated, sequence=sequence), LINK.model_copy(update={"updated": None}))


@pytest.mark.parametrize(
    ("updated", "fields", "older"),
    [(-1, {}, True), (0, {}, False), (0, {"sequence": 1}, False), (0, {"sequence": 2}, False), (None, {}, False)],
)
def test_a_tombstone_that_shows_no_sequence_is_older_by_its_time_stamp_alone(
    updated: float | None, fields: dict[str, Any], older: bool
) -> None:
    """An event that was restored and deleted for good in one instant leaves no more."""
    assert is_older(tombstone(updated=updated, **fields), LINK) is older


def held(*owners: Referent) -> dict[str, Referent]:
    """Return referents by link key."""
    return {ref(each.event_id, each.calendar_key).link_key: each for each in owners}


MOVED_CLAIM = referent("e1", THERE, role="claimed", state="orphaned")


@pytest.mark.parametrize(
    ("why", "known", "role"),
    [
        ("registered", conference("c1", ref()), "owner"),
        ("nobody vouched for it", conference(), "claimed"),
        ("beside an owner", conference(referents=held(referent("e2"))), "owner"),
        ("beside an owner that is gone", conference(referents=held(referent("e2", state="gone"))), "owner"),
        ("beside one that came without it", conference(referents=held(referent("e2", never_held=True))), "claimed"),
        ("beside a claim", conference(referents=held(referent("e2", role="claimed"))), "claimed"),
        ("in another calendar than the owner", conference(referents=held(referent("e1", THERE))), "claimed"),
        ("after the owner moved", conference(referents=held(referent("e1", THERE, state="orphaned"))), "owner"),
        ("after another moved", conference(referents=held(referent("e2", THERE, state="orphaned"))), "claimed"),
        ("after a claim moved", conference(referents=held(MOVED_CLAIM)), "claimed"),
        ("registered elsewhere", conference("c1", ref("e1", THERE)), "claimed"),
    ],
)  # fmt: skip
def test_who_may_drive(why: str, known: object, role: Role) -> None:
    """The add-on's word, an owner in the same calendar, or the same event in its new place."""
    assert (role_of(ref(), event(), known, "registered"), why) == (role, why)  # type: ignore[arg-type]  # a conference


VIEWS: dict[str, Any] = {"created": at(-99), "bound_at": at(-5)}


@pytest.mark.parametrize(
    ("why", "shown", "other", "too"),
    [
        ("another view of the calendar", tombstone(updated=-1), {}, True),
        ("bound when it was deleted: it may have moved", tombstone(updated=-5), {}, False),
        ("bound after it: it was restored", tombstone(updated=-9), {}, False),
        ("nobody knows when it was bound", tombstone(updated=-1), {"bound_at": None}, False),
        ("nobody knows when it was deleted", stub(), {}, False),
        ("it belongs to another organizer", tombstone(updated=-1, organizer={"email": "bob@example.com"}), {}, False),
        ("it is another event", tombstone(updated=-1), {"created": at(-9)}, False),
        ("it lives", event(updated=-1), {}, False),
    ],
)
def test_a_deletion_in_one_view_of_an_event_tells_of_the_others(
    why: str, shown: Event, other: dict[str, Any], too: bool
) -> None:
    """Another person may see the same calendar, and may not see anything any more."""
    lost, view = referent(**VIEWS), referent("e1", THERE, **{**VIEWS, **other})
    assert (deletes_also(shown, lost, view), why) == (too, why)


def test_events_without_an_ical_uid_are_never_taken_for_one_another() -> None:
    """Two unknowns are not the same."""
    known = conference(referents=held(referent("e9", THERE, state="orphaned", ical_uid=None)))
    shown = event().model_copy(update={"ical_uid": None})
    assert role_of(ref(), shown, known, "registered") == "claimed"


def test_an_owner_stays_owner_until_it_is_gone() -> None:
    """Whoever vouched for it may have forgotten it."""
    known = conference(referents=held(referent()))
    bound = bound_referent(ref(), event(), known, "registered")
    assert bound is not None
    assert bound.role == "owner"
    assert bound_referent(ref(), timeless(), known, "registered") is None


def test_an_owner_that_came_without_the_conference_vouches_for_its_calendar_once_it_has_it() -> None:
    """Its organizer may drive then."""
    known = conference(referents=held(referent(state="gone", never_held=True)))
    bound = bound_referent(ref(), event(), known, "registered")
    assert bound is not None
    assert (bound.role, bound.never_held) == ("owner", False)


def test_a_link_keeps_what_belongs_to_the_event_and_drops_what_belonged_to_its_conference() -> None:
    """The mark of the listing stays; exceptions were those of the other conference."""
    before = LINK.model_copy(update={"has_exceptions": True, "seen_in": 4})
    same, other = (bound_link(ref(), event(updated=3), key, before) for key in (C1, C2))
    assert (same.has_exceptions, other.has_exceptions, same.seen_in, other.seen_in) == (True, False, 4, 4)
    assert same.updated != LINK.updated
    assert not bound_link(ref(), event(), C1, None).has_exceptions


def test_a_tie_is_what_link_and_conference_say() -> None:
    """Either may be missing."""
    known = conference(referents=held(referent()))
    assert tie_of(ref(), {}, {}) == Tie(None, None)
    assert tie_of(ref(), {LINK.key: LINK}, {}) == Tie(LINK, None)
    assert tie_of(ref(), {LINK.key: LINK}, {C1: known}) == Tie(LINK, referent())
    assert tie_of(ref(), {LINK.key: LINK}, {C1: known}).is_live_owner
    assert not any(each.is_live_owner for each in (UNTIED, WITNESS, CLAIM, ORPHAN, GONE))


@pytest.mark.parametrize(("state", "is_there"), [("live", True), ("orphaned", True), ("gone", False)])
def test_a_tie_knows_where_its_event_went_on(state: str, *, is_there: bool) -> None:
    """Unless it is gone from there too."""
    away = referent("e1", THERE, state=state)
    left = referent(state="gone", continues_in=away.ref.link_key)
    for referents, found in ((held(left, away), away if is_there else None), (held(left), None)):
        known = conference(referents=referents)
        assert tie_of(ref(), {LINK.key: LINK}, {C1: known}).continuation == found
