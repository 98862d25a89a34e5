"""Small scope, part 5: two events of one conference, in one calendar or in two.

The parts of a split, a duplicate, a move, a mirrored copy. What each event says is taken from `small_scope_meaning`;
here is what the two mean together. `python -m tests.core.small_scope_pairs` enumerates everything.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import product
from typing import Any, Literal, get_args

from confsync.core.desires import is_pending, timed
from confsync.core.events import Event
from confsync.core.projection import fingerprint, project, times_of
from confsync.core.records import Conference, Link, Referent
from confsync.core.sight import EventRef, Seen
from tests.core.small_scope import C1, ENOUGH, NOTHING, check_record, generation, terms_of
from tests.core.small_scope_meaning import WORDS, Claims
from tests.core.small_scope_recorded import HOLD, LOST_AT, Recorded, applied, desired
from tests.core.small_scope_shown import MAKERS, UPDATED, Shape, base
from tests.core.story import ALL_FIELDS, DAY, HERE, HOUR, NOW, RULES, THERE, Ledger, conference, ref, stamp

Timing = Literal["first before second", "second before first", "first over", "both over"]
Kin = Literal["strangers", "parts of a split", "duplicates", "twins", "twins of unknown age"]
"""How the events are related: twins are one event in two calendars."""
End = Literal["none", "in grace", "held", "rejected", "ended", "gone"]
STARTS: dict[Timing, tuple[timedelta, timedelta]] = {
    "first before second": (HOUR, 3 * HOUR),
    "second before first": (3 * HOUR, HOUR),
    "first over": (-3 * HOUR, HOUR),
    "both over": (-3 * HOUR, -5 * HOUR),
}
SHAPES: tuple[Shape | None, ...] = (
    None,
    "ours",
    "ours renamed",
    "deleted",
    "deleted, another organizer",
    "without",
    "redacted",
)
"""What is shown of each; None: nothing."""
KNOWN: tuple[Recorded, ...] = ("nothing", "claim", "owner", "owner gone", "orphan")
ENDS: tuple[End, ...] = get_args(End)
CREATED = NOW - 9 * DAY


@dataclass(frozen=True)
class One:
    """One of the two events."""

    ref: EventRef
    recorded: Recorded
    shape: Shape | None
    after: timedelta
    created: datetime | None
    uid: str

    @property
    def fields(self) -> dict[str, Any]:
        """Return what all looks at it share."""
        created = {"created": stamp(self.created)} if self.created else {}
        return {"iCalUID": self.uid, **created}

    def event(self, shape: Shape, updated: float) -> Event:
        """Return the event in a shape."""
        more = {} if shape.startswith("deleted") else {"after": self.after}
        return MAKERS[shape]("upcoming", self.ref.event_id, updated=updated, **self.fields, **more)

    @property
    def seen(self) -> Seen:
        """Return what a reading shows."""
        return Seen(self.event(self.shape or "ours", 5 if self.shape else 0), confirmed=True)

    @property
    def holds(self) -> bool:
        """Whether the event, as it is shown, has the conference."""
        return self.shape in {"ours", "ours renamed"}

    @property
    def is_over(self) -> bool:
        """Whether it took place already."""
        return self.after < timedelta()


@dataclass(frozen=True)
class Pair:
    """Everything that a plan of two events starts from."""

    one: One
    other: One
    kin: Kin
    end: End
    is_vouched: bool
    claims: Claims
    mints: bool

    def __str__(self) -> str:
        """Say the scenario in words."""
        where = "in one calendar" if self.in_one_calendar else "in two calendars"
        each = [
            f"\n  {name}: recorded {e.recorded}, shown {e.shape or 'not'}, starts in {e.after / HOUR} hours"
            for name, e in (("first", self.one), ("second", self.other))
        ]
        rest = f"\n  end: {self.end}; first vouched for: {self.is_vouched}; claims {self.claims}; mints: {self.mints}"
        return f"\n  two events {where}, {self.kin}{''.join(each)}{rest}"

    @property
    def in_one_calendar(self) -> bool:
        """Whether both stand in one calendar."""
        return self.one.ref.calendar_key == self.other.ref.calendar_key

    @property
    def both(self) -> tuple[One, One]:
        """Both events."""
        return (self.one, self.other)


def pairs(calendar_key: str, *, full: bool) -> Iterator[Pair]:
    """Return every pair with the second event in this calendar; unless it is full, what is secondary takes turns."""
    kins: tuple[Kin, ...] = ("strangers", "parts of a split", "duplicates")
    kins = kins if calendar_key == HERE else ("strangers", "twins", "twins of unknown age")
    policies: tuple[Claims, ...] = get_args(Claims)
    seldom = list(product(get_args(Timing), (True, False), policies, (False, True)))
    number = 0
    for first, second, kin, end in product(KNOWN, KNOWN, kins, ENDS):
        if not _can_be(first, second, end):
            continue
        for shape, other in product(SHAPES, SHAPES):
            number += 1
            for timing, vouched, claims, mints in seldom if full else [seldom[number * 7 % len(seldom)]]:
                pair = _pair(calendar_key, first, second, kin, timing)
                one, two = replace(pair[0], shape=shape), replace(pair[1], shape=other)
                found = Pair(one, two, kin, end, vouched, claims, mints)
                if (shape or other) and _is_reachable(found):
                    yield found


def _can_be(first: Recorded, second: Recorded, end: End) -> bool:
    """A live owner takes back an end; one that is orphaned keeps it; only owners have one."""
    known = {first, second}
    if end in {"none", "gone"}:
        return bool(known - {"nothing"})
    if end == "rejected":
        return "owner" not in known and bool(known & {"owner gone", "orphan"})
    return not known & {"owner", "orphan"} and "owner gone" in known


@cache
def _pair(calendar_key: str, first: Recorded, second: Recorded, kin: Kin, timing: Timing) -> tuple[One, One]:
    twins = kin.startswith("twins")
    ages = {"strangers": (None, None), "twins of unknown age": (None, None)}.get(kin, (CREATED, CREATED))
    ages = (CREATED, CREATED + DAY) if kin == "duplicates" else ages
    starts = STARTS[timing] if not twins else (STARTS[timing][0],) * 2
    other = ref("e1" if twins else "e2", calendar_key)
    return (
        One(ref(), first, None, starts[0], ages[0], "one@google.com"),
        One(other, second, None, starts[1], ages[1], "one@google.com" if twins else "two@google.com"),
    )


def _is_reachable(pair: Pair) -> bool:
    """A claim beside an owner in its calendar, or of an event that an owner may be, was made an owner before.

    Of two copies of one event, only one can be the organizer's, and what moved is in sight again where it lives.
    """
    if pair.kin.startswith("twins") and (_is_twofold(pair) or {"owner", "orphan"} == set(_recorded(pair))):
        return False
    roles = {pair.one.recorded, pair.other.recorded}
    owners = roles & {"owner", "owner gone", "orphan"}
    if "claim" not in roles:
        return not (pair.kin == "twins" and set(_recorded(pair)) == {"owner"})
    if not owners:
        return pair.claims == "registered" and not pair.is_vouched and pair.end == "none"
    is_free = pair.claims == "matching" and owners == {"owner gone"}
    vouched_beside = pair.is_vouched and "claim" in {e.recorded for e in pair.both if e.ref.calendar_key == HERE}
    return not (pair.in_one_calendar or pair.kin.startswith("twins") or is_free or vouched_beside)


def _recorded(pair: Pair) -> tuple[Recorded, Recorded]:
    return (pair.one.recorded, pair.other.recorded)


def _is_twofold(pair: Pair) -> bool:
    """Whether two organizer's copies of one event would be shown."""
    return pair.one.holds and pair.other.holds


