"""The methods of the Cloud Tasks API, protocol buffer in, protocol buffer out; REST and gRPC share them.

It must never answer before the change is written down: each method commits, then returns.
Source: https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.cloud.tasks_v2.types import ListQueuesResponse, ListTasksResponse, Task
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]  # no stubs are installed

from confsync.local.task_server.api_errors import ApiError, invalid, not_served
from confsync.local.task_server.book import Book
from confsync.local.task_server.faults import FaultDice
from confsync.local.task_server.machine import QueueMachine
from confsync.local.task_server.names import check_location, check_queue, short_id, split_task
from confsync.local.task_server.records import Dispatch, TaskRecord
from confsync.local.task_server.settings_wire import settings_from, updated_settings
from confsync.local.task_server.wire import queue_message, task_from, task_message

_DEDUPLICATION = "see https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create"

_REFUSALS = {
    "denied": ("PERMISSION_DENIED", "The caller lacks cloudtasks.tasks.create (an injected fault)"),
    "aborted": ("ABORTED", "The operation was aborted (an injected fault; the task was not created)"),
    "unavailable": ("UNAVAILABLE", "The service is unavailable (an injected fault; the task was not created)"),
    "deadline": ("DEADLINE_EXCEEDED", "The deadline expired (an injected fault; the task was not created)"),
}
_ANSWER_LOST = ("UNAVAILABLE", "The service is unavailable (an injected fault; the task was created)")


@dataclass(frozen=True)
class Around:
    """What the methods reach beyond the queues."""

    now: Callable[[], datetime]
    commit: Callable[[], None]
    """Write all open changes down and wake the dispatcher. Raises `ApiError` when they cannot be written."""
    dispatch: Callable[[QueueMachine, Dispatch], None]
    """Send a request at once."""
    min_dispatch_deadline_s: float


class Api:
    """One method per method of the service, named as in the service."""

    def __init__(self, book: Book, dice: FaultDice, around: Around) -> None:
        """Serve the queues of this book."""
        self._book = book
        self._dice = dice
        self._around = around

    def list_queues(self, request: Any) -> Any:
        """Return a page of the location's queues in the order of their names."""
        prefix = check_location(request.parent) + "/queues/"
        if request.filter:
            raise not_served("ListQueues with a filter is not served here: leave it out")
        records = [queue.record for queue in self._book.all() if queue.record.name.startswith(prefix)]
        rest = [record for record in records if record.name > request.page_token]
        size = _page_size(request.page_size, 9800)
        return ListQueuesResponse.pb()(
            queues=[queue_message(record) for record in rest[:size]],
            next_page_token=rest[size - 1].name if len(rest) > size else "",
        )

    def get_queue(self, request: Any) -> Any:
        """Return the queue."""
        return queue_message(self._queue(request.name).record)

    def create_queue(self, request: Any) -> Any:
        """Create a queue; a setting that is not given gets Google's default."""
        name = check_queue(request.queue.name)
        if not name.startswith(check_location(request.parent) + "/queues/"):
            raise invalid(f'Queue.name "{name}" does not lie in "{request.parent}"')
        queue = self._book.create(name, settings_from(request.queue), self._around.now())
        return self._done(queue_message(queue.record))

    def update_queue(self, request: Any) -> Any:
        """Update the queue, or create it when there is none."""
        name, now = check_queue(request.queue.name), self._around.now()
        queue = self._book.find(name)
        if queue is None:
            queue = self._book.create(name, settings_from(request.queue), now)
        else:
            settings = queue.record.settings
            queue.configure(updated_settings(settings, request.queue, request.update_mask.paths), now)
        return self._done(queue_message(queue.record))

    def delete_queue(self, request: Any) -> Any:
        """Delete the queue with its tasks."""
        self._book.delete(check_queue(request.name), self._around.now())
        return self._done(Empty())

    def purge_queue(self, request: Any) -> Any:
        """Delete all tasks of the queue, at once."""
        queue = self._queue(request.name)
        queue.purge(self._around.now())
        return self._done(queue_message(queue.record))

    def pause_queue(self, request: Any) -> Any:
        """Stop dispatching; tasks can still be created."""
        return self._set_paused(request.name, True)

    def resume_queue(self, request: Any) -> Any:
        """Go on dispatching."""
        return self._set_paused(request.name, False)

    def list_tasks(self, request: Any) -> Any:
        """Return a page of the queue's tasks in the order of their ids."""
        queue = self._queue(request.parent)
        rest = sorted((task for task in queue.tasks() if task.task_id > request.page_token), key=_by_id)
        size = _page_size(request.page_size, 1000)
        full = _wants_body(request)
        return ListTasksResponse.pb()(
            tasks=[task_message(queue.record.name, task, full=full) for task in rest[:size]],
            next_page_token=rest[size - 1].task_id if len(rest) > size else "",
        )

    def get_task(self, request: Any) -> Any:
        """Return the task."""
        queue, task_id = self._queue_of_task(request.name)
        return task_message(queue.record.name, self._task(queue, task_id), full=_wants_body(request))

    def create_task(self, request: Any) -> Any:
        """Create a task; a name that is in use or was used recently is refused."""
        queue, now = self._queue(request.parent), self._around.now()
        name = queue.record.name
        task_id = _task_id(name, request.task.name)
        task = task_from(request.task, task_id, now=now, min_deadline_s=self._around.min_dispatch_deadline_s)
        fault = self._dice.on_create(name)
        if fault in _REFUSALS:
            raise ApiError(*_REFUSALS[fault])
        if not queue.create(task, now, late_s=self._dice.lateness_s(name)):
            raise _name_taken(queue, task_id)
        if fault == "lose":
            queue.end(task_id, "lost", now)
        self._around.commit()
        if fault == "answer_lost":
            raise ApiError(*_ANSWER_LOST)
        return task_message(name, task, full=_wants_body(request))

    def delete_task(self, request: Any) -> Any:
        """Delete the task, also while it is dispatched."""
        queue, task_id = self._queue_of_task(request.name)
        self._task(queue, task_id)
        queue.end(task_id, "deleted", self._around.now())
        return self._done(Empty())

    def run_task(self, request: Any) -> Any:
        """Dispatch the task now, whatever the queue's state and limits."""
        queue, task_id = self._queue_of_task(request.name)
        self._task(queue, task_id)
        dispatch = queue.force(task_id, self._around.now())
        if dispatch is not None:
            self._around.dispatch(queue, dispatch)
        return task_message(queue.record.name, self._task(queue, task_id), full=_wants_body(request))

    def _queue(self, name: str) -> QueueMachine:
        return self._book.queue(check_queue(name))

    def _queue_of_task(self, name: str) -> tuple[QueueMachine, str]:
        queue, task_id = split_task(name)
        return self._book.queue(queue), task_id

    def _task(self, queue: QueueMachine, task_id: str) -> TaskRecord:
        task = queue.get(task_id)
        if task is not None:
            return task
        if queue.remembers(task_id, self._around.now()):
            raise ApiError("NOT_FOUND", f'Task "{task_id}" no longer exists: it was executed, given up or deleted')
        raise ApiError("NOT_FOUND", f'Task "{task_id}" does not exist in queue "{queue.record.name}"')

    def _set_paused(self, name: str, paused: bool) -> Any:
        queue = self._queue(name)
        queue.set_paused(paused)
        return self._done(queue_message(queue.record))

    def _done(self, answer: Any) -> Any:
        self._around.commit()
        return answer


def _by_id(task: TaskRecord) -> str:
    return task.task_id


def _page_size(wanted: int, most: int) -> int:
    if wanted < 0 or wanted > most:
        raise invalid(f"page_size is {wanted}: it must be between 0 and {most}")
    return wanted or most


def _wants_body(request: Any) -> bool:
    return bool(request.response_view == Task.View.FULL)


def _task_id(queue: str, name: str) -> str:
    if not name:
        return str(secrets.randbits(63))
    named_queue, task_id = split_task(name)
    if named_queue != queue:
        raise invalid(f'Task.name "{name}" does not lie in queue "{queue}"')
    return task_id


def _name_taken(queue: QueueMachine, task_id: str) -> ApiError:
    if queue.get(task_id) is not None:
        return ApiError("ALREADY_EXISTS", f'Task "{task_id}" already exists in queue {short_id(queue.record.name)}')
    return ApiError(
        "ALREADY_EXISTS",
        f'Task "{task_id}" cannot be created because a task with this name existed too recently: {_DEDUPLICATION}',
    )
