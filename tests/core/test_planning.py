"""What a plan records of the events that Calendar shows, and what it asks to read before it does."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference
from confsync.core.desires import timed
from confsync.core.driving import over_at
from confsync.core.events import Event
from confsync.core.history import GRACE_BEGAN
from confsync.core.owners import PAST_OWNERS, owners_of
from confsync.core.planning import Plan, concerns_us, conference_keys, link_keys
from confsync.core.records import Link
from confsync.core.rules import Rules
from confsync.core.sight import Reading, Seen
from confsync.core.solutions import Solution
from confsync.core.taking import MOST_CLAIMS
from confsync.core.terms import Terms
from tests.core.story import (
    ACME,
    ALL_FIELDS,
    DAY,
    HERE,
    HOUR,
    NOW,
    RULES,
    TERMS,
    THERE,
    Ledger,
    acme,
    at,
    cancelled_instance,
    conference,
    conference_key,
    confirmed,
    event,
    instance,
    owned,
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


def title_of(known: Conference) -> str | None:
    """Return the title that a conference should have."""
    assert known.desired is not None
    assert known.desired.state is not None
    return known.desired.state.title


def told(ledger: Ledger) -> None:
    """Let the back end confirm what is desired."""
    for key, known in ledger.conferences.items():
        if known.desired is not None:
            desired = known.desired.model_copy(update={"state": None})
            done = {"generation": desired.generation, "fingerprint": desired.fingerprint}
            update = {"desired": desired, "applied": done, "call_at": None, "due_at": known.end_after}
            ledger.conferences[key] = Conference.model_validate(known.model_dump() | update | {"desired": desired})


# --- binding -------------------------------------------------------------------------------------------------------


def test_a_registered_event_owns_its_conference_and_gives_it_its_state() -> None:
    """The first sight of a registered event makes it owner, driver and desired state."""
    ledger = owned(event())
    known, owner = ledger.c1, ledger.referent(ref())
    assert owner is not None
    assert (owner.role, owner.state, known.driver) == ("owner", "live", ref().link_key)
    assert title_of(known) == "Review"
    assert known.due_at == NOW
    assert ledger.links[ref().link_key].updated == NOW


def test_an_event_that_nobody_registered_is_a_claim_and_drives_nothing() -> None:
    """A conference id in an event is only a claim; it is kept, and neither state nor end follows."""
    ledger = Ledger.of(conference())
    ledger.show(event())
    claim = ledger.referent(ref())
    assert claim is not None
    assert claim.role == "claimed"
    assert ledger.c1.desired is None
    ledger.show(tombstone())
    assert (ledger.c1.desired, ledger.c1.end_after) == (None, None)


def test_a_claim_that_is_registered_later_becomes_owner_when_it_is_seen_again() -> None:
    """Registration vouches for the claim that was stored before."""
    ledger = Ledger.of(conference())
    ledger.show(event())
    ledger.conferences[conference_key()] = ledger.c1.model_copy(update={"registered": {ref().link_key: vouched(ref())}})
    ledger.show(event())
    owner = ledger.referent(ref())
    assert owner is not None
    assert owner.role == "owner"
    assert ledger.c1.desired is not None


def test_an_event_of_an_unknown_conference_is_a_claim() -> None:
    """It decides nothing until the add-on vouches for it, and is reported once."""
    ledger = Ledger.of()
    assert ledger.show(event()).claims == {ref()}
    assert (ledger.c1.desired, ledger.c1.due_at) == (None, None)
    assert ledger.show(event(summary="Retro", updated=1)).claims == set()
    ledger.conferences[ledger.c1.key] = ledger.c1.model_copy(update={"registered": {ref().link_key: vouched(ref())}})
    ledger.settle(confirmed(event(summary="Retro", updated=1)))
    assert title_of(ledger.c1) == "Retro"


def test_claims_beside_an_event_that_is_registered_later_own_with_it() -> None:
    """A duplicate may be listed before the add-on has vouched for the original."""
    ledger = Ledger.of()
    ledger.show(event("copy", starts=at(30)), event())
    ledger.conferences[ledger.c1.key] = ledger.c1.model_copy(update={"registered": {ref().link_key: vouched(ref())}})
    ledger.settle(confirmed(event()))
    assert {each.role for each in ledger.c1.referents.values()} == {"owner"}


def test_a_conference_remembers_only_so_many_claims() -> None:
    """Anybody may write its id into any number of events of their own."""
    ledger = owned(event())
    for number in range(MOST_CLAIMS + 5):
        ledger.show(event(f"forged{number}"), calendar_key=THERE)
    assert len(ledger.c1.referents) == MOST_CLAIMS + 1


def test_a_forged_id_in_another_calendar_neither_drives_nor_ends() -> None:
    """Somebody else's event that names our conference may be deleted without any effect."""
    ledger = owned(event())
    before = ledger.c1.desired
    ledger.show(event("forged", summary="Mine now"), calendar_key=THERE)
    ledger.show(tombstone("forged"), calendar_key=THERE)
    assert ledger.c1.desired == before
    assert ledger.c1.end_after is None


@pytest.mark.parametrize(
    ("why", "shown"),
    [
        ("a locked copy", event(locked=True, updated=9)),
        ("a redacted event", event(organizer=None, conference=None, updated=9)),
        ("an event of another solution", event(conferenceData={"conferenceId": "c1"}, updated=9)),
        ("an event whose conference is still being made", pending()),
        ("an event without times", timeless()),
        ("a tombstone", tombstone()),
        ("a tombstone with its id only", stub()),
    ],
)  # fmt: skip
def test_an_unknown_event_that_says_nothing_changes_nothing(why: str, shown: Event) -> None:
    """Locked copies, redacted, pending and foreign ones are not even recorded."""
    del why
    ledger = Ledger.of(conference("c1", ref()))
    assert ledger.show(shown) == NOTHING


@pytest.mark.parametrize(
    ("why", "shown"),
    [
        ("redacted", event(organizer=None, conference=None, updated=9)),
        ("a conference in the making", pending()),
        ("older", event(summary="Old", updated=-9)),
        ("older, and without the conference", event(conference=None, updated=-9)),
        ("an older tombstone", tombstone(updated=-9)),
        ("a reminder was edited", event(reminders={"useDefault": False}, colorId="4")),
        ("an answer to the invitation", event(updated=9, sequence=0)),
    ],
)  # fmt: skip
def test_an_owner_that_says_nothing_new_changes_no_conference(why: str, shown: Event) -> None:
    """Neither state nor end follows from what is hidden, pending, old or not carried."""
    del why
    ledger = owned(event())
    before = ledger.c1
    ledger.put(shown)
    ledger.settle(confirmed(shown))
    assert ledger.c1 == before


def test_an_event_in_a_calendar_without_writers_access_says_nothing() -> None:
    """With less access a missing conference proves nothing."""
    ledger = owned(event())
    shown = event(conference=None, updated=9)
    assert ledger.settle({ref(): Seen(shown, confirmed=True, as_writer=False)}) == NOTHING


# --- evidence ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shown",
    [
        tombstone(),
        stub(),
        tombstone(organizer={"email": "bob@example.com"}),
        event(conference=None, updated=9),
        event(conference="c2", updated=9),
        event(own=False, updated=9),
        event(locked=True, updated=9),
        event(updated=None),
        event(conferenceData={"conferenceId": "abc", "conferenceSolution": {"name": "Meet"}}, updated=9),
    ],
)  # fmt: skip
def test_nothing_is_ended_or_lost_on_a_list_item_alone(shown: Event) -> None:
    """Whatever a list says against a live owner, the event is read on its own first."""
    ledger = owned(event())
    ledger.conferences |= {conference_key("c2"): conference("c2")}
    found = ledger.plan(seen(shown))
    assert found.readings == {Reading(ref())}


