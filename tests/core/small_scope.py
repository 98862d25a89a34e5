"""Small scope, part 4: every case of one event, planned, and compared with its meaning.

`python -m tests.core.small_scope` enumerates everything; the tests leave out what differs only in ways that cannot
matter together (see `every_case`).
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import get_args

from confsync.core.binding import tie_of, verdict
from confsync.core.desires import is_pending, timed
from confsync.core.planning import Plan
from confsync.core.projection import fingerprint, project
from confsync.core.records import Conference, Link
from confsync.core.rules import Rules
from confsync.core.sight import Reading, Seen
from confsync.core.terms import Terms, claimed_key
from tests.core.small_scope_meaning import (
    Case,
    Claims,
    Meaning,
    decisive,
    known_deviation,
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
from tests.core.story import ACME, ALL_FIELDS, NOW, RULES, Ledger, conference_key, ref

NOTHING = Plan((), (), frozenset(), frozenset())
C1, E1 = conference_key("c1"), ref("e1")
GRACE = timedelta(seconds=RULES.grace_s)
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
    world.settle(sight)
    rounds = len(world.readings)
    try:
        assert rounds <= 3, "it asks for more than three readings"
        after = world.conferences.get(C1)
        if expected.speaks:
            assert after is not None, "the conference is not recorded"
            _compare(case, before, after, expected)
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


def _compare(case: Case, before: Conference | None, after: Conference, expected: Meaning) -> None:
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


def sweep(kind: Kind, *, full: bool) -> tuple[Tally, list[str], set[str]]:
    """Check every case of one kind; return what was met, what was wrong, and which known deviations were met."""
    tally, wrong, known = Tally(), [], set()
    for case in every_case(kind, full=full):
        try:
            check(case, tally)
        except AssertionError as error:
            if deviation := known_deviation(case):
                known.add(deviation)
            else:
                wrong.append(str(error))
        if len(wrong) >= ENOUGH and not full:
            break
    return tally, wrong, known


def main() -> int:
    """Enumerate everything, and say how much that was."""
    failed = 0
    for kind in get_args(Kind):
        tally, wrong, known = sweep(kind, full=True)
        failed += len(wrong)
        sys.stdout.writelines(f"{each}\n" for each in wrong)
        sys.stdout.write(
            f"{kind}: {tally.cases} cases, {len(wrong)} wrong; known: {', '.join(sorted(known)) or 'nothing'}\n"
        )
        sys.stdout.writelines(f"  {count:8} {what}\n" for what, count in sorted(tally.met.items()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
