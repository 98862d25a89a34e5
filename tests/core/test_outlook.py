"""What would be done about a conference now, from its record alone."""

from datetime import datetime
from typing import Any

import pytest

from confsync.core.brake import counters
from confsync.core.conference import UNKNOWN, Applied, Conference, Desired, Hold, Replacement
from confsync.core.history import GRACE_BEGAN, with_note
from confsync.core.outlook import brake_keys, outlook, steps_of
from confsync.core.rules import Rules
from confsync.core.state import ConferenceState
from tests.core.story import HERE, HOUR, NOW, RULES, at, conference, ref, referent, times


def tied(*owners: Any, **fields: Any) -> Conference:
    """Return a conference with these referents, driven by the first."""
    held = {ref(each.event_id).link_key: each for each in owners}
    return conference(referents=held, driver=next(iter(held), None), **fields)


def wanted(generation: int = 2, fingerprint: str = "new", **fields: Any) -> Desired:
    """Return a desired state that was wanted a minute ago."""
    return Desired(generation=generation, fingerprint=fingerprint, since=at(-1), **fields)


def told(fingerprint: str = "old", **hashes: str) -> Applied:
    """Return what the back end was told."""
    return Applied(generation=1, fingerprint=fingerprint, field_hashes=hashes)


def shown(known: Conference, now: datetime = NOW) -> list[tuple[str, str, datetime | None, tuple[str, ...], bool]]:
    """Return what would be done."""
    return [(s.verb, s.why, s.at, s.fields, s.is_held) for s in outlook(known, now, RULES)]


CALLS = [
    (None, wanted(), "update", "the back end was never told", ()),
    (
        told(title="1", time="1"),
        wanted(field_hashes={"title": "2", "time": "1"}),
        "update",
        "its event differs from what was told",
        ("title",),
    ),
    (told(UNKNOWN), wanted(), "update", "what the back end holds is not known", ()),
    (told("ended"), wanted(field_hashes={"title": "1"}), "restore", "an event holds it again", ()),
    (told(title="1"), wanted(2, "ended"), "end", "no owner was left when all were read again", ()),
]


@pytest.mark.parametrize(("applied", "desired", "verb", "why", "fields"), CALLS)
def test_a_state_that_was_not_told_is_to_be_told(
    applied: Applied | None, desired: Desired, verb: str, why: str, fields: tuple[str, ...]
) -> None:
    """By verb, reason and fields."""
    assert shown(tied(referent(), applied=applied, desired=desired)) == [(verb, why, None, fields, False)]


def test_a_call_that_has_to_wait_says_until_when() -> None:
    """A back end that asked for time, or an outcome that is waited for."""
    waiting = tied(referent(), desired=wanted(), call_at=at(3))
    assert [step.at for step in outlook(waiting, NOW, RULES)] == [at(3)]
    assert [step.at for step in outlook(waiting, at(3), RULES)] == [None]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"desired": wanted(1), "applied": told("new")},
        {"desired": wanted(2), "refused": 2},
        {"desired": wanted(2, "ended"), "gone": True},
    ],
)
def test_what_is_told_refused_or_gone_for_good_is_left_alone(fields: dict[str, Any]) -> None:
    """There is nothing to do."""
    assert shown(tied(referent(), **fields)) == []


def test_what_was_wanted_before_times_were_kept_waits_since_its_call_time() -> None:
    """Or since now."""
    undated = Desired(generation=2, fingerprint="new")
    assert [step.since for step in outlook(tied(referent(), desired=undated, call_at=at(-9)), NOW, RULES)] == [at(-9)]
    assert [step.since for step in outlook(tied(referent(), desired=undated), NOW, RULES)] == [NOW]


def test_an_end_in_its_grace_comes_after_an_update_and_one_that_is_due_instead_of_it() -> None:
    """As the worker does it."""
    dying = tied(referent(state="gone"), desired=wanted(), end_after=at(1))
    assert [verb for verb, *_ in shown(dying)] == ["update", "end"]
    assert shown(dying, at(1)) == [("end", "no owner was left", None, (), False)]


def test_an_end_says_since_when_and_because_of_which_event() -> None:
    """Both stand in the history."""
    seen = with_note(tied(referent("e7", state="gone"), end_after=at(1)), "the event was deleted", NOW, "seen", "e7")
    (step,) = outlook(with_note(seen, f"{GRACE_BEGAN}: no owner was left", at(-2)), NOW, RULES)
    assert (step.since, step.event_id, step.why) == (at(-2), "e7", "no owner was left")


def test_an_end_of_a_meeting_that_was_held_is_none() -> None:
    """Nor of one that will have been held when the grace is over."""
    over = tied(referent(state="gone", times=times(at(-60), HOUR)), end_after=at(1))
    soon = tied(referent(state="gone", times=times(at(-59.5), HOUR)), end_after=at(1))
    later = tied(referent(state="gone", times=times(at(-58), HOUR)), end_after=at(1))
    assert [bool(shown(known)) for known in (over, soon, later)] == [False, False, True]
    assert shown(later, at(5)) == []


def test_an_end_that_the_brake_holds_is_shown_as_held() -> None:
    """Whatever else waits, and however late it is."""
    hold = Hold(since=NOW, scope="calendar", count=9, limit=3)
    known = tied(referent(state="gone"), brake="held", hold=hold, desired=wanted(), applied=told())
    assert shown(known) == [("end", "no owner was left", None, (), True)]
    (step,) = steps_of([known], {}, NOW, RULES)
    assert step.is_held


