"""One part of the stack as a child process: start it, see whether it lives, end it, read its log.

It must never signal a process that it did not start: each child leads its own process group, and only while it has not
been waited for is its id certain to be its own.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_LAUNCH = Path(__file__).with_name("stack_launch.py")
_MOST_SHOWN = 4000
"""Bytes at the end of a log that are looked at for a message."""


class Child:
    """A running part."""

    def __init__(self, name: str, log: Path, process: "subprocess.Popen[bytes]") -> None:
        """Keep the process; use `launch` to make one."""
        self.name = name
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id, also the id of its process group."""
        return self._process.pid

    def status(self) -> int | None:
        """Return its exit status, None while it runs."""
        return self._process.poll()

    def ask_to_end(self) -> None:
        """Send SIGTERM, on which all servers and the functions-framework end in order; a frozen part wakes up first."""
        if self.status() is None:
            self._process.terminate()
            self._signal_group(signal.SIGCONT)

    def freeze(self) -> None:
        """Send SIGSTOP to it and its workers: from now on it takes requests, but does nothing."""
        self._signal_group(signal.SIGSTOP)

    def kill(self) -> None:
        """Send SIGKILL to it and its workers, and wait until it is gone."""
        self._signal_group(signal.SIGKILL)
        self._process.wait()

    def end_within(self, seconds: float) -> None:
        """Wait until it has ended; after so many seconds kill it."""
        try:
            self._process.wait(timeout=max(seconds, 0))
        except subprocess.TimeoutExpired:
            self.kill()

    def _signal_group(self, number: signal.Signals) -> None:
        """Reach the workers too: after SIGKILL to their master alone they would go on for a while."""
        if self.status() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def last_words(self) -> str:
        """Return the last lines of its log, for a message."""
        try:
            lines = self.log.read_bytes()[-_MOST_SHOWN:].decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-5:])


def launch(name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
    """Start a part that ends with this process; its output goes to the end of its log.

    On Linux it ends with the *thread* that calls this, so call it from one that lives as long as the stack.

    Raises:
        OSError: the log cannot be written or the program not started.

    """
    launcher = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid())]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  (programs of this installation, no shell)
            [*launcher, *command],
            env=dict(environment),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(name, log, process)
