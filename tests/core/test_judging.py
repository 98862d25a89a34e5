"""What a conference should be, given the events that refer to it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.core.capabilities import Capabilities
from confsync.core.conference import Applied, Conference, Desired, Intent, Referent, Replacement
from confsync.core.desires import desire_end, is_pending, keep, next_generation, postpone_end
from confsync.core.events import Event
from confsync.core.history import HISTORY_LENGTH, with_note
from confsync.core.identity import person_key
from confsync.core.judging import Judgement, judge, was_held
from confsync.core.owners import PAST_OWNERS, promote_claims
from confsync.core.projection import fingerprint, project
from confsync.core.rules import Claims, Rules
from confsync.core.sight import Reading, Seen
from confsync.core.state import Field
from tests.core.story import (
    ALL_FIELDS,
    HERE,
    HOUR,
    NOW,
    RULES,
    THERE,
    at,
    conference,
    confirmed,
    event,
    ref,
    referent,
    seen,
    series,
    times,
    tombstone,
    vouched,
)

UPCOMING, OVER = times(NOW + HOUR), times(NOW - 3 * HOUR)


def held_by(*owners: Referent, **fields: Any) -> Conference:
    """Return a conference with these referents."""
    return conference(referents={ref(each.event_id, each.calendar_key).link_key: each for each in owners}, **fields)


def judged(
    known: Conference, sight: Any = None, now: datetime = NOW, carries: frozenset[Field] = ALL_FIELDS
) -> Judgement:
    """Judge by the usual rules."""
    return judge(known, sight or {}, Capabilities(carries), now, RULES)


def wanted(generation: int = 1, fingerprint: str = "f") -> Desired:
    """Return a desired state."""
    return Desired(generation=generation, fingerprint=fingerprint)


# --- the driver ----------------------------------------------------------------------------------------------------

DRIVERS = [
    ("the earliest next occurrence", {"a": times(at(300)), "b": times(at(60))}, "b"),
    ("what runs before what comes", {"a": times(at(30)), "b": times(at(-30))}, "b"),
    ("what comes before what is over", {"a": times(at(-300)), "b": times(at(900))}, "b"),
    ("a series by its next instance", {"a": times(at(-9000), HOUR, "RRULE:FREQ=DAILY"), "b": times(at(1500))}, "a"),
    ("of those that are over the last", {"a": times(at(-300)), "b": times(at(-200))}, "b"),
    ("of equals the same one each time", {"a": times(at(60)), "b": times(at(60))}, None),
]


@pytest.mark.parametrize(("why", "owners", "driver"), DRIVERS)
def test_which_of_several_owners_drives(why: str, owners: dict[str, Any], driver: str | None) -> None:
    """The one with the earliest next occurrence, else the one that ended last."""
    referents = [referent(name, times=when) for name, when in owners.items()]
    sight = confirmed(*(event(name) for name in owners))
    found = judged(held_by(*referents), sight).conference.driver
    expected = ref(driver).link_key if driver else min(ref(name).link_key for name in owners)
    assert (found, why) == (expected, why)
    assert judged(held_by(*reversed(referents)), sight).conference.driver == found


@pytest.mark.parametrize(("role", "state"), [("claimed", "live"), ("owner", "gone"), ("owner", "orphaned")])
def test_nobody_but_a_live_owner_drives(role: str, state: str) -> None:
    """Though its occurrence be the next."""
    early = referent("early", THERE, role=role, state=state, times=times(at(1)), ical_uid="other")
    found = judged(held_by(referent("e1"), early), confirmed(event())).conference
    assert found.driver == ref().link_key


def test_another_view_of_the_driver_speaks_for_it_and_does_not_take_its_place() -> None:
    """Two people sync one calendar: what either of them lists is told, and nothing is written again and again."""
    views = [referent("e1", where, created=at(-99)) for where in (HERE, THERE)]
    found = judged(held_by(*views), confirmed(event(), calendar_key=HERE)).conference
    assert judged(found, confirmed(event(), calendar_key=THERE)).conference == found
    retro = event(summary="Retro")
    renamed = judged(found, confirmed(retro, calendar_key=THERE)).conference
    assert renamed.driver == found.driver == min(ref("e1", where).link_key for where in (HERE, THERE))
    assert renamed.desired is not None
    assert renamed.desired.fingerprint == fingerprint(project(retro, (), ALL_FIELDS))


def test_a_copy_in_another_organizers_calendar_does_not_speak_for_the_driver() -> None:
    """The event moved, and one of them is on its way out: what it says may be old."""
    views = [referent("e1", where, created=at(-99), organizer=where) for where in (HERE, THERE)]
    driver = min((HERE, THERE), key=lambda where: ref("e1", where).link_key)
    other = THERE if driver == HERE else HERE
    settled = judged(held_by(*views), confirmed(event(), calendar_key=driver)).conference
    assert judged(settled, confirmed(event(summary="Old"), calendar_key=other)).conference == settled


def test_the_copy_to_which_the_event_moved_speaks_where_the_former_one_cannot_be_read() -> None:
    """It was bound later, and both count until somebody can look."""
    former = referent("e1", created=at(-99), organizer="a", bound_at=at(-9))
    home = referent("e1", THERE, created=at(-99), organizer="b", bound_at=at(-5))
    views = {ref(view.event_id, view.calendar_key).link_key: view for view in (former, home)}
    known = conference("c1", ref(), referents=views)
    sight = {ref(): Seen(None, unreadable=True), **confirmed(event(summary="Moved"), calendar_key=THERE)}
    found = judged(known, sight).conference
    assert found.desired is not None
    assert found.desired.fingerprint == fingerprint(project(event(summary="Moved"), (), ALL_FIELDS))


def test_the_driver_is_read_when_another_event_was_lost_just_now() -> None:
    """What was told last may be what that event said; later there is no reason for it."""
    lost = referent("e2", state="gone", since=NOW)
    known = held_by(referent(), lost, driver=ref().link_key, desired=wanted())
    assert judged(known).readings == (Reading(ref()),)
    assert judged(known, now=at(1)).readings == ()


def two_copies(first: datetime | None, second: datetime | None) -> Conference:
    """Return a conference that one event owns in two calendars, since it was bound there at these times."""
    bound = ((HERE, first), (THERE, second))
    return held_by(*(referent("e1", where, created=at(-99), bound_at=since) for where, since in bound))


HERE_TOO, THERE_TOO = ref("e1", HERE).link_key, ref("e1", THERE).link_key


@pytest.mark.parametrize(
    ("why", "known", "left", "home"),
    [
        ("bound there later", two_copies(at(-9), at(-5)), HERE, THERE_TOO),
        ("bound here later", two_copies(at(-5), at(-9)), THERE, HERE_TOO),
    ],
)
def test_of_two_copies_of_one_event_the_one_that_was_bound_last_is_where_it_lives(
    why: str, known: Conference, left: str, home: str
) -> None:
    """Once a look says that it left the other place; before that, the look is asked for."""
    other = THERE if left == HERE else HERE
    shown = confirmed(event(), calendar_key=other)
    assert (judged(known, shown).readings, why) == ((Reading(ref("e1", left)),), why)
    gone = judged(known, {**shown, **confirmed(tombstone(), calendar_key=left)}).conference.referents
    found = gone[ref("e1", left).link_key]
    assert (found.state, found.continues_in, gone[home].state) == ("gone", home, "live")
    for here in (Seen(event(), confirmed=True), Seen(None, unreadable=True), Seen(None, confirmed=True, unproven=True)):
        stays = judged(known, {**shown, ref("e1", left): here}).conference.referents
        assert {each.state for each in stays.values()} == {"live"}


@pytest.mark.parametrize("known", [two_copies(at(-5), at(-5)), two_copies(None, at(-5)), two_copies(at(-5), None)])
def test_of_two_copies_that_were_bound_at_one_time_both_count(known: Conference) -> None:
    """Two people see one calendar; and doubt takes no owner away."""
    found = judged(known, confirmed(event(), calendar_key=HERE))
    assert found.readings == ()
    assert {each.state for each in found.conference.referents.values()} == {"live"}


def test_a_new_driver_that_was_not_seen_is_read_first() -> None:
    """And one that is known to drive is not: nothing changed about it."""
    known = held_by(referent())
    assert judged(known).readings == (Reading(ref()),)
    settled = known.model_copy(update={"driver": ref().link_key, "desired": wanted()})
    assert judged(settled) == Judgement(settled)
    ended = settled.model_copy(update={"desired": wanted(2, "ended")})
    assert judged(ended).readings == (Reading(ref()),)


@pytest.mark.parametrize("shown", [None, tombstone(), event(own=False), event(locked=True)])
def test_a_driver_that_is_no_longer_what_it_was_is_not_told(shown: Any) -> None:
    """Its own calendar's sync will say what that means; that it drives is noted, so that its successor is read."""
    known = held_by(referent())
    followed = known.model_copy(update={"driver": ref().link_key})
    assert judged(known, {ref(): Seen(shown, confirmed=True)}) == Judgement(followed)


