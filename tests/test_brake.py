"""The brake, end to end in one process: a mass deletion ends nothing until an operator says so (rule R10)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from confsync.adapters.memory import MemoryStore
from confsync.administer_calendar import pause_calendar, resume_calendar
from confsync.core.brake import Scope
from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference
from confsync.core.records import Brake, Calendar
from confsync.core.rules import Rules
from confsync.decide_ends import approve_ends, held_ends, reject_ends
from confsync.errors import OutcomeUnknown, ProviderBusy
from confsync.hold_end import HeldEnd
from confsync.ports import ConferenceCall
from confsync.sync_calendar import SyncOutcome, SyncRequest, sync_calendar
from confsync.update_conference import UpdateOutcome, update_conference
from tests.world import ALL_FIELDS, ANN, BOB, PUSH, World

TEAM = "team@group.example.com"
HOUR_S = 3600
FEW = Rules(calendar_brake=3, tenant_brake=50, calendar_brake_share=0.1, tenant_brake_share=0.1)
"""More than three ends of a calendar within an hour are too many."""


def peopled(rules: Rules, capabilities: Capabilities | None = None, **counts: int) -> tuple[World, dict[str, str]]:
    """Return a world with so many events for each person, by conference id: `ann0`, `ann1` ..."""
    world = World(rules=rules, capabilities=capabilities)
    people = {"ann": ANN, "bob": BOB}
    events = {
        f"{name}{n}": world.add(f"Meeting {n}", f"{name}{n}", who=people[name])
        for name, count in counts.items()
        for n in range(count)
    }
    world.settle()
    return world, events


def delete_at_once(world: World, events: dict[str, str], *conference_ids: str) -> None:
    """Delete events so that one sync of each calendar finds all of them."""
    world.lose_pushes = True
    for conference_id in conference_ids:
        world.delete(events[conference_id], who=ANN if conference_id.startswith("ann") else BOB)
    world.lose_pushes = False
    for who in {ANN if conference_id.startswith("ann") else BOB for conference_id in conference_ids}:
        world.push(who)


def ended(world: World) -> set[str]:
    """Return the conferences that the back end was told to end."""
    return {call.conference_id for call in world.provider.calls if call.state is None}


def held(world: World) -> set[str]:
    """Return the conferences whose end is held."""
    return {conference.conference_id for conference in held_ends(world.store, "default")}


def holds(world: World) -> list[HeldEnd]:
    """Return what the log heard of held ends, the oldest first."""
    updates: list[UpdateOutcome] = []
    for outcome in world.outcomes:
        updates.extend(outcome.updates if isinstance(outcome, SyncOutcome) else [outcome])
    return [update.held for update in updates if update.held is not None]


def alerts(world: World) -> list[HeldEnd]:
    """Return what an operator was called for."""
    return [each for each in holds(world) if each.alert]


def key(conference_id: str) -> str:
    """Return the key of a conference."""
    return Conference.key_for("default", "acme", conference_id)


def approve(world: World, *conference_ids: str) -> int:
    """Say that these conferences may end."""
    return approve_ends([key(each) for each in conference_ids], world.outside, world.rules)


def reject(world: World, *conference_ids: str) -> int:
    """Say that these conferences stay."""
    return reject_ends([key(each) for each in conference_ids], world.outside)


def test_of_a_mass_deletion_nothing_ends() -> None:
    """With the usual numbers, however many transactions its sync takes: all are held, one alert, then quiet."""
    world, events = peopled(Rules(), ann=120)
    world.model.calendar_clear(ANN, "primary")
    world.settle()
    assert (ended(world), held(world)) == (set(), set(events))
    assert [(each.hold.scope, each.hold.count, each.hold.limit) for each in alerts(world)] == [("calendar", 120, 24)]
    assert len(holds(world)) == 120
    told = len(world.provider.calls)
    world.advance(7 * HOUR_S)
    assert (len(holds(world)), len(world.provider.calls)) == (120, told)
    assert world.store.conferences_due("default", world.now, 999) == []


def test_everything_else_flows_on() -> None:
    """Changes, new conferences and the end of a conference in another calendar are not held up."""
    world, events = peopled(FEW, ann=8, bob=1)
    delete_at_once(world, events, "ann0", "ann1", "ann2", "ann3")
    world.settle()
    world.edit(events["ann7"], summary="Changed")
    world.add("New", "new")
    world.delete(events["bob0"], who=BOB)
    world.settle()
    assert world.told("ann7").title == "Changed"
    assert world.told("new").title == "New"
    assert ended(world) == {"bob0"}
    assert len(held(world)) == 4


def test_one_above_the_limit_is_held_and_the_limit_is_not() -> None:
    """Three of three are ended, four of three are not."""
    at_limit, events = peopled(FEW, ann=8)
    delete_at_once(at_limit, events, "ann0", "ann1", "ann2")
    at_limit.settle()
    assert (ended(at_limit), held(at_limit)) == ({"ann0", "ann1", "ann2"}, set())
    above, events = peopled(FEW, ann=8)
    delete_at_once(above, events, "ann0", "ann1", "ann2", "ann3")
    above.settle()
    assert (ended(above), held(above)) == (set(), {"ann0", "ann1", "ann2", "ann3"})


@pytest.mark.parametrize(("deleted", "is_held"), [(5, False), (6, True)])
def test_the_limit_of_a_large_calendar_is_a_share_of_it(deleted: int, is_held: bool) -> None:
    """Half of ten conferences, counted while the deleted ones still wait."""
    world, events = peopled(Rules(calendar_brake=2, calendar_brake_share=0.5), ann=10)
    delete_at_once(world, events, *list(events)[:deleted])
    world.settle()
    assert len(held(world)) == (deleted if is_held else 0)


def test_the_ends_of_all_calendars_count_for_their_tenant() -> None:
    """Each calendar stays below its limit, both together exceed the tenant's: the operator is called once."""
    rules = Rules(calendar_brake=3, tenant_brake=4, tenant_brake_share=0.1)
    world, events = peopled(rules, ann=5, bob=5)
    delete_at_once(world, events, "ann0", "ann1", "ann2", "bob0", "bob1")
    world.settle()
    assert (ended(world), len(held(world))) == (set(), 5)
    assert [(each.hold.scope, each.hold.count, each.hold.limit) for each in alerts(world)] == [("tenant", 5, 4)]


