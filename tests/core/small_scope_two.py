"""Small scope: two events of one conference, how they are related, and what is recorded and shown of them.

The parts of a split, a duplicate, a move, a mirrored copy. Only what can come about is built: see `_is_reachable`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import product
from typing import Any, Literal, get_args

from confsync.core.conference import Referent
from confsync.core.desires import timed
from confsync.core.events import Event
from confsync.core.projection import project, times_of
from confsync.core.records import EventRef, Link
from confsync.core.sight import Seen
from tests.core.small_scope import C1, terms_of
from tests.core.small_scope_meaning import Claims
from tests.core.small_scope_recorded import HOLD, LOST_AT, Recorded, applied, desired, forget_time
from tests.core.small_scope_shown import MAKERS, UPDATED, Shape, base
from tests.core.story import ALL_FIELDS, DAY, HERE, HOUR, NOW, Ledger, conference, ref, stamp

Timing = Literal["first before second", "second before first", "first over", "both over"]
Kin = Literal["strangers", "parts of a split", "duplicates", "instances", "twins", "twins of unknown age"]
"""How the events are related: twins are one event in two calendars; instances of one series share its iCalUID."""
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
    def is_twofold(self) -> bool:
        """Whether both are shown to have the conference."""
        return self.one.holds and self.other.holds

    @property
    def both(self) -> tuple[One, One]:
        """Both events."""
        return (self.one, self.other)


def pairs(calendar_key: str, *, full: bool) -> Iterator[Pair]:
    """Return every pair with the second event in this calendar; unless it is full, what is secondary takes turns."""
    kins: tuple[Kin, ...] = ("strangers", "parts of a split", "duplicates", "instances")
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
        One(
            other,
            second,
            None,
            starts[1],
            ages[1],
            "one@google.com" if twins or kin == "instances" else "two@google.com",
        ),
    )


def _is_reachable(pair: Pair) -> bool:
    """A claim beside an owner in its calendar, or of an event that an owner may be, was made an owner before.

    What moved is in sight again where it lives. Two views of one event show the same.
    """
    if pair.kin.startswith("twins") and {"owner", "orphan"} == set(_recorded(pair)):
        return False
    if pair.is_twofold and pair.kin.startswith("twins") and (pair.one.shape != pair.other.shape or "age" in pair.kin):
        return False
    roles = {pair.one.recorded, pair.other.recorded}
    owners = roles & {"owner", "owner gone", "orphan"}
    if "claim" not in roles:
        return True
    if not owners:
        return pair.claims == "registered" and not pair.is_vouched and pair.end == "none"
    is_free = pair.claims == "matching" and owners == {"owner gone"}
    vouched_beside = pair.is_vouched and "claim" in {e.recorded for e in pair.both if e.ref.calendar_key == HERE}
    return not (pair.in_one_calendar or pair.kin.startswith("twins") or is_free or vouched_beside)


def _recorded(pair: Pair) -> tuple[Recorded, Recorded]:
    return (pair.one.recorded, pair.other.recorded)


def ledger_of(pair: Pair) -> Ledger:
    """Return the records that the pair starts from, and the world that readings show."""
    known = {each.ref.link_key: _referent(each) for each in pair.both if each.recorded != "nothing"}
    vouched = (pair.one.ref,) if pair.is_vouched else ()
    driver = expected_driver(pair, [e for e in pair.both if e.recorded == "owner"])
    words: dict[str, Any] = {"referents": known, "driver": driver.ref.link_key if driver else None}
    owners = {each.recorded for each in pair.both} & {"owner", "owner gone", "orphan"}
    if owners:
        words |= _told(pair, driver)
    if "orphan" in owners and "owner" not in owners:
        words["review_at"] = NOW + HOUR
    elif known and all(each.state == "gone" for each in known.values()):
        words["review_at"] = forget_time(pair.is_vouched)
    links = {each.ref.link_key: _link(each) for each in pair.both if each.recorded != "nothing"}
    ledger = Ledger(links, {}, {}, terms_of(pair.claims, "creates", "mint" if pair.mints else "share"))
    if known or vouched:
        ledger.conferences[C1] = timed(conference("c1", *vouched, **words))
    ledger.world = {each.ref: each.event(each.shape or "ours", 5 if each.shape else 0) for each in pair.both}
    return ledger


def expected_driver(pair: Pair, owners: list[One]) -> One | None:
    """R8: the earliest next occurrence, else the one that ended last; of equals the vouched for, then the oldest."""

    def rank(each: One) -> tuple[Any, ...]:
        seniority = (not (pair.is_vouched and each is pair.one), each.created or NOW + 9 * DAY, each.ref.link_key)
        return (each.is_over, abs(each.after), *seniority)

    return min(owners, key=rank, default=None)


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
