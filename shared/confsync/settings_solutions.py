"""Settings of one conference solution, as `CONFERENCE_SOLUTIONS` lists them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Self, get_args

from pydantic import Field, SecretStr, StrictBool, model_validator

from confsync.core.capabilities import Capabilities
from confsync.core.solutions import Solution
from confsync.core.state import Field as Carried
from confsync.settings_forms import Fetched, QueuePath

Minutes = Annotated[int, Field(ge=1, le=525_600, strict=True)]
"""Up to a year."""


class SolutionSettings(Solution):
    """One conference solution, the back end that its conferences live in, and what the vendor says of that one."""

    url: str = Field(pattern=r"^https?://[^\s]+$")
    """The vendor's endpoint; https, or http on the loopback."""
    secrets: tuple[Annotated[SecretStr, Fetched], ...] = Field(min_length=1, max_length=2)
    """`whsec_...`: the key that signs first, during a rotation also the old one."""
    queue: QueuePath | None = None
    """Queue of its conference updates, at the rate that the vendor allows; None: CONFERENCE_QUEUE."""
    carries: frozenset[Carried] = frozenset(get_args(Carried))
    """What of an event the vendor wants to be told; the rest is neither sent nor a difference."""
    restores: StrictBool = True
    """Ended conferences come back under their old id."""
    creates: StrictBool = False
    """It answers `conference.create`."""
    tells_host: StrictBool = False
    """Its answer to `conference.get` names the host."""
    shortest_minutes: Minutes | None = None
    """A shorter conference is told this length."""
    longest_minutes: Minutes | None = None
    """A longer conference is told this length."""

    @model_validator(mode="after")
    def _has_a_length_between(self) -> Self:
        if self.shortest_minutes and self.longest_minutes and self.shortest_minutes > self.longest_minutes:
            raise ValueError("shortest_minutes is above longest_minutes")
        return self

    def back_end(self) -> Mapping[str, Any]:
        """Return what is said of the back end, not of the solution: the same for all solutions of one provider."""
        return self.model_dump(exclude=set(Solution.model_fields))

    def capabilities(self) -> Capabilities:
        """Return what this back end can do; that it orders writes by generation is part of the contract."""
        return Capabilities(
            carries=self.carries,
            ordered_writes=True,
            restores=self.restores,
            creates=self.creates,
            tells_host=self.tells_host,
            shortest=_in_minutes(self.shortest_minutes),
            longest=_in_minutes(self.longest_minutes),
        )


def _in_minutes(minutes: int | None) -> timedelta | None:
    return None if minutes is None else timedelta(minutes=minutes)
