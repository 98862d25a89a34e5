"""Reading RFC 9457 bodies, and showing them without the event's content."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confsync.core.state import ConferenceState, Moment, Occurrence
from confsync.providers.problems import LONGEST_TEXT, Problem, parse_problem, shown

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    "problem_type",
    [
        "https://confsync.dev/problems/generation-stale",
        "https://vendor.example/errors/v2/generation-stale/",
        "https://vendor.example/generation-stale#why",
        "generation-stale",
    ],
)
def test_only_the_last_segment_of_the_type_counts(problem_type: str) -> None:
    """A vendor may host its problem types anywhere."""
    problem = parse_problem(PROBLEM, json.dumps({"type": problem_type, "generation": 9}).encode())
    assert problem == Problem(name="generation-stale", generation=9)


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/json", b'{"type": "generation-stale"}'),
        ("text/html", b"<h1>Bad gateway</h1>"),
        ("", b""),
        (PROBLEM, b"not json"),
        (PROBLEM, b'["a list"]'),
        (PROBLEM, b"\xff\xfe"),
        (PROBLEM, b"[" * 100_000),
    ],
)
def test_anything_else_is_no_problem_body(content_type: str, content: bytes) -> None:
    """A page of a proxy is never taken for the vendor's word on a conference."""
    assert parse_problem(content_type, content) is None


@pytest.mark.parametrize("generation", [True, -1, 2**53, 10**30, "7", 7.0, None, [7]])
def test_an_impossible_generation_is_left_out(generation: object) -> None:
    """A number that we could not store, or that is none, never reaches the record."""
    content = json.dumps({"type": "generation-stale", "generation": generation}).encode()
    assert parse_problem(f"{PROBLEM}; charset=utf-8", content) == Problem(name="generation-stale")


def test_members_of_wrong_types_are_left_out() -> None:
    """A sloppy problem body still yields what can be read of it."""
    content = json.dumps(
        {"type": 5, "title": "Too long", "detail": {}, "field_errors": ["x", {"field": 3, "reason": "r"}]}
    )
    assert parse_problem(PROBLEM, content.encode()) == Problem(detail="Too long", field_errors=(("", "r"),))


STATE = ConferenceState(
    title="Merger with Acme",
    description="strictly secret",
    location="Room 7",
    occurrences=(Occurrence(original_start=Moment(), title="Merger, short"),),
    organizer="anna@example.com",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title 'Merger with Acme' is too long", "title '[...]' is too long"),
        ("MERGER WITH ACME and Merger, short", "[...] and [...]"),
        ("anna@example.com may not host", "[...] may not host"),
        ("unknown user <zoe@other.example>", "unknown user <[address]>"),
        ("no\nnew\r\nlines\x00\x1b[31m", "no new lines[31m"),
        ("x" * 500, "x" * LONGEST_TEXT + "..."),
    ],
)
def test_what_is_shown_holds_nothing_of_the_event(text: str, expected: str) -> None:
    """Vendors quote what they received; our logs must not."""
    assert shown(text, STATE) == expected


WORDS = st.text(st.characters(categories=["L", "N"]), min_size=3).filter(lambda title: title not in "address")


@given(WORDS, st.text(), st.text())
def test_a_title_never_comes_through(title: str, before: str, after: str) -> None:
    """Whatever the title is, and whatever stands around it, it is not in what is shown."""
    assert title not in shown(before + title + after, ConferenceState(title=title))
