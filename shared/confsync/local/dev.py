"""The stack that a developer keeps running: the same addresses each time, two people, commands to try, settings.

It must never change a folder that it could not read, or move a part to another port: links and push channels hold the
addresses.
"""

import json
import random
import shlex
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from pydantic import BaseModel, ConfigDict, Field

from confsync import worker_parts
from confsync.errors import ConfsyncError
from confsync.local.stack import Stack, StackError, Urls
from confsync.local.stack_folder import read, write, write_text
from confsync.local.stack_parts import OUR_SETTINGS, PARTS, SOLUTION_NAME, settings_of
from confsync.local.stack_ports import HOST, somebody_listens
from confsync.parts import read_settings
from confsync.settings import WorkerSettings

_LASTING = range(20_000, 32_000)

PEOPLE = ("anna@example.com", "ben@example.com")


class Ports(BaseModel):
    """`ports.json`: where each part of a folder's stack listens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calendar: int = Field(ge=1, le=65535)
    tasks: int = Field(ge=1, le=65535)
    vendor: int = Field(ge=1, le=65535)
    receive_notification: int = Field(ge=1, le=65535)
    sync_calendar: int = Field(ge=1, le=65535)
    renew_channels: int = Field(ge=1, le=65535)


def ports_of(data_dir: Path, wanted: Mapping[str, int]) -> dict[str, int]:
    """Return the ports for a folder: those it has had so far, else those that are wanted, else free ones.

    Raises:
        StackError: the file is damaged, or other ports are wanted than the folder has, or one is wanted twice.

    """
    check_distinct(wanted)
    path = data_dir / "ports.json"
    found = read(path, Ports)
    if found is None:
        return {**_lasting_ports(), **wanted}
    kept: dict[str, int] = found.model_dump()
    for part, port in wanted.items():
        if kept[part] != port:
            raise StackError(
                f"{path} has {part} on port {kept[part]}, and its links and push channels hold that address: "
                f"leave out port {port}, or begin anew in another folder"
            )
    return kept


def check_distinct(asked: Mapping[str, int]) -> None:
    """Raise StackError when one port is asked for twice."""
    twice = {port for port in asked.values() if list(asked.values()).count(port) > 1}
    if twice:
        raise StackError(f"port {min(twice)} is asked for twice; give each part its own, or leave the options out")


def _lasting_ports() -> dict[str, int]:
    """Choose free ports below those that a system hands out to passing connections, to be free next time too."""
    candidates = iter(random.sample(_LASTING, 50 * len(PARTS)))
    return {part: next(port for port in candidates if not somebody_listens(port)) for part in PARTS}


def keep_ports(stack: Stack) -> None:
    """Write down the ports of a running stack, for the next time."""
    path = stack.folder.path / "ports.json"
    if not path.exists():
        write(path, Ports(**{part: int(stack.urls.of(part).rpartition(":")[2]) for part in PARTS}))


def settings_from(words: Iterable[str]) -> dict[str, str]:
    """Return the settings that are given as NAME=VALUE. Raises StackError for a name that is none."""
    settings = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in OUR_SETTINGS:
            raise StackError(f"--set {name!r} is no setting: give NAME=VALUE, with a name of the table in README.md")
        settings[name] = value
    return settings


def write_environment(stack: Stack) -> Path:
    """Write what a shell reads to have the settings of a running stack; return the file.

    Raises:
        StackError: a setting is wrong, or the file cannot be written.

    """
    settings = settings_of(stack.site)
    try:
        worker_parts.providers(read_settings(WorkerSettings, settings))
    except ConfsyncError as error:
        raise StackError(str(error)) from error
    exports = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    direct = [f'export {name}="${{{name}:+${name},}}{HOST}"' for name in ("NO_PROXY", "no_proxy")]
    begin = f"unset {' '.join(sorted(OUR_SETTINGS))}"
    write_text(stack.folder.environment, "\n".join((begin, *exports, *direct)) + "\n")
    return stack.folder.environment


def prepare(urls: Urls) -> None:
    """Create two people; harmless when they are known."""
    for email in PEOPLE:
        user = {"email": email, "time_zone": "UTC"}
        httpx.post(f"{urls.calendar}/_local/users", json=user, trust_env=False, timeout=10).raise_for_status()


def commands_to_try(stack: Stack, now: datetime, confsync: str) -> tuple[tuple[str, str], ...]:
    """Return shell commands with what each does; `now` makes event and conference new ones, `confsync` is the program.

    They are meant for one shell: the last ones need the settings that one of them reads.
    """
    urls, settings = stack.urls, shlex.quote(str(stack.folder.environment))
    email, number = PEOPLE[0], f"{now:%m%d%H%M%S}"
    event_id, conference_id = f"meeting{number}", f"first-{number}"
    tomorrow = (now + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
    conference = {
        "conferenceId": conference_id,
        "conferenceSolution": {"key": {"type": "addOn"}, "name": SOLUTION_NAME},
        "entryPoints": [{"entryPointType": "video", "uri": f"{urls.vendor}/join/{conference_id}"}],
    }
    event = {
        "id": event_id,
        "summary": "First meeting",
        "start": {"dateTime": tomorrow.isoformat(timespec="seconds")},
        "end": {"dateTime": (tomorrow + timedelta(minutes=30)).isoformat(timespec="seconds")},
        "conferenceData": conference,
    }
    request = {"calendar_id": "primary", "subject": email, "conference_id": conference_id, "event_id": event_id}
    events, as_user = f"{urls.calendar_api}/calendars/primary/events", f"Authorization: Bearer {email}"
    renamed = _curl(f"{events}/{event_id}", {"summary": "Renamed"}, as_user, "PATCH")
    deleted = f"curl -sS -X DELETE '{events}/{event_id}' -H '{as_user}'"
    explained = f". {settings}\n{confsync} explain {conference_id}"
    return (
        ("Create an event with a conference, as Anna", _curl(f"{events}?conferenceDataVersion=1", event, as_user)),
        ("Tell confsync, as the add-on does", _curl(f"{urls.sync_calendar}/initialize", request)),
        ("Rename it, and see the vendor's page change", renamed),
        ("Read the settings, then ask why the conference is as it is", explained),
        ("Delete it: the conference ends a minute later, unless it is restored", deleted),
        ("See what waits, and how the calendar is", f"{confsync} plan\n{confsync} calendars list"),
    )


def _curl(url: str, body: object, header: str = "", method: str = "POST") -> str:
    words = [
        f"curl -sS -w '\\n' -X {method} '{url}'",
        "-H 'Content-Type: application/json'",
        f"-d '{json.dumps(body)}'",
    ]
    return " \\\n  ".join([*words[:2], *([f"-H '{header}'"] if header else []), *words[2:]])
