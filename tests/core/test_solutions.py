"""Which conferences are ours."""

from typing import Any

import pytest
from pydantic import ValidationError

from confsync.core.events import Event, parse_event
from confsync.core.solutions import Claim, Solution, claim_of, digest, may_be_ours
from confsync.core.terms import Terms, claimed_conference, claimed_key, holds
from tests.core.story import ACME, RULES, TERMS, acme, conference, conference_key, event, stub

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


def test_the_digest_of_solutions_is_another_as_soon_as_other_conferences_are_ours() -> None:
    """Names have no order; solutions and the beginnings of addresses have, and their digest is the same everywhere."""
    one = Solution(provider="acme", names=frozenset({"A", "B"}), uri_prefixes=("https://a/",))
    other = [
        one.model_copy(update={"provider": "beta"}),
        one.model_copy(update={"names": frozenset({"A"})}),
        one.model_copy(update={"key_types": frozenset({"addOn"})}),
        one.model_copy(update={"uri_prefixes": ()}),
    ]
    several = [[], *([each] for each in (one, *other)), [one, other[0]], [other[0], one]]
    assert len({digest(solutions) for solutions in several}) == len(several)
    assert digest([one.model_copy(update={"names": frozenset(["B", "A"])})]) == digest([one]) == "0ce0a825"


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


# --- a claim as a conference ----------------------------------------------------------------------------------------

UNNAMED = event(conferenceData={"conferenceId": "c1"})
BETA = Solution(provider="beta", names=frozenset({"Beta"}))
BY_BETA = event(conferenceData=acme("c1") | {"conferenceSolution": {"name": "Beta"}})


@pytest.mark.parametrize(
    ("why", "shown", "held"),
    [
        ("its id under our solution", event(), True),
        ("another id", event(conference="c2"), False),
        ("its id in another back end of ours", BY_BETA, False),
        ("its id under a name that no setting knows", UNNAMED, True),
        ("another id under such a name", event(conferenceData={"conferenceId": "c2"}), False),
        ("no conference", event(conference=None), False),
        ("a conference in the making", event(conferenceData={"createRequest": {}}), False),
    ],
)
def test_an_event_holds_the_conference_whose_id_it_names(why: str, shown: Event, held: bool) -> None:
    """Also when the setting that knew its solution is gone: no conference ends by a slip in the settings."""
    assert (holds(shown, conference("c1"), [ACME, BETA]), why) == (held, why)


def test_a_conference_is_one_of_its_tenant_and_back_end() -> None:
    """The same id elsewhere is another conference."""
    terms = [TERMS, Terms("other", (ACME,), {}, RULES), Terms("default", (BETA,), {}, RULES)]
    shown = [event(), event(), BY_BETA]
    keys = [claimed_key(each, of) for each, of in zip(shown, terms, strict=True)]
    assert keys[0] == conference_key("c1")
    assert len(set(keys)) == 3


def test_a_new_claim_is_a_conference_that_nobody_vouched_for() -> None:
    """Nothing is wanted of it, and nothing is due."""
    assert claimed_conference(event(), TERMS) == conference("c1")


@pytest.mark.parametrize("shown", [event(conference=None), UNNAMED, stub()])
def test_an_event_that_names_no_conference_of_ours_claims_none(shown: Event) -> None:
    """Asking for its record is a mistake that names the event."""
    assert claimed_key(shown, TERMS) is None
    with pytest.raises(ValueError, match="event e1 names no conference of ours"):
        claimed_conference(shown, TERMS)
