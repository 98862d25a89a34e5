"""What happened while nobody listened: expired tokens, and changes between the pages of a listing."""

from datetime import timedelta
from typing import Any

import pytest

from confsync.core.events import Window
from confsync.core.rules import Rules
from confsync.errors import (
    CalendarUnavailable,
    SyncTokenRejected,
)
from confsync.ports import Address
from tests.scenarios.expectations import assert_gap_was_found, assert_quiet, referents, story, titles, verbs
from tests.scenarios.worlds import four, in_the_gap, unheard, weekly
from tests.world import ANN, BOB, Crash, World, times

# Expired tokens


@pytest.mark.scenario(44)
@pytest.mark.parametrize("tombstones", ["listed", "hidden", "forgotten"])
def test_an_expired_token_costs_one_full_listing_that_finds_everything(tombstones: str) -> None:
    """What it does not show is read one by one: deleted, or unknown by now to a calendar that is shown in full."""
    world, ids = four()
    listings = world.calendar().full_listings
    if tombstones != "listed":
        world.model.options.tombstone_days = 0
    in_the_gap(world, ids)
    if tombstones == "forgotten":
        world.now += timedelta(seconds=1)
        assert ids[0] in world.model.forget_deleted(ANN)
    world.model.expire_sync_tokens()
    world.push(ANN)
    world.settle()
    assert_gap_was_found(world, ids)
    assert world.calendar().full_listings == listings + 1
    why = "the event was missing from a full listing" if tombstones == "forgotten" else "the event was deleted"
    assert f"decided: grace began: no owner was left; {why}" in story(world, "c0")
    assert_quiet(world)


@pytest.mark.scenario(44)
@pytest.mark.parametrize("is_proven", [True, False])
def test_a_deletion_is_found_though_its_event_is_asked_for_before_the_listing_is_complete(is_proven: bool) -> None:
    """What the other event shows makes it the driver; that it is unknown by then says nothing until the sweep."""
    world = World()
    first = world.add("Planning", "c1", **times(world.now + timedelta(days=9)))
    other = world.duplicate(first)
    world.settle()
    with unheard(world):
        world.edit(first, conferenceData=None)
        world.delete(other)
    world.model.options.tombstone_days = 0
    world.now += timedelta(seconds=1)
    assert world.model.forget_deleted(ANN) == [other]
    if is_proven:  # a token of other list parameters, which Calendar accepts all the same
        token = world.calendar_api.list_events(
            Address(ANN, ANN), sync_token=None, page_token=None, window=Window()
        ).next_sync_token
        old = {"sync_token": token, "listing_version": "older"}
        world.store.transact(lambda tx: tx.put(world.calendar().model_copy(update=old)))
    world.push(ANN)
    world.settle()
    assert referents(world, "c1") == {first: ("owner", "gone"), other: ("owner", "gone")}
    assert world.told("c1") is None
    assert_quiet(world)


@pytest.mark.scenario(44)
def test_a_malformed_token_is_an_expired_one() -> None:
    """Calendar answers 400 `invalid` and not 410: everything is listed all the same."""
    world, ids = four()
    in_the_gap(world, ids)
    world.store.transact(lambda tx: tx.put(world.calendar().model_copy(update={"sync_token": "not-a-token"})))
    world.push(ANN)
    world.settle()
    assert_gap_was_found(world, ids)
    assert_quiet(world)


@pytest.mark.scenario(44)
def test_a_full_listing_that_breaks_off_ends_nothing() -> None:
    """An hour of faults after the first page: what was not listed yet is not missing."""
    world, ids = four(page_size=1)
    world.model.options.tombstone_days = 0
    in_the_gap(world, ids)
    original, is_broken = world.calendar_api.list_events, [True]

    def list_events(at: Address, **asked: Any) -> Any:
        if asked["page_token"] is not None and is_broken:
            raise CalendarUnavailable("503")
        return original(at, **asked)

    world.calendar_api.list_events = list_events  # type: ignore[method-assign]
    world.model.expire_sync_tokens()
    world.push(ANN)
    world.advance(3600)
    assert (verbs(world, "c0"), verbs(world, "c3")) == (["update"], ["update"])
    is_broken.clear()
    world.settle()
    assert_gap_was_found(world, ids)
    assert_quiet(world)


