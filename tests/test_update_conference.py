"""The only place that calls a provider: intents, answers, and what becomes of each."""

from datetime import timedelta

from confsync.core.capabilities import Capabilities
from confsync.errors import (
    OutcomeUnknown,
    ProviderBusy,
    ProviderError,
    ProviderRefusesUs,
    ProviderRejected,
)
from confsync.local.calendar_server.people import addon_conference
from confsync.ports import ConferenceCall
from confsync.update_conference import update_conference
from tests.world import ALL_FIELDS, ANN, World


def changed_world(*, ordered: bool = True) -> tuple[World, str]:
    """Return a world with one conference in step, and its event."""
    world = World(capabilities=Capabilities(ALL_FIELDS, ordered_writes=ordered, restores=True))
    event_id = world.add("Planning", "c1")
    world.settle()
    return world, event_id


def answer_once(world: World, error: ProviderError, *, after: bool = False) -> None:
    """Let the next call fail, before or after it took effect."""
    errors = [error]

    def fail(_: ConferenceCall) -> None:
        if errors:
            raise errors.pop()

    if after:
        world.provider.after = fail
    else:
        world.provider.before = fail


def test_a_call_carries_its_operation_id_and_a_rising_generation() -> None:
    """Each new state goes out under a new generation, and each generation under its own operation id."""
    world, event_id = changed_world()
    world.edit(event_id, summary="Changed")
    world.settle()
    assert [call.generation for call in world.provider.calls] == [1, 2]
    assert len({call.operation_id for call in world.provider.calls}) == 2
    assert all(call.operation_id.startswith("op_") and len(call.operation_id) == 35 for call in world.provider.calls)


def test_what_was_told_is_forgotten_once_it_is_confirmed() -> None:
    """Titles and attendees stand in the store only while they still have to be told."""
    world, _ = changed_world()
    desired = world.conference("c1").desired
    assert desired is not None
    assert desired.state is None
    assert "Planning" not in world.conference("c1").model_dump_json()


def test_a_busy_back_end_is_called_again_when_it_said() -> None:
    """The wait becomes `due_at` and a named task; nobody sleeps."""
    world, event_id = changed_world()
    answer_once(world, ProviderBusy("429", retry_after_s=40))
    world.edit(event_id, summary="Changed")
    world.advance(0)
    assert world.conference("c1").due_at == world.now + timedelta(seconds=40)
    assert world.conference("c1").intent is None
    world.advance(40)
    assert world.told("c1").title == "Changed"


def test_an_unknown_outcome_blocks_calls_until_the_deadline() -> None:
    """The call may still land: the newest state goes out only then, under a new generation."""
    world, event_id = changed_world(ordered=False)
    answer_once(world, OutcomeUnknown("time-out"), after=True)
    world.edit(event_id, summary="First")
    world.advance(0)
    world.edit(event_id, summary="Second")
    world.advance(world.rules.intent_s - 1)
    assert [call.generation for call in world.provider.calls] == [1, 2]
    world.advance(2)
    assert world.told("c1").title == "Second"
    assert world.provider.calls[-1].generation > 2


def test_a_back_end_that_orders_writes_need_not_be_waited_for() -> None:
    """It refuses the older generation by itself, should that still land."""
    world, event_id = changed_world()
    answer_once(world, OutcomeUnknown("time-out"), after=True)
    world.edit(event_id, summary="Changed")
    world.advance(5)
    assert [call.generation for call in world.provider.calls] == [1, 2, 3]
    assert world.conference("c1").intent is None


def test_a_stale_answer_raises_the_generation_and_sends_the_records_state() -> None:
    """Somebody else told the back end more: ours is the truth, so it goes out above theirs."""
    world, event_id = changed_world()
    world.provider.conferences["c1"].generation = 41
    world.edit(event_id, summary="Changed")
    world.settle()
    assert world.provider.conferences["c1"].generation == 42
    assert world.told("c1").title == "Changed"


def test_a_refused_state_is_recorded_and_not_sent_again() -> None:
    """A newer state is sent again."""
    world, event_id = changed_world()
    answer_once(world, ProviderRejected("422 title too long"))
    world.edit(event_id, summary="Refused")
    world.settle()
    assert [failure.conference_key for failure in world.failures()] == [world.conference("c1").key]
    assert world.told("c1").title == "Planning"
    world.edit(event_id, summary="Better")
    world.settle()
    assert world.told("c1").title == "Better"


