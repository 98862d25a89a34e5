"""The `confsync` command itself: version and help."""

from importlib.metadata import version

import pytest
from click.testing import CliRunner

from confsync.cli.main import main


def test_version() -> None:
    """`--version` prints the version of the installed package."""
    assert version("confsync") in CliRunner().invoke(main, ["--version"]).output


@pytest.mark.parametrize("words", [[], ["calendars"], ["channels"], ["ends"]])
def test_no_sentence_about_a_command_is_cut_off(words: list[str]) -> None:
    """A narrow terminal gets more lines, not less to read."""
    answer = CliRunner().invoke(main, [*words, "--help"], terminal_width=80)
    assert "..." not in answer.output.partition("Commands:")[2]
    assert max(map(len, answer.output.splitlines())) <= 80


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["calendars"],
        *(["calendars", word] for word in ("add", "list", "show", "pause", "resume", "remove", "resync")),
        ["channels"],
        *(["channels", word] for word in ("list", "renew", "stop", "keys")),
        ["demo"],
        ["dev"],
        ["ends"],
        ["ends", "list"],
        ["ends", "approve"],
        ["explain"],
        ["plan"],
    ],
)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_everywhere(words: list[str], option: str) -> None:
    """Each command explains itself, its options and what its exit status means."""
    answer = CliRunner().invoke(main, [*words, option])
    assert answer.exit_code == 0
    assert "Options:" in answer.output
    assert not words or "Exit status: 0" in " ".join(answer.output.split())
