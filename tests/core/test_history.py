"""What the history of a conference says, and what it never holds."""

from datetime import timedelta
from typing import get_args

import pytest

from confsync.core import effects
from confsync.core.conference import Conference, NoteKind
from confsync.core.history import (
    FIELDS,
    HISTORY_LENGTH,
    changed_fields,
    end_note,
    field_hashes,
    note_wanted,
    why_no_owner,
    with_note,
)
from confsync.core.rules import Rules
from confsync.core.sight import Seen
from confsync.core.state import ConferenceState, Field, Moment, Occurrence
from confsync.core.terms import Terms
from tests.core.story import (
    HERE,
    HOUR,
    NOW,
    RULES,
    TERMS,
    THERE,
    Ledger,
    at,
    conference,
    event,
    instance,
    owned,
    ref,
    series,
    stub,
    tombstone,
)


def lines(known: Conference) -> list[tuple[NoteKind, str, str]]:
    """Return kind, wording and event of each line."""
    return [(note.kind, note.what, note.event_id) for note in known.history]


def last(known: Conference, count: int = 1) -> list[tuple[NoteKind, str, str]]:
    """Return the newest lines."""
    return lines(known)[-count:]


def told(known: Conference) -> Conference:
    """Return the conference after the back end confirmed what is wanted."""
    opened = effects.open_intent(known, NOW, RULES)
    assert opened.intent is not None
    assert opened.desired is not None
    return effects.applied(opened, opened.intent, opened.desired.fingerprint, NOW)


# --- one line ------------------------------------------------------------------------------------------------------


def test_only_the_newest_lines_are_kept() -> None:
    """A conference is one record, and must not grow."""
    known = conference()
    for number in range(HISTORY_LENGTH + 5):
        known = with_note(known, f"line {number}", NOW)
    assert [note.what for note in known.history] == [f"line {n}" for n in range(5, HISTORY_LENGTH + 5)]


def test_a_line_is_repeated_only_when_kind_wording_or_event_differ() -> None:
    """A line that says the same again says nothing."""
    known = with_note(conference(), "same", NOW, "seen", "e1")
    assert with_note(known, "same", at(1), "seen", "e1") is known
    assert len(with_note(known, "same", NOW, "seen", "e2").history) == 2
    assert len(with_note(known, "same", NOW, "done", "e1").history) == 2
    assert len(with_note(known, "other", NOW, "seen", "e1").history) == 2


# --- which fields changed ------------------------------------------------------------------------------------------

WHOLE = ConferenceState(
    title="Review",
    description="Agenda",
    location="Room 1",
    start=Moment(instant=NOW),
    end=Moment(instant=NOW + HOUR),
    time_zone="Europe/Paris",
    recurrence=("RRULE:FREQ=DAILY",),
    occurrences=(Occurrence(original_start=Moment(instant=NOW), cancelled=True),),
    organizer="ann@example.com",
    attendees=("bob@example.com",),
    visibility="private",
)


def test_every_field_has_a_hash_of_8_hex_digits() -> None:
    """Start and end are one field, as a back end carries them together."""
    hashes = field_hashes(WHOLE, "k")
    assert set(hashes) == set(get_args(Field)) == set(FIELDS)
    assert all(len(each) == 8 and set(each) <= set("0123456789abcdef") for each in hashes.values())


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({}, ()),
        ({"title": "Retro"}, ("title",)),
        ({"title": None}, ("title",)),
        ({"start": Moment(instant=at(1))}, ("time",)),
        ({"end": Moment(instant=at(1))}, ("time",)),
        ({"title": "Retro", "end": Moment(instant=at(1)), "attendees": None}, ("title", "time", "attendees")),
        ({"recurrence": (), "occurrences": ()}, ("recurrence", "occurrences")),
    ],
)
def test_the_names_of_changed_fields_are_told(change: dict[str, object], names: tuple[str, ...]) -> None:
    """In the order of the state, whatever changed first."""
    before, after = field_hashes(WHOLE, "k"), field_hashes(WHOLE.model_copy(update=change), "k")
    assert changed_fields(before, after) == changed_fields(after, before) == names


def test_hashes_of_equal_contents_differ_between_conferences_and_fields() -> None:
    """Nobody can tell from two records that two meetings have the same title."""
    same = ConferenceState(title="Review", description="Review")
    assert field_hashes(same, "k1")["title"] != field_hashes(same, "k2")["title"]
    assert field_hashes(same, "k1")["title"] != field_hashes(same, "k1")["description"]


