"""The cheap look at an item of a list: it may let too much through, never too little."""

import pytest

from confsync.core.events import parse_event
from confsync.core.solutions import Solution, claim_of, may_be_ours

SOLUTIONS = [Solution(provider="acme", names=frozenset({"Acme"}), key_types=frozenset({"addOn"}))]
OURS = {"conferenceId": "c1", "conferenceSolution": {"key": {"type": "addOn"}, "name": "Acme"}}
MEET = {"conferenceId": "m1", "conferenceSolution": {"key": {"type": "hangoutsMeet"}, "name": "Google Meet"}}


@pytest.mark.parametrize(
    ("conference_data", "expected"),
    [
        (OURS, True),
        (MEET, False),
        ({**OURS, "conferenceId": ""}, False),
        ({"createRequest": {"status": {"statusCode": "pending"}}}, False),
        ({**MEET, "entryPoints": "malformed"}, True),
        ("malformed", True),
        (None, True),
    ],
)
def test_a_conference_of_ours_and_what_cannot_be_read_are_looked_at_closer(
    conference_data: object, expected: bool
) -> None:
    """What cannot be read may be ours, and then becomes a failure that somebody sees."""
    assert may_be_ours(conference_data, SOLUTIONS) is expected


@pytest.mark.parametrize("conference_data", [OURS, MEET, {**OURS, "conferenceId": ""}, {}, None])
def test_whatever_claims_a_conference_of_ours_passes_the_cheap_look(conference_data: dict[str, object] | None) -> None:
    """The cheap look and the full reading judge by the same criteria."""
    event = parse_event({"id": "e1", "conferenceData": conference_data})
    assert claim_of(event, SOLUTIONS) is None or may_be_ours(conference_data, SOLUTIONS)
