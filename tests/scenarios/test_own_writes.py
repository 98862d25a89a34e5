"""What confsync writes into an event itself: only where a conference is replaced, under a condition, unnoticed."""

from typing import Any

import pytest

from confsync.core.rules import Rules
from tests.scenarios.expectations import assert_quiet, event_writes, is_told_all, referents, titles, verbs
from tests.scenarios.worlds import MAKES, ended, in_days, planned
from tests.world import ANN, BOB, World


def to_be_replaced(**fields: Any) -> tuple[World, str]:
    """Return a world whose event was just restored and is about to get a new conference, and the event's id."""
    world, event_id = ended(World(capabilities=MAKES), **fields)
    world.restore(event_id)
    return world, event_id


def spied(world: World) -> list[tuple[dict[str, Any], str | None]]:
    """Return a list that fills with the parameters and the condition of each write of confsync's."""
    original, seen = world.model.update, list[tuple[dict[str, Any], str | None]]()

    def update(user: str, calendar_id: str, event_id: str, body: Any, params: Any, *, if_match: str | None) -> Any:
        seen.append((dict(params), if_match))
        return original(user, calendar_id, event_id, body, params, if_match=if_match)

    world.model.update = update  # type: ignore[assignment,method-assign]
    return seen


@pytest.mark.scenario(51)
def test_our_own_write_comes_back_as_no_change() -> None:
    """The event is listed again with a new etag: nothing differs from what was told, so nothing happens."""
    world, event_id = to_be_replaced()
    writes = spied(world)
    world.settle()
    assert writes == [({"conferenceDataVersion": "1", "sendUpdates": "none"}, writes[0][1])]
    assert writes[0][1] is not None
    assert (verbs(world, "c1-n1"), len(world.provider.created)) == ([], 1)
    link = world.link(event_id)
    assert link is not None
    assert link.etag == world.model.get(ANN, "primary", event_id)["etag"]
    assert is_told_all(world, "c1-n1")
    assert_quiet(world)


@pytest.mark.scenario(51)
def test_our_own_write_leaves_everything_else_in_the_event() -> None:
    """Guests keep their answers, and people their texts."""
    guest = {"email": BOB, "responseStatus": "accepted"}
    world, event_id = to_be_replaced(description="Bring **slides**", location="Room 5", attendees=[guest], colorId="3")
    before = world.model.get(ANN, "primary", event_id)
    world.settle()
    after = world.model.get(ANN, "primary", event_id)
    assert after["conferenceData"]["conferenceId"] == "c1-n1"
    changing = {"conferenceData", "etag", "updated"}
    assert {name: value for name, value in after.items() if name not in changing} == {
        name: value for name, value in before.items() if name not in changing
    }
    assert world.model.get(BOB, "primary", event_id)["conferenceData"]["conferenceId"] == "c1-n1"


@pytest.mark.scenario(51)
def test_an_edit_in_the_moment_of_our_write_is_not_overwritten() -> None:
    """412: the event is read again, and gets the same new conference beside what the user wrote."""
    world, event_id = to_be_replaced()
    edits = ["Renamed meanwhile"]

    def edit(operation: str) -> None:
        if operation == "events.update" and edits:
            world.edit(event_id, summary=edits.pop())

    world.before_calendar = edit
    world.settle()
    event = world.model.get(ANN, "primary", event_id)
    assert (event["summary"], event["conferenceData"]["conferenceId"]) == ("Renamed meanwhile", "c1-n1")
    assert len(world.provider.created) == 1
    assert world.told("c1-n1").title == "Renamed meanwhile"
    assert_quiet(world)


@pytest.mark.scenario(51)
def test_a_removal_in_the_moment_of_our_write_is_not_overwritten() -> None:
    """The event has no conference by the time of our write: the new one is not needed, and is not left behind."""
    world, event_id = to_be_replaced()
    removals = [True]

    def remove(operation: str) -> None:
        if operation == "events.update" and removals:
            removals.clear()
            world.edit(event_id, conferenceData=None)

    world.before_calendar = remove
    world.advance(world.rules.draft_s + 3600)
    assert "conferenceData" not in world.model.get(ANN, "primary", event_id)
    assert world.told("c1-n1") is None
    assert_quiet(world)


@pytest.mark.scenario(51)
def test_what_changes_every_day_is_never_written_by_us() -> None:
    """Renames, moves, answers and deletions of bound events cost calls to the back end, and no write to an event."""
    world, event_id = planned(World(rules=Rules(reconcile_s=1800)), days=5, attendees=[{"email": BOB}])
    world.edit(event_id, summary="Renamed", description="New")
    world.model.patch(BOB, "primary", event_id, {"attendees": [{"email": BOB, "responseStatus": "accepted"}]})
    world.edit(event_id, **in_days(6))
    world.settle()
    world.delete(event_id)
    world.settle()
    world.restore(event_id)
    world.settle()
    assert (event_writes(world), titles(world, "c1")[-1]) == (0, "Renamed")
    assert referents(world, "c1") == {event_id: ("owner", "live")}
    assert_quiet(world)
