"""A client that is built at its first use in each process, since a gRPC client must not cross a fork.

The functions framework imports a function, then forks the processes that serve it.
"""

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """Builds one client for each process that asks for it; safe for many threads."""

    def __init__(self, build: Callable[[], T]) -> None:
        """Build nothing yet."""
        self._build = build
        self._lock = threading.Lock()
        self._built: tuple[int, T] | None = None

    def get(self) -> T:
        """Return this process's client."""
        with self._lock:
            if self._built is None or self._built[0] != os.getpid():
                self._built = (os.getpid(), self._build())
            return self._built[1]