def ledger_of(pair: Pair) -> Ledger:
    """Return the records that the pair starts from, and the world that readings show."""
    known = {each.ref.link_key: _referent(each) for each in pair.both if each.recorded != "nothing"}
    vouched = (pair.one.ref,) if pair.is_vouched else ()
    driver = _expected_driver(pair, [e for e in pair.both if e.recorded == "owner"])
    words: dict[str, Any] = {"referents": known, "driver": driver.ref.link_key if driver else None}
    owners = {each.recorded for each in pair.both} & {"owner", "owner gone", "orphan"}
    if owners:
        words |= _told(pair, driver)
    if "orphan" in owners and "owner" not in owners:
        words["review_at"] = NOW + HOUR
    elif known and all(each.state == "gone" for each in known.values()):
        words["review_at"] = LOST_AT + timedelta(seconds=RULES.retention_s)
    links = {each.ref.link_key: _link(each) for each in pair.both if each.recorded != "nothing"}
    ledger = Ledger(links, {}, {}, terms_of(pair.claims, "creates", "mint" if pair.mints else "share"))
    if known or vouched:
        ledger.conferences[C1] = timed(conference("c1", *vouched, **words))
    ledger.world = {each.ref: each.event(each.shape or "ours", 5 if each.shape else 0) for each in pair.both}
    return ledger


def _told(pair: Pair, driver: One | None) -> dict[str, Any]:
    state = project(base("upcoming", "e1", after=(driver or pair.one).after), (), ALL_FIELDS)
    told = {"desired": desired(2, state, kept=False), "applied": applied(2, state)}
    more: dict[End, dict[str, Any]] = {
        "none": told,
        "in grace": told | {"end_after": NOW + timedelta(seconds=30)},
        "held": told | {"brake": "held", "hold": HOLD},
        "rejected": told | {"brake": "rejected"},
        "ended": {"desired": desired(3, None), "applied": applied(3, None)},
        "gone": told | {"gone": True},
    }
    return more[pair.end]