def test_an_end_counts_for_every_calendar_that_owned_the_conference() -> None:
    """Half of a calendar's meetings moved away before all were deleted: the other calendar's syncs find those ends."""
    world, events = peopled(FEW, ann=4)
    world.model.add_calendar(TEAM, ANN)
    world.initialize(calendar_id=TEAM)
    for conference_id in ("ann0", "ann1"):
        world.move(events[conference_id], TEAM)
    world.settle()
    for conference_id in ("ann0", "ann1"):
        world.delete(events[conference_id], calendar_id=TEAM)
    for conference_id in ("ann2", "ann3"):
        world.delete(events[conference_id])
    world.settle()
    assert (ended(world), held(world)) == (set(), set(events))


def test_each_scope_raises_its_own_alert_once_an_hour() -> None:
    """A calendar above its limit calls for an operator, then the tenant; both again an hour later."""
    rules = Rules(calendar_brake=3, tenant_brake=4, tenant_brake_share=0.1, calendar_brake_share=0.1)
    world, events = peopled(rules, ann=10, bob=10)
    for n in (0, 4):
        delete_at_once(world, events, *(f"ann{i}" for i in range(n, n + 4)), f"bob{n}")
        world.settle()
        delete_at_once(world, events, f"bob{n + 1}")
        world.advance(HOUR_S)
    assert [each.hold.scope for each in alerts(world)] in (["calendar", "tenant"] * 2, ["tenant", "calendar"] * 2)
    assert len(held(world)) == 12


def test_what_is_decided_later_flows_again() -> None:
    """An hour after a mass deletion single ends are carried out; those that were held stay held."""
    world, events = peopled(FEW, ann=9)
    delete_at_once(world, events, "ann0", "ann1", "ann2", "ann3")
    world.settle()
    delete_at_once(world, events, "ann4")
    world.settle()
    assert (ended(world), len(held(world))) == (set(), 5)
    world.advance(HOUR_S)
    delete_at_once(world, events, "ann5")
    world.settle()
    assert (ended(world), len(held(world))) == ({"ann5"}, 5)


