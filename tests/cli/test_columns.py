"""Columns of plain text: in one line where there is room, else in lines that stay aligned."""

import os
import pty
import subprocess
import sys

import pytest

from confsync.cli.columns import folded

HEAD = ("CALENDAR", "STATE", "DUE", "WHY")
ROWS = [("ann@example.com", "active", "2026-11-23", ""), ("b@example.com", "paused", "-", "being moved")]


def lines(most: int | None) -> list[str]:
    """Return the rows in lines of so many letters at most."""
    return folded(HEAD, ROWS, most).splitlines()


def test_a_pipe_gets_one_line_for_each_row() -> None:
    """However long: a program reads along, or `less -S`."""
    assert lines(None) == [
        "CALENDAR         STATE   DUE         WHY",
        "ann@example.com  active  2026-11-23",
        "b@example.com    paused  -           being moved",
    ]
    assert lines(48) == lines(None), "the longest line just fits"


def test_a_narrow_terminal_gets_more_lines_in_which_columns_stay_in_line() -> None:
    """Each row, and the heads, go on in an indented line; where nothing is left to say there is none."""
    assert lines(47) == [
        "CALENDAR         STATE   DUE",
        "    WHY",
        "ann@example.com  active  2026-11-23",
        "b@example.com    paused  -",
        "    being moved",
    ]
    assert lines(30)[-2:] == ["b@example.com    paused", "    -           being moved"]


def test_a_column_wider_than_the_terminal_is_not_cut() -> None:
    """The terminal folds it: ids are to be copied whole."""
    assert len(lines(5)) == 4 + 3 + 4
    assert "ann@example.com" in lines(5)


@pytest.mark.parametrize(("is_terminal", "found"), [(True, "61"), (False, "None")])
def test_only_a_terminal_has_a_width(is_terminal: bool, found: str) -> None:
    """What is piped is never folded."""
    mine, theirs = pty.openpty() if is_terminal else os.pipe()
    program = "from confsync.cli.columns import room; print(room())"
    environment = {**os.environ, "COLUMNS": "61"}
    subprocess.run([sys.executable, "-c", program], stdout=theirs, env=environment, check=True, timeout=60)
    assert os.read(mine, 99).decode().strip() == found
    os.close(mine)
    os.close(theirs)
