"""A mistyped path in STORE: whoever asks what is stored is told so, instead of looking into a new and empty file."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from confsync.cli.main import main
from tests.cli.observed import SETTINGS
from tests.world import ANN

COMMANDS = (
    "calendars list",
    f"calendars show {ANN}",
    f"calendars pause {ANN}",
    f"calendars resume {ANN}",
    f"calendars remove {ANN} --yes",
    f"calendars resync {ANN}",
    "channels list",
    "channels renew --all",
    f"channels renew {ANN} --now",
    f"channels stop abc --calendar {ANN}",
    "channels keys",
    "ends list",
    "ends approve --all --yes",
    "ends reject --all --yes",
    "plan",
    "explain c1",
)


def confsync(words: str, store: Path) -> Result:
    """Run a command with the settings of a worker whose store is this file."""
    return CliRunner().invoke(main, words.split(), env={**SETTINGS, "STORE": f"sqlite:{store}"})


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("place", ["mistyped.db", "missing/confsync.db"])
def test_a_command_about_what_is_stored_makes_no_file(tmp_path: Path, words: str, place: str) -> None:
    """It names the path and the way out, with the status of a wrong setting."""
    answer = confsync(words, tmp_path / place)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert f"STORE: there is no file {tmp_path / place}: correct the path. confsync dev makes one" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_first_calendar_makes_the_file(tmp_path: Path) -> None:
    """Although Calendar is out of reach: it is added, and opened by itself later."""
    store = tmp_path / "confsync.db"
    confsync(f"calendars add --calendar primary --subject {ANN}", store)
    assert store.exists()
    assert ANN in confsync("calendars list", store).stdout


def test_a_path_that_can_be_no_store_is_left_to_the_store_to_name(tmp_path: Path) -> None:
    """It knows what is wrong with it."""
    (tmp_path / "file").touch()
    assert "is no regular file" in confsync("plan", tmp_path).stderr
    assert "is no folder" in confsync("plan", tmp_path / "file" / "confsync.db").stderr