def test_what_the_reading_says_counts_not_the_list() -> None:
    """A list item that lags behind takes nothing away from an event that is there."""
    ledger = owned(event())
    before = ledger.c1
    ledger.settle(seen(stub()))
    assert ledger.c1 == before


@pytest.mark.parametrize(
    ("shown", "state"),
    [
        (tombstone(), "gone"),
        (event(conference=None, updated=9), "gone"),
        (stub(), "orphaned"),
        (stub(updated="2026-03-02T10:00:00Z"), "orphaned"),
        (tombstone(organizer={"email": "bob@example.com"}), "orphaned"),
        (event(own=False, updated=9), "orphaned"),
    ],
)
def test_a_confirmed_loss_is_a_deletion_only_where_the_organizer_is_still_named(shown: Event, state: str) -> None:
    """A stub or a foreign organizer means moved: the conference is kept."""
    ledger = owned(event())
    ledger.settle(confirmed(shown))
    lost = ledger.referent(ref())
    assert lost is not None
    assert lost.state == state
    assert lost.moved_to == (shown.organizer.email if state == "orphaned" and shown.organizer else None)
    assert (ledger.c1.end_after is not None) == (state == "gone")


def test_where_an_event_moved_to_is_asked_as_soon_as_its_tombstone_names_it() -> None:
    """At first it may be no more than an id; what it named before is no news."""
    ledger = owned(event())
    ledger.settle(confirmed(stub()))
    named = confirmed(tombstone(organizer={"email": "bob@example.com"}))
    ledger.conferences[ledger.c1.key] = timed(ledger.c1.model_copy(update={"review_at": at(600)}))
    ledger.settle(named, now=at(60))
    assert ledger.c1.review_at == at(60)
    ledger.conferences[ledger.c1.key] = timed(ledger.c1.model_copy(update={"review_at": at(600)}))
    ledger.settle(named, now=at(70))
    assert ledger.c1.review_at == at(600)


@pytest.mark.parametrize(("missing", "state"), [(True, "gone"), (False, "orphaned")])
def test_an_event_that_calendar_does_not_know_is_gone_only_after_a_complete_listing(missing: bool, state: str) -> None:
    """404 alone proves nothing."""
    ledger = owned(event())
    ledger.settle({ref(): Seen(None, confirmed=True, missing_from_list=missing)})
    lost = ledger.referent(ref())
    assert lost is not None
    assert lost.state == state


@pytest.mark.parametrize(
    ("why", "listing", "is_sweep", "state"),
    [
        ("the complete listing lacks it", 3, True, "gone"),
        ("the listing showed it", 2, True, "orphaned"),
        ("the listing is not over yet", 3, False, "live"),
        ("an earlier page of it showed it", 2, False, "orphaned"),
        ("no listing of all events is under way", 0, False, "orphaned"),
    ],
)
def test_a_sweep_takes_for_missing_whatever_the_listing_did_not_show(
    why: str, listing: int, is_sweep: bool, state: str
) -> None:
    """Also what only the plan asked for."""
    ledger = owned(event())
    ledger.show(event(), listing=2)
    ledger.apply(ledger.plan({ref(): Seen(None, confirmed=True)}, listing=listing, is_sweep=is_sweep))
    lost = ledger.referent(ref())
    assert lost is not None
    assert (lost.state, why) == (state, why)


@pytest.mark.parametrize(("listed", "state", "seen_in"), [(True, "orphaned", 3), (False, "live", 2)])
def test_what_the_plan_asks_for_in_vain_is_left_to_the_sweep_unless_it_was_listed(
    listed: bool, state: str, seen_in: int
) -> None:
    """The page may show an event that is unknown by now: then it moved away, and the listing does not lack it."""
    ledger = owned(event())
    ledger.show(event(), listing=2)
    ledger.apply(ledger.plan({ref(): Seen(None, confirmed=True, listed=listed)}, listing=3))
    lost = ledger.referent(ref())
    assert lost is not None
    assert (lost.state, ledger.links[ref().link_key].seen_in) == (state, seen_in)


def test_a_sweep_says_nothing_of_another_calendars_event() -> None:
    """Nor of one that has no link."""
    ledger = owned(event())
    away = {ref("e1", THERE): Seen(None, confirmed=True), ref("e9"): Seen(None, confirmed=True)}
    assert ledger.plan(away, listing=3, is_sweep=True) == NOTHING


def test_an_event_that_could_not_be_read_stays_as_it_is() -> None:
    """No reading, no conclusion."""
    ledger = owned(event())
    assert ledger.settle({ref(): Seen(None)}) == NOTHING


def test_an_event_without_a_time_stamp_is_settled_by_a_reading() -> None:
    """Nobody can tell how old it is."""
    ledger = owned(event())
    ledger.put(event(summary="New", updated=7))
    ledger.settle(seen(event(summary="Whenever", updated=None)))
    assert title_of(ledger.c1) == "New"


def test_the_same_change_in_the_same_second_counts_by_its_sequence() -> None:
    """`updated` first, then `sequence`."""
    ledger = owned(event(sequence=3))
    ledger.show(event(summary="Older", sequence=2))
    assert title_of(ledger.c1) == "Review"
    ledger.show(event(summary="Newer", sequence=4))
    assert title_of(ledger.c1) == "Newer"


# --- life of a conference ----------------------------------------------------------------------------------------


def test_a_change_that_reaches_the_projection_is_a_new_generation() -> None:
    """A new title goes out once."""
    ledger = owned(event())
    ledger.show(event(summary="Retro", updated=1))
    assert ledger.c1.desired is not None
    assert (title_of(ledger.c1), ledger.c1.desired.generation) == ("Retro", 2)


def test_a_deleted_event_begins_the_grace_and_an_undeleted_one_ends_it() -> None:
    """Nothing is ended at once, and nothing at all when the event comes back in time."""
    ledger = owned(event())
    told(ledger)
    ledger.show(tombstone())
    assert ledger.c1.end_after == at(1) == ledger.c1.due_at
    ledger.show(event(updated=6))
    assert (ledger.c1.end_after, ledger.c1.due_at) == (None, None)


def test_a_duplicate_in_the_same_calendar_keeps_the_conference() -> None:
    """Only when no owner is left the conference may end."""
    ledger = owned(event())
    ledger.show(event("copy", starts=at(300)))
    ledger.show(tombstone())
    assert ledger.c1.end_after is None
    assert ledger.c1.driver == ref("copy").link_key
    ledger.show(tombstone("copy"))
    assert ledger.c1.end_after is not None


@pytest.mark.parametrize("copy_first", [True, False])
def test_a_duplicate_owns_the_conference_in_whatever_order_it_is_listed(copy_first: bool) -> None:
    """The copy keeps the conference alive even if it was taken before the registered event."""
    ledger = Ledger.of(conference("c1", ref()))
    batches = [event("copy", starts=at(300)), event()] if copy_first else [event(), event("copy", starts=at(300))]
    for each in batches:
        ledger.show(each)
    ledger.show(tombstone())
    assert ledger.c1.end_after is None


