"""What only the local server has, under `/_local/`: statistics, tasks, faults, keys.

It must never change a task.
"""

from collections import Counter
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from confsync.local.task_server.api_errors import invalid
from confsync.local.task_server.book import Book
from confsync.local.task_server.faults import FaultDice, Faults
from confsync.local.task_server.identity import Identities
from confsync.local.task_server.machine import QueueMachine
from confsync.local.task_server.records import TaskRecord
from confsync.local.task_server.rest import error_response
from confsync.local.task_server.scheduler import Scheduler

MOST_SHOWN = 1000


class Control:
    """The answers under `/_local/`."""

    def __init__(self, book: Book, dice: FaultDice, identities: Identities, scheduler: Scheduler) -> None:
        """Show these parts of a server."""
        self._book = book
        self._dice = dice
        self._identities = identities
        self._scheduler = scheduler

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/_local/stats", self._stats, methods=["GET"]),
            Route("/_local/tasks", self._tasks, methods=["GET"]),
            Route("/_local/faults", self._show_faults, methods=["GET"]),
            Route("/_local/faults", self._set_faults, methods=["POST"]),
            Route("/_local/faults", self._clear_faults, methods=["DELETE"]),
            Route("/_local/jwks", self._jwks, methods=["GET"]),
        ]

    async def _stats(self, _request: Request) -> Response:
        queues = {queue.record.name: _figures(queue) for queue in self._book.all()}
        overall: Counter[str] = Counter()
        for figures in queues.values():
            overall.update(figures)
        jobs = {name: asdict(counts) for name, counts in self._scheduler.counts.items()}
        return JSONResponse({"overall": dict(overall), "queues": queues, "jobs": jobs, "fault_hits": self._dice.hits})

    async def _tasks(self, _request: Request) -> Response:
        waiting = [_shown(queue.record.name, task) for queue in self._book.all() for task in queue.tasks()]
        ended = [
            _shown(end.queue, end.task) | {"how": end.how, "at": end.at.isoformat()}
            for queue in self._book.all()
            for end in queue.recent
        ]
        waiting.sort(key=lambda task: task["schedule_time"])
        ended.sort(key=lambda task: task["at"], reverse=True)
        return JSONResponse({"waiting": waiting[:MOST_SHOWN], "recent": ended[:MOST_SHOWN]})

    async def _show_faults(self, _request: Request) -> Response:
        return JSONResponse(self._dice.faults.model_dump())

    async def _set_faults(self, request: Request) -> Response:
        try:
            faults = Faults.model_validate_json(await request.body())
        except ValidationError as error:
            return error_response(invalid(f"These are no faults: {error}"))
        self._dice.set(faults)
        return JSONResponse(faults.model_dump())

    async def _clear_faults(self, request: Request) -> Response:
        self._dice.set(Faults())
        return await self._show_faults(request)

    async def _jwks(self, _request: Request) -> Response:
        return JSONResponse(self._identities.jwks())


def _figures(queue: QueueMachine) -> dict[str, int]:
    return asdict(queue.counts) | {"waiting": queue.waiting, "in_flight": queue.in_flight, "slowed": queue.slowed}


def _shown(queue: str, task: TaskRecord) -> dict[str, Any]:
    return {
        "queue": queue,
        "name": task.task_id,
        "url": task.call.url,
        "body": task.call.body.decode(errors="replace"),
        "create_time": task.create_time.isoformat(),
        "schedule_time": task.schedule_time.isoformat(),
        "dispatch_count": task.dispatch_count,
        "previous_status": task.previous_status,
        "retry_reason": task.retry_reason,
    }
