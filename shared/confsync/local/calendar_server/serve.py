"""Run the Calendar server as a process or, for tests, on a thread. It binds to 127.0.0.1 and nothing else."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from .app import create_app
from .service import CalendarService
from .storage import StorageError

_HOST = "127.0.0.1"
_USAGE_ERROR = 2


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to its owner and tells when it listens."""

    def __init__(self, service: CalendarService) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(service),
                log_level="critical",
                lifespan="on",
                access_log=False,
                timeout_keep_alive=240,  # Google keeps idle connections for minutes; clients count on it
                timeout_graceful_shutdown=0,
            )
        )
        self.listening = threading.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


def bound_socket(port: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1; port 0 takes a free one.

    Raises:
        OSError: the port is in use.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Named in full above: asyncio switches Nagle off only for sockets whose protocol is stated.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the address under which a socket is reached."""
    return f"http://{_HOST}:{listener.getsockname()[1]}"


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server on a thread."""

    url: str
    service: CalendarService
    """Owned by the server's thread: look, but change it over HTTP only."""


@contextlib.contextmanager
def running(data: Path | None = None, port: int = 0) -> Iterator[RunningServer]:
    """Run a server on a thread of this process for the length of a `with` block."""
    service, listener = CalendarService(data), bound_socket(port)
    server = _Server(service)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="calendar-server")
    thread.start()
    try:
        server.listening.wait()
        yield RunningServer(url_of(listener), service)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


async def _serve(server: _Server, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()

    def leave() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await asyncio.to_thread(server.listening.wait)
    print(f"ready {url_of(listener)}", flush=True)  # noqa: T201  (the line that callers wait for)
    await serving


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    Returns:
        0 after a signal, 2 when the port or the file cannot be used.
    """
    options = _parser().parse_args(arguments)
    try:
        listener = bound_socket(options.port)
    except OSError as error:
        return _refused(f"port {options.port} of {_HOST} cannot be used ({error.strerror}): name another with --port")
    try:
        service = CalendarService(options.data)
    except StorageError as error:
        listener.close()
        return _refused(str(error))
    with listener:
        asyncio.run(_serve(_Server(service), listener))
    return 0


def _refused(message: str) -> int:
    print(f"calendar server: {message}", file=sys.stderr)  # noqa: T201  (a command's error message)
    return _USAGE_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m confsync.local.calendar_server",
        description="A local Google Calendar (API v3). Prints 'ready URL' and serves until SIGTERM or SIGINT.",
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 (the default) takes a free one")
    parser.add_argument("--data", type=Path, help="file that keeps everything; without it, memory only")
    return parser
