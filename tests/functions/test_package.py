"""The archives that are deployed: the same bytes each time, nothing in them that is not needed, and they run: each one
unpacked into an empty folder, with its own requirements in an empty environment, as the platform does it.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from confsync.local import stack_parts
from confsync.local.calendar_server.people import Person, addon_conference
from confsync.local.stack import Stack, StackOptions
from confsync.local.stack_parts import FUNCTIONS, SOLUTION_NAME
from confsync.local.stack_ports import HOST, somebody_listens
from functions import package
from tests.cli.processes import Command, eventually, running
from tests.firestore_emulator import Emulator

ANN = "ann@example.com"
NO_INDEX = ("(from versions: none)", "after connection broken by")
"""What pip says when it reaches no package index; of a wrong hash or a missing version it says other things."""
FOREIGN_TO_RECEIVER = ("google.cloud.firestore", "google.cloud.firestore_v1", "googleapiclient", "httpx")
NOT_RECEIVERS = ("firestore", "sqlite", "google_calendar", "providers", "worker_parts")
"""In the paths of what reaches a store, Calendar or a conferencing system."""
IMPORT_ALL = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
"""Run in an unpacked archive: its modules find all that they import at the top."""
WHICH_ARE_THERE = """
import importlib.util, sys
for name in sys.argv[1:]:
    try:
        print(name) if importlib.util.find_spec(name) else None
    except ModuleNotFoundError:  # its package is missing already
        pass
"""
WHERE = "import confsync, sys; print(confsync.__file__); print(*sys.path, sep='\\n')"


@dataclass(frozen=True)
class Unpacked:
    """An archive that was unpacked, with an environment that holds what it requires."""

    folder: Path
    python: Path

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run its Python in its folder, as far from this checkout as a deployed function is."""
        return subprocess.run(
            [self.python, *words], cwd=self.folder, env=bare(), capture_output=True, text=True, check=False, timeout=60
        )

    def modules(self) -> list[str]:
        """Return the names of our modules in the archive."""
        files = (path.relative_to(self.folder).with_suffix("") for path in self.folder.glob("confsync/**/*.py"))
        return sorted(".".join(path.parts).removesuffix(".__init__") for path in files)


