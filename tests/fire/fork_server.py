"""Workers as real processes, forked by this script (see `tests.forking`). It must never leave one of them behind."""

import json
import os
import signal
from typing import Any

from confsync.errors import ConfsyncError
from tests.fire.jobs import Job, Site, perform
from tests.forking import forked, serve


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
        child = forked(lambda: _work(parsed, place, speaking))
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


def main() -> None:
    """Serve commands until the input ends."""
    children = Children()
    try:
        serve({"start": children.start, "wait": children.wait, "resume": children.resume})
    finally:
        children.end()


if __name__ == "__main__":
    main()
