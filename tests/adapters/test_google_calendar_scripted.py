"""A scripted server on loopback for the tests of the Calendar adapter: it records what was asked and answers as told.

It holds no tests of its own.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from confsync.adapters.google_calendar import GoogleCalendar
from confsync.adapters.sign_in import local
from confsync.core.events import Window
from confsync.ports import Address

ANN = Address("team@example.com", "ann@example.com")
LAST_PAGE = {"items": [], "nextSyncToken": "s1", "accessRole": "owner"}


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    client_port: int


@dataclass(frozen=True)
class Answer:
    """One answer; `ending` says what becomes of the connection meanwhile."""

    status: int = 200
    body: bytes | Mapping[str, Any] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Literal["whole", "cut", "silence", "reset"] = "whole"

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Scripted:
    """A running server and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def calendar(self, **settings: Any) -> GoogleCalendar:
        """Return the adapter, pointed at this server."""
        settings = {"credentials_for": local(), **settings}
        return GoogleCalendar(**settings, endpoint=self.url)


def error_body(reason: str, status: int, **more: str) -> dict[str, Any]:
    """Return Google's error body in its classic form."""
    first = {"domain": "global", "reason": reason, "message": "In Google's words", **more}
    return {"error": {"errors": [first], "code": status, "message": "In Google's words"}}


class _Listener(ThreadingHTTPServer):
    """Plays a script; knows its open connections, so that none outlives it."""

    daemon_threads = False

    def __init__(self, script: Callable[[Asked], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.played = Scripted(f"http://127.0.0.1:{self.server_port}/calendar/v3/")
        self.connections: set[socket.socket] = set()

    def handle_error(self, *_: object) -> None:
        """A client that hung up is part of the script."""

    def server_close(self) -> None:
        self.played.closing.set()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def _play(self) -> None:
        asked = _asked(self)
        self.server.played.asked.append(asked)
        answer = self.server.script(asked)
        if answer.ending == "silence":
            self.server.played.closing.wait()
        if answer.ending == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = answer.ending == "cut"
        self.wfile.write(answer.content[: len(answer.content) // 2] if answer.ending == "cut" else answer.content)

    do_GET = do_POST = do_PUT = _play  # noqa: N815  # http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def scripted(answer: Callable[[Asked], Answer] | Answer) -> Iterator[Scripted]:
    """Serve `answer` on a free port of loopback until the block ends."""
    with _Listener(answer if callable(answer) else lambda _: answer) as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield listener.played
        finally:
            listener.shutdown()
            thread.join()


def _asked(handler: BaseHTTPRequestHandler) -> Asked:
    url = urlsplit(handler.path)
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    return Asked(
        handler.command,
        unquote(url.path),
        {name: ",".join(values) for name, values in parse_qs(url.query).items()},
        {name.lower(): value for name, value in handler.headers.items()},
        json.loads(body) if body and handler.headers.get("Content-Type") == "application/json" else body,
        handler.client_address[1],
    )


def list_once(calendar: GoogleCalendar, sync_token: str | None = None, window: Window | None = None) -> Any:
    """List the first page of Ann's team calendar."""
    return calendar.list_events(ANN, sync_token=sync_token, page_token=None, window=window or Window())
