"""How a command ends on a signal: in order, whatever the signal.

It must never let a second signal break off the cleaning up.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into KeyboardInterrupt; ignore all others until the command ends."""
    is_ending = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal is_ending
        is_ending = True
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        if not is_ending:
            for number, handler in before.items():
                signal.signal(number, handler)
