"""Child processes of a benchmark: programs of this installation on reserved loopback ports, ended with their block.

It must never leave one running, nor signal a process that it did not start.
"""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from confsync.local.stack_ports import HOST, reserve, somebody_listens
from confsync.local.stack_process import Child, launch

_START_WITHIN_S = 30.0
_END_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.02
ROOT = Path(__file__).parents[2]


class ChildError(Exception):
    """A child did not start; the message holds its last words."""


@contextmanager
def free_port(purpose: str) -> Iterator[int]:
    """Keep a port that nobody else gets from the system."""
    reservation = reserve(purpose)
    try:
        yield reservation.port
    finally:
        reservation.release()


@contextmanager
def running(
    name: str, command: Sequence[str], ports: Sequence[int], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run a command until the block is left; entered as soon as all its ports are open.

    Args:
        name: of the child, and of its log.
        command: what to run.
        ports: what it listens on.
        folder: where its log goes.
        environment: what it gets on top of this process's own.

    """
    own = {**os.environ, "PYTHONPATH": f"{ROOT}", "NO_PROXY": HOST, "no_proxy": HOST}
    child = launch(name, list(command), {**own, **(environment or {})}, folder / f"{name}.log")
    try:
        _wait_until_open(child, ports)
        yield child
    finally:
        child.ask_to_end()
        child.end_within(_END_WITHIN_S)


def _wait_until_open(child: Child, ports: Sequence[int]) -> None:
    deadline = time.monotonic() + _START_WITHIN_S
    while not all(somebody_listens(port) for port in ports):
        if child.status() is not None or time.monotonic() > deadline:
            raise ChildError(f"{child.name} did not start: {child.last_words() or 'it said nothing'}")
        time.sleep(_LOOK_EVERY_S)


def module(name: str, *arguments: str) -> list[str]:
    """Return the command that runs a module."""
    return [sys.executable, "-m", name, *arguments]


def framework(target: str, source: Path, port: int) -> list[str]:
    """Return the command that serves a function as it is deployed."""
    program = str(Path(sys.executable).with_name("functions-framework"))
    return [program, "--target", target, "--source", str(source), "--host", HOST, "--port", str(port)]


def cpu_seconds(child: Child) -> float:
    """Return the processor time that a child and its workers have used; nan where the system does not tell."""
    try:
        return sum(_cpu_seconds(pid) for pid in (child.pid, *_children_of(child.pid)))
    except OSError:
        return float("nan")


def _children_of(pid: int) -> list[int]:
    return [int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu_seconds(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")
