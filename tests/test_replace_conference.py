"""Conferences that take the place of another: one that cannot come back, one that a duplicate would share."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial

import pytest

from confsync.adapters.memory import MemoryStore
from confsync.core import replacing
from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference, Replacement
from confsync.core.owners import owners_of
from confsync.core.rules import Rules
from confsync.errors import (
    CalendarUnavailable,
    ConferenceGone,
    OutcomeUnknown,
    ProviderBusy,
    ProviderRefusesUs,
    ProviderRejected,
)
from confsync.local.calendar_server.people import addon_conference
from confsync.local.calendar_server.records import Role
from confsync.ports import ConferenceCall, CreateCall, CreatedConference
from confsync.replace_conference import replace_conference
from confsync.stored_replacement import StoredReplacement
from confsync.sync_calendar import SyncRequest, sync_calendar
from tests.world import ALL_FIELDS, ANN, Crash, World, times

MAKES = Capabilities(ALL_FIELDS, ordered_writes=True, creates=True)
"""Ended for good is ended for good, but it makes new ones."""
MINT = Rules(duplicates="mint")


def names(world: World, event_id: str) -> str | None:
    """Return the conference id that an event holds now."""
    data: dict[str, str] = world.model.get(ANN, "primary", event_id).get("conferenceData", {})
    return data.get("conferenceId")


def ended_and_restored(world: World) -> str:
    """Let an event lose its conference for good and come back from the trash."""
    event_id = world.add("Planning", "c1")
    world.settle()
    world.delete(event_id)
    world.settle()
    assert world.told("c1") is None
    world.edit(event_id, status="confirmed")
    return event_id


def duplicated(world: World) -> tuple[str, str]:
    """Let an event be duplicated a while after it was made."""
    event_id = world.add("Planning", "c1")
    world.settle()
    return event_id, str(world.model.duplicate(ANN, "primary", event_id)["id"])


def written(world: World) -> int:
    """Return how often an event was written."""
    return world.calendar_calls.count("events.update")


def test_an_event_that_comes_back_after_its_conference_ended_for_good_gets_another() -> None:
    """It holds the new one, which was told its state when it was made, and nothing is called after that."""
    world = World(capabilities=MAKES)
    event_id = ended_and_restored(world)
    world.settle()
    assert names(world, event_id) == "c1-n1"
    assert world.told("c1-n1").title == "Planning"
    assert world.told("c1") is None
    assert world.conference("c1").gone
    assert list(owners_of(world.conference("c1-n1"), "live")) == list(world.conference("c1-n1").registered)
    calls = len(world.provider.calls)
    world.settle()
    assert (len(world.provider.calls), written(world), world.failures()) == (calls, 1, [])


def test_a_conference_that_the_back_end_lost_is_replaced() -> None:
    """The event lives, so its conference has to."""
    world = World(capabilities=MAKES)
    event_id = world.add("Planning", "c1")
    world.settle()

    def forgotten(call: ConferenceCall) -> None:
        if call.conference_id == "c1":
            raise ConferenceGone("no such conference")

    world.provider.before = forgotten
    world.edit(event_id, summary="Retro")
    world.settle()
    assert names(world, event_id) == "c1-n1"
    assert world.told("c1-n1").title == "Retro"
    world.edit(event_id, summary="Review")
    world.settle()
    assert world.told("c1-n1").title == "Review"


def test_a_back_end_that_makes_none_leaves_a_failure() -> None:
    """Nothing is written to the event, and an operator can see why."""
    world = World(capabilities=Capabilities(ALL_FIELDS))
    event_id = ended_and_restored(world)
    world.settle()
    assert (names(world, event_id), written(world), len(world.failures())) == ("c1", 0, 1)


@pytest.mark.parametrize("error", [OutcomeUnknown("lost"), ProviderBusy("later", 40), ProviderRefusesUs("who?")])
@pytest.mark.parametrize("after", [False, True])
def test_a_creation_that_is_not_answered_is_asked_again_as_the_same_operation(error: Exception, after: bool) -> None:
    """The back end makes one conference of all attempts."""
    world, attempts = World(capabilities=MAKES), list[str]()

    def fail_once(call: CreateCall) -> None:
        attempts.append(call.operation_id)
        if len(attempts) == 1:
            raise error

    setattr(world.provider, "after_create" if after else "before_create", fail_once)
    event_id = ended_and_restored(world)
    world.advance(2000)
    assert names(world, event_id) == "c1-n1"
    assert len(attempts) == 2
    assert len(set(attempts)) == len(world.provider.created) == 1


@pytest.mark.parametrize(("moment", "refusals"), [("before it is announced", 1), ("before it is answered", 2)])
def test_a_worker_that_is_told_to_wait_forgets_no_creation_that_another_began(moment: str, refusals: int) -> None:
    """The other dies as it asks, and then the event is lost: what was made ends. Nor do both ask at once."""
    store, refused = MemoryStore(), list[str]()
    world = World(capabilities=MAKES, store=store)
    go_on = partial(replace_conference, Conference.key_for("default", "acme", "c1"), world.outside, world.terms)

    def busy(call: CreateCall) -> None:
        refused.append(call.operation_id)
        raise ProviderBusy("later", 40)

    def dies(_: CreateCall) -> None:
        raise Crash

    def another_goes_on(_: object) -> None:
        store.on_call, world.provider.before_create, world.provider.after_create = None, lambda _: None, dies
        world.now += timedelta(seconds=world.rules.intent_s)
        with pytest.raises(Crash):
            go_on()
        world.provider.before_create, world.provider.after_create = busy, lambda _: None

    def another_then_busy(call: CreateCall) -> None:
        another_goes_on(call)
        busy(call)

    world.provider.before_create = busy
    event_id = ended_and_restored(world)
    world.advance(10)
    world.now += timedelta(seconds=40)
    if moment == "before it is announced":
        store.on_call = lambda called: another_goes_on(called) if called == "transact" else None
    else:
        world.provider.before_create = another_then_busy
    go_on()
    assert len(refused) == refusals
    world.provider.before_create = lambda _: None
    world.edit(event_id, conferenceData=None)
    world.advance(2 * 24 * 3600)
    assert [call.conference_id for call in world.provider.calls if call.state is None] == ["c1", "c1-n1"]


def test_a_worker_that_was_held_up_after_it_announced_a_creation_does_not_ask_any_more() -> None:
    """Another one may have asked since, and may have given it up."""
    store, announced_at, asked_after = MemoryStore(), list[datetime](), list[float]()
    world = World(capabilities=MAKES, store=store)

    def hold_up(called: str) -> None:
        stored = world.conference("c1") if called == "transact" and world.provider.calls else None
        if stored is not None and any(each.perhaps_made for each in stored.replacements) and not announced_at:
            announced_at.append(world.now)
            world.now += timedelta(seconds=world.rules.leave_within_s + 1)

    store.after_call = hold_up
    world.provider.before_create = lambda _: asked_after.append((world.now - announced_at[0]).total_seconds())
    event_id = ended_and_restored(world)
    world.advance(2000)
    assert names(world, event_id) == "c1-n1"
    assert [after > world.rules.leave_within_s + 1 for after in asked_after] == [True]


@pytest.mark.parametrize("operation", ["events.get", "events.update"])
@pytest.mark.parametrize("error", [CalendarUnavailable("down"), Crash()])
def test_a_relink_that_breaks_off_is_taken_up_again(operation: str, error: BaseException) -> None:
    """What was made is stored before the event is written."""
    world = World(capabilities=MAKES)
    event_id = ended_and_restored(world)
    broken = list[str]()

    def fail_once(called: str) -> None:
        if called == operation and world.provider.created and not broken:
            broken.append(called)
            raise error

    world.before_calendar = fail_once
    until_settled(world)
    assert broken
    assert (names(world, event_id), len(world.provider.created)) == ("c1-n1", 1)


def until_settled(world: World) -> None:
    """Settle, and go on where the process died."""
    for _ in range(3):
        try:
            world.advance(700)
        except Crash:
            continue


def during_the_relink(world: World, act: Callable[[], object], before: str = "events.update") -> None:
    """Let somebody act between the last look at the event and the write, or before that look."""
    acted = list[str]()

    def between(called: str) -> None:
        if called == before and world.provider.created and not acted:
            acted.append(called)
            act()

    world.before_calendar = between


def test_an_event_that_changes_meanwhile_is_read_again_and_its_change_stays() -> None:
    """The write is conditional."""
    world = World(capabilities=MAKES)
    event_id = ended_and_restored(world)
    during_the_relink(world, lambda: world.edit(event_id, summary="Retro"))
    world.settle()
    assert world.model.get(ANN, "primary", event_id)["summary"] == "Retro"
    assert names(world, event_id) == "c1-n1"
    assert world.told("c1-n1").title == "Retro"


@pytest.mark.parametrize("moment", ["before_create", "after_create"])
def test_an_event_that_comes_back_while_the_successor_is_made_gets_it(moment: str) -> None:
    """A sync adds it to the reservation during the call; that for which it is made holds the old one no more."""
    world = World(capabilities=MAKES)
    first = world.add("Planning", "c1")
    second = world.duplicate(first)
    world.settle()
    for event_id in (first, second):
        world.delete(event_id)
    world.settle()
    assert world.told("c1") is None

    def change_both(_: CreateCall) -> None:
        setattr(world.provider, moment, lambda _: None)
        world.lose_pushes = True
        world.edit(first, conferenceData=None)
        world.restore(second)
        sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
        assert len(world.conference("c1").replacements[0].links) == 2

    setattr(world.provider, moment, change_both)
    world.restore(first)
    until_settled(world)
    assert [names(world, event_id) for event_id in (first, second)] == [None, "c1-n1"]
    assert len(owners_of(world.conference("c1-n1"), "live")) == 1


def test_an_event_that_loses_its_conference_meanwhile_is_not_written_and_what_was_made_ends() -> None:
    """A conference that no event ever held is as good as a discarded draft."""
    world = World(capabilities=MAKES)
    event_id = ended_and_restored(world)
    during_the_relink(world, lambda: world.edit(event_id, conferenceData=None))
    world.settle()
    assert names(world, event_id) is None
    assert world.told("c1-n1") is not None
    world.now += timedelta(days=1, minutes=1)
    world.settle()
    assert world.told("c1-n1") is None


@pytest.mark.parametrize("is_written", [False, True])
def test_a_successor_that_was_written_nowhere_does_not_wait_for_an_event_that_moved_out_of_sight(
    is_written: bool,
) -> None:
    """Nobody can hold it; one of which only the answer to the write was lost is kept, since its event may."""
    world = World(capabilities=MAKES, rules=Rules(draft_s=600))
    world.model.add_calendar("team@group.example.com", ANN)
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(days=9)))
    world.settle()
    world.delete(event_id)
    world.settle()
    world.lose_pushes = True

    def move_away(_: object) -> None:
        world.provider.after_create = lambda _: None
        world.move(event_id, "team@group.example.com")

    def write_and_move(called: str) -> None:
        if called == "events.update":
            world.before_calendar = lambda _: None
            world.edit(event_id, conferenceData=addon_conference("c1-n1"))
            move_away(called)

    if is_written:
        world.before_calendar = write_and_move
    else:
        world.provider.after_create = move_away
    world.restore(event_id)
    world.push(ANN)
    world.advance(4 * 3600)
    assert (world.told("c1-n1") is not None) == is_written


@pytest.mark.parametrize("role", ["reader", "freeBusyReader", "none"])
@pytest.mark.parametrize("before", ["events.update", "events.get"])
def test_an_event_that_cannot_be_read_or_written_now_is_written_later(before: str, role: Role) -> None:
    """Lost access costs time only."""
    world = World(capabilities=MAKES)
    team = "team@group.example.com"
    world.model.add_calendar(team, ANN, roles={"zoe@example.com": "owner"})
    event_id = world.add("Planning", "c1", calendar_id=team)
    world.settle()
    world.delete(event_id, calendar_id=team)
    world.settle()
    world.edit(event_id, calendar_id=team, status="confirmed")
    during_the_relink(world, lambda: world.model.share(team, {ANN: role}), before)
    world.settle()
    assert world.told("c1-n1") is not None
    world.model.share(team, {ANN: "owner"})
    world.advance(2 * 3600)
    assert world.model.get(ANN, team, event_id)["conferenceData"]["conferenceId"] == "c1-n1"


def test_the_parts_of_a_split_series_get_one_successor_also_when_one_comes_back_later() -> None:
    """One conference per series, whatever it is called."""
    world = World(capabilities=MAKES)
    rules = ["RRULE:FREQ=DAILY;COUNT=6"]
    first = world.add("Daily", "c1", recurrence=rules)
    world.settle()
    instance = world.model.instances(ANN, "primary", first)["items"][3]
    second = str(world.model.edit_this_and_following(ANN, "primary", instance["id"], {"summary": "Later"})["id"])
    world.settle()
    world.delete(first)
    world.delete(second)
    world.settle()
    assert world.told("c1") is None
    world.edit(first, status="confirmed")
    world.settle()
    world.edit(second, status="confirmed")
    world.settle()
    assert (names(world, first), names(world, second)) == ("c1-n1", "c1-n1")
    assert len(owners_of(world.conference("c1-n1"), "live")) == 2
    assert len(world.provider.created) == 1


def test_an_event_in_which_somebody_puts_the_dead_conference_back_gets_the_successor_again() -> None:
    """The successor is remembered."""
    world = World(capabilities=MAKES)
    event_id = ended_and_restored(world)
    world.settle()
    for _ in range(2):
        world.edit(event_id, conferenceData=addon_conference("c1"))
        world.settle()
        assert names(world, event_id) == "c1-n1"
    assert (len(world.provider.created), written(world)) == (1, 3)


def test_an_event_in_which_the_dead_conference_is_back_before_its_successor_counts_as_written_gets_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sync sees that while the replacement is still under way, and would not see it again."""
    world = World(capabilities=MAKES)
    event_id = ended_and_restored(world)
    done, put_back = replacing.done, list[str]()

    def done_too_late(conference: Conference, replacement: Replacement, relinked: Collection[str]) -> Conference:
        if not put_back:
            put_back.append(event_id)
            world.edit(event_id, conferenceData=addon_conference("c1"))
            sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
        return done(conference, replacement, relinked)

    monkeypatch.setattr(replacing, "done", done_too_late)
    world.settle()
    assert put_back
    world.advance(600)
    assert names(world, event_id) == "c1-n1"


