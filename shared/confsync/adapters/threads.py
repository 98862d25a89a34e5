"""Doing the same for many with a few threads, which stay: each keeps its connections from one run to the next.

It must never start a thread before there is something to do, nor use one across a fork.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from confsync.adapters.per_process import PerProcess
from confsync.ports import AtOnce

A = TypeVar("A")
B = TypeVar("B")


def several_at_once(threads: int) -> AtOnce:
    """Return what does up to `threads` at once; when one fails, those that were begun are finished all the same."""
    pool = PerProcess(lambda: ThreadPoolExecutor(threads, thread_name_prefix="at-once"))

    def at_once(do: Callable[[A], B], each: Iterable[A], /) -> Iterator[B]:
        yield from pool.get().map(do, each)

    return at_once
