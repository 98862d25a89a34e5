"""Fixtures: a model with three people, and a server on a thread that holds the same."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from confsync.local.calendar_server.serve import RunningServer, running
from tests.local.calendar_server.support import ADA, BOB, CYD, TEAM, CheckedModel, Clock, a_model


@pytest.fixture
def clock() -> Clock:
    """Return a clock that tests can turn."""
    return Clock()


@pytest.fixture
def model(clock: Clock) -> CheckedModel:
    """Return a model with Ada, Bob, Cyd and a team calendar."""
    return a_model(clock)


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """Run a server with Ada, Bob, Cyd and a team calendar."""
    with running() as started:
        furnish(started.url)
        yield started


def furnish(url: str) -> None:
    """Create people and calendars over HTTP."""
    for email in (ADA, BOB, CYD):
        httpx.post(f"{url}/_local/users", json={"email": email, "time_zone": "Europe/Berlin"}).raise_for_status()
    httpx.post(f"{url}/_local/calendars", json={"id": TEAM, "owner": ADA, "summary": "Team"}).raise_for_status()


@pytest.fixture(scope="session")
def payload_folder() -> Path:
    """Return the folder of recorded payloads, which is beside the repository, or skip."""
    folder = Path(__file__).parents[4] / "shared" / "data" / "calendar-payloads"
    if not folder.is_dir():
        pytest.skip("no recorded payloads beside the repository")
    return folder