def test_an_event_that_comes_back_as_its_reservation_is_dropped_gets_a_successor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sync sees it come back while the reservation still stands, and would not see it again."""
    world = World(capabilities=MAKES, rules=Rules(inline_updates=0))
    event_id = ended_and_restored(world)

    def busy(_: CreateCall) -> None:
        raise ProviderBusy("later", 3600)

    world.provider.before_create = busy
    world.settle()
    world.delete(event_id)
    world.settle()
    world.provider.before_create = lambda _: None
    cancelled, restored = replacing.cancelled, list[str]()

    def cancelled_too_late(conference: Conference, replacement: Replacement) -> Conference:
        if not restored:
            restored.append(event_id)
            world.edit(event_id, status="confirmed")
            sync_calendar(SyncRequest(world.calendar().key), world.outside, world.terms)
        return cancelled(conference, replacement)

    monkeypatch.setattr(replacing, "cancelled", cancelled_too_late)
    world.advance(7200)
    assert restored
    assert names(world, event_id) == "c1-n1"


@pytest.mark.parametrize("writes", range(8))
def test_a_successor_that_is_not_known_any_more_is_planned_anew_wherever_the_worker_dies(writes: int) -> None:
    """It ended and was forgotten, long before people put the old conference back."""
    store = MemoryStore()
    world = World(capabilities=MAKES, store=store)
    event_id = ended_and_restored(world)
    world.settle()
    successor = world.conference("c1-n1").key
    left = [None] * writes

    def die(called: str) -> None:
        if called == "transact" and not left:
            store.on_call = None
            raise Crash
        if called == "transact":
            left.pop()

    def forget() -> None:
        store.transact(lambda tx: tx.delete(Conference, successor))
        store.on_call = die

    world.edit(event_id, conferenceData=addon_conference("c1"))
    during_the_relink(world, forget, before="events.get")
    until_settled(world)
    assert names(world, event_id) == "c1-n2"


def test_a_conference_that_is_forgotten_while_its_event_is_written_stays_forgotten() -> None:
    """With its calendar; nobody fails because of it."""
    world = World(capabilities=MAKES)
    ended_and_restored(world)
    old = world.conference("c1")
    during_the_relink(world, lambda: world.store.transact(lambda tx: tx.delete(Conference, old.key)))
    world.settle()
    assert written(world) == 1
    assert world.store.get(Conference, old.key) is None
    assert world.failures() == []


def test_an_event_that_is_known_no_more_does_not_keep_its_replacement_from_being_done() -> None:
    """Its calendar was forgotten while the other events were written."""
    world = World(capabilities=MAKES)
    ended_and_restored(world)
    world.settle()
    known = world.conference("c1")
    (replacement,) = known.replacements
    due = replacement.model_copy(update={"due_at": world.now, "links": (*replacement.links, "forgotten")})
    stored = replacing.stored(known, due)
    world.store.transact(lambda tx: tx.put(stored))
    StoredReplacement(stored, due, world.outside, world.terms).finish()
    assert [each.due_at for each in world.conference("c1").replacements] == [None]


# --- duplicates ----------------------------------------------------------------------------------------------------


def test_a_duplicate_gets_a_conference_of_its_own_where_that_is_the_policy() -> None:
    """Each then lives its own life."""
    world = World(rules=MINT, capabilities=MAKES)
    event_id, copy_id = duplicated(world)
    world.settle()
    assert (names(world, event_id), names(world, copy_id)) == ("c1", "c1-n1")
    world.edit(copy_id, summary="Retro")
    world.settle()
    assert (world.told("c1").title, world.told("c1-n1").title) == ("Planning", "Retro")
    world.delete(copy_id)
    world.settle()
    assert world.told("c1-n1") is None
    assert world.told("c1") is not None
    assert written(world) == 1


def test_duplicates_share_their_conference_by_default() -> None:
    """No event is written."""
    world = World(capabilities=MAKES)
    event_id, copy_id = duplicated(world)
    world.settle()
    assert (names(world, event_id), names(world, copy_id), written(world)) == ("c1", "c1", 0)


def test_a_split_is_no_duplicate() -> None:
    """Its parts were made when the series was."""
    world = World(rules=MINT, capabilities=MAKES)
    series_id = world.add("Daily", "c1", recurrence=["RRULE:FREQ=DAILY;COUNT=6"])
    world.settle()
    instance = world.model.instances(ANN, "primary", series_id)["items"][3]
    later = {"summary": "Later", **times(world.now + timedelta(days=4, hours=3))}
    part = str(world.model.edit_this_and_following(ANN, "primary", instance["id"], later)["id"])
    world.settle()
    assert (names(world, part), world.provider.created) == ("c1", {})


def test_a_duplicate_that_the_add_on_vouched_for_keeps_its_conference() -> None:
    """The add-on knows best."""
    world = World(rules=MINT, capabilities=MAKES)
    _, copy_id = duplicated(world)
    world.initialize("c1", copy_id)
    world.settle()
    assert (names(world, copy_id), world.provider.created) == ("c1", {})


def test_a_duplicate_whose_original_is_gone_keeps_the_conference() -> None:
    """Nobody else needs it."""
    world = World(rules=MINT, capabilities=MAKES)
    event_id = world.add("Planning", "c1")
    world.settle()
    world.lose_pushes = True
    copy_id = str(world.model.duplicate(ANN, "primary", event_id)["id"])
    world.delete(event_id)
    world.lose_pushes = False
    world.push(ANN)
    world.settle()
    assert (names(world, copy_id), world.provider.created) == ("c1", {})
    assert world.told("c1") is not None


def test_a_duplicated_series_gets_its_own_with_its_exceptions() -> None:
    """Its first state holds them already."""
    world = World(rules=MINT, capabilities=MAKES)
    series_id = world.add("Daily", "c1", recurrence=["RRULE:FREQ=DAILY;COUNT=4"])
    world.settle()
    copy_id = str(world.model.duplicate(ANN, "primary", series_id)["id"])
    instance = world.model.instances(ANN, "primary", copy_id)["items"][1]
    world.edit(instance["id"], summary="Special")
    world.settle()
    assert names(world, copy_id) == "c1-n1"
    assert [each.title for each in world.told("c1-n1").occurrences] == ["Special"]


def test_a_duplicate_for_which_no_conference_can_be_made_shares() -> None:
    """It is asked for again only when it is to be something else."""
    world, asked = World(rules=MINT, capabilities=MAKES), list[CreateCall]()

    def refuse(call: CreateCall) -> None:
        asked.append(call)
        raise ProviderRejected("no licence left")

    world.provider.before_create = refuse
    _, copy_id = duplicated(world)
    world.settle()
    world.edit(copy_id, reminders={"useDefault": False})
    world.settle()
    assert (names(world, copy_id), len(asked)) == ("c1", 1)
    assert world.told("c1") is not None
    assert [failure.reason for failure in world.failures()] == ["no licence left"]
    world.edit(copy_id, summary="Retro")
    world.settle()
    assert [call.operation_id for call in asked] == list({call.operation_id: None for call in asked})
    assert len(asked) == 2
    assert [each.state for each in world.conference("c1").replacements] == [None]


def test_a_duplicate_for_which_no_conference_can_be_made_drives_where_it_takes_place_next() -> None:
    """It was to have its own: nobody else says so when that is refused."""
    world = World(rules=MINT, capabilities=MAKES)
    event_id = world.add("Planning", "c1", **times(world.now + timedelta(days=9)))
    world.settle()

    def refuse(_: CreateCall) -> None:
        raise ProviderRejected("no licence left")

    world.provider.before_create = refuse
    world.lose_pushes = True
    copy_id = world.duplicate(event_id)
    world.edit(copy_id, summary="Earlier", **times(world.now + timedelta(days=1)))
    world.push(ANN)
    world.settle()
    assert (names(world, copy_id), world.told("c1").title) == ("c1", "Earlier")


def test_a_refusal_after_a_lost_answer_names_the_operation_that_may_have_made_a_conference() -> None:
    """No back end may refuse what it made, but if one does, nobody else knows of it."""
    world, asked = World(rules=MINT, capabilities=MAKES), list[CreateCall]()

    def lose_then_refuse(call: CreateCall) -> None:
        asked.append(call)
        raise ProviderRejected("no licence left") if asked[1:] else OutcomeUnknown("cut off")

    world.provider.before_create = lose_then_refuse
    duplicated(world)
    world.advance(2000)
    operation = asked[0].operation_id
    assert [failure.reason for failure in world.failures()] == [
        f"no licence left; an earlier attempt was not answered: end what operation {operation} made, if it made any"
    ]


def test_conference_data_that_nobody_would_know_again_is_not_written() -> None:
    """The new conference would be stale for ever, and the event would look as if it had lost ours."""
    world = World(rules=MINT, capabilities=MAKES)
    create = world.provider.create

    def misnamed(call: CreateCall) -> CreatedConference:
        created = create(call)
        return CreatedConference(created.conference_id, addon_conference(created.conference_id, solution="Renamed"))

    world.provider.create = misnamed  # type: ignore[method-assign]  # the fake's own edge
    _, copy_id = duplicated(world)
    world.settle()
    assert (names(world, copy_id), written(world)) == ("c1", 0)
    assert "Renamed" in world.failures()[0].reason
