"""Puts the task server together: builds the parts, serves until told to stop.

It must never bind anything but 127.0.0.1, and on the way out it drops no task.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette

from confsync.local.task_server.api import Api, Around
from confsync.local.task_server.api_errors import ApiError
from confsync.local.task_server.book import Book
from confsync.local.task_server.control import Control
from confsync.local.task_server.dispatcher import Dispatcher
from confsync.local.task_server.faults import FaultDice
from confsync.local.task_server.grpc_edge import build_grpc_server
from confsync.local.task_server.identity import Identities
from confsync.local.task_server.journal import Journal, JournalError
from confsync.local.task_server.options import Options
from confsync.local.task_server.rest import routes
from confsync.local.task_server.scheduler import Scheduler
from confsync.local.task_server.sender import Sender, build_http_client

HOST = "127.0.0.1"
_BACKLOG = 1024
_LAST_ANSWERS_S = 0.3
_log = logging.getLogger(__name__)


class PortTaken(Exception):
    """A port is in use; the message names it and the way out."""


@dataclass(frozen=True)
class Endpoints:
    """Where a server can be reached."""

    url: str
    grpc: str | None
    """`grpc://127.0.0.1:PORT`; None when gRPC is not served."""

    @property
    def ready_line(self) -> str:
        """What the command prints once it serves."""
        return " ".join(["ready", self.url, *([self.grpc] if self.grpc else [])])


@asynccontextmanager
async def serving(options: Options) -> AsyncIterator[Endpoints]:
    """Serve while the block runs.

    Raises:
        PortTaken, JournalError, ApiError: it cannot start; the message says what to do.

    """
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(options.port))
        parts = await _build(options, stack)
        grpc_address = await _start_grpc(parts.api, options.grpc_port, stack)
        app = Starlette(routes=[*routes(parts.api), *parts.control.routes()])
        await stack.enter_async_context(_serving_http(app, listener))
        await stack.enter_async_context(_running(parts.dispatcher.run(), parts.scheduler.run()))
        yield Endpoints(f"http://{HOST}:{listener.getsockname()[1]}", grpc_address)


@dataclass(frozen=True)
class _Parts:
    api: Api
    control: Control
    dispatcher: Dispatcher
    scheduler: Scheduler


async def _build(options: Options, stack: AsyncExitStack) -> _Parts:
    book = Book(options.name_ttl_s, options.queue_name_ttl_s)
    write = _open_book(book, options, stack)
    client = await stack.enter_async_context(build_http_client())
    identities, dice = Identities(), FaultDice()
    sender = Sender(client, identities, _now)
    dispatcher = Dispatcher(book, sender, dice, now=_now, commit=_or_log(write))
    scheduler = Scheduler(options.jobs, client, identities, service_account_email=options.job_service_account, now=_now)
    around = Around(_now, _or_refuse(write, dispatcher.wake), dispatcher.start, options.min_dispatch_deadline_s)
    control = Control(book, dice, identities, scheduler)
    return _Parts(Api(book, dice, around), control, dispatcher, scheduler)


def _open_book(book: Book, options: Options, stack: AsyncExitStack) -> Callable[[], None]:
    """Fill the book from the file and the command line; return what writes its changes down."""
    journal = None
    if options.data is not None:
        journal = stack.enter_context(closing(Journal(options.data)))
        book.restore(journal.read(_now()), _now())
    for name, settings in options.queues:
        book.configure(name, settings, _now())

    def write() -> None:
        if journal is not None:
            journal.write(book.changes)
        book.changes.clear()  # only now: what could not be written is tried again with the next change

    write()
    return write


def _or_refuse(write: Callable[[], None], wake: Callable[[], None]) -> Callable[[], None]:
    def commit() -> None:
        try:
            write()
        except JournalError as error:
            raise ApiError("UNAVAILABLE", str(error)) from error
        finally:
            wake()

    return commit


def _or_log(write: Callable[[], None]) -> Callable[[], None]:
    def commit() -> None:
        try:
            write()
        except JournalError as error:
            _log.error("%s", error)

    return commit


@contextmanager
def _listen(port: int) -> Iterator[socket.socket]:
    # IPPROTO_TCP in words: asyncio turns Nagle's algorithm off (40 ms per answer) only where it reads that
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise PortTaken(f"Port {port} of {HOST} cannot be used ({error.strerror}): name another, or 0") from error
        listener.listen(_BACKLOG)
        yield listener


async def _start_grpc(api: Api, port: int | None, stack: AsyncExitStack) -> str | None:
    if port is None:
        return None
    with _listen(port):
        pass  # gRPC itself would only print noise about a port in use
    server = build_grpc_server(api)
    bound = server.add_insecure_port(f"{HOST}:{port}")
    await server.start()
    stack.push_async_callback(server.stop, _LAST_ANSWERS_S)
    return f"grpc://{HOST}:{bound}"


class _HttpServer(uvicorn.Server):
    """uvicorn without its own signal handling and clock: who runs the server decides when it ends, and at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ended = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.ended.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _serving_http(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, date_header=False, backlog=_BACKLOG)
    server = _HttpServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.002)
    try:
        yield
    finally:
        server.ended.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_ANSWERS_S):
                while not task.done() and (listener.fileno() >= 0 or server.server_state.connections):
                    await asyncio.sleep(0.002)
        task.cancel()  # by now it would only wait a while
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _running(*loops: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the loops while the block runs; one that fails ends the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(loop) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


def _now() -> datetime:
    return datetime.now(UTC)
