"""What stays the same for all plans of one deployment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference
from confsync.core.events import LIST_PARAMETERS_VERSION, Event
from confsync.core.rules import Rules
from confsync.core.solutions import Solution, claim_of, digest


@dataclass(frozen=True)
class Terms:
    """What stays the same for all plans of one deployment."""

    tenant: str
    solutions: Sequence[Solution]
    capabilities: Mapping[str, Capabilities]
    """By provider."""
    rules: Rules

    @cached_property
    def listing_version(self) -> str:
        """What a sync token belongs to: the listings' parameters, and which conferences were taken for ours in them.

        What nobody took for ours is not remembered, so that other solutions cost one full listing.
        """
        return f"{LIST_PARAMETERS_VERSION}-{digest(self.solutions)}"


def claimed_conference(event: Event, terms: Terms) -> Conference:
    """Return a new record of the conference of ours that the event names: nobody vouched for it yet."""
    claim = claim_of(event, terms.solutions)
    if claim is None:
        raise ValueError(f"event {event.id} names no conference of ours")
    key = Conference.key_for(terms.tenant, claim.provider, claim.conference_id)
    return Conference(key=key, tenant=terms.tenant, provider=claim.provider, conference_id=claim.conference_id)


def holds(event: Event, conference: Conference, solutions: Sequence[Solution]) -> bool:
    """Whether the event names this conference; one that it is tied to, also under a name that no setting knows."""
    claim, data = claim_of(event, solutions), event.conference_data
    if claim is None:
        return data is not None and data.conference_id == conference.conference_id
    return (claim.provider, claim.conference_id) == (conference.provider, conference.conference_id)


def claimed_key(event: Event, terms: Terms) -> str | None:
    """Return the key of the conference of ours that the event names; None when it names none."""
    claim = claim_of(event, terms.solutions)
    return Conference.key_for(terms.tenant, claim.provider, claim.conference_id) if claim else None
