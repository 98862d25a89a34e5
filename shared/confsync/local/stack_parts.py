"""What each part of the stack is: its command and its environment, given where everything is. Starts nothing.

It must never let a setting of the developer's own environment reach a part.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import confsync
from confsync.local.stack_error import StackError
from confsync.local.stack_folder import Folder, Keys
from confsync.local.stack_ports import HOST
from confsync.settings import ReceiveNotificationSettings, WorkerSettings

SERVERS = ("calendar", "tasks", "vendor")
FUNCTIONS = ("receive_notification", "sync_calendar", "renew_channels")
PARTS = (*SERVERS, *FUNCTIONS)

SOLUTION_NAME = "Sample Meetings"
"""`conferenceSolution.name` of the sample vendor's conferences."""

_QUEUES = "projects/local/locations/local/queues"
_SYNC_QUEUE, _CONFERENCE_QUEUE, _SAMPLE_QUEUE = (f"{_QUEUES}/{name}" for name in ("sync", "conferences", "sample"))
_MOST_ATTEMPTS = 10
_MOST_TASKS_AT_ONCE = 8
_RETRY = f"maxAttempts={_MOST_ATTEMPTS}&minBackoff=1&maxBackoff=600"
_QUEUE_SETTINGS = f"{_RETRY}&maxConcurrentDispatches={_MOST_TASKS_AT_ONCE}"
_THREADS = {"receive_notification": 16, "sync_calendar": 3 * _MOST_TASKS_AT_ONCE + 4, "renew_channels": 2}
"""The worker serves all queues and, beside them, the add-on."""
_MODULES = {"calendar": "calendar_server", "tasks": "task_server", "vendor": "vendor"}
OUR_SETTINGS = frozenset(
    str(field.alias) for model in (WorkerSettings, ReceiveNotificationSettings) for field in model.model_fields.values()
)
"""The names of all environment variables that a function reads as a setting."""
_OF_THE_FRAMEWORK = ("FUNCTION_TARGET", "FUNCTION_SOURCE", "FUNCTION_SIGNATURE_TYPE", "FUNCTION_USE_ASGI")
_OF_ITS_SERVER = ("HOST", "PORT", "DEBUG", "WORKERS", "THREADS", "CLOUD_RUN_TIMEOUT_SECONDS", "GUNICORN_CMD_ARGS")


@dataclass(frozen=True)
class StackOptions:
    """How a stack differs from the usual one."""

    ports: Mapping[str, int] = field(default_factory=dict)
    """Fixed ports by part; the others are free ones."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings of all functions, by the name of the environment variable."""
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """More variables, by part."""
    renew_every_s: float = 60
    """How often the scheduler runs renew_channels."""
    start_within_s: float = 30
    """Longest wait for a part to answer."""


@dataclass(frozen=True)
class Urls:
    """Where the parts of a stack are, without a slash at the end."""

    calendar: str
    tasks: str
    vendor: str
    receive_notification: str
    sync_calendar: str
    renew_channels: str

    @classmethod
    def at(cls, ports: Mapping[str, int]) -> "Urls":
        """Return the addresses for one port per part."""
        return cls(**{part: f"http://{HOST}:{ports[part]}" for part in PARTS})

    def of(self, part: str) -> str:
        """Return the address of a part."""
        return str(getattr(self, part))

    @property
    def calendar_api(self) -> str:
        """Base of the Calendar API, for clients."""
        return f"{self.calendar}/calendar/v3"


@dataclass(frozen=True)
class Site:
    """All that commands and environments are made from."""

    folder: Folder
    functions: Path
    """The folder with the three functions."""
    urls: Urls
    keys: Keys
    options: StackOptions


def functions_folder(package: Path = Path(confsync.__file__).parent) -> Path:
    """Return the folder with the three functions, which is not part of the installed package.

    Raises:
        StackError: the package does not lie in a checkout.

    """
    folder = package.resolve().parents[1] / "functions"
    if not (folder / "sync_calendar" / "main.py").is_file():
        raise StackError(
            f"there is no {folder}: the local stack serves the functions of a source checkout. "
            "Clone the repository and run `make demo` there"
        )
    return folder


def command(part: str, site: Site) -> list[str]:
    """Return the command line of a part. Raises StackError when a program is missing."""
    port = site.urls.of(part).rpartition(":")[2]
    if part in FUNCTIONS:
        source = site.functions / part / "main.py"
        return [_framework(), "--target", part, "--source", str(source), "--host", HOST, "--port", port]
    data = str(site.folder.data_of(part))
    return [
        sys.executable, "-m", f"confsync.local.{_MODULES[part]}", "--port", port, "--data", data, *_own(part, site)
    ]  # fmt: skip


def _framework() -> str:
    program = Path(sys.executable).with_name("functions-framework")
    if not program.is_file():
        raise StackError(
            f"there is no {program}: install what the local stack needs with `pip install confsync[local]`"
        )
    return str(program)


def _own(part: str, site: Site) -> list[str]:
    if part == "vendor":
        return ["--secret", site.keys.vendor_secret]
    if part == "tasks":
        job = f"renew_channels={site.urls.renew_channels}@{site.options.renew_every_s:g}"
        queues = (f"{name}?{_QUEUE_SETTINGS}" for name in (_SYNC_QUEUE, _CONFERENCE_QUEUE, _SAMPLE_QUEUE))
        return [*(word for queue in queues for word in ("--queue", queue)), "--job", job]
    return []


def environment(part: str, site: Site, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a part: those inherited, without any that would change what it does, and its own."""
    kept = {k: v for k, v in inherited.items() if k not in OUR_SETTINGS.union(_OF_THE_FRAMEWORK, _OF_ITS_SERVER)}
    direct = {name: ",".join(filter(None, (kept.get(name), HOST))) for name in ("NO_PROXY", "no_proxy")}
    settings = {**settings_of(site), "THREADS": str(_THREADS[part])} if part in FUNCTIONS else {}
    return {**kept, **direct, **settings, **site.options.environment.get(part, {})}


def settings_of(site: Site) -> dict[str, str]:
    """Return the settings of all functions, by the name of the environment variable."""
    urls, keys = site.urls, site.keys
    solution = {
        "provider": "sample",
        "names": [SOLUTION_NAME],
        "key_types": ["addOn"],
        "url": f"{urls.vendor}/hooks/conference",
        "secrets": [keys.vendor_secret],
        "queue": _SAMPLE_QUEUE,
        "creates": True,
        "tells_host": True,
    }
    return {
        "STORE": f"sqlite:{site.folder.store}",
        "TASK_QUEUE": _SYNC_QUEUE,
        "CONFERENCE_QUEUE": _CONFERENCE_QUEUE,
        "TASK_ATTEMPTS": str(_MOST_ATTEMPTS),
        "TASKS_ENDPOINT": urls.tasks,
        "SYNC_CALENDAR_URL": urls.sync_calendar,
        "NOTIFICATION_URL": urls.receive_notification,
        "CHANNEL_TOKEN_KEYS": keys.channel_token_keys,
        "CALENDAR_ENDPOINT": f"{urls.calendar_api}/",
        "SIGN_IN": "local",
        "CONFERENCE_SOLUTIONS": json.dumps([solution]),
        **site.options.settings,
    }
