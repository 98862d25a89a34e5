"""Looking at a conference again although nothing changed."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from confsync.core import effects, reviewing
from confsync.core.conference import Applied, Conference, Desired, Referent, Registration, Replacement, Role
from confsync.core.desires import is_pending, next_generation
from confsync.core.history import GRACE_BEGAN
from confsync.core.reviewing import Finding, NewHome, review
from confsync.core.rules import Claims, Rules
from tests.core.story import (
    DAY,
    HERE,
    HOUR,
    NOW,
    RULES,
    TERMS,
    THERE,
    Ledger,
    at,
    conference,
    event,
    ref,
    referent,
    times,
)

RETENTION, DRAFT = timedelta(seconds=RULES.retention_s), timedelta(seconds=RULES.draft_s)
ORPHAN_WATCH = timedelta(seconds=RULES.orphan_s)
OLD, RECENT = NOW - RETENTION, NOW - RETENTION + timedelta(seconds=1)
ENDED = {"desired": Desired(generation=2, fingerprint="ended"), "applied": Applied(generation=2, fingerprint="ended")}
DUE = Replacement(number=1, reserved_at=NOW, links=("a",), is_successor=True, due_at=at(9))
DONE = DUE.model_copy(update={"due_at": None})


def tied(*referents: Referent, **fields: Any) -> Conference:
    """Return a conference with these referents."""
    return conference(referents={ref(r.event_id, r.calendar_key).link_key: r for r in referents}, **fields)


def lost(since: datetime | None = OLD, event_id: str = "e1", **fields: Any) -> Referent:
    """Return an owner that is gone."""
    return referent(event_id, **{"state": "gone", "since": since, **fields})


def drafted(at_time: datetime, *referents: Referent, **fields: Any) -> Conference:
    """Return a conference whose event the add-on vouched for at a time."""
    word = {"e9": Registration(calendar_key=HERE, event_id="e9", at=at_time)}
    return tied(*referents, **fields).model_copy(update={"registered": word})


@pytest.mark.parametrize(("review_at", "due"), [(None, False), (at(1), False), (NOW, True), (at(-1), True)])
def test_a_review_is_due_at_its_time(review_at: datetime | None, due: bool) -> None:
    """And not where none is planned."""
    assert reviewing.is_review_due(conference(review_at=review_at), NOW) is due


FINDINGS: list[tuple[str, Conference, Finding]] = [
    ("an owner lives", tied(referent(), lost(event_id="e2")), "hand over"),
    ("an owner lives, another moved", tied(referent(), referent("e2", state="orphaned")), "hand over"),
    ("its owner moved", tied(referent(state="orphaned"), lost(event_id="e2")), "look for it"),
    ("a claim moved", tied(referent(state="orphaned", role="claimed")), "nothing"),
    ("only a claim lives", tied(referent(role="claimed"), lost(event_id="e2")), "nothing"),
    ("its event never came", conference("c1", ref()), "discarded"),
    ("it was made for events that were forgotten", conference("c1"), "discarded"),
    ("its event never came in a month, and it ended", drafted(OLD, **ENDED), "forget"),
    ("its event never came in a month, and it is gone", drafted(OLD, gone=True), "forget"),
    ("its event never came in a month, its end is not told", drafted(OLD, desired=ENDED["desired"]), "nothing"),
    ("its event may come still, though it ended", drafted(RECENT, **ENDED), "nothing"),
    ("all were lost a month ago", tied(lost(), lost(event_id="e2")), "forget"),
    ("the last was lost less than a month ago", tied(lost(), lost(RECENT, "e2")), "nothing"),
    ("nobody knows when it was lost", tied(lost(None)), "nothing"),
    ("lost long ago, and vouched for of late", drafted(RECENT, lost()), "nothing"),
    ("lost and vouched for long ago", drafted(OLD, lost()), "forget"),
    ("a claim was lost a month ago", tied(lost(role="claimed")), "forget"),
    (
        "lost long ago, and a claim moved",
        tied(lost(), lost(event_id="e2", state="orphaned", role="claimed")),
        "nothing",
    ),
    ("lost long ago, and its end is told", tied(lost(), **ENDED), "forget"),
    ("lost long ago, and a state is not told", tied(lost(), desired=Desired(generation=2, fingerprint="f")), "nothing"),
    ("lost long ago, and its grace runs", tied(lost(), end_after=at(1)), "nothing"),
    ("lost long ago, and the brake holds its end", tied(lost(), brake="held"), "nothing"),
    ("lost long ago, and an operator refused its end", tied(lost(), brake="rejected"), "forget"),
    ("lost long ago, and a successor is on its way", tied(lost(), gone=True, replacements=(DONE, DUE)), "nothing"),
    ("lost long ago, and all have its successor", tied(lost(), gone=True, replacements=(DONE,)), "forget"),
]


@pytest.mark.parametrize(("why", "known", "finding"), FINDINGS, ids=[row[0] for row in FINDINGS])
def test_what_a_review_comes_to(why: str, known: Conference, finding: Finding) -> None:
    """Nothing is forgotten that an event may hold, or of which something is left to do."""
    assert (review(known, NOW, RULES), why) == (finding, why)


def test_an_event_that_left_after_it_had_another_conference_is_looked_for_at_once() -> None:
    """Its end is taken back until it is found."""
    ending = tied(lost(NOW), lost(NOW, "e2"), end_after=at(1), due_at=at(1))
    found = reviewing.out_of_sight(ending, {ref().link_key: "team@group.example.com"}, at(5))
    left, other = found.referents[ref().link_key], found.referents[ref("e2").link_key]
    assert (left.state, left.since, left.moved_to, other.state) == ("orphaned", at(5), "team@group.example.com", "gone")
    assert (found.end_after, found.review_at, found.due_at) == (None, at(5), at(5))


# --- registration --------------------------------------------------------------------------------------------------


def word(minutes: float, event_id: str = "e1") -> dict[str, Registration]:
    """Return the add-on's word for an event, given at a time."""
    return {ref(event_id).link_key: Registration(calendar_key=HERE, event_id=event_id, at=at(minutes))}


