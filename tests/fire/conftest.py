"""Fixtures: the servers, the workers, and grounds to fight on."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from confsync.local.calendar_server.serve import running
from confsync.local.vendor.server import serving
from tests.fire.ground import Ground, Servers
from tests.fire.jobs import SECRET
from tests.fire.workers import Workers
from tests.firestore_emulator import Emulator

MakeGround = Callable[..., Ground]


@pytest.fixture(scope="session")
def servers(emulator: Emulator) -> Iterator[Servers]:
    """Run Calendar, which pushes to nobody, and the sample vendor."""
    with running() as calendar, serving([SECRET]) as vendor:
        lost = {"pushes": {"lose": {"share": 1.0}}}
        httpx.post(f"{calendar.url}/_local/faults", json=lost).raise_for_status()
        yield Servers(emulator.host, calendar, vendor)


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """Yield the process that forks workers."""
    forking = Workers()
    yield forking
    forking.stop()


@pytest.fixture
def ground(servers: Servers, emulator: Emulator, tmp_path: Path) -> Iterator[MakeGround]:
    """Make grounds, each with a person and a database of its own."""
    made: list[Ground] = []

    def make(**more: Any) -> Ground:
        made.append(Ground(servers, emulator.new_database(), tmp_path, **more))
        return made[-1]

    yield make
    for each in made:
        each.person.close()
