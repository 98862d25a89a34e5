"""The test's end of the fork server: start workers, wait for them, let stopped ones go on."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fire import fork_server
from tests.fire.jobs import Job, Site

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Life:
    """What became of a worker."""

    end: str
    """`done`, `killed` or `stopped`."""
    status: int
    said: list[dict[str, str]]

    @property
    def steps(self) -> list[str]:
        """The calls of its ports, as far as it came."""
        return [word["step"] for word in self.said if "step" in word]

    @property
    def outcome(self) -> str:
        """How the use case says it went; empty when it did not come so far."""
        return next((word["outcome"] for word in self.said if "outcome" in word), "")

    @property
    def error(self) -> str:
        """Which error of ours it ended with, if any."""
        return next((f"{word['error']}: {word['message']}" for word in self.said if "error" in word), "")


class Workers:
    """Starts workers as processes; all of them end with it."""

    def __init__(self) -> None:
        """Start the process that forks them."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", fork_server.__name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def start(self, job: Job, site: Site) -> int:
        """Start a worker and return its process id."""
        pid: int = self._ask("start", job.model_dump(mode="json"), site.model_dump(mode="json"))["pid"]
        return pid

    def wait(self, pid: int) -> Life:
        """Return what became of a worker that is done, dead or stopped."""
        return Life(**self._ask("wait", pid))

    def resume(self, pid: int) -> None:
        """Let a stopped worker go on."""
        self._ask("resume", pid)

    def run(self, job: Job, site: Site) -> Life:
        """Start a worker and wait for it."""
        return self.wait(self.start(job, site))

    def stop(self) -> None:
        """End all of them."""
        try:
            self._process.communicate(timeout=30)
        finally:
            self._process.kill()

    def _ask(self, *command: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer
