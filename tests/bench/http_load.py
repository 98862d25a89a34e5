"""A bounded HTTP load on one loopback server: keep-alive connections, each with one request at a time.

Raw sockets, since a client library would need more of the processor than the server that it measures. It must never
load anything but 127.0.0.1, nor go on after its time.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

HOST = "127.0.0.1"
_END_OF_HEAD = b"\r\n\r\n"


class LoadError(Exception):
    """The server broke off or answered in a way that this client does not read."""


@dataclass
class Load:
    """What one load came to."""

    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        """Answers in a second."""
        return len(self.latencies_ms) / self.seconds

    def expect(self, status: int) -> "Load":
        """Return itself; raises LoadError unless every answer had this status."""
        if set(self.statuses) != {status}:
            raise LoadError(f"expected status {status} only, got {dict(self.statuses)}: see the server's log")
        return self


def post(port: int, path: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> bytes:
    """Return a POST request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}:{port}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + _END_OF_HEAD + body


def run_load(port: int, requests: Iterator[bytes], *, connections: int, seconds: float, most: int = 10**6) -> Load:
    """Send requests for so many seconds, or until `most` are sent, and return what came back.

    Raises:
        LoadError: a connection was refused, broken off or idle for too long.

    """
    return asyncio.run(_run(port, requests, connections, seconds, most))


async def _run(port: int, requests: Iterator[bytes], connections: int, seconds: float, most: int) -> Load:
    load, started = Load(), time.perf_counter()
    turns = _Turns(requests, started + seconds, most)
    loop = asyncio.get_running_loop()
    lines = [_Line(turns, load) for _ in range(connections)]
    try:
        for line in lines:
            await loop.create_connection(lambda line=line: line, HOST, port)  # type: ignore[misc]  # bound above
        async with asyncio.timeout(seconds + 30):
            await asyncio.gather(*(line.done for line in lines))
    except (OSError, TimeoutError) as error:
        raise LoadError(f"port {port}: {error or 'no answer in time'}") from error
    finally:
        for line in lines:
            line.hang_up()
    load.seconds = time.perf_counter() - started
    return load


@dataclass
class _Turns:
    """Whose turn it is to send what, until time or number are used up."""

    requests: Iterator[bytes]
    until: float
    left: int

    def next(self) -> bytes | None:
        if self.left == 0 or time.perf_counter() >= self.until:
            return None
        self.left -= 1
        return next(self.requests, None)


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, turns: _Turns, load: Load) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns, self._load = turns, load
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            length = _length(self._received)
        except (LoadError, ValueError) as error:
            self._end(LoadError(f"an answer that cannot be read: {error}"))
            return
        if length is not None and len(self._received) >= length:
            self._load.latencies_ms.append((time.perf_counter() - self._sent_at) * 1000)
            self._load.statuses[int(self._received[9:12])] += 1
            self._received = b""
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(LoadError(f"the server hung up: {exc}"))

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _send(self) -> None:
        request = self._turns.next()
        if request is None or self._transport is None:
            self._end(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def _end(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


def _length(received: bytes) -> int | None:
    """Return how long the whole answer is; None while its head is incomplete."""
    head, end, _ = received.partition(_END_OF_HEAD)
    if not end:
        return None
    headers = dict(_header(line) for line in head.split(b"\r\n")[1:])
    if b"transfer-encoding" in headers:
        raise LoadError("chunked")
    return len(head) + len(end) + int(headers.get(b"content-length", b"0"))


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.strip().lower(), value.strip()
