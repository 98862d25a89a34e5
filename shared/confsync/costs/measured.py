"""What one thing that happens asks of each service, as tests/test_measured_operations.py counts it on production code.

When the code asks for more or less, that test fails and prints the line to write here. It must never hold a number
that nothing measures: what is assumed is in `load`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Operations:
    """Requests and operations, each as the service bills it; of many things that happen, their sum."""

    receiver_requests: float = 0
    worker_requests: float = 0
    task_operations: float = 0
    """Calls of Cloud Tasks, refused ones too, and attempts to deliver."""
    reads: float = 0
    """Documents of Firestore; one that is missing counts, and an empty query."""
    writes: float = 0
    deletes: float = 0
    calendar_calls: float = 0
    provider_calls: float = 0

    def __add__(self, other: "Operations") -> "Operations":
        """Return both together."""
        return Operations(**{name: getattr(self, name) + getattr(other, name) for name in NAMES})

    def __sub__(self, other: "Operations") -> "Operations":
        """Return what this asks for more than another."""
        return self + other.times(-1)

    def times(self, often: float) -> "Operations":
        """Return what it asks for when it happens so often."""
        return Operations(**{name: getattr(self, name) * often for name in NAMES})


NAMES = tuple(field.name for field in fields(Operations))

CHANGE = Operations(receiver_requests=1, worker_requests=1, task_operations=2, reads=3, writes=2, calendar_calls=1)
"""An event is changed that holds no conference of ours: notification, task, sync."""
SECOND_CHANGE = Operations(
    receiver_requests=1, worker_requests=1, task_operations=2, reads=3, writes=2, calendar_calls=1
)
"""What another change in the same coalescing window asks for besides: the task that runs when the window is over."""
FURTHER_CHANGE = Operations(receiver_requests=1, reads=1)
"""What each one more asks for: that task finds it as well."""
TOLD_CHANGE = Operations(
    receiver_requests=1, worker_requests=1, task_operations=2, reads=5, writes=5, calendar_calls=1, provider_calls=1
)
"""An event is changed that holds a conference, and the conferencing system is told."""
QUIET_NOTIFICATION = Operations(
    receiver_requests=1, worker_requests=2, task_operations=4, reads=4, writes=4, calendar_calls=2
)
"""A notification without a change, and the second look that follows it."""
RECONCILIATION = Operations(worker_requests=1, task_operations=2, reads=3, writes=2, calendar_calls=1)
"""A quiet calendar is found due by the scheduled run and synced; one of many."""
RENEWAL = Operations(receiver_requests=1, reads=4, writes=3, calendar_calls=2)
"""A channel is renewed by the scheduled run, with Calendar's `sync` message; one of many."""
EMPTY_RUN = Operations(reads=12)
"""A scheduled run that finds nothing due."""
REGISTRATION = Operations(
    receiver_requests=1, worker_requests=3, task_operations=4, reads=16, writes=13, calendar_calls=4, provider_calls=1
)
"""The add-on creates an event with a new conference, and registers it; the conferencing system is told."""
END = Operations(
    receiver_requests=1, worker_requests=2, task_operations=4, reads=35, writes=9, calendar_calls=4, provider_calls=1
)
"""An event is deleted, and its conference ended when the grace period is over."""

MEASURED: Mapping[str, Operations] = {
    "CHANGE": CHANGE,
    "SECOND_CHANGE": SECOND_CHANGE,
    "FURTHER_CHANGE": FURTHER_CHANGE,
    "TOLD_CHANGE": TOLD_CHANGE,
    "QUIET_NOTIFICATION": QUIET_NOTIFICATION,
    "RECONCILIATION": RECONCILIATION,
    "RENEWAL": RENEWAL,
    "EMPTY_RUN": EMPTY_RUN,
    "REGISTRATION": REGISTRATION,
    "END": END,
}
"""By the name above."""