def test_a_removed_conference_that_was_replaced_ends_and_the_new_one_begins() -> None:
    """Another conference of ours in the same event: the first one loses its owner, the second gains it."""
    ledger = owned(event())
    ledger.conferences |= {conference_key("c2"): conference("c2", ref())}
    ledger.show(event(conference="c2", updated=3))
    assert ledger.c1.end_after is not None
    assert ledger.conferences[conference_key("c2")].driver == ref().link_key
    assert ledger.links[ref().link_key].conference_key == conference_key("c2")


def test_an_event_that_moved_to_another_calendar_takes_its_conference_along() -> None:
    """The old calendar's tombstone names the new organizer; the new copy becomes owner, nothing ends."""
    ledger = owned(event())
    ledger.show(tombstone(organizer={"email": "bob@example.com"}))
    assert ledger.c1.end_after is None
    ledger.show(event(summary="Moved", updated=6), calendar_key=THERE)
    assert ledger.c1.driver == ref("e1", THERE).link_key
    assert title_of(ledger.c1) == "Moved"


def test_a_move_whose_new_copy_is_seen_first_takes_its_conference_along() -> None:
    """In whatever order the two calendars sync."""
    ledger = owned(event())
    ledger.show(event(summary="Moved", updated=6), calendar_key=THERE)
    ledger.show(tombstone(organizer={"email": "bob@example.com"}))
    assert ledger.c1.end_after is None
    assert ledger.c1.driver == ref("e1", THERE).link_key


def test_a_conference_of_a_provider_that_is_no_longer_configured_is_kept_as_it_was_told() -> None:
    """Nobody could be told; who holds it is known all the same, and its end waits until somebody could."""
    ledger = owned(event())
    before = ledger.c1.desired
    ledger.terms = Terms("default", (ACME,), {}, RULES)
    ledger.show(event(summary="Retro", updated=1))
    assert (ledger.c1.desired, ledger.c1.end_after) == (before, None)
    ledger.show(tombstone(updated=2))
    assert ledger.c1.desired == before
    assert ledger.c1.end_after is not None


def test_an_event_that_lost_its_times_stays_as_it_was() -> None:
    """Without times there is nothing to tell."""
    ledger = owned(event())
    before = ledger.c1
    ledger.show(timeless())
    assert ledger.c1 == before


def test_an_older_item_of_the_driver_is_not_told_when_another_owner_changes() -> None:
    """Observations never go backwards, not even through a sibling."""
    ledger = owned(event(summary="Now", updated=5), event("copy", starts=at(300)))
    before = ledger.c1.desired
    ledger.settle(seen(event(summary="Long ago", updated=-5), event("copy", starts=at(400), updated=6)))
    assert ledger.c1.desired == before


@pytest.mark.parametrize("quiet", [pending(), event(updated=-5)])
def test_a_driver_that_says_nothing_does_not_stop_the_plan(quiet: Event) -> None:
    """An item that is older even when read again, or still pending, leaves the state open; the plan ends."""
    ledger = owned(event(updated=5), event("copy", starts=at(300)))
    known = ledger.c1.model_copy(update={"driver": None, "desired": None})
    ledger.conferences[conference_key()] = known
    ledger.put(quiet)
    ledger.settle(seen(event("copy", starts=at(400), updated=6)))
    assert ledger.c1.desired is None


# --- series ------------------------------------------------------------------------------------------------------


def occurrences(known: Conference) -> list[tuple[int, bool]]:
    """Return the differing instances: day, and whether it is cancelled."""
    assert known.desired is not None
    assert known.desired.state is not None
    found = known.desired.state.occurrences
    return [((o.original_start.instant - NOW).days, o.cancelled) for o in found if o.original_start.instant]


def test_an_exception_is_told_as_part_of_its_series() -> None:
    """The series is read whole; the exception owns nothing."""
    master = series()
    ledger = owned(master)
    ledger.show(instance(master, 2, updated=1))
    assert occurrences(ledger.c1) == [(2, False)]
    assert set(ledger.c1.referents) == {ref("s1").link_key}


def test_a_cancelled_instance_ends_nothing() -> None:
    """Its tombstone belongs to the series."""
    master = series()
    ledger = owned(master)
    ledger.show(cancelled_instance(master, 3))
    assert occurrences(ledger.c1) == [(3, True)]
    assert ledger.c1.end_after is None


@pytest.mark.parametrize(
    ("organizer", "told"),
    [({"email": "ann@example.com", "self": True}, [(3, True)]), ({"email": "bob@example.com"}, [])],
    ids=["its own", "another"],
)
def test_a_cancelled_instance_that_names_another_organizer_is_not_told(
    organizer: dict[str, object], told: list[tuple[int, bool]]
) -> None:
    """It moved away with its series, which came back without it; one that names its own organizer was cancelled."""
    master = series()
    ledger = owned(master)
    ledger.show(cancelled_instance(master, 3, organizer=organizer))
    assert occurrences(ledger.c1) == told


def test_an_exception_seen_before_as_moved_and_now_as_a_bare_id_ends_nothing() -> None:
    """The third shape of a tombstone is recognised by its link."""
    master = series()
    ledger = owned(master)
    moved = instance(master, 2, updated=1)
    ledger.show(moved)
    del ledger.world[ref(moved.id)]
    ledger.settle(seen(series(updated=2), stub(moved.id)))
    assert occurrences(ledger.c1) == []
    assert ledger.c1.end_after is None


@pytest.mark.parametrize("own", [None, "c2"])
def test_an_exception_without_the_series_conference_is_not_told_as_part_of_it(own: str | None) -> None:
    """An instance that lost the conference, or has one of somebody else, takes nothing from the series."""
    master = series()
    ledger = owned(master)
    ledger.show(instance(master, 2, conference=own, updated=1))
    assert occurrences(ledger.c1) == []
    assert ledger.c1.end_after is None


@pytest.mark.parametrize("order", [1, -1])
def test_an_exception_listed_before_its_series_owns_nothing(order: int) -> None:
    """A list has no order."""
    master = series()
    ledger = Ledger.of(conference("c1", ref("s1")))
    ledger.show(*[master, instance(master, 1)][::order])
    assert set(ledger.c1.referents) == {ref("s1").link_key}
    assert occurrences(ledger.c1) == [(1, False)]


def test_an_exception_on_an_earlier_page_than_its_series_owns_nothing() -> None:
    """The series is read before one of its instances is bound."""
    master = series()
    ledger = Ledger.of(conference("c1", ref("s1")))
    ledger.put(master)
    ledger.show(instance(master, 1))
    ledger.show(master)
    assert set(ledger.c1.referents) == {ref("s1").link_key}
    ledger.show(tombstone("s1"))
    assert ledger.c1.end_after is not None


def test_an_exception_of_a_split_that_is_listed_before_the_new_series_does_not_drive() -> None:
    """The new part's instances share its conference; the conference stays a series."""
    old = series("s1")
    ledger = owned(old)
    new = series("s1_R2", starts=NOW + HOUR + DAY)
    ledger.put(new)
    ledger.show(instance(new, 3, updated=2))
    ledger.show(series("s1", "c1", "RRULE:FREQ=DAILY;UNTIL=20260303T000000Z", updated=2), new)
    assert set(ledger.c1.referents) == {ref("s1").link_key, ref("s1_R2").link_key}


