"""How many notifications a second the receiver takes, beside an empty function that is served the same way.

The task queue behind it answers at once, so what is measured is the receiver's own work. It must never compare two
functions that are served differently without saying so.
"""

import hashlib
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from confsync.core.channels import SigningKey, sign_channel_token
from confsync.local.stack_process import Child
from tests.bench.children import ROOT, cpu_seconds, framework, free_port, module, running
from tests.bench.figures import Figure, Target, alternate, compared, percentile
from tests.bench.http_load import HOST, Load, post, run_load

NAME = "receive_notification"
CONNECTIONS, ROUNDS, SECONDS = 16, 6, 1.2
DISTINCT, STORMING = 8000, 20
"""Calendars that take turns: so many that a window is over before one comes again; so few that nearly all repeat."""
_QUEUE = "projects/p/locations/l/queues/sync"
_KEY = SigningKey("k1", b"0123456789abcdef")
_KEY_SETTING = "k1:MDEyMzQ1Njc4OWFiY2RlZg=="
_EMPTY = ROOT / "tests" / "bench" / "functions"
_RECEIVER = ROOT / "functions" / "receive_notification" / "main.py"
_GOAL = Target("at least", 0.9)


@dataclass(frozen=True)
class Served:
    """A function that runs, and the load that it is to get."""

    child: Child
    port: int
    requests: Iterator[bytes]

    def load(self) -> "Burst":
        """Load it for a moment; every answer must be 204."""
        before = cpu_seconds(self.child)
        load = run_load(self.port, self.requests, connections=CONNECTIONS, seconds=SECONDS).expect(204)
        return Burst(load, cpu_seconds(self.child) - before)


@dataclass(frozen=True)
class Burst:
    """One load on one function."""

    load: Load
    cpu_s: float

    @property
    def p99_ms(self) -> float:
        """What 99 of 100 requests did not exceed."""
        return percentile(self.load.latencies_ms, 99)

    @property
    def cpu_ms(self) -> float:
        """Processor time of the function for each request."""
        return self.cpu_s * 1000 / len(self.load.latencies_ms)


def notification(port: int, number: int) -> bytes:
    """Return a genuine notification for one of many calendars."""
    calendar_key = hashlib.sha256(str(number).encode()).hexdigest()[:32]
    channel_id = f"a0b1c2d3-0000-4000-8000-{number:012d}"
    headers = [
        ("User-Agent", "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"),
        ("X-Goog-Channel-ID", channel_id),
        ("X-Goog-Channel-Token", sign_channel_token(_KEY, channel_id, calendar_key)),
        ("X-Goog-Resource-ID", "o3hgv1538sdjfh3hgv1538sdjfh"),
        ("X-Goog-Resource-State", "exists"),
        ("X-Goog-Message-Number", str(number)),
    ]
    return post(port, "/", headers)


class _Site:
    """Everything that runs during this benchmark."""

    def __init__(self, cleanup: ExitStack) -> None:
        self._cleanup = cleanup
        self._folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        self._rest, self._grpc = self._port(), self._port()
        ports = ("--rest-port", str(self._rest), "--grpc-port", str(self._grpc))
        self._run("task_standin", module("tests.bench.task_standin", *ports), [self._rest, self._grpc])

    def _port(self) -> int:
        return self._cleanup.enter_context(free_port(NAME))

    def _run(self, name: str, command: Sequence[str], ports: Sequence[int], **environment: str) -> Child:
        return self._cleanup.enter_context(running(name, command, ports, self._folder, environment))

    def empty(self, name: str, target: str = "empty", workers: int = 1) -> Served:
        command_port = self._port()
        command = framework(target, _EMPTY / f"{target}.py", command_port)
        child = self._run(name, command, [command_port], THREADS="16", WORKERS=str(workers))
        return Served(child, command_port, self._cycle(command_port, DISTINCT))

    def receiver(self, name: str, endpoint: str, calendars: int = DISTINCT, workers: int = 1) -> Served:
        port = self._port()
        settings = {
            "TASK_QUEUE": _QUEUE,
            "CONFERENCE_QUEUE": _QUEUE,
            "TASKS_ENDPOINT": endpoint,
            "SYNC_CALENDAR_URL": f"http://{HOST}:9",
            "CHANNEL_TOKEN_KEYS": _KEY_SETTING,
            "THREADS": "16",
            "WORKERS": str(workers),
        }
        child = self._run(name, framework(NAME, _RECEIVER, port), [port], **settings)
        return Served(child, port, self._cycle(port, calendars))

    def local_task_server(self) -> str:
        """Start the local task server with a queue that is paused, so that it creates but does not dispatch."""
        port, grpc_port = self._port(), self._port()
        ports = ("--port", str(port), "--grpc-port", str(grpc_port))
        command = module("confsync.local.task_server", *ports, "--queue", _QUEUE)
        self._run("task_server", command, [port, grpc_port])
        pause = post(port, f"/v2/{_QUEUE}:pause", [("Content-Type", "application/json")], b"{}")
        run_load(port, iter([pause]), connections=1, seconds=5).expect(200)
        return f"grpc://{HOST}:{grpc_port}"

    def _cycle(self, port: int, calendars: int) -> Iterator[bytes]:
        return itertools.cycle([notification(port, number) for number in range(calendars)])

    @property
    def over_grpc(self) -> str:
        return f"grpc://{HOST}:{self._grpc}"

    @property
    def over_rest(self) -> str:
        return f"http://{HOST}:{self._rest}"


def measure() -> list[Figure]:
    """Load the receiver and the empty function in turns."""
    with ExitStack() as cleanup:
        site = _Site(cleanup)
        served = {
            "empty": site.empty("empty"),
            "new": site.receiver("new", site.over_grpc),
            "storm": site.receiver("storm", site.over_grpc, STORMING),
            "rest": site.receiver("rest", site.over_rest),
            "local": site.receiver("local", site.local_task_server()),
            "empty with 2 workers": site.empty("empty2", workers=2),
            "2 workers": site.receiver("new2", site.over_grpc, workers=2),
            "empty aio": site.empty("empty_aio", "empty_aio"),
        }
        bursts = alternate({name: function.load for name, function in served.items()}, ROUNDS)
    return _figures(bursts)


def _figures(bursts: dict[str, list[Burst]]) -> list[Figure]:
    def rate(what: str, ours: str, peer: str = "empty", target: Target | None = None) -> Figure:
        mine, theirs = ([b.load.per_second for b in bursts[name]] for name in (ours, peer))
        return compared(NAME, what, "/s", mine, theirs, peer_is=peer, target=target)

    def p99(what: str, ours: str) -> Figure:
        mine, theirs = ([b.p99_ms for b in bursts[name]] for name in (ours, "empty"))
        return compared(NAME, what, "ms", mine, theirs, peer_is="empty")

    def cpu(what: str, ours: str) -> Figure:
        mine, theirs = ([b.cpu_ms for b in bursts[name]] for name in (ours, "empty"))
        return compared(NAME, what, "ms", mine, theirs, peer_is="empty")

    return [
        rate("each a new task (gRPC)", "new", target=_GOAL),
        p99("  p99", "new"),
        cpu("  processor time a request", "new"),
        rate(f"storm: {STORMING} calendars", "storm", target=_GOAL),
        p99("  p99", "storm"),
        cpu("  processor time a request", "storm"),
        rate("each a new task, REST", "rest"),
        rate("each a new task, local task server", "local"),
        rate("each a new task, 2 workers", "2 workers", "empty with 2 workers"),
        rate("empty function, aio mode", "empty aio"),
    ]