def test_a_series_that_was_read_alone_is_read_whole_where_occurrences_count() -> None:
    """A list item will do where no exceptions are known."""
    known = held_by(referent("s1", times=times(NOW, HOUR, "RRULE:FREQ=DAILY")))
    assert judged(known, confirmed(series())).readings == (Reading(ref("s1"), "s1@google.com"),)
    assert judged(known, seen(series())).readings == ()
    assert judged(known, confirmed(series()), carries=ALL_FIELDS - {"occurrences"}).readings == ()


def test_a_driver_that_is_over_is_told_nothing() -> None:
    """No call for the past."""
    found = judged(held_by(referent(times=OVER)), confirmed(event(summary="Late edit"))).conference
    assert (found.driver, found.desired) == (ref().link_key, None)


def test_a_long_chain_of_parts_that_are_over_is_forgotten_but_for_the_newest() -> None:
    """A conference is one record and must not grow; those that are to come all stay."""
    past = [referent(f"old{n:02}", times=times(at(-9000 + n))) for n in range(40)]
    gone = [referent(f"gone{n:02}", state="gone", times=times(at(-99000 + n))) for n in range(9)]
    coming = [referent(f"new{n}", times=times(at(60 + n))) for n in range(30)]
    found = judged(held_by(*past, *gone, *coming), confirmed(event("new0"))).conference
    names = {each.event_id for each in found.referents.values()}
    assert {each.event_id for each in coming} <= names
    assert len(names) == 30 + PAST_OWNERS
    assert "old39" in names
    assert not any(name.startswith("gone") for name in names)


