"""Workers as real processes, forked quickly from one process that has everything imported.

Run as a script: it reads one command per line, answers with one line of JSON, and ends with its input. It must never
call anything itself, so that each of its children starts as a fresh process would, and never leave a child behind.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from confsync.errors import ConfsyncError
from tests.fire.jobs import Job, Site, perform

LIFE_S = 40
"""No worker lives longer, whatever befalls it."""


class Children:
    """The workers that were not waited for yet."""

    def __init__(self) -> None:
        """Start with none."""
        self._words: dict[int, int] = {}
        """By process id: where to read what the worker says."""

    def start(self, job: Any, site: Any) -> dict[str, Any]:
        """Fork a worker for a job; return its process id."""
        listening, speaking = os.pipe()
        parsed, place = Job.model_validate(job), Site.model_validate(site)
        child = os.fork()
        if child == 0:
            _live(lambda: _work(parsed, place, speaking))
        os.close(speaking)
        self._words[child] = listening
        return {"pid": child}

    def wait(self, pid: int) -> dict[str, Any]:
        """Wait until the worker is done, dead or stopped; return which, and what it said so far."""
        _, status = os.waitpid(pid, os.WUNTRACED)
        end = "stopped" if os.WIFSTOPPED(status) else "killed" if os.WIFSIGNALED(status) else "done"
        listening = self._words[pid]
        os.set_blocking(listening, False)
        said = _read(listening)
        if end != "stopped":
            os.close(self._words.pop(pid))
        return {"end": end, "status": status, "said": said}

    def resume(self, pid: int) -> dict[str, Any]:
        """Let a stopped worker go on."""
        os.kill(pid, signal.SIGCONT)
        return {}

    def end(self) -> None:
        """Kill and reap whoever is left."""
        for pid in self._words:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _read(listening: int) -> list[Any]:
    content = b""
    try:
        while part := os.read(listening, 65536):
            content += part
    except BlockingIOError:
        pass
    return [json.loads(line) for line in content.splitlines()]


def _work(job: Job, site: Site, speaking: int) -> None:
    def tell(**word: str) -> None:
        os.write(speaking, json.dumps(word).encode() + b"\n")

    try:
        tell(outcome=perform(job, site, lambda step: tell(step=step)))
    except ConfsyncError as error:
        tell(error=type(error).__name__, message=str(error))


def _live(work: Callable[[], None]) -> None:
    """Work, and end: nothing of the parent's is cleaned up, or read."""
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


def main() -> None:
    """Serve commands, `[name, argument, ...]`, until the input ends."""
    children = Children()
    try:
        for line in sys.stdin:
            name, *rest = json.loads(line)
            sys.stdout.write(json.dumps(getattr(children, name)(*rest)) + "\n")
            sys.stdout.flush()
    finally:
        children.end()


if __name__ == "__main__":
    main()
