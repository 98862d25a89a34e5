"""Which conferences are ours: matching an event's conference data against the vendor's conference solutions.

It must never bind anything: a conference id in an event is only a claim (rule R11).
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from confsync.core.events import ConferenceData, Event


class Solution(BaseModel):
    """One conference solution of the vendor. All criteria that are given must hold; at least one must be given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str = Field(pattern=r"^[a-z0-9_-]{1,40}$")
    """Name of the conferencing system that its conferences live in."""
    names: frozenset[str] = frozenset()
    """Any of these is `conferenceSolution.name`."""
    key_types: frozenset[str] = frozenset()
    """Any of these is `conferenceSolution.key.type`, `addOn` for third parties."""
    uri_prefixes: tuple[str, ...] = ()
    """Any entry point's URI starts with any of these."""

    @model_validator(mode="after")
    def _has_a_criterion(self) -> Self:
        if not (self.names or self.key_types or self.uri_prefixes):
            raise ValueError("give at least one of names, key_types, uri_prefixes: else every conference would match")
        return self

    def matches(self, data: ConferenceData) -> bool:
        """Whether the conference data is of this solution."""
        return (
            (not self.names or data.solution.name in self.names)
            and (not self.key_types or data.solution.key.type in self.key_types)
            and (not self.uri_prefixes or any(_starts_with(e.uri, self.uri_prefixes) for e in data.entry_points))
        )


def digest(solutions: Sequence[Solution]) -> str:
    """Return 8 hex digits that are others as soon as other conferences might be ours."""
    told = [[each.provider, sorted(each.names), sorted(each.key_types), each.uri_prefixes] for each in solutions]
    return sha256(json.dumps(told).encode()).hexdigest()[:8]


def _starts_with(uri: str | None, prefixes: tuple[str, ...]) -> bool:
    return uri is not None and uri.startswith(prefixes)


class Claim(BaseModel):
    """What an event says of its conference: a provider's name and that provider's conference id."""

    model_config = ConfigDict(frozen=True)

    provider: str
    conference_id: str


def claim_of(event: Event, solutions: Sequence[Solution]) -> Claim | None:
    """Return the conference of ours that the event claims, by the first solution that matches; else None."""
    return claim_in(event.conference_data, solutions) if event.conference_data else None


def may_be_ours(conference_data: object, solutions: Sequence[Solution]) -> bool:
    """Whether conference data, as it came, names a conference of ours; what cannot be read might."""
    try:
        return claim_in(ConferenceData.model_validate(conference_data), solutions) is not None
    except ValidationError:
        return True


def claim_in(data: ConferenceData, solutions: Sequence[Solution]) -> Claim | None:
    """Return the conference of ours that conference data names, by the first solution that matches; else None."""
    if not data.conference_id:
        return None
    solution = next((solution for solution in solutions if solution.matches(data)), None)
    return Claim(provider=solution.provider, conference_id=data.conference_id) if solution else None