def test_a_single_instance_may_have_a_conference_of_its_own() -> None:
    """Its series is looked at once, has none, and the instance owns its conference."""
    master = series("s1", None)
    ledger = Ledger.of(conference("c1", ref("s1_2")))
    ledger.put(master)
    ledger.show(instance(master, 2))
    assert ledger.c1.driver == ref("s1_2").link_key
    count = len(ledger.readings)
    ledger.show(instance(master, 2, summary="Special", updated=2))
    assert title_of(ledger.c1) == "Special"
    assert len(ledger.readings) == count


@pytest.mark.parametrize("after", ["deleted", "removed", "series'"])
def test_an_instance_that_gives_up_its_own_conference_lets_it_end(after: str) -> None:
    """The conference of one instance does not outlive it, whatever the series has."""
    master = series()
    ledger = owned(master)
    ledger.conferences |= {conference_key("c2"): conference("c2", ref("s1_2"))}
    ledger.show(instance(master, 2, conference="c2", updated=1))
    assert ledger.conferences[conference_key("c2")].driver == ref("s1_2").link_key
    organizer = {"email": "ann@example.com", "self": True}
    later = {
        "deleted": cancelled_instance(master, 2, organizer=organizer, updated="2026-03-02T10:00:00Z"),
        "removed": instance(master, 2, conference=None, updated=5),
        "series'": instance(master, 2, updated=5),
    }[after]
    ledger.show(later)
    assert ledger.conferences[conference_key("c2")].end_after is not None
    assert ledger.c1.end_after is None
    assert ledger.links[ref("s1_2").link_key].series_id == "s1"


def test_an_instance_whose_series_gets_the_same_conference_becomes_part_of_it() -> None:
    """It no longer counts on its own, so it can neither drive nor outlive the series."""
    master = series("s1", None)
    ledger = Ledger.of(conference("c1", ref("s1_2"), ref("s1")))
    ledger.put(master)
    ledger.show(instance(master, 2))
    ledger.show(series(updated=3), instance(master, 2, updated=3))
    assert ledger.c1.driver == ref("s1").link_key
    ledger.put(cancelled_instance(master, 2))
    ledger.show(tombstone("s1"))
    assert ledger.c1.end_after is not None


@pytest.mark.parametrize("instead", [None, "c2"])
@pytest.mark.parametrize("is_listed", [True, False])
def test_an_instance_that_keeps_what_its_series_lost_holds_the_conference_alone(
    instead: str | None, *, is_listed: bool
) -> None:
    """It need not be listed with its series, whose whole reading shows it; one that lost it too stays out."""
    master = series()
    ledger = owned(master)
    keeping, losing = instance(master, 2, updated=1), instance(master, 3, updated=1)
    ledger.show(keeping, losing)
    ledger.put(instance(master, 3, conference=None, updated=2))
    ledger.show(series(conference=instead, updated=2), *([keeping] if is_listed else []))
    assert set(owners_of(ledger.c1, "live")) == {ref("s1_2").link_key}
    assert ledger.c1.driver == ref("s1_2").link_key
    assert ledger.c1.end_after is None
    assert ledger.links[ref("s1_2").link_key].series_id is None
    ledger.show(series(updated=3))
    assert set(owners_of(ledger.c1, "live")) == {ref("s1").link_key}


def test_a_series_that_loses_its_conference_costs_no_call_for_instances_that_cannot_keep_it() -> None:
    """A cancelled one, those of a deleted series, and those of an event that never had any."""
    master, single = series(), event("e1")
    ledger = owned(master, single)
    ledger.show(cancelled_instance(master, 2))
    ledger.readings.clear()
    ledger.show(series(conference=None, updated=2), event("e1", conference=None, updated=2))
    assert set(ledger.readings) == {Reading(ref("s1")), Reading(ref("s1"), "s1@google.com"), Reading(ref("e1"))}
    deleted = owned(master)
    deleted.show(cancelled_instance(master, 2))
    deleted.readings.clear()
    deleted.show(tombstone("s1"))
    assert set(deleted.readings) == {Reading(ref("s1"))}


def test_an_instance_that_gets_back_what_its_series_lost_holds_it_alone() -> None:
    """The end that was decided when nobody had it is taken back."""
    master = series()
    ledger = owned(master)
    ledger.show(instance(master, 2, conference=None, updated=1))
    ledger.show(series(conference=None, updated=2))
    assert ledger.c1.end_after is not None
    ledger.show(instance(master, 2, updated=3))
    assert ledger.c1.end_after is None
    assert ledger.c1.driver == ref("s1_2").link_key


def test_an_instance_does_not_hold_alone_what_its_series_got_back() -> None:
    """The series is asked for, as it need not be listed again."""
    master = series()
    ledger = owned(master)
    ledger.show(instance(master, 2, conference=None, updated=1))
    ledger.show(series(conference=None, updated=2))
    ledger.put(series(updated=3))
    ledger.show(instance(master, 2, updated=3))
    assert set(owners_of(ledger.c1, "live")) == {ref("s1").link_key}


def test_a_series_knows_of_an_instance_without_its_conference_whichever_is_listed_first() -> None:
    """It may get the conference back, and is then told with its series."""
    master, without = series(), instance(series(), 2, conference=None)
    after, before = owned(master), Ledger.of(conference("c1", ref("s1")))
    after.show(without)
    before.show(without)
    before.show(master)
    assert after.links == before.links
    assert after.links[ref("s1").link_key].has_exceptions


def test_a_series_without_exceptions_but_an_instance_with_a_conference_of_its_own_is_not_read_whole() -> None:
    """That instance is an event like any other, whatever reading of its series showed it."""
    master, alone = series(), instance(series(), 2, conference="c2")
    ledger = owned(master)
    ledger.put(alone)
    ledger.settle({ref("s1"): Seen(master, confirmed=True, exceptions=(alone,))})
    assert not ledger.links[ref("s1").link_key].has_exceptions
    assert ref("s1_2").link_key not in ledger.links


def test_an_instance_waits_for_its_series_of_which_only_an_id_is_shown() -> None:
    """The conference may be the series' own, which a list that lags shows as a bare tombstone."""
    master = series()
    ledger = Ledger.of(conference("c1", ref("s1")))
    ledger.put(master, instance(master, 2))
    ledger.settle(seen(stub("s1"), instance(master, 2)))
    assert set(owners_of(ledger.c1, "live")) == {ref("s1").link_key}
    assert Reading(ref("s1")) in ledger.readings


def test_an_instance_that_shows_what_its_series_lost_meanwhile_does_not_hold_it_alone() -> None:
    """It is no exception, and is read again after its series."""
    ledger = Ledger.of(conference("c1", ref("s1")))
    ledger.put(series(conference=None, updated=2))
    ledger.settle(seen(instance(series(), 2, moved=timedelta(), updated=1)))
    assert not owners_of(ledger.c1, "live")
    assert ledger.readings == [Reading(ref("s1")), Reading(ref("s1"), "s1@google.com"), Reading(ref("s1_2"))]


def test_an_instance_that_shows_what_its_series_had_before_it_was_deleted_does_not_hold_it_alone() -> None:
    """Its own deletion may not be listed yet."""
    ledger = Ledger.of(conference("c1", ref("s1")))
    ledger.put(series(status="cancelled", updated=2))
    ledger.settle(seen(instance(series(), 2, moved=timedelta(), updated=1)))
    assert not owners_of(ledger.c1, "live")
    assert ledger.readings == [Reading(ref("s1")), Reading(ref("s1"), "s1@google.com"), Reading(ref("s1_2"))]


