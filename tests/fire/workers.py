"""The test's end of the fork server: start workers, wait for them, let stopped ones go on."""

from dataclasses import dataclass

from tests.fire import fork_server
from tests.fire.jobs import Job, Site
from tests.forking import Forking


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
        self._forking = Forking(fork_server)

    def start(self, job: Job, site: Site) -> int:
        """Start a worker and return its process id."""
        pid: int = self._forking.ask("start", job.model_dump(mode="json"), site.model_dump(mode="json"))["pid"]
        return pid

    def wait(self, pid: int) -> Life:
        """Return what became of a worker that is done, dead or stopped."""
        return Life(**self._forking.ask("wait", pid))

    def resume(self, pid: int) -> None:
        """Let a stopped worker go on."""
        self._forking.ask("resume", pid)

    def run(self, job: Job, site: Site) -> Life:
        """Start a worker and wait for it."""
        return self.wait(self.start(job, site))

    def stop(self) -> None:
        """End all of them."""
        self._forking.stop()