def test_approved_ends_are_carried_out() -> None:
    """All that the operator names end at once, and no others."""
    world, events = peopled(FEW, ann=6)
    delete_at_once(world, events, *events)
    world.settle()
    assert approve(world, *list(events)[:5]) == 5
    world.advance(5)
    assert (ended(world), held(world)) == (set(list(events)[:5]), {"ann5"})
    assert approve(world, *list(events)[:5]) == 0


def test_an_approved_end_stays_approved_while_its_back_end_is_busy() -> None:
    """The brake is still on when the call is repeated."""
    world, events = peopled(FEW, ann=4)
    delete_at_once(world, events, *events)
    world.settle()
    refusals = ["once"]

    def refuse(_: ConferenceCall) -> None:
        if refusals:
            raise ProviderBusy(refusals.pop(), retry_after_s=300)

    world.provider.before = refuse
    approve(world, "ann0")
    world.advance(5)
    assert (refusals, ended(world)) == ([], set())
    world.settle()
    assert ended(world) == {"ann0"}


def test_an_approved_end_has_its_last_look() -> None:
    """An event that is back, though nobody heard of it, keeps its conference."""
    world, events = peopled(FEW, ann=5)
    delete_at_once(world, events, *events)
    world.settle()
    world.lose_pushes = True
    world.restore(events["ann0"])
    approve(world, *events)
    world.settle()
    assert ended(world) == {"ann1", "ann2", "ann3", "ann4"}
    assert world.conference("ann0").brake == "none"


def test_the_approved_end_of_a_meeting_that_is_over_is_kept() -> None:
    """What was held keeps its reports, whatever the brake and the operator said."""
    world, events = peopled(FEW, ann=4)
    delete_at_once(world, events, *events)
    world.settle()
    world.advance(2 * 24 * HOUR_S)
    assert approve(world, *events) == 4
    world.settle()
    assert (ended(world), held(world)) == (set(), set())


def test_rejected_ends_stay_rejected() -> None:
    """Neither later syncs, nor a listing of everything, nor time ends a conference that an operator kept."""
    world, events = peopled(FEW, ann=6)
    delete_at_once(world, events, "ann0", "ann1", "ann2", "ann3")
    world.settle()
    assert reject(world, "ann0", "ann1", "ann2", "ann3") == 4
    world.advance(2 * HOUR_S)
    world.model.expire_sync_tokens()
    world.edit(events["ann5"], summary="Changed")
    world.advance(7 * HOUR_S)
    assert world.calendar().full_listings > 1
    assert (ended(world), held(world)) == (set(), set())
    assert {world.conference(f"ann{n}").brake for n in range(4)} == {"rejected"}
    assert reject(world, "ann0") == 0


@pytest.mark.parametrize("word", ["held", "rejected"])
def test_a_claim_of_somebody_else_changes_nothing_about_what_was_said(word: str) -> None:
    """The conference is judged anew, but its end is not decided anew."""
    world, events = peopled(FEW, ann=4, bob=1)
    delete_at_once(world, events, "ann0", "ann1", "ann2", "ann3")
    world.settle()
    if word == "rejected":
        reject(world, "ann0")
    world.create("A copy", "ann0", who=BOB)
    world.advance(5)
    judged = world.conference("ann0")
    assert "claimed" in {referent.role for referent in judged.referents.values()}
    assert (judged.brake, judged.end_after) == (word, None)
    world.settle()
    assert (ended(world), len(holds(world))) == (set(), 4)


@pytest.mark.parametrize("word", ["nothing", "approve", "reject"])
def test_an_event_that_comes_back_frees_its_conference(word: str) -> None:
    """Whatever an operator said meanwhile, it is kept without a call, and a later deletion ends it the usual way."""
    world, events = peopled(FEW, ann=5)
    delete_at_once(world, events, *events)
    world.settle()
    told = len(world.provider.calls)
    if word == "approve":
        world.restore(events["ann0"])
        approve(world, "ann0")
    elif word == "reject":
        reject(world, "ann0")
        world.restore(events["ann0"])
    else:
        world.restore(events["ann0"])
    world.settle()
    freed = world.conference("ann0")
    assert (freed.brake, freed.hold, freed.end_after) == ("none", None, None)
    assert len(world.provider.calls) == told
    world.advance(2 * HOUR_S)
    world.delete(events["ann0"])
    world.settle()
    assert ended(world) == {"ann0"}