def test_nothing_is_forgotten_of_a_conference_that_is_over() -> None:
    """Its last event may still be moved."""
    past = [referent(f"old{n:02}", times=times(at(-9000 + n))) for n in range(40)]
    assert len(judged(held_by(*past)).conference.referents) == 40


# --- ends ----------------------------------------------------------------------------------------------------------


def test_without_any_owner_left_the_grace_begins_once() -> None:
    """Being judged again does not prolong it."""
    lost = judged(held_by(referent(state="gone", since=NOW))).conference
    assert lost.end_after == lost.due_at == at(1)
    assert judged(lost, now=at(0.5)).conference == lost


def test_a_conference_that_was_held_is_kept() -> None:
    """With its reports and recordings."""
    found = judged(held_by(referent(state="gone", times=OVER))).conference
    assert found.end_after is None
    assert found.history[-1].what == "kept: it was held already"


def test_a_conference_is_held_only_when_its_last_event_is_over() -> None:
    """One to come is enough; a series without end is never over."""
    assert was_held(held_by(referent("a", times=OVER), referent("b", times=OVER)), NOW)
    assert not was_held(held_by(referent("a", times=OVER), referent("b", times=UPCOMING)), NOW)
    assert not was_held(held_by(referent(times=times(at(-900), HOUR, "RRULE:FREQ=DAILY"))), NOW)
    assert was_held(held_by(referent("a", times=OVER), referent("b", THERE, role="claimed", times=UPCOMING)), NOW)


