"""Small scope: the last look before an end, and what a review makes of every standing.

Stated in words again, without the planner.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import get_args

from confsync.core.conference import Conference, Referent
from confsync.core.ending import is_end_due, owners_still_there, owners_to_read
from confsync.core.judging import was_held
from confsync.core.reviewing import review
from confsync.core.sight import Reading, Seen
from tests.core.small_scope_compare import check_record
from tests.core.small_scope_recorded import Recorded, Standing, conference_of, forget_time, referent_of, standings
from tests.core.small_scope_shown import TOMBSTONES, Kind, Look, Shape, base, seen_of
from tests.core.story import ACME, NOW, RULES, THERE, at, cancelled_instance, conference, instance, ref

PROOFS: frozenset[Shape] = frozenset(
    {"unknown", "missing from a full listing", "deleted", "another of ours", "somebody else's", "without"}
)
"""What, read on its own, proves that an event which was lost has the conference no more."""
PARTS = ("unread", "none", "one holds it", "one without it", "one cancelled")
"""What a series that is read whole shows of its exceptions."""
PLACES = (ref(), ref("e2", THERE))
LEFT: frozenset[Shape] = TOMBSTONES | {"guest copy", "guest copy without", "locked"}
MOVED_ON = ("no", "continues in another event", "has another conference")
"""Whether what became of the conference is known elsewhere."""
OWNERS: tuple[Recorded, ...] = ("owner", "owner gone", "orphan")


@dataclass(frozen=True)
class LastLook:
    """One of the events that are read before an end."""

    recorded: Recorded
    """Nothing: the add-on vouched for it, and no event was ever seen."""
    shape: Shape
    read: bool
    parts: str
    moved_on: str = "no"

    @property
    def is_proof(self) -> bool:
        """Whether the event has the conference no more, for certain; of one that moved on, that it left will do."""
        known = self.recorded != "nothing"
        stub_will_do = known and (self.shape == "id only" or (self.moved_on != "no" and self.shape in LEFT))
        return self.read and self.parts != "one holds it" and (self.shape in PROOFS or stub_will_do)

    @property
    def seen(self) -> Seen:
        """Return what was read."""
        master = base("series")
        parts = {
            "unread": None,
            "none": (),
            "one holds it": (instance(master, 1),),
            "one without it": (instance(master, 1, conference=None),),
            "one cancelled": (cancelled_instance(master, 1), instance(master, 2, status="cancelled")),
        }
        return replace(seen_of(Look(self.shape), "series"), confirmed=self.read, exceptions=parts[self.parts])


def last_looks() -> Iterator[LastLook]:
    """Return every look at one event."""
    shapes = (shape for shape in get_args(Shape) if shape not in {"unreadable", "unproven"})
    for recorded, shape, read, parts in product(("nothing", *OWNERS), shapes, (True, False), PARTS):
        for moved_on in MOVED_ON if recorded != "nothing" else ("no",):
            yield LastLook(recorded, shape, read, parts, moved_on)


def ending_conference(*looks: LastLook) -> Conference:
    """Return a conference whose end is due, with the event and, where there are two, one in another calendar."""
    claim = ref("e3").link_key
    known: dict[str, Referent] = {}
    for place, look in zip(PLACES, looks, strict=False):
        referent = referent_of(look.recorded, "series", place.event_id, place.calendar_key)
        if referent is not None:
            home = claim if look.moved_on.startswith("continues") else None
            known[place.link_key] = referent.model_copy(update={"continues_in": home})
    claimed = referent_of("claim", "upcoming", "e3")
    if known and claimed is not None:
        known[claim] = claimed
    return conference("c1", ref(), referents=known, end_after=at(-1), due_at=at(-1))


def check_last_look(*looks: LastLook) -> None:
    """Look at one event once more, or at two.

    Raises:
        AssertionError: an event counts as gone that may have the conference, or the other way round.

    """
    ending, places = ending_conference(*looks), PLACES[: len(looks)]
    read = {reading.ref for reading in owners_to_read(ending)}
    assert read == set(places), "not every owner is read, or a claim is"
    sight = {place: look.seen for place, look in zip(places, looks, strict=True)}
    elsewhere = {place for place, look in zip(places, looks, strict=True) if look.moved_on.startswith("has another")}
    there = owners_still_there(ending, sight, [ACME], elsewhere)
    expected = [place for place, look in zip(places, looks, strict=True) if not look.is_proof]
    assert there == expected, f"{there}: {looks}"


def check_review(standing: Standing, kind: Kind, now: datetime) -> str:
    """Review one standing at some time; return what it comes to.

    Raises:
        AssertionError: what may live, or waits to be ended or told, is forgotten; or a draft is not found.

    """
    known = conference_of(standing, kind)
    if known is None:
        return "unknown"
    check_record(known)
    found = review(known, now, RULES)
    ended = standing.end in {"ended", "refused"} or standing.end.startswith(("gone", "wanted", "called", "outcome"))
    waits = standing.end in {"in grace", "grace over", "held", "approved", "called", "outcome unknown"}
    waits = waits or standing.end.startswith("wanted") or standing.end == "gone, successor reserved"
    waits = waits or (standing.told in {"pending", "called", "called long ago", "busy"} and not ended)
    if standing.recorded in {"owner", "orphan"}:
        assert found == ("hand over" if standing.recorded == "owner" else "look for it"), f"{found}: {standing}"
    elif standing.recorded == "claim":
        assert found == "nothing", f"a claim's conference comes to {found}: {standing}"
    elif standing.recorded in {"nothing", "claim gone"} and standing.vouched != "nobody" and not ended:
        assert found == "discarded", f"a draft comes to {found}: {standing}"
    else:
        is_old = now >= forget_time(standing.vouched != "nobody")
        assert (found == "forget") == (is_old and not waits), f"{found} at {now}: {standing}"
    return found


def check_due(standing: Standing, kind: Kind) -> None:
    """An end is due when its grace is over, never before; what was held is so only when every owner is over.

    Raises:
        AssertionError: it is not.

    """
    known = conference_of(standing, kind)
    if known is not None:
        assert is_end_due(known, NOW) == (standing.end in {"grace over", "approved"})
        assert was_held(known, NOW) == (standing.owns and kind == "over")
        series = {Reading(ref(), "e1@google.com")} if kind.startswith("series") else {Reading(ref())}
        assert not standing.owns or set(owners_to_read(known)) == series


def every_standing() -> Iterator[tuple[Standing, Kind]]:
    """Return every standing of every kind of event."""
    for kind in get_args(Kind):
        for standing in standings(kind):
            yield standing, kind