def test_a_registered_event_may_appear_for_a_day_after_the_add_ons_last_word() -> None:
    """Each registration counts, in whatever order they are told."""
    once = reviewing.registered(conference(), word(0), RULES)
    assert (once.review_at, once.due_at) == (NOW + DRAFT, NOW + DRAFT)
    later = reviewing.registered(once, word(60, "e2"), RULES)
    assert later.review_at == at(60) + DRAFT
    assert set(later.registered) == {ref("e1").link_key, ref("e2").link_key}
    earlier = reviewing.registered(later, word(30, "e3"), RULES)
    assert earlier.review_at == at(60) + DRAFT
    assert [(note.what, note.event_id) for note in earlier.history] == [
        ("the add-on vouched for it", event_id) for event_id in ("e1", "e2", "e3")
    ]


def test_a_registration_of_what_events_hold_already_plans_no_review() -> None:
    """Whoever judges its events says when to look again."""
    known = tied(referent(role="claimed"), review_at=at(5), due_at=at(5))
    found = reviewing.registered(known, word(0), RULES)
    assert (found.review_at, found.due_at, set(found.registered)) == (at(5), at(5), {ref().link_key})


@pytest.mark.parametrize(("claim", "there"), [("e1", HERE), ("e9", HERE), ("e1", THERE)])
@pytest.mark.parametrize("brake", ["none", "held", "approved"])
def test_a_claim_that_the_add_on_vouches_for_takes_a_decided_end_back(claim: str, there: str, brake: str) -> None:
    """Its calendar may be paused, or nobody may read it: what is known of the event has to do until then."""
    gone, claimed = referent("e0", "elsewhere", state="gone"), referent(claim, there, role="claimed")
    referents = {ref("e0", "elsewhere").link_key: gone, ref(claim, there).link_key: claimed}
    ending = conference(referents=referents, end_after=at(1), due_at=at(1), brake=brake)
    found = reviewing.registered(ending.model_copy(update={"review_at": at(9)}), word(0), RULES)
    if there == THERE:
        assert (found.end_after, found.brake, found.due_at) == (at(1), brake, at(1))
        return
    assert (found.end_after, found.brake, found.due_at) == (None, "none", at(9))
    assert found.referents[ref(claim).link_key].role == "owner"
    assert [note.what for note in found.history][1] == "claim promoted: the event owned it from here on"


