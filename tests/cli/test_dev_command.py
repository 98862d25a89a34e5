"""`confsync dev`: the same system each time it is started, until it is told to stop."""

import json
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from confsync.cli.main import main
from tests.cli.processes import CONFSYNC, Command, all_end, eventually, running

UNSIGNED = json.dumps([{"provider": "a", "names": ["A"], "url": "http://127.0.0.1:9/", "secrets": ["whsec_..."]}])


def _ready(command: Command) -> bool:
    return command.says('"Renamed"') or command.process.poll() is not None


def _url(command: Command, what: str) -> str:
    line = next(line for line in command.out.read_text().splitlines() if line.strip().startswith(what))
    return line.split()[-1]


def _shell(command: Command, number: int) -> str:
    """Run one of the commands that it offers, as somebody who pastes it into a shell; return what it says."""
    text = command.out.read_text().split("\n# ")[number].partition("\n")[2]
    said = subprocess.run(["/bin/sh", "-c", text], check=True, capture_output=True, text=True, timeout=30)
    return said.stdout


def _titles(vendor: str) -> list[Any]:
    held = httpx.get(f"{vendor}/_local/conferences", trust_env=False, timeout=30).json()["conferences"]
    return [conference["desired"]["title"] for conference in held if conference["state"] == "live"]


def _has(vendor: str, title: str) -> Callable[[], bool]:
    return lambda: title in _titles(vendor)


def test_it_keeps_addresses_and_data_and_stops_cleanly(tmp_path: Path) -> None:
    """The offered commands work; after a stop and a new start the same addresses serve the same data, push included."""
    with running([CONFSYNC, "dev", "--data", "data"], tmp_path) as command:
        assert eventually(lambda: _ready(command)), command.err.read_text()
        vendor, events = _url(command, "Vendor's page"), _url(command, "Calendar API") + "/calendars/primary/events"
        _shell(command, 1)
        _shell(command, 2)
        assert eventually(_has(vendor, "First meeting"))
        _shell(command, 3)
        assert eventually(_has(vendor, "Renamed"))
        assert "state: live" in _shell(command, 4)
        _check_that_a_second_one_is_refused(tmp_path)
        family = command.family()
        assert command.end(signal.SIGINT) == 0
        assert all_end(family)
        assert command.out.read_text().splitlines()[-1].startswith("Stopped.")
        assert command.err.read_text() == ""
    with running([CONFSYNC, "dev", "--data", "data", "--set", "END_GRACE_S=7"], tmp_path) as command:
        assert eventually(lambda: _ready(command)), command.err.read_text()
        assert "export END_GRACE_S=7\n" in (tmp_path / "data" / "environment.sh").read_text()
        assert _url(command, "Vendor's page") == vendor
        assert _titles(vendor) == ["Renamed"]
        _rename(events, "After the night")
        assert eventually(_has(vendor, "After the night"))
        family = command.family()
        assert command.end(signal.SIGTERM) == 0
        assert all_end(family)


def _rename(events: str, title: str) -> None:
    with httpx.Client(trust_env=False, headers={"Authorization": "Bearer anna@example.com"}, timeout=30) as anna:
        (event,) = anna.get(events).json()["items"]
        anna.patch(f"{events}/{event['id']}", json={"summary": title}).raise_for_status()


def _check_that_a_second_one_is_refused(folder: Path) -> None:
    second = subprocess.run(
        [CONFSYNC, "dev", "--data", "data"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (second.returncode, second.stdout) == (2, "")
    assert "a stack runs in data already" in second.stderr


def _refused(*words: str) -> str:
    answer = CliRunner().invoke(main, ["dev", *words])
    assert (answer.exit_code, answer.stdout) == (2, "")
    return answer.stderr


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    """A given port on which somebody listens ends with status 2 and its number; nothing is written down."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in _refused("--data", str(tmp_path), "--calendar-port", port)
    assert not (tmp_path / "ports.json").exists()


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("INGRES=poll", "'INGRES' is no setting: give NAME=VALUE"),
        ("INGRESS", "give NAME=VALUE"),
        ("INGRESS=pol", "INGRESS 'pol': Input should be 'push', 'poll' or 'addon'"),
        (f"CONFERENCE_SOLUTIONS={UNSIGNED}", "whsec_"),
    ],
)
def test_a_wrong_setting_is_refused(tmp_path: Path, word: str, complaint: str) -> None:
    """By its name, or by its value; nothing is left running, and no ports are written down."""
    assert complaint in _refused("--data", str(tmp_path), "--set", word)
    assert not (tmp_path / "ports.json").exists()


def test_other_ports_than_a_folder_has_are_refused(tmp_path: Path) -> None:
    """The ports of a folder stay, since its channels hold the addresses; asking for another one is a mistake."""
    parts = ("calendar", "tasks", "vendor", "receive_notification", "sync_calendar", "renew_channels")
    (tmp_path / "ports.json").write_text(json.dumps(dict(zip(parts, range(20001, 20007), strict=True))))
    assert "calendar on port 20001" in _refused("--data", str(tmp_path), "--calendar-port", "20009")


@pytest.mark.parametrize("content", ["{", "{}", '{"calendar": 0}'])
def test_damaged_ports_are_refused(tmp_path: Path, content: str) -> None:
    """A ports.json that cannot be read is named and left alone."""
    (tmp_path / "ports.json").write_text(content)
    assert "ports.json is damaged" in _refused("--data", str(tmp_path))
    assert (tmp_path / "ports.json").read_text() == content


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """Where no folder can be made, its name is in the message."""
    (tmp_path / "file").touch()
    assert "file/data cannot be written" in _refused("--data", str(tmp_path / "file" / "data"))
