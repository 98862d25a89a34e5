"""Small scope: what a plan recorded of one conference, held against what it must mean.

It must never ask the planner what is right.
"""

from datetime import timedelta

from confsync.core.conference import Conference
from confsync.core.desires import is_pending, timed
from confsync.core.projection import fingerprint, project
from tests.core.small_scope_meaning import Case, Meaning, decisive
from tests.core.small_scope_shown import exceptions, seen_of
from tests.core.story import ALL_FIELDS, NOW, RULES, ref

E1 = ref("e1")
GRACE = timedelta(seconds=RULES.grace_s)


def compare(case: Case, before: Conference | None, after: Conference, expected: Meaning) -> None:
    """Compare what a plan recorded with its meaning.

    Raises:
        AssertionError: they differ.

    """
    referent = after.referents.get(E1.link_key)
    assert referent is not None, "nothing is recorded of the event"
    role, state = _role_and_state(expected)
    assert (referent.role, referent.state) == (role, state), f"the event is {referent.role} {referent.state}"
    if state == "gone":
        assert referent.since is not None, "nobody knows since when it is gone"
        assert after.review_at is not None or role == "claimed", "nobody looks at it again"
    if state == "orphaned" and case.standing.recorded != "orphan":
        assert after.review_at == NOW, "where it moved to is not asked at once"
    _compare_end(before, after, expected)
    _compare_change(case, before or after, after, expected)


def _role_and_state(expected: Meaning) -> tuple[str, str]:
    role = "claimed" if expected.recorded.startswith("claim") else "owner"
    state = "orphaned" if expected.recorded == "orphan" else "gone" if "gone" in expected.recorded else "live"
    return role, state


def _compare_end(before: Conference | None, after: Conference, expected: Meaning) -> None:
    found = (after.end_after, after.brake)
    refused = "rejected" if expected.end == "kept, still refused" else "none"
    if expected.end == "as it was":
        was = (before.end_after, before.brake) if before else (None, "none")
        assert found == was, f"its end was {was}, now it is {found}"
    elif expected.end == "begun":
        assert found == (NOW + GRACE, "none"), f"no grace begins, but {found}"
    else:
        assert found == (None, refused), f"its end is {found}, not {expected.end}"
    assert after.brake == "held" or after.hold is None, "it is not held, but why it was held is still there"


def _compare_change(case: Case, before: Conference, after: Conference, expected: Meaning) -> None:
    told = (after.desired, after.applied, after.gone, after.replacements)
    was = (before.desired, before.applied, before.gone, before.replacements)
    if expected.ends_in_vain:
        ends = after.desired is not None and after.desired.ended
        assert not (ends and is_pending(after)), "an end is to be told though an event holds the conference"
    if expected.change == "none":
        assert told == was or expected.ends_in_vain, "what is wanted changed"
    elif expected.change in {"told", "adopted", "back"}:
        _compare_state(case, before, after, expected)
    else:
        _compare_successor(after, expected)


def _compare_state(case: Case, before: Conference, after: Conference, expected: Meaning) -> None:
    shown = seen_of(decisive(case), case.kind).event
    assert shown is not None
    assert after.desired is not None, "nothing is wanted"
    state = project(shown, exceptions(case.kind), ALL_FIELDS)
    assert after.desired.fingerprint == fingerprint(state), "what is wanted is not what the event shows"
    highest = 0 if before is after else generation(before)
    if expected.change == "told":
        assert is_pending(after), "the change is not to be told"
        assert after.desired.state == state, "what is to be told is not kept"
        assert after.desired.generation == highest + 1, "the generation does not rise by one"
        waits = [NOW, before.wait_until or NOW, before.intent.deadline if before.intent else NOW]
        assert after.call_at == max(waits), "it is not told as soon as may be"
    else:
        assert not is_pending(after), "there is nothing to tell, but a call waits"
        assert after.call_at is None, "there is nothing to tell, but a call is due"
        assert after.desired.state is None, "what nobody has to be told is kept"
        assert after.desired.generation >= highest, "the generation falls"


def _compare_successor(after: Conference, expected: Meaning) -> None:
    assert after.gone, "it cannot come back, but that is not recorded"
    assert not is_pending(after), "it is told something though it is gone"
    due = [each for each in after.replacements if each.due_at is not None and E1.link_key in each.links]
    if expected.change == "successor":
        assert len(due) == 1, f"the event gets {len(due)} other conferences"
        assert due[0].is_successor, "what takes its place is no successor"
        assert sum(each.is_successor for each in after.replacements) == 1, "it has two successors"
        assert after.replaced == 1, "more than one successor was begun"
    else:
        assert not due, "a conference is to be made by a back end that makes none"


def generation(known: Conference) -> int:
    """Return the highest generation that was ever used."""
    return max((part.generation for part in (known.desired, known.applied, known.intent) if part), default=0)


def check_record(known: Conference) -> None:
    """Hold what holds for every record of a conference.

    Raises:
        AssertionError: something waits that nobody is going to do, or an event holds what is to end.

    """
    assert timed(known) == known, "what is due is not due"
    if is_pending(known):
        assert known.call_at is not None, "something waits to be told, and nobody is going to"
    owners = {each.state for each in known.referents.values() if each.role == "owner"}
    if known.end_after is not None:
        assert known.brake in {"none", "approved"}, "an end is due though it is held or refused"
        assert "live" not in owners, "an end is due though an event holds the conference"
        assert "orphaned" not in owners, "an end is due though its event only moved out of sight"
    if "live" in owners:
        assert known.brake == "none", "the brake holds what is not to end"
    if {"live", "orphaned"} & owners:
        assert not (known.desired and known.desired.ended and is_pending(known)), "an end is to be told"
