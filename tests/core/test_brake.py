"""The brake as a pure function: what is counted, against which limit, and what becomes of the conference."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.core import brake
from confsync.core.brake import Scope
from confsync.core.conference import UNKNOWN, Applied, Conference, Desired, Hold, Intent
from confsync.core.desires import is_pending, keep
from confsync.core.records import Brake
from confsync.core.rules import Rules
from tests.core.story import HERE, NOW, RULES, THERE, at, conference, referent

CALENDAR, TENANT = Scope("default", HERE), Scope("default")
HOLD = Hold(since=NOW, scope="calendar", calendar_key=HERE, count=21, limit=20)
WANTED = Desired(generation=2, fingerprint="ended")
WORDS = ("none", "held", "approved", "rejected")
TOLD = Applied(generation=1, fingerprint="f" * 64)


def counted(*decisions: tuple[float, int], rules: Rules = RULES) -> Brake:
    """Return a brake after so many ends were decided, each so many minutes after `NOW`."""
    found = CALENDAR.first
    for minutes, ends in decisions:
        found = brake.counted(found, ends, at(minutes), rules)
    return found


@pytest.mark.parametrize(
    ("decisions", "since", "expected"),
    [
        ([], 0, 0),
        ([(0, 3)], 0, 3),
        ([(0, 3), (0.5, 2)], 0, 5),
        ([(0, 3), (59, 2)], 0, 5),
        ([(0, 3), (60, 2)], 0, 3),
        ([(0, 3), (60, 2)], 60, 2),
        ([(0, 3), (59, 2)], 59, 5),
        ([(0, 3), (30, 4), (80, 5)], 80, 9),
        ([(0, 3), (300, 4)], 0, 4),
        ([(0, 3), (300, 4)], 301, 4),
        ([(0, 3), (300, 4)], 400, 0),
    ],
)
def test_the_most_ends_within_an_hour(decisions: list[tuple[float, int]], since: float, expected: int) -> None:
    """Of all hours that end after an end was decided, the one with the most decisions counts."""
    assert brake.most_within([counted(*decisions)], at(since), RULES) == expected


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(1, 9)), max_size=9), st.integers(0, 120))
def test_the_most_ends_are_those_of_some_hour(decisions: list[tuple[int, int]], since: int) -> None:
    """Counting every hour, minute by minute, finds the same."""
    within = [sum(ends for minute, ends in decisions if last - 60 < minute <= last) for last in range(since, 121)]
    found = counted(*((float(minute), ends) for minute, ends in sorted(decisions)))
    assert brake.most_within([found], at(since), RULES) == max(within)


def test_the_records_of_a_tenant_are_counted_together() -> None:
    """Whichever of them holds which decision."""
    assert brake.most_within([counted((0, 3)), counted((0, 4)), counted((10, 1))], at(0), RULES) == 8


def test_what_is_too_old_to_matter_is_forgotten() -> None:
    """Not before the ends that were decided then are carried out or stale, however long the grace period is."""
    assert list(counted((0, 3), (121, 1)).decided.values()) == [3, 1]
    assert list(counted((0, 3), (122, 1)).decided.values()) == [1]
    week = 7 * 24 * 60
    patient = Rules(grace_s=week * 60)
    assert list(counted((0, 3), (week, 1), rules=patient).decided.values()) == [3, 1]


@pytest.mark.parametrize(
    ("scope", "size", "limit"),
    [
        (CALENDAR, 0, 20),
        (CALENDAR, 100, 20),
        (CALENDAR, 104, 20),
        (CALENDAR, 105, 21),
        (CALENDAR, 1000, 200),
        (TENANT, 0, 50),
        (TENANT, 1000, 50),
        (TENANT, 1060, 53),
        (TENANT, 10_000, 500),
    ],
)
def test_the_limit_is_a_number_or_a_share(scope: Scope, size: int, limit: int) -> None:
    """Whichever is more: 20 or 20 % of a calendar's conferences, 50 or 5 % of a tenant's."""
    assert brake.limit_of(scope, size, RULES) == limit


def test_the_brakes_of_an_end_are_those_of_its_owners_calendars_and_its_tenant() -> None:
    """Claims do not count: their calendars never owned the conference."""
    owners = [referent("e1", HERE), referent("e2", HERE, state="gone"), referent("e3", THERE, state="gone")]
    claimed = referent("e4", "c" * 32, role="claimed")
    found = conference(referents={str(n): each for n, each in enumerate([*owners, claimed])})
    assert set(brake.scopes_of(found)) == {Scope("default", HERE), Scope("default", THERE), TENANT}
    assert brake.scopes_of(found)[-1] == TENANT


def test_ends_are_counted_where_the_brakes_of_their_conference_look() -> None:
    """In a record of each calendar's, and in one of those of their tenant."""
    here, there, share = brake.counters("default", [HERE, THERE])
    assert (here.key, here.calendar_key) == (CALENDAR.keys[0], HERE)
    assert (there.key, there.calendar_key) == (Scope("default", THERE).keys[0], THERE)
    assert share.key in TENANT.keys
    (of_none,) = brake.counters("default", [])
    assert of_none.key in TENANT.keys
    assert len(set(TENANT.keys)) == 16
    assert TENANT.first.key in TENANT.keys


