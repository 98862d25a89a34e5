"""What of an event a conference is told."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.core.capabilities import Capabilities
from confsync.core.events import Event
from confsync.core.projection import clamped, fingerprint, project, times_of
from confsync.core.state import ConferenceState, Field, Moment, Occurrence
from tests.core.story import (
    ALL_FIELDS,
    DAY,
    HOUR,
    NOW,
    cancelled_instance,
    event,
    instance,
    series,
    stamp,
    stub,
    timeless,
)

RICH = event(
    description="Bring numbers",
    location="Room 1",
    visibility="private",
    attendees=[{"email": "zoe@example.com"}, {"email": "bob@example.com"}, {"displayName": "nobody"}],
)


def told(shown: Event, *fields: Field, exceptions: tuple[Event, ...] = ()) -> ConferenceState:
    """Project onto these fields, or all."""
    return project(shown, exceptions, frozenset(fields) or ALL_FIELDS)


def test_a_single_event_is_told_in_full() -> None:
    """Times as instants, guests in alphabetical order, a guest without address left out."""
    assert told(RICH) == ConferenceState(
        title="Review",
        description="Bring numbers",
        location="Room 1",
        start=Moment(instant=NOW + HOUR),
        end=Moment(instant=NOW + 2 * HOUR),
        time_zone="Europe/Paris",
        organizer="ann@example.com",
        attendees=("bob@example.com", "zoe@example.com"),
        visibility="private",
    )


@pytest.mark.parametrize("field", sorted(ALL_FIELDS))
def test_a_field_that_is_not_carried_stays_empty(field: Field) -> None:
    """And the one that is carried alone is the only one that is told."""
    master = series(description="d", location="l", visibility="private", attendees=[{"email": "bob@example.com"}])
    moved = instance(master, 1, summary="Special")
    alone = told(master, field, exceptions=(moved,))
    without = told(master, *(ALL_FIELDS - {field}), exceptions=(moved,))
    empty = ConferenceState(attendees=alone.attendees if field == "attendees" else None)
    differing = {name for name in ConferenceState.model_fields if getattr(alone, name) != getattr(empty, name)}
    names = {
        "time": {"start", "end"},
        "recurrence": {"recurrence", "time_zone"},
        "attendees": set(),
        "occurrences": set(),
    }
    assert differing == names.get(field, {field})
    assert field == "time_zone" or without != told(master, exceptions=(moved,))


def test_what_no_back_end_carries_makes_no_difference() -> None:
    """Answers, reminders, colours, attachments, our own etag."""
    noise: dict[str, Any] = {"reminders": {"useDefault": False}, "colorId": "7", "etag": '"9"', "hangoutLink": "x"}
    answered = event(attendees=[{"email": "bob@example.com", "responseStatus": "declined"}])
    asked = event(attendees=[{"email": "bob@example.com", "responseStatus": "needsAction"}], updated=3, **noise)
    assert told(answered) == told(asked)


def test_the_same_instant_in_another_offset_makes_no_difference() -> None:
    """The offset follows the calendar's zone."""
    shifted = event(start={"dateTime": "2026-03-02T07:00:00-03:00", "timeZone": "Europe/Paris"})
    assert told(shifted).start == told(event()).start


def test_the_zone_is_told_for_a_series_and_where_it_is_carried() -> None:
    """A one-off event is an instant."""
    assert told(event(), "time", "recurrence").time_zone is None
    assert told(event(), "time", "time_zone").time_zone == "Europe/Paris"
    assert told(series(), "time", "recurrence").time_zone == "Europe/Paris"
    assert told(timeless(), "time", "time_zone").start is None


def test_an_untitled_event_has_an_empty_title_not_none() -> None:
    """None would leave the old title in place."""
    untitled = Event.model_validate(event().model_dump() | {"summary": None})
    assert told(untitled, "title").title == ""
    assert fingerprint(told(untitled, "title")) != fingerprint(ConferenceState())


