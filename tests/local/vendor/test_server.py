"""The sample vendor's server over HTTP, and as a process."""

import base64
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from confsync.local.vendor.app import ENDPOINT
from confsync.local.vendor.server import PortTakenError, Vendor, listen, serving
from confsync.providers.signature import parse_secrets, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """Run a sample vendor, in memory."""
    with serving([SECRET]) as running:
        yield running


def _call(url: str, call_type: str, operation_id: str = "op_1", **data: object) -> httpx.Response:
    body = json.dumps({"type": call_type, "timestamp": "now", "data": data}).encode()
    now = int(datetime.now(UTC).timestamp())
    headers = {
        "webhook-id": operation_id,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(parse_secrets([SECRET]), operation_id, now, body),
    }
    return httpx.post(url + ENDPOINT, content=body, headers=headers)


def _upsert(url: str, conference_id: str, generation: int, **desired: object) -> httpx.Response:
    named = {"key": "k", "conference_id": conference_id, "generation": generation}
    return _call(url, "conference.upsert", f"op_{generation}", **named, desired=desired)


def test_what_was_told_can_be_read_back(vendor: Vendor) -> None:
    """`conference.get` answers the stored state, and 404 for an unknown conference."""
    _upsert(vendor.url, "a", 3, title="Planning", start={"date": "2026-12-03"})
    found = _call(vendor.url, "conference.get", conference_id="a").json()
    assert (found["key"], found["generation"], found["state"]) == ("k", 3, "live")
    assert (found["desired"]["title"], found["desired"]["start"]["date"]) == ("Planning", "2026-12-03")
    unknown = _call(vendor.url, "conference.get", conference_id="b")
    assert unknown.status_code == 404
    assert unknown.headers["content-type"] == "application/problem+json"


def test_the_list_goes_on_from_its_cursor_to_the_end(vendor: Vendor) -> None:
    """Pages together hold each conference once."""
    for conference_id in "abcde":
        _upsert(vendor.url, conference_id, 1)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = _call(vendor.url, "conference.list", cursor=cursor, limit=2).json()
        seen += [conference["conference_id"] for conference in page["conferences"]]
        cursor = page["next_cursor"]
    assert seen == list("abcde")


def test_an_unsigned_call_is_refused_before_it_is_read(vendor: Vendor) -> None:
    """Even a body that is no JSON gets 401: nobody learns anything without a key."""
    answer = httpx.post(vendor.endpoint, content=b"{")
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/signature-invalid")


def test_a_body_without_end_is_refused(vendor: Vendor) -> None:
    """More than a call may have is answered, and not read to its end."""
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        while len(sent) < 100:
            sent.append(1024 * 1024)
            yield b"x" * sent[-1]

    with contextlib.suppress(httpx.TransportError):
        assert httpx.post(vendor.endpoint, content=endless(), timeout=30).status_code == 413
    assert len(sent) < 100
    (entry,) = httpx.get(f"{vendor.url}/_local/calls").json()["calls"]
    assert entry["status"] == 413


def test_the_add_on_s_api_refuses_nonsense_by_field(vendor: Vendor) -> None:
    """The vendor's own API answers problems too."""
    answer = httpx.post(f"{vendor.url}/api/conferences", json={"title": 5})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["field_errors"]] == ["title"]


def test_the_join_page_shows_a_title_as_text(vendor: Vendor) -> None:
    """Markup in a title stays text; an unknown conference is 404."""
    created = httpx.post(f"{vendor.url}/api/conferences", json={"title": "<script>alert(1)</script>"}).json()
    assert re.fullmatch(r"\d{3}-\d{3}-\d{4}", created["conference_id"])
    page = httpx.get(created["join_url"])
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert httpx.get(f"{vendor.url}/join/unknown").status_code == 404


def test_another_name_for_this_machine_is_refused(vendor: Vendor) -> None:
    """A web page elsewhere that points its own name here reads nothing."""
    assert httpx.get(f"{vendor.url}/_local/conferences", headers={"host": "evil.example"}).status_code == 400


def test_faults_are_set_shown_and_cleared_over_http(vendor: Vendor) -> None:
    """The knob for tests in other processes."""
    url = f"{vendor.url}/_local/faults"
    assert httpx.post(url, json={"kind": "status", "status": 429, "times": 2}).json()["faults"][0]["times"] == 2
    assert _call(vendor.url, "ping").status_code == 429
    assert httpx.get(url).json()["faults"][0]["times"] == 1
    assert httpx.delete(url).json() == {"faults": []}
    assert _call(vendor.url, "ping").json() == {"type": "pong"}
    assert httpx.post(url, json={"kind": "fire"}).status_code == 422