def test_what_counts_as_decided_anew() -> None:
    """An end in its grace period, wanted or held counts when it was none of these before."""
    none, grace, held = conference(), conference(end_after=at(1)), brake.held(conference(end_after=at(1)), HOLD, NOW)
    ends, changed = conference(desired=WANTED), conference(last_error="x")
    decided = [grace, ends, held]
    for after in decided:
        assert brake.newly_decided({none.key: none}, [after]) == [after]
        assert brake.newly_decided({}, [after]) == [after]
        assert not any(brake.newly_decided({none.key: before}, [after]) for before in decided)
    assert brake.newly_decided({none.key: none}, [changed]) == []
    assert brake.newly_decided({grace.key: grace}, [none]) == []


def test_which_conferences_count_to_the_size() -> None:
    """Those that an event holds and those whose end waits; not what ended or was kept."""
    live, gone = {"1": referent()}, {"1": referent(state="gone")}
    assert brake.counts(conference(referents=live))
    assert brake.counts(conference(referents=gone, end_after=NOW))
    assert brake.counts(conference(referents=gone, brake="held"))
    assert not brake.counts(conference(referents=gone))
    assert not brake.counts(conference(referents={"1": referent(role="claimed")}))


def test_a_size_is_known_for_an_hour() -> None:
    """After that the conferences are counted again; before the first count nothing is known."""
    sized = CALENDAR.first.model_copy(update={"size": 7, "sized_at": NOW})
    assert (brake.known_size(sized, at(59), RULES), brake.known_size(sized, at(60), RULES)) == (7, None)
    assert brake.known_size(CALENDAR.first, NOW, RULES) is None


def test_an_alert_is_due_once_an_hour() -> None:
    """The first at once."""
    told = CALENDAR.first.model_copy(update={"alerted_at": NOW})
    assert brake.is_alert_due(CALENDAR.first, NOW, RULES)
    assert not brake.is_alert_due(told, at(59), RULES)
    assert brake.is_alert_due(told, at(60), RULES)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (conference(), False),
        (conference(end_after=NOW), True),
        (conference(end_after=NOW + timedelta(seconds=1)), False),
        (conference(end_after=NOW, brake="approved"), False),
        (conference(desired=WANTED, brake="approved"), False),
        (conference(desired=WANTED, applied=TOLD), True),
        (conference(desired=WANTED, applied=TOLD, brake="held"), False),
        (conference(desired=WANTED, applied=TOLD, intent=Intent(generation=2, verb="end", deadline=NOW)), False),
        (conference(desired=WANTED, applied=TOLD, intent=Intent(generation=1, verb="update", deadline=NOW)), True),
        (conference(desired=WANTED, applied=Applied(generation=2, fingerprint="ended")), False),
        (conference(desired=WANTED, refused=2), False),
        (conference(desired=Desired(generation=2, fingerprint="f")), False),
    ],
)
def test_which_ends_may_be_held(found: Conference, expected: bool) -> None:
    """Those about to be wanted or told, unless approved, told already or perhaps on their way."""
    assert brake.may_hold(found, NOW) is expected


