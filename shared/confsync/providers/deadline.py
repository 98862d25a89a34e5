"""An HTTP transport whose calls end at a deadline, whatever the other side does.

httpx bounds each single read, so a peer that sends a byte now and then could hold a call for hours. Here every
operation on the socket gets what is left until the deadline of the calling thread. Looking up a name cannot be cut
short, but then nothing was sent. It must never retry, follow a redirect or use a proxy.
"""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import httpcore
import httpx

_deadline: ContextVar[float] = ContextVar("deadline")


@contextlib.contextmanager
def deadline_after(seconds: float) -> Iterator[None]:
    """End every socket operation of this thread's calls inside the block `seconds` from now."""
    reset = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(reset)


def _left(timeout: float | None) -> float:
    left = _deadline.get() - time.monotonic()
    return left if timeout is None else min(left, timeout)


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's transport over sockets that keep the deadline; use it inside `deadline_after`."""

    def __init__(self, limits: httpx.Limits) -> None:
        """Open nothing yet: connections come with the first call."""
        # SSL_CERT_FILE may name a private authority; proxies and password files of the environment do not count.
        ssl_context = httpx.create_ssl_context()
        super().__init__(verify=ssl_context, trust_env=False, limits=limits)
        # httpx offers no argument for the network backend that httpcore takes.
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_DeadlineBackend(),
        )


class _DeadlineBackend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Try the host's addresses one after the other until one answers or the time is up."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in _addresses(host, port):
            if (left := _left(timeout)) <= 0:
                raise httpcore.ConnectTimeout(f"no connection to {host} in time")
            try:
                stream = self._sockets.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _DeadlineStream(stream)
        raise failure


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if (left := _left(timeout)) <= 0:
            raise httpcore.ReadTimeout("the answer did not end in time")
        return self._stream.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if (left := _left(timeout)) <= 0:
            raise httpcore.WriteTimeout("the request could not be sent in time")
        self._stream.write(buffer, left)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        if (left := _left(timeout)) <= 0:
            raise httpcore.ConnectTimeout("no time left to agree on TLS")
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