def test_an_event_that_moved_out_of_sight_keeps_its_conference() -> None:
    """Also beside others that are gone, and after the grace had begun."""
    known = held_by(referent("a", state="gone"), referent("b", state="orphaned"), end_after=at(1), due_at=at(1))
    found = judged(known).conference
    assert (found.end_after, found.due_at) == (None, None)
    assert found.history[-1].what == "kept: its event moved out of sight"
    assert judged(found).conference == found


def test_an_event_that_moved_is_in_sight_again_where_a_live_owner_has_its_ical_uid() -> None:
    """It no longer keeps the conference by itself."""
    moved = referent("e1", state="orphaned")
    found = judged(held_by(moved, referent("e1", THERE)), confirmed(event(), calendar_key=THERE)).conference
    there = found.referents[ref().link_key]
    assert (there.state, there.continues_in) == ("gone", ref("e1", THERE).link_key)
    kept = judged(held_by(moved, referent("e2", THERE, ical_uid="other")), confirmed(event("e2"), calendar_key=THERE))
    assert kept.conference.referents[ref().link_key].state == "orphaned"


def test_an_event_that_moved_on_comes_back_to_an_older_place_only_where_that_shows_it() -> None:
    """What is recorded there is older than the move; doubt leaves the event out of sight."""
    known = two_copies(at(-9), at(-5))
    known = held_by(known.referents[HERE_TOO], known.referents[THERE_TOO].model_copy(update={"state": "orphaned"}))
    assert judged(known).readings == (Reading(ref("e1", HERE)),)
    back = judged(known, confirmed(event(), calendar_key=HERE)).conference.referents[THERE_TOO]
    assert (back.state, back.continues_in) == ("gone", HERE_TOO)
    unread = {ref("e1", HERE): Seen(None, unreadable=True)}
    for shown in (unread, confirmed(tombstone(), calendar_key=HERE)):
        assert judged(known, shown).conference.referents[THERE_TOO].state == "orphaned"


def test_an_event_that_moved_is_where_it_was_bound_last() -> None:
    """Of its older places, one may be recorded as live because nobody can read its calendar."""
    moved = referent("e1", "elsewhere", state="orphaned", bound_at=at(-7))
    known = held_by(*two_copies(at(-9), at(-5)).referents.values(), moved)
    shown = {ref("e1", HERE): Seen(None, unreadable=True), **confirmed(event(), calendar_key=THERE)}
    found = judged(known, shown).conference.referents[ref("e1", "elsewhere").link_key]
    assert (found.state, found.continues_in) == ("gone", THERE_TOO)


def test_a_conference_without_owners_is_left_alone() -> None:
    """Claims end nothing, and an ended one is not ended again."""
    claims = held_by(referent(role="claimed", state="gone"))
    assert judged(conference()) == Judgement(conference())
    ended = held_by(referent(state="gone"), desired=wanted(2, "ended"))
    for left_alone in (claims, ended):
        found = judged(left_alone).conference
        assert (found.end_after, found.desired) == (None, left_alone.desired)
        assert found.due_at == found.review_at == NOW + timedelta(seconds=RULES.retention_s)


def test_a_live_owner_ends_the_grace() -> None:
    """Whether or not anything is to be told."""
    known = held_by(referent(), driver=ref().link_key, desired=wanted(), applied=Applied(generation=1, fingerprint="f"))
    dying = known.model_copy(update={"end_after": at(1), "due_at": at(1)})
    found = judged(dying).conference
    assert (found.end_after, found.due_at) == (None, None)
    pending_one = dying.model_copy(update={"applied": None, "call_at": NOW})
    assert judged(pending_one).conference.due_at == NOW


def test_an_ended_conference_whose_event_is_back_is_restored_under_a_new_generation() -> None:
    """The whole state goes out again."""
    applied = Applied(generation=4, fingerprint="ended")
    known = held_by(referent(), driver=ref().link_key, desired=wanted(4, "ended"), applied=applied)
    found = judged(known, confirmed(event())).conference
    assert found.desired is not None
    assert (found.desired.generation, found.desired.ended, found.due_at) == (5, False, NOW)


