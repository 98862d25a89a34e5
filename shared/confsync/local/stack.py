"""The whole of confsync on one machine, without an account: three servers and the three functions, as child processes.

    with Stack(Path("somewhere")) as stack:
        httpx.post(f"{stack.urls.sync_calendar}/initialize", json=...)

Every part is told where all others are before it starts, keeps its data in the folder, and writes a log there. The
children end with this process, whatever ends it (`stack_launch` says how far that goes). It must never write to the
terminal, bind anything but 127.0.0.1, or leave a process behind.
"""

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from confsync import worker_parts
from confsync.core.records import Calendar
from confsync.errors import StoreError
from confsync.local import stack_parts
from confsync.local.stack_error import StackError
from confsync.local.stack_folder import Folder, opened
from confsync.local.stack_parts import PARTS, Site, StackOptions, Urls
from confsync.local.stack_ports import Reservation, reserve, somebody_listens, somebody_speaks_http, wait_until_silent
from confsync.local.stack_process import Child, launch

__all__ = ["Stack", "StackError", "StackOptions", "Urls"]

_END_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.02
_MOST_STARTS = 3

Reserve = Callable[[str, int], Reservation]


class _PortTaken(StackError):
    """Somebody else was given a free port between our look at it and the start of our server."""


class Stack:
    """A running stack; use it in a `with` block.

    `urls` says where the parts are, `folder` where their data is. All parts answer once the block is entered.
    """

    def __init__(self, data_dir: Path, options: StackOptions | None = None, reserve_port: Reserve = reserve) -> None:
        """Start nothing yet.

        Args:
            data_dir: made if there is none; only one stack at a time may use it.
            options: how this stack differs from the usual one.
            reserve_port: how to come by a port (0: a free one).

        """
        self._data_dir = data_dir
        self._options = options or StackOptions()
        self._reserve = reserve_port
        self._children: dict[str, Child] = {}
        self._site: Site | None = None
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        """Start all parts at once and wait until each of them answers.

        Raises:
            StackError: the folder or a port cannot be used, or a part did not start; nothing is left running.

        """
        try:
            self._open()
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all parts: politely, after a bound by SIGKILL."""
        self._cleanup.close()

    @property
    def site(self) -> Site:
        """Everything about where the parts are and what they were told."""
        if self._site is None:
            raise StackError("the stack does not run: use it in a `with` block")
        return self._site

    @property
    def urls(self) -> Urls:
        """Where the parts are."""
        return self.site.urls

    @property
    def folder(self) -> Folder:
        """Where data and logs are."""
        return self.site.folder

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the parts that were started and not stopped, by part."""
        return {name: child.pid for name, child in self._children.items()}

    def log_of(self, part: str) -> Path:
        """Return the file that a part's output goes to."""
        return self.folder.logs / f"{part}.log"

    def kill(self, part: str) -> None:
        """Kill a part with SIGKILL, as a crash would; it keeps its port for the next `start`."""
        self._running(part).kill()
        del self._children[part]
        wait_until_silent(self._port_of(part, self.site), _END_WITHIN_S)

    def stop(self, part: str) -> None:
        """End a part in order."""
        child = self._running(part)
        child.ask_to_end()
        child.end_within(_END_WITHIN_S)
        del self._children[part]

    def freeze(self, part: str) -> None:
        """Stop a part in its tracks: it accepts connections but does nothing any more, until it is killed."""
        self._running(part).freeze()

    def start(self, part: str, environment: Mapping[str, str] | None = None) -> None:
        """Start a part that was stopped or killed, and wait until it answers.

        Args:
            part: one of `PARTS`.
            environment: variables for this start, on top of those of the options.

        Raises:
            StackError: it did not start.

        """
        if part in self._children:
            raise StackError(f"{part} runs already: stop or kill it first")
        self._launch(part, self.site, environment or {})
        self._wait_for(part, self.site, time.monotonic() + self._options.start_within_s)

    def check(self) -> None:
        """Raise StackError when a part has ended by itself."""
        for child in self._children.values():
            if child.status() is not None:
                raise StackError(self._obituary(child))

    def _running(self, part: str) -> Child:
        if part not in self._children:
            raise StackError(f"{part} does not run; those that do: {', '.join(self._children) or 'none'}")
        return self._children[part]

    def _open(self) -> None:
        folder = self._cleanup.enter_context(opened(self._data_dir))
        _open_store(folder)
        folder.put_old_logs_aside()
        self._cleanup.callback(self._end_all)  # after the launcher has ended: then nothing can be started any more
        self._launcher = self._cleanup.enter_context(ThreadPoolExecutor(1, thread_name_prefix="stack launcher"))
        for attempt in range(1, _MOST_STARTS + 1):
            try:
                self._site = self._start_all(folder)
            except _PortTaken:
                self._end_all()
                if attempt == _MOST_STARTS:
                    raise
            else:
                return

    def _start_all(self, folder: Folder) -> Site:
        with ExitStack() as undo:
            ports = {}
            for part in PARTS:
                reservation = self._reserve(part, self._options.ports.get(part, 0))
                undo.callback(reservation.release)
                ports[part] = reservation.port
            site = Site(folder, stack_parts.functions_folder(), Urls.at(ports), folder.keys(), self._options)
            for part in PARTS:
                self._launch(part, site, {})
            deadline = time.monotonic() + self._options.start_within_s
            for part in PARTS:
                self._wait_for(part, site, deadline)
            self._cleanup.push(undo.pop_all())
        return site

    def _launch(self, part: str, site: Site, more: Mapping[str, str]) -> None:
        told = {**site.options.environment, part: {**site.options.environment.get(part, {}), **more}}
        site = replace(site, options=replace(site.options, environment=told))
        command, variables = stack_parts.command(part, site), stack_parts.environment(part, site, os.environ)
        log = site.folder.logs / f"{part}.log"

        def launch_and_keep() -> None:
            """In one go on the launcher's thread, so that an interrupted start leaves no child that nobody knows."""
            self._children[part] = launch(part, command, variables, log)

        try:
            self._launcher.submit(launch_and_keep).result()
        except OSError as error:
            raise StackError(f"{part} cannot be started: {error}") from error

    def _wait_for(self, part: str, site: Site, deadline: float) -> None:
        child, port = self._children[part], self._port_of(part, site)
        while not somebody_speaks_http(port):
            if child.status() is not None:
                taken = part not in self._options.ports and somebody_listens(port)
                raise (_PortTaken if taken else StackError)(self._obituary(child))
            if time.monotonic() > deadline:
                raise StackError(
                    f"{part} did not answer within {self._options.start_within_s:g} s; {child.log} says:\n"
                    f"{child.last_words() or '(nothing)'}\nIs the machine very busy? Try again"
                )
            time.sleep(_LOOK_EVERY_S)

    @staticmethod
    def _port_of(part: str, site: Site) -> int:
        return int(site.urls.of(part).rpartition(":")[2])

    def _obituary(self, child: Child) -> str:
        words = child.last_words() or "(nothing)"
        return f"{child.name} has ended with status {child.status()}; its last words:\n{words}\nThe log is {child.log}"

    def _end_all(self) -> None:
        """Ask all at once, then wait; also when only some were started."""
        children, self._children = list(self._children.values()), {}
        for child in children:
            child.ask_to_end()
        deadline = time.monotonic() + _END_WITHIN_S
        for child in children:
            child.end_within(deadline - time.monotonic())


def _open_store(folder: Folder) -> None:
    """The functions open the store only when they need it; whoever starts a stack wants to hear of damage at once.

    And to ask what is in it at once: the commands do not make the file.
    """
    try:
        worker_parts.store(f"sqlite:{folder.store}").all_of(Calendar, after="", limit=1)
    except StoreError as error:
        raise StackError(str(error)) from error