def test_a_held_end_waits_without_a_timer_and_an_update_does_not() -> None:
    """What is wanted beside it stays due."""
    update = Desired(generation=2, fingerprint="f")
    found = brake.held(conference(end_after=NOW, desired=update, applied=TOLD, call_at=at(1)), HOLD, NOW)
    assert (found.brake, found.hold, found.end_after, found.due_at) == ("held", HOLD, None, at(1))
    assert is_pending(found)
    told = brake.held(conference(desired=WANTED, applied=TOLD, call_at=at(1)), HOLD, NOW)
    assert (told.call_at, told.due_at, is_pending(told)) == (None, None, False)
    assert "limit 20" in found.history[-1].what


def test_an_approved_end_is_due_at_once() -> None:
    """With a last look, or where it was wanted already when its back end takes calls again."""
    found = brake.approved(brake.held(conference(end_after=at(-1)), HOLD, NOW), at(9))
    assert (found.brake, found.hold, found.end_after, found.due_at) == ("approved", None, at(9), at(9))
    wanted = brake.held(conference(desired=WANTED, applied=TOLD, wait_until=at(30)), HOLD, NOW)
    assert brake.approved(wanted, at(9)).due_at == at(30)
    assert brake.approved(wanted, at(40)).due_at == at(40)
    assert is_pending(brake.approved(wanted, at(9)))


def test_a_refusal_outlasts_other_reasons_to_keep_a_conference() -> None:
    """What was held or approved is free again once it is kept for another reason; a refusal stands."""
    kept = {word: keep(conference(end_after=NOW, brake=word, hold=HOLD), "moved", NOW) for word in WORDS}
    assert {word: found.brake for word, found in kept.items()} == {
        **dict.fromkeys(WORDS, "none"),
        "rejected": "rejected",
    }
    assert {(found.end_after, found.hold) for found in kept.values()} == {(None, None)}


@pytest.mark.parametrize("applied", [TOLD, None])
def test_a_rejected_end_leaves_what_was_told(applied: Applied | None) -> None:
    """Nothing is to be told, and the next state goes out under a generation that was never used."""
    found = brake.rejected(brake.held(conference(desired=WANTED, applied=applied), HOLD, NOW), at(9))
    assert (found.brake, found.hold, found.due_at, is_pending(found)) == ("rejected", None, None, False)
    assert found.desired is not None
    assert (found.desired.generation, found.desired.ended) == (2, False)
    assert found.desired.fingerprint == (applied.fingerprint if applied else UNKNOWN)
    in_grace = brake.rejected(brake.held(conference(end_after=NOW, applied=applied), HOLD, NOW), at(9))
    assert (in_grace.brake, in_grace.end_after, in_grace.desired) == ("rejected", None, None)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (conference(end_after=NOW, decided_at=at(-61)), False),
        (conference(end_after=NOW, decided_at=at(-61.1)), True),
        (conference(end_after=NOW, decided_at=at(-61.1), brake="approved"), False),
        (conference(desired=WANTED, decided_at=at(-61.1)), False),
    ],
)
def test_which_ends_waited_for_too_long(found: Conference, expected: bool) -> None:
    """Those due first before the brake counts, however often they were put off; not what an operator approved."""
    assert brake.is_stale(found, NOW, RULES) is expected
