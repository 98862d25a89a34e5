"""Free ports on 127.0.0.1, known before the servers start, so that each part can be told where the others are.

It must never listen: whoever connects to a part that is down has to be refused.
"""

import http.client
import socket
import sys
import time
from dataclasses import dataclass

from confsync.local.stack_error import StackError

HOST = "127.0.0.1"
_LOOK_EVERY_S = 0.005

_MAY_BE_SHARED = sys.platform == "linux"
"""Linux lets a server listen on a port to which another socket is only bound, so a reservation can be kept for good."""


@dataclass
class Reservation:
    """A port that nobody else gets from the system while it is held."""

    port: int
    holder: socket.socket | None = None
    """None where holding it would keep our own server out."""

    def release(self) -> None:
        """Give the port back."""
        if self.holder is not None:
            self.holder.close()
            self.holder = None


def reserve(name: str, port: int = 0) -> Reservation:
    """Reserve a port for a part; 0 takes a free one.

    Raises:
        StackError: somebody listens on that port.

    """
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind((HOST, port))
    except OSError as error:
        holder.close()
        raise StackError(
            f"port {port} of {HOST}, meant for {name}, cannot be used ({error.strerror}): "
            "end the program that uses it, or choose another port"
        ) from error
    reservation = Reservation(holder.getsockname()[1], holder)
    if not _MAY_BE_SHARED:
        reservation.release()
    return reservation


def somebody_listens(port: int) -> bool:
    """Whether a connection to the port is accepted."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def wait_until_silent(port: int, within_s: float) -> None:
    """Wait until nobody listens any more: the workers of a killed server hold its port for a moment longer."""
    deadline = time.monotonic() + within_s
    while somebody_listens(port) and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)


def somebody_speaks_http(port: int) -> bool:
    """Whether somebody speaks HTTP there; any answer counts."""
    connection = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