def test_a_list_of_guests_that_was_cut_short_is_not_told() -> None:
    """Else everybody who was left out would be uninvited."""
    assert told(event(attendees=[{"email": "ann@example.com", "self": True}], attendeesOmitted=True)).attendees is None
    assert told(event()).attendees == ()


# --- occurrences ---------------------------------------------------------------------------------------------------

MASTER = series()


def original(day: int) -> Moment:
    """Return when the instance of a day was to start."""
    return Moment(instant=NOW + HOUR + day * DAY)


def differing(*exceptions: Event, fields: frozenset[Field] = ALL_FIELDS) -> tuple[Occurrence, ...]:
    """Return the occurrences that are told."""
    return project(MASTER, exceptions, fields).occurrences


def test_a_moved_instance_is_told_with_its_times() -> None:
    """Named by its original start, never by its id."""
    start = Moment(instant=NOW + 2 * HOUR + DAY)
    end = Moment(instant=NOW + 3 * HOUR + DAY)
    assert differing(instance(MASTER, 1)) == (Occurrence(original_start=original(1), start=start, end=end),)


@pytest.mark.parametrize(("title", "own"), [("Special", "Special"), ("Review", None), (None, ""), ("", "")])
def test_an_instance_has_a_title_of_its_own_where_it_differs(title: str | None, own: str | None) -> None:
    """Also where it was cleared."""
    shown = instance(MASTER, 1, moved=timedelta(0), summary="x")
    shown = shown.model_copy(update={"summary": title})
    assert [each.title for each in differing(shown)] == ([] if own is None else [own])


def test_an_instance_of_another_length_differs() -> None:
    """Even where it starts on time."""
    longer = instance(MASTER, 1, moved=timedelta(0), length=2 * HOUR)
    assert [each.original_start for each in differing(longer)] == [original(1)]


def test_a_cancelled_instance_is_told_as_cancelled() -> None:
    """It needs nothing but its original start."""
    assert differing(cancelled_instance(MASTER, 2)) == (Occurrence(original_start=original(2), cancelled=True),)


@pytest.mark.parametrize(
    "exception",
    [
        instance(MASTER, 1, moved=timedelta(0)),
        instance(MASTER, 1, moved=timedelta(0), colorId="3", attendees=[{"email": "bob@example.com"}]),
        stub("s1_1"),
        stub("s1_1", originalStartTime={}),
        stub("s1_1", originalStartTime={"timeZone": "Europe/Paris"}),
        timeless("s1_1").model_copy(update={"original_start_time": instance(MASTER, 1).original_start_time}),
    ],
)
def test_an_instance_that_does_not_differ_or_cannot_be_named_is_not_told(exception: Event) -> None:
    """Guests of one instance are not carried."""
    assert differing(exception) == ()


def test_what_is_not_carried_of_a_series_is_not_carried_of_its_instances() -> None:
    """A back end without titles hears of no renamed instance; one without times of no moved one."""
    renamed = instance(MASTER, 1, moved=timedelta(0), summary="Special")
    moved = instance(MASTER, 2)
    both = instance(MASTER, 3, summary="Special")
    untitled = differing(renamed, moved, both, fields=ALL_FIELDS - {"title"})
    assert [(each.original_start, each.title) for each in untitled] == [(original(2), None), (original(3), None)]
    untimed = differing(renamed, moved, both, fields=ALL_FIELDS - {"time"})
    assert [(each.original_start, each.start) for each in untimed] == [(original(1), None), (original(3), None)]


def test_a_day_of_an_all_day_series_that_was_made_longer_differs() -> None:
    """Days are compared as days; a day that became an hour differs too."""
    master = event(start={"date": "2026-03-02"}, end={"date": "2026-03-03"}, recurrence=["RRULE:FREQ=DAILY"])
    name: dict[str, Any] = {"originalStartTime": {"date": "2026-03-04"}, "recurringEventId": "e1"}
    same = event("e1_1", start={"date": "2026-03-04"}, end={"date": "2026-03-05"}, **name)
    longer = event("e1_2", start={"date": "2026-03-04"}, end={"date": "2026-03-06"}, **name)
    timed = event("e1_3", starts=NOW, **name)
    assert told(master, exceptions=(same,)).occurrences == ()
    assert told(master, exceptions=(longer,)).occurrences[0].end == Moment(day=date(2026, 3, 6))
    assert told(master, exceptions=(timed,)).occurrences[0].start == Moment(instant=NOW)


