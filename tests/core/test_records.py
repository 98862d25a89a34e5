"""Keys that never meet by accident, and records that survive being stored."""

import json

from hypothesis import given
from hypothesis import strategies as st

from confsync.adapters.stored import RECORDS
from confsync.core.conference import Conference, Desired
from confsync.core.records import Brake, Calendar, Failure, Link, key_of
from tests.core.story import HERE, NOW, at, conference, owned, ref, series

WORDS = st.lists(st.text(max_size=8), max_size=5)


@given(WORDS, WORDS)
def test_two_lists_of_parts_share_no_key(one: list[str], other: list[str]) -> None:
    """However the parts are cut."""
    assert (key_of(*one) == key_of(*other)) == (one == other)


@given(WORDS)
def test_a_key_is_32_hex_digits(parts: list[str]) -> None:
    """It names documents, tasks and operations."""
    assert len(key_of(*parts)) == 32
    assert int(key_of(*parts), 16) >= 0


def test_records_of_different_kinds_never_share_a_key() -> None:
    """Even where their parts are the same words."""
    three = {Calendar.key_for("a", "b", "c"), Conference.key_for("a", "b", "c"), Brake.key_for("a", "b", "c")}
    assert len({*three, Link.key_for("a", "b"), Brake.key_for("a", "b")}) == 5
    assert len({kind.kind for kind in RECORDS}) == len(RECORDS) == 5


def test_a_calendar_is_another_one_for_another_subject_or_tenant() -> None:
    """The sync token belongs to what one user sees."""
    keys = {Calendar.key_for(t, "cal", s) for t in ("t1", "t2") for s in ("ann", "bob")}
    assert len(keys) == 4


def test_records_survive_json_and_ignore_what_a_newer_version_added() -> None:
    """Both ways of a roll-out can read them."""
    ledger = owned(series())
    failure = Failure(key="f", tenant="t", reason="x", first_at=NOW, last_at=NOW)
    for record in (*ledger.links.values(), *ledger.conferences.values(), failure):
        stored = json.loads(record.model_dump_json()) | {"from_the_future": 1}
        assert type(record).model_validate(stored) == record


def test_a_desired_end_is_told_by_its_fingerprint() -> None:
    """Its state may be forgotten, its meaning not."""
    assert Desired(generation=1, fingerprint="ended").ended
    assert not Desired(generation=1, fingerprint="0" * 64).ended
    assert set(conference("c1", ref()).registered) == {Link.key_for(HERE, "e1")}


def test_a_failure_that_comes_back_is_counted_and_does_not_pile_up() -> None:
    """It says when it began, and what is wrong now."""
    first = Failure(key="f", tenant="t", reason="403", first_at=NOW, last_at=NOW)
    again = Failure(key="f", tenant="t", reason="404", first_at=at(5), last_at=at(5))
    assert first.after(None) == first
    known = again.after(first.after(None))
    assert (known.count, known.reason, known.first_at, known.last_at) == (2, "404", NOW, at(5))
    third = Failure(key="f", tenant="t", reason="404", first_at=at(9), last_at=at(9)).after(known)
    assert (third.count, third.first_at, third.last_at) == (3, NOW, at(9))
