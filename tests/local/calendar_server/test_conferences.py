"""conferenceData: stored only on request, kept verbatim, cleared by null, made for Meet only."""

from typing import Any

import pytest

from confsync.local.calendar_server.errors import Json
from tests.local.calendar_server.support import (
    ADA,
    BOB,
    CheckedModel,
    meeting,
    refusal,
    timed,
    with_conference,
)

V1 = {"conferenceDataVersion": 1}


def request_for_meet(request_id: str = "r1") -> Json:
    """Return the conferenceData that asks for a Meet conference."""
    return {"createRequest": {"requestId": request_id, "conferenceSolutionKey": {"type": "hangoutsMeet"}}}


def test_an_add_ons_conference_is_kept_verbatim(model: CheckedModel) -> None:
    """Solution, entry points, parameters and notes come back as they were given, on guests' copies too."""
    body = with_conference(meeting("Planning", BOB))
    body["conferenceData"]["notes"] = "Bring <b>cake</b>"
    event = model.insert(ADA, "primary", body, V1)
    assert event["conferenceData"] == body["conferenceData"]
    assert model.get(BOB, "primary", event["id"])["conferenceData"] == body["conferenceData"]


def test_without_version_1_the_bodys_conference_is_ignored(model: CheckedModel) -> None:
    """Writers who do not know conferences neither set nor clear them."""
    plain = model.insert(ADA, "primary", with_conference(meeting()))
    assert "conferenceData" not in plain
    event = model.insert(ADA, "primary", with_conference(meeting()), V1)
    for call in (model.update, model.patch):
        changed = call(ADA, "primary", event["id"], with_conference(meeting("New"), "c2"))
        assert changed["conferenceData"]["conferenceId"] == "c1"
    assert model.update(ADA, "primary", event["id"], meeting("Newer"))["conferenceData"]["conferenceId"] == "c1"


def test_null_with_version_1_clears(model: CheckedModel) -> None:
    """The cross beside the conference writes null."""
    event = model.insert(ADA, "primary", with_conference(meeting()), V1)
    assert "conferenceData" in model.patch(ADA, "primary", event["id"], {"conferenceData": None})
    assert "conferenceData" not in model.patch(ADA, "primary", event["id"], {"conferenceData": None}, V1)


def test_update_with_version_1_replaces_the_conference_too(model: CheckedModel) -> None:
    """An update that does not send the conference back removes it; a patch keeps it."""
    event = model.insert(ADA, "primary", with_conference(meeting()), V1)
    assert "conferenceData" in model.patch(ADA, "primary", event["id"], {"summary": "New"}, V1)
    assert "conferenceData" not in model.update(ADA, "primary", event["id"], meeting(), V1)


@pytest.mark.parametrize(
    "data",
    [
        {"conferenceId": "c1"},
        {"conferenceSolution": {"key": {"type": "addOn"}}},
        {"entryPoints": [{"entryPointType": "video", "uri": "https://meetings.example.com/1"}]},
        {"createRequest": {"requestId": "r", "conferenceSolutionKey": {"type": "addOn"}}},
        {"createRequest": {"conferenceSolutionKey": {"type": "hangoutsMeet"}}},
    ],
)
def test_half_a_conference_is_refused(model: CheckedModel, data: Json) -> None:
    """Either a request for Meet, or a solution with entry points."""
    assert refusal(model.insert, ADA, "primary", meeting(conferenceData=data), V1) == (400, "invalid")


def test_meet_is_made_at_once(model: CheckedModel) -> None:
    """A request for Meet succeeds with a code, a link and an entry point."""
    event = model.insert(ADA, "primary", meeting(conferenceData=request_for_meet()), V1)
    data = event["conferenceData"]
    assert data["createRequest"]["status"] == {"statusCode": "success"}
    assert data["entryPoints"][0]["uri"] == event["hangoutLink"] == f"https://meet.google.com/{data['conferenceId']}"


def test_meet_may_be_pending_first(model: CheckedModel) -> None:
    """A pending request has no conference yet; settling it is one more change."""
    model.options.meet = "pending"
    event = model.insert(ADA, "primary", meeting(conferenceData=request_for_meet()), V1)
    assert event["conferenceData"]["createRequest"]["status"] == {"statusCode": "pending"}
    assert "entryPoints" not in event["conferenceData"]
    assert model.settle_conferences(ADA) == 1
    settled = model.get(ADA, "primary", event["id"])
    assert settled["conferenceData"]["conferenceSolution"]["key"] == {"type": "hangoutsMeet"}
    assert settled["etag"] != event["etag"]
    assert model.settle_conferences(ADA) == 0


def test_meet_may_fail(model: CheckedModel) -> None:
    """A failed request stays visible as such."""
    model.options.meet = "pending"
    event = model.insert(ADA, "primary", meeting(conferenceData=request_for_meet()), V1)
    model.settle_conferences(ADA, "failure")
    data: Any = model.get(ADA, "primary", event["id"])["conferenceData"]
    assert data["createRequest"]["status"] == {"statusCode": "failure"}
    assert set(data) == {"createRequest"}


def test_a_repeated_request_is_ignored(model: CheckedModel) -> None:
    """The same requestId does not make a second conference; another one does."""
    event = model.insert(ADA, "primary", meeting(conferenceData=request_for_meet()), V1)
    again = model.patch(ADA, "primary", event["id"], {"conferenceData": request_for_meet(), **timed()}, V1)
    assert again["conferenceData"] == event["conferenceData"]
    other = model.patch(ADA, "primary", event["id"], {"conferenceData": request_for_meet("r2")}, V1)
    assert other["conferenceData"]["conferenceId"] != event["conferenceData"]["conferenceId"]


def test_switching_between_solutions_changes_the_link(model: CheckedModel) -> None:
    """An add-on's conference has no hangoutLink; Meet's has."""
    event = model.insert(ADA, "primary", with_conference(meeting()), V1)
    assert "hangoutLink" not in event
    meet = model.patch(ADA, "primary", event["id"], {"conferenceData": request_for_meet()}, V1)
    assert "hangoutLink" in meet
    back = model.patch(ADA, "primary", event["id"], with_conference({}), V1)
    assert "hangoutLink" not in back