def test_a_series_without_times_tells_no_moved_instance() -> None:
    """There is nothing to compare with."""
    assert told(timeless(), exceptions=(instance(MASTER, 1),)).occurrences == ()


@given(st.permutations([instance(MASTER, 3), cancelled_instance(MASTER, 1), instance(MASTER, 2, summary="S")]))
def test_the_order_of_exceptions_makes_no_difference(exceptions: list[Event]) -> None:
    """They are told by their original start."""
    starts = [each.original_start for each in differing(*exceptions)]
    assert starts == [original(1), original(2), original(3)]


def test_an_event_with_mixed_or_missing_times_is_handled() -> None:
    """A day on one side and an instant on the other is still a time."""
    mixed = event(start={"date": "2026-03-02"}, end={"dateTime": stamp(NOW)})
    assert told(mixed, "time").end == Moment(instant=NOW)
    found = told(series(), exceptions=(instance(series(), 1, end={"date": "2026-03-05"}),)).occurrences
    assert found[0].end == Moment(day=date(2026, 3, 5))
    assert times_of(stub()) is None
    assert times_of(event(end={})) is None
    assert times_of(event(start={})) is None


def test_a_time_at_the_edge_of_time_is_taken_as_it_stands() -> None:
    """There is no UTC before the year one, and an event there must not stop its calendar."""
    first = event(start={"dateTime": "0001-01-01T00:00:00+05:00"}, end={"dateTime": "9999-12-31T23:00:00-05:00"})
    when = times_of(first)
    assert when is not None
    assert when.start == Moment(instant=datetime(1, 1, 1, tzinfo=UTC))


# --- lengths ------------------------------------------------------------------------------------------------------

MINUTE = timedelta(minutes=1)
ANY_LENGTH = Capabilities(ALL_FIELDS)
AT_LEAST = Capabilities(ALL_FIELDS, shortest=15 * MINUTE)
AT_MOST = Capabilities(ALL_FIELDS, longest=DAY)
BETWEEN = Capabilities(ALL_FIELDS, shortest=15 * MINUTE, longest=DAY)


def lasting(length: timedelta, capabilities: Capabilities) -> timedelta | None:
    """Return how long an event of this length is told to last."""
    end = clamped(told(event(length=length)), capabilities).end
    return end.instant - (NOW + HOUR) if end is not None and end.instant is not None else None


@pytest.mark.parametrize(
    ("length", "capabilities", "expected"),
    [
        (5 * MINUTE, AT_LEAST, 15 * MINUTE),
        (15 * MINUTE, AT_LEAST, 15 * MINUTE),
        (timedelta(0), AT_LEAST, 15 * MINUTE),
        (30 * DAY, AT_LEAST, 30 * DAY),
        (DAY, AT_MOST, DAY),
        (DAY + MINUTE, AT_MOST, DAY),
        (timedelta(0), AT_MOST, timedelta(0)),
        (5 * MINUTE, BETWEEN, 15 * MINUTE),
        (2 * DAY, BETWEEN, DAY),
        (HOUR, BETWEEN, HOUR),
        (timedelta(0), ANY_LENGTH, timedelta(0)),
        (30 * DAY, ANY_LENGTH, 30 * DAY),
    ],
)
def test_a_length_that_a_back_end_does_not_take_is_told_as_the_nearest(
    length: timedelta, capabilities: Capabilities, expected: timedelta
) -> None:
    """A bound that it does not have changes nothing."""
    assert lasting(length, capabilities) == expected


