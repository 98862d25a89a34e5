"""How long a user's change takes until the back end has it, through the whole local stack, and what of it is ours.

Between the changes, the bare calls that no design could avoid: one push, one task created and dispatched, one list
call, one call to the back end, each alone and against the same servers. It must never let two changes of a
calendar fall into one coalescing window: the second one rightly waits.
"""

import math
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, RemoteDisconnected
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import TracebackType
from typing import Any, Self

from confsync.adapters.cloud_tasks import CloudTasksQueue, CloudTasksSettings, build_client
from confsync.adapters.sqlite import SqliteStore
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.core.state import ConferenceState
from confsync.core.tasks import Task
from confsync.local.demo_watch import wait_until
from confsync.ports import ConferenceCall
from confsync.providers.http import HttpProvider
from tests.bench.children import ROOT, framework, free_port, running
from tests.bench.figures import Figure, Target, median, percentile
from tests.bench.http_load import HOST, LoadError
from tests.bench.served_stack import NotSettled, Owned, ServedStack, served_stack

NAME = "change_latency"
USERS, CHANGES = 20, 200
IN_ALL = "in all"
_WITHIN_S = 10.0
_QUEUE = "projects/local/locations/local/queues/bare"


def measure() -> list[Figure]:
    """Change events one after the other, each change followed by one of each of the bare calls."""
    with served_stack() as served, BareCalls(served) as bare:
        users = [served.user(number) for number in range(USERS)]
        served.settle()
        _change_all(served, users, bare, USERS)  # warms every thread and connection up
        return _figures(_change_all(served, users, bare, CHANGES))


Took = dict[str, list[float]]
"""Milliseconds by what took them, one for each change."""


def _change_all(served: ServedStack, users: list[Owned], bare: "BareCalls", changes: int) -> Took:
    took: Took = defaultdict(list)
    number = max((int(call["number"]) for call in served.calls(0)), default=0)
    free_at: dict[str, float] = {}
    for turn in range(changes):
        user = users[turn % len(users)]
        _wait_for_own_window(free_at.get(user.event_id, 0.0))
        written_at, call = _change(served, user, f"title {time.time_ns()}", number)
        free_at[user.event_id] = time.time() + Rules.window_s
        number = int(call["number"])
        created_at, had_at = _created_at(served, written_at), datetime.fromisoformat(call["at"])
        took[IN_ALL].append(_ms(had_at - written_at))
        took["of it: write to task"].append(_ms(created_at - written_at))
        took["of it: task to back end"].append(_ms(had_at - created_at))
        for what, call_bare in bare.calls(user).items():
            took[what].append(_timed(call_bare))
    return took


def _timed(call: Callable[[], float | None]) -> float:
    """Return how long a call took; one that knows better when it was over returns that time."""
    started = time.perf_counter()
    over_at = call()
    return ((over_at or time.perf_counter()) - started) * 1000


def _wait_for_own_window(free_at: float) -> None:
    time.sleep(max(free_at - time.time(), 0.0))


def _change(served: ServedStack, user: Owned, title: str, after: int) -> tuple[datetime, Mapping[str, Any]]:
    """Rename the event; return when Calendar had accepted that, and the call that told the back end."""
    before = datetime.now(UTC)
    event = user.person.rename(user.event_id, title)
    accepted_at = max(before, datetime.fromisoformat(event["updated"]))
    if not wait_until(lambda: _told(served, user, after), _WITHIN_S):
        raise NotSettled(f"a change did not reach the back end within {_WITHIN_S:g} s: see {served.stack.folder.logs}")
    return accepted_at, _told(served, user, after)[0]


def _told(served: ServedStack, user: Owned, after: int) -> list[Mapping[str, Any]]:
    return [call for call in served.calls(after) if call["conference_id"] == user.conference_id]


def _created_at(served: ServedStack, since: datetime) -> datetime:
    """Return when the sync task of the change was created; the server shows a task once it is answered."""
    if not wait_until(lambda: _created_since(served, since), _WITHIN_S):
        raise NotSettled(f"no task of a change was shown within {_WITHIN_S:g} s: see {served.stack.folder.logs}")
    return min(_created_since(served, since))


def _created_since(served: ServedStack, since: datetime) -> list[datetime]:
    tasks = served.get(f"{served.stack.urls.tasks}/_local/tasks")
    created = (datetime.fromisoformat(task["create_time"]) for task in (*tasks["waiting"], *tasks["recent"]))
    return [at for at in created if at >= since - timedelta(milliseconds=1)]


def _ms(duration: timedelta) -> float:
    return duration.total_seconds() * 1000


