"""What every scenario ends with: a back end that was told this and no more, records that say so, and then quiet.

Shared by the scenario tests; it must never do anything that a user would not do, but let time pass.
"""

from typing import Any

from confsync.core.conference import Conference, Role
from confsync.core.records import Calendar
from confsync.update_conference import UpdateOutcome
from tests.world import ANN, World

HOUR_S, DAY_S = 3600, 24 * 3600


def verbs(world: World, conference_id: str) -> list[str]:
    """Return what the back end was told of one conference, and took: `update` or `end`, the oldest first."""
    calls = [call for call in world.provider.calls if call.conference_id == conference_id]
    return ["end" if call.state is None else "update" for call in calls]


def titles(world: World, conference_id: str) -> list[str | None]:
    """Return the titles that the back end was told of one conference, the oldest first; None for an end."""
    calls = [call for call in world.provider.calls if call.conference_id == conference_id]
    return [call.state.title if call.state else None for call in calls]


def calls(world: World) -> list[tuple[str, str | None]]:
    """Return every call that the back end took, the oldest first: conference id and title; None for an end."""
    return [(call.conference_id, call.state.title if call.state else None) for call in world.provider.calls]


def recorded(world: World, conference_id: str) -> dict[tuple[str, str], str]:
    """Return the events that a conference is tied to, by calendar id and event id: `owner live`, `claimed gone`."""
    calendars = {c.key: c.calendar_id for c in world.store.all_of(Calendar, after="", limit=100)}
    found = world.conference(conference_id).referents.values()
    return {(calendars[r.calendar_key], r.event_id): f"{r.role} {r.state}" for r in found}


def history_ends(world: World, conference_id: str, *words: str) -> bool:
    """Whether the last lines of a conference's history hold these words, one line each."""
    lines = noted(world, conference_id)[-len(words) :]
    return len(lines) == len(words) and all(word in line for word, line in zip(words, lines, strict=True))


def noted(world: World, conference_id: str) -> list[str]:
    """Return the lines of a conference's history, the oldest first."""
    return [note.what for note in world.conference(conference_id).history]


def referents(world: World, conference_id: str) -> dict[str, tuple[Role, str]]:
    """Return role and state of each event that a conference is tied to, by event id."""
    return {r.event_id: (r.role, r.state) for r in world.conference(conference_id).referents.values()}


def driver(world: World, conference_id: str) -> str | None:
    """Return the id of the event that a conference follows."""
    conference = world.conference(conference_id)
    return conference.referents[conference.driver].event_id if conference.driver else None


def story(world: World, conference_id: str) -> str:
    """Return the history of a conference, one line for each note: its kind, and what it says."""
    return "\n".join(f"{note.kind}: {note.what}" for note in world.conference(conference_id).history)


def frozen(world: World, who: str = ANN, calendar_id: str | None = None) -> tuple[str, bool]:
    """Return a calendar's state, and whether it says why."""
    calendar = world.calendar(who, calendar_id)
    return calendar.state, calendar.reason != ""


def heard(world: World) -> list[str]:
    """Return why an operator was told of a conference."""
    updates = [update for outcome in world.outcomes for update in getattr(outcome, "updates", (outcome,))]
    return [u.reason for u in updates if isinstance(u, UpdateOutcome) and u.status == "alert"]


def assert_gap_was_found(world: World, ids: list[str]) -> None:
    """Assert one end for each event that is gone, one update, and nothing for the event that did not change."""
    assert [titles(world, f"c{n}") for n in range(4)] == [
        ["Event 0", None],
        ["Event 1", "Renamed"],
        ["Event 2", None],
        ["Event 3"],
    ]
    expected = ["gone", "live", "gone", "live"]
    assert [referents(world, f"c{n}")[ids[n]] for n in range(4)] == [("owner", state) for state in expected]
    assert all(is_told_all(world, f"c{n}") for n in range(4))