def test_an_end_that_is_wanted_is_not_told_once_the_add_on_vouches_for_a_claim() -> None:
    """What it was told last stays, until the event is read."""
    told: dict[str, Any] = {
        "desired": Desired(generation=2, fingerprint="ended"),
        "applied": Applied(generation=1, fingerprint="f"),
    }
    referents = {ref("e0").link_key: referent("e0", state="gone"), ref().link_key: referent(role="claimed")}
    wanted = conference(referents=referents, call_at=NOW, due_at=NOW, **told)
    found = reviewing.registered(wanted, word(0), RULES)
    assert found.desired is not None
    assert (is_pending(wanted), is_pending(found), found.desired.fingerprint, found.due_at) == (True, False, "f", None)


def test_the_add_ons_word_brings_a_conference_back_that_was_given_up() -> None:
    """It was made anew."""
    assert not reviewing.registered(conference(gone=True), word(0), RULES).gone


@pytest.mark.parametrize("claims", ["matching", "registered"])
def test_the_add_ons_word_for_an_adopted_conference_is_worth_a_call(claims: Claims) -> None:
    """Nobody ever told its back end what it should be; one that is to be told anyway is told once."""
    ledger = Ledger(terms=replace(TERMS, rules=Rules(claims=claims)))
    ledger.show(event())
    before = ledger.c1
    assert (before.adopted, is_pending(before)) == (claims == "matching", False)
    vouched = reviewing.registered(before, word(0), RULES)
    assert not vouched.adopted
    ledger.conferences[vouched.key] = vouched
    ledger.show(event(updated=1))
    assert ledger.c1.desired is not None
    assert is_pending(ledger.c1)
    assert ledger.c1.desired.generation == next_generation(before)
    assert ledger.c1.due_at == NOW


def test_the_add_ons_word_for_an_adopted_conference_is_worth_a_call_though_a_change_was_undone() -> None:
    """What it was adopted as was found in its event: no back end was told that."""
    ledger = Ledger(terms=replace(TERMS, rules=Rules(claims="matching")))
    ledger.show(event())
    ledger.show(event(summary="Retro", updated=1))
    vouched = reviewing.registered(ledger.c1, word(0), RULES)
    assert is_pending(vouched)
    ledger.conferences[vouched.key] = vouched
    ledger.show(event(updated=2))
    assert is_pending(ledger.c1)


def test_an_adopted_conference_is_not_told_a_change_that_is_undone_before_it_was() -> None:
    """Nobody vouched for it: it is what it was found to be."""
    ledger = Ledger(terms=replace(TERMS, rules=Rules(claims="matching")))
    ledger.show(event())
    ledger.show(event(summary="Retro", updated=1))
    ledger.show(event(updated=2))
    assert (is_pending(ledger.c1), ledger.c1.adopted) == (False, True)


