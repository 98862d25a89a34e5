"""The loop that sends what is due and reports what came of it.

It must never decide when a task is due: the queues do.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from confsync.local.task_server.book import Book
from confsync.local.task_server.faults import FaultDice
from confsync.local.task_server.machine import QueueMachine
from confsync.local.task_server.records import Dispatch
from confsync.local.task_server.sender import Sender

_LONGEST_SLEEP_S = 3600.0


class Dispatcher:
    """Sends what is due, until cancelled."""

    def __init__(
        self,
        book: Book,
        sender: Sender,
        dice: FaultDice,
        *,
        now: Callable[[], datetime],
        commit: Callable[[], None],
    ) -> None:
        """Serve the queues of this book.

        Args:
            commit: Writes all open changes down; it does not raise.

        """
        self._book = book
        self._sender = sender
        self._dice = dice
        self._now = now
        self._commit = commit
        self._woken = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None

    def wake(self) -> None:
        """Look again: something changed."""
        self._woken.set()

    async def run(self) -> None:
        """Dispatch for ever; when cancelled, requests under way are cancelled too and their tasks stay.

        Raises:
            BaseException: what an attempt failed with on our side.

        """
        try:
            while True:
                self._woken.clear()
                if self._broken is not None:
                    raise self._broken
                self._start_due()
                await self._sleep()
        finally:
            await self._cancel_running()

    def start(self, queue: QueueMachine, dispatch: Dispatch) -> None:
        """Send the request now; perhaps a second time, if a fault says so."""
        self._spawn(queue, dispatch)
        again_after_s = None if dispatch.echo else self._dice.second_delivery_after_s(dispatch.queue)
        if again_after_s is not None:
            asyncio.get_running_loop().call_later(again_after_s, self._echo, queue, dispatch)

    def _start_due(self) -> None:
        for queue in self._book.all():
            for dispatch in queue.take_due(self._now()):
                self.start(queue, dispatch)
        if self._book.changes:
            self._commit()  # tasks that were given up when their time came

    async def _sleep(self) -> None:
        wake_at, loop = self._book.next_wake(self._now()), asyncio.get_running_loop()
        delay_s = _LONGEST_SLEEP_S if wake_at is None else (wake_at - self._now()).total_seconds()
        timer = loop.call_later(min(max(delay_s, 0.0), _LONGEST_SLEEP_S), self._woken.set)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()

    def _echo(self, queue: QueueMachine, dispatch: Dispatch) -> None:
        echo = queue.echo(dispatch, self._now())
        if echo is not None:
            self._spawn(queue, echo)

    def _spawn(self, queue: QueueMachine, dispatch: Dispatch) -> None:
        task = asyncio.get_running_loop().create_task(self._attempt(queue, dispatch))
        self._running.add(task)
        task.add_done_callback(self._finished)

    async def _attempt(self, queue: QueueMachine, dispatch: Dispatch) -> None:
        outcome = await self._sender.send(dispatch)
        if self._book.find(dispatch.queue) is queue:  # else it was deleted meanwhile
            queue.settle(dispatch.number, outcome, self._now())
            self._commit()
            self.wake()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._broken = task.exception()  # a task whose outcome is lost would hang for ever: end the server
            self.wake()

    async def _cancel_running(self) -> None:
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
