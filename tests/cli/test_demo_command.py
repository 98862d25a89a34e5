"""`confsync demo`: the whole system, played through once, and interrupted once."""

import json
import signal
import subprocess
from pathlib import Path

from tests.cli.processes import CONFSYNC, all_end, eventually, running


def test_the_day_ends_with_everything_in_step(tmp_path: Path) -> None:
    """Every scene does what it should, nothing happens where nothing should, and every conference equals its event."""
    answer = subprocess.run(
        [CONFSYNC, "demo", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=110
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    found = json.loads(answer.stdout)
    assert found["verdict"] == "good"
    assert not [row["problem"] for row in found["rows"] if row["problem"]]
    assert {conference["state"] for conference in found["conferences"]} == {"live", "ended"}
    _check_rows(found["rows"])


def _check_rows(rows: list[dict[str, object]]) -> None:
    told = [row for row in rows if row["latency_ms"] is not None]
    quiet = [row for row in rows if row["latency_ms"] is None]
    assert (len(told), len(quiet)) == (17, 3)
    assert all(row["calls"] for row in told)
    assert not any(row["calls"] for row in quiet)
    assert all(row["syncs"] and row["pushes"] for row in quiet)
    storm = next(row for row in rows if "200 times" in str(row["action"]))
    assert (storm["pushes"], int(str(storm["syncs"])) < 100, int(str(storm["calls"])) < 50) == (400, True, True)
    lost = next(row for row in rows if "gets lost" in str(row["action"]))
    assert lost["pushes"] == 0
    renewed = next(row for row in rows if "renewed" in str(row["action"]))
    assert int(str(renewed["pushes"])) >= 3, "one greets each channel, and one tells of the change"


def test_ctrl_c_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    """An interrupted demo says so in one line, ends with status 130, and leaves no process and no folder."""
    with running([CONFSYNC, "demo"], tmp_path, {"TMPDIR": str(tmp_path)}) as command:
        assert eventually(lambda: command.says("ok  ", 2))
        family = command.family()
        assert len(family) >= 9
        assert command.end(signal.SIGINT) == 130
        assert all_end(family)
    assert command.err.read_text() == "Stopped.\n"
    assert not list(tmp_path.glob("confsync-demo-*"))
