"""Small scope: every case of one event, planned, and compared with its meaning.

`python -m tests.core.small_scope` enumerates everything; the tests leave out what differs only in ways that cannot
matter together (see `every_case`).
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import get_args

from confsync.core.binding import tie_of, verdict
from confsync.core.conference import Conference
from confsync.core.planning import Plan
from confsync.core.records import Link
from confsync.core.rules import Rules
from confsync.core.sight import Reading, Seen
from confsync.core.terms import Terms, claimed_key
from tests.core.small_scope_compare import E1, check_record, compare, generation
from tests.core.small_scope_meaning import (
    Case,
    Claims,
    Meaning,
    decisive,
    meaning_of,
    tells_of_organizer,
)
from tests.core.small_scope_recorded import (
    CAPABILITIES,
    FOR_GOOD,
    Means,
    Standing,
    conference_of,
    link_of,
    means_with,
    standings,
)
from tests.core.small_scope_shown import Kind, Look, exceptions, listings, readings, seen_of
from tests.core.story import ACME, NOW, Ledger, conference_key

NOTHING = Plan((), (), frozenset(), frozenset())
C1 = conference_key("c1")
POLICIES: tuple[Claims, ...] = get_args(Claims)
MEANS: tuple[Means, ...] = get_args(Means)


@cache
def terms_of(claims: Claims, means: Means, duplicates: str = "share") -> Terms:
    """Return the terms of a deployment."""
    rules = Rules(claims=claims, duplicates="mint" if duplicates == "mint" else "share")
    return Terms("default", (ACME,), {"acme": CAPABILITIES[means]}, rules)


@dataclass
class World(Ledger):
    """A ledger whose readings are answered by a look."""

    answer: Look | None = None
    kind: Kind = "upcoming"

    def read(self, reading: Reading) -> Seen:
        """Answer as Calendar would."""
        if self.answer is None or reading.ref != E1:
            return super().read(reading)
        shown = seen_of(self.answer, self.kind)
        if reading.series_uid is None or shown.event is None:
            return shown
        return replace(shown, exceptions=exceptions(self.kind))


def world_of(case: Case) -> World:
    """Return the records that the case starts from, and what a reading would show."""
    known = conference_of(case.standing, case.kind)
    links = {E1.link_key: link_of(case.kind)} if case.standing.recorded != "nothing" else {}
    conferences = {known.key: known} if known else {}
    answer = case.answer or replace(case.shown, read=True)
    return World(links, conferences, {}, terms_of(case.claims, case.means), [], answer, case.kind)


@dataclass
class Tally:
    """What the enumeration came across, so that an empty one cannot pass for a good one."""

    cases: int = 0
    met: Counter[str] = field(default_factory=Counter)
    """How often each verdict and each outcome was met."""


TURNS = 8
"""Unless everything is enumerated, each list item with its answer is met by every eighth standing."""
ENOUGH = 20
"""Cases that are wrong; no more are looked for."""


def every_case(kind: Kind, *, full: bool) -> Iterator[Case]:
    """Return every case of an event of one kind.

    Unless it is full, policy and means take turns where they cannot matter together, and so do the list items. One that
    asks for no reading is shown with one answer only.
    """
    looks = [(look, None) for look in readings()] + list(listings())
    for number, standing in enumerate(standings(kind)):
        for turn, (shown, answer) in enumerate(looks):
            if not full and answer is not None and (number + turn) % TURNS:
                continue
            for claims, means in _choices(standing, number + turn, full=full):
                case = Case(kind, standing, shown, answer, claims, means)
                if answer is None or _is_first_answer(case):
                    yield case


def _is_first_answer(case: Case) -> bool:
    """Whether the answer decides, or is the first of those that do not."""
    return decisive(case) is case.answer or case.answer == Look("unknown") or not case.shown.as_writer


def _choices(standing: Standing, turn: int, *, full: bool) -> list[tuple[Claims, Means]]:
    everything = [(claims, means) for claims in POLICIES for means in means_with(standing.end)]
    if full:
        return everything
    if standing.end in {"ended", "refused", *FOR_GOOD}:
        return [(POLICIES[turn % 2], means) for means in means_with(standing.end)]
    if not standing.owns:
        return [(claims, MEANS[turn % 4]) for claims in POLICIES]
    return [everything[turn % len(everything)]]


def check(case: Case, tally: Tally) -> None:
    """Plan one case, and compare it with what it must mean.

    Raises:
        AssertionError: they differ; the message says the scenario in words.

    """
    world, expected = world_of(case), meaning_of(case)
    sight = {E1: seen_of(case.shown, case.kind)}
    before = world.conferences.get(C1)
    links = dict(world.links)
    _count(case, world, expected, tally)
    found = world.settle(sight)
    rounds = len(world.readings)
    try:
        assert rounds <= 3, "it asks for more than three readings"
        after = world.conferences.get(C1)
        if "another of ours" not in {case.shown.shape, decisive(case).shape}:
            is_new_claim = (case.standing.recorded, expected.recorded) == ("nothing", "claim")
            assert found.claims == ({E1} if is_new_claim else set()), "a claim is told that is none, or one is not"
        if expected.speaks:
            assert after is not None, "the conference is not recorded"
            compare(case, before, after, expected)
        else:
            assert _as_before(after, before, case), "it says nothing, but the conference changed"
            assert (
                world.links.get(E1.link_key) == links.get(E1.link_key)
                or case.shown.shape == "another of ours"
                or (case.answer is not None and case.answer.shape == "another of ours")
            ), "it says nothing, but its link changed"
        _check_always(world, links, before)
        assert world.settle(sight) == NOTHING, "planning the same again changes something"
    except AssertionError as error:
        raise AssertionError(f"{str(error).splitlines()[0]}:{case}\n  expected: {expected}") from error


def _as_before(after: Conference | None, before: Conference | None, case: Case) -> bool:
    if after is not None and before is not None and tells_of_organizer(case):
        after = after.model_copy(update={"registered": before.registered})
    return after == before


def _count(case: Case, world: World, expected: Meaning, tally: Tally) -> None:
    look = decisive(case)
    seen = seen_of(look, case.kind)
    named = claimed_key(seen.event, world.terms) if seen.event else None
    tally.cases += 1
    tally.met[
        f"verdict {verdict(seen_of(case.shown, case.kind), tie_of(E1, world.links, world.conferences), named)}"
    ] += 1
    tally.met[f"recorded {case.standing.recorded} -> {expected.recorded}"] += 1
    if expected.speaks:
        tally.met[f"end {expected.end}"] += 1
        tally.met[f"change {expected.change}"] += 1


def _check_always(world: World, links: Mapping[str, Link], before: Conference | None) -> None:
    """Hold what holds for every plan."""
    for known in world.conferences.values():
        check_record(known)
        live = [key for key, each in known.referents.items() if (each.role, each.state) == ("owner", "live")]
        for key, each in known.referents.items():
            assert each.state != "live" or world.links[key].conference_key == known.key, "a live event without its link"
        assert not live or known.driver in live or known == before, "it follows an event that does not own it"
    after = world.conferences.get(C1)
    assert before is None or (after is not None and generation(after) >= generation(before)), "a generation falls"
    assert all(link.updated is None or link.updated >= NOW for key, link in world.links.items() if key in links), (
        "an observation goes backwards"
    )


def sweep(kind: Kind, *, full: bool) -> tuple[Tally, list[str]]:
    """Check every case of one kind; return what was met, and what was wrong."""
    tally, wrong = Tally(), []
    for case in every_case(kind, full=full):
        try:
            check(case, tally)
        except AssertionError as error:
            wrong.append(str(error))
        if len(wrong) >= ENOUGH and not full:
            break
    return tally, wrong


def main() -> int:
    """Enumerate everything, and say how much that was."""
    failed = 0
    for kind in get_args(Kind):
        tally, wrong = sweep(kind, full=True)
        failed += len(wrong)
        sys.stdout.writelines(f"{each}\n" for each in wrong)
        sys.stdout.write(f"{kind}: {tally.cases} cases, {len(wrong)} wrong\n")
        sys.stdout.writelines(f"  {count:8} {what}\n" for what, count in sorted(tally.met.items()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