def test_an_ended_conference_has_no_fields() -> None:
    """There is nothing to compare."""
    assert field_hashes(None, "k") == {}
    assert note_wanted(conference(), None, NOW) == conference()


# --- what was seen, decided and done -------------------------------------------------------------------------------


def test_a_new_event_is_seen_and_its_state_wanted() -> None:
    """The history begins."""
    assert lines(owned(event()).c1) == [
        ("seen", "the event held this conference", "e1"),
        ("decided", "first state wanted (generation 1)", "e1"),
    ]


def test_a_change_names_its_fields_and_event_and_no_content() -> None:
    """Title and time changed; what to, is nobody's business here."""
    ledger = owned(event())
    ledger.show(event(summary="Secret plan", starts=NOW + 3 * HOUR, updated=1))
    assert last(ledger.c1) == [("seen", "title, time changed (generation 2)", "e1")]
    assert ledger.c1.desired is not None
    record = ledger.c1.model_copy(update={"desired": ledger.c1.desired.model_copy(update={"state": None})})
    assert "Secret" not in record.model_dump_json()


def test_a_change_that_is_none_for_the_back_end_leaves_no_line() -> None:
    """Colours and RSVPs do not fill the history."""
    ledger = owned(event())
    before = ledger.c1
    ledger.show(event(colorId="3", updated=1))
    assert ledger.c1.history == before.history


def test_a_change_is_named_also_after_the_state_was_told_and_forgotten() -> None:
    """The hashes stay."""
    ledger = owned(event())
    ledger.conferences[ledger.c1.key] = told(ledger.c1)
    assert last(ledger.c1) == [("done", "update applied (generation 1)", "")]
    ledger.show(event(summary="Retro", updated=1))
    assert last(ledger.c1) == [("seen", "title changed (generation 2)", "e1")]


def test_a_change_back_is_no_change_and_the_next_one_is_named_against_what_was_told() -> None:
    """A, B, A, C: nothing was sent for B."""
    ledger = owned(event())
    ledger.conferences[ledger.c1.key] = told(ledger.c1)
    ledger.show(event(summary="B", updated=1))
    ledger.show(event(updated=2))
    ledger.show(event(location="Room 2", updated=3))
    assert last(ledger.c1) == [("seen", "location changed (generation 3)", "e1")]


LOSSES = [
    ("deleted", tombstone(), "the event was deleted"),
    ("lost its conference", event(conference=None, updated=5), "the event lost its conference"),
    ("another conference", event(conference="c2", updated=5), "the event held another conference"),
]


@pytest.mark.parametrize(("how", "shown", "what"), LOSSES, ids=[row[0] for row in LOSSES])
def test_the_grace_says_what_was_seen_of_the_event(how: str, shown: object, what: str) -> None:
    """Why a conference ends stands in the line that begins it."""
    ledger = owned(event())
    ledger.show(shown)  # type: ignore[arg-type]
    assert last(ledger.c1, 2) == [
        ("seen", what, "e1"),
        ("decided", f"grace began: no owner was left; {what}", ""),
    ], how


def test_an_event_that_is_missing_from_a_full_listing_is_named_so() -> None:
    """Positive evidence of another kind."""
    ledger = owned(event())
    ledger.settle({ref(): Seen(None, confirmed=True, missing_from_list=True)})
    assert ("seen", "the event was missing from a full listing", "e1") in lines(ledger.c1)


@pytest.mark.parametrize(
    ("shown", "what"),
    [
        (Seen(stub(), confirmed=True), "the event moved out of sight"),
        (Seen(event(own=False, updated=5), confirmed=True), "the event had another organizer"),
        (Seen(None, confirmed=True), "its calendar did not know the event"),
    ],
)
def test_an_event_that_moved_keeps_its_conference_and_the_history_says_so(shown: Seen, what: str) -> None:
    """Out of sight is not gone."""
    ledger = owned(event())
    ledger.settle({ref(): shown})
    assert last(ledger.c1, 2) == [("seen", what, "e1"), ("decided", "kept: its event moved out of sight", "")]


def test_an_end_is_cancelled_by_the_event_that_holds_the_conference() -> None:
    """An undelete within the grace period."""
    ledger = owned(event())
    ledger.show(tombstone())
    ledger.show(event(updated=9))
    assert last(ledger.c1, 2) == [
        ("seen", "the event held this conference again", "e1"),
        ("decided", "end cancelled: an event held it", "e1"),
    ]