def busy_world(capabilities: Capabilities | None = None) -> tuple[World, dict[str, str]]:
    """Return a world in which one end is wanted but waits for a busy back end, and then too many are decided."""
    world, events = peopled(FEW, capabilities, ann=6)

    def refuse_ends(call: ConferenceCall) -> None:
        if call.state is None:
            raise ProviderBusy("wait", retry_after_s=900)

    world.provider.before = refuse_ends
    delete_at_once(world, events, "ann0")
    world.advance(120)
    assert world.conference("ann0").call_at is not None
    delete_at_once(world, events, "ann1", "ann2", "ann3", "ann4")
    world.advance(120)
    world.provider.before = lambda _: None
    world.advance(900)
    return world, events


def test_an_end_that_waits_for_its_back_end_is_held_too() -> None:
    """It was wanted before the brake came on, and is not told until an operator approves."""
    world, _ = busy_world()
    assert (ended(world), len(held(world))) == (set(), 5)
    assert world.conference("ann0").due_at is not None  # when it is reviewed, not when it is told
    assert world.store.conferences_due("default", world.now, 99) == []
    approve(world, "ann0")
    world.settle()
    assert ended(world) == {"ann0"}


def test_an_end_that_was_wanted_can_be_rejected() -> None:
    """Nothing is wanted that was not told before; when the event is back and has changed, that is told."""
    world, events = busy_world()
    told = len(world.provider.calls)
    reject(world, "ann0")
    world.settle()
    kept = world.conference("ann0")
    assert kept.desired is not None
    assert (kept.desired.ended, kept.brake, len(world.provider.calls)) == (False, "rejected", told)
    world.restore(events["ann0"])
    world.edit(events["ann0"], summary="Changed")
    world.settle()
    assert world.told("ann0").title == "Changed"
    assert world.conference("ann0").brake == "none"


def test_an_end_that_may_have_been_carried_out_is_not_held() -> None:
    """Where no answer came the call is repeated, though the brake came on: the conference may be gone already."""
    world, events = peopled(FEW, Capabilities(ALL_FIELDS, restores=True), ann=6)
    lost = ["the first answer"]

    def lose_answer(call: ConferenceCall) -> None:
        if call.state is None and lost:
            lost.pop()
            raise OutcomeUnknown("no answer")

    world.provider.before = lose_answer
    delete_at_once(world, events, "ann0")
    world.advance(61)
    assert world.conference("ann0").intent is not None
    delete_at_once(world, events, "ann1", "ann2", "ann3", "ann4")
    world.settle()
    assert (ended(world), held(world)) == ({"ann0"}, {"ann1", "ann2", "ann3", "ann4"})


@pytest.mark.parametrize("pause", [timedelta(minutes=50), timedelta(minutes=61), timedelta(hours=5)])
def test_ends_that_pile_up_are_held_together(pause: timedelta) -> None:
    """However long the worker was down between the decision and the ends."""
    world, events = peopled(FEW, ann=6)
    delete_at_once(world, events, *events)
    world.advance(1)
    world.now += pause
    world.settle()
    assert (ended(world), len(held(world))) == (set(), 6)


def test_few_ends_that_waited_for_long_are_carried_out() -> None:
    """After one more grace period."""
    world, events = peopled(FEW, ann=6)
    delete_at_once(world, events, "ann0", "ann1")
    world.advance(1)
    world.now += timedelta(hours=5)
    world.advance(30)
    assert ended(world) == set()
    world.settle()
    assert (ended(world), held(world)) == ({"ann0", "ann1"}, set())


def test_what_was_decided_while_nothing_was_told_is_held_when_it_is() -> None:
    """A system that only observed for days does not end everything at once when it begins to act."""
    world, events = peopled(FEW, ann=9)
    acting = world.terms
    world.terms = replace(acting, rules=replace(FEW, mode="observe"))
    for conference_id in list(events)[:5]:
        world.delete(events[conference_id])
        world.advance(2 * HOUR_S)
    assert (ended(world), held(world)) == (set(), set())
    world.terms = acting
    world.settle()
    assert (ended(world), len(held(world))) == (set(), 5)


