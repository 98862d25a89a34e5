"""A worker that records what it is sent and answers as it is told, and short ways to talk to a task server.

It must never sleep: whoever waits, waits for something that happens.
"""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from confsync.local.task_server.changes import Change, QueueRecord
from confsync.local.task_server.limits import QueueSettings, RateLimits, RetryConfig
from confsync.local.task_server.machine import QueueMachine
from confsync.local.task_server.records import Call, Outcome, TaskRecord

PATIENCE_S = 30
"""How long to wait for what must happen; reached only when a test fails."""
LOCATION = "projects/p/locations/l"
QUEUE = f"{LOCATION}/queues/sync"
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
OK = Outcome(200, 0)
FAILED = Outcome(500, 13, "HTTP status code 500")


@dataclass(frozen=True)
class Received:
    """One request that reached the worker."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime

    @property
    def task(self) -> str:
        """The short name of the task."""
        return self.headers["X-CloudTasks-TaskName"]


@dataclass(frozen=True)
class Answer:
    """What the worker says."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Worker:
    """A worker at `url`; `answer` may block, which holds the request."""

    def __init__(self, url: str) -> None:
        """Start without requests; say 200 to all."""
        self.url = url
        self.received: list[Received] = []
        self.answer: Callable[[Received], Answer] = lambda _: Answer()
        self.released = threading.Event()
        self._news = threading.Condition()

    def hold(self, received: Received) -> Answer:
        """Answer 200, but only after `released` is set (an `answer` to choose)."""
        del received
        self.released.wait(PATIENCE_S)
        return Answer()

    def say(self, *answers: int | Answer) -> None:
        """Give these answers in turn, then 200 for ever."""
        turns = iter(answers)

        def answer(_: Received) -> Answer:
            turn = next(turns, 200)
            return turn if isinstance(turn, Answer) else Answer(turn)

        self.answer = answer

    def take(self, received: Received) -> Answer:
        """Record a request and return the answer."""
        with self._news:
            self.received.append(received)
            self._news.notify_all()
        return self.answer(received)

    def wait_for(self, count: int) -> list[Received]:
        """Return the requests as soon as there are so many."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.received) >= count, PATIENCE_S), self.received
            return list(self.received)


@contextmanager
def running_worker() -> Iterator[Worker]:
    """Run a worker on a free port while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {key.title().replace("cloudtasks", "CloudTasks"): value for key, value in self.headers.items()}
            answer = worker.take(Received(self.command, self.path, _Headers(headers), body, datetime.now(UTC)))
            self._say(answer)

        do_GET = do_PUT = do_POST  # noqa: N815 - the library's names

        def _say(self, answer: Answer) -> None:
            try:
                self.send_response(answer.status)
                for key, value in answer.headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:
                pass  # the server gave up waiting, which some tests are about

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        worker = Worker(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield worker
        finally:
            worker.released.set()
            server.shutdown()
            thread.join()


class _Headers(dict[str, str]):
    """Headers whose names may be written in any case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__({key.lower(): value for key, value in headers.items()})

    def __getitem__(self, key: str) -> str:
        return super().__getitem__(key.lower())

    def __contains__(self, key: object) -> bool:
        return super().__contains__(str(key).lower())


def control(url: str, path: str, method: str = "GET", body: object = None) -> Any:
    """Call `/_local/` of a server and return the JSON it answers."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/_local/{path}", data=content, method=method)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:  # noqa: S310 - loopback
        return json.load(response)


def wait_for_stats(url: str, **wanted: int) -> dict[str, int]:
    """Return the overall figures as soon as they include the wanted ones."""
    pause = threading.Event()
    deadline = datetime.now(UTC) + timedelta(seconds=PATIENCE_S)
    while True:
        overall: dict[str, int] = control(url, "stats")["overall"]
        if wanted.items() <= overall.items():
            return overall
        assert datetime.now(UTC) < deadline, f"wanted {wanted}, got {overall}"
        pause.wait(0.01)


def later(seconds: float) -> datetime:
    """Return a time after START."""
    return START + timedelta(seconds=seconds)


def a_task(task_id: str = "t", *, at: float = 0.0, created: float = 0.0, **fields: Any) -> TaskRecord:
    """Return a named task that is due `at` seconds after START."""
    usual: dict[str, Any] = {
        "call": Call("http://127.0.0.1:1/sync", "POST"),
        "create_time": later(created),
        "schedule_time": later(at),
        "dispatch_deadline_s": 600.0,
        "named": True,
    }
    return TaskRecord(task_id=task_id, **(usual | fields))


def a_machine(
    *,
    retry: RetryConfig | None = None,
    rate: RateLimits | None = None,
    name_ttl_s: float = 3600.0,
    changes: list[Change] | None = None,
) -> QueueMachine:
    """Return a queue that starts at START."""
    settings = QueueSettings(rate or RateLimits(), retry or RetryConfig())
    return QueueMachine(QueueRecord(QUEUE, settings), name_ttl_s, [] if changes is None else changes, START)
