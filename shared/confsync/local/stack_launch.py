"""Become another program, one that ends when its parent ends, however that happens.

Run as `python -I -S stack_launch.py PARENT_PID PROGRAM ARGUMENT...`. On Linux the kernel then sends SIGTERM to the
program as soon as the thread that started it is gone, also after SIGKILL. Elsewhere there is no such thing: there a
parent that is killed with SIGKILL leaves its children behind.

It runs before each part of the stack, so it must never import anything but the standard library.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent_pid: int, command: list[str]) -> None:
    """Replace this process by the command; do nothing when the parent is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == parent_pid:
        os.execv(command[0], command)  # noqa: S606  (a program of this very installation, no shell)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
