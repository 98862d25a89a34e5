"""Signals while a command runs, and while it ends."""

import subprocess
import sys

import pytest

ENDS = """
import os, signal
from confsync.cli.signals import interruptible
try:
    with interruptible():
        os.kill(os.getpid(), {first})
        print("not reached")
except KeyboardInterrupt:
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    print("ended in order")
"""
GOES_ON = """
import os, signal
from confsync.cli.signals import interruptible
with interruptible():
    pass
os.kill(os.getpid(), signal.SIGTERM)
print("not reached")
"""


def said(program: str) -> str:
    """Return what a program prints before it ends."""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    return run.stdout


@pytest.mark.parametrize("first", ["signal.SIGINT", "signal.SIGTERM", "signal.SIGHUP"])
def test_a_command_that_was_interrupted_ends_in_order_whatever_signals_follow(first: str) -> None:
    """What it hands over after it was interrupted is not broken off either."""
    assert said(ENDS.format(first=first)) == "ended in order\n"


def test_after_a_block_that_nobody_interrupted_signals_mean_what_they_did() -> None:
    """SIGTERM ends the process."""
    assert said(GOES_ON) == ""