def test_an_adopted_conference_that_was_told_a_change_is_like_any_other() -> None:
    """The add-on's word for it makes no call."""
    ledger = Ledger(terms=replace(TERMS, rules=Rules(claims="matching")))
    ledger.show(event())
    ledger.show(event(summary="Retro", updated=1))
    opened = effects.open_intent(ledger.c1, NOW, RULES)
    assert opened.intent is not None
    assert opened.desired is not None
    told = effects.applied(opened, opened.intent, opened.desired.fingerprint, NOW)
    vouched = reviewing.registered(told, word(0), RULES)
    assert (vouched.desired, vouched.applied) == (told.desired, told.applied)


def test_the_add_ons_word_for_a_conference_that_was_told_makes_no_call() -> None:
    """A second event, or the same one again, changes nothing of what it should be."""
    told = {"desired": Desired(generation=3, fingerprint="f"), "applied": Applied(generation=3, fingerprint="f")}
    found = reviewing.registered(tied(referent(), **told), word(0), RULES)
    assert (found.desired, found.applied) == (told["desired"], told["applied"])


# --- what follows --------------------------------------------------------------------------------------------------


def test_the_next_review_is_due_like_any_other_time() -> None:
    """Or none is."""
    known = reviewing.reviewed(conference(), at(5))
    assert (known.review_at, known.due_at) == (at(5), at(5))
    assert reviewing.reviewed(known, None) == conference()
    assert reviewing.reviewed(conference(call_at=at(1), due_at=at(1)), at(5)).due_at == at(1)


@pytest.mark.parametrize(
    ("why", "known", "expected"),
    [
        ("what was lost of late", tied(lost(at(-60))), at(-60) + RETENTION),
        ("by the last that was lost", tied(lost(at(-60)), lost(at(-30), "e2")), at(-30) + RETENTION),
        ("what should be forgotten already has to wait for something else", tied(lost(OLD)), NOW + RETENTION),
        ("nobody knows when it was lost", tied(lost(None)), NOW + RETENTION),
        ("no event ever came", drafted(at(-60)), at(-60) + RETENTION),
    ],
)
def test_what_cannot_be_forgotten_yet_is_looked_at_again_when_it_may_be(
    why: str, known: Conference, expected: datetime
) -> None:
    """Always later than now, so that no review follows the other at once."""
    assert (reviewing.wait_on(known, NOW, RULES).review_at, why) == (expected, why)


def test_a_conference_whose_event_never_came_ends_after_the_grace() -> None:
    """With its reason, and a later look at what became of it."""
    found = reviewing.discarded(conference("c1", ref(), review_at=NOW, due_at=NOW), NOW, RULES)
    assert (found.end_after, found.due_at, found.review_at) == (at(1), at(1), NOW + RETENTION)
    assert found.history[-1].what == f"{GRACE_BEGAN}: its event never appeared"


@pytest.mark.parametrize("brake", ["held", "rejected"])
def test_an_end_that_an_operator_decides_is_not_decided_again_by_a_review(brake: str) -> None:
    """It is looked at again all the same."""
    found = reviewing.discarded(conference("c1", ref(), brake=brake, review_at=NOW, due_at=NOW), NOW, RULES)
    assert (found.end_after, found.review_at, found.brake) == (None, NOW + RETENTION, brake)


@pytest.mark.parametrize(
    ("why", "since", "start", "expected"),
    [
        ("for a month", at(-60), NOW + 90 * DAY, at(-60) + ORPHAN_WATCH),
        ("until it is over", at(-60), at(60), at(60) + HOUR),
        ("from now on where nobody knows since when", None, NOW + 90 * DAY, NOW + ORPHAN_WATCH),
    ],
)
def test_an_event_that_moved_out_of_sight_is_looked_for(
    why: str, since: datetime | None, start: datetime, expected: datetime
) -> None:
    """Not longer than its conference can matter."""
    orphan = referent(state="orphaned", since=since, times=times(start))
    assert (reviewing.give_up_at(orphan, NOW, RULES), why) == (expected, why)


