"""Small scope: every pair of events of one conference, planned in every order, and what the two mean together.

What each event says is taken from `small_scope_meaning`.

`python -m tests.core.small_scope_pairs` enumerates everything.
"""

import sys
from collections import Counter
from typing import Any

from confsync.core.conference import Conference
from confsync.core.desires import is_pending
from confsync.core.projection import fingerprint, project
from tests.core.small_scope import C1, ENOUGH, NOTHING
from tests.core.small_scope_compare import check_record, generation
from tests.core.small_scope_meaning import WORDS
from tests.core.small_scope_two import One, Pair, expected_driver, ledger_of, pairs, sight_of
from tests.core.story import ALL_FIELDS, HERE, THERE, Ledger


def check(pair: Pair, met: Counter[str]) -> None:
    """Plan the pair in every order, and compare it with what it must mean.

    Raises:
        AssertionError: they differ; the message says the scenario in words.

    """
    try:
        if pair.in_one_calendar:
            _check_together(pair, met)
        else:
            _check_apart(pair, met)
    except AssertionError as error:
        raise AssertionError(f"{str(error).splitlines()[0]}:{pair}") from error


def _check_together(pair: Pair, met: Counter[str]) -> None:
    ledger, swapped = ledger_of(pair), ledger_of(pair)
    before = ledger.conferences.get(C1)
    sight = sight_of(*pair.both)
    ledger.settle(sight)
    swapped.settle(sight_of(*reversed(pair.both)))
    assert (ledger.links, ledger.conferences) == (swapped.links, swapped.conferences), "the order of a batch matters"
    assert ledger.settle(sight) == NOTHING, "planning the same again changes something"
    _check_meaning(pair, before, ledger, met)


def _check_apart(pair: Pair, met: Counter[str]) -> None:
    """Each calendar is synced on its own, in either order; in the end both know the same."""
    outcomes = []
    for order in (pair.both, pair.both[::-1]):
        ledger = ledger_of(pair)
        before = ledger.conferences.get(C1)
        for _ in range(2):
            for each in order:
                ledger.settle(sight_of(each), calendar_key=each.ref.calendar_key)
        for each in order:
            again = ledger.settle(sight_of(each), calendar_key=each.ref.calendar_key)
            assert again == NOTHING, "planning the same again changes something"
        _check_meaning(pair, before, ledger, met)
        outcomes.append(_essence(pair, ledger))
    if pair.claims == "registered":  # under `matching` who comes first owns
        assert outcomes[0] == outcomes[1], f"the order of arrival matters: {outcomes[0]} or {outcomes[1]}"


def _essence(pair: Pair, ledger: Ledger) -> tuple[Any, ...]:
    """Return what the order of arrival may not change; a twin may have moved in one order, and be gone in the other."""
    known = ledger.conferences.get(C1)
    if known is None:
        return ()
    states = {(key, each.role, each.state) for key, each in known.referents.items()}
    live = {each for each in states if each[1:] == ("owner", "live")}
    if not live:
        return ("kept" if pair.kin.startswith("twins") else (sorted(states), known.end_after, known.brake), known.gone)
    wanted = known.desired.fingerprint if known.desired else None
    return (sorted(live), known.end_after, known.brake, known.driver, wanted, known.gone)


def _check_meaning(pair: Pair, before: Conference | None, ledger: Ledger, met: Counter[str]) -> None:
    for known in ledger.conferences.values():
        check_record(known)
    after = ledger.conferences.get(C1)
    if after is None:
        assert not any(each.holds for each in pair.both), "an event holds it, but the conference is not recorded"
        return
    owners = [each for each in pair.both if _is_live_owner(each, after)]
    met[f"{len(owners)} live owners, {'end' if after.end_after else 'no end'}"] += 1
    if pair.in_one_calendar or pair.claims == "registered":  # else a claim may own and be lost in between
        _check_states(pair, after)
        _check_end(pair, before, after, owners)
    _check_claims(pair, before, after)
    if owners and not after.gone:
        _check_driver(pair, after, owners, met)
    _check_replacements(pair, after, owners, met)
    assert before is None or generation(after) >= generation(before), "a generation falls"
    assert before is None or generation(after) <= generation(before) + 2, "the generation rises for nothing"


def _is_live_owner(each: One, known: Conference) -> bool:
    found = known.referents.get(each.ref.link_key)
    return found is not None and (found.role, found.state) == ("owner", "live")


def _check_states(pair: Pair, after: Conference) -> None:
    """What each event says is recorded, unless its twin stands for it."""
    for each in pair.both:
        found = after.referents.get(each.ref.link_key)
        word = WORDS[each.shape] if each.shape else "nothing"
        if found is None:
            assert not each.holds, "an event that has the conference is not recorded"
        elif found.continues_in is None:
            unheard = word == "nothing" and each.recorded in {"claim", "owner"} and not _is_deleted_with(pair, each)
            assert (found.state == "live") == (each.holds or unheard), f"{each.ref.event_id} is {found.state}"
            moved = word == "moved" and each.recorded in {"owner", "orphan", "owner gone"}
            still = each.recorded == "orphan" and word == "nothing"
            assert (found.state == "orphaned") == (moved or still), f"{each.ref.event_id} is {found.state}"
        else:
            assert pair.kin.startswith("twins"), "an event continues in another one"


def _is_deleted_with(pair: Pair, each: One) -> bool:
    """Whether another view of the same event shows that it was deleted."""
    other = pair.other if each is pair.one else pair.one
    return pair.kin == "twins" and other.shape == "deleted" and other.recorded in {"claim", "owner"}


