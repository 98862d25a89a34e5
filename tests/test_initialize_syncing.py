"""Beginning to sync: one calendar, one channel, and the conference that the add-on vouches for."""

import pytest

from confsync.core.conference import Conference
from confsync.errors import CalendarUnavailable, PushNotSupported, RequestMalformed
from confsync.initialize_syncing import InitializeRequest, initialize_syncing
from tests.world import ANN, PUSH, Crash, World


def test_it_opens_the_channel_before_the_first_listing() -> None:
    """No change can fall between."""
    world = World()
    world.initialize()
    assert world.calendar_calls == ["events.watch", "events.list"]


def test_primary_is_stored_under_the_subjects_own_id() -> None:
    """`primary` names a different calendar for each user."""
    world = World()
    world.initialize()
    assert world.calendar().calendar_id == ANN


def test_doing_it_twice_makes_one_channel() -> None:
    """It is idempotent."""
    world = World()
    world.initialize()
    world.initialize()
    assert world.calendar_calls.count("events.watch") == 1
    assert len(world.model.open_channels(ANN)) == 1


def test_doing_it_twice_at_once_leaves_one_channel() -> None:
    """The loser of the race stops its own."""
    world = World()

    def rival(operation: str) -> None:
        if operation == "events.watch":
            world.before_calendar = lambda _: None
            key = world.calendar().key
            stored = world.calendar().model_copy(update={"channels": ()})
            world.store.transact(lambda tx: tx.put(stored))
            assert world.initialize().calendar_key == key

    world.before_calendar = rival
    world.initialize()
    world.settle()
    assert len(world.model.open_channels(ANN)) == 1
    assert [channel.state for channel in world.calendar().channels] == ["active"]


def test_a_crash_right_after_it_was_stored_is_healed_by_the_next_run() -> None:
    """`renew_at` and `due_at` are now."""
    world = World()
    event_id = world.create("Planning", "c1")

    def crash(_: str) -> None:
        world.before_calendar = lambda _: None
        raise Crash

    world.before_calendar = crash
    with pytest.raises(Crash):
        world.initialize("c1", event_id)
    world.settle()
    assert len(world.model.open_channels(ANN)) == 1
    assert world.told("c1").title == "Planning"


def test_a_calendar_that_cannot_be_watched_is_polled() -> None:
    """It is said once; changes come with the poll interval."""
    world = World()
    event_id = world.create("Planning", "c1")

    def refuse(operation: str) -> None:
        if operation == "events.watch":
            raise PushNotSupported("no", reason="pushNotSupportedForRequestedResource")

    world.before_calendar = refuse
    outcome = world.initialize("c1", event_id)
    assert (outcome.channel.status, outcome.channel.alert, outcome.sync.status) == ("poll_only", True, "synced")
    world.edit(event_id, summary="Changed")
    world.advance(world.rules.poll_s + 120)
    assert world.told("c1").title == "Changed"
    assert world.calendar_calls.count("events.watch") == 1


def test_a_channel_that_could_not_be_opened_is_opened_by_the_next_run() -> None:
    """The first sync runs nevertheless."""
    world = World()

    def refuse(operation: str) -> None:
        if operation == "events.watch":
            raise CalendarUnavailable("503")

    world.before_calendar = refuse
    outcome = world.initialize()
    assert (outcome.channel.status, outcome.sync.status) == ("deferred", "synced")
    world.before_calendar = lambda _: None
    world.settle()
    assert len(world.model.open_channels(ANN)) == 1


def test_a_conference_may_be_registered_for_several_events() -> None:
    """Each registration vouches for one event more."""
    world = World()
    first, second = world.create("One", "c1"), world.create("Two", "c1")
    world.initialize("c1", first)
    world.initialize("c1", second)
    found = world.store.get(Conference, Conference.key_for("default", "acme", "c1"))
    assert found is not None
    assert len(found.registered) == 2


def test_an_unknown_provider_is_named_with_those_that_exist() -> None:
    """Nothing is stored."""
    world = World()
    request = InitializeRequest(calendar_id="primary", subject=ANN, conference_id="c1", event_id="e1", provider="other")
    with pytest.raises(RequestMalformed, match=r"provider: 'other' is not one of those configured: acme"):
        initialize_syncing(request, world.outside, world.terms, PUSH)


def test_the_answer_says_whether_the_event_holds_the_conference() -> None:
    """A mistyped id would else look like success."""
    world = World()
    event_id = world.create("Planning", "c1")
    good, typo = world.initialize("c1", event_id), world.initialize("c1", "abcdetypo")
    assert (good.is_bound, good.is_complete) == (True, True)
    assert (typo.is_bound, typo.is_complete) == (False, False)
    assert '"status": "waiting", "reason": "no event of that id shows this conference' in typo.to_json()
    assert world.initialize().is_complete