def test_a_conference_whose_event_is_not_found_is_left_alone_for_good() -> None:
    """Neither ended, nor forgotten, nor looked at."""
    known = tied(referent(state="orphaned"), review_at=NOW, due_at=NOW)
    found = reviewing.kept_for_good(known, NOW)
    assert (found.review_at, found.due_at, found.end_after, found.referents) == (None, None, None, known.referents)
    assert found.history[-1].what == "kept for good: its event was not found again"


HOME = NewHome(ref().link_key, ref("e1", THERE).link_key, THERE, organizer="bob", changed_at=at(-5), held=False)


def test_an_event_that_was_deleted_where_it_moved_to_is_gone_in_both_places() -> None:
    """The last look before the end reads it in both."""
    orphan = referent(state="orphaned", since=at(-60), moved_to="bob@example.com", created=at(-999))
    found = reviewing.lost_there(tied(orphan), HOME, NOW).referents
    assert set(found) == {HOME.orphan_key, HOME.link_key}
    left, deleted = found[HOME.orphan_key], found[HOME.link_key]
    assert (left.state, left.since, left.calendar_key, left.continues_in) == ("gone", NOW, HERE, HOME.link_key)
    assert (deleted.state, deleted.since, deleted.calendar_key, deleted.continues_in) == ("gone", NOW, THERE, None)
    assert (deleted.role, deleted.event_id, deleted.created) == ("owner", "e1", at(-999))
    assert (deleted.organizer, deleted.bound_at, deleted.moved_to) == ("bob", at(-5), None)


@pytest.mark.parametrize("held", [True, False])
def test_an_event_that_was_lost_elsewhere_vouches_there_only_if_it_is_shown_to_have_had_the_conference(
    held: bool,
) -> None:
    """A tombstone may show it still; where it left is another matter."""
    orphan = referent(state="orphaned", since=at(-60))
    found = reviewing.lost_there(tied(orphan), replace(HOME, held=held), NOW).referents
    assert (found[HOME.orphan_key].never_held, found[HOME.link_key].never_held) == (False, not held)


@pytest.mark.parametrize(("role", "never_held"), [("owner", False), ("owner", True), ("claimed", False)])
def test_an_event_vouches_where_it_was_lost_if_it_was_seen_with_the_conference_there_before(
    role: Role, *, never_held: bool
) -> None:
    """It went from there, and came back without it."""
    orphan = referent(state="orphaned", since=at(-60))
    before = lost(calendar_key=THERE, role=role, never_held=never_held)
    found = reviewing.lost_there(tied(orphan, before), HOME, NOW).referents
    assert found[HOME.link_key].never_held == (never_held or role == "claimed")


@pytest.mark.parametrize("known", [tied(referent()), tied(lost()), conference()], ids=["live", "gone", "forgotten"])
def test_a_deletion_elsewhere_says_nothing_of_an_event_that_is_out_of_sight_no_more(known: Conference) -> None:
    """Its own calendar has shown it since."""
    assert reviewing.lost_there(known, HOME, NOW) == known


@pytest.mark.parametrize(
    ("why", "vouched_at", "again"),
    [
        ("just now", NOW, NOW + timedelta(seconds=RULES.search_s)),
        ("within a month", NOW - ORPHAN_WATCH + 2 * DAY, NOW + timedelta(seconds=RULES.search_s)),
        ("a month is nearly over", NOW - ORPHAN_WATCH + timedelta(seconds=RULES.search_s), None),
    ],
)
def test_a_draft_whose_event_lives_out_of_sight_is_looked_at_again_as_an_orphan_is(
    why: str, vouched_at: datetime, again: datetime | None
) -> None:
    """It is not to end meanwhile."""
    known = drafted(vouched_at, end_after=NOW, due_at=NOW, review_at=NOW + RETENTION)
    kept = reviewing.kept_unseen(known, NOW, RULES)
    assert (kept.end_after, kept.review_at, kept.due_at, why) == (None, again, again, why)
    assert kept.history[-1].what == "kept: its event may hold it where nobody can see"