def test_an_instance_by_whose_name_its_series_cannot_be_listed_is_not_read_for_ever() -> None:
    nameless = instance(series(), 2, updated=3).model_copy(update={"ical_uid": None})
    ledger = Ledger.of()
    ledger.put(series("s1", None))
    ledger.settle(seen(nameless))
    assert ledger.readings == [Reading(ref("s1"))]
    assert set(ledger.c1.referents) == {ref("s1_2").link_key}


@pytest.mark.parametrize("updated", [1, 3])
def test_an_exception_that_kept_what_its_series_lost_holds_it_alone(updated: int) -> None:
    """Whichever changed last: the series, read whole, shows it as an event of its own."""
    ledger = Ledger.of(conference("c1", ref("s1")))
    ledger.put(series(conference=None, updated=2))
    ledger.show(instance(series(), 2, updated=updated))
    assert set(owners_of(ledger.c1, "live")) == {ref("s1_2").link_key}


def test_an_exception_that_the_list_of_its_series_does_not_show_yet_holds_it_alone() -> None:
    """A list may lag, and the instance changed after its series: it did not get from there what it shows."""
    ledger = Ledger.of(conference("c1", ref("s1")))
    ledger.put(series(conference=None, updated=2))
    ledger.settle(seen(instance(series(), 2, updated=3)))
    assert set(owners_of(ledger.c1, "live")) == {ref("s1_2").link_key}


def test_an_instance_that_is_only_read_with_its_series_becomes_part_of_it() -> None:
    """It need not be listed again."""
    master = series("s1", None)
    ledger = Ledger.of(conference("c1", ref("s1_2"), ref("s1")))
    ledger.put(master)
    ledger.show(instance(master, 2))
    ledger.show(series(updated=3))
    owners = {key for key, each in ledger.c1.referents.items() if each.state == "live"}
    assert owners == {ref("s1").link_key}
    assert ledger.links[ref("s1_2").link_key].series_id == "s1"


def test_a_series_that_was_ever_seen_with_exceptions_is_always_read_whole() -> None:
    """A master alone says nothing of its exceptions."""
    master = series()
    ledger = owned(master)
    ledger.show(instance(master, 2, updated=1))
    ledger.show(series(summary="Standup", updated=2))
    assert occurrences(ledger.c1) == [(2, False)]
    assert title_of(ledger.c1) == "Standup"
    assert Reading(ref("s1"), "s1@google.com") in ledger.readings


@pytest.mark.parametrize(("updated", "is_part", "whole"), [(2, True, True), (2, False, False), (0, True, False)])
def test_a_series_that_changed_is_read_whole_where_its_listing_goes_on(
    updated: float, is_part: bool, whole: bool
) -> None:
    """Its first exception may be on the next page."""
    ledger = owned(series())
    found = ledger.plan(seen(series(summary="Standup", updated=updated)), is_part=is_part)
    assert found.readings == ({Reading(ref("s1"), "s1@google.com")} if whole else set())


def test_a_series_that_moved_here_is_read_whole_before_its_former_place_was_seen() -> None:
    """It is listed alone, and its exceptions came along without being listed."""
    there = series(created=stamp(at(-99)), updated=0)
    ledger = Ledger.of(conference("c1", ref("s1", THERE)))
    ledger.show(there, calendar_key=THERE)
    here = series(created=stamp(at(-99)), updated=5)
    ledger.put(instance(here, 2, moved=HOUR, updated=5))
    ledger.put(tombstone("s1", updated=5, organizer={"email": "bob@example.com"}), calendar_key=THERE)
    ledger.show(here)
    assert Reading(ref("s1"), "s1@google.com") in ledger.readings
    assert occurrences(ledger.c1) == [(2, False)]


def test_a_series_that_was_a_claim_is_read_whole_when_it_owns() -> None:
    """An instance that was cancelled while it was a claim concerned nobody, and is not listed again."""
    ledger = Ledger.of(conference())
    ledger.show(series())
    ledger.conferences[ledger.c1.key] = ledger.c1.model_copy(
        update={"registered": {ref("s1").link_key: vouched(ref())}}
    )
    found = ledger.plan(seen(series(summary="Standup", updated=2)))
    assert found.readings == {Reading(ref("s1"), "s1@google.com")}


def test_a_series_that_moved_here_is_read_whole_though_its_former_place_was_vouched_for_only_now() -> None:
    """Both were claims until then: the former place owns by the add-on's word, and this one as the same event."""
    ledger = Ledger.of(conference())
    ledger.show(series(created=stamp(at(-99))), calendar_key=THERE)
    ledger.conferences[ledger.c1.key] = conference("c1", ref("s1", THERE), referents=ledger.c1.referents)
    here = series(created=stamp(at(-99)), updated=5)
    ledger.put(stub("s1"), calendar_key=THERE)
    ledger.show(here, instance(here, 2, updated=5))
    assert ledger.c1.driver == ref("s1").link_key
    assert occurrences(ledger.c1) == [(2, False)]


def test_a_series_is_read_whole_though_it_owns_only_since_an_event_that_was_taken_after_it() -> None:
    """Under `matching` it owns once nobody else does: the other one, whose id comes last, is lost in the same list."""
    ledger = Ledger.of(conference("c1", ref("elsewhere", THERE)))
    ledger.show(series("s1"), instance(series("s1"), 2), event("z1"))
    other = ref("z1").link_key
    owner = ledger.c1.referents[other].model_copy(update={"role": "owner", "never_held": True})
    owning = {"referents": {**ledger.c1.referents, other: owner}}
    ledger.conferences[ledger.c1.key] = ledger.c1.model_copy(update=owning)
    ledger.terms = replace(TERMS, rules=Rules(claims="matching"))
    ledger.show(series("s1", summary="Standup", updated=5), tombstone("z1"))
    assert (title_of(ledger.c1), occurrences(ledger.c1)) == ("Standup", [(2, False)])


def test_a_copy_of_an_event_that_moved_here_is_no_claim_although_its_id_comes_first() -> None:
    """Who owns is taken first: the copy owns beside it, and an operator is not told of a forgery."""
    moved = event(created=stamp(at(-99)))
    ledger = Ledger.of(conference("c1", ref("e1", THERE)))
    ledger.show(moved, calendar_key=THERE)
    ledger.show(tombstone(organizer={"email": "ann@example.com"}), calendar_key=THERE)
    found = ledger.plan(seen(event("a copy", updated=6), event(created=stamp(at(-99)), updated=5)))
    assert found.claims == set()
    ledger.apply(found)
    assert {each.role for each in ledger.c1.referents.values() if each.state == "live"} == {"owner"}


def test_an_event_is_read_again_before_it_drives_where_a_list_shows_it_as_it_was() -> None:
    """A list that lags says nothing of it now: what another event drove until it was deleted is not told any longer."""
    ledger = owned(event("next"))
    ledger.show(event("later", starts=at(300), summary="As it is", updated=5))
    lagging = seen(event("later", starts=at(300), summary="As it was", updated=1))
    found = ledger.plan({**lagging, **confirmed(tombstone("next"))})
    assert found.readings == {Reading(ref("later"))}


def test_an_instance_that_gets_another_conference_is_looked_at_with_its_series() -> None:
    """It may be the series' own, which stands on a later page: then the instance owns nothing."""
    ledger = Ledger.of()
    ledger.put(series(conference=None))
    ledger.show(instance(series(), 2, conference="c1"))
    found = ledger.plan(seen(instance(series(), 2, conference="c2", updated=5)))
    assert found.readings == {Reading(ref("s1"))}


