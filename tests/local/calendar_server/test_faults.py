"""Injected faults, over HTTP: errors, slow and broken answers, knobs of lists, and how to be rid of them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from confsync.local.calendar_server.errors import Json
from confsync.local.calendar_server.serve import RunningServer
from tests.local.calendar_server.support import ADA, check, meeting, plain_http

EVENTS = "/calendar/v3/calendars/primary/events"


@pytest.fixture
def http(server: RunningServer) -> Iterator[httpx.Client]:
    """Return Ada's connection."""
    with plain_http(server.url, ADA) as client:
        yield client


def set_faults(http: httpx.Client, **settings: Any) -> None:
    """Turn knobs."""
    http.post("/_local/faults", json=settings).raise_for_status()


def listed(http: httpx.Client) -> Json:
    """Return a full list."""
    page: Json = http.get(EVENTS).raise_for_status().json()
    return page


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("rateLimitExceeded", 403, "rateLimitExceeded"),
        ("userRateLimitExceeded", 403, "userRateLimitExceeded"),
        ("quotaExceeded", 403, "quotaExceeded"),
        ("tooManyRequests", 429, "rateLimitExceeded"),
        ("backendError", 500, "backendError"),
        ("serviceUnavailable", 503, "backendError"),
        ("authError", 401, "authError"),
        ("notFound", 404, "notFound"),
        ("fullSyncRequired", 410, "fullSyncRequired"),
        ("invalid", 400, "invalid"),
    ],
)
def test_the_next_answers_fail(http: httpx.Client, fault: str, status: int, reason: str) -> None:
    """The next n calls answer the error, and then all is well."""
    set_faults(http, answers=[{"fault": fault, "next": 2}])
    for _ in range(2):
        answer = http.get(EVENTS)
        assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (status, reason)
    assert http.get(EVENTS).status_code == 200


def test_a_fault_can_be_for_one_method(http: httpx.Client) -> None:
    """A fault of events.insert leaves lists alone, and takes no effect before it has failed."""
    set_faults(http, answers=[{"fault": "backendError", "method": "events.insert", "next": 1}])
    assert http.get(EVENTS).status_code == 200
    assert http.post(EVENTS, json=meeting()).status_code == 500
    assert listed(http)["items"] == []
    assert http.post(EVENTS, json=meeting()).status_code == 200


def test_a_request_may_take_effect_and_fail_all_the_same(http: httpx.Client) -> None:
    """With `after`, the outcome is unknown to the caller and the event exists."""
    set_faults(http, answers=[{"fault": "serviceUnavailable", "method": "events.insert", "when": "after", "next": 1}])
    assert http.post(EVENTS, json=meeting()).status_code == 503
    assert len(listed(http)["items"]) == 1


def test_an_answer_may_break_off(http: httpx.Client) -> None:
    """The connection closes in the middle of the body; the request has taken effect."""
    set_faults(http, answers=[{"fault": "cutOff", "method": "events.insert", "next": 1}])
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        http.post(EVENTS, json=meeting())
    assert len(listed(http)["items"]) == 1


def test_an_answer_may_be_slow(http: httpx.Client) -> None:
    """A delayed answer outlasts an impatient caller."""
    set_faults(http, answers=[{"fault": "slow", "delay_ms": 5000, "next": 1}])
    with pytest.raises(httpx.ReadTimeout):
        http.get(EVENTS, timeout=0.05)
    assert http.get(EVENTS).status_code == 200


def test_a_share_of_answers_fails(http: httpx.Client) -> None:
    """With a share and a seed, some calls fail and some do not, in the same order each time."""
    runs = []
    for _ in range(2):
        set_faults(http, seed=3, answers=[{"fault": "backendError", "share": 0.4}])
        runs.append([http.get(EVENTS).status_code for _ in range(20)])
    assert set(runs[0]) == {200, 500}
    assert runs[0] == runs[1]


def test_list_knobs(http: httpx.Client) -> None:
    """Small pages, empty pages and id-only tombstones are set and taken back over HTTP."""
    for number in range(3):
        http.post(EVENTS, json=meeting(f"{number}")).raise_for_status()
    set_faults(http, lists={"page_cap": 1, "empty_pages": 1, "organizer_tombstones": "id_only"})
    assert listed(http)["items"] == []
    assert len(listed(http)["items"]) == 1
    http.delete("/_local/faults").raise_for_status()
    assert len(listed(http)["items"]) == 3


