"""The task server in a thread of this process, for tests and for the local stack.

It must never outlive the block that started it.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from confsync.local.task_server.options import Options
from confsync.local.task_server.server import Endpoints, serving


@contextmanager
def running_task_server(options: Options) -> Iterator[Endpoints]:
    """Serve while the block runs; return where.

    Raises:
        PortTaken, JournalError, ApiError: it cannot start.

    """
    ready: Future[tuple[Endpoints, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(options, ready)), name="task-server")
    thread.start()
    try:
        endpoints, loop, stop = ready.result()
        try:
            yield endpoints
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()


async def _serve(options: Options, ready: "Future[tuple[Endpoints, asyncio.AbstractEventLoop, asyncio.Event]]") -> None:
    stop = asyncio.Event()
    try:
        async with serving(options) as endpoints:
            ready.set_result((endpoints, asyncio.get_running_loop(), stop))
            await stop.wait()
    except BaseException as error:
        if ready.done():
            raise
        ready.set_exception(error)
