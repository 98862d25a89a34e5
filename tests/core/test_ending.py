"""The last look before a conference ends."""

from dataclasses import replace
from typing import Any

import pytest

from confsync.core.conference import Conference, Desired
from confsync.core.ending import is_end_due, is_ending, left_unseen, may_live_unseen, owners_still_there, owners_to_read
from confsync.core.events import Event
from confsync.core.identity import person_key
from confsync.core.sight import Reading, Seen
from tests.core.story import (
    ACME,
    HOUR,
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
    times,
    tombstone,
    vouched,
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


WANTED, LEFT_ALONE = Desired(generation=2, fingerprint="ended"), Desired(generation=2, fingerprint="f" * 64)


@pytest.mark.parametrize(
    ("why", "known", "ending"),
    [
        ("its grace runs", conference(end_after=at(1), desired=LEFT_ALONE), True),
        ("its end is wanted", conference(desired=WANTED), True),
        ("both: it was wanted, then decided anew", conference(end_after=at(1), desired=WANTED), True),
        ("it lives", conference(desired=LEFT_ALONE), False),
        ("nothing was ever wanted", conference(), False),
    ],
)
def test_a_conference_is_ending_from_the_decision_on(why: str, known: Conference, ending: bool) -> None:
    """Until the end is taken back."""
    assert (is_ending(known), why) == (ending, why)


@pytest.mark.parametrize(
    ("why", "shown", "role", "here", "there"),
    [
        ("deleted after this view saw it", tombstone(updated=-1), "owner", None, False),
        ("this view cannot be read", tombstone(updated=-1), "owner", Seen(None), False),
        ("this view can be read, and shows it", tombstone(updated=-1), "owner", Seen(event(), confirmed=True), True),
        ("deleted before", tombstone(updated=-9), "owner", None, True),
        ("what a claim shows proves nothing", tombstone(updated=-1), "claimed", None, True),
        ("the other view shows nothing", None, "owner", None, True),
    ],
)
def test_a_view_that_cannot_be_read_does_not_keep_what_another_shows_deleted(
    why: str, shown: Event | None, role: str, here: Seen | None, there: bool
) -> None:
    """The same event of the same calendar, as two people see it."""
    seen_at: dict[str, Any] = {"state": "gone", "created": at(-99), "bound_at": at(-5), "ical_uid": "e1@google.com"}
    views = (referent("e1", **seen_at), referent("e1", THERE, **{**seen_at, "role": role}))
    known = conference(referents={ref(v.event_id, v.calendar_key).link_key: v for v in views}, end_after=at(1))
    sight = {ref("e1", THERE): Seen(shown, confirmed=shown is not None)} | ({ref(): here} if here else {})
    left = owners_still_there(known, sight, [ACME])
    assert (ref() in left, why) == (there, why)


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


def test_an_owner_that_was_a_series_is_read_whole() -> None:
    """Its exceptions may hold the conference still."""
    lost = referent("s1", state="gone", times=times(NOW, HOUR, "RRULE:FREQ=DAILY"))
    assert owners_to_read(conference(referents={ref("s1").link_key: lost})) == [Reading(ref("s1"), "s1@google.com")]


# --- an owner that moved on ----------------------------------------------------------------------------------------

MOVED_ON = {
    ref().link_key: referent("e1", state="gone", continues_in=ref("e1", THERE).link_key),
    ref("e1", THERE).link_key: referent("e1", THERE, state="gone"),
}
AWAY = tombstone(organizer={"email": "bo@example.com"})


@pytest.mark.parametrize(
    ("why", "known", "elsewhere", "there"),
    [
        ("where it moved to is known", conference(referents=MOVED_ON), False, False),
        ("it has another conference since", conference(referents={ref().link_key: GONE[ref().link_key]}), True, False),
        ("nobody knows where", conference(referents={ref().link_key: GONE[ref().link_key]}), False, True),
        (
            "it was lost where it moved to, and that was forgotten",
            conference(referents={ref().link_key: MOVED_ON[ref().link_key]}),
            False,
            False,
        ),
    ],
)
def test_an_event_that_left_for_another_calendar_blocks_no_end_where_what_followed_is_known(
    why: str, known: Conference, elsewhere: bool, there: bool
) -> None:
    """Its tombstone may name any organizer, and a guest's copy may be left; that it holds it after all still counts."""
    deleted = {ref("e1", THERE): Seen(None, confirmed=True)}
    tied = [ref()] if elsewhere else []
    left = {ref(): Seen(AWAY, confirmed=True), **deleted}
    assert (owners_still_there(known, left, [ACME], tied), why) == ([ref()] if there else [], why)
    bare = {ref(): Seen(stub(), confirmed=True), **deleted}
    assert owners_still_there(known, bare, [ACME], tied) == []
    invited = {ref(): Seen(event(conference=None, own=False), confirmed=True), **deleted}
    assert owners_still_there(known, invited, [ACME], tied) == ([ref()] if there else [])
    redacted = {ref(): Seen(event(conference=None, organizer=None), confirmed=True), **deleted}
    assert owners_still_there(known, redacted, [ACME], tied) == [ref()]
    back = {ref(): Seen(event(), confirmed=True), **deleted}
    assert owners_still_there(known, back, [ACME], tied) == [ref()]


@pytest.mark.parametrize(
    ("why", "shown", "there"),
    [
        ("it is shown without it", event(conference=None), False),
        ("it is shown with another", event(conference="c2"), False),
        ("it still has it", event(), True),
        ("another one is being made", pending(), True),
        ("it moved on from there", AWAY, True),
        ("that is a guest's copy", event(conference=None, own=False), True),
        ("nothing is known of it there any more", None, True),
    ],
)
def test_a_former_place_that_cannot_be_read_keeps_no_conference_that_was_removed_where_the_event_went(
    why: str, shown: Event | None, there: bool
) -> None:
    """The organizer's copy is in one calendar alone; a tombstone, or nothing, may tell of a move back."""
    sight = {ref(): Seen(None), ref("e1", THERE): Seen(shown, confirmed=True)}
    left = owners_still_there(conference(referents=MOVED_ON), sight, [ACME])
    assert (ref() in left, why) == (there, why)
    unread = {ref(): Seen(None), ref("e1", THERE): Seen(shown)}
    assert ref() in owners_still_there(conference(referents=MOVED_ON), unread, [ACME])


@pytest.mark.parametrize(
    ("why", "home", "there"),
    [
        (
            "it is the same event, in the calendar that it names",
            {"organizer": person_key("bo@example.com", "default")},
            False,
        ),
        ("its calendar is another", {"organizer": person_key("eve@example.com", "default")}, True),
        ("it is another event", {"organizer": person_key("bo@example.com", "default"), "created": at(-9)}, True),
        ("it is a claim", {"organizer": person_key("bo@example.com", "default"), "role": "claimed"}, True),
    ],
)
def test_where_an_event_went_is_known_by_the_owner_whose_calendar_its_tombstone_names(
    why: str, home: dict[str, Any], there: bool
) -> None:
    """It was lost here, came back there unseen, and was lost there."""
    seen_at: dict[str, Any] = {"state": "gone", "created": at(-99), "ical_uid": "e1@google.com"}
    places = (referent("e1", **seen_at), referent("e1", THERE, **{**seen_at, **home}))
    known = conference(referents={ref("e1", each.calendar_key).link_key: each for each in places})
    sight = {ref(): Seen(AWAY, confirmed=True), ref("e1", THERE): Seen(event(conference=None), confirmed=True)}
    assert (owners_still_there(known, sight, [ACME]), why) == ([ref()] if there else [], why)
    assert (left_unseen(known, sight, [ref()]) != {}, why) == (there, why)


@pytest.mark.parametrize(
    ("why", "shown", "organizer"),
    [
        ("it moved", AWAY, "bo@example.com"),
        ("a guest's copy is left", event(conference=None, own=False), "ann@example.com"),
        ("it was deleted", tombstone(), None),
        ("nothing but its id is left", stub(), None),
        ("nothing is left", None, None),
        ("it is there", event(conference="c2"), None),
    ],
)
def test_what_left_after_it_had_another_conference_is_looked_for(
    why: str, shown: Event | None, organizer: str | None
) -> None:
    """It may have this one back; what is known where it is, or was not read on its own, is not looked for."""
    found = {ref().link_key: organizer} if organizer else {}
    sight = {ref(): Seen(shown, confirmed=True), ref("e2", THERE): Seen(AWAY, confirmed=True)}
    assert (left_unseen(ENDING, sight, [ref()]), why) == (found, why)
    assert left_unseen(ENDING, sight, []) == {}
    assert left_unseen(ENDING, {ref(): Seen(shown)}, [ref()]) == {}
    claimed = conference(referents={ref().link_key: referent("e1", role="claimed", state="gone")})
    assert left_unseen(claimed, sight, [ref()]) == {}
    assert left_unseen(conference(referents=MOVED_ON), sight, [ref()]) == {}


# --- an event that never came --------------------------------------------------------------------------------------

DRAFT = conference("c1", ref())


def test_those_that_are_to_own_it_are_read_like_those_that_did() -> None:
    """By the word of the add-on; a claim is none of them."""
    for known, role in ((ref("e2", THERE), "owner"), (ref("e3"), "claimed")):
        gone = referent(known.event_id, known.calendar_key, state="gone", role=role)
        read = owners_to_read(DRAFT.model_copy(update={"referents": {known.link_key: gone}}))
        assert read == ([Reading(known)] if role == "owner" else []) + [Reading(ref())]
    assert owners_to_read(DRAFT.model_copy(update={"referents": {ref().link_key: referent()}})) == [Reading(ref())]
    assert owners_to_read(conference()) == []


@pytest.mark.parametrize(
    ("event_id", "organizer", "owner_of", "read"),
    [("e1", "bo", "bo", False), ("e1", "bo", "eve", True), ("e1", "", "", True), ("e2", "bo", "bo", True)],
)
def test_a_guests_copy_of_an_owner_is_not_read_beside_it(
    event_id: str, organizer: str, owner_of: str, read: bool
) -> None:
    """Nothing that is left of the copy tells what became of the event; whom a guest's word named is known once read."""
    word = vouched(ref(event_id)).model_copy(update={"organizer": organizer})
    owner = referent("e1", THERE, state="gone", organizer=owner_of)
    referents = {ref("e1", THERE).link_key: owner}
    known = conference(referents=referents).model_copy(update={"registered": {ref(event_id).link_key: word}})
    assert owners_to_read(known) == [Reading(ref("e1", THERE)), *([Reading(ref(event_id))] if read else [])]


DRAFTS = [
    # what a look at the event shows, whether it may have the conference, whether it lives where nobody can follow
    ("nobody read it", None, True, False),
    ("it could not be read", Seen(None), True, False),
    ("the calendar never knew it", Seen(None, confirmed=True), False, False),
    ("it was deleted before anybody saw it", Seen(tombstone(), confirmed=True), False, False),
    ("it has no conference", Seen(event(conference=None), confirmed=True), False, False),
    ("it has another conference", Seen(event(conference="c2"), confirmed=True), False, False),
    ("it has the conference", Seen(event(), confirmed=True), True, True),
    (
        "it has it by a name that no setting knows",
        Seen(event(conferenceData={"conferenceId": "c1"}), confirmed=True),
        True,
        True,
    ),
    ("it gets one just now", Seen(pending(), confirmed=True), True, False),
    ("it moved away before anybody saw it", Seen(AWAY, confirmed=True), True, True),
    ("its tombstone holds nothing but its id", Seen(stub(), confirmed=True), True, True),
    ("it is somebody else's", Seen(event(conference=None, own=False), confirmed=True), True, True),
    ("it is shown without details", Seen(event(conference=None, organizer=None), confirmed=True), True, False),
    ("it was only listed", Seen(event()), True, False),
]


@pytest.mark.parametrize(("why", "seen", "there", "unseen"), DRAFTS, ids=[row[0] for row in DRAFTS])
def test_a_conference_is_no_discarded_draft_while_its_event_may_be_somewhere(
    why: str, seen: Seen | None, there: bool, unseen: bool
) -> None:
    """It blocks the end, and where nobody will ever see it the conference is kept."""
    sight = {} if seen is None else {ref(): seen}
    assert (owners_still_there(DRAFT, sight, [ACME]), why) == ([ref()] if there else [], why)
    assert (may_live_unseen(DRAFT, sight, [ACME]), why) == (unseen, why)


def test_an_event_into_which_nobody_wrote_the_conference_keeps_none() -> None:
    """Whatever is left of it; another that may hold it does."""
    registered = {key: word.model_copy(update={"unwritten": True}) for key, word in DRAFT.registered.items()}
    unwritten = DRAFT.model_copy(update={"registered": registered})
    assert owners_to_read(unwritten) == []
    assert owners_still_there(unwritten, {ref(): Seen(AWAY, confirmed=True)}, [ACME]) == []
    assert not may_live_unseen(unwritten, {ref(): Seen(AWAY, confirmed=True)}, [ACME])
    both = DRAFT.model_copy(update={"registered": {**registered, **conference("c1", ref("e2")).registered}})
    assert owners_to_read(both) == [Reading(ref("e2"))]


@pytest.mark.parametrize(
    ("occurrence", "unseen"),
    [
        ({"own": False}, True),
        ({"own": False, "conference": "c2"}, False),
        ({"own": False, "status": "cancelled"}, False),
        ({}, False),
    ],
)
def test_a_series_lives_unseen_when_one_occurrence_shows_the_conference_in_another_organizers_name(
    occurrence: dict[str, Any], unseen: bool
) -> None:
    """Its own exceptions are followed, and cancelled ones or those of another conference hold nothing."""
    shown = event("e1_1", recurringEventId="e1", **occurrence)
    gone, there = (Seen(each, confirmed=True, exceptions=(shown,)) for each in (None, event(own=False)))
    assert may_live_unseen(ENDING, {ref(): gone}, [ACME]) is unseen
    assert not may_live_unseen(ENDING, {ref(): there}, [ACME])
    assert not may_live_unseen(ENDING, {ref(): replace(gone, confirmed=False)}, [ACME])


def test_an_event_that_was_seen_once_is_followed_and_lives_nowhere_unseen() -> None:
    """What its conference holds of it says where it is."""
    assert not may_live_unseen(ENDING, {ref(): Seen(AWAY, confirmed=True)}, [ACME])
