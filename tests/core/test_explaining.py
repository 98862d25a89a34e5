"""What is told of one conference, from its record alone."""

from datetime import date
from typing import Any

import pytest

from confsync.core.conference import UNKNOWN, Applied, Conference, Desired, Intent, Note, Referent, Times
from confsync.core.explaining import explain, state_of
from confsync.core.records import Calendar
from confsync.core.state import ConferenceState, Moment
from tests.core.story import HERE, HOUR, NOW, RULES, THERE, at, conference, ref, referent, times

ANN = Calendar(key=HERE, tenant="default", calendar_id="team@group", subject="ann@example.com")


def tied(*owners: Referent, **fields: Any) -> Conference:
    """Return a conference with these referents."""
    return conference(referents={ref(each.event_id, each.calendar_key).link_key: each for each in owners}, **fields)


def wanted(fingerprint: str = "f", generation: int = 2) -> Desired:
    """Return a desired state."""
    return Desired(generation=generation, fingerprint=fingerprint, state=ConferenceState(title="Secret"))


ENDED = Applied(generation=2, fingerprint="ended")
GONE = referent(state="gone")
STATES: list[tuple[str, Conference]] = [
    ("live", tied(referent())),
    ("live", tied(referent(), GONE.model_copy(update={"event_id": "e2"}))),
    ("ending", tied(GONE, end_after=at(1))),
    ("ending", tied(GONE, desired=wanted("ended"))),
    ("held", tied(GONE, desired=wanted("ended"), brake="held")),
    ("ended", tied(GONE, desired=wanted("ended"), applied=ENDED)),
    ("ended", tied(referent(), gone=True)),
    ("kept", tied(GONE)),
    ("kept", tied(referent(state="orphaned"))),
    ("claimed", tied(referent(role="claimed"))),
    ("waiting", conference()),
]


@pytest.mark.parametrize(("word", "known"), STATES, ids=[f"{n} {row[0]}" for n, row in enumerate(STATES)])
def test_how_it_stands_with_a_conference_is_one_word(word: str, known: Conference) -> None:
    """The first that is true."""
    assert state_of(known) == word


def test_events_are_told_by_start_with_calendar_role_state_and_times() -> None:
    """A calendar that is not known any more is left out."""
    late = referent("late", times=times(at(600)))
    early = referent("early", THERE, role="claimed", times=times(at(60), HOUR, "RRULE:FREQ=DAILY"))
    known = tied(late, early, driver=ref("late").link_key)
    first, second = explain(known, {HERE: ANN}, NOW, RULES).events
    assert (first.event_id, first.calendar_id, first.subject, first.role) == ("early", "", "", "claimed")
    assert (first.is_recurring, first.drives) == (True, "")
    assert (second.calendar_id, second.subject, second.state) == ("team@group", "ann@example.com", "live")
    assert (second.start, second.end) == (at(600).isoformat(), at(660).isoformat())
    assert (second.is_recurring, second.drives) == (False, "the only owner")


def test_an_event_of_whole_days_is_told_by_its_days() -> None:
    """Midnight is no part of it."""
    days = Times(start=Moment(day=date(2026, 3, 4)), end=Moment(day=date(2026, 3, 5)))
    (line,) = explain(tied(referent(times=days)), {}, NOW, RULES).events
    assert (line.start, line.end) == ("2026-03-04", "2026-03-05")


@pytest.mark.parametrize(
    ("owners", "why"),
    [
        ((referent("a"),), "the only owner"),
        ((referent("a"), referent("b", times=times(at(600)))), "it took place next"),
        ((referent("a", times=times(at(-90))), referent("b", times=times(at(-900)))), "it ended last"),
        ((referent("a", state="gone"),), "none is left; it was the last"),
    ],
)
def test_the_driver_is_told_with_its_reason(owners: tuple[Referent, ...], why: str) -> None:
    """The others drive nothing."""
    lines = explain(tied(*owners, driver=ref("a").link_key), {}, NOW, RULES).events
    assert {line.event_id: line.drives for line in lines} == {"a": why} | {each.event_id: "" for each in owners[1:]}


INTENT = Intent(generation=3, verb="update", deadline=at(1))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "nothing"),
        ({"applied": Applied(generation=2, fingerprint="f")}, "generation 2"),
        ({"applied": Applied(generation=2, fingerprint="f", at=NOW)}, "generation 2 at 2026-03-02 09:00:00Z"),
        ({"applied": Applied(generation=2, fingerprint=UNKNOWN)}, "generation 2, but perhaps more since"),
        ({"intent": INTENT}, "update of generation 3 under way"),
        (
            {"applied": ENDED, "intent": INTENT.model_copy(update={"deadline": NOW})},
            "generation 2; update of generation 3 with unknown outcome",
        ),
        ({"applied": ENDED, "refused": 3}, "generation 2; generation 3 was refused for good"),
    ],
)
def test_what_the_back_end_was_told_last(fields: dict[str, Any], told: str) -> None:
    """By generation and time, and what is not known of it."""
    assert explain(conference(**fields), {}, NOW, RULES).told == told


def test_what_waits_and_the_history_are_told_and_no_title() -> None:
    """All of it comes from the record."""
    note = Note(at=NOW, kind="seen", what="title changed (generation 2)", event_id="e1")
    waits = {"desired": wanted(), "review_at": at(9), "last_error": "503", "history": (note,)}
    known = conference("c1", ref(), referents={ref().link_key: referent()}, **waits)
    found = explain(known, {HERE: ANN}, NOW, RULES)
    assert [step.verb for step in found.waits] == ["update"]
    assert (found.review_at, found.last_error, found.registered, found.history) == (at(9), "503", ("e1",), (note,))
    assert (found.mode, found.state, found.conference_id, found.provider) == ("act", "live", "c1", "acme")
    assert "Secret" not in repr(found)