def _referent(each: One) -> Referent:
    state = {"owner gone": "gone", "orphan": "orphaned"}.get(each.recorded, "live")
    return Referent.model_validate(
        {
            "calendar_key": each.ref.calendar_key,
            "event_id": each.ref.event_id,
            "ical_uid": each.uid,
            "role": "claimed" if each.recorded == "claim" else "owner",
            "state": state,
            "times": times_of(each.event("ours", 0)),
            "created": each.created,
            "since": None if state == "live" else LOST_AT,
            "bound_at": NOW,
        }
    )


def _link(each: One) -> Link:
    return Link(
        key=each.ref.link_key,
        calendar_key=each.ref.calendar_key,
        event_id=each.ref.event_id,
        conference_key=C1,
        ical_uid=each.uid,
        etag='"0"',
        updated=NOW + timedelta(minutes=UPDATED["same"] or 0),
    )


def sight_of(*shown: One) -> dict[EventRef, Seen]:
    """Return what is shown of these events."""
    return {each.ref: each.seen for each in shown if each.shape}


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


def known_deviation(pair: Pair) -> str:
    """Return what is known to be wrong about a pair; see the same of single events."""
    if pair.end == "ended" and pair.mints and pair.kin == "duplicates" and _is_twofold(pair):
        return "of two duplicates of an ended conference, one is to get a copy's conference and the successor as well"
    return ""


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
            assert (found.state == "live") == (
                each.holds or (word == "nothing" and each.recorded in {"claim", "owner"})
            ), f"{each.ref.event_id} is {found.state}"
            moved = word == "moved" and each.recorded in {"owner", "orphan", "owner gone"}
            still = each.recorded == "orphan" and word == "nothing"
            assert (found.state == "orphaned") == (moved or still), f"{each.ref.event_id} is {found.state}"
        else:
            assert pair.kin.startswith("twins"), "an event continues in another one"


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
    elif lost and pair.end == "none" and not all(_was_over(after, each) for each in pair.both):
        assert after.end_after is not None, "every owner is gone, and no end begins"
    if not owners and before is not None:
        assert (after.desired, after.gone) == (before.desired, before.gone), "what is wanted changed without an owner"


def _was_over(known: Conference, each: One) -> bool:
    found = known.referents.get(each.ref.link_key)
    return found is None or found.role != "owner" or each.is_over


def _check_claims(pair: Pair, before: Conference | None, after: Conference) -> None:
    """R11: under `registered` a copy in another calendar owns nothing, unless it is the event itself."""
    if pair.claims == "matching" or pair.in_one_calendar or pair.kin.startswith("twins"):
        return
    other = after.referents.get(pair.other.ref.link_key)
    known = before.referents.get(pair.other.ref.link_key) if before else None
    if other is not None and (known is None or known.role == "claimed"):
        assert other.role == "claimed", "a copy that nobody vouched for owns the conference"


def _expected_driver(pair: Pair, owners: list[One]) -> One | None:
    """R8: the earliest next occurrence, else the one that ended last; of equals the vouched for, then the oldest."""

    def rank(each: One) -> tuple[Any, ...]:
        seniority = (not (pair.is_vouched and each is pair.one), each.created or NOW + 9 * DAY, each.ref.link_key)
        return (each.is_over, abs(each.after), *seniority)

    return min(owners, key=rank, default=None)


def _check_driver(pair: Pair, after: Conference, owners: list[One], met: Counter[str]) -> None:
    driver = _expected_driver(pair, [each for each in owners if not _is_copy(each, pair, owners)])
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


def sweep(calendar_key: str, *, full: bool) -> tuple[Counter[str], list[str], set[str]]:
    """Check every pair with the second event in this calendar; return what was met, wrong, and known to be wrong."""
    met: Counter[str] = Counter()
    wrong, known = [], set()
    for pair in pairs(calendar_key, full=full):
        met["pairs"] += 1
        try:
            check(pair, met)
        except AssertionError as error:
            if deviation := known_deviation(pair):
                known.add(deviation)
            else:
                wrong.append(str(error))
        if len(wrong) >= ENOUGH and not full:
            break
    return met, wrong, known


def main() -> int:
    """Enumerate everything, and say how much that was."""
    failed = 0
    for calendar_key in (HERE, THERE):
        met, wrong, known = sweep(calendar_key, full="--short" not in sys.argv)
        failed += len(wrong)
        sys.stdout.writelines(f"{each}\n" for each in wrong)
        where = "one calendar" if calendar_key == HERE else "two calendars"
        sys.stdout.write(f"two events in {where}: {len(wrong)} wrong; known: {', '.join(sorted(known)) or 'nothing'}\n")
        sys.stdout.writelines(f"  {count:8} {what}\n" for what, count in sorted(met.items()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
