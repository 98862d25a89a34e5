"""Every recorded event is taken in and served back unharmed; recorded errors are matched word for word."""

import json
from pathlib import Path
from typing import Any

import pytest

from confsync.local.calendar_server.errors import ApiError, Json
from confsync.local.calendar_server.faults import AnswerKind, error_for
from tests.local.calendar_server.support import ADA, START, Clock, a_model, timed


def recorded_events(folder: Path) -> list[tuple[str, list[Json]]]:
    """Return the events of each payload file, each id once; what is no event is left out."""
    found = []
    for path in sorted(folder.glob("*.json")):
        file = json.loads(path.read_text(encoding="utf-8"))
        if file["kind"] in ("event", "events_list") and "calendarlist" not in path.stem:
            payload = file["payload"]
            items = payload.get("items", [payload]) if isinstance(payload, dict) else payload
            events = {item["id"]: item for item in items if "id" in item}
            found.append((path.stem, list(events.values())))
    return found


def errors_of(folder: Path, name: str) -> Json:
    """Return a recorded error body."""
    payload: Json = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["payload"]
    body: Json = payload.get("body", payload)
    return body


def a_plain_model() -> Any:
    """Return a model without the check of schemas: some payloads are hostile on purpose."""
    return super(type(a_model(Clock())), a_model(Clock()))


def test_recorded_events_come_back_unharmed(payload_folder: Path) -> None:
    """Imported verbatim, an event is listed and read exactly as it was recorded."""
    files = recorded_events(payload_folder)
    assert sum(len(events) for _, events in files) > 300
    for name, events in files:
        model = a_plain_model()
        model.import_payload(ADA, events)
        listed = model.list_events(ADA, "primary", {"showDeleted": True, "maxResults": 2500})["items"]
        assert {item["id"]: item for item in listed} == {event["id"]: event for event in events}, name
        for event in events:
            assert model.get(ADA, "primary", event["id"]) == event, name


def test_recorded_events_are_part_of_sync(payload_folder: Path) -> None:
    """What is imported after a list is in the next incremental one, tombstones included."""
    for name, events in recorded_events(payload_folder):
        model = a_plain_model()
        token = model.list_events(ADA, "primary", {"showDeleted": True})["nextSyncToken"]
        model.import_payload(ADA, events)
        params = {"showDeleted": True, "syncToken": token, "maxResults": 2500}
        assert len(model.list_events(ADA, "primary", params)["items"]) == len(events), name


def test_recorded_events_can_be_changed(payload_folder: Path) -> None:
    """An imported event that the calendar can read is edited and deleted like any other."""
    [(_, events)] = [f for f in recorded_events(payload_folder) if f[0] == "compass-split-this-and-following-2-after"]
    model = a_model(Clock())
    renamed = [dict(event, organizer={"email": ADA, "self": True}) for event in events]
    model.import_payload(ADA, renamed)
    series, exception = events[0]["id"], events[1]["id"]
    assert model.patch(ADA, "primary", series, {"location": "Room"})["location"] == "Room"
    assert model.patch(ADA, "primary", exception, timed(START))["sequence"] == 2
    model.delete(ADA, "primary", series)
    assert model.get(ADA, "primary", exception)["status"] == "cancelled"


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("userRateLimitExceeded", "error-403-userratelimitexceeded"),
        ("quotaExceeded", "error-403-quotaexceeded"),
        ("tooManyRequests", "error-429-ratelimitexceeded"),
        ("backendError", "error-500-backenderror"),
        ("notFound", "error-404-notfound"),
        ("fullSyncRequired", "error-410-fullsyncrequired-recorded"),
        ("invalid", "error-400-invalid-synctoken-recorded"),
    ],
)
def test_faults_use_the_recorded_words(payload_folder: Path, kind: AnswerKind, file: str) -> None:
    """The bodies of injected errors equal the recorded ones."""
    error = error_for(kind)
    assert error is not None
    assert error.to_json() == errors_of(payload_folder, file)


def test_the_quota_error_has_its_new_form(payload_folder: Path) -> None:
    """The per-minute quota error carries an RPC status and details, with the keys of the recording."""

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(inner) for key, inner in value.items()}
        return [shape(inner) for inner in value] if isinstance(value, list) else type(value)

    error = error_for("rateLimitExceeded")
    assert isinstance(error, ApiError)
    recorded = errors_of(payload_folder, "error-403-quota-per-minute-permission-denied")
    recorded["error"]["details"] = recorded["error"]["details"][:1]
    assert shape(error.to_json()) == shape(recorded)
    assert error.to_json()["error"]["status"] == "PERMISSION_DENIED"