def test_a_long_grace_period_does_not_outlast_the_brake() -> None:
    """The ends of a mass deletion are counted by the hour in which they were decided."""
    rules = Rules(calendar_brake=3, calendar_brake_share=0.1, grace_s=4 * HOUR_S)
    world, events = peopled(rules, ann=6)
    delete_at_once(world, events, *events)
    world.advance(5 * HOUR_S)
    assert (ended(world), len(held(world))) == (set(), 6)


def test_ends_that_are_decided_at_the_same_time_are_all_counted() -> None:
    """Two syncs whose ends are counted in the same records run into each other: the loser counts anew."""
    store = MemoryStore()
    world = World(rules=Rules(tenant_brake=50), store=store)
    share = Calendar.key_for("default", ANN, ANN)[0]
    emails = (f"user{n}@example.com" for n in range(999))
    carl = next(email for email in emails if Calendar.key_for("default", email, email)[0] == share)
    world.model.add_user(carl)
    events = {who: world.add("Meeting", who.partition("@")[0], who=who) for who in (ANN, carl)}
    world.settle()
    world.lose_pushes = True
    world.delete(events[ANN])
    world.delete(events[carl], who=carl)
    interruptions = [lambda: sync_calendar(SyncRequest(world.calendar(carl).key), world.outside, world.terms)]

    def interrupt(_: str) -> None:
        conference = world.conference("ann")
        if interruptions and conference.end_after is None and world.calendar().lease is not None:
            interruptions.pop()()

    store.before_commit = interrupt
    sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
    brakes = store.get_many(Brake, Scope("default").keys)
    assert not interruptions
    assert sum(sum(brake.decided.values()) for brake in brakes.values()) == 2


def due_world() -> tuple[World, list[str], Callable[[Callable[[], object]], None]]:
    """Return a world whose ends are due now, and how to let something happen just before the next transaction."""
    interruptions: list[Callable[[], object]] = []

    def interrupt(name: str) -> None:
        if name == "transact" and interruptions:
            interruptions.pop()()

    world = World(rules=FEW, store=MemoryStore(on_call=interrupt))
    events = {f"ann{n}": world.add("Meeting", f"ann{n}") for n in range(4)}
    world.settle()
    delete_at_once(world, events, *events)
    world.advance(1)
    world.now += timedelta(seconds=61)
    return world, list(events.values()), interruptions.append


def test_a_held_end_costs_no_look_at_the_calendar() -> None:
    """The brake comes before the last look: hundreds of ends do not use up the quota."""
    world, _, _ = due_world()
    world.calendar_calls.clear()
    assert update_conference(key("ann0"), world.outside, world.terms).status == "held"
    assert world.calendar_calls == []


def test_an_event_that_comes_back_at_the_last_moment_is_not_held() -> None:
    """A sync found it between the look at the brake and the record that would say so."""
    world, events, interrupt = due_world()
    assert update_conference(key("ann1"), world.outside, world.terms).status == "held"

    def come_back() -> None:
        world.restore(events[0])
        sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)

    interrupt(come_back)
    update_conference(key("ann0"), world.outside, world.terms)
    world.settle()
    assert world.conference("ann0").brake == "none"
    assert (ended(world), held(world)) == (set(), {"ann1", "ann2", "ann3"})


def test_an_end_that_waited_for_long_is_counted_once_by_two_workers() -> None:
    """The slower one finds that its grace period began again."""
    world, _, interrupt = due_world()
    world.now += timedelta(hours=5)
    interrupt(lambda: update_conference(key("ann0"), world.outside, world.terms))
    update_conference(key("ann0"), world.outside, world.terms)
    brakes = world.store.get_many(Brake, Scope("default").keys)
    assert sum(sum(brake.decided.values()) for brake in brakes.values()) == 1