def test_a_claim_says_that_nobody_vouched_for_it_and_its_promotion_is_noted() -> None:
    """In another calendar first, then, when its owner is gone, an owner."""
    ledger = owned(event())
    ledger.show(event(iCalUID="e1@google.com", updated=1), calendar_key=THERE)
    assert last(ledger.c1) == [("seen", "the event held this conference; nobody vouched for it", "e1")]
    ledger.show(tombstone(), calendar_key=HERE)
    assert ("decided", "claim promoted: the event owned it from here on", "e1") in lines(ledger.c1)


def test_a_choice_among_several_owners_says_who_drives_and_why() -> None:
    """The only owner needs no line."""
    ledger = owned(event("late", starts=NOW + 5 * HOUR))
    assert not any("drove" in what for _, what, _ in lines(ledger.c1))
    ledger.show(event("early", starts=NOW + HOUR, updated=1))
    assert ("decided", "the event drove from here on: it took place next", "early") in lines(ledger.c1)
    ledger.show(tombstone("early"))
    assert ("decided", "the event drove from here on: it took place next", "late") in lines(ledger.c1)


def test_an_instance_that_its_series_stands_for_is_named_so() -> None:
    """It held the conference before its series did."""
    master = series("s1", None)
    ledger = Ledger.of(conference("c1", ref("s1_2"), ref("s1")))
    ledger.put(master)
    ledger.show(instance(master, 2))
    ledger.show(series(updated=3), instance(master, 2, updated=3))
    assert ("seen", "the event was part of a series that held this conference", "s1_2") in lines(ledger.c1)


def test_a_conference_that_nobody_registered_is_adopted_as_it_is() -> None:
    """Policy `matching`: nothing to tell, and later changes are named all the same."""
    terms = Terms(TERMS.tenant, TERMS.solutions, TERMS.capabilities, Rules(claims="matching"))
    ledger = Ledger(terms=terms)
    ledger.show(event())
    assert last(ledger.c1) == [("decided", "adopted as its event shows it: nothing to tell", "")]
    assert ledger.c1.applied is not None
    assert ledger.c1.desired is not None
    assert ledger.c1.applied.field_hashes == ledger.c1.desired.field_hashes != {}
    ledger.show(event(summary="Retro", updated=1))
    assert last(ledger.c1) == [("seen", "title changed (generation 2)", "e1")]


def test_answers_are_noted_without_what_the_back_end_wrote() -> None:
    """Its texts may repeat a title."""
    opened = effects.open_intent(owned(event()).c1, NOW, RULES)
    assert opened.intent is not None
    unknown = effects.unknown(opened, at(1), "Secret timed out", NOW)
    refused = effects.refused(opened, opened.intent, "Secret is no title", NOW)
    stale = effects.stale(opened, 7, NOW, RULES)
    assert last(unknown) == [("done", "outcome of update unknown (generation 1)", "")]
    assert last(refused) == [("done", "update refused for good (generation 1)", "")]
    assert last(stale) == [("done", "told stale: the back end held generation 7; raised to 8", "")]


# --- since when ----------------------------------------------------------------------------------------------------


def test_what_waits_to_be_told_has_waited_since_its_first_change() -> None:
    """A second change does not make the first one younger; what was told begins anew."""
    ledger = owned(event())
    ledger.settle({ref(): Seen(event(summary="B", updated=1))}, now=at(5))
    assert ledger.c1.desired is not None
    assert ledger.c1.desired.since == NOW
    ledger.conferences[ledger.c1.key] = told(ledger.c1)
    ledger.settle({ref(): Seen(event(summary="C", updated=6))}, now=at(9))
    assert ledger.c1.desired.since == at(9)


def test_the_line_of_a_decided_end_is_found_behind_later_ones() -> None:
    """A wait for an owner that cannot be read does not hide why the grace began."""
    ledger = owned(event())
    ledger.show(tombstone())
    began = ledger.c1.history[-1]
    later = with_note(ledger.c1, "end waits for its owners", NOW + timedelta(hours=1))
    assert end_note(later) == began
    assert end_note(conference()) is None
    assert why_no_owner(conference()) == "no owner was left"
    assert why_no_owner(with_note(ledger.c1, "update applied", NOW, "done")).endswith("; the event was deleted")
