"""Which conferences are ours."""

from typing import Any

import pytest
from pydantic import ValidationError

from confsync.core.events import parse_event
from confsync.core.solutions import Claim, Solution, claim_of, may_be_ours
from tests.core.story import ACME, acme, event, stub

ZOOM = {
    "conferenceId": "92708124741",
    "conferenceSolution": {"key": {"type": "addOn"}, "name": "Zoom Meeting"},
    "entryPoints": [
        {"entryPointType": "phone", "uri": "tel:+1-555-0100"},
        {"entryPointType": "video", "uri": "https://us02web.zoom.us/j/92708124741"},
    ],
}


def claims(data: dict[str, Any] | None, *solutions: Solution) -> Claim | None:
    """Return what an event with this conference data claims."""
    return claim_of(parse_event({"id": "e1", **({"conferenceData": data} if data is not None else {})}), solutions)


@pytest.mark.parametrize(
    ("criteria", "ours"),
    [
        ({"names": {"Zoom Meeting"}}, True),
        ({"names": {"Zoom"}}, False),
        ({"names": {"zoom meeting"}}, False),
        ({"key_types": {"addOn"}}, True),
        ({"key_types": {"hangoutsMeet"}}, False),
        ({"uri_prefixes": ("https://us02web.zoom.us/",)}, True),
        ({"uri_prefixes": ("https://example.com/", "tel:+1")}, True),
        ({"uri_prefixes": ("https://zoom.us/",)}, False),
        ({"names": {"Zoom Meeting"}, "key_types": {"addOn"}, "uri_prefixes": ("https://us02web.zoom.us/j/",)}, True),
        ({"names": {"Zoom Meeting"}, "key_types": {"hangoutsMeet"}}, False),
        ({"names": {"Zoom Meeting"}, "uri_prefixes": ("https://example.com/",)}, False),
    ],
)
def test_all_criteria_that_are_given_must_hold(criteria: dict[str, Any], ours: bool) -> None:
    """Each by any of its values, compared letter by letter."""
    expected = Claim(provider="zoom", conference_id="92708124741") if ours else None
    assert claims(ZOOM, Solution(provider="zoom", **criteria)) == expected


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"conferenceSolution": {"name": "Acme"}},
        {"conferenceId": "", "conferenceSolution": {"name": "Acme"}},
        {"conferenceId": "c1"},
        {"conferenceId": "c1", "conferenceSolution": {}, "entryPoints": [{}]},
        {"createRequest": {"status": {"statusCode": "pending"}}, "conferenceSolution": {"name": "Acme"}},
    ],
)
def test_without_an_id_or_a_solution_nothing_is_claimed(data: dict[str, Any] | None) -> None:
    """What Google leaves out is not guessed."""
    by_uri = Solution(provider="other", uri_prefixes=("https://acme.example/",))
    assert claims(data, ACME, by_uri) is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (acme("c1"), True),
        (ZOOM, False),
        ({}, False),
        ({"conferenceId": ["c1"]}, True),
        ("nonsense", True),
        (None, True),
    ],
)
def test_conference_data_that_cannot_be_read_may_be_ours(data: object, expected: bool) -> None:
    """It is looked at more closely, and reported; what can be read is judged."""
    assert may_be_ours(data, [ACME]) is expected


def test_the_first_solution_that_matches_counts() -> None:
    """Two of our solutions may share a criterion."""
    catch_all = Solution(provider="rest", key_types=frozenset({"addOn"}))
    assert claims(acme("c1"), ACME, catch_all) == Claim(provider="acme", conference_id="c1")
    assert claims(ZOOM, ACME, catch_all) == Claim(provider="rest", conference_id="92708124741")


def test_an_attendees_copy_and_a_tombstone_claim_what_they_name() -> None:
    """Whether that counts is decided elsewhere."""
    assert claim_of(event(own=False), [ACME]) == Claim(provider="acme", conference_id="c1")
    assert claim_of(stub(), [ACME]) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"provider": "acme"},
        {"provider": "acme", "names": []},
        {"provider": "Acme", "names": ["x"]},
        {"provider": "", "names": ["x"]},
        {"provider": "a" * 41, "names": ["x"]},
        {"provider": "a/b", "names": ["x"]},
        {"provider": "acme", "name": ["x"]},
        {"provider": "acme", "names": ["x"], "script_id": "y"},
    ],
)
def test_a_solution_that_matches_everything_or_is_misspelt_is_refused(fields: dict[str, Any]) -> None:
    """A slip in the settings must not make every conference ours."""
    with pytest.raises(ValidationError):
        Solution.model_validate(fields)