def test_an_end_that_is_wanted_but_was_never_announced_is_taken_back_without_a_call() -> None:
    """The back end still holds what the event says."""
    known = judged(held_by(referent()), confirmed(event())).conference
    assert known.desired is not None
    told = Applied(generation=1, fingerprint=known.desired.fingerprint)
    dying = desire_end(known.model_copy(update={"applied": told, "end_after": at(1)}), at(1))
    assert dying.desired is not None
    assert (dying.desired.ended, dying.end_after, is_pending(dying)) == (True, None, True)
    back = judged(dying, confirmed(event()), now=at(2)).conference
    assert (is_pending(back), back.due_at) == (False, None)


def test_an_update_that_waits_comes_before_a_postponed_end() -> None:
    """The earlier of the two is due."""
    waiting = held_by(referent(state="gone"), desired=wanted(), call_at=at(0.5))
    assert postpone_end(waiting, 60, "why", NOW).due_at == at(0.5)
    assert postpone_end(waiting.model_copy(update={"call_at": None}), 60, "why", NOW).due_at == at(1)
    assert postpone_end(waiting.model_copy(update={"call_at": at(9)}), 60, "why", NOW).due_at == at(1)
    assert postpone_end(held_by(review_at=at(0.5)), 60, "why", NOW).due_at == at(0.5)


# --- claims --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "owner", "claim", "promoted"),
    [
        ("the owner is gone, same iCalUID", {"state": "gone"}, {}, True),
        ("the owner moved, same iCalUID", {"state": "orphaned"}, {}, True),
        ("the owner lives", {}, {}, False),
        ("another iCalUID", {"state": "gone"}, {"ical_uid": "other"}, False),
        ("no iCalUID on either", {"state": "gone", "ical_uid": None}, {"ical_uid": None}, False),
        ("the claim is gone too", {"state": "gone"}, {"state": "gone"}, False),
        ("what is lost was a claim", {"state": "gone", "role": "claimed"}, {}, False),
    ],
)
def test_a_claim_becomes_owner_when_its_event_lost_its_owner(
    why: str, owner: dict[str, Any], claim: dict[str, Any], promoted: bool
) -> None:
    """Before anybody says that no owner is left."""
    known = held_by(referent(**owner), referent("e1", THERE, role="claimed", **claim))
    found = promote_claims(known, "registered").referents[ref("e1", THERE).link_key]
    assert ((found.role == "owner"), why) == (promoted, why)


@pytest.mark.parametrize(
    ("claims", "owner", "role"),
    [("matching", "gone", "owner"), ("matching", "live", "claimed"), ("registered", "gone", "claimed")],
)
def test_under_matching_the_next_claim_owns_what_nobody_holds_any_more(claims: Claims, owner: str, role: str) -> None:
    """Wherever its event is, and whatever its iCalUID."""
    known = held_by(referent(state=owner), referent("e2", THERE, role="claimed", ical_uid="other"))
    assert promote_claims(known, claims).referents[ref("e2", THERE).link_key].role == role


def test_a_claim_in_the_calendar_of_an_owner_is_an_owner() -> None:
    """In whatever order they were seen: its writers control the conference anyway."""
    known = held_by(referent(), referent("copy", HERE, role="claimed", ical_uid="other"))
    assert {each.role for each in promote_claims(known, "registered").referents.values()} == {"owner"}


def test_a_claim_that_becomes_owner_speaks_for_others_at_once() -> None:
    """The add-on vouches for the first, the second is the same event elsewhere, the third a copy beside that one."""
    same = {"role": "claimed", "created": NOW}
    claims = (referent("copy", THERE, role="claimed"), referent("e1", THERE, **same), referent("e1", HERE, **same))
    known = held_by(*claims).model_copy(update={"registered": {ref().link_key: vouched(ref())}})
    assert {each.role for each in promote_claims(known, "registered").referents.values()} == {"owner"}


def test_a_promoted_claim_is_read_before_the_conference_follows_it() -> None:
    """It drives now, in another calendar."""
    known = held_by(referent(state="gone"), referent("e1", THERE, role="claimed"))
    found = judged(known)
    assert found.readings == (Reading(ref("e1", THERE)),)
    assert found.conference.end_after is None


