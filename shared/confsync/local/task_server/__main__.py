"""The command: `python -m confsync.local.task_server --queue NAME ...`.

It must never print anything on standard output but the one line that says where it serves.
"""

import asyncio
import logging
import signal
import sys

from confsync.local.task_server.api_errors import ApiError
from confsync.local.task_server.journal import JournalError
from confsync.local.task_server.options import Options, parse_options
from confsync.local.task_server.server import PortTaken, serving


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status (2: it could not start)."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    options = parse_options(arguments)
    try:
        asyncio.run(_serve(options))
    except (PortTaken, JournalError, ApiError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


async def _serve(options: Options) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(options) as endpoints:
        sys.stdout.write(endpoints.ready_line + "\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