def _check_end(pair: Pair, before: Conference | None, after: Conference, owners: list[One]) -> None:
    """R9: only where every owner is gone for certain, one of them by now, and not all of them are over."""
    states = {each.state for each in after.referents.values() if each.role == "owner"}
    lost = [e for e in pair.both if e.recorded in {"owner", "orphan"} and e.shape in {"deleted", "without"}]
    was = before.end_after if before else None
    if owners or "orphaned" in states or not states:
        assert after.end_after is None, "an end is decided though an owner lives or moved"
    elif was is None and after.end_after is not None:
        assert lost or pair.end == "none", "an end begins though nothing was lost"
        assert pair.end not in {"held", "rejected", "ended", "gone"}, "an end begins a second time"
    elif lost and pair.end == "none" and not _was_held(pair, after):
        assert after.end_after is not None, "every owner is gone, and no end begins"
    if not owners and before is not None:
        assert (after.desired, after.gone) == (before.desired, before.gone), "what is wanted changed without an owner"


def _was_held(pair: Pair, after: Conference) -> bool:
    """Whether all are over; what was lost a day ago is no matter once the other one was held since."""
    counted = [each for each in pair.both if each.recorded != "owner gone" or _was_over(after, each)]
    return all(_was_over(after, each) for each in counted or pair.both)


def _was_over(known: Conference, each: One) -> bool:
    found = known.referents.get(each.ref.link_key)
    return found is None or found.role != "owner" or each.is_over


def _check_claims(pair: Pair, before: Conference | None, after: Conference) -> None:
    """R11: a copy in another calendar owns nothing, unless it is the event itself, or `matching` finds it unowned."""
    if pair.in_one_calendar or pair.kin.startswith("twins"):
        return
    for each, beside in (pair.both, pair.both[::-1]):
        found = after.referents.get(each.ref.link_key)
        known = before.referents.get(each.ref.link_key) if before else None
        is_new = found is not None and (known is None or known.role == "claimed")
        vouched_for = pair.is_vouched and each is pair.one
        if is_new and not vouched_for and _keeps_out(pair, beside):
            assert found is None or found.role == "claimed", "a copy that nobody vouched for owns the conference"


def _keeps_out(pair: Pair, owner: One) -> bool:
    """Whether nobody but this event may own the conference; under `matching` only while it lives, seen or not."""
    lives = owner.recorded == "owner" and (owner.holds or owner.shape in {None, "redacted"})
    return lives or pair.claims == "registered"


def _check_driver(pair: Pair, after: Conference, owners: list[One], met: Counter[str]) -> None:
    driver = expected_driver(pair, [each for each in owners if not _is_copy(each, pair, owners)])
    assert driver is not None, "every owner is to get another conference"
    if not (driver.holds or any(each.holds for each in owners)) and after.driver is not None:
        return  # nobody said anything that counts
    assert after.driver == driver.ref.link_key, "another event drives"
    met["driver"] += 1
    if driver.holds and not driver.is_over:
        assert after.desired is not None, "nothing is wanted"
        wanted = fingerprint(project(driver.seen.event or driver.event("ours", 5), (), ALL_FIELDS))
        assert after.desired.fingerprint == wanted, "what is wanted is not what the driver shows"


def _is_copy(each: One, pair: Pair, owners: list[One]) -> bool:
    """33: the younger of two duplicates gets a conference of its own, where that is the policy."""
    return pair.mints and pair.kin == "duplicates" and each is pair.other and len(owners) == 2


def _check_replacements(pair: Pair, after: Conference, owners: list[One], met: Counter[str]) -> None:
    """33: another conference for a duplicate alone, where that is the policy; 56: one successor for all owners."""
    minted = [each for each in after.replacements if not each.is_successor]
    successors = [each for each in after.replacements if each.is_successor]
    met[f"{len(minted)} minted, {len(successors)} successors"] += 1
    if not pair.mints or pair.kin != "duplicates":
        assert not minted, "a conference is made for what is no duplicate, or though copies share"
    assert len(minted) <= 1, "two conferences for one duplicate"
    assert len(successors) <= 1, "two successors"
    for each in minted:
        expected = pair.other.ref.link_key if pair.is_vouched or pair.one in owners else None
        assert expected is None or each.links == (expected,), "the original gets another conference"
    linked = [key for each in after.replacements for key in each.links]
    assert len(linked) == len(set(linked)), "one event is to get two conferences"
    if successors:
        assert pair.end in {"ended", "gone"}, "a conference that lives is given up"
        assert not is_pending(after), "what is gone is told something"


def sweep(calendar_key: str, *, full: bool) -> tuple[Counter[str], list[str]]:
    """Check every pair with the second event in this calendar; return what was met, and what is wrong."""
    met: Counter[str] = Counter()
    wrong: list[str] = []
    for pair in pairs(calendar_key, full=full):
        met["pairs"] += 1
        try:
            check(pair, met)
        except AssertionError as error:
            wrong.append(str(error))
        if len(wrong) >= ENOUGH and not full:
            break
    return met, wrong


def main() -> int:
    """Enumerate everything, and say how much that was."""
    failed = 0
    for calendar_key in (HERE, THERE):
        met, wrong = sweep(calendar_key, full="--short" not in sys.argv)
        failed += len(wrong)
        sys.stdout.writelines(f"{each}\n" for each in wrong)
        where = "one calendar" if calendar_key == HERE else "two calendars"
        sys.stdout.write(f"two events in {where}: {len(wrong)} wrong\n")
        sys.stdout.writelines(f"  {count:8} {what}\n" for what, count in sorted(met.items()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