# --- duplicates -----------------------------------------------------------------------------------------------------

MAKES, MINT = Capabilities(ALL_FIELDS, creates=True), Rules(duplicates="mint")
COPY = ref("copy").link_key


def shared(**fields: Any) -> Conference:
    """Return a registered conference whose event was duplicated in its calendar."""
    original, copy = referent(created=at(-99)), referent("copy", created=at(-9), times=times(at(30)))
    return conference("c1", ref(), referents={ref().link_key: original, COPY: copy}, **fields)


def minted(
    known: Conference, *shown: Event, capabilities: Capabilities = MAKES, rules: Rules = MINT
) -> tuple[list[tuple[str, ...]], tuple[Reading, ...], str | None]:
    """Return for which events conferences are reserved, what has to be read first, and which event drives."""
    found = judge(known, confirmed(*shown), capabilities, NOW, rules)
    reserved = [each.links for each in found.conference.replacements if each.due_at is not None]
    return reserved, found.readings, found.conference.driver


def test_a_duplicate_gets_a_conference_of_its_own_and_never_drives_the_shared_one() -> None:
    """Though it takes place first."""
    assert minted(shared(), event(), event("copy")) == ([(COPY,)], (), ref().link_key)


def test_a_duplicate_is_read_before_a_conference_is_made_for_it() -> None:
    """Its state is what the new one is to be."""
    assert minted(shared(), event()) == ([], (Reading(ref("copy")),), None)


@pytest.mark.parametrize("shown", [tombstone("copy"), event("copy", own=False)])
def test_a_duplicate_that_says_nothing_now_gets_nothing(shown: Event) -> None:
    """Its own calendar's sync will say what that means."""
    assert minted(shared(), event(), shown)[0] == []


@pytest.mark.parametrize(
    ("why", "known", "capabilities", "rules"),
    [
        ("they share by policy", shared(), MAKES, RULES),
        ("the back end makes none", shared(), Capabilities(ALL_FIELDS), MINT),
    ],
)
def test_a_duplicate_shares_the_conference_where_it_cannot_have_its_own(
    why: str, known: Conference, capabilities: Capabilities, rules: Rules
) -> None:
    """Then it drives when it takes place first."""
    found = minted(known, event(), event("copy"), capabilities=capabilities, rules=rules)
    assert (found, why) == (([], (), COPY), why)


def test_the_events_of_a_dead_conference_share_its_successor_whatever_the_policy() -> None:
    """They are told apart when they hold that."""
    found = minted(shared(gone=True), event(), event("copy"))
    assert [set(links) for links in found[0]] == [{ref().link_key, COPY}]


def test_a_duplicate_of_an_event_that_is_over_gets_the_successor_of_a_dead_conference() -> None:
    """Nobody else is left who would need it."""
    known = shared(gone=True)
    over = known.referents[ref().link_key].model_copy(update={"times": times(at(-300))})
    found = minted(known.model_copy(update={"referents": {**known.referents, ref().link_key: over}}), event("copy"))
    assert (found[0], found[2]) == ([tuple(sorted((ref().link_key, COPY)))], COPY)


def refused_for(shown: Event) -> Replacement:
    """Return what is left of a reservation for the copy that the back end refused."""
    state = project(shown, (), ALL_FIELDS)
    return Replacement(number=1, reserved_at=NOW, links=(COPY,), is_successor=False, refused=fingerprint(state))


REFUSED = shared(replacements=(refused_for(event("copy")),), replaced=1)


def test_a_duplicate_for_which_none_could_be_made_shares_and_is_not_asked_for_again() -> None:
    """Neither read for that, nor reserved once more for the very state that was refused; it may drive."""
    original_drives = REFUSED.model_copy(update={"driver": COPY, "desired": wanted()})
    assert minted(original_drives, event()) == ([], (), COPY)
    assert minted(REFUSED, event(), event("copy", colorId="7")) == ([], (), COPY)


def test_a_duplicate_for_which_none_could_be_made_is_asked_for_again_when_it_is_to_be_something_else() -> None:
    """As another operation, in place of the refused one."""
    found = judge(REFUSED, confirmed(event(), event("copy", summary="Retro")), MAKES, NOW, MINT).conference
    assert [(each.number, each.links, each.refused) for each in found.replacements] == [(2, (COPY,), "")]
    assert found.driver == ref().link_key