def test_an_event_that_calendar_refuses_to_show_is_not_asked_for_again() -> None:
    """It would drive now; its calendar must not wait for it."""
    ledger = owned(event("next"))
    ledger.show(event("later", starts=at(300)))
    found = ledger.plan({ref("later"): Seen(None, unreadable=True), **confirmed(tombstone("next"))})
    assert found.readings == frozenset()


def test_what_another_calendars_event_shows_for_another_conference_is_not_told() -> None:
    """It drives next, and was given another conference of ours, which its own calendar has not listed yet."""
    ledger = Ledger.of(conference("c1", ref("next"), ref("other", THERE)))
    ledger.show(event("other", starts=at(300), summary="Ours"), calendar_key=THERE)
    ledger.show(event("next", summary="Next"))
    ledger.put(event("other", "c2", starts=at(300), summary="Not ours", updated=5), calendar_key=THERE)
    ledger.show(tombstone("next"))
    assert Reading(ref("other", THERE)) in ledger.readings
    assert title_of(ledger.c1) == "Next"


def test_a_series_is_not_read_whole_for_a_provider_that_knows_no_occurrences() -> None:
    """What cannot be told is not read."""
    terms = replace(TERMS, capabilities={"acme": Capabilities(frozenset({"title", "time", "recurrence"}))})
    master = series()
    ledger = owned(master, terms=terms)
    ledger.show(instance(master, 2, updated=1))
    assert ledger.readings == []


def test_an_event_is_never_asked_for_twice_in_one_round() -> None:
    """A series that has to be confirmed and read whole is read whole only."""
    master = series()
    ledger = owned(master)
    found = ledger.plan(seen(stub("s1"), instance(master, 2, updated=1)))
    assert found.readings == {Reading(ref("s1"), "s1@google.com")}


def test_a_deleted_series_takes_its_exceptions_along() -> None:
    """Fifty tombstones, one end."""
    master = series()
    ledger = owned(master)
    ledger.show(*(instance(master, day, updated=1) for day in range(5)))
    stubs = [stub(f"s1_{day}") for day in range(5)]
    ledger.show(tombstone("s1"), *stubs)
    assert ledger.c1.end_after is not None
    assert sum(note.what.startswith(GRACE_BEGAN) for note in ledger.c1.history) == 1


def test_a_series_gets_another_conference_when_the_one_that_it_had_was_forgotten() -> None:
    """Its calendar was removed, and added again when its links were not forgotten yet."""
    master = series()
    ledger = owned(master)
    ledger.show(instance(master, 2, updated=1))
    del ledger.conferences[conference_key("c1")]
    ledger.show(series("s1", "c2", updated=2))
    assert ledger.links[ref("s1").link_key].conference_key == conference_key("c2")


def test_an_exception_that_calendar_does_not_know_any_more_ends_nothing() -> None:
    """Its series is read whole for that, though what is listed of it is no news, and goes on without it."""
    master = series()
    ledger = owned(master)
    moved = instance(master, 2, updated=1)
    ledger.show(moved)
    del ledger.world[ref(moved.id)]
    ledger.settle({ref(moved.id): Seen(None, confirmed=True), **seen(series(updated=-5))})
    assert occurrences(ledger.c1) == []
    assert ledger.c1.end_after is None
    assert ledger.readings[-1] == Reading(ref("s1"), "s1@google.com")


BOUNDED = "RRULE:FREQ=DAILY;COUNT=3"
LAST_BY_RULE = NOW + 2 * HOUR + 2 * DAY


def reach(ledger: Ledger) -> datetime:
    """Return when the series is over, as far as is known."""
    known = ledger.referent(ref("s1"))
    assert known is not None
    return over_at(known)


def test_a_series_goes_on_until_the_last_of_its_moved_instances_is_over() -> None:
    """And no longer once that is moved back, cancelled, or has a conference of its own."""
    master = series("s1", "c1", BOUNDED)
    ledger = owned(master)
    assert reach(ledger) == LAST_BY_RULE
    ledger.show(instance(master, 1, moved=9 * DAY, updated=1))
    assert reach(ledger) == NOW + 2 * HOUR + 10 * DAY
    for number, later in enumerate(
        (
            instance(master, 1, moved=HOUR, updated=2),
            cancelled_instance(master, 1),
            instance(master, 1, moved=9 * DAY, conference="c2", updated=3),
        )
    ):
        ledger.show(later, series("s1", "c1", BOUNDED, updated=10 + number))
        assert reach(ledger) == LAST_BY_RULE
        ledger.show(instance(master, 1, moved=9 * DAY, updated=20 + number))


def test_a_meeting_of_which_an_instance_is_to_come_is_not_taken_for_one_that_was_held() -> None:
    """Its rule is over, the instance was moved beyond it: deleting the series ends the conference."""
    master = series("s1", "c1", BOUNDED)
    for moved, ends in ((9 * DAY, True), (HOUR, False)):
        ledger = owned(master)
        ledger.show(instance(master, 2, moved=moved, updated=1))
        ledger.show(tombstone("s1"), now=NOW + 5 * DAY)
        assert (ledger.c1.end_after is not None) is ends


def test_one_instance_that_is_listed_alone_does_not_shorten_its_series() -> None:
    """Another one may reach further."""
    master = series("s1", "c1", BOUNDED)
    ledger = owned(master, terms=replace(TERMS, capabilities={"acme": Capabilities(ALL_FIELDS - {"occurrences"})}))
    ledger.show(instance(master, 1, moved=9 * DAY, updated=1))
    furthest = reach(ledger)
    ledger.show(instance(master, 2, moved=2 * DAY, updated=2))
    assert reach(ledger) == furthest > LAST_BY_RULE


def test_an_instance_of_a_part_that_was_forgotten_changes_nothing() -> None:
    """A long chain of splits forgets the parts that are over; a late edit of one of their instances is no news."""
    once = "RRULE:FREQ=DAILY;COUNT=1"
    parts = [series(f"p{n:02}", "c1", once, starts=NOW - (20 - n) * DAY) for n in range(PAST_OWNERS + 3)]
    ledger = owned(*parts, series("now"))
    assert ledger.referent(ref("p00")) is None
    before = ledger.c1
    ledger.show(instance(parts[0], -20, summary="Minutes", updated=9))
    assert ledger.c1 == before


SERIES_OF_ITS_OWN = [
    ("its series lives", Seen(series("s1", None), confirmed=True), "gone"),
    ("its series was deleted", Seen(tombstone("s1"), confirmed=True), "gone"),
    (
        "its series moved away",
        Seen(tombstone("s1", organizer={"email": "bob@example.com"}), confirmed=True),
        "orphaned",
    ),
    ("its series is somebody else's", Seen(series("s1", None, own=False), confirmed=True), "orphaned"),
    ("its series is not known", Seen(None, confirmed=True), "orphaned"),
    ("its series cannot be read", Seen(None, confirmed=True, unreadable=True), "live"),
]


@pytest.mark.parametrize(("why", "of_series", "state"), SERIES_OF_ITS_OWN, ids=[row[0] for row in SERIES_OF_ITS_OWN])
def test_a_cancelled_instance_that_names_nobody_is_judged_by_its_series(why: str, of_series: Seen, state: str) -> None:
    """It has a conference of its own; it was deleted, unless it went away with its whole series."""
    master = series("s1", None)
    ledger = Ledger.of(conference("c1", ref("s1_2")))
    ledger.put(master)
    ledger.show(instance(master, 2))
    bare = {ref("s1_2"): Seen(cancelled_instance(master, 2), confirmed=True)}
    assert ledger.plan(bare).readings == {Reading(ref("s1"))}
    ledger.settle({**bare, ref("s1"): of_series})
    known = ledger.referent(ref("s1_2"))
    assert known is not None
    assert (known.state, why) == (state, why)
    assert (ledger.c1.end_after is not None) is (state == "gone")