@pytest.mark.parametrize(("decided", "held"), [(3, False), (4, True)])
def test_an_end_that_the_brake_would_hold_is_shown_as_held(decided: int, held: bool) -> None:
    """At the limit it is not."""
    rules = Rules(calendar_brake=3, calendar_brake_share=0)
    known = tied(referent(state="gone"), end_after=at(1))
    calendar, tenant = counters("default", [HERE])
    brake = calendar.model_copy(update={"decided": {int(NOW.timestamp() // 60): decided}})
    assert {calendar.key, tenant.key} <= brake_keys([known])
    assert [step.is_held for step in steps_of([known], {brake.key: brake}, NOW, rules)] == [held]
    approved = known.model_copy(update={"brake": "approved"})
    assert [step.is_held for step in steps_of([approved], {brake.key: brake}, NOW, rules)] == [False]


@pytest.mark.parametrize(("waiting", "held"), [(3, False), (4, True)])
def test_ends_that_piled_up_are_decided_anew_all_at_once(waiting: int, held: bool) -> None:
    """After a time of observing: they wait for their grace again, and too many of them are held."""
    rules = Rules(calendar_brake=3, calendar_brake_share=0)
    old = tied(referent(state="gone", times=times(at(600))), end_after=at(-90), decided_at=at(-91))
    piled = [old.model_copy(update={"key": f"k{number}"}) for number in range(waiting)]
    steps = steps_of(piled, {}, NOW, rules)
    assert [(step.verb, step.at, step.is_held) for step in steps] == [("end", at(1), held)] * waiting
    spike = counters("default", [HERE])[0].model_copy(update={"decided": {int(at(-91).timestamp() // 60): 9}})
    assert [step.is_held for step in steps_of(piled, {spike.key: spike}, NOW, rules)] == [held] * waiting
    recent = old.model_copy(update={"end_after": at(-30), "decided_at": at(-31)})
    assert [step.at for step in steps_of([recent], {}, NOW, rules)] == [None]


def test_only_conferences_that_are_to_end_need_a_brake() -> None:
    """The others are not looked up."""
    assert brake_keys([tied(referent()), tied(referent(), desired=wanted())]) == set()
    assert brake_keys([tied(referent(), desired=wanted(2, "ended"))])


def test_what_has_waited_longest_is_shown_first() -> None:
    """Then by id, so that the order is the same each time."""
    old = conference("c9", desired=wanted().model_copy(update={"since": at(-5)}))
    rest = [conference(conference_id, desired=wanted()) for conference_id in ("c2", "c1", "c3")]
    found = [step.conference_id for step in steps_of([*rest, old], {}, NOW, RULES)]
    assert found == ["c9", "c1", "c2", "c3"]


@pytest.mark.parametrize(
    ("is_successor", "why"), [(True, "it cannot come back"), (False, "a duplicate gets a conference of its own")]
)
def test_a_reserved_replacement_is_to_be_made(is_successor: bool, why: str) -> None:
    """One that is done, or given up, is not."""
    reserved = Replacement(number=1, reserved_at=NOW, links=(ref().link_key,), is_successor=is_successor, due_at=NOW)
    known = tied(referent(), gone=is_successor, replacements=(reserved,))
    assert shown(known) == [("replace", why, None, (), False)]
    assert outlook(known, NOW, RULES)[0].event_id == "e1"
    later = reserved.model_copy(update={"due_at": at(2), "links": ("forgotten",)})
    assert [step.at for step in outlook(tied(referent(), replacements=(later,)), NOW, RULES)] == [at(2)]
    done = reserved.model_copy(update={"due_at": None})
    assert shown(tied(referent(), replacements=(done,))) == []


def test_a_discarded_draft_is_to_end_when_its_time_is_over() -> None:
    """Not before; and what is only forgotten is told nobody."""
    known = conference("c1", ref(), review_at=at(1))
    assert shown(known) == []
    (step,) = outlook(known, at(1), RULES)
    assert (step.verb, step.why, step.at, step.since) == ("end", "its event never appeared", at(2), at(1))
    assert step.event_id == "e1"
    forgotten = tied(referent(state="gone"), desired=wanted(1, "ended"), applied=told("ended"), review_at=NOW)
    assert shown(forgotten) == []


def test_another_event_that_drives_from_now_on_is_followed() -> None:
    """The state is known when it is read; an update that waits anyway says it already."""
    first, second = referent("a", times=times(at(-60), HOUR)), referent("b", times=times(at(60)))
    known = tied(first, second, review_at=NOW)
    ((verb, why, *_),) = shown(known)
    assert (verb, why) == ("update", "another event drives, if it differs when it is read: it took place next")
    assert outlook(known, NOW, RULES)[0].event_id == "b"
    assert [verb for verb, *_ in shown(known.model_copy(update={"desired": wanted()}))] == ["update"]
    same = known.model_copy(update={"driver": ref("b").link_key})
    assert shown(same) == []


def test_a_copy_that_gets_a_conference_of_its_own_does_not_drive() -> None:
    """Unless there is no other."""
    first, copy = referent("a", times=times(at(-60), HOUR)), referent("b", times=times(at(60)))
    reserved = Replacement(number=1, reserved_at=NOW, links=(ref("b").link_key,), is_successor=False, due_at=at(60))
    assert [verb for verb, *_ in shown(tied(first, copy, review_at=NOW, replacements=(reserved,)))] == ["replace"]
    alone = reserved.model_copy(update={"links": (ref("a").link_key, ref("b").link_key)})
    verbs = [verb for verb, *_ in shown(tied(first, copy, review_at=NOW, replacements=(alone,)))]
    assert sorted(verbs) == ["replace", "update"]


def test_a_step_never_holds_what_an_event_holds() -> None:
    """Ids and names of fields are all."""
    state = ConferenceState(title="Secret")
    assert "Secret" not in repr(outlook(tied(referent(), desired=wanted(state=state)), NOW, RULES))