def test_a_duplicate_that_waits_for_its_conference_is_not_reserved_for_twice() -> None:
    """Whatever it is to be by now."""
    waiting = judge(shared(), confirmed(event(), event("copy")), MAKES, NOW, MINT).conference
    again = judge(waiting, confirmed(event(), event("copy", summary="Retro")), MAKES, at(1), MINT).conference
    assert again.replacements == waiting.replacements
    assert judge(waiting, confirmed(event()), MAKES, at(1), MINT).readings == ()


ON_ITS_WAY = Replacement(
    number=1, reserved_at=NOW, links=(ref().link_key, ref("e2").link_key), is_successor=True, due_at=NOW
)


@pytest.mark.parametrize(
    ("why", "capabilities", "replacements", "asked"),
    [
        ("nothing took its place yet", MAKES, (), True),
        ("none can be made", Capabilities(ALL_FIELDS), (), False),
        ("one is on its way", MAKES, (ON_ITS_WAY,), False),
    ],
)
def test_an_event_whose_conference_is_gone_is_read_for_its_successor(
    why: str, capabilities: Capabilities, replacements: tuple[Replacement, ...], asked: bool
) -> None:
    """Whatever event of the conference is seen."""
    driven = {"driver": ref().link_key, "desired": wanted(), "gone": True, "replacements": replacements}
    known = held_by(referent(), referent("e2", times=times(NOW + timedelta(days=9))), **driven)
    found = judge(known, confirmed(event("e2", starts=NOW + timedelta(days=9))), capabilities, NOW, RULES)
    assert (found.readings, why) == ((Reading(ref()),) if asked else (), why)


# --- generations and notes -----------------------------------------------------------------------------------------


@given(*[st.one_of(st.none(), st.integers(0, 50)) for _ in range(3)])
def test_the_next_generation_is_above_all_that_were_ever_used(
    desired: int | None, applied: int | None, intent: int | None
) -> None:
    """Wanted, applied or announced."""
    known = conference(
        desired=None if desired is None else wanted(desired),
        applied=None if applied is None else Applied(generation=applied, fingerprint="f"),
        intent=None if intent is None else Intent(generation=intent, verb="update", deadline=NOW),
    )
    assert all(next_generation(known) > (used or 0) for used in (desired, applied, intent))


def test_the_same_state_is_not_wanted_twice() -> None:
    """No difference, no generation, no call."""
    once = judged(held_by(referent()), confirmed(event())).conference
    assert judged(once, confirmed(event(colorId="3")), now=at(5)).conference == once


def test_a_new_state_waits_for_the_call_that_is_under_way() -> None:
    """One call at a time."""
    intent = Intent(generation=1, verb="update", deadline=at(1.5))
    known = held_by(referent(), driver=ref().link_key, desired=wanted(), intent=intent, call_at=at(1.5), due_at=at(1.5))
    found = judged(known, confirmed(event())).conference
    assert found.desired is not None
    assert (found.desired.generation, found.due_at) == (2, at(1.5))


@pytest.mark.parametrize(
    ("generation", "applied", "refused", "expected"),
    [(1, None, 0, True), (1, 1, 0, False), (2, 1, 0, True), (2, 1, 2, False), (3, 1, 2, True)],
)
def test_what_is_pending(generation: int, applied: int | None, refused: int, expected: bool) -> None:
    """Wanted, and neither applied nor refused."""
    told = None if applied is None else Applied(generation=applied, fingerprint="f")
    assert is_pending(conference(desired=wanted(generation), applied=told, refused=refused)) is expected
    assert not is_pending(conference(applied=told))


def test_the_history_is_short_and_says_nothing_twice_in_a_row() -> None:
    """The newest lines stay."""
    known = conference()
    for number in range(50):
        known = with_note(with_note(known, f"line {number}", NOW), f"line {number}", at(1))
    assert [note.what for note in known.history] == [f"line {n}" for n in range(50 - HISTORY_LENGTH, 50)]
    assert keep(known, "line 49", at(2)) == known


