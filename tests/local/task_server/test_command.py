"""The command as a process: its one line, its end, and what survives SIGKILL."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import Conflict

from confsync.adapters.cloud_tasks import build_client
from tests.local.task_server.support import PATIENCE_S, QUEUE, Answer, Received, Worker, control, wait_for_stats

COMMAND = [sys.executable, "-W", "ignore", "-m", "confsync.local.task_server"]
Start = Callable[..., tuple["subprocess.Popen[str]", list[str]]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the command; return the process and the words of its ready line."""
    processes: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> tuple["subprocess.Popen[str]", list[str]]:
        process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().split()

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def _create(url: str, worker: Worker, name: str) -> None:
    task = {"name": f"{QUEUE}/tasks/{name}", "http_request": {"url": worker.url}}
    with build_client(url) as client:
        client.create_task(request={"parent": QUEUE, "task": task})


def test_it_says_where_it_serves_and_ends_on_a_signal(start: Start, worker: Worker) -> None:
    """One line with both addresses; SIGTERM ends it with status 0 and cuts requests under way off."""
    worker.answer = worker.hold
    process, (ready, url, grpc) = start("--grpc-port", "0", "--queue", QUEUE)
    assert (ready, url.startswith("http://127.0.0.1:"), grpc.startswith("grpc://127.0.0.1:")) == ("ready", True, True)
    _create(url, worker, "a")
    _create(grpc, worker, "b")
    worker.wait_for(2)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=PATIENCE_S) == ("", "")
    assert process.returncode == 0


def test_without_grpc_the_line_has_one_address(start: Start) -> None:
    """And SIGINT ends it as well as SIGTERM."""
    process, words = start()
    assert len(words) == 2
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("option", ["--port", "--grpc-port"])
def test_a_port_in_use_is_one_clear_line(option: str) -> None:
    """Exit status 2; the line names the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [*COMMAND, option, port], capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert f"Port {port} of 127.0.0.1" in ended.stderr


def test_a_file_that_is_not_its_own_is_one_clear_line(tmp_path: Path) -> None:
    """Exit status 2; the file stays as it is."""
    path = tmp_path / "letter"
    path.write_text("Dear reader," * 100)
    ended = subprocess.run(
        [*COMMAND, "--data", str(path)], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert path.read_text() == "Dear reader," * 100


def test_help_names_every_option() -> None:
    """It explains itself without starting anything."""
    ended = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    for option in ("--port", "--grpc-port", "--data", "--queue", "--job", "--name-ttl"):
        assert option in ended.stdout


_FIRST_ANSWERS = {("done", "0"): Answer(), ("t0", "0"): Answer(500)}


def _attempt(received: Received) -> tuple[str, str]:
    return received.task, received.headers["X-CloudTasks-TaskRetryCount"]


def test_a_killed_server_loses_no_task(start: Start, worker: Worker, tmp_path: Path) -> None:
    """Accepted tasks, attempts made, and blocked names survive SIGKILL; a second server goes on."""
    arguments = ["--data", str(tmp_path / "tasks.db"), "--queue", f"{QUEUE}?maxConcurrentDispatches=3&minBackoff=0.01"]
    worker.answer = lambda received: _FIRST_ANSWERS.get(_attempt(received)) or worker.hold(received)
    process, (_, url) = start(*arguments)
    _create(url, worker, "done")
    wait_for_stats(url, succeeded=1)
    for number in range(20):
        _create(url, worker, f"t{number}")
    wait_for_stats(url, in_flight=3, failed=1)
    process.kill()
    process.wait()

    worker.answer = lambda _: Answer()
    _, (_, url) = start(*arguments)
    wait_for_stats(url, succeeded=20, waiting=0)
    assert {received.task for received in worker.received} == {"done", *(f"t{number}" for number in range(20))}
    retried = [received.headers["X-CloudTasks-TaskRetryCount"] for received in worker.received if received.task == "t0"]
    assert retried[0] == "0"
    assert set(retried[1:]) == {"1"}
    for name in ("done", "t0"):
        with pytest.raises(Conflict):
            _create(url, worker, name)
    assert control(url, "stats")["overall"]["duplicates"] == 2


def test_a_server_that_ends_properly_keeps_tasks_under_way(start: Start, worker: Worker, tmp_path: Path) -> None:
    """A cancelled attempt is made again by the next server, with the same retry count."""
    worker.answer = worker.hold
    arguments = ["--data", str(tmp_path / "tasks.db"), "--queue", QUEUE]
    process, (_, url) = start(*arguments)
    _create(url, worker, "t")
    worker.wait_for(1)
    process.terminate()
    assert process.wait(PATIENCE_S) == 0
    worker.released.set()
    _, (_, url) = start(*arguments)
    wait_for_stats(url, succeeded=1)
    assert [received.headers["X-CloudTasks-TaskRetryCount"] for received in worker.wait_for(2)] == ["0", "0"]