def test_what_is_left_out_stays(http: httpx.Client) -> None:
    """Setting one knob does not turn another; null sets one back."""
    for number in range(3):
        http.post(EVENTS, json=meeting(f"{number}")).raise_for_status()
    set_faults(http, lists={"page_cap": 1})
    set_faults(http, lists={"lag_ms": 0}, meet="pending")
    assert len(listed(http)["items"]) == 1
    set_faults(http, lists={"page_cap": None})
    assert len(listed(http)["items"]) == 3


def test_tokens_expire_on_demand(http: httpx.Client) -> None:
    """Expiry over HTTP answers 410 to the old token of that calendar."""
    token = listed(http)["nextSyncToken"]
    http.post("/_local/expire_sync_tokens", json={"calendar_id": ADA}).raise_for_status()
    answer = http.get(EVENTS, params={"syncToken": token})
    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (410, "fullSyncRequired")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"answer": []}),
        ("faults", {"answers": [{"fault": "nonsense"}]}),
        ("faults", {"pushes": {"lose": {"share": 2}}}),
        ("users", {"email": "no address"}),
        ("calendars", {"id": "x@example.com"}),
        ("calendars", {"id": "x@example.com", "owner": ADA, "roles": {ADA: "king"}}),
    ],
)
def test_wrong_settings_are_refused_by_name(http: httpx.Client, path: str, body: Json) -> None:
    """A misspelt knob or an impossible value answers 400 and names the field."""
    answer = http.post(f"/_local/{path}", json=body)
    assert answer.status_code == 400
    assert ": " in answer.json()["error"]["message"]


def test_requests_are_counted(http: httpx.Client) -> None:
    """Each method has its calls, statuses and latency, and quota users are counted."""
    http.get(EVENTS, params={"quotaUser": "hash"})
    http.get(f"{EVENTS}/nosuch")
    counted = http.get("/_local/requests").json()
    assert counted["methods"]["events.list"]["statuses"] == {"200": 1}
    assert counted["methods"]["events.get"]["statuses"] == {"404": 1}
    assert counted["methods"]["events.list"]["mean_ms"] > 0
    assert counted["quota_users"] == {"hash": 1}


def test_the_state_shows_living_events(http: httpx.Client) -> None:
    """The state has every calendar with its living events and nothing else."""
    kept = http.post(EVENTS, json=meeting("kept")).json()["id"]
    gone = http.post(EVENTS, json=meeting("gone")).json()["id"]
    http.delete(f"{EVENTS}/{gone}").raise_for_status()
    events = http.get("/_local/state").json()["calendars"][ADA]
    assert list(events) == [kept]
    check(events[kept], "Event")


def test_callers_must_say_who_they_are(http: httpx.Client) -> None:
    """No token, another scheme and an unknown user answer 401 authError."""
    for token in ("", f"Basic {ADA}", "Bearer nobody@example.com"):
        answer = http.get(EVENTS, headers={"Authorization": token})
        assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (401, "authError")


def test_unknown_paths_and_bodies(http: httpx.Client) -> None:
    """A path that does not exist is 404 in Google's form, and a body that is no object 400."""
    assert http.get("/calendar/v3/nosuch").json()["error"]["code"] == 404
    assert http.post("/calendar/v3/colors").status_code == 404
    for content in (b"{", b"[]", b"\xff"):
        answer = http.post(EVENTS, content=content)
        assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (400, "parseError")


def test_recorded_payloads_are_served_over_http(http: httpx.Client) -> None:
    """What is put in verbatim comes out verbatim."""
    event = {"kind": "calendar#event", "id": "abcde", "status": "cancelled", "etag": '"1"'}
    http.post("/_local/import_payload", json={"calendar_id": ADA, "events": [event]}).raise_for_status()
    assert http.get(f"{EVENTS}/abcde").json() == event


def test_pretty_printing_and_etags(http: httpx.Client) -> None:
    """prettyPrint writes lines; the ETag header repeats the body's."""
    answer = http.get(EVENTS, params={"prettyPrint": "true"})
    assert answer.text.count("\n") > 5
    assert answer.headers["etag"] == answer.json()["etag"]
    assert "\n" not in http.get(EVENTS).text
