"""Resource names: `projects/P/locations/L/queues/Q/tasks/T`.

It must never guess: a name that is not exactly of this form is refused.
"""

import re

from confsync.local.task_server.api_errors import invalid

_LOCATION = r"projects/[A-Za-z0-9.:-]+/locations/[A-Za-z0-9-]+"
_QUEUE = _LOCATION + r"/queues/[A-Za-z0-9-]{1,100}"
_TASK = _QUEUE + r"/tasks/[A-Za-z0-9_-]{1,500}"
LOCATION_PATTERN = re.compile(_LOCATION)
QUEUE_PATTERN = re.compile(_QUEUE)
TASK_PATTERN = re.compile(_TASK)


def check_location(name: str) -> str:
    """Return the location name. Raises `ApiError` for anything else."""
    return _check(LOCATION_PATTERN, name, "projects/PROJECT_ID/locations/LOCATION_ID")


def check_queue(name: str) -> str:
    """Return the queue name. Raises `ApiError` for anything else."""
    return _check(QUEUE_PATTERN, name, "projects/PROJECT_ID/locations/LOCATION_ID/queues/QUEUE_ID")


def split_task(name: str) -> tuple[str, str]:
    """Return queue name and task id of a task name. Raises `ApiError` for anything else."""
    _check(TASK_PATTERN, name, "projects/PROJECT_ID/locations/LOCATION_ID/queues/QUEUE_ID/tasks/TASK_ID")
    queue, _, task_id = name.rpartition("/tasks/")
    return queue, task_id


def task_name(queue: str, task_id: str) -> str:
    """Return the full name of a task."""
    return f"{queue}/tasks/{task_id}"


def short_id(name: str) -> str:
    """Return the last part of a name, as the dispatch headers carry it."""
    return name.rpartition("/")[2]


def _check(pattern: re.Pattern[str], name: str, form: str) -> str:
    if not pattern.fullmatch(name):
        raise invalid(f'The name "{name[:600]}" must be formatted: "{form}"')
    return name