def test_conferences_are_counted_once_for_many_held_ends() -> None:
    """The size of a tenant is read once an hour, not once per end."""
    asked: list[str] = []
    store = MemoryStore(on_call=asked.append)
    world = World(rules=Rules(calendar_brake=99, tenant_brake=3, tenant_brake_share=0.1), store=store)
    events = {f"ann{n}": world.add("Meeting", f"ann{n}") for n in range(8)}
    world.settle()
    delete_at_once(world, events, *events)
    asked.clear()
    world.settle()
    assert asked.count("all_of") == 2  # a page, and the empty one after it
    assert len(held(world)) == 8


def test_nothing_is_counted_where_nothing_ends() -> None:
    """A sync that decides no end reads and writes no brake."""
    world, events = peopled(FEW, ann=2)
    world.edit(events["ann0"], summary="Changed")
    world.settle()
    assert world.store.all_of(Brake, after="", limit=9) == []


def test_an_end_that_was_held_and_never_told_leaves_a_conference_that_needs_no_other() -> None:
    """A back end that cannot revive what ended is not asked for a new one: nothing ended."""
    world, events = busy_world(Capabilities(ALL_FIELDS, restores=False, creates=True))
    world.restore(events["ann0"])
    world.settle()
    freed = world.conference("ann0")
    assert (freed.brake, freed.replacements, freed.gone) == ("none", (), False)
    assert world.told("ann0").title == "Meeting 0"


def put_off(world: World, event_id: str, hours: float) -> None:
    """Delete an event, and let its calendar be out of sight from before its end is due."""
    world.delete(event_id)
    world.advance(5)
    world.model.suspend(ANN)
    world.advance(hours * 3600)
    world.model.reinstate(ANN)


def test_an_end_that_was_put_off_is_held_with_those_that_were_decided_meanwhile() -> None:
    """Its turn comes when the others' hour is over; the brake counts from its decision on."""
    world = World(rules=Rules(tenant_brake=1, calendar_brake=9, tenant_brake_share=0, brake_s=600, frozen_retry_s=2000))
    world.initialize(who=BOB)
    first = world.add("First", "ann0")
    others = [world.add(f"Other {n}", f"bob{n}", who=BOB) for n in range(2)]
    world.settle()
    world.delete(first)
    world.advance(5)
    world.model.suspend(ANN)
    world.advance(600)
    for event_id in others:
        world.delete(event_id, who=BOB)
    world.advance(1000)
    world.model.reinstate(ANN)
    world.advance(2 * 3600)
    assert (ended(world), held(world)) == (set(), {"ann0", "bob0", "bob1"})


def test_an_end_that_was_put_off_for_long_is_counted_once_more_when_it_can_be_carried_out() -> None:
    """Not each time that its turn comes while nothing can be read."""
    world = World(rules=Rules(tenant_brake=1, calendar_brake=9, tenant_brake_share=0, frozen_retry_s=900))
    first = world.add("First", "ann0")
    world.settle()
    put_off(world, first, hours=9)
    decided = [sum(each.decided.values()) for each in world.store.all_of(Brake, after="", limit=99)]
    assert max(decided) == 1
    world.advance(3 * 3600)
    assert (ended(world), held(world)) == ({"ann0"}, set())


@pytest.mark.parametrize("was_claim", [True, False])
def test_an_approved_end_waits_for_an_event_that_the_add_on_vouched_for_meanwhile(was_claim: bool) -> None:
    """Its calendar is paused: it may hold the conference, whether it was seen there as a claim or not at all."""
    world, events = peopled(FEW, ann=8, bob=1)
    world.lose_pushes = True
    copied = world.create("Copied", "ann0", who=BOB)
    if was_claim:
        world.push(BOB)
        world.settle()
    pause_calendar(world.calendar(BOB).key, "nobody may look", world.outside)
    delete_at_once(world, events, "ann0", "ann1", "ann2", "ann3")
    world.settle()
    world.initialize("ann0", copied, who=BOB)
    approve(world, *held(world))
    world.settle()
    world.advance(HOUR_S)
    assert ended(world) == {"ann1", "ann2", "ann3"}
    world.delete(copied, who=BOB)
    resume_calendar(world.calendar(BOB).key, world.outside, PUSH, world.rules)
    world.advance(12 * HOUR_S)
    assert "ann0" in ended(world)