def conference_in(world: World, event_id: str, who: str = ANN) -> str:
    """Return the conference id that an event shows; empty where it shows none."""
    data = world.model.get(who, "primary", event_id).get("conferenceData", {})
    return str(data["conferenceId"]) if data else ""


def standing(world: World) -> dict[tuple[str, str], str]:
    """Return the events that conference c1 hangs on; those that are gone are left out."""
    return {where: what for where, what in recorded(world, "c1").items() if not what.endswith("gone")}


def is_known(world: World, conference_id: str) -> bool:
    """Whether anything is recorded of a conference."""
    return world.store.get(Conference, Conference.key_for("default", "acme", conference_id)) is not None


def is_told_all(world: World, conference_id: str) -> bool:
    """Whether the back end confirmed what is wanted, and nothing waits: no call, no end, no intent."""
    found = world.conference(conference_id)
    agrees = (found.desired and found.desired.fingerprint) == (found.applied and found.applied.fingerprint)
    replaced = all(each.due_at is None for each in found.replacements)
    return agrees and replaced and (found.call_at, found.end_after, found.intent) == (None, None, None)


def event_writes(world: World) -> int:
    """Return how often confsync itself wrote to an event."""
    return world.calendar_calls.count("events.update")


def alerts(world: World) -> list[str]:
    """Return the reasons of which an operator was told: lost access, and ends that the brake holds."""
    updates = [update for outcome in world.outcomes for update in getattr(outcome, "updates", (outcome,))]
    held = [update.held for update in updates if isinstance(update, UpdateOutcome) and update.held]
    frozen = [outcome.reason for outcome in world.outcomes if getattr(outcome, "alert", False)]
    return frozen + [hold.reason for hold in held if hold.alert]


def expect_driven_by(world: World, calendar_id: str, event_id: str, who: str = ANN) -> None:
    """Expect that the event drives: it is told when it changes, and its deletion ends the conference once."""
    told = len(world.provider.calls)
    assert standing(world) == {(calendar_id, event_id): "owner live"}
    expect_settled(world)
    assert len(world.provider.calls) == told
    world.edit(event_id, who=who, calendar_id=calendar_id, summary="Planning II")
    world.settle()
    assert calls(world)[told:] == [("c1", "Planning II")]
    world.delete(event_id, who=who, calendar_id=calendar_id)
    world.settle()
    assert calls(world)[told:] == [("c1", "Planning II"), ("c1", None)]
    expect_settled(world)


def expect_series_untouched(world: World, series_id: str) -> None:
    """Expect that nothing was told of the series since its first state."""
    assert calls(world) == [("c1", "Weekly")]
    assert recorded(world, "c1") == {(ANN, series_id): "owner live"}
    expect_settled(world)


def expect_settled(world: World, hours: float = 24) -> None:
    """Expect that nothing waits for any conference, and that it stays so through an unchanged day."""
    for conference in world.store.all_of(Conference, after="", limit=1000):
        assert is_told_all(world, conference.conference_id)
    assert_quiet(world, seconds=hours * 3600)


def assert_quiet(world: World, *, seconds: float = DAY_S) -> None:
    """Assert that an unchanged day costs no call, and that listing everything once more changes nothing (L3, L4)."""
    before = _memory(world), _effects(world)
    world.advance(seconds)
    assert (_memory(world), _effects(world)) == before
    world.model.expire_sync_tokens()
    for calendar in world.store.all_of(Calendar, after="", limit=100):
        world.push(calendar.calendar_id)
    world.settle()
    assert (_memory(world), _effects(world)) == before


def _effects(world: World) -> dict[str, Any]:
    return {"told": len(world.provider.calls), "made": len(world.provider.created), "written": event_writes(world)}


def _memory(world: World) -> dict[str, Any]:
    """What is recorded of conferences, but for when they are looked at again."""
    changing = {"review_at": None, "due_at": None}
    found = world.store.all_of(Conference, after="", limit=1000)
    return {conference.conference_id: conference.model_copy(update=changing) for conference in found}
