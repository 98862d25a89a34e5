"""The whole tape of a seed: what people do, what goes wrong, and what operators and administrators do.

It must never depend on anything but the seed.
"""

from tests.simulation import recording
from tests.simulation.operators import operated
from tests.simulation.tapes import Tapes


def record(seed: int) -> Tapes:
    """Return the tapes of a seed."""
    return operated(recording.record(seed))
