"""What only Calendar's web page does: cutting series, editing all parts, in the recorded forms."""

from tests.local.calendar_server.support import (
    ADA,
    BOB,
    START,
    TEAM,
    CheckedModel,
    changes_of,
    meeting,
    occurrence,
    refusal,
    timed,
    weekly,
    with_conference,
)

V1 = {"conferenceDataVersion": 1}


def test_this_and_following_keeps_root_and_conference(model: CheckedModel) -> None:
    """Without a new time the part is `<root>_R<stamp>`, with an iCalUID of its own and the same conference."""
    series = model.insert(ADA, "primary", with_conference(weekly(BOB)), V1)
    items = changes_of(
        model,
        ADA,
        lambda: model.edit_this_and_following(ADA, "primary", occurrence(series["id"], 2), {"summary": "New"}),
    )
    old, part = items
    assert part["id"] == f"{series['id']}_R20260316T090000"
    assert part["iCalUID"] == f"{part['id']}@google.com"
    assert old["recurrence"] == ["RRULE:FREQ=WEEKLY;UNTIL=20260315T225959Z"]
    assert part["recurrence"] == ["RRULE:FREQ=WEEKLY"]
    assert (old["summary"], part["summary"]) == ("Weekly", "New")
    assert part["conferenceData"] == old["conferenceData"]
    assert (part["created"], part["etag"], part["sequence"]) == (old["created"], old["etag"], old["sequence"])
    assert model.get(BOB, "primary", part["id"])["conferenceData"] == part["conferenceData"]


def test_instances_of_a_part_are_named_after_the_root(model: CheckedModel) -> None:
    """An occurrence keeps its id across a cut and names its part; a second cut keeps the root."""
    series = model.insert(ADA, "primary", weekly())
    fourth = occurrence(series["id"], 4)
    part = model.edit_this_and_following(ADA, "primary", occurrence(series["id"], 2), {"summary": "New"})
    seen = model.get(ADA, "primary", fourth)
    assert (seen["id"], seen["recurringEventId"], seen["summary"]) == (fourth, part["id"], "New")
    second = model.edit_this_and_following(ADA, "primary", fourth, {"summary": "Newer"})
    assert second["id"] == f"{series['id']}_R20260330T080000"
    assert model.get(ADA, "primary", fourth)["recurringEventId"] == second["id"]
    before = model.get(ADA, "primary", occurrence(series["id"], 1))
    assert before["recurringEventId"] == series["id"]


def test_a_part_at_another_time_is_unrelated(model: CheckedModel) -> None:
    """With a new time, id and iCalUID are new; the creation time and the conference tie the parts."""
    series = model.insert(ADA, "primary", with_conference(weekly()), V1)
    times = timed(START.replace(day=16, hour=14))
    part = model.edit_this_and_following(ADA, "primary", occurrence(series["id"], 2), times)
    assert series["id"] not in part["id"]
    assert series["id"] not in part["iCalUID"]
    assert part["created"] == series["created"]
    assert part["conferenceData"] == series["conferenceData"]
    assert part["start"]["dateTime"] == "2026-03-16T15:00:00+01:00"


def test_a_counted_series_is_shared_out(model: CheckedModel) -> None:
    """After a cut both parts together have as many occurrences as before."""
    series = model.insert(ADA, "primary", weekly(rule="RRULE:FREQ=WEEKLY;COUNT=5"))
    part = model.edit_this_and_following(ADA, "primary", occurrence(series["id"], 2), {"summary": "New"})
    assert len(model.instances(ADA, "primary", series["id"])["items"]) == 2
    assert len(model.instances(ADA, "primary", part["id"])["items"]) == 3


def test_from_the_first_occurrence_on_is_all(model: CheckedModel) -> None:
    """Editing from the first occurrence on edits the series itself; deleting from there is refused."""
    series = model.insert(ADA, "primary", weekly())
    first = occurrence(series["id"], 0)
    assert model.edit_this_and_following(ADA, "primary", first, {"summary": "New"})["id"] == series["id"]
    assert refusal(model.delete_this_and_following, ADA, "primary", first) == (400, "invalid")


