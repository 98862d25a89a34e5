"""What holds for every plan: correlated states, the recorded one generated first and perturbed into what is seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

from confsync.core import replacing
from confsync.core.capabilities import Capabilities
from confsync.core.conference import Applied, Conference, Desired
from confsync.core.desires import is_pending, without_end
from confsync.core.events import Event, parse_event
from confsync.core.planning import Plan
from confsync.core.projection import times_of
from confsync.core.records import EventRef
from confsync.core.reviewing import registered, review
from confsync.core.rules import Rules
from confsync.core.sight import Seen
from confsync.core.terms import Terms
from tests.core.story import (
    ACME,
    ALL_FIELDS,
    DAY,
    HERE,
    HOUR,
    NOW,
    RULES,
    THERE,
    UNTIMED,
    Ledger,
    acme,
    at,
    cancelled_instance,
    conference,
    confirmed,
    event,
    instance,
    pending,
    ref,
    referent,
    seen,
    series,
    stamp,
    stub,
    timeless,
    tombstone,
    vouched,
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
    return Story(registered, before, tuple(_with_its_series(each, perturbed) for each in perturbed))


def _with_its_series(change: Change, perturbed: Sequence[Change]) -> Change:
    """An instance goes with its series."""
    gone = {each.listed.id for each in perturbed if each.real is None or each.real.is_cancelled}
    master = change.listed.recurring_event_id or change.listed.id.partition("_")[0]
    if "_" not in change.listed.id or master not in gone or (change.real is not None and change.real.is_cancelled):
        return change
    real = cancelled_instance(series(master), int(change.listed.id[-1])) if change.real is not None else None
    return Change(change.listed if real is None else real, real)


def essence(ledger: Ledger) -> dict[str, Any]:
    """Return all that counts of the records: everything but the numbers and notes of how it came about.

    Who drove last, and what was wanted then, is no matter once no owner is left.
    """
    owners = {link: ledger.links[link] for _, link in live_owners(ledger)}
    return {"links": owners, **{key: _essence(each) for key, each in ledger.conferences.items()}}


def _essence(known: Conference) -> tuple[Any, ...]:
    desired = (known.desired.fingerprint, known.desired.state) if known.desired else None
    referents = {key: each if each.state == "live" else each.state for key, each in known.referents.items()}
    is_driven = any((each.role, each.state) == ("owner", "live") for each in known.referents.values())
    return (referents, (known.driver, desired) if is_driven else None, known.end_after)


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
    """Plan, store, plan again: a fixpoint, once instances that lost their own conference are tied to their series.

    What was read meanwhile, and turned out to be unknown, is not listed again.
    """
    ledger = story.begin()
    ledger.settle(story.sight)
    read = {reading.ref for reading in ledger.readings}
    again = {ref: seen for ref, seen in story.sight.items() if ref not in read or ref in ledger.world}
    once_more = ledger.settle(again)
    assert once_more.conferences == ()
    assert all(link.series_id is not None or link.has_exceptions for link in once_more.links)
    assert ledger.settle(again) == NOTHING


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


# --- several calendars, late registration, moves ------------------------------------------------------------------


MADE = "2026-01-05T08:00:00Z"


def in_bobs_calendar(**fields: Any) -> Event:
    """Return the event as the calendar shows it that it moved to."""
    return event("e1", organizer={"email": "bob@example.com", "self": True}, updated=7, **fields)


@UNTIMED
@given(
    st.lists(st.sampled_from([HERE, THERE]), min_size=1, max_size=5),
    st.sampled_from([tombstone(organizer=ELSEWHERE), stub(), None, event(own=False, created=MADE, updated=6)]),
    st.booleans(),
    st.sampled_from(["Review", "Renamed on the way"]),
)
def test_a_move_keeps_its_conference_whichever_calendar_is_synced_first(
    pushes: list[str], left: Event | None, dated: bool, title: str
) -> None:
    """Pushes may be lost, come twice and in any order; once both came, the event drives where it is now."""
    made: dict[str, Any] = {"created": MADE} if dated else {}
    ledger = Ledger.of(conference("c1", ref()))
    ledger.show(event(**made))
    arrived = in_bobs_calendar(summary=title, **made)
    ledger.put(arrived, calendar_key=THERE)
    ledger.world |= {ref(): left} if left is not None else {}
    if left is None:
        del ledger.world[ref()]
    for calendar_key in pushes:
        shown = seen(arrived, calendar_key=THERE) if calendar_key == THERE else {ref(): Seen(left, confirmed=not left)}
        ledger.settle(shown, calendar_key=calendar_key)
        assert ledger.c1.end_after is None
    if {HERE, THERE} <= set(pushes):
        assert {link for _, link in live_owners(ledger)} == {ref("e1", THERE).link_key}
        assert ledger.c1.driver == ref("e1", THERE).link_key
        assert ledger.c1.desired is not None
        assert ledger.c1.desired.state is not None
        assert ledger.c1.desired.state.title == title


@UNTIMED
@given(
    st.permutations(["e1", "e2", "e3"]),
    st.lists(st.sampled_from(["e1", "e2", "e3"]), min_size=1, max_size=3, unique=True),
    st.integers(0, 3),
)
def test_a_registration_may_come_at_any_moment(order: list[str], vouched_for: list[str], listed_before: int) -> None:
    """Before the events are listed, after them, or in between: in the end the same is known."""
    events = {name: event(name, starts=NOW + (1 + int(name[1])) * HOUR) for name in order}
    first, late = Ledger.of(conference("c1", *(ref(name) for name in vouched_for))), Ledger.of()
    for name in order:
        first.show(events[name])
    for name in order[:listed_before]:
        late.show(events[name])
        assert late.c1.desired is None
    known = late.conferences.get(conference("c1").key) or conference("c1")
    late.conferences[known.key] = registered(known, {ref(n).link_key: vouched(ref(n)) for n in vouched_for}, RULES)
    for name in order[listed_before:]:
        late.show(events[name])
    for name in vouched_for:  # the add-on's word has its events read
        late.settle(confirmed(late.world.get(ref(name), events[name])))
    assert live_owners(late) == live_owners(first)
    assert (late.c1.driver, late.c1.end_after) == (first.c1.driver, first.c1.end_after)
    assert _wanted(late.c1) == _wanted(first.c1)


def _wanted(known: Conference) -> str | None:
    return known.desired.fingerprint if known.desired else None


@UNTIMED
@given(stories(lagging=True), st.sampled_from([THERE, HERE]), st.randoms(use_true_random=False))
def test_calendars_may_be_synced_in_any_order(story: Story, repeated: str, random: Any) -> None:
    """Whoever comes first, once the lists caught up with what is really there, owners and states are the same."""
    mirrored = {
        EventRef(THERE, f"m{r.event_id}"): s for r, s in story.sight.items() if s.event and not s.event.recurrence
    }
    there = {
        r: Seen(
            s.event.model_copy(update={"id": r.event_id, "ical_uid": f"{r.event_id}@x", "recurring_event_id": None})
        )
        for r, s in mirrored.items()
        if s.event is not None
    }
    outcomes = []
    for calendars in ([HERE, THERE], [THERE, HERE, repeated]):
        ledger = story.begin()
        ledger.world |= {r: s.event for r, s in there.items() if s.event is not None}
        for calendar_key in calendars:
            sight = list((story.sight if calendar_key == HERE else there).items())
            random.shuffle(sight)
            ledger.settle(dict(sight), calendar_key=calendar_key)
        ledger.settle({r: Seen(ledger.world.get(r), confirmed=True) for r in story.sight})
        driven = {key for key, _ in live_owners(ledger)}
        outcomes.append((live_owners(ledger), {key: _wanted(ledger.conferences[key]) for key in driven}))
    assert outcomes[0] == outcomes[1]


# --- replacing, reviewing, forgetting -----------------------------------------------------------------------------


MAKES = {"acme": Capabilities(ALL_FIELDS, creates=True)}
MINTING = Terms("default", (ACME,), MAKES, Rules(duplicates="mint"))


def make_all(ledger: Ledger, changed: Callable[[Event, str], Event]) -> int:
    """Carry out every reservation as the back end and Calendar would; return how many there were."""
    due = [(key, r) for key, each in ledger.conferences.items() for r in each.replacements if r.due_at is not None]
    for key, reserved in due:
        known = ledger.conferences[key]
        name = f"made-for-{known.conference_id}-{reserved.number}"
        refs = [r for r in ledger.world if r.link_key in reserved.links]
        successor = conference(name, *refs)
        made = reserved.model_copy(update={"conference_id": name, "conference_data": "{}", "state": None})
        ledger.conferences |= {
            successor.key: successor,
            key: replacing.done(replacing.stored(known, made), made, made.links),
        }
        ledger.put(*(changed(ledger.world[r], name) for r in refs))
        ledger.settle(confirmed(*(ledger.world[r] for r in refs)))
    return len(due)


def relinked(shown: Event, name: str) -> Event:
    """Return the event with another conference written into it."""
    return parse_event(shown.model_dump(mode="json", by_alias=True) | {"conferenceData": acme(name)})


@UNTIMED
@given(st.lists(st.integers(0, 3), min_size=1, max_size=5), st.permutations(range(5)), st.booleans())
def test_each_duplicate_gets_one_conference_of_its_own(ages: list[int], order: list[int], is_registered: bool) -> None:
    """And the parts of a split, which were made at the same time, share theirs; in whatever order they come."""
    events = [
        event(f"e{n}", created=stamp(NOW - (9 - age) * DAY), starts=NOW + (n + 1) * HOUR) for n, age in enumerate(ages)
    ]
    oldest = [events[n] for n, age in enumerate(ages) if age == min(ages)]
    originals = [events[0]] if is_registered else oldest
    ledger = Ledger.of(conference("c1", *(ref(each.id) for each in originals)), terms=MINTING)
    ledger.put(*events)
    ledger.settle(seen(*(events[n] for n in order if n < len(events))))
    reserved = [key for each in ledger.c1.replacements for key in each.links]
    copies = {ref(each.id).link_key for each in events if each.created != originals[0].created}
    assert sorted(reserved) == sorted(copies)
    duplicates = {each.created for each in events} - {originals[0].created}
    assert make_all(ledger, relinked) == len(duplicates)
    assert make_all(ledger, relinked) == 0
    held = {link.conference_key for link in ledger.links.values()}
    assert len(held) == 1 + len(duplicates)
    assert all(each.end_after is None for each in ledger.conferences.values())


@UNTIMED
@given(st.lists(st.sampled_from(["e1", "e2"]), min_size=1, max_size=2, unique=True), st.booleans())
def test_what_cannot_come_back_gets_one_successor_for_all_its_events(back: list[str], at_once: bool) -> None:
    """They come back together or one after the other; the old conference is told nothing any more."""
    events = {name: event(name, updated=20, starts=NOW + int(name[1]) * HOUR) for name in ("e1", "e2")}
    told = {
        "desired": Desired(generation=4, fingerprint="ended"),
        "applied": Applied(generation=4, fingerprint="ended"),
    }
    lost = {ref(name).link_key: referent(name, state="gone", since=NOW) for name in events}
    terms = Terms("default", (ACME,), MAKES, RULES)
    ledger = Ledger.of(conference("c1", ref("e1"), ref("e2"), referents=lost, **told), terms=terms)
    for batch in [back] if at_once else [[name] for name in back]:
        ledger.show(*(events[name] for name in batch))
    made = make_all(ledger, relinked)
    assert made == 1
    assert {key for each in ledger.c1.replacements for key in each.links} == {ref(name).link_key for name in back}
    assert (ledger.c1.gone, is_pending(ledger.c1)) == (True, False)
    assert {owner for owner in live_owners(ledger) if owner[0] == ledger.c1.key} == set()


@UNTIMED
@given(stories(lagging=True), st.integers(0, 90), st.booleans())
def test_a_review_forgets_nothing_that_lives_or_waits(story: Story, days: int, ended: bool) -> None:
    """Whatever the calendar came to, and whenever it is looked at again."""
    ledger = story.begin()
    ledger.settle(story.sight)
    for known in ledger.conferences.values():
        done = without_end(known) if ended else known
        found = review(done, NOW + days * DAY, RULES)
        states = {each.state for each in done.referents.values()}
        owned = {each.state for each in done.referents.values() if each.role == "owner"}
        assert found != "forget" or not ("live" in states or "orphaned" in owned)
        assert found != "forget" or not (is_pending(done) or done.end_after is not None)
        assert found != "discarded" or not done.referents
        assert found != "hand over" or "live" in owned
        if "live" in owned:
            assert found == "hand over"