@pytest.mark.parametrize(
    ("of_series", "waits"),
    [
        (Seen(None, unreadable=True), True),
        (Seen(None, confirmed=True, unproven=True), True),
        (Seen(None, confirmed=True), False),
    ],
)
def test_an_instance_waits_for_a_series_that_nobody_can_read(of_series: Seen, *, waits: bool) -> None:
    """The conference that it shows may be its series' own; of a series that is not shown here it is an event alone."""
    ledger = Ledger.of(conference("c1", ref("s1_2")))
    alone = {ref("s1_2"): Seen(instance(series("s1", None), 2), confirmed=True)}
    assert ledger.plan(alone).readings == {Reading(ref("s1"))}
    found = ledger.plan({**alone, ref("s1"): of_series})
    assert (found.readings, found.waiting) == (frozenset(), {ref("s1_2"): of_series} if waits else {})
    assert bool(found.conferences) is not waits


@pytest.mark.parametrize("was_lost", [True, False])
def test_of_an_event_that_moved_it_is_remembered_that_it_had_lost_its_conference_before(*, was_lost: bool) -> None:
    """However often its tombstone tells of the move; what holds it again starts anew."""
    ledger = Ledger.of(conference("c1", ref()))
    ledger.show(event())
    if was_lost:
        ledger.settle(confirmed(event(conference=None, updated=1)))
    for updated, name in enumerate(("bo", "eve"), start=2):
        ledger.settle(confirmed(tombstone(updated=updated, organizer={"email": f"{name}@example.com"})))
        known = ledger.referent(ref())
        assert known is not None
        assert (known.state, known.was_lost) == ("orphaned", was_lost)
    ledger.settle(confirmed(event(updated=9)))
    known = ledger.referent(ref())
    assert known is not None
    assert (known.state, known.was_lost) == ("live", False)


@pytest.mark.parametrize("conference_id", [None, "c2"])
def test_an_event_that_came_back_without_its_conference_is_lost_here_from_then_on(conference_id: str | None) -> None:
    """Where it had gone on may show nothing but its id; what is shown here is newer."""
    ledger = Ledger.of(conference("c1", ref()))
    ledger.conferences |= {conference_key("c2"): conference("c2")}
    ledger.show(event())
    left = referent(state="gone", since=NOW, created=at(-99), continues_in=ref("e1", THERE).link_key)
    away = referent("e1", THERE, created=at(-99), bound_at=at(3))
    referents = {each.ref.link_key: each for each in (left, away)}
    ledger.conferences[ledger.c1.key] = ledger.c1.model_copy(update={"referents": referents})
    ledger.settle(confirmed(event(conference=conference_id, updated=5)), now=at(6))
    lost = ledger.referent(ref())
    assert lost is not None
    assert (lost.state, lost.since, lost.continues_in, lost.bound_at) == ("gone", at(6), None, at(5))
    said = f"the event {'held another' if conference_id else 'lost its'} conference"
    assert said in {note.what for note in ledger.c1.history if note.at == at(6)}
    ledger.settle(confirmed(event(conference=conference_id, updated=7)), now=at(8))
    assert ledger.referent(ref()) == lost


def test_a_series_that_stands_for_an_instance_takes_nothing_back_of_what_was_seen_of_it() -> None:
    """The list of its exceptions may lag behind what each of them showed on its own (rule R13)."""
    ledger = Ledger.of(conference("c1", ref("s1_2")))
    master = series("s1", None)
    ledger.put(master)
    ledger.show(instance(master, 2))
    newest = instance(series("s1"), 2, updated=5)
    ledger.settle({ref("s1_2"): Seen(newest, confirmed=True), ref("s1"): Seen(master, confirmed=True, exceptions=())})
    old = instance(series("s1"), 2, updated=3)
    ledger.settle({ref("s1"): Seen(series("s1", updated=6), confirmed=True, exceptions=(old,))})
    link, absorbed = ledger.links[ref("s1_2").link_key], ledger.referent(ref("s1_2"))
    assert absorbed is not None
    assert (link.etag, link.updated, absorbed.state) == (newest.etag, newest.updated, "gone")


def test_an_exception_of_a_series_that_is_a_claim_asks_for_nothing() -> None:
    """A claim drives nothing, so its instances need not be read."""
    master = series()
    ledger = Ledger.of(conference())
    ledger.show(master, instance(master, 2))
    assert ledger.readings == []
    assert ledger.c1.desired is None


def test_an_instance_with_a_claim_of_its_own_keeps_it_beside_a_series_that_is_a_claim_too() -> None:
    """Neither drives, so neither stands for the other."""
    master = series("s1", None)
    ledger = Ledger.of(conference())
    ledger.put(master)
    ledger.show(instance(master, 2))
    ledger.show(series(updated=3), instance(master, 2, updated=3))
    assert {each.state for each in ledger.c1.referents.values()} == {"live"}
    assert ledger.c1.desired is None


def test_a_series_that_is_a_claim_and_was_read_whole_takes_no_claim_from_its_instances() -> None:
    """It neither drives nor stands for them."""
    ledger = Ledger.of(conference())
    ledger.show(instance(series("s1", None), 2))
    ledger.settle({ref("s1"): Seen(series(updated=3), confirmed=True, exceptions=(instance(series(), 2),))})
    assert {each.state for each in ledger.c1.referents.values()} == {"live"}


def test_an_instance_with_a_claim_of_its_own_loses_it_also_beside_a_series_that_is_a_claim() -> None:
    """What is shown of it is heard, whether its series came with it or later."""
    together, later = Ledger.of(conference()), Ledger.of(conference())
    for ledger in (together, later):
        ledger.show(instance(series("s1", None), 2))
    foreign = instance(series(), 2, own=False, updated=4)
    together.show(series(updated=3), foreign)
    later.show(foreign)
    later.show(series(updated=3))
    assert together.referent(ref("s1_2")) == later.referent(ref("s1_2"))
    assert {key for key, each in together.c1.referents.items() if each.state == "live"} == {ref("s1").link_key}


def test_a_series_that_cannot_be_read_whole_stays_as_it_is() -> None:
    """The plan ends; nothing follows from an answer that cannot be read."""
    master = series()
    ledger = owned(master)
    before = ledger.c1
    broken = Seen(None, unreadable=True)
    found = ledger.plan({ref("s1"): broken, **seen(instance(master, 2, updated=1))})
    assert found.readings == frozenset()
    ledger.apply(found)
    assert ledger.c1 == before


def test_a_series_that_could_not_be_read_whole_is_when_it_can_be_read_again() -> None:
    """The exception was listed, and is not listed again."""
    master = series()
    ledger = owned(master)
    broken = Seen(None, unreadable=True)
    ledger.apply(ledger.plan({ref("s1"): broken, **seen(instance(master, 2, updated=1))}))
    found = ledger.plan(seen(series(summary="Standup", updated=2)))
    assert found.readings == {Reading(ref("s1"), "s1@google.com")}