@pytest.mark.scenario(44)
def test_tokens_that_expire_again_and_again_end_nothing_wrongly() -> None:
    """Each listing without a token is rejected at its second page once, as if it had taken too long."""
    world, ids = four(page_size=2)
    in_the_gap(world, ids)
    original, rejections = world.calendar_api.list_events, [True, True]

    def list_events(at: Address, **asked: Any) -> Any:
        if asked["page_token"] is not None and rejections:
            rejections.pop()
            raise SyncTokenRejected("410", "fullSyncRequired")
        return original(at, **asked)

    world.calendar_api.list_events = list_events  # type: ignore[method-assign]
    world.model.expire_sync_tokens()
    world.push(ANN)
    world.settle()
    assert_gap_was_found(world, ids)
    assert_quiet(world)


@pytest.mark.scenario(44)
def test_a_series_that_was_changed_in_the_gap_is_told_whole() -> None:
    """A moved occurrence, a cancelled one, and a cut: one listing, one state."""
    world, series_id = weekly(days=9)
    with unheard(world):
        instances = world.instances(series_id)
        world.edit(instances[1], summary="Special")
        world.delete(instances[2])
        second = world.split(series_id, 5, summary="Second")
    world.model.expire_sync_tokens()
    world.push(ANN)
    world.settle()
    assert titles(world, "c1") == ["Weekly", "Weekly"]
    assert [(o.title, o.cancelled) for o in world.told("c1").occurrences] == [("Special", False), (None, True)]
    assert referents(world, "c1") == {series_id: ("owner", "live"), second: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(44, 20)
def test_a_full_listing_does_not_make_an_old_orphan_a_new_one() -> None:
    """The event moved out of sight once; that its stub is listed again is no news."""
    world, ids = four()
    world.model.change_owner(ANN, "primary", ids[0], BOB)
    world.settle()
    assert referents(world, "c0")[ids[0]] == ("owner", "orphaned")
    assert_quiet(world)


# Between pages


@pytest.mark.scenario(45)
@pytest.mark.parametrize("is_pushed", [True, False], ids=["pushed", "push lost"])
@pytest.mark.parametrize("full", [True, False], ids=["full listing", "incremental listing"])
@pytest.mark.parametrize("change", ["renamed", "deleted"])
def test_a_change_between_two_pages_is_in_the_next_listing(change: str, full: bool, is_pushed: bool) -> None:
    """The page that held the event was listed before: the token of the last page covers what came after."""
    world, ids = four(page_size=1, rules=Rules(reconcile_s=1800))
    original, pages = world.calendar_api.list_events, [0]

    def list_events(at: Address, **asked: Any) -> Any:
        page = original(at, **asked)
        pages[0] += 1
        if pages[0] == 2:
            world.lose_pushes = not is_pushed
            world.edit(ids[0], summary="Changed") if change == "renamed" else world.delete(ids[0])
            world.lose_pushes = False
        return page

    with unheard(world):
        for event_id in ids:
            world.edit(event_id, summary="Before")
    if full:
        world.model.expire_sync_tokens()
    world.calendar_api.list_events = list_events  # type: ignore[method-assign]
    world.push(ANN)
    world.advance(3600)
    assert titles(world, "c0")[-1] == ("Changed" if change == "renamed" else None)
    assert [titles(world, f"c{n}") for n in (1, 2, 3)] == [[f"Event {n}", "Before"] for n in (1, 2, 3)]
    assert_quiet(world)


@pytest.mark.scenario(45)
def test_a_crash_between_two_pages_loses_no_page() -> None:
    """The token moves with the last page only."""
    world, ids = four(page_size=1)
    with unheard(world):
        for event_id in ids:
            world.edit(event_id, summary="Changed")
    lists = 0

    def crash(operation: str) -> None:
        nonlocal lists
        lists += operation == "events.list"
        if lists == 3:
            lists += 1
            raise Crash

    world.before_calendar = crash
    world.push(ANN)
    with pytest.raises(Crash):
        world.settle()
    world.settle()
    assert [titles(world, f"c{n}") for n in range(4)] == [[f"Event {n}", "Changed"] for n in range(4)]
    assert_quiet(world)
