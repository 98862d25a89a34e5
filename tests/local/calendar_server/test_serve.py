"""The server as a process: the ready line, signals, kill, and what cannot be used."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from confsync.local.calendar_server.serve import running
from confsync.local.calendar_server.service import CalendarService
from tests.local.calendar_server.support import ADA, BOB, meeting, plain_http

COMMAND = [sys.executable, "-m", "confsync.local.calendar_server"]
EVENTS = "/calendar/v3/calendars/primary/events"
AS_BOB = {"Authorization": f"Bearer {BOB}"}


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a process and return it with its address; it is killed at the end if it still lives."""
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        word, url = process.stdout.readline().split()
        assert word == "ready"
        yield process, url
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    """The ready line names the address; after SIGTERM or SIGINT the process ends with 0, open connections or not."""
    with started("--port", "0") as (process, url), plain_http(url) as http:
        assert http.get("/_local/state").status_code == 200
        process.send_signal(number)
        assert process.wait(timeout=20) == 0


def test_a_killed_server_loses_nothing(tmp_path: Path) -> None:
    """What was answered before SIGKILL is there after a restart, channels too."""
    data = str(tmp_path / "calendar.db")
    with started("--data", data) as (process, url), plain_http(url, ADA) as http:
        for email in (ADA, BOB):
            http.post("/_local/users", json={"email": email}).raise_for_status()
        channel = {"id": "c1", "type": "web_hook", "address": "http://127.0.0.1:9/"}
        http.post(f"{EVENTS}/watch", json=channel).raise_for_status()
        # In a calendar without a channel, so that nothing but the answer itself makes the server write.
        made = [http.post(EVENTS, json=meeting(f"{n}"), headers=AS_BOB).raise_for_status() for n in range(20)]
        ids = [answer.json()["id"] for answer in made]
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=20)
    with started("--data", data) as (_, url), plain_http(url, ADA) as http:
        assert {item["id"] for item in http.get(EVENTS, headers=AS_BOB).json()["items"]} == set(ids)
        assert http.post(f"{EVENTS}/watch", json=channel).status_code == 400


def failed(*arguments: str) -> tuple[int, str]:
    """Run the command to its end and return its code and error output."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def test_a_port_in_use_is_one_clear_line() -> None:
    """Exit code 2 and one line that names the port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, message = failed("--port", str(port))
    assert code == 2
    assert len(message.splitlines()) == 1
    assert f"port {port}" in message


def test_an_unusable_file_is_one_clear_line(tmp_path: Path) -> None:
    """Exit code 2 and one line that names the file."""
    code, message = failed("--data", str(tmp_path / "nosuch" / "calendar.db"))
    assert code == 2
    assert len(message.splitlines()) == 1
    assert "nosuch" in message


def test_help_explains() -> None:
    """--help says what it is."""
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=60, check=True)
    assert "local Google Calendar" in done.stdout


def test_on_a_thread_it_starts_and_stops(tmp_path: Path) -> None:
    """`running` serves for the length of a block, keeps its file, and leaves the port free."""
    begun = time.monotonic()
    with running(tmp_path / "calendar.db") as server, plain_http(server.url) as http:
        http.post("/_local/users", json={"email": ADA}).raise_for_status()
        port = int(server.url.rpartition(":")[2])
    with running(tmp_path / "calendar.db", port) as server, plain_http(server.url, ADA) as http:
        assert http.get(EVENTS).status_code == 200
        assert server.service.model.state.users
        http.post("/_local/reset").raise_for_status()
        assert http.get(EVENTS).status_code == 401
    assert time.monotonic() - begun < 60


def test_there_are_no_pushes_before_the_start() -> None:
    """A service that is not started says so instead of losing pushes."""
    with pytest.raises(RuntimeError, match="before start"):
        _ = CalendarService().pushes
