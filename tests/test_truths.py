"""What the documents say is so: settings, commands, files."""

import re
import subprocess
from pathlib import Path

import pytest

from confsync.errors import SettingsError
from confsync.settings import CalendarSettings, ReceiveNotificationSettings, WorkerSettings
from confsync.settings_forms import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def settings_in_readme() -> dict[str, tuple[str, str, str]]:
    """Return by variable: which functions read it, its default and its form, as README's table says."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \| ([^|]*) \| ([^|]+) \| [^|]+ \|$", README, re.MULTILINE)
    return {name: (functions.strip(), default.strip().strip("`"), form) for name, functions, default, form in rows}


def settings_in_code() -> dict[str, tuple[str, str, str]]:
    """Return the same, as settings.py says."""

    def default(field: object) -> str:
        value = getattr(field, "default", None)
        required = getattr(field, "is_required", lambda: False)()
        if required:
            return "required"
        return "" if value is None else f"{value:g}" if isinstance(value, int | float) else str(value)

    found: dict[str, tuple[str, str, str]] = {}
    models: tuple[tuple[type[Settings], str], ...] = (
        (WorkerSettings, "worker, renewal"),
        (ReceiveNotificationSettings, "receiver"),
        (CalendarSettings, "all"),
    )
    for model, functions in models:
        for field in model.model_fields.values():
            assert field.alias is not None
            found[field.alias] = (functions, default(field), model.form_of(field.alias))
    return found


def test_the_readmes_table_of_settings_is_the_codes() -> None:
    """Names, functions, defaults and forms."""
    assert settings_in_readme() == settings_in_code()


def test_each_secret_is_called_one_in_the_readme() -> None:
    """Who reads the table knows what must not lie about."""
    called = set(re.findall(r"^\| `([A-Z_]+)` \|.*\|[^|]*\bsecret; [^|]*\|$", README, re.MULTILINE))
    assert called == set(Settings.secret)


def test_what_may_be_a_reference_is_so_in_the_code() -> None:
    """A reference is fetched in exactly those variables whose form says so."""
    reference = "secret:projects/p/secrets/s/versions/1"
    fetched = set()
    for name in settings_in_code():

        def fetch(version: str, name: str = name) -> str:
            fetched.add(name)
            return version

        with pytest.raises(SettingsError):
            WorkerSettings.from_mapping({name: reference}, fetch)
    assert fetched == set(Settings.secret | Settings.by_reference)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE))))
def test_each_make_target_in_the_readme_exists(target: str) -> None:
    """A reader can type it."""
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", README))))
def test_each_file_that_the_readme_links_exists(link: str) -> None:
    """No dead links."""
    assert (ROOT / link).exists()


def test_no_committed_file_names_a_machine_or_an_index() -> None:
    """Requirements carry hashes but no index address; nothing carries a path of a workplace."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()  # noqa: S607
    for name in files or ["requirements.lock"]:
        path = ROOT / name
        text = path.read_text(errors="replace") if path.is_file() else ""
        assert not re.search(r"--(extra-)?index-url|/wor[k]/main|/roo[t]/\.pyenv", text), name


def test_the_functions_requirements_are_pinned_with_hashes() -> None:
    """Every line that names a package pins it, and carries at least one hash."""
    for path in [ROOT / "requirements.lock", *ROOT.glob("functions/*/requirements.txt")]:
        blocks = re.split(r"\n(?=[a-z0-9])", path.read_text())[1:]
        assert len(blocks) > 20, path
        assert all("==" in block and "--hash=sha256:" in block for block in blocks), path


def test_the_receiver_needs_no_database_and_no_calendar() -> None:
    """Its requirements leave out what it must never touch."""
    text = (ROOT / "functions/receive_notification/requirements.txt").read_text()
    assert "google-cloud-firestore" not in text
    assert "google-api-python-client" not in text