def test_an_end_before_its_start_is_told_as_it_stands_where_any_length_will_do() -> None:
    """Calendar refuses such an event; a back end with a shortest length gets that."""
    assert lasting(-HOUR, ANY_LENGTH) == -HOUR
    assert lasting(-HOUR, AT_LEAST) == 15 * MINUTE


def test_a_change_beyond_what_a_back_end_takes_is_no_difference() -> None:
    """It was told the nearest length once."""
    two, three = (fingerprint(clamped(told(event(length=days * DAY)), AT_MOST)) for days in (2, 3))
    assert two == three


def test_each_instance_is_told_within_the_lengths_that_a_back_end_takes() -> None:
    """Also where the series itself is; one without times of its own, cancelled or only renamed, has none to change."""
    long = instance(MASTER, 1, length=3 * DAY)
    short = instance(MASTER, 2, length=MINUTE)
    cancelled = cancelled_instance(MASTER, 3)
    state = project(MASTER, (long, short, cancelled), ALL_FIELDS)
    found = clamped(state, BETWEEN)
    lengths = [
        o.end.instant - o.start.instant
        for o in found.occurrences
        if o.start and o.end and o.start.instant and o.end.instant
    ]
    assert lengths == [DAY, 15 * MINUTE]
    assert found.occurrences[2] == state.occurrences[2]
    assert (found.start, found.end) == (state.start, state.end)
    renamed = project(MASTER, (instance(MASTER, 1, summary="S"),), ALL_FIELDS - {"time"})
    assert clamped(renamed, BETWEEN) == renamed


def test_whole_days_and_what_has_no_times_are_told_as_they_are() -> None:
    """A day has no length in hours; nor has what is a day on one side only."""
    days = event(start={"date": "2026-03-02"}, end={"date": "2026-03-20"})
    mixed = event(start={"date": "2026-03-02"}, end={"dateTime": stamp(NOW + 30 * DAY)})
    other = event(end={"date": "2026-03-20"})
    for shown in (days, mixed, other, timeless()):
        assert clamped(told(shown), BETWEEN) == told(shown)


# --- fingerprints --------------------------------------------------------------------------------------------------

MOMENTS = st.one_of(
    st.none(),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(lambda at: Moment(instant=at)),  # noqa: DTZ001 - the strategy adds the zone
    st.dates().map(lambda day: Moment(day=day)),
)
TEXTS = st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=5))
STATES = st.builds(
    ConferenceState,
    title=TEXTS,
    description=TEXTS,
    start=MOMENTS,
    recurrence=st.lists(st.sampled_from(["RRULE:FREQ=DAILY", "EXDATE:20260304"]), max_size=2).map(tuple),
    occurrences=st.lists(st.builds(Occurrence, original_start=st.just(original(1)), title=TEXTS), max_size=2).map(
        tuple
    ),
    attendees=st.one_of(st.none(), st.lists(st.sampled_from(["a@b", "c@d"]), max_size=2).map(tuple)),
)


@given(STATES, STATES)
def test_two_states_share_a_fingerprint_only_if_they_are_the_same(one: ConferenceState, other: ConferenceState) -> None:
    """No difference, no call; a difference, a call."""
    assert (fingerprint(one) == fingerprint(other)) == (one == other)


@given(STATES)
def test_a_fingerprint_outlives_a_restart_and_is_never_the_word_for_ended(state: ConferenceState) -> None:
    """64 hex digits, whatever order or process made them."""
    stored = ConferenceState.model_validate_json(state.model_dump_json())
    assert fingerprint(stored) == fingerprint(state)
    assert len(fingerprint(state)) == 64


def test_guests_in_another_order_are_the_same_guests() -> None:
    """Calendar promises no order, and may name one twice."""
    guests = [{"email": f"g{n}@example.com"} for n in range(9)]
    shuffled = random.Random(7).sample(guests, 9)  # noqa: S311 - an order, not a secret
    assert told(event(attendees=guests)) == told(event(attendees=[*shuffled, guests[3]]))