def test_the_log_can_be_read_from_any_call_on(vendor: Vendor) -> None:
    """Whoever polls asks for what is new; nonsense is refused."""
    for _ in range(3):
        _call(vendor.url, "ping")
    calls = httpx.get(f"{vendor.url}/_local/calls?after=1").json()["calls"]
    assert [call["number"] for call in calls] == [2, 3]
    for nonsense in ("x", "-1", "9" * 30):
        assert httpx.get(f"{vendor.url}/_local/calls?after={nonsense}").status_code == 422


def test_the_page_works_offline_and_never_writes_markup(vendor: Vendor) -> None:
    """It loads nothing from elsewhere, and what it shows is text."""
    page = httpx.get(vendor.url)
    assert page.headers["content-type"].startswith("text/html")
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page.text)
    assert "innerHTML" not in page.text
    assert "prefers-color-scheme: dark" in page.text


def _events(response: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_the_page_is_told_all_at_first_and_then_what_changes(vendor: Vendor) -> None:
    """A change reaches an open page without being asked for."""
    _upsert(vendor.url, "a", 1, title="Planning")
    with httpx.stream("GET", f"{vendor.url}/_local/changes", timeout=30) as response:
        events = _events(response)
        first = next(events)
        assert first["first"]
        assert [row["title"] for row in first["conferences"]] == ["Planning"]
        _upsert(vendor.url, "a", 2, title="Review")
        change = next(events)
        assert not change["first"]
        assert [(row["title"], row["generation"]) for row in change["conferences"]] == [("Review", 2)]
        assert [call["operation_id"] for call in change["calls"]] == ["op_2"]


def test_a_taken_port_is_named() -> None:
    """Starting twice on one port is a clear error."""
    with listen(0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port} "):
            listen(port)


COMMAND = [sys.executable, "-W", "ignore", "-m", "confsync.local.vendor"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@contextlib.contextmanager
def _process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command and yield it with its address, once it is ready."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert re.fullmatch(r"ready http://127\.0\.0\.1:\d+\n", line), (line, process.poll())
        yield process, line.split()[1]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_cleanly(number: signal.Signals) -> None:
    """Status 0 and nothing on standard error, though a page is open and a call hangs."""
    with (
        _process("--secret", SECRET) as (process, url),
        ThreadPoolExecutor(1) as pool,
        httpx.stream("GET", f"{url}/_local/changes", timeout=30) as response,
    ):
        events = _events(response)
        assert next(events)["first"]
        httpx.post(f"{url}/_local/faults", json={"kind": "hang"})
        hanging = pool.submit(_call, url, "ping")
        assert next(events)["calls"][0]["fault"] == "hang"
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")
        assert hanging.exception() is not None or hanging.result().status_code == 503
        assert list(events) == []


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    """After kill -9 the next process has every state that got a 2xx, and the log of calls."""
    arguments = ("--data", str(tmp_path / "vendor.db"), "--secret", SECRET)
    with _process(*arguments) as (process, url):
        for generation in range(1, 21):
            assert _upsert(url, "a", generation, title=f"t{generation}").status_code == 200
        process.kill()
    with _process(*arguments) as (_, url):
        (conference,) = httpx.get(f"{url}/_local/conferences").json()["conferences"]
        assert (conference["generation"], conference["desired"]["title"]) == (20, "t20")
        assert len(httpx.get(f"{url}/_local/calls").json()["calls"]) == 20
        assert _upsert(url, "a", 19).status_code == 409


def _create(url: str, operation_id: str, replaces: str) -> httpx.Response:
    desired = {"title": "Planning", "organizer": {"email": "anna@example.com"}}
    return _call(url, "conference.create", operation_id, replaces=replaces, desired=desired)


def test_a_made_conference_survives_a_kill_and_so_does_its_operation(tmp_path: Path) -> None:
    """Whoever never saw the answer asks the next process, and gets the same conference."""
    arguments = ("--data", str(tmp_path / "vendor.db"), "--secret", SECRET)
    with _process(*arguments) as (process, url):
        _upsert(url, "a", 1)
        made = [_create(url, f"op_c{number}", "a") for number in range(20)]
        assert {answer.status_code for answer in made} == {201}
        process.kill()
    ids = [answer.json()["conference_id"] for answer in made]
    with _process(*arguments) as (_, url):
        again = [_create(url, f"op_c{number}", "a") for number in range(20)]
        assert {answer.status_code for answer in again} == {200}
        assert [answer.json()["conference_id"] for answer in again] == ids
        stored = {one["conference_id"]: one for one in httpx.get(f"{url}/_local/conferences").json()["conferences"]}
        assert stored.keys() == {"a", *ids}
        assert stored["a"]["replaced_by"] == ids
        assert {one["host"] for name, one in stored.items() if name != "a"} == {"anna@example.com"}


def test_a_back_end_whose_conferences_end_for_good_is_an_option_of_the_command() -> None:
    """An upsert of what ended is answered 410, as a problem that names the reason."""
    with _process("--secret", SECRET, "--ended-for-good") as (_, url):
        _upsert(url, "a", 1)
        named = {"key": "k", "conference_id": "a", "generation": 2}
        assert _call(url, "conference.delete", "op_2", **named).status_code == 200
        refused = _upsert(url, "a", 3)
        assert refused.status_code == 410
        assert refused.json()["type"].endswith("/conference-ended")


def test_an_id_that_is_in_use_is_never_given_twice() -> None:
    """Neither to the add-on nor to a creation, whatever chance says."""
    ids = iter(["a", "a", "b", "a", "b", "c"])
    with serving([SECRET], new_id=lambda: next(ids)) as vendor:
        given = [
            httpx.post(f"{vendor.url}/api/conferences", json={"title": "New"}),
            _create(vendor.url, "op_1", "x"),
            _create(vendor.url, "op_2", "x"),
        ]
        assert [answer.json()["conference_id"] for answer in given] == ["a", "b", "c"]


def test_the_page_is_told_of_the_new_conference_and_of_the_one_that_it_replaces(vendor: Vendor) -> None:
    """Both rows change: one stands in the place of the other."""
    _upsert(vendor.url, "a", 1)
    with httpx.stream("GET", f"{vendor.url}/_local/changes", timeout=30) as response:
        events = _events(response)
        next(events)
        made = _create(vendor.url, "op_c", "a").json()["conference_id"]
        change = next(events)
        rows = {row["conference_id"]: (row["replaces"], row["replaced_by"]) for row in change["conferences"]}
        assert rows == {made: ("a", []), "a": ("", [made])}
        assert [(call["type"], call["outcome"]) for call in change["calls"]] == [("conference.create", "created")]


def _finished(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=ENVIRONMENT)


def _fails(*arguments: str) -> str:
    done = _finished(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_what_keeps_it_from_starting_is_said_in_one_line(tmp_path: Path) -> None:
    """A taken port, a foreign file, a bad secret: one line, status 2, nothing overwritten."""
    foreign = tmp_path / "notes.txt"
    foreign.write_text("minutes")
    short = f"whsec_{base64.b64encode(b'short').decode()}"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        for arguments, what in (
            (("--port", port, "--secret", SECRET), f"port {port}"),
            (("--data", str(foreign), "--secret", SECRET), "notes.txt"),
            (("--secret", short), "24 to 64"),
        ):
            errors = _fails(*arguments)
            assert what in errors
            assert errors.count("\n") == 1
            assert short not in errors
    assert foreign.read_text() == "minutes"


def test_two_processes_never_share_a_file(tmp_path: Path) -> None:
    """The second one says so and leaves."""
    arguments = ("--data", str(tmp_path / "vendor.db"), "--secret", SECRET)
    with _process(*arguments):
        assert "locked" in _fails(*arguments)


def test_help_tells_the_options() -> None:
    """Who asks gets an answer, with status 0."""
    done = _finished("--help")
    assert done.returncode == 0
    assert all(option in done.stdout for option in ("--port", "--data", "--secret", "--ended-for-good", "127.0.0.1"))


def test_a_storage_that_fails_is_a_busy_answer(tmp_path: Path) -> None:
    """A full disk or a broken file is told as 503: nothing was stored, the call may come again."""
    with serving([SECRET], data=tmp_path / "vendor.db") as vendor:
        _upsert(vendor.url, "a", 1)
        vendor.back_end.storage._db.execute("PRAGMA query_only = ON")
        broken = _upsert(vendor.url, "a", 2)
        vendor.back_end.storage._db.execute("PRAGMA query_only = OFF")
        assert broken.status_code == 503
        assert _upsert(vendor.url, "a", 2).status_code == 200