def test_edit_all_reaches_split_off_parts(model: CheckedModel) -> None:
    """ "All events" changes every part of the series under one etag."""
    series = model.insert(ADA, "primary", weekly())
    moved = occurrence(series["id"], 1)
    model.patch(ADA, "primary", moved, timed(START.replace(day=10)))
    part = model.edit_this_and_following(ADA, "primary", occurrence(series["id"], 2), {"location": "Room"})
    items = changes_of(model, ADA, lambda: model.edit_all(ADA, "primary", series["id"], {"summary": "All"}))
    assert {item["id"] for item in items} == {series["id"], moved, part["id"]}
    assert {item["summary"] for item in items} == {"All"}
    assert len({item["etag"] for item in items}) == 1


def test_only_the_organizer_cuts(model: CheckedModel) -> None:
    """A guest cannot split someone else's series, and a single event cannot be split."""
    series = model.insert(ADA, "primary", weekly(BOB))
    second = occurrence(series["id"], 1)
    cut = model.edit_this_and_following
    assert refusal(cut, BOB, "primary", second, {"summary": "x"}) == (403, "forbiddenForNonOrganizer")
    assert refusal(model.edit_all, BOB, "primary", series["id"], {"summary": "x"}) == (403, "forbiddenForNonOrganizer")
    event = model.insert(ADA, "primary", meeting())
    assert refusal(cut, ADA, "primary", event["id"], {}) == (400, "invalid")


def test_moving_keeps_identity_and_conference(model: CheckedModel) -> None:
    """In the new calendar the event has the same id, iCalUID and conference, and the calendar organizes it."""
    event = model.insert(ADA, "primary", with_conference(meeting("Planning", BOB)), V1)
    stub = model.move(ADA, "primary", event["id"], {"destination": TEAM})
    assert (stub["status"], stub["organizer"]["email"]) == ("cancelled", TEAM)
    moved = model.get(ADA, TEAM, event["id"])
    assert moved["organizer"] == {"email": TEAM, "displayName": "Team", "self": True}
    for name in ("iCalUID", "conferenceData", "creator", "created"):
        assert {**moved[name], "self": True} == event[name] if name == "creator" else moved[name] == event[name]
    copy = model.get(BOB, "primary", event["id"])
    assert (copy["status"], copy["organizer"]) == ("confirmed", {"email": TEAM, "displayName": "Team"})


def test_moving_takes_the_exceptions_along(model: CheckedModel) -> None:
    """A series moves with its exceptions, cancelled ones too, and comes back over its own stub."""
    series = model.insert(ADA, "primary", weekly())
    special, cancelled = occurrence(series["id"], 1), occurrence(series["id"], 2)
    model.patch(ADA, "primary", special, {"summary": "Special"})
    model.delete(ADA, "primary", cancelled)
    model.move(ADA, "primary", series["id"], {"destination": TEAM})
    assert model.get(ADA, TEAM, special)["summary"] == "Special"
    assert model.get(ADA, TEAM, cancelled)["status"] == "cancelled"
    assert model.get(ADA, "primary", special)["status"] == "cancelled"
    model.move(ADA, TEAM, series["id"], {"destination": "primary"})
    assert model.get(ADA, "primary", special)["summary"] == "Special"
    assert model.get(ADA, "primary", series["id"])["organizer"]["self"] is True


def test_what_cannot_be_moved(model: CheckedModel) -> None:
    """Occurrences, special types, guests' copies, cancelled events and unknown destinations are refused."""
    series = model.insert(ADA, "primary", weekly(BOB))
    focus = model.insert(ADA, "primary", meeting(eventType="focusTime"))
    gone = model.insert(ADA, "primary", meeting())
    model.delete(ADA, "primary", gone["id"])
    model.share(TEAM, {BOB: "writer"})
    team = {"destination": TEAM}
    instance = occurrence(series["id"], 1)
    assert refusal(model.move, ADA, "primary", instance, team) == (400, "cannotChangeOrganizerOfInstance")
    assert refusal(model.move, ADA, "primary", focus["id"], team) == (400, "eventTypeRestriction")
    assert refusal(model.move, ADA, "primary", gone["id"], team) == (400, "invalid")
    assert refusal(model.move, BOB, "primary", series["id"], team) == (403, "forbiddenForNonOrganizer")
    assert refusal(model.move, ADA, "primary", series["id"], {"destination": "no@where"}) == (404, "notFound")
    model.insert(ADA, TEAM, meeting(id=series["id"]))
    assert refusal(model.move, ADA, "primary", series["id"], team) == (409, "duplicate")
    assert model.move(ADA, "primary", series["id"], {"destination": "primary"})["status"] == "confirmed"
