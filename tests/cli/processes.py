"""A confsync command as a process of its own, and the question who of its family still lives.

It must never end a process that it did not start.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 60
"""How long to wait for what must happen; reached only when a test fails."""
CONFSYNC = Path(sys.executable).with_name("confsync")


@dataclass(frozen=True)
class Command:
    """A running command; its output goes to files, so that it never waits for a reader."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    def says(self, text: str, times: int = 1) -> bool:
        """Whether its output holds the text so often."""
        return self.out.read_text().count(text) >= times

    def family(self) -> set[int]:
        """Return the ids of all processes below it."""
        return descendants(self.process.pid)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def running(
    words: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Command]:
    """Run a command in a folder; whatever it started is killed at the end of the block."""
    out, err = folder / "out.txt", folder / "err.txt"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            list(map(str, words)), cwd=folder, stdout=stdout, stderr=stderr, stdin=subprocess.DEVNULL, env=environment
        )
    try:
        yield Command(process, out, err)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE_S)


def eventually(happened: Callable[[], object]) -> bool:
    """Look until it happened; False when patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def descendants(pid: int) -> set[int]:
    """Return the ids of all living processes below one."""
    children = {child for child, parent in _parents().items() if parent == pid}
    return children.union(*(descendants(child) for child in children))


def all_end(pids: set[int]) -> bool:
    """Wait until none of them runs; a zombie that nobody has waited for yet does not."""
    return eventually(lambda: not pids & _parents().keys())


def _parents() -> dict[int, int]:
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            found[int(stat.parent.name)] = int(parent)
    return found
