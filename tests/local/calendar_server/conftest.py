"""Fixtures: a model with three people, and a server on a thread that holds the same."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from confsync.local.calendar_server.serve import RunningServer, running
from tests.local.calendar_server.support import ADA, BOB, CYD, TEAM, CheckedModel, Clock, a_model, plain_http


@pytest.fixture
def clock() -> Clock:
    """Return a clock that tests can turn."""
    return Clock()


@pytest.fixture
def model(clock: Clock) -> CheckedModel:
    """Return a model with Ada, Bob, Cyd and a team calendar."""
    return a_model(clock)


@pytest.fixture(scope="session")
def shared_server() -> Iterator[RunningServer]:
    """Run one server for all tests of this process."""
    with running() as started:
        yield started


@pytest.fixture
def server(shared_server: RunningServer) -> RunningServer:
    """Return a running server that knows nothing but Ada, Bob, Cyd and a team calendar."""
    with plain_http(shared_server.url) as http:
        http.post("/_local/reset").raise_for_status()
        furnish(http)
    return shared_server


def furnish(http: httpx.Client) -> None:
    """Create people and calendars over HTTP."""
    for email in (ADA, BOB, CYD):
        http.post("/_local/users", json={"email": email, "time_zone": "Europe/Berlin"}).raise_for_status()
    http.post("/_local/calendars", json={"id": TEAM, "owner": ADA, "summary": "Team"}).raise_for_status()


@pytest.fixture(scope="session")
def payload_folder() -> Path:
    """Return the folder of recorded payloads, which is beside the repository, or skip."""
    folder = Path(__file__).parents[4] / "shared" / "data" / "calendar-payloads"
    if not folder.is_dir():
        pytest.skip("no recorded payloads beside the repository")
    return folder