def bare(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return these variables, and of ours only what a program needs to run at all."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {**kept, **(variables or {}), "PYTHONWARNINGS": "ignore::FutureWarning"}


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build each archive."""
    out = tmp_path_factory.mktemp("dist")
    return {name: package.build(name, package.ROOT, out) for name in FUNCTIONS}


@pytest.fixture(scope="module")
def unpacked(archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Unpacked]:
    """Unpack each archive, and install its requirements; those that require the same share an environment."""
    folders = {name: tmp_path_factory.mktemp(name) for name in archives}
    for name, archive in archives.items():
        with ZipFile(archive) as file:
            file.extractall(folders[name])
    required = {name: (folder / "requirements.txt").read_bytes() for name, folder in folders.items()}
    lists = {required[name]: folder / "requirements.txt" for name, folder in folders.items()}
    environments = {wanted: tmp_path_factory.mktemp("environment") for wanted in lists}
    with ThreadPoolExecutor() as threads:
        outcomes = list(threads.map(install, lists.values(), environments.values()))
    complain_of([words for words in outcomes if words])
    return {name: Unpacked(folders[name], environments[required[name]] / "bin" / "python") for name in archives}


def install(requirements: Path, folder: Path) -> str:
    """Install requirements into a new environment; return what pip complained of, empty when all is well."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    quick = ["--quiet", "--retries", "1", "--no-compile", "--disable-pip-version-check"]
    words = [*pip, "install", *quick, "--require-hashes", "-r", str(requirements)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return (done.stderr or f"pip ended with status {done.returncode}") if done.returncode else ""


def complain_of(complaints: list[str]) -> None:
    """Skip when there is no package index to be reached, but not where CI=true; fail for anything else."""
    without_index = [words for words in complaints if any(sign in words for sign in NO_INDEX)]
    if without_index and len(without_index) == len(complaints) and os.environ.get("CI") != "true":
        pytest.skip("pip reaches no package index from which it could install what the archives require")
    assert not complaints, "\n".join(complaints)


def copied(name: str, folder: Path) -> Path:
    """Copy a function's sources into a folder: in another order, with other modes and times, and return the folder."""
    for path, source in reversed([*package.contents_of(name, package.ROOT).items()]):
        there = folder / ("shared" if path.startswith("confsync") else f"functions/{name}") / path
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(source.read_bytes())
        there.chmod(0o600)
        os.utime(there, (0, 10**9))
    return folder


def test_the_same_sources_give_the_same_bytes(archives: dict[str, Path], tmp_path: Path) -> None:
    """Whenever, wherever and in whatever order and mode the files were written."""
    for name in FUNCTIONS:
        copy = copied(name, tmp_path / name)
        again = package.build(name, copy, tmp_path)
        assert again.read_bytes() == archives[name].read_bytes()


def test_an_archive_holds_what_its_function_needs(archives: dict[str, Path]) -> None:
    """Main file and requirements at the root; neither command nor local stack, nor another function's use cases."""
    names = {name: set(ZipFile(archive).namelist()) for name, archive in archives.items()}
    for found in names.values():
        assert {"main.py", "requirements.txt", "confsync/__init__.py", "confsync/parts.py"} <= found
        assert not [path for path in found if path.startswith(("confsync/cli", "confsync/local"))]
        assert not [path for path in found if "memory" in path or "__pycache__" in path]
    assert not [path for path in names["receive_notification"] if any(word in path for word in NOT_RECEIVERS)]
    assert "confsync/sync_calendar.py" in names["sync_calendar"] - names["receive_notification"]
    assert "confsync/renew_channels.py" in names["renew_channels"] - names["sync_calendar"]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("from confsync.local.stack import Stack", "imports confsync.local, .* is not deployed"),
        ("def late(): from confsync import nowhere", "imports confsync.nowhere, .* is not there"),
        ("def late(", "line 1: "),
    ],
)
def test_a_function_that_could_not_run_is_not_packed(
    more: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it imports is missing or needs other requirements: the message names it, and there is no archive."""
    copied("renew_channels", tmp_path)
    (tmp_path / "shared/confsync/local").mkdir()
    (tmp_path / "shared/confsync/local/__init__.py").touch()
    (tmp_path / "shared/confsync/local/stack.py").write_text("class Stack: pass\n")
    (tmp_path / "functions/renew_channels/main.py").write_text(more)
    arguments = ["--sources", str(tmp_path), "--out", str(tmp_path / "dist"), "renew_channels"]
    assert package.main(arguments) == 1
    assert not (tmp_path / "dist").exists()
    said = capsys.readouterr().err
    assert said.startswith("package: ")
    assert re.search(complaint, said)


@pytest.mark.timeout(300)
def test_the_requirements_of_each_archive_are_complete(unpacked: dict[str, Unpacked]) -> None:
    """All its modules find what they import; nothing of this checkout helps them."""
    for name, archive in unpacked.items():
        answer = archive.run("-c", IMPORT_ALL, "main", *archive.modules())
        assert answer.returncode == 0, answer.stderr
        first, *others = archive.run("-c", WHERE).stdout.splitlines()
        assert first == str(archive.folder / "confsync" / "__init__.py")
        assert not [path for path in others if Path(path).is_relative_to(package.ROOT)], name


@pytest.mark.timeout(300)
def test_the_receiver_is_installed_without_store_and_calendar(unpacked: dict[str, Unpacked]) -> None:
    """It finds what a reference to a secret and an add-on's token need beside its queue, nothing else."""
    receiver = unpacked["receive_notification"]
    ours = ("cloud_tasks", "google_id_tokens", "secret_manager")
    needed = ("confsync.receive_addon_notification", *(f"confsync.adapters.{name}" for name in ours))
    answer = receiver.run("-c", IMPORT_ALL, "main", *needed)
    assert answer.returncode == 0, answer.stderr
    assert receiver.run("-c", WHICH_ARE_THERE, *FOREIGN_TO_RECEIVER, "google.cloud.tasks_v2").stdout.split() == [
        "google.cloud.tasks_v2"
    ]


@pytest.mark.timeout(300)
def test_a_change_goes_through_the_three_archives(
    unpacked: dict[str, Unpacked], emulator: Emulator, tmp_path: Path
) -> None:
    """A rename in Calendar reaches the back end, with Firestore as store; the scheduled run is content."""
    store = {"STORE": f"firestore:{emulator.new_database()}", "FIRESTORE_EMULATOR_HOST": emulator.host}
    with ExitStack() as cleanup:
        stack = cleanup.enter_context(Stack(tmp_path, StackOptions(settings=store, start_within_s=60)))
        served = {name: cleanup.enter_context(deployed(name, unpacked[name], stack)) for name in FUNCTIONS}
        http = cleanup.enter_context(httpx.Client(trust_env=False, timeout=60))
        http.post(f"{stack.urls.calendar}/_local/users", json={"email": ANN}).raise_for_status()
        ann = cleanup.enter_context(Person(stack.urls.calendar, ANN))
        event_id, conference_id = meeting(stack, ann, http)
        ann.rename(event_id, "Planning, moved")
        assert eventually(lambda: title(stack, conference_id, http) == "Planning, moved"), says(served)
        assert http.post(stack.urls.renew_channels).status_code == 200, says(served)
        assert eventually(lambda: served["receive_notification"].says("notification received")), says(served)
    assert not [line for line in says(served).splitlines() if '"ERROR"' in line]


def meeting(stack: Stack, person: Person, http: httpx.Client) -> tuple[str, str]:
    """Do as an add-on: make a conference, put it into an event, tell confsync; return both ids."""
    made = http.post(f"{stack.urls.vendor}/api/conferences", json={"title": "Planning"}).raise_for_status().json()
    conference = addon_conference(made["conference_id"], solution=SOLUTION_NAME, uri=made["join_url"])
    event = person.create("Planning", datetime.now(UTC) + timedelta(days=1), 30, conference=conference)
    request = {"calendar_id": "primary", "subject": person.email, "event_id": event["id"]}
    told = {**request, "conference_id": made["conference_id"]}
    http.post(f"{stack.urls.sync_calendar}/initialize", json=told).raise_for_status()
    return event["id"], made["conference_id"]


def title(stack: Stack, conference_id: str, http: httpx.Client) -> str:
    """Return what the back end calls a conference."""
    found = http.get(f"{stack.urls.vendor}/_local/conferences").raise_for_status().json()["conferences"]
    (desired,) = (each["desired"] for each in found if each["conference_id"] == conference_id)
    return str((desired or {}).get("title"))


@contextmanager
def deployed(name: str, archive: Unpacked, stack: Stack) -> Iterator[Command]:
    """Serve an unpacked archive in the place of the stack's own function, started as the platform starts it."""
    stack.stop(name)
    port = stack.urls.of(name).rpartition(":")[2]
    told = stack_parts.environment(name, stack.site, {})
    variables = {**told, "FUNCTION_TARGET": name, "HOST": HOST, "PORT": port}
    framework = archive.python.with_name("functions-framework")
    with running([framework], archive.folder, bare(variables)) as command:
        assert eventually(lambda: command.process.poll() is not None or somebody_listens(int(port)))
        yield command


def says(served: Mapping[str, Command]) -> str:
    """Return all that the functions wrote."""
    return "\n".join(command.out.read_text() + command.err.read_text() for command in served.values())
