"""Duplicates of an event: they share its conference, or get one of their own, and never take it away."""

from typing import Any

import pytest

from confsync.core.rules import Rules
from tests.scenarios.expectations import (
    assert_quiet,
    conference_in,
    driver,
    event_writes,
    is_told_all,
    referents,
    titles,
    verbs,
)
from tests.scenarios.worlds import MAKES, in_days, planned, weekly
from tests.world import BOB, World


@pytest.mark.scenario(33)
def test_a_duplicate_shares_the_conference_and_costs_no_call() -> None:
    """Two events, two owners, one conference; the one that comes first drives."""
    world, event_id = planned(days=3, also=BOB)
    copy_id = world.duplicate(event_id)
    world.settle()
    world.edit(copy_id, **in_days(5))
    world.settle()
    world.edit(copy_id, summary="Planning, again")
    world.settle()
    assert titles(world, "c1") == ["Planning"]
    assert referents(world, "c1") == {event_id: ("owner", "live"), copy_id: ("owner", "live")}
    assert (driver(world, "c1"), is_told_all(world, "c1")) == (event_id, True)
    assert (world.provider.created, event_writes(world)) == ({}, 0)
    assert_quiet(world)


@pytest.mark.scenario(33)
@pytest.mark.parametrize("copies", [1, 2, 5])
def test_a_duplicate_at_the_same_time_does_not_take_over(copies: int) -> None:
    """Neither comes first: the event that has the conference keeps it, whatever the copies are called."""
    world, event_id = planned(days=3, also=BOB)
    for number in range(copies):
        world.edit(world.duplicate(event_id), summary=f"Copy {number}")
    world.settle()
    assert (titles(world, "c1"), driver(world, "c1")) == (["Planning"], event_id)
    assert_quiet(world)


@pytest.mark.scenario(33)
def test_a_deleted_duplicate_leaves_the_original_its_conference() -> None:
    """And the other way round: the conference goes on with the copy, and ends with the last of them, once."""
    world, event_id = planned(days=3, also=BOB)
    copy_id, third_id = world.duplicate(event_id), world.duplicate(event_id)
    world.edit(copy_id, **in_days(5), summary="Copy")
    world.delete(third_id)
    world.settle()
    assert titles(world, "c1") == ["Planning"]
    world.delete(event_id)
    world.settle()
    assert titles(world, "c1") == ["Planning", "Copy"]
    assert driver(world, "c1") == copy_id
    assert_quiet(world)
    world.delete(copy_id)
    world.settle()
    assert titles(world, "c1") == ["Planning", "Copy", None]
    assert set(referents(world, "c1").values()) == {("owner", "gone")}
    assert_quiet(world)


@pytest.mark.scenario(33)
def test_a_duplicate_without_the_conference_is_a_stranger() -> None:
    """Where Google's Duplicate leaves the conference out, the copy concerns nobody."""
    world, event_id = planned(days=3, also=BOB)
    world.model.options.duplicate_keeps_conference = False
    copy_id = world.duplicate(event_id)
    world.edit(copy_id, summary="Copy")
    world.settle()
    world.delete(copy_id)
    world.settle()
    assert (titles(world, "c1"), referents(world, "c1")) == (["Planning"], {event_id: ("owner", "live")})
    assert world.link(copy_id) is None
    assert_quiet(world)


@pytest.mark.scenario(33, 51)
def test_a_duplicate_gets_a_conference_of_its_own_where_that_is_wished() -> None:
    """Policy `mint`: one is made, once, written into the copy, and follows it; the original notices nothing."""
    world, event_id = planned(World(rules=Rules(duplicates="mint"), capabilities=MAKES), days=3, also=BOB)
    copy_id = world.duplicate(event_id)
    world.edit(copy_id, summary="Copy")
    world.settle()
    minted = conference_in(world, copy_id)
    assert (conference_in(world, event_id), minted) == ("c1", "c1-n1")
    assert (len(world.provider.created), event_writes(world)) == (1, 1)
    assert world.told(minted).title == "Copy"
    assert titles(world, "c1") == ["Planning"]
    assert referents(world, "c1")[event_id] == ("owner", "live")
    assert referents(world, "c1").get(copy_id) in (None, ("owner", "gone"))
    assert referents(world, minted) == {copy_id: ("owner", "live")}
    assert is_told_all(world, "c1")
    assert is_told_all(world, minted)
    assert_quiet(world)
    world.delete(copy_id)
    world.settle()
    assert (verbs(world, minted)[-1], titles(world, "c1")) == ("end", ["Planning"])
    world.delete(event_id)
    world.settle()
    assert (titles(world, "c1"), len(world.provider.created)) == (["Planning", None], 1)
    assert_quiet(world)


@pytest.mark.scenario(26, 33)
def test_the_parts_of_a_split_series_are_no_duplicates() -> None:
    """All parts were created at the same moment, and share the conference also where duplicates do not."""
    world, first = weekly(World(rules=Rules(duplicates="mint"), capabilities=MAKES), days=3)
    world.advance(3600)
    second = world.split(first, 3, summary="Second")
    world.settle()
    assert (world.provider.created, event_writes(world)) == ({}, 0)
    assert referents(world, "c1") == {first: ("owner", "live"), second: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(33)
def test_a_duplicate_shares_where_the_back_end_makes_no_conferences() -> None:
    """A policy that nobody can carry out changes nothing, and is not tried again and again."""
    world, event_id = planned(World(rules=Rules(duplicates="mint")), days=3, also=BOB)
    copy_id = world.duplicate(event_id)
    world.settle()
    assert (conference_in(world, copy_id), titles(world, "c1")) == ("c1", ["Planning"])
    assert (event_writes(world), world.failures()) == (0, [])
    assert referents(world, "c1") == {event_id: ("owner", "live"), copy_id: ("owner", "live")}
    assert_quiet(world)


@pytest.mark.scenario(33)
@pytest.mark.parametrize("policy", ["share", "mint"])
def test_a_duplicate_whose_original_is_deleted_at_once_has_a_conference_that_lives(policy: Any) -> None:
    """People copy an event and delete the old one: whatever the policy, the link in the copy works."""
    world, event_id = planned(World(rules=Rules(duplicates=policy), capabilities=MAKES), days=3, also=BOB)
    copy_id = world.duplicate(event_id)
    world.delete(event_id)
    world.settle()
    named = conference_in(world, copy_id)
    assert world.told(named).title == "Planning"
    assert referents(world, named)[copy_id] == ("owner", "live")
    assert [world.told(c) for c in world.provider.conferences if c != named] in ([], [None])
    assert_quiet(world)
