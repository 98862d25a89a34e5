"""Parts that tests of several folders share."""

import os
from collections.abc import Iterator

import pytest

from tests import firestore_emulator
from tests.firestore_emulator import Emulator


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """Yield a running Firestore emulator; without one the test is skipped, but not where CI=true."""
    if lacking := firestore_emulator.missing():
        if os.environ.get("CI") == "true":
            pytest.fail(lacking)
        pytest.skip(lacking)
    running = Emulator()
    yield running
    running.stop()