def test_a_back_end_that_refuses_us_is_asked_again_slowly() -> None:
    """The operator hears of it; the work waits."""
    world, event_id = changed_world()
    answer_once(world, ProviderRefusesUs("401"))
    world.edit(event_id, summary="Changed")
    world.advance(world.rules.refused_pause_s - 1)
    assert world.told("c1").title == "Planning"
    world.advance(60)
    assert world.told("c1").title == "Changed"


def test_an_open_intent_is_respected_and_watched() -> None:
    """The loser calls nobody, and makes sure that a task runs at the deadline."""
    world, event_id = changed_world()
    key = world.conference("c1").key

    def rival(_: ConferenceCall) -> None:
        world.provider.before = lambda _: None
        outcome = update_conference(key, world.outside, world.terms)
        assert (outcome.status, outcome.calls) == ("waiting", 0)

    world.provider.before = rival
    world.edit(event_id, summary="Changed")
    world.advance(0)
    assert world.told("c1").title == "Changed"
    deadline = world.now + timedelta(seconds=world.rules.intent_s)
    assert deadline in [task.schedule_time for task in world.queue.waiting]


def test_a_newer_state_that_comes_during_a_call_goes_out_after_it() -> None:
    """The transaction that closes the intent looks for it."""
    world, event_id = changed_world()

    def meanwhile(_: ConferenceCall) -> None:
        world.provider.before = lambda _: None
        world.edit(event_id, summary="Second")
        world.advance(0)

    world.provider.before = meanwhile
    world.edit(event_id, summary="First")
    world.advance(0)
    world.settle()
    assert world.told("c1").title == "Second"
    assert [call.state.title for call in world.provider.calls if call.state] == ["Planning", "First", "Second"]


def test_a_call_that_would_leave_too_late_does_not_leave() -> None:
    """A worker that was paused after storing its intent must not call when another one may."""
    world, event_id = changed_world(ordered=False)
    paused: list[str] = []
    commits = 0

    def stall(name: str) -> None:
        nonlocal commits
        commits += name == "transact"
        if commits == 3 and not paused:  # claim, commit, intent
            paused.append(name)
            world.now += timedelta(seconds=world.rules.leave_within_s + 1)

    world.store.after_call = stall  # type: ignore[attr-defined]
    generations: list[int] = []
    world.provider.before = lambda call: generations.append(call.generation)
    world.edit(event_id, summary="Changed")
    world.advance(0)
    assert paused
    world.settle()
    assert world.told("c1").title == "Changed"
    assert world.conference("c1").intent is None


def test_an_end_waits_for_an_owner_that_is_there_after_all() -> None:
    """Every owner is read again just before: a deletion that was undone meanwhile ends nothing."""
    world, event_id = changed_world()
    world.delete(event_id)
    world.advance(10)
    world.lose_pushes = True
    world.edit(event_id, status="confirmed")
    world.advance(world.rules.grace_s)
    assert world.told("c1") is not None
    world.settle()
    assert world.told("c1").title == "Planning"
    assert world.conference("c1").end_after is None


def test_a_provider_that_was_taken_out_of_the_settings_is_named() -> None:
    """Nothing is called and nothing is lost."""
    world, event_id = changed_world()
    world.edit(event_id, summary="Changed")
    for task in world.queue.pop_due(world.now):
        world.run(task)
    world.edit(event_id, summary="Again")
    outside = world.outside
    bare = type(outside)(outside.store, outside.calendar_api, outside.task_queue, {}, outside.now, outside.new_id)
    conference = world.conference("c1")
    desired = conference.desired
    assert desired is not None
    pending = conference.model_copy(
        update={"desired": desired.model_copy(update={"generation": desired.generation + 1}), "due_at": world.now}
    )
    world.store.transact(lambda tx: tx.put(pending))
    outcome = update_conference(conference.key, bare, world.terms)
    assert outcome.status == "alert"
    assert "acme" in outcome.reason


def test_a_conference_stays_while_an_instance_of_its_series_still_holds_it() -> None:
    """The series lost it, one changed instance did not: people may be on their way to it."""
    world = World()
    series_id = world.add("Weekly", "c1", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4"])
    instance = world.model.instances(ANN, "primary", series_id)["items"][1]["id"]
    world.settle()
    world.edit(series_id, conferenceData=None)
    world.edit(instance, conferenceData=addon_conference("c1"))
    assert world.model.get(ANN, "primary", instance)["conferenceData"]["conferenceId"] == "c1"
    world.settle()
    assert world.told("c1") is not None
    world.edit(instance, conferenceData=None)
    world.advance(3 * 3600)
    assert world.told("c1") is None