def test_a_split_keeps_one_conference_with_two_owners_driven_by_the_next_occurrence() -> None:
    """ "This and following" with a new id: the old part drives until it is over, then the new one."""
    ledger = owned(series("s1"))
    told(ledger)
    old = series("s1", "c1", "RRULE:FREQ=DAILY;UNTIL=20260304T000000Z", updated=4)
    new = series("new", starts=NOW + HOUR + 2 * DAY, updated=4, summary="Second half")
    ledger.show(old, new)
    assert ledger.c1.driver == ref("s1").link_key
    ledger.show(series("new", starts=NOW + HOUR + 2 * DAY, updated=9, summary="Third"), now=NOW + 3 * DAY)
    assert ledger.c1.driver == ref("new").link_key
    assert title_of(ledger.c1) == "Third"


def test_a_long_chain_of_splits_settles_in_the_rounds_that_there_are() -> None:
    """However many parts moved without being listed, the readings end."""
    parts = [series(f"p{n}", starts=at(60 + n)) for n in range(12)]
    ledger = owned(*parts)
    ledger.put(*(series(f"p{n}", starts=at(600 - n), updated=3) for n in range(12)))
    ledger.settle(seen(series("p0", starts=at(600), updated=3)))
    assert ledger.c1.driver == ref("p11").link_key


def test_readings_in_another_calendar_are_only_looked_at() -> None:
    """The driver may live elsewhere: its state is told, its link is left to its own sync."""
    ledger = owned(event(starts=at(90)))
    ledger.show(tombstone(organizer={"email": "bob@example.com"}))
    ledger.show(event(starts=at(90), updated=6), calendar_key=THERE)
    ledger.show(event("e8", starts=at(30)))
    before = ledger.links[ref("e1", THERE).link_key]
    ledger.put(event(starts=at(90), summary="Elsewhere", updated=50), calendar_key=THERE)
    ledger.show(tombstone("e8"))
    assert ledger.c1.driver == ref("e1", THERE).link_key
    assert title_of(ledger.c1) == "Elsewhere"
    assert ledger.links[ref("e1", THERE).link_key] == before


# --- listings and keys ---------------------------------------------------------------------------------------------


def test_a_full_listing_marks_what_it_saw_and_not_what_it_missed() -> None:
    """The sweep goes by these marks."""
    ledger = owned(event(), event("e2", starts=at(100)))
    ledger.settle(seen(event()), listing=7)
    ledger.settle({ref("e2"): Seen(event("e2", starts=at(100)), confirmed=True, missing_from_list=True)}, listing=7)
    assert ledger.links[ref().link_key].seen_in == 7
    assert ledger.links[ref("e2").link_key].seen_in == 0


def test_a_full_listing_marks_nothing_that_was_only_asked_for_and_is_unknown() -> None:
    """Nothing proves yet that it is gone: the sweep, which can, must not pass it by."""
    ledger = owned(event(), event("e2", starts=at(100)))
    ledger.settle({**seen(event()), ref("e2"): Seen(None, confirmed=True, unproven=True)}, listing=7)
    assert ledger.links[ref().link_key].seen_in == 7
    assert ledger.links[ref("e2").link_key].seen_in == 0


def test_a_full_listing_marks_what_it_showed_though_nobody_can_read_it_since() -> None:
    """It was there and then moved away, so the sweep must not take it for deleted (rule R9)."""
    ledger = owned(event())
    ledger.settle({ref(): Seen(None, confirmed=True, unproven=True, listed=True)}, listing=7)
    assert ledger.links[ref().link_key].seen_in == 7


def test_an_incremental_list_leaves_the_marks_alone() -> None:
    """They belong to full listings."""
    ledger = owned(event())
    ledger.settle(seen(event()), listing=7)
    ledger.show(event(summary="Retro", updated=2))
    assert ledger.links[ref().link_key].seen_in == 7


def test_a_listing_marks_nothing_for_an_event_without_a_link() -> None:
    """What is not ours leaves no trace."""
    assert Ledger.of(conference()).settle(seen(event(own=False)), listing=3) == NOTHING


def test_a_plan_needs_the_links_of_its_events_their_series_and_their_exceptions() -> None:
    """Of other calendars only those of the events themselves: their own syncs may have recorded more."""
    master = series()
    sight = {
        ref("s1"): Seen(master, confirmed=True, exceptions=(instance(master, 1),)),
        ref("x_2"): Seen(instance(series("x"), 2)),
        ref("e9", THERE): Seen(event("e9")),
        ref("gone"): Seen(None),
    }
    expected = {Link.key_for(HERE, name) for name in ("s1", "s1_1", "x", "x_2", "gone")}
    assert link_keys(sight, HERE) == expected | {Link.key_for(THERE, "e9")}


def test_a_plan_needs_the_conferences_that_are_linked_or_named() -> None:
    """Both the one that an event leaves and the one that it joins."""
    ledger = owned(event())
    sight = seen(event(conference="c2"), event("e2", None), event("e3", conferenceData={"conferenceId": "x"}))
    assert conference_keys(sight, ledger.links, TERMS) == {conference_key("c1"), conference_key("c2")}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (event("e1", None), True),
        (event("other"), True),
        (event("other", None), False),
        (event("other", conferenceData={"conferenceId": "c1"}), False),
        (instance(series("e1"), 1, conference=None), True),
        (instance(series("other"), 1, conference=None), False),
        (stub("other"), False),
    ],
)
def test_an_event_concerns_us_when_it_is_linked_names_us_or_belongs_to_a_linked_series(
    shown: Event, expected: bool
) -> None:
    """All others are not even planned for."""
    ledger = owned(event())
    assert concerns_us(shown, ledger.links, HERE, TERMS) is expected


def test_two_of_our_solutions_lead_to_different_conferences_of_the_same_id() -> None:
    """A conference id means something within its provider only."""
    other = Solution(provider="other", names=frozenset({"Other"}))
    terms = Terms(
        "default", (ACME, other), {"acme": Capabilities(frozenset()), "other": Capabilities(frozenset())}, RULES
    )
    data = acme("c1") | {"conferenceSolution": {"name": "Other"}}
    keys = conference_keys(seen(event(), event("e2", conferenceData=data)), {}, terms)
    assert keys == {conference_key("c1"), Conference.key_for("default", "other", "c1")}


def test_events_that_are_over_are_recorded_but_not_told() -> None:
    """A late edit of a past event makes no call."""
    ledger = owned(event(starts=NOW - timedelta(hours=3)))
    assert ledger.c1.driver == ref().link_key
    assert ledger.c1.desired is None


def test_a_cancelled_instance_of_which_only_the_id_is_shown_is_told() -> None:
    """After "delete this and following" no more is shown; its link knows the series."""
    master = series()
    ledger = owned(master)
    moved = instance(master, 2, updated=1)
    ledger.show(moved)
    cancelled = cancelled_instance(master, 2)
    ledger.put(cancelled)
    ledger.settle(seen(stub(moved.id)))
    wanted = ledger.c1.desired.state if ledger.c1.desired else None
    assert wanted is not None
    assert [each.cancelled for each in wanted.occurrences] == [True]


def test_a_plan_needs_the_conferences_that_are_linked_or_named_and_no_others() -> None:
    """A series that is only remembered for its instances has none, and no store has a record without a key."""
    bare = Link(key="k", calendar_key=HERE, event_id="s9", conference_key="")
    linked = Link(key="l", calendar_key=HERE, event_id="e9", conference_key=conference_key("c9"))
    found = conference_keys(seen(event(), event("e2", None)), {"k": bare, "l": linked}, TERMS)
    assert found == {conference_key("c1"), conference_key("c9")}
