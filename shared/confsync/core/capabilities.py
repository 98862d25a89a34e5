"""What a conferencing system can do, so that a change which it cannot carry is no difference. A value, no behaviour."""

from dataclasses import dataclass
from datetime import timedelta

from confsync.core.state import Field


@dataclass(frozen=True)
class Capabilities:
    """What a conferencing system can be told and asked."""

    carries: frozenset[Field]
    """What of an event it can be told."""
    ordered_writes: bool = False
    """It refuses older generations by itself, so an unknown outcome need not be waited out."""
    restores: bool = False
    """An ended conference comes back under its old id."""
    creates: bool = False
    """It makes a conference on request, for an event whose own cannot come back or belongs to another event."""
    tells_host: bool = False
    """It says who hosts a conference."""
    shortest: timedelta | None = None
    """A shorter conference is told this length; None: any length will do."""
    longest: timedelta | None = None
    """A longer conference is told this length."""
