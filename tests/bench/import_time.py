"""How long each function takes until it is ready in a fresh process, and how much memory it then holds.

Ready means: its main module imported and its parts composed, as before its first answer. It must never count what only
a call to Google would load. Memory is read from Linux's /proc.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from confsync.local.stack_parts import FUNCTIONS
from tests.bench.children import ROOT
from tests.bench.figures import Figure, Target, alternate, compared, median

NAME = "import_time"
ROUNDS = 5
_MAINS = {name: ROOT / "functions" / name / "main.py" for name in FUNCTIONS}
_EMPTY = ROOT / "tests" / "bench" / "functions" / "empty.py"
_COMPOSE = {
    "receive_notification": "main._task_queue(); from confsync.adapters.cloud_tasks import build_client",
    "sync_calendar": "main._worker()",
    "renew_channels": "main._worker()",
    "empty": "None",
}
"""What a function does before its first answer, once its module is imported."""
FOREIGN_TO_RECEIVER = ("google.cloud.firestore", "googleapiclient", "sqlite3", "httpx", "google.cloud.secretmanager_v1")
"""Neither a store nor Calendar belongs into the public function, nor what only a reference to a secret needs."""
_PROGRAM = """
import json, sys, time
from importlib.util import module_from_spec, spec_from_file_location
started = time.perf_counter()
spec = spec_from_file_location("main", sys.argv[1])
main = module_from_spec(spec)
spec.loader.exec_module(main)
imported = time.perf_counter()
{compose}
ready = time.perf_counter()
foreign = [name for name in {foreign} if name in sys.modules]
with open("/proc/self/statm") as statm:
    memory = int(statm.read().split()[1]) * {page_size} / 2**20
print(json.dumps([(imported - started) * 1000, (ready - started) * 1000, memory, foreign]))
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
    imported = [start.import_ms for start in ours]
    return [
        Figure(NAME, f"{name}, main imported", "ms", median(imported), spread=(min(imported), max(imported))),
        compared(NAME, "  ready for its first request", "ms", *ready, peer_is="empty"),
        compared(NAME, "  resident memory", "MiB", *memory, peer_is="empty"),
    ]


def start(name: str, folder: str) -> Start:
    """Start a function (or `empty`) in a fresh process and return what it cost."""
    program = _PROGRAM.format(compose=_COMPOSE[name], foreign=FOREIGN_TO_RECEIVER, page_size=os.sysconf("SC_PAGESIZE"))
    source = _MAINS.get(name, _EMPTY)
    answer = subprocess.run(
        [sys.executable, "-c", program, str(source)],
        env=_environment(Path(folder)),
        capture_output=True,
        check=True,
        timeout=60,
    )
    import_ms, ready_ms, memory_mib, foreign = _last_line(answer.stdout)
    return Start(import_ms, ready_ms, memory_mib, tuple(foreign))


def _last_line(output: bytes) -> Any:
    return json.loads(output.splitlines()[-1])


def _environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "TASK_QUEUE": _QUEUE,
        "CONFERENCE_QUEUE": _QUEUE,
        "TASKS_ENDPOINT": "http://127.0.0.1:9",
        "SYNC_CALENDAR_URL": "http://127.0.0.1:9",
        "CHANNEL_TOKEN_KEYS": "k1:MDEyMzQ1Njc4OWFiY2RlZg==",
        "NOTIFICATION_URL": "http://127.0.0.1:9",
        "STORE": f"sqlite:{folder}/confsync.db",
        "SIGN_IN": "local",
        "CALENDAR_ENDPOINT": "http://127.0.0.1:9/calendar/v3/",
        "CONFERENCE_SOLUTIONS": json.dumps(_SOLUTIONS),
    }
