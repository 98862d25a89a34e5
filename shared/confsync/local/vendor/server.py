"""Runs the sample vendor's server: in this process until a signal, or in a thread of it for tests and the local stack.

It must never listen on anything but 127.0.0.1.
"""

import asyncio
import contextlib
import errno
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from confsync.local.vendor.app import ENDPOINT, create_app
from confsync.local.vendor.back_end import BackEnd, random_id, utc_now
from confsync.local.vendor.storage import Storage
from confsync.providers.signature import parse_secrets

HOST = "127.0.0.1"
_STOP_WITHIN_S = 1


class PortTakenError(Exception):
    """Another program listens on the port."""


@dataclass(frozen=True)
class Vendor:
    """A running sample vendor."""

    url: str
    """For example `http://127.0.0.1:8080`."""
    back_end: BackEnd

    @property
    def endpoint(self) -> str:
        """The address of the contract's endpoint."""
        return self.url + ENDPOINT


def listen(port: int) -> socket.socket:
    """Return a socket on the port of this machine, on a free one for 0.

    Raises:
        PortTakenError: another program has it.

    """
    # Named as TCP, else asyncio leaves Nagle's algorithm on and every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Else a port stays blocked for a minute after its server has ended.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise PortTakenError(f"port {port} of {HOST} cannot be used ({error.strerror}); name another, or 0") from error
    return listener


def run(
    listener: socket.socket,
    storage: Storage,
    keys: Sequence[bytes],
    ready: Callable[[str], None],
    *,
    restores: bool = True,
) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is told the address once calls are answered."""
    back_end = BackEnd(storage, keys, restores=restores)
    asyncio.run(_serve(listener, back_end, lambda server: ready(server.url), on_signals=True))


@contextmanager
def serving(
    secrets: Sequence[str],
    *,
    data: Path | None = None,
    port: int = 0,
    now: Callable[[], datetime] = utc_now,
    restores: bool = True,
    new_id: Callable[[], str] = random_id,
) -> Iterator[Vendor]:
    """Serve in a thread while the block runs; see `BackEnd`.

    Raises:
        SettingsError, PortTakenError, StorageUnusableError: it cannot start; the message says why.

    """
    keys = parse_secrets(secrets)
    with listen(port) as listener, contextlib.closing(Storage(data)) as storage:
        back_end = BackEnd(storage, keys, now, restores=restores, new_id=new_id)
        started: Future[_Server] = Future()
        thread = threading.Thread(target=_serve_in_thread, args=(listener, back_end, started), name="sample vendor")
        thread.start()
        server = started.result()
        try:
            yield Vendor(server.url, back_end)
        finally:
            server.stop_from_outside()
            thread.join()


def _serve_in_thread(listener: socket.socket, back_end: BackEnd, started: "Future[_Server]") -> None:
    try:
        asyncio.run(_serve(listener, back_end, started.set_result, on_signals=False))
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)


async def _serve(
    listener: socket.socket, back_end: BackEnd, ready: "Callable[[_Server], None]", *, on_signals: bool
) -> None:
    config = uvicorn.Config(
        create_app(back_end),
        http=_ResettableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_STOP_WITHIN_S,
    )
    await _Server(config, listener, back_end, ready, on_signals=on_signals).serve(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        back_end: BackEnd,
        ready: "Callable[[_Server], None]",
        *,
        on_signals: bool,
    ) -> None:
        super().__init__(config)
        self.url = f"http://{HOST}:{listener.getsockname()[1]}"
        self._back_end = back_end
        self._ready = ready
        self._on_signals = on_signals
        self._loop = asyncio.get_running_loop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready(self)

    async def main_loop(self) -> None:
        """Stop when told, not at uvicorn's next look at a flag."""
        await self._back_end.closing.wait()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal and end with status 0; uvicorn would raise the signal again."""
        for number in (signal.SIGTERM, signal.SIGINT) if self._on_signals else ():
            self._loop.add_signal_handler(number, self.stop)
        yield

    def stop(self) -> None:
        self._back_end.close()
        self.should_exit = True

    def stop_from_outside(self) -> None:
        self._loop.call_soon_threadsafe(self.stop)


class _ResettableProtocol(H11Protocol):
    """Lets a fault cut the connection without a word, as a crash or a broken network would."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        app: Any = self.app

        async def with_reset(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "confsync.reset": partial(_reset, transport)}, receive, send)

        self.app = with_reset


def _reset(transport: asyncio.Transport) -> None:
    """Close so that the other side sees a reset, not an end."""
    linger_not_at_all = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not_at_all)
    transport.abort()