def test_no_title_or_address_gets_into_the_history() -> None:
    """It is for operators."""
    found = judged(held_by(referent()), confirmed(event(summary="Secret")), now=NOW + timedelta(minutes=1)).conference
    assert "Secret" not in " ".join(note.what for note in found.history)


# --- an orphan whose event was met, and lost, where it went ----------------------------------------------------------

BOB_KEY = person_key("bob@example.com", "default")


@pytest.mark.parametrize(
    ("why", "left", "home", "ends"),
    [
        ("it was lost there", {}, {}, True),
        ("its tombstone names that calendar's owner", {"moved_to": "Bob@example.com"}, {}, True),
        ("its tombstone names somebody else", {"moved_to": "zoe@example.com"}, {}, False),
        ("it was there before it was here", {"bound_at": at(-1)}, {}, False),
        ("it is another event", {}, {"created": at(-98)}, False),
        ("it went on from there", {}, {"continues_in": "x"}, False),
        ("nobody may speak for it there", {}, {"role": "claimed"}, False),
        ("it moved out of sight there too", {}, {"state": "orphaned"}, False),
        ("that is the calendar that it left", {}, {"calendar_key": HERE}, False),
    ],
)
def test_what_moved_out_of_sight_keeps_no_conference_that_its_newer_copy_lost(
    why: str, left: dict[str, Any], home: dict[str, Any], ends: bool
) -> None:
    """The calendar that it left could not be read until the event had lost the conference in the next one."""
    same: dict[str, Any] = {"created": at(-99), "times": UPCOMING}
    orphan = referent("e1", **{"state": "orphaned", "bound_at": at(-9), **same, **left})
    copied: dict[str, Any] = {"state": "gone", "bound_at": at(-5), "since": at(-4), "organizer": BOB_KEY}
    copy = referent("e1", **{"calendar_key": THERE, **copied, **same, **home})
    known = conference(referents={"here": orphan, "there": copy})
    found = judged(known).conference
    assert (found.end_after is not None, why) == (ends, why)
    moved_on = (found.referents["here"].state, found.referents["here"].continues_in)
    assert moved_on == (("gone", "there") if ends else ("orphaned", None))


@pytest.mark.parametrize(("last", "state"), [("gone", "gone"), ("orphaned", "orphaned")])
def test_what_moved_out_of_sight_is_lost_where_its_copy_went_on_to_be_lost(last: str, state: str) -> None:
    """Its tombstone names the first of the places to which it went."""
    same: dict[str, Any] = {"created": at(-99), "times": UPCOMING, "since": at(-4)}
    known = {
        "here": referent("e1", state="orphaned", bound_at=at(-9), moved_to="bob@example.com", **same),
        "there": referent("e1", THERE, state="gone", bound_at=at(-7), organizer=BOB_KEY, continues_in="last", **same),
        "last": referent("e1", "elsewhere", state=last, bound_at=at(-5), **same),
    }
    assert judged(conference(referents=known)).conference.referents["here"].state == state


# --- a provider that is not configured --------------------------------------------------------------------------------


def test_what_events_hold_of_an_unknown_provider_is_looked_at_again_after_a_while() -> None:
    """Nobody can say now what the conference should be; an end that is wanted is taken back all the same."""
    told = Applied(generation=1, fingerprint="f")
    known = held_by(referent(times=UPCOMING), desired=wanted(2, "ended"), applied=told, call_at=NOW)
    found = judge(known, confirmed(event()), None, NOW, RULES)
    assert found.readings == ()
    assert found.conference.desired is not None
    assert not found.conference.desired.ended
    later = NOW + timedelta(seconds=RULES.search_s)
    assert (found.conference.review_at, found.conference.due_at) == (later, later)


def test_what_lost_its_events_is_decided_to_end_whatever_its_provider() -> None:
    """It waits until that is configured again."""
    known = held_by(referent(times=UPCOMING, state="gone", since=NOW))
    assert judge(known, {}, None, NOW, RULES) == judged(known)
    assert judged(known).conference.end_after is not None