class BareCalls:
    """The calls that no design could do without, each alone; all connections are kept open."""

    def __init__(self, served: ServedStack) -> None:
        """Open nothing yet."""
        self._served = served
        self._cleanup = ExitStack()
        self._numbers = count(1)

    def __enter__(self) -> Self:
        """Start an empty function and an empty worker, and connect."""
        source = ROOT / "tests" / "bench" / "functions" / "empty.py"
        site, url = self._served.stack.site, self._served.stack.urls.tasks
        port = self._cleanup.enter_context(free_port("empty"))
        self._cleanup.enter_context(running("empty", framework("empty", source, port), [port], site.folder.logs))
        self._function = self._connection(port)
        self._calendar = self._connection(int(site.urls.calendar.rpartition(":")[2]))
        self._served.post(f"{url}/v2/{_QUEUE.rpartition('/queues/')[0]}/queues", {"name": _QUEUE})
        worker_url, self._arrived = self._cleanup.enter_context(_arrivals())
        self._tasks = CloudTasksQueue(CloudTasksSettings({"/": _QUEUE}, worker_url), lambda: build_client(url))
        made = self._served.post(f"{site.urls.vendor}/api/conferences", {"title": "bare"})
        self._conference_id = made["conference_id"]
        secrets = [site.keys.vendor_secret]
        self._store = SqliteStore(site.folder.path / "bare.db")
        self._cleanup.callback(self._store.close)
        self._provider = HttpProvider(f"{site.urls.vendor}/hooks/conference", secrets, now=lambda: datetime.now(UTC))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End and close all."""
        self._cleanup.close()

    def calls(self, user: Owned) -> dict[str, Callable[[], float | None]]:
        """Return the calls by what they are."""
        path = "/calendar/v3/calendars/primary/events?maxResults=2500&showDeleted=true"
        signed_in = {"Authorization": f"Bearer {user.person.email}"}
        return {
            "bare push to an empty function": lambda: self._ask(self._function, "POST", "/", {}),
            "bare task, created and dispatched": self._task,
            "bare list": lambda: self._ask(self._calendar, "GET", path, signed_in),
            "bare call to the back end": self._call,
            "not subtracted: one durable commit": self._commit,
        }

    def _connection(self, port: int) -> HTTPConnection:
        connection = HTTPConnection(HOST, port, timeout=_WITHIN_S)
        self._cleanup.callback(connection.close)
        return connection

    def _ask(self, connection: HTTPConnection, method: str, path: str, headers: dict[str, str]) -> None:
        """Ask once more on a new connection when the server has closed an idle one."""
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
        except (RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            connection.close()
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
        answer.read()
        if answer.status >= 300:
            raise LoadError(f"{method} {path}: status {answer.status}")

    def _task(self) -> float:
        """Return when the task reached the worker; the create may be answered later."""
        self._tasks.create(Task(f"bare-{next(self._numbers)}", "/", {}))
        return self._arrived.get(timeout=_WITHIN_S)

    def _commit(self) -> None:
        """Store a small record as production does; three such commits lie between a change and its call."""
        number = next(self._numbers)
        commit = Calendar(key="bare", tenant="default", calendar_id="bare", subject="bare", fence=number)
        self._store.transact(lambda transaction: transaction.put(commit))

    def _call(self) -> None:
        generation = next(self._numbers)
        state = ConferenceState(title=f"bare {generation}")
        call = ConferenceCall("bare", self._conference_id, f"op_{generation:032x}", generation, state)
        self._provider.update(call)


@contextmanager
def _arrivals() -> "Iterator[tuple[str, queue.Queue[float]]]":
    """Serve a worker that answers at once and notes when it was called."""
    arrived: queue.Queue[float] = queue.Queue()

    class Worker(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # the library's name
            arrived.put(time.perf_counter())
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            del format, args

    server = ThreadingHTTPServer((HOST, 0), Worker)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}", arrived
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _figures(took: Took) -> list[Figure]:
    in_all = took.pop(IN_ALL)
    p50, p99 = percentile(in_all, 50), percentile(in_all, 99)
    unavoidable = math.fsum(median(values) for what, values in took.items() if what.startswith("bare"))
    return [
        Figure(NAME, f"write to back end, p50 of {len(in_all)}", "ms", p50, unavoidable, "bare calls"),
        Figure(NAME, "write to back end, p99", "ms", p99, unavoidable, "bare calls"),
        Figure(NAME, "overhead, p50", "ms", p50 - unavoidable, target=Target("at most", 20, "ours")),
        Figure(NAME, "overhead, p99", "ms", p99 - unavoidable, target=Target("at most", 60, "ours")),
        *(_stage(what, values) for what, values in took.items()),
    ]


def _stage(what: str, values: list[float]) -> Figure:
    return Figure(NAME, what, "ms", median(values), spread=(percentile(values, 1), percentile(values, 99)))
