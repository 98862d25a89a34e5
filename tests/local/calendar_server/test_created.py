"""`created`: every event has it; the parts of a split share the original's, copies and imports have their own."""

import pytest

from confsync.local.calendar_server.fields import select
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    START,
    TEAM,
    CheckedModel,
    Clock,
    changes_of,
    meeting,
    occurrence,
    sync,
    timed,
    weekly,
)

BORN = "2026-03-02T09:00:00.000Z"


@pytest.mark.parametrize("changes", [{"summary": "Part"}, timed(START.replace(day=16, hour=14))])
def test_all_parts_of_a_split_have_the_originals(model: CheckedModel, clock: Clock, changes: dict[str, object]) -> None:
    """Old part, new part, their exceptions and occurrences, here and with the guest: one creation time."""
    series_id = model.insert(ADA, "primary", weekly(BOB))["id"]
    clock.advance(days=1)
    model.patch(ADA, "primary", occurrence(series_id, 1), {"summary": "Special"})
    clock.advance(days=1)
    part = model.edit_this_and_following(ADA, "primary", occurrence(series_id, 2), changes)
    model.patch(ADA, "primary", model.instances(ADA, "primary", part["id"])["items"][1]["id"], {"summary": "Late"})
    for user in (ADA, BOB):
        items = sync(model, user)["items"]
        assert len(items) == 4
        assert {item["created"] for item in items} == {BORN}
        assert {item["created"] for item in model.instances(user, "primary", part["id"])["items"]} == {BORN}


def test_what_is_made_anew_has_its_own(model: CheckedModel, clock: Clock) -> None:
    """A duplicate and an import are created when they are made; importing again changes nothing."""
    event = model.insert(ADA, "primary", meeting())
    clock.advance(days=1)
    copy = model.duplicate(ADA, "primary", event["id"])
    first = model.import_(ADA, "primary", meeting(iCalUID="theirs@elsewhere.example"))
    clock.advance(days=1)
    again = model.import_(ADA, "primary", meeting("New", iCalUID="theirs@elsewhere.example"))
    assert [copy["created"], first["created"], again["created"]] == ["2026-03-03T09:00:00.000Z"] * 3
    assert event["created"] == BORN


def test_nothing_changes_it(model: CheckedModel, clock: Clock) -> None:
    """Edits, a whole update that sends another one, moves, deletion and restoring keep it."""
    event_id = model.insert(ADA, "primary", meeting())["id"]
    clock.advance(days=1)
    sent = meeting("New", created="2030-01-01T00:00:00.000Z")
    assert model.update(ADA, "primary", event_id, sent)["created"] == BORN
    [tombstone] = changes_of(model, ADA, lambda: model.delete(ADA, "primary", event_id))
    assert tombstone["created"] == BORN
    assert model.patch(ADA, "primary", event_id, {"status": "confirmed"})["created"] == BORN
    model.move(ADA, "primary", event_id, {"destination": TEAM})
    assert model.get(ADA, TEAM, event_id)["created"] == BORN


def test_a_mask_selects_it(model: CheckedModel) -> None:
    """`fields` takes it or leaves it, in single events and in lists."""
    event = model.insert(ADA, "primary", meeting())
    assert select(event, "id,created", "Event") == {"id": event["id"], "created": BORN}
    page = model.list_events(ADA, "primary")
    assert select(page, "items(id,created)", "Events")["items"] == [{"id": event["id"], "created": BORN}]
    assert "created" not in select(page, "items(id,summary)", "Events")["items"][0]
