"""Every case of a small world, planned, and compared with what it must mean (`small_scope_meaning`).

`python -m tests.core.small_scope` and `python -m tests.core.small_scope_pairs` enumerate what takes turns here.
"""

from collections import Counter
from datetime import timedelta
from typing import get_args

import pytest

from tests.core import small_scope_pairs
from tests.core.small_scope import sweep
from tests.core.small_scope_ends import check_due, check_last_look, check_review, every_standing, last_looks
from tests.core.small_scope_meaning import Change, End
from tests.core.small_scope_shown import Kind
from tests.core.story import HERE, NOW, RULES, THERE, Ledger, conference, event, ref, seen

LEAST_CASES, LEAST_PAIRS = 30_000, 5_000
"""Far fewer would mean that the enumeration went blind."""
KINDS: tuple[Kind, ...] = get_args(Kind)
VERDICTS = ("ignore", "confirm", "bind", "gone", "orphaned")
FINDINGS = ("hand over", "look for it", "discarded", "forget", "nothing")


@pytest.mark.parametrize("first", [HERE, THERE])
@pytest.mark.parametrize("age", [-5, 5])
@pytest.mark.parametrize(("organizer", "owns"), [("bob@example.com", True), ("carol@example.com", False)])
def test_a_guests_registration_vouches_for_the_organizers_calendar(
    first: str, age: float, organizer: str, owns: bool
) -> None:
    """The add-on was used by a guest: the organizer's own event drives, in whatever order both are seen, no other."""
    guests = event(own=False, organizer={"email": organizer}, updated=age)
    bobs = event(organizer={"email": "bob@example.com", "self": True}, updated=age)
    ledger = Ledger.of(conference("c1", ref()))
    ledger.put(guests)
    ledger.put(bobs, calendar_key=THERE)
    for calendar_key in (first, THERE if first == HERE else HERE):
        shown = seen(bobs, calendar_key=THERE) if calendar_key == THERE else seen(guests)
        ledger.settle(shown, calendar_key=calendar_key)
    found = ledger.referent(ref("e1", THERE))
    assert found is not None
    assert (found.role, found.state) == ("owner" if owns else "claimed", "live")
    assert ledger.referent(ref()) is None


def test_every_last_look_ends_on_proof_alone() -> None:
    """Whatever one or two owners turn out to be when they are read once more."""
    looks = list(last_looks())
    for look in looks:
        check_last_look(look)
    known = [look for look in looks if look.recorded != "nothing"]
    for number, look in enumerate(known):
        check_last_look(look, known[number * 7 % len(known)])
    assert {look.is_proof for look in looks} == {True, False}
    assert len(looks) > 1500


def test_every_review_forgets_only_what_is_over_and_settled() -> None:
    """At any time, whatever is recorded."""
    found: Counter[str] = Counter()
    retention = timedelta(seconds=RULES.retention_s)
    for standing, kind in every_standing():
        check_due(standing, kind)
        for wait in (timedelta(), retention - timedelta(days=1, seconds=1), retention - timedelta(days=1), retention):
            found[check_review(standing, kind, NOW + wait)] += 1
    assert [word for word in FINDINGS if not found[word]] == []


@pytest.mark.parametrize("calendar_key", [HERE, THERE], ids=["one calendar", "two calendars"])
def test_every_pair_of_events_means_what_it_must(calendar_key: str) -> None:
    """In any order: who drives, whether it ends, what is made for a duplicate, what a copy elsewhere may decide."""
    met, wrong = small_scope_pairs.sweep(calendar_key, full=False)
    assert not wrong, f"{len(wrong)} of {met['pairs']} pairs are wrong; the first: {wrong[0]}"
    assert met["pairs"] >= LEAST_PAIRS
    words = ["0 live owners, end", "0 live owners, no end", "1 live owners, no end", "2 live owners, no end", "driver"]
    words += ["0 minted, 0 successors", "0 minted, 1 successors"]
    words += ["1 minted, 0 successors"] if calendar_key == HERE else []
    assert [word for word in words if not met[word]] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_case_of_one_event_means_what_it_must(kind: Kind) -> None:
    """Whatever is shown, recorded, told and decided: the plan is the one that the rules ask for, and a fixpoint."""
    tally, wrong = sweep(kind, full=False)
    assert not wrong, f"{len(wrong)} of {tally.cases} cases are wrong; the first: {wrong[0]}"
    assert tally.cases >= LEAST_CASES
    words = [f"verdict {word}" for word in VERDICTS] + [f"change {word}" for word in get_args(Change)]
    words += [f"end {word}" for word in get_args(End)]
    never = {"end begun", "change back"} if kind == "over" else set()
    assert {word for word in words if not tally.met[word]} == never
