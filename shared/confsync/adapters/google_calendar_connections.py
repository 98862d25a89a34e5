"""The HTTP connections to Calendar: one for each thread, because httplib2 mixes up answers when threads share one.

It must never follow a redirect, heed a proxy of the environment, or use a connection again after a failure.
"""

import os
import threading
import time
from dataclasses import dataclass
from typing import Any

import httplib2
from google.auth.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp

IDLE_LIMIT_S = 30.0


@dataclass
class _Open:
    http: httplib2.Http
    pid: int
    used_at: float


class Connections:
    """Sends requests; a connection serves all subjects of its thread, since each request brings its credentials."""

    def __init__(self, timeout_s: float, idle_limit_s: float = IDLE_LIMIT_S) -> None:
        """Keep the settings; connect on first use.

        Args:
            timeout_s: longest wait for each read or write of the socket.
            idle_limit_s: how long a connection may rest and still be trusted; a frozen function instance does not
                notice that its peer has hung up.

        """
        self._timeout_s = timeout_s
        self._idle_limit_s = idle_limit_s
        self._of_thread = threading.local()

    def send(self, credentials: Credentials, request: Any) -> tuple[httplib2.Response, bytes]:
        """Send a `googleapiclient.http.HttpRequest` and return its answer, whatever the status; 401 renews once.

        It goes around the request's own `execute`, which would decode the body and log parts of a refusal.

        Raises:
            The exceptions in `google_calendar_errors.FAILURES`.

        """
        opened = self._opened()
        authorized = AuthorizedHttp(credentials, http=opened.http, max_refresh_attempts=1)
        try:
            answer: tuple[httplib2.Response, bytes] = authorized.request(
                request.uri, method=request.method, body=request.body, headers=request.headers
            )
        except BaseException:
            # The rest of a half-read answer must not be taken for the next one.
            self._drop()
            raise
        opened.used_at = time.monotonic()
        return answer

    def _opened(self) -> _Open:
        opened: _Open | None = getattr(self._of_thread, "opened", None)
        if opened and opened.pid == os.getpid() and time.monotonic() - opened.used_at < self._idle_limit_s:
            return opened
        if opened and opened.pid == os.getpid():
            opened.http.close()
        fresh = _Open(_new_http(self._timeout_s), os.getpid(), time.monotonic())
        self._of_thread.opened = fresh
        return fresh

    def _drop(self) -> None:
        self._of_thread.opened.http.close()
        del self._of_thread.opened


def _new_http(timeout_s: float) -> httplib2.Http:
    # Proxies of the environment: httplib2 fails on loopback when one is set, and reaches none without PySocks.
    # The amplification limit would refuse a large page of look-alike events for ever.
    http = httplib2.Http(timeout=timeout_s, proxy_info=None, decode_limit_ratio=0, decode_limit_hard=256 << 20)
    http.follow_redirects = False
    return http
