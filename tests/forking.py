"""Child processes, forked quickly from one process that has everything imported: a test's end of it, and its own.

That process reads one command per line, answers with one line of JSON, and ends with its input. It must never do
itself what its children are to do, so that each of them starts as a fresh process would.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
LIFE_S = 40
"""No child lives longer, whatever befalls it."""


class Forking:
    """A test's end of the process that forks."""

    def __init__(self, module: ModuleType) -> None:
        """Start it: it runs this module as a script, which has to `serve`."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", module.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def ask(self, name: str, *arguments: Any) -> dict[str, Any]:
        """Run one command and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def stop(self) -> None:
        """End its input and wait for its end."""
        try:
            self._process.communicate(timeout=30)
        finally:
            self._process.kill()


def serve(commands: Mapping[str, Callable[..., Any]]) -> None:
    """Serve commands, `[name, argument, ...]`, until the input ends."""
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        sys.stdout.write(json.dumps(commands[name](*arguments)) + "\n")
        sys.stdout.flush()


def forked(work: Callable[[], object]) -> int:
    """Fork a child that works and ends, nothing of its parent's cleaned up or read; return its process id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        signal.alarm(LIFE_S)
        work()
        status = 0
    except BaseException as error:
        sys.stderr.write(f"{error!r}\n")
        raise
    finally:
        os._exit(status)
