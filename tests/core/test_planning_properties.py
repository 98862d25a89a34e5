"""What holds for every plan: correlated states, the recorded one generated first and perturbed into what is seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

from confsync.core.events import Event
from confsync.core.planning import Plan
from confsync.core.projection import times_of
from confsync.core.records import Conference
from confsync.core.sight import EventRef, Seen
from tests.core.story import (
    DAY,
    HOUR,
    NOW,
    THERE,
    UNTIMED,
    Ledger,
    at,
    cancelled_instance,
    conference,
    event,
    instance,
    pending,
    ref,
    seen,
    series,
    stub,
    timeless,
    tombstone,
)

NOTHING = Plan((), (), frozenset(), frozenset())
CONFERENCES = (None, "c1", "c2", "stranger")


def brief(shown: Event | None) -> str:
    """Say in one word each what a failing example has to tell of an event."""
    if shown is None:
        return "404"
    data = shown.conference_data
    has = data.conference_id or "pending" if data else "none"
    own = "own" if shown.is_organizers_copy else "foreign" if shown.organizer else "redacted"
    starts = shown.start.date_time if shown.start else None
    return f"{shown.id}({shown.status} {own} {has} {shown.summary} starts {starts} updated {shown.updated})"


@dataclass(frozen=True, repr=False)
class Change:
    """What a list shows of an event, and what there is when it is read."""

    listed: Event
    real: Event | None

    def __repr__(self) -> str:
        """Show what differs from what."""
        return f"\n  {brief(self.listed)} really {brief(self.real)}"


@dataclass(frozen=True, repr=False)
class Story:
    """A calendar as it was recorded, and what became of it."""

    registered: Mapping[str, tuple[EventRef, ...]]
    before: tuple[Event, ...]
    changes: tuple[Change, ...]

    def __repr__(self) -> str:
        """Show who is registered, what was recorded, and what changed."""
        registered = {name: [each.event_id for each in refs] for name, refs in self.registered.items()}
        return f"registered {registered}\n before {[brief(each) for each in self.before]}\n then {self.changes}"

    def begin(self) -> Ledger:
        """Return the records after the first state was synced, without the readings of that."""
        note(repr(self))
        ledger = Ledger.of(*(conference(name, *refs) for name, refs in self.registered.items()))
        ledger.show(*self.before)
        ledger.readings.clear()
        ledger.world = {ref(c.listed.id): c.real for c in self.changes if c.real is not None}
        return ledger

    @property
    def sight(self) -> dict[EventRef, Seen]:
        """What one list shows."""
        return seen(*(change.listed for change in self.changes))


def single(event_id: str) -> Callable[..., Event]:
    """Return how to make a one-off event."""
    return lambda **fields: event(event_id, **fields)


def master(event_id: str) -> Callable[..., Event]:
    """Return how to make a series."""
    return lambda **fields: series(event_id, fields.pop("conference", "c1"), **fields)


def part(event_id: str, day: int) -> Callable[..., Event]:
    """Return how to make an exception of a series."""

    def make(**fields: Any) -> Event:
        fields.pop("starts", None)
        return instance(series(event_id), day, **fields)

    return make


MAKERS: dict[str, Callable[..., Event]] = {
    "e1": single("e1"),
    "e2": single("e2"),
    "e3": single("e3"),
    "s1": master("s1"),
    "s2": master("s2"),
    "s1_1": part("s1", 1),
    "s1_2": part("s1", 2),
    "s2_1": part("s2", 1),
}
STARTS = st.integers(-3, 5).map(lambda hours: NOW + hours * HOUR)
ELSEWHERE = {"email": "bob@example.com"}


@st.composite
def changes(draw: st.DrawFn, name: str, old: dict[str, Any], *, lagging: bool, recorded: bool) -> Change:
    """Perturb one event; a lagging list may show something that is no longer so."""
    make, before = MAKERS[name], MAKERS[name](**old)
    edited = make(**old | {"summary": draw(st.sampled_from(["A", "B"])), "starts": draw(STARTS), "updated": 5})
    switched = make(**old | {"conference": draw(st.sampled_from(CONFERENCES)), "updated": 5})
    deleted = [tombstone(name), tombstone(name, organizer=ELSEWHERE), stub(name)]
    if "_" in name:
        deleted.append(cancelled_instance(series(name.split("_", maxsplit=1)[0]), int(name[-1])))
    quiet = [pending(name), timeless(name), event(name, organizer=None, updated=5)] if "_" not in name else []
    foreign = [make(**old | {"own": False, "updated": 5}), make(**old | {"locked": True, "updated": 5})]
    real = draw(st.sampled_from([before, edited, switched, *deleted, *quiet, *foreign]))
    if not lagging:
        shown = [real, *([stub(name)] if real.is_cancelled else [])]
        return Change(draw(st.sampled_from(shown)), real)
    unstamped = real.model_copy(update={"updated": None})
    older = before.model_copy(update={"updated": at(-9), "summary": "Long ago"})
    shown = [real, before, older, stub(name), *([unstamped] if recorded and real is not switched else [])]
    listed = draw(st.sampled_from(shown))
    return Change(listed, draw(st.sampled_from([real, None])))


@st.composite
def stories(draw: st.DrawFn, *, lagging: bool = False) -> Story:
    """Generate a recorded calendar, then perturb it."""
    names = draw(st.lists(st.sampled_from(sorted(MAKERS)), min_size=1, max_size=6, unique=True))
    olds: dict[str, dict[str, Any]] = {
        name: {"conference": draw(st.sampled_from(CONFERENCES)), "starts": draw(STARTS)} for name in names
    }
    registered = {
        key: tuple(ref(name) for name in draw(st.lists(st.sampled_from(names), max_size=2, unique=True)))
        for key in ("c1", "c2")
    }
    before = tuple(MAKERS[name](**olds[name]) for name in draw(st.permutations(names)) if draw(st.integers(0, 3)))
    recorded = {each.id for each in before}
    perturbed = tuple(draw(changes(n, olds[n], lagging=lagging, recorded=n in recorded)) for n in names)
    return Story(registered, before, perturbed)


def essence(ledger: Ledger) -> dict[str, Any]:
    """Return all that counts of the records: everything but the numbers and notes of how it came about."""
    owners = {link: ledger.links[link] for _, link in live_owners(ledger)}
    return {"links": owners, **{key: _essence(each) for key, each in ledger.conferences.items()}}


def _essence(known: Conference) -> tuple[Any, ...]:
    desired = (known.desired.fingerprint, known.desired.state) if known.desired else None
    referents = {key: each if each.state == "live" else each.state for key, each in known.referents.items()}
    return (referents, known.driver, desired, known.end_after)


def live_owners(ledger: Ledger) -> set[tuple[str, str]]:
    """Return conference and link of each live owner."""
    return {
        (known.key, link)
        for known in ledger.conferences.values()
        for link, each in known.referents.items()
        if (each.role, each.state) == ("owner", "live")
    }


@UNTIMED
@given(stories(lagging=True))
def test_planning_again_changes_nothing(story: Story) -> None:
    """Plan, store, plan again: a fixpoint, reached within the rounds that the use case has."""
    ledger = story.begin()
    ledger.settle(story.sight)
    assert ledger.settle(story.sight) == NOTHING


@UNTIMED
@given(stories(lagging=True), st.randoms(use_true_random=False))
def test_the_order_of_a_batch_does_not_matter(story: Story, random: Any) -> None:
    """Exactly the same records come of the same events in another order."""
    shuffled = list(story.sight.items())
    random.shuffle(shuffled)
    one, other = story.begin(), story.begin()
    one.settle(story.sight)
    other.settle(dict(shuffled))
    assert (one.links, one.conferences) == (other.links, other.conferences)


@UNTIMED
@given(stories(), st.data())
def test_splitting_a_batch_makes_no_difference(story: Story, data: st.DataObject) -> None:
    """Pages and chunks may fall anywhere."""
    items = list(story.sight.items())
    first = set(
        data.draw(
            st.lists(st.sampled_from(items), unique_by=lambda item: item[0].event_id).map(
                lambda part: [r for r, _ in part]
            )
        )
    )
    whole, halves = story.begin(), story.begin()
    whole.settle(story.sight)
    halves.settle({r: s for r, s in items if r in first})
    halves.settle({r: s for r, s in items if r not in first})
    assert essence(whole) == essence(halves)


@UNTIMED
@given(stories(lagging=True))
def test_a_list_alone_takes_no_owner_away(story: Story) -> None:
    """A plan that needs no reading leaves every live owner alive, unless its series now stands for it."""
    ledger = story.begin()
    owners = live_owners(ledger)
    found = ledger.plan(story.sight)
    if found.readings:
        return
    ledger.apply(found)
    lost = {link for _, link in owners - live_owners(ledger)}
    assert all(link in ledger.links and ledger.links[link].series_id is not None for link in lost)


@UNTIMED
@given(stories(lagging=True))
def test_a_plan_changes_nothing_by_itself(story: Story) -> None:
    """It is made again inside each transaction, so it may not touch what it is given."""
    ledger = story.begin()
    links, conferences, sight = dict(ledger.links), dict(ledger.conferences), story.sight
    first = ledger.plan(sight)
    assert ledger.plan(sight) == first
    assert (ledger.links, ledger.conferences, sight) == (links, conferences, story.sight)


@UNTIMED
@given(stories())
def test_no_conference_is_to_end_that_a_live_owner_still_has(story: Story) -> None:
    """However the calendar changed: an end is only begun where no live owner is left, nor one that moved away."""
    ledger = story.begin()
    ledger.settle(story.sight)
    for known in ledger.conferences.values():
        states = {each.state for each in known.referents.values() if each.role == "owner"}
        assert known.end_after is None or states == {"gone"}


@UNTIMED
@given(stories())
def test_every_registered_event_that_still_has_its_conference_keeps_it_from_ending(story: Story) -> None:
    """Judged by what is really in the calendar, not by what was recorded."""
    ledger = story.begin()
    ledger.settle(story.sight)
    for name, refs in story.registered.items():
        really = [change.real for change in story.changes if ref(change.listed.id) in refs and change.real]
        own = [e for e in really if e.is_organizers_copy and not e.is_cancelled and times_of(e)]
        has_it = [e for e in own if _names(e, name)]
        if has_it:
            assert ledger.conferences[conference(name).key].end_after is None


def _names(shown: Event, name: str) -> bool:
    return shown.conference_data is not None and shown.conference_data.conference_id == name


@UNTIMED
@given(stories(lagging=True))
def test_another_calendar_changes_no_state_and_ends_nothing(story: Story) -> None:
    """The same events, shown in a calendar that nobody vouched for, are claims at most."""
    ledger = story.begin()
    before = {key: (each.desired, each.end_after) for key, each in ledger.conferences.items()}
    copies = {EventRef(THERE, r.event_id): s for r, s in story.sight.items()}
    strangers = {r: Seen(s.event and s.event.model_copy(update={"ical_uid": "other"})) for r, s in copies.items()}
    ledger.settle(strangers, calendar_key=THERE)
    after = {key: (each.desired, each.end_after) for key, each in ledger.conferences.items()}
    assert {key: after[key] for key in before} == before
    assert all(decided == (None, None) for key, decided in after.items() if key not in before)


@UNTIMED
@given(stories(), st.integers(0, 3))
def test_links_and_conferences_agree(story: Story, days: int) -> None:
    """Each live referent has its link, the driver is a live owner, and a link names a conference that is known."""
    ledger = story.begin()
    ledger.settle(story.sight, now=NOW + days * DAY - timedelta(minutes=1))
    for known in ledger.conferences.values():
        for link_key, each in known.referents.items():
            assert each.state != "live" or ledger.links[link_key].conference_key == known.key
    assert all(link.conference_key in ledger.conferences for link in ledger.links.values() if link.conference_key)
