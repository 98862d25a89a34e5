"""How long each function takes until it is ready in a fresh process, and how much memory it then holds.

Ready means: its main module imported and its parts composed, as before its first answer; the first use of the clients
is told by itself. Of this environment each process sees only what the function's own requirements name: aiohttp, which
only tests need, would be loaded by Google's libraries if it were there (100 ms). Memory is read from Linux's /proc.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import packages_distributions
from typing import Any

from confsync.local.stack_parts import FUNCTIONS
from tests.bench.children import ROOT
from tests.bench.figures import Figure, Target, alternate, compared, median

NAME = "import_time"
ROUNDS = 5
_MAINS = {name: ROOT / "functions" / name / "main.py" for name in FUNCTIONS}
_EMPTY = ROOT / "tests" / "bench" / "functions" / "empty.py"
_COMPOSE = {
    "receive_notification": "main._task_queue()",
    "sync_calendar": "main._worker()",
    "renew_channels": "main._worker()",
    "empty": "None",
}
"""What a function does before its first answer, once its module is imported."""
_TASKS = "from confsync.adapters import cloud_tasks; cloud_tasks.build_client('http://127.0.0.1:9')"
_ALL = (
    f"{_TASKS}; main._worker()[0].calendar_api._events; "
    "from confsync.adapters import firestore_calls; firestore_calls.build_client('127.0.0.1:9')"
)
_FIRST_USE = {"receive_notification": _TASKS, "sync_calendar": _ALL, "renew_channels": _ALL, "empty": "None"}
"""The clients that its first request builds, without a word to a server."""
AT_MOST_MS = {"receive_notification": 450, "sync_calendar": 900, "renew_channels": 900}
"""Until ready, on a machine that does nothing else."""
FOREIGN_TO_RECEIVER = (
    "google.cloud.firestore", "google.cloud.firestore_v1", "googleapiclient", "sqlite3", "httpx",
    "google.cloud.secretmanager_v1", "confsync.adapters.google_id_tokens",
)  # fmt: skip
"""Neither a store nor Calendar belongs into the public function, nor what only a secret or an add-on needs."""
_PROGRAM = """
import json, sys, time
from importlib.util import module_from_spec, spec_from_file_location
sys.modules.update(dict.fromkeys({absent}))
started = time.perf_counter()
spec = spec_from_file_location("main", sys.argv[1])
main = module_from_spec(spec)
spec.loader.exec_module(main)
imported = time.perf_counter()
{compose}
ready = time.perf_counter()
foreign = [name for name in {foreign} if sys.modules.get(name)]
with open("/proc/self/statm") as statm:
    memory = int(statm.read().split()[1]) * {page_size} / 2**20
used_from = time.perf_counter()
{first_use}
used = time.perf_counter()
times = [(b - a) * 1000 for a, b in ((started, imported), (started, ready), (used_from, used))]
print(json.dumps([*times, memory, foreign]))
"""
_QUEUE = "projects/p/locations/l/queues/sync"
_SOLUTIONS = [
    {"provider": "acme", "names": ["Acme"], "url": "http://127.0.0.1:9/", "secrets": ["whsec_" + "A" * 32]},
]


@dataclass(frozen=True)
class Start:
    """One start of a function in a fresh process."""

    import_ms: float
    ready_ms: float
    first_use_ms: float
    memory_mib: float
    foreign: tuple[str, ...]


def measure() -> list[Figure]:
    """Start each function several times, in turns with one that does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        starts = alternate({name: partial(start, name, folder) for name in (*FUNCTIONS, "empty")}, ROUNDS)
    figures = [figure for name in FUNCTIONS for figure in _figures(name, starts[name], starts["empty"])]
    foreign = median([float(len(found.foreign)) for found in starts["receive_notification"]])
    nothing = Target("at most", 0, "ours")
    return [*figures, Figure(NAME, "store and Calendar modules in the receiver", "", foreign, target=nothing)]


def _figures(name: str, ours: list[Start], empty: list[Start]) -> list[Figure]:
    ready = [start.ready_ms for start in ours], [start.ready_ms for start in empty]
    memory = [start.memory_mib for start in ours], [start.memory_mib for start in empty]
    imported, first_use = [start.import_ms for start in ours], [start.first_use_ms for start in ours]
    limit = Target("at most", AT_MOST_MS[name], "ours")
    return [
        Figure(NAME, f"{name}, main imported", "ms", median(imported), spread=(min(imported), max(imported))),
        compared(NAME, "  ready for its first request", "ms", *ready, peer_is="empty", target=limit),
        Figure(NAME, "  first use of its clients", "ms", median(first_use), spread=(min(first_use), max(first_use))),
        compared(NAME, "  resident memory", "MiB", *memory, peer_is="empty"),
    ]


def start(name: str, folder: str) -> Start:
    """Start a function (or `empty`) in a fresh process and return what it cost."""
    program = _PROGRAM.format(
        absent=[] if name == "empty" else not_required(name),
        compose=_COMPOSE[name],
        first_use=_FIRST_USE[name],
        foreign=FOREIGN_TO_RECEIVER,
        page_size=os.sysconf("SC_PAGESIZE"),
    )
    source = _MAINS.get(name, _EMPTY)
    answer = subprocess.run(
        [sys.executable, "-c", program, str(source)],
        env={**_environment(), "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        check=True,
        timeout=60,
    )
    import_ms, ready_ms, first_use_ms, memory_mib, foreign = _last_line(answer.stdout)
    return Start(import_ms, ready_ms, first_use_ms, memory_mib, tuple(foreign))


@cache
def not_required(name: str) -> list[str]:
    """Return the modules that are installed here and not where the function is deployed; their import then fails."""
    text = (_MAINS[name].parent / "requirements.txt").read_text()
    required = {*re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE), "confsync"}
    owners = {
        module: {re.sub(r"[-_.]+", "-", owner).lower() for owner in owned}
        for module, owned in packages_distributions().items()
    }
    return sorted(module for module, owned in owners.items() if not owned & required)


def _last_line(output: bytes) -> Any:
    return json.loads(output.splitlines()[-1])


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "TASK_QUEUE": _QUEUE,
        "CONFERENCE_QUEUE": _QUEUE,
        "TASKS_ENDPOINT": "http://127.0.0.1:9",
        "SYNC_CALENDAR_URL": "http://127.0.0.1:9",
        "CHANNEL_TOKEN_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZg==",
        "NOTIFICATION_URL": "http://127.0.0.1:9",
        "STORE": "firestore:projects/p/databases/(default)",
        "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9",
        "SIGN_IN": "local",
        "CALENDAR_ENDPOINT": "http://127.0.0.1:9/calendar/v3/",
        "CONFERENCE_SOLUTIONS": json.dumps(_SOLUTIONS),
    }
